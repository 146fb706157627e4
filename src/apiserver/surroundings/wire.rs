//! Namespaces, ResourceQuotas, LimitRanges and nodes as the server sends them, cut down while they are parsed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::flame::amounts::Amounts;
use crate::flame::preflight::{self as to, LimitType, Scope};

/// A name is always there: what has none is not what was asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    name: String,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    deletion_timestamp: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub struct Namespace {
    metadata: Meta,
}

impl From<Namespace> for to::Namespace {
    fn from(it: Namespace) -> Self {
        let terminating = it.metadata.deletion_timestamp.is_some();
        Self::There { terminating, labels: it.metadata.labels.unwrap_or_default() }
    }
}

#[derive(Deserialize)]
pub struct Quota {
    metadata: Meta,
    #[serde(default)]
    spec: QuotaSpec,
    #[serde(default)]
    status: QuotaStatus,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct QuotaSpec {
    hard: Option<Amounts>,
    scopes: Option<Vec<String>>,
    scope_selector: Option<ScopeSelector>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ScopeSelector {
    match_expressions: Option<Vec<ScopeExpression>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ScopeExpression {
    scope_name: String,
    operator: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct QuotaStatus {
    used: Option<Amounts>,
}

impl From<Quota> for to::Quota {
    fn from(it: Quota) -> Self {
        let plain = it.spec.scopes.iter().flatten().map(|name| scope(name));
        let selected = it.spec.scope_selector.iter().flat_map(|selector| selector.match_expressions.iter().flatten());
        // Those that flamectl knows are only asked whether they are there; the others have values.
        let selected = selected.map(|it| if it.operator == "Exists" { scope(&it.scope_name) } else { Scope::Other });
        Self {
            scopes: plain.chain(selected).collect(),
            name: it.metadata.name,
            hard: it.spec.hard.unwrap_or_default(),
            used: it.status.used.unwrap_or_default(),
        }
    }
}

fn scope(name: &str) -> Scope {
    match name {
        "Terminating" => Scope::Terminating,
        "NotTerminating" => Scope::NotTerminating,
        "BestEffort" => Scope::BestEffort,
        "NotBestEffort" => Scope::NotBestEffort,
        _ => Scope::Other,
    }
}

#[derive(Deserialize)]
pub struct LimitRange {
    metadata: Meta,
    #[serde(default)]
    spec: LimitRangeSpec,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LimitRangeSpec {
    limits: Vec<LimitItem>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct LimitItem {
    r#type: String,
    min: Option<Amounts>,
    max: Option<Amounts>,
    default: Option<Amounts>,
    default_request: Option<Amounts>,
    max_limit_request_ratio: Option<Amounts>,
}

impl From<LimitRange> for to::LimitRange {
    fn from(it: LimitRange) -> Self {
        let item = |it: LimitItem| {
            let of = match it.r#type.as_str() {
                "Container" => LimitType::Container,
                "Pod" => LimitType::Pod,
                // Flames claim no volumes.
                _ => return None,
            };
            Some(to::LimitItem {
                of,
                min: it.min.unwrap_or_default(),
                max: it.max.unwrap_or_default(),
                default: it.default.unwrap_or_default(),
                default_request: it.default_request.unwrap_or_default(),
                max_limit_request_ratio: it.max_limit_request_ratio.unwrap_or_default(),
            })
        };
        Self { name: it.metadata.name, limits: it.spec.limits.into_iter().filter_map(item).collect() }
    }
}

#[derive(Deserialize)]
pub struct Node {
    metadata: Meta,
    #[serde(default)]
    spec: NodeSpec,
    #[serde(default)]
    status: NodeStatus,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NodeSpec {
    unschedulable: bool,
    taints: Option<Vec<Taint>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NodeStatus {
    allocatable: Option<Amounts>,
    conditions: Vec<Condition>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
}

impl From<Node> for to::Node {
    fn from(it: Node) -> Self {
        let taint = |it: Taint| to::Taint { key: it.key, value: it.value, effect: it.effect };
        Self {
            name: it.metadata.name,
            labels: it.metadata.labels.unwrap_or_default(),
            unschedulable: it.spec.unschedulable,
            taints: it.spec.taints.into_iter().flatten().map(taint).collect(),
            ready: it.status.conditions.iter().any(|it| it.r#type == "Ready" && it.status == "True"),
            allocatable: it.status.allocatable.unwrap_or_default(),
        }
    }
}
