//! What the API server sends, cut down to what flamectl looks at: everything else, `managedFields` above all, is dropped
//! while it is parsed, so that ten thousand Pods fit into a few megabytes.
//!
//! Pods and metadata come as JSON or as [`protobuf`]: one set of shapes says for both where things are. Field numbers are
//! those of Kubernetes' `generated.proto` files; what has none here is skipped.

mod evidence;
mod object;
pub mod protobuf;
mod shape;

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use memchr::memmem;
use prost::Message;
use prost::bytes::Bytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use crate::flame::amounts::Amounts;
use crate::flame::names::{self, Component, FIELD_MANAGER};
use crate::flame::observed::{
    self, Conditions, Ended, FieldManager, Observed, ObservedConfigMap, ObservedMeta, ObservedPod, ObservedPort,
    ObservedService, OtherContainer, Phase, Reason, Seconds, Share,
};
use crate::flame::owner::Controller;

pub use evidence::{Event, Node};
pub use object::{FlameCluster, FlameObject};
pub use shape::{Encoded, Shape, read};

/// A page of a list.
#[derive(Deserialize)]
#[serde(bound = "T: Shape")]
pub struct List<T> {
    pub metadata: ListMeta,
    #[serde(default = "Vec::new", deserialize_with = "shape::items")]
    pub items: Vec<T>,
}

/// Reads `null`, which the server writes for what is empty here and there, as that.
fn null_is_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads an object's metadata; what has no name is no object, but something else that a proxy or a broken server answered.
fn of_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Meta, D::Error> {
    let meta = Meta::deserialize(deserializer)?;
    if meta.name.is_empty() { Err(serde::de::Error::missing_field("metadata.name")) } else { Ok(meta) }
}

#[derive(Deserialize, Message)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    #[prost(string, tag = "2")]
    pub resource_version: String,
    #[prost(string, tag = "3")]
    #[serde(rename = "continue")]
    pub continue_token: String,
}

/// An object of which only the name counts.
#[derive(Deserialize, Message)]
pub struct Named {
    #[prost(message, required, tag = "1")]
    pub metadata: NameMeta,
}

#[derive(Deserialize, Message)]
pub struct NameMeta {
    #[prost(string, tag = "1")]
    pub name: String,
}

/// A timestamp as the server writes it; one that is none counts as unknown.
#[derive(Clone, Copy, Message)]
struct Moment {
    #[prost(int64, optional, tag = "1")]
    seconds: Option<Seconds>,
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self { seconds: text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second) })
    }
}

fn seconds(moment: Option<Moment>) -> Option<Seconds> {
    moment.and_then(|moment| moment.seconds)
}

/// Returns a text unless it is empty: protobuf writes those out that JSON leaves out.
fn filled(text: String) -> Option<Box<str>> {
    Some(text.into_boxed_str()).filter(|text| !text.is_empty())
}

#[derive(Deserialize, Clone, Message)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    namespace: String,
    #[prost(string, tag = "5")]
    uid: String,
    #[prost(string, tag = "6")]
    resource_version: String,
    #[prost(int64, tag = "7")]
    generation: i64,
    #[prost(message, optional, tag = "8")]
    creation_timestamp: Option<Moment>,
    #[prost(message, optional, tag = "9")]
    deletion_timestamp: Option<Moment>,
    #[prost(int64, optional, tag = "10")]
    deletion_grace_period_seconds: Option<i64>,
    #[prost(btree_map = "string, string", tag = "11")]
    #[serde(deserialize_with = "null_is_default")]
    labels: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "12")]
    #[serde(deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "13")]
    #[serde(deserialize_with = "null_is_default")]
    owner_references: Vec<OwnerReference>,
    #[prost(string, repeated, tag = "14")]
    #[serde(deserialize_with = "null_is_default")]
    finalizers: Vec<String>,
    #[prost(message, repeated, tag = "17")]
    #[serde(deserialize_with = "null_is_default")]
    managed_fields: Vec<Managed>,
}

/// All that there is in one: those that control nothing are written as they were read.
#[derive(Deserialize, Serialize, Clone, Message)]
#[serde(rename_all = "camelCase", default)]
struct OwnerReference {
    #[prost(string, tag = "5")]
    api_version: String,
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "4")]
    uid: String,
    #[prost(bool, optional, tag = "6")]
    #[serde(skip_serializing_if = "Option::is_none")]
    controller: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    #[serde(skip_serializing_if = "Option::is_none")]
    block_owner_deletion: Option<bool>,
}

