//! Runs `flamectl validate` over the worst files and prints for each how long it took, best of five, and its memory; then the
//! worst of both.
//!
//!   cargo bench --bench worst-files

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement may panic, look at the clock and speak"
)]

#[path = "../tests/worst/files.rs"]
mod files;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

const RUNS: u32 = 5;

/// Returns the time and the memory in bytes that a file takes.
fn run(path: &Path) -> (Duration, u64) {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_flamectl"))
        .args(["validate", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let used = child.wait4().unwrap();
    assert!(used.status.code().is_some_and(|code| matches!(code, 0 | 2)), "{:?}", used.status);
    (began.elapsed(), used.rusage.maxrss)
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flame.yaml");
    let (mut slowest, mut largest) = ((Duration::ZERO, ""), (0, ""));
    for (name, make) in files::files() {
        std::fs::write(&path, make()).unwrap();
        let runs: Vec<(Duration, u64)> = (0..RUNS).map(|_| run(&path)).collect();
        let time = runs.iter().map(|(time, _)| *time).min().unwrap();
        let memory = runs.iter().map(|(_, memory)| *memory).max().unwrap();
        println!("{:6.1} ms  {:5.1} MiB  {name}", time.as_secs_f64() * 1e3, memory as f64 / f64::from(1 << 20));
        slowest = slowest.max((time, name));
        largest = largest.max((memory, name));
    }
    println!(
        "slowest: {:?}, {}; largest: {:.1} MiB, {}",
        slowest.0,
        slowest.1,
        largest.0 as f64 / f64::from(1 << 20),
        largest.1
    );
}
