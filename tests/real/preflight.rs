//! Whether it fits, before the first write, and that the server sees it the same way.

use crate::bed::{Bed, Namespace, names, namespace, versions};
use crate::flames::{DEMO, MANAGER, demo, edited, executor};

/// Makes a quota and waits until the server counts.
fn quota(space: &Namespace<'_>, hard: &str) {
    space.kubectl(&["create", "quota", "few", &format!("--hard={hard}")]);
    counted(space, hard);
}

/// Waits until a quota's status says what its spec says.
fn counted(space: &Namespace<'_>, hard: &str) {
    for amount in hard.split(',') {
        let (key, amount) = amount.split_once('=').unwrap();
        let path = format!("--for=jsonpath={{.status.hard.{}}}={amount}", key.replace('.', "\\."));
        space.kubectl(&["wait", &path, "quota/few", "--timeout=60s"]);
    }
}

/// Returns the demo with resources for its executors.
fn with_resources(replicas: u32, resources: &str) -> String {
    edited(&demo(replicas), "em:v1", &format!("em:v1\n    resources: {resources}"))
}

#[test]
fn a_quota_that_is_too_small_is_told_before_anything_is_written() {
    let space = namespace();
    quota(&space, "pods=3");
    let told = "error: quota \"few\": the session manager and 5 executors need pods 6, 3 are left of 3; 2 of 5 executors would \
                fit\n  hint: replicas: 2, or have the quota raised; kubectl describe quota few -n ";
    let up = space.up(&demo(5)).exits(1).says(told);
    up.says("error: the server would refuse demo, 1 error above; nothing was written\nhint: --skip-preflight");
    for args in ["--dry-run=client", "--dry-run=server"] {
        space.up_with(&demo(5), &[args]).exits(1).prints("9 to create").says(told);
    }
    let file = space.file("flame.yaml", &demo(5));
    space.flamectl(&["diff", "-f", &file]).exits(2).prints("9 to create").says(told);
    space.flamectl(&["diff", "-f", &file, "--skip-preflight"]).exits(1);
    space.flamectl(&["validate", "-f", &file, "--server"]).exits(1).says(told);
    assert_eq!(names(&space.objects()), Vec::<&str>::new());
    // What it says would fit, does.
    space.up(&demo(2)).exits(0).prints("2/2");
}

#[test]
fn what_is_there_counts_and_what_goes_makes_room() {
    let space = namespace();
    space.up(&with_resources(2, "{requests: {cpu: 1}}")).exits(0);
    quota(&space, "pods=4,count/configmaps=2");
    let before = versions(&space.objects());
    let scale = space.flamectl(&["scale", "demo", "--replicas=5"]).exits(1);
    scale.says("3 executors need pods 3, 1 is left of 4; 3 of 5 executors would fit");
    assert_eq!(versions(&space.objects()), before);
    space.flamectl(&["scale", "demo", "--replicas=3"]).exits(0).prints("3/3");
    // All 4 Pods are there now: others in their places are no more.
    let other = edited(&with_resources(3, "{requests: {cpu: 1}}"), "em:v1", "em:v2");
    space.up(&other).exits(0).prints("3/3");
}

#[test]
fn resized_pods_count_what_they_take_more() {
    let space = namespace();
    let with_cpu = |cpu: &str| {
        edited(
            &with_resources(2, &format!("{{requests: {{cpu: {cpu}}}}}")),
            "sm:v1",
            "sm:v1\n    resources: {requests: {cpu: 1}}",
        )
    };
    space.up(&with_cpu("1")).exits(0);
    quota(&space, "requests.cpu=4");
    space.kubectl(&["wait", "--for=jsonpath={.status.used.requests\\.cpu}=3", "quota/few", "--timeout=60s"]);
    space.up(&with_cpu("2")).exits(1).says("2 executors need requests.cpu 2 more, 1 is left of 4");
    space.up(&with_cpu("1500m")).exits(0).prints("2/2");
}