#[derive(Deserialize, Clone, Message)]
#[serde(rename_all = "camelCase", default)]
struct Managed {
    #[prost(string, tag = "1")]
    manager: String,
    #[prost(string, tag = "2")]
    operation: String,
    #[prost(message, optional, tag = "4")]
    time: Option<Moment>,
    #[prost(message, optional, tag = "7")]
    fields_v1: Option<Fields>,
    #[prost(string, tag = "8")]
    subresource: String,
}

/// `fieldsV1`: JSON wherever it comes. In protobuf it is a piece of bytes, which nobody reads unless it may tell something.
#[derive(Deserialize, Clone, Message)]
#[serde(from = "FieldTree")]
struct Fields {
    #[prost(bytes = "bytes", tag = "1")]
    raw: Bytes,
    /// What was in it, once it is read; the server has no field of this number.
    #[prost(bool, tag = "536870911")]
    sets_image: bool,
}

impl From<FieldTree> for Fields {
    fn from(tree: FieldTree) -> Self {
        Self { raw: Bytes::new(), sets_image: tree.sets_image() }
    }
}

impl Fields {
    fn sets_image(&self) -> bool {
        let may_set = || memmem::find(&self.raw, br#""f:image""#).is_some();
        let sets = || serde_json::from_slice(&self.raw).is_ok_and(|tree: FieldTree| tree.sets_image());
        self.sets_image || (may_set() && sets())
    }
}

/// The one path of `fieldsV1` that tells who set a container's image.
#[derive(Deserialize, Default)]
#[serde(default)]
struct FieldTree {
    #[serde(rename = "f:spec")]
    spec: Option<SpecFields>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SpecFields {
    #[serde(rename = "f:containers")]
    containers: Option<BTreeMap<String, ContainerFields>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ContainerFields {
    #[serde(rename = "f:image")]
    image: Option<IgnoredAny>,
}

impl FieldTree {
    fn sets_image(&self) -> bool {
        let containers = self.spec.as_ref().and_then(|spec| spec.containers.as_ref());
        containers.is_some_and(|containers| containers.values().any(|container| container.image.is_some()))
    }
}

fn manager(managed: &Managed) -> FieldManager {
    FieldManager { name: managed.manager.clone(), time: seconds(managed.time) }
}

impl From<Meta> for ObservedMeta {
    fn from(meta: Meta) -> Self {
        let managed = meta.managed_fields;
        let ours = |it: &&Managed| it.manager == FIELD_MANAGER;
        let others = managed.iter().filter(|it| !ours(it) && it.subresource.is_empty());
        let sets_image = |it: &&Managed| it.fields_v1.as_ref().is_some_and(Fields::sets_image);
        let owners = meta.owner_references.into_iter();
        let (controllers, other_owners): (Vec<_>, Vec<_>) = owners.partition(|owner| owner.controller == Some(true));
        Self {
            name: meta.name,
            uid: meta.uid,
            resource_version: meta.resource_version.parse().unwrap_or(0),
            labels: meta.labels.into(),
            annotations: meta.annotations.into(),
            creation_timestamp: seconds(meta.creation_timestamp),
            terminating: meta.deletion_timestamp.is_some(),
            deletion_timestamp: seconds(meta.deletion_timestamp),
            deletion_grace_period_seconds: meta.deletion_grace_period_seconds,
            finalizers: meta.finalizers,
            controller: controllers.into_iter().next().map(|owner| Arc::new(owner.into())),
            other_owners: other_owners.iter().map(|owner| serde_json::json!(owner)).collect(),
            applied_by_flamectl: managed.iter().filter(ours).any(|it| it.operation == "Apply"),
            image_manager: others.clone().find(sets_image).map(|it| it.manager.clone()),
            other_managers: others.map(manager).collect(),
        }
    }
}

impl From<OwnerReference> for Controller {
    fn from(OwnerReference { api_version, kind, name, uid, .. }: OwnerReference) -> Self {
        Self { api_version, kind, name, uid }
    }
}

/// An object as flamectl looks at it, behind its namespace.
pub type Placed = (String, Observed);

/// What an item `T` of a list is turned into as soon as it is parsed, so that no page holds whole objects.
pub struct Slim<T, U>(pub U, PhantomData<T>);

impl<'de, T: Deserialize<'de> + Into<U>, U> Deserialize<'de> for Slim<T, U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|it| Self(it.into(), PhantomData))
    }
}

impl Share for Placed {
    fn share(&mut self, other: &Self) {
        if let (Observed::Pod(pod), Observed::Pod(other)) = (&mut self.1, &other.1) {
            pod.share(other);
        }
    }
}

impl From<ConfigMap> for Placed {
    fn from(it: ConfigMap) -> Self {
        (it.metadata.namespace.clone(), Observed::ConfigMap(it.into()))
    }
}

impl From<Service> for Placed {
    fn from(it: Service) -> Self {
        (it.metadata.namespace.clone(), Observed::Service(it.into()))
    }
}

impl From<Pod> for Placed {
    fn from(it: Pod) -> Self {
        (it.metadata.namespace.clone(), Observed::Pod(Box::new(it.into())))
    }
}

#[derive(Deserialize, Clone, Debug)]
pub struct ConfigMap {
    #[serde(deserialize_with = "of_object")]
    metadata: Meta,
    #[serde(default)]
    data: Option<BTreeMap<String, String>>,
    #[serde(default)]
    immutable: bool,
}

impl ConfigMap {
    /// Returns `metadata.namespace`.
    pub fn namespace(&self) -> &str {
        &self.metadata.namespace
    }
}

impl From<ConfigMap> for ObservedConfigMap {
    fn from(it: ConfigMap) -> Self {
        Self { meta: it.metadata.into(), data: it.data.unwrap_or_default(), immutable: it.immutable }
    }
}

#[derive(Deserialize, Clone, Debug)]
pub struct Service {
    #[serde(deserialize_with = "of_object")]
    metadata: Meta,
    #[serde(default)]
    spec: ServiceSpec,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct ServiceSpec {
    ports: Vec<Port>,
    selector: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Port {
    name: String,
    port: u16,
    target_port: Option<serde_json::Value>,
    protocol: String,
}

impl From<Service> for ObservedService {
    fn from(it: Service) -> Self {
        let port = |port: Port| ObservedPort {
            name: port.name,
            port: port.port,
            target_port: match port.target_port {
                Some(serde_json::Value::String(name)) => name,
                Some(number) => number.to_string(),
                None => port.port.to_string(),
            },
            protocol: port.protocol,
        };
        Self {
            meta: it.metadata.into(),
            ports: it.spec.ports.into_iter().map(port).collect(),
            selector: it.spec.selector.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize, Clone, Message)]
pub struct Pod {
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "of_object")]
    metadata: Meta,
    #[prost(message, required, tag = "2")]
    #[serde(default)]
    spec: PodSpec,
    #[prost(message, required, tag = "3")]
    #[serde(default)]
    status: PodStatus,
}

#[derive(Deserialize, Clone, Message)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    #[prost(message, repeated, tag = "2")]
    containers: Vec<Container>,
    #[prost(string, tag = "10")]
    node_name: String,
    #[prost(string, tag = "16")]
    hostname: String,
    #[prost(message, repeated, tag = "20")]
    init_containers: Vec<Container>,
    #[prost(message, repeated, tag = "38")]
    scheduling_gates: Vec<Gate>,
}

#[derive(Deserialize, Clone, Message)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    image: String,
    #[prost(message, required, tag = "8")]
    resources: Resources,
    #[prost(string, tag = "24")]
    restart_policy: String,
}

