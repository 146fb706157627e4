//! What is easily got wrong by whoever keeps a flame, each on a real server: Pods that ended, a quota that is lifted, strangers,
//! scaling to zero and back, changes that restart Pods, and objects that are on their way out.

use std::fs;

use serde_json::{Value, json};

use crate::bed::{Namespace, Objects, at, namespace, uids, versions};
use crate::flames::{CACHE, DEMO, MANAGER, RECORD, SERVICE, demo, edited, executor, images};
use crate::running::Running;

/// Starts watching a file that says `flame`.
fn watching(space: &Namespace<'_>, flame: &str) -> (Running, String) {
    let file = space.file("watched.yaml", flame);
    (Running::start(space.command(&["watch", "-f", &file])), file)
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let ready = conditions.is_some_and(|all| all.iter().any(|it| it["type"] == "Ready" && it["status"] == "True"));
    ready && pod["metadata"]["deletionTimestamp"].is_null() && pod["status"]["phase"] == "Running"
}

/// Tells whether everything is there, with so many executors and nothing else.
fn is_up(objects: &Objects, executors: usize) -> bool {
    objects.len() == executors + 4 && objects.values().filter(|it| it["kind"] == "Pod").all(is_ready)
}

/// Waits until the flame is up with so many executors.
#[track_caller]
fn up(space: &Namespace<'_>, executors: usize) -> Objects {
    space.until("the flame is up", |objects| is_up(objects, executors))
}

/// Sets a Pod's status to what a kubelet writes that ends it.
fn end(space: &Namespace<'_>, pod: &str, phase: &str, reason: &str) {
    let status = json!({ "status": { "phase": phase, "reason": reason } }).to_string();
    space.kubectl(&["patch", pod, "--subresource=status", "--type=merge", "--patch", &status]);
}

#[track_caller]
fn ends_well(watch: Running) -> String {
    watch.signal("TERM");
    let (code, said, _) = watch.end();
    assert_eq!(code, Some(0), "{said}");
    said
}

#[test]
fn pods_that_ended_are_replaced_and_no_other() {
    let space = namespace();
    let (mut watch, _) = watching(&space, DEMO);
    watch.until_says("all is ready");
    for (pod, name, phase, reason) in [
        ("pod/demo-executor-manager-0", executor(0), "Failed", "Evicted"),
        ("pod/demo-executor-manager-1", executor(1), "Failed", "OutOfcpu"),
        ("pod/demo-executor-manager-1", executor(1), "Failed", "UnexpectedAdmissionError"),
        ("pod/demo-executor-manager-0", executor(0), "Succeeded", ""),
        ("pod/demo-session-manager", MANAGER.to_owned(), "Failed", "Evicted"),
    ] {
        let before = uids(&up(&space, 2));
        end(&space, pod, phase, reason);
        space.until(reason, |objects| is_up(objects, 2) && uids(objects)[&name] != before[&name]);
        let changed: Vec<String> =
            uids(&space.objects()).into_iter().filter(|(it, uid)| before[it] != *uid).map(|it| it.0).collect();
        assert_eq!(changed, [name], "{reason}");
    }
    let said = ends_well(watch);
    assert!(said.contains("Pod demo-executor-manager-0 (ended: Evicted)"), "{said}");
}

#[test]
fn an_evicted_pod_by_the_eviction_api_comes_back() {
    let space = namespace();
    let (mut watch, _) = watching(&space, DEMO);
    watch.until_says("all is ready");
    let before = uids(&up(&space, 2));
    let eviction = json!({
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": { "name": "demo-executor-manager-1", "namespace": space.name },
    });
    let file = space.file("eviction.json", &eviction.to_string());
    let path = format!("/api/v1/namespaces/{}/pods/demo-executor-manager-1/eviction", space.name);
    space.kubectl(&["create", "--raw", &path, "-f", &file]);
    space.until("replaced", |objects| is_up(objects, 2) && uids(objects)[&executor(1)] != before[&executor(1)]);
    ends_well(watch);
}

