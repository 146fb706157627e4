//! What has to change: (manifests, snapshot) → [`Plan`], one [`Change`] per object with the reason in words.
//!
//! A component is touched only when something that it uses changed, and in the cheapest way (design: rule 5).

mod drift;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::FlameCluster;
use super::config;
use super::manifests::{Manifests, TemplateHash};
use super::names::{self, Component, Kind, ObjectRef, PodIndex};
use super::observed::{ObservedConfigMap, ObservedMeta, ObservedPod, ObservedService, Ownership, Snapshot, Texts};
use super::owner::Owner;

pub use drift::{Drift, drift};

/// A right: verb and resource, as `patch pods`.
pub type Right = (&'static str, &'static str);

/// What should be there.
#[derive(Clone, Debug, PartialEq)]
pub enum Desired {
    /// This flame; shared, as whoever works on it holds on to it for a step.
    Up(Arc<Manifests>),
    /// Nothing of the flame of this name.
    Down(String),
}

impl Desired {
    /// Returns that a flame is wanted as its manifests say.
    pub fn up(manifests: impl Into<Arc<Manifests>>) -> Self {
        Self::Up(manifests.into())
    }

    /// Returns the flame's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Up(manifests) => &manifests.flame.metadata.name,
            Self::Down(name) => name,
        }
    }

    /// Returns how many executors there should be; none of a flame that goes.
    pub fn replicas(&self) -> Option<u32> {
        self.manifests().map(|manifests| manifests.flame.spec.executor_manager.replicas)
    }

    /// Returns the FlameCluster object that the flame lives as.
    pub fn owner(&self) -> Option<&Owner> {
        self.manifests().and_then(|manifests| manifests.owner.as_ref())
    }

    /// Returns the manifests; none for `down`.
    pub fn manifests(&self) -> Option<&Manifests> {
        match self {
            Self::Up(manifests) => Some(manifests),
            Self::Down(_) => None,
        }
    }
}

/// What happens to an object. The words on the screen are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Nothing.
    Keep,
    /// It is made.
    Create,
    /// It is changed in place by server-side apply.
    Update,
    /// Its resources are changed in place through the `resize` subresource.
    Resize,
    /// It is deleted and made anew under its name.
    Replace,
    /// It goes.
    Delete,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "keep",
            Self::Create => "create",
            Self::Update => "update",
            Self::Resize => "resize",
            Self::Replace => "replace",
            Self::Delete => "delete",
        })
    }
}

/// Why an object changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It is not there.
    Missing,
    /// It is on its way out and comes back under its name.
    Terminating,
    /// The Pod ended and will not run again; the text is its reason.
    Over(String),
    /// Another image: from, to.
    Image(String, String),
    /// The config sections that the component reads.
    Config,
    /// The container's resources.
    Resources,
    /// Another field of the Pod template.
    Template,
    /// Labels or annotations.
    Metadata,
    /// The ConfigMap's text.
    ConfigText,
    /// The recorded FlameCluster.
    Spec,
    /// The Service's ports.
    Ports,
    /// The Service's selector.
    Selector,
    /// Somebody changed a field of ours; the text is the field manager.
    EditedBy(String),
    /// An executor beyond `replicas`.
    Surplus,
    /// The object cache's Pod of a flame before 0.6, which has none.
    NoSuchPart,
    /// The flame is taken down.
    Down,
    /// A ConfigMap that was made immutable.
    Immutable,
    /// A restart was asked for.
    Restart,
    /// It ended while there was no session manager, and waits for its node.
    Stranded,
    /// The server refused to change the Pod in place.
    NotInPlace,
    /// A foreign object is taken over.
    Adopted,
    /// The reference to the FlameCluster that owns it.
    Owner,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("not there"),
            Self::Terminating => f.write_str("being deleted"),
            Self::Over(reason) => write!(f, "ended: {reason}"),
            Self::Image(from, to) => write!(f, "image {from} → {to}"),
            Self::Config => f.write_str("config changed"),
            Self::Resources => f.write_str("resources changed"),
            Self::Template => f.write_str("Pod template changed"),
            Self::Metadata => f.write_str("labels or annotations changed"),
            Self::ConfigText => f.write_str("config text changed"),
            Self::Spec => f.write_str("recorded FlameCluster changed"),
            Self::Ports => f.write_str("ports changed"),
            Self::Selector => f.write_str("selector changed"),
            Self::EditedBy(manager) => write!(f, "edited by {manager}"),
            Self::Surplus => f.write_str("beyond replicas"),
            Self::NoSuchPart => f.write_str("Flame before 0.6 has none"),
            Self::Owner => f.write_str("owner changed"),
            Self::Down => f.write_str("flame is taken down"),
            Self::Immutable => f.write_str("was made immutable"),
            Self::Restart => f.write_str("restart"),
            Self::Stranded => f.write_str("ended while there was no session manager"),
            Self::NotInPlace => f.write_str("cannot be changed in place"),
            Self::Adopted => f.write_str("taken over"),
        }
    }
}

