use super::seen::{BACKOFF_MIN, MAX_TRIES};
use super::*;
use crate::flame::FlameCluster;
use crate::flame::manifests::manifests;
use crate::flame::observed::{self, FieldManager, Observed, ObservedService, Phase};
use crate::flame::stage::{Stage, Stages};
use crate::flame::testing::{flame, flame_06, running};

const NOW: Time = Duration::from_secs(1);

fn up(flame: &FlameCluster) -> Desired {
    Desired::up(manifests(flame).unwrap())
}

/// Writes a step in short.
fn short(step: &Step) -> String {
    match step {
        Step::Write(writes) => {
            let writes = writes.iter().map(|it| format!("{:?} {}", it.action, it.object.name.replace("demo-", "")));
            writes.collect::<Vec<_>>().join(", ")
        }
        Step::Read(objects) => {
            format!("read {}", objects.iter().map(ObjectRef::to_string).collect::<Vec<_>>().join(", "))
        }
        Step::Wait(until) => format!("wait until {:?}", until.map(|until| until.as_millis())),
        Step::Done => "done".into(),
        Step::Stop(error) => format!("stop {}: {}", error.kind.exit_code(), error.what),
    }
}

/// Returns the next step after the look at the record that precedes every change.
fn next(rollout: &mut Rollout, now: Time) -> Step {
    match rollout.next(now) {
        Step::Read(objects) if objects.iter().all(|it| it.kind == Kind::ConfigMap) => {
            let record = rollout.snapshot().config_maps.get(&objects[0].name).cloned();
            rollout.read(&objects[0], record.map(Observed::ConfigMap));
            rollout.next(now)
        }
        step => step,
    }
}

/// Returns the step at second 1 for `after` where the server shows `before`, changed by `meanwhile`.
fn step(before: &FlameCluster, meanwhile: impl FnOnce(&mut Snapshot), after: &FlameCluster) -> String {
    let mut snapshot = running(before);
    meanwhile(&mut snapshot);
    short(&next(&mut Rollout::new(up(after), Options::default(), snapshot), NOW))
}

fn executors(count: u32, change: impl Fn(&mut FlameCluster)) -> FlameCluster {
    let mut flame = flame(count);
    change(&mut flame);
    flame
}

fn new_image(flame: &mut FlameCluster) {
    flame.spec.executor_manager.image = "em:v2".into();
}

#[test]
fn record_and_services_come_before_pods() {
    let step = step(&flame(1), |it| *it = Snapshot::default(), &flame(1));
    assert_eq!(step, "Create config, Create session-manager, Create object-cache");
}

#[test]
fn executors_wait_for_the_session_manager_but_not_longer_than_the_head_start() {
    let mut snapshot = running(&flame(1));
    snapshot.pods.remove("demo-executor-manager-0");
    snapshot.pods.get_mut("demo-session-manager").unwrap().ready = false;
    let mut rollout = Rollout::new(up(&flame(1)), Options::default(), snapshot.clone());
    assert_eq!(short(&rollout.next(NOW)), "wait until Some(6000)");
    assert_eq!(short(&rollout.next(NOW + HEAD_START)), "Create executor-manager-0");
    snapshot.pods.get_mut("demo-session-manager").unwrap().ready = true;
    let mut rollout = Rollout::new(up(&flame(1)), Options::default(), snapshot);
    assert_eq!(short(&rollout.next(NOW)), "Create executor-manager-0");
}

#[test]
fn who_waits_for_nothing_follows_pods_for_the_session_manager_alone() {
    let heeds = |missing: &str| {
        let mut snapshot = running(&flame(1));
        snapshot.pods.remove(missing);
        let mut rollout = Rollout::new(up(&flame(1)), Options { wait: false, ..Options::default() }, snapshot);
        match next(&mut rollout, NOW) {
            Step::Write(writes) => rollout.heeds_pods(&writes),
            step => panic!("{}", short(&step)),
        }
    };
    assert!(heeds("demo-session-manager"));
    assert!(!heeds("demo-executor-manager-0"));
}

#[test]
fn ready_executors_are_replaced_in_waves() {
    let before = flame(10);
    let after = executors(10, new_image);
    let record = |it: &mut Snapshot| {
        let fresh = running(&executors(10, new_image));
        it.config_maps = fresh.config_maps;
    };
    assert_eq!(step(&before, record, &after), "Delete executor-manager-0, Delete executor-manager-1");
}

#[test]
fn what_is_not_ready_is_replaced_first_and_at_once() {
    let after = executors(10, new_image);
    let broken = |it: &mut Snapshot| {
        it.config_maps = running(&after).config_maps;
        for index in [3, 5, 7, 9] {
            it.pods.get_mut(&names::executor_manager("demo", index)).unwrap().ready = false;
        }
    };
    let expected =
        "Delete executor-manager-3, Delete executor-manager-5, Delete executor-manager-7, Delete executor-manager-9";
    assert_eq!(step(&flame(10), broken, &after), expected);
}

#[test]
fn a_wave_waits_for_the_one_before() {
    let after = executors(4, new_image);
    let mid = |it: &mut Snapshot| {
        it.config_maps = running(&after).config_maps;
        let mut fresh = running(&after).pods.remove("demo-executor-manager-0").unwrap();
        fresh.ready = false;
        it.pods.insert(fresh.meta.name.clone(), fresh);
    };
    assert!(step(&flame(4), mid, &after).starts_with("wait"));
}

#[test]
fn the_session_manager_goes_before_the_executors() {
    let change = |flame: &mut FlameCluster| {
        new_image(flame);
        flame.spec.session_manager.policy = "fifo".into();
    };
    let after = executors(4, change);
    let record = |it: &mut Snapshot| it.config_maps = running(&executors(4, change)).config_maps;
    assert_eq!(step(&flame(4), record, &after), "Delete session-manager");
}

