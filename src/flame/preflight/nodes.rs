//! Nodes: whether one is large enough for each Pod, and all together for all Pods.
//!
//! What other Pods take of the nodes is not read, and nodes may come at any moment: all that is said here is a warning.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1::PodSpec;

use super::surroundings::{Node, Taint};
use super::{Case, Finding, Pods, alike, subject};
use crate::flame::amounts::{Amounts, text};
use crate::flame::names::Component;
use crate::flame::parse::quantity::Quantity;

const STAYS_PENDING: &str =
    "Pods that fit nowhere stay Pending until there is a node for them, which an autoscaler may bring";

/// Returns what does not fit onto the nodes.
pub fn findings(case: &Case<'_>, pods: &[Pods<'_>]) -> Vec<Finding> {
    let Some(nodes) = &case.surroundings.nodes else { return Vec::new() };
    if pods.iter().all(|pods| pods.made() == 0) {
        return Vec::new();
    }
    let made = pods.iter().filter(|pods| pods.made() > 0);
    let too_large = alike(made.filter_map(|pods| Some((pods, fits_nowhere(pods, nodes)?))));
    if !too_large.is_empty() {
        let warning = |(who, why): (Vec<&Pods<'_>>, String)| {
            Finding::warning(format!("no node takes {}: {why}", subject(&who)), STAYS_PENDING)
        };
        return too_large.into_iter().map(warning).collect();
    }
    fits_only_partly(pods, nodes).into_iter().collect()
}

/// Returns why no node takes a Pod, were it empty.
fn fits_nowhere(pods: &Pods<'_>, nodes: &[Node]) -> Option<String> {
    let usable = usable(pods.spec, nodes);
    if usable.is_empty() {
        return Some(why_unusable(pods.spec, nodes));
    }
    if usable.iter().any(|node| room(pods, node) > 0) {
        return None;
    }
    let needs = needs(pods);
    let beyond = needs.iter().filter_map(|(name, amount)| {
        let largest = usable.iter().max_by_key(|node| node.allocatable.get(name))?;
        let most = largest.allocatable.get(name).unwrap_or_default();
        let (needed, most_in_words, node) = (text(name, *amount), text(name, most), &largest.name);
        let told = format!("{name} {needed} is needed, {node} has the most with {most_in_words} allocatable");
        (most < *amount).then_some(told)
    });
    let beyond: Vec<String> = beyond.collect();
    if !beyond.is_empty() {
        return Some(beyond.join("; "));
    }
    let all = needs.iter().filter(|(name, _)| name != "pods");
    let all: Vec<String> = all.map(|(name, amount)| format!("{name} {}", text(name, *amount))).collect();
    Some(format!("none has {} allocatable together", all.join(" and ")))
}

/// Returns where not all Pods of the flame fit, though each does.
fn fits_only_partly(pods: &[Pods<'_>], nodes: &[Node]) -> Option<Finding> {
    let executors = pods.iter().find(|pods| pods.component == Component::ExecutorManager)?;
    let usable = usable(executors.spec, nodes);
    let number = if usable.len() == 1 { "the node has".to_owned() } else { format!("the {} nodes have", usable.len()) };
    let sum = |name: &str| {
        let each = usable.iter().filter_map(|node| node.allocatable.get(name));
        each.fold(Quantity::ZERO, |sum, amount| sum + amount)
    };
    let held: u64 = usable.iter().map(|node| u64::from(room(executors, node))).sum();
    if held < executors.wanted.into() {
        // The scarcest resource tells why.
        let places = |(name, amount): &(String, Quantity)| {
            usable
                .iter()
                .map(|node| u64::from(node.allocatable.get(name).unwrap_or_default().holds(*amount)))
                .sum::<u64>()
        };
        let (name, amount) = needs(executors).into_iter().min_by_key(places)?;
        let (needed, there) = (text(&name, amount * executors.wanted), text(&name, sum(&name)));
        let message = format!(
            "{} executors need {name} {needed}, {number} {there} allocatable in all and room for {held} of them",
            executors.wanted
        );
        return Some(Finding::warning(message, STAYS_PENDING));
    }
    let mut together = Amounts::default();
    for pods in pods {
        needs(pods).into_iter().for_each(|(name, amount)| together.add(&name, amount * pods.wanted));
    }
    let (name, needed) = together.iter().find(|(name, needed)| *needed > sum(name))?;
    let (needed, there) = (text(name, needed), text(name, sum(name)));
    let message = format!("all Pods together need {name} {needed}, {number} {there} allocatable in all");
    Some(Finding::warning(message, STAYS_PENDING))
}

/// Returns what a Pod takes of a node, itself included.
fn needs(pods: &Pods<'_>) -> Vec<(String, Quantity)> {
    let requests = pods.ask.requests.iter().filter(|(_, amount)| !amount.is_zero());
    let mut needs: Vec<(String, Quantity)> = requests.map(|(name, amount)| (name.to_owned(), amount)).collect();
    needs.push(("pods".to_owned(), Quantity::whole(1)));
    needs
}

/// Returns how many such Pods an empty node holds.
fn room(pods: &Pods<'_>, node: &Node) -> u32 {
    let places = |(name, amount): &(String, Quantity)| node.allocatable.get(name).unwrap_or_default().holds(*amount);
    needs(pods).iter().map(places).min().unwrap_or_default()
}

fn usable<'n>(spec: &PodSpec, nodes: &'n [Node]) -> Vec<&'n Node> {
    nodes.iter().filter(|node| why_not(spec, node).is_none()).collect()
}

/// Returns why a node takes none of the Pods.
pub(super) fn why_not(spec: &PodSpec, node: &Node) -> Option<String> {
    let selected = |(key, value): (&String, &String)| node.labels.get(key) == Some(value);
    if !node.ready {
        return Some("not ready".to_owned());
    }
    if node.unschedulable {
        return Some("cordoned".to_owned());
    }
    if let Some(taint) = node.taints.iter().find(|taint| !is_tolerated(spec, taint)) {
        let value = if taint.value.is_empty() { String::new() } else { format!("={}", taint.value) };
        return Some(format!("tainted {}{value}:{}", taint.key, taint.effect));
    }
    let selector = spec.node_selector.iter().flatten();
    (!selector.into_iter().all(selected)).then(|| "without the labels of the nodeSelector".to_owned())
}

fn is_tolerated(spec: &PodSpec, taint: &Taint) -> bool {
    if !matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute") {
        return true;
    }
    spec.tolerations.iter().flatten().any(|it| {
        let text = |of: &Option<String>| of.clone().unwrap_or_default();
        let exists = it.operator.as_deref() == Some("Exists");
        let key_matches = it.key.as_ref().is_none_or(|key| key.is_empty() || *key == taint.key);
        let effect_matches = it.effect.as_ref().is_none_or(|effect| effect.is_empty() || *effect == taint.effect);
        effect_matches && key_matches && (exists || text(&it.value) == taint.value)
    })
}

fn why_unusable(spec: &PodSpec, nodes: &[Node]) -> String {
    let mut groups: Vec<(String, usize)> = Vec::new();
    for why in nodes.iter().filter_map(|node| why_not(spec, node)) {
        match groups.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => groups.push((why, 1)),
        }
    }
    groups.sort_by_key(|(_, count)| Reverse(*count));
    let groups: Vec<String> = groups.iter().map(|(why, count)| format!("{count} {why}")).collect();
    if groups.is_empty() {
        "there is none".to_owned()
    } else {
        format!("of {} nodes {}", nodes.len(), groups.join(", "))
    }
}
