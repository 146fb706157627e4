//! `diff`: what `up` would do, and whether the server would take it, without doing it; needs read rights only.

use std::sync::Arc;

use similar::TextDiff;

use super::Context;
use super::input::from_record;
use super::preflight::{self, Preflight};
use super::work::{self, View};
use crate::cli::{DiffArgs, DiffFormat};
use crate::error::Result;
use crate::flame::disruption::disruption;
use crate::flame::manifests::{Manifests, manifests};
use crate::flame::names::{self, Kind, ObjectRef, PodIndex};
use crate::flame::observed::Snapshot;
use crate::flame::plan::{Change, Desired, Op, Plan};
use crate::flame::rollout::{Options, Rollout};
use crate::output::{self, table};

/// Exit code for "different" (kubectl's convention: 0 same, 1 different, above an error).
const DIFFERENT: u8 = 1;

pub async fn run(context: &Context<'_>, args: &DiffArgs) -> Result<u8> {
    let mut flame = context.flame(&args.filename, args.check)?;
    let api = context.connect().await?;
    context.settle_namespace(&mut flame, Some(api.default_namespace()))?;
    let view = View::without_display(context);
    let name = flame.metadata.name.clone();
    let reading = work::read(&api, flame.namespace(), &name, Some(&flame), &view).await?;
    view.finish();
    let manifests = Arc::new(manifests(&flame)?);
    let options = Options::default();
    let rollout = Rollout::new(Desired::up(Arc::clone(&manifests)), options, reading.snapshot);
    let plan = rollout.plan();
    rollout.refuse_foreign(plan)?;
    if args.output == DiffFormat::Text {
        context.printer.data(&texts(plan, &manifests, rollout.snapshot())?)?;
    }
    context.printer.text(&table::plan(plan))?;
    for sentence in disruption(plan, &manifests, rollout.snapshot(), options.max_unavailable) {
        context.printer.data(&sentence)?;
    }
    if !args.preflight.skip_preflight {
        // Rights to write are no matter of those who only look.
        let (rights, create_namespace) = (Vec::new(), None);
        let preflight = Preflight { api: &api, rollout: &rollout, plan, rights, create_namespace };
        preflight::tell(context, &rollout, &preflight.findings(context, &view).await)?;
    }
    let different = !plan.is_empty() && !args.exit_zero;
    Ok(if different { DIFFERENT } else { 0 })
}

/// Returns a text diff of every object that changes; executors that change alike are shown once.
fn texts(plan: &Plan, new: &Manifests, snapshot: &Snapshot) -> Result<String> {
    let name = &new.flame.metadata.name;
    let record = snapshot.record(name);
    let old = record.and_then(|record| from_record(new.flame.namespace(), record).ok());
    let old = old.and_then(|flame| manifests(&flame).ok());
    let mut shown: Vec<&Change> = Vec::new();
    let mut text = String::new();
    for change in plan.changes() {
        if shown
            .iter()
            .any(|it| (it.component, it.object.kind, it.op) == (change.component, change.object.kind, change.op))
        {
            continue;
        }
        shown.push(change);
        let object = &change.object;
        let before = match change.op {
            Op::Create => String::new(),
            _ => before(object, old.as_ref(), snapshot)?,
        };
        let after = if change.op == Op::Delete { String::new() } else { after(object, new)? };
        let diff = TextDiff::from_lines(&before, &after);
        let header = (format!("server {object}"), format!("file {object}"));
        text.push_str(&diff.unified_diff().header(&header.0, &header.1).to_string());
    }
    Ok(text)
}

/// Returns what the server has, in the words of the manifests: what the object was made from, and over it what was seen
/// of it. Fields that the server or others add are none of the diff's business.
fn before(object: &ObjectRef, old: Option<&Manifests>, snapshot: &Snapshot) -> Result<String> {
    match object.kind {
        Kind::ConfigMap => {
            let data = snapshot.config_maps.get(&object.name).and_then(|it| it.data.get(names::CONFIG_KEY));
            Ok(data.cloned().unwrap_or_default())
        }
        Kind::Service => {
            let Some(service) = snapshot.services.get(&object.name) else { return Ok(String::new()) };
            let ports = service.ports.iter().map(|it| {
                serde_json::json!({ "name": it.name, "port": it.port, "protocol": it.protocol, "targetPort": it.target_port })
            });
            output::yaml(&[serde_json::json!({ "ports": ports.collect::<Vec<_>>(), "selector": service.selector })])
        }
        Kind::Pod => {
            let Some(old) = old else { return Ok(String::new()) };
            let mut pod = pod(object, old)?;
            if let Some(seen) = snapshot.pods.get(&object.name) {
                pod["spec"]["containers"][0]["image"] = (&*seen.image).into();
            }
            output::yaml(&[pod])
        }
    }
}

fn after(object: &ObjectRef, new: &Manifests) -> Result<String> {
    match object.kind {
        Kind::ConfigMap => Ok(new.config_text()),
        Kind::Service => {
            let mut services = new.services().into_iter();
            let spec = services.find(|it| it.metadata.name.as_ref() == Some(&object.name)).and_then(|it| it.spec);
            let ports = spec.iter().flat_map(|it| it.ports.iter().flatten()).map(|it| {
                serde_json::json!({ "name": it.name, "port": it.port, "protocol": it.protocol,
                    "targetPort": it.port.to_string() })
            });
            let selector = spec.as_ref().and_then(|it| it.selector.clone());
            output::yaml(&[serde_json::json!({ "ports": ports.collect::<Vec<_>>(), "selector": selector })])
        }
        Kind::Pod => output::yaml(&[pod(object, new)?]),
    }
}

/// Returns a Pod without the hashes, which would only say again that something changed.
fn pod(object: &ObjectRef, manifests: &Manifests) -> Result<serde_json::Value> {
    let index = PodIndex::of(&manifests.flame.metadata.name, &object.name);
    let mut pod = super::render::value(&index.and_then(|index| manifests.pod_of(index)))?;
    if let Some(annotations) = pod["metadata"]["annotations"].as_object_mut() {
        annotations.remove(names::ANNOTATION_TEMPLATE_HASH);
    }
    Ok(pod)
}
