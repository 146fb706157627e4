//! The texts of arguments, parsed into the types that the other layers use.

use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::{PathBufValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command};
use jiff::SignedDuration;

use super::args::{Destination, LeaseName, Source, StatusFormat};
use crate::flame::answers::{self, Checked};
use crate::flame::events::EventType;
use crate::flame::generation::Version;
use crate::flame::logs::LogTarget;
use crate::flame::names::{Component, MAX_DNS_SUBDOMAIN_LENGTH, MAX_NAME_LENGTH, MAX_REPLICAS};
use crate::flame::parse::grammar;
use crate::flame::rbac::{Grantee, Task};
use crate::flame::rollout::{Bar, MaxUnavailable};
use crate::flame::user::RunAs;

/// Parses a duration as Go writes it: `90s`, `5m`, `1h30m`, `1.5h`, `500ms`, `0`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return Err(format!("the unit is missing; {text} seconds are {text}s"));
    }
    let parsed: SignedDuration = text.parse().map_err(|_| "not a duration; write it as 90s, 5m or 1h30m".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a duration can't be negative".to_owned())
}

/// Parses `UID` or `UID:GID`.
pub(super) fn run_as(text: &str) -> Result<RunAs, String> {
    text.parse()
}

/// Parses `all`, `running`, `N` or `N%`.
pub(super) fn bar(text: &str) -> Result<Bar, String> {
    match text {
        "all" => Ok(Bar::All),
        "running" => Ok(Bar::Running),
        _ => match number(text) {
            Some((count, false)) => Ok(Bar::Count(count)),
            Some((percent, true)) if percent <= 100 => Ok(Bar::Percent(percent)),
            Some(_) => Err("more than 100%".to_owned()),
            None => Err("not all, running, a number of executors or a share as 80%".to_owned()),
        },
    }
}

/// Parses `N` or `N%`, at least 1: with 0 nothing could ever be replaced.
pub(super) fn max_unavailable(text: &str) -> Result<MaxUnavailable, String> {
    match number(text) {
        Some((0, _)) => Err("at least 1 executor has to be replaced at a time".to_owned()),
        Some((count, false)) => Ok(MaxUnavailable::Count(count)),
        Some((percent, true)) if percent <= 100 => Ok(MaxUnavailable::Percent(percent)),
        Some(_) => Err("more than 100%".to_owned()),
        None => Err("not a number of executors or a share as 25%".to_owned()),
    }
}

/// Returns the number and whether `%` follows it.
pub(super) fn number(text: &str) -> Option<(u32, bool)> {
    let digits = text.strip_suffix('%').unwrap_or(text);
    let number = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((number, digits.len() < text.len()))
}

/// Parses a flame's name, also as `-o name` prints it.
pub(super) fn flame_name(text: &str) -> Result<String, String> {
    let name = match text.split_once('/') {
        Some(("flamecluster" | "flamecluster.flame.xflops.io", name)) => name,
        _ => text,
    };
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err("a flame's name starts with a lower-case letter".to_owned());
    }
    label(name, MAX_NAME_LENGTH)
}

/// Parses `NAME` or `NAMESPACE/NAME`.
pub(super) fn lease_name(text: &str) -> Result<LeaseName, String> {
    let (space, name) = match text.split_once('/') {
        Some((space, name)) => (Some(namespace(space)?), name),
        None => (None, text),
    };
    let name = label(name, 63)?;
    Ok(LeaseName { namespace: space, name })
}

/// Parses a namespace's name.
pub(super) fn namespace(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("a namespace has a name".to_owned());
    }
    match grammar::namespace(text) {
        faults if faults.is_empty() => Ok(text.to_owned()),
        faults => Err(answers::in_one_line(faults)),
    }
}

/// Parses what names in Kubernetes have in common; they become parts of request paths.
pub(super) fn label(text: &str, max_length: usize) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || text.len() > max_length {
        return Err(format!("a name has 1 to {max_length} characters"));
    }
    if !text.bytes().all(allowed) || text.starts_with('-') || text.ends_with('-') {
        return Err("a name has lower-case letters, digits and, inside, hyphens".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn replicas() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=i64::from(MAX_REPLICAS))
}