/// What happens to one object, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object.
    pub object: ObjectRef,
    /// Its part of the flame.
    pub component: Component,
    /// What happens.
    pub op: Op,
    /// Why; empty for [`Op::Keep`].
    pub why: Vec<Why>,
}

/// An object under one of our names that is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The object.
    pub object: ObjectRef,
    /// Whose it is, in words.
    pub owner: String,
}

/// What has to change; what stays is only counted. It can be made anew, or brought up to date for the objects that news were
/// about ([`update`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    changes: BTreeMap<Place, Change>,
    foreign: BTreeMap<Place, Foreign>,
    strays: BTreeSet<ObjectRef>,
    /// How many objects should be there.
    wanted: usize,
}

/// Where an object stands in a plan: record, Services, session manager, object cache, executors by index; of a flame that
/// goes the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u8, Option<PodIndex>);

impl Place {
    /// Returns the place of an object under one of a flame's names.
    fn of(desired: &Desired, object: &ObjectRef) -> Option<Self> {
        let flame = desired.name();
        let place = match object.kind {
            Kind::ConfigMap if object.name == names::config_map(flame) => Self(0, None),
            Kind::Service if object.name == names::session_manager(flame) => Self(1, None),
            Kind::Service if object.name == names::object_cache(flame) => Self(2, None),
            Kind::Pod => {
                let which = PodIndex::of(flame, &object.name)?;
                let rank = match which {
                    PodIndex::SessionManager => 3,
                    PodIndex::ObjectCache => 4,
                    PodIndex::Executor(_) => 5,
                };
                Self(rank, Some(which))
            }
            Kind::ConfigMap | Kind::Service => return None,
        };
        Some(match desired {
            Desired::Up(_) => place,
            Desired::Down(_) => Self(5 - place.0, place.1),
        })
    }
}

impl Plan {
    /// Makes one of its parts.
    #[cfg(test)]
    pub fn of(changes: Vec<Change>, foreign: Vec<Foreign>, strays: Vec<ObjectRef>, kept: usize) -> Self {
        let places = || (0..).map(|place| Place(place, None));
        let change = changes.iter().filter(|change| change.op != Op::Delete).count();
        Self {
            wanted: kept + change + foreign.len(),
            changes: places().zip(changes).collect(),
            foreign: places().zip(foreign).collect(),
            strays: strays.into_iter().collect(),
        }
    }

