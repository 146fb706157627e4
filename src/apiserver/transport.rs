//! The HTTP client: one for every way to a server, straight or through a proxy.
//!
//! It is kube's but for three things. A small request is sent at once, and not held back until the server has acknowledged what
//! came before it (Nagle's algorithm, which costs 40 ms where the other side waits as well). Requests go straight to the
//! connections, without a queue and a task in between. And all proxies share one type of connection, which hyper is compiled for
//! once.
//!
//! Connections can be opened before anybody needs them, see [`Transport::open_ahead`].
//!
//! It repeats nothing: kube would repeat 429, 503 and 504 up to 15 times without a word, a POST after 504 included (design: kube
//! 5.0). Of kube's timeouts it has only the one for connecting, [`CONNECT_TIMEOUT`]; whoever sends a request bounds the rest.

use std::collections::VecDeque;
use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kube::Config;
use kube::client::{Body, ConfigExt};
use percent_encoding::percent_decode_str;
use prost::bytes::Bytes;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use super::{CONNECT_TIMEOUT, clock};

/// What this program calls itself, as it stands in a server's audit log.
const USER_AGENT: &str = concat!("flamectl/", env!("CARGO_PKG_VERSION"));

/// How long a connection that was opened ahead is good for: whoever is between may drop one that nothing is sent on.
const SPARE_FOR: Duration = Duration::from_secs(10);

/// Connections to one server with one set of credentials.
#[derive(Clone)]
pub(super) struct Transport {
    service: BoxCloneSyncService<Request<Body>, Response<Incoming>, BoxError>,
    dial: Dial,
    server: Uri,
    default_namespace: String,
}

impl Transport {
    /// Makes one; sends nothing.
    ///
    /// # Errors
    /// Where credentials or certificates cannot be used, or the proxy is of an unknown kind.
    pub fn new(config: &Config) -> kube::Result<Self> {
        let https = config.rustls_https_connector_with_connector(Route::new(config)?)?;
        let dial = Dial { https, ahead: Arc::default() };
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer()?)
            .layer(config.extra_headers_layer()?)
            .map_err(BoxError::from)
            .service(Client::builder(TokioExecutor::new()).build::<_, Body>(dial.clone()));
        let service = BoxCloneSyncService::new(service);
        let (server, default_namespace) = (config.cluster_url.clone(), config.default_namespace.clone());
        Ok(Self { service, dial, server, default_namespace })
    }

    /// Begins to open connections until there have been `count`, for requests that are going to be sent at the same time soon:
    /// each takes two round trips, which then pass while the server is waited for anyway. What nobody takes is closed.
    pub fn open_ahead(&self, count: usize) {
        self.dial.open_ahead(&self.server, count);
    }

    /// Sends one request once.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn send(&self, mut request: Request<Bytes>) -> kube::Result<Response<Incoming>> {
        request.headers_mut().insert(http::header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        self.service.clone().oneshot(request.map(Body::from)).await.map_err(sort)
    }

    /// Returns kube's client on the same connections, for what is no plain request.
    pub fn client(&self) -> kube::Client {
        kube::Client::new(self.service.clone(), self.default_namespace.clone())
    }
}

/// Sorts an error of one of the layers, as kube does.
fn sort(error: BoxError) -> kube::Error {
    let error = match error.downcast::<kube::Error>() {
        Ok(error) => return *error,
        Err(error) => error,
    };
    match error.downcast::<hyper::Error>() {
        Ok(error) => kube::Error::HyperError(*error),
        Err(error) => kube::Error::Service(error),
    }
}

type Tcp = TokioIo<TcpStream>;
type Secret = MaybeHttpsStream<MaybeHttpsStream<Tcp>>;
type Connecting<Stream> = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

/// Connects to the server, encrypted where its URL says so, within [`CONNECT_TIMEOUT`].
#[derive(Clone)]
struct Dial {
    https: HttpsConnector<Route>,
    ahead: Arc<Mutex<Ahead>>,
}

/// Connections that were opened before anybody needed them.
#[derive(Default)]
struct Ahead {
    /// When each was begun, the oldest first; it may not be through yet.
    spares: VecDeque<(Instant, JoinHandle<Result<Secret, BoxError>>)>,
    /// How many connections were begun, whoever needed them.
    begun: usize,
}

impl Dial {
    fn open_ahead(&self, server: &Uri, count: usize) {
        let mut ahead = self.ahead();
        while ahead.begun < count {
            let spare = tokio::spawn(self.open(server.clone()));
            ahead.spares.push_back((clock(), spare));
            ahead.begun += 1;
        }
    }

