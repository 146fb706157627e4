//! How far a Pod is, in one word: (observed Pod) → [`Stage`], and [`Stages`], how many Pods are at each.

use super::observed::ObservedPod;

/// How far a Pod is, from serving to not there; what comes later has further to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// It serves.
    Ready,
    /// Its container runs and is not ready yet.
    Starting,
    /// Its network and volumes are there, its node fetches the image and makes the container.
    Pulling,
    /// Its node has it, and prepares network and volumes.
    Creating,
    /// It waits for a node.
    Scheduling,
    /// Its container keeps ending.
    Crashing,
    /// Its image does not come.
    NoImage,
    /// Its container cannot be made for another reason.
    Blocked,
    /// The scheduler found no node.
    Unschedulable,
    /// It ended, and is made anew if it is still wanted.
    Failed,
    /// It is on its way out.
    Terminating,
    /// It is not there.
    Missing,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::Ready,
        Self::Starting,
        Self::Pulling,
        Self::Creating,
        Self::Scheduling,
        Self::Crashing,
        Self::NoImage,
        Self::Blocked,
        Self::Unschedulable,
        Self::Failed,
        Self::Terminating,
        Self::Missing,
    ];

    /// Returns the word that follows a number of Pods.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Starting => "starting",
            Self::Pulling => "pulling",
            Self::Creating => "creating",
            Self::Scheduling => "scheduling",
            Self::Crashing => "crashing",
            Self::NoImage => "without image",
            Self::Blocked => "blocked",
            Self::Unschedulable => "unschedulable",
            Self::Failed => "failed",
            Self::Terminating => "terminating",
            Self::Missing => "not created",
        }
    }

    /// Returns what a Pod at this stage does, as behind `executor 7, `.
    pub fn doing(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Starting => "running, not ready yet",
            Self::Pulling => "pulling its image",
            Self::Creating => "getting network and volumes",
            Self::Scheduling => "waiting for a node",
            Self::Crashing => "crashing",
            Self::NoImage => "not getting its image",
            Self::Blocked => "not getting its container",
            Self::Unschedulable => "fitting no node",
            Self::Failed => "ended",
            Self::Terminating => "terminating",
            Self::Missing => "not created",
        }
    }
}

/// Returns how far a Pod is.
pub fn stage(pod: &ObservedPod) -> Stage {
    let ready_to_start = pod.conditions.ready_to_start.as_ref().is_some_and(|condition| condition.is_true);
    match pod.waiting_reason.as_deref() {
        _ if pod.meta.terminating => Stage::Terminating,
        _ if pod.is_over() => Stage::Failed,
        _ if pod.is_ready() => Stage::Ready,
        _ if pod.unschedulable().is_some() => Stage::Unschedulable,
        _ if pod.node.is_none() => Stage::Scheduling,
        Some("CrashLoopBackOff") => Stage::Crashing,
        Some("ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull") => Stage::NoImage,
        Some("ContainerCreating" | "PodInitializing") | None if !has_started(pod) => match ready_to_start {
            true => Stage::Pulling,
            false => Stage::Creating,
        },
        Some("ContainerCreating" | "PodInitializing") => Stage::Starting,
        Some(_) => Stage::Blocked,
        // Between its end and the back-off a container that will be started again is only "terminated".
        None if pod.started_at.is_none() && pod.ended.as_ref().is_some_and(|ended| !ended.previous) => Stage::Crashing,
        None => Stage::Starting,
    }
}

/// Tells whether Flame's container was started at least once.
pub fn has_started(pod: &ObservedPod) -> bool {
    let is_own = pod.other_container.is_none();
    pod.phase != super::observed::Phase::Pending || (is_own && (pod.started_at.is_some() || pod.ended.is_some()))
}

/// How many Pods are at each stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages([u32; Stage::ALL.len()]);

impl Stages {
    /// Counts Pods that are at `stage`.
    pub fn add(&mut self, stage: Stage, pods: u32) {
        self.0[stage as usize] += pods;
    }

    /// Counts one Pod less at `stage`.
    pub fn take(&mut self, stage: Stage) {
        self.0[stage as usize] = self.0[stage as usize].saturating_sub(1);
    }

    /// Returns how many Pods are at `stage`.
    pub fn of(&self, stage: Stage) -> u32 {
        self.0[stage as usize]
    }

    /// Returns how many Pods serve.
    pub fn ready(&self) -> u32 {
        self.of(Stage::Ready)
    }

