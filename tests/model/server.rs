//! An API server in memory: uids, resourceVersions, server-side apply with field owners, graceful deletion, quota, a kubelet,
//! and strangers who edit and delete. It stores JSON as the real one sends it, so the reader is tested with it.

use std::collections::{BTreeMap, BTreeSet};

use flamectl::apiserver::read::observed;
use flamectl::flame::names::{Kind, ObjectRef};
use flamectl::flame::observed::{Observed, ObservedPod};
use flamectl::flame::rollout::{Action, Body, FieldConflict, Outcome, Refusal, Write};
use serde_json::{Value, json};

/// One change of one object, as a watch would tell it.
#[derive(Clone, Debug)]
pub struct Change {
    pub deleted: bool,
    pub kind: Kind,
    pub object: Value,
}

#[derive(Clone, Debug, Default)]
pub struct Server {
    pub objects: BTreeMap<ObjectRef, Value>,
    /// Fields that strangers set: object → JSON pointer → manager, in the server's words.
    owners: BTreeMap<ObjectRef, BTreeMap<String, String>>,
    /// What flamectl applied last: a label or annotation of it that it no longer applies goes.
    applied: BTreeMap<ObjectRef, Value>,
    /// The hostnames that the Pods of each name had since the flame began.
    hostnames: BTreeSet<(ObjectRef, String)>,
    pub log: Vec<Change>,
    pub writes: usize,
    /// How many Pods the namespace takes.
    pub quota: Option<usize>,
    revision: u64,
    uids: u64,
}

impl Server {
    /// Carries out a write, whole or not at all, and answers as the real server does.
    pub fn write(&mut self, write: &Write, body: &Body) -> Outcome {
        self.writes += 1;
        match body {
            Body::Delete(uid, version) => self.delete(&write.object, uid, *version),
            Body::Merge(patch) => self.merge(&write.object, patch),
            Body::Apply(object) if write.action == Action::Resize => self.resize(&write.object, object),
            Body::Apply(object) => self.apply(&write.object, object, write.force),
            Body::Executor(json, hostname) => {
                match self.apply(&write.object, &serde_json::from_str(json).unwrap(), write.force) {
                    Outcome::Created(Observed::Pod(pod)) => {
                        let (hostname, index_label) = (hostname.clone(), pod.index_label);
                        Outcome::Made(Box::new(ObservedPod {
                            meta: pod.meta,
                            index_label,
                            hostname: hostname.map(String::into_boxed_str),
                            ..Default::default()
                        }))
                    }
                    other => other,
                }
            }
        }
    }

    fn apply(&mut self, object: &ObjectRef, desired: &Value, force: bool) -> Outcome {
        let uid = desired["metadata"]["uid"].as_str();
        let version = desired["metadata"]["resourceVersion"].as_str();
        let Some(live) = self.objects.get(object).cloned() else {
            return if uid.is_some() { Outcome::Mismatch } else { self.create(object, desired.clone()) };
        };
        if uid.is_some_and(|uid| live["metadata"]["uid"] != uid)
            || version.is_some_and(|version| live["metadata"]["resourceVersion"] != version)
        {
            return Outcome::Mismatch;
        }
        let conflicts = self.conflicts(object, &live, desired);
        if !conflicts.is_empty() && !force {
            return Outcome::Conflict(conflicts);
        }
        if object.kind == Kind::Pod && immutable(&live) != immutable(desired) {
            return invalid("pod updates may not change fields other than the image");
        }
        let mut next = live.clone();
        for part in ["labels", "annotations"] {
            let before = self.applied.get(object).map_or(Value::Null, |it| it["metadata"][part].clone());
            next["metadata"][part] = merged(&live["metadata"][part], &before, &desired["metadata"][part]);
        }
        self.applied.insert(object.clone(), desired.clone());
        if let Some(data) = desired.get("data") {
            next["data"] = data.clone();
        }
        if let Some(spec) = desired.get("spec") {
            let mut spec = spec.clone();
            if object.kind == Kind::Service {
                spec["clusterIP"] = live["spec"]["clusterIP"].clone();
                spec["ports"] = merged_ports(&live["spec"]["ports"], &spec["ports"]);
                if has_doubled_names(&spec["ports"]) {
                    return invalid("spec.ports[1].name: Duplicate value");
                }
            }
            if live["spec"]["nodeName"].is_string() {
                spec["nodeName"] = live["spec"]["nodeName"].clone();
            }
            next["spec"] = spec;
        }
        self.owners.remove(object);
        own(&mut next, &[]);
        if next == live {
            return self.answer(object, &live);
        }
        self.store(object, next)
    }

    /// Fields that others set to something else than is desired.
    fn conflicts(&self, object: &ObjectRef, live: &Value, desired: &Value) -> Vec<FieldConflict> {
        let owners = self.owners.get(object).into_iter().flatten();
        let differs = |field: &&String| desired.pointer(field).is_some_and(|it| Some(it) != live.pointer(field));
        owners
            .filter(|(field, _)| differs(field))
            .map(|(field, manager)| FieldConflict { manager: manager.clone(), field: field.clone() })
            .collect()
    }

