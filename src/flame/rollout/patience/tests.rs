use super::*;
use crate::flame::evidence::{Evidence, LogTail};
use crate::flame::manifests::manifests;
use crate::flame::names;
use crate::flame::observed::{Condition, Conditions, Ended, Observed, ObservedPod, Phase, Reason, Snapshot};
use crate::flame::plan::Desired;
use crate::flame::rollout::{Options, Step};
use crate::flame::testing::{flame, running};

fn at(seconds: u64) -> Time {
    Duration::from_secs(seconds)
}

/// Returns a rollout of a running flame, changed by `meanwhile`.
fn rollout(executors: u32, options: Options, meanwhile: impl FnOnce(&mut Snapshot)) -> Rollout {
    let mut snapshot = running(&flame(executors));
    meanwhile(&mut snapshot);
    Rollout::new(Desired::up(manifests(&flame(executors)).unwrap()), options, snapshot)
}

fn bar(bar: Bar) -> Options {
    Options { bar, timeout: None, ..Default::default() }
}

fn executor(snapshot: &mut Snapshot, index: u32) -> &mut ObservedPod {
    snapshot.pods.get_mut(&names::executor_manager("demo", index)).unwrap()
}

fn waits(pod: &mut ObservedPod, reason: &str) {
    (pod.ready, pod.phase, pod.waiting_reason) = (false, Phase::Pending, Some(reason.into()));
}

fn fits_nowhere(pod: &mut ObservedPod) {
    let why = Reason { reason: "Unschedulable".into(), message: "0/1 nodes are available: 1 Too many pods.".into() };
    let scheduled = Condition { why: Some(Box::new(why)), ..Default::default() };
    pod.conditions = Conditions { scheduled: Some(scheduled), ..Default::default() };
    (pod.ready, pod.phase, pod.node) = (false, Phase::Pending, None);
}

/// Changes a Pod as a watch would.
fn news(rollout: &mut Rollout, index: u32, change: impl FnOnce(&mut ObservedPod)) {
    let mut pod = rollout.snapshot().pods[&names::executor_manager("demo", index)].clone();
    change(&mut pod);
    rollout.seen(Observed::Pod(pod));
}

/// Returns the exit code and the first line of the error that ends the wait at that second; none where it goes on.
fn ends(rollout: &mut Rollout, second: u64) -> Option<(u8, String)> {
    match rollout.next(at(second)) {
        Step::Stop(error) => Some((error.kind.exit_code(), error.what.lines().next().unwrap_or_default().to_owned())),
        _ => None,
    }
}

fn given_up(why: &str) -> Option<(u8, String)> {
    Some((4, format!("demo cannot get ready: {why}")))
}

#[test]
fn a_cause_keeps_its_clock_while_a_kubelet_alternates_between_words() {
    let mut rollout = rollout(1, bar(Bar::All), |it| waits(executor(it, 0), "ErrImagePull"));
    for second in 1..61 {
        let reason = if second % 3 == 0 { "ErrImagePull" } else { "ImagePullBackOff" };
        news(&mut rollout, 0, |pod| waits(pod, reason));
        assert_eq!(ends(&mut rollout, second), None, "{second}");
        assert_eq!(rollout.progress().gives_up_at, Some(at(61)));
    }
    assert_eq!(ends(&mut rollout, 61), given_up("executor 0: ErrImagePull: image em:v1 cannot be pulled"));
}

#[test]
fn a_crash_loop_keeps_its_clock_between_restarts() {
    let ended =
        |previous| Some(Box::new(Ended { exit_code: 1, reason: "Error".into(), previous, ..Default::default() }));
    let mut rollout = rollout(1, bar(Bar::All), |_| {});
    for second in 1..61 {
        news(&mut rollout, 0, |pod| {
            (pod.ready, pod.restart_count) = (false, 1 + second as u32 / 3);
            pod.waiting_reason = (second % 3 == 0).then(|| "CrashLoopBackOff".into());
            pod.ended = ended(second % 3 != 1);
        });
        assert_eq!(ends(&mut rollout, second), None, "{second}");
    }
    assert_eq!(ends(&mut rollout, 61), given_up("executor 0: CrashLoopBackOff: exit code 1, 21 restarts"));
}

