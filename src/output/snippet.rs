//! Problems of an input file for a person at a terminal: what is wrong, the line with a mark under the text, the cure.
//!
//! (problems, content, look) → text. Pure. Nothing in the file steers the terminal, and no line of it makes a picture wider
//! than the terminal or takes longer than others to show.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::{Ansi256Color, AnsiColor, Renderer};
use annotate_snippets::{AnnotationKind, Group, Level, Snippet};

use super::{CYAN, Color, YELLOW, text};
use crate::error::{Content, Problem, Severity};

/// Widths that a picture is made for: with less it shows nothing, with more nobody finds the mark.
const WIDTHS: (usize, usize) = (40, 200);
/// How many characters before and behind the mark are looked at: more than the widest terminal shows.
const CONTEXT: usize = 512;
/// What the renderer keeps free around a mark for `...`.
const MARGIN: usize = 12;
/// What the reader leaves out at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// How far down a line is looked for that tells how deep the lines of a section are indented.
const MAX_LINES_BELOW: usize = 20;
/// Deepest indentation that a line to paste gets.
const MAX_INDENTATION: usize = 32;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Use colour.
    pub color: bool,
    /// Show all characters, not only ASCII.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// Returns the problems of one file as pictures with an empty line between. They are cheapest in the order of the file.
pub(super) fn snippets(problems: &[&Problem], content: &Content, look: Look) -> String {
    let look = Look { width: look.width.clamp(WIDTHS.0, WIDTHS.1), ..look };
    let bytes = content.bytes();
    let mut cursor = Cursor::new(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes));
    let mut shown = String::new();
    for problem in problems {
        if !shown.is_empty() {
            shown.push('\n');
        }
        let mark = cursor.seek(problem.line, problem.column);
        shown.push_str(&look.header(problem));
        if let Some(picture) = mark.as_ref().and_then(|mark| look.picture(problem, mark)) {
            shown.push_str(&picture);
        }
        if let Some(hint) = &problem.hint {
            shown.push_str(&look.hint(problem, hint, mark.as_ref()));
        }
    }
    shown
}

impl Look {
    /// Returns `error: path: message`, and below it the place in the form that terminals make into a link.
    fn header(self, problem: &Problem) -> String {
        let label = match problem.severity {
            Severity::Error => self.paint(Color::Red, "error:"),
            Severity::Warning => self.paint(Color::Yellow, "warning:"),
        };
        let path = if problem.path.is_empty() { String::new() } else { format!("{}: ", problem.path) };
        let what = self.visible(&format!("{path}{}", problem.message));
        let place = self.visible(&format!("{}:{}:{}", problem.file, problem.line, problem.column));
        let arrow = self.paint(Color::Cyan, "-->");
        format!("{label} {what}\n{:indentation$}{arrow} {place}\n", "", indentation = digits(problem.line))
    }

    /// Returns the line with its mark; None where there is nothing to see.
    fn picture(self, problem: &Problem, mark: &Mark<'_>) -> Option<String> {
        // `12 | `
        let columns = self.width - digits(problem.line) - 3;
        let excerpt = self.excerpt(mark, problem.length, columns - MARGIN)?;
        let renderer = match self.color {
            true => Renderer::styled()
                .error(AnsiColor::Red.on_default().bold())
                .warning(Ansi256Color(YELLOW).on_default().bold())
                .line_num(Ansi256Color(CYAN).on_default().bold()),
            false => Renderer::plain(),
        };
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let snippet = Snippet::source(excerpt.text)
            .line_start(problem.line)
            .annotation(AnnotationKind::Primary.span(excerpt.mark));
        let picture = renderer.term_width(self.width).render(&[Group::with_level(level).element(snippet)]);
        Some(picture.lines().map(|line| format!("{}\n", line.trim_end())).collect())
    }

    /// Returns the part of the line around the mark, which is cut at `columns`; None where the line is blank.
    fn excerpt(self, mark: &Mark<'_>, length: usize, columns: usize) -> Option<Excerpt> {
        let before = tail(mark.before(), CONTEXT);
        let mut width = 0;
        let fits = |char: &char| {
            width += console::measure_text_width(&self.visible(char.encode_utf8(&mut [0; 4])));
            width <= columns
        };
        let marked: String = mark.rest().chars().take(length).take_while(fits).collect();
        let behind: String = mark.rest().chars().skip(marked.chars().count()).take(CONTEXT).collect();
        let [before, marked, behind] = [before, &marked, &behind].map(|part| self.visible(part));
        let is_blank = [&before, &marked, &behind].iter().all(|part| part.trim().is_empty());
        (!is_blank).then(|| Excerpt {
            mark: before.len()..before.len() + marked.len(),
            text: format!("{before}{marked}{behind}"),
        })
    }