#[test]
fn scaling_down_deletes_all_surplus_at_once() {
    let record = |it: &mut Snapshot| it.config_maps = running(&flame(1)).config_maps;
    assert_eq!(
        step(&flame(4), record, &flame(1)),
        "Delete executor-manager-1, Delete executor-manager-2, Delete executor-manager-3"
    );
}

#[test]
fn a_port_whose_number_was_edited_is_put_right_without_an_apply() {
    let edited = |it: &mut Snapshot| it.services.get_mut("demo-object-cache").unwrap().ports[0].port = 9999;
    assert_eq!(step(&flame(1), edited, &flame(1)), "ReplacePorts object-cache");
}

fn mark(snapshot: &mut Snapshot) {
    let record = snapshot.config_maps.get_mut("demo-config").unwrap();
    record.meta.annotations.insert(names::ANNOTATION_DOWN.into(), "true".into());
    record.meta.resource_version += 1;
}

#[test]
fn whoever_writes_the_record_last_goes_on_and_the_other_gives_way() {
    let stopped = |desired: Desired, other: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = running(&flame(1));
        if matches!(desired, Desired::Down(_)) {
            mark(&mut snapshot);
        }
        snapshot.pods.remove("demo-executor-manager-0");
        let mut rollout = Rollout::new(desired, Options::default(), snapshot.clone());
        rollout.next(NOW);
        other(&mut snapshot);
        rollout.seen(Observed::ConfigMap(snapshot.config_maps["demo-config"].clone()));
        short(&rollout.next(NOW))
    };
    let to_five = |it: &mut Snapshot| it.config_maps = running(&flame(5)).config_maps;
    let taken_over = |how: &str| {
        format!("stop 5: demo was taken over: another command {how} while this one worked; this one stops here")
    };
    assert_eq!(stopped(up(&flame(1)), &to_five), taken_over("made another flame of it"));
    assert_eq!(stopped(up(&flame(1)), &mark), taken_over("takes it down"));
    let newer = |it: &mut Snapshot| {
        to_five(it);
        it.config_maps.get_mut("demo-config").unwrap().meta.resource_version = 9;
    };
    assert_eq!(stopped(Desired::Down("demo".into()), &newer), taken_over("made another flame of it"));
}

#[test]
fn down_goes_by_kind_and_keeps_the_record_to_the_last() {
    let mut snapshot = running(&flame(1));
    for expected in [
        "Update config",
        "Delete executor-manager-0, Delete session-manager",
        "Delete object-cache, Delete session-manager",
        "Delete config",
        "done",
    ] {
        let mut rollout = Rollout::new(Desired::Down("demo".into()), Options::default(), snapshot.clone());
        let step = next(&mut rollout, NOW);
        assert_eq!(short(&step), expected);
        if let Step::Write(writes) = step {
            for write in writes {
                match write.action {
                    Action::Delete => snapshot.forget(&write.object),
                    _ => mark(&mut snapshot),
                }
            }
        }
    }
}

#[test]
fn a_pod_that_lost_its_labels_is_read_before_anything_is_made_in_its_place() {
    let snapshot = running(&flame(1));
    let pod = Observed::Pod(snapshot.pods["demo-executor-manager-0"].clone());
    let mut rollout = Rollout::new(up(&flame(1)), Options::default(), snapshot);
    rollout.deleted(&pod);
    assert_eq!(short(&rollout.next(NOW)), "read Pod demo-executor-manager-0");
    rollout.read(&pod.object(), None);
    assert_eq!(short(&rollout.next(NOW)), "Create executor-manager-0");
}

#[test]
fn a_made_again_executor_gets_a_hostname_of_its_own() {
    let mut snapshot = running(&flame(1));
    snapshot.pods.remove("demo-executor-manager-0");
    snapshot.revision = 0xabc;
    let mut rollout = Rollout::new(up(&flame(1)), Options::default(), snapshot);
    assert_eq!(hostnames(&mut rollout, NOW), ["demo-executor-manager-0 \"demo-executor-manager-0-abc-3e8\""]);
}

#[test]
fn the_first_executors_have_their_pods_names_until_one_may_have_come_and_gone_unseen() {
    let mut rollout = Rollout::new(up(&flame(2)), Options::default(), Snapshot::default());
    let Snapshot { config_maps, services, mut pods, .. } = running(&flame(2));
    let seen = config_maps.into_values().map(Observed::ConfigMap).chain(services.into_values().map(Observed::Service));
    for observed in seen.chain(pods.remove("demo-session-manager").map(Observed::Pod)) {
        rollout.seen(observed);
    }
    assert_eq!(hostnames(&mut rollout, NOW), ["demo-executor-manager-0 null", "demo-executor-manager-1 null"]);
    let Step::Write(writes) = rollout.next(NOW) else { panic!("two Pods are missing") };
    rollout.wrote(&writes[0], Outcome::Unknown("reset".into()), NOW);
    rollout.read(&writes[0].object, None);
    rollout.wrote(&writes[1], Outcome::Busy("throttled".into(), None), NOW);
    assert_eq!(
        hostnames(&mut rollout, NOW + BACKOFF_MIN),
        [
            "demo-executor-manager-0 \"demo-executor-manager-0-0-4e2\"",
            "demo-executor-manager-1 \"demo-executor-manager-1-0-4e2\""
        ]
    );
}

/// A hostname can't be changed, and an apply that leaves out one that an earlier apply set would take it away.
#[test]
fn a_pod_that_is_changed_in_place_keeps_the_hostname_that_it_has_or_has_not() {
    let mut flame = flame(2);
    flame.metadata.name = "n".repeat(names::MAX_NAME_LENGTH);
    let mut snapshot = running(&flame);
    let pod = |index: u32| names::executor_manager(&flame.metadata.name, index);
    for index in [0, 1] {
        snapshot.pods.get_mut(&pod(index)).unwrap().meta.labels.remove("app");
    }
    snapshot.pods.get_mut(&pod(0)).unwrap().hostname = Some("other".into());
    snapshot.pods.get_mut(&pod(1)).unwrap().hostname = None;
    let mut rollout = Rollout::new(up(&flame), Options::default(), snapshot);
    assert_eq!(hostnames(&mut rollout, NOW), [format!("{} \"other\"", pod(0)), format!("{} null", pod(1))]);
}

