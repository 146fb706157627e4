//! Every field of a FlameCluster, once: what it may hold, what it means, where it ends up and what Flame does with it.
//!
//! [`ROOT`] → the names and limits that the reader knows (`parse`), the text of `flamectl explain` (`output::explain`) and
//! the JSON Schema for editors ([`json`]). Pure: imports std, the JSON and YAML values and an edit distance.

mod find;
pub mod json;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_yaml::{Mapping, Value};

pub use self::find::{Located, all, find, nearest};
pub use self::table::*;

/// One field of a FlameCluster, or one known key of a map in it.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// The key in the file.
    pub name: &'static str,
    /// What it may hold.
    pub value: Type,
    /// Whether it has to be in the file, may be, or may not.
    pub presence: Presence,
    /// What it is, in one line.
    pub summary: &'static str,
    /// What more there is to know; paragraphs have an empty line between them.
    pub meaning: &'static str,
    /// What Flame itself does with it (flame-facts 2); empty where Flame never sees it.
    pub in_flame: &'static str,
    /// Where flamectl puts it.
    pub ends_up: &'static [&'static str],
    /// A value; none for a section, whose example is that of its fields.
    pub example: Option<Literal>,
}

/// What a field may hold.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// A section: exactly these fields.
    Object {
        /// The fields, in the order of the reference.
        properties: &'static [Property],
        /// Names that are passed over with a warning.
        ignored: &'static [&'static str],
    },
    /// A map whose keys are the user's.
    Map {
        /// What a key may be.
        keys: Keys,
        /// Keys with a meaning of their own.
        known: &'static [Property],
        /// What each value may be.
        values: &'static Self,
    },
    /// A line of text.
    Text(Text),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number, 0 to `max`.
    Integer {
        /// The largest; none where there is no end.
        max: Option<u32>,
    },
    /// An amount as Kubernetes writes it, `500m` or `1Gi`.
    Quantity,
}

/// What a line of text may be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text {
    /// A regular expression that every good value matches, in the syntax that ECMA-262 and RE2 share; the reader may be
    /// stricter. Empty where any text is good.
    pub pattern: &'static str,
    /// The pattern in words.
    pub rule: &'static str,
    /// Most characters.
    pub max_length: Option<usize>,
    /// Values that are known; others are possible.
    pub known: &'static [&'static str],
}

/// What the keys of a map may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Label keys, but not flamectl's own.
    Labels,
    /// Annotation keys; of those under the reserved prefix only the known ones.
    Annotations,
    /// Names of a container's resources.
    Resources,
}

/// Whether a field is in the file.
#[derive(Clone, Copy, Debug)]
pub enum Presence {
    /// It has to be there, and not empty.
    Required,
    /// It may be left out.
    Optional {
        /// What being left out is the same as.
        default: Literal,
        /// What the default is good for, behind "to"; empty where the value says it.
        means: &'static str,
        /// Whether null is the same as being left out, as Kubernetes has it.
        nullable: bool,
    },
    /// It is a key of a map, which need not have it.
    Key,
    /// flamectl makes it, and a file that has it is refused.
    Generated,
}

/// A value that the table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal {
    /// Text.
    Text(&'static str),
    /// A whole number.
    Number(u32),
    /// A map of text.
    Map(&'static [(&'static str, &'static str)]),
}

impl Property {
    /// Returns the fields of a section, or the known keys of a map.
    pub fn properties(&self) -> &'static [Self] {
        match self.value {
            Type::Object { properties, .. } => properties,
            Type::Map { known, .. } => known,
            _ => &[],
        }
    }

    /// Returns the field of this name.
    pub fn property(&self, name: &str) -> Option<&'static Self> {
        self.properties().iter().find(|property| property.name == name)
    }

    /// Returns the names that a file may have here.
    pub fn names(&self) -> Vec<&'static str> {
        self.properties().iter().filter(|property| !property.is_generated()).map(|property| property.name).collect()
    }

    /// Returns whether the file has to have it.
    pub fn is_required(&self) -> bool {
        matches!(self.presence, Presence::Required)
    }

    /// Returns whether flamectl makes it.
    pub fn is_generated(&self) -> bool {
        matches!(self.presence, Presence::Generated)
    }

    /// Returns YAML that has this field and all that it requires, on one line; where that is nothing, all that it may have.
    pub fn shortest(&self) -> String {
        let value = match (self.value, self.example) {
            (Type::Object { properties, .. }, _) => {
                let requires = properties.iter().any(Self::is_required);
                let shown = |property: &&Self| if requires { property.is_required() } else { !property.is_generated() };
                format!("{{{}}}", properties.iter().filter(shown).map(Self::shortest).collect::<Vec<_>>().join(", "))
            }
            (_, Some(map @ Literal::Map(_))) => map.to_string(),
            _ => self.example_text(),
        };
        format!("{}: {value}", self.name)
    }

    /// Returns the example of a field that is one value; empty for others.
    pub fn example_text(&self) -> String {
        match self.example {
            Some(Literal::Text(text)) => text.to_owned(),
            Some(Literal::Number(number)) => number.to_string(),
            Some(Literal::Map(_)) | None => String::new(),
        }
    }

    /// Returns an example in full; `with_generated` includes what flamectl makes.
    pub fn example(&self, with_generated: bool) -> Value {
        match (self.value, self.example) {
            (Type::Object { properties, .. }, _) => {
                let properties = properties.iter().filter(|property| with_generated || !property.is_generated());
                properties
                    .map(|property| (property.name.into(), property.example(with_generated)))
                    .collect::<Mapping>()
                    .into()
            }
            (_, Some(Literal::Text(text))) => text.into(),
            (_, Some(Literal::Number(number))) => number.into(),
            (_, Some(Literal::Map(entries))) => {
                entries.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect::<Mapping>().into()
            }
            (_, None) => Value::Null,
        }
    }

    /// Returns how to get the default, for hints.
    pub fn default_hint(&self) -> String {
        match self.presence {
            Presence::Optional { default, means: "", .. } => format!("remove the key for the default, {default}"),
            Presence::Optional { means, .. } => format!("remove the key to {means}"),
            _ => self.shortest(),
        }
    }
}

impl fmt::Display for Literal {
    /// Writes it as a file may have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Number(number) => number.fmt(f),
            Self::Map(entries) => {
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                write!(f, "{{{}}}", entries.join(", "))
            }
        }
    }
}
