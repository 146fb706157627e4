//! The list of problems while it grows, and the words that all of them share.

pub(super) use super::super::schema::nearest;
use super::super::schema::{Property, Type, all};
use super::fields::{Field, path_of};
use super::grammar::{Cure, Fault};
use crate::error::{Problem, Severity};

/// Longest piece of the user's text that a message repeats.
const MAX_SHOWN_CHARACTERS: usize = 60;

/// Where something stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length on that line in characters, at least 1.
    pub length: usize,
}

impl Place {
    /// The first character of the file.
    pub(super) const START: Self = Self { line: 1, column: 1, length: 1 };
}

/// Collects problems of one file.
pub(super) struct Report {
    file: String,
    problems: Vec<Problem>,
    /// The lines that were left out because they are not YAML; a field that seems to be missing may be in there.
    pub left_out: String,
}

impl Report {
    /// Makes an empty report on `file`.
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), problems: Vec::new(), left_out: String::new() }
    }

    /// Makes an empty report on the same file.
    pub(super) fn empty_copy(&self) -> Self {
        Self::new(&self.file)
    }

    /// Adds a problem that is not in one field's value.
    pub(super) fn add(&mut self, place: Place, path: &str, fault: Fault) {
        let hint = fault.cure.map(|cure| match cure {
            Cure::Write(value) => value,
            Cure::Say(words) => words,
        });
        self.problems.push(Problem {
            file: self.file.clone(),
            line: place.line,
            column: place.column,
            length: place.length,
            path: path.to_owned(),
            severity: fault.severity,
            message: fault.message,
            hint,
        });
    }

    /// Adds a problem with a field's value, at the part of it that `fault` marks.
    pub(super) fn refuse(&mut self, field: &Field<'_>, fault: Fault) {
        let place = field.place(fault.at.as_ref());
        let cure = fault.cure.map(|cure| match cure {
            Cure::Write(value) => Cure::Say(format!("{}: {}", field.name, as_yaml(&value))),
            say @ Cure::Say(_) => say,
        });
        self.add(place, &field.path, Fault { cure, ..fault });
    }

    /// Adds each of `faults` as [`Self::refuse`] does.
    pub(super) fn refuse_all(&mut self, field: &Field<'_>, faults: Vec<Fault>) {
        for fault in faults {
            self.refuse(field, fault);
        }
    }

    /// Adds a problem that does not stop the command.
    pub(super) fn warn(&mut self, field: &Field<'_>, fault: Fault) {
        self.refuse(field, fault.warning());
    }

    /// Returns the field of `section` that `field` is; after a typo the one that was meant, so that the value is checked.
    ///
    /// A name that is neither known there nor `special` to the caller is told.
    pub(super) fn name<'n>(&mut self, field: &Field<'n>, section: &Property, special: &[&str]) -> &'n str {
        if section.property(field.name).is_some() || special.contains(&field.name) {
            return field.name;
        }
        let known = section.names();
        let home = home(field.name);
        let meant = nearest(field.name, &known).filter(|_| home.is_none());
        let fault = match (home, meant) {
            (Some(home), _) => {
                Fault::new(format!("unknown field here; it belongs to {home}")).say(format!("move it to {home}"))
            }
            (None, Some(name)) => Fault::new(format!("unknown field; did you mean {name}?")).say(format!("{name}:")),
            (None, None) => Fault::new("unknown field").say(format!("known here: {}", known.join(", "))),
        };
        self.add(field.key, &field.path, fault);
        meant.unwrap_or(field.name)
    }

    /// Tells that `section` has no field `wanted`, unless that may be the fault of a part that could not be read.
    pub(super) fn require(&mut self, section: &Field<'_>, wanted: &Property) {
        let name = wanted.name;
        let is_typo = || section.children().iter().any(|child| nearest(child.name, &[name]).is_some());
        if section.may_have(name) || self.left_out.contains(name) || is_typo() {
            return;
        }
        self.add(
            section.key,
            &path_of(&section.path, name),
            Fault::new(format!("{name} is required")).say(wanted.shortest()),
        );
    }

    /// Takes over the problems of `other`.
    pub(super) fn append(&mut self, mut other: Self) {
        self.problems.append(&mut other.problems);
    }

    /// Returns whether something was found that stops the command.
    pub(super) fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Returns the file's name as a sentence may use it.
    pub(super) fn file_in_words(&self) -> &str {
        if self.file == "-" { "standard input" } else { &self.file }
    }

    /// Returns all problems in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        // An alias repeats the mistakes of what it stands for; the path tells them apart, so only true repeats go.
        self.problems.dedup();
        self.problems
    }
}

/// Returns the sections that have a field of exactly this name.
fn home(name: &str) -> Option<String> {
    let all = all();
    let sections = all.iter().filter(|section| matches!(section.property.value, Type::Object { .. }));
    let homes = sections.filter(|section| !section.path.is_empty() && section.property.names().contains(&name));
    let homes: Vec<String> = homes.map(|section| section.path()).collect();
    (!homes.is_empty()).then(|| homes.join(" or "))
}

/// Returns the user's text for a message: on one line, and cut where it gets long.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(MAX_SHOWN_CHARACTERS) {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    if text.chars().nth(MAX_SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

/// Returns `value` as YAML that reads back as exactly this text.
pub(in crate::flame) fn as_yaml(value: &str) -> String {
    let plain = value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:@".contains(c))
        && !value.ends_with(':')
        && super::tree::plain_type(value) == super::tree::PlainType::Text;
    if plain { value.to_owned() } else { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) }
}
