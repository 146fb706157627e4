//! One [`Write`] → one request → its [`Outcome`]. The only place that writes objects of a flame.
//!
//! Outcomes are told apart by the Status' `reason`, not by the number (design: rule 9). Nothing is sent twice here: what
//! comes after a failure is for `flame::rollout` to decide.

use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, HeaderValue};
use kube::core::Status;
use kube::core::params::{DeleteParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy};
use prost::Message;
use prost::bytes::Bytes;
use serde::Deserialize;

use super::wire::{self, Shape, protobuf};
use super::{ApiServer, Failure, Observer, built, requests};
use crate::error::{Error, Result};
use crate::flame::names::{FIELD_MANAGER, Kind, ObjectRef};
use crate::flame::observed::{Observed, ObservedPod};
use crate::flame::rollout::{Action, Body, FieldConflict, Outcome, Refusal, Write};

/// Pause after a 429 that names none.
const THROTTLED: Duration = Duration::from_secs(1);
/// Pause while a new namespace's `default` ServiceAccount is not there yet (kubernetes#66689).
const SERVICE_ACCOUNT: Duration = Duration::from_millis(500);

/// An answer to a write: the object, its metadata where no more was asked for, or the Status that some deletes return.
#[derive(Deserialize)]
#[serde(tag = "kind")]
enum Answer {
    ConfigMap(wire::ConfigMap),
    Service(wire::Service),
    Pod(Box<wire::Pod>),
    /// A Pod's, as nothing else is asked for it.
    PartialObjectMetadata(Box<wire::Pod>),
    Status(serde::de::IgnoredAny),
}

impl Shape for Answer {
    fn from_protobuf(kind: &str, raw: Bytes) -> Option<Self> {
        match kind {
            "Status" => Some(Self::Status(serde::de::IgnoredAny)),
            "PartialObjectMetadata" => wire::Pod::decode(raw).ok().map(|it| Self::PartialObjectMetadata(Box::new(it))),
            _ => wire::Pod::from_protobuf(kind, raw).map(|pod| Self::Pod(Box::new(pod))),
        }
    }
}

impl ApiServer {
    /// Sends `write` once; with `dry_run` the server only pretends.
    ///
    /// # Errors
    /// Only where no request can be made of it.
    pub async fn write(&self, namespace: &str, write: &Write, body: Body, dry_run: bool) -> Result<Outcome> {
        let hostname = if let Body::Executor(_, hostname) = &body { Some(hostname.clone()) } else { None };
        let mut request = request(namespace, write, body, dry_run)?;
        if write.object.kind == Kind::Pod {
            let is_known = hostname.is_some() || write.action == Action::Delete;
            let accept = if is_known { protobuf::ACCEPT_METADATA } else { protobuf::ACCEPT };
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
        }
        Ok(match self.send::<Answer>(request).await {
            Ok((answer, status)) => success(answer, status, hostname),
            Err(failure) => outcome(write, failure),
        })
    }
}

fn request(namespace: &str, write: &Write, body: Body, dry_run: bool) -> Result<http::Request<Vec<u8>>> {
    let ObjectRef { kind, name } = &write.object;
    let requests = requests(namespace, *kind);
    let mut params = PatchParams { dry_run, field_manager: Some(FIELD_MANAGER.to_owned()), ..Default::default() };
    let request = match body {
        Body::Delete(uid, version) => {
            let resource_version = version.map(|version| version.to_string());
            let preconditions = Preconditions { uid: Some(uid), resource_version };
            requests.delete(
                name,
                &DeleteParams {
                    dry_run,
                    preconditions: Some(preconditions),
                    propagation_policy: Some(PropagationPolicy::Background),
                    ..Default::default()
                },
            )
        }
        Body::Merge(patch) => requests.patch(name, &params, &Patch::Merge(patch)),
        Body::Executor(json, _) => {
            params.force = write.force;
            let request = requests.patch(name, &params, &Patch::Apply(()));
            request.map(|request| request.map(|_| json.into_bytes()))
        }
        Body::Apply(object) => {
            // Our own entry for a Pod's resources is there twice once it was resized: the subresource's is another one
            // (measured), so a resize takes the fields in any case.
            params.force = write.force || write.action == Action::Resize;
            match write.action {
                Action::Resize => requests.patch_subresource("resize", name, &params, &Patch::Apply(object)),
                _ => requests.patch(name, &params, &Patch::Apply(object)),
            }
        }
    };
    built(&write.object, request)
}

/// Tells what an answer means; `hostname` is that of an executor which was to be made.
fn success(answer: Answer, status: StatusCode, hostname: Option<Option<String>>) -> Outcome {
    let observed = match answer {
        Answer::ConfigMap(it) => Observed::ConfigMap(it.into()),
        Answer::Service(it) => Observed::Service(it.into()),
        Answer::Pod(it) => Observed::Pod(Box::new((*it).into())),
        Answer::PartialObjectMetadata(it) => {
            let pod = ObservedPod::from(*it);
            return match hostname {
                None => Outcome::Leaving(Box::new(pod.meta)),
                Some(hostname) if status == StatusCode::CREATED => {
                    let hostname = hostname.map(String::into_boxed_str);
                    Outcome::Made(Box::new(ObservedPod { hostname, ..pod }))
                }
                // It was there: what it is has to be read.
                Some(_) => Outcome::Mismatch,
            };
        }
        Answer::Status(_) => return Outcome::Gone,
    };
    if status == StatusCode::CREATED { Outcome::Created(observed) } else { Outcome::Changed(observed) }
}

