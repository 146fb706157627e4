//! How long a start took, phase by phase: a fold over what was written and what was seen of the Pods that a command made.
//!
//! Times are the command's own, of the moment when it heard of something. The server's timestamps have whole seconds and
//! come from several clocks, so they would tell less; what they hide here is the time that news take.

use std::collections::BTreeMap;
use std::time::Duration;

use super::names::PodIndex;
use super::observed::ObservedPod;
use super::stage::has_started;

/// The phases of a Pod's start, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StartPhase {
    /// Until the server took it, counted from when it was to be made.
    Applied,
    /// Until it had a node.
    Scheduled,
    /// Until its container ran: network and volumes are there, the image was fetched.
    Image,
    /// Until its startup probe passed.
    Started,
    /// Until it was ready.
    Ready,
}

impl StartPhase {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Applied, Self::Scheduled, Self::Image, Self::Started, Self::Ready];

    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Scheduled => "scheduled",
            Self::Image => "image",
            Self::Started => "started",
            Self::Ready => "ready",
        }
    }
}

/// How long each phase of one Pod's start took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartTimes([Duration; StartPhase::ALL.len()]);

impl StartTimes {
    /// Makes them from the phases' own durations, in their order.
    pub fn new(durations: [Duration; StartPhase::ALL.len()]) -> Self {
        Self(durations)
    }

    /// Returns the duration of one phase.
    pub fn of(&self, phase: StartPhase) -> Duration {
        self.0[phase as usize]
    }

    /// Returns how long the whole start took.
    pub fn total(&self) -> Duration {
        self.0.iter().sum()
    }
}

/// What a command's start came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartUp {
    /// The session manager, where the command made it.
    pub session_manager: Option<StartTimes>,
    /// The executors that the command made.
    pub executors: Option<ExecutorStarts>,
}

/// How the executors started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutorStarts {
    /// How many the command made that got ready.
    pub count: usize,
    /// The one in the middle when they are sorted by their whole start; of two the quicker one.
    pub median: (u32, StartTimes),
    /// The one whose whole start took longest.
    pub slowest: (u32, StartTimes),
}

/// When Pods that this command made reached each phase: 32 bytes a Pod.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    pods: BTreeMap<PodIndex, Marks>,
}

/// Milliseconds of the command's time.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    begun: u32,
    /// How many of `at` are set.
    reached: usize,
    at: [u32; StartPhase::ALL.len()],
}

impl Timeline {
    /// Takes in that a Pod is to be made from now on; one that was made before counts no more.
    pub fn begun(&mut self, pod: PodIndex, now: Duration) {
        let marks = self.pods.entry(pod).or_insert_with(|| Marks { begun: milliseconds(now), ..Marks::default() });
        if marks.reached > 0 {
            *marks = Marks { begun: milliseconds(now), ..Marks::default() };
        }
    }

    /// Takes in that the server made a Pod.
    pub fn applied(&mut self, pod: PodIndex, now: Duration) {
        self.reached(pod, 1, now);
    }

    /// Takes in that there is a Pod that somebody else made.
    pub fn not_made(&mut self, pod: PodIndex) {
        self.pods.remove(&pod);
    }

    /// Takes in what a Pod looks like; one that this command did not make is ignored.
    pub fn seen(&mut self, pod: PodIndex, observed: &ObservedPod, now: Duration) {
        self.reached(pod, reached(observed), now);
    }

    fn reached(&mut self, pod: PodIndex, phases: usize, now: Duration) {
        if let Some(marks) = self.pods.get_mut(&pod).filter(|marks| marks.reached < phases) {
            marks.at[marks.reached..phases].fill(milliseconds(now));
            marks.reached = phases;
        }
    }

    /// Returns what it came to; none where no Pod was made that got ready.
    pub fn start_up(&self) -> Option<StartUp> {
        let done = |(pod, marks): (&PodIndex, &Marks)| Some((*pod, marks.times()?));
        let (mut session_manager, mut executors) = (None, Vec::new());
        for (pod, times) in self.pods.iter().filter_map(done) {
            match pod {
                PodIndex::SessionManager => session_manager = Some(times),
                // It starts beside the session manager, and nobody waits for it longer.
                PodIndex::ObjectCache => {}
                PodIndex::Executor(index) => executors.push((index, times)),
            }
        }
        executors.sort_by_key(|(index, times)| (times.total(), *index));
        let middle = executors.len().saturating_sub(1) / 2;
        let starts = executors.get(middle).zip(executors.last());
        let executors = starts.map(|(median, slowest)| ExecutorStarts {
            count: executors.len(),
            median: *median,
            slowest: *slowest,
        });
        (session_manager.is_some() || executors.is_some()).then_some(StartUp { session_manager, executors })
    }
}

impl Marks {
    /// Returns the phases' own durations once all are over.
    fn times(&self) -> Option<StartTimes> {
        if self.reached < self.at.len() {
            return None;
        }
        let mut before = self.begun;
        Some(StartTimes(self.at.map(|at| {
            let phase = at.saturating_sub(before);
            before = at;
            Duration::from_millis(phase.into())
        })))
    }
}

