//! The text of `flamectl explain`: a field of the table → what a person reads about it, as `kubectl explain` has it. Pure.

use std::fmt::Write as _;

use serde_yaml::Value;
use textwrap::Options;

use crate::error::Result;
use crate::flame::names::{MAX_ANNOTATIONS_BYTES, OWN_LABELS, RESERVED_PREFIX};
use crate::flame::schema::{Keys, Located, Presence, Property, QUANTITY, RESOURCE_NAMES, Text, Type};
use crate::flame::{API_VERSION, KIND};

/// Text below a heading.
const INDENTATION: &str = "    ";
/// Width of the words before the values of the first lines.
const LABEL: usize = "REQUIRED:  ".len();

/// Returns the page on a field, wrapped at `columns`.
///
/// # Errors
/// The example has no YAML form; none of the table's has that.
pub fn page(field: &Located, columns: usize) -> Result<String> {
    let property = field.property;
    let mut page = head(field, columns);
    let description = [property.summary, property.meaning].join("\n\n");
    section(&mut page, "DESCRIPTION", &wrapped(description.trim_end(), columns));
    section(&mut page, "IN FLAME", &wrapped(property.in_flame, columns));
    let ends_up: Vec<String> = property.ends_up.iter().map(|place| wrapped(place, columns)).collect();
    section(&mut page, "ENDS UP IN", &ends_up.join("\n"));
    section(&mut page, "EXAMPLE", &yaml(&field.example())?);
    let heading = if let Type::Map { .. } = property.value { "KNOWN KEYS" } else { "FIELDS" };
    section(&mut page, heading, &fields(property, columns));
    Ok(page)
}

/// Returns all fields below one, by name only.
pub fn tree(field: &Located, columns: usize) -> String {
    let mut rows = Vec::new();
    branches(field.property, 1, &mut rows);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let rows: Vec<String> = rows.iter().map(|(name, rest)| format!("{name:width$}  {rest}")).collect();
    let mut page = head(field, columns);
    section(&mut page, "FIELDS", &rows.join("\n"));
    page
}

/// Returns what stands above the description: which field, and what it may hold.
fn head(field: &Located, columns: usize) -> String {
    let property = field.property;
    let mut head = format!("{:LABEL$}{KIND}\n{:LABEL$}{API_VERSION}\n", "KIND:", "VERSION:");
    if field.path.is_empty() {
        return head;
    }
    let (required, default) = match property.presence {
        _ if field.generated => ("", String::new()),
        Presence::Required => ("yes", String::new()),
        Presence::Optional { default, means: "", .. } => ("no", default.to_string()),
        Presence::Optional { default, means, .. } => ("no", format!("{default}, to {means}")),
        Presence::Key | Presence::Generated => ("no", String::new()),
    };
    let read_only = if field.generated { "set by flamectl, a file may not have it" } else { "" };
    head.push('\n');
    for (label, text) in [
        ("FIELD:", format!("{} <{}>", field.path(), kind(&property.value))),
        ("READ-ONLY:", read_only.to_owned()),
        ("REQUIRED:", required.to_owned()),
        ("DEFAULT:", default),
        ("LIMITS:", limits(&property.value)),
    ] {
        if !text.is_empty() {
            let label = format!("{label:LABEL$}");
            let indentation = " ".repeat(LABEL);
            let options = options(columns).initial_indent(&label).subsequent_indent(&indentation);
            head += &textwrap::fill(&text, options);
            head.push('\n');
        }
    }
    head
}

/// Adds a heading and what stands below it, if anything does.
fn section(page: &mut String, heading: &str, text: &str) {
    if !text.is_empty() {
        write!(page, "\n{heading}:\n{text}\n").expect("writing to a String cannot fail");
    }
}

fn options<'a>(columns: usize) -> Options<'a> {
    // A path or a name is read back more easily whole than broken.
    Options::new(columns).break_words(false)
}

/// Returns paragraphs, wrapped and indented; an empty line stays empty.
fn wrapped(text: &str, columns: usize) -> String {
    let options = options(columns).initial_indent(INDENTATION).subsequent_indent(INDENTATION);
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| textwrap::fill(paragraph, &options)).collect::<Vec<_>>().join("\n\n")
}

