//! Since when each Pod is at its stage, in the command's own time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Time;
use crate::flame::names::PodIndex;
use crate::flame::observed::ObservedPod;
use crate::flame::stage::{Stage, Stages, stage};

/// The Pod that is furthest behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slowest {
    /// Which.
    pub pod: PodIndex,
    /// How far it is.
    pub stage: Stage,
    /// Since when, as far as this command has seen.
    pub since: Time,
}

/// What was seen of each Pod that is there, and what follows from it, kept up to date with each look at one Pod: there may be
/// ten thousand.
#[derive(Clone, Debug, Default)]
pub(super) struct Sightings {
    pods: BTreeMap<PodIndex, Sighting>,
    /// How many executors there should be; none of a flame that goes, where all count.
    replicas: Option<u32>,
    stages: SeenStages,
    /// The executors below `replicas` that do not serve, whether they are there or not.
    unready: BTreeSet<u32>,
    /// Who is there and does not serve, who is furthest behind first.
    on_their_way: BTreeSet<Rank>,
}

/// When a Pod began, in seconds; how far it is; since when; which.
type Rank = (u64, Reverse<Stage>, Time, PodIndex);

/// How many Pods of each component are at each stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SeenStages {
    pub session_manager: Stages,
    pub object_cache: Stages,
    pub executors: Stages,
}

