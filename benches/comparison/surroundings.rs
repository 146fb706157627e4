//! Where and with what was measured.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::arguments::RunArguments;
use crate::tools::Programs;

/// Returns a paragraph about this machine, its load now, and the versions of everything.
pub fn surroundings(programs: &Programs, kubernetes: &str, arguments: &RunArguments) -> Result<String> {
    let memory = fs::read_to_string("/proc/meminfo")?;
    let memory: u64 = memory.split_whitespace().nth(1).ok_or("no memory in /proc/meminfo")?.parse()?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let versions = [
        said(&programs.flamectl, &["version"])?,
        format!("kubectl {}", said(&programs.kubectl, &["version", "--client"])?.replace("Client Version: ", "")),
        format!("Helm {}", module("helm", "helm.sh/helm/v4")?),
        format!("kapp {}", module("kapp", "carvel.dev/kapp")?),
    ];
    Ok(format!(
        "Measured {} on Kubernetes {kubernetes}, with {}; {} cores ({}), {:.1} GiB of memory, Linux {}, load {load} at the \
         start; {} runs, limit {} s.\n\n",
        jiff::Zoned::now().strftime("%Y-%m-%d %H:%M %Z"),
        versions.join(", "),
        std::thread::available_parallelism()?,
        model.map_or("unknown", |(_, model)| model),
        memory as f64 / f64::from(1 << 20),
        fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        arguments.runs,
        arguments.limit,
    ))
}

/// Returns the first line that a program prints.
fn said(program: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("of an unknown version").to_owned())
}

/// Returns the version of a peer's module: built as they are here, they do not know it themselves.
fn module(peer: &str, path: &str) -> Result<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/peers/{peer}/go.mod"));
    let text = fs::read_to_string(&file)?;
    let version = text.lines().find_map(|line| line.trim().strip_prefix(path)?.split(' ').nth(1));
    Ok(version.ok_or_else(|| format!("{} names no version of {path}", file.display()))?.to_owned())
}
