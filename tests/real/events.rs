//! `events`: what happened to a flame's objects, and nothing else of the namespace.

use serde_json::{Value, json};

use crate::bed::{Namespace, namespace};
use crate::flames::{DEMO, edited, images};
use crate::running::Running;

/// Makes an event as a kubelet does.
#[track_caller]
fn report(space: &Namespace<'_>, name: &str, about: &str, message: &str, count: u32, times: (&str, &str)) {
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": { "name": name },
        "involvedObject": { "apiVersion": "v1", "kind": "Pod", "namespace": space.name, "name": about },
        "type": "Warning", "reason": "Reported", "message": message, "source": { "component": "test" },
        "count": count, "firstTimestamp": times.0, "lastTimestamp": times.1,
    });
    space.apply(&event.to_string(), &[]);
}

#[track_caller]
fn items(space: &Namespace<'_>, args: &[&str]) -> Vec<Value> {
    let printed = space.flamectl(&[&["events", "demo", "-o", "json"], args].concat()).exits(0).stdout;
    let list: Value = serde_json::from_str(&printed).unwrap();
    list["items"].as_array().unwrap().clone()
}

#[test]
fn events_of_the_flame_are_told_oldest_first_alike_ones_once_and_without_secrets() {
    let space = namespace();
    space.up(&edited(DEMO, "name: demo", "name: other")).exits(0);
    space.up_with(&images("sm:v1", "bad/em:v1"), &["--wait=false"]).exits(0);
    let (old, new) =
        (("2026-01-02T03:00:00Z", "2026-01-02T03:05:00Z"), ("2026-01-02T03:04:00Z", "2026-01-02T03:09:00Z"));
    // Of a Pod that is gone, or was never there.
    report(&space, "a", "demo-executor-manager-77", "pull https://me:secret@registry.example/x failed", 12, old);
    report(&space, "b", "demo-executor-manager-77", "pull https://me:secret@registry.example/x failed", 3, new);
    report(&space, "c", "demo-executor-manager-077", "not ours", 1, new);
    let reported = json!({
        "type": "Warning", "reason": "Reported", "count": 15, "firstSeen": old.0, "lastSeen": new.1,
        "object": { "kind": "Pod", "name": "demo-executor-manager-77" },
        "message": "pull https://***@registry.example/x failed",
    });
    space.until("the images are tried", |_| {
        let warns = |item: &&Value| item["reason"] == "BackOff";
        items(&space, &["--types=Warning"]).iter().filter(warns).count() == 2
    });
    let all = items(&space, &[]);
    assert_eq!(all[0], reported);
    let times: Vec<&str> = all.iter().map(|item| item["lastSeen"].as_str().unwrap()).collect();
    assert!(times.iter().zip(&times[1..]).all(|(one, next)| one[..19] <= next[..19]), "{times:?}");
    assert!(all.iter().all(|item| item["object"]["name"].as_str().unwrap().starts_with("demo-")), "{all:#?}");
    assert!(all.iter().any(|item| item["type"] == "Normal" && item["reason"] == "Scheduled"), "{all:#?}");

    let warnings = items(&space, &["--types", "warning"]);
    assert_eq!(warnings[0], reported);
    assert!(warnings.iter().all(|item| item["type"] == "Warning"), "{warnings:#?}");
    let table = space.flamectl(&["events", "demo", "--types=Warning"]).exits(0).stdout;
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"], "{table}");
    assert_eq!((lines[1][1], lines[1][2]), ("(x15", "over"), "{table}");
    let expected =
        ["Warning", "Reported", "Pod/demo-executor-manager-77", "pull", "https://***@registry.example/x", "failed"];
    assert_eq!(lines[1][4..], expected, "{table}");
    let yaml: Value = serde_yaml::from_str(&space.flamectl(&["events", "demo", "-o", "yaml"]).exits(0).stdout).unwrap();
    assert_eq!(yaml["items"][0], reported);

    space.flamectl(&["down", "demo", "-y"]).exits(0);
    assert!(items(&space, &["--types=Warning"]).contains(&reported), "events outlive their Pods");
}

#[test]
fn where_nothing_happened_that_is_said() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let none = space.flamectl(&["events", "demo", "--types=Warning"]).exits(0);
    let none = none.says(&format!("no events of demo in namespace {}", space.name));
    assert_eq!(none.stdout, "");
    let missing = space.flamectl(&["events", "nobody"]).exits(1);
    missing.says(&format!("there is no flame nobody in namespace {}", space.name)).says("flamectl status -A");
}

#[test]
fn new_events_are_followed_until_interrupted() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let mut watch = Running::start_with_data(space.command(&["events", "demo", "-w"]));
    watch.until_says("LAST SEEN");
    let times = ("2026-01-02T03:00:00Z", "2026-01-02T03:05:00Z");
    report(&space, "a", "other-executor-manager-0", "not ours", 1, times);
    report(&space, "b", "demo-executor-manager-0", "first words", 1, times);
    watch.until_says("first words");
    report(&space, "b", "demo-executor-manager-0", "first words", 2, times);
    assert!(watch.until_says("first words").contains("(x2 over"));
    watch.signal("INT");
    let (code, said, _) = watch.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(!said.contains("not ours"), "{said}");

    let mut watch = Running::start_with_data(space.command(&["events", "demo", "-w", "-o", "json", "--types=Warning"]));
    let line = watch.until_says("first words");
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["count"], 2);
    report(&space, "c", "demo-executor-manager-0", "last words", 1, times);
    let line = watch.until_says("last words");
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["reason"], "Reported");
}
