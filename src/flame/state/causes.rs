//! Groups what is wrong with Pods into causes: (flame, snapshot, moment) → [`Cause`]s with all that is known of them.
//!
//! Pods that are held up alike are one cause, however many they are. They are told apart in two steps: first by what their
//! status says, as it stands there and without a copy; then messages that differ in names, times and addresses only are put
//! together. One Pod stands for each cause, and what was asked about it is the cause's evidence.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::cause::{Cause, CauseKind};
use super::symptom::{Moment, Readiness, Symptom};
use super::words::{self, Pull, one_line, registry};
use super::{alike::alike, known, next};
use crate::flame::FlameCluster;
use crate::flame::evidence::Evidence;
use crate::flame::mask::mask;
use crate::flame::names::{self, Component, Kind, ObjectRef, PodIndex};
use crate::flame::observed::{ObservedConfigMap, ObservedPod, Ownership, Seconds, Snapshot};

/// The Pods of a flame that count: ours, under the names that are desired.
pub(super) struct Pods<'a> {
    pub session_manager: Option<&'a ObservedPod>,
    /// Where the flame has such a Pod, what there is of it.
    pub object_cache: Option<Option<&'a ObservedPod>>,
    /// The executors that do not serve, by index, and what there is of them.
    pub unready: Vec<(u32, Option<&'a ObservedPod>)>,
}

/// Returns one of the flame's Pods, if it is there and ours.
fn own_pod<'a>(flame: &FlameCluster, snapshot: &'a Snapshot, which: PodIndex) -> Option<&'a ObservedPod> {
    let name = &flame.metadata.name;
    snapshot.pod(&which.pod_name(name)).filter(|pod| pod.meta.ownership(name) == Ownership::Ours)
}

/// From which part of all executors on a walk over all Pods costs less than looking up those that do not serve.
const WALK: usize = 8;

impl<'a> Pods<'a> {
    /// Looks at all Pods.
    pub fn of(flame: &FlameCluster, snapshot: &'a Snapshot) -> Self {
        let name = &flame.metadata.name;
        let mut last: Option<(&ObservedPod, bool)> = None;
        let mut is_ours = |pod: &&'a ObservedPod| {
            let known = last.filter(|(last, _)| last.meta.is_marked_as(&pod.meta)).map(|(_, is_ours)| is_ours);
            let is_ours = known.unwrap_or_else(|| pod.meta.ownership(name) == Ownership::Ours);
            last = Some((pod, is_ours));
            is_ours
        };
        let mut executors = vec![None; flame.spec.executor_manager.replicas as usize];
        let prefix = format!("{name}-{}-", Component::ExecutorManager.name());
        let named = snapshot.pods.range(prefix.clone()..).take_while(|(pod, _)| pod.starts_with(&prefix));
        for (pod_name, pod) in named {
            let index = names::executor_index(name, pod_name);
            if let Some(place) = index.and_then(|index| executors.get_mut(index as usize)) {
                *place = Some(&**pod).filter(&mut is_ours);
            }
        }
        let unready = (0..).zip(executors).filter(|(_, pod)| !pod.is_some_and(ObservedPod::is_ready));
        Self::with(flame, snapshot, unready.collect())
    }

    /// Returns the same where it is known who does not serve.
    pub fn among(flame: &FlameCluster, snapshot: &'a Snapshot, unready: &BTreeSet<u32>) -> Self {
        if unready.len() > snapshot.pods.len() / WALK {
            return Self::of(flame, snapshot);
        }
        let pod = |index: &u32| own_pod(flame, snapshot, PodIndex::Executor(*index));
        Self::with(flame, snapshot, unready.iter().map(|index| (*index, pod(index))).collect())
    }

    fn with(flame: &FlameCluster, snapshot: &'a Snapshot, unready: Vec<(u32, Option<&'a ObservedPod>)>) -> Self {
        let session_manager = own_pod(flame, snapshot, PodIndex::SessionManager);
        let object_cache = flame.has_object_cache_pod().then(|| own_pod(flame, snapshot, PodIndex::ObjectCache));
        Self { session_manager, object_cache, unready }
    }

    /// Tells whether the object cache serves; one without a Pod of its own serves as the executors do.
    pub fn object_cache_is_ready(&self) -> bool {
        self.object_cache.is_none_or(|pod| pod.is_some_and(ObservedPod::is_ready))
    }

    /// Tells whether the session manager counts as failed, and how many executors do.
    pub fn failed(&self, now: Seconds) -> (bool, u32) {
        let of_session_manager = Moment { now, session_manager: None };
        let of_executors = self.moment_of_executors(now);
        let there = self.unready.iter().filter_map(|(_, pod)| *pod);
        let executors = there.filter(|pod| of_executors.is_failed(pod)).count();
        (self.session_manager.is_some_and(|pod| of_session_manager.is_failed(pod)), executors as u32)
    }

    fn moment_of_executors(&self, now: Seconds) -> Moment {
        let readiness = match self.session_manager.filter(|pod| pod.is_ready()) {
            None => Readiness::No,
            Some(pod) => Readiness::Yes(pod.conditions.ready.as_ref().and_then(|ready| ready.since)),
        };
        Moment { now, session_manager: Some(readiness) }
    }
}

