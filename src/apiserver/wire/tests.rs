use serde_json::{Value, json};

use super::*;
use crate::flame::observed::Condition;

fn pod(json: Value) -> ObservedPod {
    serde_json::from_value::<Pod>(json).unwrap().into()
}

/// Returns a Pod with one executor manager and these container statuses.
fn with(init: Value, containers: Value) -> ObservedPod {
    pod(manifest(init, containers))
}

fn manifest(init: Value, containers: Value) -> Value {
    json!({
        "metadata": { "name": "demo-executor-manager-0" },
        "spec": {
            "initContainers": [{ "name": "first", "image": "init:v1" }],
            "containers": [{ "name": "proxy", "image": "proxy:v1" }, { "name": "executor-manager", "image": "em:v1" }],
        },
        "status": { "initContainerStatuses": init, "containerStatuses": containers },
    })
}

/// 2026-01-02T03:04:05Z.
const MOMENT: Seconds = 1_767_323_045;

#[test]
fn a_starting_pod_keeps_the_moments_of_its_start() {
    let condition = |name: &str, status: &str, reason: &str| {
        json!({
            "type": name, "status": status, "reason": reason, "message": "m",
            "lastTransitionTime": "2026-01-02T03:04:05Z",
        })
    };
    let observed = pod(json!({
        "metadata": { "name": "a", "creationTimestamp": "2026-01-02T03:04:05Z", "deletionTimestamp": "2026-01-02T03:04:07Z",
            "deletionGracePeriodSeconds": 2 },
        "spec": {
            "nodeName": "node-1",
            "schedulingGates": [{ "name": "example.com/quota" }],
            "containers": [{ "name": "executor-manager" }],
        },
        "status": {
            "podIP": "10.0.0.7",
            "startTime": "2026-01-02T03:04:06Z",
            "nominatedNodeName": "node-2",
            "conditions": [
                condition("PodScheduled", "True", ""),
                condition("Ready", "False", "ContainersNotReady"),
                condition("DisruptionTarget", "True", "PreemptionByScheduler"),
            ],
            "containerStatuses": [{ "name": "executor-manager", "state": { "running": { "startedAt": "2026-01-02T03:04:08Z" } } }],
        },
    }));
    let why = |reason: &str| Box::new(Reason { reason: reason.into(), message: "m".into() });
    let scheduled = Condition { is_true: true, since: Some(MOMENT), why: None };
    let ready = Condition { is_true: false, since: Some(MOMENT), why: Some(why("ContainersNotReady")) };
    let expected = ObservedPod {
        meta: ObservedMeta {
            name: "a".into(),
            creation_timestamp: Some(MOMENT),
            terminating: true,
            deletion_timestamp: Some(MOMENT + 2),
            deletion_grace_period_seconds: Some(2),
            ..Default::default()
        },
        node: Some("node-1".into()),
        scheduling_gates: vec!["example.com/quota".into()],
        pod_ip: Some("10.0.0.7".into()),
        start_time: Some(MOMENT + 1),
        nominated_node: Some("node-2".into()),
        conditions: Conditions { scheduled: Some(scheduled), ready: Some(ready), ..Default::default() },
        disruption: Some(why("PreemptionByScheduler")),
        started_at: Some(MOMENT + 3),
        ..Default::default()
    };
    assert_eq!(observed, expected);
}