#[test]
fn pods_that_heal_and_others_that_fail_meanwhile_are_no_lasting_cause() {
    let mut rollout = rollout(3, bar(Bar::All), |it| waits(executor(it, 0), "CrashLoopBackOff"));
    let recovers = |pod: &mut ObservedPod| {
        (pod.ready, pod.phase, pod.waiting_reason) = (true, Phase::Running, None);
    };
    assert_eq!(ends(&mut rollout, 1), None);
    news(&mut rollout, 1, |pod| waits(pod, "CrashLoopBackOff"));
    assert_eq!(ends(&mut rollout, 40), None);
    news(&mut rollout, 0, recovers);
    assert_eq!(ends(&mut rollout, 50), None);
    // Executor 1 has it since second 40, and for this kind that counts from when executor 0 was well.
    assert_eq!(ends(&mut rollout, 61), None);
    assert_eq!(rollout.progress().gives_up_at, Some(at(110)));
    assert_eq!(ends(&mut rollout, 110), given_up("executor 1: CrashLoopBackOff"));
}

#[test]
fn graces_differ_by_kind() {
    for (reason, grace) in [
        ("InvalidImageName", Some(0)),
        ("ErrImageNeverPull", Some(0)),
        ("CreateContainerConfigError", Some(30)),
        ("ErrImagePull", Some(60)),
        ("CrashLoopBackOff", Some(60)),
        ("ContainerCreating", None),
    ] {
        let mut rollout = rollout(1, bar(Bar::All), |it| waits(executor(it, 0), reason));
        let stops = ends(&mut rollout, 1).is_some();
        assert_eq!(stops, grace == Some(0), "{reason}");
        assert_eq!(rollout.progress().gives_up_at, grace.map(|grace| at(1 + grace)), "{reason}");
    }
    let mut rollout = rollout(1, bar(Bar::All), |it| fits_nowhere(executor(it, 0)));
    assert_eq!(ends(&mut rollout, 1), None);
    assert_eq!(rollout.progress().gives_up_at, Some(at(181)));
}

#[test]
fn a_bar_that_is_still_in_reach_is_not_given_up() {
    let broken = |broken: u32, wanted: Bar| {
        let mut rollout = rollout(10, bar(wanted), |it| {
            (0..broken).for_each(|index| waits(executor(it, index), "ErrImagePull"));
            // One more is on its way, so that no bar is reached.
            (broken..10).for_each(|index| executor(it, index).ready = false);
        });
        assert_eq!(ends(&mut rollout, 1), None, "{wanted:?}");
        rollout.progress().gives_up_at.map(|at| at.as_secs())
    };
    assert_eq!(broken(1, Bar::All), Some(61));
    assert_eq!(broken(1, Bar::Percent(50)), None);
    assert_eq!(broken(5, Bar::Percent(50)), None);
    assert_eq!(broken(6, Bar::Percent(50)), Some(61));
    assert_eq!(broken(9, Bar::Running), None);
    assert_eq!(broken(10, Bar::Running), Some(61));
    assert_eq!(broken(7, Bar::Count(3)), None);
    assert_eq!(broken(8, Bar::Count(3)), Some(61));
}

#[test]
fn causes_that_end_at_different_times_add_up() {
    let mut rollout = rollout(4, bar(Bar::Count(2)), |it| {
        (0..2).for_each(|index| waits(executor(it, index), "ErrImagePull"));
        fits_nowhere(executor(it, 2));
        executor(it, 3).ready = false;
    });
    assert_eq!(ends(&mut rollout, 1), None);
    assert_eq!(rollout.progress().gives_up_at, Some(at(181)));
    assert_eq!(ends(&mut rollout, 180), None);
    let why = "2 of 4 executors (0-1): ErrImagePull: image em:v1 cannot be pulled";
    assert_eq!(ends(&mut rollout, 181), given_up(why));
}

#[test]
fn the_session_manager_is_needed_for_every_bar() {
    let mut rollout = rollout(4, bar(Bar::Running), |it| {
        waits(it.pods.get_mut("demo-session-manager").unwrap(), "ErrImagePull");
    });
    assert_eq!(ends(&mut rollout, 60), None);
    let why = "session manager: ErrImagePull: image sm:v1 cannot be pulled";
    assert_eq!(ends(&mut rollout, 120), given_up(why));
}