#[test]
fn a_quota_that_is_lifted_lets_the_rest_come_by_itself() {
    let space = namespace();
    space.kubectl(&["create", "quota", "few", "--hard=pods=3"]);
    space.until("the quota counts", |_| {
        space.kubectl(&["get", "quota", "few", "-o", "jsonpath={.status.used.pods}"]) == "0"
    });
    let (mut watch, _) = watching(&space, &demo(5));
    watch.until_says("NotCreated: quota few is full: pods 3 of 3 used");
    let there = space.until("three Pods are there", |objects| {
        objects.values().filter(|it| it["kind"] == "Pod" && is_ready(it)).count() == 3
    });
    assert!(there.contains_key(MANAGER));
    space.kubectl(&["delete", "quota", "few"]);
    let after = up(&space, 5);
    // Those that were there stay.
    let stay = uids(&there);
    assert!(uids(&after).iter().all(|(name, uid)| stay.get(name).is_none_or(|it| it == uid)));
    let said = ends_well(watch);
    assert!(said.lines().filter(|line| line.contains("quota few is full")).count() <= 4, "{said}");
}

fn without_node(spec: &Value) -> Value {
    let mut spec = spec.clone();
    spec.as_object_mut().map(|spec| spec.remove("nodeName"));
    spec
}

/// One of each kind under a name of the flame: none is written, each is told, and when it goes the flame comes.
#[test]
fn strangers_are_left_alone_and_make_room_when_they_go() {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "NAME", "labels": { "flame.xflops.io/cluster": "else" } },
        "spec": { "containers": [{ "name": "theirs", "image": "theirs:v1" }] },
    });
    let record =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "NAME" }, "data": { "theirs": "yes" } });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "NAME" }, "spec": { "ports": [{ "port": 80 }] },
    });
    for (object, name, manifest) in [
        (RECORD.to_owned(), "configmap/demo-config", &record),
        (SERVICE.to_owned(), "service/demo-session-manager", &service),
        (MANAGER.to_owned(), "pod/demo-session-manager", &pod),
        (executor(1), "pod/demo-executor-manager-1", &pod),
    ] {
        let space = namespace();
        let own_name = name.split('/').next_back().unwrap();
        space.apply(&manifest.to_string().replace("NAME", own_name), &[]);
        let before = space.objects()[&object].clone();
        let (mut watch, _) = watching(&space, DEMO);
        let told = watch.until_says("names of this flame are taken");
        assert!(told.contains(&object), "{told}");
        let objects = space.objects();
        assert_eq!(objects.len(), 1, "{object}");
        // A node may have begun to run a Pod meanwhile, which is its status.
        for field in ["spec", "data"] {
            assert_eq!(without_node(&objects[&object][field]), without_node(&before[field]), "{object}");
        }
        assert!(!objects[&object]["metadata"].to_string().contains("flamectl"), "{object}");
        space.kubectl(&["delete", name, "--wait=false", "--grace-period=0", "--force"]);
        up(&space, 2);
        ends_well(watch);
    }
}

/// Labels alone make nothing ours that a controller owns, or that bears none of our names.
#[test]
fn pods_of_others_with_our_labels_are_neither_counted_nor_removed() {
    let space = namespace();
    let (mut watch, file) = watching(&space, DEMO);
    watch.until_says("all is ready");
    let labels = json!({
        "app": "flame-executor-manager", "flame.xflops.io/cluster": "demo", "app.kubernetes.io/managed-by": "flamectl",
        "app.kubernetes.io/component": "executor-manager", "flame.xflops.io/pod-index": "7",
    });
    for name in ["stranger", "demo-executor-manager-01", "demo-executor-manager--1"] {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "labels": labels },
            "spec": { "containers": [{ "name": "theirs", "image": "theirs:v1" }] },
        });
        space.apply(&pod.to_string(), &[]);
    }
    let before = space.until("theirs run", |objects| {
        objects.len() == 9 && objects.values().filter(|it| it["kind"] == "Pod").all(is_ready)
    });
    fs::write(&file, demo(1)).unwrap();
    let after = space.until("scaled down", |objects| objects.len() == 8);
    assert!(!after.contains_key(&executor(1)));
    let theirs = ["Pod stranger", "Pod demo-executor-manager-01", "Pod demo-executor-manager--1"];
    for name in theirs {
        assert_eq!(versions(&after)[name], versions(&before)[name], "{name}");
    }
    ends_well(watch);
}

