//! Ctrl-C at any time: out within a second, and the same command goes on from there.

use std::time::Duration;

use crate::bed::{names, namespace, uids};
use crate::flames::{DEMO, demo, images};
use crate::running::Running;

#[test]
fn ctrl_c_while_waiting_ends_within_a_second_and_a_rerun_heals() {
    let space = namespace();
    let file = space.file("flame.yaml", &images("notready/sm:v1", "em:v1"));
    let mut up = Running::start(space.command(&["up", "-f", &file]));
    up.until_says("created Pod demo-session-manager");
    up.signal("INT");
    let (code, said, took) = up.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(said.contains("interrupted") && said.contains("run the same command again"), "{said}");
    space.up(DEMO).exits(0).prints("2/2");
}

#[test]
fn ctrl_c_between_writes_leaves_what_a_rerun_completes() {
    let space = namespace();
    let file = space.file("flame.yaml", &demo(200));
    let mut up = Running::start(space.command(&["up", "-f", &file, "-v"]));
    up.until_says("created Pod demo-executor-manager");
    up.signal("INT");
    let (code, said, took) = up.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let before = uids(&space.objects());
    assert!(before.len() < 204, "it was through already");
    space.flamectl(&["up", "-f", &file]).exits(0).prints("200/200");
    let after = uids(&space.objects());
    assert_eq!(after.len(), 204);
    assert!(before.iter().all(|(name, uid)| after[name] == *uid), "what was there stays");
}

#[test]
fn ctrl_c_during_down_leaves_what_a_rerun_completes() {
    let space = namespace();
    space.up(&demo(60)).exits(0);
    let mut down = Running::start(space.command(&["down", "demo", "-y", "-v"]));
    down.until_says("deleted Pod");
    down.signal("TERM");
    let (code, said, _) = down.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(names(&space.objects()).contains(&"ConfigMap demo-config"));
    space.flamectl(&["down", "demo", "-y"]).exits(0);
    assert_eq!(names(&space.objects()), Vec::<&str>::new());
}
