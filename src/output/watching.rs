//! `status --watch`: a display that is drawn over on a terminal, else one row a change as `kubectl get --watch` prints them.
//!
//! A fold over [`Look`]s with time passed in. It knows neither flames nor the server, only what is to be shown of them.

use std::collections::BTreeMap;
use std::time::Duration;

use console::{Alignment, measure_text_width, pad_str, truncate_str};

use super::progress::{Display, Size};
use super::{Printer, ProgressMode, text};
use crate::error::Result;
use crate::flame::rollout::Time;

/// How long the server may be out of reach before it is told: a watch that ends and goes on at once is no news.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is told again without a terminal.
const REMINDER: Duration = Duration::from_secs(30);
/// What stands for a state that nobody knows now.
const UNKNOWN: &str = "Unknown";

/// One flame of this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What tells it from others.
    pub key: String,
    /// Its cells, as they are shown.
    pub cells: Vec<String>,
    /// What programs get of it: a line, or a document.
    pub document: String,
    /// Differs from what it was where there is something to tell programs.
    pub change: String,
}

/// What is to be shown of this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Each flame.
    pub rows: Vec<Row>,
    /// All of it as text, for a terminal.
    pub text: String,
    /// When the server was heard last, and why it cannot be asked; none while it can.
    pub lost: Option<Lost>,
}

/// The server cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Since when.
    pub since: Time,
    /// When it was heard last.
    pub heard: Time,
    /// Why.
    pub why: String,
}

/// The columns of a row. STATE, SESSION-MANAGER, EXECUTORS and MESSAGE change where the server cannot be asked; a change of AGE
/// is none.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// The header.
    pub header: &'static [&'static str],
    /// Whether it is shown.
    pub is_headed: bool,
}

/// Shows one look after the other.
pub struct Watching {
    printer: Printer,
    columns: Columns,
    form: Form,
    /// What was told of each flame last.
    told: BTreeMap<String, String>,
    /// Whether, and in which turn, it was told that the server cannot be asked.
    told_lost: Option<u64>,
    last: Option<Look>,
}

enum Form {
    Display(Display),
    /// With the widths of the first rows; later ones stand in the same columns.
    Rows(Option<Vec<usize>>),
    Documents,
}

impl Watching {
    /// Starts. `is_text` tells whether people read it, or programs.
    pub fn new(printer: &Printer, columns: Columns, is_text: bool) -> Self {
        let is_live = printer.shows_data() && printer.progress_mode() == ProgressMode::Live;
        let form = match (is_text, is_live) {
            (false, _) => Form::Documents,
            (true, true) => Form::Display(Display::new(printer)),
            (true, false) => Form::Rows(None),
        };
        Self { printer: printer.clone(), columns, form, told: BTreeMap::new(), told_lost: None, last: None }
    }

    /// Shows what there is now, and tells whether somebody still reads it.
    ///
    /// # Errors
    /// Where standard output takes nothing.
    pub fn show(&mut self, mut look: Look, now: Time) -> Result<bool> {
        look.lost = look.lost.filter(|lost| now >= lost.since + PATIENCE);
        let goes_on = match &mut self.form {
            Form::Display(display) => {
                let (columns, is_unicode) = (self.columns, self.printer.is_unicode());
                display.draw(now, |size| frame(&look, columns, size, now, is_unicode));
                true
            }
            Form::Rows(_) => self.rows(&look, now)?,
            Form::Documents => self.documents(&look, now)?,
        };
        self.last = Some(look);
        Ok(goes_on)
    }

    /// Takes the display off the screen and leaves its last state as text.
    ///
    /// # Errors
    /// Where standard output takes nothing.
    pub fn finish(mut self, now: Time) -> Result<()> {
        if let Form::Display(display) = &mut self.form {
            display.close();
            if let Some(look) = &self.last {
                self.printer.text(&said(look, self.columns, now))?;
            }
        }
        Ok(())
    }

    fn rows(&mut self, look: &Look, now: Time) -> Result<bool> {
        let turn = look.lost.as_ref().map(|lost| now.saturating_sub(lost.since).as_secs() / REMINDER.as_secs());
        let is_reminder = turn.is_some() && turn != self.told_lost;
        self.told_lost = turn;
        let rows = shown(look, self.columns, now);
        let mut lines = Vec::new();
        if let Form::Rows(widths @ None) = &mut self.form
            && !rows.is_empty()
        {
            let mut cells: Vec<Vec<String>> = vec![self.columns.header.iter().map(|it| (*it).to_owned()).collect()];
            cells.extend(rows.iter().map(|(_, cells)| cells.clone()));
            *widths = Some(fitting(&cells));
            if self.columns.is_headed {
                lines.push(cells.swap_remove(0));
            }
        }
        for (key, cells) in rows {
            // What changes by itself is no change.
            let told = match turn {
                Some(_) => UNKNOWN.to_owned(),
                None => self.columns.without_age(&cells).join("\n"),
            };
            let is_news = self.told.insert(key, told.clone()).is_none_or(|before| before != told);
            if is_news || is_reminder {
                lines.push(cells);
            }
        }
        self.tell_gone(look);
        let Form::Rows(Some(widths)) = &self.form else { return Ok(true) };
        let text: String = lines.iter().map(|cells| format!("{}\n", padded(cells, widths))).collect();
        let text = if self.printer.is_unicode() { text } else { text::ascii(&text) };
        if text.is_empty() { Ok(true) } else { self.printer.stream(text.as_bytes()) }
    }

