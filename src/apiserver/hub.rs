//! News of many flames from one stream a kind: what [`watch`](super::watch) is for one flame, shared by all of a namespace
//! or of the server.
//!
//! A [`Hub`] lists once, hands each flame its [`Snapshot`], and then its news by the objects' names. What is known of a flame
//! is then with whoever subscribed to it. Nobody who is slow holds up others.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::flames::{Attention, FlameFilter, FlameNews, Placed};
use super::watch::{News, Watch};
use super::{ApiServer, Observer};
use crate::error::Result;
use crate::flame::names::{FlameKey, Kind, flame_of};
use crate::flame::observed::{Observed, ObservedConfigMap, ObservedPod, Snapshot};

/// How long what the first lists said is kept for those who subscribe; later they read for themselves.
const LISTED: Duration = Duration::from_secs(60);
/// What flames are made of.
const KINDS: [Kind; 3] = [Kind::Pod, Kind::Service, Kind::ConfigMap];

/// What happens to the records of flames.
#[derive(Clone, Debug)]
pub enum RecordNews {
    /// A record was made or changed.
    Seen(FlameKey, Box<ObservedConfigMap>),
    /// A record is gone.
    Gone(FlameKey),
    /// The past was forgotten: these are all flames with a record.
    All(HashSet<FlameKey>),
}

/// The shared watches of the flames of a namespace, or of all; they end when it is dropped.
pub struct Hub {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    records: mpsc::UnboundedSender<RecordNews>,
    /// Why news do not come, for each kind of which they do not.
    trouble: watch::Sender<BTreeMap<Kind, String>>,
}

