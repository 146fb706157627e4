//! What a new FlameCluster file has to know: for each answer the reader's own rule, and a default that fits the others.
//!
//! Text → a value, or the faults that the reader of files would find.

use std::collections::BTreeMap;

use super::Resources;
use super::names::MAX_REPLICAS;
pub use super::parse::grammar::Fault;
use super::parse::grammar::{self, Cure};
use super::parse::image::image as image_faults;
use super::parse::quantity::Quantity;
use super::parse::resources::{self, Amount};
use super::parse::slot;
use crate::error::Severity;

/// The answer that leaves an optional field out.
pub const NONE: &str = "none";
/// The session manager's image (reference: "sessionManager").
pub const SESSION_MANAGER_IMAGE: &str = "xflops/flame-session:v0.1.0";
/// One executor manager (reference: "executorManager").
pub const REPLICAS: &str = "1";
/// The slot (reference: "sessionManager").
pub const SLOT: &str = "cpu=1,mem=1g";
/// The session manager's resources (reference: "sessionManager").
pub const SESSION_MANAGER: Usual =
    Usual { requests: [("cpu", "500m"), ("memory", "512Mi")], limits: [("cpu", "1"), ("memory", "1Gi")] };
/// The resources of an executor manager (reference: "executorManager").
pub const EXECUTOR_MANAGER: Usual =
    Usual { requests: [("cpu", "1"), ("memory", "2Gi")], limits: [("cpu", "2"), ("memory", "4Gi")] };

/// Longest name whose executors all keep their Pod's name as hostname (flame-facts 1.7).
const MAX_DEFAULT_NAME_LENGTH: usize = 63 - "-executor-manager-9999".len();

/// Amounts by resource name, as the user wrote them.
pub type Amounts = BTreeMap<String, String>;
/// An answer, or everything that is wrong with it.
pub type Checked<T> = Result<T, Vec<Fault>>;

/// What to say about one fault of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What is wrong.
    pub message: String,
    /// What to do about it; of faults in a row with the same cure only the last has it.
    pub cure: Option<String>,
}

/// Returns what to say about `faults`.
pub fn told(faults: Vec<Fault>) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for fault in faults {
        let cure = fault.cure.map(|cure| cure.to_string());
        if let Some(last) = told.last_mut().filter(|last| last.cure == cure) {
            last.cure = None;
        }
        told.push(Told { message: fault.message, cure });
    }
    told
}

/// Returns what to say about `faults` on one line.
pub fn in_one_line(faults: Vec<Fault>) -> String {
    let sentence = |told: Told| match told.cure {
        Some(cure) => format!("{} ({cure})", told.message),
        None => told.message,
    };
    told(faults).into_iter().map(sentence).collect::<Vec<_>>().join("; ")
}

/// Everything that is asked for a new file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// `spec.sessionManager.image`.
    pub session_manager_image: String,
    /// `spec.sessionManager.resources`.
    pub session_manager_resources: Resources,
    /// `spec.sessionManager.slot`; empty for none.
    pub slot: String,
    /// `spec.executorManager.image`.
    pub executor_manager_image: String,
    /// `spec.executorManager.replicas`.
    pub replicas: u32,
    /// `spec.executorManager.resources`.
    pub executor_manager_resources: Resources,
}

/// What a component asks for where nobody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual {
    requests: [(&'static str, &'static str); 2],
    limits: [(&'static str, &'static str); 2],
}

impl Usual {
    /// Returns the usual requests, lowered to `limits`.
    pub fn requests(&self, limits: &Amounts) -> Amounts {
        let lowered = |(name, usual): &(&str, &str)| {
            let limit = limits.get(*name).filter(|limit| is_more(usual, limit));
            ((*name).to_owned(), limit.cloned().unwrap_or_else(|| (*usual).to_owned()))
        };
        self.requests.iter().map(lowered).collect()
    }