/// Returns all causes, session manager first, then the object cache, then most Pods first; and when they change though nothing happens.
pub(super) fn causes(
    flame: &FlameCluster,
    snapshot: &Snapshot,
    pods: &Pods<'_>,
    now: Seconds,
) -> (Vec<Cause>, Option<Seconds>) {
    let on_its_own = Moment { now, session_manager: None };
    let mut of_session_manager = Groups::new(flame, snapshot, on_its_own);
    of_session_manager.look_at(PodIndex::SessionManager, pods.session_manager);
    let mut of_object_cache = Groups::new(flame, snapshot, on_its_own);
    if let Some(pod) = pods.object_cache {
        of_object_cache.look_at(PodIndex::ObjectCache, pod);
    }
    let mut of_executors = Groups::new(flame, snapshot, pods.moment_of_executors(now));
    for (index, pod) in &pods.unready {
        of_executors.look_at(PodIndex::Executor(*index), *pod);
    }
    let all = [
        (Component::SessionManager, of_session_manager),
        (Component::ObjectCache, of_object_cache),
        (Component::ExecutorManager, of_executors),
    ];
    let changes_at = all.iter().filter_map(|(_, groups)| groups.changes_at).min();
    (all.into_iter().flat_map(|(component, groups)| groups.finish(component)).collect(), changes_at)
}

/// Returns why a Pod that is to go is still there, what lets it go, and one command; none while it may take its time.
pub(super) fn why_it_stays(pod: &ObservedPod, namespace: &str, now: Seconds) -> Option<[String; 3]> {
    let moment = Moment { now, session_manager: None };
    let symptom = moment.symptom(pod).filter(|symptom| symptom.kind == CauseKind::Stuck)?;
    let why = one_line(&Group::new().message(&symptom, None));
    Some([why, next::stuck(pod, namespace, false), format!("next: {}", next::look_at_stuck(pod, namespace))])
}

/// The Pods of one component that are held up alike.
struct Groups<'a> {
    flame: &'a FlameCluster,
    snapshot: &'a Snapshot,
    moment: Moment,
    groups: BTreeMap<Symptom<'a>, Group<'a>>,
    changes_at: Option<Seconds>,
}

/// How good a Pod is at standing for others: who was asked already goes on, else who is late does, else the first.
type Rank = (bool, bool, Reverse<u32>);

/// Pods with one symptom.
struct Group<'a> {
    indices: Vec<u32>,
    /// The Pod that stands for all, and how good it is at that.
    speaker: Option<(&'a ObservedPod, Rank)>,
    /// Fewest and most restarts.
    restarts: (u32, u32),
    /// Whether a kubelet waits before it starts the container again.
    backs_off: bool,
    /// What the registry said of the image.
    registry: Option<&'a str>,
    is_late: bool,
}

impl<'a> Groups<'a> {
    fn new(flame: &'a FlameCluster, snapshot: &'a Snapshot, moment: Moment) -> Self {
        Self { flame, snapshot, moment, groups: BTreeMap::new(), changes_at: None }
    }

    fn look_at(&mut self, which: PodIndex, pod: Option<&'a ObservedPod>) {
        let index = executor(which);
        let Some(pod) = pod else {
            let refused = self.refused(which);
            return self.groups.entry(refused).or_insert_with(Group::new).indices.extend(index);
        };
        let Some(symptom) = self.moment.symptom(pod) else { return };
        let late_at = self.moment.late_at(symptom.kind, pod);
        let is_late = late_at.is_some_and(|at| self.moment.now >= at);
        let changes = [late_at, self.moment.recovers_at(pod), self.changes_at].into_iter().flatten();
        self.changes_at = changes.filter(|at| *at > self.moment.now).min();
        let was_asked = self.snapshot.evidence.contains_key(&pod.meta.uid);
        let group = self.groups.entry(symptom).or_insert_with(Group::new);
        group.add(index, pod, was_asked, is_late);
    }

