//! Text out: the only module that writes to the terminal. Data goes to stdout, everything else to stderr.
//!
//! Imports flame types, the terminal crates and serde. Nothing here sends a request or parses an argument.

pub mod ask;
pub mod describe;
mod document;
pub mod events;
pub mod explain;
pub mod jsonpath;
pub mod log;
pub mod logs;
pub mod metrics;
pub mod pods;
pub mod progress;
pub mod report;
pub mod schema;
mod snippet;
pub mod table;
mod text;
pub mod watching;

pub use self::document::{flame_with_status, json, json_line, list, resource_name, yaml};
pub use self::text::{one_line, shell_word};

use std::env;
use std::io::{self, ErrorKind as IoKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use console::{Key, Term};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use self::progress::{Size, json};
use self::snippet::Look;
use crate::error::{Content, Error, ErrorKind, Problem, Result, Severity};
use crate::flame::plan::Plan;
use crate::flame::preflight::Finding;
use crate::flame::state::Cause;
use crate::flame::timeline::StartUp;

/// Most problems of one file that are told to a person; who repairs that many looks again anyway.
const MAX_PROBLEMS: usize = 50;

/// Width of text where no terminal says its own.
const COLUMNS: u16 = 80;
/// Below this width text is longer than it is worth to wrap it.
const MIN_COLUMNS: u16 = 40;

/// What the surroundings say about the terminal; read once, here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// NO_COLOR is set to something (no-color.org).
    pub no_color: bool,
    /// TERM is `dumb`, or tells nothing: neither colour nor redrawing.
    pub dumb: bool,
    /// CI is set: what looks like a terminal is a log that somebody reads later.
    pub ci: bool,
    /// The locale's encoding is UTF-8, so that more than ASCII may be written.
    pub unicode: bool,
    /// Somebody can answer.
    pub stdin_is_terminal: bool,
    /// Somebody reads the data as it comes.
    pub stdout_is_terminal: bool,
    /// Somebody reads progress, hints and errors as they come.
    pub stderr_is_terminal: bool,
    /// Columns of the terminal behind stderr.
    pub width: Option<u16>,
    /// Width of the terminal that stdout is, in characters.
    pub stdout_columns: Option<u16>,
}

impl Environment {
    /// Reads the environment of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks what the terminal can do")]
    pub fn detect() -> Self {
        Self {
            no_color: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            // Windows' terminals have no TERM.
            dumb: env::var_os("TERM").map_or(cfg!(unix), |value| value.is_empty() || value == "dumb"),
            ci: env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0"),
            unicode: is_utf8(["LC_ALL", "LC_CTYPE", "LANG"].map(|name| env::var(name).ok())),
            stdin_is_terminal: io::stdin().is_terminal(),
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            width: Term::stderr().size_checked().map(|(_, columns)| columns),
            stdout_columns: Term::stdout().size_checked().map(|(_, columns)| columns),
        }
    }
}

/// Tells whether a locale's encoding is UTF-8; of the variables the first that says something decides (POSIX).
fn is_utf8(variables: [Option<String>; 3]) -> bool {
    let locale = variables.into_iter().flatten().find(|value| !value.is_empty()).unwrap_or_default();
    let encoding = locale.rsplit_once('.').map_or("", |(_, rest)| rest.split('@').next().unwrap_or_default());
    encoding.eq_ignore_ascii_case("utf-8") || encoding.eq_ignore_ascii_case("utf8")
}

/// How people see what a command does meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressMode {
    /// A display that is drawn over.
    Live,
    /// One line a change, and a heartbeat.
    Plain,
    /// One JSON object a line, for everything that goes to stderr.
    Json,
    /// Nothing but errors.
    None,
}

/// How much to say, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrinterOptions {
    /// Errors only, besides the data asked for.
    pub quiet: bool,
    /// Details too.
    pub verbose: bool,
    /// Colour or not; none leaves it to the environment.
    pub color: Option<bool>,
    /// How progress is shown; none leaves it to the environment.
    pub progress: Option<ProgressMode>,
}