#[derive(Deserialize, Clone, Message)]
#[serde(default)]
struct Resources {
    #[prost(btree_map = "string, message", tag = "1")]
    #[serde(deserialize_with = "null_is_default")]
    limits: BTreeMap<String, Quantity>,
    #[prost(btree_map = "string, message", tag = "2")]
    #[serde(deserialize_with = "null_is_default")]
    requests: BTreeMap<String, Quantity>,
}

#[derive(Deserialize, Clone, PartialEq, Message)]
#[serde(transparent)]
struct Quantity {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Deserialize, Clone, Message)]
#[serde(default)]
struct Gate {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Deserialize, Clone, Message)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    #[prost(string, tag = "1")]
    phase: String,
    #[prost(message, repeated, tag = "2")]
    conditions: Vec<Condition>,
    #[prost(string, tag = "3")]
    message: String,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(string, tag = "6")]
    #[serde(rename = "podIP")]
    pod_ip: String,
    #[prost(message, optional, tag = "7")]
    start_time: Option<Moment>,
    #[prost(message, repeated, tag = "8")]
    container_statuses: Vec<ContainerStatus>,
    #[prost(message, repeated, tag = "10")]
    init_container_statuses: Vec<ContainerStatus>,
    #[prost(string, tag = "11")]
    nominated_node_name: String,
}