/// Returns which hostname the Pods of the next step are sent with.
fn hostnames(rollout: &mut Rollout, now: Time) -> Vec<String> {
    let step = next(rollout, now);
    let Step::Write(writes) = step else { panic!("{}", short(&step)) };
    let hostname = |write: &Write| {
        let pod: serde_json::Value = match rollout.body(write) {
            Body::Apply(pod) => pod,
            Body::Executor(json, _) => serde_json::from_str(&json).unwrap(),
            other => panic!("a Pod is made by apply, not by {other:?}"),
        };
        format!("{} {}", write.object.name, pod["spec"]["hostname"])
    };
    writes.iter().map(hostname).collect()
}

/// Returns the writes of a fresh `up`, and the rollout.
fn creating() -> (Rollout, Vec<Write>) {
    let mut rollout = Rollout::new(up(&flame(1)), Options::default(), Snapshot::default());
    let Step::Write(writes) = rollout.next(NOW) else { panic!("everything is missing") };
    (rollout, writes)
}

#[test]
fn the_record_and_the_services_are_sent_as_they_are_made() {
    let (rollout, writes) = creating();
    let manifests = manifests(&flame(1)).unwrap();
    let [session_manager, object_cache] = manifests.services().map(|service| serde_json::to_value(service).unwrap());
    let expected = [serde_json::to_value(manifests.record(1)).unwrap(), session_manager, object_cache];
    assert_eq!(writes.len(), expected.len());
    for (write, mut object) in writes.iter().zip(expected) {
        object["metadata"]["resourceVersion"] = "1".into();
        assert_eq!(rollout.body(write), Body::Apply(object));
    }
}

#[test]
fn a_strangers_pod_that_serves_is_taken_over_in_its_turn() {
    let mut snapshot = running(&flame(2));
    let theirs = snapshot.pods.get_mut("demo-executor-manager-0").unwrap();
    (theirs.image, theirs.meta.applied_by_flamectl) = ("theirs:v1".into(), false);
    theirs.meta.labels.clear();
    theirs.meta.annotations.clear();
    let options = Options { adopt: true, ..Options::default() };
    let mut rollout = Rollout::new(up(&flame(2)), options, snapshot);
    assert_eq!(short(&next(&mut rollout, NOW)), "Delete executor-manager-0");
}

#[test]
fn an_object_in_whose_place_another_one_was_read_is_missed() {
    let mut rollout = Rollout::new(up(&flame(1)), Options::default(), running(&flame(1)));
    let record = ObjectRef::new(Kind::ConfigMap, "demo-config");
    rollout.read(&record, Some(Observed::ConfigMap(Default::default())));
    let Step::Write(writes) = next(&mut rollout, NOW) else { panic!("the record is missing") };
    assert_eq!(writes.iter().map(|it| (it.action, &it.object)).collect::<Vec<_>>(), [(Action::Create, &record)]);
}

#[test]
fn after_a_lost_answer_the_object_is_read_before_it_is_tried_again() {
    let (mut rollout, writes) = creating();
    rollout.wrote(&writes[0], Outcome::Unknown("reset".into()), NOW);
    assert_eq!(short(&rollout.next(NOW)), "wait until Some(1250)");
    assert_eq!(short(&rollout.next(NOW + BACKOFF_MIN)), "read ConfigMap demo-config");
}

#[test]
fn what_keeps_failing_is_given_up_with_its_cause() {
    let (mut rollout, writes) = creating();
    for _ in 0..MAX_TRIES {
        rollout.wrote(&writes[0], Outcome::Unknown("HTTP 500".into()), NOW);
    }
    assert_eq!(short(&rollout.next(NOW)), "stop 1: gave up on ConfigMap demo-config after 8 tries: HTTP 500");
}

/// The server counts a Pod that went out of `status.used` only a moment later.
#[test]
fn a_full_quota_is_given_a_moment_where_a_pod_just_went() {
    let full = || {
        Outcome::Refused(Refusal {
            reason: "Forbidden".into(),
            message: "exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2".into(),
            hint: None,
        })
    };
    let mut rollout = Rollout::new(up(&flame(1)), Options::default(), running(&flame(1)));
    let uid = "uid-demo-executor-manager-0";
    rollout.read(&ObjectRef::new(Kind::Pod, "demo-executor-manager-0"), None);
    assert!(rollout.gone.contains(uid));
    let mut now = NOW;
    for _ in 0..5 {
        let Step::Write(writes) = rollout.next(now) else { panic!("{}", short(&rollout.next(now))) };
        rollout.wrote(&writes[0], full(), now);
        let Step::Wait(Some(until)) = rollout.next(now) else { panic!("{}", short(&rollout.next(now))) };
        now = until;
    }
    let Step::Write(writes) = rollout.next(now) else { panic!("{}", short(&rollout.next(now))) };
    rollout.wrote(&writes[0], full(), now);
    let told =
        "stop 1: Pod demo-executor-manager-0 was not created: quota few is full: pods 2 of 2 used, 1 more asked for";
    assert!(short(&rollout.next(now)).starts_with(told));

    // Where nothing went, waiting brings nothing.
    let (mut rollout, writes) = creating();
    rollout.wrote(&writes[0], full(), NOW);
    assert!(short(&rollout.next(NOW)).starts_with("stop 1: "));
}

