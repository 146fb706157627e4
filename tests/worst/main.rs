//! What the worst files cost the built program: memory, which is the same on every machine. Time is what
//! `benches/worst-files.rs` prints.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod files;

use std::process::{Command, Stdio};

use wait4::Wait4;

/// Most memory that any file may cost, in bytes.
const MAX_MEMORY: u64 = 32 << 20;

/// One test, as the memory of this process counts for each program that it starts.
#[test]
fn no_file_costs_more_than_32_mib() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flame.yaml");
    let mut costly = Vec::new();
    for (name, make) in files::files() {
        std::fs::write(&path, make()).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_flamectl"))
            .args(["validate", "-f"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let used = child.wait4().unwrap();
        assert!(matches!(used.status.code(), Some(0 | 2)), "{name}: {:?}", used.status);
        let memory = used.rusage.maxrss;
        println!("{:6.1} MiB  {name}", memory as f64 / f64::from(1 << 20));
        if memory > MAX_MEMORY {
            costly.push(name);
        }
    }
    assert!(costly.is_empty(), "these cost more than {MAX_MEMORY} bytes: {costly:?}");
}