    /// Returns the usual limits of what is requested, raised to the requests.
    ///
    /// What is not requested gets no limit either: Kubernetes would take that for the request.
    pub fn limits(&self, requests: &Amounts) -> Amounts {
        let raised = |(name, request): (&String, &String)| {
            let usual = self.limits.iter().find(|(limited, _)| limited == name).map(|(_, usual)| *usual);
            match usual {
                Some(usual) if is_more(usual, request) => Some((name.clone(), usual.to_owned())),
                None if !resources::is_exclusive(name) => None,
                _ => Some((name.clone(), request.clone())),
            }
        };
        requests.iter().filter_map(raised).collect()
    }
}

/// Tells whether one amount is more than another; what is no amount is not.
fn is_more(amount: &str, other: &str) -> bool {
    matches!((Quantity::parse(amount), Quantity::parse(other)), (Ok(amount), Ok(other)) if amount > other)
}

/// Returns a name for the flame of a directory.
pub fn default_name(directory: &str) -> String {
    let name: String = grammar::flame_name_like(directory).chars().take(MAX_DEFAULT_NAME_LENGTH).collect();
    name.trim_end_matches('-').to_owned()
}

/// Returns the executor manager's image that belongs to a session manager's: of the same place and tag.
///
/// None where only a digest says which one that is.
pub fn default_executor_manager_image(session_manager_image: &str) -> Option<String> {
    let (tagged, digest) = match session_manager_image.split_once('@') {
        Some((tagged, digest)) => (tagged, Some(digest)),
        None => (session_manager_image, None),
    };
    let (name, tag) = match tagged.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (tagged, None),
    };
    if digest.is_some() && tag.is_none() {
        return None;
    }
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    let (place, last) = name.split_at(start);
    let last = if last.contains("flame-session") {
        last.replacen("flame-session", "flame-executor", 1)
    } else {
        "flame-executor".to_owned()
    };
    let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
    Some(format!("{place}{last}{tag}"))
}

/// Reads a flame's name.
///
/// # Errors
/// What is wrong with it.
pub fn name(text: &str) -> Checked<String> {
    if text.is_empty() {
        return Err(vec![Fault::new("name is required, and this is empty").write("my-flame")]);
    }
    unless(grammar::flame_name(text), || text.to_owned())
}

/// Reads a namespace, or [`NONE`].
///
/// # Errors
/// What is wrong with it.
pub fn namespace(text: &str) -> Checked<Option<String>> {
    if text == NONE {
        return Ok(None);
    }
    unless(grammar::namespace(text), || Some(text.to_owned()))
}

/// Reads an image.
///
/// # Errors
/// What is wrong with it.
pub fn image(text: &str) -> Checked<String> {
    unless(image_faults(text), || text.to_owned())
}

/// Reads the number of executor managers.
///
/// # Errors
/// What is wrong with it.
pub fn replicas(text: &str) -> Checked<u32> {
    grammar::integer(text, MAX_REPLICAS).map_err(|fault| vec![fault])
}

/// Reads a slot, or [`NONE`], which is empty.
///
/// # Errors
/// What is wrong with it.
pub fn slot(text: &str) -> Checked<String> {
    if text == NONE {
        return Ok(String::new());
    }
    slot::slot(text).map(|_| text.to_owned())
}

/// Reads amounts as `cpu=500m,memory=512Mi`, or [`NONE`], which are no amounts.
///
/// # Errors
/// What is wrong with them.
pub fn amounts(text: &str) -> Checked<Amounts> {
    let mut amounts = Amounts::new();
    if text == NONE {
        return Ok(amounts);
    }
    let mut faults = Vec::new();
    for entry in text.split(',').map(str::trim) {
        match entry.split_once('=').map(|(name, amount)| (name.trim(), amount.trim())) {
            None => {
                let got = if entry.is_empty() { "nothing" } else { entry };
                let fault = Fault::new(format!("want NAME=AMOUNT, got {got}"));
                faults.push(fault.say("cpu=500m,memory=512Mi, or none"));
            }
            Some((name, _)) if amounts.contains_key(name) => {
                faults.push(Fault::new(format!("{name} is given twice")).say("remove one of the two"));
            }
            Some((name, amount)) => {
                faults.extend(amount_faults(name, amount));
                amounts.insert(name.to_owned(), amount.to_owned());
            }
        }
    }
    unless(faults, || amounts)
}

