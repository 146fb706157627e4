//! Label selectors as kubectl's `-l` takes them: checked here, evaluated by the server.
//!
//! Pure: (text) → [`Selector`] or what is wrong with it (Kubernetes: "Labels and Selectors").

use std::fmt;

use super::answers::in_one_line;
use super::parse::grammar;

/// Selects flames by the labels of their records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(String);

impl fmt::Display for Selector {
    /// Writes it as the server takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The operators between a key and its value; a longer one stands before one that it begins with.
const OPERATORS: [&str; 5] = ["!=", "==", "=", "<", ">"];

impl Selector {
    /// Reads a selector: requirements with commas between, each `KEY=VALUE`, `KEY==VALUE`, `KEY!=VALUE`, `KEY in (A, B)`,
    /// `KEY notin (A, B)`, `KEY`, `!KEY`, `KEY>NUMBER` or `KEY<NUMBER`.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("a selector is at least one requirement, as KEY=VALUE".to_owned());
        }
        for requirement in requirements(text)? {
            check(requirement.trim())?;
        }
        Ok(Self(text.trim().to_owned()))
    }
}

/// Splits at the commas between requirements; those in parentheses stay.
fn requirements(text: &str) -> Result<Vec<&str>, String> {
    let (mut requirements, mut begin, mut is_open) = (Vec::new(), 0, false);
    for (at, char) in text.char_indices() {
        match (char, is_open) {
            ('(', false) => is_open = true,
            (')', true) => is_open = false,
            ('(' | ')', _) => return Err(format!("the parentheses of {text:?} do not match")),
            (',', false) => {
                requirements.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    if is_open {
        return Err(format!("the parentheses of {text:?} do not match"));
    }
    requirements.push(&text[begin..]);
    Ok(requirements)
}

fn check(requirement: &str) -> Result<(), String> {
    if requirement.is_empty() {
        return Err("nothing stands before or after a comma".to_owned());
    }
    let operator = requirement.char_indices().skip(1).find_map(|(at, _)| {
        OPERATORS.iter().find(|operator| requirement[at..].starts_with(**operator)).map(|operator| (at, *operator))
    });
    if let Some(absent) = requirement.strip_prefix('!') {
        return key(absent.trim());
    }
    if let Some((at, operator)) = operator {
        let of = requirement[at + operator.len()..].trim();
        key(requirement[..at].trim())?;
        return match operator {
            "<" | ">" => number(requirement, of),
            _ => value(requirement, of),
        };
    }
    match requirement.split_once('(') {
        None => key(requirement),
        Some((left, values)) => set(requirement, left.trim(), values),
    }
}

/// Checks `KEY in (A, B)` and `KEY notin (A, B)`.
fn set(requirement: &str, left: &str, values: &str) -> Result<(), String> {
    let Some(values) = values.strip_suffix(')') else {
        return Err(format!("{requirement:?}: nothing may follow the list of values"));
    };
    match left.split_once(char::is_whitespace).map(|(name, operator)| (name, operator.trim())) {
        Some((name, "in" | "notin")) => key(name)?,
        _ => return Err(format!("{requirement:?}: KEY in (…) or KEY notin (…) has a list of values")),
    }
    values.split(',').try_for_each(|it| value(requirement, it.trim()))
}

fn key(text: &str) -> Result<(), String> {
    match grammar::qualified_name(text) {
        faults if faults.is_empty() => Ok(()),
        faults => Err(format!("key {text:?}: {}", in_one_line(faults))),
    }
}

fn value(requirement: &str, text: &str) -> Result<(), String> {
    match grammar::label_value(text) {
        faults if faults.is_empty() => Ok(()),
        faults => Err(format!("{requirement:?}: {}", in_one_line(faults))),
    }
}

fn number(requirement: &str, text: &str) -> Result<(), String> {
    match text.parse::<i64>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{requirement:?}: < and > compare with an integer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_kubectl_takes_goes_to_the_server_as_it_is() {
        for text in [
            "team=ml",
            "team==ml",
            "team != ml",
            "team=",
            "team",
            "!team",
            "! team",
            "example.com/team in (ml, vision)",
            "team notin (ml)",
            "team in ()",
            "size>3,size<10",
            "a=b,c!=d, e in (f,g),!h",
            "app.kubernetes.io/name=flame",
        ] {
            assert_eq!(Selector::parse(text).map(|it| it.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_no_server_takes_is_told_in_one_line() {
        for (text, wrong) in [
            ("", "a selector is at least one requirement, as KEY=VALUE"),
            ("a=b,", "nothing stands before or after a comma"),
            ("a in (b", "the parentheses of \"a in (b\" do not match"),
            ("a in ((b))", "the parentheses of \"a in ((b))\" do not match"),
            ("a in (b) c", "\"a in (b) c\": nothing may follow the list of values"),
            ("a of (b)", "\"a of (b)\": KEY in (…) or KEY notin (…) has a list of values"),
            ("a>b", "\"a>b\": < and > compare with an integer"),
            (
                "=b",
                "key \"=b\": \"=\" (character 1) is not allowed: only letters, digits, \"-\", \"_\" and \".\", and at both ends \
                a letter or digit (write b)",
            ),
            (
                "a=b=c",
                "\"a=b=c\": \"=\" (character 2) is not allowed: only letters, digits, \"-\", \"_\" and \".\", and at both ends \
                a letter or digit (write b-c)",
            ),
        ] {
            assert_eq!(Selector::parse(text), Err(wrong.to_owned()));
        }
    }
}
