//! The Kubernetes side: which server, as whom, and one request at a time with its own timeout and no hidden retry.
//!
//! Effects: imports `flame`, `error`, kube and tokio; never clap, never prints. What happens is told to an [`Observer`].

mod body;
mod connection;
pub mod drive;
pub mod events;
pub mod evidence;
pub mod flames;
pub mod forward;
pub mod hub;
pub mod lease;
pub mod logs;
pub mod objects;
pub mod read;
pub mod reports;
mod rights;
pub mod surroundings;
mod transport;
pub mod watch;
mod window;
mod wire;
pub mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use kube::Config;
use kube::client::AuthError;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::Status;
use prost::bytes::Bytes;
use tokio::sync::Semaphore;

use self::connection::Connection;
use self::wire::Shape;
use crate::error::{Error, Result};
use crate::flame::names::ObjectRef;
use crate::flame::rollout::Event;

/// What `--request-timeout 0` means.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long the server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Tries of one read before a command gives up; with [`READ_BACKOFF`] doubling, about four seconds.
const READ_TRIES: u32 = 5;
/// First pause between two tries of a read.
const READ_BACKOFF: Duration = Duration::from_millis(250);
/// Longest `Retry-After` that a single read or a watch waits for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);
/// Requests in flight at most, of all flames together: inside the 49 seats that API priority and fairness gives one ordinary
/// user. Each takes a connection, so more would also be a storm of those. Streams do not count.
const IN_FLIGHT: usize = 44;
/// Largest answer taken, in bytes, once it is inflated: a list page of 500 Pods is about 5 MiB.
const ANSWER_LIMIT: usize = 64 << 20;

/// Which server, and as whom; every field as kubectl's flag of that name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectOptions {
    /// `--kubeconfig`.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`.
    pub context: Option<String>,
    /// `--as`.
    pub impersonate: Option<String>,
    /// `--as-group`.
    pub impersonate_groups: Vec<String>,
    /// `--request-timeout`; zero is none.
    pub request_timeout: Duration,
}

/// Who is told what happens while a command works.
pub trait Observer: Sync {
    /// Something happened.
    fn event(&self, event: Event);
    /// A moment passed, about four a second while something is awaited.
    fn tick(&self);
    /// What there is to do was looked at, which took so long.
    fn looked(&self, _took: Duration) {}
}

/// A request that was answered, or was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// As `GET`.
    pub method: String,
    /// Path and query. Neither names who asks, nor what is sent.
    pub path: String,
    /// The answer's HTTP status; none where there was no answer, or only half of one.
    pub status: Option<u16>,
    /// Time until the answer was there; of a watch until it was opened.
    pub took: Duration,
}

/// Who is told of each request.
type Trace = Arc<dyn Fn(Request) + Send + Sync>;

/// A connection to one Kubernetes API server.
#[derive(Clone)]
pub struct ApiServer {
    connection: Arc<Connection>,
    request_timeout: Duration,
    namespace: String,
    url: String,
    trace: Option<Trace>,
    slots: Arc<Semaphore>,
    /// What writes have to get through, where only a leader may write.
    fence: Option<Arc<lease::Fence>>,
}

/// Why a request brought no usable answer.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The server answered with a Status, or with an HTTP error that has none.
    Status { status: Box<Status>, retry_after: Option<Duration> },
    /// No answer, half an answer, or one that cannot be read: nobody knows what the server did.
    Broken(String),
    /// Nothing was sent, and trying again would change nothing: no credentials, or a certificate that is not trusted.
    Hopeless(String),
}

/// How a read ended that the server understood.
pub(crate) enum Read<T> {
    /// It is there.
    Found(T),
    /// It is not there (404).
    Missing,
    /// The moment asked about is forgotten (410).
    Expired,
}

impl<T> Read<T> {
    pub(crate) fn found(self) -> Option<T> {
        match self {
            Self::Found(value) => Some(value),
            Self::Missing | Self::Expired => None,
        }
    }
}

