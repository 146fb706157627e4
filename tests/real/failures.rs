//! Every failure that a flame is known for, from the Pods' state on the server to the exact words and the exit code.
//!
//! `tests/golden/verdicts` holds the same without a server. What `up` says is looked at from its error on: progress comes
//! before it. Of what is said only namespaces and numbers of restarts differ from run to run.

use std::time::Instant;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::bed::{Bed, Namespace, PATIENCE, Ran, namespace};
use crate::flames::{DEMO, demo, edited, executor, images};

/// Runs `up` and returns its error.
#[track_caller]
fn up(space: &Namespace<'_>, flame: &str, timeout: &str, code: i32) -> String {
    error(space, space.up_with(flame, &["-y", "--timeout", timeout]).exits(code))
}

/// Runs `up` without waiting for anything.
#[track_caller]
fn send(space: &Namespace<'_>, flame: &str) {
    space.up_with(flame, &["-y", "--wait=false"]).exits(0);
}

#[track_caller]
fn error(space: &Namespace<'_>, ran: Ran) -> String {
    let at = ran.stderr.find("error: ").unwrap_or_else(|| panic!("no error: {ran}"));
    alike(space, &ran.stderr[at..])
}

/// Asks for the status until it says `text`, and returns its row and its causes.
#[track_caller]
fn status(space: &Namespace<'_>, code: i32, text: &str) -> String {
    let began = Instant::now();
    let ran = loop {
        let ran = space.flamectl(&["status", "demo"]);
        if ran.stdout.contains(text) {
            break ran.exits(code);
        }
        assert!(began.elapsed() < PATIENCE, "it does not say {text:?}: {ran}");
    };
    let row = ran.stdout.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, causes) = ran.stdout.split_once("Not ready:\n").unwrap_or_default();
    alike(space, &format!("{row}\n{causes}"))
}

/// Leaves out what is chance.
fn alike(space: &Namespace<'_>, text: &str) -> String {
    let lines = text.lines().map(|line| without_restarts(&line.replace(&space.name, "NAMESPACE")) + "\n");
    lines.collect()
}

/// `…, 1 restart` and `…, up to 3 restarts` → `…`: there may not have been any yet.
fn without_restarts(line: &str) -> String {
    match line.split_once(" restart") {
        Some((before, "" | "s")) => before.rsplit_once(", ").unwrap().0.to_owned(),
        _ => line.to_owned(),
    }
}

/// Waits until the executors of a flame of two are as `is` wants them.
#[track_caller]
fn until_executors(space: &Namespace<'_>, what: &str, is: impl Fn(&Value) -> bool) {
    space.until(what, |objects| (0..2).all(|index| objects.get(&executor(index)).is_some_and(&is)));
}

/// Gives a Pod that is yet to come the words that its container ends with.
#[track_caller]
fn last_words(space: &Namespace<'_>, pod: &str, words: &str) {
    let log = space.file("words.log", &format!("2026-01-02T03:04:02.1Z stderr F {words}\n"));
    let logs = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Logs",
        "metadata": { "name": pod, "namespace": space.name },
        "spec": { "logs": [{ "logsFile": log, "previousLogsFile": log }] },
    });
    space.apply(&logs.to_string(), &[]);
}

