//! `watch`: what others delete and edit is put right, the file is followed, and nothing ends it but a signal.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::bed::{Bed, Namespace, Objects, at, namespace, uids};
use crate::flames::{CACHE, DEMO, MANAGER, RECORD, SERVICE, demo, edited, executor, images};
use crate::running::Running;

/// Starts watching a file that says `flame`, and waits until all its executors are ready.
#[track_caller]
fn watching(space: &Namespace<'_>, flame: &str) -> (Running, String) {
    let file = space.file("watched.yaml", flame);
    let mut watch = Running::start(space.command(&["watch", "-f", &file]));
    watch.until_says("watching demo");
    space.until("the flame is up", |objects| is_up(objects, 2));
    (watch, file)
}

fn is_up(objects: &Objects, replicas: u32) -> bool {
    let pods = objects.values().filter(|it| it["kind"] == "Pod").collect::<Vec<_>>();
    let is_ready = |pod: &&serde_json::Value| {
        let conditions = pod["status"]["conditions"].as_array();
        let terminating = !pod["metadata"]["deletionTimestamp"].is_null();
        !terminating
            && conditions.is_some_and(|all| all.iter().any(|it| it["type"] == "Ready" && it["status"] == "True"))
    };
    objects.len() == replicas as usize + 4 && pods.iter().all(is_ready)
}

/// Checks that the watch goes on with nothing to do, and ends with exit code 0 when told to.
#[track_caller]
fn ends_well(watch: Running) -> String {
    watch.signal("TERM");
    let (code, said, took) = watch.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(said.contains("stopped watching; everything is left as it is"), "{said}");
    said
}

/// Harms the flame, and waits until it is whole again.
#[track_caller]
fn repairs(space: &Namespace<'_>, harm: &[&str], is_whole: impl Fn(&Objects) -> bool) {
    space.kubectl(harm);
    space.until("repaired", |objects| is_up(objects, 2) && is_whole(objects));
}

#[test]
fn deleted_objects_come_back() {
    let space = namespace();
    let (watch, _) = watching(&space, DEMO);
    let all = [
        ("pod/demo-executor-manager-1", executor(1)),
        ("pod/demo-session-manager", MANAGER.to_owned()),
        ("service/demo-object-cache", CACHE.to_owned()),
        ("configmap/demo-config", RECORD.to_owned()),
    ];
    for (object, name) in all {
        let before = uids(&space.objects());
        let others_stay =
            |after: &Objects| uids(after).iter().all(|(key, uid)| (before[key] == *uid) != (*key == name));
        repairs(&space, &["delete", object, "--wait=false"], others_stay);
    }
    ends_well(watch);
}

#[test]
fn edited_objects_are_put_right() {
    let space = namespace();
    let (watch, _) = watching(&space, DEMO);
    let before = space.objects();
    let port = r#"[{"op": "replace", "path": "/spec/ports/0/port", "value": 9999}]"#;
    let patch = ["patch", "service/demo-object-cache", "--type=json", "--patch", port];
    repairs(&space, &patch, |after| after[CACHE]["spec"] == before[CACHE]["spec"]);
    let selector = r#"{"spec": {"selector": {"app.kubernetes.io/component": "nothing"}}}"#;
    let patch = ["patch", "service/demo-session-manager", "--patch", selector];
    repairs(&space, &patch, |after| after[SERVICE]["spec"] == before[SERVICE]["spec"]);
    let text = r#"{"data": {"flame-cluster.yaml": "cluster: {}"}}"#;
    let patch = ["patch", "configmap/demo-config", "--patch", text];
    repairs(&space, &patch, |after| after[RECORD]["data"] == before[RECORD]["data"]);
    let label = ["label", "pod/demo-executor-manager-0", "flame.xflops.io/cluster-"];
    let labels = |objects: &Objects| objects[&executor(0)]["metadata"]["labels"].clone();
    repairs(&space, &label, |after| labels(after) == labels(&before));
    ends_well(watch);
}

#[test]
fn a_changed_file_is_followed_and_a_broken_one_is_not() {
    let space = namespace();
    let (mut watch, file) = watching(&space, DEMO);
    fs::write(&file, demo(4)).unwrap();
    watch.until_says("changed");
    space.until("scaled up", |objects| is_up(objects, 4));
    fs::write(&file, "kind: [").unwrap();
    watch.until_says("the last good content stays in force");
    space.kubectl(&["delete", "pod/demo-executor-manager-3", "--wait=false"]);
    space.until("the last good content is kept", |objects| is_up(objects, 4));
    // An editor that writes a new file in the old one's place.
    let new = space.file("new.yaml", &images("sm:v1", "em:v2"));
    fs::rename(new, &file).unwrap();
    let is_v2 = |it: &serde_json::Value| at(it, "/status/containerStatuses/0/image") == "em:v2";
    space.until("the new image", |objects| is_up(objects, 2) && (0..2).all(|i| is_v2(&objects[&executor(i)])));
    ends_well(watch);
}

