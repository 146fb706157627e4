//! A changed FlameCluster: the cheapest change, and nothing that does not need it.

use std::collections::BTreeMap;

use serde_json::json;

use crate::bed::{Namespace, Objects, at, namespace, uids, versions};
use crate::flames::{DEMO, MANAGER, RECORD, demo, edited, executor, images};

const GENERATION: &str = "/metadata/annotations/flame.xflops.io~1config-generation";

/// Returns the names of the objects that were made anew.
fn replaced(before: &Objects, after: &Objects) -> Vec<String> {
    let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) = (uids(before), uids(after));
    assert!(before.keys().eq(after.keys()), "{before:#?}\n{after:#?}");
    after.into_iter().filter(|(name, uid)| before[name] != *uid).map(|(name, _)| name).collect()
}

/// Brings `from` up, then `to`, and checks which objects were made anew; returns the objects.
#[track_caller]
fn check(from: &str, to: &str, anew: &[String]) -> Objects {
    let space = namespace();
    space.up(from).exits(0);
    let before = space.objects();
    space.up(to).exits(0).prints("Running");
    let after = space.objects();
    assert_eq!(replaced(&before, &after), anew);
    let settled = versions(&after);
    space.up_with(to, &[]).exits(0).says("nothing to do");
    assert_eq!(versions(&space.objects()), settled);
    after
}

fn executors(count: u32) -> Vec<String> {
    (0..count).map(executor).collect()
}

#[test]
fn config_that_executors_read_leaves_the_session_manager() {
    let after = check(DEMO, &edited(DEMO, "replicas: 2", "replicas: 2\n    maxExecutors: 8"), &executors(2));
    assert_eq!(at(&after[RECORD], GENERATION), "2");
    assert!(at(&after[RECORD], "/data/flame-cluster.yaml").contains("    max_executors: 8\n"));
}

#[test]
fn config_that_the_session_manager_reads_leaves_the_executors() {
    let after = check(DEMO, &edited(DEMO, "sm:v1", "sm:v1\n    policy: priority"), &[MANAGER.to_owned()]);
    assert_eq!(at(&after[RECORD], GENERATION), "2");
    assert!(at(&after[RECORD], "/data/flame-cluster.yaml").contains("  policy: priority\n"));
}

#[test]
fn a_new_executor_image_replaces_every_executor() {
    let four = demo(4);
    let after = check(&four, &edited(&four, "em:v1", "em:v2"), &executors(4));
    for index in 0..4 {
        assert_eq!(at(&after[&executor(index)], "/status/containerStatuses/0/image"), "em:v2");
    }
    assert_eq!(at(&after[RECORD], GENERATION), "1");
}

#[test]
fn a_new_session_manager_image_comes_into_the_same_pod() {
    let after = check(DEMO, &images("sm:v2", "em:v1"), &[]);
    assert_eq!(at(&after[MANAGER], "/status/containerStatuses/0/image"), "sm:v2");
    assert_eq!(after[MANAGER]["status"]["containerStatuses"][0]["restartCount"], 1);
}

#[test]
fn a_session_manager_does_not_restart_without_a_yes() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = space.objects();
    space.up_with(&images("sm:v2", "em:v1"), &[]).exits(5).says("-y");
    assert_eq!(space.objects(), before);
}

#[test]
fn a_resource_that_no_resize_can_drop_replaces_the_pods() {
    let space = namespace();
    space.up(&with_cpu("100m")).exits(0);
    nodes_can_resize(&space);
    let before = space.objects();
    let flame = edited(&with_cpu("200m"), ", limits: {memory: 1Gi}", "");
    space.up_with(&flame, &["-y", "--timeout=20s"]).exits(0).prints("2/2");
    let after = space.objects();
    assert_eq!(replaced(&before, &after), executors(2));
    assert_eq!(after[&executor(0)]["spec"]["containers"][0]["resources"], json!({ "requests": { "cpu": "200m" } }));
}

fn with_cpu(cpu: &str) -> String {
    let resources = format!("em:v1\n    resources: {{requests: {{cpu: {cpu}}}, limits: {{memory: 1Gi}}}}");
    edited(DEMO, "em:v1", &resources)
}

