//! What `install` prints is what a server takes, and runs.

use std::time::Instant;

use crate::bed::{Bed, PATIENCE, Ran};

#[test]
fn kubectl_installs_what_is_printed_where_pods_may_do_no_harm() {
    let bed = Bed::start("install").unwrap();
    let space = bed.no_namespace();
    let printed = space.flamectl(&["install", "--image", "example/flamectl:v1"]).exits(0).stdout;
    let apply = || space.apply(&printed, &["--server-side", "--field-manager=test"]);
    apply();
    space.kubectl(&["rollout", "status", "deployment/flamectl-watch", "--timeout=60s"]);
    let level = "jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}";
    assert_eq!(space.kubectl(&["get", "namespace", &space.name, "-o", level]), "restricted");
    let pods = "jsonpath={range .items[*]}{.status.phase} {.spec.serviceAccountName}{\"\\n\"}{end}";
    let pods = space.kubectl(&["get", "pods", "-o", pods]);
    assert_eq!(pods, "Running flamectl-watch\n".repeat(2));
    let allowed = "jsonpath={.spec.minAvailable}";
    assert_eq!(space.kubectl(&["get", "poddisruptionbudget", "flamectl-watch", "-o", allowed]), "1");
    let account = format!("system:serviceaccount:{}:flamectl-watch", space.name);
    let mine = ["rbac", "--check", "-A", "--crd", "--for", "watch", "--leader-elect", "--as", account.as_str()];
    let began = Instant::now();
    loop {
        let ran = Ran::of(space.command(&mine));
        if ran.code == Some(0) {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{ran}");
    }
    // A second time nothing changes.
    let version = || space.kubectl(&["get", "deployment", "flamectl-watch", "-o", "jsonpath={.metadata.generation}"]);
    let before = version();
    apply();
    assert_eq!(version(), before);
}
