//! ResourceQuotas: what the plan takes and gives up, against what is left.
//!
//! The server counts each Pod as it comes, and admits it where `status.used` and the Pod are within the limit (Kubernetes:
//! "Resource Quotas"). Pods that are replaced or go give up theirs.

use super::ask::Ask;
use super::surroundings::{Quota, Scope};
use super::{Case, Finding, NO_RESOURCES, Pods, alike, fields, subject};
use crate::flame::amounts::{Amounts, text};
use crate::flame::names::{Component, Kind};
use crate::flame::observed::ObservedPod;
use crate::flame::parse::quantity::Quantity;
use crate::flame::plan::Op;

/// Where a quota has one of these keys, every Pod that it counts has to name the resource (Kubernetes: it was a mistake, and
/// stays).
const COMPULSORY: [&str; 6] = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

impl Quota {
    /// Tells whether Pods that ask for this much are counted. Which PriorityClass a Pod gets, and scopes that are newer than
    /// flamectl, are for the server to say: such a quota is taken for one of other Pods.
    fn counts(&self, is_best_effort: bool) -> bool {
        self.scopes.iter().all(|scope| match scope {
            Scope::Terminating | Scope::Other => false,
            // Pods of a flame have no deadline.
            Scope::NotTerminating => true,
            Scope::BestEffort => is_best_effort,
            Scope::NotBestEffort => !is_best_effort,
        })
    }

    fn counts_pods(&self, pods: &Pods<'_>) -> bool {
        self.counts(pods.ask.is_best_effort())
    }
}

/// Returns the quotas that refuse every Pod because it does not say how much it needs.
pub fn unspecified(case: &Case<'_>, pods: &[Pods<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for quota in &case.surroundings.quotas {
        let missing = pods.iter().filter(|pods| pods.made() > 0 && quota.counts_pods(pods)).map(|pods| {
            let usage = pods.ask.usage();
            let keys = quota.hard.iter().map(|(key, _)| key);
            let missing: Vec<&str> = keys.filter(|key| COMPULSORY.contains(key) && usage.get(key).is_none()).collect();
            (pods, missing)
        });
        for (who, keys) in alike(missing.filter(|(_, keys)| !keys.is_empty())) {
            let message = format!(
                "quota {:?} counts {}: the server refuses {}, which {} none",
                quota.name,
                keys.join(" and "),
                subject(&who),
                if matches!(who[..], [one] if one.component != Component::ExecutorManager) { "names" } else { "name" },
            );
            let default = "have a LimitRange give a default";
            let hint = match fields(&who, &keys) {
                Some(fields) => format!("add {fields}, or {default}"),
                None => format!("{default}: {NO_RESOURCES}"),
            };
            findings.push(Finding::error(message, hint));
        }
    }
    findings
}

/// Returns the quotas that the plan does not fit into.
pub fn exceeded(case: &Case<'_>, pods: &[Pods<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for quota in &case.surroundings.quotas {
        let of_plan = OfPlan::new(case, pods, quota);
        findings.extend(quota.hard.iter().filter_map(|(key, hard)| of_plan.finding(key, hard)));
    }
    findings
}

/// What the plan takes of one quota, and gives up.
struct OfPlan<'p, 'a> {
    case: &'p Case<'p>,
    quota: &'p Quota,
    /// Those that are counted, each with what one Pod takes.
    pods: Vec<(&'p Pods<'a>, Amounts)>,
    freed: Amounts,
    /// Services and ConfigMaps that are made.
    others: [(Kind, u32); 2],
}

