//! Whether a flame fits, before the first write: (plan, manifests, [`Surroundings`]) → [`Finding`]s in words.
//!
//! An error can't work until something changes, a warning only might not: nodes may be added at any moment. What the server
//! was not asked, or did not tell, is not judged. Webhooks may change Pods in ways that nobody can foresee, so all this can
//! be skipped.

mod ask;
mod limits;
mod nodes;
mod quota;
mod security;
mod surroundings;

use k8s_openapi::api::core::v1::PodSpec;

use super::manifests::Manifests;
use super::names::{Component, Kind};
use super::observed::{ObservedPod, Snapshot};
use super::plan::{Op, Plan, Right, Why};
use crate::error::Severity;
pub use ask::Ask;

pub use surroundings::{LimitItem, LimitRange, LimitType, Namespace, Node, Quota, Scope, Surroundings, Taint};

/// The right that `--create-namespace` takes where the namespace is missing; it is not one within the namespace.
pub const CREATE_NAMESPACES: Right = ("create", "namespaces");

/// Something that stands in the way, or might.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the server would refuse something.
    pub severity: Severity,
    /// What does not fit, in one line.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What a preflight judges.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// From what.
    pub manifests: &'a Manifests,
    /// What is there of the flame.
    pub snapshot: &'a Snapshot,
    /// What the server says about the place.
    pub surroundings: &'a Surroundings,
    /// Whether a missing namespace is made; none where that is not known yet.
    pub create_namespace: Option<bool>,
}

/// What a preflight has to ask the server: only what the plan has to do with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// The namespace.
    pub namespace: bool,
    /// Its ResourceQuotas.
    pub quotas: bool,
    /// Its LimitRanges, and the nodes.
    pub room_for_pods: bool,
    /// Which of these rights the caller lacks.
    pub rights: Vec<Right>,
}

/// Returns what to ask before `plan` is carried out. Its `rights` are left to the caller: not every command writes.
pub fn questions(plan: &Plan) -> Questions {
    let makes = |op: Op| matches!(op, Op::Create | Op::Replace | Op::Resize);
    let any = plan.changes().any(|change| makes(change.op));
    let pods = plan.changes().any(|change| change.object.kind == Kind::Pod && makes(change.op));
    let admitted = plan.changes().any(|change| change.disrupts() && change.op != Op::Delete);
    Questions { namespace: any || admitted, quotas: any, room_for_pods: pods, rights: Vec::new() }
}

/// Returns everything that is in the way of the plan, errors first.
pub fn preflight(case: &Case<'_>) -> Vec<Finding> {
    let pods = Pods::of(case);
    let mut findings: Vec<Finding> = namespace(case).into_iter().chain(rights(case)).collect();
    findings.extend(security::findings(case, &pods));
    findings.extend(limits::findings(case, &pods));
    findings.extend(quota::unspecified(case, &pods));
    findings.extend(quota::exceeded(case, &pods));
    findings.extend(nodes::findings(case, &pods));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// Tells whether a quota is too small. Where Pods went a moment ago, that may pass: the server counts them out of
/// `status.used` a little later.
pub fn exceeds_quota(case: &Case<'_>) -> bool {
    quota::exceeded(case, &Pods::of(case)).iter().any(|finding| finding.severity == Severity::Error)
}

impl Finding {
    fn error(message: String, hint: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message, hint: Some(hint.into()) }
    }

    fn warning(message: String, hint: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, message, hint: Some(hint.into()) }
    }
}

/// One component's Pods, and what the plan does with them.
struct Pods<'a> {
    component: Component,
    spec: &'a PodSpec,
    ask: Ask,
    /// How many should be there in the end.
    wanted: u32,
    /// How many are made where none is.
    fresh: u32,
    /// How many are made anew or resized: what was there before gives up its own first.
    renewed: u32,
    /// The Pods that go, or give up what they had.
    leaving: Vec<&'a ObservedPod>,
    /// Whether the server admits any of them once more: it is made, or gets another image.
    admitted: bool,
}

impl<'a> Pods<'a> {
    fn of(case: &Case<'a>) -> Vec<Self> {
        let is_changed =
            |component| case.plan.changes().any(|it| it.object.kind == Kind::Pod && it.component == component);
        let there = Component::WITH_PODS.into_iter().filter(|it| *it != Component::ObjectCache || is_changed(*it));
        there.map(|component| Self::of_component(case, component)).collect()
    }

