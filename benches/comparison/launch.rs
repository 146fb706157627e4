//! Starts one program, waits for it, and prints what it took, in a process of its own: Linux tells of a program as its peak
//! memory at least what the process had that started it, and this one has little.
//!
//! `comparison launch SECONDS STDOUT STDERR PROGRAM ARGS...` prints wall seconds, CPU seconds, peak bytes, and how it ended.

use std::ffi::OsString;
use std::fs::File;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use wait4::Wait4;

use crate::Result;

pub const VERB: &str = "launch";

/// What is printed in place of an exit code.
pub const OVER_LIMIT: &str = "limit";

pub fn run(arguments: &[OsString]) -> Result<()> {
    let [limit, stdout, stderr, program, arguments @ ..] = arguments else {
        return Err("launch: SECONDS, STDOUT, STDERR and PROGRAM are needed".into());
    };
    let limit = Duration::from_secs(limit.to_str().ok_or("SECONDS is not a number")?.parse()?);
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(File::create(stdout)?).stderr(File::create(stderr)?);

    let began = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
    let id = Pid::from_raw(i32::try_from(child.id())?).ok_or("a process without a number")?;
    let (send, ended) = mpsc::channel();
    std::thread::spawn(move || send.send(child.wait4().map(|used| (used, began.elapsed()))));
    let ((used, wall), is_over) = match ended.recv_timeout(limit) {
        Ok(used) => (used?, false),
        Err(_) => {
            kill_process(id, Signal::KILL)?;
            (ended.recv()??, true)
        }
    };
    let cpu = used.rusage.utime + used.rusage.stime;
    let end = if is_over { OVER_LIMIT.to_owned() } else { code(used.status) };
    println!("{:.6} {:.6} {} {end}", wall.as_secs_f64(), cpu.as_secs_f64(), used.rusage.maxrss);
    Ok(())
}

fn code(status: ExitStatus) -> String {
    status.code().map_or("signal".to_owned(), |code| code.to_string())
}
