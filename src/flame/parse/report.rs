//! The list of problems while it grows, and the words that all of them share.

use super::super::generation::Version;
pub(super) use super::super::schema::nearest;
use super::super::schema::{Property, Type, all};
use super::characters::{as_it_seems, first_look_alike, is_hidden, named, named_at};
use super::fields::{Field, path_of};
use super::grammar::{Cure, Fault};
use crate::error::{Problem, Severity};

/// Longest piece of the user's text that a message repeats.
const MAX_SHOWN_CHARACTERS: usize = 60;
/// Longest value that is proposed: an image with its digest.
const MAX_PROPOSED_BYTES: usize = 1024;
/// So many mistakes are told one by one; nobody reads more, and each costs memory.
const MAX_PROBLEMS: usize = 500;

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
    /// How many were found beyond [`MAX_PROBLEMS`].
    errors_beyond: usize,
    warnings_beyond: usize,
    /// The lines that were left out because they are not YAML; a field that seems to be missing may be in there.
    pub left_out: String,
    /// The version of Flame that was told besides the file.
    pub flame_version: Option<Version>,
    /// The fields at the top of the file; a section that seems to be missing may be one of them.
    pub at_top: Vec<String>,
}

impl Report {
    /// Makes an empty report on `file`.
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            problems: Vec::new(),
            errors_beyond: 0,
            warnings_beyond: 0,
            left_out: String::new(),
            flame_version: None,
            at_top: Vec::new(),
        }
    }

    /// Makes an empty report on the same file.
    pub(super) fn empty_copy(&self) -> Self {
        Self::new(&self.file)
    }

    /// Adds a problem that is not in one field's value.
    pub(super) fn add(&mut self, place: Place, path: &str, fault: Fault) {
        if self.problems.len() >= MAX_PROBLEMS {
            match fault.severity {
                Severity::Error => self.errors_beyond += 1,
                Severity::Warning => self.warnings_beyond += 1,
            }
            return;
        }
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
            count: 1,
        });
    }

    /// Adds a problem with a field's value, at the part of it that `fault` marks.
    pub(super) fn refuse(&mut self, field: &Field<'_>, fault: Fault) {
        let place = field.place(fault.at.as_ref());
        let cure = fault.cure.map(|cure| match cure {
            Cure::Write(value) if value.len() > MAX_PROPOSED_BYTES => {
                Cure::Say("write it anew, and shorter".to_owned())
            }
            Cure::Write(value) => Cure::Say(format!("{}: {}", shown(field.name), as_yaml(&value))),
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
        if let Some(fault) = without_space(field, &known) {
            self.add(field.key, &field.path, fault);
            return field.name;
        }
        let home = home(field.name);
        let meant = nearest(&as_it_seems(field.name), &known).filter(|_| home.is_none());
        let fault = match (home, meant) {
            (Some(home), _) => {
                Fault::new(format!("unknown field here; it belongs to {home}")).say(format!("move it to {home}"))
            }
            (None, Some(name)) => misspelt(field, name),
            (None, None) => Fault::new("unknown field").say(format!("known here: {}", known.join(", "))),
        };
        self.add(field.key, &field.path, fault);
        meant.unwrap_or(field.name)
    }

    /// Tells that `section` has no field `wanted`, unless that may be the fault of a part that could not be read.
    pub(super) fn require(&mut self, section: &Field<'_>, wanted: &Property) {
        let name = wanted.name;
        let is_typo = || section.entries().iter().any(|entry| nearest(&key_in(&entry.name), &[name]).is_some());
        let is_at_top = || section.path == "spec" && self.at_top.iter().any(|field| field == name);
        if section.may_have(name) || self.left_out.contains(name) || is_typo() || is_at_top() {
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
        self.errors_beyond += other.errors_beyond;
        self.warnings_beyond += other.warnings_beyond;
    }

    /// Returns whether something was found that stops the command.
    pub(super) fn has_errors(&self) -> bool {
        self.errors_beyond > 0 || self.problems.iter().any(|problem| problem.severity == Severity::Error)
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
        let beyond =
            [(Severity::Error, "error", self.errors_beyond), (Severity::Warning, "warning", self.warnings_beyond)];
        for (severity, noun, count) in beyond.into_iter().filter(|(_, _, count)| *count > 0) {
            let nouns = if count == 1 { "" } else { "s" };
            let message = format!("{count} more {noun}{nouns}, not told one by one");
            self.problems.extend(self.problems.last().cloned().map(|last| Problem {
                path: String::new(),
                severity,
                message,
                hint: Some("mend these first".to_owned()),
                count,
                ..last
            }));
        }
        self.problems
    }
}

/// Returns the field's name in a key, which may be `name:demo` as a whole.
fn key_in(key: &str) -> String {
    let key = as_it_seems(key);
    key.split(':').next().unwrap_or_default().trim().to_owned()
}

/// Returns the fault of `name:demo`, which is a key as a whole, where it should be one of `known` and its value.
fn without_space(field: &Field<'_>, known: &[&str]) -> Option<Fault> {
    let (key, value) =
        field.name.split_once(':').filter(|(_, value)| !value.is_empty() && field.value.value.is_null())?;
    let name = known.iter().find(|name| **name == as_it_seems(key))?;
    let fault = match first_look_alike(field.name) {
        Some((_, c)) => Fault::new(format!("{} only looks like a space", named(c))),
        None => Fault::new("a space is missing behind the colon"),
    };
    Some(fault.say(format!("{name}: {}", shown(&as_it_seems(value)))))
}

/// Returns the fault of a field's name that was meant to be `name`.
fn misspelt(field: &Field<'_>, name: &str) -> Fault {
    let given = field.siblings.iter().find(|entry| entry.name == name);
    if let Some(given) = given {
        let line = given.place.line;
        return Fault::new(format!("unknown field, and {name} is there already, in line {line}"))
            .say("remove one of the two");
    }
    let fault = match (first_look_alike(field.name), field.name.chars().enumerate().find(|(_, c)| !c.is_ascii())) {
        (Some((_, c)), _) => Fault::new(format!("unknown field; {} does not belong to {name}", named(c))),
        (None, Some((at, c))) => {
            Fault::new(format!("unknown field; did you mean {name}? {} is no letter of it", named_at(c, at)))
        }
        (None, None) => Fault::new(format!("unknown field; did you mean {name}?")),
    };
    fault.say(format!("{name}:"))
}

/// Returns the sections that have a field of exactly this name.
pub(super) fn home(name: &str) -> Option<String> {
    let sections = all().iter().filter(|section| matches!(section.property.value, Type::Object { .. }));
    let homes = sections.filter(|section| !section.path.is_empty() && section.property.names().contains(&name));
    let homes: Vec<String> = homes.map(|section| section.path()).collect();
    (!homes.is_empty()).then(|| homes.join(" or "))
}

/// Returns the user's text for a message: on one line, and cut where it gets long.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(MAX_SHOWN_CHARACTERS) {
        match c {
            _ if c.is_control() => shown.extend(c.escape_default()),
            // What nobody sees may also turn around what stands beside it.
            _ if is_hidden(c) => shown.extend(c.escape_unicode()),
            _ => shown.push(c),
        }
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
    if plain {
        return value.to_owned();
    }
    let mut quoted = "\"".to_owned();
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            _ if c.is_control() || is_hidden(c) => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
