//! What the API server sends, cut down to what flamectl looks at: everything else, `managedFields` above all, is dropped
//! while it is parsed, so that ten thousand Pods fit into a few megabytes.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::flame::amounts::Amounts;
use crate::flame::names::FIELD_MANAGER;
use crate::flame::observed::{ObservedConfigMap, ObservedMeta, ObservedPod, ObservedPort, ObservedService, Phase};

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

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    name: String,
    namespace: String,
    uid: String,
    resource_version: String,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    creation_timestamp: Option<String>,
    deletion_timestamp: Option<IgnoredAny>,
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

impl From<Meta> for ObservedMeta {
    fn from(meta: Meta) -> Self {
        let managed = meta.managed_fields.unwrap_or_default();
        let ours = |it: &&Managed| it.manager == FIELD_MANAGER;
        let others = managed.iter().filter(|it| !ours(it) && it.subresource.is_empty());
        let owners = meta.owner_references.unwrap_or_default().into_iter();
        let (controllers, other_owners): (Vec<_>, Vec<_>) = owners.partition(|owner| owner["controller"] == true);
        let named = |owner: &serde_json::Value| {
            format!("{}/{}", owner["kind"].as_str().unwrap_or_default(), owner["name"].as_str().unwrap_or_default())
        };
        Self {
            name: meta.name,
            uid: meta.uid,
            resource_version: meta.resource_version.parse().unwrap_or(0),
            labels: meta.labels.unwrap_or_default(),
            annotations: meta.annotations.unwrap_or_default(),
            creation_timestamp: meta.creation_timestamp.unwrap_or_default(),
            terminating: meta.deletion_timestamp.is_some(),
            finalizers: meta.finalizers.unwrap_or_default(),
            controller: controllers.first().map(named),
            other_owners,
            applied_by_flamectl: managed.iter().filter(ours).any(|it| it.operation == "Apply"),
            image_manager: others.clone().filter(|it| it.sets_image()).map(|it| it.manager.clone()).next(),
            other_managers: others.map(|it| it.manager.clone()).collect(),
        }
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
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct Container {
    image: Option<String>,
    resources: Resources,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct Resources {
    requests: Option<Amounts>,
    limits: Option<Amounts>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    phase: String,
    reason: Option<String>,
    message: Option<String>,
    conditions: Vec<Condition>,
    init_container_statuses: Vec<ContainerStatus>,
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
    reason: String,
    message: String,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    image: Option<String>,
    restart_count: u32,
    state: ContainerState,
    last_state: ContainerState,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct ContainerState {
    waiting: Option<Waiting>,
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
struct Terminated {
    exit_code: Option<i32>,
}

impl Pod {
    /// Returns `metadata.namespace`.
    pub fn namespace(&self) -> &str {
        &self.metadata.namespace
    }
}

impl From<Pod> for ObservedPod {
    fn from(it: Pod) -> Self {
        let status = it.status;
        let condition = |name: &str| status.conditions.iter().find(|condition| condition.r#type == name);
        let all = || status.init_container_statuses.iter().chain(&status.container_statuses);
        // A kubelet says ContainerCreating while it works; whoever waits for something else comes first.
        let waiting = all().filter_map(|it| it.state.waiting.as_ref()).max_by_key(|it| !is_ordinary(it));
        let main = status.container_statuses.first();
        let terminated = all().find_map(|it| it.state.terminated.as_ref().or(it.last_state.terminated.as_ref()));
        let unscheduled = condition("PodScheduled").filter(|it| it.status == "False" && it.reason == "Unschedulable");
        let (mut requests, mut limits) = (Amounts::default(), Amounts::default());
        for container in &it.spec.containers {
            container.resources.requests.iter().for_each(|amounts| requests.add_all(amounts));
            container.resources.limits.iter().for_each(|amounts| limits.add_all(amounts));
        }
        Self {
            requests,
            limits,
            image: it.spec.containers.into_iter().find_map(|container| container.image).unwrap_or_default(),
            running_image: main.and_then(|it| it.image.clone()),
            hostname: it.spec.hostname,
            node: it.spec.node_name,
            phase: match status.phase.as_str() {
                "Running" => Phase::Running,
                "Succeeded" => Phase::Succeeded,
                "Failed" => Phase::Failed,
                _ => Phase::Pending,
            },
            ready: condition("Ready").is_some_and(|it| it.status == "True"),
            unschedulable: unscheduled.map(|it| it.message.clone()),
            waiting_reason: waiting.and_then(|it| it.reason.clone()),
            waiting_message: waiting.and_then(|it| it.message.clone()),
            exit_code: terminated.and_then(|it| it.exit_code),
            restart_count: main.map_or(0, |it| it.restart_count),
            reason: status.reason.clone(),
            message: status.message.clone(),
            meta: it.metadata.into(),
        }
    }
}

fn is_ordinary(waiting: &Waiting) -> bool {
    matches!(waiting.reason.as_deref(), None | Some("ContainerCreating" | "PodInitializing"))
}
