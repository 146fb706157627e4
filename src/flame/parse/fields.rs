//! One field of the file, and the checks that every field shares: there or not, of the right type, on one line.

use std::ops::Range;

use super::super::schema::{Keys, Property, Type, find};
use super::characters::{as_it_seems, code_point, first_look_alike, look_alike, named};
use super::grammar::{self, Cure, Fault};
use super::report::{Place, Report, shown};
use super::template::placeholder;
use super::tree::{Document, Entry, Map, Node, PlainType, Scalar, Value};

/// Longest line of text that a field takes: the longest path of Linux, beside which all else is short.
pub const MAX_LINE_BYTES: usize = 4096;

/// A value with its name and where it belongs.
pub(super) struct Field<'t> {
    /// As `spec.executorManager.replicas`.
    pub path: String,
    /// The key.
    pub name: &'t str,
    /// What YAML makes of the key.
    pub name_type: PlainType,
    /// Where the key stands.
    pub key: Place,
    pub value: &'t Node<'t>,
    /// All fields of the map that this one is in.
    pub siblings: &'t [Entry<'t>],
}

/// Returns the path of `name` below `path`: `a.b`, or `a["b/c.d"]` where dots would mislead.
pub(super) fn path_of(path: &str, name: &str) -> String {
    let simple = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    match (path, simple) {
        ("", true) => shown(name),
        (_, true) => format!("{path}.{}", shown(name)),
        (_, false) => format!("{path}[\"{}\"]", shown(name)),
    }
}

impl<'t> Field<'t> {
    /// Makes the nameless field of a whole document.
    pub(super) fn root(document: &'t Document<'_>) -> Self {
        Self {
            path: String::new(),
            name: "",
            name_type: PlainType::Text,
            key: document.place,
            value: &document.root,
            siblings: &[],
        }
    }

    fn child(&self, entry: &'t Entry<'t>, siblings: &'t [Entry<'t>]) -> Self {
        Self {
            path: path_of(&self.path, &entry.name),
            name: &entry.name,
            name_type: entry.plain_type,
            key: entry.place,
            value: &entry.value,
            siblings,
        }
    }

    /// Returns the fields below this one; none when it is no map.
    pub(super) fn children(&self) -> Vec<Self> {
        let entries = self.entries();
        entries.iter().map(|entry| self.child(entry, entries)).collect()
    }

    /// Returns the entries below this one; none when it is no map.
    pub(super) fn entries(&self) -> &'t [Entry<'t>] {
        match &self.value.value {
            Value::Map(map) => &map.entries,
            _ => &[],
        }
    }

    /// Returns whether this has, or may have had, a field `name`.
    pub(super) fn may_have(&self, name: &str) -> bool {
        match &self.value.value {
            Value::Map(map) => !map.whole || map.entries.iter().any(|entry| entry.name == name),
            other => !other.is_null(),
        }
    }

    /// Returns where to point: at the value, at the characters `at` of it, or at the key of a value without place.
    pub(super) fn place(&self, at: Option<&Range<usize>>) -> Place {
        let whole = self.value.place;
        match &self.value.value {
            Value::Scalar(Scalar { text, quoted: false, .. }) if text.is_empty() => self.key,
            Value::Map(Map { flow: false, .. }) => self.key,
            Value::Scalar(Scalar { offset: Some(offset), .. }) => match at {
                Some(at) => Place { column: whole.column + offset + at.start, length: at.len().max(1), ..whole },
                None => whole,
            },
            _ => whole,
        }
    }
}

impl Report {
    /// Returns whether `field` is a map; an empty value is one without fields.
    pub(super) fn is_map(&mut self, field: &Field<'_>) -> bool {
        let value = &field.value.value;
        let got = match value {
            Value::Map(_) => return true,
            Value::Told => return false,
            _ if value.is_null() => return true,
            Value::Scalar(scalar) if !scalar.quoted => shown(&scalar.text),
            other => other.describe(),
        };
        let fault = Fault::new(format!("want a map, got {got}"));
        let text = value.as_text().unwrap_or_default();
        let fault = match text.split_once(is_colon) {
            Some((key, rest)) if !key.is_empty() => {
                let spaced = format!("{key}: {}", as_it_seems(rest));
                match first_look_alike(text).filter(|(_, c)| is_colon(*c)) {
                    Some((_, c)) => Fault::new(format!("{} only looks like a colon", named(c))).say(shown(&spaced)),
                    None => fault.say(format!("put a space behind the colon: {}", shown(&spaced))),
                }
            }
            _ => fault.say(fields_below(field)),
        };
        self.refuse(field, fault);
        false
    }

