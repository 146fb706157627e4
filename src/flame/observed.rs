//! What the server said about the objects of one flame, slim: nothing derived but whose an object is.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::amounts::Amounts;
use super::evidence::Evidence;
use super::manifests::TemplateHash;
use super::names::{self, Kind, ObjectRef};
use super::owner::{Controller, Owner};

/// A moment by the server's clock, in seconds since the epoch.
pub type Seconds = i64;

/// Texts by key, as labels are: the same ones of thousands of Pods are kept once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(Arc<BTreeMap<String, String>>);

impl From<BTreeMap<String, String>> for Texts {
    fn from(texts: BTreeMap<String, String>) -> Self {
        Self(Arc::new(texts))
    }
}

impl Deref for Texts {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Texts {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl Texts {
    /// Tells without looking whether these are the very texts of another object.
    pub fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Keeps no copy of its own of what is held elsewhere as well.
fn share<T: PartialEq + Clone>(own: &mut T, other: &T) {
    if own == other {
        own.clone_from(other);
    }
}

/// What may hold once what it has in common with another one: Pods that come one after the other, in the order of their names.
pub trait Share {
    /// Keeps no copies of what the other one holds as well.
    fn share(&mut self, _other: &Self) {}
}

impl<T: Share> Share for Box<T> {
    fn share(&mut self, other: &Self) {
        T::share(self, other);
    }
}

impl Share for ObservedPod {
    fn share(&mut self, other: &Self) {
        share(&mut self.meta.labels, &other.meta.labels);
        share(&mut self.meta.annotations, &other.meta.annotations);
        share(&mut self.requests, &other.requests);
        share(&mut self.limits, &other.limits);
        share(&mut self.image, &other.image);
        share(&mut self.running_image, &other.running_image);
        share(&mut self.meta.controller, &other.meta.controller);
    }
}

/// What an object's metadata says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedMeta {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`, comparable as a number (KEP-5504); 0 when it is not one.
    pub resource_version: u64,
    /// `metadata.labels`; of a Pod without the one that [`ObservedPod::index_label`] has.
    pub labels: Texts,
    /// `metadata.annotations`.
    pub annotations: Texts,
    /// `metadata.creationTimestamp`.
    pub creation_timestamp: Option<Seconds>,
    /// Whether `metadata.deletionTimestamp` is set.
    pub terminating: bool,
    /// `metadata.deletionTimestamp`: when the grace ends that the deletion left it.
    pub deletion_timestamp: Option<Seconds>,
    /// `metadata.deletionGracePeriodSeconds`.
    pub deletion_grace_period_seconds: Option<i64>,
    /// `metadata.finalizers`.
    pub finalizers: Vec<String>,
    /// The controlling owner.
    pub controller: Option<Arc<Controller>>,
    /// The `metadata.ownerReferences` that control nothing, as they are.
    pub other_owners: Vec<serde_json::Value>,
    /// Whether `managedFields` has an entry of manager `flamectl`, operation Apply.
    pub applied_by_flamectl: bool,
    /// The other managers in `managedFields` that wrote more than the status, newest last.
    pub other_managers: Vec<FieldManager>,
    /// Who owns a container's image when it is not flamectl: the sign that somebody edited it.
    pub image_manager: Option<String>,
}

/// Who wrote fields of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldManager {
    /// `manager`, as `kubectl-edit`.
    pub name: String,
    /// `time`: when it did last.
    pub time: Option<Seconds>,
}

/// Whose an object under one of our names is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// flamectl made it for this flame.
    Ours,
    /// Somebody else's; the text says whose, for the user.
    Foreign(String),
}

impl ObservedMeta {
    /// Tells whether the object is this flame's for who only looks: its FlameCluster owns it, or it carries our labels or our
    /// field manager's entry, and no other controller owns it. Labels alone may have been stripped, the entry alone may be
    /// missing where another tool applied `render`'s output.
    pub fn ownership(&self, flame: &str) -> Ownership {
        match &self.controller {
            Some(controller) if controller.is_flame(flame) => Ownership::Ours,
            Some(controller) => Ownership::Foreign(format!("owned by {controller}")),
            None => self.ownership_by_marks(flame),
        }
    }