impl Failure {
    /// Tells whether the same request may well work in a moment.
    fn is_transient(&self) -> bool {
        match self {
            Self::Broken(_) => true,
            Self::Hopeless(_) => false,
            Self::Status { status, .. } => matches!(status.code, 429 | 500 | 502 | 503 | 504),
        }
    }

    /// Makes the failure of a path that the server does not know.
    fn missing(message: String) -> Self {
        let status = Status { message, code: 404, ..Default::default() };
        Self::Status { status: Box::new(status), retry_after: None }
    }

    /// Says it in one line.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Broken(text) | Self::Hopeless(text) => text.clone(),
            Self::Status { status, .. } if status.message.is_empty() => {
                format!("HTTP {} {}", status.code, status.reason)
            }
            Self::Status { status, .. } => status.message.clone(),
        }
    }

    fn code(&self) -> u16 {
        match self {
            Self::Status { status, .. } => status.code,
            Self::Broken(_) | Self::Hopeless(_) => 0,
        }
    }
}

impl ApiServer {
    /// Reads the kubeconfig, or the in-cluster credentials where there is none, and makes a client. Sends nothing.
    ///
    /// # Errors
    /// Where there are no credentials, or they cannot be read.
    pub async fn connect(options: &ConnectOptions) -> Result<Self> {
        let (connection, config) = Connection::open(options).await?;
        let namespace = config.default_namespace.clone();
        let url = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let request_timeout = Some(options.request_timeout).filter(|timeout| !timeout.is_zero()).unwrap_or(NEVER);
        let (connection, slots) = (Arc::new(connection), Arc::new(Semaphore::new(IN_FLIGHT)));
        Ok(Self { connection, request_timeout, namespace, url, trace: None, slots, fence: None })
    }

    /// Has connections opened for so many requests that are going to be sent at once soon: a server far away is then waited for
    /// once, and not for each of them anew. Sends nothing.
    pub async fn open_ahead(&self, requests: usize) {
        self.connection.open_ahead(requests.min(IN_FLIGHT)).await;
    }

    /// Tells `trace`, too, of each request from now on, once it is answered.
    pub fn traced(self, trace: impl Fn(Request) + Send + Sync + 'static) -> Self {
        let before = self.trace.clone();
        let both = move |request: Request| {
            if let Some(before) = &before {
                before(request.clone());
            }
            trace(request);
        };
        Self { trace: Some(Arc::new(both)), ..self }
    }

    /// Returns the namespace of the kubeconfig's context, else `default`.
    pub fn default_namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the server's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends one request once and reads the answer as `T`; also returns whether the server made something (201).
    pub(crate) async fn send<T: Shape>(&self, request: http::Request<Vec<u8>>) -> Result<(T, StatusCode), Failure> {
        let uri = request.uri().to_string();
        let (body, status) = self.send_for_bytes(accepting::<T>(request)).await?;
        wire::read(&body).map(|value| (value, status)).ok_or_else(|| {
            Failure::Broken(format!(
                "{}{uri} answered something that is not what it should be: {}",
                self.url,
                start(&body)
            ))
        })
    }

    /// Sends one request once and returns the answer as it is, which a log's is no JSON.
    pub(crate) async fn send_for_bytes(&self, request: http::Request<Vec<u8>>) -> Result<(Bytes, StatusCode), Failure> {
        // It is never closed; without a slot the request would go all the same.
        let _slot = self.slots.acquire().await.ok();
        let traced = self.begin(&request);
        let answer = tokio::time::timeout(self.request_timeout, self.guarded(request)).await;
        traced.end(answer.as_ref().ok().and_then(|answer| answer.as_ref().ok()).map(|(status, ..)| *status));
        let timed_out = || format!("{} did not answer within {} s", self.url, self.request_timeout.as_secs());
        let (status, headers, body) = answer.map_err(|_| Failure::Broken(timed_out()))??;
        if status.is_success() { Ok((body, status)) } else { Err(failure(status, &headers, &body)) }
    }

