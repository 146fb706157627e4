//! The lines of a text, as an error names them: from 1, without their ends.

use super::characters::is_odd_blank;

/// Finds lines by their number; 4 bytes each, as there may be a million.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<u32>,
}

impl<'t> Lines<'t> {
    /// Finds where each line of `text` begins; behind the last line end there is one more, which is empty.
    pub(super) fn new(text: &'t str) -> Self {
        let ends = text.bytes().filter(|byte| *byte == b'\n').count();
        let mut starts = Vec::with_capacity(ends + 1);
        let mut start = 0;
        starts.push(start);
        for byte in text.bytes() {
            // A text that needs more was refused.
            start += 1;
            if byte == b'\n' {
                starts.push(start);
            }
        }
        Self { text, starts }
    }

    /// Returns how many lines there are.
    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// Returns a line; what is behind the last one is empty.
    pub(super) fn get(&self, line: usize) -> &'t str {
        let at = |line: usize| self.starts.get(line).and_then(|at| usize::try_from(*at).ok());
        let start = line.checked_sub(1).and_then(at).unwrap_or(self.text.len());
        let end = at(line).unwrap_or(self.text.len());
        self.text.get(start..end).map_or("", |line| split_end(line).0)
    }
}

/// Returns the lines of a text one after the other, each with its end; fast where they are short and many.
pub(super) fn each(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.bytes().position(|byte| byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

/// Returns a line and its end.
pub(super) fn split_end(line: &str) -> (&str, &str) {
    line.split_at(line.trim_end_matches(['\n', '\r']).len())
}

/// Returns how many characters a line is indented by, tabs counted as one.
pub(super) fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| matches!(c, ' ' | '\t')).count()
}

/// Returns the first blank in a line's indentation that is none to YAML, and its index.
pub(super) fn odd_indentation(line: &str) -> Option<(usize, char)> {
    let indentation = line.chars().enumerate().take_while(|(_, c)| *c == ' ' || is_odd_blank(*c));
    indentation.into_iter().find(|(_, c)| is_odd_blank(*c)).filter(|_| !is_blank(line))
}

pub(super) fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

pub(super) fn has_tab_indentation(line: &str) -> bool {
    !is_blank(line) && line.chars().take_while(|c| matches!(c, ' ' | '\t')).any(|c| c == '\t')
}
