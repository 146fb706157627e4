//! A program of the user's that works with the flame, and the home directory in which Flame's clients look.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::commands::signals::{Signal, Signals};
use crate::error::{Error, Result};
use crate::flame::client;

/// What stands for the path of `flame.yaml` in the arguments of a program.
const PLACEHOLDER: &str = "{config}";
/// Flame's own clients begin with this.
const FLAMES: &str = "flm";

/// A directory of the command's own with `.flame/flame.yaml`; it goes when this is dropped.
pub struct Home {
    directory: TempDir,
}

impl Home {
    /// Makes it for a flame at an endpoint.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(flame: &str, endpoint: &str) -> Result<Self> {
        let text = client::config(flame, endpoint)?;
        let made = tempfile::Builder::new().prefix("flamectl-").tempdir().and_then(|directory| {
            let home = Self { directory };
            std::fs::create_dir(home.path().join(client::DIRECTORY))?;
            std::fs::write(home.file(), text)?;
            Ok(home)
        });
        made.map_err(|error| Error::server(format!("{} cannot be written: {error}", client::FILE)))
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        self.path()
    }

    /// Returns the path of `flame.yaml`.
    pub fn file(&self) -> PathBuf {
        self.path().join(client::DIRECTORY).join(client::FILE)
    }
}

/// The user's program while it runs.
pub struct Program {
    child: Child,
    name: String,
}

impl Program {
    /// Starts it. It finds the flame by FLAME_ENDPOINT, or by `{config}` in its arguments; Flame's own clients are given the
    /// home directory, as they look nowhere else.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(command: &[OsString], endpoint: &str, home: &Home) -> Result<Self> {
        let [program, arguments @ ..] = command else { return Err(Error::input("there is no program to run")) };
        let name = Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.args(arguments.iter().map(|argument| filled(argument, &home.file()))).env("FLAME_ENDPOINT", endpoint);
        if name.starts_with(FLAMES) {
            command.env("HOME", home.directory());
        }
        let child = command.kill_on_drop(true).spawn();
        let child = child.map_err(|error| Error::input(format!("{name} cannot be started: {error}")))?;
        Ok(Self { child, name })
    }

    /// Waits until it ends, and returns its exit code; 128 and more is the signal that ended it, as shells say it. Ctrl-C it
    /// gets from the terminal; SIGTERM is handed on.
    ///
    /// # Errors
    /// Where nobody can tell what became of it.
    pub async fn wait(mut self) -> Result<u8> {
        let mut signals = Signals::new();
        let ended = loop {
            tokio::select! {
                ended = self.child.wait() => break ended,
                signal = signals.next() => {
                    if signal == Signal::Terminate {
                        self.terminate();
                    }
                }
            }
        };
        let ended =
            ended.map_err(|error| Error::server(format!("what became of {} is unknown: {error}", self.name)))?;
        Ok(exit_code(ended))
    }

    #[cfg(unix)]
    fn terminate(&self) {
        let pid = self.child.id().and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()));
        if let Some(pid) = pid {
            // One that ended meanwhile needs none.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }

    #[cfg(not(unix))]
    fn terminate(&self) {}
}

/// Puts the file's path where an argument asks for it.
fn filled(argument: &OsString, file: &Path) -> OsString {
    match argument.to_str() {
        Some(text) if text.contains(PLACEHOLDER) => text.replace(PLACEHOLDER, &file.to_string_lossy()).into(),
        _ => argument.clone(),
    }
}

#[cfg(unix)]
fn exit_code(status: std::process::ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(not(unix))]
fn exit_code(status: std::process::ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_path_comes_where_an_argument_asks_for_it() {
        let filled = |argument: &str| filled(&argument.into(), Path::new("/tmp/x/flame.yaml"));
        assert_eq!(filled("{config}"), "/tmp/x/flame.yaml");
        assert_eq!(filled("--config={config}"), "--config=/tmp/x/flame.yaml");
        assert_eq!(filled("list"), "list");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_finds_the_flame_and_its_exit_code_is_handed_on() {
        let home = Home::new("demo", "http://127.0.0.1:1").unwrap();
        let run = async |script: &str| {
            let command = ["sh", "-c", script, "sh", "{config}"].map(OsString::from);
            Program::start(&command, "http://127.0.0.1:1", &home).unwrap().wait().await.unwrap()
        };
        assert_eq!(run("exit 7").await, 7);
        assert_eq!(run("kill -9 $$").await, 137);
        assert_eq!(run(r#"test "$FLAME_ENDPOINT" = http://127.0.0.1:1 && grep -q demo "$1""#).await, 0);
        let directory = home.directory().to_owned();
        assert!(directory.join(".flame/flame.yaml").is_file());
        drop(home);
        assert!(!directory.exists());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_flames_own_clients_are_given_another_home() {
        use std::os::unix::fs::PermissionsExt;
        let home = Home::new("demo", "http://127.0.0.1:1").unwrap();
        let directory = tempfile::tempdir().unwrap();
        for (name, code) in [("flmctl", 0), ("other", 1)] {
            let program = directory.path().join(name);
            std::fs::write(&program, "#!/bin/sh\nexec test -f \"$HOME/.flame/flame.yaml\" -a \"$HOME\" = \"$1\"\n")
                .unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            let command = [program.into_os_string(), home.directory().as_os_str().to_owned()];
            let program = Program::start(&command, "http://127.0.0.1:1", &home).unwrap();
            assert_eq!(program.wait().await.unwrap(), code, "{name}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_a_mistake_of_whoever_named_it() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let home = Home::new("demo", "http://127.0.0.1:1").unwrap();
        let started = runtime.block_on(async { Program::start(&["/no/such".into()], "", &home).map(drop) });
        assert_eq!(started.unwrap_err().what, "such cannot be started: No such file or directory (os error 2)");
    }
}
