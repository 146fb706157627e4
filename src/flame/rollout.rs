//! What to do next: the step function that `up`, `down`, `scale`, `restart`, `watch` and the model tests all drive.
//!
//! A [`Rollout`] holds what is desired and what was seen; [`Rollout::next`] says what may be sent now, what has to be read
//! again, or what to wait for and until when. It knows no clock and no network: time is passed in, results are told.
//! A rerun after a crash is the ordinary path: nothing is remembered but what the server says (design: rule 3).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use super::manifests::Manifests;
use super::names::{self, Component, Kind, ObjectRef};
use super::observed::{Observed, ObservedPod, Ownership, Snapshot};
use super::plan::{self, Change, Desired, Foreign, Op, Plan, PlanOptions, Why};
use super::state::{Cause, ClusterState, Verdict, verdict};
use crate::error::{Error, ErrorKind, Result};

/// Time since the command started, from a monotonic clock (faults F37).
pub type Time = Duration;

/// How long executors wait for a session manager that is not ready: they exit when it is not there (design: rule 6).
const HEAD_START: Duration = Duration::from_secs(5);
/// How long a changed image may take to show in the Pod's status before readiness alone is believed: a node may name the
/// same image otherwise.
const IMAGE_SETTLES: Duration = Duration::from_secs(10);
/// First pause after a failed request; doubles up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(250);
/// Longest pause after a failed request.
const BACKOFF_MAX: Duration = Duration::from_secs(8);
/// Tries of one write before a command gives up: with the pauses above, about half a minute.
const MAX_TRIES: u32 = 8;
/// How long an `up` looks on after it took a flame over from a `down`: what that had in flight lands within this time.
const TAKE_OVER_SETTLES: Duration = Duration::from_secs(2);
/// Pause between two looks at an object that no watch tells about.
const POLL: Duration = Duration::from_secs(1);
/// Longest pause before a Pod that keeps ending is made again.
const REPLACE_BACKOFF_MAX: Duration = Duration::from_secs(60);

/// When `up` may stop waiting.
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
        }
    }
}

/// What one request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Server-side apply of an object that is not there.
    Create,
    /// Server-side apply of the object with the write's uid.
    Update,
    /// Server-side apply of the resources through the `resize` subresource.
    Resize,
    /// Takes a controlling owner off an object that is taken over, so that deleting the owner no longer deletes it.
    Disown,
    /// Sets a Service's ports to exactly ours, which an apply can't where a port's number was edited.
    ReplacePorts,
    /// Delete with uid precondition.
    Delete,
}

impl fmt::Display for Action {
    /// Writes the past participle: `created`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "created",
            Self::Update | Self::ReplacePorts | Self::Disown => "updated",
            Self::Resize => "resized",
            Self::Delete => "deleted",
        })
    }
}

/// One request to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// What it does.
    pub action: Action,
    /// To which object.
    pub object: ObjectRef,
    /// Why, for people.
    pub why: Vec<Why>,
    /// The uid that the object must have; none for [`Action::Create`].
    pub uid: Option<String>,
    /// Whether fields of other managers are taken.
    pub force: bool,
}

impl Write {
    fn is_pod_update(&self) -> bool {
        self.object.kind == Kind::Pod && self.action == Action::Update
    }
}

/// A field that server-side apply could not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// Who owns it, in the server's words: `"kubectl-edit" using v1`.
    pub manager: String,
    /// Which field.
    pub field: String,
}

impl FieldConflict {
    /// Tells whether another applier claims the field; an owner by update (`kubectl edit`) only changed it once. The server
    /// puts `using VERSION` behind an updater's name.
    pub fn is_claimed(&self) -> bool {
        !self.manager.contains(" using ")
    }
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The object was made.
    Created(Observed),
    /// The object was changed, or is on its way out.
    Changed(Observed),
    /// The object is gone.
    Gone,
    /// The object with that uid is not there any more; what is there has to be read.
    Mismatch,
    /// Others own fields; nothing was changed.
    Conflict(Vec<FieldConflict>),
    /// The server refuses for good; nothing was changed.
    Refused(Refusal),
    /// The server is busy; nothing was changed, and it may say when to come back.
    Busy(String, Option<Duration>),
    /// Nobody knows whether it was done.
    Unknown(String),
}

/// A final no of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The Status' `reason`, as `Forbidden`.
    pub reason: String,
    /// The Status' message without its ladder.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send these, in parallel.
    Write(Vec<Write>),
    /// Read these.
    Read(Vec<ObjectRef>),
    /// Wait for news, at most until then.
    Wait(Option<Time>),
    /// It is as desired.
    Done,
    /// Give up.
    Stop(Error),
}

/// Tries of one object's requests.
#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    failed: u32,
    not_before: Time,
    force: bool,
}

