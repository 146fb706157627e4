//! The objects of a flame (design: Objects; Pods as flame-facts 3 and 6 measured that Flame needs them).
//!
//! FlameCluster → [`Manifests`]: one ConfigMap, two Services, one session manager Pod, since Flame 0.6 one object cache Pod,
//! and N executor manager Pods, and the hash by which a Pod tells what it was made from.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, Pod, PodSpec, Probe,
    ResourceRequirements, Service, ServicePort, ServiceSpec, TCPSocketAction, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::config::{self, ConfigText, declared_directories};
use super::generation::Generation;
use super::hostname;
use super::names::{self, Component, Kind, ObjectRef, PodIndex};
use super::owner::Owner;
use super::user;
use super::{FlameCluster, Resources};
use crate::error::{Error, Result};

/// Seconds that a Pod gets to end. As PID 1 no Flame binary reacts to SIGTERM, so more would only delay every delete
/// (flame-facts 1.8).
const TERMINATION_GRACE_PERIOD_SECONDS: i64 = 2;
/// Seconds between two looks at a starting container; the session manager listens after a fraction of one.
const STARTUP_PROBE_PERIOD_SECONDS: i32 = 1;
/// How often the startup probe may fail: with its period, five minutes for a slow disk or a database migration.
const STARTUP_PROBE_FAILURES: i32 = 300;
/// Seconds between two looks at a started container (flame-facts 6).
const READINESS_PROBE_PERIOD_SECONDS: i32 = 2;
/// Hex digits of each part of a template hash: 48 bits, compared only with one other value.
const HASH_DIGITS: usize = 12;

/// Everything that should exist for one flame.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifests {
    /// The flame they were made from, namespace filled in.
    pub flame: FlameCluster,
    /// The FlameCluster object that owns them, where the flame lives as one.
    pub owner: Option<Owner>,
    config: ConfigText,
    session_manager: PodTemplate,
    /// Since Flame 0.6.
    object_cache: Option<PodTemplate>,
    executor_manager: PodTemplate,
}

/// One component's Pod without its name.
#[derive(Clone, Debug, PartialEq)]
struct PodTemplate {
    component: Component,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    spec: PodSpec,
    hash: TemplateHash,
}

/// Returns the objects of `flame`.
///
/// # Errors
/// When the record would be larger than Kubernetes takes.
pub fn manifests(flame: &FlameCluster) -> Result<Manifests> {
    let mut flame = flame.clone();
    flame.metadata.namespace = Some(flame.namespace().to_owned());
    let config = config::config(&flame);
    let manifests = Manifests {
        session_manager: session_manager_template(&flame, &config),
        object_cache: flame.has_object_cache_pod().then(|| object_cache_template(&flame, &config)),
        executor_manager: executor_manager_template(&flame, &config),
        config,
        flame,
        owner: None,
    };
    check_record_size(&manifests.record(1), &manifests.flame)?;
    Ok(manifests)
}

impl Manifests {
    /// Makes them belong to a FlameCluster object.
    pub fn owned_by(self, owner: Option<Owner>) -> Self {
        Self { owner, ..self }
    }

    /// Returns the text of `flame-cluster.yaml`.
    pub fn config_text(&self) -> String {
        self.config.file()
    }

    /// Returns the recorded FlameCluster: the value of [`names::ANNOTATION_SPEC`].
    pub fn spec_json(&self) -> String {
        to_json(&self.flame)
    }

    /// Returns the record at `config_generation` (design: Objects).
    pub fn record(&self, config_generation: u64) -> ConfigMap {
        let mut metadata = self.metadata(names::config_map(&self.flame.metadata.name), Component::Config);
        metadata.annotations.get_or_insert_default().extend([
            (names::ANNOTATION_SPEC.to_owned(), self.spec_json()),
            (names::ANNOTATION_CONFIG_GENERATION.to_owned(), config_generation.to_string()),
        ]);
        ConfigMap {
            metadata,
            data: Some(BTreeMap::from([(names::CONFIG_KEY.to_owned(), self.config.file())])),
            ..Default::default()
        }
    }