/// A rollout can't go on past a wave that is not ready, however low the bar.
#[test]
fn a_bad_wave_is_given_up_whatever_the_bar() {
    let mut new = flame(4);
    new.spec.executor_manager.image = "em:v2".into();
    let mut snapshot = running(&flame(4));
    let fresh = running(&new);
    snapshot.config_maps = fresh.config_maps;
    snapshot.pods.insert("demo-executor-manager-0".into(), fresh.pods["demo-executor-manager-0"].clone());
    waits(executor(&mut snapshot, 0), "ErrImagePull");
    let desired = Desired::up(manifests(&new).unwrap());
    let mut rollout = Rollout::new(desired, bar(Bar::Percent(50)), snapshot);
    assert_eq!(ends(&mut rollout, 1), None);
    assert_eq!(ends(&mut rollout, 61), given_up("executor 0: ErrImagePull: image em:v2 cannot be pulled"));
}

#[test]
fn executors_that_came_too_early_are_waited_for() {
    let mut rollout = rollout(2, bar(Bar::All), |it| {
        it.pods.get_mut("demo-session-manager").unwrap().ready = false;
        (0..2).for_each(|index| {
            waits(executor(it, index), "CrashLoopBackOff");
            executor(it, index).ended = Some(Box::new(Ended { exit_code: 101, previous: true, ..Default::default() }));
        });
    });
    assert_eq!(ends(&mut rollout, 1), None);
    assert_eq!(ends(&mut rollout, 1000), None);
    assert_eq!(rollout.progress().gives_up_at, None);
}

#[test]
fn a_container_that_came_back_is_not_given_up_for_its_past() {
    let options = Options { started_at: 1000, ..bar(Bar::All) };
    let mut rollout = rollout(1, options, |it| {
        let pod = executor(it, 0);
        (pod.ready, pod.restart_count, pod.started_at) = (false, 1, Some(1000));
        pod.ended = Some(Box::new(Ended { exit_code: 1, previous: true, ..Default::default() }));
    });
    for (second, kind) in [(1, CauseKind::Crash), (19, CauseKind::Crash), (20, CauseKind::NotReady)] {
        assert_eq!(ends(&mut rollout, second), None, "{second}");
        assert_eq!(rollout.progress().causes[0].kind, kind, "{second}");
    }
    assert_eq!(ends(&mut rollout, 1000), None);
}

#[test]
fn whoever_watches_never_gives_up() {
    let options = Options { persistent: true, timeout: None, ..Default::default() };
    let mut rollout = rollout(1, options, |it| waits(executor(it, 0), "InvalidImageName"));
    assert_eq!(ends(&mut rollout, 100_000), None);
    assert_eq!(rollout.progress().gives_up_at, None);
}

#[test]
fn an_error_has_the_evidence_and_what_to_do() {
    let mut rollout = rollout(2, bar(Bar::All), |it| {
        let pod = it.pods.get_mut("demo-session-manager").unwrap();
        waits(pod, "CrashLoopBackOff");
        pod.restart_count = 4;
        pod.ended = Some(Box::new(Ended { exit_code: 101, previous: true, ..Default::default() }));
        let lines = vec!["thread 'main' panicked at x.rs:1:1:".to_owned(), "attempt to divide by zero".to_owned()];
        let log = Some(LogTail { lines, previous: true });
        it.evidence.insert("uid-demo-session-manager".into(), Evidence { log, ..Default::default() });
    });
    rollout.next(at(1));
    let Step::Stop(error) = rollout.next(at(61)) else { panic!("its grace is over") };
    assert_eq!(
        error.what.lines().collect::<Vec<_>>(),
        [
            "demo cannot get ready: session manager: CrashLoopBackOff: exit code 101 (a Rust panic), 4 restarts",
            "  last words:",
            "    thread 'main' panicked at x.rs:1:1:",
            "    attempt to divide by zero",
            "  Flame divides by zero where a slot lacks cpu or mem: set spec.sessionManager.slot to both, as cpu=1,mem=1g, \
             or leave it out",
            "  next: flamectl logs demo session-manager --previous -n default",
        ]
    );
    let hint = "fix spec.sessionManager.slot and run the same command again; nothing needs cleaning up";
    assert_eq!(error.hints, [hint]);
}

