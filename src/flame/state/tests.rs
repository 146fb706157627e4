use super::*;
use crate::flame::evidence::{Evidence, LogTail, inquiries};
use crate::flame::observed::{Condition, Ended, Phase};
use crate::flame::testing::{controller, flame, flame_06, running};

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
    let verdict = verdict(&flame(3), &snapshot, 0);
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
        "0 of 3 executors ready; 3 of 3 executors (0-2): NotCreated",
    );
}

#[test]
fn failed_is_a_failed_session_manager_or_all_executors_failed() {
    use ClusterState::{Failed, Running};
    check(
        |it| crash(session_manager(it)),
        Failed,
        "session manager not ready, 3 of 3 executors ready; session manager: CrashLoopBackOff: exit code 101 (a Rust panic)",
    );
    check(
        |it| (0..3).for_each(|index| crash(executor(it, index))),
        Failed,
        "0 of 3 executors ready; 3 of 3 executors (0-2): CrashLoopBackOff: exit code 101 (a Rust panic)",
    );
    check(
        |it| (0..2).for_each(|index| crash(executor(it, index))),
        Running,
        "1 of 3 executors ready; 2 of 3 executors (0-1): CrashLoopBackOff: exit code 101 (a Rust panic)",
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
        |it| {
            (0..3).for_each(|index| {
                executor(it, index).meta.controller = Some(std::sync::Arc::new(controller("ReplicaSet/x")))
            })
        },
        Pending,
        "0 of 3 executors ready; 3 of 3 executors (0-2): NotCreated",
    );
}

#[test]
fn pods_beyond_replicas_never_count() {
    let verdict = verdict(&flame(2), &running(&flame(5)), 0);
    assert_eq!(verdict.status.executor_manager, ExecutorManagerStatus { replicas: 2, ready: 2 });
}

#[test]
fn no_executors_is_pending_as_the_reference_has_it() {
    let verdict = verdict(&flame(0), &running(&flame(0)), 0);
    assert_eq!(verdict.status.state, ClusterState::Pending);
    assert_eq!(verdict.status.message, "No executors: replicas is 0");
}

