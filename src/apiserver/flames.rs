//! Many flames at once, or one: their records and Pods in a list, and a watch that goes on from it.

use std::collections::BTreeMap;

use kube::core::params::{ListParams, WatchParams};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::read::{Pages, flame_selector};
use super::watch::{Attention, Change, End, Resumed, Silent, follow, keep_following, watch_params};
use super::wire::{self, Shape, Slim};
use super::{ApiServer, Observer};
use crate::error::Result;
use crate::flame::evidence::Evidence;
use crate::flame::names::{self, Component, FlameKey, Kind};
use crate::flame::observed::{Observed, Snapshot};
use crate::flame::selector::Selector;

/// News that may wait to be looked at.
const QUEUE: usize = 1024;
/// What flames are made of, as far as their state depends on it.
const KINDS: [Kind; 2] = [Kind::ConfigMap, Kind::Pod];

/// Which flames.
#[derive(Clone, Debug, Default)]
pub struct FlameFilter {
    /// Those of this namespace; none means all.
    pub namespace: Option<String>,
    /// The one of this name; none means all.
    pub name: Option<String>,
    /// Those whose records have such labels.
    pub selector: Option<Selector>,
}

pub use super::wire::Placed;

/// What belongs to flames, as of about one moment.
#[derive(Clone, Debug, Default)]
pub struct FlameList {
    /// By namespace and name of the flame. Pods without a record are no flame, but may become one.
    pub flames: Flames,
    /// The `resourceVersion` of each kind from which a watch goes on.
    pub resource_versions: BTreeMap<Kind, String>,
}

/// What is known of flames.
#[derive(Clone, Debug, Default)]
pub struct Flames(BTreeMap<FlameKey, Snapshot>);

/// What a watch of flames tells.
#[derive(Clone, Debug)]
pub enum FlameNews {
    /// An object was made or changed.
    Seen(Placed),
    /// An object is gone, or no longer selected; this is its last state.
    Deleted(Placed),
    /// The server had forgotten the past: these are all objects of the kind.
    Relisted(Kind, Vec<Placed>),
    /// The server tells of this kind again.
    Open(Kind),
    /// The connection for this kind is in trouble, and this is why; it is being mended.
    Trouble(Kind, String),
}

/// A watch of flames, a task for each kind; ends when dropped.
#[derive(Debug)]
pub struct FlameWatch {
    news: mpsc::Receiver<FlameNews>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for FlameWatch {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl FlameWatch {
    /// Waits for the next news. Cancel-safe.
    pub async fn next(&mut self) -> Option<FlameNews> {
        self.news.recv().await
    }

    /// Returns news that are there already.
    pub fn ready(&mut self) -> Option<FlameNews> {
        self.news.try_recv().ok()
    }
}

impl Flames {
    /// Returns those that have a record: namespace, name, and what is known.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Snapshot)> {
        let flames = self.0.iter().filter(|(key, snapshot)| snapshot.record(&key.name).is_some());
        flames.map(|(key, snapshot)| (key.namespace.as_str(), key.name.as_str(), snapshot))
    }

    /// Returns those that have a record, as [`Flames::iter`] does.
    pub fn into_all(self) -> impl Iterator<Item = (String, String, Snapshot)> {
        let flames = self.0.into_iter().filter(|(key, snapshot)| snapshot.record(&key.name).is_some());
        flames.map(|(key, snapshot)| (key.namespace, key.name, snapshot))
    }

    /// Returns all, those without a record, too.
    pub(super) fn into_each(self) -> impl Iterator<Item = (FlameKey, Snapshot)> {
        self.0.into_iter()
    }

    /// Takes in what was asked about Pods, by their uid; what is known of Pods that are gone is forgotten.
    pub fn learned(&mut self, learned: &[(String, Evidence)]) {
        self.0.values_mut().for_each(|snapshot| snapshot.learned(learned.iter().cloned()));
    }

    /// Takes in news of objects; [`FlameNews::Open`] and [`FlameNews::Trouble`] are none.
    pub fn take(&mut self, news: FlameNews) {
        match news {
            FlameNews::Seen(placed) => self.insert(placed),
            FlameNews::Deleted((namespace, observed)) => {
                if let Some(snapshot) = flame_of(namespace, &observed).and_then(|key| self.0.get_mut(&key)) {
                    snapshot.remove(&observed.object(), &observed.meta().uid);
                }
            }
            FlameNews::Relisted(kind, placed) => {
                self.0.values_mut().for_each(|snapshot| match kind {
                    Kind::ConfigMap => snapshot.config_maps.clear(),
                    Kind::Service => snapshot.services.clear(),
                    Kind::Pod => snapshot.pods.clear(),
                });
                placed.into_iter().for_each(|placed| self.insert(placed));
            }
            FlameNews::Open(_) | FlameNews::Trouble(..) => {}
        }
    }

    fn insert(&mut self, (namespace, observed): Placed) {
        if let Some(key) = flame_of(namespace, &observed) {
            self.0.entry(key).or_default().insert(observed);
        }
    }
}

/// Returns which flame an object belongs to: the record is named after it, all else bears its name as a label. That takes in
/// what bears our labels but none of our names, which is shown.
fn flame_of(namespace: String, observed: &Observed) -> Option<FlameKey> {
    let name = match observed {
        Observed::ConfigMap(_) => names::flame_of(&observed.object())?.to_owned(),
        _ => observed.meta().labels.get(names::LABEL_CLUSTER)?.clone(),
    };
    Some(FlameKey { namespace, name })
}

impl FlameList {
    /// Makes that of the one flame of which this is known as of `resource_version`.
    pub fn one(namespace: &str, name: &str, snapshot: Snapshot, resource_version: &str) -> Self {
        let flames = Flames([(FlameKey::new(namespace, name), snapshot)].into());
        Self { flames, resource_versions: KINDS.map(|kind| (kind, resource_version.to_owned())).into() }
    }
}

impl FlameFilter {
    fn path(&self, kind: Kind) -> String {
        let scope = self.namespace.as_ref().map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
        format!("/api/v1{scope}/{}", kind.resource())
    }

