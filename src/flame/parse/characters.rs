//! Characters that readers take for others or do not see: what a web page, a word processor or an input method puts
//! where YAML wants ASCII.

use super::report::shown;

/// A character that is not what it seems.
pub(super) struct LookAlike {
    /// What it is called.
    pub name: &'static str,
    /// What it seems to be; None when nobody sees it.
    pub seems: Option<char>,
}

/// Full-width forms are ASCII, moved by this much (Unicode: "Halfwidth and Fullwidth Forms").
const FULL_WIDTH_OFFSET: u32 = 0xFEE0;

/// Returns what `c` seems to be, unless it is only itself.
pub(super) fn look_alike(c: char) -> Option<LookAlike> {
    let (name, seems) = match c {
        // Nearly all there is; a large file asks for each character.
        _ if c.is_ascii() => return None,
        '\u{A0}' => ("no-break space", Some(' ')),
        '\u{3000}' => ("ideographic space", Some(' ')),
        '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' => ("typographic space", Some(' ')),
        '\u{AD}' => ("soft hyphen", None),
        '\u{200B}' => ("zero-width space", None),
        '\u{200C}' | '\u{200D}' | '\u{2060}' => ("zero-width joiner", None),
        '\u{FEFF}' => ("byte order mark", None),
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            ("direction mark", None)
        }
        '“' | '”' | '„' | '‟' | '«' | '»' => ("typographic quote", Some('"')),
        '‘' | '’' | '‚' | '‛' => ("typographic quote", Some('\'')),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => ("typographic dash", Some('-')),
        '、' => ("ideographic comma", Some(',')),
        '\u{FF01}'..='\u{FF5E}' => ("full-width form", char::from_u32(u32::from(c) - FULL_WIDTH_OFFSET)),
        _ => return None,
    };
    Some(LookAlike { name, seems })
}

/// Returns whether `c` is a blank to readers, and none to YAML.
pub(super) fn is_odd_blank(c: char) -> bool {
    look_alike(c).is_some_and(|it| it.seems == Some(' '))
}

/// Returns whether `c` cannot be seen on a screen, or changes what is seen around it.
pub(super) fn is_hidden(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}') || is_odd_blank(c) || look_alike(c).is_some_and(|it| it.seems.is_none())
}

/// Returns the first character of `text` that is not what it seems, and where it stands.
pub(super) fn first_look_alike(text: &str) -> Option<(usize, char)> {
    text.chars().enumerate().find(|(_, c)| look_alike(*c).is_some())
}

/// Returns what `text` seems to be, in ASCII where it seems so, without blanks and typographic quotes around it.
pub(super) fn as_it_seems(text: &str) -> String {
    let seems = |c: char| match look_alike(c) {
        Some(it) => it.seems,
        None => Some(c),
    };
    let plain: String = text.chars().filter_map(seems).collect();
    let plain = plain.trim();
    let was_quoted = text.trim_start_matches(is_hidden).starts_with(|c| look_alike(c).is_some());
    let quotes = |quote: char| plain.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    quotes('"').or_else(|| quotes('\'')).filter(|_| was_quoted).unwrap_or(plain).to_owned()
}

/// Returns `c` as a message names it: itself where it can be seen, its number where it is not ASCII, and its name.
pub(super) fn named(c: char) -> String {
    with_details(c, None)
}

/// Returns `c`, the character of that `index` in a text, as a message names it.
pub(super) fn named_at(c: char, index: usize) -> String {
    with_details(c, Some(format!("character {}", index + 1)))
}

fn with_details(c: char, more: Option<String>) -> String {
    let is_hidden = is_hidden(c);
    let shown = if is_hidden { code_point(c) } else { format!("\"{}\"", shown(&c.to_string())) };
    let number = (!is_hidden && !c.is_ascii()).then(|| code_point(c));
    let name = look_alike(c).map(|it| it.name.to_owned());
    let details: Vec<String> = [number, name, more].into_iter().flatten().collect();
    if details.is_empty() { shown } else { format!("{shown} ({})", details.join(", ")) }
}

/// Returns `c` as `U+0007`.
pub(super) fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}
