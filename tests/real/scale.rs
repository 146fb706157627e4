//! Another number of executors: exactly the Pods concerned come and go.

use crate::bed::{Namespace, at, names, namespace, uids};
use crate::flames::{DEMO, MANAGER, RECORD, demo, executor};

/// Checks that there are the executors 0 to `replicas`, and that what was there before and is to stay is the same object.
#[track_caller]
fn check(space: &Namespace<'_>, before: &std::collections::BTreeMap<String, String>, replicas: u32) {
    let after = uids(&space.objects());
    let executors: Vec<&str> =
        after.keys().map(String::as_str).filter(|name| name.contains("executor-manager")).collect();
    assert_eq!(executors, (0..replicas).map(executor).collect::<Vec<_>>());
    for (name, uid) in before.iter().filter(|(name, _)| after.contains_key(*name)) {
        assert_eq!(&after[name], uid, "{name} was made anew");
    }
}

#[test]
fn a_file_with_another_number_touches_only_the_executors_concerned() {
    let space = namespace();
    space.up(&demo(3)).exits(0);
    let before = uids(&space.objects());
    space.up(&demo(5)).exits(0).prints("5/5");
    check(&space, &before, 5);
    let before = uids(&space.objects());
    space.up(&demo(2)).exits(0).prints("2/2");
    check(&space, &before, 2);
    space.up(&demo(0)).exits(0).prints("0/0");
    check(&space, &before, 0);
}

#[test]
fn scale_changes_the_recorded_flame() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = uids(&space.objects());
    space.flamectl(&["scale", "demo", "--replicas", "4"]).exits(0).prints("4/4");
    check(&space, &before, 4);
    space.flamectl(&["scale", "demo", "--replicas", "1", "-y"]).exits(0).prints("1/1");
    check(&space, &before, 1);
    let recorded = at(&space.objects()[RECORD], "/metadata/annotations/flame.xflops.io~1spec").to_owned();
    assert!(!recorded.contains("replicas\":2"), "{recorded}");
    space.flamectl(&["status", "demo"]).exits(0).prints("1/1");
}

#[test]
fn running_executors_do_not_go_without_a_yes() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = space.objects();
    space.flamectl(&["scale", "demo", "--replicas", "1"]).exits(5).says("-y");
    assert_eq!(space.objects(), before);
}

#[test]
fn another_number_than_expected_changes_nothing() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = space.objects();
    let scale = ["scale", "demo", "--replicas", "4", "--current-replicas", "3"];
    space.flamectl(&scale).exits(5).says("demo has 2 replicas");
    assert_eq!(space.objects(), before);
}

#[test]
fn a_flame_that_is_not_there_cannot_be_scaled() {
    let space = namespace();
    let scaled = space.flamectl(&["scale", "demo", "--replicas", "4"]).exits(1);
    scaled.says(&format!("there is no flame demo in namespace {}", space.name));
}

#[test]
fn restart_makes_the_pods_of_one_component_anew() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = uids(&space.objects());
    space.flamectl(&["restart", "demo", "executor-manager", "-y"]).exits(0).prints("2/2");
    let after = uids(&space.objects());
    let changed: Vec<&String> = after.keys().filter(|name| after[*name] != before[*name]).collect();
    assert_eq!(changed, [&executor(0), &executor(1)]);
    space.flamectl(&["restart", "demo", "session-manager", "-y"]).exits(0).prints("1/1");
    let last = uids(&space.objects());
    let changed: Vec<&String> = last.keys().filter(|name| last[*name] != after[*name]).collect();
    assert_eq!(changed, [MANAGER]);
    assert_eq!(names(&space.objects()).len(), 6);
}