/// Returns how many phases of its start a Pod has behind it.
fn reached(pod: &ObservedPod) -> usize {
    match () {
        () if pod.is_ready() => 5,
        () if pod.started && pod.other_container.is_none() => 4,
        () if has_started(pod) => 3,
        () if pod.node.is_some() => 2,
        () => 1,
    }
}

fn milliseconds(time: Duration) -> u32 {
    // 49 days: nobody waits longer for a start.
    time.as_millis().try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::observed::Phase;

    const SESSION_MANAGER: PodIndex = PodIndex::SessionManager;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn times(milliseconds: [u64; 5]) -> StartTimes {
        StartTimes(milliseconds.map(at))
    }

    fn on_node() -> ObservedPod {
        ObservedPod { node: Some("node-1".into()), ..ObservedPod::default() }
    }

    fn running() -> ObservedPod {
        ObservedPod { phase: Phase::Running, started_at: Some(0), ..on_node() }
    }

    fn ready() -> ObservedPod {
        ObservedPod { ready: true, started: true, ..running() }
    }

    #[test]
    fn each_phase_lasts_from_the_one_before() {
        let mut timeline = Timeline::default();
        timeline.begun(SESSION_MANAGER, at(100));
        timeline.applied(SESSION_MANAGER, at(130));
        timeline.seen(SESSION_MANAGER, &ObservedPod::default(), at(140));
        timeline.seen(SESSION_MANAGER, &on_node(), at(200));
        timeline.seen(SESSION_MANAGER, &on_node(), at(900));
        timeline.seen(SESSION_MANAGER, &running(), at(41_200));
        timeline.seen(SESSION_MANAGER, &ObservedPod { started: true, ..running() }, at(43_200));
        assert_eq!(timeline.start_up(), None);
        timeline.seen(SESSION_MANAGER, &ready(), at(43_700));
        let expected = times([30, 70, 41_000, 2_000, 500]);
        assert_eq!(timeline.start_up(), Some(StartUp { session_manager: Some(expected), executors: None }));
        assert_eq!(expected.total(), at(43_600));
    }

    #[test]
    fn what_was_not_seen_took_no_time_and_what_comes_back_is_no_news() {
        let mut timeline = Timeline::default();
        timeline.begun(SESSION_MANAGER, at(0));
        timeline.seen(SESSION_MANAGER, &ready(), at(700));
        timeline.applied(SESSION_MANAGER, at(710));
        timeline.seen(SESSION_MANAGER, &running(), at(800));
        timeline.seen(SESSION_MANAGER, &ready(), at(900));
        let expected = StartUp { session_manager: Some(times([700, 0, 0, 0, 0])), executors: None };
        assert_eq!(timeline.start_up(), Some(expected));
    }

    #[test]
    fn the_median_and_the_slowest_executor_are_pods_that_there_are() {
        let mut timeline = Timeline::default();
        for (index, total) in [(0, 5_000), (1, 1_000), (2, 9_000), (3, 2_000)] {
            timeline.begun(PodIndex::Executor(index), at(100));
            timeline.applied(PodIndex::Executor(index), at(200));
            timeline.seen(PodIndex::Executor(index), &ready(), at(100 + total));
        }
        timeline.begun(PodIndex::Executor(4), at(100));
        timeline.applied(PodIndex::Executor(4), at(200));
        let executors = ExecutorStarts {
            count: 4,
            median: (3, times([100, 1_900, 0, 0, 0])),
            slowest: (2, times([100, 8_900, 0, 0, 0])),
        };
        assert_eq!(timeline.start_up(), Some(StartUp { session_manager: None, executors: Some(executors) }));
    }

    #[test]
    fn only_pods_that_were_made_here_count_and_each_with_its_last_life() {
        let mut timeline = Timeline::default();
        timeline.applied(SESSION_MANAGER, at(0));
        timeline.seen(SESSION_MANAGER, &ready(), at(100));
        timeline.begun(PodIndex::Executor(0), at(0));
        timeline.not_made(PodIndex::Executor(0));
        timeline.seen(PodIndex::Executor(0), &ready(), at(100));
        assert_eq!(timeline.start_up(), None);
        // Tried twice, ended, made anew.
        timeline.begun(PodIndex::Executor(1), at(0));
        timeline.begun(PodIndex::Executor(1), at(300));
        timeline.seen(PodIndex::Executor(1), &ready(), at(400));
        timeline.begun(PodIndex::Executor(1), at(5_000));
        timeline.seen(PodIndex::Executor(1), &ready(), at(5_600));
        let start = (1, times([600, 0, 0, 0, 0]));
        let executors = ExecutorStarts { count: 1, median: start, slowest: start };
        assert_eq!(timeline.start_up(), Some(StartUp { session_manager: None, executors: Some(executors) }));
    }
}