    /// Returns the label selector and the field selector.
    fn selectors(&self, kind: Kind) -> (Option<String>, Option<String>) {
        let ours = format!("{}={}", names::LABEL_MANAGED_BY, names::FIELD_MANAGER);
        let records = || format!("{ours},{}={}", names::LABEL_COMPONENT, Component::Config);
        match (kind, &self.name, &self.selector) {
            (Kind::ConfigMap, Some(name), _) => (None, Some(format!("metadata.name={}", names::config_map(name)))),
            (_, Some(name), _) => (Some(flame_selector(name)), None),
            (Kind::ConfigMap, None, Some(selector)) => (Some(format!("{},{selector}", records())), None),
            (Kind::ConfigMap, None, None) => (Some(records()), None),
            // Services and Pods.
            (_, None, _) => (Some(ours), None),
        }
    }
}

impl ApiServer {
    /// Reads the records of flames and their Pods.
    ///
    /// # Errors
    /// What the server said.
    pub async fn list_flames(&self, filter: &FlameFilter, observer: &dyn Observer) -> Result<FlameList> {
        self.list_flames_of(&KINDS, filter, observer).await
    }

    /// Reads the objects of these kinds that flames are made of.
    ///
    /// # Errors
    /// What the server said.
    pub(super) async fn list_flames_of(
        &self,
        kinds: &[Kind],
        filter: &FlameFilter,
        observer: &dyn Observer,
    ) -> Result<FlameList> {
        let mut list = FlameList::default();
        for &kind in kinds {
            let (placed, resource_version) = self.list_placed(filter, kind, observer).await?;
            placed.into_iter().for_each(|placed| list.flames.insert(placed));
            list.resource_versions.insert(kind, resource_version);
        }
        Ok(list)
    }

    async fn list_placed(
        &self,
        filter: &FlameFilter,
        kind: Kind,
        observer: &dyn Observer,
    ) -> Result<(Vec<Placed>, String)> {
        match kind {
            Kind::ConfigMap => self.list_kind::<wire::ConfigMap>(filter, kind, observer).await,
            Kind::Service => self.list_kind::<wire::Service>(filter, kind, observer).await,
            Kind::Pod => self.list_kind::<wire::Pod>(filter, kind, observer).await,
        }
    }

    async fn list_kind<T: Shape + Into<Placed>>(
        &self,
        filter: &FlameFilter,
        kind: Kind,
        observer: &dyn Observer,
    ) -> Result<(Vec<Placed>, String)> {
        let (label_selector, field_selector) = filter.selectors(kind);
        let params = ListParams { label_selector, field_selector, ..Default::default() };
        let (path, what) = (filter.path(kind), format!("{kind}s"));
        let pages = Pages { path: &path, what: &what, params, names_only: false };
        let (items, resource_version) = self.list_some(&pages, |_: &Slim<T, Placed>| true, observer).await?;
        Ok((items.into_iter().map(|it| it.0).collect(), resource_version))
    }

