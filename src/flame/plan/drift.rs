//! Which fields somebody changed, from what to what, for those who want to know what was put right.

use std::collections::BTreeMap;
use std::fmt;

use super::{config_generation, ports};
use crate::flame::manifests::Manifests;
use crate::flame::names::{self, Kind, ObjectRef, PodIndex};
use crate::flame::observed::{ObservedMeta, ObservedService, Snapshot};

/// One field that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The field, as `spec.ports[grpc].port`.
    pub field: String,
    /// What it says; none where it is not there.
    pub found: Option<String>,
    /// What it should say; none where it should not be there.
    pub wanted: Option<String>,
}

impl fmt::Display for Drift {
    /// Writes `spec.ports[grpc].port 9999 → 9090`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, found, wanted } = self;
        let or_nothing = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{field} {} → {}", or_nothing(found), or_nothing(wanted))
    }
}

/// Returns the fields of an object that are not as `manifests` has them.
pub fn drift(manifests: &Manifests, snapshot: &Snapshot, object: &ObjectRef) -> Vec<Drift> {
    let mut drift = match object.kind {
        Kind::ConfigMap => record(manifests, snapshot),
        Kind::Service => service(manifests, snapshot, object),
        Kind::Pod => pod(manifests, snapshot, object),
    };
    drift.extend(owner(manifests, snapshot, object));
    drift
}

fn owner(manifests: &Manifests, snapshot: &Snapshot, object: &ObjectRef) -> Option<Drift> {
    let (wanted, observed) = manifests.owner.as_ref().zip(snapshot.meta(object))?;
    let found = observed.controller.as_ref().map(ToString::to_string);
    (!observed.is_controlled_by(Some(wanted))).then(|| Drift {
        field: "metadata.ownerReferences".to_owned(),
        found,
        wanted: Some(format!("{}/{}", crate::flame::KIND, wanted.name)),
    })
}

fn record(manifests: &Manifests, snapshot: &Snapshot) -> Vec<Drift> {
    let Some(observed) = snapshot.record(&manifests.flame.metadata.name) else { return Vec::new() };
    let desired = manifests.record(config_generation(manifests, Some(observed)));
    let mut drift = Vec::new();
    for (key, wanted) in desired.data.unwrap_or_default() {
        let field = format!("data[{key}]");
        match observed.data.get(&key) {
            Some(found) if *found != wanted => drift.push(first_line(&field, found, &wanted)),
            Some(_) => {}
            None => drift.push(Drift { field, found: None, wanted: Some(lines(&wanted)) }),
        }
    }
    let mut annotations = desired.metadata.annotations.unwrap_or_default();
    let spec = annotations.remove(names::ANNOTATION_SPEC);
    drift.extend(metadata(&observed.meta, &desired.metadata.labels.unwrap_or_default(), &annotations));
    if observed.meta.annotations.get(names::ANNOTATION_SPEC) != spec.as_ref() {
        let field = format!("metadata.annotations[{}]", names::ANNOTATION_SPEC);
        drift.push(Drift { field, found: Some("another flame".to_owned()), wanted: Some("this one".to_owned()) });
    }
    drift
}

/// Returns the first line that differs, as texts are too long to be told.
fn first_line(field: &str, found: &str, wanted: &str) -> Drift {
    let mut found = found.lines();
    let mut wanted = wanted.lines();
    let mut number = 1;
    loop {
        match (found.next(), wanted.next()) {
            (Some(a), Some(b)) if a == b => number += 1,
            (a, b) => {
                let line = |line: Option<&str>| line.map(|line| format!("\"{}\"", line.trim()));
                return Drift { field: format!("{field} line {number}"), found: line(a), wanted: line(b) };
            }
        }
    }
}

fn lines(text: &str) -> String {
    format!("{} lines", text.lines().count())
}

fn service(manifests: &Manifests, snapshot: &Snapshot, object: &ObjectRef) -> Vec<Drift> {
    let mut services = manifests.services().into_iter();
    let desired = services.find(|service| service.metadata.name.as_ref() == Some(&object.name));
    let Some((desired, observed)) = desired.zip(snapshot.services.get(&object.name)) else { return Vec::new() };
    let mut drift: Vec<Drift> = ports(&desired).flat_map(|(name, port)| port_drift(observed, name, port)).collect();
    let selector = desired.spec.clone().and_then(|spec| spec.selector).unwrap_or_default();
    drift.extend(map("spec.selector", &observed.selector, &selector));
    let surplus = observed.selector.iter().filter(|(key, _)| !selector.contains_key(*key));
    drift.extend(surplus.map(|(key, value)| Drift {
        field: format!("spec.selector[{key}]"),
        found: Some(value.clone()),
        wanted: None,
    }));
    let wanted = desired.metadata;
    drift.extend(metadata(&observed.meta, &wanted.labels.unwrap_or_default(), &wanted.annotations.unwrap_or_default()));
    drift
}

