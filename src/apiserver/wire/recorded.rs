//! Answers that a real kube-apiserver (Kubernetes 1.35) gave, in both encodings; `recorded/record` made them.

use std::path::Path;

use kube::core::{Status, WatchEvent};
use prost::bytes::{Buf, Bytes};

use super::*;
use crate::flame::amounts;

fn recorded(file: &str) -> Bytes {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/apiserver/wire/recorded");
    std::fs::read(folder.join(file)).unwrap().into()
}

/// Reads an answer in both encodings, sees that both say the same, and returns what.
#[track_caller]
fn same<T: Shape, U: PartialEq + std::fmt::Debug>(name: &str, told: impl Fn(T) -> U) -> U {
    let (json, protobuf) = (recorded(&format!("{name}.json")), recorded(&format!("{name}.pb")));
    assert!(json.starts_with(b"{") && protobuf::is_object(&protobuf) && !protobuf::is_object(&json));
    let (json, protobuf) = (told(read(&json).unwrap()), told(read(&protobuf).unwrap()));
    assert_eq!(json, protobuf);
    protobuf
}

fn pod(name: &str) -> ObservedPod {
    same(name, |pod: Pod| ObservedPod::from(pod))
}

#[test]
fn a_pod_is_the_same_in_both_encodings() {
    let pod = pod("pod");
    let owner = pod.meta.controller.as_deref().unwrap();
    assert_eq!((owner.api_version.as_str(), owner.kind.as_str(), owner.name.as_str()), ("v1", "ConfigMap", "owner"));
    let other = &pod.meta.other_owners[0];
    let expected = serde_json::json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": other["uid"] });
    assert_eq!(*other, expected);
    assert_eq!(pod.meta.finalizers, ["example.com/keep"]);
    assert_eq!((pod.meta.labels["empty"].as_str(), pod.meta.annotations["note"].as_str()), ("", "länger"));
    assert_eq!(pod.index_label.as_deref(), Some("0"));
    assert!(pod.meta.applied_by_flamectl && pod.meta.creation_timestamp.is_some() && !pod.meta.terminating);
    assert_eq!(pod.meta.image_manager.as_deref(), Some("editor"));
    let amount = |amounts: &Amounts, name: &str| amounts::text(name, amounts.get(name).unwrap());
    assert_eq!((amount(&pod.requests, "cpu"), amount(&pod.limits, "memory")), ("1600m".into(), "2Gi".into()));
    assert_eq!((&*pod.image, pod.running_image.as_deref()), ("em:v2", Some("docker.io/em:v2")));
    assert_eq!((pod.node.as_deref(), pod.hostname.as_deref()), (Some("elsewhere"), Some("em-0")));
    assert_eq!(
        (pod.phase, pod.reason.as_deref(), pod.pod_ip.as_deref()),
        (Phase::Running, Some("Slow"), Some("10.0.0.7"))
    );
    assert_eq!(pod.disruption.as_ref().unwrap().reason, "PreemptionByScheduler");
    assert!(pod.conditions.containers_ready.as_ref().is_some_and(|it| !it.is_true && it.since.is_none()));
    assert_eq!((pod.waiting_reason.as_deref(), pod.restart_count), (Some("CrashLoopBackOff"), 3));
    let ended = pod.ended.as_ref().unwrap();
    assert_eq!(
        (ended.exit_code, ended.signal, ended.reason.as_str(), ended.previous),
        (137, Some(9), "OOMKilled", true)
    );
    assert_eq!(self::pod("leaving.whole").meta.deletion_grace_period_seconds, Some(30));
}

#[test]
fn a_pod_that_waits_for_a_gate_is_the_same_in_both_encodings() {
    let pod = pod("waiting");
    assert_eq!((pod.scheduling_gates, pod.node), (vec!["example.com/quota".to_owned()], None));
    assert_eq!(pod.nominated_node.as_deref(), Some("node-2"));
    assert_eq!(pod.conditions.scheduled.unwrap().why.unwrap().reason, "SchedulingGated");
}

#[test]
fn metadata_alone_is_that_of_the_pod() {
    let whole = pod("pod");
    let metadata = |file: &str, kind: &str| {
        let (told, raw) = protobuf::open(&recorded(file)).unwrap();
        assert_eq!(told, kind);
        ObservedPod::from(Pod::decode(raw).unwrap())
    };
    let alone = metadata("metadata.pb", "PartialObjectMetadata");
    assert_eq!((alone.meta, alone.index_label), (whole.meta, whole.index_label));
    let json: Pod = read(&recorded("metadata.json")).unwrap();
    assert_eq!(ObservedPod::from(json).meta, metadata("pod.pb", "Pod").meta);
    assert_eq!(metadata("leaving.pb", "PartialObjectMetadata").meta, pod("leaving.whole").meta);
    let (made, whole) = (metadata("created.pb", "PartialObjectMetadata"), pod("created.whole"));
    assert_eq!((made.meta, made.index_label), (whole.meta, whole.index_label));
}

