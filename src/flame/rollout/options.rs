//! How a command goes about its work.

use std::time::Duration;

use crate::flame::observed::Seconds;

/// When `up` may stop waiting. An object cache that has a Pod of its own has to be ready for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Session manager and all executors ready.
    All,
    /// The reference's Running.
    Running,
    /// Session manager and this many executors ready.
    Count(u32),
    /// Session manager and this share of the executors ready, in percent, rounded up.
    Percent(u32),
}

/// How many ready executors a rolling replace may take down at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxUnavailable {
    /// This many.
    Count(u32),
    /// This share of `replicas` in percent, rounded down, at least one.
    Percent(u32),
}

impl Bar {
    /// Returns how many of `replicas` executors have to be ready.
    pub fn executors(self, replicas: u32) -> u32 {
        match self {
            Self::All => replicas,
            Self::Running => 1,
            Self::Count(count) => count.min(replicas),
            Self::Percent(percent) => (replicas * percent.min(100)).div_ceil(100),
        }
    }
}

impl MaxUnavailable {
    /// Returns the number for `replicas`, at least 1.
    pub fn of(self, replicas: u32) -> u32 {
        match self {
            Self::Count(count) => count.max(1),
            Self::Percent(percent) => (u64::from(replicas) * u64::from(percent) / 100).clamp(1, 10_000) as u32,
        }
    }
}

/// How to go about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether to wait for readiness after everything was sent.
    pub wait: bool,
    /// What readiness means.
    pub bar: Bar,
    /// The wave size of a rolling replace.
    pub max_unavailable: MaxUnavailable,
    /// When to give up altogether; none waits for ever.
    pub timeout: Option<Duration>,
    /// When to stop a rollout whose wave gets no readier.
    pub progress_deadline: Duration,
    /// Take fields that another applier owns.
    pub force_conflicts: bool,
    /// Take over foreign objects under our names.
    pub adopt: bool,
    /// Never give up (`watch`).
    pub persistent: bool,
    /// Somebody else writes, and this only waits for it (a flame that lives as an object).
    pub observes: bool,
    /// Whoever says otherwise in the record has to give way and only does not know it yet (the `down` of an object).
    pub has_last_word: bool,
    /// What is desired is what the record says: where that changed, nothing is written until the new aim is here.
    pub follows_record: bool,
    /// When the command started, by the clock on the wall: the server's moments are compared with it.
    pub started_at: Seconds,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            wait: true,
            bar: Bar::All,
            max_unavailable: MaxUnavailable::Percent(25),
            timeout: Some(Duration::from_secs(300)),
            progress_deadline: Duration::from_secs(180),
            force_conflicts: false,
            adopt: false,
            persistent: false,
            observes: false,
            has_last_word: false,
            follows_record: false,
            started_at: 0,
        }
    }
}