#[test]
fn a_throttling_server_is_obeyed_and_never_given_up() {
    let (mut rollout, writes) = creating();
    for write in &writes {
        for _ in 0..50 {
            rollout.wrote(write, Outcome::Busy("throttled".into(), Some(Duration::from_secs(7))), NOW);
        }
    }
    assert_eq!(short(&rollout.next(NOW)), "wait until Some(8000)");
}

#[test]
fn an_edited_field_is_taken_back_and_a_claimed_one_is_refused() {
    let conflict =
        |manager: &str| Outcome::Conflict(vec![FieldConflict { manager: manager.into(), field: "data".into() }]);
    let updating = || {
        let mut snapshot = running(&flame(1));
        snapshot.config_maps.get_mut("demo-config").unwrap().data.clear();
        let mut rollout = Rollout::new(up(&flame(1)), Options::default(), snapshot);
        let Step::Write(writes) = next(&mut rollout, NOW) else { panic!("the text is gone") };
        (rollout, writes)
    };
    let (mut rollout, writes) = updating();
    rollout.wrote(&writes[0], conflict("\"kubectl-edit\" using v1"), NOW);
    let Step::Write(again) = next(&mut rollout, NOW) else { panic!("it is tried again") };
    assert!(again[0].force);
    let (mut rollout, writes) = updating();
    rollout.wrote(&writes[0], conflict("\"argocd\""), NOW);
    assert_eq!(
        short(&rollout.next(NOW)),
        "stop 5: ConfigMap demo-config was not changed: another tool owns fields of it\n  data is owned by \"argocd\""
    );
}

#[test]
fn a_pod_that_cannot_be_changed_in_place_is_replaced() {
    let mut after = flame(1);
    after.spec.session_manager.image = "sm:v2".into();
    let mut snapshot = running(&flame(1));
    snapshot.config_maps = running(&after).config_maps;
    let mut rollout = Rollout::new(up(&after), Options::default(), snapshot);
    let Step::Write(writes) = next(&mut rollout, NOW) else { panic!("the image changes") };
    assert_eq!(writes[0].action, Action::Update);
    let no = Refusal { reason: "Invalid".into(), message: "immutable".into(), hint: None };
    rollout.wrote(&writes[0], Outcome::Refused(no), NOW);
    assert_eq!(short(&next(&mut rollout, NOW)), "Delete session-manager");
}

#[test]
fn hopeless_causes_end_the_wait_and_doubtful_ones_get_a_grace_period() {
    let waiting = |reason: &str| {
        let mut snapshot = running(&flame(1));
        let pod = snapshot.pods.get_mut("demo-executor-manager-0").unwrap();
        (pod.ready, pod.phase, pod.waiting_reason) = (false, Phase::Pending, Some(reason.into()));
        Rollout::new(up(&flame(1)), Options::default(), snapshot)
    };
    let stopped = "stop 4: demo cannot get ready: executor 0: InvalidImageName: em:v1 is no image name\n  \
                   correct spec.executorManager.image\n  \
                   next: kubectl describe pod demo-executor-manager-0 -n default";
    assert_eq!(short(&waiting("InvalidImageName").next(NOW)), stopped);
    let mut doubtful = waiting("ErrImagePull");
    assert_eq!(short(&doubtful.next(NOW)), "wait until Some(11000)");
    assert!(short(&doubtful.next(NOW + Duration::from_secs(59))).starts_with("wait"));
    let stopped = "stop 4: demo cannot get ready: executor 0: ErrImagePull: image em:v1 cannot be pulled\n  \
                   next: kubectl describe pod demo-executor-manager-0 -n default";
    assert_eq!(short(&doubtful.next(NOW + Duration::from_secs(60))), stopped);
}

#[test]
fn the_time_that_is_up_names_what_was_missing() {
    let mut snapshot = running(&flame(3));
    snapshot.pods.get_mut("demo-executor-manager-1").unwrap().ready = false;
    let mut rollout = Rollout::new(up(&flame(3)), Options::default(), snapshot);
    assert_eq!(
        short(&rollout.next(Duration::from_secs(300))),
        "stop 3: demo is not ready after 5m: Running, 2 of 3 executors ready\n  \
         executor 1: NotReady: running, readiness probe not passed yet"
    );
}

#[test]
fn the_success_bar_can_be_chosen() {
    let ready = |bar: Bar, ready: u32| {
        let mut snapshot = running(&flame(10));
        for index in ready..10 {
            snapshot.pods.get_mut(&names::executor_manager("demo", index)).unwrap().ready = false;
        }
        let options = Options { bar, ..Default::default() };
        Rollout::new(up(&flame(10)), options, snapshot).next(NOW) == Step::Done
    };
    for (bar, needed) in
        [(Bar::All, 10), (Bar::Running, 1), (Bar::Count(4), 4), (Bar::Count(99), 10), (Bar::Percent(75), 8)]
    {
        assert!(ready(bar, needed), "{bar:?}");
        assert!(!ready(bar, needed - 1), "{bar:?}");
    }
}

#[test]
fn a_pod_stuck_on_its_way_out_holds_up_only_a_bar_that_needs_it() {
    for (bar, done) in [(Bar::Percent(50), true), (Bar::All, false)] {
        let mut snapshot = running(&flame(4));
        snapshot.pods.get_mut("demo-executor-manager-3").unwrap().meta.terminating = true;
        let options = Options { bar, ..Default::default() };
        let step = Rollout::new(up(&flame(4)), options, snapshot).next(NOW);
        assert_eq!(step == Step::Done, done, "{bar:?}");
    }
}

