//! What was asked about a Pod, put to its cause: warnings, last words and the node sharpen it, explain it, and are its
//! evidence.

use super::alike::alike;
use super::cause::{Cause, CauseKind};
use super::deaths::death_of;
use super::symptom::was_ready;
use super::words::one_line;
use crate::flame::evidence::{Evidence, NodeNote, Warning};
use crate::flame::mask::mask;
use crate::flame::observed::{ObservedPod, Reason};

/// Most lines of a log that are shown.
const LOG_LINES: usize = 5;
/// Most warnings that are shown.
const WARNINGS: usize = 2;
/// From how many failed probes on it is more than a slow start.
const FAILED_PROBES: u32 = 3;

/// Adds to `cause` what is known of the Pod that stands for it.
pub(super) fn add(cause: &mut Cause, pod: &ObservedPod, evidence: &Evidence, own_names: &[&str]) {
    sharpen(cause, pod, evidence, own_names);
    if pod.other_container.is_none() {
        explain(cause, evidence);
    }
    let left = pod.ended.as_ref().filter(|_| has_ended(cause.kind)).map(|ended| ended.message.as_str());
    let others = [disruption(cause, pod), left.filter(|it| !it.is_empty()).map(|left| format!("it left: {left}"))];
    cause.evidence.extend(others.into_iter().flatten());
    cause.evidence.extend(log(cause.kind, evidence));
    let told: Vec<String> = cause.evidence.iter().chain([&cause.message]).map(|line| one_line(line)).collect();
    cause.evidence.extend(warnings(cause, evidence, &told));
    cause.evidence.extend(evidence.node.as_ref().filter(|it| is_about_node(cause.kind, pod, it)).map(node));
}

/// Returns a line as it is shown.
pub(super) fn shown(line: &str) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    format!("{}{}", &line[..indent], one_line(&mask(line)))
}

/// Makes out of a Pod on its way one that is held up, and out of a dead node's Pod what it is.
fn sharpen(cause: &mut Cause, pod: &ObservedPod, evidence: &Evidence, own_names: &[&str]) {
    let lost = evidence.node.as_ref().filter(|node| node.ready != Some(true));
    let common = |text: &str| if cause.count() > 1 { alike(text, own_names) } else { text.to_owned() };
    match (cause.kind, lost) {
        (CauseKind::Starting | CauseKind::NotReady, Some(node)) => {
            cause.message = lost_node(node);
            sharpened(cause, CauseKind::NodeLost, "NodeLost");
        }
        (CauseKind::Stuck, Some(node)) if pod.meta.finalizers.is_empty() => cause.message = lost_node(node),
        (CauseKind::Starting, None) if !has_network(pod) => {
            let setup = evidence.warnings.iter().find(|it| CauseKind::of(&it.reason) == CauseKind::Setup);
            if let Some(warning) = setup {
                cause.message = common(&warning.message);
                sharpened(cause, CauseKind::Setup, &warning.reason);
            }
        }
        (CauseKind::NotReady, None) => {
            let probe = evidence.warnings.iter().find(|it| it.reason == "Unhealthy");
            if let Some(warning) = probe {
                let now = if was_ready(pod) { "no longer ready:" } else { "running, but" };
                cause.message = format!("{now} {}", probe_words(&common(&warning.message)));
                if warning.count >= FAILED_PROBES {
                    sharpened(cause, CauseKind::Unhealthy, "NotReady");
                }
            }
        }
        _ => {}
    }
}

fn sharpened(cause: &mut Cause, kind: CauseKind, reason: &str) {
    (cause.kind, cause.outlook, cause.reason) = (kind, kind.outlook(), reason.to_owned());
}

fn has_network(pod: &ObservedPod) -> bool {
    pod.conditions.ready_to_start.as_ref().is_some_and(|condition| condition.is_true)
}

/// `Readiness probe failed: dial tcp …` → `readiness probe failed: dial tcp …`.
fn probe_words(text: &str) -> String {
    ["Readiness", "Liveness", "Startup"].iter().fold(text.to_owned(), |text, probe| {
        match text.strip_prefix(&format!("{probe} probe")) {
            Some(rest) => format!("{} probe{rest}", probe.to_ascii_lowercase()),
            None => text,
        }
    })
}

fn lost_node(node: &NodeNote) -> String {
    match node.ready {
        None => format!("its node {} is gone", node.name),
        Some(_) => format!("its node {} is not ready", node.name),
    }
}

