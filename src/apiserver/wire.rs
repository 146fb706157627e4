//! What the API server sends, cut down to what flamectl looks at: everything else, `managedFields` above all, is dropped
//! while it is parsed, so that ten thousand Pods fit into a few megabytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::flame::events::{EventType, ObservedEvent};
use crate::flame::evidence::NodeNote;
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
        Self {
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

/// An event (events.k8s.io): reporters of the new kind write `eventTime` and `series`, those of the old kind the deprecated
/// fields.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    metadata: EventMeta,
    r#type: String,
    reason: Option<String>,
    note: Option<String>,
    regarding: Regarding,
    event_time: Option<Timestamp>,
    series: Option<Series>,
    deprecated_count: Option<u32>,
    deprecated_first_timestamp: Option<Timestamp>,
    deprecated_last_timestamp: Option<Timestamp>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct EventMeta {
    resource_version: String,
    creation_timestamp: Option<Timestamp>,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct Regarding {
    kind: String,
    name: String,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
struct Series {
    count: u32,
    last_observed_time: Option<Timestamp>,
}

impl Event {
    /// Returns `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        &self.metadata.resource_version
    }
}

impl From<Event> for ObservedEvent {
    fn from(it: Event) -> Self {
        let series = it.series.unwrap_or_default();
        let first_seen = it.event_time.or(it.deprecated_first_timestamp).or(it.metadata.creation_timestamp);
        Self {
            event_type: if it.r#type == "Warning" { EventType::Warning } else { EventType::Normal },
            reason: it.reason.unwrap_or_default(),
            kind: it.regarding.kind,
            name: it.regarding.name,
            note: it.note.unwrap_or_default(),
            count: series.count.max(it.deprecated_count.unwrap_or_default()).max(1),
            first_seen,
            last_seen: [series.last_observed_time, it.deprecated_last_timestamp, first_seen]
                .into_iter()
                .flatten()
                .max(),
        }
    }
}

/// A node, of which only its readiness counts.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
pub struct Node {
    metadata: Meta,
    status: NodeStatus,
}

#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default)]
struct NodeStatus {
    conditions: Vec<Condition>,
}

impl From<Node> for NodeNote {
    fn from(it: Node) -> Self {
        let ready = it.status.conditions.into_iter().find(|condition| condition.r#type == "Ready");
        let message = ready.as_ref().filter(|it| it.status != "True").map(|it| it.message.clone());
        Self {
            name: it.metadata.name,
            ready: Some(ready.is_some_and(|it| it.status == "True")),
            message: message.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn event(json: serde_json::Value) -> ObservedEvent {
        serde_json::from_value::<Event>(json).unwrap().into()
    }

    fn time(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn events_of_both_kinds_of_reporters_are_read() {
        let regarding = serde_json::json!({ "kind": "Pod", "name": "p", "uid": "u" });
        let expected = ObservedEvent {
            event_type: EventType::Warning,
            reason: "BackOff".to_owned(),
            kind: "Pod".to_owned(),
            name: "p".to_owned(),
            note: "back-off".to_owned(),
            count: 7,
            first_seen: time("2026-01-02T03:00:00Z"),
            last_seen: time("2026-01-02T03:05:00Z"),
        };
        let old = event(serde_json::json!({
            "metadata": { "name": "p.1", "creationTimestamp": "2026-01-02T03:00:01Z", "resourceVersion": "5" },
            "type": "Warning", "reason": "BackOff", "note": "back-off", "regarding": regarding,
            "eventTime": null, "deprecatedCount": 7, "deprecatedSource": { "component": "kubelet" },
            "deprecatedFirstTimestamp": "2026-01-02T03:00:00Z", "deprecatedLastTimestamp": "2026-01-02T03:05:00Z",
        }));
        assert_eq!(old, expected);
        let new = event(serde_json::json!({
            "metadata": { "name": "p.2", "creationTimestamp": "2026-01-02T03:00:01Z" },
            "type": "Warning", "reason": "BackOff", "note": "back-off", "regarding": regarding,
            "eventTime": "2026-01-02T03:00:00.000000Z", "deprecatedFirstTimestamp": null,
            "series": { "count": 7, "lastObservedTime": "2026-01-02T03:05:00.000000Z" },
        }));
        assert_eq!(new, expected);
        let bare = event(serde_json::json!({ "metadata": { "creationTimestamp": "2026-01-02T03:00:01Z" } }));
        let created = time("2026-01-02T03:00:01Z");
        assert_eq!(bare, ObservedEvent { count: 1, first_seen: created, last_seen: created, ..Default::default() });
    }

    #[test]
    fn a_node_that_says_nothing_of_its_readiness_is_not_ready() {
        let node = |conditions: serde_json::Value| {
            let json = serde_json::json!({ "metadata": { "name": "n" }, "status": { "conditions": conditions } });
            NodeNote::from(serde_json::from_value::<Node>(json).unwrap())
        };
        let condition = |status: &str| serde_json::json!([{ "type": "Ready", "status": status, "message": "words" }]);
        let note =
            |ready, message: &str| NodeNote { name: "n".to_owned(), ready: Some(ready), message: message.to_owned() };
        assert_eq!(node(condition("True")), note(true, ""));
        assert_eq!(node(condition("Unknown")), note(false, "words"));
        assert_eq!(node(serde_json::json!([])), note(false, ""));
    }
}
