//! Every name, label, port and limit of the contract, once, with where it comes from.

use std::collections::BTreeMap;
use std::fmt;

use super::FlameCluster;

/// The field manager of every write (design: rule 1).
pub const FIELD_MANAGER: &str = "flamectl";

/// Largest `spec.executorManager.replicas` (issue: `replicas` 0…10000).
pub const MAX_REPLICAS: u32 = 10_000;
/// `spec.executorManager.replicas` where a file names none (reference: "executorManager").
pub const DEFAULT_REPLICAS: u32 = 1;
/// Longest `metadata.name`: `-session-manager` (16 characters) has to fit into the 63 of a Service name behind it.
pub const MAX_NAME_LENGTH: usize = MAX_DNS_LABEL_LENGTH - "-session-manager".len();
/// Longest DNS label, and so the longest name of a Service, a namespace or a hostname (RFC 1035).
pub const MAX_DNS_LABEL_LENGTH: usize = 63;
/// Longest DNS subdomain, as the prefix of a label key (RFC 1123).
pub const MAX_DNS_SUBDOMAIN_LENGTH: usize = 253;
/// Longest label value, and name part of a label key (Kubernetes: "Labels and Selectors").
pub const MAX_LABEL_LENGTH: usize = 63;

/// Kubernetes' limit for all annotations of an object, keys and values (apimachinery `TotalAnnotationSizeLimitB`).
pub const MAX_ANNOTATIONS_BYTES: usize = 256 << 10;

/// Session manager Service port for clients (reference: "Service Discovery").
pub const SESSION_MANAGER_PORT: u16 = 8080;
/// Port that executors dial: the session manager's port + 1 (flame-facts 1.2).
pub const SESSION_MANAGER_BACKEND_PORT: u16 = 8081;
/// Object cache Service port (reference: "Service Discovery").
pub const OBJECT_CACHE_PORT: u16 = 9090;

/// Where the ConfigMap is mounted in all Pods (reference: "ConfigMap Generation").
pub const CONFIG_MOUNT: &str = "/etc/flame";
/// The ConfigMap's key.
pub const CONFIG_KEY: &str = "flame-cluster.yaml";
/// The value of `FLAME_CONFIG`.
pub const CONFIG_PATH: &str = "/etc/flame/flame-cluster.yaml";

/// Kubernetes' recommended label: the application.
pub const LABEL_NAME: &str = "app.kubernetes.io/name";
/// Kubernetes' recommended label: which flame.
pub const LABEL_INSTANCE: &str = "app.kubernetes.io/instance";
/// Kubernetes' recommended label: which component.
pub const LABEL_COMPONENT: &str = "app.kubernetes.io/component";
/// Kubernetes' recommended label: who manages the object.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The Go operator's label (flame-facts 5).
pub const LABEL_APP: &str = "app";
/// The Go operator's label: which flame (flame-facts 5).
pub const LABEL_CLUSTER: &str = "flame.xflops.io/cluster";
/// The Go operator's label: which executor (flame-facts 5).
pub const LABEL_POD_INDEX: &str = "flame.xflops.io/pod-index";
/// The label keys that flamectl sets itself.
pub const OWN_LABELS: [&str; 7] =
    [LABEL_NAME, LABEL_INSTANCE, LABEL_COMPONENT, LABEL_MANAGED_BY, LABEL_APP, LABEL_CLUSTER, LABEL_POD_INDEX];
/// Everything under this prefix belongs to flamectl and the operator.
pub const RESERVED_PREFIX: &str = "flame.xflops.io/";

/// Hash of the whole rendered Pod template, in parts (see `manifests`).
pub const ANNOTATION_TEMPLATE_HASH: &str = "flame.xflops.io/template-hash";
/// Hash of the config sections that the component reads.
pub const ANNOTATION_CONFIG_HASH: &str = "flame.xflops.io/config-hash";
/// On the record: the normalised FlameCluster as JSON.
pub const ANNOTATION_SPEC: &str = "flame.xflops.io/spec";
/// On the record: the reference's `configGeneration`.
pub const ANNOTATION_CONFIG_GENERATION: &str = "flame.xflops.io/config-generation";

/// The user's word on the Flame that the images hold (see `generation`).
pub const ANNOTATION_FLAME_VERSION: &str = "flame.xflops.io/flame-version";
/// The user's word on the object cache's image, where it has a Pod (see `generation`).
pub const ANNOTATION_OBJECT_CACHE_IMAGE: &str = "flame.xflops.io/object-cache-image";

/// On the record: the flame is being taken down.
pub const ANNOTATION_DOWN: &str = "flame.xflops.io/down";

