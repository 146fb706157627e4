//! What to do next: the step function that `up`, `down`, `scale`, `restart`, `watch` and the model tests all drive.
//!
//! A [`Rollout`] holds what is desired and what was seen; [`Rollout::next`] says what may be sent now, what has to be read
//! again, or what to wait for and until when. It knows no clock and no network: time is passed in, results are told.
//! A rerun after a crash is the ordinary path: nothing is remembered but what the server says (design: rule 3).

mod known;
mod options;
mod patience;
mod progress;
mod repairs;
mod seen;
mod sightings;
mod stranded;
mod write;

use known::Known;
use patience::{Doubts, refused};
use repairs::Repairs;
use sightings::Sightings;

pub use options::{Bar, MaxUnavailable, Options};
pub use progress::{Event, Left, Progress, Wave};
pub use repairs::{Found, Repair};
pub use sightings::Slowest;
pub use write::{Action, Body, FieldConflict, Outcome, Refusal, Write};

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;
use std::time::Duration;

use super::FlameCluster;
use super::manifests::Manifests;
use super::names::{self, Component, Kind, ObjectRef, PodIndex};
use super::observed::{ObservedMeta, ObservedPod, Ownership, Seconds, Snapshot};
use super::plan::{self, Change, Desired, Op, Plan, Why};
use super::spliced::Spliced;
use super::state::{ClusterState, Verdict};
use super::timeline::{StartUp, Timeline};
use crate::error::{Error, Result};

/// Time since the command started, from a monotonic clock (faults F37).
pub type Time = Duration;

/// How long executors wait for a session manager that is not ready: they exit when it is not there (design: rule 6).
const HEAD_START: Duration = Duration::from_secs(5);
/// How long a changed image may take to show in the Pod's status before readiness alone is believed: a node may name the
/// same image otherwise.
const IMAGE_SETTLES: Duration = Duration::from_secs(10);
/// Pause between two looks at an object that no watch tells about.
const POLL: Duration = Duration::from_secs(1);

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

/// The executors that are replaced together, so that the others go on serving.
#[derive(Clone, Debug, Default)]
struct Replacing {
    /// How many waves there were, this one included.
    number: u32,
    /// The replaced Pods.
    uids: HashSet<String>,
}

/// The state of one command's work on one flame.
#[derive(Clone, Debug)]
pub struct Rollout {
    desired: Desired,
    /// Where a `down` is; an `up` has it in its manifests.
    namespace: Option<String>,
    options: Options,
    snapshot: Snapshot,
    /// Uids known to be gone: late news of them is ignored.
    gone: HashSet<String>,
    /// What has to be read before it is touched.
    uncertain: BTreeSet<ObjectRef>,
    tries: BTreeMap<ObjectRef, Tries>,
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
    /// Whether something of the flame was there before: what is made now may have had a predecessor.
    had_objects: bool,
    /// The session manager's uid and template hash, and since when it has them.
    session_manager: Option<(String, Time)>,
    /// What readiness looked like last, and since when.
    progress: (u32, u32, Time),
    /// Since when there are causes that may not heal.
    doubts: Doubts,
    /// When causes change though nothing happens.
    changes_at: Option<Time>,
    /// When the command gives up, as far as it is known.
    gives_up_at: Option<Time>,
    /// The newest time that it was told.
    now: Time,
    known: Known,
    /// What is sent of executors that are made, once the first is.
    executor: OnceLock<Spliced>,
    sightings: Sightings,
    timeline: Timeline,
    /// The newest wave.
    wave: Replacing,
    repairs: Repairs,
    stop: Option<Error>,
}

impl Rollout {
    /// Starts from what was read.
    pub fn new(desired: Desired, options: Options, snapshot: Snapshot) -> Self {
        let had_objects = snapshot.objects().next().is_some();
        let pods: Vec<ObjectRef> = snapshot.pods.keys().map(|name| ObjectRef::new(Kind::Pod, name)).collect();
        let mut rollout = Self {
            desired,
            namespace: None,
            options,
            snapshot,
            had_objects,
            decided: false,
            taken_over_until: None,
            looked: false,
            gone: HashSet::new(),
            uncertain: BTreeSet::new(),
            tries: BTreeMap::new(),
            watch_trouble: None,
            ended: BTreeMap::new(),
            no_resize: false,
            resized: HashSet::new(),
            restart: HashMap::new(),
            session_manager: None,
            progress: (0, 0, Duration::ZERO),
            doubts: Doubts::default(),
            changes_at: None,
            gives_up_at: None,
            now: Duration::ZERO,
            known: Known::default(),
            executor: OnceLock::new(),
            sightings: Sightings::default(),
            timeline: Timeline::default(),
            wave: Replacing::default(),
            repairs: Repairs::default(),
            stop: None,
        };
        rollout.sightings.want(rollout.desired.replicas());
        pods.iter().for_each(|pod| rollout.touch(pod));
        rollout.refresh();
        rollout
    }

