//! What happens, as data, for whoever shows it.

use std::time::Duration;

use super::sightings::SeenStages;
use super::{Action, FieldConflict, Repair, Rollout, Slowest, Time};
use crate::error::{Error, ErrorKind};
use crate::flame::names::{Component, Kind, ObjectRef};
use crate::flame::plan::{Op, Why};
use crate::flame::stage::{Stage, Stages};
use crate::flame::state::{Cause, ClusterState, Status};

/// Most causes that are handed on; nobody reads more while waiting.
const MAX_CAUSES: usize = 8;

/// How far a command is, for people who wait: counts, not lists, as there may be ten thousand Pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The flame.
    pub name: String,
    /// How far the session manager is.
    pub session_manager: Stages,
    /// How far the object cache is, where it has a Pod.
    pub object_cache: Option<Stages>,
    /// How far the executors are.
    pub executors: Stages,
    /// Desired executors.
    pub replicas: u32,
    /// Objects that still have to change or go.
    pub to_do: usize,
    /// The wave of a rolling replace that is under way.
    pub wave: Option<Wave>,
    /// The Pod that is furthest behind.
    pub slowest: Option<Slowest>,
    /// What is waited for, and why: the most important ones.
    pub causes: Vec<Cause>,
    /// How many more causes there are.
    pub more_causes: usize,
    /// When the command gives up unless enough of the doubtful causes are gone by then; none where it goes on waiting.
    pub gives_up_at: Option<Time>,
    /// When its time is up (`--timeout`); none where it waits for ever.
    pub deadline: Option<Time>,
    /// The reference's status block, and the generation of the FlameCluster object that it is about, where there is one.
    pub status: Option<Box<(Status, Option<i64>)>>,
    /// What is left of a flame that is taken down; none for one that is brought up.
    pub down: Option<Left>,
}

/// What is left to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Pods.
    pub pods: usize,
    /// Services.
    pub services: usize,
    /// ConfigMaps: the record.
    pub config_maps: usize,
}

/// One wave of a rolling replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wave {
    /// Which one, from 1.
    pub number: u32,
    /// How many there will be, as far as can be told now.
    pub of: u32,
    /// How many executors it replaces.
    pub replacing: u32,
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
    /// What somebody changed was put right (`watch`).
    Repaired(Box<Repair>),
    /// The Pods changed.
    Progress(Box<Progress>),
    /// A note for people.
    Note(String),
    /// A note for people who want to know everything.
    Detail(String),
}

impl Progress {
    /// Returns the flame's state; none of one that is taken down.
    pub fn state(&self) -> Option<ClusterState> {
        self.status.as_ref().map(|status| status.0.state)
    }

    /// Tells whether there is nothing left to wait for.
    pub fn is_complete(&self) -> bool {
        let has_cache = self.object_cache.is_none_or(|stages| stages.ready() > 0);
        let all_ready = self.session_manager.ready() > 0 && has_cache && self.executors.ready() == self.replicas;
        self.to_do == 0 && (self.down.is_some() || all_ready)
    }

    /// Returns when the command ends for want of success, whichever reason comes first.
    pub fn ends_at(&self) -> Option<Time> {
        self.gives_up_at.into_iter().chain(self.deadline).min()
    }
}

impl Rollout {
    /// Returns how far it is.
    pub fn progress(&mut self) -> Progress {
        self.refresh();
        let plan = &self.known.plan;
        let progress = Progress {
            name: self.desired.name().to_owned(),
            to_do: plan.to_do(),
            deadline: self.options.timeout,
            ..Progress::default()
        };
        let Some(verdict) = self.assessed() else {
            let seen = self.sightings.stages();
            let left = |kind: Kind| plan.changes().filter(|change| change.object.kind == kind).count();
            let (pods, services, config_maps) = (left(Kind::Pod), left(Kind::Service), left(Kind::ConfigMap));
            let down = Some(Left { pods, services, config_maps });
            return Progress {
                session_manager: seen.session_manager,
                object_cache: Some(seen.object_cache).filter(|stages| stages.there() > 0),
                executors: seen.executors,
                slowest: self.sightings.slowest(),
                down,
                ..progress
            };
        };
        let replicas = verdict.status.executor_manager.replicas;
        let SeenStages { mut session_manager, mut object_cache, mut executors } = self.sightings.stages();
        session_manager.add(Stage::Missing, 1 - session_manager.there());
        object_cache.add(Stage::Missing, 1 - object_cache.there());
        let has_object_cache = self.desired.manifests().is_some_and(|it| it.flame.has_object_cache_pod());
        executors.add(Stage::Missing, replicas - executors.there());
        let more_causes = verdict.causes.len().saturating_sub(MAX_CAUSES);
        Progress {
            session_manager,
            object_cache: Some(object_cache).filter(|_| has_object_cache),
            executors,
            replicas,
            wave: self.current_wave(replicas),
            slowest: self.sightings.slowest(),
            causes: verdict.causes.iter().take(MAX_CAUSES).cloned().collect(),
            more_causes,
            status: Some(Box::new((verdict.status.clone(), self.desired.owner().map(|owner| owner.generation)))),
            gives_up_at: self.gives_up_at,
            ..progress
        }
    }

