//! One cause: what holds Pods up, who is concerned, and how it reads.

use std::fmt;
use std::time::Duration;

use super::words::{self, one_line};
use crate::flame::names::Component;

/// How long a node has for what it tries again by itself: pulling an image, restarting a container.
const RETRIES: Duration = Duration::from_secs(60);
/// How long an autoscaler has to bring a node.
const SCHEDULING: Duration = Duration::from_secs(180);
/// How long whoever makes ConfigMaps and Secrets has.
const CONFIGURATION: Duration = Duration::from_secs(30);

/// What kind of thing holds Pods up. It stays the same while a kubelet alternates between words for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CauseKind {
    /// There is no such Pod yet.
    NotCreated,
    /// The server does not let the Pod be made: quota, admission.
    Refused,
    /// On its way out.
    Terminating,
    /// On its way out for longer than it was given.
    Stuck,
    /// It ended for good: evicted, preempted, refused by its node.
    Over,
    /// No node fits.
    Unschedulable,
    /// Somebody holds it back from the scheduler.
    Gated,
    /// The image can't be pulled.
    Image,
    /// No pull is even tried.
    ImageName,
    /// The container can't be made or started as it is.
    Config,
    /// The container keeps ending with an error.
    Crash,
    /// The container keeps being killed for the memory that it takes.
    OutOfMemory,
    /// The container keeps ending without an error.
    Completed,
    /// An executor ended while the session manager was not there, as executors do.
    TooEarly,
    /// It runs and does not serve.
    NotReady,
    /// It runs, and its probe keeps failing.
    Unhealthy,
    /// Its network or volumes can't be set up.
    Setup,
    /// Its node does not answer.
    NodeLost,
    /// On its way.
    #[default]
    Starting,
    /// A word of Kubernetes that flamectl does not know.
    Other,
}

impl CauseKind {
    /// Returns the kind that a word of Kubernetes stands for.
    pub fn of(reason: &str) -> Self {
        match reason.strip_prefix("Init:").unwrap_or(reason) {
            "NotCreated" => Self::NotCreated,
            "Terminating" => Self::Terminating,
            "Unschedulable" => Self::Unschedulable,
            "SchedulingGated" => Self::Gated,
            "ErrImagePull"
            | "ImagePullBackOff"
            | "RegistryUnavailable"
            | "ImageInspectError"
            | "SignatureValidationFailed" => Self::Image,
            "InvalidImageName" | "ErrImageNeverPull" => Self::ImageName,
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => Self::Config,
            "CrashLoopBackOff" | "Error" => Self::Crash,
            "OOMKilled" => Self::OutOfMemory,
            "Completed" => Self::Completed,
            "NotReady" => Self::NotReady,
            "NodeLost" => Self::NodeLost,
            "FailedMount" | "FailedAttachVolume" | "FailedMapVolume" | "FailedCreatePodSandBox" | "NetworkNotReady" => {
                Self::Setup
            }
            "" | "Pending" | "ContainerCreating" | "PodInitializing" | "Init" => Self::Starting,
            _ => Self::Other,
        }
    }

    /// Returns whether it goes away by itself.
    pub fn outlook(self) -> Outlook {
        match self {
            Self::ImageName => Outlook::Hopeless,
            Self::Image | Self::Crash | Self::OutOfMemory | Self::Completed => Outlook::Doubtful(RETRIES),
            Self::Config => Outlook::Doubtful(CONFIGURATION),
            Self::Unschedulable => Outlook::Doubtful(SCHEDULING),
            // What ended is made anew, what was refused is tried again, and a probe may pass at any time.
            Self::NotCreated
            | Self::Refused
            | Self::Terminating
            | Self::Stuck
            | Self::Over
            | Self::Gated
            | Self::TooEarly
            | Self::NotReady
            | Self::Unhealthy
            | Self::Setup
            | Self::NodeLost
            | Self::Starting
            | Self::Other => Outlook::Working,
        }
    }