#[test]
fn the_status_has_exactly_the_fields_of_the_reference() {
    let status = serde_json::to_value(verdict(&flame(3), &running(&flame(3)), 0).status).unwrap();
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

fn ended(exit_code: i32, finished_at: Seconds) -> Option<Box<Ended>> {
    let finished_at = Some(finished_at);
    Some(Box::new(Ended { exit_code, reason: "Error".into(), finished_at, previous: true, ..Default::default() }))
}

/// Returns the kinds of the causes of a flame of three executors.
fn kinds(now: Seconds, meanwhile: impl FnOnce(&mut Snapshot)) -> Vec<(CauseKind, Vec<u32>)> {
    let mut snapshot = running(&flame(3));
    meanwhile(&mut snapshot);
    let causes = verdict(&flame(3), &snapshot, now).causes;
    causes.into_iter().map(|cause| (cause.kind, cause.indices)).collect()
}

#[test]
fn executors_that_ended_before_the_session_manager_was_ready_only_came_too_early() {
    let crashed = |it: &mut Snapshot, ready_since: Option<Seconds>| {
        session_manager(it).ready = ready_since.is_some();
        let since = Condition { is_true: true, since: ready_since, why: None };
        session_manager(it).conditions.ready = ready_since.map(|_| since);
        for index in 0..2 {
            crash(executor(it, index));
            executor(it, index).ended = ended(101, 100 + Seconds::from(index));
        }
    };
    assert_eq!(kinds(200, |it| crashed(it, None))[1], (CauseKind::TooEarly, vec![0, 1]));
    assert_eq!(kinds(200, |it| crashed(it, Some(101))), [(CauseKind::Crash, vec![1]), (CauseKind::TooEarly, vec![0])]);
    let with_last_words = |it: &mut Snapshot, line: &str| {
        crashed(it, Some(150));
        let log = Some(LogTail { lines: vec![line.to_owned()], previous: true });
        it.evidence.insert("uid-demo-executor-manager-0".into(), Evidence { log, ..Default::default() });
    };
    let both = |kind| [(kind, vec![0, 1])];
    assert_eq!(kinds(200, |it| with_last_words(it, "tcp connect error")), both(CauseKind::TooEarly));
    assert_eq!(kinds(200, |it| with_last_words(it, "regex parse error")), both(CauseKind::Crash));
}

#[test]
fn a_pod_that_leaves_is_stuck_once_its_grace_is_long_over() {
    let leaving = |it: &mut Snapshot| {
        let meta = &mut executor(it, 0).meta;
        (meta.terminating, meta.deletion_timestamp) = (true, Some(100));
    };
    assert_eq!(kinds(109, leaving), [(CauseKind::Terminating, vec![0])]);
    assert_eq!(kinds(110, leaving), [(CauseKind::Stuck, vec![0])]);
    let mut snapshot = running(&flame(3));
    leaving(&mut snapshot);
    assert_eq!(verdict(&flame(3), &snapshot, 100).changes_at, Some(110));
    assert_eq!(verdict(&flame(3), &snapshot, 110).changes_at, None);
    assert_eq!(why_it_stays(executor(&mut snapshot, 0), "ml", 109), None);
    let stays = why_it_stays(executor(&mut snapshot, 0), "ml", 110).unwrap();
    let expected = [
        "still there though its grace is over",
        "its node has not said that it ended",
        "next: kubectl describe node node-1",
    ];
    assert_eq!(stays, expected);
}

#[test]
fn a_pod_on_its_way_is_late_after_a_while() {
    let late = |now: Seconds| {
        let mut snapshot = running(&flame(1));
        let pod = executor(&mut snapshot, 0);
        (pod.ready, pod.started_at) = (false, Some(100));
        let verdict = verdict(&flame(1), &snapshot, now);
        (verdict.causes[0].is_late, verdict.changes_at)
    };
    assert_eq!(late(109), (false, Some(110)));
    assert_eq!(late(110), (true, None));
}

#[test]
fn who_was_asked_already_stands_for_the_others() {
    let mut snapshot = running(&flame(3));
    (0..3).for_each(|index| crash(executor(&mut snapshot, index)));
    let pod = |snapshot: &Snapshot| verdict(&flame(3), snapshot, 0).causes[0].pod.clone();
    assert_eq!(pod(&snapshot).as_deref(), Some("demo-executor-manager-0"));
    snapshot.evidence.insert("uid-demo-executor-manager-2".into(), Evidence::default());
    assert_eq!(pod(&snapshot).as_deref(), Some("demo-executor-manager-2"));
}

/// Whatever is wrong with ten thousand Pods, it is a few causes and fewer questions.
#[test]
fn ten_thousand_broken_pods_are_one_line_a_cause_and_a_handful_of_questions() {
    const REPLICAS: u32 = 10_000;
    let flame = flame(REPLICAS);
    let mut snapshot = running(&flame);
    for index in 0..REPLICAS {
        let pod = executor(&mut snapshot, index);
        pod.ready = false;
        let (reason, message) = match index % 8 {
            0 => ("ErrImagePull", "x: not found".to_owned()),
            1 => ("ImagePullBackOff", "Back-off pulling image \"x\"".to_owned()),
            2 => ("CreateContainerError", format!("{} of {} at 10.0.0.{}", pod.meta.name, pod.meta.uid, index % 250)),
            3 => ("CreateContainerConfigError", "secret \"x\" not found".to_owned()),
            4 => ("InvalidImageName", String::new()),
            5 => ("CrashLoopBackOff", format!("back-off {}s restarting", index % 300)),
            6 => ("PostStartHookError", "hook".to_owned()),
            _ => ("ContainerCreating", String::new()),
        };
        (pod.phase, pod.waiting_reason, pod.waiting_message) =
            (Phase::Pending, Some(reason.into()), Some(message.into()));
    }
    let causes = verdict(&flame, &snapshot, 0).causes;
    let told: Vec<(&str, usize)> = causes.iter().map(|cause| (cause.reason.as_str(), cause.count())).collect();
    let each = REPLICAS as usize / 8;
    assert_eq!(
        told,
        [
            ("ErrImagePull", 2 * each),
            ("InvalidImageName", each),
            ("CreateContainerConfigError", each),
            ("CreateContainerError", each),
            ("CrashLoopBackOff", each),
            ("ContainerCreating", each),
            ("PostStartHookError", each),
        ]
    );
    let asked: Vec<String> = inquiries(&causes, &snapshot).into_iter().map(|inquiry| inquiry.pod).collect();
    assert_eq!(asked, [0, 4, 3, 2, 5].map(|index| names::executor_manager("demo", index)));
}

#[test]
fn an_object_cache_that_is_not_ready_changes_the_message_and_no_state() {
    let check = |meanwhile: fn(&mut Snapshot), expected: (ClusterState, &str)| {
        let mut snapshot = running(&flame_06(2));
        meanwhile(&mut snapshot);
        let status = verdict(&flame_06(2), &snapshot, 0).status;
        assert_eq!((status.state, status.message.as_str()), expected);
    };
    check(|_| {}, (ClusterState::Running, "All components healthy"));
    check(
        |it| crash(it.pods.get_mut("demo-object-cache").unwrap()),
        (
            ClusterState::Running,
            "object cache not ready, 2 of 2 executors ready; object cache: CrashLoopBackOff: exit code 101 (a Rust panic)",
        ),
    );
    check(
        |it| drop(it.pods.remove("demo-object-cache")),
        (ClusterState::Running, "object cache not ready, 2 of 2 executors ready; object cache: NotCreated"),
    );
}

#[test]
fn before_0_6_nobody_misses_an_object_cache() {
    let snapshot = running(&flame(2));
    assert_eq!(verdict(&flame(2), &snapshot, 0).causes, []);
}
