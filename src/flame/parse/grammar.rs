//! What names, labels, policies and shims may look like.
//!
//! Knows nothing of files: each check takes the text and returns its faults, which the reader puts into place.

use std::fmt;
use std::ops::Range;

use super::super::names::{self, MAX_DNS_LABEL_LENGTH, MAX_DNS_SUBDOMAIN_LENGTH, MAX_LABEL_LENGTH};
use super::super::schema::{POLICIES, SHIMS};
use super::characters::named_at;
use super::report::{nearest, shown};
use crate::error::Severity;

/// How the namespaces of Kubernetes itself begin (Kubernetes: "Namespaces").
const SYSTEM_NAMESPACES: &str = "kube-";

/// What is wrong with a value, and its cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whether the value can be used all the same.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub cure: Option<Cure>,
    /// The characters that are wrong; all of them when None.
    pub at: Option<Range<usize>>,
}

/// How to get rid of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cure {
    /// This value instead.
    Write(String),
    /// Something else, in words.
    Say(String),
}

impl fmt::Display for Cure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(value) => write!(f, "write {value}"),
            Self::Say(words) => f.write_str(words),
        }
    }
}

impl Fault {
    /// Makes an error with all of the value.
    pub fn new(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), cure: None, at: None }
    }

    /// Makes it a warning.
    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// Marks these characters of the value.
    pub fn at(self, at: Range<usize>) -> Self {
        Self { at: Some(at), ..self }
    }

    /// Adds the value to write instead.
    pub fn write(self, value: impl Into<String>) -> Self {
        Self { cure: Some(Cure::Write(value.into())), ..self }
    }

    /// Adds what to do.
    pub fn say(self, words: impl Into<String>) -> Self {
        Self { cure: Some(Cure::Say(words.into())), ..self }
    }
}

/// Returns what is wrong with `name` as `metadata.name`.
///
/// Services are named after it, so it is a DNS-1035 label, and one that leaves room for `-session-manager`.
pub fn flame_name(name: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    faults.extend(dns_characters(name));
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        let servers = "which Services may not on most servers (KEP-5311: alpha in 1.34, beta in 1.36)";
        faults.push(Fault::new(format!("starts with a digit, {servers}")).at(0..1));
    }
    let length = name.chars().count();
    let max = names::MAX_NAME_LENGTH;
    if length > max {
        let room = format!("NAME-session-manager has to fit the {MAX_DNS_LABEL_LENGTH} of a Service name");
        faults.push(Fault::new(format!("{length} characters, at most {max}: {room}")));
    }
    let better = flame_name_like(name);
    faults.into_iter().map(|fault| fault.write(better.clone())).collect()
}

/// Returns a name that resembles `text` and is a good `metadata.name`.
pub fn flame_name_like(text: &str) -> String {
    dns_label(text, names::MAX_NAME_LENGTH, true).unwrap_or_else(|| "my-flame".to_owned())
}

/// Returns what is wrong with `name` as a namespace: a DNS-1123 label.
pub fn namespace(name: &str) -> Vec<Fault> {
    let better = dns_label(name, MAX_DNS_LABEL_LENGTH, false).unwrap_or_else(|| "flame".to_owned());
    let mut faults = Vec::new();
    faults.extend(dns_characters(name));
    let length = name.chars().count();
    if length > MAX_DNS_LABEL_LENGTH {
        faults.push(Fault::new(format!("{length} characters, at most {MAX_DNS_LABEL_LENGTH}")));
    }
    if faults.is_empty() && name.starts_with(SYSTEM_NAMESPACES) {
        let fault = Fault::new(format!("namespaces that begin with {SYSTEM_NAMESPACES} belong to Kubernetes"));
        return vec![fault.write("flame").warning()];
    }
    faults.into_iter().map(|fault| fault.write(better.clone())).collect()
}