    /// Returns how many Pods are there.
    pub fn there(&self) -> u32 {
        self.0.iter().sum::<u32>() - self.of(Stage::Missing)
    }

    /// Returns every stage that a Pod is at, and how many are.
    pub fn iter(&self) -> impl Iterator<Item = (Stage, u32)> {
        Stage::ALL.into_iter().zip(self.0).filter(|(_, pods)| *pods > 0)
    }
}

impl FromIterator<(Stage, u32)> for Stages {
    fn from_iter<T: IntoIterator<Item = (Stage, u32)>>(pods: T) -> Self {
        let mut stages = Self::default();
        pods.into_iter().for_each(|(stage, pods)| stages.add(stage, pods));
        stages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::observed::{Condition, Conditions, Ended, ObservedMeta, OtherContainer, Phase, Reason};

    fn condition(is_true: bool) -> Option<Condition> {
        Some(Condition { is_true, ..Condition::default() })
    }

    fn on_node() -> ObservedPod {
        ObservedPod { node: Some("node-1".into()), ..ObservedPod::default() }
    }

    fn waiting(reason: &str) -> ObservedPod {
        ObservedPod { waiting_reason: Some(reason.into()), ..on_node() }
    }

    #[test]
    fn a_start_goes_from_stage_to_stage() {
        let sandboxed = || ObservedPod {
            conditions: Conditions { ready_to_start: condition(true), ..Conditions::default() },
            ..waiting("ContainerCreating")
        };
        let running = || ObservedPod { phase: Phase::Running, started_at: Some(1), ..on_node() };
        let init = OtherContainer { name: "init".to_owned(), image: "init:v1".to_owned(), init: true };
        let initializing = ObservedPod { started_at: Some(1), other_container: Some(Box::new(init)), ..sandboxed() };
        for (pod, expected) in [
            (ObservedPod::default(), Stage::Scheduling),
            (on_node(), Stage::Creating),
            (waiting("ContainerCreating"), Stage::Creating),
            (sandboxed(), Stage::Pulling),
            (initializing, Stage::Pulling),
            (running(), Stage::Starting),
            (ObservedPod { ready: true, ..running() }, Stage::Ready),
        ] {
            assert_eq!(stage(&pod), expected, "{pod:#?}");
        }
    }

    #[test]
    fn what_goes_wrong_has_stages_of_its_own() {
        let no_node = Reason { reason: "Unschedulable".to_owned(), message: "0/3 nodes".to_owned() };
        let scheduled = Condition { is_true: false, since: None, why: Some(Box::new(no_node)) };
        let conditions = Conditions { scheduled: Some(scheduled), ..Conditions::default() };
        let ended = |previous| Some(Box::new(Ended { exit_code: 101, previous, ..Ended::default() }));
        let running = || ObservedPod { phase: Phase::Running, ..on_node() };
        let leaving = ObservedMeta { terminating: true, ..ObservedMeta::default() };
        for (pod, expected) in [
            (ObservedPod { conditions, ..ObservedPod::default() }, Stage::Unschedulable),
            (waiting("ImagePullBackOff"), Stage::NoImage),
            (waiting("CreateContainerConfigError"), Stage::Blocked),
            (ObservedPod { phase: Phase::Running, ..waiting("CrashLoopBackOff") }, Stage::Crashing),
            (ObservedPod { ended: ended(false), ..running() }, Stage::Crashing),
            (ObservedPod { ended: ended(true), started_at: Some(1), ..running() }, Stage::Starting),
            (ObservedPod { phase: Phase::Failed, ..on_node() }, Stage::Failed),
            (ObservedPod { meta: leaving, ready: true, ..running() }, Stage::Terminating),
        ] {
            assert_eq!(stage(&pod), expected, "{pod:#?}");
        }
    }

    #[test]
    fn stages_are_counted_in_their_order() {
        let stages: Stages =
            [(Stage::Missing, 3), (Stage::Starting, 1), (Stage::Ready, 2), (Stage::Starting, 1)].into_iter().collect();
        assert_eq!(stages.iter().collect::<Vec<_>>(), [(Stage::Ready, 2), (Stage::Starting, 2), (Stage::Missing, 3)]);
        assert_eq!((stages.ready(), stages.there()), (2, 4));
        assert!(Stage::ALL.iter().enumerate().all(|(at, stage)| *stage as usize == at), "the order is the count's");
    }
}
