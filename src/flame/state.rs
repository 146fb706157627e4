//! Whether the flame runs: (flame, snapshot) → [`Verdict`], the reference's status block and every cause with its evidence.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::FlameCluster;
use super::names::{self, Component};
use super::observed::{ObservedPod, Ownership, Phase, Snapshot};

/// The state of a flame (reference: "Cluster States").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ClusterState {
    /// Initial state, or session manager Pod not yet ready.
    Pending,
    /// Session manager ready and at least one executor ready.
    Running,
    /// Session manager Pod failed, or all executor Pods failed.
    Failed,
}

impl fmt::Display for ClusterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The reference's status block, field by field (reference: "Status").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// `status.sessionManager`.
    pub session_manager: SessionManagerStatus,
    /// `status.executorManager`.
    pub executor_manager: ExecutorManagerStatus,
    /// `status.state`.
    pub state: ClusterState,
    /// `status.configGeneration`.
    pub config_generation: u64,
    /// `status.message`.
    pub message: String,
}

/// `status.sessionManager`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionManagerStatus {
    /// Ready session managers, 0 or 1.
    pub ready: u32,
    /// Endpoint URL.
    pub endpoint: String,
}

/// `status.executorManager`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExecutorManagerStatus {
    /// Desired executors.
    pub replicas: u32,
    /// Ready executor manager Pods.
    pub ready: u32,
}

/// One reason why Pods are not ready, with all Pods that it holds up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The component concerned.
    pub component: Component,
    /// Kubernetes' word, as `ImagePullBackOff`.
    pub reason: String,
    /// The evidence, in the server's words.
    pub message: String,
    /// The Pods' names, executors in index order.
    pub pods: Vec<String>,
    /// The executors' indices; empty for the session manager.
    pub indices: Vec<u32>,
    /// Whether waiting may help.
    pub outlook: Outlook,
    /// What else is known of it, one line each: exit codes, warnings, last log lines.
    pub evidence: Vec<String>,
    /// What that means for Flame, where it is known, and what to change.
    pub advice: Option<String>,
    /// The one command that tells more, or heals, correct to paste.
    pub next: Option<String>,
}

/// Whether a cause goes away by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Outlook {
    /// The Pod is on its way.
    #[default]
    Working,
    /// It may heal; after this time nobody believes it any more.
    Doubtful(Duration),
    /// Somebody has to change something.
    Hopeless,
}

impl Cause {
    /// Makes a cause that holds up no Pod yet.
    pub fn new(component: Component, reason: impl Into<String>, message: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            outlook: outlook(&reason),
            component,
            reason,
            message: message.into(),
            pods: Vec::new(),
            indices: Vec::new(),
            evidence: Vec::new(),
            advice: None,
            next: None,
        }
    }
}

impl fmt::Display for Cause {
    /// Writes `7 of the executors (0-6): ImagePullBackOff: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.component {
            Component::ExecutorManager if self.indices.len() == 1 => write!(f, "executor {}", self.indices[0])?,
            Component::ExecutorManager => write!(f, "executors {}", ranges(&self.indices))?,
            _ => f.write_str("session manager")?,
        }
        write!(f, ": {}", self.reason)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// State plus every cause (design: Words).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The reference's status block.
    pub status: Status,
    /// Why Pods are not ready: session manager first, then executors, most Pods first.
    pub causes: Vec<Cause>,
}

/// Returns the verdict on `flame` as `snapshot` shows it.
///
/// Terminating Pods, Pods beyond `replicas` and Pods that are not ours never count (design: rule 7).
pub fn verdict(flame: &FlameCluster, snapshot: &Snapshot) -> Verdict {
    let name = &flame.metadata.name;
    let replicas = flame.spec.executor_manager.replicas;
    let session_manager = own_pod(snapshot, name, &names::session_manager(name));
    let mut causes = Causes::default();
    causes.look_at(Component::SessionManager, names::session_manager(name), None, session_manager);
    let (mut ready, mut failed) = (0, 0);
    for index in 0..replicas {
        let pod_name = names::executor_manager(name, index);
        let pod = own_pod(snapshot, name, &pod_name);
        ready += u32::from(pod.is_some_and(ObservedPod::is_ready));
        failed += u32::from(pod.is_some_and(ObservedPod::is_failed));
        causes.look_at(Component::ExecutorManager, pod_name, Some(index), pod);
    }
    let session_manager_ready = session_manager.is_some_and(ObservedPod::is_ready);
    let state = if session_manager.is_some_and(ObservedPod::is_failed) || (replicas > 0 && failed == replicas) {
        ClusterState::Failed
    } else if session_manager_ready && ready > 0 {
        ClusterState::Running
    } else {
        ClusterState::Pending
    };
    let causes = causes.finish();
    let status = Status {
        session_manager: SessionManagerStatus {
            ready: session_manager_ready.into(),
            endpoint: names::session_manager_endpoint(name),
        },
        executor_manager: ExecutorManagerStatus { replicas, ready },
        state,
        config_generation: snapshot.record(name).map_or(0, |record| record.config_generation()),
        message: message(session_manager_ready, ready, replicas, &causes),
    };
    Verdict { status, causes }
}

