//! FlameCluster objects: a list, a watch that goes on from it, and the few requests that write them or their status.

use std::time::Duration;

use http::StatusCode;
use kube::core::params::{DeleteParams, GetParams, ListParams, Patch, PatchParams, Preconditions, PropagationPolicy};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::read::Pages;
use super::watch::{Attention, Change, End, Resumed, Silent, follow, keep_following, watch_params};
use super::wire::{self, Slim};
use super::write::field_conflicts;
use super::{ApiServer, Failure, Observer, read_error, retry_after};
use crate::error::{Error, Result};
use crate::flame::API_VERSION;
use crate::flame::crd::PLURAL;
use crate::flame::names::{FIELD_MANAGER, FlameKey};
use crate::flame::owner::Owner;
use crate::flame::rollout::FieldConflict;

pub use super::wire::FlameObject;

/// News that may wait to be looked at.
const QUEUE: usize = 1024;

/// FlameCluster objects as of one moment.
#[derive(Clone, Debug)]
pub struct ObjectList {
    /// The objects.
    pub objects: Vec<FlameObject>,
    /// The `resourceVersion` from which a watch goes on.
    pub resource_version: String,
}

/// What a watch of FlameCluster objects tells.
#[derive(Clone, Debug)]
pub enum ObjectNews {
    /// One was made or changed.
    Seen(Box<FlameObject>),
    /// One is gone; this is its last state.
    Deleted(Box<FlameObject>),
    /// The server had forgotten the past: these are all.
    Relisted(Vec<FlameObject>),
    /// The server tells again.
    Open,
    /// The connection is in trouble, and this is why; it is being mended.
    Trouble(String),
}

/// A watch of FlameCluster objects; ends when dropped.
#[derive(Debug)]
pub struct ObjectWatch {
    news: mpsc::Receiver<ObjectNews>,
    task: JoinHandle<()>,
}

impl Drop for ObjectWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ObjectWatch {
    /// Waits for the next news. Cancel-safe.
    pub async fn next(&mut self) -> Option<ObjectNews> {
        self.news.recv().await
    }
}

/// How a request that writes an object ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// The server has it; this is the object now.
    Yes(Box<FlameObject>),
    /// The object is not there any more, or another one of its name is; or the server knows no such objects.
    Gone(String),
    /// Others own fields; nothing was changed.
    Conflict(Vec<FieldConflict>),
    /// The server refuses it for good.
    Refused(String),
    /// Not this time, or nobody knows: why, and when the server says to come back.
    Busy(String, Option<Duration>),
}

fn path(namespace: Option<&str>) -> String {
    let scope = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
    format!("/apis/{API_VERSION}{scope}/{PLURAL}")
}

fn requests(key: &FlameKey) -> kube::core::Request {
    kube::core::Request::new(path(Some(&key.namespace)))
}

fn not_made(error: &kube::core::request::Error) -> Error {
    Error::server(format!("no request can be made: {error}"))
}

impl ApiServer {
    /// Reads all FlameCluster objects of a namespace, or of all; none where the server does not know the kind.
    ///
    /// # Errors
    /// What the server said.
    pub async fn list_objects(&self, namespace: Option<&str>, observer: &dyn Observer) -> Result<Option<ObjectList>> {
        let path = path(namespace);
        let pages = Pages { path: &path, what: "FlameClusters", params: ListParams::default(), names_only: false };
        let listed = self.pages(&pages, |_: &Slim<wire::FlameCluster, FlameObject>| true, observer).await;
        match listed {
            Ok((items, resource_version)) => {
                Ok(Some(ObjectList { objects: items.into_iter().map(|it| it.0).collect(), resource_version }))
            }
            Err(failure) if failure.code() == 404 => Ok(None),
            Err(failure) => Err(read_error("FlameClusters", self.url(), &failure)),
        }
    }

    /// Reads one FlameCluster object; none where there is none, or the server does not know the kind.
    ///
    /// # Errors
    /// What the server said.
    pub async fn get_object(&self, key: &FlameKey, observer: &dyn Observer) -> Result<Option<FlameObject>> {
        let request = requests(key).get(&key.name, &GetParams::default()).map_err(|error| not_made(&error))?;
        let what = format!("FlameCluster {} in namespace {}", key.name, key.namespace);
        let read: super::Read<wire::FlameCluster> = self.read(&what, request, observer).await?;
        Ok(read.found().map(FlameObject::from))
    }

    /// Watches FlameCluster objects from a `resourceVersion` on.
    pub fn watch_objects(&self, namespace: Option<&str>, resource_version: &str) -> ObjectWatch {
        let (sender, news) = mpsc::channel(QUEUE);
        let follower = Follower {
            api: self.clone(),
            namespace: namespace.map(str::to_owned),
            resource_version: resource_version.to_owned(),
            news: sender,
        };
        ObjectWatch { news, task: tokio::spawn(keep_following(follower)) }
    }

