//! `status`: the reference's status block, and an exit code that tells the state.

use serde_json::{Value, json};

use crate::bed::{Namespace, namespace};
use crate::flames::{DEMO, demo, edited, images};

fn status_json(space: &Namespace<'_>, code: i32) -> Value {
    let printed = space.flamectl(&["status", "demo", "-o", "json"]).exits(code).stdout;
    serde_json::from_str(&printed).unwrap()
}

#[test]
fn a_running_flame_exits_0_with_exactly_the_references_fields() {
    let space = namespace();
    space.up(&demo(3)).exits(0);
    let flame = status_json(&space, 0);
    let expected = json!({
        "sessionManager": { "ready": 1, "endpoint": "http://demo-session-manager:8080" },
        "executorManager": { "replicas": 3, "ready": 3 },
        "state": "Running",
        "configGeneration": 1,
        "message": "All components healthy",
    });
    assert_eq!(flame["status"], expected);
    assert_eq!((&flame["apiVersion"], &flame["kind"]), (&json!("flame.xflops.io/v1alpha1"), &json!("FlameCluster")));
    assert_eq!(flame["metadata"], json!({ "name": "demo", "namespace": space.name }));
    let spec =
        json!({ "sessionManager": { "image": "sm:v1" }, "executorManager": { "image": "em:v1", "replicas": 3 } });
    assert_eq!(flame["spec"], spec);
}

#[test]
fn yaml_says_what_json_says() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let yaml = space.flamectl(&["status", "demo", "-o", "yaml"]).exits(0).stdout;
    let read: Value = serde_yaml::from_str(&yaml).unwrap();
    assert_eq!(read, status_json(&space, 0));
}

#[test]
fn the_table_and_the_name_are_as_kubectls() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let table = space.flamectl(&["status", "demo"]).exits(0).stdout;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let header = ["NAME", "NAMESPACE", "STATE", "SESSION-MANAGER", "EXECUTORS", "CONFIG", "MESSAGE"];
    assert_eq!(lines[0], header, "{table}");
    let row = ["demo", &space.name, "Running", "1/1", "2/2", "1", "All", "components", "healthy"];
    assert_eq!(lines[1], row, "{table}");
    assert!(table.contains("http://demo-session-manager:8080"), "{table}");
    let name = space.flamectl(&["status", "demo", "-o", "name"]).exits(0).stdout;
    assert_eq!(name, "flamecluster.flame.xflops.io/demo\n");
}

#[test]
fn a_pending_flame_exits_3_and_says_what_it_waits_for() {
    let space = namespace();
    space.up_with(&edited(&demo(0), "sm:v1", "notready/sm:v1"), &["--wait=false"]).exits(0);
    let failed_probes = "--field-selector=reason=Unhealthy,involvedObject.name=demo-session-manager";
    space.until("the probe's failure is reported", |_| {
        !space.kubectl(&["get", "events", failed_probes, "-o", "name"]).is_empty()
    });
    let status = space.flamectl(&["status", "demo"]).exits(3).prints("Pending").prints("0/1");
    let why = "running, but readiness probe failed: dial tcp: connect: connection refused";
    status.prints(&format!("\n  session manager: NotReady: {why}\n"));
    assert_eq!(status_json(&space, 3)["status"]["state"], "Pending");
}

#[test]
fn a_flame_whose_executors_all_crash_is_failed_and_exits_4() {
    let space = namespace();
    space.up_with(&images("sm:v1", "crash/em:v1"), &["--wait=false"]).exits(0);
    let reason = |object: &Value| object["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].clone();
    space.until("all executors crash", |it| {
        (0..2).all(|index| reason(&it[&format!("Pod demo-executor-manager-{index}")]) == "CrashLoopBackOff")
    });
    let status = space.flamectl(&["status", "demo"]).exits(4);
    let status =
        status.prints("Failed").prints("2 of 2 executors (0-1): CrashLoopBackOff: exit code 101 (a Rust panic)");
    status.prints(&format!("next: flamectl logs demo demo-executor-manager-0 --previous -n {}", space.name));
    assert_eq!(status_json(&space, 4)["status"]["executorManager"], json!({ "replicas": 2, "ready": 0 }));
}

#[test]
fn a_flame_whose_session_manager_crashes_is_failed() {
    let space = namespace();
    space.up_with(&edited(&demo(0), "sm:v1", "crash/sm:v1"), &["--wait=false"]).exits(0);
    space.until("the session manager crashes", |it| {
        it["Pod demo-session-manager"]["status"]["containerStatuses"][0]["state"]["waiting"].is_object()
    });
    space
        .flamectl(&["status", "demo"])
        .exits(4)
        .prints("session manager: CrashLoopBackOff: exit code 101 (a Rust panic)");
}

#[test]
fn a_missing_flame_is_an_error() {
    let space = namespace();
    let status = space.flamectl(&["status", "demo"]).exits(1);
    status.says(&format!("there is no flame demo in namespace {}", space.name));
    space.flamectl(&["status"]).exits(0).says("no flames found");
}

/// Other tests' flames are listed, too: it looks at its own lines.
#[test]
fn all_namespaces_are_listed_with_their_state() {
    let (first, second) = (namespace(), namespace());
    first.up(DEMO).exits(0);
    second.up(&edited(&demo(0), "name: demo", "name: other")).exits(0);
    let table = first.flamectl(&["status", "-A"]).exits(0).stdout;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAMESPACE", "NAME", "STATE", "SESSION-MANAGER", "EXECUTORS", "AGE"], "{table}");
    for expected in [[&first.name, "demo", "Running", "1/1", "2/2"], [&second.name, "other", "Pending", "1/1", "0/0"]] {
        let line = lines.iter().find(|line| line[0] == expected[0]).expect(&table);
        assert_eq!(line[..5], expected, "{table}");
        assert!(line[5].ends_with('s'), "{table}");
    }
}

#[test]
fn two_flames_of_a_namespace_are_listed() {
    let space = namespace();
    space.up(DEMO).exits(0);
    space.up(&edited(DEMO, "name: demo", "name: other")).exits(0);
    let table = space.flamectl(&["status"]).exits(0).stdout;
    let names: Vec<&str> = table.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(names, ["NAME", "demo", "other"]);
    let names = space.flamectl(&["status", "-o", "name"]).exits(0).stdout;
    assert_eq!(names, "flamecluster.flame.xflops.io/demo\nflamecluster.flame.xflops.io/other\n");
}
