//! Containers' logs as they come: one task a Pod, whose stream is opened again where the log left off when it breaks.
//!
//! Lines are asked for with their times, as only those tell where a log left off.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;
use kube::core::subresource::LogParams;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::evidence::container_of;
use super::watch::Silent;
use super::{ApiServer, Failure, requests};
use crate::error::Error;
use crate::flame::logs::{LogLine, LogReader};
use crate::flame::names::{Kind, ObjectRef};
use crate::flame::observed::{Observed, ObservedPod};

/// How long a followed log may say nothing before it is opened anew: a quiet log is no broken one, but nobody tells of a
/// connection that is gone without a word.
const QUIET: Duration = Duration::from_secs(300);
/// First pause before a log is opened again, and its ceiling.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// Tries without a new line before a log that is not followed is given up.
const TRIES: u32 = 4;
/// Pieces of a log that may wait to be printed.
const QUEUE: usize = 16;

/// What of a log is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Only lines of this time until now.
    pub since: Option<Duration>,
    /// Only so many lines at the end.
    pub tail: Option<u32>,
    /// The log of the container that ended before the running one.
    pub previous: bool,
    /// Lines to come, too.
    pub follow: bool,
}

/// What a log tells.
#[derive(Clone, Debug)]
pub enum LogNews {
    /// The next lines.
    Lines(Vec<LogLine>),
    /// There is none now, and this is why; it is asked for again.
    NotYet(String),
    /// There is no more.
    End(LogEnd),
}

/// How a log ended.
#[derive(Clone, Debug)]
pub enum LogEnd {
    /// All of it was read.
    Whole,
    /// The server has none, and this is why.
    None(String),
    /// It broke off for good.
    Broken(String),
    /// No log of the flame can be read.
    Refused(Error),
}

/// One Pod's log that is being read on a task of its own; ends when dropped.
#[derive(Debug)]
pub struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Reading {
    /// Reads on for a while, for what is still under way of a Pod that is gone.
    pub fn end_after(self, time: Duration) {
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            drop(self);
        });
    }
}

impl ApiServer {
    /// Reads a Pod's log and tells `listener` with the Pod's uid.
    pub fn read_log(&self, namespace: &str, pod: &ObservedPod, options: &LogOptions, listener: LogSender) -> Reading {
        let task = Task {
            api: self.clone(),
            namespace: namespace.to_owned(),
            pod: pod.meta.name.clone(),
            uid: pod.meta.uid.clone(),
            options: options.clone(),
            reader: LogReader::default(),
            listener,
        };
        Reading(tokio::spawn(task.run()))
    }
}

/// Who is told the news of logs, each with the Pod's uid.
pub type LogSender = mpsc::Sender<(String, LogNews)>;
/// Where the news of logs come in.
pub type LogReceiver = mpsc::Receiver<(String, LogNews)>;

/// Returns the channel for the news of logs.
pub fn channel() -> (LogSender, LogReceiver) {
    mpsc::channel(QUEUE)
}

struct Task {
    api: ApiServer,
    namespace: String,
    pod: String,
    uid: String,
    options: LogOptions,
    reader: LogReader,
    listener: LogSender,
}

/// How one stream ended.
enum End {
    Closed,
    Failed(Failure),
    /// Nobody listens any more.
    Abandoned,
}

impl Task {
    async fn run(mut self) {
        let mut tries = 0;
        let mut pause = BACKOFF.0;
        loop {
            let before = self.reader.since();
            let end = match self.stream().await {
                End::Abandoned => return,
                End::Closed if !self.options.follow => Some(LogEnd::Whole),
                End::Closed => None,
                End::Failed(failure) => self.ends_by(&failure, tries).await,
            };
            if let Some(end) = end {
                let _ = self.tell(LogNews::End(end)).await;
                return;
            }
            let has_news = self.reader.since() != before;
            (tries, pause) = if has_news { (0, BACKOFF.0) } else { (tries + 1, (pause * 2).min(BACKOFF.1)) };
            tokio::time::sleep(pause).await;
            if self.options.follow && self.is_over().await {
                // What was written after the stream ended, and then no more.
                self.options.follow = false;
            }
            self.reader.reopen();
        }
    }

