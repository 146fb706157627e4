//! The section `spec`.

use std::collections::BTreeMap;

use super::super::{ExecutorManager, ObjectCache, Resources, SessionManager, Spec, names};
use super::characters::as_it_seems;
use super::fields::{Field, misread};
use super::grammar::{self, Cure, Fault};
use super::image::image as image_faults;
use super::quantity::Quantity;
use super::report::{Place, Report, nearest, shown};
use super::tree::{PlainType, Scalar, Value};
use super::{metadata, slot, storage};

/// The shortest session manager, for hints.
pub(super) const SESSION_MANAGER_HINT: &str = "sessionManager: {image: xflops/flame-session:v0.1.0}";
/// The shortest executor manager, for hints.
pub(super) const EXECUTOR_MANAGER_HINT: &str = "executorManager: {image: xflops/flame-executor:v0.1.0}";

/// Kubernetes' own resources of a container (Kubernetes: "Resource Management for Pods and Containers").
const RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// How the names of huge pages begin, behind which their size stands (Kubernetes: "Manage HugePages").
const HUGE_PAGES: &str = "hugepages-";
/// What the server puts before a device's name to count it in a quota.
const QUOTA_PREFIX: &str = "requests.";
/// With [`QUOTA_PREFIX`] a device's prefix has to be a DNS name still, of at most 253 characters.
const MAX_DEVICE_PREFIX_LENGTH: usize = 253 - QUOTA_PREFIX.len();
/// Flame's own default is 128; an executor manager starts a thread for each (flame-facts 2).
const MANY_EXECUTORS: u32 = 4096;
/// More CPUs than any machine has today.
const MAX_CPUS: i64 = 2048;
/// Less memory than the smallest container runtime starts a process with.
const MIN_MEMORY_BYTES: i64 = 1 << 20;

/// Returns a spec without anything in it, as a start.
pub(super) fn empty() -> Spec {
    Spec {
        session_manager: SessionManager::default(),
        executor_manager: ExecutorManager::default(),
        object_cache: ObjectCache::default(),
    }
}

/// Reads `spec`.
pub(super) fn read(report: &mut Report, section: &Field<'_>) -> Spec {
    let mut spec = empty();
    if !report.is_map(section) {
        return spec;
    }
    for field in section.children() {
        match report.name(&field, &["sessionManager", "executorManager", "objectCache"], &["status"]) {
            "sessionManager" => spec.session_manager = session_manager(report, &field),
            "executorManager" => spec.executor_manager = executor_manager(report, &field),
            "objectCache" => spec.object_cache = object_cache(report, &field),
            "status" => report.add(field.key, &field.path, Fault::new("set by flamectl").say("remove it")),
            _ => {}
        }
    }
    report.require(section, "sessionManager", SESSION_MANAGER_HINT);
    report.require(section, "executorManager", EXECUTOR_MANAGER_HINT);
    spec
}

fn session_manager(report: &mut Report, section: &Field<'_>) -> SessionManager {
    let mut manager = SessionManager::default();
    if !report.is_map(section) {
        return manager;
    }
    for field in section.children() {
        match report.name(&field, &["image", "resources", "slot", "policy", "storage"], &["endpoint"]) {
            "image" => manager.image = image(report, &field, "xflops/flame-session:v0.1.0"),
            "resources" => manager.resources = resources(report, &field),
            "slot" => manager.slot = checked(report, &field, |text| slot::slot(text).err().unwrap_or_default()),
            "policy" => manager.policy = checked(report, &field, grammar::policy),
            "storage" => manager.storage = checked(report, &field, storage::session_storage),
            "endpoint" => generated(report, &field),
            _ => {}
        }
    }
    report.require(section, "image", "image: xflops/flame-session:v0.1.0");
    manager
}

fn executor_manager(report: &mut Report, section: &Field<'_>) -> ExecutorManager {
    let mut manager = ExecutorManager::default();
    if !report.is_map(section) {
        return manager;
    }
    for field in section.children() {
        match report.name(&field, &["image", "replicas", "resources", "shim", "maxExecutors"], &[]) {
            "image" => manager.image = image(report, &field, "xflops/flame-executor:v0.1.0"),
            "replicas" => {
                let replicas = report.integer(&field, names::MAX_REPLICAS, "remove the key for the default, 1");
                manager.replicas = replicas.unwrap_or(manager.replicas);
            }
            "resources" => manager.resources = resources(report, &field),
            "shim" => manager.shim = checked(report, &field, grammar::shim),
            "maxExecutors" if field.value.value.is_null() => {}
            "maxExecutors" => {
                let number = report.integer(&field, u32::MAX, "remove the key to leave the number to Flame");
                manager.max_executors = number.unwrap_or_default();
                if number == Some(0) {
                    let fault = Fault::new("0 is the default and not rendered: Flame takes its own number, 128");
                    report.warn(&field, fault.say("remove the key"));
                }
                if manager.max_executors > MANY_EXECUTORS {
                    let fault =
                        Fault::new(format!("{} executors are as many threads in one Pod", manager.max_executors));
                    report.warn(&field, fault.say("remove the key to leave the number to Flame"));
                }
            }
            _ => {}
        }
    }
    report.require(section, "image", "image: xflops/flame-executor:v0.1.0");
    manager
}

