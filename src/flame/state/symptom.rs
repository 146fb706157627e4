//! What is wrong with one Pod, as its own status tells it: (Pod, moment) → [`Symptom`], borrowed, so that ten thousand broken
//! Pods are looked at without a copy.

use super::cause::CauseKind;
use crate::flame::observed::{Condition, ObservedPod, OtherContainer, Phase, Seconds};

/// How long the start of a Pod takes where all is well and the image is there.
const START: Seconds = 10;
/// How long past its grace a Pod may take to go: the node unmounts volumes and tells the server.
const LEAVE: Seconds = 10;
/// How long a container has to run before its last end counts for nothing; longer, where it ran longer before that. It is a
/// fraction of a crash loop's grace, so that nobody gives up on a container that came back and takes its time.
const RECOVERED: Seconds = 20;

/// What is said of a Pod whose probe passed, and does not any more.
const NO_LONGER_READY: &str = "running, but no longer ready";

/// Everything about a Pod that parts its cause from another Pod's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Symptom<'a> {
    pub kind: CauseKind,
    /// Kubernetes' word; empty where it comes out of the whole group.
    pub reason: &'a str,
    /// The server's words, or the one thing that matters: a finalizer, a gate, a condition.
    pub text: &'a str,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// The image or the node that it is about.
    pub about: &'a str,
    /// The container, where it is not Flame's own.
    pub container: Option<&'a OtherContainer>,
}

/// What else a symptom depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub now: Seconds,
    /// Since when the session manager is ready; none while it is not. Its own symptoms do not depend on it.
    pub session_manager: Option<Readiness>,
}

/// Whether executors find a session manager.
#[derive(Clone, Copy, Debug)]
pub(super) enum Readiness {
    No,
    Yes(Option<Seconds>),
}

impl Moment {
    /// Returns what is wrong with a Pod; none where it serves.
    pub fn symptom<'a>(&self, pod: &'a ObservedPod) -> Option<Symptom<'a>> {
        if pod.meta.terminating {
            return Some(self.leaving(pod));
        }
        if pod.is_over() {
            return Some(over(pod));
        }
        if pod.is_ready() {
            return None;
        }
        let symptom = unscheduled(pod).or_else(|| self.waiting(pod)).or_else(|| self.ended(pod));
        let symptom = symptom.unwrap_or_else(|| on_its_way(pod));
        Some(Symptom { container: pod.other_container.as_deref(), ..symptom })
    }

    /// Returns when a symptom that all Pods have for a while is there for too long.
    pub fn late_at(&self, kind: CauseKind, pod: &ObservedPod) -> Option<Seconds> {
        let since = |condition: &Option<Condition>| condition.as_ref().and_then(|condition| condition.since);
        match kind {
            CauseKind::Terminating => Some(pod.meta.deletion_timestamp? + LEAVE),
            CauseKind::Starting => {
                let begins = [since(&pod.conditions.scheduled), pod.meta.creation_timestamp];
                Some(begins.into_iter().flatten().max()? + START)
            }
            CauseKind::NotReady => Some(pod.started_at.max(since(&pod.conditions.ready))? + START),
            _ => None,
        }
    }

    fn leaving<'a>(&self, pod: &'a ObservedPod) -> Symptom<'a> {
        let is_stuck = self.late_at(CauseKind::Terminating, pod).is_some_and(|at| self.now >= at);
        let finalizer = pod.meta.finalizers.first().map(String::as_str);
        if is_stuck {
            let node = pod.node.as_deref().unwrap_or_default();
            // A node that does not answer holds up all of its Pods, a finalizer holds up Pods of any node.
            let about = if finalizer.is_some() { "" } else { node };
            return Symptom { text: finalizer.unwrap_or_default(), about, ..symptom(CauseKind::Stuck, "Terminating") };
        }
        let text = pod.disruption.as_ref().map(|why| why.reason.as_str()).unwrap_or_default();
        let about = finalizer.unwrap_or_default();
        Symptom { text, about, ..symptom(CauseKind::Terminating, "Terminating") }
    }

    /// Tells whether a Pod counts as failed (design: rule 7), also while its container runs between two ends: a state that
    /// came and went with them would tell nobody anything.
    pub fn is_failed(&self, pod: &ObservedPod) -> bool {
        let ends_again_and_again = || {
            let ended = self.ended(pod).filter(|_| pod.restart_count > 0);
            let kinds = [CauseKind::Crash, CauseKind::OutOfMemory, CauseKind::Completed];
            ended.is_some_and(|ended| kinds.contains(&ended.kind))
        };
        pod.is_failed() || (!pod.meta.terminating && !pod.is_ready() && ends_again_and_again())
    }

    fn waiting<'a>(&self, pod: &'a ObservedPod) -> Option<Symptom<'a>> {
        let reason = pod.waiting_reason.as_deref()?;
        let text = pod.waiting_message.as_deref().unwrap_or_default();
        let about = pod.other_container.as_ref().map_or(&*pod.image, |it| it.image.as_str());
        Some(match CauseKind::of(reason) {
            CauseKind::Starting => return None,
            CauseKind::Crash => self.crash(pod),
            // The words alternate, and only one of them comes with the registry's: the image is what parts them.
            CauseKind::Image => Symptom { about, ..symptom(CauseKind::Image, "ErrImagePull") },
            CauseKind::ImageName => Symptom { about, text, ..symptom(CauseKind::ImageName, reason) },
            // Behind it the Pod and the container are named once more.
            kind => Symptom { text: text.split(" (pod: ").next().unwrap_or(text), ..symptom(kind, reason) },
        })
    }

    /// A container that ended counts as crashing until it has run for a while: between two ends a kubelet shows it as ended,
    /// as waiting and as running.
    fn ended<'a>(&self, pod: &'a ObservedPod) -> Option<Symptom<'a>> {
        let ended = pod.ended.as_ref()?;
        let is_back = self.recovers_at(pod).is_some_and(|at| self.now >= at);
        // Without a restart an end before this run is none of the container's doing: its Pod was set up anew.
        let is_first_run = ended.previous && pod.restart_count == 0;
        (!is_back && !is_first_run).then(|| self.crash(pod))
    }

    /// Returns when a container that runs again has run for long enough.
    pub fn recovers_at(&self, pod: &ObservedPod) -> Option<Seconds> {
        let ended = pod.ended.as_ref().filter(|ended| ended.previous)?;
        let lived = ended.finished_at.zip(ended.started_at).map_or(0, |(finished, started)| finished - started);
        Some(pod.started_at? + RECOVERED.max(lived))
    }

    fn crash<'a>(&self, pod: &'a ObservedPod) -> Symptom<'a> {
        let Some(ended) = pod.ended.as_deref() else { return symptom(CauseKind::Crash, "") };
        let died = |kind| Symptom { code: Some(ended.exit_code), signal: ended.signal, ..symptom(kind, "") };
        match (ended.reason.as_str(), ended.exit_code) {
            ("OOMKilled", _) => died(CauseKind::OutOfMemory),
            ("StartError" | "ContainerCannotRun", _) => {
                Symptom { text: &ended.message, ..symptom(CauseKind::Config, "RunContainerError") }
            }
            _ if self.is_too_early(pod) => died(CauseKind::TooEarly),
            (_, 0) => died(CauseKind::Completed),
            _ => died(CauseKind::Crash),
        }
    }

    /// Executors end when they do not find the session manager (flame-facts 1.6); what they did before it was ready says
    /// nothing of them.
    fn is_too_early(&self, pod: &ObservedPod) -> bool {
        let finished = pod.ended.as_ref().and_then(|ended| ended.finished_at);
        match self.session_manager {
            _ if pod.other_container.is_some() => false,
            None => false,
            Some(Readiness::No) => true,
            Some(Readiness::Yes(since)) => finished.zip(since).is_some_and(|(finished, since)| finished < since),
        }
    }
}