    /// Returns the cure: words behind a label, YAML on a line of its own that can be copied as it is.
    fn hint(self, problem: &Problem, hint: &str, mark: Option<&Mark<'_>>) -> String {
        let label = self.paint(Color::Cyan, "hint:");
        let shown = self.visible(hint);
        match mark.and_then(|mark| indentation(&problem.path, hint, mark)) {
            Some(indentation) => format!("{label} write\n{:indentation$}{shown}\n", ""),
            None => format!("{label} {shown}\n"),
        }
    }

    fn visible(self, text: &str) -> String {
        text::visible(text, self.unicode)
    }

    fn paint(self, color: Color, text: &str) -> String {
        if self.color { color.paint(text) } else { text.to_owned() }
    }
}

/// A part of a line, ready to be shown.
struct Excerpt {
    text: String,
    /// The bytes of `text` that are marked.
    mark: Range<usize>,
}

/// Returns how deep to indent a hint that is a line of the file, to replace the marked one or to follow it; None where it is
/// words, or YAML inside of a line.
fn indentation(path: &str, hint: &str, mark: &Mark<'_>) -> Option<usize> {
    let (key, value) = hint.split_once(':')?;
    let (parent, name) = split(path);
    let (_, parent) = split(parent);
    let content = mark.line.trim_start_matches(' ');
    let own = spaces(mark.line.as_bytes());
    let value_of = |key: &str| content.strip_prefix(key).filter(|_| !key.is_empty())?.strip_prefix(':');
    let has_key = |key: &str| value_of(key).is_some();
    let has_block =
        |key: &str| value_of(key).is_some_and(|value| matches!(value.trim_start().chars().next(), None | Some('#')));
    // A mark at the beginning of a line is at a key: a wrong one, or that of the part where a field is missing.
    let is_key_marked = mark.before().trim_start().is_empty();
    let is_missing = is_key_marked && key == name;
    let is_wrong_key = is_key_marked && has_key(name) && value.is_empty();
    let indentation = match () {
        () if has_key(key) || is_wrong_key || (is_missing && parent.is_empty()) => own,
        () if is_missing && has_block(parent) => {
            mark.indentation_below().filter(|below| *below > own).unwrap_or(own + 2)
        }
        () => return None,
    };
    Some(indentation.min(MAX_INDENTATION))
}

/// Splits the last name off a path: `a.b`, or `a["b/c.d"]`.
fn split(path: &str) -> (&str, &str) {
    match path.strip_suffix("\"]").and_then(|path| path.rsplit_once("[\"")) {
        Some(parts) => parts,
        None => path.rsplit_once('.').unwrap_or(("", path)),
    }
}

fn spaces(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

/// Returns the last `characters` of `text`.
fn tail(text: &str, characters: usize) -> &str {
    let start = text.char_indices().rev().take(characters).last();
    &text[start.map_or(text.len(), |(at, _)| at)..]
}

fn digits(line: usize) -> usize {
    line.to_string().len()
}

/// A place in a line.
struct Mark<'l> {
    line: &'l str,
    /// Where it is, in bytes.
    at: usize,
    /// The file from the beginning of the line on.
    from_line: &'l [u8],
}

impl<'l> Mark<'l> {
    fn before(&self) -> &'l str {
        &self.line[..self.at]
    }

    fn rest(&self) -> &'l str {
        &self.line[self.at..]
    }

    /// Returns the indentation of the next line that has something to say.
    fn indentation_below(&self) -> Option<usize> {
        let below = self.from_line.split(is_line_end).skip(1).take(MAX_LINES_BELOW);
        let mut indentations = below.map(|line| (spaces(line), line.trim_ascii_start().first()));
        indentations.find(|(_, first)| !matches!(first, None | Some(b'#'))).map(|(spaces, _)| spaces)
    }
}

/// Finds lines and columns, in one walk through the file where they are asked for in its order.
struct Cursor<'b> {
    bytes: &'b [u8],
    /// From the beginning of the line on.
    rest: &'b [u8],
    /// The line, from 1.
    line: usize,
    /// The text of the line, as the reader sees it: one character for each piece that is none.
    text: Cow<'b, str>,
    /// The column, from 1, and where it is in the text, in bytes.
    column: usize,
    at: usize,
}

