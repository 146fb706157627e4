//! What a plan disrupts, in a sentence, before it happens.

use super::manifests::Manifests;
use super::names::{Component, Kind};
use super::observed::Snapshot;
use super::plan::{Op, Plan, Why};
use super::rollout::MaxUnavailable;
use super::state::ranges;

/// Returns what users of the flame will notice of `plan`, one sentence a component; empty when they notice nothing.
pub fn disruption(plan: &Plan, manifests: &Manifests, snapshot: &Snapshot, budget: MaxUnavailable) -> Vec<String> {
    [
        session_manager(plan, manifests, snapshot),
        object_cache(plan, snapshot),
        replaced(plan, manifests, budget),
        stopped(plan),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// An object cache that is not ready holds nothing for anybody.
fn object_cache(plan: &Plan, snapshot: &Snapshot) -> Option<String> {
    let change = plan.changes().find(|it| it.component == Component::ObjectCache && it.object.kind == Kind::Pod)?;
    let serves = snapshot.pods.get(&change.object.name).is_some_and(|pod| pod.is_ready());
    if !change.disrupts() || !serves {
        return None;
    }
    let goes = if change.op == Op::Delete { "stops" } else { "restarts" };
    Some(format!("object cache {goes}: its objects are lost"))
}

/// A session manager that is not ready serves nobody, so its restart disrupts nobody.
fn session_manager(plan: &Plan, manifests: &Manifests, snapshot: &Snapshot) -> Option<String> {
    let change = plan.changes().find(|it| it.component == Component::SessionManager && it.object.kind == Kind::Pod)?;
    let serves = snapshot.pods.get(&change.object.name).is_some_and(|pod| pod.is_ready());
    if !change.disrupts() || !serves {
        return None;
    }
    let storage = &manifests.flame.spec.session_manager.storage;
    let lost = match (change.op, storage.strip_prefix("sqlite://")) {
        (Op::Update, Some(path)) if path.starts_with('/') => format!(", {storage} is kept"),
        // Without a scheme Flame falls back to a database in its own directory (flame-facts 2).
        (_, None) if !storage.is_empty() => String::new(),
        (_, None) => ", its database in the Pod is lost".to_owned(),
        (_, Some(_)) => format!(", {storage} in the Pod is lost"),
    };
    Some(format!("session manager restarts: all sessions drop{lost}"))
}

fn replaced(plan: &Plan, manifests: &Manifests, budget: MaxUnavailable) -> Option<String> {
    let indices = executors(plan, manifests, Op::Replace);
    if indices.is_empty() {
        return None;
    }
    let replicas = manifests.flame.spec.executor_manager.replicas;
    let size = budget.of(replicas);
    let waves = (indices.len() as u32).div_ceil(size);
    let waves = if waves == 1 { "1 wave".to_owned() } else { format!("{waves} waves") };
    let least = replicas.saturating_sub(size);
    let which = match indices.as_slice() {
        [one] => format!("executor {one} is"),
        many => format!("executors {} are", ranges(many, '-')),
    };
    Some(format!("{which} replaced in {waves}, never fewer than {least} of {replicas} ready"))
}

fn stopped(plan: &Plan) -> Option<String> {
    let surplus = plan.changes().filter(|it| it.op == Op::Delete && it.why.contains(&Why::Surplus)).count();
    match surplus {
        0 => None,
        1 => Some("1 executor stops: its tasks are run again by others".to_owned()),
        many => Some(format!("{many} executors stop: their tasks are run again by others")),
    }
}

fn executors(plan: &Plan, manifests: &Manifests, op: Op) -> Vec<u32> {
    let name = &manifests.flame.metadata.name;
    let changes = plan.changes().filter(|it| it.component == Component::ExecutorManager && it.op == op);
    changes.filter_map(|it| super::names::executor_index(name, &it.object.name)).collect()
}