#[test]
fn a_page_of_a_list_is_the_same_in_both_encodings() {
    let told = |list: List<Slim<Pod, ObservedPod>>| {
        let pods: Vec<ObservedPod> = list.items.into_iter().map(|it| it.0).collect();
        (pods, list.metadata.resource_version)
    };
    let (pods, resource_version) = same("page", told);
    assert_eq!(pods, [pod("pod")]);
    assert!(resource_version.parse::<u64>().is_ok());
    // The token differs, as each list is one of its own.
    let token = |file: &str| read::<List<Named>>(&recorded(file)).unwrap().metadata.continue_token;
    assert!(!token("page.json").is_empty() && !token("page.pb").is_empty());
    let names = |list: List<Named>| list.items.into_iter().map(|it| it.metadata.name).collect::<Vec<_>>();
    assert_eq!(same("names", names), ["demo-executor-manager-0", "demo-executor-manager-1"]);
}

#[test]
fn an_error_is_the_same_in_both_encodings() {
    let told = |status: Status| (status.code, status.reason, status.message, status.details);
    let (code, reason, ..) = same("not-found", told);
    assert_eq!((code, reason.as_str()), (404, "NotFound"));
    let (code, _, _, details) = same("conflict", told);
    let causes = details.unwrap().causes;
    assert_eq!((code, causes[0].reason.as_str()), (409, "FieldManagerConflict"));
    assert!(read::<Pod>(&recorded("not-found.pb")).is_none());
}

/// Cuts a recorded watch into its events.
fn events(file: &str) -> Vec<Encoded> {
    let mut rest = recorded(file);
    let mut events = Vec::new();
    while !rest.is_empty() {
        let is_frame = file.ends_with(".pb");
        let length = if is_frame { rest.get_u32() as usize } else { memchr::memchr(b'\n', &rest).unwrap() };
        let event = rest.split_to(length);
        if !is_frame {
            rest.advance(1);
        }
        events.push(if is_frame { Encoded::Frame(event) } else { Encoded::Line(event) });
    }
    events
}

/// What an event tells: its type, and the Pod or the code of the error.
fn told(event: &Encoded) -> (&'static str, Option<ObservedPod>, u16) {
    match event.event::<Pod>().unwrap() {
        WatchEvent::Added(pod) => ("ADDED", Some(pod.into()), 0),
        WatchEvent::Modified(pod) => ("MODIFIED", Some(pod.into()), 0),
        WatchEvent::Deleted(pod) => ("DELETED", Some(pod.into()), 0),
        WatchEvent::Bookmark(mark) => {
            assert!(mark.metadata.resource_version.parse::<u64>().is_ok());
            ("BOOKMARK", None, 0)
        }
        WatchEvent::Error(status) => ("ERROR", None, status.code),
    }
}

#[test]
fn a_watch_is_the_same_in_both_encodings() {
    let both = ["watch.json", "watch.pb"].map(|file| events(file).iter().map(told).collect::<Vec<_>>());
    assert_eq!(both[0], both[1]);
    let types: std::collections::BTreeSet<&str> = both[1].iter().map(|told| told.0).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), ["ADDED", "BOOKMARK", "DELETED", "MODIFIED"]);
    for file in ["expired.json", "expired.pb"] {
        assert_eq!(events(file).iter().map(told).collect::<Vec<_>>(), [("ERROR", None, 410)]);
    }
}

#[test]
fn whatever_is_cut_off_or_changed_is_read_or_refused() {
    let whole = recorded("page.pb");
    let read = |bytes: &Bytes| super::read::<List<Slim<Pod, ObservedPod>>>(bytes).map(|list| list.items.len());
    // Behind the object come two empty fields of the envelope, which takes four bytes.
    let last = whole.len() - 4;
    assert_eq!(read(&whole), Some(1));
    assert!((0..last).all(|end| read(&whole.slice(..end)).is_none()));
    let mut random = 1_u32;
    for _ in 0..2000 {
        let mut bytes = whole.to_vec();
        for _ in 0..3 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = 4 + random as usize % (bytes.len() - 4);
            bytes[at] = (random >> 24) as u8;
        }
        let _ = read(&bytes.into());
    }
    let Encoded::Frame(frame) = &events("watch.pb")[0] else { panic!("a frame") };
    for end in 0..frame.len() {
        assert!(Encoded::Frame(frame.slice(..end)).event::<Pod>().is_none(), "cut off at {end}");
    }
}