    /// Makes the object's status say this, besides what it says already. A merge, not an apply: another controller's CRD may
    /// not know all of the fields, and the server drops those.
    ///
    /// # Errors
    /// Only where no request can be made of it.
    pub async fn write_object_status(&self, key: &FlameKey, owner: &Owner, status: &Value) -> Result<Stored> {
        let body = json!({ "metadata": { "uid": owner.uid }, "status": status });
        let request = requests(key).patch_subresource("status", &key.name, &params(false), &Patch::Merge(body));
        self.store(request).await
    }

    /// Sets `spec.executorManager.replicas` of the object with the owner's uid.
    ///
    /// # Errors
    /// Only where no request can be made of it.
    pub async fn scale_object(&self, key: &FlameKey, owner: &Owner, replicas: u32) -> Result<Stored> {
        let spec = json!({ "executorManager": { "replicas": replicas } });
        let body = json!({ "metadata": { "uid": owner.uid }, "spec": spec });
        self.store(requests(key).patch(&key.name, &params(false), &Patch::Merge(body))).await
    }

    /// Applies an object as a user wrote it, by server-side apply.
    ///
    /// # Errors
    /// Only where no request can be made of it.
    pub async fn apply_object(&self, key: &FlameKey, object: &Value, force: bool, dry_run: bool) -> Result<Stored> {
        let params = PatchParams { force, dry_run, ..params(false) };
        self.store(requests(key).patch(&key.name, &params, &Patch::Apply(object))).await
    }

    /// Deletes the object with the owner's uid; the garbage collector takes what it owns.
    ///
    /// # Errors
    /// Only where no request can be made of it.
    pub async fn delete_object(&self, key: &FlameKey, owner: &Owner) -> Result<Stored> {
        let preconditions = Preconditions { uid: Some(owner.uid.clone()), ..Default::default() };
        let params = DeleteParams {
            preconditions: Some(preconditions),
            propagation_policy: Some(PropagationPolicy::Background),
            ..Default::default()
        };
        let request = requests(key).delete(&key.name, &params).map_err(|error| not_made(&error))?;
        Ok(match self.send::<serde::de::IgnoredAny>(request).await {
            Ok(_) => Stored::Gone(String::new()),
            Err(failure) => not_stored(&failure),
        })
    }

    async fn store(&self, request: Result<http::Request<Vec<u8>>, kube::core::request::Error>) -> Result<Stored> {
        let request = request.map_err(|error| not_made(&error))?;
        Ok(match self.send::<wire::FlameCluster>(request).await {
            Ok((object, _)) => Stored::Yes(Box::new(object.into())),
            Err(failure) => not_stored(&failure),
        })
    }
}

fn params(dry_run: bool) -> PatchParams {
    PatchParams { dry_run, field_manager: Some(FIELD_MANAGER.to_owned()), ..Default::default() }
}

fn not_stored(failure: &Failure) -> Stored {
    let Failure::Status { status, .. } = failure else {
        return if failure.is_transient() {
            Stored::Busy(failure.text(), None)
        } else {
            Stored::Refused(failure.text())
        };
    };
    let conflicts = field_conflicts(status);
    let is_another = status.message.contains("uid mismatch") || status.message.contains("metadata.uid");
    match StatusCode::from_u16(status.code) {
        _ if !conflicts.is_empty() => Stored::Conflict(conflicts),
        Ok(StatusCode::NOT_FOUND) => Stored::Gone(status.message.clone()),
        Ok(StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY) if is_another => {
            Stored::Gone(status.message.clone())
        }
        _ if failure.is_transient() => Stored::Busy(failure.text(), retry_after(failure)),
        _ => Stored::Refused(failure.text()),
    }
}

struct Follower {
    api: ApiServer,
    namespace: Option<String>,
    resource_version: String,
    news: mpsc::Sender<ObjectNews>,
}

impl Resumed for Follower {
    async fn follow(&mut self) -> End {
        let requests = kube::core::Request::new(path(self.namespace.as_deref()));
        let request = requests.watch(&watch_params(Attention::KEEPING), &self.resource_version);
        let news = |change, it: wire::FlameCluster| {
            let object = Box::new(FlameObject::from(it));
            let resource_version = object.resource_version.clone();
            let news = match change {
                Change::Seen => ObjectNews::Seen(object),
                Change::Deleted => ObjectNews::Deleted(object),
            };
            (resource_version, Some(news))
        };
        let open = Some(ObjectNews::Open);
        follow(&self.api, request, &mut self.resource_version, &self.news, Attention::KEEPING, open, news).await
    }

    async fn relist(&mut self) {
        match self.api.list_objects(self.namespace.as_deref(), &Silent).await {
            Ok(Some(ObjectList { objects, resource_version })) => {
                self.resource_version = resource_version;
                let _ = self.news.send(ObjectNews::Relisted(objects)).await;
            }
            Ok(None) => self.trouble("the server does not know FlameClusters any more".to_owned()).await,
            Err(error) => self.trouble(error.what).await,
        }
    }

    async fn trouble(&self, why: String) {
        // Nobody who listens is nobody to tell; the stream finds out by itself.
        let _ = self.news.send(ObjectNews::Trouble(why)).await;
    }
}
