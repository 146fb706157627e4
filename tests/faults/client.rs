//! Runs the built binary.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::bed::bed;
use crate::proxy::{Proxy, Seen};

/// No run takes this long; one that does hangs.
const HANGS: Duration = Duration::from_secs(150);

/// A running flamectl.
pub struct Client {
    child: Mutex<Child>,
    signalled: OnceLock<Instant>,
}

impl Client {
    pub fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        let child = self.child.lock().unwrap();
        let _ = self.signalled.set(Instant::now());
        // It may have ended this moment.
        let _ = kill_process(Pid::from_child(&child), signal);
    }
}

/// How a run of flamectl ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The exit code; as shells say it, 128 and the signal where a signal ended it.
    pub code: i32,
    /// Whether a signal ended it, and not flamectl itself.
    pub by_signal: bool,
    pub stderr: String,
    pub took: Duration,
    /// The time from the first signal to the end.
    pub after_signal: Option<Duration>,
    /// What it requested, where a proxy was in between.
    pub seen: Vec<Seen>,
}

/// One run of flamectl.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub namespace: String,
    pub args: Vec<String>,
    /// What standard input brings.
    pub input: String,
}

impl Run {
    pub fn with(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|arg| (*arg).to_owned()));
        self
    }

    /// Gives an option that is there another value.
    pub fn replacing(mut self, option: &str, value: &str) -> Self {
        let at = self.args.iter().position(|arg| arg == option).unwrap();
        self.args[at + 1] = value.to_owned();
        self
    }

    /// Runs without a proxy.
    pub fn direct(&self) -> Ended {
        self.start(&bed().kubeconfig).end()
    }

    /// Runs through `proxy`.
    pub fn through(&self, proxy: &Proxy) -> Ended {
        let started = self.start(&proxy.kubeconfig);
        proxy.client_is(started.client.clone());
        started.end_then(|| proxy.seen())
    }

    fn start(&self, kubeconfig: &Path) -> Started {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flamectl"));
        command.env_clear().args(&self.args).args(["-n", &self.namespace]).arg("--kubeconfig").arg(kubeconfig);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let at = Instant::now();
        let mut child = command.spawn().unwrap();
        // A client that was killed early does not read it.
        let _ = child.stdin.take().unwrap().write_all(self.input.as_bytes());
        let stderr = child.stderr.take().unwrap();
        let client = Arc::new(Client { child: Mutex::new(child), signalled: OnceLock::new() });
        Started { client, stderr, at }
    }
}

struct Started {
    client: Arc<Client>,
    stderr: ChildStderr,
    at: Instant,
}

impl Started {
    fn end(self) -> Ended {
        self.end_then(Vec::new)
    }

    fn end_then(self, seen: impl FnOnce() -> Vec<Seen>) -> Ended {
        let Self { client, stderr: mut pipe, at } = self;
        let (sender, said) = channel();
        std::thread::spawn(move || sender.send(text(&mut pipe)));
        let mut stderr = match said.recv_timeout(HANGS) {
            Err(RecvTimeoutError::Timeout) => {
                client.kill();
                format!("{}\nIT HUNG and was killed after {} s", said.recv().unwrap(), HANGS.as_secs())
            }
            other => other.unwrap(),
        };
        let status = client.child.lock().unwrap().wait().unwrap();
        if stderr.contains("panicked") {
            stderr.push_str("\nIT PANICKED");
        }
        Ended {
            code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
            by_signal: status.signal().is_some(),
            stderr,
            took: at.elapsed(),
            after_signal: client.signalled.get().map(Instant::elapsed),
            seen: seen(),
        }
    }
}

fn text(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
