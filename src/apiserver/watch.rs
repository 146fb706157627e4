//! What changes: a watch that resumes, relists once after 410, and finds a stream that died silently within a minute.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kube::core::params::WatchParams;
use kube::core::{Status, WatchEvent};
use prost::bytes::{Buf, BytesMut};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::read::PodList;
use super::wire::{self, Encoded, Shape};
use super::{ApiServer, Failure, Observer, RETRY_AFTER_MAX, accepting, body, clock, failure, retry_after};
use crate::flame::names::Kind;
use crate::flame::observed::{Observed, ObservedPod};
use crate::flame::rollout::Event;

/// First pause after a watch that could not be opened, and its ceiling; each is lengthened at random, see [`spread`].
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(6));
/// A watch that lived shorter than this is followed by a pause.
const SHORT: Duration = Duration::from_secs(1);
/// Longest event of a watch, in bytes: objects are limited to 1.5 MiB by etcd.
const EVENT_LIMIT: usize = 8 << 20;
/// News that may wait to be looked at.
const QUEUE: usize = 1024;
/// How long events gather where many come: not seen by who looks, a small part of the second in which `watch` repairs, and
/// nothing that a server would take for a reader that is too slow.
const GATHERS: Duration = Duration::from_millis(50);
/// So many that come one close upon the other are not many: what happens to one or two Pods is looked at without delay.
const FEW: u32 = 16;

/// How soon a server that hangs is noticed, at the price of a request for each stream in this time and no list.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// Seconds after which the server ends a watch. A stream that says nothing for longer than that is dead.
    seconds: u32,
    /// How long a stream may say nothing: the server's own end and a margin.
    idle: Duration,
    /// Where events come one close upon the other they gather for so long: to wake up costs more than to read one.
    gathers: Duration,
}

impl Attention {
    /// For those who look at it: what they see should not be old.
    pub const LOOKING: Self = Self { seconds: 15, idle: Duration::from_secs(20), gathers: GATHERS };
    /// For those who keep flames for months.
    pub const KEEPING: Self = Self { seconds: 45, idle: Duration::from_secs(55), gathers: GATHERS };
    /// For those who wait for something.
    pub const AWAITING: Self = Self { gathers: Duration::ZERO, ..Self::KEEPING };
}

/// What a watch tells.
#[derive(Clone, Debug)]
pub enum News {
    /// An object was made or changed.
    Seen(Observed),
    /// An object is gone, or no longer selected; this is its last state.
    Deleted(Observed),
    /// The server had forgotten the past: these are all Pods.
    Relisted(Vec<Box<ObservedPod>>),
    /// The server had forgotten the past of the few objects of this kind: what is known of them may be old.
    Forgotten(Kind),
    /// The connection is in trouble, and this is why; it is being mended.
    Trouble(String),
}

/// News of one flame's objects: from streams of its own, which end when this is dropped, or from a
/// [`Hub`](super::hub::Hub).
pub struct Watch(Source);

/// Where news wait. A stream of its own is read no faster than its news are looked at; one that many flames share waits for
/// none of them.
enum Source {
    Own(Box<Streams>),
    /// Boxed, as a channel keeps room for dozens, and there may be thousands of flames.
    Shared(mpsc::UnboundedReceiver<Box<News>>),
}

/// A stream a kind, each on a task.
struct Streams {
    news: mpsc::Receiver<News>,
    /// What a stream begins as.
    follower: Follower,
    tasks: BTreeMap<Kind, JoinHandle<()>>,
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.tasks.values().for_each(JoinHandle::abort);
    }
}

impl Streams {
    fn follow(&mut self, kinds: &[Kind]) -> bool {
        let before = self.tasks.len();
        self.tasks.retain(|kind, task| {
            let stays = kinds.contains(kind);
            if !stays {
                task.abort();
            }
            stays
        });
        let has_closed = self.tasks.len() < before;
        for kind in kinds {
            let follower = || tokio::spawn(keep_following(Follower { kind: *kind, ..self.follower.clone() }));
            self.tasks.entry(*kind).or_insert_with(follower);
        }
        has_closed
    }
}

