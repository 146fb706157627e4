//! How the reader goes on behind something that is not YAML.

use std::ops::RangeInclusive;

use super::characters::is_odd_blank;
use super::lines::{self, indentation, is_blank, split_end};
use super::syntax::Diagnosis;

/// After this many syntax errors the file is not YAML at all.
const MAX_REPAIRS: usize = 20;
/// Reading again costs time: this many bytes are read again at most, so that a large file is not read twenty times.
const MAX_BYTES_READ_AGAIN: usize = 2 << 20;

/// How to read on. Lines count from 1; places stay where they are.
pub(super) enum Repair {
    /// Leave out this line and those that hang on it.
    LeaveOut(usize),
    /// Leave out these lines.
    LeaveOutLines(Vec<RangeInclusive<usize>>),
    /// Leave out the end of this line, from this byte on.
    Cut(usize, usize),
    /// Indent all lines with spaces.
    Indent,
    /// Put a comma at the end of this line.
    AddComma(usize),
    /// What follows cannot be told from the mistake.
    Stop,
}

/// What was repaired so far.
#[derive(Default)]
pub(super) struct Repairs {
    count: usize,
    bytes: usize,
    lines_told: Vec<usize>,
    /// The text of all lines that were left out.
    pub left_out: String,
}

impl Repairs {
    /// Returns whether `diagnosis` is not just the echo of an earlier one.
    pub(super) fn is_news(&mut self, diagnosis: &Diagnosis) -> bool {
        let news = !self.lines_told.contains(&diagnosis.place.line);
        self.lines_told.push(diagnosis.place.line);
        news
    }

    /// Returns `text` without what `diagnosis` is about; None when there is no point in reading on.
    pub(super) fn apply(&mut self, diagnosis: &Diagnosis, text: &str) -> Option<String> {
        self.count += 1;
        self.bytes += text.len();
        if self.count > MAX_REPAIRS || self.bytes > MAX_BYTES_READ_AGAIN {
            return None;
        }
        match &diagnosis.repair {
            Repair::Stop => None,
            Repair::LeaveOutLines(ranges) => self.leave_out(ranges, text),
            Repair::LeaveOut(line) => self.leave_out(&[*line..=last_below(text, *line)], text),
            Repair::AddComma(line) => Some(edited(text, |number, content, edited| {
                edited.push_str(content);
                edited.push_str(if number == *line { "," } else { "" });
            })),
            Repair::Cut(line, at) => Some(edited(text, |number, content, edited| {
                let kept = if number == *line { content.get(..*at) } else { None };
                edited.push_str(kept.unwrap_or(content));
            })),
            Repair::Indent => Some(edited(text, |_, content, edited| with_spaces(content, edited))),
        }
    }

    fn leave_out(&mut self, ranges: &[RangeInclusive<usize>], text: &str) -> Option<String> {
        let before = self.left_out.len();
        let repaired = edited(text, |number, content, edited| {
            let is_left_out = ranges.iter().any(|range| range.contains(&number));
            if is_left_out { self.left_out.push_str(content) } else { edited.push_str(content) }
        });
        // Nothing left out is nothing gained.
        (self.left_out.len() > before).then_some(repaired)
    }
}

/// Returns the last line that is indented deeper than `line`, and so hangs on it.
fn last_below(text: &str, line: usize) -> usize {
    let mut lines = lines::each(text).zip(1..).skip(line - 1);
    let own = lines.next().map_or(0, |(line, _)| indentation(line));
    let text_below = lines.filter(|(below, _)| !is_blank(below));
    text_below.take_while(|(below, _)| indentation(below) > own).last().map_or(line, |(_, below)| below)
}

/// Returns `text` with each line as `edit` writes it, of its number and content.
fn edited(text: &str, mut edit: impl FnMut(usize, &str, &mut String)) -> String {
    let mut edited = String::with_capacity(text.len() + 1);
    for (line, number) in lines::each(text).zip(1..) {
        let (content, end) = split_end(line);
        edit(number, content, &mut edited);
        edited.push_str(end);
    }
    edited
}

/// Writes `line` with spaces for the blanks in its indentation that are none to YAML.
fn with_spaces(line: &str, edited: &mut String) {
    let content = line.trim_start_matches(|c| c == ' ' || is_odd_blank(c));
    let blanks = line[..line.len() - content.len()].chars().count();
    edited.extend(std::iter::repeat_n(' ', blanks));
    edited.push_str(content);
}
