//! What is not YAML: says what is wrong in the user's words, and what to leave out so that the rest can be checked.

use serde_saphyr::granit_parser::{ErrorKind, ScanError, Span};

use super::characters::{as_it_seems, first_look_alike, is_odd_blank, look_alike, named};
use super::grammar::Fault;
use super::lines::{Lines, has_tab_indentation, indentation, is_blank, odd_indentation};
use super::repair::Repair;
use super::report::{Place, shown};
use super::template;
use super::tree::{Cause, Failure};

/// One syntax error.
pub(super) struct Diagnosis {
    pub place: Place,
    pub fault: Fault,
    pub repair: Repair,
}

/// Returns where a comment as in JavaScript begins in a line of JSON.
fn json_comment(line: &str) -> Option<usize> {
    let start = line.match_indices("//").chain(line.match_indices("/*")).map(|(at, _)| at).min()?;
    let before = &line[..start];
    // Not in quotes, and not alone: that is a line of its own.
    let is_outside = before.matches('"').count().is_multiple_of(2) && before.ends_with([' ', ',', '{']);
    (is_outside && !is_blank(before)).then_some(start)
}

/// Returns `value` as a quoted scalar, where nothing in it has to be escaped.
fn in_quotes(value: &str) -> Option<String> {
    let value = value.trim();
    (!value.contains(['"', '\\', '#'])).then(|| format!("\"{}\"", shown(value)))
}

/// Returns the bracket that closes `open`.
fn closing(open: char) -> &'static str {
    if open == '[' { "\"]\"" } else { "\"}\"" }
}

fn place(line: usize, column: usize) -> Place {
    Place { line, column, length: 1 }
}

/// Explains why the reading of `text` stopped.
pub(super) fn diagnose(failure: &Failure, text: &str) -> Diagnosis {
    let lines = Lines::new(text);
    match &failure.cause {
        Cause::OddIndentation(line) => indented_oddly(&lines, *line),
        Cause::Scan(error) => {
            let mark = error.marker();
            Here { lines: &lines, line: mark.line(), column: mark.col() + 1, failure, error }.diagnose()
        }
    }
}

/// Explains indentation with blanks that a web page or a word processor left.
fn indented_oddly(lines: &Lines<'_>, line: usize) -> Diagnosis {
    let (at, c) = odd_indentation(lines.get(line)).unwrap_or((0, ' '));
    let count = (1..=lines.count()).filter(|line| odd_indentation(lines.get(*line)).is_some()).count();
    let indented = match count {
        0 | 1 => "this line is".to_owned(),
        2 => "this line and another one are".to_owned(),
        more => format!("this line and {} more are", more - 1),
    };
    Diagnosis {
        place: place(line, at + 1),
        fault: Fault::new(format!("{indented} indented with {}, YAML takes only spaces", named(c)))
            .say("replace each by a space"),
        repair: Repair::Indent,
    }
}

/// The place of an error, with what is needed to understand it.
struct Here<'t> {
    lines: &'t Lines<'t>,
    line: usize,
    column: usize,
    failure: &'t Failure,
    error: &'t ScanError,
}

