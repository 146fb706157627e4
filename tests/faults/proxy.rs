//! A proxy before the kube-apiserver that notes every request and breaks those that its rules name.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper_util::rt::TokioIo;
use rustix::process::Signal;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::bed::{bed, runtime, send};
use crate::client::Client;
use crate::stream::{Events, Streams};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The client is killed.
    Kill,
    /// The client gets these signals and the request its answer.
    Signal(Signal, u32),
    /// The client gets this signal and the request no answer.
    SignalAndHold(Signal),
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// The server answers this status, with that many seconds as `Retry-After`.
    Status(u16, Option<u32>),
    /// The answer ends half-way.
    Cut,
    /// A load balancer answers 200 and a page.
    Html,
    /// The answer is JSON, but not such an object.
    WrongJson,
    /// The answer is this JSON.
    Json(String),
    /// Nothing is ever answered.
    Hold,
    /// It takes this long.
    Delay(Duration),
    /// A stranger deletes the object at this path below the namespace's, as `pods/x`.
    Stranger(String),
}

/// Whether the server never sees the request, or carries it out all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Before,
    After,
}

/// Which requests a rule is about; numbers count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    Nth(usize),
    From(usize),
    /// All of a class, as `apply pods`.
    Every(String),
    /// The first of a class.
    First(String),
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub which: Which,
    pub when: When,
    pub fault: Fault,
}

/// A request as the proxy saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub number: usize,
    /// What it does to which kind, as `list pods`.
    pub class: String,
    /// The object it names, as `pods/demo-session-manager`.
    pub object: Option<String>,
    pub at: Instant,
    /// Bytes of the server's answer as it came; of a stream none.
    pub answered: usize,
}

impl Seen {
    pub fn is_write(&self) -> bool {
        !["get", "list", "watch", "log", "review"].iter().any(|verb| self.class.starts_with(verb))
    }

    fn new(number: usize, method: &Method, uri: &Uri) -> Self {
        let segments: Vec<&str> = uri.path().trim_start_matches('/').split('/').collect();
        let below = match segments.as_slice() {
            ["api", "v1", "namespaces", _, rest @ ..] if !rest.is_empty() => rest,
            ["api", "v1", rest @ ..] => rest,
            // A question about rights; nothing is stored.
            ["apis", "authorization.k8s.io", "v1", rest @ ..] => rest,
            ["apis", "events.k8s.io", "v1", "namespaces", _, rest @ ..] if !rest.is_empty() => rest,
            other => other,
        };
        let watches = uri.query().is_some_and(|query| query.contains("watch=true"));
        let verb = match (method.as_str(), below.get(1)) {
            ("GET", _) if watches => "watch",
            ("GET", _) if below.get(2) == Some(&"log") => "log",
            ("GET", None) => "list",
            ("GET", Some(_)) => "get",
            ("POST", None) if below[0].ends_with("reviews") => "review",
            ("PATCH", _) => "apply",
            ("DELETE", _) => "delete",
            _ => "create",
        };
        let object = below.get(1).map(|name| format!("{}/{name}", below[0]));
        Self { number, class: format!("{verb} {}", below[0]), object, at: Instant::now(), answered: 0 }
    }
}

/// The lie that a broken connection is: hyper closes it without another word.
#[derive(Debug)]
pub struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken on purpose")
    }
}

impl std::error::Error for Broken {}

pub type Answer = Response<UnsyncBoxBody<Bytes, Broken>>;

/// A proxy on a port of its own.
pub struct Proxy {
    /// A kubeconfig that names it.
    pub kubeconfig: PathBuf,
    shared: Arc<Shared>,
    port: u16,
    task: JoinHandle<()>,
}

struct Shared {
    rules: Vec<Rule>,
    streams: Streams,
    seen: Mutex<Vec<Seen>>,
    client: OnceLock<Arc<Client>>,
    resets: bool,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.kubeconfig);
    }
}

impl Proxy {
    /// Starts a proxy that breaks nothing.
    pub fn plain() -> Self {
        Self::new(Vec::new(), Streams::Whole)
    }