#[test]
fn an_image_that_is_not_there() {
    let space = namespace();
    assert_snapshot!(up(&space, &images("sm:v1", "missing/em:v9"), "4s", 3), @r#"
    error: demo is not ready after 4s: Pending, 0 of 2 executors ready
      2 of 2 executors (0-1): ErrImagePull: image missing/em:v9 cannot be pulled: not found
        docker.io/missing/em:v9: not found
        name an image that is there in spec.executorManager.image
        next: kubectl describe pod demo-executor-manager-0 -n NAMESPACE
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);
    assert_snapshot!(status(&space, 3, "ErrImagePull"), @r#"
    demo NAMESPACE Pending 1/1 0/2 1 0 of 2 executors ready
      2 of 2 executors (0-1): ErrImagePull: image missing/em:v9 cannot be pulled: not found
        docker.io/missing/em:v9: not found
        name an image that is there in spec.executorManager.image
        next: kubectl describe pod demo-executor-manager-0 -n NAMESPACE
    "#);
}

#[test]
fn an_image_that_the_registry_keeps_to_itself() {
    let space = namespace();
    assert_snapshot!(up(&space, &images("bad/sm:v9", "em:v1"), "4s", 3), @r#"
    error: demo is not ready after 4s: Pending, session manager not ready, 0 of 2 executors ready
      session manager: ErrImagePull: image bad/sm:v9 cannot be pulled: not found, or it needs credentials
        pull access denied, repository does not exist or may require authorization
        correct spec.sessionManager.image, or give the namespace's default ServiceAccount an imagePullSecret for the registry
        next: kubectl describe pod demo-session-manager -n NAMESPACE
      2 of 2 executors (0-1): NotCreated
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);
}

/// It cannot heal, so nobody waits for the minute that there was.
#[test]
fn an_image_name_that_is_none_ends_the_wait_at_once() {
    let space = namespace();
    let began = Instant::now();
    assert_snapshot!(up(&space, &edited(&demo(1), "em:v1", "invalid/em:v9"), "60s", 4), @r#"
    error: demo cannot get ready: executor 0: InvalidImageName: invalid/em:v9 is no image name
      correct spec.executorManager.image
      next: kubectl describe pod demo-executor-manager-0 -n NAMESPACE
    hint: fix spec.executorManager.image and run the same command again; nothing needs cleaning up
    "#);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}

#[test]
fn executors_that_crash_as_they_do_not_reach_the_session_manager() {
    let space = namespace();
    let flame = images("sm:v1", "crash/em:v1");
    // Who crashes first stands for both; where both have, that is not left to the order in which the bed ends them.
    send(&space, &flame);
    until_executors(&space, "both crashed", |pod| {
        pod["status"]["containerStatuses"][0]["restartCount"].as_u64() > Some(0)
    });
    assert_snapshot!(up(&space, &flame, "5s", 4), @r#"
    error: demo is not ready after 5s: Failed, 0 of 2 executors ready
      2 of 2 executors (0-1): CrashLoopBackOff: exit code 101 (a Rust panic)
        last words:
          thread 'main' panicked at executor_manager/src/main.rs:61:10:
          called `Result::unwrap()` on an `Err` value: Network("transport error: tcp connect error: Connection refused (os error 111)")
        the executor cannot reach the session manager on port 8081: it ends and is started again until it can; where the session manager is ready, look for a NetworkPolicy or DNS in between
        next: flamectl logs demo demo-executor-manager-0 --previous -n NAMESPACE
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);
    assert_snapshot!(status(&space, 4, "CrashLoopBackOff"), @r#"
    demo NAMESPACE Failed 1/1 0/2 1 0 of 2 executors ready
      2 of 2 executors (0-1): CrashLoopBackOff: exit code 101 (a Rust panic)
        last words:
          thread 'main' panicked at executor_manager/src/main.rs:61:10:
          called `Result::unwrap()` on an `Err` value: Network("transport error: tcp connect error: Connection refused (os error 111)")
        the executor cannot reach the session manager on port 8081: it ends and is started again until it can; where the session manager is ready, look for a NetworkPolicy or DNS in between
        next: flamectl logs demo demo-executor-manager-0 --previous -n NAMESPACE
    "#);
}

#[test]
fn a_session_manager_that_dies_of_its_slot() {
    let space = namespace();
    let flame = edited(&demo(0), "sm:v1", "crash/sm:v1");
    assert_snapshot!(up(&space, &flame, "5s", 4), @r#"
    error: demo is not ready after 5s: Failed, session manager not ready, 0 of 0 executors ready
      session manager: CrashLoopBackOff: exit code 101 (a Rust panic)
        last words:
          thread 'main' panicked at session_manager/src/model/mod.rs:118:39:
          attempt to divide by zero
        Flame divides by zero where a slot lacks cpu or mem: set spec.sessionManager.slot to both, as cpu=1,mem=1g, or leave it out
        next: flamectl logs demo session-manager --previous -n NAMESPACE
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);
    assert_snapshot!(status(&space, 4, "CrashLoopBackOff"), @r#"
    demo NAMESPACE Failed 0/1 0/0 1 session manager not ready, 0 of 0 executors ready
      session manager: CrashLoopBackOff: exit code 101 (a Rust panic)
        last words:
          thread 'main' panicked at session_manager/src/model/mod.rs:118:39:
          attempt to divide by zero
        Flame divides by zero where a slot lacks cpu or mem: set spec.sessionManager.slot to both, as cpu=1,mem=1g, or leave it out
        next: flamectl logs demo session-manager --previous -n NAMESPACE
    "#);
}

#[test]
fn a_session_manager_that_dies_of_its_storage() {
    let space = namespace();
    let words = "Error: Storage(\"error returned from database: (code: 14) unable to open database file\")";
    last_words(&space, "demo-session-manager", words);
    send(&space, &edited(&demo(0), "sm:v1", "crash/sm:exit-1"));
    assert_snapshot!(status(&space, 4, "unable to open"), @r#"
    demo NAMESPACE Failed 0/1 0/0 1 session manager not ready, 0 of 0 executors ready
      session manager: CrashLoopBackOff: exit code 1
        last words: Error: Storage("error returned from database: (code: 14) unable to open database file")
        the directory of spec.sessionManager.storage has to be there and writable in the image: sqlite://flame.db always is
        next: flamectl logs demo session-manager --previous -n NAMESPACE
    "#);
}

#[test]
fn a_session_manager_that_does_not_find_its_config() {
    let space = namespace();
    last_words(&space, "demo-session-manager", "Error: Io(\"/etc/flame/flame-cluster.yaml is not a file\")");
    send(&space, &edited(&demo(0), "sm:v1", "crash/sm:exit-1"));
    assert_snapshot!(status(&space, 4, "is not a file"), @r#"
    demo NAMESPACE Failed 0/1 0/0 1 session manager not ready, 0 of 0 executors ready
      session manager: CrashLoopBackOff: exit code 1
        last words: Error: Io("/etc/flame/flame-cluster.yaml is not a file")
        Flame did not find its config: flamectl gives it as --config, so the image's entrypoint has to be Flame's program itself and hand its arguments on
        next: flamectl logs demo session-manager --previous -n NAMESPACE
    "#);
}

#[test]
fn an_executor_whose_last_words_are_new_to_us() {
    let space = namespace();
    last_words(&space, "demo-executor-manager-0", "the moon is in the way");
    send(&space, &edited(&demo(1), "em:v1", "crash/em:v1"));
    assert_snapshot!(status(&space, 4, "the moon"), @r#"
    demo NAMESPACE Failed 1/1 0/1 1 0 of 1 executors ready
      executor 0: CrashLoopBackOff: exit code 101 (a Rust panic)
        last words: the moon is in the way
        next: flamectl logs demo demo-executor-manager-0 --previous -n NAMESPACE
    "#);
}

#[test]
fn executors_that_fit_no_node() {
    let space = namespace();
    let flame = edited(DEMO, "em:v1", "em:v1\n    resources: {requests: {cpu: 20k}}");
    assert_snapshot!(up(&space, &flame, "3s", 3), @r#"
    error: demo is not ready after 3s: Pending, 0 of 2 executors ready
      2 of 2 executors (0-1): Unschedulable: 3 nodes: insufficient cpu
        ask for less in spec.executorManager.resources.requests, or add nodes
        next: kubectl describe nodes
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);
    assert_snapshot!(status(&space, 3, "Unschedulable"), @r#"
    demo NAMESPACE Pending 1/1 0/2 1 0 of 2 executors ready
      2 of 2 executors (0-1): Unschedulable: 3 nodes: insufficient cpu
        ask for less in spec.executorManager.resources.requests, or add nodes
        next: kubectl describe nodes
    "#);
}

#[test]
fn executors_that_start_slowly_are_on_their_way() {
    let space = namespace();
    let flame = images("sm:v1", "slow/em:v1");
    send(&space, &flame);
    assert_snapshot!(status(&space, 3, "2 of 2 executors (0-1): ContainerCreating: its node"), @r#"
    demo NAMESPACE Pending 1/1 0/2 1 0 of 2 executors ready
      2 of 2 executors (0-1): ContainerCreating: its node gets the image and makes the container
    "#);
    space.up(&flame).exits(0).prints("2/2");
}

#[test]
fn executors_that_never_get_ready() {
    let space = namespace();
    // Ten seconds are a slow start, more are not.
    assert_snapshot!(up(&space, &images("sm:v1", "notready/em:v1"), "15s", 3), @r#"
    error: demo is not ready after 15s: Pending, 0 of 2 executors ready
      2 of 2 executors (0-1): NotReady: running, but readiness probe failed: dial tcp: connect: connection refused
        next: flamectl logs demo demo-executor-manager-0 -n NAMESPACE
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);
    assert_snapshot!(status(&space, 3, "NotReady"), @r#"
    demo NAMESPACE Pending 1/1 0/2 1 0 of 2 executors ready
      2 of 2 executors (0-1): NotReady: running, but readiness probe failed: dial tcp: connect: connection refused
        next: flamectl logs demo demo-executor-manager-0 -n NAMESPACE
    "#);
}

#[test]
fn an_executor_whose_readiness_comes_and_goes() {
    let space = namespace();
    send(&space, &edited(&demo(1), "em:v1", "flaps/em:v1"));
    assert_snapshot!(status(&space, 3, "executor 0: NotReady: no longer ready: readiness"), @r#"
    demo NAMESPACE Pending 1/1 0/1 1 0 of 1 executors ready
      executor 0: NotReady: no longer ready: readiness probe failed: dial tcp: i/o timeout
    "#);
    // From the third failed probe on it is no chance any more.
    assert_snapshot!(status(&space, 3, "last log lines"), @r#"
    demo NAMESPACE Pending 1/1 0/1 1 0 of 1 executors ready
      executor 0: NotReady: no longer ready: readiness probe failed: dial tcp: i/o timeout
        last log lines:
          INFO flame_executor_manager: connected to the session manager
          INFO flame_executor_manager: registered
        next: flamectl logs demo demo-executor-manager-0 -n NAMESPACE
    "#);
}

#[test]
fn executors_that_were_evicted() {
    let space = namespace();
    send(&space, &images("sm:v1", "evicted/em:v1"));
    until_executors(&space, "they are evicted", |pod| pod["status"]["reason"] == "Evicted");
    assert_snapshot!(status(&space, 4, "Evicted"), @r#"
    demo NAMESPACE Failed 1/1 0/2 1 0 of 2 executors ready
      2 of 2 executors (0-1): Evicted: The node was low on resource: memory. Threshold quantity: 100Mi, available: 92Mi. Container executor-manager was using 12Mi, request is 0, has larger consumption of memory.
        its node ran short of memory: say how much it takes in spec.executorManager.resources.requests; a Pod that ended stays as it is: only flamectl up or watch makes it anew
        next: flamectl scale demo --replicas 2 -n NAMESPACE
    "#);
    space.up(DEMO).exits(0).prints("2/2");
}

/// With a session manager that is alive, as a node takes down only its own Pods.
#[test]
fn executors_on_a_node_that_died() {
    let bed = Bed::start_with("dead node", &["--node-grace", "20"]).unwrap();
    let space = bed.namespace();
    let only = |node: u32| {
        for other in 1..=3 {
            let verb = if other == node { "uncordon" } else { "cordon" };
            space.kubectl(&[verb, &format!("node-{other}")]);
        }
    };
    only(2);
    space.up(&demo(0)).exits(0);
    only(1);
    space.up(DEMO).exits(0);
    bed.kill_node("node-1");
    let is_ready = |pod: &Value| {
        let conditions = pod["status"]["conditions"].as_array().unwrap();
        conditions.iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
    };
    until_executors(&space, "Kubernetes finds out", |pod| !is_ready(pod));
    assert_snapshot!(status(&space, 3, "NodeLost"), @r#"
    demo NAMESPACE Pending 1/1 0/2 1 0 of 2 executors ready
      2 of 2 executors (0-1): NodeLost: its node node-1 is not ready
        node node-1: Kubelet stopped posting node status.
        the Pod goes on once its node is back; else Kubernetes ends it after some minutes
        next: kubectl describe node node-1
    "#);
    assert_snapshot!(up(&space, DEMO, "2s", 3), @r#"
    error: demo is not ready after 2s: Pending, 0 of 2 executors ready
      2 of 2 executors (0-1): NodeLost: its node node-1 is not ready
        node node-1: Kubelet stopped posting node status.
        the Pod goes on once its node is back; else Kubernetes ends it after some minutes
        next: kubectl describe node node-1
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);

    let eviction = json!({
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": { "name": "demo-executor-manager-1", "namespace": space.name },
    });
    let path = format!("/api/v1/namespaces/{}/pods/demo-executor-manager-1/eviction", space.name);
    space.kubectl(&["create", "--raw", &path, "-f", &space.file("eviction.json", &eviction.to_string())]);
    assert_snapshot!(status(&space, 3, "executor 1: Terminating"), @r#"
    demo NAMESPACE Pending 1/1 0/2 1 0 of 2 executors ready
      executor 1: Terminating: EvictionByEvictionAPI
        EvictionByEvictionAPI: Eviction API: evicting
      executor 0: NodeLost: its node node-1 is not ready
        node node-1: Kubelet stopped posting node status.
        the Pod goes on once its node is back; else Kubernetes ends it after some minutes
        next: kubectl describe node node-1
    "#);
    // Ten seconds past its grace.
    assert_snapshot!(up(&space, DEMO, "15s", 3), @r#"
    error: demo is not ready after 15s: Pending, 0 of 2 executors ready
      executor 1: Terminating: its node node-1 is not ready
        EvictionByEvictionAPI: Eviction API: evicting
        node node-1: Kubelet stopped posting node status.
        nobody can say whether it still runs there; where the machine is gone for good, kubectl delete node node-1 lets the Pod go
        next: kubectl describe node node-1
      executor 0: NodeLost: its node node-1 is not ready
        node node-1: Kubelet stopped posting node status.
        the Pod goes on once its node is back; else Kubernetes ends it after some minutes
        next: kubectl describe node node-1
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);
    assert_snapshot!(status(&space, 3, "executor 1: Terminating: its node"), @r#"
    demo NAMESPACE Pending 1/1 0/2 1 0 of 2 executors ready
      executor 1: Terminating: its node node-1 is not ready
        EvictionByEvictionAPI: Eviction API: evicting
        node node-1: Kubelet stopped posting node status.
        nobody can say whether it still runs there; where the machine is gone for good, kubectl delete node node-1 lets the Pod go
        next: kubectl describe node node-1
      executor 0: NodeLost: its node node-1 is not ready
        node node-1: Kubelet stopped posting node status.
        the Pod goes on once its node is back; else Kubernetes ends it after some minutes
        next: kubectl describe node node-1
    "#);
}

#[test]
fn a_finalizer_that_blocks() {
    let space = namespace();
    space.up(DEMO).exits(0);
    space.patch("pod/demo-executor-manager-1", r#"{"metadata": {"finalizers": ["example.com/hold"]}}"#);
    space.kubectl(&["delete", "pod/demo-executor-manager-1", "--wait=false"]);
    assert_snapshot!(status(&space, 0, "Terminating"), @r#"
    demo NAMESPACE Running 1/1 1/2 1 1 of 2 executors ready
      executor 1: Terminating: waits for finalizer example.com/hold
    "#);
    // Ten seconds past its grace.
    assert_snapshot!(up(&space, DEMO, "15s", 3), @r#"
    error: demo is not ready after 15s: Running, 1 of 2 executors ready
      executor 1: Terminating: held by finalizer example.com/hold
        whoever set the finalizer takes it off; only where nobody is left to do that: kubectl patch pod demo-executor-manager-1 -n NAMESPACE --type=merge -p '{"metadata":{"finalizers":null}}'
        next: kubectl get pod demo-executor-manager-1 -n NAMESPACE -o jsonpath='{.metadata.finalizers}'
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);
    assert_snapshot!(status(&space, 0, "held by"), @r#"
    demo NAMESPACE Running 1/1 1/2 1 1 of 2 executors ready
      executor 1: Terminating: held by finalizer example.com/hold
        whoever set the finalizer takes it off; only where nobody is left to do that: kubectl patch pod demo-executor-manager-1 -n NAMESPACE --type=merge -p '{"metadata":{"finalizers":null}}'
        next: kubectl get pod demo-executor-manager-1 -n NAMESPACE -o jsonpath='{.metadata.finalizers}'
    "#);

    let down = space.flamectl(&["down", "demo", "-y", "--timeout", "2s"]).exits(3);
    assert_snapshot!(error(&space, down), @r#"
    error: demo is not gone after 2s
      Pod demo-executor-manager-1: held by finalizer example.com/hold
        whoever set the finalizer takes it off; only where nobody is left to do that: kubectl patch pod demo-executor-manager-1 -n NAMESPACE --type=merge -p '{"metadata":{"finalizers":null}}'
        next: kubectl get pod demo-executor-manager-1 -n NAMESPACE -o jsonpath='{.metadata.finalizers}'
      Service demo-object-cache
      Service demo-session-manager
      ConfigMap demo-config
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);
    assert_snapshot!(status(&space, 3, "being taken down"), @r#"
    demo NAMESPACE Pending 0/1 0/2 1 session manager not ready, 0 of 2 executors ready
      session manager: NotCreated: the flame is being taken down
        next: flamectl down demo -n NAMESPACE
      executor 0: NotCreated: the flame is being taken down
        next: flamectl down demo -n NAMESPACE
      executor 1: Terminating: held by finalizer example.com/hold
        whoever set the finalizer takes it off; only where nobody is left to do that: kubectl patch pod demo-executor-manager-1 -n NAMESPACE --type=merge -p '{"metadata":{"finalizers":null}}'
        next: kubectl get pod demo-executor-manager-1 -n NAMESPACE -o jsonpath='{.metadata.finalizers}'
    "#);
    space.patch("pod/demo-executor-manager-1", r#"{"metadata": {"finalizers": null}}"#);
    space.flamectl(&["down", "demo", "-y"]).exits(0);
}

/// flamectl's Pods have no init containers; a policy puts one in, as a service mesh's webhook does.
#[test]
fn an_init_container_that_fails() {
    let space = namespace();
    let name = format!("mesh-{}", space.name);
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1beta1", "kind": "MutatingAdmissionPolicy",
        "metadata": { "name": name },
        "spec": {
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "matchConstraints": {
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": space.name } },
                "resourceRules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"] }],
            },
            "mutations": [{ "patchType": "ApplyConfiguration", "applyConfiguration": { "expression":
                "Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: 'mesh-init', image: 'crash/mesh:v1'}]}}" } }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1beta1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": { "name": name }, "spec": { "policyName": name },
    });
    space.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": [policy, binding] }).to_string(), &[]);
    let began = Instant::now();
    while !space.kubectl(&["run", "x", "--image=x", "--dry-run=server", "-o", "yaml"]).contains("mesh-init") {
        assert!(began.elapsed() < PATIENCE, "the policy does nothing");
    }
    let up = up(&space, &demo(0), "5s", 4);
    assert_snapshot!(up, @r#"
    error: demo is not ready after 5s: Failed, session manager not ready, 0 of 0 executors ready
      session manager: Init:CrashLoopBackOff: init container mesh-init: exit code 1
        last words: iptables v1.8.10: cannot open xtables lock file: Permission denied (you must be root)
        this container is not Flame's: whoever put it into the Pod can say what it needs
        next: kubectl logs demo-session-manager -c mesh-init -n NAMESPACE --previous
    hint: run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up
    "#);
    send(&space, DEMO);
    let status = status(&space, 4, "2 of 2 executors (0-1): Init:CrashLoopBackOff");
    assert_snapshot!(status, @r#"
    demo NAMESPACE Failed 0/1 0/2 1 session manager not ready, 0 of 2 executors ready
      session manager: Init:CrashLoopBackOff: init container mesh-init: exit code 1
        last words: iptables v1.8.10: cannot open xtables lock file: Permission denied (you must be root)
        this container is not Flame's: whoever put it into the Pod can say what it needs
        next: kubectl logs demo-session-manager -c mesh-init -n NAMESPACE --previous
      2 of 2 executors (0-1): Init:CrashLoopBackOff: init container mesh-init: exit code 1
        last words: iptables v1.8.10: cannot open xtables lock file: Permission denied (you must be root)
        this container is not Flame's: whoever put it into the Pod can say what it needs
        next: kubectl logs demo-executor-manager-0 -c mesh-init -n NAMESPACE --previous
    "#);
    for kind in ["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"] {
        space.kubectl(&["delete", kind, &name]);
    }
}
