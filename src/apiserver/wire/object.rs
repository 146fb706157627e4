//! FlameCluster objects.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Meta, of_object};
use crate::flame::names::FlameKey;
use crate::flame::observed::Share;
use crate::flame::owner::Owner;
use crate::flame::schema::KUBECTL_ANNOTATION;
use crate::flame::{API_VERSION, KIND};

/// A FlameCluster object as the server sends it.
#[derive(Deserialize)]
pub struct FlameCluster {
    #[serde(deserialize_with = "of_object")]
    metadata: Meta,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Value,
}

/// A FlameCluster object.
#[derive(Clone, Debug, PartialEq)]
pub struct FlameObject {
    /// Which flame it is.
    pub key: FlameKey,
    /// Its name, uid and generation.
    pub owner: Owner,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// Whether it is on its way out.
    pub terminating: bool,
    /// What its user wrote, as JSON: without what the server and kubectl keep in it.
    pub text: String,
    /// `status`; null where it has none.
    pub status: Value,
}

impl Share for FlameObject {}

impl From<FlameCluster> for FlameObject {
    fn from(FlameCluster { metadata, spec, status }: FlameCluster) -> Self {
        let mut annotations = metadata.annotations;
        annotations.remove(KUBECTL_ANNOTATION);
        let text = json!({
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {
                "name": metadata.name,
                "namespace": metadata.namespace,
                "labels": metadata.labels,
                "annotations": annotations,
            },
            "spec": spec,
        });
        Self {
            key: FlameKey::new(metadata.namespace, metadata.name.clone()),
            owner: Owner { name: metadata.name, uid: metadata.uid, generation: metadata.generation },
            resource_version: metadata.resource_version,
            terminating: metadata.deletion_timestamp.is_some(),
            text: text.to_string(),
            status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_what_its_user_wrote_with_what_it_owns_by() {
        let read: FlameCluster = serde_json::from_value(json!({
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {
                "name": "demo", "namespace": "ml", "uid": "u", "generation": 7, "resourceVersion": "42",
                "creationTimestamp": "2026-01-02T03:04:05Z", "deletionTimestamp": "2026-01-02T03:05:05Z",
                "labels": { "team": "ml" }, "annotations": { KUBECTL_ANNOTATION: "{}", "note": "x" },
            },
            "spec": { "sessionManager": { "image": "sm:v1" } },
            "status": { "state": "Running" },
        }))
        .unwrap();
        let object = FlameObject::from(read);
        assert_eq!(object.key, FlameKey::new("ml", "demo"));
        assert_eq!(object.owner, Owner { name: "demo".into(), uid: "u".into(), generation: 7 });
        assert_eq!((object.resource_version.as_str(), object.terminating), ("42", true));
        assert_eq!(object.status, json!({ "state": "Running" }));
        let text: Value = serde_json::from_str(&object.text).unwrap();
        assert_eq!(
            text["metadata"],
            json!({ "name": "demo", "namespace": "ml", "labels": { "team": "ml" }, "annotations": { "note": "x" } })
        );
    }
}