/// Says what the last words mean, where it is known. An executor whose last words tell of anything but a missing session
/// manager did not just come too early.
fn explain(cause: &mut Cause, evidence: &Evidence) {
    let Some(log) = evidence.log.as_ref().filter(|_| has_ended(cause.kind)) else { return };
    let Some(death) = death_of(cause.component, &log.lines) else { return };
    if cause.kind == CauseKind::TooEarly && !death.is_too_early {
        (cause.kind, cause.outlook) = (CauseKind::Crash, CauseKind::Crash.outlook());
    }
    cause.advice = Some(death.advice.to_owned());
    cause.field = death.field.map(str::to_owned);
}

fn has_ended(kind: CauseKind) -> bool {
    matches!(
        kind,
        CauseKind::Crash | CauseKind::OutOfMemory | CauseKind::Completed | CauseKind::TooEarly | CauseKind::Over
    )
}

fn is_about_node(kind: CauseKind, pod: &ObservedPod, node: &NodeNote) -> bool {
    match kind {
        // A node that is ready has nothing to do with a finalizer.
        CauseKind::Stuck => pod.meta.finalizers.is_empty() || node.ready != Some(true),
        CauseKind::NodeLost => true,
        _ => false,
    }
}

fn node(node: &NodeNote) -> String {
    match (node.ready, node.message.as_str()) {
        (None, _) => format!("there is no node {} any more", node.name),
        (Some(true), _) => format!("node {} is ready", node.name),
        (Some(false), "") => format!("node {} is not ready", node.name),
        (Some(false), why) => format!("node {}: {why}", node.name),
    }
}

/// Says who ends the Pod and why.
fn disruption(cause: &Cause, pod: &ObservedPod) -> Option<String> {
    let is_told = |why: &Reason| why.reason == cause.reason || cause.message.contains(&why.message);
    let why = pod.disruption.as_deref().filter(|why| !is_told(why))?;
    let is_leaving = matches!(cause.kind, CauseKind::Over | CauseKind::Terminating | CauseKind::Stuck);
    is_leaving.then(|| format!("{}: {}", why.reason, why.message))
}

/// Returns the end of the log: of an ended container its last words, from a panic on where there was one.
fn log(kind: CauseKind, evidence: &Evidence) -> Vec<String> {
    let ended = has_ended(kind);
    let Some(log) = evidence.log.as_ref().filter(|_| ended || kind == CauseKind::Unhealthy) else {
        return Vec::new();
    };
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE");
    let lines: Vec<&str> = log.lines.iter().map(|line| line.trim()).filter(is_said).collect();
    let panic = lines.iter().rposition(|line| line.contains("panicked at"));
    let from = panic.unwrap_or(lines.len().saturating_sub(LOG_LINES));
    let lines: Vec<&str> = lines[from..].iter().take(LOG_LINES).copied().collect();
    let label = if ended { "last words" } else { "last log lines" };
    match lines.as_slice() {
        [] => Vec::new(),
        [line] => vec![format!("{label}: {line}")],
        lines => {
            let lines = lines.iter().map(|line| format!("  {line}"));
            std::iter::once(format!("{label}:")).chain(lines).collect()
        }
    }
}

/// Returns the newest warnings that say something new.
fn warnings(cause: &Cause, evidence: &Evidence, told: &[String]) -> Vec<String> {
    let is_new = |warning: &&Warning| {
        let message = one_line(&warning.message);
        let is_told = |line: &String| line.contains(&message) || message.contains(line.trim());
        is_relevant(cause.kind, &warning.reason) && !told.iter().filter(|line| !line.is_empty()).any(is_told)
    };
    let line = |warning: &Warning| match warning.count {
        0 | 1 => format!("{}: {}", warning.reason, warning.message),
        many => format!("{} ({many} times): {}", warning.reason, warning.message),
    };
    evidence.warnings.iter().filter(is_new).take(WARNINGS).map(line).collect()
}

/// Tells whether a warning may be about this kind of cause; others are about an earlier stage, or repeat it.
fn is_relevant(kind: CauseKind, reason: &str) -> bool {
    match reason {
        // It only says that a container is started again.
        "BackOff" => false,
        "FailedScheduling" => kind == CauseKind::Gated,
        "Failed" => matches!(kind, CauseKind::Config | CauseKind::Other),
        "Unhealthy" => has_ended(kind),
        // The node itself says why.
        "NodeNotReady" => !matches!(kind, CauseKind::NodeLost | CauseKind::Stuck),
        _ if CauseKind::of(reason) == CauseKind::Setup => kind == CauseKind::Starting,
        _ => true,
    }
}