impl Watch {
    /// Makes a watch of what a hub hands on.
    pub(super) fn shared(news: mpsc::UnboundedReceiver<Box<News>>) -> Self {
        Self(Source::Shared(news))
    }

    /// Follows just these kinds from now on, those that were not followed from the beginning; returns whether another one was
    /// until now. What a hub hands on is always all.
    pub fn follow(&mut self, kinds: &[Kind]) -> bool {
        match &mut self.0 {
            Source::Own(streams) => streams.follow(kinds),
            Source::Shared(_) => false,
        }
    }

    /// Waits for the next news. Cancel-safe.
    pub async fn next(&mut self) -> Option<News> {
        match &mut self.0 {
            Source::Own(streams) => streams.news.recv().await,
            Source::Shared(news) => news.recv().await.map(|news| *news),
        }
    }

    /// Returns news that are there already.
    pub fn ready(&mut self) -> Option<News> {
        match &mut self.0 {
            Source::Own(streams) => streams.news.try_recv().ok(),
            Source::Shared(news) => news.try_recv().ok().map(|news| *news),
        }
    }
}

impl ApiServer {
    /// Watches objects of `kinds` that `selector` selects from `resource_version` on.
    pub fn watch(&self, namespace: &str, kinds: &[Kind], selector: &str, resource_version: &str) -> Watch {
        let (sender, news) = mpsc::channel(QUEUE);
        let follower = Follower {
            api: self.clone(),
            namespace: namespace.to_owned(),
            selector: selector.to_owned(),
            kind: Kind::Pod,
            resource_version: resource_version.to_owned(),
            news: sender,
        };
        let mut streams = Streams { news, follower, tasks: BTreeMap::new() };
        streams.follow(kinds);
        Watch(Source::Own(Box::new(streams)))
    }
}

#[derive(Clone)]
struct Follower {
    api: ApiServer,
    namespace: String,
    selector: String,
    kind: Kind,
    resource_version: String,
    news: mpsc::Sender<News>,
}

/// A stream that goes on where it left off, however often it ends.
pub(super) trait Resumed {
    /// Opens it and hands on what it tells until it ends.
    async fn follow(&mut self) -> End;
    /// Reads everything once after the server forgot where it was (410).
    async fn relist(&mut self);
    /// Tells whoever listens why it is in trouble.
    async fn trouble(&self, why: String);
}

/// Follows a stream until nobody listens any more, with pauses while that does not work.
pub(super) async fn keep_following(mut stream: impl Resumed) {
    let mut pace = Pace::default();
    loop {
        let began = clock();
        let end = stream.follow().await;
        let lived = began.elapsed();
        let wish = match end {
            End::Closed => None,
            End::Expired => {
                stream.relist().await;
                Some(Duration::ZERO)
            }
            End::Trouble(why, after) => {
                stream.trouble(why).await;
                Some(after.unwrap_or_default())
            }
            End::Abandoned => return,
        };
        pace.rest(lived, wish).await;
    }
}

/// How a stream ended.
pub(super) enum End {
    /// As streams do: go on where it was.
    Closed,
    /// The server forgot where it was (410).
    Expired,
    /// Something is wrong, and the server may say when to come back.
    Trouble(String, Option<Duration>),
    /// Nobody listens any more.
    Abandoned,
}

impl Follower {
    /// Opens one stream and hands its events on until it ends.
    async fn stream<T: Shape>(&mut self, observed: fn(T) -> Observed) -> End {
        let path = format!("/api/v1/namespaces/{}/{}", self.namespace, self.kind.resource());
        let params = WatchParams { label_selector: Some(self.selector.clone()), ..watch_params(Attention::AWAITING) };
        let request = kube::core::Request::new(path).watch(&params, &self.resource_version);
        let news = |change, it| {
            let observed = observed(it);
            let resource_version = observed.meta().resource_version.to_string();
            let news = match change {
                Change::Seen => News::Seen(observed),
                Change::Deleted => News::Deleted(observed),
            };
            (resource_version, Some(news))
        };
        follow(&self.api, request, &mut self.resource_version, &self.news, Attention::AWAITING, None, news).await
    }
}

