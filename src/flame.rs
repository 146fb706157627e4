//! The FlameCluster as the reference defines it, with its defaults.
//!
//! Pure: this layer imports std (no files, network, environment or clock), serde, k8s_openapi, the YAML and pattern crates,
//! a hash and jiff's times.
//! A [`FlameCluster`] that [`parse`] returned is valid; everything below may rely on that.

pub mod amounts;
pub mod answers;
pub mod client;
pub mod conditions;
pub mod config;
pub mod crd;
pub mod disruption;
pub mod election;
pub mod events;
pub mod evidence;
pub mod generation;
pub mod hostname;
pub mod install;
pub mod logs;
pub mod manifests;
pub mod mask;
pub mod names;
pub mod observed;
pub mod owner;
pub mod parse;
pub mod plan;
pub mod preflight;
pub mod rbac;
pub mod reports;
pub mod rollout;
pub mod schema;
pub mod selector;
mod spliced;
pub mod stage;
pub mod state;
pub mod template;
#[cfg(test)]
pub(crate) mod testing;
pub mod timeline;
pub mod user;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The `apiVersion` that this flamectl reads.
pub const API_VERSION: &str = "flame.xflops.io/v1alpha1";
/// The `kind` that this flamectl reads.
pub const KIND: &str = "FlameCluster";

/// A FlameCluster (reference: "FlameCluster Configuration Reference").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlameCluster {
    /// Always [`API_VERSION`].
    pub api_version: String,
    /// Always [`KIND`].
    pub kind: String,
    /// Name, namespace, labels and annotations.
    pub metadata: Metadata,
    /// What the user wants.
    pub spec: Spec,
}

/// `metadata` (reference: "Metadata").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// `metadata.name`, at most 47 characters, a DNS-1035 label.
    pub name: String,
    /// `metadata.namespace`; a command fills it in from its flags or the kubeconfig, else `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `metadata.labels`, put onto every object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`, put onto every object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// `spec` (reference: "Spec").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// `spec.sessionManager`.
    pub session_manager: SessionManager,
    /// `spec.executorManager`.
    pub executor_manager: ExecutorManager,
    /// `spec.objectCache`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub object_cache: ObjectCache,
}

/// `spec.sessionManager` (reference: "sessionManager").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionManager {
    /// Container image.
    pub image: String,
    /// Default `{}`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub resources: Resources,
    /// Resource slot definition, as `cpu=1,mem=1g`; default `""`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub slot: String,
    /// Scheduling policy, as `priority`; default `""`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub policy: String,
    /// Storage backend URI, as `sqlite://flame.db`; default `""`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub storage: String,
}

/// `spec.executorManager` (reference: "executorManager").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutorManager {
    /// Container image.
    pub image: String,
    /// Number of executor manager Pods, 0 to [`names::MAX_REPLICAS`]; default 1.
    #[serde(default = "default_replicas")]
    pub replicas: u32,
    /// Default `{}`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub resources: Resources,
    /// Executor shim type, `host` or `wasm`; default `""`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shim: String,
    /// Maximum executor count per manager; 0, the default, leaves the choice to Flame.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_executors: u32,
}

impl Default for ExecutorManager {
    fn default() -> Self {
        Self {
            image: String::new(),
            replicas: default_replicas(),
            resources: Resources::default(),
            shim: String::new(),
            max_executors: 0,
        }
    }
}

/// `spec.objectCache` (reference: "objectCache").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectCache {
    /// A pattern for the network interface, as `eth0`; default `""`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub network_interface: String,
    /// Cache storage path, as `/var/lib/flame/cache`; default `""`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub storage: String,
}

/// Kubernetes' ResourceRequirements: quantities by resource name, as the user wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// `resources.requests`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, String>,
    /// `resources.limits`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, String>,
}

impl FlameCluster {
    /// Returns the namespace; `default` where nobody named one (reference: "Metadata").
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or("default")
    }
}

fn default_replicas() -> u32 {
    names::DEFAULT_REPLICAS
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