#[track_caller]
fn check_cpu(objects: &Objects, cpu: &str) {
    for index in 0..2 {
        let resources = &objects[&executor(index)]["spec"]["containers"][0]["resources"];
        let expected = json!({ "requests": { "cpu": cpu, "memory": "1Gi" }, "limits": { "memory": "1Gi" } });
        assert_eq!(*resources, expected, "executor {index}");
    }
}

/// The simulated nodes cannot resize, as nodes before Kubernetes 1.33: the server answers 422.
#[test]
fn other_resources_replace_the_pods_of_nodes_that_cannot_resize() {
    let after = check(&with_cpu("100m"), &with_cpu("200m"), &executors(2));
    check_cpu(&after, "200m");
}

#[test]
fn other_resources_come_into_the_same_pods_on_nodes_that_can_resize() {
    let space = namespace();
    space.up(&with_cpu("100m")).exits(0);
    nodes_can_resize(&space);
    let before = space.objects();
    for cpu in ["200m", "300m", "50m"] {
        space.up_with(&with_cpu(cpu), &["--timeout=10s"]).exits(0).prints("2/2");
        let after = space.objects();
        assert_eq!(replaced(&before, &after), Vec::<String>::new());
        check_cpu(&after, cpu);
        space.up_with(&with_cpu(cpu), &[]).exits(0).says("nothing to do");
        assert_eq!(versions(&space.objects()), versions(&after));
    }
}

/// A node that can resize tells the containers' resources in the status, which is how the server knows.
fn nodes_can_resize(space: &Namespace<'_>) {
    for index in 0..2 {
        let add = r#"[{"op": "add", "path": "/status/containerStatuses/0/resources", "value": {"requests": {"cpu": "100m"}}}]"#;
        let pod = format!("pod/demo-executor-manager-{index}");
        space.kubectl(&["patch", &pod, "--subresource=status", "--type=json", "--patch", add]);
    }
}

/// First resources would change the Pods' quality of service, which no resize can.
#[test]
fn first_resources_replace_the_pods() {
    let with = edited(DEMO, "em:v1", "em:v1\n    resources: {requests: {cpu: 100m}}");
    let after = check(DEMO, &with, &executors(2));
    assert_eq!(at(&after[&executor(1)], "/spec/containers/0/resources/requests/cpu"), "100m");
}

#[test]
fn labels_and_annotations_change_in_place() {
    let with = |labels: &str, annotations: &str| {
        let metadata = format!("name: demo\n  labels: {{{labels}}}\n  annotations: {{{annotations}}}");
        edited(DEMO, "name: demo", &metadata)
    };
    let from = with("team: red, tier: gold", "example.com/a: '1', example.com/b: '2'");
    let to = with("team: blue", "example.com/b: '3', example.com/c: '4'");
    let after = check(&from, &to, &[]);
    for (name, object) in &after {
        let (labels, annotations) = (&object["metadata"]["labels"], &object["metadata"]["annotations"]);
        assert_eq!((&labels["team"], &labels["tier"]), (&json!("blue"), &json!(null)), "{name}");
        let found = ["a", "b", "c"].map(|key| annotations[format!("example.com/{key}")].clone());
        assert_eq!(found, [json!(null), json!("3"), json!("4")], "{name}");
    }
}

#[test]
fn everything_at_once_comes_in_one_up() {
    let all = edited(&images("sm:v2", "em:v2"), "replicas: 2", "replicas: 3\n    shim: host");
    let all = edited(&all, "name: demo", "name: demo\n  labels: {team: blue}");
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = uids(&space.objects());
    space.up(&all).exits(0).prints("3/3");
    let after = space.objects();
    assert_eq!(uids(&after)[MANAGER], before[MANAGER]);
    for index in 0..3 {
        let pod = &after[&executor(index)];
        assert_eq!(at(pod, "/status/containerStatuses/0/image"), "em:v2");
        assert_eq!(at(pod, "/metadata/labels/team"), "blue");
        assert_ne!(Some(&uids(&after)[&executor(index)]), before.get(&executor(index)));
    }
    assert!(at(&after[RECORD], "/data/flame-cluster.yaml").contains("  shim: host\n"));
}
