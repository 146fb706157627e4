//! Namespaces that are missing, on their way out, or too small.

use crate::bed::{Bed, names, namespace};
use crate::flames::{DEMO, MANAGER, demo, edited, executor};

#[test]
fn a_missing_namespace_is_told_with_the_way_out() {
    let space = Bed::shared().no_namespace();
    let up = space.up(DEMO).exits(1);
    up.says(&space.name).says("not found").says("--create-namespace").says("nothing was written");
    let up = space.up_with(DEMO, &["--skip-preflight"]).exits(1);
    up.says(&space.name).says("not found").says("--create-namespace");
}

#[test]
fn a_missing_namespace_is_made_when_asked_for() {
    let space = Bed::shared().no_namespace();
    space.up_with(DEMO, &["--create-namespace"]).exits(0).prints("Running");
    assert_eq!(space.objects().len(), 6);
    space.up_with(DEMO, &["--create-namespace"]).exits(0).says("nothing to do");
}

#[test]
fn the_files_namespace_is_used() {
    let space = namespace();
    let flame = edited(DEMO, "name: demo", &format!("name: demo\n  namespace: {}", space.name));
    let file = space.file("flame.yaml", &flame);
    let mut up = space.bare_command(&["up", "-f", &file]);
    up.env("KUBECONFIG", space.bed.kubeconfig());
    crate::bed::Ran::of(up).exits(0).prints(&space.name);
    assert_eq!(space.objects().len(), 6);
}

#[test]
fn a_flag_that_contradicts_the_file_is_refused() {
    let space = namespace();
    space.up(&edited(DEMO, "name: demo", "name: demo\n  namespace: elsewhere")).exits(2).says("namespace elsewhere");
    assert_eq!(space.objects().len(), 0);
}

#[test]
fn a_terminating_namespace_is_told() {
    let space = namespace();
    space.kubectl(&["create", "configmap", "hold"]);
    space.patch("configmap/hold", r#"{"metadata": {"finalizers": ["example.com/hold"]}}"#);
    space.kubectl(&["delete", "namespace", &space.name, "--wait=false"]);
    for args in [&[][..], &["--skip-preflight"]] {
        let up = space.up_with(DEMO, args).exits(1);
        up.says(&space.name).says("being terminated").says("wait until the namespace is gone");
    }
    space.patch("configmap/hold", r#"{"metadata": {"finalizers": null}}"#);
}

#[test]
fn a_full_quota_is_told_with_how_far_it_got_and_a_rerun_goes_on() {
    let space = namespace();
    space.kubectl(&["create", "quota", "few", "--hard=pods=3"]);
    space.kubectl(&["wait", "--for=jsonpath={.status.hard.pods}=3", "quota/few", "--timeout=60s"]);
    let up = space.up_with(&demo(5), &["--skip-preflight"]).exits(1);
    up.says("quota few is full: pods").says("2 of 5 executors exist and stay").says("quota raised");
    let before = space.objects();
    assert!(before.contains_key(MANAGER));
    space.patch("quota/few", r#"{"spec": {"hard": {"pods": "10"}}}"#);
    space.kubectl(&["wait", "--for=jsonpath={.status.hard.pods}=10", "quota/few", "--timeout=60s"]);
    space.up(&demo(5)).exits(0).prints("5/5");
    let after = space.objects();
    for name in names(&before) {
        assert_eq!(after[name]["metadata"]["uid"], before[name]["metadata"]["uid"], "{name}");
    }
    assert!(after.contains_key(&executor(4)));
}

#[test]
fn a_limit_range_that_refuses_is_told_once_for_all_pods() {
    let space = namespace();
    let limits = "apiVersion: v1
kind: LimitRange
metadata: {name: small}
spec: {limits: [{type: Container, max: {cpu: 100m}, default: {cpu: 100m}}]}
";
    space.apply(limits, &[]);
    let flame =
        demo(3).replace("executorManager:", "executorManager:\n    resources: {requests: {cpu: 2}, limits: {cpu: 2}}");
    let up = space.up_with(&flame, &["--skip-preflight"]).exits(1).says("maximum cpu usage per Container is 100m");
    assert_eq!(up.stderr.matches("maximum cpu usage").count(), 1, "{}", up.stderr);
}

#[test]
fn a_webhook_that_is_down_is_named_and_waited_for() {
    let space = namespace();
    // Nothing listens on port 1 of the server's own machine.
    let webhook = format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: guard-{0}}}
webhooks:
- name: guard.example.com
  clientConfig: {{url: 'https://127.0.0.1:1/'}}
  rules: [{{operations: [CREATE], apiGroups: [''], apiVersions: [v1], resources: [pods]}}]
  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {0}}}}}
  failurePolicy: Fail
  sideEffects: None
  admissionReviewVersions: [v1]
",
        space.name
    );
    space.apply(&webhook, &[]);
    let up = space.up_with(&demo(2), &["--timeout=4s"]).exits(3);
    up.says(r#"failed calling webhook "guard.example.com""#);
    space.kubectl(&["delete", "validatingwebhookconfiguration", &format!("guard-{}", space.name)]);
    space.up(&demo(2)).exits(0).prints("2/2");
}