impl Here<'_> {
    fn diagnose(&self) -> Diagnosis {
        if odd_indentation(self.content(self.line)).is_some() {
            return indented_oddly(self.lines, self.line);
        }
        if let Some(diagnosis) = self.what_is_no_yaml() {
            return diagnosis;
        }
        match self.error.kind() {
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
            ErrorKind::RecursionLimitExceeded => {
                self.stop(Fault::new("nested too deeply: more than 32 levels").say("a FlameCluster has five"))
            }
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

    /// Explains what other programs leave in a file, in this line or as the one above it.
    fn what_is_no_yaml(&self) -> Option<Diagnosis> {
        let above = (1..self.line).rev().find(|line| !is_blank(self.content(*line)));
        let template_above = || {
            let above = above.filter(|above| self.content(*above).trim_start().starts_with('{'))?;
            self.template(above)
        };
        self.left_behind(self.line)
            .or_else(|| self.left_behind(above?))
            .or_else(|| self.template(self.line))
            .or_else(template_above)
            .or_else(|| self.json_comment(self.line))
            .or_else(|| self.json_comment(above?))
    }

    /// Explains `// …` behind a value in brackets.
    fn json_comment(&self, line: usize) -> Option<Diagnosis> {
        self.failure.open_bracket?;
        let content = self.content(line);
        let at = json_comment(content)?;
        Some(Diagnosis {
            place: Place {
                line,
                column: content[..at].chars().count() + 1,
                length: content[at..].trim_end().chars().count(),
            },
            fault: Fault::new("a comment begins with \"#\" in YAML").say("write # instead"),
            repair: Repair::Cut(line, at),
        })
    }

    /// Explains a line that only other programs write.
    fn left_behind(&self, line: usize) -> Option<Diagnosis> {
        let content = self.content(line).trim();
        let next = |start: &str| (line..=self.lines.count()).find(|line| self.content(*line).starts_with(start));
        let begins = |starts: &[&str]| starts.iter().any(|start| content.starts_with(start));
        let mut lines = vec![line..=line];
        let fault = if begins(&["<<<<<<<", "=======", "|||||||", ">>>>>>>"]) {
            // One of both sides is read on.
            let second = next("|||||||").or_else(|| next("=======")).unwrap_or(line);
            lines.push(second..=next(">>>>>>>").unwrap_or(second));
            Fault::new("a merge conflict that nobody resolved")
                .say("keep one side, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>")
        } else if begins(&["```"]) {
            Fault::new("\"```\" belongs to Markdown").say("remove the line")
        } else if begins(&["//", "/*"]) {
            let comment = content.trim_start_matches(['/', '*']).trim_end_matches("*/").trim();
            Fault::new("a comment begins with \"#\" in YAML").say(format!("# {}", shown(comment)))
        } else if matches!(content, "EOF" | "EOT" | "END") {
            Fault::new(format!("{content} ends a here-document of a shell")).say("remove the line")
        } else {
            return None;
        };
        Some(Diagnosis { place: self.whole_line(line), fault, repair: Repair::LeaveOutLines(lines) })
    }

    /// Explains `{{ … }}` and `{% … %}` in a line.
    fn template(&self, line: usize) -> Option<Diagnosis> {
        let content = self.content(line);
        let at = template::start(content).filter(|at| !content[..*at].contains(" #"))?;
        let is_alone = content[..at].trim().is_empty();
        let length = content[at..].trim_end().chars().count();
        Some(Diagnosis {
            place: Place { line, column: content[..at].chars().count() + 1, length },
            fault: template::on_line(&content[at..]),
            repair: if is_alone { Repair::LeaveOutLines(vec![line..=line]) } else { Repair::LeaveOut(line) },
        })
    }

    /// Explains what does not fit together.
    fn structure(&self, kind: &ErrorKind) -> Diagnosis {
        if let Some(open) = self.failure.open_bracket {
            return self.in_brackets(open);
        }
        match kind {
            ErrorKind::MismatchedFlowCollectionEnd { open, close } => self.mismatched(*open, *close),
            ErrorKind::UnclosedFlowCollection { open } => self.unclosed_bracket(*open),
            ErrorKind::MappingValueNotAllowed => self.second_colon(),
            ErrorKind::MisplacedFlowCollectionEnd => {
                let fault = Fault::new(format!("{} closes nothing", named(self.character().unwrap_or('}'))));
                self.leave_out(fault.say("remove it"))
            }
            ErrorKind::ExpectedDocumentStart => self.leave_out(
                Fault::new("the content ended above this, nothing can follow").say("remove this, or what is above it"),
            ),
            ErrorKind::InvalidBlockScalarHeader => self.leave_out(
                Fault::new("behind \"|\" or \">\" the text begins in the next line")
                    .say("write it there, or in quotes here"),
            ),
            ErrorKind::UnsupportedYamlMajorVersion => {
                self.leave_out(Fault::new("this is a version of YAML that nobody reads").say("remove the line"))
            }
            ErrorKind::ExpectedBlockMappingKey if self.content(self.line).trim_start().starts_with("- ") => {
                self.list_item()
            }
            ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => self.leave_out(
                Fault::new("the indentation of this line fits none above").say("indent it like the fields beside it"),
            ),
            ErrorKind::SimpleKeyExpected => self.missing_colon_in(self.line),
            ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::ExpectedBlockSequenceEntry => self.list_item(),
            other => {
                self.leave_out(Fault::new(format!("not YAML: {other}")).say("quote the value, or remove the line"))
            }
        }
    }

    fn content(&self, line: usize) -> &str {
        self.lines.get(line)
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
        let Some(first) = (self.line..=self.lines.count()).take(3).find(is_tabbed) else {
            return self.leave_out(Fault::new("a tab cannot stand here").say("use spaces"));
        };
        let last = (first..=self.lines.count()).take_while(is_tabbed).last().unwrap_or(first);
        let lines = if last > first { format!("lines {first} to {last} are") } else { "this line is".to_owned() };
        let column = self.content(first).chars().position(|c| c == '\t').unwrap_or(0) + 1;
        Diagnosis {
            place: place(first, column),
            fault: Fault::new(format!("{lines} indented with a tab, YAML takes only spaces"))
                .say("replace each tab by two spaces"),
            repair: Repair::LeaveOutLines(vec![first..=last]),
        }
    }

    fn unclosed_quote(&self, line: usize, column: usize) -> Diagnosis {
        let quote = self.content(line).chars().nth(column - 1).unwrap_or('"');
        let fault = Fault::new(format!("the quote {quote} is not closed"));
        let fixed = self.content(line).trim();
        let fault = if fixed.contains('#') || fixed.ends_with(quote) {
            fault.say(format!("write {quote} where the text ends"))
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
        if self.failure.open_bracket.is_some() && self.character() == Some('"') {
            return self.leave_out(Fault::new("a \",\" is missing before this").say("write \", \" before it"));
        }
        let fault = Fault::new(format!("text behind the closing quote {quote}"));
        self.leave_out(match quote {
            '\'' => fault.say("write '' for a single quote inside of single quotes"),
            _ => fault.say("write \\\" for a double quote inside of double quotes"),
        })
    }

    /// Inside `{…}` or `[…]`: a comma is missing, or the bracket is not closed.
    fn in_brackets(&self, open: Place) -> Diagnosis {
        if let ErrorKind::MismatchedFlowCollectionEnd { open, close } = self.error.kind() {
            return self.mismatched(*open, *close);
        }
        if self.character() == Some(',') {
            return self.stop(Fault::new("a \",\" with nothing before it").say("remove it"));
        }
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
        if self.line >= self.lines.count() {
            return self.not_closed(open, Repair::Stop);
        }
        self.in_one_line(open)
    }

    /// In brackets that begin and end in one line, a comma is missing before this.
    fn in_one_line(&self, open: Place) -> Diagnosis {
        let (before, after) = self.split(self.column - 1);
        let is_value = !before.trim_end().ends_with([',', ':', '{', '[']);
        if open.line == self.line && is_value && !after.trim().is_empty() {
            let better = format!("{}, {}", before.trim(), after.trim());
            return self.leave_out(Fault::new("a \",\" is missing before this").say(shown(&better)));
        }
        self.stop(
            Fault::new(format!("not YAML: {}", self.error.kind())).say("write it without brackets, one field a line"),
        )
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
        let fault = Fault::new(format!("the bracket {} is not closed", named(bracket)));
        Diagnosis { place, fault: fault.say(format!("write {} where it ends", closing(bracket))), repair }
    }

    fn list_item(&self) -> Diagnosis {
        self.leave_out(
            Fault::new("a list item cannot stand here").say("remove the \"- \": a FlameCluster has no lists"),
        )
    }

    fn mismatched(&self, open: char, close: char) -> Diagnosis {
        let fault = Fault::new(format!("the bracket {} is closed with {}", named(open), named(close)));
        self.stop(fault.say(format!("write {} where it ends", closing(open))))
    }

    fn unclosed_bracket(&self, open: char) -> Diagnosis {
        let fault = Fault::new(format!("the bracket {} is not closed", named(open)));
        self.stop(fault.say(format!("write {} where it ends", closing(open))))
    }

    /// A `:` where no key can be: behind a value, or behind a value that the line above began.
    fn second_colon(&self) -> Diagnosis {
        let begun = |scalar: &Span| scalar.start.line() < self.line && scalar.end.line() == self.line;
        let Some(scalar) = self.failure.last_scalar.filter(begun) else {
            let fault = Fault::new("a second \":\" in one line");
            let parts = self.content(self.line).split_once(": ");
            if let Some((key, image)) = parts.filter(|(key, _)| key.trim() == "image") {
                let better = format!("{}: {}", key.trim(), image.replace(": ", ":"));
                return self.leave_out(fault.say(shown(&better)));
            }
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
        let odd_colon =
            first_look_alike(content).filter(|(_, c)| look_alike(*c).is_some_and(|it| it.seems == Some(':')));
        let (message, better) = match (content.split_once(':'), odd_colon) {
            (_, Some((at, c))) => {
                let value: String = content.chars().skip(at + 1).collect();
                let key: String = content.chars().take(at).collect();
                (format!("{} only looks like a colon", named(c)), format!("{}: {}", key.trim(), as_it_seems(&value)))
            }
            (Some((key, value)), None) => {
                let blank = value.chars().next().filter(|c| is_odd_blank(*c));
                let message = match blank {
                    Some(c) => format!("{} behind the colon, where YAML wants a space", named(c)),
                    None => "a space is missing behind the colon".to_owned(),
                };
                (message, format!("{key}: {}", as_it_seems(value)))
            }
            (None, None) => {
                let better = match content.split_once('=') {
                    Some((key, value)) if !key.is_empty() => format!("{}: {}", key.trim(), value.trim()),
                    _ => format!("{content}:"),
                };
                ("want KEY: VALUE, the colon is missing".to_owned(), better)
            }
        };
        let fault = Fault::new(message).say(shown(&better));
        Diagnosis { place: self.whole_line(line), fault, repair: Repair::LeaveOut(line) }
    }

    fn bad_start(&self, character: char) -> Diagnosis {
        let (key, value) = self.split(self.column - 1);
        let fault = Fault::new(format!("a value cannot begin with {}", named(character)));
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
