//! What a Pod asks for once the server has filled in what it leaves open, and how a quota counts it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use super::surroundings::{LimitRange, LimitType};
use crate::flame::amounts::Amounts;
use crate::flame::parse::quantity::Quantity;

/// Requests and limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// `requests`.
    pub requests: Amounts,
    /// `limits`.
    pub limits: Amounts,
}

impl Ask {
    /// Returns what all containers of a Pod ask for together.
    pub fn of_pod(spec: &PodSpec, limit_ranges: &[LimitRange]) -> Self {
        let mut sum = Self::default();
        for container in &spec.containers {
            let ask = Self::of_container(container, limit_ranges);
            sum.requests.add_all(&ask.requests);
            sum.limits.add_all(&ask.limits);
        }
        sum
    }

    /// Returns what a container asks for: a request that is not there is the limit, then the LimitRanges fill in theirs
    /// (Kubernetes: defaulting comes before admission).
    pub fn of_container(container: &Container, limit_ranges: &[LimitRange]) -> Self {
        let resources = container.resources.clone().unwrap_or_default();
        let amounts = |written: Option<BTreeMap<String, Written>>| -> Amounts {
            written.into_iter().flatten().map(|(name, quantity)| (name, quantity.0)).collect()
        };
        let mut ask = Self { requests: amounts(resources.requests), limits: amounts(resources.limits) };
        ask.requests.default_to(&ask.limits);
        for item in limit_ranges.iter().flat_map(|it| &it.limits).filter(|it| it.of == LimitType::Container) {
            ask.limits.default_to(&item.default);
            ask.requests.default_to(&item.default_request);
        }
        ask
    }

    /// Tells whether it asks for neither CPU nor memory (Kubernetes: quality of service).
    pub fn is_best_effort(&self) -> bool {
        let asks = |of: &Amounts| of.iter().any(|(name, amount)| matches!(name, "cpu" | "memory") && !amount.is_zero());
        !asks(&self.requests) && !asks(&self.limits)
    }

    /// Returns what a quota counts of such a Pod, by the quota's keys.
    pub fn usage(&self) -> Amounts {
        let mut usage = Amounts::default();
        usage.add("pods", Quantity::whole(1));
        usage.add("count/pods", Quantity::whole(1));
        for (name, amount) in self.requests.iter() {
            // A device counts under its prefixed name only.
            if !name.contains('/') {
                usage.add(name, amount);
            }
            usage.add(&format!("requests.{name}"), amount);
        }
        for (name, amount) in self.limits.iter().filter(|(name, _)| !name.contains('/')) {
            usage.add(&format!("limits.{name}"), amount);
        }
        usage
    }
}