/// The state of one command's work on one flame.
#[derive(Clone, Debug)]
pub struct Rollout {
    desired: Desired,
    options: Options,
    snapshot: Snapshot,
    /// Uids known to be gone: late news of them is ignored.
    gone: HashSet<String>,
    /// What has to be read before it is touched.
    uncertain: BTreeSet<ObjectRef>,
    tries: BTreeMap<ObjectRef, Tries>,
    /// What was wrong with the last failed request for an object.
    trouble: BTreeMap<ObjectRef, String>,
    /// Why the last news were none.
    watch_trouble: Option<String>,
    /// Pods that ended: how often they were made again.
    ended: BTreeMap<ObjectRef, Tries>,
    no_resize: bool,
    /// Pods whose resources were changed in place, by uid: what is left is to write that into their annotations, which the
    /// `resize` subresource does not take.
    resized: HashSet<String>,
    /// Pods that are to be made anew whatever they look like, by uid.
    restart: HashMap<String, Why>,
    /// Whether the record was looked at since the last write.
    looked: bool,
    /// Whether the record said what this command wants: whoever changes it then takes the flame over.
    decided: bool,
    /// Until when deletions of a `down` that gave way may still come in.
    taken_over_until: Option<Time>,
    /// Whether the flame was there before: what is made now may have had a predecessor.
    had_record: bool,
    /// The session manager's uid and template hash, and since when it has them.
    session_manager: Option<(String, Time)>,
    /// What readiness looked like last, and since when.
    progress: (u32, u32, Time),
    /// Since when a reason that cannot heal is there.
    hopeless: BTreeMap<String, Time>,
    stop: Option<Error>,
}

impl Rollout {
    /// Starts from what was read.
    pub fn new(desired: Desired, options: Options, snapshot: Snapshot) -> Self {
        let had_record = snapshot.record(desired.name()).is_some();
        Self {
            desired,
            options,
            snapshot,
            had_record,
            decided: false,
            taken_over_until: None,
            looked: false,
            gone: HashSet::new(),
            uncertain: BTreeSet::new(),
            tries: BTreeMap::new(),
            trouble: BTreeMap::new(),
            watch_trouble: None,
            ended: BTreeMap::new(),
            no_resize: false,
            resized: HashSet::new(),
            restart: HashMap::new(),
            session_manager: None,
            progress: (0, 0, Duration::ZERO),
            hopeless: BTreeMap::new(),
            stop: None,
        }
    }

    /// Returns what is desired.
    pub fn desired(&self) -> &Desired {
        &self.desired
    }

    /// Changes what is desired; what was seen stays (`watch`: the file changed).
    pub fn aim(&mut self, desired: Desired) {
        self.desired = desired;
        self.decided = false;
        self.tries.clear();
        self.resized.clear();
    }

    /// Marks the Pods of a component, or of both, to be made anew in waves.
    pub fn restart(&mut self, component: Option<Component>) {
        let name = self.desired.name();
        let chosen = |pod: &&ObservedPod| {
            let of_pod = if names::executor_index(name, &pod.meta.name).is_some() {
                Component::ExecutorManager
            } else {
                Component::SessionManager
            };
            component.is_none_or(|component| component == of_pod)
        };
        let pods = self.snapshot.pods.values().filter(chosen);
        self.restart = pods.map(|pod| (pod.meta.uid.clone(), Why::Restart)).collect();
    }

    /// Returns what is known.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns what has to change.
    pub fn plan(&self) -> Plan {
        let options = PlanOptions { adopt: self.options.adopt, no_resize: self.no_resize, restart: &self.restart };
        plan::plan(&self.desired, &self.snapshot, options)
    }

    /// Returns the verdict; none for `down`.
    pub fn verdict(&self) -> Option<Verdict> {
        self.desired.manifests().map(|manifests| verdict(&manifests.flame, &self.snapshot))
    }

    /// Decides what to do at `now`.
    pub fn next(&mut self, now: Time) -> Step {
        self.note_record();
        if let Some(error) = self.stop.take() {
            // Counted only now: what was in flight when it was refused has been answered.
            return Step::Stop(self.with_count(error));
        }
        if self.options.timeout.is_some_and(|timeout| now >= timeout) {
            return Step::Stop(self.timed_out());
        }
        let reads: Vec<_> = self.uncertain.iter().filter(|object| self.is_due(object, now)).cloned().collect();
        if !reads.is_empty() {
            return Step::Read(reads);
        }
        let plan = self.plan();
        if !plan.foreign.is_empty() {
            return Step::Stop(refused(&plan.foreign));
        }
        self.note_session_manager(now);
        let writes = self.writes(&plan, now);
        if !writes.is_empty() {
            return self.write_as_decided(writes);
        }
        self.poll(&plan, now);
        if self.is_done(&plan, now) {
            return Step::Done;
        }
        match self.gives_up(&plan, now) {
            Some(error) => Step::Stop(error),
            None => Step::Wait(self.next_timer(now)),
        }
    }

    /// Returns the error that foreign objects in the plan mean, before anything is asked or written.
    ///
    /// # Errors
    /// Where a name of the flame is taken.
    pub fn refuse_foreign(&self, plan: &Plan) -> Result<()> {
        if plan.foreign.is_empty() { Ok(()) } else { Err(refused(&plan.foreign)) }
    }

    /// Returns every write of the plan at once, for a dry run: order and waves do not matter where nothing is stored.
    pub fn sketch(&self, plan: &Plan) -> Vec<Write> {
        plan.changes.iter().filter_map(|change| self.write(change, Duration::ZERO)).collect()
    }

    fn writes(&mut self, plan: &Plan, now: Time) -> Vec<Write> {
        // Nothing is planned around an object that has to be read first.
        if !self.uncertain.is_empty() {
            return Vec::new();
        }
        match self.desired.clone() {
            Desired::Down(_) => self.writes_down(plan, now),
            Desired::Up(manifests) => self.writes_up(&manifests, plan, now),
        }
    }

