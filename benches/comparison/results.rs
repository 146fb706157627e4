//! Measurements, kept in results.tsv as they come.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::tools::{Job, Tool};
use crate::{plot, table};

const COLUMNS: [&str; 20] = [
    "time",
    "job",
    "tool",
    "executors",
    "latency_ms",
    "user",
    "run",
    "audited",
    "wall_s",
    "cpu_s",
    "peak_mib",
    "server_cpu_s",
    "sent_bytes",
    "received_bytes",
    "connections",
    "exit",
    "requests",
    "answered_429",
    "verbs",
    "words",
];

/// One measurement.
#[derive(Clone, Debug)]
pub struct Row {
    pub time: String,
    pub job: Job,
    pub tool: Tool,
    pub executors: u32,
    pub latency: u32,
    pub user: String,
    pub run: u32,
    /// With requests counted, and timed on a control plane that writes a log meanwhile: its times do not count.
    pub audited: bool,
    pub wall_seconds: f64,
    pub cpu_seconds: f64,
    pub peak_mib: f64,
    pub server_cpu_seconds: f64,
    pub sent: u64,
    pub received: u64,
    pub connections: u64,
    /// An exit code, `signal`, `limit`, or `skipped` where it could not begin.
    pub exit: String,
    pub requests: Option<usize>,
    pub throttled: Option<usize>,
    pub verbs: String,
    pub words: String,
}

impl Row {
    pub fn is_well(&self) -> bool {
        self.exit == "0"
    }

    fn line(&self) -> String {
        let number = |number: Option<usize>| number.map_or(String::new(), |number| number.to_string());
        let cells = [
            self.time.clone(),
            self.job.to_string(),
            self.tool.to_string(),
            self.executors.to_string(),
            self.latency.to_string(),
            self.user.clone(),
            self.run.to_string(),
            u8::from(self.audited).to_string(),
            format!("{:.4}", self.wall_seconds),
            format!("{:.4}", self.cpu_seconds),
            format!("{:.2}", self.peak_mib),
            format!("{:.2}", self.server_cpu_seconds),
            self.sent.to_string(),
            self.received.to_string(),
            self.connections.to_string(),
            self.exit.clone(),
            number(self.requests),
            number(self.throttled),
            self.verbs.clone(),
            self.words.clone(),
        ];
        cells.map(|cell| cell.replace(['\t', '\n', '\r'], " ")).join("\t")
    }

    fn parse(line: &str) -> Result<Self> {
        let cells: Vec<&str> = line.split('\t').collect();
        let cells: [&str; COLUMNS.len()] = cells.try_into().map_err(|_| format!("results.tsv: not a row: {line}"))?;
        let [time, job, tool, executors, latency, user, run, audited, wall, cpu, peak, server, rest @ ..] = cells;
        let [sent, received, connections, exit, requests, throttled, verbs, words] = rest;
        let number = |text: &str| if text.is_empty() { Ok(None) } else { text.parse().map(Some) };
        Ok(Self {
            time: time.to_owned(),
            job: Job::from_name(job).ok_or_else(|| format!("results.tsv: unknown job {job}"))?,
            tool: Tool::from_name(tool).ok_or_else(|| format!("results.tsv: unknown tool {tool}"))?,
            executors: executors.parse()?,
            latency: latency.parse()?,
            user: user.to_owned(),
            run: run.parse()?,
            audited: audited == "1",
            wall_seconds: wall.parse()?,
            cpu_seconds: cpu.parse()?,
            peak_mib: peak.parse()?,
            server_cpu_seconds: server.parse()?,
            sent: sent.parse()?,
            received: received.parse()?,
            connections: connections.parse()?,
            exit: exit.to_owned(),
            requests: number(requests)?,
            throttled: number(throttled)?,
            verbs: verbs.to_owned(),
            words: words.to_owned(),
        })
    }
}

/// The folder of results.
pub struct Results {
    dir: PathBuf,
    pub rows: Vec<Row>,
    /// Where and with what was measured, a paragraph for each time.
    surroundings: String,
    /// That of now, until there is a measurement.
    surroundings_now: Option<String>,
}

impl Results {
    /// Reads what is in a folder already; nothing where there is none.
    pub fn read(dir: &Path) -> Result<Self> {
        let text = |name: &str| match fs::read_to_string(dir.join(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            text => text,
        };
        let rows = text("results.tsv")?.lines().skip(1).map(Row::parse).collect::<Result<_>>()?;
        Ok(Self { dir: dir.to_owned(), rows, surroundings: text("surroundings.md")?, surroundings_now: None })
    }

    /// Begins to add to a folder, on these surroundings.
    pub fn open(dir: &Path, surroundings: &str) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let mut results = Self::read(dir)?;
        if !dir.join("results.tsv").exists() {
            fs::write(dir.join("results.tsv"), COLUMNS.join("\t") + "\n")?;
        }
        results.surroundings_now = Some(surroundings.to_owned());
        Ok(results)
    }

    /// Adds a measurement, on the disk, too.
    pub fn add(&mut self, row: Row) -> Result<()> {
        if let Some(surroundings) = self.surroundings_now.take() {
            self.surroundings.push_str(&surroundings);
            fs::write(self.dir.join("surroundings.md"), &self.surroundings)?;
        }
        let mut file = OpenOptions::new().append(true).open(self.dir.join("results.tsv"))?;
        writeln!(file, "{}", row.line())?;
        self.rows.push(row);
        Ok(())
    }

    /// Keeps what a tool said where it did not work.
    pub fn keep(&self, name: &str, words: &str) -> Result<()> {
        let dir = self.dir.join("failures");
        fs::create_dir_all(&dir)?;
        Ok(fs::write(dir.join(name).with_extension("txt"), words)?)
    }

    /// Writes table and plots of all that is known.
    pub fn publish(&self) -> Result<()> {
        fs::write(self.dir.join("table.md"), table::table(&self.surroundings, &self.rows))?;
        for job in Job::ALL {
            if let Some(plot) = plot::plot(job, &self.rows) {
                fs::write(self.dir.join(format!("{job}.svg")), plot)?;
            }
        }
        Ok(())
    }
}

/// Returns the middle one, or the mean of the two in the middle; none of nothing.
pub fn median(numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        length if length % 2 == 1 => Some(numbers[middle]),
        _ => Some(f64::midpoint(numbers[middle - 1], numbers[middle])),
    }
}