/// Returns the fault of characters that no DNS label has, or has not at its ends; each kind of character is named once.
fn dns_characters(name: &str) -> Option<Fault> {
    let mut wrong: Vec<(usize, char)> = Vec::new();
    for (index, c) in name.chars().enumerate() {
        let allowed = c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !allowed && wrong.len() < 5 && wrong.iter().all(|(_, known)| *known != c) {
            wrong.push((index, c));
        }
    }
    if let Some((first, _)) = wrong.first() {
        let list: Vec<String> = wrong.iter().map(|(index, c)| named_at(*c, *index)).collect();
        let verb = if wrong.len() == 1 { "is" } else { "are" };
        return Some(
            Fault::new(format!("{} {verb} not allowed: only a-z, 0-9 and \"-\"", list.join(", ")))
                .at(*first..first + 1),
        );
    }
    let last = name.chars().count().saturating_sub(1);
    let (end, at) = match (name.starts_with('-'), name.ends_with('-')) {
        (true, _) => ("starts", 0),
        (_, true) => ("ends", last),
        _ => return None,
    };
    Some(Fault::new(format!("{end} with \"-\": a letter or digit has to stand there")).at(at..at + 1))
}

/// Returns a DNS label that resembles `name`.
fn dns_label(name: &str, max: usize, letter_first: bool) -> Option<String> {
    let mapped: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let trimmed = mapped.trim_matches('-');
    let prefixed = if letter_first && trimmed.starts_with(|c: char| c.is_ascii_digit()) {
        format!("flame-{trimmed}")
    } else {
        trimmed.to_owned()
    };
    let label: String = prefixed.chars().take(max).collect();
    Some(label.trim_end_matches('-').to_owned()).filter(|label| !label.is_empty())
}

/// Returns what is wrong with `key` as the key of a label, an annotation or a resource: Kubernetes' qualified name.
pub fn qualified_name(key: &str) -> Vec<Fault> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let mut faults = Vec::new();
    match prefix {
        Some("") => faults.push(Fault::new("the prefix before \"/\" is empty")),
        Some(prefix) if !is_dns_subdomain(prefix) => faults.push(Fault::new(format!(
            "the prefix {} has to be a lower-case DNS name of at most {MAX_DNS_SUBDOMAIN_LENGTH} characters",
            shown(prefix)
        ))),
        _ => {}
    }
    let length = name.chars().count();
    if name.is_empty() {
        faults.push(Fault::new("the name is empty"));
    } else if length > MAX_LABEL_LENGTH {
        faults.push(Fault::new(format!("the name has {length} characters, at most {MAX_LABEL_LENGTH}")));
    }
    if name.contains('/') {
        faults.push(Fault::new("only one \"/\" may stand in a key: PREFIX/NAME"));
    } else if !name.is_empty() {
        let offset = prefix.map_or(0, |prefix| prefix.chars().count() + 1);
        faults.extend(label_characters(name, offset));
    }
    let better = qualified_name_like(prefix, name);
    faults.into_iter().map(|fault| fault.write(better.clone())).collect()
}

/// Returns a key that resembles `prefix`/`name` and is a good one.
fn qualified_name_like(prefix: Option<&str>, name: &str) -> String {
    let name = Some(label_text(name)).filter(|name| !name.is_empty()).unwrap_or_else(|| "name".to_owned());
    let labels =
        prefix.unwrap_or_default().split('.').filter_map(|label| dns_label(label, MAX_DNS_LABEL_LENGTH, false));
    let prefix = labels.collect::<Vec<_>>().join(".");
    if prefix.is_empty() || prefix.len() > MAX_DNS_SUBDOMAIN_LENGTH { name } else { format!("{prefix}/{name}") }
}

/// Returns what is wrong with `value` as the value of a label.
pub fn label_value(value: &str) -> Vec<Fault> {
    let length = value.chars().count();
    let mut faults = Vec::new();
    if length > MAX_LABEL_LENGTH {
        faults.push(Fault::new(format!("{length} characters, a label value has at most {MAX_LABEL_LENGTH}")));
    }
    faults.extend(label_characters(value, 0));
    let better = label_text(value);
    faults.into_iter().map(|fault| fault.write(better.clone())).collect()
}

