use super::*;
use crate::flame::observed::{Condition, Conditions, Ended, Reason};
use crate::flame::testing::{flame, running};

fn session_manager(snapshot: &mut Snapshot) -> &mut ObservedPod {
    snapshot.pods.get_mut("demo-session-manager").unwrap()
}

fn executor(snapshot: &mut Snapshot, index: u32) -> &mut ObservedPod {
    snapshot.pods.get_mut(&names::executor_manager("demo", index)).unwrap()
}

fn crash(pod: &mut ObservedPod) {
    pod.ready = false;
    pod.ended = Some(Box::new(Ended { exit_code: 101, reason: "Error".into(), previous: true, ..Default::default() }));
    pod.waiting_reason = Some("CrashLoopBackOff".into());
}

/// Checks the verdict on a running flame of three executors after `meanwhile`.
#[track_caller]
fn check(meanwhile: impl FnOnce(&mut Snapshot), state: ClusterState, message: &str) {
    let mut snapshot = running(&flame(3));
    meanwhile(&mut snapshot);
    let verdict = verdict(&flame(3), &snapshot);
    assert_eq!((verdict.status.state, verdict.status.message.as_str()), (state, message));
}

#[test]
fn running_needs_the_session_manager_and_one_executor() {
    use ClusterState::{Pending, Running};
    check(|_| {}, Running, "All components healthy");
    check(
        |it| executor(it, 1).ready = false,
        Running,
        "2 of 3 executors ready; executor 1: NotReady: running, readiness probe not passed yet",
    );
    check(
        |it| session_manager(it).ready = false,
        Pending,
        "session manager not ready, 3 of 3 executors ready; session manager: NotReady: running, readiness probe not passed yet",
    );
    check(
        |it| it.pods.retain(|name, _| name == "demo-session-manager"),
        Pending,
        "0 of 3 executors ready; executors 0-2: NotCreated",
    );
}

#[test]
fn failed_is_a_failed_session_manager_or_all_executors_failed() {
    use ClusterState::{Failed, Running};
    check(
        |it| crash(session_manager(it)),
        Failed,
        "session manager not ready, 3 of 3 executors ready; session manager: CrashLoopBackOff: exit code 101",
    );
    check(
        |it| (0..3).for_each(|index| crash(executor(it, index))),
        Failed,
        "0 of 3 executors ready; executors 0-2: CrashLoopBackOff: exit code 101",
    );
    check(
        |it| (0..2).for_each(|index| crash(executor(it, index))),
        Running,
        "1 of 3 executors ready; executors 0-1: CrashLoopBackOff: exit code 101",
    );
    check(
        |it| {
            session_manager(it).phase = Phase::Failed;
            session_manager(it).reason = Some("Evicted".into());
        },
        Failed,
        "session manager not ready, 3 of 3 executors ready; session manager: Evicted",
    );
}

#[test]
fn what_is_on_its_way_out_or_not_ours_does_not_count() {
    use ClusterState::Pending;
    check(
        |it| session_manager(it).meta.terminating = true,
        Pending,
        "session manager not ready, 3 of 3 executors ready; session manager: Terminating",
    );
    check(
        |it| (0..3).for_each(|index| executor(it, index).meta.controller = Some("ReplicaSet/x".into())),
        Pending,
        "0 of 3 executors ready; executors 0-2: NotCreated",
    );
}

#[test]
fn pods_beyond_replicas_never_count() {
    let verdict = verdict(&flame(2), &running(&flame(5)));
    assert_eq!(verdict.status.executor_manager, ExecutorManagerStatus { replicas: 2, ready: 2 });
}

#[test]
fn no_executors_is_pending_as_the_reference_has_it() {
    let verdict = verdict(&flame(0), &running(&flame(0)));
    assert_eq!(verdict.status.state, ClusterState::Pending);
    assert_eq!(verdict.status.message, "No executors: replicas is 0");
}

#[test]
fn the_status_has_exactly_the_fields_of_the_reference() {
    let status = serde_json::to_value(verdict(&flame(3), &running(&flame(3))).status).unwrap();
    assert_eq!(
        status,
        serde_json::json!({
            "sessionManager": { "ready": 1, "endpoint": "http://demo-session-manager:8080" },
            "executorManager": { "replicas": 3, "ready": 3 },
            "state": "Running",
            "configGeneration": 1,
            "message": "All components healthy",
        })
    );
}

#[test]
fn the_evidence_is_what_the_server_says() {
    let pod = ObservedPod { node: Some("node-1".into()), ..Default::default() };
    let no_node = Reason { reason: "Unschedulable".into(), message: "0/3 nodes are available".into() };
    let scheduled = Some(Condition { why: Some(Box::new(no_node)), ..Default::default() });
    let unscheduled = ObservedPod { conditions: Conditions { scheduled, ..Default::default() }, ..Default::default() };
    let pulling = ObservedPod {
        waiting_reason: Some("ErrImagePull".into()),
        waiting_message: Some("not found".into()),
        ..Default::default()
    };
    let stuck = ObservedPod {
        meta: super::super::observed::ObservedMeta {
            terminating: true,
            finalizers: vec!["example.com/hold".into()],
            ..Default::default()
        },
        ..Default::default()
    };
    for (pod, reason, message) in [
        (None, "NotCreated", ""),
        (Some(&ObservedPod::default()), "Pending", "not scheduled yet"),
        (Some(&pod), "Pending", "container not started yet"),
        (Some(&unscheduled), "Unschedulable", "0/3 nodes are available"),
        (Some(&pulling), "ErrImagePull", "not found"),
        (Some(&stuck), "Terminating", "waits for finalizer example.com/hold"),
    ] {
        assert_eq!(why_not_ready(pod), Some((reason.to_owned(), message.to_owned())));
    }
}

#[test]
fn indices_are_written_as_ranges() {
    for (indices, text) in [(&[0, 1, 2, 9][..], "0-2,9"), (&[4], "4"), (&[], ""), (&[1, 3, 5], "1,3,5")] {
        assert_eq!(ranges(indices), text);
    }
}
