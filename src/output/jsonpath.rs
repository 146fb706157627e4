//! `-o jsonpath=TEMPLATE`: (template, document) → text, byte for byte as kubectl prints it.
//!
//! kubectl's dialect puts expressions into braces: text beside them stands as it is, `{"\t"}` is text with escapes, and
//! `{range …}` to `{end}` repeats what is between. What an expression selects is the library's business, which knows
//! RFC 9535; kubectl's way to write the names of fields is put into that form first. What cannot be is refused.

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use crate::error::{Error, Result};

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    /// What it selects, and how it was written.
    Path(Box<JpQuery>, String),
    /// For each of what it selects.
    Range(Box<JpQuery>, String, Vec<Part>),
}

/// What stands in a pair of braces.
enum Action<'a> {
    Text(String),
    Path(&'a str),
    Range(&'a str),
    End,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, or what of kubectl's dialect is not known here.
    pub fn parse(template: &str) -> Result<Self> {
        Self::read(template).map(Self).map_err(|why| {
            Error::input(format!("-o jsonpath={template}: {why}"))
                .hint("for more than paths, text, {range} and {end} pipe -o json into jq")
        })
    }

    fn read(template: &str) -> Result<Vec<Part>, String> {
        // The ranges that are open: where each goes over, and what was before it.
        let mut open: Vec<(Box<JpQuery>, String, Vec<Part>)> = Vec::new();
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some(begin) = rest.find('{') {
            push_text(&mut parts, &rest[..begin]);
            let end = closing_brace(&rest[begin..]).ok_or("a { has no }")?;
            match action(rest[begin + 1..begin + end].trim())? {
                Action::Text(text) => push_text(&mut parts, &text),
                Action::Path(path) => parts.push(Part::Path(query(path)?, path.to_owned())),
                Action::Range(path) => open.push((query(path)?, path.to_owned(), std::mem::take(&mut parts))),
                Action::End => {
                    let (query, path, before) = open.pop().ok_or("{end} has no {range}")?;
                    let body = std::mem::replace(&mut parts, before);
                    parts.push(Part::Range(query, path, body));
                }
            }
            rest = &rest[begin + end + 1..];
        }
        push_text(&mut parts, rest);
        if open.is_empty() { Ok(parts) } else { Err("a {range} has no {end}".to_owned()) }
    }

    /// Returns what the template makes of a document. What is not there makes no text, as with kubectl.
    ///
    /// # Errors
    /// What an expression cannot select.
    pub fn render(&self, document: &Value) -> Result<String> {
        let mut text = String::new();
        render(&self.0, document, &mut text)?;
        Ok(text)
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

fn render(parts: &[Part], document: &Value, text: &mut String) -> Result<()> {
    for part in parts {
        match part {
            Part::Text(words) => text.push_str(words),
            Part::Path(query, path) => {
                let values: Vec<String> = select(query, path, document)?.into_iter().map(written).collect();
                text.push_str(&values.join(" "));
            }
            Part::Range(query, path, body) => {
                for item in select(query, path, document)? {
                    render(body, item, text)?;
                }
            }
        }
    }
    Ok(())
}

fn select<'a>(query: &JpQuery, path: &str, document: &'a Value) -> Result<Vec<&'a Value>> {
    let found = js_path_process(query, document);
    let found = found.map_err(|error| Error::input(format!("-o jsonpath: {{{path}}} selects nothing: {error}")))?;
    Ok(found.into_iter().map(|found| found.val).collect())
}

/// Returns a value as kubectl writes it: text bare, objects and lists as JSON in Go's way.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => {
            let escapes = [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028")];
            let json = escapes.iter().fold(value.to_string(), |json, (char, escape)| json.replace(*char, escape));
            json.replace('\u{2029}', "\\u2029")
        }
        other => other.to_string(),
    }
}

/// Returns where the brace that opens a text is closed; braces in quotes are text.
fn closing_brace(text: &str) -> Option<usize> {
    outside_quotes(text).find(|(_, char)| *char == '}').map(|(at, _)| at)
}

/// Returns the characters of a text that are not in quotes.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut quote, mut is_escaped) = (None, false);
    text.char_indices().filter(move |(_, char)| {
        let is_outside = quote.is_none() && !matches!(char, '"' | '\'');
        match (quote, char) {
            _ if is_escaped => is_escaped = false,
            (_, '\\') => is_escaped = true,
            (None, '"' | '\'') => quote = Some(*char),
            (Some(open), char) if open == *char => quote = None,
            _ => {}
        }
        is_outside
    })
}

fn action(text: &str) -> Result<Action<'_>, String> {
    match text {
        "" => return Err("{} is empty".to_owned()),
        "end" => return Ok(Action::End),
        _ => {}
    }
    if let Some(path) = text.strip_prefix("range").filter(|rest| rest.starts_with([' ', '\t'])) {
        return Ok(Action::Range(path.trim()));
    }
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => unquoted(text, quote).map(Action::Text),
        _ => Ok(Action::Path(text)),
    }
}

/// Returns what a quoted text says (Go: string literals, in either quote).
fn unquoted(text: &str, quote: char) -> Result<String, String> {
    let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)).filter(|_| text.len() > 1);
    let inner = inner.ok_or_else(|| format!("{{{text}}} is not one text in quotes"))?;
    let mut words = String::new();
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => words.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('\\') => '\\',
                Some(escaped) if escaped == quote => quote,
                _ => return Err(format!("{{{text}}}: of escapes \\n, \\t, \\r, \\\\ and the quote are known")),
            }),
            char if char == quote => return Err(format!("{{{text}}} is not one text in quotes")),
            char => words.push(char),
        }
    }
    Ok(words)
}