fn outcome(write: &Write, failure: Failure) -> Outcome {
    let (status, retry_after) = match failure {
        Failure::Broken(why) => return Outcome::Unknown(why),
        Failure::Hopeless(message) => {
            return Outcome::Refused(Refusal { reason: "Unauthorized".to_owned(), message, hint: None });
        }
        Failure::Status { status, retry_after } => (status, retry_after),
    };
    let message = status.message.clone();
    match (status.code, status.reason.as_str()) {
        (429, _) => Outcome::Busy("the server is throttling".to_owned(), Some(retry_after.unwrap_or(THROTTLED))),
        (404, _) if write.action == Action::Delete => Outcome::Gone,
        (404, _) if write.action == Action::Create => Outcome::Refused(refusal(&status)),
        (404, _) if write.action == Action::Resize && message.contains("could not find the requested resource") => {
            Outcome::Refused(refusal(&status))
        }
        (404, _) => Outcome::Mismatch,
        (409, "AlreadyExists") => Outcome::Mismatch,
        (409, _) => conflict(&status),
        (422, _) if message.contains("metadata.uid") && write.uid.is_some() => Outcome::Mismatch,
        (403, _) if message.contains("error looking up service account") => {
            Outcome::Busy(message, Some(SERVICE_ACCOUNT))
        }
        // A webhook that cannot be reached stops the request before anything is stored.
        (500, _) if message.contains("failed calling webhook") => Outcome::Busy(message, None),
        (500.., _) => Outcome::Unknown(message),
        _ => Outcome::Refused(refusal(&status)),
    }
}

/// Returns the fields that a server-side apply could not take, and who owns them.
pub(super) fn field_conflicts(status: &Status) -> Vec<FieldConflict> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let conflicts = causes.filter(|cause| cause.reason == "FieldManagerConflict").map(|cause| FieldConflict {
        manager: cause.message.trim_start_matches("conflict with ").to_owned(),
        field: cause.field.trim_start_matches('.').to_owned(),
    });
    conflicts.collect()
}

/// A 409 is a field conflict, a namesake, a quota race or a lost race for the object (design: rule 9).
fn conflict(status: &Status) -> Outcome {
    let fields = field_conflicts(status);
    if !fields.is_empty() {
        return Outcome::Conflict(fields);
    }
    if status.message.contains("resourcequotas") {
        return Outcome::Busy(status.message.clone(), None);
    }
    Outcome::Mismatch
}

fn refusal(status: &Status) -> Refusal {
    let message = &status.message;
    let terminating = message.contains("because it is being terminated");
    let hint = if terminating {
        Some("wait until the namespace is gone, or choose another with -n")
    } else if status.code == 404 && message.starts_with("namespaces ") {
        Some("create it, or let flamectl: run again with --create-namespace")
    } else if message.contains("exceeded quota") {
        Some("lower replicas or resources, or have the quota raised; the same command goes on from here")
    } else if message.contains("violates PodSecurity") {
        Some(
            "the namespace's Pod Security level does not admit these Pods: flamectl up --run-as-user 1000 makes such as \
             level restricted admits; `kubectl label ns` shows and changes the level",
        )
    } else if message.contains("admission webhook") {
        Some("the admission webhook named above refuses it; its owner can say why")
    } else if status.code == 403 {
        Some("the right named above is missing for the user of this kubeconfig")
    } else {
        None
    };
    Refusal { reason: status.reason.clone(), message: shorten(message), hint: hint.map(str::to_owned) }
}

/// Cuts the ladder off that repeats the object: `pods "x" is forbidden: exceeded quota: …` → `exceeded quota: …`.
fn shorten(message: &str) -> String {
    match message.split_once(" is forbidden: ") {
        // RBAC's own sentence begins after the ladder, too, and says who lacks which verb.
        Some((_, rest)) => rest.to_owned(),
        None => message.to_owned(),
    }
}

/// Makes a namespace (`--create-namespace`).
impl ApiServer {
    /// Creates the namespace unless it is there; one that is there is not touched.
    ///
    /// # Errors
    /// What the server said.
    pub async fn create_namespace(&self, namespace: &str, observer: &dyn Observer) -> Result<()> {
        if self.namespace_exists(namespace, observer).await? {
            return Ok(());
        }
        let not_created = |why: String| Error::server(format!("namespace {namespace} was not created: {why}"));
        let object = serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..Default::default() };
        let request = kube::core::Request::new("/api/v1/namespaces").create(&params, object.to_string().into_bytes());
        let request = request.map_err(|error| not_created(error.to_string()))?;
        match self.send::<serde::de::IgnoredAny>(request).await {
            Ok(_) => Ok(()),
            // Somebody else was faster, or an answer of ours got lost: it is there.
            Err(Failure::Status { status, .. }) if status.reason == "AlreadyExists" => Ok(()),
            Err(failure) => Err(not_created(failure.text())),
        }
    }
}
