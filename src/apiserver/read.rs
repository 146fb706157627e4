//! What is there: one object, the Pods of a flame in pages, a whole [`Snapshot`].
//!
//! A snapshot of a flame that needs nothing costs 4 + ⌈executors/500⌉ requests (design: rule 10).

use std::iter::empty;

use futures_util::future::{join, try_join, try_join_all, try_join4};
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue};
use kube::core::params::{GetParams, ListParams};

use super::wire::{self, List, Shape, Slim, protobuf};
use super::{ApiServer, Failure, Observer, Read, body, built, read_error, requests};
use crate::error::{Error, Result};
use crate::flame::names::{self, Component, Kind, ObjectRef};
use crate::flame::observed::{Observed, ObservedPod, Snapshot};

/// Pods in one page of a list.
const PAGE: u32 = 500;
/// Up to this many missing names are looked up one by one; more by one list of the namespace's names.
const LOOK_UP_ONE_BY_ONE: usize = 8;
/// Objects of a flame that are read by their names.
const OTHERS: usize = 4;
/// How often a list that the server cut off (410: its `continue` expired) is begun again.
const LIST_TRIES: u32 = 3;

/// Pods as of one moment.
#[derive(Clone, Debug)]
pub struct PodList {
    /// The Pods; boxed, as they stay where they are from the page on.
    pub pods: Vec<Box<ObservedPod>>,
    /// The `resourceVersion` from which a watch goes on.
    pub resource_version: String,
}

/// A snapshot and where a watch goes on from it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What is there.
    pub snapshot: Snapshot,
    /// The `resourceVersion` from which a watch goes on.
    pub resource_version: String,
}

/// A list to read page by page.
pub(super) struct Pages<'a> {
    /// The request path.
    pub path: &'a str,
    /// What it lists, for people.
    pub what: &'a str,
    /// What is asked for.
    pub params: ListParams,
    /// Whether only metadata is asked for.
    pub names_only: bool,
}

/// Reads one object as the server sends it.
///
/// # Errors
/// Where it is not such an object.
pub fn observed(kind: Kind, json: serde_json::Value) -> serde_json::Result<Observed> {
    Ok(match kind {
        Kind::ConfigMap => Observed::ConfigMap(serde_json::from_value::<wire::ConfigMap>(json)?.into()),
        Kind::Service => Observed::Service(serde_json::from_value::<wire::Service>(json)?.into()),
        Kind::Pod => Observed::Pod(Box::new(serde_json::from_value::<wire::Pod>(json)?.into())),
    })
}

/// Returns the label selector of all objects of a flame.
pub fn flame_selector(flame: &str) -> String {
    format!("{}={flame}", names::LABEL_CLUSTER)
}

/// Returns what selects the Pods of a component.
pub fn component_selector(flame: &str, component: Component) -> String {
    format!("{},{}={component}", flame_selector(flame), names::LABEL_COMPONENT)
}

/// Returns the label selector of the Pods that are listed; the session manager is there always and read by its name.
fn listed_selector(flame: &str) -> String {
    let (cache, executors) = (Component::ObjectCache, Component::ExecutorManager);
    format!("{},{} in ({cache},{executors})", flame_selector(flame), names::LABEL_COMPONENT)
}

fn snapshot(pods: PodList, others: impl Iterator<Item = Observed>) -> Snapshot {
    let revision = pods.resource_version.parse().unwrap_or(0);
    let mut snapshot = Snapshot { revision, ..Default::default() };
    for observed in pods.pods.into_iter().map(Observed::Pod).chain(others) {
        snapshot.insert(observed);
    }
    snapshot
}

