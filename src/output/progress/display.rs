//! The lines of a live display on a terminal: drawn over each other, gone in the end.

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::live::Size;
use crate::flame::rollout::Time;
use crate::output::{Printer, Sink};

/// Shortest time between two drawings.
const PACE: Duration = Duration::from_millis(100);

/// A display while it is there. Whatever the printer prints meanwhile goes above it.
pub struct Display {
    printer: Printer,
    bar: ProgressBar,
    /// What was drawn last, when, and into which size.
    drawn: Option<(Vec<String>, Size, Time)>,
}

impl Display {
    /// Makes a display that the printer knows of.
    pub fn new(printer: &Printer) -> Self {
        let screen = Screen { sink: printer.err.clone(), size: printer.size, drawing: Mutex::default() };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::new(screen)));
        // The template is just the message, so it can't be malformed; the default style would only add a spinner.
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        printer.display(Some(bar.clone()));
        Self { printer: printer.clone(), bar, drawn: None }
    }

    /// Draws what `frame` gives for the terminal's size of this moment, unless it was drawn just before.
    pub fn draw(&mut self, now: Time, frame: impl FnOnce(Size) -> Vec<String>) {
        if self.bar.is_finished() || self.drawn.as_ref().is_some_and(|(.., at)| now < *at + PACE) {
            return;
        }
        let size = (self.printer.size)();
        let lines = frame(size);
        if self.drawn.as_ref().is_none_or(|(drawn, into, _)| (drawn, into) != (&lines, &size)) {
            self.bar.set_message(lines.join("\n"));
            self.drawn = Some((lines, size, now));
        }
    }

    /// Takes it off the screen.
    pub fn close(&mut self) {
        if !self.bar.is_finished() {
            self.bar.finish_and_clear();
            self.printer.display(None);
        }
    }
}

/// Where indicatif draws.
///
/// The cursor stays on the display's first row. indicatif would leave it on the last one and move up by the rows of its last
/// drawing; a terminal that got narrower since may show more rows than that. From the first row on, everything below is the
/// display's whatever happened meanwhile, so clearing it leaves nothing behind and takes nothing else along.
struct Screen {
    sink: Sink,
    size: fn() -> Size,
    drawing: Mutex<Drawing>,
}

/// The lines that are being drawn; indicatif fills each up with blanks to the right edge.
#[derive(Default)]
struct Drawing {
    lines: Vec<String>,
    line: String,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        (self.size)().width.try_into().unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        (self.size)().height.try_into().unwrap_or(u16::MAX)
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str(" ")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        match text {
            "\r" => {}
            // The filler ends a line.
            blanks if !blanks.is_empty() && blanks.bytes().all(|byte| byte == b' ') => {
                let line = std::mem::take(&mut drawing.line);
                drawing.lines.push(line);
            }
            text => drawing.line.push_str(text),
        }
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        let Drawing { mut lines, line } = std::mem::take(&mut *drawing);
        lines.extend(Some(line).filter(|line| !line.is_empty()));
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        sink.write_all(drawn(&lines).as_bytes())?;
        sink.flush()
    }
}