    /// Returns what is wrong with a Pod that is not there: the server may have refused it.
    fn refused(&self, which: PodIndex) -> Symptom<'a> {
        let text = if is_going_down(self.flame, self.snapshot) { "the flame is being taken down" } else { "" };
        let not_created = Symptom { kind: CauseKind::NotCreated, reason: "NotCreated", text, ..Default::default() };
        if self.snapshot.trouble.is_empty() {
            return not_created;
        }
        let pod = ObjectRef::new(Kind::Pod, which.pod_name(&self.flame.metadata.name));
        match self.snapshot.trouble.get(&pod).map(String::as_str) {
            Some(text) => Symptom { kind: CauseKind::Refused, text, ..not_created },
            None => not_created,
        }
    }

    fn finish(self, component: Component) -> Vec<Cause> {
        let mut merged: BTreeMap<(Symptom<'a>, String), (&'a str, Group<'a>)> = BTreeMap::new();
        for (symptom, group) in self.groups {
            let which = match (component, group.indices.first()) {
                (_, Some(index)) => PodIndex::Executor(*index),
                (Component::ObjectCache, None) => PodIndex::ObjectCache,
                _ => PodIndex::SessionManager,
            };
            let name = which.pod_name(&self.flame.metadata.name);
            let text = alike(symptom.text, &group.own_names(&name));
            let key = (Symptom { text: "", ..symptom }, text);
            match merged.get_mut(&key) {
                Some((text, known)) => {
                    // Texts that differ are shown as what they have in common.
                    *text = "";
                    known.join(group);
                }
                None => drop(merged.insert(key, (symptom.text, group))),
            }
        }
        let told = merged.into_iter().map(|((symptom, alike), (text, mut group))| {
            group.indices.sort_unstable();
            let text = if text.is_empty() { alike.as_str() } else { text };
            group.tell(component, Symptom { text, ..symptom }, self.flame, self.snapshot)
        });
        let mut causes: Vec<Cause> = told.collect();
        causes.sort_by_key(|cause| Reverse(cause.count()));
        causes
    }
}

/// Tells whether a `down` has begun, so that what is not there is not to come.
fn is_going_down(flame: &FlameCluster, snapshot: &Snapshot) -> bool {
    snapshot.record(&flame.metadata.name).is_some_and(ObservedConfigMap::is_going_down)
}

/// Returns the index of an executor.
fn executor(which: PodIndex) -> Option<u32> {
    match which {
        PodIndex::Executor(index) => Some(index),
        PodIndex::SessionManager | PodIndex::ObjectCache => None,
    }
}

impl<'a> Group<'a> {
    fn new() -> Self {
        Self {
            indices: Vec::new(),
            speaker: None,
            restarts: (u32::MAX, 0),
            backs_off: false,
            registry: None,
            is_late: false,
        }
    }

    fn add(&mut self, index: Option<u32>, pod: &'a ObservedPod, was_asked: bool, is_late: bool) {
        self.indices.extend(index);
        self.restarts = (self.restarts.0.min(pod.restart_count), self.restarts.1.max(pod.restart_count));
        self.backs_off |= pod.restart_count > 0 || pod.waiting_reason.as_deref() == Some("CrashLoopBackOff");
        self.registry = self.registry.or_else(|| registry(pod.waiting_message.as_deref()?));
        self.is_late |= is_late;
        self.speak(Some((pod, (was_asked, is_late, Reverse(index.unwrap_or_default())))));
    }

    fn join(&mut self, other: Self) {
        self.indices.extend(other.indices);
        self.restarts = (self.restarts.0.min(other.restarts.0), self.restarts.1.max(other.restarts.1));
        self.backs_off |= other.backs_off;
        self.registry = self.registry.or(other.registry);
        self.is_late |= other.is_late;
        self.speak(other.speaker);
    }

    fn speak(&mut self, other: Option<(&'a ObservedPod, Rank)>) {
        if other.map(|(_, rank)| rank) > self.speaker.map(|(_, rank)| rank) {
            self.speaker = other;
        }
    }

    /// Returns the names of the Pod that stands for all, longest first: a hostname may begin with the Pod's name.
    fn own_names<'b>(&self, name: &'b str) -> Vec<&'b str>
    where
        'a: 'b,
    {
        let hostname = self.speaker.and_then(|(pod, _)| pod.hostname.as_deref());
        hostname.into_iter().chain([name]).collect()
    }