#[test]
fn executors_that_go_are_waited_for_only_by_whoever_waits() {
    for (wait, replicas, done) in [(false, 3, true), (true, 3, false), (false, 4, false)] {
        let mut snapshot = running(&flame(4));
        snapshot.config_maps = running(&flame(replicas)).config_maps;
        snapshot.pods.get_mut("demo-executor-manager-3").unwrap().meta.terminating = true;
        let options = Options { wait, ..Default::default() };
        // The fourth of four has to come again, which cannot be sent before it is gone.
        let step = Rollout::new(up(&flame(replicas)), options, snapshot).next(NOW);
        assert_eq!(step == Step::Done, done, "{replicas} executors, wait: {wait}: {}", short(&step));
    }
}

#[test]
fn an_image_changed_in_place_counts_once_it_runs() {
    let after = executors(1, |flame| flame.spec.session_manager.image = "sm:v2".into());
    let mut snapshot = running(&after);
    snapshot.pods.get_mut("demo-session-manager").unwrap().running_image = Some("docker.io/library/sm:v1".into());
    let mut rollout = Rollout::new(up(&after), Options::default(), snapshot);
    assert!(short(&rollout.next(NOW)).starts_with("wait"));
    let mut running = rollout.snapshot().pods["demo-session-manager"].clone();
    running.running_image = Some("docker.io/library/sm:v2".into());
    rollout.seen(Observed::Pod(running));
    assert_eq!(short(&rollout.next(NOW)), "done");
}

#[test]
fn budgets_are_at_least_one_and_round_down() {
    for (budget, replicas, expected) in [
        (MaxUnavailable::Percent(25), 10, 2),
        (MaxUnavailable::Percent(25), 3, 1),
        (MaxUnavailable::Percent(100), 8, 8),
        (MaxUnavailable::Count(0), 5, 1),
        (MaxUnavailable::Count(4), 5, 4),
    ] {
        assert_eq!(budget.of(replicas), expected);
    }
}

#[test]
fn late_news_of_what_is_gone_are_ignored() {
    let snapshot = running(&flame(1));
    let mut dead = snapshot.pods["demo-executor-manager-0"].clone();
    let mut rollout = Rollout::new(up(&flame(1)), Options::default(), snapshot);
    dead.meta.terminating = true;
    let dead = Observed::Pod(dead);
    rollout.deleted(&dead);
    rollout.seen(dead);
    assert!(!rollout.snapshot().pods.contains_key("demo-executor-manager-0"));
}

/// Returns a rollout, its executor as it is known, and a write of that.
fn known_executor(action: Action) -> (Rollout, ObservedPod, Write) {
    let rollout = Rollout::new(up(&flame(1)), Options::default(), running(&flame(1)));
    let known = rollout.snapshot().pod("demo-executor-manager-0").unwrap().clone();
    let object = ObjectRef::new(Kind::Pod, &known.meta.name);
    let write = Write { action, object, why: Vec::new(), uid: Some(known.meta.uid.clone()), force: false };
    (rollout, known, write)
}

#[test]
fn the_answer_to_a_deletion_leaves_the_pods_state_as_it_is_known() {
    let (mut rollout, known, write) = known_executor(Action::Delete);
    let resource_version = known.meta.resource_version + 1;
    let meta = observed::ObservedMeta { terminating: true, resource_version, ..known.meta.clone() };
    rollout.wrote(&write, Outcome::Leaving(Box::new(meta.clone())), NOW);
    assert_eq!(rollout.snapshot().pod(&known.meta.name), Some(&ObservedPod { meta: meta.clone(), ..known.clone() }));
    let another = observed::ObservedMeta { terminating: false, ..meta };
    rollout.wrote(&write, Outcome::Leaving(Box::new(another)), NOW);
    assert_eq!(rollout.snapshot().pod(&known.meta.name), None);
}

#[test]
fn an_executor_whose_answer_was_metadata_is_known_as_it_was_sent() {
    let mut rollout = Rollout::new(up(&flame(1)), Options::default(), Snapshot::default());
    let object = ObjectRef::new(Kind::Pod, "demo-executor-manager-0");
    let write = Write { action: Action::Create, object, why: vec![Why::Missing], uid: None, force: false };
    let Body::Executor(json, hostname) = rollout.body(&write) else { panic!("an executor is made") };
    let sent: serde_json::Value = serde_json::from_str(&json).unwrap();
    let meta = observed::ObservedMeta { name: write.object.name.clone(), uid: "made".into(), ..Default::default() };
    let hostname = hostname.or(Some("own".to_owned())).map(String::into_boxed_str);
    let made = ObservedPod { meta, index_label: Some("0".into()), hostname, ..Default::default() };
    rollout.wrote(&write, Outcome::Made(Box::new(made)), NOW);
    let known = rollout.snapshot().pod(&write.object.name).unwrap();
    assert_eq!((sent["spec"]["containers"][0]["image"].as_str(), known.phase), (Some(&*known.image), Phase::Pending));
    assert_eq!((known.hostname.as_deref(), known.index_label.as_deref()), (Some("own"), Some("0")));
}

#[test]
fn the_answer_to_a_creation_takes_nothing_back_that_the_watch_told() {
    let (mut rollout, known, write) = known_executor(Action::Create);
    let sent = ObservedPod { meta: known.meta.clone(), image: known.image.clone(), ..Default::default() };
    rollout.wrote(&write, Outcome::Created(Observed::Pod(Box::new(sent))), NOW);
    assert_eq!(rollout.snapshot().pod(&known.meta.name), Some(&known));
}

/// Returns the stages and how many Pods are at each, in short.
fn counted(stages: Stages) -> String {
    stages.iter().map(|(stage, pods)| format!("{pods} {}", stage.word())).collect::<Vec<_>>().join(", ")
}

