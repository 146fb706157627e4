//! Changes the status of the Pods of flames so many times a second, and says how many times it really did; for `benches/watch`.
//!
//!   status-events KIND RATE SECONDS
//!
//! KIND `beats` gives Pods a condition that nobody looks at, `flaps` lets them be ready and not ready in turn.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark may panic, look at the clock and speak"
)]

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

/// Requests in flight at most.
const AT_ONCE: usize = 48;

fn main() {
    // `cargo test` and `cargo bench` start every bench without these.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if let [kind, rate, seconds] = args.as_slice() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(patch(kind, rate.parse().unwrap(), seconds.parse().unwrap()));
    }
}

async fn patch(kind: &str, rate: f64, seconds: u64) {
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(Kubeconfig::read().unwrap(), &options).await;
    let client = kube::Client::try_from(config.unwrap()).unwrap();
    let list = http::Request::get("/api/v1/pods?labelSelector=app.kubernetes.io/managed-by=flamectl")
        .header("accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
    let list: Value = client.request(list.body(Vec::new()).unwrap()).await.unwrap();
    let pods: Vec<String> = list["items"].as_array().unwrap().iter().map(|pod| path(&pod["metadata"])).collect();
    let began = Instant::now();
    let mut in_flight = FuturesUnordered::new();
    let (mut sent, mut failed) = (0_usize, 0);
    while began.elapsed() < Duration::from_secs(seconds) {
        let due = (began.elapsed().as_secs_f64() * rate) as usize;
        while sent < due && in_flight.len() < AT_ONCE {
            let (pod, round) = (&pods[sent % pods.len()], sent / pods.len());
            let patch = http::Request::patch(pod).header("content-type", "application/strategic-merge-patch+json");
            let patch = patch.body(condition(kind, round).to_string().into_bytes()).unwrap();
            in_flight.push(client.request::<Value>(patch));
            sent += 1;
        }
        tokio::select! {
            Some(answer) = in_flight.next() => failed += usize::from(answer.is_err()),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
    }
    let done = sent - in_flight.len() - failed;
    println!("{:.0}", done as f64 / began.elapsed().as_secs_f64());
}

fn path(metadata: &Value) -> String {
    let (namespace, name) = (metadata["namespace"].as_str().unwrap(), metadata["name"].as_str().unwrap());
    format!("/api/v1/namespaces/{namespace}/pods/{name}/status")
}

/// Returns the change of the `round`-th time that a Pod has its turn: never what is there already, an earlier run's included.
fn condition(kind: &str, round: usize) -> Value {
    let is_true = if round.is_multiple_of(2) { "False" } else { "True" };
    let of = if kind == "flaps" { "Ready" } else { "example.com/Beats" };
    let reason = format!("Run{}Round{round}", std::process::id());
    json!({ "status": { "conditions": [{ "type": of, "status": is_true, "reason": reason }] } })
}