    /// Tells whether all that decides whose an object is the same as of another one: of thousands of Pods it is.
    pub fn is_marked_as(&self, other: &Self) -> bool {
        self.labels.is_shared_with(&other.labels)
            && self.applied_by_flamectl == other.applied_by_flamectl
            && self.controller == other.controller
    }

    /// Tells whether the object is this flame's for who writes it: a FlameCluster owns what it made, and nobody else's; where
    /// none owns it, it is as for [`ObservedMeta::ownership`].
    pub fn ownership_under(&self, flame: &str, owner: Option<&Owner>) -> Ownership {
        match &self.controller {
            Some(controller) if !self.is_controlled_by(owner) => Ownership::Foreign(format!("owned by {controller}")),
            Some(_) => Ownership::Ours,
            None => self.ownership_by_marks(flame),
        }
    }

    /// Tells whether this very FlameCluster controls the object.
    pub fn is_controlled_by(&self, owner: Option<&Owner>) -> bool {
        self.controller.as_ref().zip(owner).is_some_and(|(controller, owner)| controller.uid == owner.uid)
    }

    /// Tells whether the object was left by an earlier FlameCluster of the owner's name: the garbage collector takes it away.
    pub fn is_left_over(&self, owner: Option<&Owner>) -> bool {
        let (Some(controller), Some(owner)) = (&self.controller, owner) else { return false };
        controller.is_flame(&owner.name) && controller.uid != owner.uid
    }

    fn ownership_by_marks(&self, flame: &str) -> Ownership {
        let label = |key: &str| self.labels.get(key).map(String::as_str);
        let of_another_flame = label(names::LABEL_CLUSTER).is_some_and(|cluster| cluster != flame);
        let labelled =
            label(names::LABEL_CLUSTER) == Some(flame) && label(names::LABEL_MANAGED_BY) == Some(names::FIELD_MANAGER);
        if !of_another_flame && (labelled || self.applied_by_flamectl) {
            return Ownership::Ours;
        }
        Ownership::Foreign(match (label(names::LABEL_MANAGED_BY), self.other_managers.last()) {
            (Some(manager), _) if manager != names::FIELD_MANAGER => format!("managed by {manager}"),
            (_, Some(manager)) => format!("made by {}", manager.name),
            _ => "not made by flamectl".to_owned(),
        })
    }
}

/// A ConfigMap as far as flamectl looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedConfigMap {
    /// Its metadata.
    pub meta: ObservedMeta,
    /// `data`.
    pub data: BTreeMap<String, String>,
    /// `immutable`.
    pub immutable: bool,
}

impl ObservedConfigMap {
    /// Tells whether a `down` has begun.
    pub fn is_going_down(&self) -> bool {
        self.meta.annotations.contains_key(names::ANNOTATION_DOWN)
    }

    /// Returns the reference's `configGeneration`; 0 where there is none.
    pub fn config_generation(&self) -> u64 {
        let text = self.meta.annotations.get(names::ANNOTATION_CONFIG_GENERATION);
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// A Service as far as flamectl looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedService {
    /// Its metadata.
    pub meta: ObservedMeta,
    /// `spec.ports` in their order.
    pub ports: Vec<ObservedPort>,
    /// `spec.selector`.
    pub selector: BTreeMap<String, String>,
}

/// One `spec.ports` entry of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedPort {
    /// `name`.
    pub name: String,
    /// `port`.
    pub port: u16,
    /// `targetPort`, a number or a name.
    pub target_port: String,
    /// `protocol`.
    pub protocol: String,
}

/// A Pod's `status.phase`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Accepted, containers not all started.
    #[default]
    Pending,
    /// At least one container runs or restarts.
    Running,
    /// All containers ended well and will not restart.
    Succeeded,
    /// All containers ended, one badly; or evicted, or refused by its node.
    Failed,
}

/// Why something is as it is, in the server's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    /// Kubernetes' word, as `Unschedulable`.
    pub reason: String,
    /// The text besides.
    pub message: String,
}

/// One of a Pod's `status.conditions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Whether `status` is `True`.
    pub is_true: bool,
    /// `lastTransitionTime`.
    pub since: Option<Seconds>,
    /// Why it is not true.
    pub why: Option<Box<Reason>>,
}