impl ApiServer {
    /// Reads one object; none where there is none.
    ///
    /// # Errors
    /// What the server said.
    pub async fn get(&self, namespace: &str, object: &ObjectRef, observer: &dyn Observer) -> Result<Option<Observed>> {
        let what = format!("{object} in namespace {namespace}");
        let request = built(object, requests(namespace, object.kind).get(&object.name, &GetParams::default()))?;
        Ok(match object.kind {
            Kind::ConfigMap => {
                let read: Read<wire::ConfigMap> = self.read(&what, request, observer).await?;
                read.found().map(|it| Observed::ConfigMap(it.into()))
            }
            Kind::Service => {
                let read: Read<wire::Service> = self.read(&what, request, observer).await?;
                read.found().map(|it| Observed::Service(it.into()))
            }
            Kind::Pod => {
                let read: Read<wire::Pod> = self.read(&what, request, observer).await?;
                read.found().map(|it| Observed::Pod(Box::new(it.into())))
            }
        })
    }

    /// Reads the Pods that `selector` selects, all of them as of one moment.
    ///
    /// # Errors
    /// What the server said. Half a list is never returned.
    pub async fn list_pods(&self, namespace: &str, selector: &str, observer: &dyn Observer) -> Result<PodList> {
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let label_selector = Some(selector.to_owned()).filter(|it| !it.is_empty());
        let params = ListParams { label_selector, ..Default::default() };
        let pages = Pages { path: &path, what: "Pods", params, names_only: false };
        let all = |_: &Slim<wire::Pod, Box<ObservedPod>>| true;
        let (pods, resource_version) = self.list_some(&pages, all, observer).await?;
        Ok(PodList { pods: pods.into_iter().map(|pod| pod.0).collect(), resource_version })
    }

    /// Reads a list page by page and keeps of it what `keep` wants; also returns from where a watch goes on.
    ///
    /// # Errors
    /// What the server said.
    pub(super) async fn list_some<T: Shape>(
        &self,
        pages: &Pages<'_>,
        keep: impl Fn(&T) -> bool,
        observer: &dyn Observer,
    ) -> Result<(Vec<T>, String)> {
        let what = pages.what;
        self.pages(pages, keep, observer).await.map_err(|failure| read_error(what, self.url(), &failure))
    }

