//! `--dry-run` and `diff` look and write nothing.

use crate::bed::{names, namespace, versions};
use crate::flames::{DEMO, demo, edited, images};

#[test]
fn a_dry_run_makes_nothing() {
    let space = namespace();
    for args in ["--dry-run=client", "--dry-run=server"] {
        space.up_with(DEMO, &[args]).exits(0).says("nothing was changed").prints("6 to create");
        assert_eq!(names(&space.objects()), Vec::<&str>::new());
    }
}

#[test]
fn a_dry_run_changes_nothing() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = versions(&space.objects());
    let flame = edited(&images("sm:v2", "em:v2"), "replicas: 2", "replicas: 1\n    maxExecutors: 3");
    for args in ["--dry-run=client", "--dry-run=server"] {
        let dry = space.up_with(&flame, &[args]).exits(0).says("nothing was changed");
        dry.prints("image sm:v1 -> sm:v2").prints("image em:v1 -> em:v2").prints("beyond replicas");
        assert_eq!(versions(&space.objects()), before);
    }
}

/// Pod Security is what only the server knows.
#[test]
fn a_server_dry_run_asks_admission() {
    let space = namespace();
    space.kubectl(&["label", "namespace", &space.name, "pod-security.kubernetes.io/enforce=restricted"]);
    space.up_with(DEMO, &["--dry-run=client", "--skip-preflight"]).exits(0);
    space.up_with(DEMO, &["--dry-run=server", "--skip-preflight"]).exits(1).says("violates PodSecurity");
    assert_eq!(names(&space.objects()), Vec::<&str>::new());
}

#[test]
fn diff_exits_0_for_same_and_1_for_different() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = versions(&space.objects());
    let same = space.file("same.yaml", DEMO);
    space.flamectl(&["diff", "-f", &same]).exits(0);
    let other = space.file("other.yaml", &demo(3));
    space.flamectl(&["diff", "-f", &other]).exits(1).prints("demo-executor-manager-2");
    space.flamectl(&["diff", "-f", &other, "--exit-zero"]).exits(0);
    assert_eq!(versions(&space.objects()), before);
}