/// A part of a flame (design: Words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// The ConfigMap.
    Config,
    /// The session manager's Pod and Service.
    SessionManager,
    /// The object cache's Service, and since Flame 0.6 its Pod.
    ObjectCache,
    /// The executor manager's Pods.
    ExecutorManager,
}

impl Component {
    /// The components that may have Pods, in the order in which they are shown.
    pub const WITH_PODS: [Self; 3] = [Self::SessionManager, Self::ObjectCache, Self::ExecutorManager];

    /// Returns the value of [`LABEL_COMPONENT`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::SessionManager => "session-manager",
            Self::ObjectCache => "object-cache",
            Self::ExecutorManager => "executor-manager",
        }
    }

    /// Returns the value of the operator's [`LABEL_APP`]: `flame-` and the component, or `flame-session`-style words it uses.
    pub fn app(self) -> &'static str {
        match self {
            Self::Config => "flame-config",
            Self::SessionManager => "flame-session-manager",
            Self::ObjectCache => "flame-object-cache",
            Self::ExecutorManager => "flame-executor-manager",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kinds of object that flamectl makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// core/v1 ConfigMap: the record.
    ConfigMap,
    /// core/v1 Service.
    Service,
    /// core/v1 Pod.
    Pod,
}

impl Kind {
    /// Returns the plural resource name in a request path.
    pub fn resource(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Service => "services",
            Self::Pod => "pods",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConfigMap => "ConfigMap",
            Self::Service => "Service",
            Self::Pod => "Pod",
        })
    }
}

/// One object of a flame: kind and name; the namespace is the flame's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// Its `metadata.name`.
    pub name: String,
}

impl ObjectRef {
    /// Makes a reference.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// Returns the record's name, `<name>-config`.
pub fn config_map(flame: &str) -> String {
    format!("{flame}-config")
}

/// Returns the name of the session manager's Pod and Service, `<name>-session-manager`.
pub fn session_manager(flame: &str) -> String {
    format!("{flame}-session-manager")
}

/// Returns the name of the object cache's Service and Pod, `<name>-object-cache`.
pub fn object_cache(flame: &str) -> String {
    format!("{flame}-object-cache")
}

/// Returns an executor Pod's name, `<name>-executor-manager-<index>`.
pub fn executor_manager(flame: &str, index: u32) -> String {
    format!("{flame}-executor-manager-{index}")
}

/// Returns the index in an executor Pod's name, only where the name is exactly what [`executor_manager`] makes of it.
///
/// `-executor-manager-01` or `-+1` is a stranger's name, not index 1 (faults B24).
pub fn executor_index(flame: &str, pod: &str) -> Option<u32> {
    let digits = pod.strip_prefix(flame)?.strip_prefix("-executor-manager-")?;
    let index = digits.parse::<u32>().ok()?;
    (digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'))).then_some(index)
}

/// Returns the component whose Pod has this name, whichever flame's it is.
pub fn component_of(pod: &str) -> Option<Component> {
    let object = ObjectRef::new(Kind::Pod, pod);
    PodIndex::of(flame_of(&object)?, pod).map(PodIndex::component)
}

/// One flame among those of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlameKey {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl FlameKey {
    /// Makes a key.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// Returns the key of a flame.
    pub fn of(flame: &FlameCluster) -> Self {
        Self::new(flame.namespace(), &flame.metadata.name)
    }
}

impl fmt::Display for FlameKey {
    /// Writes `namespace/name`, as kubectl does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Returns the name of the flame whose object of this name would be; none where no flame has such an object.
pub fn flame_of(object: &ObjectRef) -> Option<&str> {
    let name = object.name.as_str();
    let flame = match object.kind {
        Kind::ConfigMap => name.strip_suffix("-config"),
        Kind::Service => name.strip_suffix("-session-manager").or_else(|| name.strip_suffix("-object-cache")),
        Kind::Pod => {
            let one = name.strip_suffix("-session-manager").or_else(|| name.strip_suffix("-object-cache"));
            one.or_else(|| {
                let (flame, _) = name.rsplit_once("-executor-manager-")?;
                executor_index(flame, name).map(|_| flame)
            })
        }
    };
    flame.filter(|flame| !flame.is_empty())
}

/// Which of a flame's Pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PodIndex {
    /// The session manager.
    SessionManager,
    /// The object cache, which has a Pod since Flame 0.6.
    ObjectCache,
    /// The executor of this index.
    Executor(u32),
}

impl PodIndex {
    /// Returns which Pod of `flame` has this name, if any has.
    pub fn of(flame: &str, pod: &str) -> Option<Self> {
        match pod.strip_prefix(flame)? {
            "-session-manager" => Some(Self::SessionManager),
            "-object-cache" => Some(Self::ObjectCache),
            _ => executor_index(flame, pod).map(Self::Executor),
        }
    }

