//! Runs commands of a tool and tells what they took.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::launch;
use crate::tools::Line;

/// What the commands of one job took together.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    pub wall_seconds: f64,
    pub cpu_seconds: f64,
    /// Of the command that had most.
    pub peak_bytes: u64,
    /// The last one's exit code, `signal`, or `limit`.
    pub exit: String,
    /// What it said last, where it failed.
    pub words: String,
}

impl Spent {
    pub fn is_well(&self) -> bool {
        self.exit == "0"
    }
}

/// Where tools run: what they keep between two runs, and what they wrote last.
pub struct Environment {
    pub home: PathBuf,
    pub kubeconfig: PathBuf,
}

/// Runs commands one after another, until one fails, for so many seconds at most.
pub fn run(own: &Path, lines: &[Line], environment: &Environment, limit: u64) -> Result<Spent> {
    let mut spent = Spent { exit: "0".to_owned(), ..Spent::default() };
    fs::create_dir_all(&environment.home)?;
    for line in lines {
        let left = limit.saturating_sub(spent.wall_seconds as u64).max(1);
        let one = run_one(own, line, environment, left)?;
        spent = Spent {
            wall_seconds: spent.wall_seconds + one.wall_seconds,
            cpu_seconds: spent.cpu_seconds + one.cpu_seconds,
            peak_bytes: spent.peak_bytes.max(one.peak_bytes),
            ..one
        };
        if !spent.is_well() {
            break;
        }
    }
    Ok(spent)
}

fn run_one(own: &Path, line: &Line, environment: &Environment, limit: u64) -> Result<Spent> {
    let (stdout, stderr) = (environment.home.join("stdout"), environment.home.join("stderr"));
    let output = Command::new(own)
        .args([launch::VERB, &limit.to_string()])
        .args([&stdout, &stderr, &line.program])
        .args(&line.arguments)
        .env_clear()
        .env("HOME", &environment.home)
        .env("KUBECONFIG", &environment.kubeconfig)
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim_end().into());
    }
    let told = String::from_utf8(output.stdout)?;
    let [wall, cpu, peak, exit] = told.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(format!("launch printed {told:?}").into());
    };
    let mut spent = Spent {
        wall_seconds: wall.parse()?,
        cpu_seconds: cpu.parse()?,
        peak_bytes: peak.parse()?,
        exit: exit.to_owned(),
        words: String::new(),
    };
    if !spent.is_well() {
        let last = |path: &Path| -> Result<Option<String>> {
            let text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
            Ok(text.lines().rfind(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned()))
        };
        spent.words = match last(&stderr)? {
            Some(words) => words,
            None => last(&stdout)?.unwrap_or_default(),
        };
    }
    Ok(spent)
}