#[test]
fn the_container_that_holds_a_pod_up_is_the_one_that_is_told() {
    let done = json!([{ "name": "first", "state": { "terminated": { "exitCode": 0 } } }]);
    let runs = json!([{ "name": "first", "started": true, "state": { "running": {} } }]);
    let failed =
        json!([{ "name": "first", "restartCount": 2, "state": { "waiting": { "reason": "CrashLoopBackOff" } } }]);
    let both = |proxy: Value, own: Value| {
        let mut containers = json!([{ "name": "executor-manager" }, { "name": "proxy" }]);
        containers[0].as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        containers[1].as_object_mut().unwrap().extend(proxy.as_object().unwrap().clone());
        containers
    };
    let pulls = json!({ "state": { "waiting": { "reason": "ErrImagePull" } } });
    let starts = json!({ "state": { "waiting": { "reason": "ContainerCreating" } } });
    let ready = json!({ "ready": true, "state": { "running": {} } });
    let first = || Some(("first", "init:v1", true));
    let proxy = || Some(("proxy", "proxy:v1", false));
    for (init, containers, other, reason) in [
        (failed, both(starts.clone(), starts.clone()), first(), Some("CrashLoopBackOff")),
        (done.clone(), both(starts.clone(), pulls.clone()), None, Some("ErrImagePull")),
        (done.clone(), both(pulls.clone(), starts.clone()), proxy(), Some("ErrImagePull")),
        (runs.clone(), both(starts.clone(), starts.clone()), first(), None),
        (done.clone(), both(starts.clone(), ready.clone()), proxy(), Some("ContainerCreating")),
        (done, both(ready.clone(), ready), None, None),
    ] {
        let pod = with(init, containers);
        let told = pod.other_container.as_ref().map(|it| (it.name.as_str(), it.image.as_str(), it.init));
        assert_eq!((told, pod.waiting_reason.as_deref()), (other, reason));
        assert_eq!(&*pod.image, "em:v1");
    }
    let mut with_sidecar = manifest(runs, both(pulls.clone(), pulls));
    with_sidecar["spec"]["initContainers"][0]["restartPolicy"] = "Always".into();
    let pod = pod(with_sidecar);
    assert_eq!((pod.other_container, pod.waiting_reason.as_deref()), (None, Some("ErrImagePull")));
}

#[test]
fn how_a_container_ended_is_told_of_its_newest_run() {
    let ended = |code: i32| {
        json!({ "terminated": { "exitCode": code, "reason": "Error", "signal": 0, "message": "m",
            "startedAt": "2026-01-02T03:04:05Z", "finishedAt": "2026-01-02T03:04:06Z" } })
    };
    let expected = |exit_code, previous| Ended {
        exit_code,
        signal: None,
        reason: "Error".into(),
        message: "m".into(),
        started_at: Some(MOMENT),
        finished_at: Some(MOMENT + 1),
        previous,
    };
    for (status, expected) in [
        (json!({ "state": ended(101), "lastState": ended(1) }), Some(expected(101, false))),
        (json!({ "state": { "running": {} }, "lastState": ended(1) }), Some(expected(1, true))),
        (json!({ "state": { "running": {} } }), None),
    ] {
        let mut status = status;
        status["name"] = "executor-manager".into();
        let pod = with(json!([]), json!([status]));
        assert_eq!(pod.ended.as_deref(), expected.as_ref());
    }
}

#[test]
fn neighbours_in_a_list_hold_once_what_they_have_in_common() {
    let pod = |name: &str, image: &str| {
        json!({
            "metadata": { "name": name, "labels": { "app": image }, "annotations": { "by": "me" } },
            "spec": { "containers": [{ "name": "executor-manager", "image": image }] },
        })
    };
    let items = [pod("a", "em:v1"), pod("b", "em:v1"), pod("c", "em:v2")];
    let page = json!({ "metadata": {}, "items": items }).to_string();
    let list: List<Slim<Pod, Box<ObservedPod>>> = read(&page.into()).unwrap();
    let pods: Vec<ObservedPod> = list.items.into_iter().map(|it| *it.0).collect();
    let share = |one: usize, other: usize| {
        (
            pods[one].meta.labels.is_shared_with(&pods[other].meta.labels),
            pods[one].meta.annotations.is_shared_with(&pods[other].meta.annotations),
            std::sync::Arc::ptr_eq(&pods[one].image, &pods[other].image),
        )
    };
    assert_eq!((share(0, 1), share(1, 2)), ((true, true, true), (false, true, false)));
    assert_eq!(pods[2].image.as_ref(), "em:v2");
}

#[test]
fn what_has_no_name_is_no_object() {
    let wrong = [
        r#"{"kind":"Wrong","items":7,"metadata":[]}"#,
        r#"{"metadata":{"uid":"1"}}"#,
        "{}",
        "[]",
        r#"{"metadata":{"name":""}}"#,
    ];
    for body in wrong {
        let body = Bytes::from(body);
        assert!(read::<Pod>(&body).is_none(), "{body:?}");
        assert!(read::<ConfigMap>(&body).is_none(), "{body:?}");
        assert!(read::<Service>(&body).is_none(), "{body:?}");
        assert!(read::<FlameCluster>(&body).is_none(), "{body:?}");
    }
    assert!(read::<Service>(&r#"{"metadata":{"name":"a"}}"#.into()).is_some());
}
