//! The binary as a user meets it without a server: exit code, standard output and standard error, to the letter.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod explain;
mod init;
mod input;
mod offline;
mod terminal;
mod usage;
mod validate;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder of files, and flamectl run in it with an environment of nothing.
struct Session {
    folder: TempDir,
}

impl Session {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `flamectl ARGS` and returns what a user sees.
    fn run(&self, args: &str) -> String {
        self.run_with_input(args, "")
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flamectl"));
        command.args(args.split_whitespace()).current_dir(self.path()).env_clear().env("HOME", self.path());
        command
    }

    fn run_with_input(&self, args: &str, input: &str) -> String {
        self.outcome(self.command(args), input)
    }

    fn outcome(&self, mut command: Command, input: &str) -> String {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text =
            |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&self.path().display().to_string(), "DIR");
        format!(
            "exit {}\n--- stdout\n{}--- stderr\n{}",
            output.status.code().map_or("by signal".to_owned(), |code| code.to_string()),
            text(output.stdout),
            text(output.stderr)
        )
    }
}

const BASIC: &str = include_str!("../../examples/basic.yaml");