impl<'p, 'a> OfPlan<'p, 'a> {
    fn new(case: &'p Case<'p>, pods: &'p [Pods<'a>], quota: &'p Quota) -> Self {
        let mut freed = Amounts::default();
        for pod in pods.iter().flat_map(|pods| &pods.leaving) {
            freed.add_all(&given_up(quota, pod));
        }
        let made = |kind: Kind| {
            let made = case.plan.changes().filter(|it| it.object.kind == kind && it.op == Op::Create);
            let made = made.filter(|it| case.snapshot.meta(&it.object).is_none()).count();
            (kind, u32::try_from(made).unwrap_or(u32::MAX))
        };
        let counted = pods.iter().filter(|pods| quota.counts_pods(pods)).map(|pods| (pods, pods.ask.usage()));
        let others = [Kind::Service, Kind::ConfigMap].map(made);
        Self { case, quota, pods: counted.collect(), freed, others }
    }

    fn finding(&self, key: &str, hard: Quantity) -> Option<Finding> {
        let used = self.quota.used.get(key).unwrap_or_default();
        let left = (hard - used).max(Quantity::ZERO);
        let fresh = self.sum(key, |pods| pods.fresh) + self.others(key);
        let taken = fresh + self.sum(key, |pods| pods.renewed);
        let freed = self.freed.get(key).unwrap_or_default();
        let (name, what) = (&self.quota.name, self.what(key));
        if taken - freed > left {
            let more = if freed.is_zero() { "" } else { " more" };
            let is = if left == Quantity::whole(1) { "is" } else { "are" };
            let (needed, left_over, of) = (text(key, taken - freed), text(key, left), text(key, hard));
            let message = format!("quota {name:?}: {what} {key} {needed}{more}, {left_over} {is} left of {of}");
            let fitting = self.fitting(key, left - (taken - freed));
            let hint = self.hint(key, fitting);
            return Some(Finding::error(format!("{message}{}", self.would_fit(fitting)), hint));
        }
        if fresh > left {
            let (needed, left_over) = (text(key, fresh), text(key, left));
            let message = format!(
                "quota {name:?}: new objects need {key} {needed}, {left_over} of {} left until others have given up theirs",
                text(key, hard)
            );
            return Some(Finding::warning(message, "if the server refuses one, run the same command again"));
        }
        None
    }

    fn sum(&self, key: &str, count: impl Fn(&Pods<'_>) -> u32) -> Quantity {
        let each = self.pods.iter().filter_map(|(pods, usage)| Some(usage.get(key)? * count(pods)));
        each.fold(Quantity::ZERO, |sum, amount| sum + amount)
    }

    fn others(&self, key: &str) -> Quantity {
        let counted = self.others.iter().filter(|(kind, _)| {
            // Scopes are of Pods.
            self.quota.scopes.is_empty() && key.trim_start_matches("count/") == kind.resource()
        });
        counted.fold(Quantity::ZERO, |sum, (_, count)| sum + Quantity::whole(*count))
    }

    /// Returns what needs the resource, with the verb.
    fn what(&self, key: &str) -> String {
        let takes = |(_, usage): &&(&Pods<'_>, Amounts)| usage.get(key).is_some_and(|amount| !amount.is_zero());
        let mut parts = Vec::new();
        let mut number = 0;
        for (pods, _) in self.pods.iter().filter(takes).filter(|(pods, _)| pods.made() > 0) {
            number += pods.made();
            parts.push(match (pods.component, pods.made()) {
                (Component::SessionManager, _) => "the session manager".to_owned(),
                (Component::ObjectCache, _) => "the object cache".to_owned(),
                (_, 1) => "1 executor".to_owned(),
                (_, many) => format!("{many} executors"),
            });
        }
        for (kind, count) in self.others.iter().filter(|(kind, _)| key.trim_start_matches("count/") == kind.resource())
        {
            number += count;
            parts.push(if *count == 1 { format!("1 {kind}") } else { format!("{count} {kind}s") });
        }
        format!("{} {}", parts.join(" and "), if number == 1 { "needs" } else { "need" })
    }

    /// Returns how many executors there can be, where new ones are too many: `over` is how much is missing, below 0.
    fn fitting(&self, key: &str, over: Quantity) -> Option<u32> {
        let (executors, usage) = self.pods.iter().find(|(pods, _)| pods.component == Component::ExecutorManager)?;
        let each = usage.get(key).filter(|each| !each.is_zero())?;
        if executors.fresh == 0 {
            return None;
        }
        let new = (over + each * executors.fresh).holds(each).min(executors.fresh);
        Some(executors.wanted - executors.fresh + new)
    }

    fn would_fit(&self, fitting: Option<u32>) -> String {
        let wanted = self.case.manifests.flame.spec.executor_manager.replicas;
        let of = if wanted == 1 { "1 executor".to_owned() } else { format!("{wanted} executors") };
        fitting.map(|number| format!("; {number} of {of} would fit")).unwrap_or_default()
    }

    fn hint(&self, key: &str, fitting: Option<u32>) -> String {
        let is_count = matches!(key, "pods" | "services" | "configmaps") || key.starts_with("count/");
        let cure = match fitting {
            Some(number) if number > 0 => format!("replicas: {number}, or "),
            _ if is_count => String::new(),
            _ => "lower what the Pods ask for, or ".to_owned(),
        };
        let namespace = self.case.manifests.flame.namespace();
        format!("{cure}have the quota raised; kubectl describe quota {} -n {namespace} shows it", self.quota.name)
    }
}

/// Returns what a quota has back once `pod` is gone.
fn given_up(quota: &Quota, pod: &ObservedPod) -> Amounts {
    let ask = Ask { requests: pod.requests.clone(), limits: pod.limits.clone() };
    if !quota.counts(ask.is_best_effort()) {
        return Amounts::default();
    }
    if pod.is_over() {
        // What ended takes no room any more, but is still an object.
        let mut object = Amounts::default();
        object.add("count/pods", Quantity::whole(1));
        return object;
    }
    ask.usage()
}