    async fn guarded(&self, request: http::Request<Vec<u8>>) -> Result<(StatusCode, HeaderMap, Bytes), Failure> {
        match self.fence_for(request.method()) {
            Some(fence) => fence.guard(self.answer(request)).await?,
            None => self.answer(request).await,
        }
    }

    async fn answer(&self, request: http::Request<Vec<u8>>) -> Result<(StatusCode, HeaderMap, Bytes), Failure> {
        let response = self.connection.send(request).await;
        let response = response.map_err(|error| not_sent(&error))?;
        let (parts, body) = response.into_parts();
        let body = body::whole(&parts.headers, body, ANSWER_LIMIT).await;
        let body = body.map_err(|why| Failure::Broken(format!("{} cut its answer short: {why}", self.url)))?;
        Ok((parts.status, parts.headers, body))
    }

    /// Takes down what a request is, and when it begins.
    fn begin(&self, request: &http::Request<Vec<u8>>) -> Traced<'_> {
        let request = self.trace.as_ref().map(|_| (request.method().to_string(), path(request.uri())));
        Traced { trace: self.trace.as_ref(), request, began: clock() }
    }

    /// Sends a read, and again after a passing failure, with a line for whoever watches.
    ///
    /// # Errors
    /// What the server said, or why it could not be asked.
    pub(crate) async fn read<T: Shape>(
        &self,
        what: &str,
        request: http::Request<Vec<u8>>,
        observer: &dyn Observer,
    ) -> Result<Read<T>> {
        self.attempt(what, request, observer).await.map_err(|failure| read_error(what, &self.url, &failure))
    }

    /// Does what [`ApiServer::read`] does, for those who tell failures apart.
    async fn attempt<T: Shape>(
        &self,
        what: &str,
        request: http::Request<Vec<u8>>,
        observer: &dyn Observer,
    ) -> Result<Read<T>, Failure> {
        let mut pause = READ_BACKOFF;
        let mut tries = 1;
        loop {
            match self.send(request.clone()).await {
                Ok((value, _)) => return Ok(Read::Found(value)),
                Err(failure) if failure.code() == 404 => return Ok(Read::Missing),
                Err(failure) if failure.code() == 410 => return Ok(Read::Expired),
                Err(failure) if failure.is_transient() && tries < READ_TRIES => {
                    let after = retry_after(&failure).unwrap_or(pause).min(RETRY_AFTER_MAX);
                    observer.event(Event::Retrying(what.to_owned(), failure.text(), after));
                    sleep(after, observer).await;
                }
                Err(failure) => return Err(failure),
            }
            tries += 1;
            pause *= 2;
        }
    }
}

/// Says in a request what its answer is read as, where that is not plain JSON.
fn accepting<T: Shape>(mut request: http::Request<Vec<u8>>) -> http::Request<Vec<u8>> {
    if let Some(accept) = T::ACCEPT {
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
    }
    request
}

/// A request that is under way.
struct Traced<'a> {
    trace: Option<&'a Trace>,
    request: Option<(String, String)>,
    began: Instant,
}

impl Traced<'_> {
    /// Tells of it, where somebody wants to know.
    fn end(self, status: Option<StatusCode>) {
        if let (Some(trace), Some((method, path))) = (self.trace, self.request) {
            trace(Request { method, path, status: status.map(|status| status.as_u16()), took: self.began.elapsed() });
        }
    }
}

/// Returns path and query without the separators that kube leaves in an empty place.
fn path(uri: &http::Uri) -> String {
    uri.to_string().replace("?&", "?").trim_end_matches('?').to_owned()
}

#[expect(clippy::disallowed_methods, reason = "how long a request takes is this layer's own business, and monotonic")]
fn clock() -> Instant {
    Instant::now()
}

/// Returns the processor time of this thread, which does not grow while others have the core.
#[cfg(unix)]
fn spent() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Returns the time since the first call, where a system tells no better.
#[cfg(not(unix))]
fn spent() -> Duration {
    static FIRST: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(clock);
    FIRST.elapsed()
}

