//! What the server says about the place that a flame is to go to, cut down to what decides whether it fits.

use std::collections::BTreeMap;

use crate::flame::amounts::Amounts;
use crate::flame::plan::Right;

/// The place that a flame is to go to. What was not asked, or may not be read, is none or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The namespace.
    pub namespace: Option<Namespace>,
    /// Its ResourceQuotas.
    pub quotas: Vec<Quota>,
    /// Its LimitRanges.
    pub limit_ranges: Vec<LimitRange>,
    /// All nodes.
    pub nodes: Option<Vec<Node>>,
    /// The rights that the caller needs and lacks.
    pub missing_rights: Vec<Right>,
}

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// There is none of this name.
    Missing,
    /// It is there.
    There {
        /// Whether it was deleted and is on its way out.
        terminating: bool,
        /// `metadata.labels`.
        labels: BTreeMap<String, String>,
    },
}

/// A ResourceQuota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// `metadata.name`.
    pub name: String,
    /// `spec.hard`: the status follows it within moments.
    pub hard: Amounts,
    /// `status.used`.
    pub used: Amounts,
    /// `spec.scopes` and `spec.scopeSelector`: all have to match a Pod that counts.
    pub scopes: Vec<Scope>,
}

/// Which Pods a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those with `activeDeadlineSeconds`.
    Terminating,
    /// Those without.
    NotTerminating,
    /// Those that ask for neither CPU nor memory.
    BestEffort,
    /// Those that do.
    NotBestEffort,
    /// Any other: what it matches is not known.
    Other,
}

/// A LimitRange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitRange {
    /// `metadata.name`.
    pub name: String,
    /// `spec.limits`, but for those of claims.
    pub limits: Vec<LimitItem>,
}

/// One entry of a LimitRange. The server fills `default` from `max`, and `default_request` from `default` and `min`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitItem {
    /// What it limits.
    pub of: LimitType,
    /// The least.
    pub min: Amounts,
    /// The most.
    pub max: Amounts,
    /// Limits of containers that name none.
    pub default: Amounts,
    /// Requests of containers that name none.
    pub default_request: Amounts,
    /// How many times the request a limit may be.
    pub max_limit_request_ratio: Amounts,
}

/// What an entry of a LimitRange limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitType {
    /// Each container.
    Container,
    /// All containers of a Pod together.
    Pod,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `spec.unschedulable`: it was cordoned.
    pub unschedulable: bool,
    /// `spec.taints`.
    pub taints: Vec<Taint>,
    /// The condition `Ready`.
    pub ready: bool,
    /// `status.allocatable`.
    pub allocatable: Amounts,
}

/// What keeps Pods off a node that do not tolerate it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value, often empty.
    pub value: String,
    /// `NoSchedule`, `NoExecute` or `PreferNoSchedule`.
    pub effect: String,
}