impl Resumed for Follower {
    async fn follow(&mut self) -> End {
        match self.kind {
            Kind::Pod => self.stream::<wire::Pod>(|it| Observed::Pod(Box::new(it.into()))).await,
            Kind::Service => self.stream::<wire::Service>(|it| Observed::Service(it.into())).await,
            Kind::ConfigMap => self.stream::<wire::ConfigMap>(|it| Observed::ConfigMap(it.into())).await,
        }
    }

    /// Only Pods are listed; the few other objects are read by name, and their watch goes on from now.
    async fn relist(&mut self) {
        if self.kind != Kind::Pod {
            self.resource_version.clear();
            let _ = self.news.send(News::Forgotten(self.kind)).await;
            return;
        }
        let listed = self.api.list_pods(&self.namespace, &self.selector, &Silent).await;
        match listed {
            Ok(PodList { pods, resource_version }) => {
                self.resource_version = resource_version;
                let _ = self.news.send(News::Relisted(pods)).await;
            }
            Err(error) => self.trouble(error.what).await,
        }
    }

    async fn trouble(&self, why: String) {
        // Nobody who listens is nobody to tell; the stream finds out by itself.
        let _ = self.news.send(News::Trouble(why)).await;
    }
}

/// What happened to an object.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// It was made or changed.
    Seen,
    /// It is gone.
    Deleted,
}

/// Returns what all watches ask for.
pub(super) fn watch_params(attention: Attention) -> WatchParams {
    WatchParams { timeout: Some(attention.seconds), bookmarks: true, ..Default::default() }
}

/// Opens one stream, tells that with `opened`, and sends on what `news` makes of its events, with the `resourceVersion` from
/// which to go on, until it ends or says nothing for longer than `attention` allows; nor may it
/// take longer to open.
pub(super) async fn follow<T: Shape, N>(
    api: &ApiServer,
    request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    resource_version: &mut String,
    listener: &mpsc::Sender<N>,
    attention: Attention,
    opened: Option<N>,
    news: impl Fn(Change, T) -> (String, Option<N>),
) -> End {
    let idle = attention.idle;
    let mut events = match open::<T>(api, request, attention).await {
        Ok(events) => events,
        Err(Failure::Status { status, .. }) if status.code == 410 => return End::Expired,
        Err(failure) => return End::Trouble(failure.text(), retry_after(&failure)),
    };
    if let Some(opened) = opened
        && listener.send(opened).await.is_err()
    {
        return End::Abandoned;
    }
    loop {
        let event = match tokio::time::timeout(idle, events.next()).await {
            Err(_) => return End::Trouble(format!("the watch said nothing for {} s", idle.as_secs()), None),
            Ok(Err(why)) => return End::Trouble(why, None),
            Ok(Ok(None)) => return End::Closed,
            Ok(Ok(Some(event))) => event,
        };
        let (change, it) = match event.event::<T>() {
            Some(WatchEvent::Added(it) | WatchEvent::Modified(it)) => (Change::Seen, it),
            Some(WatchEvent::Deleted(it)) => (Change::Deleted, it),
            Some(WatchEvent::Bookmark(bookmark)) => {
                *resource_version = bookmark.metadata.resource_version;
                continue;
            }
            Some(WatchEvent::Error(status)) => return ended_by(&status),
            None => return End::Trouble("the watch said something that is not an event".to_owned(), None),
        };
        let (version, news) = news(change, it);
        *resource_version = version;
        if let Some(news) = news
            && listener.send(news).await.is_err()
        {
            return End::Abandoned;
        }
    }
}

async fn open<T: Shape>(
    api: &ApiServer,
    request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    Attention { idle, gathers, .. }: Attention,
) -> Result<Events, Failure> {
    let request = request.map_err(|error| Failure::Broken(error.to_string()))?;
    let body = api.stream(accepting::<T>(request), api.request_timeout.min(idle)).await?;
    Ok(Events::new(body, gathers))
}

/// Pauses between two streams, longer and longer while they fail.
struct Pace(Duration);

impl Default for Pace {
    fn default() -> Self {
        Self(BACKOFF.0)
    }
}