    /// The record says so first, so that an `up` at the same time gives way. Then Pods, Services, the record; each kind is
    /// gone before the next goes.
    fn writes_down(&mut self, plan: &Plan, now: Time) -> Vec<Write> {
        let record = plan.changes.iter().find(|change| change.component == Component::Config);
        if let Some(change) = record.filter(|_| self.record_is_as_desired() == Some(false)) {
            return self.write(&Change { op: Op::Update, ..change.clone() }, now).into_iter().collect();
        }
        for kind in [Kind::Pod, Kind::Service, Kind::ConfigMap] {
            let of_kind: Vec<&Change> = plan.changes.iter().filter(|change| change.object.kind == kind).collect();
            if !of_kind.is_empty() {
                return of_kind.into_iter().filter_map(|change| self.write(change, now)).collect();
            }
        }
        Vec::new()
    }

    /// Record and Services, then the session manager, then executors (design: rules 5 and 6).
    fn writes_up(&mut self, manifests: &Manifests, plan: &Plan, now: Time) -> Vec<Write> {
        let foundation: Vec<&Change> =
            plan.changes.iter().filter(|it| it.object.kind != Kind::Pod && it.op != Op::Keep).collect();
        if !foundation.is_empty() {
            return foundation.into_iter().filter_map(|change| self.write(change, now)).collect();
        }
        let (session_manager, executors): (Vec<&Change>, Vec<&Change>) = plan
            .changes
            .iter()
            .filter(|change| change.object.kind == Kind::Pod)
            .partition(|change| change.component == Component::SessionManager);
        let session_manager_is_current = session_manager.iter().all(|change| change.op == Op::Keep);
        let mut due = session_manager;
        let head_start_is_over = self.head_start_ends().is_some_and(|end| now >= end);
        let ready = |change: &Change| self.pod(&change.object).is_some_and(ObservedPod::is_ready);
        due.extend(executors.iter().filter(|change| match change.op {
            Op::Keep => false,
            Op::Create => head_start_is_over,
            Op::Replace => !ready(change),
            Op::Update | Op::Resize | Op::Delete => true,
        }));
        if session_manager_is_current {
            due.extend(self.wave(manifests, &executors, now));
        }
        due.into_iter().filter_map(|change| self.write(change, now)).collect()
    }

