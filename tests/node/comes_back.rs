//! A flame works again after its parts went away.

use std::time::Instant;

use crate::flame::{DEMO, Flame, demo, own_node, space};
use crate::running::Running;

/// Starts `watch` of the demo.
#[track_caller]
fn watched(flame: &impl Flame) -> Running {
    let mut watch = Running::start(flame.namespace().command(&["watch", "demo"]));
    watch.until_says(": all is ready");
    watch
}

#[test]
fn an_executor_that_was_deleted_comes_back_under_a_fresh_hostname_and_takes_tasks() {
    let Some(flame) = space() else { return };
    flame.up(DEMO).exits(0);
    let before = flame.works_with(2);
    let mut watch = watched(&flame);
    let began = Instant::now();
    flame.space.kubectl(&["delete", "pod", "demo-executor-manager-0", "--wait=false"]);
    watch.until_says("not all is ready");
    watch.until_says(": all is ready");
    let after = flame.works_with(2);
    println!("takes tasks again {:.1} s after the deletion", began.elapsed().as_secs_f64());
    assert!(after.contains(&before[1]) && !after.contains(&before[0]), "{before:?} became {after:?}");
}

#[test]
fn after_the_session_manager_was_killed_or_deleted_tasks_run_again() {
    let Some(flame) = space() else { return };
    flame.up(DEMO).exits(0);
    flame.works_with(2);
    let mut watch = watched(&flame);
    let began = Instant::now();
    flame.kill("session-manager");
    flame.until("it restarted", || flame.pod("session-manager")["status"]["containerStatuses"][0]["restartCount"] == 1);
    flame.works_with(2);
    println!("works again {:.1} s after the session manager was killed", began.elapsed().as_secs_f64());
    watch.until_says(": all is ready");
    let began = Instant::now();
    flame.space.kubectl(&["delete", "pod", "demo-session-manager", "--wait=false"]);
    watch.until_says("not all is ready");
    watch.until_says(": all is ready");
    flame.works_with(2);
    println!("works again {:.1} s after the session manager was deleted", began.elapsed().as_secs_f64());
}

#[test]
fn a_killed_executor_holds_nobody_up() {
    let Some(flame) = space() else { return };
    flame.up(&demo(3)).exits(0);
    flame.works_with(3);
    flame.kill("executor-manager-1");
    for _ in 0..6 {
        flame.task();
    }
    flame.until("its container is back", || {
        flame.pod("executor-manager-1")["status"]["containerStatuses"][0]["restartCount"] == 1
    });
    flame.space.flamectl(&["restart", "demo", "executor-manager", "-y"]).exits(0);
    flame.works_with(3);
}

#[test]
fn while_the_kubelet_is_away_tasks_run_and_what_was_asked_for_meanwhile_is_done_after() {
    let Some(flame) = own_node() else { return };
    flame.up(DEMO).exits(0);
    flame.works_with(2);
    // Whoever is not ready when the kubelet stops stays so.
    flame.until("both are ready", || flame.space.flamectl(&["status", "demo"]).stdout.contains("2/2"));
    let node = flame.space.bed;
    node.verb("stop-kubelet");
    flame
        .space
        .flamectl(&["scale", "demo", "--replicas=3", "-y", "--timeout=3s"])
        .exits(3)
        .says("2 of 3 executors ready");
    node.verb("start-kubelet");
    flame.space.flamectl(&["scale", "demo", "--replicas=3", "-y"]).exits(0).prints("3/3");
    flame.works_with(3);
}

#[test]
fn a_drained_node_gets_its_flame_back() {
    let Some(flame) = own_node() else { return };
    flame.up(DEMO).exits(0);
    flame.works_with(2);
    let mut watch = watched(&flame);
    flame.space.kubectl(&["drain", "node-real", "--force", "--disable-eviction=false", "--delete-emptydir-data"]);
    watch.until_says("not all is ready");
    flame.until("status says why", || flame.space.flamectl(&["status", "demo"]).stdout.contains("Unschedulable"));
    flame.space.kubectl(&["uncordon", "node-real"]);
    watch.until_says(": all is ready");
    flame.works_with(2);
}