impl<'b> Cursor<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, rest: bytes, line: 1, text: text_of_line(bytes), column: 1, at: 0 }
    }

    /// Returns the place at a line and a column, the end of the line where it is shorter; None behind the last line.
    fn seek(&mut self, line: usize, column: usize) -> Option<Mark<'_>> {
        if (line, column) < (self.line, self.column) {
            *self = Self::new(self.bytes);
        }
        if line > self.line {
            let mut rest = self.rest;
            for _ in self.line..line {
                let end = rest.iter().position(is_line_end)?;
                rest = &rest[end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 }..];
            }
            *self = Self { rest, line, text: text_of_line(rest), column: 1, at: 0, ..*self };
        }
        for char in self.text[self.at..].chars().take(column - self.column) {
            self.at += char.len_utf8();
            self.column += 1;
        }
        Some(Mark { line: &self.text, at: self.at, from_line: self.rest })
    }
}

fn text_of_line(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.split(is_line_end).next().unwrap_or_default())
}

/// As YAML has it: a lone carriage return ends a line too.
fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;
    use crate::flame::parse::{parse, tests::catalogue};

    const LOOK: Look = Look { color: false, unicode: true, width: 80 };
    const ASCII: Look = Look { unicode: false, ..LOOK };

    fn problem(line: usize, column: usize, length: usize) -> Problem {
        Problem {
            file: "demo.yaml".to_owned(),
            line,
            column,
            length,
            path: String::new(),
            severity: Severity::Error,
            message: "wrong".to_owned(),
            hint: None,
            count: 1,
        }
    }

    fn shown(bytes: impl AsRef<[u8]>, problems: &[Problem], look: Look) -> String {
        snippets(&problems.iter().collect::<Vec<_>>(), &bytes.as_ref().to_vec().into(), look)
    }

    /// Checks the line with the source and the one with the mark, without the gutter.
    #[track_caller]
    fn check(bytes: impl AsRef<[u8]>, place: (usize, usize, usize), look: Look, source: &str, mark: &str) {
        let text = shown(bytes, &[problem(place.0, place.1, place.2)], look);
        let lines: Vec<&str> = text.lines().skip(3).collect();
        let gutter = digits(place.0) + 3;
        let after = |line: &str| line.chars().skip(gutter).collect::<String>();
        assert_eq!(lines.iter().map(|line| after(line)).collect::<Vec<_>>(), [source, mark], "{text}");
    }

    const FILE: &str = "\
kind: FlameCluster
spec:
  sessionManager:
    slot: cpu=1
  executorManger:
    replicas: -1
