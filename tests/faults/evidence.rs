//! What is read about broken Pods: what it says, how many requests it takes, and that a command does without it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use flamectl::apiserver::{ApiServer, ConnectOptions, Observer};
use flamectl::flame::evidence::{Asked, Evidence, Inquiry, LogOf, LogTail, NodeNote};
use flamectl::flame::rollout::Event;
use serde_json::{Value, json};

use crate::bed::{bed, runtime};
use crate::client::{Ended, Run};
use crate::proxy::{Fault, Proxy, When, Which};
use crate::scenario::{NAME, Shape};

/// How long the simulated nodes may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns a run of `up` that leaves executors behind that have this image.
fn up(namespace: &str, image: &str, replicas: u32, timeout: &str) -> Run {
    let mut flame = Shape::of(replicas).flame();
    flame.spec.executor_manager.image = image.to_owned();
    let input = serde_json::to_string(&flame).unwrap();
    Run { namespace: namespace.to_owned(), input, ..Default::default() }.with(&[
        "up",
        "-f",
        "-",
        "-y",
        "--timeout",
        timeout,
    ])
}

fn status(namespace: &str) -> Run {
    Run { namespace: namespace.to_owned(), ..Default::default() }.with(&["status", NAME])
}

/// Waits until all executors wait for this reason, and returns them.
fn executors_waiting(namespace: &str, replicas: usize, reason: &str, restarts: u64) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let query = "labelSelector=app.kubernetes.io%2Fcomponent%3Dexecutor-manager";
        let list = bed().send("GET", &format!("/api/v1/namespaces/{namespace}/pods?{query}"), None).unwrap();
        let pods = list["items"].as_array().unwrap().clone();
        let waits = |pod: &&Value| {
            let container = &pod["status"]["containerStatuses"][0];
            container["state"]["waiting"]["reason"] == reason && container["restartCount"].as_u64() >= Some(restarts)
        };
        if pods.iter().filter(waits).count() == replicas {
            return pods;
        }
        assert!(began.elapsed() < PATIENCE, "not all of {replicas} executors wait for {reason}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Returns the requests that read evidence, by class.
fn evidence_requests(ended: &Ended) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for seen in ended.seen.iter().filter(|it| ["list events", "log pods", "get nodes"].contains(&it.class.as_str())) {
        *counts.entry(seen.class.as_str()).or_default() += 1;
    }
    counts
}

#[test]
fn evidence_of_300_broken_pods_costs_as_much_as_of_3() {
    let expected = BTreeMap::from([("list events", 1)]);
    for replicas in [3, 300] {
        let namespace = bed().namespace("evidence");
        let ended = up(&namespace, "bad/em:v1", replicas, "0").direct();
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        executors_waiting(&namespace, replicas as usize, "ImagePullBackOff", 0);
        let status = status(&namespace).through(&Proxy::plain());
        println!("status of {replicas} broken executors: {} requests", status.seen.len());
        assert_eq!((status.code, evidence_requests(&status)), (3, expected.clone()), "{}", status.stderr);
        let again = up(&namespace, "bad/em:v1", replicas, "4s").through(&Proxy::plain());
        println!("up of {replicas} broken executors: {} requests", again.seen.len());
        assert_eq!((again.code, evidence_requests(&again)), (3, expected.clone()), "{}", again.stderr);
        let asked = again.seen.iter().find(|seen| seen.class == "list events").unwrap();
        let after = asked.at - again.seen[0].at;
        println!("evidence is asked for {after:.1?} after the first request");
        // Measured at 0.1 s for both; the machine may be busy.
        assert!(after < Duration::from_secs(2), "{after:?}");
    }
}

