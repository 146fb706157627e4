//! flamectl on a terminal, and somebody who types.

use std::io::{Read, Write};
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pty_process::blocking::{Command, Pty, open};
use rustix::termios::{LocalModes, tcgetattr};

use crate::Session;

/// How long flamectl may take to say something; a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal with flamectl on it.
pub struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    output: Receiver<Vec<u8>>,
    screen: Vec<u8>,
    /// How much of the screen was waited for already.
    seen: usize,
    /// How the terminal treats what is typed, as a shell leaves it.
    modes: LocalModes,
}

impl Terminal {
    /// Runs `flamectl ARGS`, without colours.
    pub fn start(session: &Session, args: &str) -> Self {
        Self::spawn(Command::from(session.command(args)).env("NO_COLOR", "1"))
    }

    /// Runs a command.
    pub fn spawn(command: Command) -> Self {
        let (pty, terminal) = open().unwrap();
        pty.resize(pty_process::Size::new(24, 120)).unwrap();
        let modes = tcgetattr(&pty).unwrap().local_modes;
        let child = command.spawn(terminal).unwrap();
        let pty = Arc::new(pty);
        let (sender, output) = channel();
        let reading = Arc::clone(&pty);
        thread::spawn(move || {
            let mut bytes = [0; 1024];
            // Once nobody has the terminal open any more, reading fails.
            while let Ok(length @ 1..) = (&*reading).read(&mut bytes) {
                if sender.send(bytes[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { pty, child, output, screen: Vec::new(), seen: 0, modes }
    }

    /// Waits until `text` is on the screen, below what was waited for before.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        loop {
            let new = &self.screen[self.seen..];
            if let Some(at) = new.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.seen += at + text.len();
                return;
            }
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.screen.extend(bytes),
                Err(_) => panic!("{text:?} is not on the screen:\n{}", self.text()),
            }
        }
    }

    /// Types keys; the terminal echoes them.
    pub fn type_keys(&mut self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for a question and answers it.
    #[track_caller]
    pub fn answer(&mut self, question: &str, answer: &str) {
        self.wait_for(question);
        self.wait_for(": ");
        self.type_keys(&format!("{answer}\r"));
    }

    /// Waits for the end, after which the terminal is as it was; returns the exit code and the screen.
    #[track_caller]
    pub fn end(mut self) -> String {
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.screen.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("no end of it:\n{}", self.text()),
            }
        }
        let status = self.child.wait().unwrap();
        assert_eq!(tcgetattr(&*self.pty).unwrap().local_modes, self.modes);
        // No colour was asked for, so that a sequence could only move or hide the cursor.
        assert!(!self.screen.contains(&0x1b), "{}", self.text());
        let code = status.code().map_or("by signal".to_owned(), |code| code.to_string());
        format!("exit {code}\n--- screen\n{}", self.text())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.screen).replace("\r\n", "\n")
    }
}
