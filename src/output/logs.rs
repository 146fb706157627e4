//! Log lines: which Pod wrote them, and what of them may go to a terminal.
//!
//! They are the user's own data: nothing is taken out of them, and a pipe gets every byte.

use crate::flame::logs::LogLine;

/// Colours that tell Pods apart, as far as six can: of the 256 those that stand out from black as much as from white, and
/// no red, which is for what is wrong.
const COLORS: [u8; 6] = [30, 64, 130, 133, 63, 162];

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogLayout {
    /// Whether the Pod stands before each line.
    pub prefix: bool,
    /// Whether the time stands before each line.
    pub timestamps: bool,
    /// Whether a terminal shows them.
    pub terminal: bool,
    /// Whether colours may be used.
    pub color: bool,
}

impl LogLayout {
    /// Writes a line of the Pod that `label` stands for.
    pub fn write(&self, label: &str, line: &LogLine, out: &mut Vec<u8>) {
        if self.prefix {
            out.extend_from_slice(self.prefix_of(label).as_bytes());
        }
        if self.timestamps && !line.stamp.is_empty() {
            out.extend_from_slice(&line.stamp);
            out.push(b' ');
        }
        match self.terminal {
            true => out.extend_from_slice(for_terminal(&line.text, self.color).as_bytes()),
            false => out.extend_from_slice(&line.text),
        }
        // A line that its container did not end is ended where another Pod's may follow.
        if line.is_ended || self.prefix {
            out.push(b'\n');
        }
    }

    fn prefix_of(&self, label: &str) -> String {
        if !self.color {
            return format!("[{label}] ");
        }
        let index = label.rsplit('-').next().and_then(|digits| digits.parse::<usize>().ok());
        let color = COLORS[index.map_or(0, |index| index + 1) % COLORS.len()];
        format!("\u{1b}[38;5;{color}m[{label}]\u{1b}[0m ")
    }
}

/// Returns a line without what steers a terminal; colours stay where they may be used, and end with the line.
fn for_terminal(text: &[u8], color: bool) -> String {
    let text = String::from_utf8_lossy(text);
    let mut parts = text.split("\u{1b}[");
    let plain = |text: &str| text.chars().filter(|char| !char.is_control() || *char == '\t').collect::<String>();
    let mut shown = plain(parts.next().unwrap_or_default());
    let mut is_colored = false;
    for part in parts {
        let end = part.find(|char: char| !char.is_ascii_digit() && char != ';').unwrap_or(part.len());
        match part[end..].strip_prefix('m') {
            Some(rest) => {
                if color {
                    shown.push_str(&format!("\u{1b}[{}m", &part[..end]));
                    is_colored = true;
                }
                shown.push_str(&plain(rest));
            }
            None => shown.push_str(&plain(part)),
        }
    }
    if is_colored {
        shown.push_str("\u{1b}[0m");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &[u8], is_ended: bool) -> LogLine {
        LogLine { stamp: b"2026-01-02T03:04:05.5Z".to_vec(), text: text.to_vec(), is_ended }
    }

    #[track_caller]
    fn check(layout: LogLayout, lines: &[(&str, LogLine)], expected: &[u8]) {
        let mut out = Vec::new();
        lines.iter().for_each(|(label, line)| layout.write(label, line, &mut out));
        assert_eq!(out, expected, "{}", String::from_utf8_lossy(&out));
    }

    #[test]
    fn a_pipe_gets_what_the_container_wrote_to_the_byte() {
        let lines = [("executor-manager-3", line(b"\x00\xff\x1b[31mred\r", true)), ("x", line(b"no end", false))];
        check(LogLayout::default(), &lines, b"\x00\xff\x1b[31mred\r\nno end");
    }

    #[test]
    fn lines_of_several_pods_say_whose_they_are_and_never_run_together() {
        let lines = [("executor-manager-3", line(b"no end", false)), ("session-manager", line(b"", true))];
        let layout = LogLayout { prefix: true, ..Default::default() };
        check(layout, &lines, b"[executor-manager-3] no end\n[session-manager] \n");
        let layout = LogLayout { timestamps: true, ..layout };
        let expected =
            b"[executor-manager-3] 2026-01-02T03:04:05.5Z no end\n[session-manager] 2026-01-02T03:04:05.5Z \n";
        check(layout, &lines, expected);
    }

    #[test]
    fn what_a_container_writes_steers_no_terminal() {
        let lines = [("executor-manager-0", line(b"\x1b]0;title\x07a\tb\x1b[2J\x1b[1;31mred\xff\x00", true))];
        let terminal = LogLayout { prefix: true, terminal: true, ..Default::default() };
        check(terminal, &lines, "[executor-manager-0] ]0;titlea\tb2Jred\u{fffd}\n".as_bytes());
        let colored = LogLayout { color: true, ..terminal };
        let expected = "\u{1b}[38;5;64m[executor-manager-0]\u{1b}[0m ]0;titlea\tb2J\u{1b}[1;31mred\u{fffd}\u{1b}[0m\n";
        check(colored, &lines, expected.as_bytes());
    }
}
