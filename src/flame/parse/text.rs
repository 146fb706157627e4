//! Bytes → text: the encoding, and the characters that no text file holds.

use std::borrow::Cow;

use super::characters::code_point;
use super::grammar::Fault;
use super::report::{Place, Report};
use super::{MAX_FILE_BYTES, foreign};

/// Stands where the file has something that is no character; one for one, so that all columns stay right.
pub(super) const REPLACEMENT: char = '\u{FFFD}';
/// From here on the file is taken for binary data, and telling each byte helps nobody.
const MAX_BAD_CHARACTERS: usize = 20;

/// The text of a file.
pub(super) struct Source<'b> {
    /// The text, without byte order mark.
    pub text: Cow<'b, str>,
    /// Whether some [`REPLACEMENT`] in it was told already.
    pub damaged: bool,
}

/// Returns the text in `bytes`; None when it is not worth reading on.
pub(super) fn decode<'b>(bytes: &'b [u8], report: &mut Report) -> Option<Source<'b>> {
    if bytes.len() > MAX_FILE_BYTES {
        let fault = Fault::new(format!("{} bytes, at most {MAX_FILE_BYTES}", bytes.len()));
        report.add(Place::START, "", fault.say("name a file that holds one FlameCluster"));
        return None;
    }
    if looks_like_utf16(bytes) {
        let fault = Fault::new("looks like UTF-16, want UTF-8");
        let name = report.file_in_words().to_owned();
        report.add(Place::START, "", fault.say(format!("iconv -f UTF-16 -t UTF-8 {name}")));
        return None;
    }
    let content = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let mark_length = bytes.len() - content.len();
    let mut bad = Vec::new();
    let text = replace_unprintable(replace_non_utf8(content, mark_length, &mut bad), &mut bad);
    let text = replace_lone_carriage_returns(text);
    let damaged = !bad.is_empty();
    bad.sort_by_key(|(place, _)| (place.line, place.column));
    if bad.len() > MAX_BAD_CHARACTERS {
        report.add(Place::START, "", Fault::new("not a text file").say("name a YAML or JSON file"));
        return None;
    }
    if let Some((what, cure)) = foreign::text(&text) {
        let message = format!("no FlameCluster in {}: it looks like {what}", report.file_in_words());
        report.add(Place::START, "", Fault::new(message).say(cure));
        return None;
    }
    for (place, fault) in bad {
        report.add(place, "", fault);
    }
    Some(Source { text, damaged })
}

/// YAML begins with ASCII, so that every other byte of it is zero in UTF-16.
fn looks_like_utf16(bytes: &[u8]) -> bool {
    let zeros = |first: usize| bytes.iter().skip(first).step_by(2).take(8).filter(|byte| **byte == 0).count();
    bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || (bytes.len() >= 8 && (zeros(0) >= 4) != (zeros(1) >= 4))
}

/// Replaces what is not UTF-8; `offset` is that of `bytes` in the file.
fn replace_non_utf8<'b>(bytes: &'b [u8], mut offset: usize, bad: &mut Vec<(Place, Fault)>) -> Cow<'b, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    let mut cursor = Cursor::default();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        offset += chunk.valid().len();
        if let Some(byte) = chunk.invalid().first() {
            if bad.len() <= MAX_BAD_CHARACTERS {
                cursor.walk(chunk.valid());
                let fault = Fault::new(format!("byte {byte:#04x} at offset {offset} is not UTF-8"));
                bad.push((cursor.place(), fault.say("save the file as UTF-8")));
                cursor.walk("\u{FFFD}");
            }
            text.push(REPLACEMENT);
            offset += chunk.invalid().len();
        }
    }
    Cow::Owned(text)
}

fn replace_unprintable<'b>(text: Cow<'b, str>, bad: &mut Vec<(Place, Fault)>) -> Cow<'b, str> {
    if text.chars().all(is_printable) {
        return text;
    }
    let mut cursor = Cursor::default();
    let mut rest: &str = &text;
    while let Some(at) = rest.find(|c| !is_printable(c)).filter(|_| bad.len() <= MAX_BAD_CHARACTERS) {
        let (before, from) = rest.split_at(at);
        cursor.walk(before);
        let c = from.chars().next().unwrap_or(REPLACEMENT);
        let fault = Fault::new(format!("control character {}", code_point(c)));
        bad.push((cursor.place(), fault.say("remove it")));
        rest = &from[c.len_utf8()..];
        cursor.walk("\u{FFFD}");
    }
    Cow::Owned(text.chars().map(|c| if is_printable(c) { c } else { REPLACEMENT }).collect())
}

/// Makes line feeds of carriage returns that end a line alone, as YAML does; the parser does not always count them.
fn replace_lone_carriage_returns(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\r') {
        return text;
    }
    let mut replaced = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let is_alone = c == '\r' && characters.peek() != Some(&'\n');
        replaced.push(if is_alone { '\n' } else { c });
    }
    Cow::Owned(replaced)
}

/// Returns whether YAML allows `c` in a file (YAML 1.2: `c-printable`).
fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Counts lines and columns as editors do.
struct Cursor {
    line: usize,
    column: usize,
    after_carriage_return: bool,
}

impl Default for Cursor {
    fn default() -> Self {
        Self { line: 1, column: 1, after_carriage_return: false }
    }
}

impl Cursor {
    fn walk(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                // The second half of CRLF ends no line of its own.
                '\n' if self.after_carriage_return => {}
                '\n' | '\r' => (self.line, self.column) = (self.line + 1, 1),
                _ => self.column += 1,
            }
            self.after_carriage_return = c == '\r';
        }
    }

    fn place(&self) -> Place {
        Place { line: self.line, column: self.column, length: 1 }
    }
}
