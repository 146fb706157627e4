//! Whether the flame runs: (flame, snapshot) → [`Verdict`], the reference's status block and every cause with its evidence.

mod alike;
mod cause;
mod causes;
mod deaths;
mod known;
mod next;
mod symptom;
mod words;

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::FlameCluster;
use super::names;
use super::observed::{ObservedPod, Seconds, Snapshot};
use causes::Pods;

pub use cause::{Cause, CauseKind, Outlook};
pub use words::{duration, exit, one_line, quota, ranges};

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

/// State plus every cause (design: Words).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The reference's status block.
    pub status: Status,
    /// Why Pods are not ready: session manager first, then the object cache, then executors, most Pods first.
    pub causes: Vec<Cause>,
    /// When the causes change by themselves, as a Pod takes too long then.
    pub changes_at: Option<Seconds>,
}

/// Returns the verdict on `flame` as `snapshot` shows it at `now`.
///
/// Terminating Pods, Pods beyond `replicas` and Pods that are not ours never count (design: rule 7). The reference's states
/// know no object cache with a Pod of its own, so it changes none of them: the message and the causes tell of it.
pub fn verdict(flame: &FlameCluster, snapshot: &Snapshot, now: Seconds) -> Verdict {
    verdict_on(flame, snapshot, &Pods::of(flame, snapshot), now)
}

/// Returns the same as [`verdict`] where it is known which executors below `replicas` do not serve: nobody else is looked at.
pub fn verdict_among(flame: &FlameCluster, snapshot: &Snapshot, unready: &BTreeSet<u32>, now: Seconds) -> Verdict {
    verdict_on(flame, snapshot, &Pods::among(flame, snapshot, unready), now)
}

fn verdict_on(flame: &FlameCluster, snapshot: &Snapshot, pods: &Pods<'_>, now: Seconds) -> Verdict {
    let name = &flame.metadata.name;
    let replicas = flame.spec.executor_manager.replicas;
    let ready = replicas - pods.unready.len() as u32;
    let (session_manager_failed, failed) = pods.failed(now);
    let session_manager_ready = pods.session_manager.is_some_and(ObservedPod::is_ready);
    let state = if session_manager_failed || (replicas > 0 && failed == replicas) {
        ClusterState::Failed
    } else if session_manager_ready && ready > 0 {
        ClusterState::Running
    } else {
        ClusterState::Pending
    };
    let (causes, changes_at) = causes::causes(flame, snapshot, pods, now);
    let status = Status {
        session_manager: SessionManagerStatus {
            ready: session_manager_ready.into(),
            endpoint: names::session_manager_endpoint(name),
        },
        executor_manager: ExecutorManagerStatus { replicas, ready },
        state,
        config_generation: snapshot.record(name).map_or(0, |record| record.config_generation()),
        message: message(session_manager_ready, pods.object_cache_is_ready(), (ready, replicas), &causes),
    };
    Verdict { status, causes, changes_at }
}

/// Returns why a Pod that was deleted is still there at `now`, what lets it go, and one command; none while it may take its
/// time.
pub fn why_it_stays(pod: &ObservedPod, namespace: &str, now: Seconds) -> Option<[String; 3]> {
    causes::why_it_stays(pod, namespace, now)
}

/// Says both numbers always, so that nobody takes "one of many" for healthy (faults B30).
fn message(
    session_manager_ready: bool,
    object_cache_ready: bool,
    (ready, replicas): (u32, u32),
    causes: &[Cause],
) -> String {
    if session_manager_ready && object_cache_ready && ready == replicas {
        return match replicas {
            0 => "No executors: replicas is 0".to_owned(),
            _ => "All components healthy".to_owned(),
        };
    }
    let session_manager = if session_manager_ready { "" } else { "session manager not ready, " };
    let object_cache = if object_cache_ready { "" } else { "object cache not ready, " };
    let mut message = format!("{session_manager}{object_cache}{ready} of {replicas} executors ready");
    for cause in causes.iter().take(2) {
        message.push_str("; ");
        message.push_str(&cause.to_string());
    }
    message
}

#[cfg(test)]
mod tests;
