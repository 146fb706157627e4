//! Kubernetes Events about objects of a flame, as controllers write them.
//!
//! They are core/v1 Events, which have a count and a last time of their own, so that `kubectl describe` and `kubectl events`
//! show how often and since when; the other API shows the same ones.

use kube::core::Request;
use kube::core::params::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::ApiServer;
use crate::flame::names::FIELD_MANAGER;
use crate::flame::reports::{Posting, Report};

/// Why an Event was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReported {
    /// The Event that was to count up is gone: the server keeps them for an hour or so.
    Gone,
    /// It may not be written.
    Forbidden(String),
    /// Another reason.
    Failed(String),
}

impl ApiServer {
    /// Writes an Event once, and returns its name.
    ///
    /// # Errors
    /// Why it was not written.
    pub async fn report(&self, report: &Report, posting: &Posting) -> Result<String, NotReported> {
        let now = jiff::Timestamp::now();
        let seconds = now.round(jiff::Unit::Second).unwrap_or(now).to_string();
        let requests = Request::new(format!("/api/v1/namespaces/{}/events", report.namespace));
        let field_manager = Some(FIELD_MANAGER.to_owned());
        let (name, request) = match posting {
            Posting::New => {
                let name = format!("{}.{:x}", report.object.name, now.as_nanosecond());
                let params = PostParams { field_manager, ..Default::default() };
                let request = requests.create(&params, event(report, &name, &seconds).to_string().into_bytes());
                (name, request)
            }
            Posting::Again(name, count) => {
                let patch = json!({ "count": count, "lastTimestamp": seconds, "message": report.note });
                let params = PatchParams { field_manager, ..Default::default() };
                (name.clone(), requests.patch(name, &params, &Patch::Merge(patch)))
            }
        };
        let request = request.map_err(|error| NotReported::Failed(error.to_string()))?;
        match self.send::<serde::de::IgnoredAny>(request).await {
            Ok(_) => Ok(name),
            Err(failure) if failure.code() == 404 && *posting != Posting::New => Err(NotReported::Gone),
            Err(failure) if failure.code() == 403 => Err(NotReported::Forbidden(failure.text())),
            Err(failure) => Err(NotReported::Failed(failure.text())),
        }
    }
}

fn event(report: &Report, name: &str, moment: &str) -> Value {
    let Report { namespace, object, uid, event_type, reason, note } = report;
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": { "name": name, "namespace": namespace },
        "involvedObject": {
            "apiVersion": "v1", "kind": object.kind.to_string(), "namespace": namespace, "name": object.name, "uid": uid,
        },
        "type": event_type.name(),
        "reason": reason,
        "message": note,
        "source": { "component": FIELD_MANAGER },
        "reportingComponent": FIELD_MANAGER,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    })
}