/// The conditions that a Pod's start passes through, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `PodScheduled`: it has a node.
    pub scheduled: Option<Condition>,
    /// `PodReadyToStartContainers`: it has a network and its volumes.
    pub ready_to_start: Option<Condition>,
    /// `Initialized`: its init containers ended well.
    pub initialized: Option<Condition>,
    /// `ContainersReady`.
    pub containers_ready: Option<Condition>,
    /// `Ready`.
    pub ready: Option<Condition>,
}

/// How a container ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// `exitCode`.
    pub exit_code: i32,
    /// `signal`, where the runtime names it.
    pub signal: Option<i32>,
    /// `reason`, as `OOMKilled`; empty where the runtime names none.
    pub reason: String,
    /// `message`: what the container left in its termination log, or why it could not be started.
    pub message: String,
    /// `startedAt`.
    pub started_at: Option<Seconds>,
    /// `finishedAt`.
    pub finished_at: Option<Seconds>,
    /// Whether the container runs again or waits to (`lastState`), so that its log is the previous one.
    pub previous: bool,
}

/// A container of a Pod that is not Flame's own: an init container, or one that a webhook put in.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherContainer {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Whether it is an init container.
    pub init: bool,
}

/// A Pod as far as flamectl looks at it. What a healthy Pod does not have is boxed: there may be ten thousand of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedPod {
    /// Its metadata.
    pub meta: ObservedMeta,
    /// The one label in which the Pods of a component differ.
    pub index_label: Option<Box<str>>,
    /// The image of Flame's container.
    pub image: Arc<str>,
    /// `resources.requests` of all containers together.
    pub requests: Amounts,
    /// `resources.limits` of all containers together.
    pub limits: Amounts,
    /// The image of Flame's container as the node names it (`status.containerStatuses`).
    pub running_image: Option<Arc<str>>,
    /// `spec.hostname`.
    pub hostname: Option<Box<str>>,
    /// `spec.nodeName`.
    pub node: Option<Box<str>>,
    /// `status.phase`.
    pub phase: Phase,
    /// The Pod's condition `Ready`.
    pub ready: bool,
    /// `status.reason`, as `Evicted`.
    pub reason: Option<Box<str>>,
    /// `status.message`.
    pub message: Option<Box<str>>,
    /// `status.podIP`.
    pub pod_ip: Option<Box<str>>,
    /// `status.startTime`: when the node took it on.
    pub start_time: Option<Seconds>,
    /// `status.nominatedNodeName`: where it may go once others made room.
    pub nominated_node: Option<Box<str>>,
    /// The names of `spec.schedulingGates`.
    pub scheduling_gates: Vec<String>,
    /// How far its start is.
    pub conditions: Conditions,
    /// Condition `DisruptionTarget`: why somebody ends it, as `PreemptionByScheduler`.
    pub disruption: Option<Box<Reason>>,
    /// Whose state the fields below are, where another container than Flame's holds the Pod up.
    pub other_container: Option<Box<OtherContainer>>,
    /// `state.waiting.reason` of the container, as `CrashLoopBackOff`.
    pub waiting_reason: Option<Box<str>>,
    /// `state.waiting.message` of the container.
    pub waiting_message: Option<Box<str>>,
    /// `state.running.startedAt` of the container.
    pub started_at: Option<Seconds>,
    /// `started` of the container: its startup probe passed.
    pub started: bool,
    /// How the container ended last: `state.terminated`, else `lastState.terminated`.
    pub ended: Option<Box<Ended>>,
    /// The container's restarts.
    pub restart_count: u32,
}

impl ObservedPod {
    /// Returns what the Pod was made from.
    pub fn template_hash(&self) -> TemplateHash {
        let text = self.meta.annotations.get(names::ANNOTATION_TEMPLATE_HASH);
        text.map(|text| TemplateHash::parse(text)).unwrap_or_default()
    }

    /// Tells whether the Pod serves: Ready and not on its way out.
    pub fn is_ready(&self) -> bool {
        self.ready && !self.meta.terminating && self.phase == Phase::Running
    }

    /// Tells whether the Pod counts as failed (design: rule 7).
    pub fn is_failed(&self) -> bool {
        !self.meta.terminating && (self.is_over() || self.waiting_reason.as_deref() == Some("CrashLoopBackOff"))
    }