type Sink = Arc<Mutex<dyn Write + Send>>;
type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Prints; clones print to the same place.
#[derive(Clone)]
pub struct Printer {
    out: Sink,
    err: Sink,
    options: PrinterOptions,
    environment: Environment,
    /// The time since the command started.
    clock: Clock,
    /// The terminal's size of this moment.
    size: fn() -> Size,
    /// The live display, while there is one: what is printed meanwhile goes above it.
    display: Arc<Mutex<Option<ProgressBar>>>,
}

/// A yellow and a cyan, of the 256 colours, that stand out from black as much as from white. The basic ones can't be read
/// on white.
const YELLOW: u8 = 130;
const CYAN: u8 = 30;

/// The few colours there are; what they mean is always said in words too.
#[derive(Clone, Copy)]
enum Color {
    Red,
    Yellow,
    Cyan,
}

impl Color {
    fn paint(self, text: &str) -> String {
        let code = match self {
            Self::Red => "31".to_owned(),
            Self::Yellow => format!("38;5;{YELLOW}"),
            Self::Cyan => format!("38;5;{CYAN}"),
        };
        format!("\u{1b}[1;{code}m{text}\u{1b}[0m")
    }
}

impl Printer {
    /// Makes a printer for this process' stdout and stderr.
    pub fn new(options: PrinterOptions, environment: Environment) -> Self {
        Self::to(Arc::new(Mutex::new(io::stdout())), Arc::new(Mutex::new(io::stderr())), options, environment)
    }

    /// Makes a printer for other places than this process' stdout and stderr.
    pub fn to(out: Sink, err: Sink, options: PrinterOptions, environment: Environment) -> Self {
        let size = || {
            let (rows, columns) = Term::stderr().size();
            Size { width: columns.into(), height: rows.into() }
        };
        Self { out, err, options, environment, clock: Arc::new(|| Duration::ZERO), size, display: Arc::default() }
    }

