//! What is not YAML: says what is wrong in the user's words, and what to leave out so that the rest can be checked.

use serde_saphyr::granit_parser::{ErrorKind, Span};

use super::grammar::{Fault, quoted};
use super::report::{Place, shown};
use super::tree::Failure;

/// After this many syntax errors the file is not YAML at all.
const MAX_REPAIRS: usize = 20;
/// Reading again costs time: this many bytes are read again at most, so that a large file is not read twenty times.
const MAX_BYTES_READ_AGAIN: usize = 2 << 20;

/// One syntax error.
pub(super) struct Diagnosis {
    pub place: Place,
    pub fault: Fault,
    repair: Repair,
}

/// How to read on. Lines count from 1.
enum Repair {
    /// Leave out this line and those that hang on it.
    LeaveOut(usize),
    /// Leave out these lines.
    LeaveOutLines(usize, usize),
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
        let lines = lines(text);
        let (first, last) = match diagnosis.repair {
            Repair::Stop => return None,
            Repair::AddComma(line) => return Some(with_comma(&lines, line)),
            Repair::LeaveOutLines(first, last) => (first, last),
            Repair::LeaveOut(line) => (line, last_line_below(&lines, line)),
        };
        let mut repaired = String::with_capacity(text.len());
        let before = self.left_out.len();
        for (index, line) in lines.iter().enumerate() {
            if (first..=last).contains(&(index + 1)) {
                let (content, end) = split_end(line);
                self.left_out.push_str(content);
                repaired.push_str(end);
            } else {
                repaired.push_str(line);
            }
        }
        // Nothing left out is nothing gained.
        (self.left_out.len() > before).then_some(repaired)
    }
}

/// Returns the lines of `text` with their ends; YAML also ends lines with a lone carriage return.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r']) {
        let end = if rest[at..].starts_with("\r\n") { at + 2 } else { at + 1 };
        let (line, after) = rest.split_at(end);
        lines.push(line);
        rest = after;
    }
    lines.push(rest);
    lines
}

fn split_end(line: &str) -> (&str, &str) {
    line.split_at(line.trim_end_matches(['\n', '\r']).len())
}

fn with_comma(lines: &[&str], line: usize) -> String {
    let mut text = String::new();
    for (index, content) in lines.iter().enumerate() {
        let (content, end) = split_end(content);
        text.push_str(content);
        if index + 1 == line {
            text.push(',');
        }
        text.push_str(end);
    }
    text
}

/// Returns the last line that is indented deeper than `line`, and so hangs on it.
fn last_line_below(lines: &[&str], line: usize) -> usize {
    let own = lines.get(line - 1).map_or(0, |text| indentation(text));
    let below = lines.iter().skip(line).take_while(|text| is_blank(text) || indentation(text) > own).count();
    line + below
}

fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| matches!(c, ' ' | '\t')).count()
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

fn has_tab_indentation(line: &str) -> bool {
    !is_blank(line) && line.chars().take_while(|c| matches!(c, ' ' | '\t')).any(|c| c == '\t')
}

/// Returns `value` as a quoted scalar, where nothing in it has to be escaped.
fn in_quotes(value: &str) -> Option<String> {
    let value = value.trim();
    (!value.contains(['"', '\\', '#'])).then(|| format!("\"{}\"", shown(value)))
}

fn place(line: usize, column: usize) -> Place {
    Place { line, column, length: 1 }
}

/// Explains why the reading of `text` stopped.
pub(super) fn diagnose(failure: &Failure, text: &str) -> Diagnosis {
    let lines = lines(text);
    let mark = failure.error.marker();
    let here = Here { lines: &lines, line: mark.line(), column: mark.col() + 1, failure };
    here.diagnose()
}

/// The place of an error, with what is needed to understand it.
struct Here<'t> {
    lines: &'t [&'t str],
    line: usize,
    column: usize,
    failure: &'t Failure,
}

