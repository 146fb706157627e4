use super::*;
use crate::flame::FlameCluster;
use crate::flame::manifests::manifests;
use crate::flame::observed::{FieldManager, Phase};
use crate::flame::testing::{belongs_to, controller, flame, flame_06, owner, running};

/// Plans `after` over what the server shows of `before` once `meanwhile` happened, and writes what changes, line by line.
fn planned(before: &FlameCluster, meanwhile: impl FnOnce(&mut Snapshot), after: &FlameCluster) -> String {
    planned_under(None, before, meanwhile, after)
}

/// As [`planned`], for a flame that lives as an object.
fn planned_under(
    owner: Option<Owner>,
    before: &FlameCluster,
    meanwhile: impl FnOnce(&mut Snapshot),
    after: &FlameCluster,
) -> String {
    let mut snapshot = running(before);
    meanwhile(&mut snapshot);
    let none = HashMap::new();
    let options = PlanOptions { adopt: false, no_resize: false, restart: &none };
    let plan = plan(&Desired::up(manifests(after).unwrap().owned_by(owner)), &snapshot, options);
    let changes = plan.changes().map(|change| {
        let why: Vec<String> = change.why.iter().map(Why::to_string).collect();
        format!("{} {}: {}", change.op, change.object, why.join(", "))
    });
    let foreign = plan.foreign().map(|it| format!("foreign {}: {}", it.object, it.owner));
    let strays = plan.strays().map(|it| format!("stray {it}"));
    changes.chain(foreign).chain(strays).collect::<Vec<_>>().join("\n")
}

/// Checks what a changed spec leads to.
#[track_caller]
fn changed(change: impl FnOnce(&mut FlameCluster), expected: &[&str]) {
    let before = flame(2);
    let mut after = before.clone();
    change(&mut after);
    assert_eq!(planned(&before, |_| {}, &after), expected.join("\n"));
}

/// Checks what a changed server leads to.
#[track_caller]
fn drifted(meanwhile: impl FnOnce(&mut Snapshot), expected: &[&str]) {
    assert_eq!(planned(&flame(2), meanwhile, &flame(2)), expected.join("\n"));
}

const RECORD: &str = "update ConfigMap demo-config: recorded FlameCluster changed";
const RECORD_AND_TEXT: &str = "update ConfigMap demo-config: config text changed, recorded FlameCluster changed";

#[test]
fn an_empty_server_needs_everything() {
    let created = planned(&flame(1), |snapshot| *snapshot = Snapshot::default(), &flame(1));
    assert_eq!(
        created,
        "create ConfigMap demo-config: not there
create Service demo-session-manager: not there
create Service demo-object-cache: not there
create Pod demo-session-manager: not there
create Pod demo-executor-manager-0: not there"
    );
}

#[test]
fn nothing_changes_where_nothing_changed() {
    changed(|_| {}, &[]);
}

#[test]
fn a_change_reaches_only_the_pods_that_use_it() {
    changed(
        |flame| flame.spec.executor_manager.max_executors = 9,
        &[
            RECORD_AND_TEXT,
            "replace Pod demo-executor-manager-0: config changed",
            "replace Pod demo-executor-manager-1: config changed",
        ],
    );
    changed(
        |flame| flame.spec.session_manager.policy = "priority".into(),
        &[RECORD_AND_TEXT, "replace Pod demo-session-manager: config changed"],
    );
    changed(
        |flame| flame.spec.object_cache.network_interface = "eth1".into(),
        &[
            RECORD_AND_TEXT,
            "replace Pod demo-executor-manager-0: config changed",
            "replace Pod demo-executor-manager-1: config changed",
        ],
    );
    changed(
        |flame| flame.spec.object_cache.storage = "/cache".into(),
        &[
            RECORD_AND_TEXT,
            "replace Pod demo-executor-manager-0: config changed, Pod template changed",
            "replace Pod demo-executor-manager-1: config changed, Pod template changed",
        ],
    );
}

#[test]
fn the_cheapest_way_is_taken() {
    changed(
        |flame| flame.spec.session_manager.image = "sm:v2".into(),
        &[RECORD, "update Pod demo-session-manager: image sm:v1 → sm:v2"],
    );
    changed(
        |flame| flame.spec.executor_manager.image = "em:v2".into(),
        &[
            RECORD,
            "replace Pod demo-executor-manager-0: image em:v1 → em:v2",
            "replace Pod demo-executor-manager-1: image em:v1 → em:v2",
        ],
    );
    changed(
        |flame| drop(flame.spec.session_manager.resources.requests.insert("cpu".into(), "1".into())),
        &[RECORD, "resize Pod demo-session-manager: resources changed"],
    );
    changed(
        |flame| {
            flame.spec.session_manager.resources.requests.insert("cpu".into(), "1".into());
            flame.spec.session_manager.policy = "fifo".into();
        },
        &[RECORD_AND_TEXT, "replace Pod demo-session-manager: config changed, resources changed"],
    );
    changed(
        |flame| drop(flame.metadata.labels.insert("team".into(), "ml".into())),
        &[
            "update ConfigMap demo-config: recorded FlameCluster changed, labels or annotations changed",
            "update Service demo-session-manager: labels or annotations changed",
            "update Service demo-object-cache: labels or annotations changed",
            "update Pod demo-session-manager: labels or annotations changed",
            "update Pod demo-executor-manager-0: labels or annotations changed",
            "update Pod demo-executor-manager-1: labels or annotations changed",
        ],
    );
}