#[test]
fn a_file_that_goes_away_changes_nothing() {
    let space = namespace();
    let (watch, file) = watching(&space, DEMO);
    fs::remove_file(&file).unwrap();
    space.kubectl(&["delete", "pod/demo-executor-manager-1", "--wait=false"]);
    space.until("healed", |objects| is_up(objects, 2));
    ends_well(watch);
}

#[test]
fn trouble_is_told_and_does_not_end_it() {
    let space = namespace();
    let file = space.file("watched.yaml", &images("sm:v1", "crash/em:v1"));
    let mut watch = Running::start(space.command(&["watch", "-f", &file]));
    watch.until_says("CrashLoopBackOff: exit code 101");
    fs::write(&file, DEMO).unwrap();
    space.until("healed", |objects| is_up(objects, 2));
    ends_well(watch);
}

#[test]
fn a_foreign_object_is_told_and_waited_for() {
    let space = namespace();
    space.kubectl(&["create", "service", "clusterip", "demo-object-cache", "--tcp=80"]);
    let file = space.file("watched.yaml", DEMO);
    let mut watch = Running::start(space.command(&["watch", "-f", &file]));
    let told = watch.until_says("names of this flame are taken");
    assert!(told.contains("Service demo-object-cache is made by kubectl-create; "), "{told}");
    assert!(told.ends_with("; trying again in 1 s"), "{told}");
    assert_eq!(space.objects().len(), 1);
    space.kubectl(&["delete", "service/demo-object-cache"]);
    space.until("made after all", |objects| is_up(objects, 2));
    ends_well(watch);
}