    /// Returns what does not stay as it is, one entry an object in the order in which it is shown.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.values()
    }

    /// Returns what stands in the way; where there is any, nothing may be written (design: rule 2).
    pub fn foreign(&self) -> impl ExactSizeIterator<Item = &Foreign> {
        self.foreign.values()
    }

    /// Returns what carries our labels but none of our names: told, never touched.
    pub fn strays(&self) -> impl ExactSizeIterator<Item = &ObjectRef> {
        self.strays.iter()
    }

    /// Tells whether an object has to change or go.
    pub fn has(&self, desired: &Desired, object: &ObjectRef) -> bool {
        Place::of(desired, object).is_some_and(|place| self.changes.contains_key(&place))
    }

    /// Tells whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns how many objects have to change or go.
    pub fn to_do(&self) -> usize {
        self.changes.len()
    }

    /// Returns how many objects `op` befalls.
    pub fn count(&self, op: Op) -> usize {
        match op {
            // What goes was not wanted; whatever else changes was.
            Op::Keep => {
                let change = self.changes.len() - self.count(Op::Delete);
                self.wanted.saturating_sub(change + self.foreign.len())
            }
            op => self.changes().filter(|change| change.op == op).count(),
        }
    }

    /// Returns the rights that carrying the plan out takes; server-side apply is `patch`, and `create` where the object is
    /// not there. All kinds are watched meanwhile. Whoever made the plan has shown the rights to `get` and `list`.
    pub fn rights(&self) -> Vec<Right> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut rights = [Kind::ConfigMap, Kind::Service, Kind::Pod].map(|kind| ("watch", kind.resource())).to_vec();
        for change in self.changes() {
            let resource = change.object.kind.resource();
            let verbs: &[&str] = match change.op {
                Op::Keep => continue,
                Op::Create => &["create", "patch"],
                Op::Update | Op::Resize => &["patch"],
                Op::Replace => &["create", "delete", "patch"],
                // The record says first that the flame goes.
                Op::Delete if change.component == Component::Config => &["delete", "patch"],
                Op::Delete => &["delete"],
            };
            rights.extend(verbs.iter().map(|verb| (*verb, resource)));
        }
        rights.sort_unstable();
        rights.dedup();
        rights
    }

    /// Tells whether a running Pod is restarted or taken away.
    pub fn disrupts(&self) -> bool {
        self.changes().any(Change::disrupts)
    }
}

impl Change {
    /// Tells whether a running Pod is restarted or taken away.
    pub fn disrupts(&self) -> bool {
        let image_in_place = self.op == Op::Update && self.why.iter().any(|why| matches!(why, Why::Image(..)));
        self.object.kind == Kind::Pod && (matches!(self.op, Op::Replace | Op::Delete) || image_in_place)
    }
}

/// How the plan may go about it.
#[derive(Clone, Copy, Debug)]
pub struct PlanOptions<'a> {
    /// Take over foreign objects under our names.
    pub adopt: bool,
    /// The server or a node refused to resize a Pod: replace instead.
    pub no_resize: bool,
    /// Pods to make anew although they are as they should be, by uid, and why.
    pub restart: &'a HashMap<String, Why>,
}

/// Returns what has to change so that `snapshot` becomes `desired`.
pub fn plan(desired: &Desired, snapshot: &Snapshot, options: PlanOptions<'_>) -> Plan {
    let wanted: Vec<ObjectRef> = desired.manifests().into_iter().flat_map(Manifests::objects).collect();
    let mut plan = Plan { wanted: wanted.len(), ..Plan::default() };
    let missing = wanted.into_iter().filter(|object| snapshot.meta(object).is_none());
    update(&mut plan, desired, snapshot, options, missing.chain(snapshot.objects().map(|(object, _)| object)));
    plan
}

/// Brings a plan up to date after something was heard of `objects`; all else is as it was when the plan was made.
pub fn update(
    plan: &mut Plan,
    desired: &Desired,
    snapshot: &Snapshot,
    options: PlanOptions<'_>,
    objects: impl IntoIterator<Item = ObjectRef>,
) {
    let mut planner = Planner { desired, owner: desired.owner(), snapshot, options, plan, metadata: None };
    objects.into_iter().for_each(|object| planner.look_at(object));
}