fn own_pod<'a>(snapshot: &'a Snapshot, flame: &str, name: &str) -> Option<&'a ObservedPod> {
    snapshot.pods.get(name).filter(|pod| pod.meta.ownership(flame) == Ownership::Ours)
}

/// Says both numbers always, so that nobody takes "one of many" for healthy (faults B30).
fn message(session_manager_ready: bool, ready: u32, replicas: u32, causes: &[Cause]) -> String {
    if session_manager_ready && ready == replicas {
        return match replicas {
            0 => "No executors: replicas is 0".to_owned(),
            _ => "All components healthy".to_owned(),
        };
    }
    let session_manager = if session_manager_ready { "" } else { "session manager not ready, " };
    let mut message = format!("{session_manager}{ready} of {replicas} executors ready");
    for cause in causes.iter().take(2) {
        message.push_str("; ");
        message.push_str(&cause.to_string());
    }
    message
}

/// Groups what holds Pods up by component, reason and message.
#[derive(Default)]
struct Causes {
    groups: BTreeMap<(Component, String, String), HeldUp>,
}

/// Pods of one group: names, and the executors' indices.
type HeldUp = (Vec<String>, Vec<u32>);

impl Causes {
    fn look_at(&mut self, component: Component, name: String, index: Option<u32>, pod: Option<&ObservedPod>) {
        if let Some((reason, message)) = why_not_ready(pod) {
            let message = message.replace(&name, "<pod>");
            let (pods, indices) = self.groups.entry((component, reason, message)).or_default();
            pods.push(name);
            indices.extend(index);
        }
    }

    fn finish(self) -> Vec<Cause> {
        let group = |((component, reason, message), (pods, indices))| Cause {
            pods,
            indices,
            ..Cause::new(component, reason, message)
        };
        let mut causes: Vec<Cause> = self.groups.into_iter().map(group).collect();
        causes.sort_by_key(|cause| (cause.component, std::cmp::Reverse(cause.pods.len())));
        causes
    }
}

/// Returns whether a waiting reason may heal, and how long that may take.
pub fn outlook(reason: &str) -> Outlook {
    match reason {
        "InvalidImageName" | "ErrImageNeverPull" => Outlook::Hopeless,
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            Outlook::Doubtful(Duration::from_secs(30))
        }
        "ErrImagePull" | "ImagePullBackOff" | "CrashLoopBackOff" => Outlook::Doubtful(Duration::from_secs(60)),
        _ => Outlook::Working,
    }
}

/// Returns Kubernetes' reason and message for a Pod that does not serve; none for one that does.
pub fn why_not_ready(pod: Option<&ObservedPod>) -> Option<(String, String)> {
    let Some(pod) = pod else { return Some(("NotCreated".to_owned(), String::new())) };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    if pod.meta.terminating {
        let message = match pod.meta.finalizers.as_slice() {
            [] => String::new(),
            finalizers => format!("waits for finalizer {}", finalizers.join(", ")),
        };
        return Some(("Terminating".to_owned(), message));
    }
    if pod.is_over() {
        let reason = pod.reason.clone().unwrap_or_else(|| format!("{:?}", pod.phase));
        let message = pod.message.clone().or(pod.exit_code().map(|code| format!("exit code {code}")));
        return Some((reason, text(&message)));
    }
    if pod.is_ready() {
        return None;
    }
    if let Some(message) = pod.unschedulable() {
        return Some(("Unschedulable".to_owned(), message.to_owned()));
    }
    if let Some(reason) = &pod.waiting_reason {
        return Some((reason.clone(), waiting_message(pod, reason)));
    }
    match pod.phase {
        Phase::Running => Some(("NotReady".to_owned(), "running, readiness probe not passed yet".to_owned())),
        _ if pod.node.is_none() => Some(("Pending".to_owned(), "not scheduled yet".to_owned())),
        _ => Some(("Pending".to_owned(), "container not started yet".to_owned())),
    }
}

fn waiting_message(pod: &ObservedPod, reason: &str) -> String {
    match (reason, pod.exit_code()) {
        // The server's own message only repeats container and Pod; what helps is how it died.
        ("CrashLoopBackOff", Some(code)) => format!("exit code {code}"),
        _ => pod.waiting_message.clone().unwrap_or_default(),
    }
}

/// Writes indices as `0-6,9`.
pub fn ranges(indices: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &index in indices {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => runs.push((index, index)),
        }
    }
    let run = |&(first, last): &(u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