#[derive(Default)]
struct State {
    subscribers: HashMap<FlameKey, mpsc::UnboundedSender<News>>,
    /// What the first lists said of flames that nobody subscribed to yet, kept up to date for a while.
    listed: Option<HashMap<FlameKey, Snapshot>>,
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Hub {
    /// Lists what is there of flames and watches it from then on; `records` is told of each flame's record, those that are
    /// there first.
    ///
    /// # Errors
    /// What the server said.
    pub async fn start(
        api: &ApiServer,
        namespace: Option<&str>,
        records: mpsc::UnboundedSender<RecordNews>,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let filter = FlameFilter { namespace: namespace.map(str::to_owned), ..Default::default() };
        let list = api.list_flames_of(&KINDS, &filter, observer).await?;
        let mut news = api.watch_flames(&filter, &list.resource_versions, Attention::KEEPING);
        let listed: HashMap<FlameKey, Snapshot> = list.flames.into_each().collect();
        for (key, snapshot) in &listed {
            if let Some(record) = snapshot.record(&key.name) {
                // Nobody who listens is nobody who wants to know.
                let _ = records.send(RecordNews::Seen(key.clone(), Box::new(record.clone())));
            }
        }
        let state = Mutex::new(State { subscribers: HashMap::new(), listed: Some(listed) });
        let shared = Arc::new(Shared { state, records, trouble: watch::channel(BTreeMap::new()).0 });
        let (hands_on, forgets) = (Arc::clone(&shared), Arc::clone(&shared));
        let tasks = vec![
            tokio::spawn(async move {
                while let Some(news) = news.next().await {
                    hands_on.take(news);
                }
            }),
            tokio::spawn(async move {
                tokio::time::sleep(LISTED).await;
                forgets.state().listed = None;
            }),
        ];
        Ok(Self { shared, tasks })
    }

    /// Hands the news of a flame on from now on. Also returns what is known of it, unless it has to be read: after this, so
    /// that nothing is missed.
    pub fn subscribe(&self, key: &FlameKey) -> (Option<Snapshot>, Watch) {
        let (sender, news) = mpsc::unbounded_channel();
        let mut state = self.shared.state();
        state.subscribers.insert(key.clone(), sender);
        let known = state.listed.as_mut().map(|listed| listed.remove(key).unwrap_or_default());
        (known, Watch::shared(news))
    }

    /// Returns why news do not come, as that changes; empty where they do.
    pub fn trouble(&self) -> watch::Receiver<BTreeMap<Kind, String>> {
        self.shared.trouble.subscribe()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, news: FlameNews) {
        match news {
            FlameNews::Seen(placed) => self.seen(placed),
            FlameNews::Deleted((namespace, observed)) => {
                let Some(key) = key(&namespace, &observed) else { return };
                if matches!(observed, Observed::ConfigMap(_)) {
                    let _ = self.records.send(RecordNews::Gone(key.clone()));
                }
                self.tell(&key, News::Deleted(observed));
            }
            FlameNews::Relisted(kind, objects) => self.relisted(kind, objects),
            FlameNews::Open(kind) => {
                self.trouble.send_if_modified(|trouble| trouble.remove(&kind).is_some());
            }
            FlameNews::Trouble(kind, why) => {
                self.trouble.send_if_modified(|trouble| trouble.insert(kind, why.clone()) != Some(why));
            }
        }
    }

    fn seen(&self, (namespace, observed): Placed) {
        let Some(key) = key(&namespace, &observed) else { return };
        if let Observed::ConfigMap(record) = &observed {
            let _ = self.records.send(RecordNews::Seen(key.clone(), Box::new(record.clone())));
        }
        self.tell(&key, News::Seen(observed));
    }

    /// Tells a flame's subscriber; one that went away is forgotten. Where there is none yet, it is told when it comes.
    fn tell(&self, key: &FlameKey, news: News) {
        let mut state = self.state();
        if let Some(subscriber) = state.subscribers.get(key) {
            if subscriber.send(news).is_err() {
                state.subscribers.remove(key);
            }
            return;
        }
        let Some(listed) = &mut state.listed else { return };
        match news {
            News::Seen(observed) => listed.entry(key.clone()).or_default().insert(observed),
            News::Deleted(observed) => {
                if let Some(snapshot) = listed.get_mut(key) {
                    snapshot.remove(&observed.object(), &observed.meta().uid);
                }
            }
            News::Relisted(_) | News::Forgotten(_) | News::Trouble(_) => {}
        }
    }

    /// Tells everybody what a new list says after the past was forgotten.
    fn relisted(&self, kind: Kind, objects: Vec<Placed>) {
        let mut of_flame: HashMap<FlameKey, Vec<Observed>> = HashMap::new();
        for (namespace, observed) in objects {
            if let Some(key) = key(&namespace, &observed) {
                of_flame.entry(key).or_default().push(observed);
            }
        }
        let keys: Vec<FlameKey> = {
            let mut state = self.state();
            state.listed = None;
            state.subscribers.keys().cloned().collect()
        };
        if kind == Kind::ConfigMap {
            let _ = self.records.send(RecordNews::All(of_flame.keys().cloned().collect()));
        }
        for key in keys {
            let objects = of_flame.remove(&key).unwrap_or_default();
            if kind == Kind::Pod {
                let pods = objects.into_iter().filter_map(pod).collect();
                self.tell(&key, News::Relisted(pods));
                continue;
            }
            let all = if kind == Kind::Service { 2 } else { 1 };
            if objects.len() < all {
                // What is not in the list is gone, or lost the label: it is read.
                self.tell(&key, News::Forgotten(kind));
            }
            objects.into_iter().for_each(|observed| self.seen((key.namespace.clone(), observed)));
        }
        if kind == Kind::ConfigMap {
            // Flames that nobody keeps yet.
            for (key, objects) in of_flame {
                objects.into_iter().for_each(|observed| self.seen((key.namespace.clone(), observed)));
            }
        }
    }
}

fn pod(observed: Observed) -> Option<ObservedPod> {
    match observed {
        Observed::Pod(pod) => Some(*pod),
        _ => None,
    }
}

fn key(namespace: &str, observed: &Observed) -> Option<FlameKey> {
    flame_of(&observed.object()).map(|flame| FlameKey::new(namespace, flame))
}