    /// Returns how a failure ends the log; none where it is worth another try.
    async fn ends_by(&self, failure: &Failure, tries: u32) -> Option<LogEnd> {
        let text = failure.text();
        let follow = self.options.follow;
        match failure.code() {
            401 | 403 => Some(LogEnd::Refused(super::read_error("logs", self.api.url(), failure))),
            400 if follow => {
                let _ = self.tell(LogNews::NotYet(text)).await;
                None
            }
            400 | 404 => Some(LogEnd::None(text)),
            _ if follow => None,
            _ if failure.is_transient() && tries < TRIES => None,
            _ => Some(LogEnd::Broken(text)),
        }
    }

    /// Tells whether the Pod will write no more: it ended, or another one has its name.
    async fn is_over(&self) -> bool {
        let object = ObjectRef::new(Kind::Pod, self.pod.clone());
        match self.api.get(&self.namespace, &object, &Silent).await {
            Ok(Some(Observed::Pod(pod))) => pod.meta.uid != self.uid || pod.is_over(),
            Ok(_) => true,
            Err(_) => false,
        }
    }

    /// Opens the log where it left off, and hands its lines on until the stream ends.
    async fn stream(&mut self) -> End {
        let mut body = match self.open().await {
            Ok(Some(body)) => body,
            Ok(None) => return End::Closed,
            Err(failure) => return End::Failed(failure),
        };
        loop {
            let frame = match self.options.follow {
                true => tokio::time::timeout(QUIET, body.frame()).await,
                false => Ok(body.frame().await),
            };
            let lines = match frame {
                Err(_) => return End::Closed,
                Ok(Some(Err(error))) => return End::Failed(Failure::Broken(super::root(&error))),
                Ok(Some(Ok(frame))) => self.reader.push(frame.data_ref().map_or(&[][..], |data| data)),
                Ok(None) => {
                    let rest: Vec<LogLine> = self.reader.end().into_iter().collect();
                    return if self.tell_lines(rest).await { End::Closed } else { End::Abandoned };
                }
            };
            if !self.tell_lines(lines).await {
                return End::Abandoned;
            }
        }
    }

    /// Opens a stream; none where a log that is followed says nothing for long: a server may answer with the first line only.
    async fn open(&self) -> Result<Option<Incoming>, Failure> {
        let since: Option<Timestamp> = self.reader.since();
        let is_first = since.is_none();
        let params = LogParams {
            container: container_of(&self.pod),
            follow: self.options.follow,
            previous: self.options.previous,
            since_seconds: self.options.since.filter(|_| is_first).map(whole_seconds),
            since_time: since,
            tail_lines: self.options.tail.filter(|_| is_first).map(i64::from),
            timestamps: true,
            ..Default::default()
        };
        let request = requests(&self.namespace, Kind::Pod).logs(&self.pod, &params);
        let request = request.map_err(|error| Failure::Hopeless(error.to_string()))?;
        if !self.options.follow {
            return self.api.stream(request, self.api.request_timeout).await.map(Some);
        }
        match tokio::time::timeout(QUIET, self.api.stream(request, super::NEVER)).await {
            Ok(opened) => opened.map(Some),
            Err(_) => Ok(None),
        }
    }

    async fn tell_lines(&self, lines: Vec<LogLine>) -> bool {
        lines.is_empty() || self.tell(LogNews::Lines(lines)).await
    }

    async fn tell(&self, news: LogNews) -> bool {
        self.listener.send((self.uid.clone(), news)).await.is_ok()
    }
}

/// Rounds up: a line too many is better than one that is missing.
fn whole_seconds(time: Duration) -> i64 {
    let up = u64::from(time.subsec_nanos() > 0);
    i64::try_from(time.as_secs() + up).unwrap_or(i64::MAX)
}
