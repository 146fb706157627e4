//! Words for people: ages, counts, ranges, one-line causes. Pure.

use std::time::Duration;

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};

use crate::flame::names::{self, Kind, ObjectRef};
use crate::flame::state::Cause;

pub use crate::flame::state::ranges;

/// What a tab is shown as: its width depends on the terminal, and what is marked has to stay above the mark.
const TAB: &str = "    ";
/// How much further the rest of a line that was broken is indented.
const REST: usize = 4;
/// Stands where a file has something that is no character.
const REPLACEMENT: char = '\u{fffd}';

/// Returns the text without control characters but line breaks and tabs: what a server says must not steer a terminal.
pub fn clean(text: &str) -> String {
    text.chars().filter(|&char| !char.is_control() || char == '\n' || char == '\t').collect()
}

/// Returns the text without control characters, line breaks included: what follows one may be taken for a line of ours.
pub fn line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

/// Returns the text with everything in it visible: what would steer a terminal, join or turn around what is beside it, or
/// is not in ASCII where that is all a terminal can show, is written out as `\u{…}`.
pub fn visible(text: &str, unicode: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' => shown.push_str(TAB),
            ' '..='~' => shown.push(char),
            '…' if !unicode => shown.push_str("..."),
            REPLACEMENT if !unicode => shown.push('?'),
            _ if unicode && !is_hidden(char) => shown.push(char),
            _ => shown.extend(char.escape_unicode()),
        }
    }
    shown
}

/// Returns JSON with the control characters escaped that it may hold as they are, but that steer some terminals.
pub fn escape_controls(json: String) -> String {
    let is_raw = |char: char| matches!(char, '\u{7f}'..='\u{9f}');
    if !json.contains(is_raw) {
        return json;
    }
    json.chars().fold(String::with_capacity(json.len()), |mut escaped, char| {
        match char {
            _ if is_raw(char) => escaped.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => escaped.push(char),
        }
        escaped
    })
}