    /// Returns the Pod's name.
    pub fn pod_name(self, flame: &str) -> String {
        match self {
            Self::SessionManager => session_manager(flame),
            Self::ObjectCache => object_cache(flame),
            Self::Executor(index) => executor_manager(flame, index),
        }
    }
}

impl PodIndex {
    /// Returns its component.
    pub fn component(self) -> Component {
        match self {
            Self::SessionManager => Component::SessionManager,
            Self::ObjectCache => Component::ObjectCache,
            Self::Executor(_) => Component::ExecutorManager,
        }
    }
}

impl fmt::Display for PodIndex {
    /// Writes `session manager`, `object cache` or `executor 7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionManager => f.write_str("session manager"),
            Self::ObjectCache => f.write_str("object cache"),
            Self::Executor(index) => write!(f, "executor {index}"),
        }
    }
}

/// Returns the session manager's endpoint in the config and in the status (reference: "Auto-Generated Configuration").
pub fn session_manager_endpoint(flame: &str) -> String {
    format!("http://{}:{SESSION_MANAGER_PORT}", session_manager(flame))
}

/// Returns the object cache's endpoint in the config (reference: "Auto-Generated Configuration").
pub fn object_cache_endpoint(flame: &str) -> String {
    format!("grpc://{}:{OBJECT_CACHE_PORT}", object_cache(flame))
}

/// Returns the labels that flamectl puts onto an object of `component`; user labels come besides.
pub fn labels(flame: &FlameCluster, component: Component) -> BTreeMap<String, String> {
    let name = &flame.metadata.name;
    let ours = [
        (LABEL_NAME, "flame"),
        (LABEL_INSTANCE, name),
        (LABEL_COMPONENT, component.name()),
        (LABEL_MANAGED_BY, FIELD_MANAGER),
        (LABEL_APP, component.app()),
        (LABEL_CLUSTER, name),
    ];
    let mut labels = flame.metadata.labels.clone();
    labels.extend(ours.map(|(key, value)| (key.to_owned(), value.to_owned())));
    labels
}

/// Returns the selector that finds a component's Pods: cluster + component (design: Objects).
pub fn selector(flame: &str, component: Component) -> BTreeMap<String, String> {
    BTreeMap::from([
        (LABEL_CLUSTER.to_owned(), flame.to_owned()),
        (LABEL_COMPONENT.to_owned(), component.name().to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objects_name_tells_its_flame() {
        for (kind, name, flame) in [
            (Kind::ConfigMap, "demo-config", Some("demo")),
            (Kind::ConfigMap, "a-config-config", Some("a-config")),
            (Kind::ConfigMap, "kube-root-ca.crt", None),
            (Kind::ConfigMap, "-config", None),
            (Kind::Service, "demo-session-manager", Some("demo")),
            (Kind::Service, "demo-object-cache", Some("demo")),
            (Kind::Service, "demo-executor-manager-0", None),
            (Kind::Pod, "demo-session-manager", Some("demo")),
            (Kind::Pod, "demo-object-cache", Some("demo")),
            (Kind::Pod, "-object-cache", None),
            (Kind::Pod, "a-executor-manager-1-executor-manager-12", Some("a-executor-manager-1")),
            (Kind::Pod, "demo-executor-manager-01", None),
            (Kind::Pod, "demo-executor-manager-", None),
        ] {
            assert_eq!(flame_of(&ObjectRef::new(kind, name)), flame, "{name}");
        }
    }

    #[test]
    fn the_longest_name_is_47_characters() {
        assert_eq!(MAX_NAME_LENGTH, 47);
    }

    #[test]
    fn an_index_is_read_back_only_from_the_canonical_name() {
        for (pod, index) in [
            ("a-executor-manager-0", Some(0)),
            ("a-executor-manager-10000", Some(10_000)),
            ("a-executor-manager-01", None),
            ("a-executor-manager-+1", None),
            ("a-executor-manager--1", None),
            ("a-executor-manager-", None),
            ("a-executor-manager-4294967296", None),
            ("b-executor-manager-1", None),
            ("a-session-manager", None),
        ] {
            assert_eq!(executor_index("a", pod), index, "{pod}");
        }
    }

    #[test]
    fn a_pods_name_tells_its_component() {
        for (pod, component) in [
            ("a-executor-manager-0", Some(Component::ExecutorManager)),
            ("a-session-manager-executor-manager-7", Some(Component::ExecutorManager)),
            ("a-session-manager", Some(Component::SessionManager)),
            ("a-object-cache", Some(Component::ObjectCache)),
            ("a-executor-manager-1-session-manager", Some(Component::SessionManager)),
            ("a-executor-manager-01", None),
            ("a-config", None),
        ] {
            assert_eq!(component_of(pod), component, "{pod}");
        }
    }
}