    /// Returns what was opened ahead and is still of use.
    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        // It is whole between any two lines that could panic.
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let before = ahead.spares.len();
        ahead.spares.retain(|(began, _)| began.elapsed() < SPARE_FOR);
        ahead.begun -= before - ahead.spares.len();
        ahead
    }

    fn open(&self, server: Uri) -> Connecting<Secret> {
        Box::pin(within(CONNECT_TIMEOUT, self.https.clone().call(server)))
    }

    /// Returns the oldest connection that was opened ahead. One that failed meanwhile says nothing about the next.
    fn spare(&self) -> Option<Connecting<Secret>> {
        let mut ahead = self.ahead();
        while let Some((_, mut spare)) = ahead.spares.pop_front() {
            match (&mut spare).now_or_never() {
                None => return Some(Box::pin(async move { spare.await? })),
                Some(Ok(Ok(stream))) => return Some(Box::pin(ready(Ok(stream)))),
                Some(Ok(Err(_)) | Err(_)) => ahead.begun -= 1,
            }
        }
        ahead.begun += 1;
        None
    }
}

impl Service<Uri> for Dial {
    type Response = Secret;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        self.spare().unwrap_or_else(|| self.open(server))
    }
}

async fn within<T>(limit: Duration, connecting: impl Future<Output = Result<T, BoxError>>) -> Result<T, BoxError> {
    let timed_out = |_| {
        let what = format!("no connection within {} s", limit.as_secs());
        io::Error::new(io::ErrorKind::TimedOut, what)
    };
    tokio::time::timeout(limit, connecting).await.map_err(timed_out)?
}

/// The way to a server, up to where its own encryption begins.
#[derive(Clone)]
enum Route {
    Straight(HttpConnector),
    Socks(SocksV5<HttpConnector>),
    Tunnel(Tunnel<HttpConnector>),
    /// Through a proxy that is itself spoken to over TLS.
    SecretTunnel(Tunnel<HttpsConnector<HttpConnector>>),
}

impl Route {
    fn new(config: &Config) -> kube::Result<Self> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        let Some(proxy) = &config.proxy_url else { return Ok(Self::Straight(http)) };
        match proxy.scheme_str() {
            Some("socks5") => Ok(Self::Socks(SocksV5::new(proxy.clone(), http))),
            Some("http") => Ok(Self::Tunnel(with_credentials(Tunnel::new(proxy.clone(), http), proxy))),
            Some("https") => {
                let https = config.rustls_https_connector_with_connector(http)?;
                Ok(Self::SecretTunnel(with_credentials(Tunnel::new(proxy.clone(), https), proxy)))
            }
            _ => Err(kube::Error::Service(unknown(proxy).into())),
        }
    }
}

impl Service<Uri> for Route {
    type Response = MaybeHttpsStream<Tcp>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Each is asked when it is called.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        match self.clone() {
            Self::Straight(http) => connect(http, server, MaybeHttpsStream::Http),
            Self::Socks(socks) => connect(socks, server, MaybeHttpsStream::Http),
            Self::Tunnel(tunnel) => connect(tunnel, server, MaybeHttpsStream::Http),
            Self::SecretTunnel(tunnel) => connect(tunnel, server, |stream| stream),
        }
    }
}

fn connect<C>(
    connector: C,
    server: Uri,
    stream: impl FnOnce(C::Response) -> MaybeHttpsStream<Tcp> + Send + 'static,
) -> Connecting<MaybeHttpsStream<Tcp>>
where
    C: Service<Uri, Error: Into<BoxError>, Future: Send, Response: Send> + Send + 'static,
{
    Box::pin(async move { connector.oneshot(server).await.map(stream).map_err(Into::into) })
}

/// Says what is wrong with a proxy of another kind; its URL may hold a password, which is not shown.
fn unknown(proxy: &Uri) -> String {
    let scheme = proxy.scheme_str().unwrap_or_default();
    let place = proxy.host().unwrap_or_default();
    let port = proxy.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!(
        "the proxy {scheme}://{place}{port} cannot be used, only http, https and socks5 ones; the kubeconfig's proxy-url or the \
         variable HTTPS_PROXY names it"
    )
}

/// Adds the user and password of the proxy's URL.
fn with_credentials<C>(tunnel: Tunnel<C>, proxy: &Uri) -> Tunnel<C> {
    let credentials = proxy.authority().and_then(|it| it.as_str().rsplit_once('@')).and_then(|(user, _)| basic(user));
    match credentials {
        Some(credentials) => tunnel.with_auth(credentials),
        None => tunnel,
    }
}

