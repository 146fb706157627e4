//! Flames and Pods for tables in tests.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::manifests::{Manifests, manifests};
use super::names::{self, Component};
use super::observed::{
    Observed, ObservedConfigMap, ObservedMeta, ObservedPod, ObservedPort, ObservedService, Phase, Snapshot,
};
use super::owner::{Controller, Owner};
use super::{API_VERSION, ExecutorManager, FlameCluster, KIND, Metadata, ObjectCache, SessionManager, Spec};

/// Returns the flame `demo` with this many executors.
pub fn flame(replicas: u32) -> FlameCluster {
    FlameCluster {
        api_version: API_VERSION.into(),
        kind: KIND.into(),
        metadata: Metadata { name: "demo".into(), namespace: Some("default".into()), ..Default::default() },
        spec: Spec {
            session_manager: SessionManager { image: "sm:v1".into(), ..Default::default() },
            executor_manager: ExecutorManager { image: "em:v1".into(), replicas, ..Default::default() },
            object_cache: ObjectCache::default(),
        },
    }
}

/// Returns the flame `demo` of Flame 0.6 with this many executors.
pub fn flame_06(replicas: u32) -> FlameCluster {
    let mut flame = flame(replicas);
    flame.metadata.annotations.insert(names::ANNOTATION_FLAME_VERSION.into(), "0.6".into());
    flame
}

/// Returns a controller of this `Kind/name`, which is no FlameCluster.
pub fn controller(text: &str) -> Controller {
    let (kind, name) = text.split_once('/').unwrap();
    Controller { api_version: "apps/v1".into(), kind: kind.into(), name: name.into(), uid: "uid-other".into() }
}

/// Returns the FlameCluster object `demo` with this uid as an owner.
pub fn owner(uid: &str) -> Owner {
    Owner { name: "demo".into(), uid: uid.into(), generation: 1 }
}

/// Makes everything that is there belong to an owner.
pub fn belongs_to(snapshot: &mut Snapshot, owner: &Owner) {
    let OwnerReference { api_version, kind, name, uid, .. } = owner.reference();
    let controller = Some(Arc::new(Controller { api_version, kind, name, uid }));
    let pods = snapshot.pods.values_mut().map(|it| &mut it.meta);
    let services = snapshot.services.values_mut().map(|it| &mut it.meta);
    let metas = pods.chain(services).chain(snapshot.config_maps.values_mut().map(|it| &mut it.meta));
    metas.for_each(|meta| meta.controller.clone_from(&controller));
}

/// Returns everything of a flame as the server shows it when all is well.
pub fn running(flame: &FlameCluster) -> Snapshot {
    let manifests = manifests(flame).unwrap();
    let name = &flame.metadata.name;
    let mut snapshot = Snapshot::default();
    snapshot.insert(Observed::ConfigMap(record(&manifests)));
    for service in manifests.services() {
        snapshot.insert(Observed::Service(seen_service(service)));
    }
    let session_manager = pod(&manifests, Component::SessionManager, names::session_manager(name));
    snapshot.insert(Observed::Pod(Box::new(session_manager)));
    if flame.has_object_cache_pod() {
        let object_cache = pod(&manifests, Component::ObjectCache, names::object_cache(name));
        snapshot.insert(Observed::Pod(Box::new(object_cache)));
    }
    for index in 0..flame.spec.executor_manager.replicas {
        let mut pod = pod(&manifests, Component::ExecutorManager, names::executor_manager(name, index));
        pod.index_label = Some(index.to_string().into());
        snapshot.insert(Observed::Pod(Box::new(pod)));
    }
    snapshot
}

fn record(manifests: &Manifests) -> ObservedConfigMap {
    let record = manifests.record(1);
    ObservedConfigMap {
        meta: ObservedMeta {
            name: record.metadata.name.unwrap_or_default(),
            uid: "uid-record".into(),
            labels: record.metadata.labels.unwrap_or_default().into(),
            annotations: record.metadata.annotations.unwrap_or_default().into(),
            applied_by_flamectl: true,
            ..Default::default()
        },
        data: record.data.unwrap_or_default(),
        immutable: false,
    }
}

fn seen_service(service: k8s_openapi::api::core::v1::Service) -> ObservedService {
    let spec = service.spec.unwrap_or_default();
    let name = service.metadata.name.unwrap_or_default();
    ObservedService {
        meta: ObservedMeta {
            uid: format!("uid-service-{name}"),
            name,
            labels: service.metadata.labels.unwrap_or_default().into(),
            annotations: service.metadata.annotations.unwrap_or_default().into(),
            applied_by_flamectl: true,
            ..Default::default()
        },
        ports: spec
            .ports
            .unwrap_or_default()
            .into_iter()
            .map(|port| ObservedPort {
                name: port.name.unwrap_or_default(),
                port: port.port as u16,
                target_port: port.port.to_string(),
                protocol: "TCP".into(),
            })
            .collect(),
        selector: spec.selector.unwrap_or_default(),
    }
}

/// Returns a ready Pod as it comes out of `manifests`.
pub fn pod(manifests: &Manifests, component: Component, name: String) -> ObservedPod {
    let hash = manifests.template_hash(component).to_string();
    let mut annotations = manifests.flame.metadata.annotations.clone();
    annotations.insert(names::ANNOTATION_TEMPLATE_HASH.into(), hash);
    let image: std::sync::Arc<str> = manifests.image(component).into();
    ObservedPod {
        meta: ObservedMeta {
            uid: format!("uid-{name}"),
            name,
            labels: manifests.pod_labels(component).clone().into(),
            annotations: annotations.into(),
            applied_by_flamectl: true,
            ..Default::default()
        },
        running_image: Some(image.clone()),
        image,
        node: Some("node-1".into()),
        phase: Phase::Running,
        ready: true,
        ..Default::default()
    }
}