fn object_cache(report: &mut Report, section: &Field<'_>) -> ObjectCache {
    let mut cache = ObjectCache::default();
    if !report.is_map(section) {
        return cache;
    }
    for field in section.children() {
        match report.name(&field, &["networkInterface", "storage"], &["endpoint"]) {
            "networkInterface" => cache.network_interface = checked(report, &field, storage::network_interface),
            "storage" => cache.storage = checked(report, &field, storage::cache_storage),
            "endpoint" => generated(report, &field),
            _ => {}
        }
    }
    cache
}

fn generated(report: &mut Report, field: &Field<'_>) {
    let fault = Fault::new("generated by flamectl from the name of the Service");
    report.add(field.key, &field.path, fault.say("remove it"));
}

fn image(report: &mut Report, field: &Field<'_>, example: &str) -> String {
    let Some(image) = report.required(field, example) else { return String::new() };
    report.refuse_all(field, image_faults(image));
    image.to_owned()
}

/// Reads an optional line of text; `""` is the reference's default everywhere, and the same as absent.
fn checked(report: &mut Report, field: &Field<'_>, check: impl Fn(&str) -> Vec<Fault>) -> String {
    let Some(text) = report.line(field).filter(|text| !text.is_empty()) else { return String::new() };
    report.refuse_all(field, check(text));
    text.to_owned()
}

/// An amount, and where it stands.
struct Amount {
    quantity: Quantity,
    text: String,
    path: String,
    place: Place,
}

fn resources(report: &mut Report, section: &Field<'_>) -> Resources {
    if !report.is_map(section) {
        return Resources::default();
    }
    let mut requests = BTreeMap::new();
    let mut limits = BTreeMap::new();
    for field in section.children() {
        match report.name(&field, &["requests", "limits"], &["claims"]) {
            "requests" => requests.extend(amounts(report, &field)),
            "limits" => limits.extend(amounts(report, &field)),
            "claims" => report.add(
                field.key,
                &field.path,
                Fault::new("not supported: a claim needs a ResourceClaim in the Pod, and flamectl makes none")
                    .say("remove it"),
            ),
            _ => {}
        }
    }
    for (name, limit) in &limits {
        check_limit(report, name, limit);
    }
    for (name, request) in &requests {
        compare(report, name, request, limits.get(name));
    }
    check_huge_pages(report, &requests, &limits);
    let texts =
        |amounts: BTreeMap<String, Amount>| amounts.into_iter().map(|(name, amount)| (name, amount.text)).collect();
    Resources { requests: texts(requests), limits: texts(limits) }
}

fn amounts(report: &mut Report, section: &Field<'_>) -> BTreeMap<String, Amount> {
    let mut amounts = BTreeMap::new();
    if !report.is_map(section) {
        return amounts;
    }
    for field in section.children() {
        let known = is_resource(report, &field);
        if let Some((quantity, text)) = amount(report, &field).filter(|_| known) {
            let place = field.place(None);
            amounts.insert(field.name.to_owned(), Amount { quantity, text, path: field.path, place });
        }
    }
    amounts
}

/// Checks a resource's name: one of Kubernetes', or a device's such as `nvidia.com/gpu`.
fn is_resource(report: &mut Report, field: &Field<'_>) -> bool {
    let name = field.name;
    if RESOURCES.contains(&name) || huge_page(name).is_some() {
        return true;
    }
    if let Some(size) = name.strip_prefix(HUGE_PAGES) {
        let fault = Fault::new(format!("\"{}\" is no size of a page", shown(size)));
        report.add(field.key, &field.path, fault.say(format!("{HUGE_PAGES}2Mi:")));
        return false;
    }
    if name.contains('/') || field.name_type != PlainType::Text {
        return metadata::is_key(report, field, name) && is_device(report, field);
    }
    let fault = Fault::new(format!("{} is not a resource of a container", shown(name)));
    let fault = match (name, nearest(name, &RESOURCES)) {
        ("mem" | "ram", _) => fault.say("memory:"),
        ("gpu" | "gpus", _) => fault.say("nvidia.com/gpu:"),
        (_, Some(known)) => fault.say(format!("{known}:")),
        (_, None) => fault.say(format!("known: {}, or a device as nvidia.com/gpu", RESOURCES.join(", "))),
    };
    report.add(field.key, &field.path, fault);
    false
}

/// Checks what is special about a device's name, which is a good key: the server puts `requests.` before it for quotas.
fn is_device(report: &mut Report, field: &Field<'_>) -> bool {
    let prefix = field.name.split('/').next().unwrap_or_default();
    let fault = if let Some(rest) = field.name.strip_prefix(QUOTA_PREFIX) {
        Fault::new(format!("{QUOTA_PREFIX} is for quotas")).say(format!("{}:", shown(rest)))
    } else if prefix.len() > MAX_DEVICE_PREFIX_LENGTH {
        let length = prefix.len();
        Fault::new(format!("the prefix has {length} characters, at most {MAX_DEVICE_PREFIX_LENGTH}"))
            .say("name the device as its plugin does, as nvidia.com/gpu")
    } else {
        return true;
    };
    report.add(field.key, &field.path, fault);
    false
}

