//! From a path or a name to its field.

use std::sync::LazyLock;

use serde_yaml::{Mapping, Value};

use super::{Property, ROOT, Type};
use crate::error::{Error, Result};
use crate::flame::KIND;

/// A field and where it is.
#[derive(Clone, Debug)]
pub struct Located {
    /// The names from the top of the file to the field; empty for the whole file.
    pub path: Vec<&'static str>,
    /// The field.
    pub property: &'static Property,
    /// Whether it, or the section it is in, is flamectl's to make.
    pub generated: bool,
}

impl Located {
    /// Returns the path as `spec.sessionManager.slot`; `metadata.annotations["a/b"]` where dots would mislead.
    pub fn path(&self) -> String {
        text(&self.path)
    }

    /// Returns an example of the field at its place in the file.
    pub fn example(&self) -> Value {
        let example = self.property.example(self.generated);
        self.path.iter().rev().fold(example, |value, name| Mapping::from_iter([((*name).into(), value)]).into())
    }

    /// Returns this and all below it, parents first.
    fn with_all_below(self) -> Vec<Self> {
        let below = self.property.properties().iter().flat_map(|property| {
            let path = [&self.path[..], &[property.name]].concat();
            Self { path, property, generated: self.generated || property.is_generated() }.with_all_below()
        });
        let below: Vec<Self> = below.collect();
        [vec![self], below].concat()
    }
}

fn text(path: &[&str]) -> String {
    let is_simple = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    path.iter().fold(String::new(), |path, name| match (path.as_str(), is_simple(name)) {
        ("", _) => (*name).to_owned(),
        (_, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[\"{name}\"]"),
    })
}

/// Returns every field, parents first, in the order of the reference; the first is the whole file.
pub fn all() -> &'static [Located] {
    // A file may have thousands of unknown fields, and each is looked up.
    static ALL: LazyLock<Vec<Located>> =
        LazyLock::new(|| Located { path: Vec::new(), property: &ROOT, generated: false }.with_all_below());
    &ALL
}

/// Returns the field that `path` means: a full path, with or without the kind before it, or the end of one that only one
/// field has. Of a name that both spec and status have, that of spec is meant; any key of a map means the map.
///
/// # Errors
/// There is no such field, or there are several.
pub fn find(path: &str) -> Result<Located> {
    let names = names(path);
    let all = all();
    if let Some(field) = all.iter().find(|field| field.path == names) {
        return Ok(field.clone());
    }
    let (generated, written): (Vec<&Located>, Vec<&Located>) =
        all.iter().filter(|field| ends_with(field, &names)).partition(|field| field.generated);
    match if written.is_empty() { generated } else { written }.as_slice() {
        [] => {}
        [field] => return Ok((*field).clone()),
        several => return Err(ambiguous(path, several)),
    }
    if let Some((_, home)) = names.split_last()
        && let Some(map) = all.iter().find(|field| field.path == home && is_map(field))
    {
        return Ok(map.clone());
    }
    Err(unknown(path, &names, all))
}

/// Returns the names in a path: `FlameCluster.spec.slot`, `spec.slot` and `.spec.slot` are the same.
fn names(path: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = path.trim().trim_start_matches('.');
    while !rest.is_empty() {
        let quoted = rest.strip_prefix("[\"").and_then(|rest| rest.split_once("\"]"));
        let (name, after) = quoted.unwrap_or_else(|| {
            let end = rest.find(['.', '[']).filter(|end| *end > 0).unwrap_or(rest.len());
            rest.split_at(end)
        });
        names.push(name.to_owned());
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    let plural = format!("{KIND}s");
    if names.first().is_some_and(|first| first.eq_ignore_ascii_case(KIND) || first.eq_ignore_ascii_case(&plural)) {
        names.remove(0);
    }
    names
}

fn ends_with(field: &Located, names: &[String]) -> bool {
    let from = field.path.len().checked_sub(names.len());
    !names.is_empty() && from.is_some_and(|from| field.path[from..] == *names)
}

fn is_map(field: &Located) -> bool {
    matches!(field.property.value, Type::Map { .. })
}

fn ambiguous(path: &str, several: &[&Located]) -> Error {
    let places: Vec<String> = several.iter().map(|field| field.path()).collect();
    let error = Error::input(format!("{path} may be {}", places.join(" or ")));
    error.hint(format!("flamectl explain {}", places[0]))
}

fn unknown(path: &str, names: &[String], all: &[Located]) -> Error {
    let what = format!("{KIND} has no field {path}");
    match meant(names, all) {
        Some(meant) => Error::input(format!("{what}; did you mean {meant}?")).hint(format!("flamectl explain {meant}")),
        None => Error::input(what).hint("flamectl explain --recursive lists all fields"),
    }
}

/// Returns the path that was probably meant: as far as the names are known, then the nearest name below.
fn meant(names: &[String], all: &[Located]) -> Option<String> {
    let known = (1..names.len()).rev().find_map(|length| {
        let home = all.iter().find(|field| field.path == names[..length])?;
        Some((home, &names[length]))
    });
    if let Some((home, name)) = known {
        let candidates: Vec<&str> = home.property.properties().iter().map(|property| property.name).collect();
        let nearest = nearest(name, &candidates)?;
        return all.iter().find(|field| field.path.split_last() == Some((&nearest, &home.path))).map(Located::path);
    }
    let paths: Vec<String> = all.iter().map(Located::path).collect();
    let whole = nearest(&names.join("."), &paths.iter().map(String::as_str).collect::<Vec<_>>()).map(str::to_owned);
    whole.or_else(|| {
        let known: Vec<&str> = all.iter().map(|field| field.property.name).collect();
        let name = nearest(names.last()?, &known)?;
        all.iter().find(|field| field.property.name == name).map(Located::path)
    })
}

/// Returns the one of `known` that `word` was probably meant to be.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // A third of the letters wrong is still a typo; more is another word.
    let is_typo = |distance: usize, candidate: &str| distance * 3 <= candidate.len();
    known
        .iter()
        // Comparing takes time, which thousands of long keys are not worth.
        .filter(|candidate| is_typo(word.len().abs_diff(candidate.len()), candidate))
        .map(|candidate| (strsim::osa_distance(&simplified(word), &simplified(candidate)), *candidate))
        .filter(|(distance, candidate)| is_typo(*distance, candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns `word` without what `max_executors`, `max-executors` and `MaxExecutors` differ in.
fn simplified(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_lowercase()
}