/// Returns the faults of one entry; what to write instead is an entry, too.
fn amount_faults(name: &str, text: &str) -> Vec<Fault> {
    let entry = |fault: Fault, name: &str, text: &str| Fault { cure: None, ..fault }.write(format!("{name}={text}"));
    let faults = resources::name_faults(name);
    if !faults.is_empty() {
        let renamed = |fault: Fault| match fault.cure.clone() {
            // The file's cure is the key.
            Some(Cure::Say(key)) if key.ends_with(':') => entry(fault, key.trim_end_matches(':'), text),
            _ => fault,
        };
        return faults.into_iter().map(renamed).collect();
    }
    let faults = match Quantity::parse(text) {
        Ok(quantity) => resources::amount_faults(name, text, quantity),
        Err(fault) => vec![fault],
    };
    let named = |fault: Fault| {
        let fault = Fault { message: format!("{name}: {}", fault.message), ..fault };
        match fault.cure.clone() {
            Some(Cure::Write(better)) => entry(fault, name, &better),
            _ => fault,
        }
    };
    faults.into_iter().map(named).collect()
}

/// Returns a component's resources.
///
/// # Errors
/// What is wrong with the requests beside the limits.
pub fn resources(requests: Amounts, limits: Amounts) -> Checked<Resources> {
    let mut faults = Vec::new();
    for (name, text) in &requests {
        let Some(request) = amount(text) else { continue };
        let limit = limits.get(name).and_then(|limit| amount(limit));
        let Some(fault) = resources::request_fault(name, request, limit, "") else { continue };
        faults.push(match resources::is_exclusive(name) {
            true => fault.say(format!("limit it to {name}={text}")),
            false => Fault { message: format!("{name}: {}", fault.message), ..fault },
        });
    }
    unless(faults, || Resources { requests, limits })
}

fn amount(text: &str) -> Option<Amount<'_>> {
    Quantity::parse(text).ok().map(|quantity| Amount { text, quantity })
}

/// Returns amounts as [`amounts`] reads them.
pub fn written(amounts: &Amounts) -> String {
    if amounts.is_empty() {
        return NONE.to_owned();
    }
    let entries: Vec<String> = amounts.iter().map(|(name, amount)| format!("{name}={amount}")).collect();
    entries.join(",")
}