fn symptom(kind: CauseKind, reason: &str) -> Symptom<'_> {
    Symptom { kind, reason, ..Default::default() }
}

/// A Pod of phase Failed or Succeeded: the most particular word that anybody has for it.
fn over(pod: &ObservedPod) -> Symptom<'_> {
    let ended = pod.ended.as_deref().filter(|ended| !ended.reason.is_empty());
    let words = [
        pod.reason.as_deref().map(|reason| (reason, pod.message.as_deref().unwrap_or_default())),
        pod.disruption.as_deref().map(|why| (why.reason.as_str(), why.message.as_str())),
        ended.map(|ended| (ended.reason.as_str(), ended.message.as_str())),
    ];
    let phase = if pod.phase == Phase::Failed { "Failed" } else { "Succeeded" };
    let (reason, text) =
        words.into_iter().flatten().next().unwrap_or((phase, pod.message.as_deref().unwrap_or_default()));
    let signal = pod.ended.as_ref().and_then(|ended| ended.signal);
    Symptom { text, code: pod.exit_code(), signal, ..symptom(CauseKind::Over, reason) }
}

fn unscheduled(pod: &ObservedPod) -> Option<Symptom<'_>> {
    if let Some(gate) = pod.scheduling_gates.first().filter(|_| pod.node.is_none()) {
        return Some(Symptom { text: gate, ..symptom(CauseKind::Gated, "SchedulingGated") });
    }
    pod.unschedulable().map(|text| Symptom { text, ..symptom(CauseKind::Unschedulable, "Unschedulable") })
}

/// Tells whether a Pod that runs and is not ready was so before: each container begins unready.
pub(super) fn was_ready(pod: &ObservedPod) -> bool {
    let unready_since = pod.conditions.ready.as_ref().filter(|ready| !ready.is_true).and_then(|ready| ready.since);
    unready_since.zip(pod.started_at).is_some_and(|(unready, started)| unready > started)
}

/// A Pod that nothing is wrong with but that it does not serve yet: the text says how far it is.
fn on_its_way(pod: &ObservedPod) -> Symptom<'_> {
    if pod.phase == Phase::Running {
        let gate = pod.conditions.ready.as_ref().and_then(|ready| ready.why.as_deref());
        let gate = gate.filter(|why| why.reason == "ReadinessGatesNotReady");
        let probe = if was_ready(pod) { NO_LONGER_READY } else { "running, readiness probe not passed yet" };
        let text = gate.map_or(probe, |why| why.message.as_str());
        return Symptom { text, ..symptom(CauseKind::NotReady, "NotReady") };
    }
    let has_network = pod.conditions.ready_to_start.as_ref().map(|condition| condition.is_true);
    let is_init = pod.other_container.as_ref().is_some_and(|it| it.init) && pod.started_at.is_some();
    let (reason, text) = match pod.waiting_reason.as_deref() {
        _ if pod.node.is_none() => ("Pending", "not scheduled yet"),
        _ if is_init => ("PodInitializing", "runs"),
        None => ("Pending", "container not started yet"),
        Some(reason) if has_network == Some(false) => (reason, "waits for its network and volumes"),
        Some(reason) if has_network == Some(true) => (reason, "its node gets the image and makes the container"),
        Some(reason) => (reason, ""),
    };
    Symptom { text, ..symptom(CauseKind::Starting, reason) }
}
