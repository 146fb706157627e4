//! What happens, as data, for whoever shows it.

use std::time::Duration;

use super::{Action, FieldConflict, Rollout, Time};
use crate::flame::names::ObjectRef;
use crate::flame::plan::{Op, Why};
use crate::flame::state::{Cause, Verdict};

/// How far a command is, for people who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The flame.
    pub name: String,
    /// Ready session managers, 0 or 1.
    pub session_manager_ready: u32,
    /// Ready executors.
    pub ready: u32,
    /// Desired executors.
    pub replicas: u32,
    /// Objects that still have to change or go.
    pub to_do: usize,
    /// What is waited for, and why.
    pub causes: Vec<Cause>,
    /// When the command gives up unless enough of the doubtful causes are gone by then; none where it goes on waiting.
    pub gives_up_at: Option<Time>,
    /// Whether the flame is taken down.
    pub down: bool,
}

/// What happened, as data: every printer is a fold over these.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A request changed an object.
    Wrote(Action, ObjectRef, Vec<Why>),
    /// A field that somebody changed is put right; object, managers.
    Reverting(ObjectRef, Vec<FieldConflict>),
    /// A request is tried again: what, why, after which pause.
    Retrying(String, String, Duration),
    /// The Pods changed.
    Progress(Progress),
    /// A note for people.
    Note(String),
    /// A note for people who want to know everything.
    Detail(String),
}

impl Rollout {
    /// Returns how far it is.
    pub fn progress(&self) -> Progress {
        let plan = self.plan();
        let to_do = plan.changes.len() - plan.count(Op::Keep);
        let name = self.desired.name().to_owned();
        match self.verdict() {
            Some(Verdict { status, causes, .. }) => Progress {
                name,
                session_manager_ready: status.session_manager.ready,
                ready: status.executor_manager.ready,
                replicas: status.executor_manager.replicas,
                to_do,
                causes,
                gives_up_at: self.gives_up_at,
                down: false,
            },
            None => Progress {
                name,
                session_manager_ready: 0,
                ready: 0,
                replicas: 0,
                to_do,
                causes: Vec::new(),
                gives_up_at: None,
                down: true,
            },
        }
    }
}