/// A command that waits looks every second whether there is something to ask.
#[test]
fn evidence_is_asked_for_within_two_seconds_of_the_server_knowing() {
    let namespace = bed().namespace("evidence");
    // Long enough for a busy machine to run the executor and to tell the server.
    let waiting = up(&namespace, "notready/em:v1", 1, "25s");
    let up = std::thread::spawn(move || waiting.through(&Proxy::plain()));
    let path = format!("/api/v1/namespaces/{namespace}/pods/{NAME}-executor-manager-0");
    let began = Instant::now();
    let mut pod = loop {
        match bed().send("GET", &path, None) {
            Ok(pod) if pod["status"]["phase"] == "Running" => break pod,
            _ => assert!(began.elapsed() < PATIENCE, "the executor does not run"),
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let waiting = json!({ "reason": "CreateContainerConfigError", "message": "secret \"x\" not found" });
    pod["status"]["containerStatuses"][0]["state"] = json!({ "waiting": waiting });
    let known = Instant::now();
    bed().send("PUT", &format!("{path}/status"), Some(pod)).unwrap();
    let ended = up.join().unwrap();
    let told = "executor 0: CreateContainerConfigError: secret \"x\" not found\n";
    assert!(ended.code == 3 && ended.stderr.contains(told), "{}", ended.stderr);
    assert_eq!(evidence_requests(&ended), BTreeMap::from([("list events", 1)]));
    let asked = ended.seen.iter().find(|seen| seen.class == "list events").unwrap().at;
    println!("evidence is asked for {:.1?} after the server knew", asked - known);
    // Before it knew, there was nothing to ask.
    assert!(asked > known && asked - known < Duration::from_secs(2), "{:?}", asked - known);
}

#[test]
fn commands_do_without_evidence_that_may_not_be_read_or_does_not_come() {
    let namespace = bed().namespace("evidence");
    up(&namespace, "bad/em:v1", 2, "0").direct();
    executors_waiting(&namespace, 2, "ImagePullBackOff", 0);
    let events = || Which::Every("list events".to_owned());
    let refused = Proxy::with(events(), When::Before, Fault::Status(403, None));
    let ended = status(&namespace).with(&["-v"]).through(&refused);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let told = "warnings about Pod demo-executor-manager-0 are not known: injected 403";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    let silent = Proxy::with(events(), When::Before, Fault::Hold);
    let ended = status(&namespace).through(&silent);
    assert_eq!((ended.code, ended.stderr.contains("not known")), (3, false), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
    let silent = Proxy::with(events(), When::Before, Fault::Hold);
    let ended = up(&namespace, "bad/em:v1", 2, "2s").through(&silent);
    println!("up without an answer: {:.1?} with a timeout of 2 s", ended.took);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(2 + 2 + 3), "{:?}", ended.took);
    // One try more after a passing failure, and no further.
    let busy = Proxy::with(events(), When::Before, Fault::Status(503, None));
    let ended = status(&namespace).through(&busy);
    assert_eq!((ended.code, evidence_requests(&ended)), (3, BTreeMap::from([("list events", 2)])), "{}", ended.stderr);
}

#[derive(Default)]
struct Details(Mutex<Vec<String>>);

impl Observer for Details {
    fn event(&self, event: Event) {
        if let Event::Detail(detail) = event {
            self.0.lock().unwrap().push(detail);
        }
    }

    fn tick(&self) {}
}

/// Asks the server itself, and returns the evidence and what is told beside it.
fn evidence(namespace: &str, inquiry: Inquiry) -> (Evidence, Vec<String>) {
    let details = Details::default();
    let options = ConnectOptions {
        kubeconfig: Some(bed().kubeconfig.clone()),
        request_timeout: Duration::from_secs(30),
        ..Default::default()
    };
    let answers = runtime().block_on(async {
        let api = ApiServer::connect(&options).await.unwrap();
        api.answers(namespace, vec![inquiry.clone()], &details).await
    });
    let [(uid, evidence)] = <[_; 1]>::try_from(answers).unwrap();
    assert_eq!(uid, inquiry.uid);
    (evidence, details.0.into_inner().unwrap())
}

#[test]
fn evidence_is_the_warnings_the_last_words_and_the_node() {
    let namespace = bed().namespace("evidence");
    up(&namespace, "crash/em:v1", 1, "0").direct();
    let pod = executors_waiting(&namespace, 1, "CrashLoopBackOff", 1).remove(0);
    let text = |at: &str| pod.pointer(at).and_then(Value::as_str).unwrap().to_owned();
    let asked = Asked { reason: "CrashLoopBackOff".to_owned(), restart_count: 1 };
    let inquiry = Inquiry {
        pod: text("/metadata/name"),
        uid: text("/metadata/uid"),
        asked: asked.clone(),
        container: "executor-manager".to_owned(),
        log: Some(LogOf::Previous),
        node: Some(text("/spec/nodeName")),
    };
    let (found, told) = evidence(&namespace, inquiry.clone());
    assert_eq!(told, [""; 0]);
    assert_eq!(found.asked, asked);
    assert_eq!(found.node, Some(NodeNote { name: text("/spec/nodeName"), ready: Some(true), message: String::new() }));
    let warning = &found.warnings[0];
    assert_eq!((found.warnings.len(), warning.reason.as_str()), (1, "BackOff"));
    assert_eq!(warning.message, "Back-off restarting failed container");
    assert!(warning.count >= 2 && warning.last_seen.ends_with('Z'), "{warning:?}");
    let ended = [
        "INFO flame_executor_manager: connecting to the session manager",
        "thread 'main' panicked at executor_manager/src/main.rs:61:10:",
        "called `Result::unwrap()` on an `Err` value: Network(\"transport error: tcp connect error: Connection refused (os \
         error 111)\")",
    ];
    assert_eq!(found.log, Some(LogTail { lines: ended.map(str::to_owned).to_vec(), previous: true }));

    // Another Pod's uid, no ended container, no such node.
    let logs = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Logs",
        "metadata": { "name": inquiry.pod, "namespace": namespace },
        "spec": { "logs": [{ "logsFile": concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/logs/other.log") }] },
    });
    bed().send("POST", &format!("/apis/kwok.x-k8s.io/v1alpha1/namespaces/{namespace}/logs"), Some(logs)).unwrap();
    let inquiry = Inquiry { uid: "another".to_owned(), node: Some("nowhere".to_owned()), ..inquiry };
    let began = Instant::now();
    let expected = Evidence {
        asked,
        warnings: Vec::new(),
        log: Some(LogTail { lines: vec!["a container of a simulated Pod".to_owned()], previous: false }),
        node: Some(NodeNote { name: "nowhere".to_owned(), ready: None, message: String::new() }),
    };
    // The node learns of its new log a moment later.
    while evidence(&namespace, inquiry.clone()) != (expected.clone(), Vec::new()) {
        assert!(began.elapsed() < PATIENCE, "{:?}", evidence(&namespace, inquiry));
        std::thread::sleep(Duration::from_millis(100));
    }

    // No log at all, and a name that no container has.
    let inquiry = Inquiry { pod: "nobody".to_owned(), log: Some(LogOf::Current), node: None, ..inquiry };
    let (found, told) = evidence(&namespace, inquiry);
    assert_eq!(
        (found.log, told),
        (None, vec!["the log of Pod nobody is not known: pods \"nobody\" not found".to_owned()])
    );
}
