//! One field of the file, and the checks that every field shares: there or not, of the right type, on one line.

use std::ops::Range;

use super::super::schema::{Property, Type};
use super::grammar::{self, Cure, Fault};
use super::report::{Place, Report, shown};
use super::text::code_point;
use super::tree::{Document, Entry, Map, Node, PlainType, Scalar, Value};

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
        Self { path: String::new(), name: "", name_type: PlainType::Text, key: document.place, value: &document.root }
    }

    fn child(&self, entry: &'t Entry<'t>) -> Self {
        Self {
            path: path_of(&self.path, &entry.name),
            name: &entry.name,
            name_type: entry.plain_type,
            key: entry.place,
            value: &entry.value,
        }
    }

    /// Returns the fields below this one; none when it is no map.
    pub(super) fn children(&self) -> Vec<Self> {
        match &self.value.value {
            Value::Map(map) => map.entries.iter().map(|entry| self.child(entry)).collect(),
            _ => Vec::new(),
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
        match &field.value.value {
            Value::Map(_) => return true,
            Value::Told => return false,
            value if value.is_null() => return true,
            Value::Scalar(scalar) if !scalar.quoted && scalar.text.contains(':') => {
                let fault = Fault::new(format!("want a map, got {}", shown(&scalar.text)));
                let spaced = shown(&scalar.text.replacen(':', ": ", 1));
                self.refuse(field, fault.say(format!("put a space behind the colon: {spaced}")));
            }
            other => self.refuse(field, Fault::new(format!("want a map, got {}", other.describe()))),
        }
        false
    }

    /// Returns the text of `field`; None where it is null, which Kubernetes takes for absent, or no text.
    pub(super) fn text<'t>(&mut self, field: &Field<'t>) -> Option<&'t str> {
        match &field.value.value {
            // A map with a bad key is most likely `{{ … }}` of a template, which was told.
            Value::Told | Value::Map(Map { whole: false, .. }) => None,
            Value::Scalar(scalar) => match scalar.plain_type {
                PlainType::Null => None,
                PlainType::Text => Some(&scalar.text),
                PlainType::Number => self.unquoted(field, "the number", &scalar.text),
                PlainType::Boolean => self.unquoted(field, "the boolean", &scalar.text),
            },
            other => {
                self.refuse(field, Fault::new(format!("want text, got {}", other.describe())));
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
            self.refuse(field, Fault::new(format!("{} is required, and this is empty", field.name)).write(example));
            return None;
        }
        self.line(field)
    }

    /// Returns the text of a field that ends up on one line of the config or of a manifest.
    pub(super) fn line<'t>(&mut self, field: &Field<'t>) -> Option<&'t str> {
        let text = self.text(field)?;
        let is_break = |c: char| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        let is_bad = |c: char| c.is_control() || is_break(c) || c == '\u{FEFF}';
        let Some(first) = text.chars().find(|c| is_bad(*c)) else { return Some(text) };
        let fault = if is_break(first) {
            Fault::new(format!("want one line, got a line break ({})", code_point(first)))
        } else {
            Fault::new(format!("control character {}", code_point(first)))
        };
        let mut parts = text.split(is_bad).filter(|part| !part.is_empty());
        self.refuse(
            field,
            match (parts.next(), parts.next()) {
                // Nearly always `|` before a single line.
                (Some(only), None) => fault.write(shown(only)),
                _ if is_break(first) => fault.say("write it on one line"),
                _ => fault.say("remove it"),
            },
        );
        None
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
        let fault = grammar::not_an_integer(&value.describe(), value.as_text(), max);
        let cure = match fault.cure {
            Some(Cure::Write(number)) => format!("{}: {number}", field.name),
            _ => property.default_hint().to_owned(),
        };
        self.refuse(field, Fault { cure: None, ..fault }.say(cure));
        None
    }
}