#[derive(Deserialize, Clone, Message)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[prost(string, tag = "1")]
    r#type: String,
    #[prost(string, tag = "2")]
    status: String,
    #[prost(message, optional, tag = "4")]
    last_transition_time: Option<Moment>,
    #[prost(string, tag = "5")]
    reason: String,
    #[prost(string, tag = "6")]
    message: String,
}

#[derive(Deserialize, Clone, Message)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, required, tag = "2")]
    state: ContainerState,
    #[prost(message, required, tag = "3")]
    last_state: ContainerState,
    #[prost(bool, tag = "4")]
    ready: bool,
    #[prost(int32, tag = "5")]
    restart_count: i32,
    #[prost(string, optional, tag = "6")]
    image: Option<String>,
    #[prost(bool, tag = "9")]
    started: bool,
}

#[derive(Deserialize, Clone, Message)]
#[serde(default)]
struct ContainerState {
    #[prost(message, optional, tag = "1")]
    waiting: Option<Waiting>,
    #[prost(message, optional, tag = "2")]
    running: Option<Running>,
    #[prost(message, optional, tag = "3")]
    terminated: Option<Terminated>,
}

#[derive(Deserialize, Clone, Message)]
#[serde(default)]
struct Waiting {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    message: String,
}

#[derive(Deserialize, Clone, Message)]
#[serde(rename_all = "camelCase", default)]
struct Running {
    #[prost(message, optional, tag = "1")]
    started_at: Option<Moment>,
}

#[derive(Deserialize, Clone, Message)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    #[prost(int32, tag = "1")]
    exit_code: i32,
    #[prost(int32, tag = "2")]
    signal: i32,
    #[prost(string, tag = "3")]
    reason: String,
    #[prost(string, tag = "4")]
    message: String,
    #[prost(message, optional, tag = "5")]
    started_at: Option<Moment>,
    #[prost(message, optional, tag = "6")]
    finished_at: Option<Moment>,
}

impl Pod {
    /// Returns `metadata.namespace`.
    pub fn namespace(&self) -> &str {
        &self.metadata.namespace
    }
}

impl From<Pod> for ObservedPod {
    fn from(mut it: Pod) -> Self {
        let index_label = it.metadata.labels.remove(names::LABEL_POD_INDEX);
        let status = it.status;
        let own = it.spec.containers.iter().find(|container| is_flames(&container.name)).or(it.spec.containers.first());
        let own_name = own.map_or("", |own| own.name.as_str());
        let running_image =
            named(&status.container_statuses, own_name).and_then(|it| it.image.as_deref().map(Arc::from));
        let blamed = blamed(&it.spec, &status, own_name);
        let other = blamed.filter(|(container, init)| *init || container.name != own_name);
        let blamed = blamed.map(|(container, _)| container.clone()).unwrap_or_default();
        let waiting = blamed.state.waiting.unwrap_or_default();
        let ended = blamed.state.terminated.map(|it| (it, false));
        let ended = ended.or(blamed.last_state.terminated.map(|it| (it, true)));
        let disruption = condition(&status, "DisruptionTarget").filter(|it| it.status == "True").map(Condition::why);
        let (mut requests, mut limits) = (Amounts::default(), Amounts::default());
        for container in &it.spec.containers {
            requests.add_all(&amounts(&container.resources.requests));
            limits.add_all(&amounts(&container.resources.limits));
        }
        Self {
            index_label: index_label.map(String::into_boxed_str),
            requests,
            limits,
            image: own.map(|own| own.image.as_str().into()).unwrap_or_default(),
            running_image,
            phase: match status.phase.as_str() {
                "Running" => Phase::Running,
                "Succeeded" => Phase::Succeeded,
                "Failed" => Phase::Failed,
                _ => Phase::Pending,
            },
            ready: condition(&status, "Ready").is_some_and(|it| it.status == "True"),
            conditions: conditions(&status),
            disruption,
            other_container: other.map(|(container, init)| Box::new(other_container(&it.spec, container, init))),
            waiting_reason: filled(waiting.reason),
            waiting_message: filled(waiting.message),
            started_at: seconds(blamed.state.running.and_then(|running| running.started_at)),
            started: blamed.started,
            ended: ended.map(|(terminated, previous)| Box::new(terminated.ended(previous))),
            restart_count: blamed.restart_count.try_into().unwrap_or(0),
            hostname: filled(it.spec.hostname),
            node: filled(it.spec.node_name),
            scheduling_gates: it.spec.scheduling_gates.into_iter().map(|gate| gate.name).collect(),
            pod_ip: filled(status.pod_ip),
            start_time: seconds(status.start_time),
            nominated_node: filled(status.nominated_node_name),
            reason: filled(status.reason),
            message: filled(status.message),
            meta: it.metadata.into(),
        }
    }
}