    /// Returns why the scheduler found no node.
    pub fn unschedulable(&self) -> Option<&str> {
        let why = self.conditions.scheduled.as_ref()?.why.as_ref()?;
        (why.reason == "Unschedulable").then_some(why.message.as_str())
    }

    /// Returns the last exit code of the container.
    pub fn exit_code(&self) -> Option<i32> {
        self.ended.as_ref().map(|ended| ended.exit_code)
    }

    /// Tells whether the Pod will never run again and has to be made anew.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Failed | Phase::Succeeded)
    }
}

/// One object as read or as an event brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// A ConfigMap.
    ConfigMap(ObservedConfigMap),
    /// A Service.
    Service(ObservedService),
    /// A Pod.
    Pod(Box<ObservedPod>),
}

impl Observed {
    /// Returns its metadata.
    pub fn meta(&self) -> &ObservedMeta {
        match self {
            Self::ConfigMap(config_map) => &config_map.meta,
            Self::Service(service) => &service.meta,
            Self::Pod(pod) => &pod.meta,
        }
    }

    /// Returns its kind and name.
    pub fn object(&self) -> ObjectRef {
        let kind = match self {
            Self::ConfigMap(_) => Kind::ConfigMap,
            Self::Service(_) => Kind::Service,
            Self::Pod(_) => Kind::Pod,
        };
        ObjectRef::new(kind, self.meta().name.clone())
    }
}

/// All that is known about one flame's objects; an object that is not here is not on the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The record, and whatever else bears its name.
    pub config_maps: BTreeMap<String, ObservedConfigMap>,
    /// The Services under our names.
    pub services: BTreeMap<String, ObservedService>,
    /// The Pods under our names or with our labels.
    pub pods: BTreeMap<String, Box<ObservedPod>>,
    /// What was asked about Pods beyond their status, by uid.
    pub evidence: BTreeMap<String, Evidence>,
    /// What was wrong with the last request for an object, where that did not work.
    pub trouble: BTreeMap<ObjectRef, String>,
    /// The newest `resourceVersion` known of: it grows with every change on the server.
    pub revision: u64,
}

impl Snapshot {
    /// Takes in what the server said of an object; older news than what is known is ignored (faults F14). Returns whether it
    /// tells anything but a newer `resourceVersion`.
    pub fn insert(&mut self, observed: Observed) -> bool {
        self.revision = self.revision.max(observed.meta().resource_version);
        match observed {
            Observed::ConfigMap(new) => insert_newer(&mut self.config_maps, new, |it| &mut it.meta),
            Observed::Service(new) => insert_newer(&mut self.services, new, |it| &mut it.meta),
            Observed::Pod(mut new) => {
                // Its predecessor, or who comes before it: in the order of names alike Pods are neighbours.
                if let Some((_, known)) = self.pods.range(..=new.meta.name.clone()).next_back() {
                    new.share(known);
                }
                insert_newer(&mut self.pods, new, |it| &mut it.meta)
            }
        }
    }

    /// Takes in what was asked about Pods, by their uid; what is known of Pods that are gone is forgotten.
    pub fn learned(&mut self, learned: impl IntoIterator<Item = (String, Evidence)>) {
        self.evidence.extend(learned);
        let pods = &self.pods;
        self.evidence.retain(|uid, _| pods.values().any(|pod| pod.meta.uid == *uid));
    }

    /// Takes in that the object with this uid is gone; another object of its name stays.
    pub fn remove(&mut self, object: &ObjectRef, uid: &str) {
        fn remove<T>(known: &mut BTreeMap<String, T>, name: &str, uid: &str, meta: fn(&T) -> &ObservedMeta) {
            if known.get(name).is_some_and(|it| meta(it).uid == uid) {
                known.remove(name);
            }
        }
        match object.kind {
            Kind::ConfigMap => remove(&mut self.config_maps, &object.name, uid, |it| &it.meta),
            Kind::Service => remove(&mut self.services, &object.name, uid, |it| &it.meta),
            Kind::Pod => remove(&mut self.pods, &object.name, uid, |it| &it.meta),
        }
    }

    /// Takes in that there is no object of this name.
    pub fn forget(&mut self, object: &ObjectRef) {
        match object.kind {
            Kind::ConfigMap => drop(self.config_maps.remove(&object.name)),
            Kind::Service => drop(self.services.remove(&object.name)),
            Kind::Pod => drop(self.pods.remove(&object.name)),
        }
    }

