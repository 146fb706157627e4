//! What a schema cannot say, in CEL: the rules of the reader that look at several fields, or into a text.
//!
//! A server refuses rules that could cost too much, so each text has a longest length and each map a largest size.

use serde_json::{Value, json};

use super::super::names::CONFIG_MOUNT;
use super::super::parse::image::DIGESTS;
use super::super::parse::resources::{HUGE_PAGES, QUOTA_PREFIX};
use super::super::parse::storage::{KERNEL_DIRECTORIES, KUBELET_FILES, MAX_FILE_NAME_LENGTH, SQLITE_PARAMETERS};
use super::super::schema::json::{MAX_KEY_LENGTH, key_pattern};
use super::super::schema::{Keys, RESOURCE_NAMES};

/// A condition on `self`, and what is said where it does not hold.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The condition, in CEL.
    pub condition: String,
    /// What is said, in words.
    pub message: String,
}

impl Rule {
    fn new(condition: impl Into<String>, message: impl Into<String>) -> Self {
        Self { condition: condition.into(), message: message.into() }
    }

    /// Makes the rule that a text matches a pattern.
    pub fn matches(pattern: &str, message: impl Into<String>) -> Self {
        Self::new(format!("self.matches({})", raw(pattern)), message)
    }

    /// Makes the rule that nothing in a text matches a pattern.
    fn lacks(pattern: &str, message: impl Into<String>) -> Self {
        Self::new(format!("!self.matches({})", raw(pattern)), message)
    }

    /// Returns it as an entry of `x-kubernetes-validations`.
    pub fn json(&self) -> Value {
        json!({ "rule": self.condition, "message": self.message })
    }
}

/// Returns the rules of the field at `path`.
pub fn of(path: &[&str]) -> Vec<Rule> {
    match path {
        [.., "image"] => image(),
        [.., "resources"] => resources(),
        [.., "requests" | "limits"] => amounts(),
        ["spec", "sessionManager", "slot"] => slot(),
        ["spec", "sessionManager", "storage"] => session_storage(),
        ["spec", "objectCache", "networkInterface"] => network_interface(),
        ["spec", "objectCache", "storage"] => cache_storage(),
        _ => Vec::new(),
    }
}

/// Returns a pattern as CEL has it without escapes; none of the patterns has a quote.
fn raw(pattern: &str) -> String {
    format!("r'{pattern}'")
}

fn image() -> Vec<Rule> {
    let digests: Vec<String> = DIGESTS.iter().map(|(name, digits)| format!("{name}:[0-9a-f]{{{digits}}}")).collect();
    vec![
        Rule::matches(
            &format!("^[^@]*(@({}))?$", digests.join("|")),
            "want a digest as sha256: and 64 digits, 0-9 and a-f",
        ),
        Rule::lacks("^[0-9a-f]{64}$", "64 hexadecimal digits are an image's ID, which no registry knows"),
    ]
}

/// Each part of a slot once: the pattern cannot count.
fn slot() -> Vec<Rule> {
    let entries = |key: &str| format!("self.split(',').filter(entry, entry.matches(r'^ *{key}')).size()");
    let condition =
        format!("self == '' || ({} == 1 && {} == 1 && {} <= 1)", entries("cpu"), entries("mem"), entries("gpu"));
    vec![Rule::new(condition, "want cpu and mem once each, and gpu once at most")]
}

fn session_storage() -> Vec<Rule> {
    let file = "self.substring(9).split('?')[0]";
    let directory = format!("{file}.substring(0, {file}.lastIndexOf('/'))");
    let is_absolute = "!self.startsWith('sqlite:///')";
    let known = format!("({})(=[^&]*)?", SQLITE_PARAMETERS.join("|"));
    vec![
        not_of_linux("^(sqlite://)?"),
        Rule::lacks(
            "^sqlite://[^?]*[%#]",
            "\"%\" and \"#\" mean something else in a URI: Flame would open another file",
        ),
        Rule::lacks(r"^sqlite://[^?]*\?(.*&)?mode=ro(&|$)", "mode=ro: Flame has to write into its database"),
        Rule::matches(
            &format!(r"^(sqlite://[^?]*(\?({known})?(&({known})?)*)?|[^s].*|)$"),
            format!("Flame knows these parameters of SQLite: {}", SQLITE_PARAMETERS.join(", ")),
        ),
        is_mountable(&format!("{is_absolute} || "), &directory, "the database's directory: "),
        has_no_parent(&format!("{is_absolute} || "), &directory, "the database's directory: "),
    ]
}

fn cache_storage() -> Vec<Rule> {
    let is_absent = "self == '' || ";
    vec![not_of_linux("^"), is_mountable(is_absent, "self", ""), has_no_parent(is_absent, "self", "")]
}

/// Flame's patterns have another grammar than the server's, so whether one is well-formed only the reader says.
fn network_interface() -> Vec<Rule> {
    let octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    vec![Rule::lacks(&format!(r"^({octet}\.){{3}}{octet}$"), "want the name of an interface, got an address")]
}

