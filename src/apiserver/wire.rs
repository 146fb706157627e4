//! What the API server sends, cut down to what flamectl looks at: everything else, `managedFields` above all, is dropped
//! while it is parsed, so that ten thousand Pods fit into a few megabytes.

mod evidence;
mod object;

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::flame::amounts::Amounts;
use crate::flame::names::{self, Component, FIELD_MANAGER};
use crate::flame::observed::{
    self, Conditions, Ended, FieldManager, Observed, ObservedConfigMap, ObservedMeta, ObservedPod, ObservedPort,
    ObservedService, OtherContainer, Phase, Reason, Seconds,
};
use crate::flame::owner::Controller;

pub use evidence::{Event, Node};
pub use object::{FlameCluster, FlameObject};

/// A page of a list.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct List<T> {
    pub metadata: ListMeta,
    #[serde(default = "Vec::new", deserialize_with = "null_is_empty")]
    pub items: Vec<T>,
}

/// Reads `null`, which the server writes for an empty PartialObjectMetadataList, as no items.
fn null_is_empty<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Option::<Vec<T>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    pub resource_version: String,
    #[serde(rename = "continue")]
    pub continue_token: String,
}

/// An object of which only the name counts.
#[derive(Deserialize)]
pub struct Named {
    pub metadata: NameMeta,
}

#[derive(Deserialize)]
pub struct NameMeta {
    pub name: String,
}

/// A timestamp as the server writes it; one that is none counts as unknown.
#[derive(Clone, Copy, Debug, Default)]
struct Moment(Option<Seconds>);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self(text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)))
    }
}