    /// Returns the ready executors that may be replaced now: the next wave, once all that was replaced before is ready.
    fn wave<'a>(&self, manifests: &Manifests, executors: &[&'a Change], now: Time) -> Vec<&'a Change> {
        let ready = |change: &Change| self.pod(&change.object).is_some_and(ObservedPod::is_ready);
        let all_ready = executors.iter().all(|change| change.op == Op::Delete || ready(change));
        if !self.session_manager_is_settled(now) || !all_ready {
            return Vec::new();
        }
        let size = self.options.max_unavailable.of(manifests.flame.spec.executor_manager.replicas) as usize;
        executors.iter().copied().filter(|change| change.op == Op::Replace).take(size).collect()
    }

    /// Returns the request that brings `change` on, unless it has to wait.
    fn write(&self, change: &Change, now: Time) -> Option<Write> {
        if !self.is_due(&change.object, now) {
            return None;
        }
        let meta = self.snapshot.meta(&change.object);
        let terminating = meta.is_some_and(|meta| meta.terminating);
        let (action, uid) = match (change.op, meta) {
            (Op::Keep, _) => return None,
            (Op::Create, None) => (Action::Create, None),
            (Op::Create, Some(_)) => return None,
            (_, None) => return None,
            (Op::Delete | Op::Replace, Some(_)) if terminating => return None,
            (Op::Delete | Op::Replace, Some(meta)) => (Action::Delete, Some(meta.uid.clone())),
            (Op::Resize, Some(meta)) if self.resized.contains(&meta.uid) => (Action::Update, Some(meta.uid.clone())),
            (Op::Resize, Some(meta)) => (Action::Resize, Some(meta.uid.clone())),
            (Op::Update, Some(meta)) if meta.controller.is_some() => (Action::Disown, Some(meta.uid.clone())),
            (Op::Update, Some(meta)) if self.ports_clash(&change.object) => {
                (Action::ReplacePorts, Some(meta.uid.clone()))
            }
            (Op::Update, Some(meta)) => (Action::Update, Some(meta.uid.clone())),
        };
        let waits_after_ending = self.ended.get(&change.object).is_some_and(|ended| now < ended.not_before);
        if action == Action::Create && waits_after_ending {
            return None;
        }
        let force = self.options.force_conflicts
            || self.options.adopt
            || self.tries.get(&change.object).is_some_and(|tries| tries.force);
        Some(Write { action, object: change.object.clone(), why: change.why.clone(), uid, force })
    }

    fn ports_clash(&self, object: &ObjectRef) -> bool {
        let (Desired::Up(manifests), Kind::Service) = (&self.desired, object.kind) else { return false };
        let observed = self.snapshot.services.get(&object.name);
        let mut services = manifests.services().into_iter();
        let desired = services.find(|service| service.metadata.name.as_ref() == Some(&object.name));
        desired.zip(observed).is_some_and(|(desired, observed)| plan::clashes(&desired, observed))
    }

    /// Looks at the record once more before anything that is there is changed or goes: another command may have taken the
    /// flame over, and what it made would look like drift.
    fn write_as_decided(&mut self, writes: Vec<Write>) -> Step {
        let record = ObjectRef::new(Kind::ConfigMap, names::config_map(self.desired.name()));
        let only_creates = writes.iter().all(|write| write.action == Action::Create);
        let decides = writes.iter().any(|write| write.object == record);
        let looked = std::mem::take(&mut self.looked);
        if looked || only_creates || decides || !self.decided || self.options.persistent {
            return Step::Write(writes);
        }
        self.looked = true;
        self.uncertain.insert(record.clone());
        Step::Read(vec![record])
    }

    /// Tells whether the record asks for what this command wants; none where there is no record.
    fn record_is_as_desired(&self) -> Option<bool> {
        let record = self.snapshot.record(self.desired.name())?;
        Some(match &self.desired {
            Desired::Down(_) => record.is_going_down(),
            Desired::Up(manifests) => {
                let spec = record.meta.annotations.get(names::ANNOTATION_SPEC);
                !record.is_going_down() && spec == Some(&manifests.spec_json())
            }
        })
    }

    /// The record decides between two commands at once: the last to write it goes on, the other one gives way, so that the
    /// flame never becomes a mix of both.
    fn note_record(&mut self) {
        match self.record_is_as_desired() {
            Some(true) => self.decided = true,
            Some(false) if self.decided && !self.options.persistent => {
                let name = self.desired.name();
                let down = self.snapshot.record(name).is_some_and(|record| record.is_going_down());
                let now = if down { "takes it down" } else { "made another flame of it" };
                let what =
                    format!("{name} was taken over: another command {now} while this one worked; this one stops here");
                let error = Error::refused(what).hint(format!("flamectl status {name} shows what is there"));
                self.stop = Some(error.hint("run this command again if it is to have the last word"));
            }
            _ => {}
        }
    }

    fn is_due(&self, object: &ObjectRef, now: Time) -> bool {
        self.tries.get(object).is_none_or(|tries| now >= tries.not_before)
    }

    fn pod(&self, object: &ObjectRef) -> Option<&ObservedPod> {
        self.snapshot.pods.get(&object.name)
    }

    fn own_session_manager(&self) -> Option<&ObservedPod> {
        let name = self.desired.name();
        let pod = self.snapshot.pods.get(&names::session_manager(name))?;
        (pod.meta.ownership(name) == Ownership::Ours && !pod.meta.terminating).then_some(pod)
    }

    /// Notes since when the session manager is what it is.
    fn note_session_manager(&mut self, now: Time) {
        let identity = self.own_session_manager().map(|pod| format!("{} {}", pod.meta.uid, pod.template_hash().image));
        match (identity, &self.session_manager) {
            (Some(new), Some((old, _))) if new == *old => {}
            (new, _) => self.session_manager = new.map(|identity| (identity, now)),
        }
    }

    /// Returns when executors may be made; none while there is no session manager.
    fn head_start_ends(&self) -> Option<Time> {
        let (_, since) = self.session_manager.as_ref()?;
        let ready = self.own_session_manager().is_some_and(ObservedPod::is_ready);
        Some(if ready { Duration::ZERO } else { *since + HEAD_START })
    }

    /// Tells whether the session manager is ready with the image that it should have.
    fn session_manager_is_settled(&self, now: Time) -> bool {
        let Some(pod) = self.own_session_manager() else { return false };
        let shows = pod.running_image.as_deref().is_some_and(|running| same_image(running, &pod.image));
        let late = self.session_manager.as_ref().is_some_and(|(_, since)| now >= *since + IMAGE_SETTLES);
        pod.is_ready() && (shows || late)
    }

    /// Asks to read objects on their way out that no watch tells about: Services, the record, and Pods without the label that
    /// the watch selects by, because they were a stranger's or somebody took it off.
    fn poll(&mut self, plan: &Plan, now: Time) {
        let flame = self.desired.name();
        let is_unwatched = |change: &&Change| {
            let label = self.snapshot.meta(&change.object).and_then(|meta| meta.labels.get(names::LABEL_CLUSTER));
            change.object.kind != Kind::Pod || label.is_none_or(|label| label != flame)
        };
        let blocking = plan.changes.iter().filter(|it| it.op != Op::Keep).filter(is_unwatched);
        let gone_soon = |it: &&Change| self.snapshot.meta(&it.object).is_some_and(|meta| meta.terminating);
        let objects: Vec<ObjectRef> = blocking.filter(gone_soon).map(|change| change.object.clone()).collect();
        for object in objects {
            // One that is to be read already keeps its time, however often others bring news.
            if self.uncertain.insert(object.clone()) {
                self.tries.entry(object).or_default().not_before = now + POLL;
            }
        }
    }

    fn is_done(&self, plan: &Plan, now: Time) -> bool {
        let settles = self.taken_over_until.is_some_and(|until| now < until);
        if !plan.is_empty() || !self.uncertain.is_empty() || settles {
            return false;
        }
        !self.options.wait || self.is_ready(now)
    }

    /// Tells whether the success bar is reached; nothing to be ready is ready.
    pub fn is_ready(&self, now: Time) -> bool {
        self.verdict().is_none_or(|verdict| self.session_manager_is_settled(now) && self.reaches_bar(&verdict))
    }

    fn reaches_bar(&self, verdict: &Verdict) -> bool {
        let executors = &verdict.status.executor_manager;
        let wanted = match self.options.bar {
            Bar::Running => return verdict.status.state == ClusterState::Running,
            Bar::All => executors.replicas,
            Bar::Count(count) => count.min(executors.replicas),
            Bar::Percent(percent) => (executors.replicas * percent.min(100)).div_ceil(100),
        };
        verdict.status.session_manager.ready == 1 && executors.ready >= wanted
    }

    fn next_timer(&self, now: Time) -> Option<Time> {
        let tries = self.tries.values().chain(self.ended.values()).map(|tries| tries.not_before);
        let settles = self.session_manager.as_ref().map(|(_, since)| *since + IMAGE_SETTLES);
        let hopeless = self.hopeless.iter().map(|(reason, since)| *since + grace(reason).unwrap_or_default());
        let timers = tries
            .chain(self.head_start_ends())
            .chain(settles)
            .chain(hopeless)
            .chain(self.options.timeout)
            .chain(self.taken_over_until)
            .chain([self.progress.2 + self.options.progress_deadline]);
        timers.filter(|at| *at > now).min()
    }
}

