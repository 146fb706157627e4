//! What can go wrong with a watch.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use futures_util::{Stream, stream};
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::proxy::{Answer, Broken, full, status};

/// How long a deletion is held back to be merged with the creation that follows.
const MERGES: Duration = Duration::from_millis(400);

/// How the proxy treats watches, counted from 1 for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Hands them on.
    Whole,
    /// Closes each after this time.
    Short(Duration),
    /// Resets each after this time.
    Reset(Duration),
    /// Answers the first so many with 410.
    Expired(usize),
    /// Answers the first so many with a stream whose first event is an ERROR 410.
    ExpiredEvent(usize),
    /// Hands the first on and says 410 in an ERROR event after this time.
    ExpiredAfter(Duration),
    /// Leaves out everything on the first, and says 410 in an ERROR event after this time.
    LostAndExpired(Duration),
    /// Never says anything on the first so many.
    Silent(usize),
    /// Makes one MODIFIED of a DELETED and an ADDED that follow each other, as a watch cache may.
    Merged,
    /// Leaves bookmarks out.
    NoBookmarks,
}

impl Streams {
    /// Returns the answer to the `nth` watch where the server is not asked.
    pub fn instead(self, nth: usize) -> Option<Answer> {
        match self {
            Self::Expired(times) if nth <= times => Some(status(410, None)),
            Self::ExpiredEvent(times) if nth <= times => Some(Response::new(full(expired()))),
            Self::Silent(times) if nth <= times => {
                Some(Response::new(StreamBody::new(stream::pending()).boxed_unsync()))
            }
            _ => None,
        }
    }

    /// Tells whether events are looked into, changed or added: then they have to be JSON. All else hands on what comes.
    pub fn reads_events(self) -> bool {
        matches!(self, Self::ExpiredAfter(_) | Self::LostAndExpired(_) | Self::Merged | Self::NoBookmarks)
    }

    fn ends_after(self, nth: usize) -> Option<Duration> {
        match self {
            Self::Short(time) | Self::Reset(time) => Some(time),
            Self::ExpiredAfter(time) | Self::LostAndExpired(time) if nth == 1 => Some(time),
            _ => None,
        }
    }
}

fn expired() -> Bytes {
    let object = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "too old resource version", "reason": "Expired", "code": 410 });
    line(&json!({ "type": "ERROR", "object": object }))
}

fn line(event: &Value) -> Bytes {
    format!("{event}\n").into()
}

/// The events of one watch on their way to the client.
pub struct Events {
    body: kube::client::Body,
    streams: Streams,
    ends_at: Option<Instant>,
    buffer: Vec<u8>,
    ready: VecDeque<Bytes>,
    /// Deletions held back, by name.
    held: HashMap<String, (Instant, Value)>,
    over: bool,
}

impl Events {
    pub fn new(body: kube::client::Body, streams: Streams, nth: usize) -> Self {
        let ends_at = streams.ends_after(nth).map(|time| Instant::now() + time);
        Self { body, streams, ends_at, buffer: Vec::new(), ready: VecDeque::new(), held: HashMap::new(), over: false }
    }

    pub fn frames(self) -> impl Stream<Item = Result<Frame<Bytes>, Broken>> {
        stream::unfold(self, |mut this| async move {
            let next = this.next().await?;
            Some((next.map(Frame::data), this))
        })
    }

    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            if self.over {
                return None;
            }
            let held_until = self.held.values().map(|(until, _)| *until).min();
            let far = Instant::now() + Duration::from_secs(3600);
            let wake = [held_until, self.ends_at].into_iter().flatten().min().unwrap_or(far);
            match timeout_at(wake, self.body.frame()).await {
                Err(_) if self.ends_at.is_some_and(|end| end <= Instant::now()) => {
                    self.over = true;
                    match self.streams {
                        Streams::Reset(_) => return Some(Err(Broken)),
                        Streams::ExpiredAfter(_) | Streams::LostAndExpired(_) => return Some(Ok(expired())),
                        _ => return None,
                    }
                }
                Err(_) => self.release(),
                Ok(None | Some(Err(_))) => self.over = true,
                Ok(Some(Ok(frame))) => self.take(frame.into_data().unwrap_or_default()),
            }
        }
    }

    /// Lets deletions go that nothing followed.
    fn release(&mut self) {
        let now = Instant::now();
        let due: Vec<String> =
            self.held.iter().filter(|(_, (until, _))| *until <= now).map(|(name, _)| name.clone()).collect();
        for name in due {
            self.ready.extend(self.held.remove(&name).map(|(_, event)| line(&event)));
        }
    }

    fn take(&mut self, bytes: Bytes) {
        if !self.streams.reads_events() {
            self.ready.push_back(bytes);
            return;
        }
        self.buffer.extend_from_slice(&bytes);
        while let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let rest = self.buffer.split_off(at + 1);
            let event = std::mem::replace(&mut self.buffer, rest);
            let event = serde_json::from_slice(&event).unwrap();
            self.filter(event);
        }
    }

    fn filter(&mut self, mut event: Value) {
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        let name = event["object"]["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        match (self.streams, kind.as_str()) {
            (Streams::NoBookmarks, "BOOKMARK") => return,
            // Only the first ends by itself.
            (Streams::LostAndExpired(_), _) if self.ends_at.is_some() => return,
            (Streams::Merged, "DELETED") => {
                self.held.insert(name, (Instant::now() + MERGES, event));
                return;
            }
            (Streams::Merged, "ADDED") if self.held.remove(&name).is_some() => event["type"] = "MODIFIED".into(),
            _ => {}
        }
        self.ready.push_back(line(&event));
    }
}