/// Returns the fault of a character that labels do not have, or not at their ends; `offset` characters stand before.
fn label_characters(text: &str, offset: usize) -> Option<Fault> {
    let is_end = |c: char| c.is_ascii_alphanumeric();
    let wrong = text.chars().enumerate().find(|(_, c)| !is_label_character(*c));
    let first = || text.chars().next().filter(|c| !is_end(*c)).map(|c| (0, c));
    let last = || text.chars().enumerate().last().filter(|(_, c)| !is_end(*c));
    let (at, c) = wrong.or_else(first).or_else(last)?;
    let place = if wrong.is_some() { "" } else { " at an end" };
    let at = offset + at;
    Some(Fault::new(format!("{} is not allowed{place}: {LABEL_RULE}", named_at(c, at))).at(at..at + 1))
}

/// Returns a label value that resembles `value`.
fn label_text(value: &str) -> String {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    let mapped: String = value.chars().map(|c| if is_label_character(c) { c } else { '-' }).collect();
    let text: String = mapped.trim_start_matches(|c| !alphanumeric(c)).chars().take(MAX_LABEL_LENGTH).collect();
    text.trim_end_matches(|c| !alphanumeric(c)).to_owned()
}

/// Kubernetes' rule for values and names of labels ("Labels and Selectors").
const LABEL_RULE: &str = "only letters, digits, \"-\", \"_\" and \".\", and at both ends a letter or digit";

fn is_label_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= MAX_DNS_SUBDOMAIN_LENGTH
        && text.split('.').all(|label| !label.is_empty() && dns_characters(label).is_none())
}

/// Returns what is wrong with a scheduling policy; Flame takes any text, so it is only worth a warning.
pub fn policy(policy: &str) -> Vec<Fault> {
    if POLICIES.contains(&policy) {
        return Vec::new();
    }
    let fault =
        Fault::new(format!("{} is not a policy that Flame knows: {}", shown(policy), POLICIES.join(", "))).warning();
    vec![fault.write(nearest(policy, &POLICIES).unwrap_or(POLICIES[0]))]
}

/// Returns what is wrong with a shim: Flame exits unless it is one of two (flame-facts 1.5).
pub fn shim(shim: &str) -> Vec<Fault> {
    if SHIMS.contains(&shim) {
        return Vec::new();
    }
    let fault = Fault::new(format!("want host or wasm, got {}: Flame exits at start", shown(shim)));
    vec![match nearest(shim, &SHIMS) {
        Some(known) => fault.write(known),
        None => fault.say("shim: host"),
    }]
}

/// Returns the integer that `text` is, 0 to `max`.
///
/// # Errors
/// What is wrong with it; the fault proposes the integer that was probably meant.
pub fn integer(text: &str, max: u32) -> Result<u32, Fault> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if canonical && digits && number <= max => Ok(number),
        _ if text.is_empty() => Err(not_an_integer("nothing", None, max)),
        _ => Err(not_an_integer(&shown(text), Some(text), max)),
    }
}

/// Returns the fault of something that is no integer, described as `got`; `text` is what it says, if it says something.
pub(super) fn not_an_integer(got: &str, text: Option<&str>, max: u32) -> Fault {
    let fault = Fault::new(format!("want an integer 0 to {max}, got {got}"));
    match text.and_then(integer_meant).filter(|number| *number <= u64::from(max)) {
        Some(number) => fault.write(number.to_string()),
        None => fault,
    }
}

/// Returns the integer that somebody meant who wrote `"5"`, `1_000`, `0x10`, `1e3` or `5.0`.
pub(super) fn integer_meant(text: &str) -> Option<u64> {
    let text = text.trim().replace('_', "");
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return u64::from_str_radix(digits, radix).ok();
        }
    }
    let digits = text.trim_start_matches('+');
    if let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) {
        let exponent: u32 = exponent.parse().ok()?;
        return mantissa.parse::<u64>().ok()?.checked_mul(10_u64.checked_pow(exponent)?);
    }
    let whole = digits
        .split_once('.')
        .map_or(Some(digits), |(whole, fraction)| fraction.bytes().all(|byte| byte == b'0').then_some(whole))?;
    whole.parse().ok()
}
