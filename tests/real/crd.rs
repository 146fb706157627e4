//! The definition that `crd` prints, on a server: what kubectl makes of it, and what the server takes and refuses by it.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::bed::{Namespace, Ran, at, namespace};
use crate::flames::{DEMO, demo, edited};

/// Has the shared server know FlameClusters, as `crd` defines them.
#[track_caller]
pub fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let space = namespace();
        let definition = space.flamectl(&["crd"]).exits(0).stdout;
        let applied = space.apply(&definition, &["--server-side"]);
        assert_eq!(
            applied,
            "customresourcedefinition.apiextensions.k8s.io/flameclusters.flame.xflops.io serverside-applied\n"
        );
        let name = "crd/flameclusters.flame.xflops.io";
        space.kubectl(&["wait", "--for=condition=Established", name, "--timeout=60s"]);
        let definition: Value = serde_json::from_str(&space.kubectl(&["get", name, "-o", "json"])).unwrap();
        let conditions = definition["status"]["conditions"].as_array().unwrap();
        let bad = conditions.iter().filter(|it| at(it, "/type") == "NonStructuralSchema").collect::<Vec<_>>();
        assert!(bad.is_empty(), "{bad:?}");
    });
}

/// Asks the server whether it takes a FlameCluster.
#[track_caller]
fn asked(space: &Namespace<'_>, flame: &str) -> Ran {
    let mut command = space.bed.kubectl();
    command.args(["--namespace", &space.name, "create", "--dry-run=server", "-o", "json", "-f", "-"]);
    Ran::with_input(command, flame)
}

#[test]
fn kubectl_shows_explains_scales_and_waits() {
    install();
    let space = namespace();
    space.apply(DEMO, &[]);
    let status = r#"{"status": {"state": "Running", "message": "well", "sessionManager": {"ready": 1}, "executorManager": {"ready": 2, "replicas": 2}}}"#;
    space.kubectl(&["patch", "fc", "demo", "--subresource=status", "--type=merge", "--patch", status]);
    let table = space.kubectl(&["get", "flamecluster"]);
    let words: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["NAME", "STATE", "SESSION-MANAGER", "EXECUTORS", "AGE"]);
    assert_eq!(words[1][..4], ["demo", "Running", "1", "2"]);
    assert!(space.kubectl(&["get", "flame", "-o", "wide"]).contains("well"));
    space.kubectl(&["wait", "--for=jsonpath={.status.state}=Running", "flamecluster/demo", "--timeout=60s"]);
    let page = space.kubectl(&["explain", "flamecluster.spec.executorManager"]);
    assert!(page.contains("maxExecutors") && page.contains("replicas\t<integer>"), "{page}");
    space.kubectl(&["scale", "flamecluster", "demo", "--replicas", "5"]);
    assert_eq!(space.kubectl(&["get", "fc", "demo", "-o", "jsonpath={.spec.executorManager.replicas}"]), "5");
}

#[test]
fn defaults_are_the_references() {
    install();
    let space = namespace();
    let flame = edited(DEMO, "    replicas: 2\n", "");
    let stored: Value = serde_json::from_str(&asked(&space, &flame).exits(0).stdout).unwrap();
    let executors = &stored["spec"]["executorManager"];
    assert_eq!((&executors["replicas"], &executors["maxExecutors"]), (&1.into(), &0.into()));
    assert_eq!((&executors["shim"], &executors["resources"]["limits"]), (&"".into(), &serde_json::json!({})));
    assert_eq!(
        (&stored["spec"]["sessionManager"]["slot"], &stored["spec"]["objectCache"]["storage"]),
        (&"".into(), &"".into())
    );
}

#[test]
fn what_the_examples_say_is_taken() {
    install();
    for example in ["basic", "production"] {
        let space = namespace();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{example}.yaml"));
        let text = fs::read_to_string(path).unwrap();
        let text = match text.lines().find(|line| line.trim_start().starts_with("namespace:")) {
            Some(line) => edited(&text, line, &format!("  namespace: {}", space.name)),
            None => text,
        };
        asked(&space, &text).exits(0);
    }
}

#[test]
fn mistakes_are_refused_by_the_server() {
    install();
    let space = namespace();
    let executor = |more: &str| edited(DEMO, "    replicas: 2\n", &format!("    replicas: 2\n{more}"));
    let cache = |storage: &str| format!("{DEMO}  objectCache:\n    storage: {storage}\n");
    let slot = |slot: &str| edited(DEMO, "    image: sm:v1\n", &format!("    image: sm:v1\n    slot: \"{slot}\"\n"));
    let mistakes = [
        (edited(DEMO, "name: demo", "name: my.flame"), "metadata.name"),
        (edited(DEMO, "name: demo", &format!("name: {}", "a".repeat(48))), "metadata.name"),
        (edited(DEMO, "    image: sm:v1\n", "    policy: fifo\n"), "spec.sessionManager.image: Required value"),
        (edited(DEMO, "sm:v1", "\"a b:1\""), "spec.sessionManager.image"),
        (edited(DEMO, "replicas: 2", "replica: 2"), "unknown field \"spec.executorManager.replica\""),
        (edited(DEMO, "replicas: 2", "replicas: \"2\""), "spec.executorManager.replicas"),
        (demo(10_001), "spec.executorManager.replicas"),
        (edited(DEMO, "replicas: 2", "replicas: -1"), "spec.executorManager.replicas"),
        (executor("    shim: docker\n"), "spec.executorManager.shim"),
        (executor("    resources: {limits: {memory: 2GB}}\n"), "spec.executorManager.resources.limits.memory"),
        (
            executor("    resources: {requests: {cpu: 2}, limits: {cpu: 1500m}}\n"),
            "a request may not be more than the limit of the same resource",
        ),
        (slot("cpu=0,mem=1g"), "spec.sessionManager.slot"),
        (slot("cpu=1"), "spec.sessionManager.slot"),
        (cache("cache"), "spec.objectCache.storage"),
        (cache("/a/../b"), "the path may not have .. in it"),
        (cache("/etc/flame"), "/etc/flame is where the configuration is mounted"),
    ];
    for (flame, why) in mistakes {
        // Whatever the server refuses the reader refuses, too.
        let file = space.file("flame.yaml", &flame);
        space.flamectl(&["validate", "-f", &file]).exits(2);
        asked(&space, &flame).exits(1).says(why);
    }
    asked(&space, &executor("    resources: {requests: {cpu: 500m, memory: 1}, limits: {cpu: 1, memory: 1Ki}}\n"))
        .exits(0);
}
