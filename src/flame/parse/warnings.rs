//! What works on paper, and that nobody promises to work well: sizes nobody tested, fields that do not fit together.

use super::super::FlameCluster;
use super::super::generation::{Version, version_of_image};
use super::fields::Field;
use super::grammar::Fault;
use super::image;
use super::quantity::Quantity;
use super::report::{Report, shown};
use super::slot::slot;
use super::tree::Document;

/// Kubernetes is tested with up to this many endpoints of one Service (sig-scalability thresholds).
const TESTED_ENDPOINTS: u32 = 250;
/// Kubernetes is tested with up to this many Pods in one namespace (sig-scalability thresholds).
const TESTED_PODS: u64 = 3000;

/// Adds all warnings about `flame`, which was read from `document`.
pub(super) fn add(document: &Document<'_>, flame: &FlameCluster, report: &mut Report) {
    if let Some(replicas) = document.field(&["spec", "executorManager", "replicas"]) {
        scale(&replicas, flame, report);
    }
    if let Some(image) = document.field(&["spec", "executorManager", "image"]) {
        versions(document, &image, flame, report);
    }
    if let Some(slot) = document.field(&["spec", "sessionManager", "slot"]) {
        large_slot(document, &slot, flame, report);
    }
}

fn scale(field: &Field<'_>, flame: &FlameCluster, report: &mut Report) {
    let replicas = flame.spec.executor_manager.replicas;
    if replicas == 0 {
        let fault = Fault::new("with 0 executors the flame stays Pending: Running needs one ready executor");
        report.warn(field, fault.say("remove the line for the default, 1"));
    }
    if replicas > TESTED_ENDPOINTS {
        let tested = format!("Kubernetes is tested with {TESTED_ENDPOINTS}");
        let fault = Fault::new(format!("{replicas} executors are endpoints of one Service; {tested}"));
        report.warn(field, fault.say(format!("replicas: {TESTED_ENDPOINTS}")));
    }
    // The session manager is one Pod more, and so is an object cache of its own.
    let pods = u64::from(replicas) + 1 + u64::from(flame.has_object_cache_pod());
    if pods > TESTED_PODS {
        let tested = format!("Kubernetes is tested with {TESTED_PODS}");
        let fault = Fault::new(format!("{pods} Pods in one namespace; {tested}"));
        report.warn(field, fault.say("several flames in namespaces of their own share the load"));
    }
}

/// Both managers have to be of one Flame (flame-facts 1.10).
fn versions(document: &Document<'_>, field: &Field<'_>, flame: &FlameCluster, report: &mut Report) {
    let (session, executor) = (&flame.spec.session_manager.image, &flame.spec.executor_manager.image);
    let (Some((wanted, tag)), Some((got, _))) = (image::version(session), image::version(executor)) else { return };
    // Where they are of different generations, that was told.
    let generation = |image: &str| version_of_image(image).map(Version::generation);
    if wanted == got || generation(session) != generation(executor) {
        return;
    }
    let line = document.field(&["spec", "sessionManager", "image"]).map_or(0, |field| field.place(None).line);
    let fault = Fault::new(format!(
        "Flame {}.{} with a session manager of {}.{} in line {line}: both have to be of one version",
        got.0, got.1, wanted.0, wanted.1
    ));
    let better = executor.rsplit_once(':').map(|(name, _)| format!("{name}:{tag}")).unwrap_or_default();
    report.warn(field, fault.write(shown(&better)));
}

/// An executor gets a slot of its manager's Pod, and the Pod has a limit.
fn large_slot(document: &Document<'_>, field: &Field<'_>, flame: &FlameCluster, report: &mut Report) {
    let Ok(slot) = slot(&flame.spec.session_manager.slot) else { return };
    let sizes = [("cpu", slot.cpu), ("memory", slot.memory_bytes)];
    for (resource, size) in sizes {
        let Some(text) = flame.spec.executor_manager.resources.limits.get(resource) else { continue };
        let Ok(limit) = Quantity::parse(text) else { continue };
        if Quantity::from_integer(size) <= limit || limit.is_zero() {
            continue;
        }
        let path = ["spec", "executorManager", "resources", "limits", resource];
        let line = document.field(&path).map_or(0, |field| field.place(None).line);
        let limit = shown(text);
        let fault = Fault::new(format!(
            "one slot has more {resource} than an executor manager may use, {limit} in line {line}"
        ));
        report.warn(field, fault.say("raise the limit, or make the slot smaller"));
    }
}