struct Planner<'a> {
    desired: &'a Desired,
    owner: Option<&'a Owner>,
    snapshot: &'a Snapshot,
    options: PlanOptions<'a>,
    plan: &'a mut Plan,
    /// What was found of the last Pod's metadata.
    metadata: Option<PodMetadata>,
}

/// What a Pod's labels and annotations come to. Its neighbours share them, and then nothing is compared again.
struct PodMetadata {
    component: Component,
    labels: Texts,
    annotations: Texts,
    hash: TemplateHash,
    /// Whether all labels and annotations that it should have are there, but for the index.
    is_there: bool,
}

impl PodMetadata {
    fn of(manifests: &Manifests, component: Component, pod: &ObservedPod) -> Self {
        let is_there = contains(&pod.meta.labels, manifests.pod_labels(component))
            && contains(&pod.meta.annotations, &manifests.flame.metadata.annotations);
        let (labels, annotations) = (pod.meta.labels.clone(), pod.meta.annotations.clone());
        Self { component, labels, annotations, hash: pod.template_hash(), is_there }
    }

    fn is_of(&self, component: Component, pod: &ObservedPod) -> bool {
        self.component == component
            && self.labels.is_shared_with(&pod.meta.labels)
            && self.annotations.is_shared_with(&pod.meta.annotations)
    }
}