/// Reads an expression.
fn query(path: &str) -> Result<Box<JpQuery>, String> {
    let standard = standard(path)?;
    parse_json_path(&standard).map(Box::new).map_err(|_| format!("{{{path}}} is not an expression that is known here"))
}

/// Returns kubectl's expression in the form of RFC 9535: it begins with `$`, and names of fields that are more than a word are
/// in brackets. kubectl takes `$` and `@` for the current object, so both may be missing.
fn standard(path: &str) -> Result<String, String> {
    let unknown = || format!("{{{path}}} is not an expression that is known here");
    let mut standard = String::from("$");
    let mut rest = path.strip_prefix(['$', '@']).unwrap_or(path);
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            let (descent, name) = name.strip_prefix('.').map_or(("", name), |name| ("..", name));
            let end = end_of_name(name);
            standard.push_str(descent);
            match &name[..end] {
                "*" => standard.push_str("[*]"),
                "" if descent.is_empty() && standard == "$" => {}
                "" if name.starts_with('[') => {}
                "" => return Err(unknown()),
                field => standard.push_str(&format!("[{}]", serde_json::json!(field.replace('\\', "")))),
            }
            rest = &name[end..];
        } else if rest.starts_with('[') {
            let end = closing_bracket(rest).ok_or_else(unknown)?;
            standard.push_str(&rest[..=end]);
            rest = &rest[end + 1..];
        } else {
            return Err(unknown());
        }
    }
    Ok(standard)
}

/// Returns where the name of a field ends: a character that is escaped belongs to it.
fn end_of_name(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().find(|(_, char)| {
        let ends =
            !is_escaped && matches!(char, '.' | '[' | ']' | ',' | '$' | '@' | ' ' | '\t' | '\n' | '\r' | '"' | '\'');
        is_escaped = !is_escaped && *char == '\\';
        ends
    });
    end.map_or(text.len(), |(at, _)| at)
}

fn closing_bracket(text: &str) -> Option<usize> {
    let mut depth = 0;
    let end = outside_quotes(text).find(|(_, char)| {
        match char {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    end.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn list() -> Value {
        let flame = |name: &str, ready: u32| {
            json!({
                "metadata": { "name": name, "labels": { "example.com/team": "a<b" } },
                "spec": { "executorManager": { "replicas": 10 } },
                "status": { "state": "Running", "executorManager": { "replicas": 10, "ready": ready } },
            })
        };
        json!({ "kind": "List", "items": [flame("one", 10), flame("two", 3)] })
    }

    #[track_caller]
    fn check(template: &str, expected: &str) {
        let rendered = Template::parse(template).and_then(|template| template.render(&list()));
        assert_eq!(rendered.as_deref(), Ok(expected), "{template}");
    }

    /// What kubectl prints for the same templates on the same document is compared in `tests/real/status.rs`.
    #[test]
    fn expressions_text_and_ranges_make_what_kubectl_makes_of_them() {
        check("{.kind}", "List");
        check("{$.kind}", "List");
        check("{@.kind}", "List");
        check("{ .kind }", "List");
        check("kind: {.kind}\n", "kind: List\n");
        check("{.items[*].metadata.name}", "one two");
        check("{.items[0].status.executorManager.ready}", "10");
        check("{.items[-1].metadata.name}", "two");
        check("{.items[0:1].metadata.name}", "one");
        check("{.items[1]['metadata']['name']}", "two");
        check(r#"{.items[?(@.metadata.name=="two")].status.state}"#, "Running");
        check("{.items[?(@.status.executorManager.ready<10)].metadata.name}", "two");
        check(r"{.items[0].metadata.labels.example\.com/team}", "a<b");
        check("{.items[0].metadata.labels}", r#"{"example.com/team":"a\u003cb"}"#);
        check("{.items[*].status.nothing}", "");
        check("{..name}", "one two");
        check(r#"{range .items[*]}{.metadata.name}{"\t"}{.status.state}{"\n"}{end}"#, "one\tRunning\ntwo\tRunning\n");
        check("{range .items[*]}[{range .metadata}{.name}{end}]{end}", "[one][two]");
        check("{range .nothing[*]}x{end}.", ".");
        check(r#"{"a {brace}"}{'it\'s'}"#, "a {brace}it's");
        check("no braces", "no braces");
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_reason() {
        for (template, why) in [
            ("{.kind", "a { has no }"),
            ("{}", "{} is empty"),
            ("{range .items[*]}", "a {range} has no {end}"),
            ("{end}", "{end} has no {range}"),
            (r#"{"a}"#, "a { has no }"),
            (r#"{"a" "b"}"#, r#"{"a" "b"} is not one text in quotes"#),
            (r#"{"\q"}"#, r#"{"\q"}: of escapes \n, \t, \r, \\ and the quote are known"#),
            ("{.items[}", "{.items[} is not an expression that is known here"),
            ("{items}", "{items} is not an expression that is known here"),
            ("{.a .b}", "{.a .b} is not an expression that is known here"),
            ("{.items[?(@.a}", "{.items[?(@.a} is not an expression that is known here"),
        ] {
            let error = Template::parse(template).expect_err(template);
            assert_eq!(error.what, format!("-o jsonpath={template}: {why}"));
            assert_eq!(error.kind.exit_code(), 2);
        }
    }
}