    /// Reads a list page by page, all of it as of one moment, and keeps of it what `keep` wants.
    ///
    /// # Errors
    /// Why it could not be read. Half a list is never returned.
    pub(super) async fn pages<T: Shape>(
        &self,
        pages: &Pages<'_>,
        keep: impl Fn(&T) -> bool,
        observer: &dyn Observer,
    ) -> Result<(Vec<T>, String), Failure> {
        let Pages { path, what, .. } = pages;
        'again: for _ in 0..LIST_TRIES {
            // One more than a page at first: of N executors, ⌈N/500⌉ pages are then never all full, so that the last one is
            // known to be the last. Else the server would have to be asked whether what comes behind it is selected, too.
            let mut params = ListParams { limit: Some(PAGE + 1), ..pages.params.clone() };
            let mut items = Vec::new();
            loop {
                let request = kube::core::Request::new(*path).list(&params);
                let mut request = request.map_err(|error| Failure::Broken(error.to_string()))?;
                request.headers_mut().insert(ACCEPT_ENCODING, body::GZIP);
                if pages.names_only {
                    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(protobuf::ACCEPT_METADATA_LIST));
                }
                let page: List<T> = match self.attempt(what, request, observer).await? {
                    Read::Found(page) => page,
                    // The server forgot the list's moment: a new list is the only right one (faults F15).
                    Read::Expired => continue 'again,
                    Read::Missing => return Err(Failure::missing(format!("{} has no {path}", self.url()))),
                };
                items.extend(page.items.into_iter().filter(|item| keep(item)));
                if page.metadata.continue_token.is_empty() {
                    return Ok((items, page.metadata.resource_version));
                }
                params = ListParams { limit: Some(PAGE), continue_token: Some(page.metadata.continue_token), ..params };
            }
        }
        Err(Failure::Broken(format!("the server dropped the list {LIST_TRIES} times")))
    }

    /// Reads everything of one flame: its record, Services, session manager, object cache and executors; and who has the names
    /// of Pods that are `wanted` and that the labels did not find.
    ///
    /// # Errors
    /// What the server said.
    pub async fn snapshot(
        &self,
        namespace: &str,
        flame: &str,
        wanted: impl Iterator<Item = String>,
        observer: &dyn Observer,
    ) -> Result<Reading> {
        // For the others and a look at names, which go at once after the list.
        self.open_ahead(OTHERS + 1).await;
        // The list comes first: what is read after it is at least as new, so a watch from the list misses nothing.
        let pods = self.list_pods(namespace, &listed_selector(flame), observer).await?;
        let resource_version = pods.resource_version.clone();
        let mut snapshot = snapshot(pods, empty());
        let missing = wanted.filter(|pod| !snapshot.pods.contains_key(pod)).collect();
        let namesakes = self.look_up_namesakes(namespace, missing, observer);
        let (others, namesakes) = try_join(self.others(namespace, flame, observer), namesakes).await?;
        for observed in others.chain(namesakes) {
            snapshot.insert(observed);
        }
        Ok(Reading { snapshot, resource_version })
    }

    /// Reads the same for who looks only once: all requests go at once, so a server far away takes half the time.
    ///
    /// # Errors
    /// What the server said.
    pub async fn glance(&self, namespace: &str, flame: &str, observer: &dyn Observer) -> Result<Snapshot> {
        let selector = listed_selector(flame);
        let pods = self.list_pods(namespace, &selector, observer);
        // Of two errors the same one is told always.
        let (pods, others) = join(pods, self.others(namespace, flame, observer)).await;
        Ok(snapshot(pods?, others?))
    }

    /// Reads what of a flame is no list: record, Services, session manager.
    async fn others(
        &self,
        namespace: &str,
        flame: &str,
        observer: &dyn Observer,
    ) -> Result<impl Iterator<Item = Observed> + use<>> {
        let get =
            |kind: Kind, name: String| async move { self.get(namespace, &ObjectRef::new(kind, name), observer).await };
        let (record, session_manager, object_cache, pod) = try_join4(
            get(Kind::ConfigMap, names::config_map(flame)),
            get(Kind::Service, names::session_manager(flame)),
            get(Kind::Service, names::object_cache(flame)),
            get(Kind::Pod, names::session_manager(flame)),
        )
        .await?;
        Ok([record, session_manager, object_cache, pod].into_iter().flatten())
    }

    /// Looks whether any of these Pods, which the labels did not find, is there all the same: a stranger's Pod, or one
    /// of ours that lost its labels. Nothing may be made in its place (design: rule 2).
    ///
    /// # Errors
    /// What the server said.
    async fn look_up_namesakes(
        &self,
        namespace: &str,
        missing: Vec<String>,
        observer: &dyn Observer,
    ) -> Result<Vec<Observed>> {
        let mut suspects = missing;
        if suspects.len() > LOOK_UP_ONE_BY_ONE {
            let path = format!("/api/v1/namespaces/{namespace}/pods");
            let pages = Pages { path: &path, what: "Pods", params: ListParams::default(), names_only: true };
            let (pods, _) = self.list_some(&pages, |_: &wire::Named| true, observer).await?;
            let there: std::collections::HashSet<String> = pods.into_iter().map(|pod| pod.metadata.name).collect();
            suspects.retain(|name| there.contains(name));
        }
        let gets = suspects
            .into_iter()
            .map(|name| async move { self.get(namespace, &ObjectRef::new(Kind::Pod, name), observer).await });
        Ok(try_join_all(gets).await?.into_iter().flatten().collect())
    }

    /// Tells whether the namespace is there.
    ///
    /// # Errors
    /// What the server said.
    pub async fn namespace_exists(&self, namespace: &str, observer: &dyn Observer) -> Result<bool> {
        let what = format!("namespace {namespace}");
        let request = kube::core::Request::new("/api/v1/namespaces").get(namespace, &GetParams::default());
        let request = request.map_err(|error| Error::server(format!("{what} cannot be read: {error}")))?;
        Ok(self.read::<wire::Named>(&what, request, observer).await?.found().is_some())
    }
}
