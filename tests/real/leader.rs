//! `watch --leader-elect`: of several processes one works, another takes over, and one that wakes too late writes nothing.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bed::{Namespace, at, namespace, uids};
use crate::flames::{CACHE, RECORD, demo, executor};
use crate::running::Running;

/// How long a takeover may take.
const TAKEOVER: Duration = Duration::from_secs(15);

/// Starts a process that would keep the flame with so many executors.
fn candidate(space: &Namespace<'_>, file: &str, replicas: u32) -> Running {
    let file = space.file(file, &demo(replicas));
    Running::start(space.command(&["watch", "-f", &file, "--leader-elect"]))
}

/// Starts one that leads and one that stands by.
fn pair(space: &Namespace<'_>, replicas: (u32, u32)) -> (Running, Running) {
    let mut leader = candidate(space, "one.yaml", replicas.0);
    leader.until_says("leading");
    leader.until_says("all is ready");
    let mut other = candidate(space, "other.yaml", replicas.1);
    let says = other.until_says("standing by; ");
    assert_eq!(says.split("; ").nth(1), Some(format!("{} leads", holder(space)).as_str()), "{says}");
    (leader, other)
}

fn lease(space: &Namespace<'_>) -> Value {
    serde_json::from_str(&space.kubectl(&["get", "lease/flamectl-watch", "-o", "json"])).unwrap()
}

fn holder(space: &Namespace<'_>) -> String {
    at(&lease(space), "/spec/holderIdentity").to_owned()
}

/// Deletes an object and waits until it is there again.
#[track_caller]
fn repaired(space: &Namespace<'_>) {
    let before = uids(&space.objects());
    space.kubectl(&["delete", "service/demo-object-cache"]);
    space.until("repaired", |objects| uids(objects).get(CACHE).is_some_and(|uid| *uid != before[CACHE]));
}

#[test]
fn whoever_stands_by_takes_over_from_a_leader_that_was_killed() {
    let space = namespace();
    let (leader, mut other) = pair(&space, (2, 2));
    let first = holder(&space);
    let began = Instant::now();
    leader.signal("KILL");
    space.kubectl(&["delete", "service/demo-object-cache"]);
    other.until_says("leading");
    other.until_says("created Service demo-object-cache");
    assert!(began.elapsed() < TAKEOVER, "{:?}", began.elapsed());
    let lease = lease(&space);
    assert_ne!(at(&lease, "/spec/holderIdentity"), first);
    assert_eq!((&lease["spec"]["leaseDurationSeconds"], &lease["spec"]["leaseTransitions"]), (&12.into(), &1.into()));
    repaired(&space);
}

#[test]
fn a_leader_that_is_told_to_end_leaves_the_work_to_another_at_once() {
    let space = namespace();
    let (leader, mut other) = pair(&space, (2, 2));
    let began = Instant::now();
    leader.signal("TERM");
    other.until_says("leading");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let (code, said, _) = leader.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("stopped watching; everything is left as it is"), "{said}");
    repaired(&space);
    other.signal("TERM");
    assert_eq!(other.end().0, Some(0));
    assert_eq!(holder(&space), "");
}

/// The two want different things, so that anything that the first one writes late would show.
#[test]
fn a_leader_that_was_frozen_writes_nothing_once_it_wakes() {
    let space = namespace();
    let (mut leader, mut other) = pair(&space, (2, 3));
    let began = Instant::now();
    leader.signal("STOP");
    other.until_says("leading");
    assert!(began.elapsed() < TAKEOVER, "{:?}", began.elapsed());
    let second = holder(&space);
    other.until_says("3 of 3 executors ready");
    let before = space.objects();
    leader.signal("CONT");
    leader.until_says("no longer leading");
    leader.until_says(&format!("standing by; {second} leads"));
    repaired(&space);
    let after = space.objects();
    let version =
        |name: &str| (at(&before[name], "/metadata/resourceVersion"), at(&after[name], "/metadata/resourceVersion"));
    for name in [RECORD.to_owned(), executor(0), executor(1), executor(2)] {
        let (before, after) = version(&name);
        assert_eq!(before, after, "{name}");
    }
    leader.signal("TERM");
    let (code, said, _) = leader.end();
    assert_eq!(code, Some(0), "{said}");
    let late = said.split("no longer leading").nth(1).unwrap();
    assert!(
        ["created", "deleted", "updated", "put back", "watching demo"].iter().all(|word| !late.contains(word)),
        "{said}"
    );
    assert_eq!(holder(&space), second);
    drop(other);
}

#[test]
fn the_lease_may_have_another_name_and_place_and_needs_rights() {
    let space = namespace();
    let elsewhere = namespace();
    let file = space.file("demo.yaml", &demo(1));
    let lease = format!("{}/flames", elsewhere.name);
    let mut watch = Running::start(space.command(&["watch", "-f", &file, "--leader-elect", "--lease", &lease]));
    watch.until_says("leading");
    assert!(elsewhere.kubectl(&["get", "lease", "-o", "name"]).contains("lease.coordination.k8s.io/flames"));
    let args = ["watch", "-f", &file, "--leader-elect", "--as", "nobody"];
    let mut denied = Running::start(space.command(&args));
    let says = denied.until_says("Lease ");
    assert!(says.contains("/flamectl-watch: ") && says.contains("cannot get resource \"leases\""), "{says}");
    denied.signal("TERM");
    assert_eq!(denied.end().0, Some(0));
}
