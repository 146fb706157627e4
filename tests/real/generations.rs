//! Flame 0.6, whose object cache is a Pod of its own, and the way from one generation to the other.

use std::collections::BTreeSet;

use crate::bed::{Objects, at, names, namespace, uids};
use crate::flames::{CACHE, DEMO, MANAGER, RECORD, SERVICE, edited, executor, images};

const CACHE_POD: &str = "Pod demo-object-cache";
const SELECTED: &str = "/spec/selector/app.kubernetes.io~1component";

/// Returns the demo with the images of Flame 0.6.
fn flame_06() -> String {
    images("flame-session-manager:v0.6.0", "flame-executor-manager:v0.6.0")
}

/// Returns the names of all objects of the demo of Flame 0.6.
fn all_of_flame_06() -> Vec<String> {
    let fixed = [RECORD, CACHE_POD, MANAGER, CACHE, SERVICE].map(str::to_owned);
    let all: BTreeSet<String> = fixed.into_iter().chain([executor(0), executor(1)]).collect();
    all.into_iter().collect()
}

fn probes(pod: &serde_json::Value) -> bool {
    pod["spec"]["containers"][0].get("readinessProbe").is_some()
}

#[track_caller]
fn is_flame_06(objects: &Objects) {
    assert_eq!(names(objects), all_of_flame_06());
    assert_eq!(at(&objects[CACHE_POD], "/spec/containers/0/image"), "flame-object-cache:v0.6.0");
    assert_eq!(at(&objects[CACHE], SELECTED), "object-cache");
    assert!(probes(&objects[CACHE_POD]) && probes(&objects[MANAGER]) && !probes(&objects[&executor(0)]));
}

#[test]
fn a_flame_of_0_6_comes_up_with_its_object_cache_is_told_of_and_goes_without_a_trace() {
    let space = namespace();
    space.up(&flame_06()).exits(0).prints("Running");
    is_flame_06(&space.objects());
    space.up_with(&flame_06(), &[]).exits(0).says("nothing to do");
    space.flamectl(&["status", "demo", "-o", "wide"]).exits(0).prints("demo-object-cache");
    space.flamectl(&["restart", "demo", "object-cache", "-y"]).exits(0);
    let before = uids(&space.objects());
    space.flamectl(&["scale", "demo", "--replicas", "3"]).exits(0);
    let after = uids(&space.objects());
    assert!(before.iter().all(|(name, uid)| after[name] == *uid), "{before:#?}\n{after:#?}");
    space.flamectl(&["down", "demo", "-y"]).exits(0);
    assert_eq!(names(&space.objects()), [""; 0]);
}

#[test]
fn a_flame_goes_to_0_6_and_back_after_a_yes() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let old = space.objects();
    assert_eq!(at(&old[CACHE], SELECTED), "executor-manager");
    let file = space.file("new.yaml", &flame_06());
    space.flamectl(&["diff", "-f", &file]).exits(1).prints("create    Pod demo-object-cache");
    space.up_with(&flame_06(), &[]).exits(5);
    assert_eq!(uids(&space.objects()), uids(&old));
    space.up(&flame_06()).exits(0).prints("Running");
    let new = space.objects();
    is_flame_06(&new);
    for pod in [MANAGER.to_owned(), executor(0), executor(1)] {
        assert_ne!(uids(&old)[&pod], uids(&new)[&pod], "{pod}");
    }
    assert_eq!([uids(&old)[CACHE].as_str(), &uids(&old)[SERVICE]], [uids(&new)[CACHE].as_str(), &uids(&new)[SERVICE]]);
    space.up(DEMO).exits(0).prints("Running");
    let back = space.objects();
    assert_eq!(names(&back), names(&old));
    assert_eq!(at(&back[CACHE], SELECTED), "executor-manager");
}

#[test]
fn the_record_keeps_the_version_that_the_flag_told() {
    let space = namespace();
    let file = space.file("demo.yaml", DEMO);
    space.flamectl(&["up", "-f", &file, "--flame-version", "0.6", "-y"]).exits(0);
    assert_eq!(at(&space.objects()[CACHE_POD], "/spec/containers/0/image"), "flame-object-cache:v1");
    space.flamectl(&["scale", "demo", "--replicas", "1", "-y"]).exits(0);
    assert!(space.objects().contains_key(CACHE_POD));
    space.kubectl(&["delete", "pod", "demo-object-cache"]);
    space.flamectl(&["watch", "demo", "--once"]).exits(1);
    let again = space.objects();
    assert_eq!(at(&again[CACHE_POD], "/spec/containers/0/image"), "flame-object-cache:v1");
}

#[test]
fn a_mix_of_generations_is_refused_before_anything_is_sent() {
    let space = namespace();
    let mixed = edited(&flame_06(), "flame-session-manager:v0.6.0", "flame-session-manager:v0.5.0");
    space.up(&mixed).exits(2).says("no task is ever run");
    assert_eq!(names(&space.objects()), [""; 0]);
}
