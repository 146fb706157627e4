//! Runs commands of a tool and tells what they took.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::launch;
use crate::tools::Line;

/// Lines that are kept of what a command said: some break one sentence into several.
const LINES: usize = 4;

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

/// Where a tool runs.
pub struct Environment {
    /// What it keeps between two runs, and what it wrote last.
    pub home: PathBuf,
    pub kubeconfig: PathBuf,
}

impl Environment {
    fn stdout(&self) -> PathBuf {
        self.home.join("stdout")
    }

    fn stderr(&self) -> PathBuf {
        self.home.join("stderr")
    }

    /// Returns what the last command said of itself: on standard error, or else on standard output.
    pub fn said(&self) -> Result<String> {
        let read = |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let stderr = read(&self.stderr())?;
        if stderr.trim().is_empty() { Ok(read(&self.stdout())?) } else { Ok(stderr) }
    }
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
    let (stdout, stderr) = (environment.stdout(), environment.stderr());
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
        spent.words = why(&environment.said()?);
    }
    Ok(spent)
}

/// Returns what a command said from the first line on that tells of an error, or else its last line.
fn why(words: &str) -> String {
    let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let first = lines.iter().position(|line| line.to_lowercase().contains("error"));
    let from = first.unwrap_or(lines.len().saturating_sub(1));
    lines[from..].iter().take(LINES).copied().collect::<Vec<_>>().join(" / ")
}
