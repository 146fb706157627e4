//! Measurements as Markdown: a table for each job.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::results::{Row, median};
use crate::tools::{Job, Tool};

const HEADER: &str = "\
| executors | latency | user | tool | wall s | fastest–slowest | runs | × flamectl | × roofline | CPU s | peak MiB | server CPU s \
| sent KiB | received KiB | connections | requests | 429 | |
|--:|--:|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|--:|---|
";

/// Same conditions for all tools.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Condition {
    executors: u32,
    latency: u32,
    user: String,
}

impl Condition {
    fn of(row: &Row) -> Self {
        Self { executors: row.executors, latency: row.latency, user: row.user.clone() }
    }
}

/// Returns the whole file.
pub fn table(surroundings: &str, rows: &[Row]) -> String {
    let mut text =
        format!("# flamectl beside others\n\n`benches/README.md` says how to read this.\n\n{surroundings}\n");
    for job in Job::ALL {
        let of_job: Vec<&Row> = rows.iter().filter(|row| row.job == job).collect();
        if of_job.is_empty() {
            continue;
        }
        write!(text, "## {job}\n\n{}\n\n{HEADER}", job.about()).expect("a String takes everything");
        let conditions: BTreeSet<Condition> = of_job.iter().map(|row| Condition::of(row)).collect();
        for condition in conditions {
            let alike: Vec<&Row> = of_job.iter().filter(|row| Condition::of(row) == condition).copied().collect();
            Tool::ALL.into_iter().filter_map(|tool| line(&condition, tool, &alike)).for_each(|line| text += &line);
        }
        text.push('\n');
    }
    text
}

fn line(condition: &Condition, tool: Tool, rows: &[&Row]) -> Option<String> {
    let Condition { executors, latency, user } = condition;
    let of_tool: Vec<&Row> = rows.iter().filter(|row| row.tool == tool).copied().collect();
    let timed: Vec<&Row> = of_tool.iter().filter(|row| row.is_well() && !row.audited).copied().collect();
    let of = |number: &dyn Fn(&Row) -> f64| median(timed.iter().map(|row| number(row)));
    let wall = of(&|row| row.wall_seconds);
    let walls = || timed.iter().map(|row| row.wall_seconds);
    let range = wall.map(|_| {
        let (least, most) = (walls().fold(f64::INFINITY, f64::min), walls().fold(0.0, f64::max));
        format!("{}–{}", digits(least), digits(most))
    });
    let times = |other: Tool| {
        let others = rows.iter().filter(|row| row.tool == other && row.is_well() && !row.audited);
        Some(digits(wall? / median(others.map(|row| row.wall_seconds))?))
    };
    let requests = of_tool.iter().rfind(|row| row.requests.is_some() && row.is_well());
    let asked = requests.map(|row| format!("{}: {}", row.requests.unwrap_or_default(), row.verbs));
    let cells = [
        wall.map(digits),
        range,
        (!timed.is_empty()).then(|| timed.len().to_string()),
        times(Tool::Flamectl),
        times(Tool::Roofline),
        of(&|row| row.cpu_seconds).map(digits),
        of(&|row| row.peak_mib).map(|mib| format!("{mib:.1}")),
        of(&|row| row.server_cpu_seconds).map(digits),
        of(&|row| row.sent as f64 / 1024.0).map(|kib| format!("{kib:.0}")),
        of(&|row| row.received as f64 / 1024.0).map(|kib| format!("{kib:.0}")),
        of(&|row| row.connections as f64).map(|number| format!("{number:.0}")),
        asked,
        requests.and_then(|row| row.throttled).map(|number| number.to_string()),
        trouble(&of_tool),
    ];
    let cells = cells.map(Option::unwrap_or_default).join(" | ");
    (!of_tool.is_empty()).then(|| format!("| {executors} | {latency} ms | {user} | {tool} | {cells} |\n"))
}

/// Returns how often it did not work, and what the tool said of that last.
fn trouble(rows: &[&Row]) -> Option<String> {
    let failed: Vec<&Row> = rows.iter().filter(|row| !row.is_well()).copied().collect();
    let last = failed.last()?;
    let how = match last.exit.as_str() {
        "limit" => format!("stopped after {} s", digits(last.wall_seconds)),
        "skipped" => "not begun".to_owned(),
        "unsettled" => "the Pods did not become what was asked for".to_owned(),
        code => format!("exit code {code}"),
    };
    let words: String = last.words.chars().take(400).collect();
    Some(format!("{} of {} failed, {how}: {}", failed.len(), rows.len(), words.replace('|', "\\|")))
}

/// Returns a number with three digits that count.
fn digits(number: f64) -> String {
    let decimals = match number {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{number:.decimals$}")
}