    /// Tells which flames are gone since they were told.
    fn tell_gone(&mut self, look: &Look) {
        let is_there = |key: &String| look.rows.iter().any(|row| row.key == *key);
        let gone: Vec<String> = self.told.keys().filter(|key| !is_there(key)).cloned().collect();
        for key in gone {
            self.told.remove(&key);
            self.printer.line(&format!("{key} is gone"));
        }
    }

    fn documents(&mut self, look: &Look, now: Time) -> Result<bool> {
        let is_lost = look.lost.is_some();
        if let (Some(lost), None) = (&look.lost, self.told_lost) {
            self.printer.warning(&format!("the server cannot be asked: {}", last_seen(lost, now)));
        }
        if !is_lost && self.told_lost.is_some() {
            self.printer.line("the server answers again");
        }
        self.told_lost = is_lost.then_some(0);
        if is_lost {
            return Ok(true);
        }
        for row in &look.rows {
            let is_news = self.told.insert(row.key.clone(), row.change.clone()).is_none_or(|it| it != row.change);
            if is_news && !self.printer.stream(row.document.as_bytes())? {
                return Ok(false);
            }
        }
        self.tell_gone(look);
        Ok(true)
    }
}

impl Columns {
    fn at(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| *column == name)
    }

    fn without_age(&self, cells: &[String]) -> Vec<String> {
        let age = self.at("AGE");
        cells.iter().enumerate().filter(|(at, _)| Some(*at) != age).map(|(_, cell)| cell.clone()).collect()
    }

    /// Returns the cells of a flame of which nobody knows how it is.
    fn unknown(&self, cells: &[String], lost: &Lost, now: Time) -> Vec<String> {
        let mut cells = cells.to_vec();
        let state = self.at("STATE").map(|at| std::mem::replace(&mut cells[at], UNKNOWN.to_owned()));
        for column in ["SESSION-MANAGER", "EXECUTORS"] {
            if let Some(at) = self.at(column) {
                let of = cells[at].split('/').nth(1).unwrap_or("?").to_owned();
                cells[at] = format!("?/{of}");
            }
        }
        let said = format!("{}, {}", state.unwrap_or_default(), last_seen(lost, now));
        match self.at("MESSAGE") {
            Some(at) => cells[at] = said,
            None => cells.push(said),
        }
        cells
    }
}

/// Says when the server was heard last, as `last seen 12s ago: connection refused`.
fn last_seen(lost: &Lost, now: Time) -> String {
    let ago = text::age(now.saturating_sub(lost.heard).as_secs());
    format!("last seen {ago} ago: {}", text::one_line(&lost.why, 160))
}

/// Returns each flame's key and cells.
fn shown(look: &Look, columns: Columns, now: Time) -> Vec<(String, Vec<String>)> {
    let cells = |row: &Row| match &look.lost {
        Some(lost) => columns.unknown(&row.cells, lost, now),
        None => row.cells.clone(),
    };
    look.rows.iter().map(|row| (row.key.clone(), cells(row))).collect()
}

/// Returns all of it as text; of what is not known now only that.
fn said(look: &Look, columns: Columns, now: Time) -> String {
    if look.lost.is_none() {
        return look.text.clone();
    }
    let rows: Vec<Vec<String>> = shown(look, columns, now).into_iter().map(|(_, cells)| cells).collect();
    let header: Vec<String> = columns.header.iter().map(|it| (*it).to_owned()).collect();
    let all: Vec<Vec<String>> = columns.is_headed.then_some(header).into_iter().chain(rows).collect();
    let widths = fitting(&all);
    let table = all.iter().map(|cells| padded(cells, &widths)).collect::<Vec<_>>().join("\n");
    // On a narrow screen the last column is not seen.
    match &look.lost {
        Some(lost) => format!("{table}\n\nThe server cannot be asked; {}", last_seen(lost, now)),
        None => table,
    }
}