    /// Tells whether it is more than a Pod on its way in or out.
    pub fn is_trouble(self) -> bool {
        !matches!(self, Self::Terminating | Self::TooEarly | Self::NotReady | Self::Starting)
    }
}

/// One reason why Pods are not ready, with all Pods that it holds up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The component concerned.
    pub component: Component,
    /// What kind of thing it is.
    pub kind: CauseKind,
    /// Kubernetes' word, as `ErrImagePull`; of words that alternate always the same.
    pub reason: String,
    /// What that means here, on one line.
    pub message: String,
    /// The executors' indices in ascending order; empty for session manager and object cache.
    pub indices: Vec<u32>,
    /// How many Pods of the component are desired.
    pub of: u32,
    /// The Pod that stands for all of them: what was asked was asked about it. None where there is no Pod.
    pub pod: Option<String>,
    /// Whether waiting may help.
    pub outlook: Outlook,
    /// Whether it lasts longer than it takes where all is well.
    pub is_late: bool,
    /// What else is known of it, one line each: the server's words, warnings, last log lines.
    pub evidence: Vec<String>,
    /// What that means for Flame, where it is known, and what to change.
    pub advice: Option<String>,
    /// The field of the FlameCluster that has to change.
    pub field: Option<String>,
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

impl Outlook {
    /// Returns how long it may last before it is taken for hopeless; none for what may well heal.
    pub fn grace(self) -> Option<Duration> {
        match self {
            Self::Hopeless => Some(Duration::ZERO),
            Self::Doubtful(grace) => Some(grace),
            Self::Working => None,
        }
    }
}

impl Cause {
    /// Makes a cause that holds up no Pod yet.
    pub fn new(component: Component, reason: impl Into<String>, message: impl Into<String>) -> Self {
        let reason = reason.into();
        let kind = CauseKind::of(&reason);
        Self {
            component,
            kind,
            reason,
            message: message.into(),
            indices: Vec::new(),
            of: 0,
            pod: None,
            outlook: kind.outlook(),
            is_late: false,
            evidence: Vec::new(),
            advice: None,
            field: None,
            next: None,
        }
    }

    /// Returns how many Pods it holds up.
    pub fn count(&self) -> usize {
        self.indices.len().max(1)
    }

    /// Tells whether it is more than a Pod on its way.
    pub fn is_trouble(&self) -> bool {
        self.kind.is_trouble()
    }

    /// Tells whether people who wait hear of it: a Pod that is not there is on its way while there is something to do, and
    /// one that goes is news once it has a reason to stay.
    pub fn is_news(&self) -> bool {
        match self.kind {
            CauseKind::NotCreated => false,
            CauseKind::Terminating => !self.message.is_empty(),
            kind => kind.is_trouble(),
        }
    }

    /// Returns who is held up, as `7 of 10 executors (0-6)`.
    pub fn who(&self) -> String {
        match (self.component, self.indices.as_slice()) {
            (Component::ExecutorManager, [index]) => format!("executor {index}"),
            (Component::ExecutorManager, indices) => {
                let of = indices.len().max(self.of as usize);
                format!("{} of {of} executors ({})", indices.len(), words::ranges(indices, '-'))
            }
            (Component::ObjectCache, _) => "object cache".to_owned(),
            _ => "session manager".to_owned(),
        }
    }

    /// Returns what is known of it besides itself: evidence, what to change, one command.
    pub fn details(&self) -> impl Iterator<Item = String> + '_ {
        let next = self.next.as_ref().map(|next| format!("next: {next}"));
        self.evidence.iter().chain(&self.advice).cloned().chain(next)
    }

    /// Returns the cause on its first line and its details below, indented.
    pub fn lines(&self) -> Vec<String> {
        let details = self.details().map(|line| format!("  {line}"));
        std::iter::once(self.to_string()).chain(details).collect()
    }
}

impl fmt::Display for Cause {
    /// Writes `7 of 10 executors (0-6): ErrImagePull: image x:v9 cannot be pulled: not found`, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.who(), self.reason)?;
        match one_line(&self.message).as_str() {
            "" => Ok(()),
            message => write!(f, ": {message}"),
        }
    }
}
