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

use super::flames::{FlameFilter, FlameNews, Placed};
use super::watch::{Attention, News, Watch};
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
    /// Those that were there at the beginning have all been told.
    Listed,
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
    subscribers: HashMap<FlameKey, mpsc::UnboundedSender<Box<News>>>,
    /// What the first lists said of flames that nobody subscribed to yet, kept up to date for a while.
    listed: Option<HashMap<FlameKey, Snapshot>>,
    /// Flames that somebody subscribed to: what is known of them went along.
    taken: HashSet<FlameKey>,
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
        let _ = records.send(RecordNews::Listed);
        let state = Mutex::new(State { listed: Some(listed), ..State::default() });
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
        let is_first = state.taken.insert(key.clone());
        let listed = state.listed.as_mut().filter(|_| is_first);
        let known = listed.map(|listed| listed.remove(key).unwrap_or_default());
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
        if let Observed::ConfigMap(record) = &observed
            && !self.records.is_closed()
        {
            let _ = self.records.send(RecordNews::Seen(key.clone(), Box::new(record.clone())));
        }
        self.tell(&key, News::Seen(observed));
    }

    /// Tells a flame's subscriber; one that went away is forgotten. Where there is none yet, it is told when it comes.
    fn tell(&self, key: &FlameKey, news: News) {
        let mut state = self.state();
        if let Some(subscriber) = state.subscribers.get(key) {
            if subscriber.send(Box::new(news)).is_err() {
                state.subscribers.remove(key);
            }
            return;
        }
        if state.taken.contains(key) {
            return;
        }
        let Some(listed) = &mut state.listed else { return };
        match news {
            News::Seen(observed) => {
                listed.entry(key.clone()).or_default().insert(observed);
            }
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

fn pod(observed: Observed) -> Option<Box<ObservedPod>> {
    match observed {
        Observed::Pod(pod) => Some(pod),
        _ => None,
    }
}

fn key(namespace: &str, observed: &Observed) -> Option<FlameKey> {
    flame_of(&observed.object()).map(|flame| FlameKey::new(namespace, flame))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::observed::{ObservedMeta, ObservedService};

    fn shared() -> (Arc<Shared>, mpsc::UnboundedReceiver<RecordNews>) {
        let (records, news) = mpsc::unbounded_channel();
        let state = Mutex::new(State { listed: Some(HashMap::new()), ..State::default() });
        (Arc::new(Shared { state, records, trouble: watch::channel(BTreeMap::new()).0 }), news)
    }

    fn hub(shared: &Arc<Shared>) -> Hub {
        Hub { shared: Arc::clone(shared), tasks: Vec::new() }
    }

    fn meta(name: &str, uid: &str) -> ObservedMeta {
        ObservedMeta { name: name.to_owned(), uid: uid.to_owned(), resource_version: 1, ..Default::default() }
    }

    fn pod(namespace: &str, name: &str, uid: &str) -> Placed {
        let pod = ObservedPod { meta: meta(name, uid), ..Default::default() };
        (namespace.to_owned(), Observed::Pod(Box::new(pod)))
    }

    fn service(namespace: &str, name: &str) -> Placed {
        (namespace.to_owned(), Observed::Service(ObservedService { meta: meta(name, name), ..Default::default() }))
    }

    fn record(namespace: &str, name: &str) -> Placed {
        (namespace.to_owned(), Observed::ConfigMap(ObservedConfigMap { meta: meta(name, name), ..Default::default() }))
    }

    /// Says what came in, one line each.
    fn told(watch: &mut Watch) -> Vec<String> {
        let names =
            |pods: &[Box<ObservedPod>]| pods.iter().map(|pod| pod.meta.name.clone()).collect::<Vec<_>>().join(" ");
        std::iter::from_fn(|| watch.ready())
            .map(|news| match news {
                News::Seen(observed) => format!("seen {}", observed.object()),
                News::Deleted(observed) => format!("deleted {}", observed.object()),
                News::Relisted(pods) => format!("all Pods: {}", names(&pods)),
                News::Forgotten(kind) => format!("forgotten {kind}"),
                News::Trouble(why) => why,
            })
            .collect()
    }

    #[test]
    fn each_flame_gets_its_own_news_by_the_names_of_the_objects() {
        let (shared, mut records) = shared();
        let hub = hub(&shared);
        let (_, mut one) = hub.subscribe(&FlameKey::new("ml", "one"));
        let (_, mut other) = hub.subscribe(&FlameKey::new("prod", "one"));
        shared.take(FlameNews::Seen(pod("ml", "one-executor-manager-0", "a")));
        shared.take(FlameNews::Seen(service("prod", "one-object-cache")));
        shared.take(FlameNews::Seen(record("ml", "one-config")));
        shared.take(FlameNews::Deleted(record("ml", "one-config")));
        shared.take(FlameNews::Seen(pod("ml", "nobodys-session-manager", "b")));
        shared.take(FlameNews::Seen(pod("ml", "no-flames-name", "c")));
        assert_eq!(
            told(&mut one),
            ["seen Pod one-executor-manager-0", "seen ConfigMap one-config", "deleted ConfigMap one-config"]
        );
        assert_eq!(told(&mut other), ["seen Service one-object-cache"]);
        assert!(matches!(records.try_recv(), Ok(RecordNews::Seen(key, _)) if key == FlameKey::new("ml", "one")));
        assert!(matches!(records.try_recv(), Ok(RecordNews::Gone(key)) if key == FlameKey::new("ml", "one")));
    }

    #[test]
    fn after_the_past_was_forgotten_everybody_hears_what_there_is_and_what_is_missing() {
        let (shared, mut records) = shared();
        let hub = hub(&shared);
        let (_, mut one) = hub.subscribe(&FlameKey::new("ml", "one"));
        let (_, mut two) = hub.subscribe(&FlameKey::new("ml", "two"));
        shared.take(FlameNews::Relisted(Kind::Pod, vec![pod("ml", "one-session-manager", "a")]));
        let services = vec![service("ml", "one-session-manager"), service("ml", "one-object-cache")];
        shared.take(FlameNews::Relisted(Kind::Service, services));
        shared.take(FlameNews::Relisted(Kind::ConfigMap, vec![record("ml", "new-config")]));
        assert_eq!(
            told(&mut one),
            [
                "all Pods: one-session-manager",
                "seen Service one-session-manager",
                "seen Service one-object-cache",
                "forgotten ConfigMap",
            ]
        );
        assert_eq!(told(&mut two), ["all Pods: ", "forgotten Service", "forgotten ConfigMap"]);
        let Ok(RecordNews::All(keys)) = records.try_recv() else { panic!("it is told who is left") };
        assert_eq!(keys, [FlameKey::new("ml", "new")].into());
        assert!(matches!(records.try_recv(), Ok(RecordNews::Seen(key, _)) if key.name == "new"));
    }

    #[test]
    fn what_the_lists_said_is_kept_up_to_date_until_the_first_subscriber_takes_it() {
        let (shared, _records) = shared();
        let hub = hub(&shared);
        let key = FlameKey::new("ml", "one");
        shared.take(FlameNews::Seen(pod("ml", "one-executor-manager-0", "a")));
        shared.take(FlameNews::Seen(pod("ml", "one-executor-manager-1", "b")));
        shared.take(FlameNews::Deleted(pod("ml", "one-executor-manager-0", "a")));
        let (known, watch) = hub.subscribe(&key);
        let pods: Vec<String> = known.unwrap().pods.into_keys().collect();
        assert_eq!(pods, ["one-executor-manager-1"]);
        // Who comes back reads: what happened in between nobody kept.
        drop(watch);
        shared.take(FlameNews::Seen(pod("ml", "one-executor-manager-2", "c")));
        assert_eq!(hub.subscribe(&key).0, None);
        assert_eq!(hub.subscribe(&FlameKey::new("ml", "other")).0, Some(Snapshot::default()));
    }

    #[test]
    fn trouble_is_told_by_kind_until_the_stream_is_open_again() {
        let (shared, _records) = shared();
        let mut trouble = hub(&shared).trouble();
        shared.take(FlameNews::Trouble(Kind::Pod, "reset".to_owned()));
        assert!(trouble.has_changed().unwrap());
        assert_eq!(*trouble.borrow_and_update(), [(Kind::Pod, "reset".to_owned())].into());
        shared.take(FlameNews::Trouble(Kind::Pod, "reset".to_owned()));
        shared.take(FlameNews::Open(Kind::Service));
        assert!(!trouble.has_changed().unwrap());
        shared.take(FlameNews::Open(Kind::Pod));
        assert!(trouble.borrow_and_update().is_empty());
    }
}