/// Returns the lines for a screen of this size, each narrower than it and all together lower.
fn frame(look: &Look, columns: Columns, size: Size, now: Time, is_unicode: bool) -> Vec<String> {
    let (width, rows) = (size.width.saturating_sub(1).max(1), size.height.saturating_sub(1).max(1));
    let text = said(look, columns, now);
    let text = if is_unicode { text } else { text::ascii(&text) };
    let mut lines: Vec<String> = text.lines().flat_map(|line| wrapped(&text::line(line), width)).collect();
    if lines.is_empty() {
        lines.push("no flames".to_owned());
    }
    if lines.len() > rows {
        let more = lines.len() + 1 - rows;
        lines.truncate(rows - 1);
        lines.push(format!("and {}", text::count(more, "more line")));
    }
    let tail = match (is_unicode, width) {
        (_, 0..4) => "",
        (true, _) => "…",
        (false, _) => "...",
    };
    lines.iter().map(|line| truncate_str(line, width, tail).into_owned()).collect()
}

/// Breaks a sentence between words. Rows of tables stay one line: they do not begin with blanks, or have columns.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    let is_sentence = !line.trim_start().contains("   ");
    if !is_sentence || measure_text_width(line) <= width {
        return vec![line.to_owned()];
    }
    let indent = " ".repeat(line.len() - line.trim_start().len());
    let (mut lines, mut current) = (Vec::new(), indent.clone());
    for word in line.split_whitespace() {
        let is_empty = current.trim().is_empty();
        if !is_empty && measure_text_width(&current) + 1 + measure_text_width(word) > width {
            lines.push(std::mem::replace(&mut current, format!("{indent}  {word}")));
            continue;
        }
        current.push_str(if is_empty { "" } else { " " });
        current.push_str(word);
    }
    lines.push(current);
    lines
}

/// Returns the widths of the columns that these cells need; what comes behind the last has none.
fn fitting(rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths = Vec::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at == widths.len() {
                widths.push(0);
            }
            widths[at] = widths[at].max(measure_text_width(cell));
        }
    }
    widths
}

