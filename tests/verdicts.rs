//! Pods as the server sends them, and what flamectl makes of them: one file a case in `tests/golden/verdicts`.
//!
//! A file holds the moment, the Pods, what was asked about them, and what is said then; `UPDATE=1` writes the last part anew.
//! Pods that are alike are written once, as `executors 0-6`; `NAME`, `UID` and `INDEX` stand for each Pod's own.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and look at the environment")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use flamectl::apiserver::read::observed;
use flamectl::flame::FlameCluster;
use flamectl::flame::evidence::{Asked, Evidence, Inquiry, LogOf, LogTail, NodeNote, Warning, inquiries};
use flamectl::flame::names::{self, Component, Kind, ObjectRef};
use flamectl::flame::observed::Snapshot;
use flamectl::flame::state::verdict;
use serde::Deserialize;
use serde_json::{Value, json};

/// What comes after this line is what is said.
const SAID: &str = "said: |\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What time it is.
    now: jiff::Timestamp,
    /// The number of executors.
    executors: u32,
    /// What the flame has besides its images.
    #[serde(default)]
    spec: Value,
    /// `ready`, or a Pod.
    pods: BTreeMap<String, Value>,
    #[serde(default)]
    evidence: BTreeMap<String, Answers>,
    /// Why Pods were not created.
    #[serde(default)]
    trouble: BTreeMap<String, String>,
    /// Whether a `down` has begun.
    #[serde(default)]
    going_down: bool,
    #[serde(default)]
    said: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    #[serde(default)]
    warnings: Vec<Warned>,
    log: Option<String>,
    node: Option<Node>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Warned {
    reason: String,
    message: String,
    #[serde(default)]
    count: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    ready: Option<bool>,
    #[serde(default)]
    message: String,
}

fn flame(case: &Case) -> FlameCluster {
    let mut flame = json!({
        "apiVersion": "flame.xflops.io/v1alpha1",
        "kind": "FlameCluster",
        "metadata": { "name": "demo", "namespace": "ml" },
        "spec": {
            "sessionManager": { "image": "flame-sm:v1" },
            "executorManager": { "image": "flame-em:v1", "replicas": case.executors },
        },
    });
    if case.spec.is_object() {
        merge(&mut flame["spec"], &case.spec);
    }
    serde_json::from_value(flame).unwrap()
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
            // What is null in a file is not there.
            into.retain(|_, value| !value.is_null());
        }
        (into, from) => *into = from.clone(),
    }
}

/// Returns the Pods that `session manager`, `executor 3` or `executors 0-2,7` means, with their indices.
fn named(who: &str) -> Vec<(String, Option<u32>)> {
    let Some(ranges) = who.strip_prefix("executor") else {
        assert_eq!(who, "session manager");
        return vec![(names::session_manager("demo"), None)];
    };
    let ranges = ranges.trim_start_matches('s').trim().split(',');
    let indices = ranges.flat_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        first.parse::<u32>().unwrap()..=last.parse().unwrap()
    });
    indices.map(|index| (names::executor_manager("demo", index), Some(index))).collect()
}

/// Returns a Pod as the server sends it: ready, unless `given` says otherwise.
fn pod(name: &str, index: Option<u32>, given: &Value) -> Value {
    let (component, image) = match index {
        None => (Component::SessionManager, "flame-sm:v1"),
        Some(_) => (Component::ExecutorManager, "flame-em:v1"),
    };
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "ml",
            "uid": format!("6f1a77a5-0b0e-4cb1-8a6d-{:012}", index.map_or(0, |index| index + 1)),
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": { names::LABEL_CLUSTER: "demo", names::LABEL_MANAGED_BY: names::FIELD_MANAGER },
        },
        "spec": { "nodeName": "node-1", "containers": [{ "name": component.name(), "image": image }] },
    });
    if *given == "ready" {
        pod["status"] = json!({
            "phase": "Running",
            "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T03:04:20Z" }],
        });
    }
    let own = |text: String| {
        let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
        text.replace("INDEX", &index.unwrap_or_default().to_string()).replace("NAME", name).replace("UID", uid)
    };
    let given: Value = serde_json::from_str(&own(given.to_string())).unwrap();
    if given.is_object() {
        merge(&mut pod, &given);
    }
    pod
}

fn snapshot(case: &Case) -> Snapshot {
    let mut snapshot = Snapshot::default();
    if case.going_down {
        let metadata = json!({ "name": names::config_map("demo"), "annotations": { names::ANNOTATION_DOWN: "true" } });
        snapshot.insert(observed(Kind::ConfigMap, json!({ "metadata": metadata })).unwrap());
    }
    for (who, given) in &case.pods {
        for (name, index) in named(who) {
            snapshot.insert(observed(Kind::Pod, pod(&name, index, given)).unwrap());
        }
    }
    for (who, answers) in &case.evidence {
        for (name, _) in named(who) {
            let uid = snapshot.pods[&name].meta.uid.clone();
            let node = snapshot.pods[&name].node.as_deref().unwrap_or_default().to_owned();
            snapshot.evidence.insert(uid, evidence(answers, node));
        }
    }
    for (who, text) in &case.trouble {
        for (name, _) in named(who) {
            let text = text.replace("NAME", &name);
            snapshot.trouble.insert(ObjectRef::new(Kind::Pod, name), text);
        }
    }
    snapshot
}

fn evidence(answers: &Answers, node: String) -> Evidence {
    let warning = |it: &Warned| Warning {
        reason: it.reason.clone(),
        message: it.message.clone(),
        count: it.count,
        ..Default::default()
    };
    Evidence {
        asked: Asked::default(),
        warnings: answers.warnings.iter().map(warning).collect(),
        log: answers
            .log
            .as_ref()
            .map(|log| LogTail { lines: log.lines().map(str::to_owned).collect(), previous: true }),
        node: answers.node.as_ref().map(|it| NodeNote { name: node, ready: it.ready, message: it.message.clone() }),
    }
}

fn asks(inquiry: &Inquiry) -> String {
    let log = inquiry.log.map(|log| match log {
        LogOf::Current => format!("log of {}", inquiry.container),
        LogOf::Previous => format!("previous log of {}", inquiry.container),
    });
    let node = inquiry.node.as_ref().map(|node| format!("node {node}"));
    let questions = ["warnings".to_owned()].into_iter().chain(log).chain(node);
    format!("asks about {}: {}", inquiry.pod, questions.collect::<Vec<_>>().join(", "))
}

fn said(case: &Case) -> String {
    let snapshot = snapshot(case);
    let verdict = verdict(&flame(case), &snapshot, case.now.as_second());
    let mut lines = vec![format!("{}: {}", verdict.status.state, verdict.status.message)];
    for cause in &verdict.causes {
        lines.push(format!("- {:?}, {:?}", cause.kind, cause.outlook));
        lines.extend(cause.lines());
        lines.extend(cause.field.as_ref().map(|field| format!("  field: {field}")));
    }
    lines.extend(inquiries(&verdict.causes, &snapshot).iter().map(asks));
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

#[test]
fn every_case_gets_its_verdict() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verdicts");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20, "{files:?}");
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let case: Case = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let said = said(&case);
        let given = text.split(SAID).next().unwrap();
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, format!("{given}{SAID}{said}")).unwrap();
        } else if text != format!("{given}{SAID}{said}") {
            wrong.push(format!("{name} expects\n{}\nbut it says\n{said}", case.said));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
