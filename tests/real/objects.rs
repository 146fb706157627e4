//! Flames that live as FlameCluster objects on the server: kept by `watch --crd`, and understood by the other commands.

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::bed::{Bed, Namespace, Objects, PATIENCE, at, namespace, uids, versions};
use crate::flames::{CACHE, DEMO, RECORD, demo, edited, executor};
use crate::running::Running;

/// The definition that the Go operator installs.
fn operators_definition() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/flamecluster-crd.yaml")).unwrap()
}

#[track_caller]
fn keeping(space: &Namespace<'_>) -> Running {
    Running::start(space.command(&["watch", "--crd"]))
}

#[track_caller]
fn ends(watch: Running) -> String {
    watch.signal("TERM");
    let (code, said, _) = watch.end();
    assert_eq!(code, Some(0), "{said}");
    said
}

fn object(space: &Namespace<'_>) -> Value {
    serde_json::from_str(&space.kubectl(&["get", "flamecluster", "demo", "-o", "json"])).unwrap()
}

/// Waits until the object's status is as `is` wants it, and returns the object.
#[track_caller]
fn status_until(space: &Namespace<'_>, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let object = object(space);
        if is(&object["status"]) {
            return object;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}; there is {object:#}");
    }
}

fn is_running(status: &Value, replicas: u64) -> bool {
    status["state"] == "Running" && status["executorManager"]["ready"] == replicas
}

/// Returns kind, name, uid, controller and blockOwnerDeletion of each object's owners.
fn owners(objects: &Objects) -> Vec<String> {
    let owners = |it: &Value| it["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
    let one = |it: &Value| {
        let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
        let flags = (&it["controller"], &it["blockOwnerDeletion"]);
        format!("{} {} {} {} {} {}", text("apiVersion"), text("kind"), text("name"), text("uid"), flags.0, flags.1)
    };
    let mut all: Vec<String> = objects.values().map(|it| owners(it).iter().map(one).collect()).collect();
    all.dedup();
    all
}

#[test]
fn an_operators_definition_is_served_as_it_is() {
    let bed = Bed::start("operator").unwrap();
    let space = bed.namespace();
    let mut watch = keeping(&space);
    watch.until_says("the server has no FlameClusters: `flamectl crd | kubectl apply --server-side -f -`");
    space.apply(&operators_definition(), &[]);
    space.kubectl(&["wait", "--for=condition=Established", "crd/flameclusters.flame.xflops.io", "--timeout=60s"]);
    space.apply(DEMO, &[]);
    let object = status_until(&space, "running", |status| is_running(status, 2));
    let status = &object["status"];
    assert_eq!(status["sessionManager"]["endpoint"], "http://demo-session-manager:8080");
    assert_eq!((&status["configGeneration"], &status["message"]), (&1.into(), &"All components healthy".into()));
    let all = space.objects();
    let uid = at(&object, "/metadata/uid");
    assert_eq!(owners(&all), [format!("flame.xflops.io/v1alpha1 FlameCluster demo {uid} true true")]);
    // What its definition does not know is dropped, and not written again and again.
    assert_eq!(status["conditions"], Value::Null);
    let before = versions(&space.objects());
    space.kubectl(&["label", "flamecluster", "demo", "team=ml"]);
    space.until("the label is on all", |objects| objects.values().all(|it| at(it, "/metadata/labels/team") == "ml"));
    assert_eq!(before.len(), space.objects().len());
    space.kubectl(&["delete", "flamecluster", "demo", "--wait=false"]);
    watch.until_says("its FlameCluster was deleted");
    space.until("collected", Objects::is_empty);
    ends(watch);
}
