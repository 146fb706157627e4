//! What the worst files cost the built program: memory, which is the same on every machine. Time is what
//! `benches/worst-files.rs` prints.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod files;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use flamectl::flame::parse::MAX_FILE_BYTES;
use wait4::Wait4;

/// Most memory that any file may cost, in bytes.
const MAX_MEMORY: u64 = 32 << 20;

/// Runs `command`, which finds a mistake or none, and returns the most memory that it had.
#[track_caller]
fn memory(mut command: Command, name: &str) -> u64 {
    let used = command.spawn().unwrap().wait4().unwrap();
    assert!(matches!(used.status.code(), Some(0 | 2)), "{name}: {:?}", used.status);
    used.rusage.maxrss
}

#[test]
fn no_file_costs_more_than_32_mib_however_it_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flame.yaml");
    let mut costly = Vec::new();
    for (name, make) in files::files() {
        fs::write(&path, make()).unwrap();
        for (report, arguments) in files::REPORTS {
            let memory = memory(files::validate(&path, arguments), name);
            println!("{:6.1} MiB  {name}, {report}", memory as f64 / f64::from(1 << 20));
            if memory > MAX_MEMORY {
                costly.push((name, report));
            }
        }
    }
    assert!(costly.is_empty(), "these cost more than {MAX_MEMORY} bytes: {costly:?}");
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flame.yaml");
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let endless = Path::new("/dev/zero");
    for (name, path) in [("a file of a TiB", path.as_path()), ("zeros", endless), ("zeros as input", Path::new("-"))] {
        let mut command = files::validate(path, &[]);
        command.stdin(File::open(endless).unwrap());
        let memory = memory(command, name);
        assert!(memory < MAX_MEMORY, "{name}: {memory} bytes");
    }
    let command = files::validate(&path, &[]).stderr(std::process::Stdio::piped()).output().unwrap();
    let said = String::from_utf8(command.stderr).unwrap().replace(folder.path().to_str().unwrap(), "");
    assert_eq!(
        said,
        format!(
            "error: /flame.yaml has {} bytes, a FlameCluster at most {MAX_FILE_BYTES}\n\
             hint: name a file that holds one FlameCluster\n",
            1_u64 << 40
        )
    );
}