pub(super) fn source_parser() -> impl TypedValueParser<Value = Source> {
    PathBufValueParser::new().map(Source::from)
}

pub(super) fn destination_parser() -> impl TypedValueParser<Value = Destination> {
    PathBufValueParser::new().map(Destination::from)
}

/// Parses what a new file has to know with the reader's rule, and says what is wrong in the reader's words.
pub(super) fn answer<T>(rule: fn(&str) -> Checked<T>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| rule(text).map_err(answers::in_one_line)
}

pub(super) fn component_parser() -> impl TypedValueParser<Value = Component> {
    let components = Component::WITH_PODS;
    PossibleValuesParser::new(components.map(Component::name)).map(move |name| {
        components.into_iter().find(|component| component.name() == name).unwrap_or(Component::ExecutorManager)
    })
}

/// Parses a format of `status`, of which one has a template behind it.
#[derive(Clone)]
pub(super) struct StatusFormatParser;

impl TypedValueParser for StatusFormatParser {
    type Value = StatusFormat;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<StatusFormat, clap::Error> {
        status_format.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(StatusFormat::WORDS.into_iter().map(|(word, help, _)| PossibleValue::new(word).help(help))))
    }
}

fn status_format(text: &str) -> Result<StatusFormat, String> {
    if let Some(template) = text.strip_prefix("jsonpath=").filter(|template| !template.is_empty()) {
        return Ok(StatusFormat::JsonPath(template.to_owned()));
    }
    let plain = StatusFormat::WORDS.into_iter().find(|(word, ..)| *word == text);
    plain.map(|(.., format)| format).ok_or_else(|| {
        let words = StatusFormat::WORDS.map(|(word, ..)| word);
        format!("the formats are {}", words.join(", "))
    })
}

pub(super) fn event_type_parser() -> impl TypedValueParser<Value = EventType> {
    PossibleValuesParser::new(EventType::ALL.map(EventType::name)).map(|name| {
        if name.eq_ignore_ascii_case(EventType::Warning.name()) { EventType::Warning } else { EventType::Normal }
    })
}

pub(super) fn task_parser() -> impl TypedValueParser<Value = Task> {
    PossibleValuesParser::new(Task::ALL.map(Task::name))
        .map(|name| Task::ALL.into_iter().find(|task| task.name() == name).unwrap_or(Task::Up))
}

/// Parses a ServiceAccount as `system:serviceaccount:` names it.
pub(super) fn service_account(text: &str) -> Result<Grantee, String> {
    let text = text.strip_prefix("system:serviceaccount:").unwrap_or(text);
    let (space, name) = text.split_once(':').ok_or("write it as NAMESPACE:NAME")?;
    // Kubernetes: a ServiceAccount's name is a DNS subdomain.
    let is_name = name.split('.').all(|part| label(part, MAX_DNS_SUBDOMAIN_LENGTH).is_ok());
    match is_name && name.len() <= MAX_DNS_SUBDOMAIN_LENGTH {
        true => Ok(Grantee::ServiceAccount(namespace(space)?, name.to_owned())),
        false => Err(format!("{name:?} is no name of a ServiceAccount")),
    }
}

/// Parses a version of Flame as its tags have it.
pub(super) fn flame_version(text: &str) -> Result<Version, String> {
    Version::parse(text).ok_or_else(|| "want a version of Flame, as 0.6 or v0.6.1".to_owned())
}

/// Parses a component, an executor's index, a Pod's name, or what `logs` writes before a Pod's lines.
pub(super) fn log_target(text: &str) -> Result<LogTarget, String> {
    for component in Component::WITH_PODS {
        if text == component.name() {
            return Ok(LogTarget::Component(component));
        }
    }
    let index = text.strip_prefix("executor-manager-").unwrap_or(text);
    match index.parse() {
        Ok(index) if index < MAX_REPLICAS => Ok(LogTarget::Executor(index)),
        Ok(_) => Err(format!("executors are numbered from 0 to {}", MAX_REPLICAS - 1)),
        // Kubernetes: a Pod's name has up to 253 characters, those of a flame fewer.
        Err(_) => label(text, 253).map(LogTarget::Pod),
    }
}