    /// Returns the text of `field`; None where it is null, which Kubernetes takes for absent, or no text.
    pub(super) fn text<'t>(&mut self, field: &Field<'t>) -> Option<&'t str> {
        match &field.value.value {
            Value::Told => None,
            Value::Scalar(scalar) => match scalar.plain_type {
                PlainType::Null => None,
                PlainType::Text => Some(&scalar.text),
                PlainType::Number => self.unquoted(field, "the number", &scalar.text),
                PlainType::Boolean => self.unquoted(field, "the boolean", &scalar.text),
            },
            other => {
                let fault = Fault::new(format!("want text, got {}", other.describe()));
                self.refuse(field, fault.say(as_text(field)));
                None
            }
        }
    }

    fn unquoted<'t>(&mut self, field: &Field<'t>, what: &str, text: &str) -> Option<&'t str> {
        self.refuse(field, Fault::new(format!("want text, got {what} {}", shown(text))).write(text));
        None
    }

    /// Returns the text of a field that has to be there and not empty.
    pub(super) fn required<'t>(&mut self, field: &Field<'t>, example: &str) -> Option<&'t str> {
        let value = &field.value.value;
        if value.is_null() || value.as_text() == Some("") {
            let message = format!("{} is required, and this is empty", shown(field.name));
            self.refuse(field, Fault::new(message).write(example));
            return None;
        }
        self.line(field)
    }

    /// Returns the text of a field that ends up on one line of the config or of a manifest.
    pub(super) fn line<'t>(&mut self, field: &Field<'t>) -> Option<&'t str> {
        let text = self.text(field)?;
        let fault = not_one_line(text).or_else(|| misread(field)).or_else(|| {
            let length = text.len();
            let fault = Fault::new(format!("{length} bytes, at most {MAX_LINE_BYTES}")).say("write less");
            (length > MAX_LINE_BYTES).then_some(fault)
        });
        match fault {
            Some(fault) => {
                self.refuse(field, fault);
                None
            }
            None => Some(text),
        }
    }

    /// Returns the integer in `field`, 0 to the largest that `property` has.
    pub(super) fn integer(&mut self, field: &Field<'_>, property: &Property) -> Option<u32> {
        let max = match property.value {
            Type::Integer { max: Some(max) } => max,
            _ => u32::MAX,
        };
        let value = &field.value.value;
        match value {
            Value::Told => return None,
            Value::Scalar(Scalar { text, quoted: false, .. }) => {
                if let Ok(number) = grammar::integer(text, max) {
                    return Some(number);
                }
            }
            _ => {}
        }
        let not_one = || grammar::not_an_integer(&value.describe(), value.as_text(), max);
        let fault = misread(field).unwrap_or_else(not_one);
        let text = value.as_text().map(|text| as_it_seems(without_comment(text).unwrap_or(text)));
        let meant = text.and_then(|text| grammar::integer_meant(&text)).filter(|number| *number <= u64::from(max));
        self.refuse(
            field,
            match (meant, &fault.cure) {
                (Some(number), _) => fault.say(format!("{}: {number}", shown(field.name))),
                (None, Some(Cure::Say(_))) => fault,
                (None, _) => fault.say(property.default_hint()),
            },
        );
        None
    }
}

/// Returns the fault of text that another program should have filled in, that holds a comment of another language, or
/// that only looks like what it should be.
pub(super) fn misread(field: &Field<'_>) -> Option<Fault> {
    let Value::Scalar(Scalar { text, quoted, .. }) = &field.value.value else { return None };
    placeholder(text)
        .or_else(|| {
            let value = without_comment(text).filter(|_| !quoted)?;
            let start = value.chars().count();
            let fault = Fault::new("\"//\" begins no comment in YAML: write \"#\"").at(start..text.chars().count());
            let meant = as_it_seems(value);
            Some(if meant.is_empty() { fault.say("write a value before it") } else { fault.write(meant) })
        })
        .or_else(|| {
            let (at, c) = first_look_alike(text)?;
            let message = match look_alike(c).and_then(|it| it.seems) {
                Some(' ') => format!("{} only looks like a space", named(c)),
                Some(seems) => format!("{} only looks like {seems}", named(c)),
                None => format!("{} is in the text, where nobody sees it", named(c)),
            };
            Some(Fault::new(message).at(at..at + 1).write(as_it_seems(text)))
        })
}

/// Returns what stands before a comment as other languages write it.
fn without_comment(text: &str) -> Option<&str> {
    [" //", " /*"].iter().find_map(|start| text.split_once(start)).map(|(value, _)| value)
}

/// Returns the fault of line breaks and control characters, of which the first counts.
fn not_one_line(text: &str) -> Option<Fault> {
    let is_break = |c: char| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let is_bad = |c: char| c.is_control() || is_break(c);
    let first = text.chars().find(|c| is_bad(*c))?;
    let fault = if is_break(first) {
        Fault::new(format!("want one line, got a line break ({})", code_point(first)))
    } else {
        Fault::new(format!("control character {}", code_point(first)))
    };
    let mut parts = text.split(is_bad).filter(|part| !part.is_empty());
    Some(match (parts.next(), parts.next()) {
        // Nearly always `|` before a single line.
        (Some(only), None) => fault.write(shown(only)),
        _ if is_break(first) => fault.say("write it on one line"),
        _ => fault.say("remove it"),
    })
}

/// Returns whether `c` is meant to end a key.
fn is_colon(c: char) -> bool {
    c == ':' || look_alike(c).is_some_and(|it| it.seems == Some(':'))
}

/// Returns how to write a section, or a map of the user's own keys.
fn fields_below(field: &Field<'_>) -> String {
    match find(&field.path).ok().map(|field| field.property) {
        Some(Property { value: Type::Map { keys: Keys::Labels | Keys::Annotations, .. }, .. }) => {
            "one KEY: VALUE on each line below it, without \"- \"".to_owned()
        }
        Some(section) => section.shortest(),
        None => "write fields below it, as KEY: VALUE".to_owned(),
    }
}

/// Returns how a map or a list is written as the text that the field wants.
fn as_text(field: &Field<'_>) -> String {
    let part = |name: &str| field.value.get(name).and_then(|entry| entry.value.value.as_text()).map(shown);
    match field.name {
        // As charts write it.
        "image" => match (part("repository"), part("tag")) {
            (Some(repository), Some(tag)) => return format!("image: {repository}:{tag}"),
            (Some(repository), None) => return format!("image: {repository}"),
            _ => {}
        },
        // As a later FlameCluster writes it.
        "slot" => return "slot: \"cpu=1,mem=1g\"".to_owned(),
        "storage" => {
            let scheme = if field.path.contains("objectCache") { "" } else { "sqlite://" };
            if let Some(path) = part("path") {
                return format!("storage: {scheme}{path}");
            }
        }
        _ => {}
    }
    "write one value, without \"- \" or brackets".to_owned()
}