/// A control plane of its own: the others' tests would not like theirs to restart.
#[test]
fn a_restarted_server_is_survived() {
    let bed = Bed::start("restart").unwrap();
    let space = bed.namespace();
    let (watch, _) = watching(&space, DEMO);
    bed.verb("restart-apiserver");
    let before = uids(&space.objects());
    let edit = edited(r#"{"spec": {"selector": {"version": "NEW"}}}"#, "NEW", "blue");
    space.patch("service/demo-object-cache", &edit);
    space.kubectl(&["delete", "pod/demo-executor-manager-1", "--wait=false"]);
    // The Pod's way to a node is the scheduler's and may take it long after the server was away.
    let after = space.until("healed", |objects| {
        let uid = uids(objects).remove(&executor(1));
        uid.is_some_and(|uid| uid != before[&executor(1)]) && objects[CACHE]["spec"]["selector"]["version"].is_null()
    });
    let changed: Vec<String> =
        uids(&after).into_iter().filter(|(name, uid)| before[name] != *uid).map(|it| it.0).collect();
    assert_eq!(changed, [executor(1)]);
    ends_well(watch);
}

#[test]
fn standard_input_cannot_be_watched() {
    namespace().flamectl(&["watch", "-f", "-"]).exits(2).says("name a file");
}

/// Starts watching with these arguments, without a file.
fn watching_with(space: &Namespace<'_>, args: &[&str]) -> Running {
    Running::start(space.command(&[&["watch"], args].concat()))
}

#[test]
fn recorded_flames_are_kept_as_the_last_command_left_them() {
    let space = namespace();
    let mut watch = watching_with(&space, &["demo"]);
    watch.until_says("there is no flame demo yet; it is kept as soon as there is");
    space.up(DEMO).exits(0);
    watch.until_says("watching demo in namespace");
    repairs(&space, &["delete", "pod/demo-executor-manager-1", "--wait=false"], |_| true);
    watch.until_says("Pod demo-executor-manager-1 was deleted, created again");
    space.flamectl(&["scale", "demo", "--replicas=3"]).exits(0);
    space.until("scaled up", |objects| is_up(objects, 3));
    repairs_three(&space, &["delete", "pod/demo-executor-manager-2", "--wait=false"]);
    // Nothing comes back of a flame that is taken down.
    space.flamectl(&["down", "demo", "-y"]).exits(0);
    watch.until_says("/demo is left as it is: it is taken down");
    assert_eq!(space.objects().len(), 0);
    // One that is made later is kept, too.
    space.up(DEMO).exits(0);
    watch.until_says("watching demo in namespace");
    repairs(&space, &["delete", "service/demo-object-cache", "--wait=false"], |_| true);
    ends_well(watch);
}

#[track_caller]
fn repairs_three(space: &Namespace<'_>, harm: &[&str]) {
    space.kubectl(harm);
    space.until("repaired", |objects| is_up(objects, 3));
}

#[test]
fn a_repair_says_what_it_put_back_and_who_had_changed_it() {
    let space = namespace();
    let (mut watch, _) = watching(&space, DEMO);
    watch.until_says("all is ready: 2 of 2 executors ready");
    let port = r#"[{"op": "replace", "path": "/spec/ports/0/port", "value": 9999}]"#;
    space.kubectl(&["patch", "service/demo-object-cache", "--type=json", "--patch", port]);
    let told = watch.until_says("put back Service demo-object-cache");
    let expected =
        "demo: put back Service demo-object-cache: spec.ports[grpc].port 9999 → 9090, changed by kubectl-patch at 20";
    assert!(told.replace("->", "→").contains(expected), "{told}");
    let text = r#"{"data": {"flame-cluster.yaml": "cluster: {}"}}"#;
    space.kubectl(&["patch", "configmap/demo-config", "--patch", text]);
    let told = watch.until_says("put back ConfigMap demo-config");
    assert!(told.contains(r#"data[flame-cluster.yaml] line 1 "cluster: {}" → "cluster:""#), "{told}");
    ends_well(watch);
}

#[test]
fn a_fight_is_slowed_down_and_told() {
    let space = namespace();
    let (mut watch, _) = watching(&space, DEMO);
    watch.until_says("all is ready");
    for _ in 0..6 {
        let undone = &["label", "service/demo-object-cache", "app=else", "--overwrite"];
        space.kubectl(undone);
        space.until("put back", |objects| at(&objects[CACHE], "/metadata/labels/app") != "else");
    }
    let told = watch.until_says("somebody keeps undoing it");
    assert!(told.contains("warning") && told.contains("(6 times), the next repair waits 2s"), "{told}");
    ends_well(watch);
}

#[test]
fn the_flames_of_a_directory_are_kept_and_a_stuck_one_holds_up_no_other() {
    let space = namespace();
    let directory = PathBuf::from(space.path("flames"));
    fs::create_dir(&directory).unwrap();
    let named = |name: &str| DEMO.replace("name: demo", &format!("name: {name}"));
    let write = |file: &str, text: &str| fs::write(directory.join(file), text).unwrap();
    space.kubectl(&["create", "configmap", "stuck-config"]);
    write("a.yaml", &named("one"));
    write("b.yaml", &named("stuck"));
    let mut watch = watching_with(&space, &["-f", directory.to_str().unwrap()]);
    let is_there = |name: &str| {
        let pod = format!("Pod {name}-executor-manager-1");
        space.until(name, |objects| objects.contains_key(&pod));
    };
    is_there("one");
    write("c.yaml", &named("two"));
    is_there("two");
    fs::remove_file(directory.join("a.yaml")).unwrap();
    watch.until_says("/one is left as it is");
    let before = uids(&space.objects());
    space.kubectl(&["delete", "pod/one-executor-manager-1", "pod/two-executor-manager-1", "--wait=false"]);
    let (one, two) = ("Pod one-executor-manager-1", "Pod two-executor-manager-1");
    space.until("one is left as it is, two is whole again", |objects| {
        let uids = uids(objects);
        !uids.contains_key(one) && uids.get(two).is_some_and(|uid| *uid != before[two])
    });
    let objects = space.objects();
    assert_eq!(objects.keys().filter(|name| name.contains("stuck")).count(), 1);
    ends_well(watch);
}

#[test]
fn one_pass_tells_by_its_exit_code_whether_something_had_drifted() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let once = |args: &[&str]| space.flamectl(&[&["watch", "demo"], args].concat());
    once(&["--once"]).exits(0).says("1 flame: no drift");
    let undone = ["label", "service/demo-object-cache", "app-"];
    space.kubectl(&undone);
    let before = space.objects();
    once(&["--dry-run"]).exits(1).says("update   Service demo-object-cache").says("nothing was changed");
    assert_eq!(space.objects(), before);
    once(&["--once"]).exits(1).says("1 flame: 1 had drifted and was put right");
    once(&["--once"]).exits(0).says("no drift");
    space.flamectl(&["watch", "nothing", "--once"]).exits(2).says("there is no flame nothing in namespace");
}

#[test]
fn lines_for_programs_are_json_each() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let mut watch = watching_with(&space, &["demo", "--log-format=json"]);
    watch.until_says("watching demo");
    watch.until_says("all is ready");
    space.kubectl(&["delete", "service/demo-object-cache"]);
    let told: serde_json::Value = serde_json::from_str(&watch.until_says("\"repaired\"")).unwrap();
    assert_eq!(told["flame"], "demo");
    assert_eq!(
        (&told["level"], &told["kind"], &told["name"]),
        (&"info".into(), &"Service".into(), &"demo-object-cache".into())
    );
    assert_eq!((&told["action"], &told["count"]), (&"created".into(), &1.into()));
    let said = ends_well(watch);
    for line in said.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        assert!(line["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
    }
}