impl From<Pod> for Box<ObservedPod> {
    fn from(it: Pod) -> Self {
        Self::new(it.into())
    }
}

fn amounts(quantities: &BTreeMap<String, Quantity>) -> Amounts {
    quantities.iter().map(|(name, quantity)| (name, &quantity.text)).collect()
}

/// Tells whether a container bears a name that flamectl gives; others come from webhooks.
fn is_flames(name: &str) -> bool {
    Component::WITH_PODS.iter().any(|component| component.name() == name)
}

fn named<'a>(containers: &'a [ContainerStatus], name: &str) -> Option<&'a ContainerStatus> {
    containers.iter().find(|it| it.name == name).or(containers.first())
}

/// Returns the container whose state tells most of the Pod's, and whether it is an init container: the init container whose
/// turn it is, else the one that is worst off, Flame's own before others.
fn blamed<'a>(spec: &PodSpec, status: &'a PodStatus, own: &str) -> Option<(&'a ContainerStatus, bool)> {
    let is_sidecar = |name: &str| {
        let always = |it: &Container| it.restart_policy == "Always";
        spec.init_containers.iter().any(|it| it.name == name && always(it))
    };
    if let Some(init) = status.init_container_statuses.iter().find(|it| !it.is_initialized(is_sidecar(&it.name))) {
        return Some((init, true));
    }
    let others = status.container_statuses.iter().filter(|it| it.name != own);
    let containers = named(&status.container_statuses, own).into_iter().chain(others);
    // Of equals `max_by_key` takes the last.
    containers.rev().max_by_key(|it| it.trouble()).map(|it| (it, false))
}

impl ContainerStatus {
    /// Tells whether the next init container may start: it ended well, or it is a sidecar that has started. A kubelet writes
    /// `started` of any that runs.
    fn is_initialized(&self, is_sidecar: bool) -> bool {
        let ended_well = self.state.terminated.as_ref().is_some_and(|it| it.exit_code == 0);
        ended_well || (is_sidecar && self.started && self.state.running.is_some())
    }

    /// Returns how badly off it is, as a rank.
    fn trouble(&self) -> u8 {
        let waits_for_something = self.state.waiting.as_ref().is_some_and(|waiting| !is_ordinary(waiting));
        match () {
            () if self.ready => 0,
            () if waits_for_something => 3,
            () if self.state.terminated.is_some() => 2,
            () => 1,
        }
    }
}

/// Tells whether a container waits as each does before its first start.
fn is_ordinary(waiting: &Waiting) -> bool {
    matches!(waiting.reason.as_str(), "" | "ContainerCreating" | "PodInitializing")
}

fn other_container(spec: &PodSpec, status: &ContainerStatus, init: bool) -> OtherContainer {
    let containers = if init { &spec.init_containers } else { &spec.containers };
    let image = containers.iter().find(|it| it.name == status.name).map(|it| it.image.clone());
    OtherContainer { name: status.name.clone(), image: image.unwrap_or_default(), init }
}

fn condition<'a>(status: &'a PodStatus, name: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.r#type == name)
}

fn conditions(status: &PodStatus) -> Conditions {
    let of = |name: &str| condition(status, name).map(Condition::observed);
    Conditions {
        scheduled: of("PodScheduled"),
        ready_to_start: of("PodReadyToStartContainers"),
        initialized: of("Initialized"),
        containers_ready: of("ContainersReady"),
        ready: of("Ready"),
    }
}

impl Condition {
    fn observed(&self) -> observed::Condition {
        let is_true = self.status == "True";
        let why = (!is_true && !self.reason.is_empty()).then(|| self.why());
        observed::Condition { is_true, since: seconds(self.last_transition_time), why }
    }

    fn why(&self) -> Box<Reason> {
        Box::new(Reason { reason: self.reason.clone(), message: self.message.clone() })
    }
}

impl Terminated {
    fn ended(self, previous: bool) -> Ended {
        Ended {
            exit_code: self.exit_code,
            signal: Some(self.signal).filter(|signal| *signal != 0),
            reason: self.reason,
            message: self.message,
            started_at: seconds(self.started_at),
            finished_at: seconds(self.finished_at),
            previous,
        }
    }
}

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;
