//! Runs `flamectl validate` over the worst files and those of the catalogue, with each kind of report, and prints how long it
//! took, how much of that the processor worked for it (both the best of three) and its memory: for each of the worst files the
//! report that cost the most, then the most of all. Other work on the machine makes the first longer, and hardly the second.
//!
//!   cargo bench --bench worst-files

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement may panic, look at the clock and speak"
)]

#[path = "../tests/corpus/catalogue.rs"]
#[expect(dead_code, reason = "only the files are wanted, not what is said of them")]
mod catalogue;
#[path = "../tests/worst/files.rs"]
mod files;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use wait4::Wait4;

const RUNS: u32 = 3;

/// What a file costs, and with which report.
#[derive(Default)]
struct Cost {
    time: (Duration, &'static str),
    work: (Duration, &'static str),
    memory: (u64, &'static str),
}

impl Cost {
    fn print(&self, name: &str) {
        let milliseconds = |(time, report): (Duration, &str)| format!("{:6.1} ms ({report})", time.as_secs_f64() * 1e3);
        let memory = self.memory.0 as f64 / f64::from(1 << 20);
        let (time, work) = (milliseconds(self.time), milliseconds(self.work));
        println!("{time:20} {work:20} {memory:5.1} MiB ({:8}  {name}", format!("{})", self.memory.1));
    }

    /// Returns the time of one and the memory of one that cost the most.
    fn max(self, other: Self) -> Self {
        Self { time: self.time.max(other.time), work: self.work.max(other.work), memory: self.memory.max(other.memory) }
    }
}

/// Returns what a file costs.
fn cost(path: &Path) -> Cost {
    let each = files::REPORTS.iter().map(|(report, arguments)| {
        let runs: Vec<(Duration, Duration, u64)> = (0..RUNS).map(|_| run(path, arguments)).collect();
        let time = runs.iter().map(|(time, _, _)| *time).min().unwrap();
        let work = runs.iter().map(|(_, work, _)| *work).min().unwrap();
        let memory = runs.iter().map(|(_, _, memory)| *memory).max().unwrap();
        Cost { time: (time, report), work: (work, report), memory: (memory, report) }
    });
    each.reduce(Cost::max).unwrap()
}

/// Returns the time, that of the processor and the memory in bytes that one run takes.
fn run(path: &Path, report: &[&str]) -> (Duration, Duration, u64) {
    let began = Instant::now();
    let used = files::validate(path, report).spawn().unwrap().wait4().unwrap();
    assert!(used.status.code().is_some_and(|code| matches!(code, 0 | 2)), "{:?}", used.status);
    (began.elapsed(), used.rusage.utime + used.rusage.stime, used.rusage.maxrss)
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flame.yaml");
    let mut worst = Cost::default();
    for (name, make) in files::files() {
        fs::write(&path, make()).unwrap();
        let cost = cost(&path);
        cost.print(name);
        worst = worst.max(cost);
    }
    worst.print("the most of the worst files");
    let mut worst = Cost::default();
    let cases = catalogue::cases();
    for case in &cases {
        fs::write(&path, &case.input).unwrap();
        worst = worst.max(cost(&path));
    }
    worst.print(&format!("the most of the {} files of the catalogue", cases.len()));
}