/// Returns the header's value for `user:password` as it stands in a URL.
fn basic(user: &str) -> Option<HeaderValue> {
    let plain: Vec<u8> = percent_decode_str(user).collect();
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request with `answer`, and is then at its end; returns what was asked.
    async fn serve(listener: TcpListener, answer: &str) -> Vec<String> {
        converse(listener.accept().await.unwrap().0, answer).await
    }

    async fn converse(mut stream: TcpStream, answer: &str) -> Vec<String> {
        let (reader, mut writer) = stream.split();
        let mut lines = BufReader::new(reader).lines();
        let mut said = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap().filter(|line| !line.is_empty()) {
            said.push(line);
        }
        writer.write_all(answer.as_bytes()).await.unwrap();
        said
    }

    async fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (listener, address)
    }

    fn is_prompt(stream: &MaybeHttpsStream<Tcp>) -> bool {
        match stream {
            MaybeHttpsStream::Http(stream) => stream.inner().nodelay().unwrap(),
            MaybeHttpsStream::Https(_) => panic!("there is no TLS here"),
        }
    }

    #[tokio::test]
    async fn a_small_request_waits_for_no_acknowledgement() {
        let (_listener, address) = listen().await;
        let server: Uri = format!("http://{address}").parse().unwrap();
        let route = Route::new(&Config::new(server.clone())).unwrap();
        assert!(is_prompt(&route.oneshot(server).await.unwrap()));
    }

    #[tokio::test]
    async fn a_proxy_gets_the_credentials_of_its_url_and_the_server_does_not() {
        let (listener, address) = listen().await;
        let server: Uri = "https://flames.example:6443".parse().unwrap();
        let mut config = Config::new(server.clone());
        config.proxy_url = Some(format!("http://me:p%40ss%3Aword@{address}").parse().unwrap());
        let route = Route::new(&config).unwrap();
        let established = serve(listener, "HTTP/1.1 200 Connection established\r\n\r\n");
        let (said, stream) = tokio::join!(established, route.oneshot(server));
        assert_eq!(said[0], "CONNECT flames.example:6443 HTTP/1.1");
        let credentials = format!("Basic {}", STANDARD.encode("me:p@ss:word"));
        assert!(said.iter().any(|line| line.ends_with(&credentials)), "{said:?}");
        assert!(is_prompt(&stream.unwrap()));
    }

    #[tokio::test]
    async fn a_server_is_told_who_asks() {
        let (listener, address) = listen().await;
        let config = Config::new(format!("http://{address}").parse().unwrap());
        let transport = Transport::new(&config).unwrap();
        let request = Request::get("/version").body(Bytes::new()).unwrap();
        let answers = serve(listener, "HTTP/1.1 204 No Content\r\n\r\n");
        let (said, response) = tokio::join!(answers, transport.send(request));
        assert_eq!((said[0].as_str(), response.unwrap().status().as_u16()), ("GET /version HTTP/1.1", 204));
        assert!(said.contains(&format!("user-agent: {USER_AGENT}")), "{said:?}");
    }

    /// A way without a server.
    fn dial() -> Dial {
        let config = Config::new("https://flames.example".parse().unwrap());
        Transport::new(&config).unwrap().dial
    }

    fn failed() -> JoinHandle<Result<Secret, BoxError>> {
        tokio::spawn(async { Err("gone".into()) })
    }

    #[tokio::test]
    async fn a_connection_that_was_opened_ahead_is_there_for_the_next_request() {
        let (listener, address) = listen().await;
        let config = Config::new(format!("http://{address}").parse().unwrap());
        let transport = Transport::new(&config).unwrap();
        transport.open_ahead(1);
        // Nothing is asked yet, and nobody listens for a second one.
        let (stream, _) = listener.accept().await.unwrap();
        drop(listener);
        transport.open_ahead(1);
        let request = Request::get("/version").body(Bytes::new()).unwrap();
        let answers = converse(stream, "HTTP/1.1 204 No Content\r\n\r\n");
        let (said, response) = tokio::join!(answers, transport.send(request));
        assert_eq!((said[0].as_str(), response.unwrap().status().as_u16()), ("GET /version HTTP/1.1", 204));
    }

    #[tokio::test]
    async fn connections_are_opened_ahead_only_up_to_how_many_there_were() {
        let dial = dial();
        assert!(dial.spare().is_none(), "a request opens one itself");
        dial.open_ahead(&Uri::from_static("http://flames.example"), 3);
        assert_eq!(dial.ahead().spares.len(), 2);
    }

    #[tokio::test]
    async fn a_connection_that_failed_before_anybody_took_it_is_opened_anew() {
        let dial = dial();
        let spare = failed();
        while !spare.is_finished() {
            tokio::task::yield_now().await;
        }
        *dial.ahead() = Ahead { spares: [(clock(), spare)].into(), begun: 1 };
        assert!(dial.spare().is_none());
        assert_eq!(dial.ahead().begun, 1);
    }

    #[tokio::test]
    async fn a_connection_that_nobody_took_for_long_is_closed() {
        let dial = dial();
        *dial.ahead() = Ahead { spares: [(clock() - SPARE_FOR, failed())].into(), begun: 1 };
        let ahead = dial.ahead();
        assert_eq!((ahead.spares.len(), ahead.begun), (0, 0));
    }

    #[test]
    fn a_proxy_of_an_unknown_kind_is_named_without_its_password() {
        let mut config = Config::new("https://flames.example".parse().unwrap());
        config.proxy_url = Some("ftp://me:secret@proxy.example:21".parse().unwrap());
        let error = crate::apiserver::client_error(&Route::new(&config).map(|_| ()).unwrap_err());
        assert!(error.starts_with("the proxy ftp://proxy.example:21 cannot be used"), "{error}");
    }

    #[tokio::test]
    async fn who_never_answers_is_not_waited_for() {
        let never = std::future::pending::<Result<(), BoxError>>();
        let error = within(Duration::from_millis(1), never).await.unwrap_err();
        assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().starts_with("no connection within "), "{error}");
    }
}
