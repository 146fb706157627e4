//! What is read of Pods beyond their status: events and nodes.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Condition, Meta};
use crate::flame::events::{EventType, ObservedEvent, is_of_flame};
use crate::flame::evidence::NodeNote;
use crate::flame::names::FIELD_MANAGER;

/// An event (events.k8s.io): reporters of the new kind write `eventTime` and `series`, those of the old kind the deprecated
/// fields.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    metadata: EventMeta,
    r#type: String,
    reason: Option<String>,
    note: Option<String>,
    reporting_controller: String,
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

    /// Tells whether `watch` wrote it: what it put right is no evidence of why something fails.
    pub fn is_ours(&self) -> bool {
        self.reporting_controller == FIELD_MANAGER
    }

    /// Tells whether it is about one of a flame's objects.
    pub fn is_of_flame(&self, flame: &str) -> bool {
        is_of_flame(flame, &self.regarding.kind, &self.regarding.name)
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

    #[test]
    fn what_watch_wrote_is_told_apart() {
        let by = |reporter: &str| {
            let event =
                serde_json::json!({ "type": "Warning", "reason": "Contested", "reportingController": reporter });
            serde_json::from_value::<Event>(event).unwrap().is_ours()
        };
        assert_eq!((by("flamectl"), by("kubelet"), by("")), (true, false, false));
    }
}
