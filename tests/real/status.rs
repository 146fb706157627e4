//! `status`: the reference's status block, and an exit code that tells the state.

use serde_json::{Value, json};

use crate::bed::{Namespace, at, namespace};
use crate::flames::{DEMO, demo, edited, images};
use crate::schemas;

fn status_json(space: &Namespace<'_>, code: i32) -> Value {
    let printed = space.flamectl(&["status", "demo", "-o", "json"]).exits(code).stdout;
    let flame = serde_json::from_str(&printed).unwrap();
    schemas::check("status", &flame);
    flame
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

/// Other tests' flames are listed, too: it looks at its own lines, and the exit code is that of the worst of all.
#[test]
fn all_namespaces_are_listed_with_their_state() {
    let (first, second) = (namespace(), namespace());
    first.up(DEMO).exits(0);
    second.up(&edited(&demo(0), "name: demo", "name: other")).exits(0);
    let listed = first.flamectl(&["status", "-A"]);
    let table = &listed.stdout;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let is_failed = lines.iter().any(|line| line[2] == "Failed");
    assert_eq!(listed.code, Some(if is_failed { 4 } else { 3 }), "{listed}");
    assert_eq!(lines[0], ["NAMESPACE", "NAME", "STATE", "SESSION-MANAGER", "EXECUTORS", "AGE"], "{table}");
    for expected in [[&first.name, "demo", "Running", "1/1", "2/2"], [&second.name, "other", "Pending", "1/1", "0/0"]] {
        let line = lines.iter().find(|line| line[0] == expected[0]).expect(table);
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

#[test]
fn a_list_for_programs_is_a_list_also_of_one_flame() {
    let space = namespace();
    let list = |args: &[&str], code| -> Value {
        let printed = space.flamectl(&[&["status", "-o", "json"], args].concat()).exits(code).stdout;
        serde_json::from_str(&printed).unwrap()
    };
    assert_eq!(list(&[], 0), json!({ "apiVersion": "v1", "kind": "List", "items": [] }));
    space.up(DEMO).exits(0);
    let expected = json!({ "apiVersion": "v1", "kind": "List", "items": [status_json(&space, 0)] });
    assert_eq!(list(&[], 0), expected);
    schemas::check("status", &expected);
    // To people it is shown in full.
    space.flamectl(&["status"]).exits(0).prints("Session manager endpoint: ");
}

#[test]
fn flames_are_selected_by_their_labels() {
    let space = namespace();
    let labelled = |name: &str, team: &str| {
        let labels = format!("name: {name}\n  labels: {{ example.com/team: {team} }}");
        edited(&demo(1), "name: demo", &labels)
    };
    for (name, team) in [("a", "ml"), ("b", "vision"), ("c", "ml")] {
        space.up(&labelled(name, team)).exits(0);
    }
    space.up(DEMO).exits(0);
    let names = |selector: &str| {
        let status = space.flamectl(&["status", "-l", selector, "-o", "name"]).exits(0);
        let names = status.stdout.lines().map(|line| line.rsplit('/').next().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("example.com/team=ml"), "a c");
    assert_eq!(names("example.com/team in (ml, vision),example.com/team!=ml"), "b");
    assert_eq!(names("!example.com/team"), "demo");
    let nothing = space.flamectl(&["status", "-l", "example.com/team=sales"]).exits(0);
    nothing.says(&format!("no flames found in namespace {} with labels example.com/team=sales", space.name));
    let everywhere = space.flamectl(&["status", "-A", "-l", "example.com/team=vision"]).exits(0);
    assert_eq!(everywhere.stdout.lines().count(), 2, "{everywhere}");
    everywhere.prints(&space.name);
}

#[test]
fn wide_has_a_line_for_each_pod() {
    let space = namespace();
    space.up_with(&edited(&demo(2), "em:v1", "bad/em:v1"), &["--wait=false"]).exits(0);
    space.until("the session manager is ready", |it| {
        it["Pod demo-session-manager"]["status"]["containerStatuses"][0]["ready"] == true
    });
    let reason = |it: &Value| it["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].clone();
    let objects = space.until("no image is there", |it| {
        (0..2).all(|index| {
            let reason = reason(&it[&format!("Pod demo-executor-manager-{index}")]);
            reason == "ErrImagePull" || reason == "ImagePullBackOff"
        })
    });
    let wide = space.flamectl(&["status", "demo", "-o", "wide"]).exits(3);
    let pods = wide.stdout.rsplit("\n\n").next().unwrap();
    let lines: Vec<Vec<&str>> = pods.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "IMAGE", "MESSAGE"], "{wide}");
    let pod = &objects["Pod demo-session-manager"];
    let (ip, node) = (at(pod, "/status/podIP"), at(pod, "/spec/nodeName"));
    assert_eq!(lines[1][..4], ["demo-session-manager", "yes", "Running", "0"], "{wide}");
    assert_eq!(lines[1][5..8], [ip, node, "sm:v1"], "{wide}");
    for (line, name) in lines[2..].iter().zip(["demo-executor-manager-0", "demo-executor-manager-1"]) {
        assert_eq!(line[..2], [name, "no"], "{wide}");
        assert!(["ErrImagePull", "ImagePullBackOff"].contains(&line[2]), "{wide}");
        assert_eq!(line[7], "bad/em:v1", "{wide}");
    }
    assert_eq!(lines.len(), 4, "{wide}");
}

#[test]
fn a_wide_list_has_endpoints_and_images() {
    let space = namespace();
    space.up(DEMO).exits(0);
    space.up(&edited(DEMO, "name: demo", "name: other")).exits(0);
    let wide = space.flamectl(&["status", "-o", "wide"]).exits(0);
    let lines: Vec<Vec<&str>> = wide.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][5..], ["CONFIG", "ENDPOINT", "SESSION-MANAGER-IMAGE", "EXECUTOR-MANAGER-IMAGE"], "{wide}");
    assert_eq!(lines[2][5..], ["1", "http://other-session-manager:8080", "sm:v1", "em:v1"], "{wide}");
}

/// The server keeps equal documents under another group, so that kubectl reads them as any object.
#[test]
fn a_jsonpath_makes_the_bytes_that_kubectl_makes() {
    let space = namespace();
    let team = "name: demo\n  labels: { example.com/team: ml }\n  annotations: { note: \"a<b & c\" }";
    space.up(&edited(DEMO, "name: demo", team)).exits(0);
    space.up(&edited(DEMO, "name: demo", "name: other")).exits(0);
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "flameclusters.jsonpath.example.com" },
        "spec": {
            "group": "jsonpath.example.com", "scope": "Namespaced",
            "names": { "kind": "FlameCluster", "plural": "flameclusters" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }],
        },
    });
    space.apply(&crd.to_string(), &[]);
    space.kubectl(&["wait", "--for=condition=Established", "crd/flameclusters.jsonpath.example.com", "--timeout=60s"]);
    let list = space.flamectl(&["status", "-o", "json"]).exits(0).stdout;
    space.apply(&list.replace("flame.xflops.io/v1alpha1", "jsonpath.example.com/v1"), &["--server-side"]);
    let both = |name: &[&str], template: &str| {
        let output = format!("jsonpath={template}");
        let resource = ["get", "flameclusters.jsonpath.example.com"];
        let expected = space.kubectl(&[&resource[..], name, &["-o", &output]].concat());
        let status = space.flamectl(&[&["status"], name, &["-o", &output]].concat()).exits(0);
        assert_eq!(status.stdout, expected, "{template}");
        expected
    };
    for template in [
        "{.status.state}",
        "{.status.executorManager.ready}",
        "{$.status.state}",
        "{@.metadata.name}: {.status.message}",
        "{.status.nothing}",
        "{.status}",
        "{.metadata.annotations}",
        r"{.metadata.labels.example\.com/team}",
        "{.spec.executorManager['image','replicas']}",
        r#"{"\t"}{.kind}{'\n'}"#,
    ] {
        both(&["demo"], template);
    }
    for template in [
        "{.items[*].metadata.name}",
        r#"{range .items[*]}{.metadata.name}{"\t"}{.status.state}{"\n"}{end}"#,
        r#"{.items[?(@.metadata.name=="other")].status.executorManager.replicas}"#,
        "{.items[0].metadata.name} {.items[-1].metadata.name} {.items[0:1].metadata.name}",
        "{..state}",
        "{range .items[*]}{.metadata.labels}{end}",
        "{range .nothing[*]}{.metadata.name}{end}",
    ] {
        both(&[], template);
    }
    assert_eq!(both(&[], "{.items[*].metadata.name}"), "demo other");
}

