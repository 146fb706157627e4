//! What holds for a flame that the reader accepts: it can be written and read again, and everything made of it says the same.

use arbitrary::Unstructured;
use flamectl::commands::render;
use flamectl::flame::manifests::{Manifests, TemplateHash, manifests};
use flamectl::flame::names::{self, Component};
use flamectl::flame::parse::parse;
use flamectl::flame::{FlameCluster, Resources};
use flamectl::output;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::flames;

/// More executors are only more of the same, and take long to render.
const MAX_RENDERED: u32 = 1;

/// Checks the flame in `input`, if there is one.
#[track_caller]
pub fn check(input: &[u8]) {
    if let Some(flame) = parse("f.yaml", input).flame {
        holds(&flame);
    }
}

/// Makes a flame from `bytes`, any of which will do, and checks it.
#[track_caller]
pub fn generated(bytes: &[u8]) {
    holds(&flames::flame(&mut Unstructured::new(bytes)));
}

/// Checks that `flame` is read from what it is written as, and that its objects say the same.
#[track_caller]
pub fn holds(flame: &FlameCluster) {
    reads(&output::yaml(&[flame]).unwrap(), flame);
    reads(&serde_json::to_string(flame).unwrap(), flame);
    reads(&serde_json::to_string_pretty(flame).unwrap(), flame);
    // Only what does not fit into its record is refused.
    if let Ok(manifests) = manifests(flame) {
        renders(manifests);
    }
}

#[track_caller]
fn reads(text: &str, flame: &FlameCluster) {
    let parsed = parse("f.yaml", text.as_bytes());
    assert_eq!(parsed.flame.as_ref(), Some(flame), "{:?} of {text}", parsed.problems);
}

#[track_caller]
fn renders(manifests: Manifests) {
    let recorded: FlameCluster = serde_json::from_str(&manifests.spec_json()).unwrap();
    assert_eq!(recorded, manifests.flame);
    for component in Component::WITH_PODS {
        let hash = manifests.template_hash(component);
        assert_eq!(&TemplateHash::parse(&hash.to_string()), hash);
    }
    config(&manifests);
    let mut flame = manifests.flame;
    flame.spec.executor_manager.replicas = flame.spec.executor_manager.replicas.min(MAX_RENDERED);
    let manifests = flamectl::flame::manifests::manifests(&flame).unwrap();
    let json: Value = serde_json::from_str(&render::json(&manifests).unwrap()).unwrap();
    let yaml = render::yaml(&manifests).unwrap();
    let objects: Vec<Value> =
        serde_yaml::Deserializer::from_str(&yaml).map(|it| Value::deserialize(it).unwrap()).collect();
    assert_eq!(json["items"], json!(objects));
    let caches = usize::from(flame.has_object_cache_pod());
    assert_eq!(objects.len(), 4 + caches + flame.spec.executor_manager.replicas as usize);
    let resources = |object: &Value| object["spec"]["containers"][0]["resources"].clone();
    assert_eq!(resources(&objects[3]), resources_of(&flame.spec.session_manager.resources));
}

fn resources_of(resources: &Resources) -> Value {
    match serde_json::to_value(resources).unwrap() {
        empty if empty == json!({}) => Value::Null,
        resources => resources,
    }
}

/// Checks that Flame reads from its configuration what the flame says; what is empty is not there.
#[track_caller]
fn config(manifests: &Manifests) {
    let flame = &manifests.flame;
    let name = &flame.metadata.name;
    let (session, executor, cache) =
        (&flame.spec.session_manager, &flame.spec.executor_manager, &flame.spec.object_cache);
    let read: Value = serde_yaml::from_str(&manifests.config_text()).unwrap();
    let limits =
        if executor.max_executors == 0 { Value::Null } else { json!({"max_executors": executor.max_executors}) };
    let mut wanted = json!({
        "cluster": {
            "name": name,
            "endpoint": names::session_manager_endpoint(name),
            "slot": session.slot,
            "policy": session.policy,
            "storage": session.storage,
        },
        "executors": {"shim": executor.shim, "limits": limits},
        "cache": {
            "endpoint": names::object_cache_endpoint(name),
            "network_interface": cache.network_interface,
            "storage": cache.storage,
        },
    });
    if flame.has_object_cache_pod() {
        let shim = if executor.shim.is_empty() { Value::Null } else { json!({"shim": executor.shim}) };
        wanted["cluster"]["resreq"] = json!(session.slot);
        wanted["cluster"]["executors"] = shim;
        wanted["cluster"]["limits"] = wanted["executors"]["limits"].clone();
    }
    assert_eq!(read, without_empty(wanted), "{}", manifests.config_text());
}

fn without_empty(mut config: Value) -> Value {
    for section in config.as_object_mut().into_iter().flat_map(|config| config.values_mut()) {
        if let Some(section) = section.as_object_mut() {
            section.retain(|_, value| !value.is_null() && value != "");
        }
    }
    config
}