/// The server's own answer to one executor more than the preflight lets through.
#[test]
fn the_server_counts_the_defaults_of_a_limit_range_as_the_preflight_does() {
    let space = namespace();
    let limits = "apiVersion: v1
kind: LimitRange
metadata: {name: small}
spec: {limits: [{type: Container, max: {cpu: 400m}, default: {cpu: 200m}, defaultRequest: {cpu: 100m}, min: {cpu: 50m}}]}
";
    space.apply(limits, &[]);
    quota(&space, "requests.cpu=250m,limits.cpu=10");
    let flame = |replicas| edited(&demo(replicas), "sm:v1", "sm:v1\n    resources: {limits: {cpu: 50m}}");
    space.up(&flame(3)).exits(1).says("need requests.cpu 350m, 250m are left of 250m; 2 of 3 executors would fit");
    space.up(&flame(2)).exits(0).prints("2/2");
    space
        .up_with(&flame(3), &["--skip-preflight"])
        .exits(1)
        .says("quota few is full: requests.cpu 250m of 250m used, 100m more asked for");
}

#[test]
fn a_quota_on_what_the_pods_do_not_name_is_told_as_the_server_means_it() {
    let space = namespace();
    quota(&space, "requests.cpu=10");
    let flame = with_resources(1, "{requests: {cpu: 1}}");
    let up = space.up(&flame).exits(1);
    up.says("error: quota \"few\" counts requests.cpu: the server refuses the session manager, which names none\n")
        .says("hint: add spec.sessionManager.resources.requests.cpu, or have a LimitRange give a default");
    space.up_with(&flame, &["--skip-preflight"]).exits(1).says("must specify requests.cpu for: session-manager");
}

#[test]
fn all_that_is_in_the_way_is_told_at_once_and_errors_first() {
    let space = namespace();
    quota(&space, "pods=0");
    let limits = "apiVersion: v1
kind: LimitRange
metadata: {name: small}
spec: {limits: [{type: Container, max: {memory: 1Gi}}]}
";
    space.apply(limits, &[]);
    space.kubectl(&["label", "namespace", &space.name, "pod-security.kubernetes.io/enforce=restricted"]);
    let up = space.up(&with_resources(1, "{requests: {cpu: 20k, memory: 2Gi}, limits: {memory: 2Gi}}")).exits(1);
    let lines: Vec<&str> =
        up.stderr.lines().filter(|line| line.starts_with("error:") || line.starts_with("warning:")).collect();
    let starts = [
        format!("error: namespace {} enforces PodSecurity \"restricted\", which refuses the session manager and", space.name),
        "error: LimitRange \"small\" refuses the executors: maximum memory usage per Container is 1Gi, but limit is 2Gi".into(),
        "error: quota \"few\": the session manager and 1 executor need pods 2, 0 are left of 0; 0 of 1".into(),
        "warning: no node takes the executors: cpu 20000 is needed".into(),
        "error: the server would refuse demo, 3 errors above; nothing was written".into(),
    ];
    assert_eq!(lines.len(), starts.len(), "{up}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(&start), "{line:?} is not {start:?}");
    }
    assert_eq!(names(&space.objects()), Vec::<&str>::new());
}

/// The preflight names the controls that the server names.
#[test]
fn pod_security_is_told_as_the_server_means_it() {
    let space = namespace();
    let enforce = |level: &str| {
        let label = format!("pod-security.kubernetes.io/enforce={level}");
        space.kubectl(&["label", "--overwrite", "namespace", &space.name, &label]);
    };
    enforce("restricted");
    let preflight = space.up(DEMO).exits(1);
    let server = space.up_with(DEMO, &["--skip-preflight"]).exits(1).says("violates PodSecurity");
    for control in
        ["allowPrivilegeEscalation != false", "unrestricted capabilities", "runAsNonRoot != true", "seccompProfile"]
    {
        assert!(
            preflight.stderr.contains(control) && server.stderr.contains(control),
            "{control}: {preflight} {server}"
        );
    }
    preflight.says("pod-security.kubernetes.io/enforce=baseline");
    enforce("baseline");
    space.up(DEMO).exits(0).prints("2/2");
    // Nothing is made, so nothing has to be admitted.
    enforce("restricted");
    space.flamectl(&["scale", "demo", "--replicas=1", "-y"]).exits(0).prints("1/1");
}