#[test]
fn up_prints_what_the_schema_says() {
    let space = namespace();
    let up: Value = serde_json::from_str(&space.up_with(DEMO, &["-o", "json"]).exits(0).stdout).unwrap();
    schemas::check("status", &up);
    assert!(up["timeline"]["executors"]["slowest"]["total"].is_number(), "{up:#}");
}

#[test]
fn programs_get_the_causes_as_events() {
    let space = namespace();
    space.up_with(&images("sm:v1", "crash/em:v1"), &["--wait=false"]).exits(0);
    let reason = |object: &Value| object["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].clone();
    space.until("all executors crash", |it| {
        (0..2).all(|index| reason(&it[&format!("Pod demo-executor-manager-{index}")]) == "CrashLoopBackOff")
    });
    let status = space.flamectl(&["status", "demo", "-o", "json", "--progress=json"]).exits(4);
    let flame: Value = serde_json::from_str(&status.stdout).unwrap();
    schemas::check("status", &flame);
    let events: Vec<Value> = status.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    events.iter().for_each(|event| schemas::check("progress", event));
    let cause = events.iter().find(|event| event["event"] == "cause").expect(&status.stderr);
    assert_eq!((&cause["reason"], &cause["executors"]), (&json!("CrashLoopBackOff"), &json!("0-1")), "{cause:#}");
    assert_eq!(
        cause["next"],
        json!(format!("flamectl logs demo demo-executor-manager-0 --previous -n {}", space.name))
    );
}

/// A Pod that goes, one that a stranger made and one too many are ready and do not count.
#[test]
fn pods_that_do_not_count_are_shown_and_not_counted() {
    let space = namespace();
    space.up(&demo(3)).exits(0);
    let pod = |index: u32, labels: &Value| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": format!("demo-executor-manager-{index}"), "labels": labels },
            "spec": { "containers": [{ "name": "x", "image": "em:v1" }] },
        })
    };
    let objects = space.objects();
    let ours = &objects["Pod demo-executor-manager-0"]["metadata"]["labels"];
    space.patch("pod/demo-executor-manager-1", r#"{"metadata":{"finalizers":["example.com/hold"]}}"#);
    space.kubectl(&["delete", "pod", "demo-executor-manager-1", "--wait=false"]);
    space.kubectl(&["delete", "pod", "demo-executor-manager-2"]);
    let stranger = json!({ "app": "stranger", "flame.xflops.io/cluster": "demo",
        "app.kubernetes.io/component": "executor-manager" });
    space.apply(&pod(2, &stranger).to_string(), &[]);
    space.apply(&pod(7, ours).to_string(), &[]);
    let is_ready = |it: &Value| it["status"]["containerStatuses"][0]["ready"] == true;
    space.until("both are ready", |it| {
        is_ready(&it["Pod demo-executor-manager-2"]) && is_ready(&it["Pod demo-executor-manager-7"])
    });
    let wide = space.flamectl(&["status", "demo", "-o", "wide"]).exits(0);
    let lines: Vec<Vec<&str>> = wide.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1][2..5], ["Running", "1/1", "1/3"], "{wide}");
    let of = |index: u32| {
        let name = format!("demo-executor-manager-{index}");
        wide.stdout.lines().find(|line| line.starts_with(&name)).unwrap_or_else(|| panic!("{wide}")).to_owned()
    };
    assert!(of(1).contains("Terminating") && of(1).contains("held by finalizer example.com/hold"), "{wide}");
    assert!(of(2).contains("does not count: "), "{wide}");
    assert!(of(7).contains("does not count: beyond replicas"), "{wide}");
    // The session manager makes it Running, and without it nothing does.
    space.kubectl(&["delete", "pod", "demo-session-manager"]);
    space.flamectl(&["status", "demo"]).exits(3);
    space.patch("pod/demo-executor-manager-1", r#"{"metadata":{"finalizers":null}}"#);
}

