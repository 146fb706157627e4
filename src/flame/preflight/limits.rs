//! LimitRanges: the server refuses every Pod that breaks one, so a breach is told once and not for each Pod.

use super::ask::Ask;
use super::surroundings::{LimitItem, LimitRange, LimitType};
use super::{Case, Finding, NO_RESOURCES, Pods, alike, fields, subject};
use crate::flame::amounts::{Amounts, text};
use crate::flame::parse::quantity::Quantity;

/// The key that decides, as `limits.cpu`, and what is wrong with it.
type Breach = (String, String);

/// Returns what breaks a LimitRange.
pub fn findings(case: &Case<'_>, pods: &[Pods<'_>]) -> Vec<Finding> {
    let ranges = &case.surroundings.limit_ranges;
    ranges.iter().flat_map(|range| of_range(case, pods, range)).collect()
}

fn of_range(case: &Case<'_>, pods: &[Pods<'_>], range: &LimitRange) -> Vec<Finding> {
    let made = pods.iter().filter(|pods| pods.made() > 0);
    let breaches = made.flat_map(|pods| breaches(case, pods, range).into_iter().map(move |breach| (pods, breach)));
    let finding = |(who, (key, what)): (Vec<&Pods<'_>>, Breach)| {
        let change = match fields(&who, &[&key]) {
            Some(fields) => format!("change {fields}, or have the LimitRange changed"),
            None => format!("have the LimitRange changed, or give a default: {NO_RESOURCES}"),
        };
        let hint = format!(
            "{change}; kubectl describe limitrange {} -n {} shows it",
            range.name,
            case.manifests.flame.namespace()
        );
        Finding::error(format!("LimitRange {:?} refuses {}: {what}", range.name, subject(&who)), hint)
    };
    alike(breaches).into_iter().map(finding).collect()
}

fn breaches(case: &Case<'_>, pods: &Pods<'_>, range: &LimitRange) -> Vec<Breach> {
    let ranges = &case.surroundings.limit_ranges;
    let mut breaches = Vec::new();
    for item in &range.limits {
        match item.of {
            LimitType::Pod => breaches.extend(constraints(item, "Pod", &pods.ask)),
            LimitType::Container => {
                for container in &pods.spec.containers {
                    let ask = Ask::of_container(container, ranges);
                    breaches.extend(constraints(item, "Container", &ask));
                    breaches.extend(low_defaults(item, &Ask::of_container(container, &[]), &ask));
                }
            }
        }
    }
    breaches
}

/// Kubernetes' own three constraints, in its words.
fn constraints(item: &LimitItem, kind: &str, ask: &Ask) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut tell = |of: &str, name: &str, what: String| breaches.push((format!("{of}.{name}"), what));
    let is = |of: &str, name: &str, amount: Quantity| format!("but {of} is {}", text(name, amount));
    for (name, least) in item.min.iter() {
        let bound = format!("minimum {name} usage per {kind} is {}", text(name, least));
        match (ask.requests.get(name), ask.limits.get(name)) {
            (None, _) => tell("requests", name, format!("{bound}, but no request is specified")),
            (Some(it), _) if it < least => tell("requests", name, format!("{bound}, {}", is("request", name, it))),
            (_, Some(it)) if it < least => tell("limits", name, format!("{bound}, {}", is("limit", name, it))),
            _ => {}
        }
    }
    for (name, most) in item.max.iter() {
        let bound = format!("maximum {name} usage per {kind} is {}", text(name, most));
        match (ask.requests.get(name), ask.limits.get(name)) {
            (_, None) => tell("limits", name, format!("{bound}, but no limit is specified")),
            (_, Some(it)) if it > most => tell("limits", name, format!("{bound}, {}", is("limit", name, it))),
            (Some(it), _) if it > most => tell("requests", name, format!("{bound}, {}", is("request", name, it))),
            _ => {}
        }
    }
    for (name, ratio) in item.max_limit_request_ratio.iter() {
        let bound = format!("{name} max limit to request ratio per {kind} is {}", ratio.in_pieces());
        let some = |of: &Amounts| of.get(name).filter(|amount| !amount.is_zero());
        match (some(&ask.requests), some(&ask.limits)) {
            (None, _) => tell("requests", name, format!("{bound}, but no request is specified or request is 0")),
            (_, None) => tell("limits", name, format!("{bound}, but no limit is specified or limit is 0")),
            (Some(request), Some(limit)) if limit > request.scaled(ratio) => {
                let request = text(name, request);
                tell("limits", name, format!("{bound}, {}, request is {request}", is("limit", name, limit)));
            }
            _ => {}
        }
    }
    breaches
}

/// A default limit below the user's own request makes a container that is not valid.
fn low_defaults(item: &LimitItem, own: &Ask, ask: &Ask) -> Vec<Breach> {
    let given = item.default.iter().filter(|(name, limit)| {
        own.limits.get(name).is_none() && ask.limits.get(name) == Some(*limit) && own.requests.get(name) > Some(*limit)
    });
    let breach = |(name, limit): (&str, Quantity)| {
        let request = own.requests.get(name).map(|request| text(name, request)).unwrap_or_default();
        let limit = text(name, limit);
        (format!("limits.{name}"), format!("default {name} limit is {limit}, below the request {request}"))
    };
    given.map(breach).collect()
}