impl Planner<'_> {
    fn look_at(&mut self, object: ObjectRef) {
        let place = Place::of(self.desired, &object);
        if let Some(place) = place {
            self.plan.changes.remove(&place);
            self.plan.foreign.remove(&place);
        }
        self.plan.strays.remove(&object);
        match (self.desired, place) {
            (Desired::Up(manifests), Some(place)) => self.up(manifests, place, object),
            (Desired::Down(_), Some(place)) => self.down(place, object),
            // Other Pods with our labels are none of our business; all else is read by its name only.
            (_, None) if self.snapshot.meta(&object).is_some() => drop(self.plan.strays.insert(object)),
            (_, None) => {}
        }
    }

    /// Looks at an object of a flame that is brought up.
    fn up(&mut self, manifests: &Manifests, place: Place, object: ObjectRef) {
        let (snapshot, owner) = (self.snapshot, self.owner);
        match (object.kind, place.1) {
            (Kind::Pod, Some(which)) if manifests.wants(which) => self.pod(manifests, which, place, object),
            (Kind::Pod, which) => self.surplus(which, place, object),
            (Kind::ConfigMap, _) => {
                let observed = snapshot.config_maps.get(&object.name);
                let meta = observed.map(|it| &it.meta);
                self.put(place, object, Component::Config, meta, |_| record_change(manifests, observed));
            }
            (Kind::Service, _) => {
                let [session_manager, object_cache] = manifests.services();
                let (desired, component) = match place.0 {
                    1 => (session_manager, Component::SessionManager),
                    _ => (object_cache, Component::ObjectCache),
                };
                let observed = snapshot.services.get(&object.name);
                let meta = observed.map(|it| &it.meta);
                self.put(place, object, component, meta, |_| service_change(&desired, owner, observed));
            }
        }
    }

    /// Looks at an object of a flame that goes. Everything that is ours does: Pods, Services, the record last (design: Commands).
    fn down(&mut self, place: Place, object: ObjectRef) {
        let Some(meta) = self.snapshot.meta(&object) else { return };
        if meta.ownership(self.desired.name()) != Ownership::Ours {
            self.plan.strays.insert(object);
            return;
        }
        let component = match (object.kind, place.1) {
            (_, Some(which)) => which.component(),
            (Kind::ConfigMap, None) => Component::Config,
            _ if object.name == names::object_cache(self.desired.name()) => Component::ObjectCache,
            _ => Component::SessionManager,
        };
        self.plan.changes.insert(place, Change { object, component, op: Op::Delete, why: vec![Why::Down] });
    }

    fn pod(&mut self, manifests: &Manifests, which: PodIndex, place: Place, object: ObjectRef) {
        let component = which.component();
        let index = match which {
            PodIndex::Executor(index) => Some(index),
            PodIndex::SessionManager | PodIndex::ObjectCache => None,
        };
        let observed = self.snapshot.pod(&object.name);
        let known = self.metadata.take();
        let metadata = observed.map(|pod| match known {
            Some(known) if known.is_of(component, pod) => known,
            _ => PodMetadata::of(manifests, component, pod),
        });
        self.put(place, object, component, observed.map(|it| &it.meta), |options| {
            let there = observed.zip(metadata.as_ref());
            there.map_or((Op::Create, vec![Why::Missing]), |(pod, metadata)| {
                pod_change(manifests, component, index, (pod, metadata), options)
            })
        });
        self.metadata = metadata;
    }

    /// Executors beyond `replicas` go, and an object cache that Flame before 0.6 has no use for.
    fn surplus(&mut self, which: Option<PodIndex>, place: Place, object: ObjectRef) {
        let Some(pod) = self.snapshot.pod(&object.name) else { return };
        let Some(component) = which.map(PodIndex::component) else { return };
        // What is left over goes by itself.
        if pod.meta.is_left_over(self.owner) {
            return;
        }
        if pod.meta.ownership_under(self.desired.name(), self.owner) != Ownership::Ours {
            self.plan.strays.insert(object);
            return;
        }
        let why = if component == Component::ObjectCache { Why::NoSuchPart } else { Why::Surplus };
        self.plan.changes.insert(place, Change { object, component, op: Op::Delete, why: vec![why] });
    }

    fn put(
        &mut self,
        place: Place,
        object: ObjectRef,
        component: Component,
        meta: Option<&ObservedMeta>,
        change: impl FnOnce(PlanOptions<'_>) -> (Op, Vec<Why>),
    ) {
        if meta.is_some_and(|meta| meta.is_left_over(self.owner)) {
            let (op, why) = (Op::Create, vec![Why::Terminating]);
            self.plan.changes.insert(place, Change { object, component, op, why });
            return;
        }
        let foreign = match meta.map(|meta| meta.ownership_under(self.desired.name(), self.owner)) {
            Some(Ownership::Foreign(owner)) => Some(owner),
            _ => None,
        };
        let (op, why) = match foreign {
            Some(owner) if !self.options.adopt => {
                self.plan.foreign.insert(place, Foreign { object, owner });
                return;
            }
            Some(_) => adopted(change(self.options)),
            None => change(self.options),
        };
        if op != Op::Keep {
            self.plan.changes.insert(place, Change { object, component, op, why });
        }
    }
}

/// Returns the generation that the record should carry: +1 whenever the rendered config changes (design: Objects). What
/// somebody did to the text in between is no change of ours.
pub fn config_generation(manifests: &Manifests, observed: Option<&ObservedConfigMap>) -> u64 {
    let Some(record) = observed else { return 1 };
    let spec = record.meta.annotations.get(names::ANNOTATION_SPEC);
    let recorded: Option<FlameCluster> = spec.and_then(|text| serde_json::from_str(text).ok());
    let rendered = recorded.map(|flame| config::config(&flame).file());
    let before = rendered.as_ref().or(record.data.get(names::CONFIG_KEY));
    match before == Some(&manifests.config_text()) {
        true => record.config_generation().max(1),
        false => record.config_generation() + 1,
    }
}