#[test]
fn scaling_touches_only_the_pods_concerned() {
    changed(
        |flame| flame.spec.executor_manager.replicas = 3,
        &[RECORD, "create Pod demo-executor-manager-2: not there"],
    );
    changed(
        |flame| flame.spec.executor_manager.replicas = 0,
        &[
            RECORD,
            "delete Pod demo-executor-manager-0: beyond replicas",
            "delete Pod demo-executor-manager-1: beyond replicas",
        ],
    );
}

fn executor(snapshot: &mut Snapshot) -> &mut ObservedPod {
    snapshot.pods.get_mut("demo-executor-manager-0").unwrap()
}

fn service(snapshot: &mut Snapshot) -> &mut ObservedService {
    snapshot.services.get_mut("demo-object-cache").unwrap()
}

#[test]
fn drift_is_found_and_named() {
    drifted(|it| drop(it.pods.remove("demo-executor-manager-0")), &["create Pod demo-executor-manager-0: not there"]);
    drifted(|it| executor(it).meta.terminating = true, &["create Pod demo-executor-manager-0: being deleted"]);
    drifted(
        |it| {
            executor(it).phase = Phase::Failed;
            executor(it).reason = Some("Evicted".into());
        },
        &["replace Pod demo-executor-manager-0: ended: Evicted"],
    );
    drifted(
        |it| drop(executor(it).meta.labels.remove(names::LABEL_APP)),
        &["update Pod demo-executor-manager-0: labels or annotations changed"],
    );
    drifted(
        |it| {
            executor(it).image = "em:v0".into();
            executor(it).meta.image_manager = Some("kubectl-edit".into());
        },
        &["replace Pod demo-executor-manager-0: image em:v0 → em:v1, edited by kubectl-edit"],
    );
    drifted(|it| service(it).ports[0].port = 9999, &["update Service demo-object-cache: ports changed"]);
    drifted(|it| service(it).selector.clear(), &["update Service demo-object-cache: selector changed"]);
    drifted(
        |it| it.config_maps.get_mut("demo-config").unwrap().data.clear(),
        &["update ConfigMap demo-config: config text changed"],
    );
}

#[test]
fn what_the_server_and_webhooks_add_is_no_drift() {
    drifted(|it| drop(executor(it).meta.labels.insert("mesh".into(), "on".into())), &[]);
    drifted(|it| executor(it).image = "mirror/em:v1".into(), &[]);
    drifted(
        |it| {
            let mut port = service(it).ports[0].clone();
            (port.name, port.port) = ("metrics".into(), 9100);
            service(it).ports.push(port);
        },
        &[],
    );
}

#[test]
fn foreign_objects_are_named_with_their_owner() {
    drifted(
        |it| {
            let meta = &mut service(it).meta;
            meta.labels.clear();
            meta.applied_by_flamectl = false;
            meta.other_managers = vec![FieldManager { name: "helm".into(), time: None }];
        },
        &["foreign Service demo-object-cache: made by helm"],
    );
    drifted(
        |it| executor(it).meta.controller = Some(std::sync::Arc::new(controller("ReplicaSet/other"))),
        &["foreign Pod demo-executor-manager-0: owned by ReplicaSet/other"],
    );
}

#[test]
fn pods_with_our_labels_but_none_of_our_names_are_left_alone() {
    drifted(
        |it| {
            let mut pod = executor(it).clone();
            pod.meta.name = "demo-executor-manager-007".into();
            it.pods.insert(pod.meta.name.clone(), Box::new(pod));
        },
        &["stray Pod demo-executor-manager-007"],
    );
}

#[test]
fn the_config_generation_grows_with_the_config_only() {
    let mut other = flame(2);
    other.spec.session_manager.policy = "fifo".into();
    for (after, expected) in [(flame(2), 1), (flame(5), 1), (other, 2)] {
        let snapshot = running(&flame(2));
        assert_eq!(config_generation(&manifests(&after).unwrap(), snapshot.record("demo")), expected);
    }
}