#[test]
fn scaling_to_zero_and_back_is_no_failure() {
    let space = namespace();
    let (mut watch, file) = watching(&space, DEMO);
    watch.until_says("all is ready: 2 of 2 executors ready");
    fs::write(&file, demo(0)).unwrap();
    watch.until_says("all is ready: 0 of 0 executors ready");
    let none = up(&space, 0);
    fs::write(&file, demo(3)).unwrap();
    let three = up(&space, 3);
    assert!(uids(&none).iter().all(|(name, uid)| uids(&three)[name] == *uid));
    ends_well(watch);
}

/// A wave at a time, the session manager not at all: what executors read changed.
#[test]
fn a_changed_config_restarts_the_executors_in_waves_and_never_all_at_once() {
    let space = namespace();
    let (mut watch, file) = watching(&space, &demo(6));
    watch.until_says("all is ready: 6 of 6 executors ready");
    let before = up(&space, 6);
    fs::write(&file, edited(&demo(6), "    image: em:v1", "    image: em:v1\n    maxExecutors: 20")).unwrap();
    let mut least = 6;
    space.until("all executors are new", |objects| {
        least = least.min((0..6).filter(|index| objects.get(&executor(*index)).is_some_and(is_ready)).count());
        is_up(objects, 6) && (0..6).all(|index| uids(objects)[&executor(index)] != uids(&before)[&executor(index)])
    });
    assert!(least >= 4, "only {least} of 6 were ready");
    assert_eq!(uids(&space.objects())[MANAGER], uids(&before)[MANAGER]);
    ends_well(watch);
}

#[test]
fn a_bad_image_takes_one_wave_down_and_the_way_back_heals_it() {
    let space = namespace();
    let (mut watch, file) = watching(&space, &demo(6));
    watch.until_says("all is ready: 6 of 6 executors ready");
    fs::write(&file, edited(&edited(DEMO, "em:v1", "bad/em:v2"), "replicas: 2", "replicas: 6")).unwrap();
    watch.until_says("bad/em:v2");
    let objects = space.objects();
    let ready = (0..6).filter(|index| objects.get(&executor(*index)).is_some_and(is_ready)).count();
    assert!(ready >= 4, "only {ready} of 6 are ready");
    fs::write(&file, demo(6)).unwrap();
    up(&space, 6);
    ends_well(watch);
}

#[test]
fn a_port_that_was_edited_by_hand_is_put_back_and_the_address_stays() {
    let space = namespace();
    let (mut watch, _) = watching(&space, DEMO);
    watch.until_says("all is ready");
    let before = up(&space, 2);
    for (service, name) in [("service/demo-session-manager", SERVICE), ("service/demo-object-cache", CACHE)] {
        let port = r#"[{"op": "replace", "path": "/spec/ports/0/port", "value": 9999}]"#;
        space.kubectl(&["patch", service, "--type=json", "--patch", port]);
        space.until("put back", |objects| objects[name]["spec"] == before[name]["spec"]);
    }
    ends_well(watch);
}

#[test]
fn an_image_that_was_edited_by_hand_is_put_back() {
    let space = namespace();
    let (mut watch, _) = watching(&space, &images("sm:v1", "em:v1"));
    watch.until_says("all is ready");
    up(&space, 2);
    for pod in ["demo-executor-manager-0", "demo-session-manager"] {
        let image = r#"[{"op": "replace", "path": "/spec/containers/0/image", "value": "else:v9"}]"#;
        space.kubectl(&["patch", "pod", pod, "--type=json", "--patch", image]);
        space.until("put back", |objects| {
            let image = |name: &String| objects.get(name).map(|it| at(it, "/spec/containers/0/image").to_owned());
            is_up(objects, 2)
                && image(&executor(0)).as_deref() == Some("em:v1")
                && image(&MANAGER.to_owned()).as_deref() == Some("sm:v1")
        });
    }
    ends_well(watch);
}

/// Labels that were stripped hide a Pod from every watch and list; it is found by its name and labelled again, not made twice.
#[test]
fn a_pod_that_lost_all_its_labels_gets_them_back_and_is_the_same() {
    let space = namespace();
    let (mut watch, _) = watching(&space, DEMO);
    watch.until_says("all is ready");
    let before = up(&space, 2);
    space.patch("pod/demo-executor-manager-1", r#"{"metadata": {"labels": null}}"#);
    let after = space.until("labelled again", |objects| {
        objects[&executor(1)]["metadata"]["labels"] == before[&executor(1)]["metadata"]["labels"]
    });
    assert_eq!(uids(&after), uids(&before));
    ends_well(watch);
}
