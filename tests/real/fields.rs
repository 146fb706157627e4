//! Fields that another applier claims: told, and taken only with `--force-conflicts`.

use crate::bed::{Namespace, at, namespace, versions};
use crate::flames::{DEMO, RECORD, SERVICE};

/// Lets `argocd` apply one field of an object.
fn claim(space: &Namespace<'_>, manifest: &str) {
    space.apply(manifest, &["--server-side", "--field-manager=argocd", "--force-conflicts"]);
}

const CONFIG: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: demo-config}
data: {flame-cluster.yaml: theirs}
"#;

const SELECTOR: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: demo-session-manager}
spec: {selector: {app.kubernetes.io/component: theirs}}
"#;

/// Checks that `up` names manager and field, changes nothing, and takes the field when told to.
#[track_caller]
fn check(theirs: &str, field: &str, object: &str) {
    let space = namespace();
    space.up(DEMO).exits(0);
    claim(&space, theirs);
    let before = versions(&space.objects());
    space.up(DEMO).exits(5).says("argocd").says(field).says(object).says("--force-conflicts");
    assert_eq!(versions(&space.objects()), before);
    space.up_with(DEMO, &["--force-conflicts"]).exits(0).prints("Running");
    assert!(!space.objects()[object].to_string().contains("theirs"));
    space.up_with(DEMO, &[]).exits(0).says("nothing to do");
}

#[test]
fn a_claimed_config_text_is_left_until_force() {
    check(CONFIG, "data.flame-cluster.yaml", RECORD);
}

#[test]
fn a_claimed_selector_is_left_until_force() {
    check(SELECTOR, "spec.selector", SERVICE);
}

#[test]
fn a_claimed_label_is_left_until_force() {
    let label = "
apiVersion: v1
kind: Pod
metadata: {name: demo-session-manager, labels: {app.kubernetes.io/name: theirs}}
";
    check(label, "metadata.labels.app.kubernetes.io/name", crate::flames::MANAGER);
}

#[test]
fn a_field_of_others_that_is_none_of_ours_stays() {
    let space = namespace();
    space.up(DEMO).exits(0);
    claim(&space, "{apiVersion: v1, kind: ConfigMap, metadata: {name: demo-config}, data: {other.yaml: theirs}}");
    space.up_with(DEMO, &[]).exits(0).says("nothing to do");
    assert_eq!(at(&space.objects()[RECORD], "/data/other.yaml"), "theirs");
}