    /// Watches flames from the `resourceVersion` of each kind on.
    pub fn watch_flames(
        &self,
        filter: &FlameFilter,
        resource_versions: &BTreeMap<Kind, String>,
        attention: Attention,
    ) -> FlameWatch {
        let (sender, news) = mpsc::channel(QUEUE);
        let tasks = resource_versions.iter().map(|(kind, resource_version)| {
            let follower = Follower {
                api: self.clone(),
                filter: filter.clone(),
                kind: *kind,
                attention,
                resource_version: resource_version.clone(),
                news: sender.clone(),
            };
            tokio::spawn(keep_following(follower))
        });
        FlameWatch { news, tasks: tasks.collect() }
    }
}

struct Follower {
    api: ApiServer,
    filter: FlameFilter,
    kind: Kind,
    attention: Attention,
    resource_version: String,
    news: mpsc::Sender<FlameNews>,
}

impl Follower {
    async fn stream<T: Shape + Into<Placed>>(&mut self) -> End {
        let (label_selector, field_selector) = self.filter.selectors(self.kind);
        let params = WatchParams { label_selector, field_selector, ..watch_params(self.attention) };
        let request = kube::core::Request::new(self.filter.path(self.kind)).watch(&params, &self.resource_version);
        let news = |change, it: T| {
            let placed: Placed = it.into();
            let resource_version = placed.1.meta().resource_version.to_string();
            let news = match change {
                Change::Seen => FlameNews::Seen(placed),
                Change::Deleted => FlameNews::Deleted(placed),
            };
            (resource_version, Some(news))
        };
        let open = Some(FlameNews::Open(self.kind));
        follow(&self.api, request, &mut self.resource_version, &self.news, self.attention, open, news).await
    }
}

impl Resumed for Follower {
    async fn follow(&mut self) -> End {
        match self.kind {
            Kind::Pod => self.stream::<wire::Pod>().await,
            Kind::Service => self.stream::<wire::Service>().await,
            Kind::ConfigMap => self.stream::<wire::ConfigMap>().await,
        }
    }

    async fn relist(&mut self) {
        match self.api.list_placed(&self.filter, self.kind, &Silent).await {
            Ok((placed, resource_version)) => {
                self.resource_version = resource_version;
                let _ = self.news.send(FlameNews::Relisted(self.kind, placed)).await;
            }
            Err(error) => self.trouble(error.what).await,
        }
    }

    async fn trouble(&self, why: String) {
        // Nobody who listens is nobody to tell; the stream finds out by itself.
        let _ = self.news.send(FlameNews::Trouble(self.kind, why)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::observed::{ObservedConfigMap, ObservedMeta, ObservedPod};

    fn meta(name: &str, uid: &str, resource_version: u64) -> ObservedMeta {
        let labels = BTreeMap::from([(names::LABEL_CLUSTER.to_owned(), "demo".to_owned())]).into();
        ObservedMeta { name: name.to_owned(), uid: uid.to_owned(), labels, resource_version, ..Default::default() }
    }

    fn record(namespace: &str) -> Placed {
        let record = ObservedConfigMap { meta: meta("demo-config", "c", 1), ..Default::default() };
        (namespace.to_owned(), Observed::ConfigMap(record))
    }

    fn pod(namespace: &str, uid: &str, resource_version: u64) -> Placed {
        let pod = ObservedPod { meta: meta("demo-session-manager", uid, resource_version), ..Default::default() };
        (namespace.to_owned(), Observed::Pod(Box::new(pod)))
    }

    fn known(flames: &Flames) -> Vec<(&str, &str, usize)> {
        flames.iter().map(|(namespace, name, snapshot)| (namespace, name, snapshot.pods.len())).collect()
    }

    #[test]
    fn objects_go_to_the_flame_of_their_namespace_and_only_a_record_makes_one() {
        let mut flames = Flames::default();
        flames.take(FlameNews::Seen(pod("a", "1", 5)));
        assert_eq!(known(&flames), []);
        flames.take(FlameNews::Seen(record("a")));
        flames.take(FlameNews::Seen(record("b")));
        assert_eq!(known(&flames), [("a", "demo", 1), ("b", "demo", 0)]);
        // What is deleted is another Pod of that name by now.
        flames.take(FlameNews::Deleted(pod("a", "0", 4)));
        assert_eq!(known(&flames), [("a", "demo", 1), ("b", "demo", 0)]);
        flames.take(FlameNews::Relisted(Kind::Pod, vec![pod("b", "2", 9)]));
        assert_eq!(known(&flames), [("a", "demo", 0), ("b", "demo", 1)]);
        flames.take(FlameNews::Deleted(record("b")));
        assert_eq!(known(&flames), [("a", "demo", 0)]);
    }

    #[test]
    fn the_server_selects_by_the_labels_of_records_and_pods_come_along() {
        let selector = Selector::parse("team=ml").ok();
        let many = FlameFilter { selector, ..Default::default() };
        let ours = "app.kubernetes.io/managed-by=flamectl";
        let records = format!("{ours},app.kubernetes.io/component=config,team=ml");
        assert_eq!(many.selectors(Kind::ConfigMap), (Some(records), None));
        assert_eq!(many.selectors(Kind::Pod), (Some(ours.to_owned()), None));
        assert_eq!(many.path(Kind::Pod), "/api/v1/pods");
        let one = FlameFilter { namespace: Some("ml".to_owned()), name: Some("demo".to_owned()), selector: None };
        assert_eq!(one.selectors(Kind::ConfigMap), (None, Some("metadata.name=demo-config".to_owned())));
        assert_eq!(one.selectors(Kind::Pod), (Some("flame.xflops.io/cluster=demo".to_owned()), None));
        assert_eq!(one.path(Kind::ConfigMap), "/api/v1/namespaces/ml/configmaps");
    }
}
