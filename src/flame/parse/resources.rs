//! What a container may ask for: the names of resources, their amounts, and a request beside its limit.
//!
//! Knows nothing of files: each check returns its faults, which the reader puts into place.

use super::super::schema::RESOURCE_NAMES;
use super::grammar::{self, Fault};
use super::quantity::Quantity;
use super::report::{nearest, shown};

/// An amount of a resource, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount<'a> {
    /// As the user wrote it.
    pub text: &'a str,
    /// What that stands for.
    pub quantity: Quantity,
}

/// Returns what is wrong with `name` as a resource of a container: one of Kubernetes', or a device's such as
/// `nvidia.com/gpu`.
pub fn name_faults(name: &str) -> Vec<Fault> {
    if RESOURCE_NAMES.contains(&name) || name.starts_with("hugepages-") {
        return Vec::new();
    }
    if name.contains('/') {
        return grammar::qualified_name(name);
    }
    let fault = Fault::new(format!("{} is not a resource of a container", shown(name)));
    vec![match (name, nearest(name, &RESOURCE_NAMES)) {
        ("mem" | "ram", _) => fault.say("memory:"),
        ("gpu" | "gpus", _) => fault.say("nvidia.com/gpu:"),
        (_, Some(known)) => fault.say(format!("{known}:")),
        (_, None) => fault.say(format!("known: {}, or a device as nvidia.com/gpu", RESOURCE_NAMES.join(", "))),
    }]
}

/// Returns what is wrong with `quantity`, written as `text`, of the resource `name`.
pub fn amount_faults(name: &str, text: &str, quantity: Quantity) -> Vec<Fault> {
    let text = shown(text);
    if quantity.is_negative() {
        return vec![Fault::new(format!("{text} is negative, want 0 or more")).write(text.trim_start_matches('-'))];
    }
    if name == "cpu" {
        let too_small = !quantity.is_zero() && quantity < Quantity::from_millis(1);
        return if too_small {
            vec![Fault::new(format!("{text} is below 1m, the smallest amount of CPU")).write("1m")]
        } else {
            Vec::new()
        };
    }
    if quantity.is_whole() {
        return Vec::new();
    }
    if is_exclusive(name) {
        return vec![Fault::new(format!("{text} is not an integer: {} comes in whole numbers", shown(name)))];
    }
    // `memory: 512m` is half a byte; the server takes it with a warning of its own.
    let fault = Fault::new(format!("{text} is a fraction of a byte")).warning();
    vec![match text.strip_suffix('m') {
        Some(number) => fault.write(format!("{number}Mi")),
        None => fault,
    }]
}

/// Returns what is wrong with a limit by itself.
pub fn limit_fault(name: &str, limit: Quantity) -> Option<Fault> {
    let limits_nothing = limit.is_zero() && RESOURCE_NAMES.contains(&name);
    limits_nothing.then(|| Fault::new(format!("a limit of 0 does not limit {name}")).say("remove the line").warning())
}

/// Returns what is wrong with a request beside the limit of the same resource, as the server sees it.
///
/// `place` says behind the limit where it stands, as ` in line 7`.
pub fn request_fault(name: &str, request: Amount<'_>, limit: Option<Amount<'_>>, place: &str) -> Option<Fault> {
    let request_text = shown(request.text);
    let key = if name.contains('/') { shown(name) } else { name.to_owned() };
    let limit = match limit {
        None if is_exclusive(name) => {
            return Some(
                Fault::new(format!("{} needs a limit of the same number", shown(name)))
                    .say(format!("limits: {{\"{key}\": {request_text}}}")),
            );
        }
        None => return None,
        Some(limit) => limit,
    };
    let limit_text = shown(limit.text);
    if is_exclusive(name) && request.quantity != limit.quantity {
        let message = format!("the request {request_text} has to be the limit {limit_text}{place}");
        return Some(Fault::new(message).say(format!("{key}: {limit_text}")));
    }
    (request.quantity > limit.quantity).then(|| {
        Fault::new(format!("the request {request_text} is more than the limit {limit_text}{place}"))
            .say(format!("lower it to {limit_text}, or raise the limit to {request_text}"))
    })
}

/// Tells whether a resource cannot be shared, so that request and limit have to be the same: devices and huge pages.
pub fn is_exclusive(name: &str) -> bool {
    name.contains('/') || name.starts_with("hugepages-")
}
