//! One request: what it does, what it sends, and how it may end.

use std::fmt;
use std::time::Duration;

use super::Rollout;
use crate::flame::hostname::{self, Fresh};
use crate::flame::manifests::Manifests;
use crate::flame::names::{self, Component, Kind, ObjectRef, PodIndex};
use crate::flame::observed::{Observed, ObservedMeta, ObservedPod};
use crate::flame::plan::{self, Desired, Why};
use crate::flame::preflight::Ask;
use crate::flame::spliced::Spliced;

/// What one request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Server-side apply of an object that is not there.
    Create,
    /// Server-side apply of the object with the write's uid.
    Update,
    /// Server-side apply of the resources through the `resize` subresource.
    Resize,
    /// Takes a controlling owner off an object that is taken over, so that deleting the owner no longer deletes it.
    Disown,
    /// Sets a Service's ports to exactly ours, which an apply can't where a port's number was edited.
    ReplacePorts,
    /// Delete with uid precondition.
    Delete,
}

impl fmt::Display for Action {
    /// Writes the past participle: `created`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "created",
            Self::Update | Self::ReplacePorts | Self::Disown => "updated",
            Self::Resize => "resized",
            Self::Delete => "deleted",
        })
    }
}

/// One request to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// What it does.
    pub action: Action,
    /// To which object.
    pub object: ObjectRef,
    /// Why, for people.
    pub why: Vec<Why>,
    /// The uid that the object must have; none for [`Action::Create`].
    pub uid: Option<String>,
    /// Whether fields of other managers are taken.
    pub force: bool,
}

impl Write {
    pub(super) fn is_pod_update(&self) -> bool {
        self.object.kind == Kind::Pod && self.action == Action::Update
    }
}

/// A field that server-side apply could not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// Who owns it, in the server's words: `"kubectl-edit" using v1`.
    pub manager: String,
    /// Which field.
    pub field: String,
}

impl FieldConflict {
    /// Tells whether another applier claims the field; an owner by update (`kubectl edit`) only changed it once. The server
    /// puts `using VERSION` behind an updater's name.
    pub fn is_claimed(&self) -> bool {
        !self.manager.contains(" using ")
    }
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The object was made.
    Created(Observed),
    /// The executor was made; the answer told no more than its metadata, and of the rest only the hostname is here.
    Made(Box<ObservedPod>),
    /// The object was changed, or is on its way out.
    Changed(Observed),
    /// The Pod is on its way out; the answer told no more than its metadata.
    Leaving(Box<ObservedMeta>),
    /// The object is gone.
    Gone,
    /// The object with that uid is not there any more; what is there has to be read.
    Mismatch,
    /// Others own fields; nothing was changed.
    Conflict(Vec<FieldConflict>),
    /// The server refuses for good; nothing was changed.
    Refused(Refusal),
    /// The server is busy; nothing was changed, and it may say when to come back.
    Busy(String, Option<Duration>),
    /// Nobody knows whether it was done.
    Unknown(String),
}

/// A final no of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The Status' `reason`, as `Forbidden`.
    pub reason: String,
    /// The Status' message without its ladder.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What a [`Write`] sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Server-side apply of this object, to the object or to its `resize` subresource.
    Apply(serde_json::Value),
    /// Server-side apply that makes an executor: its JSON, and its hostname where that is not its name.
    Executor(String, Option<String>),
    /// Merge patch.
    Merge(serde_json::Value),
    /// Delete with this uid as precondition, and this `resourceVersion` where one is given.
    Delete(String, Option<u64>),
}

impl Rollout {
    /// Returns what `write` sends.
    ///
    /// The uid goes into every change, so that the server refuses it for a namesake (design: rule 1).
    pub fn body(&self, write: &Write) -> Body {
        let uid = write.uid.clone().unwrap_or_default();
        // The record decides between commands at once, so it is only written as it was seen.
        let is_record = write.object.kind == Kind::ConfigMap;
        let seen = self.snapshot.meta(&write.object).map(|meta| meta.resource_version).filter(|_| is_record);
        let Desired::Up(manifests) = &self.desired else {
            return match write.action {
                Action::Update => Body::Apply(with_version(with_uid(self.tombstone(&write.object), &uid), seen)),
                _ => Body::Delete(uid, seen),
            };
        };
        match write.action {
            Action::Delete => Body::Delete(uid, seen),
            Action::Create => match self.pod_index(&write.object) {
                Some(PodIndex::Executor(index)) => self.executor(manifests, index),
                _ => Body::Apply(only_if_absent(self.manifest(manifests, &write.object))),
            },
            Action::Update => {
                let object = self.with_hostname(&write.object, self.manifest(manifests, &write.object));
                Body::Apply(with_version(with_uid(object, &uid), seen))
            }
            Action::Resize => Body::Apply(with_uid(resize(self.manifest(manifests, &write.object)), &uid)),
            Action::Disown => {
                let owners =
                    self.snapshot.meta(&write.object).map(|meta| meta.other_owners.clone()).unwrap_or_default();
                Body::Merge(with_uid(serde_json::json!({ "metadata": { "ownerReferences": owners } }), &uid))
            }
            Action::ReplacePorts => {
                let ports = self.manifest(manifests, &write.object)["spec"]["ports"].clone();
                Body::Merge(with_uid(serde_json::json!({ "metadata": {}, "spec": { "ports": ports } }), &uid))
            }
        }
    }

