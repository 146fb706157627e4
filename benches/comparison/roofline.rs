//! Sends prepared requests as fast as they go: what a tool could reach at best.
//!
//! A program of its own, so that its start, its memory and its processor time count as those of the tools do.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, FuturesUnordered};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::WatchEvent;
use serde::Deserialize;
use tower::{BoxError, ServiceBuilder};

use crate::Result;
use crate::arguments::{RooflineArguments, Until};
use crate::inputs;

/// What is read of a Pod.
#[derive(Clone, Debug, Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Deserialize)]
struct Pods {
    metadata: Metadata,
    items: Vec<Pod>,
}

#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "resourceVersion")]
    resource_version: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Deserialize)]
struct Condition {
    r#type: String,
    status: String,
}

pub fn run(arguments: &RooflineArguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(send_all(arguments))
}

async fn send_all(arguments: &RooflineArguments) -> Result<()> {
    let file = fs::read_to_string(&arguments.requests)?;
    let config = kube::Config::from_custom_kubeconfig(Kubeconfig::read()?, &KubeConfigOptions::default()).await?;
    let client = client(&config)?;
    let (first, rest) = file.split_once(inputs::THEN).unwrap_or((&file, ""));
    if let (Some(until), Some(pods)) = (arguments.until, &arguments.pods) {
        let mut seen = Seen::default();
        let news = seen.list_and_watch(&client, pods).await?;
        let wait = seen.wait(&client, pods, news, until, arguments.count);
        tokio::try_join!(send_lines(&client, first, arguments.in_flight), wait)?;
    } else {
        send_lines(&client, first, arguments.in_flight).await?;
    }
    send_lines(&client, rest, arguments.in_flight).await
}

async fn send_lines(client: &kube::Client, requests: &str, most_in_flight: usize) -> Result<()> {
    let mut lines = requests.lines();
    let mut in_flight = FuturesUnordered::new();
    loop {
        while in_flight.len() < most_in_flight
            && let Some(line) = lines.next()
        {
            in_flight.push(send(client, line));
        }
        match in_flight.next().await {
            Some(sent) => sent?,
            None => return Ok(()),
        }
    }
}

/// Makes a client that holds nothing back until the server has acknowledged what came before, as kube's would.
fn client(config: &kube::Config) -> Result<kube::Client> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    let https = config.rustls_https_connector_with_connector(http)?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .map_err(BoxError::from)
        .service(hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build::<_, Body>(https));
    Ok(kube::Client::new(service, config.default_namespace.clone()))
}

async fn send(client: &kube::Client, line: &str) -> Result<()> {
    let mut parts = line.splitn(3, '\t');
    let (Some(method), Some(path), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(format!("not a request: {line}").into());
    };
    let method: Method = method.parse()?;
    let content_type = if method == Method::PATCH { "application/apply-patch+yaml" } else { "application/json" };
    loop {
        let request = Request::builder().method(&method).uri(path).header(http::header::CONTENT_TYPE, content_type);
        let response = client.send(request.body(Body::from(body.as_bytes().to_vec()))?).await?;
        let status = response.status();
        let seconds = response.headers().get(http::header::RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
        let answer = response.into_body().collect().await?.to_bytes();
        if status == StatusCode::TOO_MANY_REQUESTS {
            tokio::time::sleep(Duration::from_secs(seconds.unwrap_or(1))).await;
            continue;
        }
        if !status.is_success() {
            return Err(format!("{method} {path}: {status}: {}", String::from_utf8_lossy(&answer)).into());
        }
        return Ok(());
    }
}

/// What is known of the Pods.
#[derive(Default)]
struct Seen {
    ready: HashMap<String, bool>,
    gone: HashSet<String>,
    resource_version: String,
}

type News = BoxStream<'static, kube::Result<WatchEvent<Pod>>>;

impl Seen {
    /// Looks at what is there, and watches from then on.
    async fn list_and_watch(&mut self, client: &kube::Client, pods: &str) -> Result<News> {
        // What the server's cache has is enough, as the watch is fed from it, too, and it costs least.
        let list = Request::get(format!("{pods}&resourceVersion=0")).body(Vec::new())?;
        let list: Pods = client.request(list).await?;
        let before = std::mem::take(&mut self.ready);
        self.resource_version = list.metadata.resource_version;
        self.ready.extend(list.items.into_iter().map(|pod| (pod.metadata.name, is_ready(&pod.status))));
        self.gone.extend(before.into_keys().filter(|name| !self.ready.contains_key(name)));
        self.watch(client, pods).await
    }

    /// Watches from what is known.
    async fn watch(&self, client: &kube::Client, pods: &str) -> Result<News> {
        let from = &self.resource_version;
        let watch = Request::get(format!("{pods}&watch=true&resourceVersion={from}")).body(Vec::new())?;
        Ok(client.request_events::<Pod>(watch).await?.boxed())
    }

    /// Waits until so many Pods are ready, or until so many that were there are gone.
    async fn wait(
        mut self,
        client: &kube::Client,
        pods: &str,
        mut news: News,
        until: Until,
        count: usize,
    ) -> Result<()> {
        loop {
            let is_over = match until {
                Until::Ready => self.ready.len() == count && self.ready.values().all(|it| *it),
                Until::Gone => self.gone.len() == count,
            };
            if is_over {
                return Ok(());
            }
            match news.next().await.transpose()? {
                Some(WatchEvent::Added(pod) | WatchEvent::Modified(pod)) => {
                    self.resource_version = pod.metadata.resource_version;
                    self.ready.insert(pod.metadata.name, is_ready(&pod.status));
                }
                Some(WatchEvent::Deleted(pod)) => {
                    self.resource_version = pod.metadata.resource_version;
                    self.ready.remove(&pod.metadata.name);
                    self.gone.insert(pod.metadata.name);
                }
                Some(WatchEvent::Bookmark(_)) => {}
                // A server with much to do ends watches that it cannot keep up with, and forgets what was long ago.
                None => news = self.watch(client, pods).await?,
                Some(WatchEvent::Error(status)) if status.code == StatusCode::GONE.as_u16() => {
                    news = self.list_and_watch(client, pods).await?;
                }
                Some(WatchEvent::Error(status)) => return Err(status.message.into()),
            }
        }
    }
}

fn is_ready(status: &Status) -> bool {
    status.conditions.iter().any(|it| it.r#type == "Ready" && it.status == "True")
}