    /// Returns the two Services, session manager first (reference: "Service Discovery").
    pub fn services(&self) -> [Service; 2] {
        let name = &self.flame.metadata.name;
        let session_manager = self.service(
            names::session_manager(name),
            Component::SessionManager,
            Component::SessionManager,
            &[("http", names::SESSION_MANAGER_PORT), ("backend", names::SESSION_MANAGER_BACKEND_PORT)],
        );
        let object_cache = self.service(
            names::object_cache(name),
            Component::ObjectCache,
            // Before Flame 0.6 the object cache lives inside the executor managers (flame-facts 2).
            if self.object_cache.is_some() { Component::ObjectCache } else { Component::ExecutorManager },
            &[("grpc", names::OBJECT_CACHE_PORT)],
        );
        [session_manager, object_cache]
    }

    /// Returns the session manager's Pod.
    pub fn session_manager(&self) -> Pod {
        self.pod(names::session_manager(&self.flame.metadata.name), &self.session_manager)
    }

    /// Returns the object cache's Pod, where it has one.
    pub fn object_cache(&self) -> Option<Pod> {
        let template = self.object_cache.as_ref()?;
        Some(self.pod(names::object_cache(&self.flame.metadata.name), template))
    }

    /// Returns the Pod that `index` says; none where the flame has no such component. There is one of every index.
    pub fn pod_of(&self, index: PodIndex) -> Option<Pod> {
        match index {
            PodIndex::SessionManager => Some(self.session_manager()),
            PodIndex::ObjectCache => self.object_cache(),
            PodIndex::Executor(index) => Some(self.executor_manager(index)),
        }
    }