impl Here<'_> {
    fn diagnose(&self) -> Diagnosis {
        match self.failure.error.kind() {
            ErrorKind::TabInPlainScalar
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabNotAllowed
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart => self.tab(),
            ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
                self.unclosed_quote(self.line, self.column)
            }
            ErrorKind::InvalidTrailingDoubleQuotedScalar => self.behind_quote('"'),
            ErrorKind::InvalidTrailingSingleQuotedScalar => self.behind_quote('\''),
            ErrorKind::RecursionLimitExceeded => self.stop(Fault::new("nested too deeply: more than 32 levels")),
            ErrorKind::UnexpectedCharacter { character } => self.bad_start(*character),
            ErrorKind::MissingAnchorOrAliasName => self.bad_start(self.character().unwrap_or('*')),
            ErrorKind::UnknownQuotedScalarEscape
            | ErrorKind::InvalidQuotedScalarHexEscape
            | ErrorKind::InvalidUnicodeEscape
            | ErrorKind::InvalidLowSurrogate
            | ErrorKind::InvalidLowSurrogateHexEscape
            | ErrorKind::MissingLowSurrogate
            | ErrorKind::UnpairedLowSurrogate => self.leave_out(
                Fault::new("an escape with \"\\\" that YAML does not know")
                    .say("use single quotes, where \"\\\" is only a character"),
            ),
            ErrorKind::BomInsideDocument => {
                self.leave_out(Fault::new("a byte order mark (U+FEFF) inside the file").say("remove it"))
            }
            kind => self.structure(kind),
        }
    }

    /// Explains what does not fit together.
    fn structure(&self, kind: &ErrorKind) -> Diagnosis {
        if let Some(open) = self.failure.open_bracket {
            return self.in_brackets(open);
        }
        match kind {
            ErrorKind::UnclosedFlowCollection { open } => self.unclosed_bracket(*open),
            ErrorKind::MappingValueNotAllowed => self.second_colon(),
            ErrorKind::MisplacedFlowCollectionEnd => {
                self.leave_out(Fault::new(format!("{} closes nothing", quoted(self.character().unwrap_or('}')))))
            }
            ErrorKind::ExpectedBlockMappingKey if self.content(self.line).trim_start().starts_with("- ") => {
                self.list_item()
            }
            ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => self.leave_out(
                Fault::new("the indentation of this line fits none above").say("indent it like the fields beside it"),
            ),
            ErrorKind::SimpleKeyExpected => self.missing_colon_in(self.line),
            ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::ExpectedBlockSequenceEntry => self.list_item(),
            other => self.leave_out(Fault::new(format!("not YAML: {other}"))),
        }
    }

    fn content(&self, line: usize) -> &str {
        self.lines.get(line - 1).map_or("", |line| split_end(line).0)
    }

    fn character(&self) -> Option<char> {
        self.content(self.line).chars().nth(self.column - 1)
    }

    /// Marks all of a line but its indentation.
    fn whole_line(&self, line: usize) -> Place {
        let content = self.content(line);
        let length = content.trim().chars().count().max(1);
        Place { line, column: indentation(content) + 1, length }
    }

    /// Marks the place, and leaves its line out; not inside brackets over several lines, which would not match then.
    fn leave_out(&self, fault: Fault) -> Diagnosis {
        let inside = self.failure.open_bracket.is_some_and(|open| open.line < self.line);
        let repair = if inside { Repair::Stop } else { Repair::LeaveOut(self.line) };
        Diagnosis { place: place(self.line, self.column), fault, repair }
    }

    fn stop(&self, fault: Fault) -> Diagnosis {
        Diagnosis { place: place(self.line, self.column), fault, repair: Repair::Stop }
    }

    /// The scanner stops before the tab or behind it; the tab is in the next line that is indented with one.
    fn tab(&self) -> Diagnosis {
        let is_tabbed = |line: &usize| has_tab_indentation(self.content(*line));
        let Some(first) = (self.line..=self.lines.len()).take(3).find(is_tabbed) else {
            return self.leave_out(Fault::new("a tab cannot stand here").say("use spaces"));
        };
        let last = (first..=self.lines.len()).take_while(is_tabbed).last().unwrap_or(first);
        let lines = if last > first { format!("lines {first} to {last} are") } else { "this line is".to_owned() };
        let column = self.content(first).chars().position(|c| c == '\t').unwrap_or(0) + 1;
        Diagnosis {
            place: place(first, column),
            fault: Fault::new(format!("{lines} indented with a tab, YAML takes only spaces"))
                .say("replace each tab by two spaces"),
            repair: Repair::LeaveOutLines(first, last),
        }
    }

    fn unclosed_quote(&self, line: usize, column: usize) -> Diagnosis {
        let quote = self.content(line).chars().nth(column - 1).unwrap_or('"');
        let fault = Fault::new(format!("the quote {quote} is not closed"));
        let fixed = self.content(line).trim();
        let fault = if fixed.contains('#') || fixed.ends_with(quote) {
            fault
        } else {
            fault.say(format!("{}{quote}", shown(fixed)))
        };
        Diagnosis { place: place(line, column), fault, repair: Repair::LeaveOut(line) }
    }

    /// Text behind a closing quote: it closes one that was left open in a line above, or it is one too many.
    fn behind_quote(&self, quote: char) -> Diagnosis {
        let count = |text: &str| text.chars().filter(|c| *c == quote).count();
        if count(self.split(self.column - 1).0) % 2 == 1 {
            let opener = (1..self.line).rev().take(50).find(|line| count(self.content(*line)) % 2 == 1);
            if let Some(line) = opener {
                let content = self.content(line);
                let column = content.rfind(quote).map_or(0, |at| content[..at].chars().count());
                return self.unclosed_quote(line, column + 1);
            }
        }
        let fault = Fault::new(format!("text behind the closing quote {quote}"));
        self.leave_out(match quote {
            '\'' => fault.say("write '' for a single quote inside of single quotes"),
            _ => fault.say("write \\\" for a double quote inside of double quotes"),
        })
    }

    /// Inside `{…}` or `[…]`: a comma is missing, or the bracket is not closed.
    fn in_brackets(&self, open: Place) -> Diagnosis {
        if let Some(line) = self.line_without_comma() {
            let content = self.content(line).trim_end();
            let fault = Fault::new("a \",\" is missing at the end of this line");
            return Diagnosis {
                place: place(line, content.chars().count()),
                fault: fault.say(format!("{},", shown(content.trim_start()))),
                repair: Repair::AddComma(line),
            };
        }
        let opens_lines = self.content(open.line).trim_end().ends_with(['{', '[']);
        if open.line < self.line && !opens_lines {
            return self.not_closed(open, Repair::LeaveOut(open.line));
        }
        if self.line >= self.lines.len() {
            return self.not_closed(open, Repair::Stop);
        }
        self.stop(Fault::new(format!("not YAML: {}", self.failure.error.kind())))
    }

    /// In JSON style, returns the line before the one that begins with a key nobody expects there.
    fn line_without_comma(&self) -> Option<usize> {
        let above = (1..self.line).rev().find(|line| !is_blank(self.content(*line)))?;
        let begins_with_key = self.content(self.line).trim_start().starts_with('"');
        let ends_value = !self.content(above).trim_end().ends_with([',', '{', '[', ':']);
        (begins_with_key && ends_value).then_some(above)
    }

    fn not_closed(&self, open: Place, repair: Repair) -> Diagnosis {
        let bracket = self.content(open.line).chars().nth(open.column - 1).unwrap_or('{');
        let place = place(open.line, open.column);
        Diagnosis { place, fault: Fault::new(format!("the bracket {} is not closed", quoted(bracket))), repair }
    }

    fn list_item(&self) -> Diagnosis {
        self.leave_out(
            Fault::new("a list item cannot stand here").say("remove the \"- \": a FlameCluster has no lists"),
        )
    }

    fn unclosed_bracket(&self, open: char) -> Diagnosis {
        self.stop(Fault::new(format!("the bracket {} is not closed", quoted(open))))
    }

    /// A `:` where no key can be: behind a value, or behind a value that the line above began.
    fn second_colon(&self) -> Diagnosis {
        let begun = |scalar: &Span| scalar.start.line() < self.line && scalar.end.line() == self.line;
        let Some(scalar) = self.failure.last_scalar.filter(begun) else {
            let fault = Fault::new("a second \":\" in one line");
            let parts = self.content(self.line).split_once(": ");
            return self.leave_out(match parts.and_then(|(key, value)| Some((key, in_quotes(value)?))) {
                Some((key, better)) => fault.say(format!("{}: {better}", shown(key.trim()))),
                None => fault.say("quote the value"),
            });
        };
        let above = scalar.start.line();
        let indentation = indentation(self.content(above));
        if scalar.start.col() == indentation {
            return self.missing_colon_in(above);
        }
        let fault = Fault::new(format!("indented deeper than line {above}, which has a value already"));
        let fault = match indentation {
            0 => fault.say("remove the spaces before it"),
            _ => fault.say(format!("indent it by {indentation} spaces, like line {above}")),
        };
        Diagnosis { place: self.whole_line(self.line), fault, repair: Repair::LeaveOut(self.line) }
    }

    /// A line without `key: `.
    fn missing_colon_in(&self, line: usize) -> Diagnosis {
        let content = self.content(line).trim();
        let (message, better) = match content.split_once(':') {
            Some((key, value)) => ("a space is missing behind the colon", format!("{key}: {value}")),
            None => ("want KEY: VALUE, the colon is missing", format!("{content}:")),
        };
        let fault = Fault::new(message).say(shown(&better));
        Diagnosis { place: self.whole_line(line), fault, repair: Repair::LeaveOut(line) }
    }

    fn bad_start(&self, character: char) -> Diagnosis {
        let (key, value) = self.split(self.column - 1);
        let fault = Fault::new(format!("a value cannot begin with {}", quoted(character)));
        let better = in_quotes(value).filter(|_| self.failure.open_bracket.is_none());
        self.leave_out(match better {
            Some(better) => fault.say(format!("{}{better}", shown(key.trim_start()))),
            None => fault.say("quote the value"),
        })
    }

    /// Returns the line before and from this character on.
    fn split(&self, at: usize) -> (&str, &str) {
        let content = self.content(self.line);
        content.split_at(content.char_indices().nth(at).map_or(content.len(), |(byte, _)| byte))
    }
}