/// Waits while the observer goes on ticking.
async fn sleep(pause: Duration, observer: &dyn Observer) {
    let mut left = pause;
    while !left.is_zero() {
        let piece = left.min(drive::TICK);
        tokio::time::sleep(piece).await;
        observer.tick();
        left -= piece;
    }
}

fn retry_after(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Status { retry_after, .. } => *retry_after,
        Failure::Broken(_) | Failure::Hopeless(_) => None,
    }
}

/// Returns the namespace that the kubeconfig's context names, without one that of the Pod that this runs in; asks neither
/// the server nor a program that knows the credentials.
///
/// # Errors
/// Where the kubeconfig is there and cannot be read.
pub fn context_namespace(options: &ConnectOptions) -> Result<Option<String>> {
    let kubeconfig = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let kubeconfig = match kubeconfig {
        Err(error) if options.kubeconfig.is_none() && is_absent(&error) => {
            let in_cluster = Config::incluster().ok().filter(|_| options.context.is_none());
            return Ok(in_cluster.map(|config| config.default_namespace));
        }
        other => other.map_err(|error| kubeconfig_error(&error))?,
    };
    let name = options.context.clone().or(kubeconfig.current_context);
    let context = kubeconfig.contexts.into_iter().find(|context| Some(&context.name) == name.as_ref());
    Ok(context.and_then(|context| context.context?.namespace).filter(|namespace| !namespace.is_empty()))
}

async fn config(options: &ConnectOptions) -> Result<Config> {
    let choice = KubeConfigOptions { context: options.context.clone(), ..Default::default() };
    if let Some(path) = &options.kubeconfig {
        let told =
            |error: KubeconfigError| kubeconfig_error(&error).hint(format!("--kubeconfig names {}", path.display()));
        let kubeconfig = Kubeconfig::read_from(path).map_err(told)?;
        return Config::from_custom_kubeconfig(kubeconfig, &choice).await.map_err(told);
    }
    match Config::from_kubeconfig(&choice).await {
        Ok(config) => Ok(config),
        Err(error) if !is_absent(&error) || options.context.is_some() => Err(kubeconfig_error(&error)),
        Err(error) => {
            Config::incluster().map_err(|_| kubeconfig_error(&error).hint("nor does this run inside a cluster"))
        }
    }
}

/// Tells whether there is simply no kubeconfig, which inside a cluster is no mistake.
fn is_absent(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::FindPath | KubeconfigError::CurrentContextNotSet => true,
        KubeconfigError::ReadConfig(cause, _) => cause.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

fn kubeconfig_error(error: &KubeconfigError) -> Error {
    let what = match error {
        KubeconfigError::FindPath => "there is no kubeconfig: no home directory and no $KUBECONFIG".to_owned(),
        KubeconfigError::ReadConfig(cause, path) => format!("kubeconfig {}: {cause}", path.display()),
        KubeconfigError::CurrentContextNotSet => "the kubeconfig has no current-context".to_owned(),
        KubeconfigError::LoadContext(name) => format!("the kubeconfig has no context {name:?}"),
        KubeconfigError::LoadClusterOfContext(name) => {
            format!("the kubeconfig's context names no known cluster: {name:?}")
        }
        KubeconfigError::Parse(cause) => {
            format!("the kubeconfig is not valid YAML: {}", cause.to_string().lines().next().unwrap_or_default())
        }
        other => format!("the kubeconfig cannot be used: {other}"),
    };
    Error::server(what).hint(
        "set $KUBECONFIG or --kubeconfig, choose with --context; `kubectl config get-contexts` lists what there is",
    )
}

/// Says what went wrong between here and the server in one line, without kube's ladder and without a dump: the output of a
/// credential plugin may hold a token.
fn client_error(error: &kube::Error) -> String {
    match error {
        kube::Error::Auth(auth) => auth_error(auth),
        kube::Error::Service(cause) => match cause.downcast_ref::<AuthError>() {
            Some(auth) => auth_error(auth),
            None => root(cause.as_ref()),
        },
        kube::Error::HyperError(cause) => root(cause),
        other => root(other),
    }
}

/// Sorts out why a request got no answer at all.
fn not_sent(error: &kube::Error) -> Failure {
    let text = client_error(error);
    let is_auth = match error {
        kube::Error::Auth(_) => true,
        kube::Error::Service(cause) => cause.is::<AuthError>(),
        _ => false,
    };
    // rustls' own words; the type is buried under hyper's errors and depends on its version.
    if is_auth || text.contains("invalid peer certificate") { Failure::Hopeless(text) } else { Failure::Broken(text) }
}

fn auth_error(error: &AuthError) -> String {
    match error {
        // The command line may hold a secret, and standard output is where the token comes: neither is shown.
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let said = said.trim().lines().last().unwrap_or("it said nothing").to_owned();
            format!("the kubeconfig's credential plugin ended with {}: {said}", out.status)
        }
        AuthError::AuthExecStart(cause) => format!("the kubeconfig's credential plugin could not be started: {cause}"),
        other => format!("no credentials: {}", root(other)),
    }
}