    fn of_component(case: &Case<'a>, component: Component) -> Self {
        let spec = case.manifests.pod_spec(component);
        let wanted = match component {
            Component::SessionManager => 1,
            Component::ObjectCache => case.manifests.flame.has_object_cache_pod().into(),
            _ => case.manifests.flame.spec.executor_manager.replicas,
        };
        let ask = Ask::of_pod(spec, &case.surroundings.limit_ranges);
        let mut pods =
            Self { component, spec, ask, wanted, fresh: 0, renewed: 0, leaving: Vec::new(), admitted: false };
        for change in case.plan.changes().filter(|it| it.object.kind == Kind::Pod && it.component == component) {
            let before = case.snapshot.pod(&change.object.name);
            match change.op {
                Op::Keep => continue,
                Op::Update => pods.admitted |= change.why.iter().any(|why| matches!(why, Why::Image(..))),
                Op::Create if before.is_none() => pods.fresh += 1,
                Op::Create | Op::Replace | Op::Resize => pods.renewed += 1,
                Op::Delete => {}
            }
            pods.admitted |= matches!(change.op, Op::Create | Op::Replace);
            pods.leaving.extend(before.filter(|_| change.op != Op::Update));
        }
        pods
    }

    /// Returns how many Pods ask for room.
    fn made(&self) -> u32 {
        self.fresh + self.renewed
    }

    /// Returns the place of a quota's or LimitRange's key in the FlameCluster, as `spec.sessionManager.resources.limits.cpu`;
    /// none for the object cache, which has no resources there.
    fn field(&self, key: &str) -> Option<String> {
        let section = match self.component {
            Component::ObjectCache => return None,
            Component::SessionManager => "sessionManager",
            _ => "executorManager",
        };
        let kind = if key.starts_with("requests.") || key.starts_with("limits.") { "" } else { "requests." };
        Some(format!("spec.{section}.resources.{kind}{key}"))
    }
}

/// Returns a component's Pods in words.
fn in_words(component: Component) -> &'static str {
    match component {
        Component::SessionManager => "the session manager",
        Component::ObjectCache => "the object cache",
        _ => "the executors",
    }
}

/// Puts those together about whom the same is said.
fn alike<'p, 'a, T: PartialEq>(said: impl IntoIterator<Item = (&'p Pods<'a>, T)>) -> Vec<(Vec<&'p Pods<'a>>, T)> {
    let mut groups: Vec<(Vec<&Pods<'_>>, T)> = Vec::new();
    for (pods, what) in said {
        match groups.iter_mut().find(|(_, known)| *known == what) {
            Some((who, _)) => who.push(pods),
            None => groups.push((vec![pods], what)),
        }
    }
    groups
}

fn subject(who: &[&Pods<'_>]) -> String {
    who.iter().map(|pods| in_words(pods.component)).collect::<Vec<_>>().join(" and ")
}

/// Returns the places in the FlameCluster that decide these keys, for all of these components; none where one of them has
/// no such place.
fn fields(who: &[&Pods<'_>], keys: &[&str]) -> Option<String> {
    let fields = who.iter().flat_map(|pods| keys.iter().map(|key| pods.field(key)));
    Some(fields.collect::<Option<Vec<_>>>()?.join(" and "))
}

/// What is said where [`fields`] has nothing to say.
const NO_RESOURCES: &str = "a FlameCluster has no resources for the object cache";

fn namespace(case: &Case<'_>) -> Option<Finding> {
    let name = case.manifests.flame.namespace();
    match (case.surroundings.namespace.as_ref()?, case.create_namespace) {
        (Namespace::Missing, Some(true)) => None,
        (Namespace::Missing, known) => {
            let message = format!("namespace {name} was not found");
            let hint = "create it, or let flamectl: up --create-namespace";
            // `diff` does not know how `up` will be called.
            Some(if known.is_some() { Finding::error(message, hint) } else { Finding::warning(message, hint) })
        }
        (Namespace::There { terminating: true, .. }, _) => Some(Finding::error(
            format!("namespace {name} takes nothing new: it is being terminated"),
            "wait until the namespace is gone, or choose another with -n",
        )),
        (Namespace::There { .. }, _) => None,
    }
}

fn rights(case: &Case<'_>) -> Option<Finding> {
    let is_missing = matches!(case.surroundings.namespace, Some(Namespace::Missing));
    let missing = case.surroundings.missing_rights.iter();
    let missing: Vec<Right> = missing.copied().filter(|right| is_missing || *right != CREATE_NAMESPACES).collect();
    let (message, hint) = missing_rights(case.manifests.flame.namespace(), &missing)?;
    // Whoever makes a namespace may be given rights in it at that moment.
    let cannot_be_made = case.surroundings.missing_rights.contains(&CREATE_NAMESPACES);
    let may_come = is_missing && case.create_namespace == Some(true) && !cannot_be_made;
    Some(if may_come { Finding::warning(message, hint) } else { Finding::error(message, hint) })
}

/// Returns what is said where rights are missing, and what to do; none where none are.
pub fn missing_rights(namespace: &str, missing: &[Right]) -> Option<(String, String)> {
    if missing.is_empty() {
        return None;
    }
    let rights: Vec<String> = missing.iter().map(|(verb, resource)| format!("{verb} {resource}")).collect();
    let message = format!("rights are missing in namespace {namespace}: {}", rights.join(", "));
    let hint = format!(
        "whoever administers the namespace can grant them; kubectl auth can-i --list -n {namespace} shows what you have"
    );
    Some((message, hint))
}

#[cfg(test)]
mod tests;