const OF_TWO: [&str; 6] = [
    "ConfigMap demo-config",
    "Service demo-session-manager",
    "Service demo-object-cache",
    "Pod demo-session-manager",
    "Pod demo-executor-manager-0",
    "Pod demo-executor-manager-1",
];

#[test]
fn what_a_flame_cluster_object_owns_is_its_own_and_what_nobody_owns_becomes_so_in_place() {
    let two = flame(2);
    let under = |meanwhile: &dyn Fn(&mut Snapshot)| planned_under(Some(owner("a")), &two, |it| meanwhile(it), &two);
    assert_eq!(under(&|it| belongs_to(it, &owner("a"))), "");
    assert_eq!(under(&|_| {}), OF_TWO.map(|object| format!("update {object}: owner changed")).join("\n"));
    // What another controller made is owned all the same, and made anew where it differs.
    let by_another = under(&|it| {
        belongs_to(it, &owner("a"));
        let pod = it.pods.get_mut("demo-executor-manager-1").unwrap();
        pod.meta.labels.remove(names::LABEL_MANAGED_BY);
        pod.meta.annotations.clear();
        pod.meta.applied_by_flamectl = false;
    });
    let why = "Pod template changed, labels or annotations changed";
    assert_eq!(by_another, format!("replace Pod demo-executor-manager-1: {why}"));
}

#[test]
fn what_an_earlier_flame_cluster_left_is_waited_for_and_never_written() {
    let two = flame(2);
    let left = planned_under(Some(owner("b")), &flame(3), |it| belongs_to(it, &owner("a")), &two);
    assert_eq!(left, OF_TWO.map(|object| format!("create {object}: being deleted")).join("\n"));
}

#[test]
fn what_a_flame_cluster_object_owns_is_foreign_to_who_has_only_a_file() {
    let two = flame(2);
    let plan = planned(&two, |it| belongs_to(it, &owner("a")), &two);
    assert_eq!(plan, OF_TWO.map(|object| format!("foreign {object}: owned by FlameCluster/demo")).join("\n"));
}

#[test]
fn another_generation_is_a_planned_change_of_every_pod_and_of_what_the_cache_service_selects() {
    assert_eq!(
        planned(&flame(2), |_| {}, &flame_06(2)),
        "update ConfigMap demo-config: recorded FlameCluster changed, labels or annotations changed
update Service demo-session-manager: labels or annotations changed
update Service demo-object-cache: selector changed, labels or annotations changed
replace Pod demo-session-manager: config changed, labels or annotations changed
create Pod demo-object-cache: not there
replace Pod demo-executor-manager-0: config changed, Pod template changed, labels or annotations changed
replace Pod demo-executor-manager-1: config changed, Pod template changed, labels or annotations changed"
    );
    // What the annotation said is no label that anybody has to take off.
    assert_eq!(
        planned(&flame_06(1), |_| {}, &flame(1)),
        "update ConfigMap demo-config: recorded FlameCluster changed
update Service demo-object-cache: selector changed
replace Pod demo-session-manager: config changed, labels or annotations changed
delete Pod demo-object-cache: Flame before 0.6 has none
replace Pod demo-executor-manager-0: config changed, Pod template changed, labels or annotations changed"
    );
}

#[test]
fn the_object_caches_pod_follows_its_image_and_its_config_alone() {
    assert_eq!(planned(&flame_06(1), |_| {}, &flame_06(1)), "");
    let mut after = flame_06(1);
    after.spec.object_cache.network_interface = "eth1".into();
    assert_eq!(
        planned(&flame_06(1), |_| {}, &after),
        format!("{RECORD_AND_TEXT}\nreplace Pod demo-object-cache: config changed")
    );
}

#[test]
fn an_object_cache_is_a_stray_or_in_the_way_where_it_is_not_ours() {
    let foreign = |snapshot: &mut Snapshot| {
        let mut pod = snapshot.pods["demo-session-manager"].clone();
        pod.meta.name = "demo-object-cache".into();
        pod.meta.controller = Some(controller("ReplicaSet/web").into());
        snapshot.pods.insert("demo-object-cache".into(), pod);
    };
    assert_eq!(planned(&flame(1), foreign, &flame(1)), "stray Pod demo-object-cache");
    assert_eq!(planned(&flame_06(1), foreign, &flame_06(1)), "foreign Pod demo-object-cache: owned by ReplicaSet/web");
}

#[test]
fn a_down_takes_the_object_caches_pod_along() {
    let snapshot = running(&flame_06(1));
    let none = HashMap::new();
    let options = PlanOptions { adopt: false, no_resize: false, restart: &none };
    let plan = plan(&Desired::Down("demo".into()), &snapshot, options);
    assert_eq!((plan.count(Op::Delete), plan.strays().len()), (6, 0));
}