fn record_change(manifests: &Manifests, observed: Option<&ObservedConfigMap>) -> (Op, Vec<Why>) {
    let Some(observed) = observed else { return (Op::Create, vec![Why::Missing]) };
    if observed.meta.terminating {
        return (Op::Create, vec![Why::Terminating]);
    }
    let desired = manifests.record(config_generation(manifests, Some(observed)));
    let mut why = Vec::new();
    let data = desired.data.unwrap_or_default();
    if data.iter().any(|(key, text)| observed.data.get(key) != Some(text)) {
        why.push(Why::ConfigText);
    }
    let mut annotations = desired.metadata.annotations.unwrap_or_default();
    let spec = annotations.remove(names::ANNOTATION_SPEC);
    if observed.meta.annotations.get(names::ANNOTATION_SPEC) != spec.as_ref() || observed.is_going_down() {
        why.push(Why::Spec);
    }
    if !why.is_empty() {
        // It grows with the config, which is told already.
        annotations.remove(names::ANNOTATION_CONFIG_GENERATION);
    }
    let labels = desired.metadata.labels.unwrap_or_default();
    if !contains(&observed.meta.labels, &labels) || !contains(&observed.meta.annotations, &annotations) {
        why.push(Why::Metadata);
    }
    why.extend(owner_change(manifests.owner.as_ref(), &observed.meta));
    match (why.is_empty(), observed.immutable) {
        (true, _) => (Op::Keep, why),
        (false, true) => (Op::Replace, vec![Why::Immutable]),
        (false, false) => (Op::Update, why),
    }
}

fn service_change(desired: &Service, owner: Option<&Owner>, observed: Option<&ObservedService>) -> (Op, Vec<Why>) {
    let Some(observed) = observed else { return (Op::Create, vec![Why::Missing]) };
    if observed.meta.terminating {
        return (Op::Create, vec![Why::Terminating]);
    }
    let mut why = Vec::new();
    if !has_ports(desired, observed) || clashes(desired, observed) {
        why.push(Why::Ports);
    }
    let selector = desired.spec.as_ref().and_then(|spec| spec.selector.clone()).unwrap_or_default();
    if observed.selector != selector {
        why.push(Why::Selector);
    }
    let metadata = &desired.metadata;
    if !metadata.labels.as_ref().is_none_or(|labels| contains(&observed.meta.labels, labels))
        || !metadata.annotations.as_ref().is_none_or(|it| contains(&observed.meta.annotations, it))
    {
        why.push(Why::Metadata);
    }
    why.extend(owner_change(owner, &observed.meta));
    (if why.is_empty() { Op::Keep } else { Op::Update }, why)
}

/// Returns that an object does not belong to the FlameCluster that it should.
fn owner_change(owner: Option<&Owner>, observed: &ObservedMeta) -> Option<Why> {
    (owner.is_some() && !observed.is_controlled_by(owner)).then_some(Why::Owner)
}

/// Tells whether every port of ours is there as we want it.
fn has_ports(desired: &Service, observed: &ObservedService) -> bool {
    ports(desired).all(|(name, port)| {
        observed.ports.iter().any(|it| {
            (it.name.as_str(), it.port, it.target_port.parse()) == (name, port, Ok(port)) && it.protocol == "TCP"
        })
    })
}

/// Tells whether a port that is not ours bears a name of ours, as after `kubectl edit` of a port's number: server-side
/// apply keys ports by number, would add ours beside it, and the server would refuse the doubled name. Or one that has no
/// name, as an adopted Service's may: beside others every port needs one.
pub fn clashes(desired: &Service, observed: &ObservedService) -> bool {
    observed.ports.iter().any(|it| {
        ports(desired).any(|(name, port)| (it.name == name || it.name.is_empty()) && it.port != port)
            && !ports(desired).any(|(name, port)| (it.name.as_str(), it.port) == (name, port))
    })
}

fn ports(service: &Service) -> impl Iterator<Item = (&str, u16)> {
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    ports.filter_map(|port| match &port.target_port {
        Some(IntOrString::Int(number)) => Some((port.name.as_deref()?, u16::try_from(*number).ok()?)),
        _ => None,
    })
}