/// Carries a write of an executor out as the server does and tells the rollout.
fn carry_out(rollout: &mut Rollout, write: &Write, now: Time) {
    let known = rollout.snapshot().pods.get(&write.object.name).cloned();
    let outcome = match write.action {
        Action::Delete => {
            let mut pod = known.unwrap();
            pod.meta.terminating = true;
            Outcome::Changed(Observed::Pod(pod))
        }
        _ => {
            let manifests = rollout.desired().manifests().unwrap().clone();
            let index = names::executor_index("demo", &write.object.name).unwrap();
            let mut pod = crate::flame::testing::pod(&manifests, Component::ExecutorManager, write.object.name.clone());
            pod.meta.uid.push_str("-new");
            pod.index_label = Some(index.to_string().into());
            (pod.ready, pod.phase, pod.node) = (false, Phase::Pending, None);
            Outcome::Created(Observed::Pod(Box::new(pod)))
        }
    };
    rollout.wrote(write, outcome, now);
}

/// Tells the rollout that a Pod is gone, or what became of it.
fn news(rollout: &mut Rollout, name: &str, now: Time, change: Option<fn(&mut ObservedPod)>) {
    let mut pod = rollout.snapshot().pods[name].clone();
    rollout.at(now);
    match change {
        Some(change) => {
            change(&mut pod);
            rollout.seen(Observed::Pod(pod));
        }
        None => rollout.deleted(&Observed::Pod(pod)),
    }
}

fn ready(pod: &mut ObservedPod) {
    (pod.node, pod.phase, pod.ready) = (Some("node-1".into()), Phase::Running, true);
}

#[test]
fn progress_tells_the_wave_how_far_pods_are_and_which_is_the_slowest() {
    let after = executors(10, new_image);
    let mut snapshot = running(&flame(10));
    snapshot.config_maps = running(&after).config_maps;
    let mut rollout = Rollout::new(up(&after), Options::default(), snapshot);
    for wave in 1..=5_u64 {
        let now = Duration::from_secs(wave * 10);
        let Step::Write(writes) = next(&mut rollout, now) else { panic!("wave {wave} is not begun") };
        let pods: Vec<String> = writes.iter().map(|write| write.object.name.clone()).collect();
        assert_eq!(pods.len(), 2, "{pods:?}");
        writes.iter().for_each(|write| carry_out(&mut rollout, write, now));
        let progress = rollout.progress();
        assert_eq!(progress.wave, Some(Wave { number: wave as u32, of: 5, replacing: 2 }));
        assert_eq!(counted(progress.session_manager), "1 ready");
        assert_eq!(counted(progress.executors), "8 ready, 2 terminating");
        let first = PodIndex::Executor((wave as u32 - 1) * 2);
        assert_eq!(progress.slowest, Some(Slowest { pod: first, stage: Stage::Terminating, since: now }));
        pods.iter().for_each(|pod| news(&mut rollout, pod, now, None));
        assert_eq!(counted(rollout.progress().executors), "8 ready, 2 not created");
        let Step::Write(writes) = next(&mut rollout, now) else { panic!("wave {wave} is not made anew") };
        writes.iter().for_each(|write| carry_out(&mut rollout, write, now));
        let progress = rollout.progress();
        assert_eq!(
            (progress.wave.unwrap().number, counted(progress.executors)),
            (wave as u32, "8 ready, 2 scheduling".into())
        );
        pods.iter().for_each(|pod| news(&mut rollout, pod, now + Duration::from_secs(wave), Some(ready)));
    }
    let progress = rollout.progress();
    assert_eq!((progress.wave, progress.slowest, progress.to_do), (None, None, 0));
    assert!(progress.is_complete());
    let executors = rollout.start_up().unwrap().executors.unwrap();
    let total = |start: (u32, crate::flame::timeline::StartTimes)| (start.0, start.1.total().as_secs());
    assert_eq!((executors.count, total(executors.median), total(executors.slowest)), (10, (4, 3), (9, 5)));
}

#[test]
fn a_wave_that_is_sent_again_is_the_same_wave() {
    let after = executors(4, new_image);
    let mut snapshot = running(&flame(4));
    snapshot.config_maps = running(&after).config_maps;
    let mut rollout = Rollout::new(up(&after), Options::default(), snapshot);
    for attempt in 0..3 {
        let now = Duration::from_secs(10 + attempt);
        let Step::Write(writes) = next(&mut rollout, now) else { panic!("attempt {attempt} is not made") };
        rollout.wrote(&writes[0], Outcome::Busy("throttled".into(), Some(Duration::from_millis(500))), now);
        assert_eq!(rollout.progress().wave, Some(Wave { number: 1, of: 4, replacing: 1 }), "{attempt}");
    }
}

#[test]
fn progress_of_many_broken_pods_holds_no_list_of_them() {
    let mut snapshot = running(&flame(50));
    for (index, pod) in snapshot.pods.values_mut().enumerate() {
        pod.ready = false;
        pod.waiting_reason = Some("CrashLoopBackOff".into());
        pod.meta.labels.insert("index".into(), index.to_string());
    }
    for (index, pod) in snapshot.pods.values_mut().take(20).enumerate() {
        pod.waiting_reason = Some(format!("Odd{index}").into());
    }
    let progress = Rollout::new(up(&flame(50)), Options::default(), snapshot).progress();
    assert_eq!((progress.causes.len(), progress.more_causes), (8, 14));
    assert_eq!(counted(progress.executors), "30 crashing, 20 blocked");
    assert_eq!(
        (progress.deadline, progress.ends_at()),
        (Some(Duration::from_secs(300)), Some(Duration::from_secs(300)))
    );
}