/// What was seen.
impl Rollout {
    /// Takes in an object as a watch, a list or an answer brought it.
    pub fn seen(&mut self, observed: Observed) {
        if !self.gone.contains(&observed.meta().uid) {
            let is_record = matches!(observed, Observed::ConfigMap(_));
            self.snapshot.insert(observed);
            if is_record {
                self.note_record();
            }
        }
    }

    /// Takes in a DELETED event. An object that was not on its way out may only have lost the labels that the watch selects
    /// by, so it is read before anything is made in its place.
    pub fn deleted(&mut self, observed: &Observed) {
        let object = observed.object();
        let meta = observed.meta();
        self.snapshot.revision = self.snapshot.revision.max(meta.resource_version);
        let known = self.snapshot.meta(&object);
        if known.is_some_and(|known| known.uid != meta.uid) {
            return;
        }
        let was_terminating = meta.terminating || known.is_some_and(|known| known.terminating);
        self.snapshot.remove(&object, &meta.uid);
        if was_terminating {
            self.gone.insert(meta.uid.clone());
        } else {
            self.uncertain.insert(object);
        }
    }

    /// Takes in that news of the objects of a kind may have been missed: they are read again.
    pub fn doubt(&mut self, kind: Kind) {
        let known = self.snapshot.objects().map(|(object, _)| object).filter(|object| object.kind == kind);
        self.uncertain.extend(known);
    }

    /// Takes in a fresh list of all Pods with our labels; known Pods that are not in it are read one by one unless they were
    /// on their way out.
    pub fn relisted(&mut self, pods: Vec<ObservedPod>) {
        let listed: HashSet<&str> = pods.iter().map(|pod| pod.meta.uid.as_str()).collect();
        let missing: Vec<_> =
            self.snapshot.pods.values().filter(|pod| !listed.contains(pod.meta.uid.as_str())).cloned().collect();
        for pod in missing {
            self.deleted(&Observed::Pod(Box::new(pod)));
        }
        for pod in pods {
            self.seen(Observed::Pod(Box::new(pod)));
        }
    }

    /// Takes in the answer to a [`Step::Read`].
    pub fn read(&mut self, object: &ObjectRef, observed: Option<Observed>) {
        self.uncertain.remove(object);
        match observed {
            Some(observed) => {
                if self.snapshot.meta(object).is_some_and(|known| known.uid != observed.meta().uid) {
                    self.snapshot.forget(object);
                }
                self.seen(observed);
            }
            None => {
                if let Some(meta) = self.snapshot.meta(object) {
                    self.gone.insert(meta.uid.clone());
                }
                self.snapshot.forget(object);
            }
        }
    }

    /// Tells whether nothing more should be begun: the time is up, or an answer ended it.
    pub fn is_late(&self, now: Time) -> bool {
        self.stop.is_some() || self.options.timeout.is_some_and(|timeout| now >= timeout)
    }

    /// Takes in that a read did not work; it is tried again later.
    pub fn unread(&mut self, object: &ObjectRef, why: &str, now: Time) {
        self.failed(object, why, None, now);
    }

    /// Takes in that the watch does not tell news, and why, or that it does again.
    pub fn watch_trouble(&mut self, why: Option<String>) {
        self.watch_trouble = why;
    }

    /// Takes in how a [`Write`] ended.
    pub fn wrote(&mut self, write: &Write, outcome: Outcome, now: Time) {
        match outcome {
            Outcome::Created(observed) => self.done(write, observed, now),
            Outcome::Changed(observed) => self.done(write, observed, now),
            Outcome::Gone => {
                self.note_ended(write, now);
                self.tries.remove(&write.object);
                let uid = write.uid.clone().unwrap_or_default();
                self.snapshot.remove(&write.object, &uid);
                self.gone.insert(uid);
            }
            Outcome::Mismatch => drop(self.uncertain.insert(write.object.clone())),
            // Whoever owns fields of what was to be made has made it: it is theirs, or it is adopted after a look.
            Outcome::Conflict(_) if write.action == Action::Create => drop(self.uncertain.insert(write.object.clone())),
            Outcome::Conflict(conflicts) => self.conflicts(write, &conflicts),
            Outcome::Refused(_) if self.is_of_resize(write) => self.no_resize = true,
            Outcome::Refused(refusal) if write.is_pod_update() && refusal.reason == "Invalid" => {
                self.restart.insert(write.uid.clone().unwrap_or_default(), Why::NotInPlace);
            }
            Outcome::Refused(refusal) => self.refused(write, &refusal, now),
            Outcome::Busy(why, after) => self.failed(&write.object, &why, after, now),
            Outcome::Unknown(why) => {
                self.uncertain.insert(write.object.clone());
                self.failed(&write.object, &why, None, now);
            }
        }
    }

    /// Tells whether a write changes resources in place; the one after the resize is refused where a resource was dropped,
    /// as the resize leaves that where it is.
    fn is_of_resize(&self, write: &Write) -> bool {
        let resized = write.uid.as_ref().is_some_and(|uid| self.resized.contains(uid));
        write.action == Action::Resize || (resized && write.why.contains(&Why::Resources))
    }