fn pod_change(
    manifests: &Manifests,
    component: Component,
    index: Option<u32>,
    (pod, metadata): (&ObservedPod, &PodMetadata),
    options: PlanOptions<'_>,
) -> (Op, Vec<Why>) {
    if pod.meta.terminating {
        return (Op::Create, vec![Why::Terminating]);
    }
    if pod.is_over() {
        let reason = pod.reason.as_deref().map_or_else(|| format!("{:?}", pod.phase), str::to_owned);
        return (Op::Replace, vec![Why::Over(reason)]);
    }
    let desired = manifests.template_hash(component);
    let mut why = template_changes(desired, &metadata.hash, &pod.image, manifests.image(component));
    if let Some(manager) = &pod.meta.image_manager
        && *pod.image != *manifests.image(component)
    {
        why.push(Why::EditedBy(manager.clone()));
        why.push(Why::Image(pod.image.to_string(), manifests.image(component).to_owned()));
    }
    let index_is_there =
        index.is_none_or(|index| pod.index_label.as_ref().is_some_and(|label| **label == *index.to_string()));
    if !index_is_there || !metadata.is_there {
        why.push(Why::Metadata);
    }
    why.extend(owner_change(manifests.owner.as_ref(), &pod.meta));
    why.extend(options.restart.get(&pod.meta.uid).cloned());
    why.sort();
    why.dedup();
    (pod_op(&why, component, options), why)
}

fn template_changes(desired: &TemplateHash, observed: &TemplateHash, from: &str, to: &str) -> Vec<Why> {
    if *observed == TemplateHash::default() {
        // Whoever made it did not say from what.
        let image = (from != to).then(|| Why::Image(from.to_owned(), to.to_owned()));
        return image.into_iter().chain([Why::Template]).collect();
    }
    let mut why = Vec::new();
    if desired.pod != observed.pod {
        why.push(Why::Template);
    }
    if desired.config != observed.config {
        why.push(Why::Config);
    }
    if desired.image != observed.image {
        why.push(Why::Image(from.to_owned(), to.to_owned()));
    }
    if desired.resources != observed.resources {
        why.push(Why::Resources);
    }
    if desired.metadata != observed.metadata {
        why.push(Why::Metadata);
    }
    why
}

/// Picks the cheapest way (design: rule 5).
///
/// An image in place restarts the container under the same hostname. The session manager does not mind and keeps its
/// storage; an executor would be taken for its predecessor and never get work again (flame-facts 1.7), so it is replaced.
/// What an object cache of another version wrote is not worth keeping either.
fn pod_op(why: &[Why], component: Component, options: PlanOptions<'_>) -> Op {
    let cost = |why: &Why| match why {
        Why::Metadata | Why::EditedBy(_) | Why::Adopted | Why::Owner => Op::Update,
        Why::Image(..) if component == Component::SessionManager => Op::Update,
        Why::Resources if !options.no_resize => Op::Resize,
        _ => Op::Replace,
    };
    why.iter().map(cost).max().unwrap_or(Op::Keep)
}

/// A foreign object that is taken over is first tried in place: where the server finds that it fits, nothing restarts. An
/// image that differs does not fit.
fn adopted((op, mut why): (Op, Vec<Why>)) -> (Op, Vec<Why>) {
    let fits =
        !why.iter().any(|why| matches!(why, Why::Image(from, to) if from != to) || matches!(why, Why::NotInPlace));
    let in_place = matches!(op, Op::Keep | Op::Update | Op::Resize) || (op == Op::Replace && fits);
    if !in_place || matches!(why.as_slice(), [Why::Over(_)]) {
        return (op, why);
    }
    why.retain(|why| *why == Why::NotInPlace);
    why.push(Why::Adopted);
    (Op::Update, why)
}

fn contains(observed: &BTreeMap<String, String>, desired: &BTreeMap<String, String>) -> bool {
    desired.iter().all(|(key, value)| observed.get(key) == Some(value))
}

#[cfg(test)]
mod tests;