    fn create(&mut self, object: &ObjectRef, mut new: Value) -> Outcome {
        let pods = self.objects.keys().filter(|it| it.kind == Kind::Pod).count();
        if object.kind == Kind::Pod && self.quota.is_some_and(|quota| pods >= quota) {
            return Outcome::Refused(Refusal {
                reason: "Forbidden".into(),
                message: "exceeded quota: pods".into(),
                hint: None,
            });
        }
        self.note_hostname(object, &new);
        self.uids += 1;
        new["metadata"]["uid"] = format!("uid-{}", self.uids).into();
        own(&mut new, &[]);
        self.applied.insert(object.clone(), new.clone());
        match object.kind {
            Kind::Pod => new["status"] = json!({ "phase": "Pending" }),
            Kind::Service => new["spec"]["clusterIP"] = format!("10.96.0.{}", self.uids).into(),
            Kind::ConfigMap => {}
        }
        let Outcome::Changed(observed) = self.store(object, new) else { unreachable!() };
        Outcome::Created(observed)
    }

    /// A session manager takes an executor under the hostname of an earlier one for that one (flame-facts 1.7).
    fn note_hostname(&mut self, object: &ObjectRef, pod: &Value) {
        if self.objects.is_empty() {
            self.hostnames.clear();
        }
        if object.name.contains("-executor-manager-") {
            let hostname = pod["spec"]["hostname"].as_str().unwrap_or(&object.name).to_owned();
            let is_fresh = self.hostnames.insert((object.clone(), hostname.clone()));
            assert!(is_fresh, "{object} comes back under the hostname of an earlier one, {hostname}");
        }
    }

    fn merge(&mut self, object: &ObjectRef, patch: &Value) -> Outcome {
        let Some(mut live) = self.objects.get(object).cloned() else { return Outcome::Mismatch };
        if live["metadata"]["uid"] != patch["metadata"]["uid"] {
            return Outcome::Mismatch;
        }
        if let Some(owners) = patch["metadata"].get("ownerReferences") {
            live["metadata"]["ownerReferences"] = owners.clone();
            return self.store(object, live);
        }
        live["spec"]["ports"] = patch["spec"]["ports"].clone();
        self.owners.remove(object);
        self.store(object, live)
    }

    fn resize(&mut self, object: &ObjectRef, patch: &Value) -> Outcome {
        let Some(mut live) = self.objects.get(object).cloned() else { return Outcome::Mismatch };
        if live["metadata"]["uid"] != patch["metadata"]["uid"] {
            return Outcome::Mismatch;
        }
        live["spec"]["containers"][0]["resources"] = patch["spec"]["containers"][0]["resources"].clone();
        self.store(object, live)
    }