fn seconds(moment: Option<Moment>) -> Option<Seconds> {
    moment.and_then(|moment| moment.0)
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    name: String,
    namespace: String,
    uid: String,
    resource_version: String,
    generation: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    creation_timestamp: Option<Moment>,
    deletion_timestamp: Option<Moment>,
    deletion_grace_period_seconds: Option<i64>,
    finalizers: Option<Vec<String>>,
    owner_references: Option<Vec<serde_json::Value>>,
    managed_fields: Option<Vec<Managed>>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Managed {
    manager: String,
    operation: String,
    subresource: String,
    time: Option<Moment>,
    fields_v1: Option<Fields>,
}

/// The one path of `fieldsV1` that tells who set a container's image.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct Fields {
    #[serde(rename = "f:spec")]
    spec: Option<SpecFields>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct SpecFields {
    #[serde(rename = "f:containers")]
    containers: Option<BTreeMap<String, ContainerFields>>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct ContainerFields {
    #[serde(rename = "f:image")]
    image: Option<IgnoredAny>,
}

impl Managed {
    fn sets_image(&self) -> bool {
        let spec = self.fields_v1.as_ref().and_then(|fields| fields.spec.as_ref());
        let containers = spec.and_then(|spec| spec.containers.as_ref());
        containers.is_some_and(|containers| containers.values().any(|container| container.image.is_some()))
    }
}

fn manager(managed: &Managed) -> FieldManager {
    FieldManager { name: managed.manager.clone(), time: seconds(managed.time) }
}

impl From<Meta> for ObservedMeta {
    fn from(meta: Meta) -> Self {
        let managed = meta.managed_fields.unwrap_or_default();
        let ours = |it: &&Managed| it.manager == FIELD_MANAGER;
        let others = managed.iter().filter(|it| !ours(it) && it.subresource.is_empty());
        let owners = meta.owner_references.unwrap_or_default().into_iter();
        let (controllers, other_owners): (Vec<_>, Vec<_>) = owners.partition(|owner| owner["controller"] == true);
        let controller = |owner: &serde_json::Value| {
            let text = |key: &str| owner[key].as_str().unwrap_or_default().to_owned();
            let (api_version, kind, name, uid) = (text("apiVersion"), text("kind"), text("name"), text("uid"));
            Arc::new(Controller { api_version, kind, name, uid })
        };
        Self {
            name: meta.name,
            uid: meta.uid,
            resource_version: meta.resource_version.parse().unwrap_or(0),
            labels: meta.labels.unwrap_or_default().into(),
            annotations: meta.annotations.unwrap_or_default().into(),
            creation_timestamp: seconds(meta.creation_timestamp),
            terminating: meta.deletion_timestamp.is_some(),
            deletion_timestamp: seconds(meta.deletion_timestamp),
            deletion_grace_period_seconds: meta.deletion_grace_period_seconds,
            finalizers: meta.finalizers.unwrap_or_default(),
            controller: controllers.first().map(controller),
            other_owners,
            applied_by_flamectl: managed.iter().filter(ours).any(|it| it.operation == "Apply"),
            image_manager: others.clone().filter(|it| it.sets_image()).map(|it| it.manager.clone()).next(),
            other_managers: others.map(manager).collect(),
        }
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

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct ConfigMap {
    metadata: Meta,
    data: Option<BTreeMap<String, String>>,
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

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Service {
    metadata: Meta,
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

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Pod {
    metadata: Meta,
    spec: PodSpec,
    status: PodStatus,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    node_name: Option<String>,
    hostname: Option<String>,
    containers: Vec<Container>,
    init_containers: Vec<Container>,
    scheduling_gates: Vec<Gate>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    name: String,
    image: Option<String>,
    restart_policy: Option<String>,
    resources: Resources,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct Resources {
    requests: Option<Amounts>,
    limits: Option<Amounts>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct Gate {
    name: String,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    phase: String,
    reason: Option<String>,
    message: Option<String>,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    start_time: Option<Moment>,
    nominated_node_name: Option<String>,
    conditions: Vec<Condition>,
    init_container_statuses: Vec<ContainerStatus>,
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    r#type: String,
    status: String,
    reason: String,
    message: String,
    last_transition_time: Option<Moment>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    name: String,
    image: Option<String>,
    ready: bool,
    started: bool,
    restart_count: u32,
    state: ContainerState,
    last_state: ContainerState,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct ContainerState {
    waiting: Option<Waiting>,
    running: Option<Running>,
    terminated: Option<Terminated>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct Waiting {
    reason: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Running {
    started_at: Option<Moment>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    exit_code: i32,
    signal: Option<i32>,
    reason: String,
    message: String,
    started_at: Option<Moment>,
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
        let index_label = it.metadata.labels.as_mut().and_then(|labels| labels.remove(names::LABEL_POD_INDEX));
        let status = it.status;
        let own = it.spec.containers.iter().find(|container| is_flames(&container.name)).or(it.spec.containers.first());
        let own_name = own.map_or("", |own| own.name.as_str());
        let running_image = named(&status.container_statuses, own_name).and_then(|it| it.image.clone());
        let blamed = blamed(&it.spec, &status, own_name);
        let other = blamed.filter(|(container, init)| *init || container.name != own_name);
        let blamed = blamed.map(|(container, _)| container.clone()).unwrap_or_default();
        let waiting = blamed.state.waiting.unwrap_or_default();
        let ended = blamed.state.terminated.map(|it| (it, false));
        let ended = ended.or(blamed.last_state.terminated.map(|it| (it, true)));
        let disruption = condition(&status, "DisruptionTarget").filter(|it| it.status == "True").map(Condition::why);
        let (mut requests, mut limits) = (Amounts::default(), Amounts::default());
        for container in &it.spec.containers {
            container.resources.requests.iter().for_each(|amounts| requests.add_all(amounts));
            container.resources.limits.iter().for_each(|amounts| limits.add_all(amounts));
        }
        Self {
            index_label: index_label.map(String::into_boxed_str),
            requests,
            limits,
            image: own.and_then(|own| own.image.clone()).unwrap_or_default(),
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
            waiting_reason: waiting.reason,
            waiting_message: waiting.message,
            started_at: seconds(blamed.state.running.and_then(|running| running.started_at)),
            started: blamed.started,
            ended: ended.map(|(terminated, previous)| Box::new(terminated.ended(previous))),
            restart_count: blamed.restart_count,
            hostname: it.spec.hostname,
            node: it.spec.node_name,
            scheduling_gates: it.spec.scheduling_gates.into_iter().map(|gate| gate.name).collect(),
            pod_ip: status.pod_ip,
            start_time: seconds(status.start_time),
            nominated_node: status.nominated_node_name.filter(|name| !name.is_empty()).map(String::into_boxed_str),
            reason: status.reason,
            message: status.message,
            meta: it.metadata.into(),
        }
    }
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
        let always = |it: &Container| it.restart_policy.as_deref() == Some("Always");
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
    matches!(waiting.reason.as_deref(), None | Some("ContainerCreating" | "PodInitializing"))
}

fn other_container(spec: &PodSpec, status: &ContainerStatus, init: bool) -> OtherContainer {
    let containers = if init { &spec.init_containers } else { &spec.containers };
    let image = containers.iter().find(|it| it.name == status.name).and_then(|it| it.image.clone());
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
            signal: self.signal.filter(|signal| *signal != 0),
            reason: self.reason,
            message: self.message,
            started_at: seconds(self.started_at),
            finished_at: seconds(self.finished_at),
            previous,
        }
    }
}

#[cfg(test)]
mod tests;
