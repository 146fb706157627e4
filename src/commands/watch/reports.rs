//! Tells of repairs on the objects themselves, as Kubernetes Events. Nothing waits for that, and nothing fails for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::monitor::Monitor;
use crate::apiserver::ApiServer;
use crate::apiserver::reports::NotReported;
use crate::flame::reports::{Limiter, Posting, Report};
use crate::output::log::{Entry, Level, Log};

/// Reports that may wait to be written; what comes beyond is in the log only.
const QUEUE: usize = 512;
/// How long nothing is tried after the server said that it is not allowed.
const FORBIDDEN: Duration = Duration::from_secs(600);
/// How long the last reports may take when the work ends.
const ENDS: Duration = Duration::from_secs(1);

/// Takes reports, which a task of its own writes one by one.
#[derive(Clone)]
pub struct Reports {
    sender: mpsc::Sender<Report>,
    monitor: Arc<Monitor>,
}

impl Reports {
    /// Takes a report, unless too many wait already.
    pub fn add(&self, report: Report) {
        if self.sender.try_send(report).is_err() {
            self.monitor.metrics.reported("dropped");
        }
    }
}

/// The task that writes the reports.
pub struct Reporter(JoinHandle<()>);

impl Reporter {
    /// Starts it.
    pub fn start(api: &ApiServer, log: &Log, monitor: &Arc<Monitor>) -> (Reports, Self) {
        let (sender, reports) = mpsc::channel(QUEUE);
        let writer = Writer {
            api: api.clone(),
            log: log.clone(),
            monitor: Arc::clone(monitor),
            limiter: Limiter::default(),
            started: now(),
            told: String::new(),
            resumes: Duration::ZERO,
        };
        let reports_to = Reports { sender, monitor: Arc::clone(monitor) };
        (reports_to, Self(tokio::spawn(writer.run(reports))))
    }

    /// Waits a moment for the last reports, once nobody makes any.
    pub async fn end(mut self) {
        if tokio::time::timeout(ENDS, &mut self.0).await.is_err() {
            self.0.abort();
        }
    }
}

struct Writer {
    api: ApiServer,
    log: Log,
    monitor: Arc<Monitor>,
    limiter: Limiter,
    started: Instant,
    /// The trouble that was told last.
    told: String,
    /// Until when nothing is tried.
    resumes: Duration,
}

impl Writer {
    async fn run(mut self, mut reports: mpsc::Receiver<Report>) {
        while let Some(report) = reports.recv().await {
            let now = self.started.elapsed();
            let posting = if now < self.resumes { None } else { self.limiter.admit(&report, now) };
            let result = match posting {
                Some(posting) => self.write(&report, posting).await,
                None => "left out",
            };
            self.monitor.metrics.reported(result);
        }
    }

    /// Writes one report; says what became of it.
    async fn write(&mut self, report: &Report, posting: Posting) -> &'static str {
        let mut written = self.api.report(report, &posting).await;
        if written == Err(NotReported::Gone) {
            self.limiter.lost(report);
            written = self.api.report(report, &Posting::New).await;
        }
        let now = self.started.elapsed();
        match written {
            Ok(event) => {
                self.limiter.wrote(report, &event, now);
                self.told.clear();
                return "written";
            }
            Err(NotReported::Forbidden(why)) => {
                self.resumes = now + FORBIDDEN;
                self.tell(report, &why, "; none is tried for 10 minutes");
            }
            Err(NotReported::Failed(why)) if self.api.may_write() => self.tell(report, &why, ""),
            Err(NotReported::Failed(_) | NotReported::Gone) => {}
        }
        "failed"
    }

    /// Tells trouble once as long as it is the same; what it is about differs.
    fn tell(&mut self, report: &Report, why: &str, then: &str) {
        if self.told == why {
            return;
        }
        self.told = why.to_owned();
        let message = format!("no Event was written about {}: {why}; repairs go on{then}", report.object);
        self.log.write(None, &Entry::new(Level::Warning, "trouble", message));
    }
}

#[expect(clippy::disallowed_methods, reason = "the one clock of the task that writes reports")]
fn now() -> Instant {
    Instant::now()
}