    fn done(&mut self, write: &Write, observed: Observed, now: Time) {
        if write.action == Action::Resize {
            self.resized.insert(observed.meta().uid.clone());
        }
        self.note_ended(write, now);
        self.note_take_over(write, now);
        self.tries.remove(&write.object);
        if write.action == Action::Delete && !observed.meta().terminating {
            self.gone.insert(observed.meta().uid.clone());
            self.snapshot.remove(&write.object, &observed.meta().uid);
        } else {
            self.seen(observed);
        }
    }

    /// Notes that the record said "going down" until this write: whoever was at it may have begun to delete what the snapshot
    /// still shows.
    fn note_take_over(&mut self, write: &Write, now: Time) {
        let name = self.desired.name();
        let was_going = self.snapshot.record(name).is_some_and(|record| record.is_going_down());
        if was_going && write.object.kind == Kind::ConfigMap && self.desired.manifests().is_some() {
            self.taken_over_until = Some(now + TAKE_OVER_SETTLES);
        }
    }

    /// A Pod that keeps ending comes back later and later.
    fn note_ended(&mut self, write: &Write, now: Time) {
        if write.action == Action::Delete && write.why.iter().any(|why| matches!(why, Why::Over(_))) {
            let ended = self.ended.entry(write.object.clone()).or_default();
            let pause = match ended.failed {
                0 => Duration::ZERO,
                times => Duration::from_secs(1).saturating_mul(1 << times.min(6)).min(REPLACE_BACKOFF_MAX),
            };
            *ended = Tries { failed: ended.failed + 1, not_before: now + pause, force: false };
        }
    }

    /// What somebody edited is put right; what another applier claims is refused (design: rules 1 and 2).
    fn conflicts(&mut self, write: &Write, conflicts: &[FieldConflict]) {
        let claimed: Vec<&FieldConflict> = conflicts.iter().filter(|conflict| conflict.is_claimed()).collect();
        if claimed.is_empty() || self.options.force_conflicts {
            self.tries.entry(write.object.clone()).or_default().force = true;
            return;
        }
        let fields: Vec<String> =
            claimed.iter().map(|it| format!("  {} is owned by {}", it.field, it.manager)).collect();
        self.stop = Some(
            Error::refused(format!(
                "{} was not changed: another tool owns fields of it\n{}",
                write.object,
                fields.join("\n")
            ))
            .hint("take the fields: run again with --force-conflicts")
            .hint("leave them: write the same values into the FlameCluster")
            .hint("or let the other tool give them up, by removing them from what it applies"),
        );
    }

    fn refused(&mut self, write: &Write, refusal: &Refusal, now: Time) {
        if self.options.persistent {
            self.failed(&write.object, &refusal.message, None, now);
            return;
        }
        let mut error = Error::server(format!("{} was not {}: {}", write.object, write.action, refusal.message));
        if let Some(hint) = &refusal.hint {
            error = error.hint(hint);
        }
        self.stop.get_or_insert(error);
    }

    /// Says how far it got, where some Pods of many were refused.
    fn with_count(&self, mut error: Error) -> Error {
        if let Some(manifests) = self.desired.manifests() {
            let replicas = manifests.flame.spec.executor_manager.replicas;
            let present = verdict(&manifests.flame, &self.snapshot);
            let missing: usize = present
                .causes
                .iter()
                .filter(|cause| cause.reason == "NotCreated")
                .map(|cause| cause.indices.len())
                .sum();
            if missing > 0 && (missing as u32) < replicas {
                let made = replicas - missing as u32;
                error
                    .what
                    .push_str(&format!("\n{made} of {replicas} executors exist and stay; nothing needs cleaning up"));
            }
        }
        error
    }

    fn failed(&mut self, object: &ObjectRef, why: &str, after: Option<Duration>, now: Time) {
        self.trouble.insert(object.clone(), why.to_owned());
        let tries = self.tries.entry(object.clone()).or_default();
        tries.failed += 1;
        let backoff = BACKOFF_MIN.saturating_mul(1 << (tries.failed - 1).min(10)).min(BACKOFF_MAX);
        tries.not_before = now + after.unwrap_or(backoff);
        // A server that says when to come back is throttling, not broken; only the command's timeout ends that.
        if after.is_none() && tries.failed >= MAX_TRIES && !self.options.persistent {
            let error = Error::server(format!("gave up on {object} after {MAX_TRIES} tries: {why}"));
            self.stop.get_or_insert(error.hint("run the same command again; nothing needs cleaning up"));
        }
    }
}

/// When to give up.
impl Rollout {
    /// Returns why waiting is pointless, if it is.
    fn gives_up(&mut self, plan: &Plan, now: Time) -> Option<Error> {
        let verdict = self.verdict()?;
        if self.options.persistent {
            return None;
        }
        self.note_progress(plan, &verdict, now);
        self.hopeless_cause(&verdict, now).or_else(|| self.stalled(plan, &verdict, now))
    }

    fn note_progress(&mut self, plan: &Plan, verdict: &Verdict, now: Time) {
        let seen = (verdict.status.executor_manager.ready, plan.count(Op::Keep) as u32);
        if (self.progress.0, self.progress.1) != seen {
            self.progress = (seen.0, seen.1, now);
        }
    }

