//! What is asked about a Pod beyond its own status: warnings, last log lines, its node.
//!
//! (verdict, snapshot) → [`Inquiry`]s, a bounded number however many Pods are broken: one Pod stands for all that a cause
//! holds up. The answers go into [`Snapshot::evidence`], where the next verdict finds them.

use std::time::Duration;

use super::observed::{ObservedPod, Snapshot};
use super::state::{Cause, CauseKind, Outlook};

/// Most causes that are asked about; more than a handful of different ones is told, but not looked into. With a Pod each, and
/// at most three requests for that, there are never more than fifteen questions at once.
const MAX_CAUSES: usize = 5;

/// What a node, the scheduler or a controller warned of (events.k8s.io `Warning`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warning {
    /// `reason`, as `FailedMount`.
    pub reason: String,
    /// `note`, in the server's words.
    pub message: String,
    /// How often it was seen.
    pub count: u32,
    /// When it was seen last, as the server writes it.
    pub last_seen: String,
}

/// The last lines that a container wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTail {
    /// Oldest first, without line ends.
    pub lines: Vec<String>,
    /// Whether they are the ended container's, not the running one's.
    pub previous: bool,
}

/// How a Pod's node is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeNote {
    /// Its name.
    pub name: String,
    /// Its condition `Ready`; none where there is no such node any more.
    pub ready: Option<bool>,
    /// Why it is not ready, in the server's words.
    pub message: String,
}

/// What was answered about one Pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What the Pod was held up by when it was asked about; another reason or another restart is asked about anew.
    pub asked: Asked,
    /// Its newest warnings, newest first, each reason once.
    pub warnings: Vec<Warning>,
    /// The last lines of its container.
    pub log: Option<LogTail>,
    /// Its node, where that may be the cause.
    pub node: Option<NodeNote>,
}

/// The state of a Pod that an [`Inquiry`] is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The cause's reason.
    pub reason: String,
    /// The container's restarts.
    pub restart_count: u32,
}

/// Which log is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogOf {
    /// The container that runs, or ended and was not started again.
    Current,
    /// The one that ended before it.
    Previous,
}

/// Questions about one Pod, each at most one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The Pod's name.
    pub pod: String,
    /// The Pod's uid.
    pub uid: String,
    /// What it is about.
    pub asked: Asked,
    /// Which last lines to read.
    pub log: Option<LogOf>,
    /// Whose: the container that holds the Pod up.
    pub container: String,
    /// Which node to look at.
    pub node: Option<String>,
}

/// How long a Pod may be on its way before it is asked about: a healthy flame costs no request more.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

impl Inquiry {
    /// Returns how long there has to be something to ask before it is asked.
    pub fn patience(&self) -> Duration {
        match CauseKind::of(&self.asked.reason).outlook() {
            Outlook::Working => ON_ITS_WAY,
            Outlook::Doubtful(_) | Outlook::Hopeless => Duration::ZERO,
        }
    }
}

/// Returns what to ask about `causes`: first about what is trouble, then about Pods on their way, who may be so for too long.
/// Nothing that was answered already.
pub fn inquiries(causes: &[Cause], snapshot: &Snapshot) -> Vec<Inquiry> {
    let (troubles, others): (Vec<&Cause>, Vec<&Cause>) = causes.iter().partition(|cause| cause.is_trouble());
    let on_their_way = others.into_iter().filter(|cause| cause.kind != CauseKind::Terminating);
    let asked = troubles.into_iter().chain(on_their_way).filter_map(|cause| {
        let pod = snapshot.pods.get(cause.pod.as_ref()?)?;
        Some(inquiry(cause, pod))
    });
    let is_open = |inquiry: &Inquiry| {
        let answered = snapshot.evidence.get(&inquiry.uid);
        answered.is_none_or(|evidence| evidence.asked != inquiry.asked)
    };
    asked.take(MAX_CAUSES).filter(is_open).collect()
}

fn inquiry(cause: &Cause, pod: &ObservedPod) -> Inquiry {
    let is_lost = matches!(
        cause.kind,
        CauseKind::Stuck | CauseKind::NodeLost | CauseKind::NotReady | CauseKind::Unhealthy | CauseKind::Starting
    );
    let container = match &pod.other_container {
        Some(other) => other.name.clone(),
        None => cause.component.name().to_owned(),
    };
    Inquiry {
        pod: pod.meta.name.clone(),
        uid: pod.meta.uid.clone(),
        asked: Asked { reason: cause.reason.clone(), restart_count: pod.restart_count },
        log: log(cause, pod),
        container,
        node: pod.node.as_deref().filter(|_| is_lost).map(str::to_owned),
    }
}

fn log(cause: &Cause, pod: &ObservedPod) -> Option<LogOf> {
    match (&pod.ended, cause.kind) {
        (_, CauseKind::Terminating | CauseKind::Stuck | CauseKind::NodeLost) => None,
        // Who is ended by others says nothing about that, and an evicted Pod's log goes with it.
        (_, CauseKind::Over) if pod.reason.is_some() || pod.disruption.is_some() => None,
        // What runs and does not get ready may say why.
        (_, CauseKind::NotReady | CauseKind::Unhealthy) => Some(LogOf::Current),
        (Some(ended), _) if ended.previous => Some(LogOf::Previous),
        (Some(_), _) => Some(LogOf::Current),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests;