fn port_drift(observed: &ObservedService, name: &str, port: u16) -> Vec<Drift> {
    let differs = |field: &str, found: Option<String>, wanted: String| {
        let is_wanted = found.as_ref() == Some(&wanted);
        (!is_wanted).then(|| Drift { field: format!("spec.ports[{name}].{field}"), found, wanted: Some(wanted) })
    };
    let by_name = observed.ports.iter().find(|it| it.name == name);
    let found = by_name.or_else(|| observed.ports.iter().find(|it| it.port == port));
    let name_drift = found.and_then(|it| differs("name", Some(it.name.clone()), name.to_owned()));
    let port_drift = differs("port", found.map(|it| it.port.to_string()), port.to_string());
    let is_moved = found.is_some_and(|it| it.port != port && it.target_port == it.port.to_string());
    let target = found.filter(|_| !is_moved);
    let target_drift = target.and_then(|it| differs("targetPort", Some(it.target_port.clone()), port.to_string()));
    let protocol = found.and_then(|it| differs("protocol", Some(it.protocol.clone()), "TCP".to_owned()));
    [name_drift, port_drift, target_drift, protocol].into_iter().flatten().collect()
}

fn pod(manifests: &Manifests, snapshot: &Snapshot, object: &ObjectRef) -> Vec<Drift> {
    let Some(observed) = snapshot.pods.get(&object.name) else { return Vec::new() };
    let name = &manifests.flame.metadata.name;
    let Some(component) = PodIndex::of(name, &object.name).map(PodIndex::component) else { return Vec::new() };
    let index = names::executor_index(name, &object.name);
    let mut drift = Vec::new();
    let image = manifests.image(component);
    if *observed.image != *image {
        let field = format!("spec.containers[{}].image", component.name());
        drift.push(Drift { field, found: Some(observed.image.to_string()), wanted: Some(image.to_owned()) });
    }
    let labels = manifests.pod_labels(component);
    drift.extend(metadata(&observed.meta, labels, &manifests.flame.metadata.annotations));
    let wanted = index.map(|index| index.to_string()).filter(|index| observed.index_label.as_deref() != Some(index));
    drift.extend(wanted.map(|index| Drift {
        field: format!("metadata.labels[{}]", names::LABEL_POD_INDEX),
        found: observed.index_label.as_deref().map(str::to_owned),
        wanted: Some(index),
    }));
    drift
}

fn metadata(
    observed: &ObservedMeta,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> Vec<Drift> {
    let mut drift = map("metadata.labels", &observed.labels, labels);
    drift.extend(map("metadata.annotations", &observed.annotations, annotations));
    drift
}

fn map(field: &str, observed: &BTreeMap<String, String>, desired: &BTreeMap<String, String>) -> Vec<Drift> {
    let differing = desired.iter().filter(|(key, value)| observed.get(*key) != Some(value));
    let drift = differing.map(|(key, value)| Drift {
        field: format!("{field}[{key}]"),
        found: observed.get(key).cloned(),
        wanted: Some(value.clone()),
    });
    drift.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::testing::{flame, running};

    fn told(object: ObjectRef, edit: impl FnOnce(&mut Snapshot)) -> Vec<String> {
        let flame = flame(2);
        let manifests = crate::flame::manifests::manifests(&flame).unwrap();
        let mut snapshot = running(&flame);
        edit(&mut snapshot);
        drift(&manifests, &snapshot, &object).iter().map(Drift::to_string).collect()
    }

    #[test]
    fn what_nobody_changed_has_no_drift() {
        for object in [
            ObjectRef::new(Kind::ConfigMap, "demo-config"),
            ObjectRef::new(Kind::Service, "demo-object-cache"),
            ObjectRef::new(Kind::Service, "demo-session-manager"),
            ObjectRef::new(Kind::Pod, "demo-session-manager"),
            ObjectRef::new(Kind::Pod, "demo-executor-manager-1"),
        ] {
            assert_eq!(told(object.clone(), |_| {}), Vec::<String>::new(), "{object}");
        }
    }

    #[test]
    fn each_field_is_told_with_what_it_was_and_what_it_becomes() {
        let service = ObjectRef::new(Kind::Service, "demo-object-cache");
        let edited = told(service.clone(), |snapshot| {
            let service = snapshot.services.get_mut("demo-object-cache").unwrap();
            service.ports[0].port = 9999;
            service.ports[0].target_port = "9999".into();
            service.selector.insert("app".into(), "else".into());
        });
        assert_eq!(edited, ["spec.ports[grpc].port 9999 → 9090", "spec.selector[app] else → nothing"]);
        let record = ObjectRef::new(Kind::ConfigMap, "demo-config");
        let edited = told(record, |snapshot| {
            let record = snapshot.config_maps.get_mut("demo-config").unwrap();
            let text = record.data.get_mut("flame-cluster.yaml").unwrap();
            *text = text.replace("name: demo", "name: else");
        });
        assert_eq!(edited, [r#"data[flame-cluster.yaml] line 2 "name: else" → "name: demo""#]);
        let pod = ObjectRef::new(Kind::Pod, "demo-executor-manager-1");
        let edited = told(pod, |snapshot| {
            let pod = snapshot.pods.get_mut("demo-executor-manager-1").unwrap();
            pod.image = "else:v2".into();
            pod.index_label = None;
        });
        assert_eq!(
            edited,
            [
                "spec.containers[executor-manager].image else:v2 → em:v1",
                "metadata.labels[flame.xflops.io/pod-index] nothing → 1",
            ]
        );
    }
}
