//! Flames that live as FlameCluster objects on the server: kept by `watch --crd`, and understood by the other commands.

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::bed::{Bed, Namespace, Objects, PATIENCE, at, namespace, uids, versions};
use crate::crd;
use crate::flames::{CACHE, DEMO, MANAGER, demo, executor};
use crate::running::Running;

/// The definition that the Go operator installs.
fn operators_definition() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/flamecluster-crd.yaml")).unwrap()
}

#[track_caller]
fn keeping(space: &Namespace<'_>) -> Running {
    Running::start(space.command(&["watch", "--crd"]))
}

#[track_caller]
fn ends(watch: Running) -> String {
    watch.signal("TERM");
    let (code, said, _) = watch.end();
    assert_eq!(code, Some(0), "{said}");
    said
}

fn object(space: &Namespace<'_>) -> Value {
    serde_json::from_str(&space.kubectl(&["get", "flamecluster", "demo", "-o", "json"])).unwrap()
}

/// Waits until the object's status is as `is` wants it, and returns the object.
#[track_caller]
fn status_until(space: &Namespace<'_>, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let object = object(space);
        if is(&object["status"]) {
            return object;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}; there is {object:#}");
    }
}

fn is_running(status: &Value, replicas: u64) -> bool {
    status["state"] == "Running" && status["executorManager"]["ready"] == replicas
}

/// Returns kind, name, uid, controller and blockOwnerDeletion of each object's owners.
fn owners(objects: &Objects) -> Vec<String> {
    let owners = |it: &Value| it["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
    let one = |it: &Value| {
        let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
        let flags = (&it["controller"], &it["blockOwnerDeletion"]);
        format!("{} {} {} {} {} {}", text("apiVersion"), text("kind"), text("name"), text("uid"), flags.0, flags.1)
    };
    let mut all: Vec<String> = objects.values().map(|it| owners(it).iter().map(one).collect()).collect();
    all.dedup();
    all
}

#[test]
fn an_operators_definition_is_served_as_it_is() {
    let bed = Bed::start("operator").unwrap();
    let space = bed.namespace();
    let mut watch = keeping(&space);
    watch.until_says("the server has no FlameClusters: `flamectl crd | kubectl apply --server-side -f -`");
    space.apply(&operators_definition(), &[]);
    space.kubectl(&["wait", "--for=condition=Established", "crd/flameclusters.flame.xflops.io", "--timeout=60s"]);
    space.apply(DEMO, &[]);
    let object = status_until(&space, "running", |status| is_running(status, 2));
    let status = &object["status"];
    assert_eq!(status["sessionManager"]["endpoint"], "http://demo-session-manager:8080");
    assert_eq!((&status["configGeneration"], &status["message"]), (&1.into(), &"All components healthy".into()));
    let all = space.objects();
    let uid = at(&object, "/metadata/uid");
    assert_eq!(owners(&all), [format!("flame.xflops.io/v1alpha1 FlameCluster demo {uid} true true")]);
    // What its definition does not know is dropped, and not written again and again.
    assert_eq!(status["conditions"], Value::Null);
    let before = versions(&space.objects());
    space.kubectl(&["label", "flamecluster", "demo", "team=ml"]);
    space.until("the label is on all", |objects| objects.values().all(|it| at(it, "/metadata/labels/team") == "ml"));
    assert_eq!(before.len(), space.objects().len());
    space.kubectl(&["delete", "flamecluster", "demo", "--wait=false"]);
    watch.until_says("its FlameCluster was deleted");
    space.until("collected", Objects::is_empty);
    ends(watch);
}

/// Returns a namespace of a server that knows FlameClusters.
#[track_caller]
fn space() -> Namespace<'static> {
    crd::install();
    namespace()
}

fn is_up(objects: &Objects, replicas: usize) -> bool {
    let is_ready = |it: &&Value| {
        let conditions = it["status"]["conditions"].as_array().into_iter().flatten();
        it["metadata"]["deletionTimestamp"].is_null()
            && conditions.into_iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
    };
    objects.len() == replicas + 4
        && objects.values().filter(|it| it["kind"] == "Pod").filter(is_ready).count() > replicas
}

/// Returns `Type=Status Reason` of each condition.
fn conditions(status: &Value) -> Vec<String> {
    let conditions = status["conditions"].as_array().into_iter().flatten();
    conditions.map(|it| format!("{}={} {}", at(it, "/type"), at(it, "/status"), at(it, "/reason"))).collect()
}

const WELL: [&str; 4] =
    ["Accepted=True Valid", "Ready=True AllReady", "Stalled=False Working", "Contested=False Undisputed"];

