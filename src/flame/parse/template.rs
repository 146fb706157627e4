//! What a template or a shell was to fill in, and nobody did.

use super::grammar::Fault;
use super::report::shown;

/// Returns the fault of a placeholder in `text`.
pub(super) fn placeholder(text: &str) -> Option<Fault> {
    let inside = |open: &str, close: &str| {
        let start = text.find(open)?;
        let length = text[start..].find(close).map_or(text.len() - start, |at| at + close.len());
        Some(start..start + length)
    };
    let found = |open, close, cure| inside(open, close).map(|at| (at, cure));
    let (at, cure) = found("{{", "}}", RENDER)
        .or_else(|| found("{%", "%}", RENDER))
        .or_else(|| found("<no value>", "<no value>", "give the template this value, or write it here"))
        .or_else(|| found("${", "}", "fill it in with envsubst, or write the value"))
        .or_else(|| found("$(", ")", "write the value: no shell reads this file"))
        .or_else(|| {
            let is_whole = text.len() > 2 && text.starts_with('<') && text.ends_with('>');
            is_whole.then_some((0..text.len(), "write the value, without < and >"))
        })?;
    let start = text[..at.start].chars().count();
    let end = start + text[at.clone()].chars().count();
    Some(not_filled_in(&text[at]).at(start..end).say(cure))
}

/// How to get from a template to a file.
const RENDER: &str = "render the template first, or write the value";

/// Returns the fault of a template that begins `text`, which is a rest of a line.
pub(super) fn on_line(text: &str) -> Fault {
    let close = if text.starts_with("{%") { "%}" } else { "}}" };
    // `{{ }}` may hold another one.
    let end = text.find(close).map_or(text.trim_end().len(), |at| at + close.len());
    not_filled_in(&text[..end]).say(RENDER)
}

/// Returns where a template begins in a line.
pub(super) fn start(line: &str) -> Option<usize> {
    line.find("{{").into_iter().chain(line.find("{%")).min()
}

fn not_filled_in(placeholder: &str) -> Fault {
    Fault::new(format!("{} was never filled in", shown(placeholder)))
}
