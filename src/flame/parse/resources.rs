//! What a container may ask for: the names of resources, their amounts, and a request beside its limit.
//!
//! Knows nothing of files: each check returns its faults, which the reader puts into place.

use super::super::names::MAX_DNS_SUBDOMAIN_LENGTH;
use super::super::schema::RESOURCE_NAMES;
use super::grammar::{self, Fault};
use super::quantity::Quantity;
use super::report::{nearest, shown};

/// How the names of huge pages begin, behind which their size stands (Kubernetes: "Manage HugePages").
pub const HUGE_PAGES: &str = "hugepages-";
/// What the server puts before a device's name to count it in a quota.
pub const QUOTA_PREFIX: &str = "requests.";
/// With [`QUOTA_PREFIX`] a device's prefix has to be a DNS name still.
const MAX_DEVICE_PREFIX_LENGTH: usize = MAX_DNS_SUBDOMAIN_LENGTH - QUOTA_PREFIX.len();
/// More CPUs than any machine has today.
const MAX_CPUS: i64 = 2048;
/// Less memory than the smallest container runtime starts a process with.
const MIN_MEMORY_BYTES: i64 = 1 << 20;

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
    if RESOURCE_NAMES.contains(&name) || huge_page(name).is_some() {
        return Vec::new();
    }
    if let Some(size) = name.strip_prefix(HUGE_PAGES) {
        let fault = Fault::new(format!("\"{}\" is no size of a page", shown(size)));
        return vec![fault.say(format!("{HUGE_PAGES}2Mi:"))];
    }
    if name.contains('/') {
        let faults = grammar::qualified_name(name);
        return if faults.is_empty() { device_name_fault(name).into_iter().collect() } else { faults };
    }
    let fault = Fault::new(format!("{} is not a resource of a container", shown(name)));
    vec![match (name, nearest(name, &RESOURCE_NAMES)) {
        ("mem" | "ram", _) => fault.say("memory:"),
        ("gpu" | "gpus", _) => fault.say("nvidia.com/gpu:"),
        (_, Some(known)) => fault.say(format!("{known}:")),
        (_, None) => fault.say(format!("known: {}, or a device as nvidia.com/gpu", RESOURCE_NAMES.join(", "))),
    }]
}

/// Returns what is special about a device's name, which is a good key: the server puts `requests.` before it for quotas.
fn device_name_fault(name: &str) -> Option<Fault> {
    let prefix = name.split('/').next().unwrap_or_default();
    if let Some(rest) = name.strip_prefix(QUOTA_PREFIX) {
        return Some(Fault::new(format!("{QUOTA_PREFIX} is for quotas")).say(format!("{}:", shown(rest))));
    }
    let length = prefix.len();
    (length > MAX_DEVICE_PREFIX_LENGTH).then(|| {
        Fault::new(format!("the prefix has {length} characters, at most {MAX_DEVICE_PREFIX_LENGTH}"))
            .say("name the device as its plugin does, as nvidia.com/gpu")
    })
}

/// Returns the size in the name of huge pages.
fn huge_page(name: &str) -> Option<Quantity> {
    let size = Quantity::parse(name.strip_prefix(HUGE_PAGES)?).ok()?;
    let is_key = grammar::qualified_name(name).is_empty();
    (is_key && size.is_whole() && !size.is_zero() && !size.is_negative()).then_some(size)
}

/// Returns a fault of an amount with an example where it has no cure.
pub fn with_example(name: &str, fault: Fault) -> Fault {
    match fault.cure {
        Some(_) => fault,
        None => fault.say(quantity_example(name)),
    }
}

/// Returns an amount of a resource as it may look.
pub fn quantity_example(name: &str) -> String {
    match name {
        "cpu" => "cpu: 500m".to_owned(),
        "memory" | "ephemeral-storage" => format!("{name}: 1Gi"),
        _ => format!("{}: 1", shown(name)),
    }
}

/// Returns what is wrong with `quantity`, written as `text`, of the resource `name`.
pub fn amount_faults(name: &str, text: &str, quantity: Quantity) -> Vec<Fault> {
    let text = shown(text);
    if quantity.is_negative() {
        return vec![Fault::new(format!("{text} is negative, want 0 or more")).say(quantity_example(name))];
    }
    let fault = match name {
        "cpu" => cpu_fault(&text, quantity),
        "memory" | "ephemeral-storage" => size_fault(name, &text, quantity),
        _ => device_fault(name, &text, quantity),
    };
    fault.into_iter().collect()
}

fn cpu_fault(text: &str, quantity: Quantity) -> Option<Fault> {
    if !quantity.is_zero() && quantity < Quantity::from_millis(1) {
        return Some(Fault::new(format!("{text} is below 1m, the smallest amount of CPU")).write("1m"));
    }
    let too_many = quantity > Quantity::from_millis(MAX_CPUS * 1000);
    let fault = Fault::new(format!("{text} is more CPUs than any machine has")).warning();
    // A number without a unit was most likely meant as thousandths.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let better = if is_number { format!("cpu: {text}m") } else { quantity_example("cpu") };
    too_many.then(|| fault.say(better))
}

fn size_fault(name: &str, text: &str, quantity: Quantity) -> Option<Fault> {
    let number = text.strip_suffix('m').unwrap_or(text);
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let fault = if !quantity.is_whole() {
        // `memory: 512m` is half a byte; the server takes it with a warning of its own.
        Fault::new(format!("{text} is a fraction of a byte"))
    } else if name == "memory" && !quantity.is_zero() && quantity < Quantity::from_millis(MIN_MEMORY_BYTES * 1000) {
        let why = if is_number { ": without a unit it is bytes" } else { "" };
        Fault::new(format!("{text} is too little memory for any program{why}"))
    } else {
        return None;
    };
    let better = if is_number { format!("{name}: {number}Mi") } else { quantity_example(name) };
    Some(fault.say(better).warning())
}

fn device_fault(name: &str, text: &str, quantity: Quantity) -> Option<Fault> {
    if let Some(page) = huge_page(name) {
        let page_text = name.trim_start_matches(HUGE_PAGES);
        let fault = Fault::new(format!("{text} is not a multiple of the page's size, {page_text}"));
        return (!quantity.is_multiple_of(page)).then(|| fault.say(format!("{}: {page_text}", shown(name))));
    }
    if !quantity.is_whole() {
        let fault = Fault::new(format!("{text} is not an integer: {} comes in whole numbers", shown(name)));
        return Some(fault.write("1"));
    }
    let fault = Fault::new(format!("{text} is more than the server can count, 2^63/1000"));
    (quantity > Quantity::from_millis(i64::MAX)).then(|| fault.write("1"))
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
    name.contains('/') || name.starts_with(HUGE_PAGES)
}