/// Refuses paths as Windows and shells write them.
fn not_of_linux(start: &str) -> Rule {
    let pattern = format!(r"{start}(~|[A-Za-z]:(/|$))|\\");
    Rule::lacks(&pattern, "containers run Linux: want neither a drive nor a backslash, and \"~\" is for shells")
}

/// Between two parts of a path, as the kernel reads it: empty parts and dots are nothing.
const SEPARATOR: &str = r"(/+\.)*/+";
/// Behind the last part of a path.
const END: &str = r"(/+\.)*/*$";

/// Refuses a directory that a volume cannot be mounted at; `path` is CEL and stands behind the condition `or`.
fn is_mountable(or: &str, path: &str, of: &str) -> Rule {
    let spelled = |path: &str| path.replace('.', r"\.").replace('/', SEPARATOR);
    let below = [&KERNEL_DIRECTORIES[..], &[CONFIG_MOUNT], &KUBELET_FILES].concat();
    let below: Vec<String> = below.into_iter().map(|path| format!("{}(/.*)?$", spelled(path))).collect();
    let above = CONFIG_MOUNT.match_indices('/').map(|(at, _)| spelled(&CONFIG_MOUNT[..at]) + END);
    let pattern = format!("^({}|{})", below.join("|"), above.collect::<Vec<_>>().join("|"));
    Rule::new(
        format!("{or}!{path}.matches({})", raw(&pattern)),
        format!(
            "{of}no volume can be mounted at /, at {CONFIG_MOUNT} or above or below it, below {}, or at {}",
            KERNEL_DIRECTORIES.join(", "),
            KUBELET_FILES.join(", ")
        ),
    )
}

/// Refuses what no path of a volume may have.
fn has_no_parent(or: &str, path: &str, of: &str) -> Rule {
    let long = MAX_FILE_NAME_LENGTH + 1;
    let pattern = raw(&format!(r"(^|/)\.\.(/|$)|:|[^/]{{{long}}}"));
    Rule::new(
        format!("{or}!{path}.matches({pattern})"),
        format!("{of}want neither \"..\" nor \":\", and names of at most {MAX_FILE_NAME_LENGTH} bytes"),
    )
}

/// Returns the CEL of an amount.
fn amount(of: &str, name: &str) -> String {
    format!("quantity(string({of}[{name}]))")
}

/// Returns the CEL of whether a resource cannot be shared: devices and huge pages.
fn is_exclusive() -> String {
    format!("(name.contains('/') || name.startsWith('{HUGE_PAGES}'))")
}

/// What each map of amounts has to be by itself.
fn amounts() -> Vec<Rule> {
    let known: Vec<String> = RESOURCE_NAMES.iter().map(|name| format!("'{name}'")).collect();
    let cpu = amount("self", "'cpu'");
    vec![
        Rule::new(
            format!(
                "self.all(name, name in [{}] || (name.size() <= {MAX_KEY_LENGTH} && !name.startsWith('{QUOTA_PREFIX}') && \
                 name.matches({})))",
                known.join(", "),
                raw(&key_pattern(Keys::Resources))
            ),
            format!("known resources: {}, or a device as nvidia.com/gpu", RESOURCE_NAMES.join(", ")),
        ),
        Rule::new(
            format!("!('cpu' in self) || {cpu}.compareTo(quantity('0')) == 0 || {cpu}.compareTo(quantity('1m')) >= 0"),
            "the smallest amount of cpu is 1m",
        ),
        Rule::new(
            format!("self.all(name, !name.contains('/') || {}.isInteger())", amount("self", "name")),
            "a device comes in whole numbers",
        ),
    ]
}

/// What requests and limits have to be beside each other. Where neither is there, nothing is asked for.
fn resources() -> Vec<Rule> {
    let either_lacks = "!has(self.requests) || !has(self.limits)";
    let within_limit = |name: &&str| {
        let name = format!("'{name}'");
        let (request, limit) = (amount("self.requests", &name), amount("self.limits", &name));
        Rule::new(
            format!(
                "{either_lacks} || !({name} in self.requests) || !({name} in self.limits) || \
                 {request}.compareTo({limit}) <= 0"
            ),
            format!("the request of {} is more than the limit", name.trim_matches('\'')),
        )
    };
    let (request, limit) = (amount("self.requests", "name"), amount("self.limits", "name"));
    let has_pages = |of: &str| format!("{of}.exists(name, name.startsWith('{HUGE_PAGES}'))");
    let mut rules: Vec<Rule> = RESOURCE_NAMES.iter().map(within_limit).collect();
    rules.push(Rule::new(
        format!(
            "{either_lacks} || self.requests.all(name, !{} || (name in self.limits && {request}.compareTo({limit}) == 0))",
            is_exclusive()
        ),
        "devices and huge pages need a limit of the same number as the request",
    ));
    rules.push(Rule::new(
        format!(
            "{either_lacks} || !({} || {}) || ['cpu', 'memory'].exists(name, name in self.requests || name in self.limits)",
            has_pages("self.requests"),
            has_pages("self.limits")
        ),
        "huge pages need cpu or memory beside them",
    ));
    rules
}