fn yaml(example: &Value) -> Result<String> {
    Ok(super::yaml(&[example])?.lines().map(|line| format!("{INDENTATION}{line}")).collect::<Vec<_>>().join("\n"))
}

/// Returns the fields directly below, each with its type and a line.
fn fields(property: &Property, columns: usize) -> String {
    let field = |field: &Property| {
        let line = wrapped(field.summary, columns);
        format!("  {} <{}>{}\n{line}", field.name, kind(&field.value), mark(field))
    };
    property.properties().iter().map(field).collect::<Vec<_>>().join("\n\n")
}

fn branches(property: &Property, depth: usize, rows: &mut Vec<(String, String)>) {
    for field in property.properties() {
        let default = match field.presence {
            Presence::Optional { default, .. } => format!("  default {default}"),
            _ => mark(field).to_owned(),
        };
        rows.push((format!("{}{}", "  ".repeat(depth), field.name), format!("<{}>{default}", kind(&field.value))));
        branches(field, depth + 1, rows);
    }
}

fn mark(field: &Property) -> &'static str {
    match field.presence {
        Presence::Required => "  -required-",
        Presence::Generated => "  -read-only-",
        Presence::Optional { .. } | Presence::Key => "",
    }
}

/// Returns the type in Kubernetes' words.
fn kind(value: &Type) -> &'static str {
    match value {
        Type::Object { .. } => "object",
        Type::Map { values: Type::Quantity, .. } => "map[string]Quantity",
        Type::Map { .. } => "map[string]string",
        Type::Text(_) | Type::OneOf(_) => "string",
        Type::Integer { .. } => "integer",
        Type::Quantity => "Quantity",
    }
}

/// Returns what a value may be, in words.
fn limits(value: &Type) -> String {
    match value {
        Type::Object { .. } => String::new(),
        Type::Map { keys, values, .. } => format!("keys: {}; values: {}", key_limits(*keys), limits(values)),
        Type::Text(text) => text_limits(text),
        Type::OneOf([first @ .., last]) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        Type::OneOf(words) => words.concat(),
        Type::Integer { max: Some(max) } => format!("0 to {max}"),
        Type::Integer { max: None } => "0 or more".to_owned(),
        Type::Quantity => QUANTITY.rule.to_owned(),
    }
}

fn text_limits(text: &Text) -> String {
    let mut limits = text.rule.to_owned();
    if let Some(max) = text.max_length {
        limits += &format!("; at most {max} characters");
    }
    if !text.known.is_empty() {
        limits += &format!("; known are {}", text.known.join(", "));
    }
    limits
}

fn key_limits(keys: Keys) -> String {
    match keys {
        Keys::Labels => {
            format!("NAME or PREFIX/NAME, but not {}, nor any under {RESERVED_PREFIX}", OWN_LABELS.join(", "))
        }
        Keys::Annotations => format!(
            "NAME or PREFIX/NAME, under {RESERVED_PREFIX} only the known ones; at most {MAX_ANNOTATIONS_BYTES} bytes of \
             keys and values together"
        ),
        Keys::Resources => format!("{}, hugepages-SIZE or a device as nvidia.com/gpu", RESOURCE_NAMES.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::schema::{all, find};

    #[test]
    fn no_line_is_longer_than_the_terminal_unless_a_word_is() {
        for columns in [40, 80, 132] {
            for field in all() {
                let page = page(field, columns).unwrap();
                for line in page.lines().filter(|line| line.chars().count() > columns) {
                    // A heading, a name or an example stands as it is; prose has more than one word.
                    let words = line.split_whitespace().count();
                    assert!(words <= 3, "{columns}: {line}");
                }
            }
        }
    }

    #[test]
    fn a_wider_terminal_gets_longer_lines() {
        let slot = find("slot").unwrap();
        let lines = |columns| page(&slot, columns).unwrap().lines().count();
        assert!(lines(40) > lines(80) && lines(80) > lines(132));
    }

    #[test]
    fn the_tree_has_every_field_once() {
        let tree = tree(&find("").unwrap(), 80);
        let names: Vec<&str> = tree
            .lines()
            .filter(|line| line.starts_with("  "))
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let fields: Vec<&str> = all().iter().skip(1).map(|field| field.property.name).collect();
        assert_eq!(names, fields);
    }
}