impl Pace {
    /// Waits before the next stream after one that lived so long; at once after one that ended as streams do, else at least
    /// as long as is wished for.
    async fn rest(&mut self, lived: Duration, wish: Option<Duration>) {
        let lived = lived >= SHORT;
        match wish {
            None if lived => self.0 = BACKOFF.0,
            wish => {
                tokio::time::sleep(spread(wish.unwrap_or_default().min(RETRY_AFTER_MAX).max(self.0))).await;
                self.0 = if lived { BACKOFF.0 } else { (self.0 * 2).min(BACKOFF.1) };
            }
        }
    }
}

/// Returns a pause that is up to a half longer, at random: when a server comes back, its clients should not all come at once.
fn spread(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    pause + pause.mul_f64(random as f64 / u64::MAX as f64 / 2.0)
}

fn ended_by(status: &Status) -> End {
    match status.code {
        410 => End::Expired,
        _ => End::Trouble(status.message.clone(), None),
    }
}

/// Stays silent: the trouble of a relist is told as [`News::Trouble`].
pub(super) struct Silent;

impl Observer for Silent {
    fn event(&self, _: Event) {}
    fn tick(&self) {}
}

/// The events of a streamed body. They are cut off the buffer that they came in: an object of a busy watch is thousands of
/// bytes long.
struct Events<B = Incoming> {
    body: B,
    buffer: BytesMut,
    /// Up to here the buffer holds no line end.
    searched: usize,
    gathers: Duration,
    /// How many pieces came one close upon the other so far.
    close: u32,
}

impl ApiServer {
    /// Opens a stream; how long it goes on is its reader's business.
    pub(super) async fn stream(&self, request: http::Request<Vec<u8>>, within: Duration) -> Result<Incoming, Failure> {
        let traced = self.begin(&request);
        let opened = tokio::time::timeout(within, self.connection.send(request)).await;
        traced.end(opened.as_ref().ok().and_then(|opened| opened.as_ref().ok()).map(|response| response.status()));
        let opened = opened.map_err(|_| Failure::Broken(format!("{} opened no stream", self.url)))?;
        let response = opened.map_err(|error| Failure::Broken(super::client_error(&error)))?;
        let (parts, body) = response.into_parts();
        if parts.status.is_success() {
            return Ok(body);
        }
        let body = body::whole(&parts.headers, body, EVENT_LIMIT).await.unwrap_or_default();
        Err(failure(parts.status, &parts.headers, &body))
    }
}