    /// Gives it the time since the command started, for those who read JSON.
    pub fn with_clock(self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Returns the time since the command started.
    pub fn elapsed(&self) -> Duration {
        (self.clock)()
    }

    /// Prints what was asked for, and ends it with a line break; empty text prints nothing.
    ///
    /// # Errors
    /// The data did not get out, as on a full disk. A reader that went away, as `head` does, is no error.
    pub fn data(&self, text: &str) -> Result<()> {
        let line_break = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        self.stream(format!("{text}{line_break}").as_bytes()).map(drop)
    }

    /// Prints a piece of data of which more may come, and tells whether somebody still reads it.
    ///
    /// # Errors
    /// As [`Printer::data`].
    pub fn stream(&self, bytes: &[u8]) -> Result<bool> {
        match write_bytes(&self.out, bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == IoKind::BrokenPipe => Ok(false),
            Err(error) => Err(Error::server(format!("standard output can't be written: {error}"))),
        }
    }

    /// Prints what was asked for as text for people: its symbols are ASCII where the locale knows no others.
    ///
    /// # Errors
    /// As [`Printer::data`].
    pub fn text(&self, text: &str) -> Result<()> {
        self.data(&self.fit(text))
    }

    /// Returns text for people as [`Printer::text`] prints it: in lines that the terminal, where there is one, need not break.
    pub fn fit(&self, text: &str) -> String {
        let Environment { stdout_is_terminal, stdout_columns, .. } = self.environment;
        self.fitted(text, stdout_columns.filter(|_| stdout_is_terminal))
    }

    /// Prints bytes that were asked for, as a completion script.
    ///
    /// # Errors
    /// As [`Printer::data`].
    pub fn bytes(&self, bytes: &[u8]) -> Result<()> {
        self.data(&String::from_utf8_lossy(bytes))
    }

    /// Tells something by the way.
    pub fn line(&self, text: &str) {
        match () {
            () if self.is_quiet() => {}
            () if self.is_json() => self.record(json::message("note", text)),
            () => self.prose(&text::clean(text)),
        }
    }

    /// Leaves a line free on a terminal, so that what was planned, what happened and what came of it stand apart.
    pub fn gap(&self) {
        if self.environment.stderr_is_terminal && !self.is_quiet() && !self.is_json() {
            self.to_stderr("");
        }
    }

    /// Tells something that only `--verbose` asks for.
    pub fn detail(&self, text: &str) {
        if self.is_verbose() {
            self.line(text);
        }
    }

    /// Tells something to look at; the command goes on.
    pub fn warning(&self, text: &str) {
        if !self.is_quiet() {
            self.labelled("warning", Color::Yellow, text);
        }
    }

    /// Tells a next step.
    pub fn hint(&self, text: &str) {
        if !self.is_quiet() {
            self.labelled("hint", Color::Cyan, text);
        }
    }

    /// Tells of a request and how it ended, to those who want to see each; `status` is none where no answer came.
    pub fn request(&self, method: &str, path: &str, status: Option<u16>, took: Duration) {
        match () {
            () if !self.is_verbose() => {}
            () if self.is_json() => self.record(json::request(method, path, status, took)),
            () => {
                let status = status.map_or("no answer".to_owned(), |status| status.to_string());
                self.line(&format!("{method} {path} {status} {}ms", took.as_millis()));
            }
        }
    }

    /// Tells what is in the way, or might be.
    pub fn findings(&self, findings: &[Finding]) {
        for finding in findings {
            let (label, color) = match finding.severity {
                Severity::Error => ("error", Color::Red),
                Severity::Warning if self.is_quiet() => continue,
                Severity::Warning => ("warning", Color::Yellow),
            };
            if self.is_json() && finding.severity == Severity::Error {
                let hints = finding.hint.iter().cloned().collect();
                self.record(json::error(&Error { hints, ..Error::server(&finding.message) }));
                continue;
            }
            self.labelled(label, color, &finding.message);
            if let Some(hint) = &finding.hint {
                self.indented_hint(hint);
            }
        }
    }

    /// Tells problems of an input file; warnings only where they are asked for.
    pub fn problems(&self, problems: &[Problem], content: &Content) {
        let asked = |problem: &&Problem| problem.severity == Severity::Error || !self.is_quiet();
        self.tell_problems(problems.iter().filter(asked).collect(), content);
    }

    /// Tells what went wrong, where, and what to do.
    pub fn error(&self, error: &Error) {
        self.tell_problems(error.problems.iter().collect(), &error.content);
        if self.is_json() {
            return self.record(json::error(error));
        }
        self.labelled("error", Color::Red, &error.what);
        for hint in &error.hints {
            self.labelled("hint", Color::Cyan, hint);
        }
    }

    /// Tells problems in the order of the file, errors and not warnings where they are too many.
    fn tell_problems(&self, mut problems: Vec<&Problem>, content: &Content) {
        if problems.is_empty() {
            return;
        }
        if self.is_json() {
            return problems.into_iter().for_each(|problem| self.record(json::problem(problem)));
        }
        let count = |problems: &[&Problem]| problems.iter().map(|problem| problem.count).sum::<usize>();
        let (all, one_by_one) = (count(&problems), problems.iter().filter(|problem| problem.count == 1).count());
        // The sort is stable: what is left out stands at the end of the file.
        problems.sort_by_key(|problem| problem.severity);
        problems.truncate(MAX_PROBLEMS);
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if self.shows_source() {
            let look = Look {
                color: self.is_colored(),
                unicode: self.environment.unicode,
                width: self.environment.width.unwrap_or(COLUMNS).into(),
            };
            self.to_stderr(&snippet::snippets(&problems, content, look));
        } else {
            problems.iter().for_each(|problem| self.plain(problem));
        }
        if let (Some(first), left @ 1..) = (problems.first(), all - count(&problems)) {
            self.to_stderr(&text::line(&format!(
                "{} in {} {} not shown",
                text::count(left, "more problem"),
                first.file,
                if left == 1 { "is" } else { "are" }
            )));
            let told = if one_by_one == all { "all".to_owned() } else { one_by_one.to_string() };
            self.labelled("hint", Color::Cyan, &format!("flamectl validate -o json tells {told} of them"));
        }
    }

    /// Tells one problem on a line that editors and logs make into a link.
    fn plain(&self, problem: &Problem) {
        self.to_stderr(&text::line(&problem.to_string()));
        if let Some(hint) = &problem.hint {
            self.indented_hint(hint);
        }
    }

    /// Tells what to do about what was told just before.
    fn indented_hint(&self, hint: &str) {
        match self.is_json() {
            true => self.record(json::message("hint", hint)),
            false => self.prose(&format!("  {} {}", self.paint(Color::Cyan, "hint:"), text::line(hint))),
        }
    }

    /// Prints what is wrong with the arguments, as the parser says it.
    pub fn usage(&self, text: &str) {
        match self.is_json() {
            true => self.record(json::error(&Error::input(text.trim_end()))),
            false => self.to_stderr(text.trim_end()),
        }
    }

    /// Tells programs how many objects are about to change.
    pub fn plan(&self, plan: &Plan) {
        self.progress_record(json::plan(plan));
    }

    /// Tells programs why Pods are not ready.
    pub fn causes(&self, causes: &[Cause]) {
        if self.is_json() {
            causes.iter().for_each(|cause| self.progress_record(json::cause(cause)));
        }
    }

    /// Tells how long a start took.
    pub fn start_up(&self, start: &StartUp) {
        match self.is_json() {
            true => self.progress_record(json::timeline(start)),
            false => self.line(&format!("\n{}", table::start_up(start))),
        }
    }

    fn progress_record(&self, event: Value) {
        if !self.is_quiet() {
            self.record(event);
        }
    }

    /// Prints an event for programs on a line of its own.
    fn record(&self, mut event: Value) {
        event["version"] = json::VERSION.into();
        event["time"] = json::seconds(self.elapsed());
        #[cfg(test)]
        schema::tests::check(&schema::progress(), &event);
        self.to_stderr(&event.to_string());
    }

    /// Asks; anything but `y` is a no.
    ///
    /// # Errors
    /// Refused where nobody can answer, interrupted by Ctrl-C.
    pub fn confirm(&self, question: &str) -> Result<bool> {
        if !self.can_ask() {
            let what = format!("{question:?} needs a confirmation and there is no terminal");
            return Err(Error::refused(what).hint("run again with -y"));
        }
        if self.is_json() {
            let what =
                format!("{question:?} needs a confirmation, and --progress=json leaves no room for the question");
            return Err(Error::refused(what).hint("run again with -y"));
        }
        let unanswered = |_: io::Error| Error::new(ErrorKind::Interrupted, "interrupted; nothing was changed");
        let prompt = format!("{} [y/N] ", text::clean(question));
        write(&self.err, &[&prompt]).map_err(unanswered)?;
        let answer = read_answer(&Term::stderr());
        let echo = match answer {
            Ok(true) => "yes\n",
            Ok(false) => "no\n",
            Err(_) => "\n",
        };
        write(&self.err, &[echo]).map_err(unanswered)?;
        answer.map_err(unanswered)
    }

    /// Returns how progress is shown: as asked for, as far as the terminal can do it.
    pub fn progress_mode(&self) -> ProgressMode {
        let Environment { stderr_is_terminal, dumb, ci, .. } = self.environment;
        let can_draw = stderr_is_terminal && !dumb;
        match self.options.progress {
            _ if self.is_quiet() => ProgressMode::None,
            None if can_draw && !ci => ProgressMode::Live,
            Some(ProgressMode::Live) if can_draw => ProgressMode::Live,
            None | Some(ProgressMode::Live) => ProgressMode::Plain,
            Some(mode) => mode,
        }
    }

    /// Returns the width that text on stdout should have.
    pub fn columns(&self) -> usize {
        self.environment.stdout_columns.unwrap_or(COLUMNS).max(MIN_COLUMNS).into()
    }

    /// Tells whether nothing but errors is told.
    pub fn is_quiet(&self) -> bool {
        self.options.quiet || self.options.progress == Some(ProgressMode::None)
    }

    /// Tells whether details are told.
    pub fn is_verbose(&self) -> bool {
        self.options.verbose && !self.is_quiet()
    }

    /// Tells whether everything on stderr is for programs.
    pub fn is_json(&self) -> bool {
        self.options.progress == Some(ProgressMode::Json)
    }

    /// Tells whether more than ASCII may be written.
    pub fn is_unicode(&self) -> bool {
        self.environment.unicode
    }

    /// Takes the live display off the screen, where there is one: for whoever ends the process at once.
    pub fn close_display(&self) {
        if let Some(display) = self.display(None) {
            display.finish_and_clear();
        }
    }

    /// Takes note of the display that is there from now on, and returns the one before.
    fn display(&self, display: Option<ProgressBar>) -> Option<ProgressBar> {
        std::mem::replace(&mut *self.display.lock().unwrap_or_else(PoisonError::into_inner), display)
    }

    /// Tells whether data goes to a terminal.
    pub fn shows_data(&self) -> bool {
        self.environment.stdout_is_terminal
    }

    /// Tells whether data may be coloured.
    pub fn colors_data(&self) -> bool {
        let environment = &self.environment;
        let by_environment = environment.stdout_is_terminal && !environment.no_color && !environment.dumb;
        self.options.color.unwrap_or(by_environment)
    }

    /// Writes a line as it is: the log's own format, or a program's.
    fn raw_line(&self, line: &str) {
        // There is nowhere left to say that stderr is gone.
        let _ = write(&self.err, &[line, "\n"]);
    }

    fn labelled(&self, label: &str, color: Color, text: &str) {
        match self.is_json() {
            // Of this one the kind is known to be bad input: others come as an `Error`.
            true if label == "error" => self.record(json::error(&Error::input(text))),
            true => self.record(json::message(label, text)),
            false => {
                let label = self.paint(color, &format!("{label}:"));
                self.prose(&format!("{label} {}", text::clean(text)));
            }
        }
    }

    fn paint(&self, color: Color, text: &str) -> String {
        if self.is_colored() { color.paint(text) } else { text.to_owned() }
    }

    fn is_colored(&self) -> bool {
        self.options.color.unwrap_or(self.shows_source() && !self.environment.no_color)
    }

    /// Tells whether a person looks, who gets the lines that problems are in: a terminal, or what stands for one where
    /// colour is asked for.
    fn shows_source(&self) -> bool {
        let is_terminal = self.environment.stderr_is_terminal && !self.environment.dumb;
        is_terminal || self.options.color == Some(true)
    }

    /// Prints lines that a terminal would break in the middle of a word. Logs, and what only looks like a terminal, keep
    /// one line for each.
    fn prose(&self, text: &str) {
        let Environment { stderr_is_terminal, ci, width, .. } = self.environment;
        self.to_stderr(&self.fitted(text, width.filter(|_| stderr_is_terminal && !ci)));
    }

    /// Returns text for people in the characters that may be written, and in lines of a terminal of that many columns.
    fn fitted(&self, text: &str, columns: Option<u16>) -> String {
        let text = if self.environment.unicode { text.to_owned() } else { text::ascii(text) };
        match columns {
            Some(columns @ MIN_COLUMNS..) => text::wrapped(&text, columns.into()),
            _ => text,
        }
    }

    fn to_stderr(&self, text: &str) {
        let text = if self.environment.unicode || self.is_json() { text.to_owned() } else { text::ascii(text) };
        // There is nowhere left to say that stderr is gone.
        let print = || drop(write(&self.err, &[&text, "\n"]));
        match &*self.display.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(display) => display.suspend(print),
            None => print(),
        }
    }
}

fn write(sink: &Sink, parts: &[&str]) -> io::Result<()> {
    write_bytes(sink, parts.concat().as_bytes())
}

fn write_bytes(sink: &Sink, bytes: &[u8]) -> io::Result<()> {
    let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
    sink.write_all(bytes)?;
    sink.flush()
}

/// Reads one key. The terminal takes Ctrl-C for a key meanwhile and is itself again when this returns, so no handler has to
/// be there and none is needed.
fn read_answer(terminal: &Term) -> io::Result<bool> {
    loop {
        match terminal.read_key_raw()? {
            Key::Char('y' | 'Y') => return Ok(true),
            Key::Char('n' | 'N') | Key::Enter | Key::Escape => return Ok(false),
            Key::CtrlC | Key::Char('\u{4}') => return Err(IoKind::Interrupted.into()),
            _ => {}
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