#[test]
fn an_interrupted_command_says_what_is_left_and_what_moves_on() {
    let mut snapshot = running(&flame(3));
    let starting = snapshot.pods.get_mut("demo-executor-manager-1").unwrap();
    starting.ready = false;
    snapshot.pods.remove("demo-executor-manager-2");
    let mut rollout = Rollout::new(up(&flame(3)), Options::default(), snapshot.clone());
    assert_eq!(
        rollout.interrupted().what,
        "interrupted: demo is left as it is, 1 of 3 executors ready, 1 object is still to change; \
         1 Pod moves on without this command"
    );
    for pod in snapshot.pods.values_mut() {
        pod.meta.terminating = true;
    }
    let mut rollout = Rollout::new(Desired::Down("demo".into()), Options::default(), snapshot);
    let progress = rollout.progress();
    assert_eq!(progress.down, Some(Left { pods: 3, services: 2, config_maps: 1 }));
    assert_eq!(
        (counted(progress.session_manager), counted(progress.executors)),
        ("1 terminating".into(), "2 terminating".into())
    );
    let error = rollout.interrupted();
    assert_eq!(
        error.what,
        "interrupted: demo is left as it is, 6 objects have still to go; 3 Pods go on terminating without this command"
    );
    assert_eq!(error.hints, ["run the same command again to go on; nothing needs cleaning up", "flamectl status demo"]);
}

#[test]
fn who_follows_the_record_writes_nothing_once_it_says_something_else() {
    let options = Options { persistent: true, follows_record: true, timeout: None, ..Options::default() };
    let before = flame(2);
    let mut rollout = Rollout::new(up(&before), options, running(&before));
    assert_eq!(next(&mut rollout, Duration::ZERO), Step::Done);
    // Another command made an executor more; its Pod is seen before its record.
    let after = running(&flame(3));
    rollout.seen(Observed::Pod(after.pods["demo-executor-manager-2"].clone()));
    let record = ObjectRef::new(Kind::ConfigMap, "demo-config");
    assert_eq!(rollout.next(Duration::from_secs(1)), Step::Read(vec![record.clone()]));
    let mut newer = after.config_maps["demo-config"].clone();
    newer.meta.resource_version += 1;
    rollout.read(&record, Some(Observed::ConfigMap(newer)));
    assert!(matches!(rollout.next(Duration::from_secs(1)), Step::Wait(_)));
    rollout.aim(up(&flame(3)));
    assert_eq!(next(&mut rollout, Duration::from_secs(2)), Step::Done);
}

#[test]
fn who_follows_the_record_puts_back_what_was_spoiled_after_a_look() {
    let options = Options { persistent: true, follows_record: true, timeout: None, ..Options::default() };
    let flame = flame(2);
    let mut rollout = Rollout::new(up(&flame), options, running(&flame));
    assert_eq!(next(&mut rollout, Duration::ZERO), Step::Done);
    let record = ObjectRef::new(Kind::ConfigMap, "demo-config");
    let mut spoiled = rollout.snapshot().config_maps["demo-config"].clone();
    spoiled.meta.resource_version += 1;
    spoiled.meta.annotations.remove(names::ANNOTATION_SPEC);
    rollout.seen(Observed::ConfigMap(spoiled.clone()));
    assert_eq!(rollout.next(Duration::from_secs(1)), Step::Read(vec![record.clone()]));
    rollout.read(&record, Some(Observed::ConfigMap(spoiled)));
    let Step::Write(writes) = rollout.next(Duration::from_secs(1)) else { panic!("it is put back") };
    assert_eq!(writes.iter().map(|write| &write.object).collect::<Vec<_>>(), [&record]);
}

#[test]
fn a_repair_tells_who_spoiled_it_although_what_it_left_was_seen_before_its_answer() {
    let flame = flame(2);
    let options = Options { persistent: true, timeout: None, ..Options::default() };
    let mut rollout = Rollout::new(up(&flame), options, running(&flame));
    assert_eq!(next(&mut rollout, Duration::ZERO), Step::Done);
    let whole = rollout.snapshot().services["demo-object-cache"].clone();
    let seen = |rollout: &mut Rollout, service: &ObservedService, newer: u64| {
        let mut service = service.clone();
        service.meta.resource_version += newer;
        assert!(rollout.seen(Observed::Service(service)));
    };
    let mut spoiled = whole.clone();
    spoiled.ports[0].port = 9999;
    spoiled.meta.other_managers = vec![FieldManager { name: "kubectl-patch".into(), time: Some(3) }];
    seen(&mut rollout, &spoiled, 1);
    let Step::Write(writes) = next(&mut rollout, NOW) else { panic!("it is put back") };
    let found = rollout.found(&writes[0]);
    seen(&mut rollout, &whole, 2);
    let repair = rollout.repaired(&writes[0], found, Some("u")).unwrap();
    assert_eq!(repair.drift.iter().map(ToString::to_string).collect::<Vec<_>>(), ["spec.ports[grpc].port 9999 → 9090"]);
    assert_eq!(repair.by, Some(("kubectl-patch".into(), Some(3))));
}

/// Returns all that is written to bring an image in waves and to replace a Pod that was evicted, by the clock of a machine that
/// says `started_at` when it begins.
fn written_by_the_clock(started_at: Seconds, stamped: Seconds) -> Vec<String> {
    let after = executors(6, new_image);
    let mut snapshot = running(&flame(6));
    snapshot.config_maps = running(&after).config_maps;
    for pod in snapshot.pods.values_mut() {
        (pod.meta.creation_timestamp, pod.start_time, pod.started_at) = (Some(stamped), Some(stamped), Some(stamped));
    }
    let evicted = snapshot.pods.get_mut("demo-executor-manager-4").unwrap();
    (evicted.phase, evicted.ready, evicted.reason) = (Phase::Failed, false, Some("Evicted".into()));
    let stuck = snapshot.pods.get_mut("demo-executor-manager-5").unwrap();
    (stuck.ready, stuck.waiting_reason) = (false, Some("CrashLoopBackOff".into()));
    let mut rollout =
        Rollout::new(up(&after), Options { persistent: true, started_at, ..Options::default() }, snapshot);
    let mut all = Vec::new();
    for second in 0..120 {
        let now = Duration::from_secs(second);
        if let Step::Write(writes) = next(&mut rollout, now) {
            for write in &writes {
                all.push(format!("{second} s: {:?} {}", write.action, write.object.name));
                carry_out(&mut rollout, write, now);
                let is_made = write.action == Action::Create;
                news(&mut rollout, &write.object.name, now, is_made.then_some(ready as fn(&mut ObservedPod)));
            }
        }
    }
    assert_eq!(rollout.next(Duration::from_secs(120)), Step::Done);
    all
}