    /// Returns the metadata of an object.
    pub fn meta(&self, object: &ObjectRef) -> Option<&ObservedMeta> {
        match object.kind {
            Kind::ConfigMap => self.config_maps.get(&object.name).map(|it| &it.meta),
            Kind::Service => self.services.get(&object.name).map(|it| &it.meta),
            Kind::Pod => self.pods.get(&object.name).map(|it| &it.meta),
        }
    }

    /// Returns the Pod of this name.
    pub fn pod(&self, name: &str) -> Option<&ObservedPod> {
        self.pods.get(name).map(|pod| &**pod)
    }

    /// Returns the record of a flame.
    pub fn record(&self, flame: &str) -> Option<&ObservedConfigMap> {
        self.config_maps.get(&names::config_map(flame))
    }

    /// Returns all objects: Pods, Services, ConfigMaps.
    pub fn objects(&self) -> impl Iterator<Item = (ObjectRef, &ObservedMeta)> {
        let pods = self.pods.values().map(|it| (ObjectRef::new(Kind::Pod, &it.meta.name), &it.meta));
        let services = self.services.values().map(|it| (ObjectRef::new(Kind::Service, &it.meta.name), &it.meta));
        let config_maps =
            self.config_maps.values().map(|it| (ObjectRef::new(Kind::ConfigMap, &it.meta.name), &it.meta));
        pods.chain(services).chain(config_maps)
    }
}

fn insert_newer<T: PartialEq>(
    known: &mut BTreeMap<String, T>,
    mut new: T,
    meta: fn(&mut T) -> &mut ObservedMeta,
) -> bool {
    let (name, version) = (meta(&mut new).name.clone(), meta(&mut new).resource_version);
    let Some(old) = known.get_mut(&name) else {
        known.insert(name, new);
        return true;
    };
    if version < meta(old).resource_version {
        return false;
    }
    meta(old).resource_version = version;
    let is_news = *old != new;
    if is_news {
        *old = new;
    }
    is_news
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::testing::{flame, running};

    #[test]
    fn what_alike_pods_have_in_common_is_kept_once() {
        let snapshot = running(&flame(12));
        let pods: Vec<&ObservedPod> = snapshot.pods.values().map(|pod| &**pod).collect();
        let maps = |of: fn(&ObservedMeta) -> &Texts| {
            let all = pods.iter().map(|pod| Arc::as_ptr(&of(&pod.meta).0)).collect::<std::collections::BTreeSet<_>>();
            all.len()
        };
        // Twelve executors and the session manager.
        assert_eq!((pods.len(), maps(|meta| &meta.labels), maps(|meta| &meta.annotations)), (13, 2, 2));
    }

    #[test]
    fn what_changes_nothing_that_is_looked_at_is_no_news() {
        let mut snapshot = running(&flame(1));
        let mut pod = snapshot.pods["demo-executor-manager-0"].clone();
        pod.meta.resource_version = 7;
        assert!(!snapshot.insert(Observed::Pod(pod.clone())));
        assert_eq!(snapshot.pods["demo-executor-manager-0"], pod);
        let older = ObservedPod { ready: false, ..*running(&flame(1)).pods["demo-executor-manager-0"].clone() };
        assert!(!snapshot.insert(Observed::Pod(Box::new(older))));
        assert_eq!(snapshot.pods["demo-executor-manager-0"], pod);
        pod.ready = false;
        assert!(snapshot.insert(Observed::Pod(pod.clone())));
        assert_eq!(snapshot.pods["demo-executor-manager-0"], pod);
    }

    #[test]
    fn a_pod_whose_labels_are_edited_leaves_the_others_theirs() {
        let mut snapshot = running(&flame(2));
        let mut edited = snapshot.pods["demo-executor-manager-1"].clone();
        edited.meta.labels.insert("app".to_owned(), "else".to_owned());
        snapshot.insert(Observed::Pod(edited));
        let label = |index: u32| &snapshot.pods[&names::executor_manager("demo", index)].meta.labels["app"];
        assert_eq!((label(0).as_str(), label(1).as_str()), ("flame-executor-manager", "else"));
    }
}