impl SeenStages {
    fn of(&mut self, index: PodIndex) -> &mut Stages {
        match index {
            PodIndex::SessionManager => &mut self.session_manager,
            PodIndex::ObjectCache => &mut self.object_cache,
            PodIndex::Executor(_) => &mut self.executors,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sighting {
    stage: Stage,
    since: Time,
    /// Since when this Pod bears its name.
    born: Time,
}

impl Sighting {
    /// What a Pod that looks so is, where `known` was seen of it before.
    fn of(stage: Stage, known: Option<Self>, now: Time) -> Self {
        match known {
            Some(known) if known.stage == stage => known,
            // Nothing comes back from its way out, so this is another Pod.
            Some(known) if known.stage != Stage::Terminating => Self { stage, since: now, born: known.born },
            _ => Self { stage, since: now, born: now },
        }
    }

    fn rank(self, index: PodIndex) -> Option<Rank> {
        let is_on_its_way = self.stage != Stage::Ready;
        is_on_its_way.then_some((self.born.as_secs(), Reverse(self.stage), self.since, index))
    }
}

impl Sightings {
    /// Takes in how many executors there should be; none where the flame goes.
    pub fn want(&mut self, replicas: Option<u32>) {
        let pods = std::mem::take(&mut self.pods);
        *self = Self { replicas, unready: (0..replicas.unwrap_or(0)).collect(), ..Self::default() };
        for (index, sighting) in pods {
            self.put(index, Some(sighting));
        }
    }

    /// Takes in what a Pod looks like, or that it is not there.
    pub fn note(&mut self, index: PodIndex, pod: Option<&ObservedPod>, now: Time) {
        let known = self.pods.get(&index).copied();
        let new = pod.map(|pod| Sighting::of(stage(pod), known, now));
        if new != known {
            self.put(index, new);
        }
    }

    fn put(&mut self, index: PodIndex, new: Option<Sighting>) {
        let old = match new {
            Some(new) => self.pods.insert(index, new),
            None => self.pods.remove(&index),
        };
        if !self.counts(index) {
            return;
        }
        if let Some(old) = old {
            self.stages.of(index).take(old.stage);
            if let Some(rank) = old.rank(index) {
                self.on_their_way.remove(&rank);
            }
        }
        if let Some(new) = new {
            self.stages.of(index).add(new.stage, 1);
            self.on_their_way.extend(new.rank(index));
        }
        let serves = new.is_some_and(|new| new.stage == Stage::Ready);
        match index {
            PodIndex::Executor(index) if !serves && self.replicas.is_some() => drop(self.unready.insert(index)),
            PodIndex::Executor(index) => drop(self.unready.remove(&index)),
            PodIndex::SessionManager | PodIndex::ObjectCache => {}
        }
    }

    /// Tells whether a Pod is one of those that there should be, or that go.
    fn counts(&self, index: PodIndex) -> bool {
        match index {
            PodIndex::SessionManager | PodIndex::ObjectCache => true,
            PodIndex::Executor(index) => self.replicas.is_none_or(|replicas| index < replicas),
        }
    }

    /// Returns how many of each component's Pods are how far, of the executors those that there should be.
    pub fn stages(&self) -> SeenStages {
        self.stages
    }

    /// Returns the executors that should be there and do not serve; none of a flame that goes.
    pub fn unready(&self) -> &BTreeSet<u32> {
        &self.unready
    }

    /// Returns the Pod that has been on its way for longest; of those that began in the same second the one that is least far.
    pub fn slowest(&self) -> Option<Slowest> {
        let (_, Reverse(stage), since, pod) = *self.on_their_way.first()?;
        Some(Slowest { pod, stage, since })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::flame::observed::{ObservedMeta, Phase};

    fn at(milliseconds: u64) -> Time {
        Duration::from_millis(milliseconds)
    }

    fn on_node() -> ObservedPod {
        ObservedPod { node: Some("node-1".into()), ..ObservedPod::default() }
    }

    fn running(ready: bool) -> ObservedPod {
        ObservedPod { phase: Phase::Running, ready, ..on_node() }
    }

    fn leaving() -> ObservedPod {
        ObservedPod { meta: ObservedMeta { terminating: true, ..ObservedMeta::default() }, ..on_node() }
    }

    fn executors(seen: &[(u32, ObservedPod, u64)]) -> Sightings {
        let mut sightings = Sightings::default();
        sightings.want(Some(3));
        for (index, pod, time) in seen {
            sightings.note(PodIndex::Executor(*index), Some(pod), at(*time));
        }
        sightings
    }

    fn slowest(index: u32, stage: Stage, since: u64) -> Option<Slowest> {
        Some(Slowest { pod: PodIndex::Executor(index), stage, since: at(since) })
    }

    #[test]
    fn a_stage_lasts_until_the_next() {
        let mut sightings = executors(&[(0, on_node(), 100), (0, on_node(), 900), (0, running(false), 1_500)]);
        sightings.note(PodIndex::Executor(0), Some(&running(false)), at(2_000));
        assert_eq!(sightings.slowest(), slowest(0, Stage::Starting, 1_500));
        sightings.note(PodIndex::Executor(0), Some(&running(true)), at(3_000));
        assert_eq!(sightings.slowest(), None);
    }

    #[test]
    fn the_slowest_is_the_oldest_and_of_these_the_one_that_is_least_far() {
        let mut sightings =
            executors(&[(0, on_node(), 100), (1, on_node(), 200), (2, on_node(), 5_000), (1, running(false), 6_000)]);
        assert_eq!(sightings.slowest(), slowest(0, Stage::Creating, 100));
        sightings.want(Some(0));
        assert_eq!(sightings.slowest(), None);
    }

    #[test]
    fn a_replaced_pod_begins_anew() {
        let mut sightings = executors(&[(0, running(true), 0), (1, on_node(), 2_500), (0, leaving(), 1_000)]);
        assert_eq!(sightings.slowest(), slowest(0, Stage::Terminating, 1_000));
        sightings.note(PodIndex::Executor(0), Some(&on_node()), at(3_000));
        assert_eq!(sightings.slowest(), slowest(1, Stage::Creating, 2_500));
        sightings.note(PodIndex::Executor(1), None, at(4_000));
        assert_eq!(sightings.slowest(), slowest(0, Stage::Creating, 3_000));
    }

    #[test]
    fn pods_beyond_replicas_are_not_counted() {
        let mut sightings = executors(&[(0, running(true), 0), (1, on_node(), 0), (2, on_node(), 0)]);
        sightings.note(PodIndex::SessionManager, Some(&running(false)), at(0));
        let of = |stages: &[(Stage, u32)]| stages.iter().copied().collect::<Stages>();
        sightings.note(PodIndex::ObjectCache, Some(&running(true)), at(0));
        sightings.want(Some(2));
        let seen = sightings.stages();
        assert_eq!(seen.session_manager, of(&[(Stage::Starting, 1)]));
        assert_eq!(seen.object_cache, of(&[(Stage::Ready, 1)]));
        assert_eq!(seen.executors, of(&[(Stage::Ready, 1), (Stage::Creating, 1)]));
        assert_eq!(sightings.unready().iter().copied().collect::<Vec<_>>(), [1]);
        sightings.want(Some(5));
        assert_eq!(sightings.unready().iter().copied().collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(sightings.stages().executors.there(), 3);
        sightings.want(None);
        assert!(sightings.unready().is_empty());
        assert_eq!(sightings.stages().executors.there(), 3);
    }
}