    /// Starts a proxy with one rule.
    pub fn with(which: Which, when: When, fault: Fault) -> Self {
        Self::new(vec![Rule { which, when, fault }], Streams::Whole)
    }

    pub fn new(rules: Vec<Rule>, streams: Streams) -> Self {
        let listener = runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let kubeconfig = bed().scratch.join(format!("proxy-{port}.kubeconfig"));
        std::fs::write(&kubeconfig, kubeconfig_for(port)).unwrap();
        let resets = rules.iter().any(|rule| rule.fault == Fault::Reset);
        let shared = Arc::new(Shared { rules, streams, seen: Mutex::default(), client: OnceLock::new(), resets });
        let task = runtime().spawn(accept(listener, shared.clone()));
        Self { kubeconfig, shared, port, task }
    }

    /// Says whom to kill and to interrupt.
    pub fn client_is(&self, client: Arc<Client>) {
        assert!(self.shared.client.set(client).is_ok(), "a proxy is for one client");
    }

    /// Goes away: nothing listens, and every connection ends.
    pub fn leave(&mut self) {
        self.task.abort();
        // Only when the task is gone nothing listens any more.
        let _ = runtime().block_on(&mut self.task);
    }

    /// Listens again where it did before.
    pub fn come_back(&mut self) {
        let listener = runtime().block_on(TcpListener::bind(("127.0.0.1", self.port))).unwrap();
        self.task = runtime().spawn(accept(listener, self.shared.clone()));
    }

    /// Returns the requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }
}

fn kubeconfig_for(port: u16) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
        "clusters": [{ "name": "proxy", "cluster": { "server": format!("http://127.0.0.1:{port}") } }],
        "users": [{ "name": "proxy", "user": {} }],
        "contexts": [{ "name": "proxy", "context": { "cluster": "proxy", "user": "proxy" } }],
    })
    .to_string()
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // All connections end with the proxy.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        connections.spawn(serve(socket, shared.clone()));
    }
}