/// Returns the size in the name of huge pages.
fn huge_page(name: &str) -> Option<Quantity> {
    let size = Quantity::parse(name.strip_prefix(HUGE_PAGES)?).ok()?;
    let is_key = grammar::qualified_name(name).is_empty();
    (is_key && size.is_whole() && !size.is_zero() && !size.is_negative()).then_some(size)
}

/// Huge pages are only for containers that ask for CPU or memory too.
fn check_huge_pages(report: &mut Report, requests: &BTreeMap<String, Amount>, limits: &BTreeMap<String, Amount>) {
    let others = ["cpu", "memory"];
    if others.iter().any(|name| requests.contains_key(*name) || limits.contains_key(*name)) {
        return;
    }
    let pages = limits.iter().chain(requests).find(|(name, _)| name.starts_with(HUGE_PAGES));
    if let Some((name, amount)) = pages {
        let fault = Fault::new(format!("{name} needs cpu or memory beside it"));
        report.add(amount.place, &amount.path, fault.say("requests: {cpu: 500m, memory: 1Gi}"));
    }
}

/// Returns the quantity in `field`, which may be a number, as in Kubernetes.
fn amount(report: &mut Report, field: &Field<'_>) -> Option<(Quantity, String)> {
    let text = match &field.value.value {
        Value::Told => return None,
        Value::Scalar(Scalar { plain_type: PlainType::Number | PlainType::Text, .. }) => {
            let text = field.value.value.as_text().unwrap_or_default();
            if let Some(fault) = misread(field) {
                let meant = as_it_seems(text).replace(' ', "");
                let is_placeholder = matches!(fault.cure, Some(Cure::Say(_)));
                report.refuse(
                    field,
                    match Quantity::parse(&meant) {
                        _ if is_placeholder => fault,
                        Ok(_) => fault.write(meant),
                        Err(_) => fault.say(quantity_example(field.name)),
                    },
                );
                return None;
            }
            // YAML 1.1 reads 010 as 8, and Kubernetes would see the 8.
            let octal = text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
            if octal && !matches!(&field.value.value, Value::Scalar(scalar) if scalar.quoted) {
                let fault = Fault::new(format!("{} begins with 0, which YAML 1.1 reads as octal", shown(text)));
                report.refuse(field, fault.write(text.trim_start_matches('0')));
                return None;
            }
            text
        }
        other => {
            report.refuse(
                field,
                Fault::new(format!("want a quantity, got {}", other.describe())).say(quantity_example(field.name)),
            );
            return None;
        }
    };
    let with_example = |fault: Fault| match fault.cure {
        Some(_) => fault,
        None => fault.say(quantity_example(field.name)),
    };
    let quantity = Quantity::parse(text).map_err(|fault| report.refuse(field, with_example(fault))).ok()?;
    report.refuse_all(field, amount_faults(field.name, text, quantity));
    Some((quantity, text.to_owned()))
}

/// Returns an amount of a resource as it may look.
fn quantity_example(name: &str) -> String {
    match name {
        "cpu" => "cpu: 500m".to_owned(),
        "memory" | "ephemeral-storage" => format!("{name}: 1Gi"),
        _ => format!("{}: 1", shown(name)),
    }
}

fn amount_faults(name: &str, text: &str, quantity: Quantity) -> Vec<Fault> {
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

fn check_limit(report: &mut Report, name: &str, limit: &Amount) {
    if limit.quantity.is_zero() && (RESOURCES.contains(&name)) {
        let fault = Fault::new(format!("a limit of 0 does not limit {name}")).say("remove the line").warning();
        report.add(limit.place, &limit.path, fault);
    }
}

/// Checks a request against the limit of the same resource, as the server does.
fn compare(report: &mut Report, name: &str, request: &Amount, limit: Option<&Amount>) {
    let request_text = shown(&request.text);
    let key = if name.contains('/') { shown(name) } else { name.to_owned() };
    // Devices and huge pages cannot be shared, so that both numbers have to be the same.
    let exclusive = name.contains('/') || name.starts_with(HUGE_PAGES);
    let fault = match limit {
        None if exclusive => Fault::new(format!("{} needs a limit of the same number", shown(name)))
            .say(format!("limits: {{\"{key}\": {request_text}}}")),
        Some(limit) if exclusive && request.quantity != limit.quantity => {
            let limit_text = shown(&limit.text);
            Fault::new(format!(
                "the request {request_text} has to be the limit {limit_text} in line {}",
                limit.place.line
            ))
            .say(format!("{key}: {limit_text}"))
        }
        Some(limit) if request.quantity > limit.quantity => {
            let limit_text = shown(&limit.text);
            Fault::new(format!(
                "the request {request_text} is more than the limit {limit_text} in line {}",
                limit.place.line
            ))
            .say(format!("lower it to {limit_text}, or raise the limit to {request_text}"))
        }
        _ => return,
    };
    report.add(request.place, &request.path, fault);
}
