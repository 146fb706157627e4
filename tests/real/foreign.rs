//! Strangers' objects under a flame's names: nothing is written until they are gone or adopted.

use serde_json::json;

use crate::bed::{Namespace, at, namespace, versions};
use crate::flames::{CACHE, DEMO, MANAGER, RECORD, SERVICE, demo, executor};

/// Returns a stranger's object.
fn stranger(kind: &str, name: &str) -> String {
    let spec = match kind {
        "ConfigMap" => "data: {theirs: 'yes'}",
        "Service" => "spec: {ports: [{port: 80}]}",
        _ => "spec: {containers: [{name: theirs, image: theirs:v1}]}",
    };
    format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{spec}\n")
}

/// Waits until nobody works on the objects any more.
fn settle(space: &Namespace<'_>) {
    let ready = |it: &serde_json::Value| it["kind"] != "Pod" || at(it, "/status/phase") == "Running";
    space.until("all Pods run", |objects| objects.values().all(ready));
}

/// Checks that a stranger's object refuses the whole `up`, and that it is named with its owner.
#[track_caller]
fn check(object: &str) {
    let space = namespace();
    let (kind, name) = object.split_once(' ').unwrap();
    space.apply(&stranger(kind, name), &["--server-side", "--field-manager=strangers-tool"]);
    settle(&space);
    let before = space.objects();
    for args in [&["-y"][..], &["--dry-run=server"], &["--force-conflicts"]] {
        let up = space.up_with(DEMO, args).exits(5);
        up.says(&format!("{object} is made by strangers-tool")).says("nothing was written").says("--adopt");
        assert_eq!(space.objects(), before);
    }
}

#[test]
fn a_foreign_config_map_is_refused() {
    check(RECORD);
}

#[test]
fn a_foreign_session_manager_service_is_refused() {
    check(SERVICE);
}

#[test]
fn a_foreign_object_cache_service_is_refused() {
    check(CACHE);
}

#[test]
fn a_foreign_session_manager_pod_is_refused() {
    check(MANAGER);
}

#[test]
fn a_foreign_executor_pod_is_refused() {
    check(&executor(1));
}

#[test]
fn a_foreign_executor_among_many_is_refused() {
    let space = namespace();
    space.apply(&stranger("Pod", "demo-executor-manager-30"), &[]);
    settle(&space);
    let before = space.objects();
    space.up(&demo(40)).exits(5).says("Pod demo-executor-manager-30");
    assert_eq!(space.objects(), before);
}

#[test]
fn every_foreign_object_is_named() {
    let space = namespace();
    space.apply(&stranger("Service", "demo-object-cache"), &[]);
    space.apply(&stranger("Pod", "demo-executor-manager-0"), &[]);
    space.up(DEMO).exits(5).says(CACHE).says(&executor(0));
}

#[test]
fn a_pod_that_a_controller_took_is_refused() {
    let space = namespace();
    space.up(DEMO).exits(0);
    // The garbage collector deletes what an owner left behind that never was, so this one is there.
    space.kubectl(&["create", "configmap", "boss"]);
    let uid = at(&space.objects()["ConfigMap boss"], "/metadata/uid").to_owned();
    let owner = json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "boss", "uid": uid, "controller": true });
    let owners = json!({ "metadata": { "ownerReferences": [owner] } });
    space.patch("pod/demo-executor-manager-1", &owners.to_string());
    let before = versions(&space.objects());
    space.up(&demo(3)).exits(5).says("Pod demo-executor-manager-1 is owned by ConfigMap/boss");
    assert_eq!(versions(&space.objects()), before);
}

#[test]
fn another_flames_object_is_refused() {
    let space = namespace();
    space.up(DEMO).exits(0);
    space.kubectl(&["label", "--overwrite", "service/demo-object-cache", "flame.xflops.io/cluster=other"]);
    let before = versions(&space.objects());
    space.up(&demo(3)).exits(5).says(CACHE);
    assert_eq!(versions(&space.objects()), before);
}

#[test]
fn adopt_takes_strangers_objects_over() {
    let space = namespace();
    space.apply(&stranger("ConfigMap", "demo-config"), &[]);
    space.apply(&stranger("Service", "demo-object-cache"), &[]);
    space.apply(&stranger("Pod", "demo-executor-manager-0"), &[]);
    settle(&space);
    space.up_with(DEMO, &["-y", "--adopt", "--timeout=20s"]).exits(0).prints("2/2");
    let objects = space.objects();
    assert_eq!(at(&objects[&executor(0)], "/spec/containers/0/image"), "em:v1");
    let ports = objects[CACHE]["spec"]["ports"].as_array().unwrap();
    assert_eq!(ports.iter().map(|port| at(port, "/name")).collect::<Vec<_>>(), ["grpc"]);
    space.up_with(DEMO, &[]).exits(0).says("nothing to do");
    space.flamectl(&["down", "demo", "-y"]).exits(0);
    assert_eq!(space.objects().len(), 0);
}