    /// Returns the components that have Pods.
    pub fn components(&self) -> impl Iterator<Item = Component> + '_ {
        Component::WITH_PODS.into_iter().filter(|it| *it != Component::ObjectCache || self.object_cache.is_some())
    }

    /// Returns the executor manager Pod of `index`.
    pub fn executor_manager(&self, index: u32) -> Pod {
        let mut pod = self.pod(names::executor_manager(&self.flame.metadata.name, index), &self.executor_manager);
        let labels = pod.metadata.labels.get_or_insert_default();
        labels.insert(names::LABEL_POD_INDEX.to_owned(), index.to_string());
        // Of this Pod alone, like its index, and so no part of the template that the hash is of.
        pod.spec.get_or_insert_default().hostname = hostname::first(&self.flame.metadata.name, index);
        pod
    }

    /// Returns what the annotation [`names::ANNOTATION_TEMPLATE_HASH`] of a Pod of `component` should say.
    pub fn template_hash(&self, component: Component) -> &TemplateHash {
        &self.template(component).hash
    }

    /// Returns the labels of a Pod of `component`, but for the index.
    pub fn pod_labels(&self, component: Component) -> &BTreeMap<String, String> {
        &self.template(component).labels
    }

    /// Returns the spec of a Pod of `component`.
    pub fn pod_spec(&self, component: Component) -> &PodSpec {
        &self.template(component).spec
    }

    /// Returns the image of a Pod of `component`.
    pub fn image(&self, component: Component) -> &str {
        let container = self.pod_spec(component).containers.first();
        container.and_then(|container| container.image.as_deref()).unwrap_or_default()
    }

    /// Returns every object in the order in which `up` needs them: record, Services, session manager, object cache,
    /// executors.
    pub fn objects(&self) -> impl Iterator<Item = ObjectRef> {
        let name = self.flame.metadata.name.clone();
        let fixed = [
            ObjectRef::new(Kind::ConfigMap, names::config_map(&name)),
            ObjectRef::new(Kind::Service, names::session_manager(&name)),
            ObjectRef::new(Kind::Service, names::object_cache(&name)),
            ObjectRef::new(Kind::Pod, names::session_manager(&name)),
        ];
        let object_cache = self.object_cache.as_ref().map(|_| ObjectRef::new(Kind::Pod, names::object_cache(&name)));
        let executors = 0..self.flame.spec.executor_manager.replicas;
        fixed
            .into_iter()
            .chain(object_cache)
            .chain(executors.map(move |index| ObjectRef::new(Kind::Pod, names::executor_manager(&name, index))))
    }

    /// Tells whether the flame has this Pod.
    pub fn wants(&self, which: PodIndex) -> bool {
        match which {
            PodIndex::SessionManager => true,
            PodIndex::ObjectCache => self.object_cache.is_some(),
            PodIndex::Executor(index) => index < self.flame.spec.executor_manager.replicas,
        }
    }

    fn template(&self, component: Component) -> &PodTemplate {
        match component {
            // Before Flame 0.6 the executor managers are the object cache.
            Component::SessionManager => &self.session_manager,
            Component::ObjectCache => self.object_cache.as_ref().unwrap_or(&self.executor_manager),
            _ => &self.executor_manager,
        }
    }

    fn pod(&self, name: String, template: &PodTemplate) -> Pod {
        let mut metadata = self.metadata(name, template.component);
        metadata.annotations = Some(template.annotations.clone());
        Pod { metadata, spec: Some(template.spec.clone()), ..Default::default() }
    }

    fn service(&self, name: String, component: Component, selects: Component, ports: &[(&str, u16)]) -> Service {
        let ports = ports.iter().map(|(name, port)| ServicePort {
            name: Some((*name).to_owned()),
            port: (*port).into(),
            // Server-side apply keys a port by number and protocol, so the protocol has to be said.
            protocol: Some("TCP".to_owned()),
            target_port: Some(IntOrString::Int((*port).into())),
            ..Default::default()
        });
        Service {
            metadata: self.metadata(name, component),
            spec: Some(ServiceSpec {
                ports: Some(ports.collect()),
                selector: Some(names::selector(&self.flame.metadata.name, selects)),
                // A node learns of an address up to a second after it is published, and an executor whose first connection
                // is refused ends (flame-facts 1.6). The session manager's is published from its Pod's start on, before
                // there are executors; it is one Pod, so nobody is sent away from a better one.
                publish_not_ready_addresses: (selects == Component::SessionManager).then_some(true),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn metadata(&self, name: String, component: Component) -> ObjectMeta {
        let annotations = self.flame.metadata.annotations.clone();
        ObjectMeta {
            name: Some(name),
            namespace: Some(self.flame.namespace().to_owned()),
            labels: Some(names::labels(&self.flame, component)),
            annotations: Some(annotations).filter(|annotations| !annotations.is_empty()),
            owner_references: self.owner.as_ref().map(|owner| vec![owner.reference()]),
            ..Default::default()
        }
    }
}

fn session_manager_template(flame: &FlameCluster, config: &ConfigText) -> PodTemplate {
    let spec = &flame.spec.session_manager;
    let container = Container {
        name: Component::SessionManager.name().to_owned(),
        image: Some(spec.image.clone()),
        ports: Some(vec![
            container_port("http", names::SESSION_MANAGER_PORT),
            container_port("backend", names::SESSION_MANAGER_BACKEND_PORT),
        ]),
        resources: resource_requirements(&spec.resources),
        ..Default::default()
    };
    let storage = declared_directories(flame).session_manager;
    let spec = pod_spec(flame, container, Some(names::SESSION_MANAGER_PORT), "storage", storage);
    PodTemplate::new(flame, Component::SessionManager, spec, &config.read_by_session_manager())
}

/// The FlameCluster has no resources for the object cache, and none are invented: what it needs depends on what is put into
/// it. Where a namespace wants them said, a LimitRange says them.
fn object_cache_template(flame: &FlameCluster, config: &ConfigText) -> PodTemplate {
    let container = Container {
        name: Component::ObjectCache.name().to_owned(),
        image: Some(flame.object_cache_image()),
        ports: Some(vec![container_port("grpc", names::OBJECT_CACHE_PORT)]),
        ..Default::default()
    };
    let storage = declared_directories(flame).object_cache;
    let spec = pod_spec(flame, container, Some(names::OBJECT_CACHE_PORT), "cache", storage);
    PodTemplate::new(flame, Component::ObjectCache, spec, config.read_by_object_cache())
}

/// Before Flame 0.6 it holds a part of the object cache; since then it listens on nothing that could be probed, so it is ready
/// as soon as it runs (flame-facts 1.3).
fn executor_manager_template(flame: &FlameCluster, config: &ConfigText) -> PodTemplate {
    let spec = &flame.spec.executor_manager;
    let has_cache = flame.generation() == Generation::Reference;
    let container = Container {
        name: Component::ExecutorManager.name().to_owned(),
        image: Some(spec.image.clone()),
        ports: has_cache.then(|| vec![container_port("grpc", names::OBJECT_CACHE_PORT)]),
        resources: resource_requirements(&spec.resources),
        ..Default::default()
    };
    let storage = declared_directories(flame).object_cache.filter(|_| has_cache);
    let spec = pod_spec(flame, container, has_cache.then_some(names::OBJECT_CACHE_PORT), "cache", storage);
    PodTemplate::new(flame, Component::ExecutorManager, spec, &config.read_by_executor_manager())
}

/// Completes what all components' Pods share around `container`.
fn pod_spec(
    flame: &FlameCluster,
    mut container: Container,
    probed_port: Option<u16>,
    volume: &str,
    directory: Option<String>,
) -> PodSpec {
    // The binaries read no environment variable for their configuration; this makes the reference's FLAME_CONFIG real
    // (flame-facts 1.1). No `command`: newer images have an init as entrypoint.
    container.args = Some(vec!["--config".to_owned(), "$(FLAME_CONFIG)".to_owned()]);
    container.env = Some(environment(flame));
    container.startup_probe = probed_port.map(|port| Probe {
        period_seconds: Some(STARTUP_PROBE_PERIOD_SECONDS),
        failure_threshold: Some(STARTUP_PROBE_FAILURES),
        ..tcp_probe(port)
    });
    container.readiness_probe =
        probed_port.map(|port| Probe { period_seconds: Some(READINESS_PROBE_PERIOD_SECONDS), ..tcp_probe(port) });
    let mut volumes = vec![Volume {
        name: "config".to_owned(),
        config_map: Some(ConfigMapVolumeSource { name: names::config_map(&flame.metadata.name), ..Default::default() }),
        ..Default::default()
    }];
    let mut mounts = vec![VolumeMount {
        name: "config".to_owned(),
        mount_path: names::CONFIG_MOUNT.to_owned(),
        read_only: Some(true),
        ..Default::default()
    }];
    if let Some(mount_path) = directory {
        volumes.push(Volume {
            name: volume.to_owned(),
            empty_dir: Some(EmptyDirVolumeSource::default()),
            ..Default::default()
        });
        mounts.push(VolumeMount { name: volume.to_owned(), mount_path, ..Default::default() });
    }
    container.volume_mounts = Some(mounts);
    PodSpec {
        containers: vec![container],
        volumes: Some(volumes),
        restart_policy: Some("Always".to_owned()),
        termination_grace_period_seconds: Some(TERMINATION_GRACE_PERIOD_SECONDS),
        // Flame talks to its own Services by name and to no Kubernetes API.
        enable_service_links: Some(false),
        automount_service_account_token: Some(false),
        ..Default::default()
    }
}

/// Returns the reference's variables, and the log level without which Flame prints nothing but errors (flame-facts 3).
fn environment(flame: &FlameCluster) -> Vec<EnvVar> {
    let name = &flame.metadata.name;
    let service = |service: String, port: u16| format!("{service}.{}.svc.cluster.local:{port}", flame.namespace());
    [
        ("FLAME_CONFIG", names::CONFIG_PATH.to_owned()),
        ("SESSION_MANAGER_ADDR", service(names::session_manager(name), names::SESSION_MANAGER_PORT)),
        ("OBJECT_CACHE_ADDR", service(names::object_cache(name), names::OBJECT_CACHE_PORT)),
        ("RUST_LOG", "info".to_owned()),
    ]
    .map(|(name, value)| EnvVar { name: name.to_owned(), value: Some(value), ..Default::default() })
    .into()
}

fn container_port(name: &str, port: u16) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: port.into(),
        protocol: Some("TCP".to_owned()),
        ..Default::default()
    }
}

/// All ports speak gRPC and answer neither HTTP GET nor `grpc.health.v1` (flame-facts 1.3).
fn tcp_probe(port: u16) -> Probe {
    Probe {
        tcp_socket: Some(TCPSocketAction { port: IntOrString::Int(port.into()), ..Default::default() }),
        ..Default::default()
    }
}

fn resource_requirements(resources: &Resources) -> Option<ResourceRequirements> {
    let quantities = |of: &BTreeMap<String, String>| {
        let quantities: BTreeMap<_, _> = of.iter().map(|(name, text)| (name.clone(), Quantity(text.clone()))).collect();
        Some(quantities).filter(|quantities| !quantities.is_empty())
    };
    let requirements = ResourceRequirements {
        requests: quantities(&resources.requests),
        limits: quantities(&resources.limits),
        ..Default::default()
    };
    (requirements != ResourceRequirements::default()).then_some(requirements)
}

/// Its annotations hold the flame, and with them the limit is reached long before that of a ConfigMap's data, 1 MiB.
fn check_record_size(record: &ConfigMap, flame: &FlameCluster) -> Result<()> {
    let annotations = record.metadata.annotations.iter().flatten();
    let size: usize = annotations.map(|(key, value)| key.len() + value.len()).sum();
    let max = names::MAX_ANNOTATIONS_BYTES;
    if size <= max {
        return Ok(());
    }
    let fields = [
        ("metadata.annotations", to_json(&flame.metadata.annotations).len()),
        ("metadata.labels", to_json(&flame.metadata.labels).len()),
        ("spec.sessionManager.resources", to_json(&flame.spec.session_manager.resources).len()),
        ("spec.executorManager.resources", to_json(&flame.spec.executor_manager.resources).len()),
    ];
    let (largest, bytes) = fields.into_iter().max_by_key(|(_, bytes)| *bytes).unwrap_or_default();
    Err(Error::input(format!(
        "ConfigMap {} would carry {size} bytes of annotations, Kubernetes takes {max}; {largest} has {bytes} \
         bytes of them",
        record.metadata.name.as_deref().unwrap_or_default()
    ))
    .hint("the record keeps the whole FlameCluster beside the annotations, so they count twice"))
}

impl PodTemplate {
    fn new(flame: &FlameCluster, component: Component, spec: PodSpec, config: &str) -> Self {
        let spec = user::for_user(flame, component, spec);
        let labels = names::labels(flame, component);
        let mut annotations = flame.metadata.annotations.clone();
        let hash = TemplateHash::new(&labels, &annotations, &spec, config);
        annotations.extend([
            (names::ANNOTATION_CONFIG_HASH.to_owned(), hash.config.clone()),
            (names::ANNOTATION_TEMPLATE_HASH.to_owned(), hash.to_string()),
        ]);
        Self { component, labels, annotations, spec, hash }
    }
}

/// The hash of a whole rendered Pod template, in parts, so that a Pod tells not only that it is outdated but in what:
/// no field of the live Pod, which the server and webhooks fill in, needs to be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateHash {
    /// Labels and annotations.
    pub metadata: String,
    /// The container's image.
    pub image: String,
    /// The container's resources.
    pub resources: String,
    /// The config sections that the component reads.
    pub config: String,
    /// All else of the Pod's spec.
    pub pod: String,
}