/// Returns what draws these lines over those before and goes back to the first row: in one piece, and line by line, so that
/// nothing flickers. Meanwhile nothing wraps, so that a line takes one row even where the terminal takes a character for
/// wider than it is.
fn drawn(lines: &[String]) -> String {
    let (do_not_wrap, wrap) = ("\u{1b}[?7l", "\u{1b}[?7h");
    let erase_rest_of_line = "\u{1b}[K";
    let erase_below = "\u{1b}[J";
    let body = lines.iter().map(|line| format!("{line}{erase_rest_of_line}")).collect::<Vec<_>>().join("\r\n");
    let back = match lines.len() {
        0 | 1 => String::new(),
        rows => format!("\u{1b}[{}A", rows - 1),
    };
    format!("{do_not_wrap}\r{body}{erase_below}{back}\r{wrap}")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::num::NonZeroU16;
    use std::sync::{Arc, LazyLock};

    use super::*;
    use crate::output::PrinterOptions;
    use crate::output::tests::TERMINAL;

    /// A terminal that takes in what is written to it.
    #[derive(Clone)]
    struct Terminal(Arc<Mutex<vt100::Parser>>);

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // What a terminal's driver makes of a line end.
            let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\n', "\r\n");
            self.0.lock().unwrap().process(text.as_bytes());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn cells(number: usize) -> NonZeroU16 {
        NonZeroU16::new(number as u16).unwrap()
    }

    impl Terminal {
        fn new(size: Size) -> Self {
            let Size { width, height } = size;
            Self(Arc::new(Mutex::new(vt100::Parser::new(cells(height), cells(width), 100))))
        }

        fn rows(&self) -> Vec<String> {
            let parser = self.0.lock().unwrap();
            let (_, width) = parser.screen().size();
            let rows = parser.screen().rows(0, width.get()).map(|row| row.trim_end().to_owned());
            let mut rows: Vec<String> = rows.collect();
            rows.truncate(rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1));
            rows
        }

        fn cursor(&self) -> ((u16, u16), bool) {
            let parser = self.0.lock().unwrap();
            (parser.screen().cursor_position(), !parser.screen().hide_cursor())
        }
    }

    const SIZE: Size = Size { width: 20, height: 6 };

    fn printer(terminal: &Terminal) -> Printer {
        let sink = Arc::new(Mutex::new(terminal.clone()));
        let printer = Printer::to(sink.clone(), sink, PrinterOptions::default(), TERMINAL);
        Printer { size: || SIZE, ..printer }
    }

    fn at(milliseconds: u64) -> Time {
        Duration::from_millis(milliseconds)
    }

    fn frame(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn frames_take_each_others_place_below_what_is_printed_and_leave_nothing() {
        let terminal = Terminal::new(SIZE);
        let printer = printer(&terminal);
        printer.line("before");
        let mut display = Display::new(&printer);
        display.draw(at(0), |_| frame(&["demo  0s", "  executors  0/9", "  slowest"]));
        assert_eq!(terminal.rows(), ["before", "demo  0s", "  executors  0/9", "  slowest"]);
        assert_eq!(terminal.cursor(), ((1, 0), true));
        display.draw(at(500), |_| frame(&["demo  1s", "  executors  9"]));
        assert_eq!(terminal.rows(), ["before", "demo  1s", "  executors  9"]);
        printer.line("meanwhile");
        assert_eq!(terminal.rows(), ["before", "meanwhile", "demo  1s", "  executors  9"]);
        display.close();
        display.draw(at(1000), |_| frame(&["late"]));
        printer.line("after");
        assert_eq!(terminal.rows(), ["before", "meanwhile", "after"]);
        assert_eq!(terminal.cursor(), ((3, 0), true));
    }

    #[test]
    fn a_display_at_the_bottom_scrolls_once_and_stays() {
        let terminal = Terminal::new(SIZE);
        let printer = printer(&terminal);
        (0..8).for_each(|line| printer.line(&format!("line {line}")));
        let mut display = Display::new(&printer);
        for second in 0..5 {
            display.draw(at(second * 1000), |_| frame(&[&format!("{second}s"), "two", "three"]));
            assert_eq!(terminal.rows(), ["line 5", "line 6", "line 7", &format!("{second}s"), "two", "three"]);
        }
        display.close();
        assert_eq!(terminal.rows(), ["line 5", "line 6", "line 7"]);
    }

    #[test]
    fn after_a_resize_it_is_drawn_anew_and_leaves_nothing() {
        static NOW: LazyLock<Mutex<Size>> = LazyLock::new(|| Mutex::new(SIZE));
        let terminal = Terminal::new(SIZE);
        let printer = Printer { size: || *NOW.lock().unwrap(), ..printer(&terminal) };
        printer.line("before");
        let mut display = Display::new(&printer);
        let lines = |size: Size| frame(&[&"x".repeat(size.width - 1), "end"]);
        display.draw(at(0), lines);
        for (width, milliseconds) in [(12, 500), (30, 1000), (8, 1500)] {
            *NOW.lock().unwrap() = Size { width, height: 6 };
            terminal.0.lock().unwrap().screen_mut().set_size(cells(6), cells(width));
            display.draw(at(milliseconds), lines);
            assert_eq!(terminal.rows(), ["before", &"x".repeat(width - 1), "end"]);
        }
        display.close();
        assert_eq!(terminal.rows(), ["before"]);
    }

    #[test]
    fn it_draws_at_most_ten_times_a_second_and_only_what_is_new() {
        let terminal = Terminal::new(SIZE);
        let mut display = Display::new(&printer(&terminal));
        display.draw(at(0), |_| frame(&["one"]));
        display.draw(at(99), |_| unreachable!("it was drawn just before"));
        terminal.0.lock().unwrap().process(b"dust");
        display.draw(at(200), |_| frame(&["one"]));
        assert_eq!(terminal.rows(), ["dust"]);
        display.draw(at(300), |_| frame(&["two"]));
        assert_eq!(terminal.rows(), ["two"]);
    }

    #[test]
    fn who_ends_the_process_at_once_can_take_it_off_the_screen() {
        let terminal = Terminal::new(SIZE);
        let printer = printer(&terminal);
        let mut display = Display::new(&printer);
        display.draw(at(0), |_| frame(&["one", "two"]));
        printer.close_display();
        printer.close_display();
        assert_eq!((terminal.rows(), terminal.cursor()), (vec![], ((0, 0), true)));
    }
}
