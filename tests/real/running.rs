//! A flamectl that runs while the test goes on.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::bed::PATIENCE;

/// A child process whose stderr, or all that it says, is read line by line; killed when dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Running {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        listen(child.stderr.take().unwrap(), sender);
        Self { child, lines, said: Vec::new() }
    }

    /// Starts it, and reads standard output, too.
    pub fn start_with_data(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        listen(child.stderr.take().unwrap(), sender.clone());
        listen(child.stdout.take().unwrap(), sender);
        Self { child, lines, said: Vec::new() }
    }

    /// Waits until it says `text` on stderr, and returns that line.
    #[track_caller]
    pub fn until_says(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(why) => panic!("it does not say {text:?} ({why}), but\n{}", self.said.join("\n")),
            }
        }
    }

    /// Sends a signal by name, as `TERM`.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "could not send {name}");
    }

    /// Waits until it ends; returns its exit code, all that it said, and how long that took.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, String, Duration) {
        let began = Instant::now();
        loop {
            match self.lines.recv_timeout((began + PATIENCE).saturating_duration_since(Instant::now())) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; it said\n{}", self.said.join("\n")),
            }
        }
        let status = self.child.wait().unwrap();
        (status.code(), self.said.join("\n"), began.elapsed())
    }
}

fn listen(from: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| to.send(line)));
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and that is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
