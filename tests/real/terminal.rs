//! A pseudo-terminal that flamectl runs on, and what it shows.

use std::fs::File;
use std::io::Read;
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::bed::PATIENCE;

/// A child process on a terminal of its own; killed when dropped.
pub struct OnTerminal {
    child: Child,
    master: OwnedFd,
    output: Receiver<Vec<u8>>,
    written: Vec<u8>,
    parser: vt100::Parser,
}

/// What is on the screen in the end.
pub struct Screen {
    pub code: Option<i32>,
    /// All that was written to it.
    pub written: String,
    /// The rows down to the last that is not empty.
    pub rows: Vec<String>,
    pub cursor_is_visible: bool,
}

impl OnTerminal {
    /// Starts it on a terminal of this many columns and rows.
    #[track_caller]
    pub fn start(mut command: Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        resize(&master, columns, rows);
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = File::from(rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap());
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        let child = command.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        let mut reader = File::from(master.try_clone().unwrap());
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of a terminal that nobody has open any more is an error.
            while let Ok(read @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let parser = vt100::Parser::new(cells(rows), cells(columns), 1000);
        Self { child, master, output, written: Vec::new(), parser }
    }

    /// Waits until something on the screen holds `text`.
    #[track_caller]
    pub fn until_shows(&mut self, text: &str) {
        let began = Instant::now();
        while !self.parser.screen().contents().contains(text) {
            assert!(self.take(began), "{text:?} is not shown, but\n{}", self.parser.screen().contents());
        }
    }

    /// Returns what is on the screen, down to the last row that is not empty.
    pub fn rows(&self) -> Vec<String> {
        let screen = self.parser.screen();
        let (_, width) = screen.size();
        let mut rows: Vec<String> = screen.rows(0, width.get()).map(|row| row.trim_end().to_owned()).collect();
        rows.truncate(rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1));
        rows
    }

    /// Waits until it ends, and leaves what is on the screen.
    #[track_caller]
    pub fn until_end(&mut self) -> Option<i32> {
        let began = Instant::now();
        while self.take(began) {}
        self.child.wait().unwrap().code()
    }

    /// Returns the rows of [`OnTerminal::rows`] with their colours.
    pub fn colored_rows(&self) -> String {
        let screen = self.parser.screen();
        let (_, width) = screen.size();
        let rows: Vec<String> = screen.rows_formatted(0, width.get()).take(self.rows().len()).collect();
        rows.join("\n")
    }

    /// Changes the terminal's size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(cells(rows), cells(columns));
        resize(&self.master, columns, rows);
    }

    /// Sends Ctrl-C's signal.
    pub fn interrupt(&self) {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::INT).unwrap();
    }

    fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Waits until it ends.
    #[track_caller]
    pub fn end(mut self) -> Screen {
        let code = self.until_end();
        Screen {
            cursor_is_visible: !self.parser.screen().hide_cursor(),
            rows: self.rows(),
            written: String::from_utf8(self.written.clone()).unwrap(),
            code,
        }
    }

    /// Takes in more output; false once it ended.
    #[track_caller]
    fn take(&mut self, began: Instant) -> bool {
        match self.output.recv_timeout((began + PATIENCE).saturating_duration_since(Instant::now())) {
            Ok(bytes) => {
                self.parser.process(&bytes);
                self.written.extend(bytes);
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
            Err(RecvTimeoutError::Timeout) => panic!("it hangs at\n{}", self.parser.screen().contents()),
        }
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and that is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(master: &OwnedFd, columns: u16, rows: u16) {
    tcsetwinsize(master, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

fn cells(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}