/// What the level admits, it admits of what is made later, too: the user is remembered.
#[test]
fn under_another_user_than_root_a_restricted_namespace_takes_a_flame() {
    let space = namespace();
    space.kubectl(&["label", "namespace", &space.name, "pod-security.kubernetes.io/enforce=restricted"]);
    let flame = edited(DEMO, "sm:v1", "sm:v1\n    storage: sqlite:///var/lib/flame/flame.db");
    let cure = "hint: do not run as root: flamectl up --run-as-user 1000, or the annotation flame.xflops.io/run-as-user: \"1000\"";
    space.up(&flame).exits(1).says(cure).says("nothing was written");
    let in_image = "spec.sessionManager.storage: without it Flame writes flame.db into the image's directory, where user \
                    1000 may not write";
    space.up_with(DEMO, &["--run-as-user", "1000"]).exits(2).says(in_image).says("nothing was sent");
    assert_eq!(names(&space.objects()), Vec::<&str>::new());

    let as_user = ["--run-as-user=1000:2000"];
    space.up_with(&flame, &as_user).exits(0).prints("2/2");
    let objects = space.objects();
    let ids = ["runAsUser", "runAsGroup", "fsGroup"];
    for pod in [MANAGER, &executor(0)] {
        let context = &objects[pod]["spec"]["securityContext"];
        assert_eq!(ids.map(|id| context[id].as_u64()), [Some(1000), Some(2000), Some(2000)], "{pod}: {context}");
    }
    let before = versions(&objects);
    let file = space.file("plain.yaml", &flame);
    space.flamectl(&["diff", "-f", &file, as_user[0]]).exits(0);
    let annotated =
        edited(&flame, "name: demo", "name: demo\n  annotations: {flame.xflops.io/run-as-user: \"1000:2000\"}");
    space.up(&annotated).exits(0).says("nothing to do");
    space.flamectl(&["diff", "-f", &file]).exits(2).prints("3 to replace").says(cure);
    assert_eq!(versions(&space.objects()), before);

    space.flamectl(&["scale", "demo", "--replicas=3"]).exits(0).prints("3/3");
    space.flamectl(&["restart", "demo", "-y"]).exits(0);
    space.kubectl(&["delete", "pod", "demo-executor-manager-2"]);
    space.flamectl(&["watch", "demo", "--once"]).exits(1);
    let objects = space.objects();
    for pod in [MANAGER, &executor(0), &executor(1), &executor(2)] {
        assert_eq!(objects[pod]["spec"]["securityContext"]["runAsUser"], 1000, "{pod}");
    }
}

#[test]
fn a_flame_can_be_validated_for_a_server() {
    let space = namespace();
    let file = space.file("flame.yaml", DEMO);
    let fits = format!("the server would take demo in namespace {}", space.name);
    space.flamectl(&["validate", "-f", &file, "--server"]).exits(0).says(&fits);
    let large = space.file("large.yaml", &with_resources(1, "{requests: {memory: 20Ti}}"));
    let warned = "warning: no node takes the executors";
    space.flamectl(&["validate", "-f", &large, "--server"]).exits(0).says(warned);
    space.flamectl(&["validate", "-f", &large, "--server", "--strict"]).exits(1).says(warned);
    // A mistake in any file comes first, and the server is not asked.
    let bad = space.file("bad.yaml", &edited(DEMO, "replicas: 2", "replicas: two"));
    let both = space.flamectl(&["validate", "-f", &bad, "-f", &large, "--server"]).exits(2);
    assert!(!both.stderr.contains(warned), "{both}");
    space.kubectl(&["create", "configmap", "demo-config"]);
    space.flamectl(&["validate", "-f", &file, "--server"]).exits(1).says("ConfigMap demo-config");
}

#[test]
fn who_only_looks_is_warned_of_a_missing_namespace() {
    let space = Bed::shared().no_namespace();
    let file = space.file("flame.yaml", DEMO);
    let warned =
        format!("warning: namespace {} was not found\n  hint: create it, or let flamectl: up --create", space.name);
    space.flamectl(&["diff", "-f", &file]).exits(1).says(&warned);
    space.flamectl(&["validate", "-f", &file, "--server"]).exits(0).says(&warned);
}

#[test]
fn the_preflight_can_be_skipped_by_a_variable() {
    let space = namespace();
    quota(&space, "pods=0");
    let file = space.file("flame.yaml", DEMO);
    for (value, says) in
        [("true", "quota few is full"), ("0", "the server would refuse demo"), ("", "the server would refuse demo")]
    {
        let mut up = space.command(&["up", "-f", &file]);
        up.env("FLAMECTL_SKIP_PREFLIGHT", value);
        crate::bed::Ran::of(up).exits(1).says(says);
    }
}
