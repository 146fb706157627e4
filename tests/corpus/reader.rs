//! What holds for whatever the reader is given.
//!
//! The including module has `parse`, `Parsed` and `Severity`: the reader's own tests, the replay of the corpus and the fuzzer
//! all check the same.

use super::{Parsed, Severity, parse};

/// Longest message and hint; the longest hint is an image.
const MAX_CHARACTERS: usize = 1200;

/// Reads `input` and checks what was made of it.
#[track_caller]
pub fn check(input: &[u8]) -> Parsed {
    let parsed = parse("f.yaml", input);
    holds(input, &parsed);
    parsed
}

/// Checks that there is a flame exactly without errors, and that each problem stands in the file, in order, can be
/// printed as one line and says what to do.
#[track_caller]
pub fn holds(input: &[u8], parsed: &Parsed) {
    let told = String::from_utf8_lossy(input);
    let has_errors = parsed.problems.iter().any(|problem| problem.severity == Severity::Error);
    assert_eq!(parsed.flame.is_some(), !has_errors, "of {told}");
    assert!(parsed.problems.is_sorted_by_key(|problem| (problem.line, problem.column)), "of {told}");
    let text = told.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<usize> = text.split('\n').map(|line| line.chars().count()).collect();
    for problem in &parsed.problems {
        assert!((1..=lines.len()).contains(&problem.line), "{problem} of {told}");
        assert!(problem.column >= 1 && problem.length >= 1, "{problem} of {told}");
        // The end of a line can be marked: that is where something is missing.
        let end = problem.column + problem.length - 1;
        assert!(end <= lines[problem.line - 1] + 1, "{problem} ({end}) of {told}");
        let hint = problem.hint.as_deref().unwrap_or_default();
        assert!(!hint.is_empty(), "no hint for {problem} of {told}");
        let is_odd = |c: char| c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}');
        assert!(![&problem.message, &problem.path, hint].iter().any(|it| it.contains(is_odd)), "{problem:?} of {told}");
        let longest = problem.message.chars().count().max(hint.chars().count());
        assert!(longest <= MAX_CHARACTERS, "{problem:?} of {told}");
    }
}
