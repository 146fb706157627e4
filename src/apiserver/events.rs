//! Events of one namespace, slim: a list of those that are wanted, and a watch that goes on from it.

use kube::core::params::{ListParams, WatchParams};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::evidence::event_requests;
use super::read::Pages;
use super::watch::{Attention, Change, End, Resumed, Silent, follow, keep_following, watch_params};
use super::{ApiServer, Observer, wire};
use crate::error::Result;
use crate::flame::events::{EventType, ObservedEvent};

/// Events that may wait to be looked at.
const QUEUE: usize = 256;

/// Which events are wanted.
#[derive(Clone, Debug)]
pub struct EventFilter {
    /// Their namespace.
    pub namespace: String,
    /// The flame that they are about.
    pub flame: String,
    /// Only those of this type.
    pub event_type: Option<EventType>,
}

/// Events, and from where a watch goes on.
#[derive(Clone, Debug)]
pub struct EventList {
    /// The events in no order.
    pub events: Vec<ObservedEvent>,
    /// The `resourceVersion` from which a watch goes on.
    pub resource_version: String,
}

/// What a watch of events tells.
#[derive(Clone, Debug)]
pub enum EventNews {
    /// An event happened, or happened again.
    Happened(Box<ObservedEvent>),
    /// The connection is in trouble, and this is why; it is being mended.
    Trouble(String),
}

/// A watch of events, on a task of its own; ends when dropped.
#[derive(Debug)]
pub struct EventWatch {
    news: mpsc::Receiver<EventNews>,
    task: JoinHandle<()>,
}

impl Drop for EventWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl EventWatch {
    /// Waits for the next news. Cancel-safe.
    pub async fn next(&mut self) -> Option<EventNews> {
        self.news.recv().await
    }
}

impl EventFilter {
    /// The type is the server's to filter by; a server can't select by any of many names, so that is left to us.
    fn field_selector(&self) -> Option<String> {
        self.event_type.map(|event_type| format!("type={}", event_type.name()))
    }
}

impl ApiServer {
    /// Reads the events that are wanted; of a namespace's others no more than a page is held at a time.
    ///
    /// # Errors
    /// What the server said.
    pub async fn list_events(&self, filter: &EventFilter, observer: &dyn Observer) -> Result<EventList> {
        let (events, resource_version) = self.wire_events(filter, observer).await?;
        Ok(EventList { events: events.into_iter().map(Into::into).collect(), resource_version })
    }

    async fn wire_events(&self, filter: &EventFilter, observer: &dyn Observer) -> Result<(Vec<wire::Event>, String)> {
        let path = event_requests(&filter.namespace).url_path;
        let params = ListParams { field_selector: filter.field_selector(), ..Default::default() };
        let pages = Pages { path: &path, what: "events", params, names_only: false };
        self.list_some(&pages, |event: &wire::Event| event.is_of_flame(&filter.flame), observer).await
    }

    /// Watches the events that are wanted from `resource_version` on.
    pub fn watch_events(&self, filter: &EventFilter, resource_version: &str) -> EventWatch {
        let (sender, news) = mpsc::channel(QUEUE);
        let follower = Follower {
            api: self.clone(),
            filter: filter.clone(),
            resource_version: resource_version.to_owned(),
            news: sender,
        };
        EventWatch { news, task: tokio::spawn(keep_following(follower)) }
    }
}

struct Follower {
    api: ApiServer,
    filter: EventFilter,
    resource_version: String,
    news: mpsc::Sender<EventNews>,
}

impl Resumed for Follower {
    async fn follow(&mut self) -> End {
        let params = WatchParams { field_selector: self.filter.field_selector(), ..watch_params(Attention::KEEPING) };
        let request = event_requests(&self.filter.namespace).watch(&params, &self.resource_version);
        let filter = &self.filter;
        let news = |change, event: wire::Event| {
            let resource_version = event.resource_version().to_owned();
            // One that is deleted is only forgotten.
            let happened = matches!(change, Change::Seen) && event.is_of_flame(&filter.flame);
            (resource_version, happened.then(|| EventNews::Happened(Box::new(event.into()))))
        };
        follow(&self.api, request, &mut self.resource_version, &self.news, Attention::KEEPING, None, news).await
    }

    /// Tells those that are newer than the last one.
    async fn relist(&mut self) {
        let number = |version: &str| version.parse::<u64>().unwrap_or(0);
        let last = number(&self.resource_version);
        match self.api.wire_events(&self.filter, &Silent).await {
            Ok((events, resource_version)) => {
                self.resource_version = resource_version;
                for event in events.into_iter().filter(|event| number(event.resource_version()) > last) {
                    let _ = self.news.send(EventNews::Happened(Box::new(event.into()))).await;
                }
            }
            Err(error) => self.trouble(error.what).await,
        }
    }

    async fn trouble(&self, why: String) {
        // Nobody who listens is nobody to tell; the stream finds out by itself.
        let _ = self.news.send(EventNews::Trouble(why)).await;
    }
}
