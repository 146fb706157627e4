//! Whether this machine can have a real node; tests that need one are skipped where it can't, which is said aloud.

use std::io::Write;
use std::process::Command;
use std::sync::OnceLock;

/// The script that starts control planes and nodes.
pub const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/bed");

/// Says on standard error that the running test is skipped, and why, where there can be no real node; with
/// `FLAMECTL_NODE=required` that fails the test.
#[track_caller]
pub fn is_skipped() -> bool {
    static LACK: OnceLock<Option<String>> = OnceLock::new();
    let Some(lack) = LACK.get_or_init(lack) else { return false };
    assert!(std::env::var("FLAMECTL_NODE").as_deref() != Ok("required"), "{lack}");
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    // What a macro prints is kept from whoever runs tests that pass.
    std::io::stderr().write_all(format!("skipped {test}: {lack}").as_bytes()).unwrap();
    true
}

/// Returns what the machine lacks for a node.
fn lack() -> Option<String> {
    let asked = Command::new(SCRIPT).arg("lacks-for-node").output().unwrap();
    asked.status.success().then(|| String::from_utf8(asked.stdout).unwrap())
}