#[test]
fn the_clock_on_the_wall_decides_nothing_that_is_written() {
    let stamped = 1_700_000_000;
    let expected = written_by_the_clock(stamped, stamped);
    assert!(expected.len() >= 12, "{expected:?}");
    for skew in [-stamped, -3600, -1, 1, 3600, stamped] {
        assert_eq!(written_by_the_clock(stamped + skew, stamped), expected, "{skew} s");
    }
}

#[test]
fn executors_that_ended_before_the_session_manager_was_ready_do_not_wait_for_their_node() {
    let flame = flame(3);
    let mut snapshot = running(&flame);
    let ready = observed::Condition { is_true: true, since: Some(100), why: None };
    snapshot.pods.get_mut("demo-session-manager").unwrap().conditions.ready = Some(ready);
    for (index, ended) in [(0, 99), (1, 101)] {
        let pod = snapshot.pods.get_mut(&format!("demo-executor-manager-{index}")).unwrap();
        (pod.ready, pod.waiting_reason) = (false, Some("CrashLoopBackOff".into()));
        pod.ended = Some(Box::new(observed::Ended { finished_at: Some(ended), ..Default::default() }));
    }
    let mut rollout = Rollout::new(up(&flame), Options::default(), snapshot.clone());
    let step = next(&mut rollout, NOW);
    assert_eq!(short(&step), "Delete executor-manager-0");
    let Step::Write(writes) = step else { panic!() };
    assert_eq!(writes[0].why, [Why::Stranded]);
    // One that came back by itself is left alone, and while there is no session manager nothing is gained.
    let mut back = (*snapshot.pods["demo-executor-manager-0"]).clone();
    (back.ready, back.waiting_reason, back.meta.resource_version) = (true, None, 5);
    rollout.seen(Observed::Pod(Box::new(back)));
    assert!(matches!(next(&mut rollout, NOW), Step::Wait(_)));
    snapshot.pods.get_mut("demo-session-manager").unwrap().ready = false;
    assert!(matches!(next(&mut Rollout::new(up(&flame), Options::default(), snapshot), NOW), Step::Wait(_)));
}

#[test]
fn the_object_cache_starts_beside_the_session_manager_and_before_the_executors() {
    let without = |names: &'static [&'static str]| {
        move |it: &mut Snapshot| it.pods.retain(|pod, _| !names.iter().any(|name| pod.contains(name)))
    };
    let all = without(&["session-manager", "object-cache", "executor-manager"]);
    assert_eq!(step(&flame_06(1), all, &flame_06(1)), "Create session-manager, Create object-cache");
    let repaired = without(&["object-cache"]);
    assert_eq!(step(&flame_06(1), repaired, &flame_06(1)), "Create object-cache");
}

#[test]
fn another_generation_replaces_executors_in_waves_once_both_others_are_ready() {
    let record_and_manager = |it: &mut Snapshot| {
        let fresh = running(&flame_06(10));
        (it.config_maps, it.services) = (fresh.config_maps, fresh.services);
        let single = fresh.pods.into_iter().filter(|(name, _)| !name.contains("executor"));
        it.pods.extend(single);
    };
    let wave = "Delete executor-manager-0, Delete executor-manager-1";
    assert_eq!(step(&flame(10), record_and_manager, &flame_06(10)), wave);
    let not_ready = |it: &mut Snapshot| {
        record_and_manager(it);
        it.pods.get_mut("demo-object-cache").unwrap().ready = false;
    };
    assert!(step(&flame(10), not_ready, &flame_06(10)).starts_with("wait"));
}

#[test]
fn up_waits_for_the_object_cache_whatever_the_bar_is_and_gives_up_where_it_is_lost() {
    let not_ready = |it: &mut Snapshot| it.pods.get_mut("demo-object-cache").unwrap().ready = false;
    for bar in [Bar::All, Bar::Running, Bar::Count(1)] {
        let mut snapshot = running(&flame_06(1));
        let options = Options { bar, ..Options::default() };
        assert_eq!(short(&Rollout::new(up(&flame_06(1)), options, snapshot.clone()).next(NOW)), "done");
        not_ready(&mut snapshot);
        let mut rollout = Rollout::new(up(&flame_06(1)), options, snapshot);
        assert!(short(&rollout.next(NOW)).starts_with("wait"), "{bar:?}");
        assert!(!rollout.progress().is_complete());
    }
    let lost = |it: &mut Snapshot| {
        let pod = it.pods.get_mut("demo-object-cache").unwrap();
        (pod.ready, pod.phase) = (false, Phase::Pending);
        pod.waiting_reason = Some("InvalidImageName".into());
    };
    assert_eq!(
        step(&flame_06(1), lost, &flame_06(1)),
        "stop 4: demo cannot get ready: object cache: InvalidImageName: flame-object-cache:v1 is no image name\n  \
         correct metadata.annotations[\"flame.xflops.io/object-cache-image\"]\n  \
         next: kubectl describe pod demo-object-cache -n default"
    );
}

#[test]
fn a_restart_of_the_object_cache_restarts_nothing_else() {
    let mut rollout = Rollout::new(up(&flame_06(2)), Options::default(), running(&flame_06(2)));
    rollout.restart(Some(Component::ObjectCache));
    assert_eq!(short(&next(&mut rollout, NOW)), "Delete object-cache");
    rollout.restart(Some(Component::SessionManager));
    assert_eq!(short(&next(&mut rollout, NOW)), "Delete session-manager");
}
