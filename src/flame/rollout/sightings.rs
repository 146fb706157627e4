//! Since when each Pod is at its stage, in the command's own time.

use std::cmp::Reverse;
use std::collections::BTreeMap;

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

/// What was seen of each Pod that is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Sightings {
    pods: BTreeMap<PodIndex, Sighting>,
}

/// How many Pods of each component are at each stage.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SeenStages {
    pub session_manager: Stages,
    pub object_cache: Stages,
    pub executors: Stages,
}

#[derive(Clone, Copy, Debug)]
struct Sighting {
    stage: Stage,
    since: Time,
    /// Since when this Pod bears its name.
    born: Time,
}

impl Sightings {
    /// Takes in what a Pod looks like, or that it is not there.
    pub fn note(&mut self, index: PodIndex, pod: Option<&ObservedPod>, now: Time) {
        let Some(pod) = pod else {
            self.pods.remove(&index);
            return;
        };
        let new = Sighting { stage: stage(pod), since: now, born: now };
        let known = self.pods.entry(index).or_insert(new);
        if known.stage == new.stage {
            return;
        }
        // Nothing comes back from its way out, so this is another Pod.
        let is_another = known.stage == Stage::Terminating;
        *known = Sighting { born: if is_another { now } else { known.born }, ..new };
    }

    /// Counts each component's Pods by how far they are, of the executors those below `replicas`.
    pub fn stages(&self, replicas: u32) -> SeenStages {
        let mut seen = SeenStages::default();
        for (index, sighting) in &self.pods {
            match index {
                PodIndex::SessionManager => seen.session_manager.add(sighting.stage, 1),
                PodIndex::ObjectCache => seen.object_cache.add(sighting.stage, 1),
                PodIndex::Executor(index) if *index < replicas => seen.executors.add(sighting.stage, 1),
                PodIndex::Executor(_) => {}
            }
        }
        seen
    }

    /// Returns the Pod below `replicas` that has been on its way for longest; of those that began in the same second the one
    /// that is least far.
    pub fn slowest(&self, replicas: u32) -> Option<Slowest> {
        let is_wanted = |index: PodIndex| match index {
            PodIndex::SessionManager | PodIndex::ObjectCache => true,
            PodIndex::Executor(index) => index < replicas,
        };
        let on_their_way = self.pods.iter().filter(|(index, it)| it.stage != Stage::Ready && is_wanted(**index));
        let slowest = on_their_way.min_by_key(|(index, it)| (it.born.as_secs(), Reverse(it.stage), it.since, **index));
        slowest.map(|(index, it)| Slowest { pod: *index, stage: it.stage, since: it.since })
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
        ObservedPod { node: Some("node-1".to_owned()), ..ObservedPod::default() }
    }

    fn running(ready: bool) -> ObservedPod {
        ObservedPod { phase: Phase::Running, ready, ..on_node() }
    }

    fn leaving() -> ObservedPod {
        ObservedPod { meta: ObservedMeta { terminating: true, ..ObservedMeta::default() }, ..on_node() }
    }

    fn executors(seen: &[(u32, ObservedPod, u64)]) -> Sightings {
        let mut sightings = Sightings::default();
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
        assert_eq!(sightings.slowest(1), slowest(0, Stage::Starting, 1_500));
        sightings.note(PodIndex::Executor(0), Some(&running(true)), at(3_000));
        assert_eq!(sightings.slowest(1), None);
    }

    #[test]
    fn the_slowest_is_the_oldest_and_of_these_the_one_that_is_least_far() {
        let sightings =
            executors(&[(0, on_node(), 100), (1, on_node(), 200), (2, on_node(), 5_000), (1, running(false), 6_000)]);
        assert_eq!(sightings.slowest(3), slowest(0, Stage::Creating, 100));
        assert_eq!(sightings.slowest(0), None);
    }

    #[test]
    fn a_replaced_pod_begins_anew() {
        let mut sightings = executors(&[(0, running(true), 0), (1, on_node(), 2_500), (0, leaving(), 1_000)]);
        assert_eq!(sightings.slowest(2), slowest(0, Stage::Terminating, 1_000));
        sightings.note(PodIndex::Executor(0), Some(&on_node()), at(3_000));
        assert_eq!(sightings.slowest(2), slowest(1, Stage::Creating, 2_500));
        sightings.note(PodIndex::Executor(1), None, at(4_000));
        assert_eq!(sightings.slowest(2), slowest(0, Stage::Creating, 3_000));
    }

    #[test]
    fn pods_beyond_replicas_are_not_counted() {
        let mut sightings = executors(&[(0, running(true), 0), (1, on_node(), 0), (2, on_node(), 0)]);
        sightings.note(PodIndex::SessionManager, Some(&running(false)), at(0));
        let of = |stages: &[(Stage, u32)]| stages.iter().copied().collect::<Stages>();
        sightings.note(PodIndex::ObjectCache, Some(&running(true)), at(0));
        let seen = sightings.stages(2);
        assert_eq!(seen.session_manager, of(&[(Stage::Starting, 1)]));
        assert_eq!(seen.object_cache, of(&[(Stage::Ready, 1)]));
        assert_eq!(seen.executors, of(&[(Stage::Ready, 1), (Stage::Creating, 1)]));
    }
}