async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    socket.set_nodelay(true).unwrap();
    if shared.resets {
        socket.set_zero_linger().unwrap();
    }
    let service = hyper::service::service_fn(|request| shared.answer(request));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Broken> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
        let seen = self.note(&parts.method, &parts.uri);
        let namespace = parts.uri.path().split('/').nth(4).unwrap_or_default().to_owned();
        let forward = || self.forward(&seen, parts.method.clone(), &parts.uri, &parts.headers, body.clone());
        let nth = self.count(&seen.class, seen.number);
        let Some(rule) = self.rules.iter().find(|rule| applies(rule, &seen, nth)) else { return forward().await };
        match &rule.fault {
            Fault::Signal(signal, times) => {
                (0..*times).for_each(|_| self.client.wait().signal(*signal));
                forward().await
            }
            Fault::Delay(time) => {
                tokio::time::sleep(*time).await;
                forward().await
            }
            Fault::Stranger(object) => {
                let path = format!("/api/v1/namespaces/{namespace}/{object}");
                let _ = send(bed().kube.clone(), "DELETE", &path, None).await;
                forward().await
            }
            fault => {
                let mut answer = None;
                if rule.when == When::After {
                    let (parts, body) = forward().await?.into_parts();
                    let is_stream = seen.class.starts_with("watch");
                    let whole = if is_stream { Bytes::new() } else { body.collect().await?.to_bytes() };
                    answer = Some(Response::from_parts(parts, whole));
                }
                self.broken(fault, answer).await
            }
        }
    }

    fn note(&self, method: &Method, uri: &Uri) -> Seen {
        let mut all = self.seen.lock().unwrap();
        let seen = Seen::new(all.len() + 1, method, uri);
        all.push(seen.clone());
        seen
    }

    /// Returns how many requests of a class there were up to a number.
    fn count(&self, class: &str, number: usize) -> usize {
        self.seen.lock().unwrap().iter().filter(|it| it.class == class && it.number <= number).count()
    }

    async fn forward(
        &self,
        seen: &Seen,
        method: Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Broken> {
        let nth = self.count(&seen.class, seen.number);
        let is_stream = seen.class.starts_with("watch");
        if let Some(answer) = is_stream.then(|| self.streams.instead(nth)).flatten() {
            return Ok(answer);
        }
        let mut request = Request::builder().method(method).uri(uri.path_and_query().unwrap().as_str());
        // What this looks into has to be JSON; the client takes whichever comes.
        let reads = is_stream && self.streams.reads_events();
        for name in ["content-type", "accept", "accept-encoding"] {
            if let Some(value) = headers.get(name).filter(|_| name != "accept" || !reads) {
                request = request.header(name, value);
            }
        }
        let request = request.body(kube::client::Body::from(body.to_vec())).unwrap();
        let response = bed().kube.send(request).await.map_err(|_| Broken)?;
        let (parts, body) = response.into_parts();
        let body = if is_stream {
            StreamBody::new(Events::new(body, self.streams, nth).frames()).boxed_unsync()
        } else {
            let whole = body.collect().await.map_err(|_| Broken)?.to_bytes();
            self.seen.lock().unwrap()[seen.number - 1].answered = whole.len();
            full(whole)
        };
        let mut answer = Response::builder().status(parts.status);
        for name in ["content-type", "content-encoding", "retry-after"] {
            if let Some(value) = parts.headers.get(name) {
                answer = answer.header(name, value);
            }
        }
        Ok(answer.body(body).unwrap())
    }

    async fn broken(&self, fault: &Fault, answer: Option<Response<Bytes>>) -> Result<Answer, Broken> {
        let json = || Response::builder().header("content-type", "application/json");
        Ok(match fault {
            Fault::Kill => {
                self.client.wait().kill();
                return Err(Broken);
            }
            Fault::Status(code, retry_after) => status(*code, *retry_after),
            Fault::Html => {
                let page = "<html><head><title>Welcome to the load balancer</title></head></html>";
                Response::builder().header("content-type", "text/html").body(full(page.into())).unwrap()
            }
            Fault::WrongJson => json().body(full(r#"{"kind":"Wrong","items":7,"metadata":[]}"#.into())).unwrap(),
            Fault::Json(text) => json().body(full(text.clone().into())).unwrap(),
            Fault::Cut => {
                let (mut parts, whole) = answer.unwrap_or_default().into_parts();
                let promised = whole.len().max(2);
                let half = Frame::data(whole.slice(..whole.len() / 2));
                // The first half has to be on its way before the connection ends, or hyper sends nothing at all.
                let end = stream::once(async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Err(Broken)
                });
                let body = StreamBody::new(stream::once(async { Ok(half) }).chain(end)).boxed_unsync();
                parts.headers.insert(http::header::CONTENT_LENGTH, promised.into());
                Response::from_parts(parts, body)
            }
            Fault::Hold => std::future::pending().await,
            Fault::SignalAndHold(signal) => {
                self.client.wait().signal(*signal);
                std::future::pending().await
            }
            _ => return Err(Broken),
        })
    }
}

/// Tells whether a rule is about a request that is the `nth` of its class.
fn applies(rule: &Rule, seen: &Seen, nth: usize) -> bool {
    match &rule.which {
        Which::Nth(number) => seen.number == *number,
        Which::From(number) => seen.number >= *number,
        Which::Every(class) => seen.class == *class,
        Which::First(class) => seen.class == *class && nth == 1,
    }
}

/// Returns what a kube-apiserver in trouble answers.
pub fn status(code: u16, retry_after: Option<u32>) -> Answer {
    let reason = match code {
        410 => "Expired",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "Unknown",
    };
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("injected {code}"), "reason": reason, "code": code,
    });
    let mut answer = Response::builder().status(code).header("content-type", "application/json");
    if let Some(seconds) = retry_after {
        answer = answer.header("retry-after", seconds);
    }
    answer.body(full(body.to_string().into())).unwrap()
}

pub fn full(bytes: Bytes) -> UnsyncBoxBody<Bytes, Broken> {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}