#[test]
fn a_flame_cluster_is_kept_and_all_that_it_owns_goes_with_it() {
    let space = space();
    let mut watch = keeping(&space);
    watch.until_says("there are no FlameClusters yet");
    space.apply(DEMO, &[]);
    space.kubectl(&["wait", "--for=condition=Ready", "flamecluster/demo", "--timeout=60s"]);
    space.kubectl(&["wait", "--for=jsonpath={.status.state}=Running", "flamecluster/demo", "--timeout=60s"]);
    let all = status_until(&space, "all well", |status| conditions(status) == WELL);
    assert_eq!((&all["status"]["observedGeneration"], &all["metadata"]["finalizers"]), (&1.into(), &Value::Null));
    let before = space.objects();
    let owner = owners(&before);
    space.kubectl(&["delete", "pod/demo-executor-manager-1", "--wait=false"]);
    space.until("made again", |it| is_up(it, 2) && uids(it)[&executor(1)] != uids(&before)[&executor(1)]);
    space.kubectl(&["patch", "service/demo-object-cache", "--patch", r#"{"metadata": {"ownerReferences": null}}"#]);
    let told = watch.until_says("put back Service demo-object-cache");
    assert!(told.contains("metadata.ownerReferences nothing → FlameCluster/demo"), "{told}");
    assert_eq!(owners(&space.until("owned again", |it| owners(it).len() == 1)), owner);
    // In the foreground, what is owned goes first: whoever made it anew would never come to an end.
    space.kubectl(&["delete", "flamecluster", "demo", "--cascade=foreground", "--timeout=60s"]);
    assert!(space.objects().is_empty());
    watch.until_says("demo is left as it is: its FlameCluster is being deleted");
    ends(watch);
}

#[test]
fn changes_are_followed_and_what_is_not_valid_leaves_the_last_good_in_force() {
    let space = space();
    space.apply(DEMO, &[]);
    let watch = keeping(&space);
    status_until(&space, "running", |status| is_running(status, 2));
    space.kubectl(&["scale", "flamecluster", "demo", "--replicas=3"]);
    status_until(&space, "three", |status| is_running(status, 3) && status["observedGeneration"] == 2);
    // No definition can say what a regular expression is.
    let patch = r#"{"spec": {"executorManager": {"replicas": 1}, "objectCache": {"networkInterface": "eth("}}}"#;
    space.patch("flamecluster/demo", patch);
    let refused = status_until(&space, "refused", |status| conditions(status)[..1] == ["Accepted=False Invalid"]);
    let message = at(&refused, "/status/message");
    assert!(message.starts_with("not followed: spec.objectCache.networkInterface: "), "{message}");
    assert_eq!((&refused["status"]["observedGeneration"], space.objects().len()), (&3.into(), 7));
    space
        .flamectl(&["status", "demo"])
        .exits(0)
        .says("FlameCluster demo is not followed: spec.objectCache.networkInterface: ");
    space.kubectl(&["delete", "pod/demo-executor-manager-2", "--wait=false"]);
    space.until("the last good is kept", |it| is_up(it, 3));
    let patch = r#"{"spec": {"executorManager": {"image": "em:v2"}, "objectCache": {"networkInterface": "eth0"}}}"#;
    space.patch("flamecluster/demo", patch);
    status_until(&space, "followed again", |status| conditions(status) == WELL && status["observedGeneration"] == 4);
    ends(watch);
}

#[test]
fn a_watch_that_starts_again_writes_nothing() {
    let space = space();
    space.apply(DEMO, &[]);
    let watch = keeping(&space);
    status_until(&space, "all well", |status| conditions(status) == WELL);
    ends(watch);
    let before = versions(&space.objects());
    let mut watch = keeping(&space);
    watch.until_says("watching demo");
    // Whatever it had to write would come before what it does about this.
    space.kubectl(&["delete", "pod/demo-executor-manager-1", "--wait=false"]);
    watch.until_says("demo-executor-manager-1 was deleted, created again");
    let after = versions(&space.objects());
    assert!(after.iter().all(|(name, it)| *name == executor(1) || before[name] == *it), "{before:?} {after:?}");
    space.until("made again", |it| is_up(it, 2));
    ends(watch);
}

#[test]
fn a_fight_is_surfaced_in_the_status() {
    let space = space();
    space.apply(DEMO, &[]);
    let mut watch = keeping(&space);
    status_until(&space, "all well", |status| conditions(status) == WELL);
    for round in 0..6 {
        let colour = format!(r#"{{"spec": {{"selector": {{"round": "{round}"}}}}}}"#);
        space.patch("service/demo-object-cache", &colour);
        watch.until_says("put back Service demo-object-cache");
        space.until("put back", |it| it[CACHE]["spec"]["selector"]["round"].is_null());
    }
    let fought = status_until(&space, "contested", |status| {
        conditions(status).contains(&"Contested=True ChangedBack".to_owned())
    });
    let message = at(&fought, "/status/conditions/3/message");
    assert!(message.contains("spec.selector[round]") && message.contains("somebody keeps undoing it"), "{message}");
    space
        .flamectl(&["status", "demo"])
        .exits(0)
        .says("FlameCluster demo is fought about: put back Service demo-object-cache");
    ends(watch);
}

#[test]
fn commands_understand_a_flame_that_lives_as_an_object() {
    let space = space();
    let file = space.file("flame.yaml", DEMO);
    let nobody = space.flamectl(&["up", "--crd", "-f", &file, "--timeout", "2s"]).exits(3);
    let nobody = nobody.says("created FlameCluster demo").says("nobody seems to follow FlameClusters here");
    nobody.says("`flamectl watch --crd` does");
    space.flamectl(&["status", "demo"]).exits(3);
    let watch = keeping(&space);
    let up = space.flamectl(&["up", "--crd", "-f", &file]).exits(0);
    up.says("FlameCluster demo is as it should be").prints("Running");
    space.flamectl(&["status", "demo"]).exits(0).prints("Running");
    let before = uids(&space.objects());
    space.flamectl(&["scale", "demo", "--replicas", "3"]).exits(0).says("updated FlameCluster demo");
    assert!(is_up(&space.objects(), 3));
    assert_eq!(object(&space)["spec"]["executorManager"]["replicas"], 3);
    space.flamectl(&["scale", "demo", "--replicas", "1"]).exits(5).says("needs a confirmation");
    space.flamectl(&["scale", "demo", "--replicas", "1", "-y"]).exits(0);
    let after = uids(&space.objects());
    assert_eq!((after.len(), after.iter().all(|(name, uid)| before[name] == *uid)), (5, true));
    space.flamectl(&["restart", "demo", "executor-manager", "-y"]).exits(0);
    let restarted = uids(&space.objects());
    assert!(restarted[&executor(0)] != before[&executor(0)] && restarted[MANAGER] == before[MANAGER]);
    let refused = space.up(&demo(2)).exits(5).says("Pod demo-session-manager is owned by FlameCluster/demo");
    refused.says("it lives as a FlameCluster object");
    space.flamectl(&["logs", "demo"]).exits(0);
    space.flamectl(&["down", "demo", "-y"]).exits(0).says("deleted FlameCluster demo").says("demo is gone");
    assert!(space.objects().is_empty());
    assert_eq!(space.kubectl(&["get", "flamecluster", "-o", "name"]), "");
    space.flamectl(&["down", "demo", "-y"]).exits(0).says("nothing of demo is in namespace");
    ends(watch);
}

#[test]
fn a_recorded_flame_becomes_an_object_in_place() {
    let space = space();
    space.up(DEMO).exits(0);
    let before = uids(&space.objects());
    let mut records = Running::start(space.command(&["watch"]));
    records.until_says("watching demo in namespace");
    let watch = keeping(&space);
    space.up_with(DEMO, &["--crd", "-y"]).exits(0).says("created FlameCluster demo");
    let after = space.objects();
    assert_eq!((uids(&after), owners(&after).len()), (before, 1));
    records.until_says("demo is left as it is: it lives as a FlameCluster object");
    ends(records);
    for (args, says) in [
        (
            vec!["watch"],
            "all flames live as FlameCluster objects, which `watch --crd` keeps; others are kept as soon as there",
        ),
        (vec!["watch", "demo"], "flame demo lives as a FlameCluster object, which `watch --crd` keeps"),
        (vec!["watch", "other"], "there is no flame other yet; it is kept as soon as there is"),
    ] {
        let mut records = Running::start(space.command(&args));
        records.until_says(says);
        ends(records);
    }
    ends(watch);
}

#[test]
fn a_flame_cluster_that_is_made_anew_at_once_is_a_new_flame() {
    let space = space();
    space.apply(DEMO, &[]);
    let watch = keeping(&space);
    status_until(&space, "running", |status| is_running(status, 2));
    let before = uids(&space.objects());
    space.kubectl(&["delete", "flamecluster", "demo", "--wait=false"]);
    space.apply(DEMO, &[]);
    let uid = at(&object(&space), "/metadata/uid").to_owned();
    let own = [format!("flame.xflops.io/v1alpha1 FlameCluster demo {uid} true true")];
    let after = space.until("made anew", |it| is_up(it, 2) && owners(it) == own);
    assert!(uids(&after).iter().all(|(name, uid)| before[name] != *uid));
    ends(watch);
}

#[test]
fn one_pass_looks_at_objects_too() {
    let space = space();
    space.apply(DEMO, &[]);
    space.flamectl(&["watch", "--crd", "--dry-run"]).exits(1).says("1 flame: 1 has drifted; nothing was changed");
    assert!(space.objects().is_empty());
    space.flamectl(&["watch", "--crd", "--once"]).exits(1).says("1 flame: 1 had drifted and was put right");
    assert_eq!((space.objects().len(), owners(&space.objects()).len()), (6, 1));
    space.flamectl(&["watch", "--crd", "--once"]).exits(0).says("1 flame: no drift");
    // Not a recorded flame's business.
    space.flamectl(&["watch", "--once"]).exits(0).says("0 flames: no drift");
}