    fn hopeless_cause(&mut self, verdict: &Verdict, now: Time) -> Option<Error> {
        let reasons: BTreeSet<&str> = verdict.causes.iter().map(|cause| cause.reason.as_str()).collect();
        self.hopeless.retain(|reason, _| reasons.contains(reason.as_str()));
        for reason in reasons.into_iter().filter(|reason| grace(reason).is_some()) {
            self.hopeless.entry(reason.to_owned()).or_insert(now);
        }
        let over = |cause: &&Cause| {
            let since = self.hopeless.get(&cause.reason);
            since.zip(grace(&cause.reason)).is_some_and(|(since, grace)| now >= *since + grace)
        };
        let cause = verdict.causes.iter().find(over)?;
        let error = Error::new(ErrorKind::Unhealthy, format!("{} cannot get ready\n  {cause}", self.desired.name()));
        Some(error.hint("fix the cause and run the same command again; nothing needs cleaning up"))
    }

    fn stalled(&self, plan: &Plan, verdict: &Verdict, now: Time) -> Option<Error> {
        let to_go = plan.count(Op::Replace);
        if to_go == 0 || now < self.progress.2 + self.options.progress_deadline {
            return None;
        }
        let what = format!(
            "rollout of {} stopped: no progress for {} s, {to_go} executors still to replace{}",
            self.desired.name(),
            self.options.progress_deadline.as_secs(),
            causes(&verdict.causes)
        );
        Some(
            Error::new(ErrorKind::Unhealthy, what)
                .hint("fix the FlameCluster and run the same command again: it goes on from here"),
        )
    }

    fn timed_out(&self) -> Error {
        let seconds = self.options.timeout.unwrap_or_default().as_secs();
        let name = self.desired.name();
        let again =
            "run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up";
        let Some(verdict) = self.verdict() else {
            let left: Vec<String> = self.plan().changes.iter().take(5).map(|it| format!("  {}", it.object)).collect();
            let what = format!("{name} is not gone after {seconds} s\n{}{}", left.join("\n"), self.troubles());
            return Error::new(ErrorKind::Timeout, what).hint(again);
        };
        let kind = match verdict.status.state {
            ClusterState::Failed => ErrorKind::Unhealthy,
            _ => ErrorKind::Timeout,
        };
        let executors = &verdict.status.executor_manager;
        let what = format!(
            "{name} is not ready after {seconds} s: {}, {} of {} executors ready{}{}",
            verdict.status.state,
            executors.ready,
            executors.replicas,
            causes(&verdict.causes),
            self.troubles()
        );
        Error::new(kind, what).hint(again)
    }

    /// Says why requests for what still has to change did not work, where that is what held it up.
    fn troubles(&self) -> String {
        let changes = self.plan().changes;
        let to_do = changes.iter().filter(|change| change.op != Op::Keep).map(|change| &change.object);
        let lines = to_do.filter_map(|object| Some(format!("\n  {object}: {}", self.trouble.get(object)?)));
        let watch = self.watch_trouble.as_ref().map(|why| format!("\n  the watch: {why}"));
        lines.take(5).chain(watch).collect()
    }
}

fn causes(causes: &[Cause]) -> String {
    causes.iter().map(|cause| format!("\n  {cause}")).collect()
}

/// Returns how long a waiting reason may last before it is taken for hopeless; none for what may well heal.
fn grace(reason: &str) -> Option<Duration> {
    match reason {
        "InvalidImageName" | "ErrImageNeverPull" => Some(Duration::ZERO),
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => Some(Duration::from_secs(30)),
        "ErrImagePull" | "ImagePullBackOff" | "CrashLoopBackOff" => Some(Duration::from_secs(60)),
        _ => None,
    }
}

/// Tells whether the node's name for an image and the Pod's are the same: nodes write the default registry and tag out.
fn same_image(running: &str, wanted: &str) -> bool {
    fn full(image: &str) -> String {
        let image = image.strip_prefix("docker.io/").unwrap_or(image);
        let image = image.strip_prefix("library/").unwrap_or(image);
        let tagged = image.rsplit('/').next().is_some_and(|last| last.contains(':') || last.contains('@'));
        if tagged { image.to_owned() } else { format!("{image}:latest") }
    }
    full(running) == full(wanted)
}

/// Names every foreign object and its owner.
fn refused(foreign: &[Foreign]) -> Error {
    let lines: Vec<String> = foreign.iter().take(10).map(|it| format!("  {} is {}", it.object, it.owner)).collect();
    let more = match foreign.len().saturating_sub(10) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    Error::refused(format!("names of this flame are taken; nothing was written\n{}{more}", lines.join("\n")))
        .hint("choose another metadata.name or namespace, or delete what is there")
        .hint("--adopt takes the objects over, if they are meant to be this flame's")
}

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
}

impl Rollout {
    /// Returns how far it is.
    pub fn progress(&self) -> Progress {
        let plan = self.plan();
        let to_do = plan.changes.len() - plan.count(Op::Keep);
        let name = self.desired.name().to_owned();
        match self.verdict() {
            Some(Verdict { status, causes }) => Progress {
                name,
                session_manager_ready: status.session_manager.ready,
                ready: status.executor_manager.ready,
                replicas: status.executor_manager.replicas,
                to_do,
                causes,
                down: false,
            },
            None => Progress {
                name,
                session_manager_ready: 0,
                ready: 0,
                replicas: 0,
                to_do,
                causes: Vec::new(),
                down: true,
            },
        }
    }
}

/// What a [`Write`] sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Server-side apply of this object, to the object or to its `resize` subresource.
    Apply(serde_json::Value),
    /// Merge patch.
    Merge(serde_json::Value),
    /// Delete with this uid as precondition, and this `resourceVersion` where one is given.
    Delete(String, Option<u64>),
}