    /// Makes the cause: its words, then what was asked, then what follows from both.
    fn tell(&self, component: Component, symptom: Symptom<'_>, flame: &FlameCluster, snapshot: &Snapshot) -> Cause {
        let pod = self.speaker.map(|(pod, _)| pod);
        let nothing = Evidence::default();
        let evidence = pod.and_then(|pod| snapshot.evidence.get(&pod.meta.uid)).unwrap_or(&nothing);
        let registry = self.registry(symptom.kind, evidence);
        let of = if component == Component::ExecutorManager { flame.spec.executor_manager.replicas } else { 1 };
        let mut cause = Cause {
            kind: symptom.kind,
            outlook: symptom.kind.outlook(),
            indices: self.indices.clone(),
            of,
            pod: pod.map(|pod| pod.meta.name.clone()),
            is_late: self.is_late,
            evidence: registry.map(str::to_owned).into_iter().collect(),
            ..Cause::new(component, self.reason(&symptom), self.full_message(&symptom, registry))
        };
        if let Some(pod) = pod {
            known::add(&mut cause, pod, evidence, &self.own_names(&pod.meta.name));
        }
        next::add(&mut cause, pod, flame, is_going_down(flame, snapshot));
        cause.message = one_line(&mask(&cause.message));
        cause.evidence = cause.evidence.iter().map(|line| known::shown(line)).collect();
        cause
    }

    /// Returns the registry's words, of the Pods' own status or of a warning: a kubelet that backs off may only say so.
    fn registry<'b>(&self, kind: CauseKind, evidence: &'b Evidence) -> Option<&'b str>
    where
        'a: 'b,
    {
        let warnings = evidence.warnings.iter().filter(|warning| warning.reason == "Failed");
        let mut warned = warnings.filter_map(|warning| registry(&warning.message));
        let words = self.registry.or_else(|| warned.find(|words| Pull::of(words).is_some()));
        words.filter(|_| kind == CauseKind::Image)
    }

    fn reason(&self, symptom: &Symptom<'_>) -> String {
        let reason = match symptom.kind {
            CauseKind::Crash | CauseKind::TooEarly if self.backs_off => "CrashLoopBackOff",
            CauseKind::Crash | CauseKind::TooEarly => "Error",
            CauseKind::OutOfMemory => "OOMKilled",
            CauseKind::Completed => "Completed",
            _ => symptom.reason,
        };
        // As kubectl writes it.
        let init = symptom.container.is_some_and(|it| it.init) && symptom.kind != CauseKind::Starting;
        if init { format!("Init:{reason}") } else { reason.to_owned() }
    }

    /// Returns the message with the container's name, where it is not Flame's own.
    fn full_message(&self, symptom: &Symptom<'_>, registry: Option<&str>) -> String {
        let message = self.message(symptom, registry);
        let Some(container) = symptom.container else { return message };
        let what = if container.init { "init container" } else { "container" };
        match message.is_empty() {
            true => format!("{what} {}", container.name),
            false => format!("{what} {}: {message}", container.name),
        }
    }

    fn message(&self, symptom: &Symptom<'_>, registry: Option<&str>) -> String {
        let Symptom { text, about, code, .. } = *symptom;
        match symptom.kind {
            CauseKind::Unschedulable => words::scheduler(text),
            CauseKind::Gated => format!("waits for scheduling gate {text}"),
            CauseKind::Refused => words::quota(text).unwrap_or_else(|| text.to_owned()),
            CauseKind::Terminating if text.is_empty() && !about.is_empty() => format!("waits for finalizer {about}"),
            CauseKind::Stuck if text.is_empty() => "still there though its grace is over".to_owned(),
            CauseKind::Stuck => format!("held by finalizer {text}"),
            CauseKind::Image => match registry.and_then(Pull::of) {
                Some(pull) => format!("image {about} cannot be pulled: {}", pull.words()),
                None => format!("image {about} cannot be pulled"),
            },
            CauseKind::ImageName if symptom.reason == "InvalidImageName" => format!("{about} is no image name"),
            CauseKind::ImageName => format!("image {about} is not on the node and may not be pulled"),
            CauseKind::Crash => self.died(symptom),
            CauseKind::OutOfMemory => format!("out of memory: {}", self.died(symptom)),
            CauseKind::Completed => format!("ended by itself: {}", self.died(symptom)),
            CauseKind::TooEarly => format!("{}, before the session manager was ready", self.died(symptom)),
            CauseKind::Over if text.is_empty() => {
                code.map_or_else(String::new, |code| words::exit(code, symptom.signal))
            }
            _ => text.to_owned(),
        }
    }

    fn died(&self, symptom: &Symptom<'_>) -> String {
        let code = symptom.code.map(|code| words::exit(code, symptom.signal));
        code.into_iter().chain(words::restarts(self.restarts)).collect::<Vec<_>>().join(", ")
    }
}