/// Returns the innermost cause: the outer ones only say that something failed.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    // rustls adds where its documentation explains it to programmers.
    text.split_once(": https://docs.rs/").map(|(what, _)| what.to_owned()).unwrap_or(text)
}

fn failure(code: StatusCode, headers: &HeaderMap, body: &Bytes) -> Failure {
    let header = headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let status = wire::read::<Status>(body).filter(|status| status.code != 0 || !status.reason.is_empty());
    let mut status = status.unwrap_or_else(|| {
        let said = if body.is_empty() { String::new() } else { format!(": {}", start(body)) };
        Status { message: format!("HTTP {code}{said}"), ..Default::default() }
    });
    status.code = code.as_u16();
    let detail = status.details.as_ref().map(|details| details.retry_after_seconds).filter(|seconds| *seconds > 0);
    let seconds: Option<u64> = header.or(detail.map(u64::from));
    Failure::Status { status: Box::new(status), retry_after: seconds.map(Duration::from_secs) }
}

/// Returns the first bytes of an answer, fit for one line: a load balancer's HTML, say.
fn start(body: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(&body[..body.len().min(120)]).chars().map(printable).collect();
    format!("{:?}", text.trim())
}

fn printable(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

fn read_error(what: &str, url: &str, failure: &Failure) -> Error {
    match failure {
        Failure::Hopeless(cause) => Error::server(format!("{what} could not be read from {url}: {cause}"))
            .hint("the kubeconfig's user and certificate-authority decide this; `kubectl config view --minify` shows them"),
        Failure::Broken(cause) => Error::server(format!("{what} could not be read from {url}: {cause}"))
            .hint("is the server up, and is this the right one? `kubectl config current-context` and `kubectl cluster-info` tell"),
        Failure::Status { status, .. } if status.code == 401 => {
            Error::server(format!("{url} does not know who you are (401 Unauthorized)"))
                .hint("the token or certificate in the kubeconfig may have expired: log in again")
        }
        Failure::Status { status, .. } if status.code == 403 => {
            Error::server(format!("{what} may not be read: {}", status.message)).hint("ask for the right named above")
        }
        Failure::Status { .. } => Error::server(format!("{what} could not be read: {}", failure.text())),
    }
}

/// Returns the request paths of one namespace's objects of one kind.
pub(crate) fn requests(namespace: &str, kind: crate::flame::names::Kind) -> kube::core::Request {
    kube::core::Request::new(format!("/api/v1/namespaces/{namespace}/{}", kind.resource()))
}

/// Turns a request that could not be built into an error; names are checked before, so this is not to be seen.
pub(crate) fn built(
    object: &ObjectRef,
    request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
) -> Result<http::Request<Vec<u8>>> {
    request.map_err(|error| Error::server(format!("no request could be made for {object}: {error}")))
}
