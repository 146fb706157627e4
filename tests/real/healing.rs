//! What others deleted, evicted or edited: the same `up` puts it right.

use serde_json::{Value, json};

use crate::bed::{Namespace, Objects, at, namespace, uids};
use crate::flames::{CACHE, DEMO, MANAGER, RECORD, SERVICE, edited, executor};

/// Brings the demo up, lets `harm` do something, and checks that the next `up` puts everything right with these objects
/// made anew, and that the one after has nothing to do.
#[track_caller]
fn check(harm: impl Fn(&Namespace<'_>), anew: &[&str]) -> Objects {
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = space.objects();
    harm(&space);
    space.up(DEMO).exits(0).prints("Running").prints("2/2");
    let after = space.objects();
    assert_eq!(contents(&after), contents(&before));
    let (old, new) = (uids(&before), uids(&after));
    let replaced: Vec<&str> = new.keys().map(String::as_str).filter(|name| old[*name] != new[*name]).collect();
    assert_eq!(replaced, anew);
    space.up_with(DEMO, &[]).exits(0).says("nothing to do");
    after
}

/// Returns what flamectl is answerable for, without what the server adds, and without the number of the config's version.
fn contents(objects: &Objects) -> Vec<(String, [Value; 6])> {
    let fields = |it: &Value| {
        let pointers =
            ["/metadata/labels", "/metadata/annotations", "/data", "/spec/ports", "/spec/selector", "/spec/containers"];
        let mut it = it.clone();
        if let Some(annotations) = it.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.remove("flame.xflops.io/config-generation");
        }
        pointers.map(|pointer| it.pointer(pointer).cloned().unwrap_or_default())
    };
    objects.iter().map(|(name, it)| (name.clone(), fields(it))).collect()
}

fn delete(space: &Namespace<'_>, object: &str) {
    space.kubectl(&["delete", object]);
}

#[test]
fn a_deleted_executor_comes_back() {
    check(|space| delete(space, "pod/demo-executor-manager-1"), &[&executor(1)]);
}

#[test]
fn a_deleted_session_manager_comes_back() {
    check(|space| delete(space, "pod/demo-session-manager"), &[MANAGER]);
}

#[test]
fn everything_deleted_comes_back() {
    let gone = ["delete", "pods,services", "--all"];
    let harm = |space: &Namespace<'_>| {
        space.kubectl(&gone);
        delete(space, "configmap/demo-config");
    };
    check(harm, &[RECORD, &executor(0), &executor(1), MANAGER, CACHE, SERVICE]);
}

/// Sets a Pod's status to what a kubelet writes when it evicts it.
fn evict(space: &Namespace<'_>, pod: &str) {
    let status =
        json!({ "status": { "phase": "Failed", "reason": "Evicted", "message": "The node was low on memory." } });
    let patch = ["patch", pod, "--subresource=status", "--type=merge", "--patch", &status.to_string()];
    space.kubectl(&patch);
}

#[test]
fn an_evicted_executor_is_replaced() {
    check(|space| evict(space, "pod/demo-executor-manager-0"), &[&executor(0)]);
}

#[test]
fn an_evicted_session_manager_is_replaced() {
    check(|space| evict(space, "pod/demo-session-manager"), &[MANAGER]);
}

/// Server-side apply keys ports by number, so no apply, not even a forced one, gets out of this.
#[test]
fn an_edited_port_number_is_put_right_and_the_address_stays() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let address = at(&space.objects()[CACHE], "/spec/clusterIP").to_owned();
    let edit = r#"[{"op": "replace", "path": "/spec/ports/0/port", "value": 9999}]"#;
    space.kubectl(&["patch", "service/demo-object-cache", "--type=json", "--patch", edit]);
    assert_eq!(space.objects()[CACHE]["spec"]["ports"][0]["port"], 9999);
    space.up(DEMO).exits(0);
    let service = &space.objects()[CACHE];
    let port = json!([{ "name": "grpc", "port": 9090, "protocol": "TCP", "targetPort": 9090 }]);
    assert_eq!(service["spec"]["ports"], port);
    assert_eq!(at(service, "/spec/clusterIP"), address);
    space.up_with(DEMO, &[]).exits(0).says("nothing to do");
}

#[test]
fn an_edited_port_of_two_is_put_right() {
    let edit = r#"[{"op": "replace", "path": "/spec/ports/1/port", "value": 9999}]"#;
    let patch = ["patch", "service/demo-session-manager", "--type=json", "--patch", edit];
    check(|space| drop(space.kubectl(&patch)), &[]);
}

#[test]
fn an_edited_target_port_is_put_right() {
    let edit = r#"[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 1}]"#;
    let patch = ["patch", "service/demo-session-manager", "--type=json", "--patch", edit];
    check(|space| drop(space.kubectl(&patch)), &[]);
}

#[test]
fn an_edited_selector_is_put_right() {
    let selector = r#"{"spec": {"selector": {"app.kubernetes.io/component": "nothing"}}}"#;
    check(|space| space.patch("service/demo-session-manager", selector), &[]);
}

#[test]
fn a_selector_with_another_label_is_put_right() {
    let selector = r#"{"spec": {"selector": {"version": "blue"}}}"#;
    check(|space| space.patch("service/demo-object-cache", selector), &[]);
}

#[test]
fn an_edited_config_text_is_put_right() {
    let text = r#"{"data": {"flame-cluster.yaml": "cluster: {}\n"}}"#;
    check(|space| space.patch("configmap/demo-config", text), &[]);
}

#[test]
fn edited_labels_are_put_right() {
    let harm = |space: &Namespace<'_>| {
        for object in ["configmap/demo-config", "service/demo-object-cache", "pod/demo-executor-manager-0"] {
            space.kubectl(&["label", "--overwrite", object, "app.kubernetes.io/name=other", "app-"]);
        }
    };
    check(harm, &[]);
}

/// Without this label neither watch nor list finds it.
#[test]
fn the_label_that_finds_a_pod_is_put_back() {
    let harm = |space: &Namespace<'_>| {
        for pod in ["pod/demo-executor-manager-0", "pod/demo-session-manager"] {
            space.kubectl(&["label", pod, "flame.xflops.io/cluster-"]);
        }
    };
    check(harm, &[]);
}

#[test]
fn an_edited_image_is_put_right() {
    let edit = |space: &Namespace<'_>| {
        space.kubectl(&["set", "image", "pod/demo-session-manager", "session-manager=sm:evil"]);
        space.kubectl(&["set", "image", "pod/demo-executor-manager-1", "executor-manager=em:evil"]);
    };
    check(edit, &[&executor(1)]);
}

/// Nor does the watch tell when one goes that has to be made anew.
#[test]
fn a_pod_that_no_watch_finds_is_replaced() {
    let space = namespace();
    space.up(DEMO).exits(0);
    for pod in ["pod/demo-executor-manager-0", "pod/demo-session-manager"] {
        space.kubectl(&["label", pod, "flame.xflops.io/cluster-"]);
    }
    let before = uids(&space.objects());
    space.up_with(&edited(DEMO, "em:v1", "em:v2"), &["-y", "--timeout=20s"]).exits(0).prints("2/2");
    let after = uids(&space.objects());
    assert_ne!(after[&executor(0)], before[&executor(0)]);
    assert_eq!(after[MANAGER], before[MANAGER]);
}