impl TemplateHash {
    fn new(
        labels: &BTreeMap<String, String>,
        annotations: &BTreeMap<String, String>,
        spec: &PodSpec,
        config: &str,
    ) -> Self {
        let mut rest = spec.clone();
        let container = rest.containers.first_mut();
        let (image, resources) =
            container.map(|container| (container.image.take(), container.resources.take())).unwrap_or_default();
        Self {
            metadata: hash(&(labels, annotations)),
            image: hash(&image),
            resources: hash(&resources),
            config: hash(&config),
            pod: hash(&rest),
        }
    }

    /// Reads the annotation back; a part that is not there is empty and thereby different.
    pub fn parse(text: &str) -> Self {
        let part = |name: &str| {
            let found = text.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or_default().to_owned()
        };
        Self {
            metadata: part("metadata"),
            image: part("image"),
            resources: part("resources"),
            config: part("config"),
            pod: part("pod"),
        }
    }
}

impl fmt::Display for TemplateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metadata, image, resources, config, pod } = self;
        write!(f, "metadata={metadata},image={image},resources={resources},config={config},pod={pod}")
    }
}

fn hash(value: &impl Serialize) -> String {
    let digest = Sha256::digest(to_json(value));
    digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]).take(HASH_DIGITS).filter_map(hex_digit).collect()
}

fn hex_digit(nibble: u8) -> Option<char> {
    char::from_digit(nibble.into(), 16)
}

/// Serialises what cannot fail to serialise: the types here have string keys only.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("manifests have string keys only")
}