    fn delete(&mut self, object: &ObjectRef, uid: &str, version: Option<u64>) -> Outcome {
        let Some(mut live) = self.objects.get(object).cloned() else { return Outcome::Gone };
        let seen = version.map(|version| Value::from(version.to_string()));
        let other_version = seen.is_some_and(|seen| live["metadata"]["resourceVersion"] != seen);
        if (!uid.is_empty() && live["metadata"]["uid"] != uid) || other_version {
            return Outcome::Mismatch;
        }
        if object.kind != Kind::Pod {
            self.remove(object);
            return Outcome::Gone;
        }
        let answer = if live["metadata"]["deletionTimestamp"].is_null() {
            live["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
            self.store(object, live)
        } else {
            self.answer(object, &live)
        };
        // No more is asked for than its metadata.
        let Outcome::Changed(observed) = answer else { unreachable!() };
        Outcome::Leaving(Box::new(observed.meta().clone()))
    }

    fn store(&mut self, object: &ObjectRef, mut new: Value) -> Outcome {
        self.revision += 1;
        new["metadata"]["resourceVersion"] = self.revision.to_string().into();
        self.objects.insert(object.clone(), new.clone());
        self.log.push(Change { deleted: false, kind: object.kind, object: new.clone() });
        self.answer(object, &new)
    }

    /// Removes an object at once.
    pub fn remove(&mut self, object: &ObjectRef) {
        let Some(mut live) = self.objects.remove(object) else { return };
        self.owners.remove(object);
        self.revision += 1;
        live["metadata"]["resourceVersion"] = self.revision.to_string().into();
        self.log.push(Change { deleted: true, kind: object.kind, object: live });
    }

    fn answer(&self, object: &ObjectRef, value: &Value) -> Outcome {
        Outcome::Changed(observed(object.kind, value.clone()).expect("the model stores what the server sends"))
    }

    /// Reads one object.
    pub fn get(&self, object: &ObjectRef) -> Option<Observed> {
        let live = self.objects.get(object)?;
        Some(observed(object.kind, live.clone()).expect("the model stores what the server sends"))
    }

    /// Lets nodes work on a Pod: bind, start, end. An image that begins with `bad/` never starts, one with `crash/` crashes.
    pub fn kubelet(&mut self, object: &ObjectRef) {
        let Some(mut pod) = self.objects.get(object).cloned() else { return };
        if !pod["metadata"]["deletionTimestamp"].is_null() {
            self.remove(object);
            return;
        }
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned();
        let status = if image.starts_with("bad/") {
            json!({ "phase": "Pending", "containerStatuses": [{ "image": image, "state":
                { "waiting": { "reason": "ImagePullBackOff", "message": "not found" } } }] })
        } else if image.starts_with("crash/") {
            json!({ "phase": "Running", "containerStatuses": [{ "image": image, "restartCount": 3, "state":
                { "waiting": { "reason": "CrashLoopBackOff" } }, "lastState": { "terminated": { "exitCode": 101 } } }] })
        } else {
            json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }],
                "containerStatuses": [{ "image": image, "state": { "running": {} } }] })
        };
        if pod["status"] != status && pod["status"]["phase"] != "Failed" {
            pod["status"] = status;
            pod["spec"]["nodeName"] = "node-0".into();
            self.store(object, pod);
        }
    }

    /// Ends a Pod for good, as an eviction does.
    pub fn evict(&mut self, object: &ObjectRef) {
        if let Some(mut pod) = self.objects.get(object).cloned() {
            pod["status"] = json!({ "phase": "Failed", "reason": "Evicted" });
            self.store(object, pod);
        }
    }

    /// Sets a field as `kubectl edit` does.
    pub fn edit(&mut self, object: &ObjectRef, field: &str, value: Value) {
        let Some(mut live) = self.objects.get(object).cloned() else { return };
        let Some(place) = live.pointer_mut(field) else { return };
        *place = value;
        own(&mut live, &[("kubectl-edit", "Update")]);
        if field.ends_with("/image") {
            live["metadata"]["managedFields"][1]["fieldsV1"] =
                json!({ "f:spec": { "f:containers": { "k:{}": { "f:image": {} } } } });
        }
        let fields = self.owners.entry(object.clone()).or_default();
        fields.insert(field.to_owned(), "\"kubectl-edit\" using v1".to_owned());
        self.store(object, live);
    }

    /// Makes an object look as the Go operator made it: an owner, and none of our marks.
    pub fn give_away(&mut self, object: &ObjectRef) {
        let Some(mut live) = self.objects.get(object).cloned() else { return };
        live["metadata"]["labels"] = json!({ "flame.xflops.io/cluster": "demo" });
        live["metadata"]["annotations"] = json!({});
        live["metadata"]["managedFields"] = json!([{ "manager": "manager", "operation": "Update" }]);
        live["metadata"]["ownerReferences"] = json!([{ "kind": "FlameCluster", "name": "demo", "controller": true }]);
        self.store(object, live);
    }

    /// Puts a stranger's object there.
    pub fn put_foreign(&mut self, object: &ObjectRef) {
        self.uids += 1;
        let new = json!({ "metadata": { "name": object.name, "uid": format!("foreign-{}", self.uids),
            "managedFields": [{ "manager": "helm", "operation": "Update" }] }, "spec": {}, "status": { "phase": "Running" } });
        self.store(object, new);
    }
}

fn own(object: &mut Value, others: &[(&str, &str)]) {
    let mut entries = vec![json!({ "manager": "flamectl", "operation": "Apply" })];
    entries.extend(others.iter().map(|(manager, operation)| json!({ "manager": manager, "operation": operation })));
    object["metadata"]["managedFields"] = entries.into();
}

/// What of a Pod may never change.
fn immutable(pod: &Value) -> Value {
    let mut spec = pod["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("nodeName");
    }
    spec["containers"][0]["image"] = Value::Null;
    spec
}

fn merged(live: &Value, before: &Value, desired: &Value) -> Value {
    let mut all = live.as_object().cloned().unwrap_or_default();
    all.retain(|key, _| before.get(key).is_none());
    all.extend(desired.as_object().cloned().unwrap_or_default());
    all.into()
}

/// Server-side apply keys ports by number: those of others stay.
fn merged_ports(live: &Value, desired: &Value) -> Value {
    let desired = desired.as_array().cloned().unwrap_or_default();
    let ours = |port: &Value| desired.iter().any(|it| it["port"] == port["port"]);
    let others = live.as_array().cloned().unwrap_or_default().into_iter().filter(|port| !ours(port));
    desired.iter().cloned().chain(others).collect()
}

fn has_doubled_names(ports: &Value) -> bool {
    let ports = ports.as_array().cloned().unwrap_or_default();
    ports.iter().enumerate().any(|(at, port)| ports[..at].iter().any(|it| it["name"] == port["name"]))
}

fn invalid(message: &str) -> Outcome {
    Outcome::Refused(Refusal { reason: "Invalid".into(), message: message.into(), hint: None })
}