    /// Returns the record as it is, with the mark that the flame goes.
    fn tombstone(&self, object: &ObjectRef) -> serde_json::Value {
        let record = self.snapshot.config_maps.get(&object.name).cloned().unwrap_or_default();
        let mut annotations = record.meta.annotations;
        annotations.insert(names::ANNOTATION_DOWN.to_owned(), "true".to_owned());
        serde_json::json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": object.name, "labels": *record.meta.labels, "annotations": *annotations },
            "data": record.data,
        })
    }

    fn manifest(&self, manifests: &Manifests, object: &ObjectRef) -> serde_json::Value {
        let name = &manifests.flame.metadata.name;
        let value = match object.kind {
            Kind::ConfigMap => {
                let generation = plan::config_generation(manifests, self.snapshot.record(name));
                serde_json::to_value(manifests.record(generation))
            }
            Kind::Service => {
                let of_object =
                    |it: &k8s_openapi::api::core::v1::Service| it.metadata.name.as_ref() == Some(&object.name);
                serde_json::to_value(manifests.services().into_iter().find(of_object))
            }
            Kind::Pod => serde_json::to_value(PodIndex::of(name, &object.name).and_then(|it| manifests.pod_of(it))),
        };
        value.expect("manifests have string keys only")
    }
}

impl Rollout {
    /// Returns the executor of this index as it is made where none is.
    fn executor(&self, manifests: &Manifests, index: u32) -> Body {
        let executor = self.executor.get_or_init(|| Spliced::new(manifests, only_if_absent));
        let hostname = match self.fresh_hostname(index) {
            Some(fresh) => Some(fresh),
            None => hostname::first(self.desired.name(), index),
        };
        Body::Executor(executor.pod(index, hostname.as_deref()), hostname)
    }

    /// Returns an executor that was made as it was sent, but for the metadata and the hostname, which are told. What admission
    /// made of it comes with the watch.
    pub(super) fn as_sent(&self, made: ObservedPod) -> ObservedPod {
        let Some(manifests) = self.desired.manifests() else { return made };
        let Ask { requests, limits } = Ask::of_pod(manifests.pod_spec(Component::ExecutorManager), &[]);
        let image = manifests.image(Component::ExecutorManager).into();
        ObservedPod { image, requests, limits, ..made }
    }

    /// An executor under the hostname of its predecessor would be taken for it and never get work again (flame-facts 1.7),
    /// so one that may have had a predecessor gets a hostname of its own; none where nobody can have had its name before.
    fn fresh_hostname(&self, index: u32) -> Option<String> {
        if !self.had_objects && self.gone.is_empty() {
            return None;
        }
        let milliseconds = self.now.as_millis() as u64;
        let fresh = Fresh { revision: self.snapshot.revision, milliseconds };
        Some(fresh.hostname(self.desired.name(), index))
    }

    /// A Pod that is there keeps the hostname that it has.
    fn with_hostname(&self, object: &ObjectRef, mut manifest: serde_json::Value) -> serde_json::Value {
        let spec = manifest.get_mut("spec").and_then(serde_json::Value::as_object_mut);
        let Some(spec) = spec.filter(|_| object.kind == Kind::Pod) else { return manifest };
        if let Some(pod) = self.snapshot.pod(&object.name) {
            spec.remove("hostname");
            spec.extend(pod.hostname.as_deref().map(|hostname| ("hostname".to_owned(), hostname.into())));
        }
        manifest
    }
}

/// Makes an apply that creates and never changes: the server compares the `resourceVersion` with that of the object that is
/// there, finds another one and answers 409, and ignores it where there is none (measured with Kubernetes 1.35; no object
/// has the version 1, which is etcd's before its first write).
fn only_if_absent(mut object: serde_json::Value) -> serde_json::Value {
    object["metadata"]["resourceVersion"] = "1".into();
    object
}

fn with_version(mut object: serde_json::Value, version: Option<u64>) -> serde_json::Value {
    if let Some(version) = version {
        object["metadata"]["resourceVersion"] = version.to_string().into();
    }
    object
}

fn with_uid(mut object: serde_json::Value, uid: &str) -> serde_json::Value {
    object["metadata"]["uid"] = uid.into();
    object
}

/// Cuts a Pod down to what the `resize` subresource takes.
fn resize(pod: serde_json::Value) -> serde_json::Value {
    let container = &pod["spec"]["containers"][0];
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"] },
        "spec": { "containers": [{ "name": container["name"], "resources": container["resources"] }] },
    })
}