fn padded(cells: &[String], widths: &[usize]) -> String {
    let cell = |(at, cell): (usize, &String)| {
        let width = widths.get(at).copied().unwrap_or(0);
        format!("{}   ", pad_str(&text::line(cell), width, Alignment::Left, None))
    };
    cells.iter().enumerate().map(cell).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::tests::{TERMINAL, Written};
    use crate::output::{Environment, PrinterOptions};

    const COLUMNS: Columns =
        Columns { header: &["NAME", "STATE", "SESSION-MANAGER", "EXECUTORS", "AGE"], is_headed: true };
    const BLOCK: Columns = Columns { header: &["NAME", "STATE", "MESSAGE"], is_headed: true };

    fn at(seconds: u64) -> Time {
        Duration::from_secs(seconds)
    }

    fn row(name: &str, state: &str, ready: u32, age: &str) -> Row {
        let cells = [name, state, "1/1", &format!("{ready}/3"), age].map(str::to_owned);
        let document = format!("{name} {state} {ready}\n");
        Row { key: name.to_owned(), cells: cells.to_vec(), change: document.clone(), document }
    }

    fn look(rows: &[Row]) -> Look {
        Look { rows: rows.to_vec(), text: String::new(), lost: None }
    }

    fn lost(rows: &[Row], since: u64) -> Look {
        let lost = Lost { since: at(since), heard: at(since - 10), why: "connection\nrefused".to_owned() };
        Look { lost: Some(lost), ..look(rows) }
    }

    /// Returns what stdout got since the last time.
    fn printed(written: &Written) -> String {
        String::from_utf8(std::mem::take(&mut *written.out.lock().unwrap())).unwrap()
    }

    fn start(columns: Columns, is_text: bool) -> (Watching, Written) {
        let written = Written::default();
        let environment = Environment { unicode: true, ..Environment::default() };
        let printer = written.printer(PrinterOptions::default(), environment);
        (Watching::new(&printer, columns, is_text), written)
    }

    #[test]
    fn a_change_is_a_row_in_the_columns_of_the_first_and_age_is_none() {
        let (mut watching, written) = start(COLUMNS, true);
        watching.show(look(&[row("demo", "Pending", 0, "3s"), row("other", "Running", 3, "9m")]), at(0)).unwrap();
        assert_eq!(
            printed(&written),
            "NAME    STATE     SESSION-MANAGER   EXECUTORS   AGE\n\
             demo    Pending   1/1               0/3         3s\n\
             other   Running   1/1               3/3         9m\n"
        );
        watching.show(look(&[row("demo", "Pending", 0, "4s"), row("other", "Running", 3, "9m1s")]), at(1)).unwrap();
        assert_eq!(printed(&written), "");
        watching.show(look(&[row("demo", "Running", 1, "5s"), row("other", "Running", 3, "9m2s")]), at(2)).unwrap();
        assert_eq!(printed(&written), "demo    Running   1/1               1/3         5s\n");
        watching.show(look(&[row("demo", "Running", 1, "6s")]), at(3)).unwrap();
        assert_eq!((printed(&written).as_str(), written.lines()), ("", vec!["other is gone".to_owned()]));
    }

    #[test]
    fn while_the_server_cannot_be_asked_no_state_is_claimed() {
        let (mut watching, written) = start(COLUMNS, true);
        let rows = [row("demo", "Running", 3, "3s")];
        watching.show(look(&rows), at(100)).unwrap();
        printed(&written);
        watching.show(lost(&rows, 100), at(101)).unwrap();
        assert_eq!(printed(&written), "", "a watch that ends and goes on at once is no news");
        let gone =
            "demo   Unknown   ?/1               ?/3         3s    Running, last seen 12s ago: connection refused\n";
        watching.show(lost(&rows, 100), at(102)).unwrap();
        assert_eq!(printed(&written), gone);
        watching.show(lost(&rows, 100), at(129)).unwrap();
        assert_eq!(printed(&written), "");
        watching.show(lost(&rows, 100), at(130)).unwrap();
        assert_eq!(printed(&written), gone.replace("12s", "40s"));
        watching.show(look(&rows), at(131)).unwrap();
        assert_eq!(printed(&written), "demo   Running   1/1               3/3         3s\n");
    }

    #[test]
    fn a_message_gives_way_to_when_the_server_was_heard_last() {
        let row = Row {
            key: "demo".to_owned(),
            cells: ["demo", "Running", "All components healthy"].map(str::to_owned).to_vec(),
            document: String::new(),
            change: String::new(),
        };
        let look = lost(&[row], 20);
        assert_eq!(
            said(&look, BLOCK, at(24)),
            "NAME   STATE     MESSAGE\n\
             demo   Unknown   Running, last seen 14s ago: connection refused\n\n\
             The server cannot be asked; last seen 14s ago: connection refused"
        );
    }

    #[test]
    fn programs_get_a_document_a_change_and_none_while_nothing_is_known() {
        let (mut watching, written) = start(COLUMNS, false);
        let rows = [row("demo", "Running", 3, "3s")];
        watching.show(look(&rows), at(10)).unwrap();
        watching.show(look(&rows), at(11)).unwrap();
        assert_eq!(printed(&written), "demo Running 3\n");
        watching.show(lost(&[row("demo", "Running", 2, "3s")], 11), at(15)).unwrap();
        watching.show(lost(&[row("demo", "Running", 2, "3s")], 11), at(60)).unwrap();
        assert_eq!(printed(&written), "");
        watching.show(look(&[row("demo", "Running", 2, "3s")]), at(61)).unwrap();
        assert_eq!(printed(&written), "demo Running 2\n");
        watching.show(look(&[]), at(62)).unwrap();
        let expected = [
            "warning: the server cannot be asked: last seen 14s ago: connection refused",
            "the server answers again",
            "demo is gone",
        ];
        assert_eq!(written.lines(), expected);
    }

    #[test]
    fn a_frame_fits_its_screen_and_counts_what_does_not() {
        let lines: Vec<String> = (0..30).map(|line| format!("{line}   {}", "日本".repeat(20))).collect();
        let look = Look { text: lines.join("\n"), ..look(&[row("demo", "Running", 3, "3s")]) };
        let frame = frame(&look, COLUMNS, Size { width: 30, height: 10 }, at(0), true);
        assert_eq!(frame.len(), 9);
        assert_eq!(frame[8], "and 22 more lines");
        assert!(frame.iter().all(|line| measure_text_width(line) < 30), "{frame:#?}");
        assert!(frame[0].ends_with('…'), "{frame:#?}");
    }

    #[test]
    fn sentences_are_broken_between_words_and_rows_of_tables_are_cut() {
        let text = "NAME   STATE   A-LONG-COLUMN-OF-MESSAGES\n  executor 0: Error: a long sentence of words";
        let look = Look { text: text.to_owned(), ..look(&[row("demo", "Running", 3, "3s")]) };
        let lines = frame(&look, COLUMNS, Size { width: 31, height: 10 }, at(0), false);
        let expected = ["NAME   STATE   A-LONG-COLUM...", "  executor 0: Error: a long", "    sentence of words"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn on_a_terminal_the_display_goes_and_its_last_state_stays() {
        let written = Written::default();
        let printer = written.printer(PrinterOptions::default(), TERMINAL);
        let mut watching = Watching::new(&printer, COLUMNS, true);
        let look = Look { text: "the whole block".to_owned(), ..look(&[row("demo", "Running", 3, "3s")]) };
        watching.show(look, at(0)).unwrap();
        assert_eq!(printed(&written), "");
        assert!(String::from_utf8_lossy(&written.err.lock().unwrap()).contains("the whole block"));
        watching.finish(at(1)).unwrap();
        assert_eq!(printed(&written), "the whole block\n");
    }
}