";

    fn problems() -> Vec<Problem> {
        let hinted = |problem: Problem, path: &str, message: &str, hint: &str| Problem {
            path: path.to_owned(),
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
            ..problem
        };
        vec![
            hinted(problem(4, 11, 5), "spec.sessionManager.slot", "without mem", "slot: \"cpu=1,mem=1g\""),
            Problem { severity: Severity::Warning, ..problem(6, 15, 2) },
            hinted(problem(6, 15, 2), "spec.executorManger.replicas", "want an integer", "remove the key"),
        ]
    }

    #[test]
    fn a_problem_is_told_then_placed_shown_and_cured() {
        let expected = "\
error: spec.sessionManager.slot: without mem
 --> demo.yaml:4:11
  |
4 |     slot: cpu=1
  |           ^^^^^
hint: write
    slot: \"cpu=1,mem=1g\"

warning: wrong
 --> demo.yaml:6:15
  |
6 |     replicas: -1
  |               ^^

error: spec.executorManger.replicas: want an integer
 --> demo.yaml:6:15
  |
6 |     replicas: -1
  |               ^^
hint: remove the key
";
        assert_eq!(shown(FILE, &problems(), LOOK), expected);
        assert_eq!(shown(FILE, &problems(), ASCII), expected, "ASCII is a part of Unicode");
    }

    #[test]
    fn colour_marks_the_same_text() {
        let look = Look { color: true, ..LOOK };
        let colored = shown(FILE, &problems(), look);
        assert_eq!(console::strip_ansi_codes(&colored), shown(FILE, &problems(), LOOK));
        let first: Vec<&str> = colored.lines().take(7).collect();
        assert_eq!(
            first,
            [
                "\u{1b}[1;31merror:\u{1b}[0m spec.sessionManager.slot: without mem",
                " \u{1b}[1;38;5;30m-->\u{1b}[0m demo.yaml:4:11",
                "  \u{1b}[1m\u{1b}[38;5;30m|\u{1b}[0m",
                "\u{1b}[1m\u{1b}[38;5;30m4\u{1b}[0m \u{1b}[1m\u{1b}[38;5;30m|\u{1b}[0m     slot: cpu=1",
                "  \u{1b}[1m\u{1b}[38;5;30m|\u{1b}[0m           \u{1b}[1m\u{1b}[31m^^^^^\u{1b}[0m",
                "\u{1b}[1;38;5;30mhint:\u{1b}[0m write",
                "    slot: \"cpu=1,mem=1g\"",
            ]
        );
        assert!(colored.contains("\u{1b}[1;38;5;130mwarning:\u{1b}[0m wrong"), "{colored}");
        assert!(colored.contains("\u{1b}[1m\u{1b}[38;5;130m^^\u{1b}[0m"), "{colored}");
    }

    #[test]
    fn a_hint_that_is_a_line_of_the_file_can_be_pasted_as_one() {
        for (line, column, path, hint, expected) in [
            // In the place of the marked line.
            ("    slot: x", 11, "spec.sessionManager.slot", "slot: \"cpu=1\"", "hint: write\n    slot: \"cpu=1\""),
            ("    a/b.c: 5", 12, "metadata.labels[\"a/b.c\"]", "a/b.c: \"5\"", "hint: write\n    a/b.c: \"5\""),
            ("  name:demo", 3, "", "name: demo", "hint: write\n  name: demo"),
            ("  executorManger:", 3, "spec.executorManger", "executorManager:", "hint: write\n  executorManager:"),
            // Below it.
            ("  sessionManager:", 3, "spec.sessionManager.image", "image: a", "hint: write\n    image: a"),
            ("metadata: {}", 1, "kind", "kind: FlameCluster", "hint: write\nkind: FlameCluster"),
            (
                "spec:\r\n\r\n    # why\r\n    x: 1",
                1,
                "spec.sessionManager",
                "sessionManager:",
                "hint: write\n    sessionManager:",
            ),
            ("spec:\nx: 1", 1, "spec.sessionManager", "sessionManager:", "hint: write\n  sessionManager:"),
            // Not a line of its own.
            ("  sessionManager: {}", 3, "spec.sessionManager.image", "image: a", "hint: image: a"),
            ("  limits: {cpu: x}", 17, "spec.limits.cpu", "cpu: \"1\"", "hint: cpu: \"1\""),
            ("  \"replicas\": -1,", 15, "spec.replicas", "replicas: 5", "hint: replicas: 5"),
            ("  replicas: -1", 13, "spec.replicas", "remove the key", "hint: remove the key"),
            ("  x: 1", 3, "limits.x", "known: cpu, memory", "hint: known: cpu, memory"),
        ] {
            let hinted = Problem { path: path.to_owned(), hint: Some(hint.to_owned()), ..problem(1, column, 1) };
            let text = shown(line, &[hinted], LOOK);
            let (_, told) = text.split_once("^\n").unwrap();
            assert_eq!(told, format!("{expected}\n"), "{line}");
        }
    }

    #[test]
    fn nothing_in_a_file_steers_the_terminal() {
        let stands = |bytes: &[u8], source: &str, mark: &str, look| check(bytes, (1, 4, 1), look, source, mark);
        stands(b"a: \x1b]0;t\x07", "a: \\u{1b}]0;t\\u{7}", "   ^^^^^^", LOOK);
        stands("a: \u{9b}31m".as_bytes(), "a: \\u{9b}31m", "   ^^^^^^", LOOK);
        stands("a: \u{202e}cba".as_bytes(), "a: \\u{202e}cba", "   ^^^^^^^^", LOOK);
        stands("a: \u{200b}b".as_bytes(), "a: \\u{200b}b", "   ^^^^^^^^", LOOK);
        stands(b"a: \xff\xfeb", "a: \u{fffd}\u{fffd}b", "   ^", LOOK);
        stands(b"a: \xff\xfeb", "a: ??b", "   ^", ASCII);
        let file = Problem { file: "a\u{1b}[2J\n::b".to_owned(), ..problem(1, 1, 1) };
        assert_eq!(shown("", &[file], LOOK), "error: wrong\n --> a\\u{1b}[2J\\u{a}::b:1:1\n");
    }

    #[test]
    fn the_mark_stands_under_the_text() {
        // A tab is four columns, wherever it stands.
        check("\tx:\tyz", (1, 5, 2), LOOK, "    x:    yz", "          ^^");
        check("\tx: y", (1, 1, 1), LOOK, "    x: y", "^^^^");
        check("漢: 字字 b", (1, 4, 2), LOOK, "漢: 字字 b", "    ^^^^");
        check("漢: 字 b", (1, 4, 1), ASCII, "\\u{6f22}: \\u{5b57} b", "          ^^^^^^^^");
        check("🔥: x # 🔥", (1, 4, 1), LOOK, "🔥: x # 🔥", "    ^");
        check("e\u{301}: x", (1, 5, 1), LOOK, "e\u{301}: x", "   ^");
        // Where something is missing.
        check("a: 1", (1, 5, 1), LOOK, "a: 1", "    ^");
        check("a: 1\nb: 2\n", (1, 5, 9), LOOK, "a: 1", "    ^");
    }

    #[test]
    fn lines_are_counted_as_in_yaml() {
        check("a: 1\r\nb: 2\r\n", (2, 4, 1), LOOK, "b: 2", "   ^");
        check("a: 1\rb: 2\r\r\nc: 3", (4, 4, 1), LOOK, "c: 3", "   ^");
        check("\u{feff}a: 1\nb: 2", (1, 4, 1), LOOK, "a: 1", "   ^");
        check("\u{feff}a: 1\nb: 2", (2, 1, 1), LOOK, "b: 2", "^");
    }

    #[test]
    fn a_place_without_text_is_told_without_a_picture() {
        let told = |line| format!("error: wrong\n --> demo.yaml:{line}:1\n");
        for (content, line) in [("", 1), ("\n  \n", 2), ("a: 1", 2), ("a: 1\n", 7)] {
            assert_eq!(shown(content, &[problem(line, 1, 1)], LOOK), told(line), "{content:?}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let xs = |count: usize| "x".repeat(count);
        let line = format!("{}MARK{}", xs(1 << 19), xs(1 << 19));
        check(
            &line,
            (1, (1 << 19) + 1, 4),
            LOOK,
            &format!("...{}MARK{}...", xs(33), xs(33)),
            &format!("{}^^^^", " ".repeat(36)),
        );
        check(&line, (1, 1, 1), LOOK, &format!("{}...", xs(73)), "^");
        check(&line, (1, line.len() + 1, 1), LOOK, &format!("...{}", xs(34)), &format!("{}^", " ".repeat(37)));
        check(&line, (1, 1, line.len()), LOOK, &format!("{}...", xs(73)), &"^".repeat(64));
        let wide = "漢".repeat(1 << 18);
        check(
            &wide,
            (1, 1 << 17, 1 << 17),
            LOOK,
            &format!("... {}...", "漢".repeat(34)),
            &format!("      {}", "^".repeat(64)),
        );
    }

    #[test]
    fn the_order_of_problems_changes_no_picture() {
        let (first, second) = (problem(2, 1, 4), problem(6, 15, 2));
        let alone = |problem: &Problem| shown(FILE, slice::from_ref(problem), LOOK);
        let backwards = shown(FILE, &[second.clone(), first.clone(), second.clone()], LOOK);
        assert_eq!(backwards, [alone(&second), alone(&first), alone(&second)].join("\n"));
    }

    #[test]
    fn every_problem_of_the_catalogue_has_a_picture_that_fits() {
        for (file, _) in catalogue() {
            for problem in parse("f.yaml", file.as_bytes()).problems {
                let text = shown(&file, slice::from_ref(&problem), ASCII);
                assert!(text.chars().all(|char| char == '\n' || matches!(char, ' '..='~')), "{text}");
                let picture: Vec<&str> =
                    text.lines().skip(2).take_while(|line| !line.starts_with("hint:") && line.contains('|')).collect();
                assert!(picture.iter().all(|line| line.len() <= 80), "{text}");
                let marked = file.lines().nth(problem.line - 1).unwrap_or_default();
                assert_eq!(picture.len(), if marked.trim().is_empty() { 0 } else { 3 }, "{text}of {file}");
            }
        }
    }
}