    /// Tells where it is, for the commands that it names.
    pub fn in_namespace(self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..self }
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
        self.repairs.unsettle();
        self.sightings.want(self.desired.replicas());
        self.known.forget();
        self.executor = OnceLock::new();
    }

    /// Marks the Pods of a component, or of all, to be made anew in waves.
    pub fn restart(&mut self, component: Option<Component>) {
        let name = self.desired.name();
        let chosen = |pod: &&ObservedPod| {
            let of_pod = PodIndex::of(name, &pod.meta.name).map(PodIndex::component);
            component.is_none_or(|component| Some(component) == of_pod)
        };
        let pods = self.snapshot.pods.values().map(|pod| &**pod).filter(chosen);
        self.restart = pods.map(|pod| (pod.meta.uid.clone(), Why::Restart)).collect();
        self.known.forget();
    }

    /// Gives what is known to whoever starts anew.
    pub fn into_snapshot(self) -> Snapshot {
        self.snapshot
    }

    /// Returns what is known.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the time of the newest step by the clock on the wall.
    fn moment(&self) -> Seconds {
        self.options.started_at + self.now.as_secs() as Seconds
    }

    /// Returns how long the Pods that it made took to start; none where it made none that got ready.
    pub fn start_up(&self) -> Option<StartUp> {
        self.timeline.start_up()
    }

    /// Decides what to do at `now`.
    pub fn next(&mut self, now: Time) -> Step {
        self.at(now);
        self.note_record();
        self.refresh();
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
        // Lent out, so that what is decided by it can be noted.
        let plan = std::mem::take(&mut self.known.plan);
        let step = self.step(&plan, now);
        self.known.plan = plan;
        step
    }

    fn step(&mut self, plan: &Plan, now: Time) -> Step {
        if let Err(error) = self.refuse_foreign(plan) {
            return Step::Stop(error);
        }
        self.note_session_manager(now);
        let writes = self.writes(plan, now);
        if !writes.is_empty() {
            return self.write_as_decided(writes);
        }
        self.poll(plan, now);
        self.assess();
        if self.is_done(plan, now) {
            self.repairs.settle();
            return Step::Done;
        }
        match self.gives_up(plan, now) {
            Some(error) => Step::Stop(error),
            None => Step::Wait(self.next_timer(now)),
        }
    }

    /// Returns the error that foreign objects in the plan mean, before anything is asked or written.
    ///
    /// # Errors
    /// Where a name of the flame is taken.
    pub fn refuse_foreign(&self, plan: &Plan) -> Result<()> {
        if plan.foreign().len() == 0 { Ok(()) } else { Err(refused(plan.foreign())) }
    }

    /// Tells whether news of Pods may matter while these are sent. Where no Pod that is there is touched and none is awaited, the
    /// answers say all there is to know, and a watch would only tell each Pod once more. The session manager is awaited always.
    pub fn heeds_pods(&self, writes: &[Write]) -> bool {
        let session_manager = names::session_manager(self.desired.name());
        let is_awaited = |it: &Write| it.action != Action::Create || it.object.name == session_manager;
        let touches_pods = writes.iter().any(|it| it.object.kind == Kind::Pod && is_awaited(it));
        self.options.wait || self.options.persistent || touches_pods
    }

    /// Returns every write of the plan at once, for a dry run: order and waves do not matter where nothing is stored.
    pub fn sketch(&self, plan: &Plan) -> Vec<Write> {
        plan.changes().filter_map(|change| self.write(change, Duration::ZERO)).collect()
    }

    fn writes(&mut self, plan: &Plan, now: Time) -> Vec<Write> {
        // Nothing is planned around an object that has to be read first, nor for what nobody wants any more.
        if self.options.observes
            || !self.uncertain.is_empty()
            || (self.options.follows_record && self.record_wants_another())
        {
            return Vec::new();
        }
        match self.desired.clone() {
            Desired::Down(_) => self.writes_down(plan, now),
            Desired::Up(manifests) => self.writes_up(&manifests, plan, now),
        }
    }

    /// The record says so first, so that an `up` at the same time gives way. Then Pods, Services, the record; each kind is
    /// gone before the next goes: Pods on their way out still find each other, though it costs the server an update of a
    /// Service's endpoints for many of them (`roofline-in-order` in `benches/README.md`).
    fn writes_down(&mut self, plan: &Plan, now: Time) -> Vec<Write> {
        let record = plan.changes().find(|change| change.component == Component::Config);
        if let Some(change) = record.filter(|_| self.record_is_as_desired() == Some(false)) {
            return self.write(&Change { op: Op::Update, ..change.clone() }, now).into_iter().collect();
        }
        for kind in [Kind::Pod, Kind::Service, Kind::ConfigMap] {
            let of_kind: Vec<&Change> = plan.changes().filter(|change| change.object.kind == kind).collect();
            if !of_kind.is_empty() {
                return of_kind.into_iter().filter_map(|change| self.write(change, now)).collect();
            }
        }
        Vec::new()
    }

    /// Record and Services, then session manager and object cache, then executors (design: rules 5 and 6). The object cache
    /// waits for nobody, so it starts beside the session manager.
    fn writes_up(&mut self, manifests: &Manifests, plan: &Plan, now: Time) -> Vec<Write> {
        let foundation: Vec<&Change> = plan.changes().filter(|it| it.object.kind != Kind::Pod).collect();
        if !foundation.is_empty() {
            return foundation.into_iter().filter_map(|change| self.write(change, now)).collect();
        }
        let (single, executors): (Vec<&Change>, Vec<&Change>) =
            plan.changes().partition(|change| change.component != Component::ExecutorManager);
        let single_are_current = single.is_empty();
        let mut due = single;
        let head_start_is_over = self.head_start_ends().is_some_and(|end| now >= end);
        let ready = |change: &Change| self.pod(&change.object).is_some_and(ObservedPod::is_ready);
        due.extend(executors.iter().filter(|change| match change.op {
            Op::Create => head_start_is_over,
            Op::Replace => !ready(change),
            Op::Keep | Op::Update | Op::Resize | Op::Delete => true,
        }));
        if single_are_current {
            due.extend(self.wave(manifests, &executors, now));
        }
        due.into_iter().filter_map(|change| self.write(change, now)).collect()
    }

    /// Returns the ready executors that may be replaced now: the next wave, once all that was replaced before is ready, and
    /// what they work with.
    fn wave<'a>(&self, manifests: &Manifests, executors: &[&'a Change], now: Time) -> Vec<&'a Change> {
        // Whoever made it: a Pod that is taken over serves until its turn comes.
        let serves = |index: &u32| {
            let pod = self.snapshot.pod(&names::executor_manager(self.desired.name(), *index));
            pod.is_some_and(ObservedPod::is_ready)
        };
        let all_ready = self.sightings.unready().iter().all(serves);
        if !self.session_manager_is_settled(now) || !self.object_cache_is_ready() || !all_ready {
            return Vec::new();
        }
        let size = self.options.max_unavailable.of(manifests.flame.spec.executor_manager.replicas) as usize;
        executors.iter().copied().filter(|change| change.op == Op::Replace).take(size).collect()
    }

    /// Returns the request that brings `change` on, unless it has to wait.
    fn write(&self, change: &Change, now: Time) -> Option<Write> {
        if !self.is_due(&change.object, now) || !self.repairs.is_due(&change.object, now) {
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
            (Op::Update, Some(meta)) if self.has_another_owner(meta) => (Action::Disown, Some(meta.uid.clone())),
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

    /// Tells whether somebody owns an object of a flame that is brought up who should not.
    fn has_another_owner(&self, meta: &ObservedMeta) -> bool {
        let is_up = self.desired.manifests().is_some();
        is_up && meta.controller.is_some() && !meta.is_controlled_by(self.desired.owner())
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
        let is_own_word = only_creates || decides || !self.decided || self.options.persistent;
        // News of the record and of what another command made by it come in no order.
        if looked || (is_own_word && !self.options.follows_record) {
            self.note_writes(&writes);
            return Step::Write(writes);
        }
        self.looked = true;
        self.uncertain.insert(record.clone());
        Step::Read(vec![record])
    }

    /// Notes for people which Pods are begun, and which executors make up a wave: those that served until now.
    fn note_writes(&mut self, writes: &[Write]) {
        let replicas = self.desired.manifests().map_or(0, |it| it.flame.spec.executor_manager.replicas);
        let mut uids = HashSet::new();
        for write in writes {
            match (write.action, self.pod_index(&write.object)) {
                (Action::Create, Some(pod)) => self.timeline.begun(pod, self.now),
                (Action::Delete, Some(PodIndex::Executor(index))) if index < replicas => {
                    let serves = self.pod(&write.object).is_some_and(ObservedPod::is_ready);
                    uids.extend(write.uid.clone().filter(|_| serves));
                }
                _ => {}
            }
        }
        if uids.is_empty() {
            return;
        }
        // What was refused for a moment is sent again, and is no wave of its own.
        if uids.is_disjoint(&self.wave.uids) {
            self.wave = Replacing { number: self.wave.number + 1, uids };
        } else {
            self.wave.uids.extend(uids);
        }
    }

    /// Tells whether the record asks for another flame, or for none; one that somebody spoiled asks for nothing.
    fn record_wants_another(&self) -> bool {
        let Some(record) = self.snapshot.record(self.desired.name()) else { return false };
        let spec = record.meta.annotations.get(names::ANNOTATION_SPEC);
        let is_a_flame = spec.is_some_and(|spec| serde_json::from_str::<FlameCluster>(spec).is_ok());
        record.is_going_down() || (is_a_flame && self.record_is_as_desired() == Some(false))
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
            Some(false) if self.decided && !self.options.persistent && !self.options.has_last_word => {
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
        self.snapshot.pod(&object.name)
    }

    fn own_session_manager(&self) -> Option<&ObservedPod> {
        let name = self.desired.name();
        let pod = self.snapshot.pod(&names::session_manager(name))?;
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

    /// Tells whether the object cache is ready, where it has a Pod.
    fn object_cache_is_ready(&self) -> bool {
        let Some(manifests) = self.desired.manifests().filter(|it| it.flame.has_object_cache_pod()) else {
            return true;
        };
        let name = &manifests.flame.metadata.name;
        let pod = self.snapshot.pod(&names::object_cache(name));
        pod.is_some_and(|pod| pod.meta.ownership(name) == Ownership::Ours && pod.is_ready())
    }

    /// Asks to read objects on their way out that no watch tells about, where their place is needed or they are to go.
    fn poll(&mut self, plan: &Plan, now: Time) {
        let blocking = self.known.unwatched.iter().filter(|object| plan.has(&self.desired, object));
        for object in blocking {
            // One that is to be read already keeps its time, however often others bring news.
            if self.uncertain.insert(object.clone()) {
                self.tries.entry(object.clone()).or_default().not_before = now + POLL;
            }
        }
    }

    fn is_done(&self, plan: &Plan, now: Time) -> bool {
        // A Pod that is stuck on its way out holds up only a bar that needs it; what nobody waits for has to be sent, and is
        // once it is on its way.
        let is_up = self.desired.manifests().is_some();
        let is_leaving = |change: &Change| {
            let terminating = self.snapshot.meta(&change.object).is_some_and(|meta| meta.terminating);
            let is_sent = if self.options.wait { change.op == Op::Create } else { is_up && change.op == Op::Delete };
            terminating && is_sent
        };
        let settles = self.taken_over_until.is_some_and(|until| now < until);
        let is_sent = plan.changes().all(is_leaving);
        if !is_sent || !self.uncertain.is_empty() || settles {
            return false;
        }
        !self.options.wait || self.is_ready(now)
    }

    /// Tells whether the success bar is reached; nothing to be ready is ready.
    pub fn is_ready(&self, now: Time) -> bool {
        self.assessed().is_none_or(|verdict| {
            self.session_manager_is_settled(now) && self.object_cache_is_ready() && self.reaches_bar(&verdict)
        })
    }

    fn reaches_bar(&self, verdict: &Verdict) -> bool {
        let executors = &verdict.status.executor_manager;
        match self.options.bar {
            Bar::Running => verdict.status.state == ClusterState::Running,
            bar => {
                let wanted = bar.executors(executors.replicas);
                verdict.status.session_manager.ready == 1 && executors.ready >= wanted
            }
        }
    }

    fn next_timer(&self, now: Time) -> Option<Time> {
        let tries = self.tries.values().chain(self.ended.values()).map(|tries| tries.not_before);
        let settles = self.session_manager.as_ref().map(|(_, since)| *since + IMAGE_SETTLES);
        let timers = tries
            .chain(self.head_start_ends())
            .chain(settles)
            .chain(self.gives_up_at)
            .chain(self.options.timeout)
            .chain(self.taken_over_until)
            .chain(self.changes_at)
            .chain(self.repairs.timers())
            .chain([self.progress.2 + self.options.progress_deadline]);
        timers.filter(|at| *at > now).min()
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

#[cfg(test)]
mod tests;