/// Tells whether a terminal does something else with a character than to show it (Unicode: categories Cc, Cf, Zl, Zp).
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(char, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns the text on one line of at most `length` characters.
pub fn one_line(text: &str, length: usize) -> String {
    let line = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(length) {
        None => line,
        Some(_) => line.chars().take(length.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Returns `text` as one word of a shell's command line.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@%+=,".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Returns the text with its lines broken that are wider than `width`: between two columns where there are some, else between
/// words. What follows is indented further. A word stays whole, and so does a command to paste (`next: …`).
pub fn wrapped(text: &str, width: usize) -> String {
    text.split('\n').map(|line| wrapped_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrapped_line(line: &str, width: usize) -> String {
    let indent = indentation(line);
    if console::measure_text_width(line) <= width || line[indent..].starts_with("next: ") {
        return line.to_owned();
    }
    let rest = " ".repeat(indent + REST);
    let broken = |line: &str, separator| {
        let first = " ".repeat(indentation(line));
        let options = Options::new(width).initial_indent(&first).subsequent_indent(&rest).break_words(false);
        let options = options.word_separator(separator).word_splitter(WordSplitter::NoHyphenation);
        textwrap::wrap(line.trim_start_matches(' '), options).into_iter().map(String::from).collect::<Vec<_>>()
    };
    let columns = broken(line, WordSeparator::Custom(columns));
    columns.iter().flat_map(|line| broken(line, WordSeparator::AsciiSpace)).collect::<Vec<_>>().join("\n")
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Returns what stands in the columns of a line, each with the gap of two blanks or more behind it.
fn columns(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut rest = line;
    Box::new(std::iter::from_fn(move || {
        let end = rest.find("  ").map_or(rest.len(), |gap| gap + indentation(&rest[gap..]));
        let (column, behind) = rest.split_at(end);
        rest = behind;
        (!column.is_empty()).then(|| Word::from(column))
    }))
}

/// Returns the text with the few symbols that flamectl writes itself in ASCII; what others wrote stays as it is.
///
/// Where one gets longer, the next gap between two columns gets as much shorter, so that tables stay tables.
pub fn ascii(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut owed = 0;
    let mut blanks = 0;
    for char in text.chars() {
        if char == ' ' {
            blanks += 1;
            continue;
        }
        let saved = owed.min(blanks_above_a_gap(blanks));
        written.extend(std::iter::repeat_n(' ', blanks - saved));
        (owed, blanks) = (if char == '\n' { 0 } else { owed - saved }, 0);
        let symbol = match char {
            '…' => "...",
            '→' => "->",
            '█' => "#",
            '░' => ".",
            other => {
                written.push(other);
                continue;
            }
        };
        owed += symbol.len() - 1;
        written.push_str(symbol);
    }
    written.extend(std::iter::repeat_n(' ', blanks));
    written
}

/// Returns how many of these blanks a gap between columns can do without: two keep columns apart, one is within a text.
fn blanks_above_a_gap(blanks: usize) -> usize {
    blanks.saturating_sub(2)
}

/// Returns a short pause as `0.5s` or `2s`.
pub fn pause(pause: Duration) -> String {
    match pause.subsec_millis() {
        0 => format!("{}s", pause.as_secs()),
        _ => format!("{:.1}s", pause.as_secs_f64()),
    }
}

/// Returns `1 Pod` or `3 Pods`.
pub fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Returns an age as kubectl prints it (k8s apimachinery `duration.HumanDuration`).
pub fn age(seconds: u64) -> String {
    let (minutes, hours, days, years) = (seconds / 60, seconds / 3600, seconds / 86_400, seconds / 86_400 / 365);
    let two = |first: u64, unit, second: u64, second_unit| match second {
        0 => format!("{first}{unit}"),
        _ => format!("{first}{unit}{second}{second_unit}"),
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if years < 2 => format!("{days}d"),
        () if years < 8 => two(years, "y", days % 365, "d"),
        () => format!("{years}y"),
    }
}

/// Returns a cause on one line, as `7 of 10 executors (3-9): ErrImagePull: …`.
pub fn cause(cause: &Cause) -> String {
    clean(&cause.to_string())
}

/// Returns an executor Pod's name up to its index, and the index.
pub fn executor(object: &ObjectRef) -> Option<(&str, u32)> {
    let (flame, _) = object.name.rsplit_once("-executor-manager-").filter(|_| object.kind == Kind::Pod)?;
    let index = names::executor_index(flame, &object.name)?;
    Some((object.name.trim_end_matches(|char: char| char.is_ascii_digit()), index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::names::Component;

    #[test]
    fn a_word_of_a_shell_is_quoted_where_it_has_to_be() {
        for (text, expected) in [
            ("a/b-1.yaml", "a/b-1.yaml"),
            ("", "''"),
            ("my flame.yaml", "'my flame.yaml'"),
            ("it's;$x", r"'it'\''s;$x'"),
        ] {
            assert_eq!(shell_word(text), expected);
        }
    }

    #[test]
    fn ages_are_written_as_kubectl_does() {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 3600;
        const DAY: u64 = 86_400;
        // The cases of k8s.io/apimachinery/pkg/util/duration, and the edges between.
        for (seconds, expected) in [
            (0, "0s"),
            (5, "5s"),
            (119, "119s"),
            (2 * MINUTE, "2m"),
            (2 * MINUTE + 10, "2m10s"),
            (9 * MINUTE + 59, "9m59s"),
            (10 * MINUTE + 1, "10m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (7 * HOUR + 59 * MINUTE, "7h59m"),
            (8 * HOUR + 59 * MINUTE, "8h"),
            (47 * HOUR + 59 * MINUTE, "47h"),
            (2 * DAY, "2d"),
            (2 * DAY + HOUR, "2d1h"),
            (7 * DAY + 23 * HOUR, "7d23h"),
            (8 * DAY + 23 * HOUR, "8d"),
            (2 * 365 * DAY - 1, "729d"),
            (2 * 365 * DAY, "2y"),
            (2 * 365 * DAY + DAY, "2y1d"),
            (8 * 365 * DAY + DAY, "8y"),
        ] {
            assert_eq!(age(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn our_symbols_have_an_ascii_form_that_keeps_columns() {
        for (text, expected) in [
            ("image a → b", "image a -> b"),
            ("[██░░]  2/4", "[##..]  2/4"),
            ("não, 日本", "não, 日本"),
            (
                "Pods x-0…9 (10)      not there\nPod x-session-manager   é…",
                "Pods x-0...9 (10)    not there\nPod x-session-manager   é...",
            ),
            ("a…   b", "a...  b"),
            ("  a  ", "  a  "),
        ] {
            assert_eq!(ascii(text), expected);
        }
    }

    #[test]
    fn a_line_that_is_too_wide_is_broken_between_columns_or_words_and_indented() {
        for (text, expected) in [
            ("it fits in thirty columns, yes", "it fits in thirty columns, yes"),
            (
                "error: image em:v9 cannot be pulled: not found, or it needs credentials\n  pull access denied",
                "error: image em:v9 cannot be\n    pulled: not found, or it\n    needs credentials\n  pull access denied",
            ),
            ("demo   Running   1/1   All components healthy", "demo   Running   1/1\n    All components healthy"),
            (
                "replace   Pods x   image flame/a:v1 → flame/a:v2   2 executors restart",
                "replace   Pods x\n    image flame/a:v1 →\n    flame/a:v2\n    2 executors restart",
            ),
            ("→→→→→→→→→→   →→→→→→→→→→→→→→→→→", "→→→→→→→→→→   →→→→→→→→→→→→→→→→→"),
            (
                "  \u{1b}[1mhint:\u{1b}[0m ten characters, and ten",
                "  \u{1b}[1mhint:\u{1b}[0m ten characters, and\n      ten",
            ),
            (
                "  next: kubectl describe pod demo-executor-manager-0",
                "  next: kubectl describe pod demo-executor-manager-0",
            ),
            (
                "  see https://example.com/a/long/address/of/something now",
                "  see\n      https://example.com/a/long/address/of/something\n      now",
            ),
            ("\n\n", "\n\n"),
        ] {
            assert_eq!(wrapped(text, 30), expected);
        }
    }

    #[test]
    fn a_cause_is_one_line_that_steers_no_terminal() {
        let held = |indices: &[u32], message: &str| Cause {
            indices: indices.to_vec(),
            of: 40,
            ..Cause::new(Component::ExecutorManager, "Error", message)
        };
        assert_eq!(cause(&held(&[3], "a\n\tb \u{1b}[31mred")), "executor 3: Error: a b [31mred");
        assert_eq!(cause(&held(&[3, 4, 7], "")), "3 of 40 executors (3-4,7): Error");
        let odd: Vec<u32> = (0..20).map(|index| index * 2 + 1).collect();
        assert_eq!(cause(&held(&odd, "")), "20 of 40 executors (1,3,5,7,9,11,…): Error");
        assert_eq!(cause(&held(&[0], &"x".repeat(300))).chars().count(), "executor 0: Error: ".len() + 240);
        assert_eq!(cause(&Cause::new(Component::SessionManager, "Error", "")), "session manager: Error");
    }

    #[test]
    fn only_executor_pods_are_taken_for_executors() {
        let object = |kind, name| ObjectRef::new(kind, name);
        assert_eq!(executor(&object(Kind::Pod, "a-executor-manager-12")), Some(("a-executor-manager-", 12)));
        assert_eq!(executor(&object(Kind::Pod, "a-executor-manager-1-executor-manager-0")).map(|it| it.1), Some(0));
        assert_eq!(executor(&object(Kind::Pod, "a-executor-manager-01")), None);
        assert_eq!(executor(&object(Kind::Pod, "a-session-manager")), None);
        assert_eq!(executor(&object(Kind::Service, "a-executor-manager-1")), None);
    }
}
