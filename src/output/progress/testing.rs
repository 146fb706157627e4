//! Events for tables in tests.

use std::ops::Range;
use std::time::Duration;

use crate::flame::names::{self, Component, Kind, ObjectRef};
use crate::flame::plan::Why;
use crate::flame::rollout::{Action, Event, Left, Progress, Time};
use crate::flame::stage::Stage;
use crate::flame::state::Cause;

/// Returns a time in seconds.
pub fn at(seconds: f64) -> Time {
    Duration::from_secs_f64(seconds)
}

/// Returns how far the flame `demo` is where everything that is not ready is starting.
pub fn up(session_manager_ready: u32, ready: u32, replicas: u32) -> Progress {
    Progress {
        name: "demo".to_owned(),
        session_manager: [(Stage::Ready, session_manager_ready), (Stage::Starting, 1 - session_manager_ready)]
            .into_iter()
            .collect(),
        executors: [(Stage::Ready, ready), (Stage::Starting, replicas - ready)].into_iter().collect(),
        replicas,
        ..Progress::default()
    }
}

/// Returns how far taking `demo` down is while these Pods are ready.
pub fn down(session_manager: u32, executors: u32, left: Left) -> Progress {
    Progress {
        name: "demo".to_owned(),
        session_manager: [(Stage::Ready, session_manager)].into_iter().collect(),
        executors: [(Stage::Ready, executors)].into_iter().collect(),
        to_do: left.pods + left.services + left.config_maps,
        down: Some(left),
        ..Progress::default()
    }
}

/// Returns a cause that holds these executors of ten up.
pub fn held(reason: &str, message: &str, indices: Range<u32>) -> Cause {
    Cause { indices: indices.collect(), of: 10, ..Cause::new(Component::ExecutorManager, reason, message) }
}

/// Returns a write.
pub fn wrote(action: Action, kind: Kind, name: &str, why: &[Why]) -> Event {
    Event::Wrote(action, ObjectRef::new(kind, name), why.to_vec())
}

/// Returns a write of an executor that says nothing of its reason.
pub fn executor(action: Action, index: u32) -> Event {
    wrote(action, Kind::Pod, &names::executor_manager("demo", index), &[Why::Missing])
}

/// Returns a request that is tried again in two seconds.
pub fn retry(what: &str, why: &str) -> Event {
    Event::Retrying(what.to_owned(), why.to_owned(), at(2.0))
}