    /// Returns the wave that is under way; none before the first, and none once the last is ready.
    fn current_wave(&self, replicas: u32) -> Option<Wave> {
        if self.wave.number == 0 {
            return None;
        }
        let waits = |name: &str| self.snapshot.pods.get(name).filter(|pod| pod.is_ready()).map(|pod| &pod.meta.uid);
        let of_executors = self.known.plan.changes().filter(|change| change.component == Component::ExecutorManager);
        let replaces = of_executors.filter(|change| change.op == Op::Replace);
        let uids = replaces.filter_map(|change| waits(&change.object.name));
        let left = uids.filter(|uid| !self.wave.uids.contains(*uid)).count() as u32;
        let is_over = left == 0 && self.sightings.unready().is_empty();
        (!is_over).then(|| Wave {
            number: self.wave.number,
            of: self.wave.number + left.div_ceil(self.options.max_unavailable.of(replicas)),
            replacing: self.wave.uids.len() as u32,
        })
    }
}

impl Rollout {
    /// Returns the error of an interrupted command: what is left, what goes on without it, and how to take it up again.
    pub fn interrupted(&mut self) -> Error {
        let progress = self.progress();
        let name = &progress.name;
        let what = match progress.down {
            Some(left) => interrupted_down(&progress, left),
            None => interrupted_up(&progress),
        };
        let news = progress.causes.iter().filter(|cause| cause.is_news());
        let causes: String = news.map(|cause| format!("\n  {cause}")).collect();
        let namespace = self.namespace().map(|namespace| format!(" -n {namespace}"));
        Error::new(ErrorKind::Interrupted, what + &causes)
            .hint("run the same command again to go on; nothing needs cleaning up")
            .hint(format!("flamectl status {name}{}", namespace.unwrap_or_default()))
    }
}

fn interrupted_up(progress: &Progress) -> String {
    let Progress { name, replicas, to_do, .. } = progress;
    let is_moving = |stage: &Stage| {
        matches!(stage, Stage::Starting | Stage::Pulling | Stage::Creating | Stage::Scheduling | Stage::Terminating)
    };
    let cache = progress.object_cache.unwrap_or_default();
    let stages = progress.session_manager.iter().chain(cache.iter()).chain(progress.executors.iter());
    let moving: u32 = stages.filter(|(stage, _)| is_moving(stage)).map(|(_, pods)| pods).sum();
    let to_do = match to_do {
        0 => "everything was sent".to_owned(),
        1 => "1 object is still to change".to_owned(),
        many => format!("{many} objects are still to change"),
    };
    let moving = match moving {
        0 => String::new(),
        1 => "; 1 Pod moves on without this command".to_owned(),
        many => format!("; {many} Pods move on without this command"),
    };
    let ready = progress.executors.ready();
    format!("interrupted: {name} is left as it is, {ready} of {replicas} executors ready, {to_do}{moving}")
}

fn interrupted_down(progress: &Progress, left: Left) -> String {
    let name = &progress.name;
    let cache = progress.object_cache.unwrap_or_default();
    let parts = [progress.session_manager, cache, progress.executors];
    let leaving: u32 = parts.iter().map(|stages| stages.of(Stage::Terminating)).sum();
    let left = match left.pods + left.services + left.config_maps {
        0 => "nothing of it was seen any more".to_owned(),
        1 => "1 object has still to go".to_owned(),
        many => format!("{many} objects have still to go"),
    };
    let moving = match leaving {
        0 => String::new(),
        1 => "; 1 Pod goes on terminating without this command".to_owned(),
        many => format!("; {many} Pods go on terminating without this command"),
    };
    format!("interrupted: {name} is left as it is, {left}{moving}")
}
