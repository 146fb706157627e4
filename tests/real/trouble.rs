//! Pods that do not get ready: the cause, who is concerned, and the exit code.

use std::time::Instant;

use crate::bed::{at, namespace, uids};
use crate::flames::{MANAGER, demo, edited, executor, images};

#[test]
fn an_image_that_cannot_be_pulled_is_named_when_the_time_is_up() {
    let space = namespace();
    let flame = edited(&demo(3), "em:v1", "bad/em:v9");
    let began = Instant::now();
    let up = space.up_with(&flame, &["--timeout=3s"]).exits(3);
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    up.says("3 of 3 executors (0-2): ErrImagePull: image bad/em:v9 cannot be pulled").says("0 of 3 executors ready");
}

#[test]
fn a_fixed_image_heals() {
    let space = namespace();
    space
        .up_with(&images("bad/sm:v1", "bad/em:v1"), &["--timeout=3s"])
        .exits(3)
        .says("session manager: ErrImagePull: image bad/sm:v1 cannot be pulled");
    space.up(&images("sm:v1", "em:v1")).exits(0).prints("2/2");
    space.up_with(&images("sm:v1", "em:v1"), &[]).exits(0).says("nothing to do");
}

#[test]
fn crashing_executors_are_failed_with_their_exit_code() {
    let space = namespace();
    let up = space.up_with(&images("sm:v1", "crash/em:v1"), &["--timeout=4s"]).exits(4);
    up.says("Failed").says("2 of 2 executors (0-1): CrashLoopBackOff: exit code 101 (a Rust panic)");
}

#[test]
fn a_crashing_session_manager_is_failed() {
    let space = namespace();
    let up = space.up_with(&images("crash/sm:v1", "em:v1"), &["--timeout=4s"]).exits(4);
    up.says("session manager: CrashLoopBackOff: exit code 101 (a Rust panic)");
}

#[test]
fn executors_that_never_get_ready_are_not_failed() {
    let space = namespace();
    let up = space.up_with(&images("sm:v1", "notready/em:v1"), &["--timeout=2s"]).exits(3);
    up.says("2 of 2 executors (0-1): NotReady").says("Pending");
}

/// A bad wave stops: the executors that serve go on serving.
#[test]
fn a_bad_image_takes_only_one_wave_down() {
    let space = namespace();
    space.up(&demo(4)).exits(0);
    let before = uids(&space.objects());
    let bad = edited(&demo(4), "em:v1", "bad/em:v2");
    space.up_with(&bad, &["-y", "--timeout=4s"]).exits(3).says("bad/em:v2").says("3 of 4 executors ready");
    let after = space.objects();
    let replaced: Vec<u32> =
        (0..4).filter(|index| at(&after[&executor(*index)], "/metadata/uid") != before[&executor(*index)]).collect();
    assert_eq!(replaced.len(), 1, "{replaced:?}");
    assert_eq!(at(&after[MANAGER], "/metadata/uid"), before[MANAGER]);
    space.up(&demo(4)).exits(0).prints("4/4");
    let healed = uids(&space.objects());
    assert_eq!((0..4).filter(|index| healed[&executor(*index)] != before[&executor(*index)]).count(), 1);
}

#[test]
fn some_ready_executors_are_enough_where_that_was_asked_for() {
    let space = namespace();
    space.up(&demo(4)).exits(0);
    let unready = r#"{"status": {"conditions": [{"type": "Ready", "status": "False"}]}}"#;
    space.kubectl(&["patch", "pod/demo-executor-manager-2", "--subresource=status", "--patch", unready]);
    for enough in ["running", "3", "75%"] {
        space.up_with(&demo(4), &["--timeout=5s", &format!("--wait-for={enough}")]).exits(0).prints("3/4");
    }
    for more in ["all", "4", "76%"] {
        let up = space.up_with(&demo(4), &["--timeout=1s", &format!("--wait-for={more}")]).exits(3);
        up.says("3 of 4 executors ready").says("executor 2: NotReady");
    }
}

#[test]
fn a_pod_that_fits_no_node_is_told_with_the_schedulers_words() {
    let space = namespace();
    let flame = edited(&demo(1), "em:v1", "em:v1\n    resources: {requests: {cpu: 20k}}");
    let up = space.up_with(&flame, &["--timeout=3s"]).exits(3);
    up.says("warning: no node takes the executors: cpu 20000 is needed, node-")
        .says("has the most with 10000 allocatable")
        .says("executor 0: Unschedulable")
        .says("insufficient cpu");
}