impl Rollout {
    /// Returns what `write` sends.
    ///
    /// The uid goes into every change, so that the server refuses it for a namesake (design: rule 1).
    pub fn body(&self, write: &Write) -> Body {
        let uid = write.uid.clone().unwrap_or_default();
        // The record decides between commands at once, so it is only written as it was seen.
        let is_record = write.object.kind == Kind::ConfigMap;
        let seen = self.snapshot.meta(&write.object).map(|meta| meta.resource_version).filter(|_| is_record);
        let Desired::Up(manifests) = &self.desired else {
            return match write.action {
                Action::Update => Body::Apply(with_version(with_uid(self.tombstone(&write.object), &uid), seen)),
                _ => Body::Delete(uid, seen),
            };
        };
        match write.action {
            Action::Delete => Body::Delete(uid, seen),
            Action::Create => {
                let object = self.with_hostname(&write.object, self.manifest(manifests, &write.object));
                Body::Apply(only_if_absent(object))
            }
            Action::Update => {
                let object = self.with_hostname(&write.object, self.manifest(manifests, &write.object));
                Body::Apply(with_version(with_uid(object, &uid), seen))
            }
            Action::Resize => Body::Apply(with_uid(resize(self.manifest(manifests, &write.object)), &uid)),
            Action::Disown => {
                let owners =
                    self.snapshot.meta(&write.object).map(|meta| meta.other_owners.clone()).unwrap_or_default();
                Body::Merge(with_uid(serde_json::json!({ "metadata": { "ownerReferences": owners } }), &uid))
            }
            Action::ReplacePorts => {
                let ports = self.manifest(manifests, &write.object)["spec"]["ports"].clone();
                Body::Merge(with_uid(serde_json::json!({ "metadata": {}, "spec": { "ports": ports } }), &uid))
            }
        }
    }

    /// Returns the record as it is, with the mark that the flame goes.
    fn tombstone(&self, object: &ObjectRef) -> serde_json::Value {
        let record = self.snapshot.config_maps.get(&object.name).cloned().unwrap_or_default();
        let mut annotations = record.meta.annotations;
        annotations.insert(names::ANNOTATION_DOWN.to_owned(), "true".to_owned());
        serde_json::json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": object.name, "labels": record.meta.labels, "annotations": annotations },
            "data": record.data,
        })
    }

    fn manifest(&self, manifests: &Manifests, object: &ObjectRef) -> serde_json::Value {
        let name = &manifests.flame.metadata.name;
        let value = match object.kind {
            Kind::ConfigMap => {
                let generation = plan::config_generation(manifests, self.snapshot.record(name));
                serde_json::to_value(manifests.record(generation))
            }
            Kind::Service => {
                let of_object =
                    |it: &k8s_openapi::api::core::v1::Service| it.metadata.name.as_ref() == Some(&object.name);
                serde_json::to_value(manifests.services().into_iter().find(of_object))
            }
            Kind::Pod => serde_json::to_value(match names::executor_index(name, &object.name) {
                Some(index) => manifests.executor_manager(index),
                None => manifests.session_manager(),
            }),
        };
        value.expect("manifests have string keys only")
    }
}

impl Rollout {
    /// An executor under the hostname of its predecessor would be taken for it and never get work again (flame-facts 1.7),
    /// so one that may have had a predecessor gets a hostname of its own. A Pod that is there keeps the one it has.
    fn with_hostname(&self, object: &ObjectRef, mut manifest: serde_json::Value) -> serde_json::Value {
        let is_executor = names::executor_index(self.desired.name(), &object.name).is_some();
        let hostname = match self.snapshot.pods.get(&object.name) {
            Some(pod) => pod.hostname.clone(),
            None if is_executor && (self.had_record || !self.gone.is_empty()) => {
                Some(fresh_hostname(&object.name, self.snapshot.revision))
            }
            None => None,
        };
        if let Some(hostname) = hostname.filter(|_| object.kind == Kind::Pod) {
            manifest["spec"]["hostname"] = hostname.into();
        }
        manifest
    }
}

/// Makes an apply that creates and never changes: the server compares the `resourceVersion` with that of the object that is
/// there, finds another one and answers 409, and ignores it where there is none (measured with Kubernetes 1.35; no object
/// has the version 1, which is etcd's before its first write).
fn only_if_absent(mut object: serde_json::Value) -> serde_json::Value {
    object["metadata"]["resourceVersion"] = "1".into();
    object
}

/// Returns a hostname that no Pod of this name had before `revision`, within the 63 characters that a node keeps.
fn fresh_hostname(pod: &str, revision: u64) -> String {
    let suffix = format!("-{revision:x}");
    let room = 63_usize.saturating_sub(suffix.len()).min(pod.len());
    format!("{}{suffix}", pod[..room].trim_end_matches('-'))
}

fn with_version(mut object: serde_json::Value, version: Option<u64>) -> serde_json::Value {
    if let Some(version) = version {
        object["metadata"]["resourceVersion"] = version.to_string().into();
    }
    object
}

fn with_uid(mut object: serde_json::Value, uid: &str) -> serde_json::Value {
    object["metadata"]["uid"] = uid.into();
    object
}

/// Cuts a Pod down to what the `resize` subresource takes.
fn resize(pod: serde_json::Value) -> serde_json::Value {
    let container = &pod["spec"]["containers"][0];
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"] },
        "spec": { "containers": [{ "name": container["name"], "resources": container["resources"] }] },
    })
}

#[cfg(test)]
mod tests;
