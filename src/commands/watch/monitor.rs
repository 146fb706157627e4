//! What others can ask a running `watch`: whether it lives, whether it is ready, and its numbers (`--listen`).
//!
//! Everything runs on one thread: an answer to `/healthz` is the proof that the loop turns.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::apiserver::lease::ElectionNews;
use crate::error::{Error, Result};
use crate::output::log::Log;
use crate::output::metrics::{CONTENT_TYPE, Metrics};

/// Connections at a time: probes and scrapers are few.
const CONNECTIONS: usize = 16;
/// How long one may take, whatever the other side does.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause after a connection could not be taken.
const BUSY: Duration = Duration::from_secs(1);

/// What is known of the process.
#[derive(Default)]
pub struct Monitor {
    /// Its numbers.
    pub metrics: Metrics,
    readiness: Mutex<Readiness>,
}

/// What the process is ready for.
#[derive(Default)]
struct Readiness {
    role: Role,
    /// Why the Lease cannot be asked for.
    lease_trouble: Option<String>,
    /// Whether anything was listed since the work began.
    is_listed: bool,
    /// Why what is in a namespace, or in all, is not known.
    troubles: BTreeMap<Option<String>, String>,
}

/// What the process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Role {
    /// Nobody knows yet.
    #[default]
    Unknown,
    Works,
    StandsBy,
}

impl Monitor {
    /// Takes in that the work begins.
    pub fn begins(&self) {
        let mut readiness = self.readiness();
        (readiness.role, readiness.is_listed) = (Role::Works, false);
        readiness.troubles.clear();
        self.metrics.leads(true);
    }

    /// Takes in that the work ended.
    pub fn ends(&self) {
        let mut readiness = self.readiness();
        if readiness.role == Role::Works {
            readiness.role = Role::Unknown;
        }
        self.metrics.leads(false);
    }

    /// Takes in what happens in an election.
    pub fn election(&self, news: &ElectionNews) {
        let mut readiness = self.readiness();
        match news {
            ElectionNews::StandsBy(_) => readiness.role = Role::StandsBy,
            ElectionNews::Trouble(why) => {
                readiness.lease_trouble = Some(why.clone());
                self.metrics.error("Lease");
            }
            ElectionNews::Well => readiness.lease_trouble = None,
            ElectionNews::Lost(_) => self.metrics.error("LeadershipLost"),
            ElectionNews::Leads => {}
        }
    }

    /// Takes in that what is in a namespace, or in all, is known.
    pub fn listed(&self, scope: Option<&str>) {
        let mut readiness = self.readiness();
        readiness.is_listed = true;
        readiness.troubles.remove(&scope.map(str::to_owned));
    }

    /// Takes in why what is in a namespace, or in all, is not known.
    pub fn not_listed(&self, scope: Option<&str>, why: &str) {
        self.metrics.error("List");
        self.readiness().troubles.insert(scope.map(str::to_owned), why.to_owned());
    }

    /// Takes in that what is in a namespace, or in all, cannot be followed, and why.
    pub fn not_watched(&self, scope: Option<&str>, why: &str) {
        self.metrics.error("Watch");
        self.readiness().troubles.insert(scope.map(str::to_owned), why.to_owned());
    }

    /// Returns what it is ready for, or why it is not.
    fn is_ready(&self) -> std::result::Result<&'static str, String> {
        let readiness = self.readiness();
        if let Some(why) = readiness.lease_trouble.as_ref().or_else(|| readiness.troubles.values().next()) {
            return Err(why.clone());
        }
        match readiness.role {
            Role::StandsBy => Ok("standing by"),
            Role::Works if readiness.is_listed => Ok("leading"),
            Role::Works | Role::Unknown => Err("what there is was not listed yet".to_owned()),
        }
    }

    fn readiness(&self) -> MutexGuard<'_, Readiness> {
        self.readiness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request<Incoming>) -> (StatusCode, &'static str, String) {
        const TEXT: &str = "text/plain; charset=utf-8";
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return (StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".to_owned());
        }
        match request.uri().path() {
            "/healthz" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
            "/readyz" => match self.is_ready() {
                Ok(what) => (StatusCode::OK, TEXT, format!("{what}\n")),
                Err(why) => (StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("not ready: {why}\n")),
            },
            "/metrics" => (StatusCode::OK, CONTENT_TYPE, self.metrics.text()),
            _ => (StatusCode::NOT_FOUND, TEXT, "there are /healthz, /readyz and /metrics\n".to_owned()),
        }
    }
}

/// Begins to answer at `address`.
///
/// # Errors
/// Where nothing can listen there.
pub async fn listen(address: SocketAddr, monitor: &Arc<Monitor>, log: &Log) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::server(format!("cannot listen on {address}: {error}"))
            .hint("choose another address or port with --listen")
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    log.info(format!("serving /healthz, /readyz and /metrics on http://{bound}"));
    tokio::spawn(accept(listener, Arc::clone(monitor)));
    Ok(())
}

async fn accept(listener: TcpListener, monitor: Arc<Monitor>) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    // The semaphore is never closed.
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let monitor = Arc::clone(&monitor);
                tokio::spawn(async move {
                    // Whoever went away or is too slow has nobody to be told.
                    let _ = tokio::time::timeout(PATIENCE, converse(stream, monitor)).await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(BUSY).await,
        }
    }
}

async fn converse(stream: TcpStream, monitor: Arc<Monitor>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (status, content_type, text) = monitor.answer(&request);
        let response = Response::builder().status(status).header(http::header::CONTENT_TYPE, content_type);
        std::future::ready(response.body(Full::new(Bytes::from(text))))
    });
    // One request a connection: nobody holds one of the few for longer.
    let _ = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
}