#[test]
fn the_time_that_is_up_tells_every_cause_and_what_the_bar_lacks() {
    let options = Options { bar: Bar::Count(2), timeout: Some(at(90)), ..Default::default() };
    let mut rollout = rollout(3, options, |it| {
        fits_nowhere(executor(it, 0));
        fits_nowhere(executor(it, 1));
        it.pods.get_mut("demo-session-manager").unwrap().ready = false;
    });
    let Step::Stop(error) = rollout.next(at(90)) else { panic!("its time is up") };
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert_eq!(
        error.what.lines().collect::<Vec<_>>(),
        [
            "demo is not ready after 1m30s: Pending, session manager not ready, 1 of 3 executors ready, 2 wanted",
            "  session manager: NotReady: running, readiness probe not passed yet",
            "  2 of 3 executors (0-1): Unschedulable: 1 node: too many pods",
            "    make room on a node, or add nodes",
            "    next: kubectl describe nodes",
        ]
    );
}

#[test]
fn a_down_that_takes_too_long_says_what_stays_and_why() {
    let mut snapshot = running(&flame(1));
    for pod in snapshot.pods.values_mut() {
        (pod.meta.terminating, pod.meta.deletion_timestamp) = (true, Some(1005));
        pod.meta.finalizers = vec!["example.com/hold".into()];
    }
    let options = Options { timeout: Some(at(60)), started_at: 1000, ..Default::default() };
    let mut rollout = Rollout::new(Desired::Down("demo".into()), options, snapshot).in_namespace("ml");
    let Step::Stop(error) = rollout.next(at(60)) else { panic!("its time is up") };
    let patch = r#"kubectl patch pod demo-executor-manager-0 -n ml --type=merge -p '{"metadata":{"finalizers":null}}'"#;
    let advice = format!("    whoever set the finalizer takes it off; only where nobody is left to do that: {patch}");
    assert_eq!(
        error.what.lines().collect::<Vec<_>>(),
        [
            "demo is not gone after 1m",
            "  Pod demo-executor-manager-0: held by finalizer example.com/hold",
            &advice,
            "    next: kubectl get pod demo-executor-manager-0 -n ml -o jsonpath='{.metadata.finalizers}'",
            "  Pod demo-session-manager: held by finalizer example.com/hold",
            "  Service demo-object-cache",
            "  Service demo-session-manager",
            "  ConfigMap demo-config",
        ]
    );
}

#[test]
fn an_interrupted_command_says_how_it_left_the_flame() {
    let mut rollout = rollout(2, bar(Bar::All), |it| waits(executor(it, 1), "ErrImagePull"));
    rollout.next(at(1));
    let error = rollout.interrupted();
    assert_eq!(error.kind, ErrorKind::Interrupted);
    let cause = "  executor 1: ErrImagePull: image em:v1 cannot be pulled";
    assert_eq!(
        error.what,
        format!("interrupted: demo is left as it is, 1 of 2 executors ready, everything was sent\n{cause}")
    );
    assert_eq!(
        error.hints,
        ["run the same command again to go on; nothing needs cleaning up", "flamectl status demo -n default",]
    );
}

/// Nothing happens on the server meanwhile, so the rollout has to look again by itself.
#[test]
fn a_wait_ends_when_a_cause_changes_by_itself() {
    let options = Options { timeout: None, started_at: 1000, ..bar(Bar::All) };
    let mut rollout = rollout(1, options, |it| {
        let meta = &mut executor(it, 0).meta;
        (meta.terminating, meta.deletion_timestamp) = (true, Some(1002));
    });
    assert_eq!(rollout.next(at(11)), Step::Wait(Some(at(12))));
    assert_eq!(rollout.progress().causes[0].kind, CauseKind::Terminating);
    rollout.next(at(12));
    assert_eq!(rollout.progress().causes[0].kind, CauseKind::Stuck);
}