/// Returns the answer unless one of its faults is an error; the reader tells the others when the file is there.
fn unless<T>(faults: Vec<Fault>, answer: impl FnOnce() -> T) -> Checked<T> {
    let errors: Vec<Fault> = faults.into_iter().filter(|fault| fault.severity == Severity::Error).collect();
    if errors.is_empty() { Ok(answer()) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts_of(text: &str) -> Amounts {
        amounts(text).unwrap()
    }

    #[test]
    fn the_executor_managers_image_is_next_to_the_session_managers() {
        for (session_manager, executor_manager) in [
            (SESSION_MANAGER_IMAGE, Some("xflops/flame-executor:v0.1.0")),
            ("flame-session", Some("flame-executor")),
            ("host:5000/a/flame-session-manager:v2", Some("host:5000/a/flame-executor-manager:v2")),
            ("host:5000/flame-session/sm", Some("host:5000/flame-session/flame-executor")),
            ("a/flame-session:v2@sha256:00", Some("a/flame-executor:v2")),
            ("a/flame-session@sha256:00", None),
        ] {
            let image = default_executor_manager_image(session_manager);
            assert_eq!(image.as_deref(), executor_manager, "{session_manager}");
        }
    }

    #[test]
    fn a_directory_names_a_flame_that_no_hostname_is_cut_for() {
        for (directory, name) in
            [("my.project", "my-project"), ("2024", "flame-2024"), ("", "my-flame"), ("…", "my-flame")]
        {
            assert_eq!(default_name(directory), name, "{directory}");
        }
        assert_eq!(default_name(&format!("{}-b", "a".repeat(40))), "a".repeat(40));
    }

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for text in ["none", "cpu=500m", "cpu=1,memory=1.5Gi", "cpu=0,nvidia.com/gpu=1"] {
            assert_eq!(written(&amounts_of(text)), text);
        }
        assert_eq!(amounts_of(" memory = 1Gi , cpu = 1 "), amounts_of("cpu=1,memory=1Gi"));
        // A warning is the reader's to tell.
        assert_eq!(written(&amounts_of("memory=512m")), "memory=512m");
    }

    #[test]
    fn wrong_answers_are_told_in_the_readers_words() {
        fn wrong<T: std::fmt::Debug>(checked: Checked<T>) -> String {
            in_one_line(checked.unwrap_err())
        }
        for (told, expected) in [
            (wrong(name("")), "name is required, and this is empty (write my-flame)"),
            (wrong(name("My")), "\"M\" (character 1) is not allowed: only a-z, 0-9 and \"-\" (write my)"),
            (wrong(namespace("a_b")), "\"_\" (character 2) is not allowed: only a-z, 0-9 and \"-\" (write a-b)"),
            (wrong(image("a:")), "the tag behind \":\" is empty (remove the \":\", or write the tag)"),
            (wrong(replicas("1e4")), "want an integer 0 to 10000, got 1e4 (write 10000)"),
            (wrong(replicas("-1")), "want an integer 0 to 10000, got -1"),
            (wrong(replicas("")), "want an integer 0 to 10000, got nothing"),
            (
                wrong(slot("cpu=0")),
                "cpu=0: Flame divides by zero when the first executor registers; without mem Flame divides by zero when \
                 the first executor registers (write cpu=1,mem=1g)",
            ),
            (
                wrong(amounts("cpu=1,gpu=1,memory=1GB,cpu=2,a/_=1,")),
                "gpu is not a resource of a container (write nvidia.com/gpu=1); memory: GB is not a unit: 1G or 1Gi \
                 (write memory=1Gi); cpu is given twice (remove one of the two); \"_\" (character 3) is not allowed \
                 at an end: only letters, digits, \"-\", \"_\" and \".\", and at both ends a letter or digit (write a/name); want \
                 NAME=AMOUNT, got nothing (cpu=500m,memory=512Mi, or none)",
            ),
            (
                wrong(resources(amounts_of("cpu=2,nvidia.com/gpu=1"), amounts_of("cpu=1"))),
                "cpu: the request 2 is more than the limit 1 (lower it to 1, or raise the limit to 2); nvidia.com/gpu \
                 needs a limit of the same number (limit it to nvidia.com/gpu=1)",
            ),
        ] {
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn usual_requests_and_limits_fit_what_was_answered() {
        for (requests, limits) in [
            ("none", "none"),
            ("cpu=250m", "cpu=1"),
            ("cpu=2,memory=512Mi", "cpu=2,memory=1Gi"),
            ("ephemeral-storage=1Gi,nvidia.com/gpu=1", "nvidia.com/gpu=1"),
        ] {
            assert_eq!(written(&SESSION_MANAGER.limits(&amounts_of(requests))), limits, "{requests}");
        }
        for (limits, requests) in [
            ("none", "cpu=500m,memory=512Mi"),
            ("cpu=100m,nvidia.com/gpu=1", "cpu=100m,memory=512Mi"),
            ("cpu=1,memory=1Gi", "cpu=500m,memory=512Mi"),
        ] {
            assert_eq!(written(&SESSION_MANAGER.requests(&amounts_of(limits))), requests, "{limits}");
        }
    }
}