impl<B: hyper::body::Body<Data: AsRef<[u8]>, Error: std::error::Error + 'static> + Unpin> Events<B> {
    fn new(body: B, gathers: Duration) -> Self {
        Self { body, buffer: BytesMut::new(), searched: 0, gathers, close: 0 }
    }

    /// Returns the next event; none when the server closed the stream. Half an event at the end is dropped: the watch goes on
    /// from the last whole one.
    async fn next(&mut self) -> Result<Option<Encoded>, String> {
        loop {
            // A frame begins with its length in four bytes, of which the first is 0 up to 16 MiB; no line does.
            let event = if self.buffer.first() == Some(&0) { self.frame()? } else { self.line()? };
            if event.is_some() {
                return Ok(event);
            }
            match self.piece().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(super::root(&error)),
                Some(Ok(frame)) => self.buffer.extend_from_slice(frame.data_ref().map_or(&[], AsRef::as_ref)),
            }
        }
    }

    /// Returns the next piece of the body. Where many come one close upon the other, all that is there is taken, and then some
    /// time passes in which more may gather.
    async fn piece(&mut self) -> Option<Result<hyper::body::Frame<B::Data>, B::Error>> {
        let began = clock();
        let mut there = None;
        if self.close >= FEW {
            // Lets the connection hand over what it has.
            tokio::task::yield_now().await;
            there = self.body.frame().now_or_never();
            if there.is_none() {
                tokio::time::sleep(self.gathers).await;
            }
        }
        let piece = match there {
            Some(piece) => piece,
            None => self.body.frame().await,
        };
        self.close = if began.elapsed() < self.gathers * 2 { self.close.saturating_add(1) } else { 0 };
        piece
    }

    /// Cuts off a frame of protobuf, if all of it is there.
    fn frame(&mut self) -> Result<Option<Encoded>, String> {
        let Some((head, rest)) = self.buffer.split_first_chunk() else { return Ok(None) };
        let length = u32::from_be_bytes(*head) as usize;
        if length > EVENT_LIMIT {
            return Err(format!("the watch sent an event of {length} bytes"));
        }
        if rest.len() < length {
            return Ok(None);
        }
        self.buffer.advance(size_of::<u32>());
        Ok(Some(Encoded::Frame(self.buffer.split_to(length).freeze())))
    }

    /// Cuts off a line of JSON, if all of it is there.
    fn line(&mut self) -> Result<Option<Encoded>, String> {
        if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.searched..]) {
            let line = self.buffer.split_to(self.searched + at).freeze();
            self.buffer.advance(1);
            self.searched = 0;
            return Ok(Some(Encoded::Line(line)));
        }
        self.searched = self.buffer.len();
        if self.buffer.len() > EVENT_LIMIT {
            return Err("the watch sent a line without end".to_owned());
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use http_body_util::StreamBody;
    use hyper::body::{Bytes, Frame};

    use super::*;

    /// Returns the events of a body that comes in pieces of a size, each of which is waited for, gathered or not.
    async fn events(bytes: &[u8], size: usize) -> Result<Vec<Encoded>, String> {
        let gathered = events_of(bytes, size, Duration::from_millis(1)).await;
        assert_eq!(events_of(bytes, size, Duration::ZERO).await, gathered, "pieces of {size}");
        gathered
    }

    async fn events_of(bytes: &[u8], size: usize, gathers: Duration) -> Result<Vec<Encoded>, String> {
        let pieces: Vec<_> = bytes.chunks(size).map(<[u8]>::to_vec).collect();
        let frames = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::from(piece))));
        let frames = futures_util::stream::iter(frames).then(async |frame| {
            tokio::task::yield_now().await;
            frame
        });
        let mut events = Events::new(StreamBody::new(Box::pin(frames)), gathers);
        let mut seen = Vec::new();
        while let Some(event) = events.next().await? {
            seen.push(event);
        }
        Ok(seen)
    }

    #[tokio::test]
    async fn events_come_whole_however_the_pieces_break_and_half_an_event_at_the_end_is_none() {
        let line = |text: &'static str| Encoded::Line(text.into());
        let frame = |text: &'static str| Encoded::Frame(text.into());
        for size in 1..12 {
            let lines = events(b"one\n\nthree\nfour\nha", size).await;
            assert_eq!(lines.unwrap(), [line("one"), line(""), line("three"), line("four")], "pieces of {size}");
            let frames = events(b"\0\0\0\x03one\0\0\0\0\0\0\0\x05th\nee\0\0\0\x04ha", size).await;
            assert_eq!(frames.unwrap(), [frame("one"), frame(""), frame("th\nee")], "pieces of {size}");
        }
    }

    /// Tells whether so many events, each in a piece of its own, are all read without any time going by.
    fn are_read_at_once(count: u32) -> bool {
        let bytes = b"\n".repeat(count as usize);
        let mut read = std::pin::pin!(events_of(&bytes, 1, Duration::from_secs(3600)));
        // Each piece comes after a poll or two; what needs more than that is waiting for a time.
        (0..count * 4).any(|_| read.as_mut().now_or_never().is_some())
    }

    #[tokio::test]
    async fn a_few_events_are_read_at_once_and_many_gather() {
        assert!(are_read_at_once(FEW - 1));
        assert!(!are_read_at_once(FEW + 1));
    }

    #[tokio::test]
    async fn an_event_that_is_longer_than_any_object_ends_the_stream() {
        let told = events(b"\0\xff\xff\xff{", 2).await;
        assert_eq!(told, Err("the watch sent an event of 16777215 bytes".to_owned()));
        let told = events(&vec![b'x'; EVENT_LIMIT + 2], 1 << 20).await;
        assert_eq!(told, Err("the watch sent a line without end".to_owned()));
    }

    #[test]
    fn pauses_are_never_shorter_than_wanted_and_not_all_the_same() {
        let pause = Duration::from_secs(10);
        let pauses: std::collections::BTreeSet<Duration> = (0..50).map(|_| spread(pause)).collect();
        assert!(pauses.len() > 40, "{pauses:?}");
        assert!(pauses.iter().all(|it| (pause..=pause * 3 / 2).contains(it)), "{pauses:?}");
    }
}