#[test]
fn verbose_describes_parts_pods_causes_and_events() {
    let space = namespace();
    space.up_with(&edited(&demo(2), "em:v1", "crash/em:v1"), &["--wait=false"]).exits(0);
    let reason = |object: &Value| object["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].clone();
    space.until("all executors crash", |it| {
        (0..2).all(|index| reason(&it[&format!("Pod demo-executor-manager-{index}")]) == "CrashLoopBackOff")
    });
    let described = space.flamectl(&["status", "demo", "-v"]).exits(4);
    let described = [
        "Name:",
        "Session manager:",
        "Executor manager:",
        "Object cache:",
        "Pods:",
        "Not ready:",
        "Conditions:",
        "Events",
    ]
    .iter()
    .fold(described, |described, part| described.prints(part));
    let described = described.prints("which stands for 2 of 2 executors (0-1)").prints("Last ended");
    let described = described.prints("http 8080, backend 8081").prints("exit code 101 (a Rust panic)");
    // Requests are told on stderr, a bounded number however many Pods there are.
    let requests = described.stderr.lines().filter(|line| line.starts_with("GET ")).count();
    assert!((5..=5 + 3 + 2).contains(&requests), "{described}");
    // Programs get what they always get.
    let plain = space.flamectl(&["status", "demo", "-o", "json"]).exits(4).stdout;
    assert_eq!(space.flamectl(&["status", "demo", "-o", "json", "-v"]).exits(4).stdout, plain);
}
