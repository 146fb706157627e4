//! `down`: all that is ours goes, the record last; nothing else does.

use std::thread;

use serde_json::{Deserializer, Value};

use crate::bed::{Namespace, Ran, at, names, namespace, versions};
use crate::flames::{DEMO, RECORD, demo};

#[test]
fn nothing_goes_without_a_yes() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = versions(&space.objects());
    space.flamectl(&["down", "demo"]).exits(5).says("-y");
    assert_eq!(versions(&space.objects()), before);
}

#[test]
fn everything_goes_with_the_record_last() {
    let space = namespace();
    space.up(&demo(5)).exits(0);
    let since = at(&space.objects()[RECORD], "/metadata/resourceVersion").to_owned();
    space.flamectl(&["down", "demo", "-y"]).exits(0).says("demo is gone");
    assert_eq!(names(&space.objects()), Vec::<&str>::new());
    assert_eq!(deletions(&space, &since), ["Pod", "Service", "ConfigMap"]);
}

/// Returns the kinds in the order in which their last object went, as the server's watches tell.
fn deletions(space: &Namespace<'_>, since: &str) -> Vec<String> {
    let last = |resource| last_deletion(space, resource, since);
    let mut kinds = thread::scope(|scope| {
        let threads = ["pods", "services", "configmaps"].map(|resource| scope.spawn(move || last(resource)));
        threads.map(|thread| thread.join().unwrap())
    });
    kinds.sort();
    kinds.map(|(_, kind)| kind).into()
}

/// Returns when the last object of a resource went, and its kind.
fn last_deletion(space: &Namespace<'_>, resource: &str, since: &str) -> (u64, String) {
    let path = format!("/api/v1/namespaces/{}/{resource}?watch=1&resourceVersion={since}&timeoutSeconds=1", space.name);
    let events = space.kubectl(&["get", "--raw", &path]);
    let events = Deserializer::from_str(&events).into_iter::<Value>().map(Result::unwrap);
    let gone = events.filter(|event| event["type"] == "DELETED").map(|event| {
        let version = at(&event, "/object/metadata/resourceVersion").parse().unwrap();
        (version, at(&event, "/object/kind").to_owned())
    });
    gone.max().unwrap()
}

#[test]
fn nothing_there_is_said_and_is_no_error() {
    let space = namespace();
    let down = space.flamectl(&["down", "demo", "-y"]).exits(0);
    down.says(&format!("nothing of demo is in namespace {}", space.name));
}

#[test]
fn a_second_down_has_nothing_to_do() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let file = space.file("flame.yaml", DEMO);
    space.flamectl(&["down", "-f", &file, "-y", "-o", "name"]).exits(0).prints("flamecluster.flame.xflops.io/demo\n");
    space.flamectl(&["down", "-f", &file, "-y"]).exits(0).says("nothing of demo");
}

#[test]
fn a_foreign_pod_stays_and_is_named() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let pod = "
apiVersion: v1
kind: Pod
metadata: {name: theirs, labels: {flame.xflops.io/cluster: demo, app.kubernetes.io/component: executor-manager}}
spec: {containers: [{name: theirs, image: theirs:v1}]}
";
    space.apply(pod, &[]);
    space.flamectl(&["down", "demo", "-y"]).exits(0).says("Pod theirs");
    assert_eq!(names(&space.objects()), ["Pod theirs"]);
}

#[test]
fn a_flame_without_its_record_goes_too() {
    let space = namespace();
    space.up(DEMO).exits(0);
    space.kubectl(&["delete", "configmap/demo-config"]);
    space.flamectl(&["down", "demo", "-y"]).exits(0);
    assert_eq!(names(&space.objects()), Vec::<&str>::new());
}

#[test]
fn a_pod_that_cannot_go_is_named_when_the_time_is_up() {
    let space = namespace();
    space.up(DEMO).exits(0);
    space.patch("pod/demo-executor-manager-0", r#"{"metadata": {"finalizers": ["example.com/hold"]}}"#);
    let down = space.flamectl(&["down", "demo", "-y", "--timeout=2s"]).exits(3);
    down.says("Pod demo-executor-manager-0");
    assert!(space.objects().contains_key(RECORD), "the record goes last");
    space.patch("pod/demo-executor-manager-0", r#"{"metadata": {"finalizers": null}}"#);
    space.flamectl(&["down", "demo", "-y"]).exits(0);
    assert_eq!(names(&space.objects()), Vec::<&str>::new());
}

#[test]
fn a_yes_from_a_pipe_is_none() {
    let space = namespace();
    space.up(DEMO).exits(0);
    Ran::with_input(space.command(&["down", "demo"]), "y\n").exits(5);
    assert_eq!(space.objects().len(), 6);
}
