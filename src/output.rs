//! Text out: the only module that writes to the terminal. Data goes to stdout, everything else to stderr.
//!
//! Imports flame types, the terminal crates and serde. Nothing here sends a request or parses an argument.

pub mod ask;
pub mod explain;
pub mod progress;
pub mod report;
mod snippet;
pub mod table;
mod text;

pub use self::text::shell_word;

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind as IoKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use console::{Key, Term};
use serde::Serialize;
use serde_json::{Value, json};

use self::snippet::Look;
use crate::error::{Content, Error, ErrorKind, Problem, Result, Severity};
use crate::flame::FlameCluster;
use crate::flame::preflight::Finding;
use crate::flame::state::Status;

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
    /// TERM is `dumb`: neither colour nor redrawing.
    pub dumb: bool,
    /// Somebody can answer.
    pub stdin_is_terminal: bool,
    /// Somebody reads progress, hints and errors as they come.
    pub stderr_is_terminal: bool,
    /// The locale has all characters, not only ASCII.
    pub unicode: bool,
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
            dumb: env::var_os("TERM").is_some_and(|value| value == "dumb"),
            stdin_is_terminal: io::stdin().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            unicode: is_unicode(["LC_ALL", "LC_CTYPE", "LANG"].map(env::var_os)),
            width: Term::stderr().size_checked().map(|(_, columns)| columns),
            stdout_columns: Term::stdout().size_checked().map(|(_, columns)| columns),
        }
    }
}

/// Tells whether a locale is one of UTF-8; of LC_ALL, LC_CTYPE and LANG, in this order, the first that says something
/// counts (POSIX: "Internationalization Variables").
fn is_unicode(variables: [Option<OsString>; 3]) -> bool {
    let said = variables.into_iter().flatten().find(|value| !value.is_empty()).unwrap_or_default();
    let said = said.to_string_lossy().to_ascii_lowercase();
    said.contains("utf-8") || said.contains("utf8")
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
}

type Sink = Arc<Mutex<dyn Write + Send>>;

/// Prints; clones print to the same place.
#[derive(Clone)]
pub struct Printer {
    out: Sink,
    err: Sink,
    options: PrinterOptions,
    environment: Environment,
}

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
            Self::Red => 31,
            Self::Yellow => 33,
            Self::Cyan => 36,
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
        Self { out, err, options, environment }
    }

    /// Prints what was asked for, and ends it with a line break; empty text prints nothing.
    ///
    /// # Errors
    /// The data did not get out, as on a full disk. A reader that went away, as `head` does, is no error.
    pub fn data(&self, text: &str) -> Result<()> {
        let line_break = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        match write(&self.out, &[text, line_break]) {
            Err(error) if error.kind() != IoKind::BrokenPipe => {
                Err(Error::server(format!("standard output can't be written: {error}")))
            }
            _ => Ok(()),
        }
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
        if !self.options.quiet {
            self.to_stderr(&text::clean(text));
        }
    }

    /// Tells something that only `--verbose` asks for.
    pub fn detail(&self, text: &str) {
        if self.options.verbose {
            self.line(text);
        }
    }

    /// Tells something to look at; the command goes on.
    pub fn warning(&self, text: &str) {
        if !self.options.quiet {
            self.labelled("warning:", Color::Yellow, text);
        }
    }

    /// Tells a next step.
    pub fn hint(&self, text: &str) {
        if !self.options.quiet {
            self.labelled("hint:", Color::Cyan, text);
        }
    }

    /// Tells what is in the way, or might be.
    pub fn findings(&self, findings: &[Finding]) {
        for finding in findings {
            match finding.severity {
                Severity::Error => self.labelled("error:", Color::Red, &finding.message),
                Severity::Warning if self.options.quiet => continue,
                Severity::Warning => self.labelled("warning:", Color::Yellow, &finding.message),
            }
            if let Some(hint) = &finding.hint {
                self.to_stderr(&format!("  {} {}", self.paint(Color::Cyan, "hint:"), text::line(hint)));
            }
        }
    }

    /// Tells problems of an input file; warnings only where they are asked for.
    pub fn problems(&self, problems: &[Problem], content: &Content) {
        let asked = |problem: &&Problem| problem.severity == Severity::Error || !self.options.quiet;
        self.tell_problems(problems.iter().filter(asked).collect(), content);
    }

    /// Tells what went wrong, where, and what to do.
    pub fn error(&self, error: &Error) {
        self.tell_problems(error.problems.iter().collect(), &error.content);
        self.labelled("error:", Color::Red, &error.what);
        for hint in &error.hints {
            self.labelled("hint:", Color::Cyan, hint);
        }
    }

    /// Tells problems in the order of the file, errors and not warnings where they are too many.
    fn tell_problems(&self, mut problems: Vec<&Problem>, content: &Content) {
        if problems.is_empty() {
            return;
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
            self.labelled("hint:", Color::Cyan, &format!("flamectl validate -o json tells {told} of them"));
        }
    }

    /// Tells one problem on a line that editors and logs make into a link.
    fn plain(&self, problem: &Problem) {
        self.to_stderr(&text::line(&problem.to_string()));
        if let Some(hint) = &problem.hint {
            self.to_stderr(&format!("  {} {}", self.paint(Color::Cyan, "hint:"), text::line(hint)));
        }
    }

    /// Prints what is wrong with the arguments, as the parser says it.
    pub fn usage(&self, text: &str) {
        self.to_stderr(text.trim_end());
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

    /// Tells whether lines may be drawn over: a person looks at a terminal that can do it.
    pub fn is_live(&self) -> bool {
        self.environment.stderr_is_terminal && !self.environment.dumb && !self.options.quiet
    }

    /// Returns the width that text on stdout should have.
    pub fn columns(&self) -> usize {
        self.environment.stdout_columns.unwrap_or(COLUMNS).max(MIN_COLUMNS).into()
    }

    /// Tells whether nothing but errors is told.
    pub fn is_quiet(&self) -> bool {
        self.options.quiet
    }

    /// Tells whether details are told.
    pub fn is_verbose(&self) -> bool {
        self.options.verbose && !self.options.quiet
    }

    fn labelled(&self, label: &str, color: Color, text: &str) {
        self.to_stderr(&format!("{} {}", self.paint(color, label), text::clean(text)));
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

    fn to_stderr(&self, text: &str) {
        // There is nowhere left to say that stderr is gone.
        drop(write(&self.err, &[text, "\n"]));
    }
}

fn write(sink: &Sink, parts: &[&str]) -> io::Result<()> {
    let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
    sink.write_all(parts.concat().as_bytes())?;
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

/// Returns the document of a flame with its status: exactly apiVersion, kind, metadata, spec and status.
pub fn flame_with_status(flame: &FlameCluster, status: &Status) -> Value {
    json!({
        "apiVersion": flame.api_version,
        "kind": flame.kind,
        "metadata": flame.metadata,
        "spec": flame.spec,
        "status": status,
    })
}

/// Returns documents as one List, as kubectl prints more than one object.
pub fn list(items: Vec<Value>) -> Value {
    json!({ "apiVersion": "v1", "kind": "List", "items": items })
}

/// Returns a flame's name for scripts (`-o name`).
pub fn resource_name(flame: &str) -> String {
    format!("flamecluster.flame.xflops.io/{flame}")
}

/// Returns a document as JSON.
///
/// # Errors
/// The value has no JSON form; none of flamectl's has that.
pub fn json(document: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(document);
    let text = text.map_err(|error| Error::server(format!("JSON can't be written: {error}")))?;
    Ok(text::escape_controls(text))
}

/// Returns documents as YAML, `---` between them. Text that YAML 1.1 reads as something else is quoted: kubectl reads that.
///
/// # Errors
/// A value has no YAML form; none of flamectl's has that.
pub fn yaml<T: Serialize>(documents: &[T]) -> Result<String> {
    let documents: Result<Vec<String>> = documents.iter().map(yaml_document).collect();
    Ok(documents?.join("---\n"))
}

fn yaml_document<T: Serialize>(document: &T) -> Result<String> {
    let failed = |error: &dyn std::error::Error| Error::server(format!("YAML can't be written: {error}"));
    // Unlike a JSON value this one keeps the order of the fields.
    let value = serde_yaml::to_value(document).map_err(|error| failed(&error))?;
    // Which text becomes a block is decided here.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(&Yaml(&value), options).map_err(|error| failed(&error))
}

/// A value whose texts of several lines are written as they are, in literal blocks.
struct Yaml<'a>(&'a serde_yaml::Value);

impl Serialize for Yaml<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            // A blank or a line end at the beginning confuses kubectl about the indentation.
            serde_yaml::Value::String(text) if text.contains('\n') && !text.starts_with(char::is_whitespace) => {
                serde_saphyr::LitStr(text).serialize(serializer)
            }
            serde_yaml::Value::Sequence(items) => serializer.collect_seq(items.iter().map(Yaml)),
            serde_yaml::Value::Mapping(fields) => {
                serializer.collect_map(fields.iter().map(|(key, it)| (key, Yaml(it))))
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::flame::state::{ClusterState, ExecutorManagerStatus, SessionManagerStatus};
    use crate::flame::{ExecutorManager, Metadata, SessionManager, Spec};

    /// What a printer wrote.
    #[derive(Clone, Default)]
    pub(crate) struct Written {
        pub out: Arc<Mutex<Vec<u8>>>,
        pub err: Arc<Mutex<Vec<u8>>>,
    }

    impl Written {
        pub fn printer(&self, options: PrinterOptions, environment: Environment) -> Printer {
            Printer::to(self.out.clone(), self.err.clone(), options, environment)
        }

        /// Takes what stderr got since the last time, by lines.
        pub fn lines(&self) -> Vec<String> {
            let bytes = std::mem::take(&mut *self.err.lock().unwrap());
            String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
        }
    }

    const TERMINAL: Environment = Environment {
        no_color: false,
        dumb: false,
        stdin_is_terminal: true,
        stderr_is_terminal: true,
        unicode: true,
        width: Some(100),
        stdout_columns: Some(100),
    };

    fn plain(options: PrinterOptions) -> (Printer, Written) {
        let written = Written::default();
        (written.printer(options, Environment::default()), written)
    }

    fn input_error() -> Error {
        let problem = |severity, path: &str, hint: Option<&str>| Problem {
            file: "demo.yaml".to_owned(),
            line: 14,
            column: 15,
            length: 2,
            path: path.to_owned(),
            severity,
            message: "-1 is not between 0 and 10000".to_owned(),
            hint: hint.map(str::to_owned),
            count: 1,
        };
        Error::input("demo.yaml has 1 error; nothing was sent")
            .problems(
                vec![
                    problem(
                        Severity::Error,
                        "spec.executorManager.replicas",
                        Some("remove the line for the default, 1"),
                    ),
                    problem(Severity::Warning, "", None),
                ],
                Content::default(),
            )
            .hint("see flamectl validate")
    }

    #[test]
    fn an_error_says_where_what_and_what_to_do() {
        let (printer, written) = plain(PrinterOptions { quiet: true, ..PrinterOptions::default() });
        printer.error(&input_error());
        printer.error(&Error::refused("names are taken\n  Pod x is managed by Helm").hint("choose another name"));
        assert_eq!(
            written.lines(),
            [
                "demo.yaml:14:15: spec.executorManager.replicas: -1 is not between 0 and 10000",
                "  hint: remove the line for the default, 1",
                "demo.yaml:14:15: warning: -1 is not between 0 and 10000",
                "error: demo.yaml has 1 error; nothing was sent",
                "hint: see flamectl validate",
                "error: names are taken",
                "  Pod x is managed by Helm",
                "hint: choose another name",
            ]
        );
    }

    #[test]
    fn findings_are_told_one_a_line_and_errors_even_when_quiet() {
        let findings = [(Severity::Error, Some("raise it")), (Severity::Warning, None)].map(|(severity, hint)| {
            Finding { severity, message: "it is small".to_owned(), hint: hint.map(str::to_owned) }
        });
        for (quiet, expected) in [
            (false, &["error: it is small", "  hint: raise it", "warning: it is small"][..]),
            (true, &["error: it is small", "  hint: raise it"]),
        ] {
            let (printer, written) = plain(PrinterOptions { quiet, ..PrinterOptions::default() });
            printer.findings(&findings);
            assert_eq!(written.lines(), expected);
        }
    }

    #[test]
    fn colour_follows_the_flag_then_the_environment() {
        for (color, environment, colored) in [
            (None, TERMINAL, true),
            (None, Environment { no_color: true, ..TERMINAL }, false),
            (None, Environment { dumb: true, ..TERMINAL }, false),
            (None, Environment { stderr_is_terminal: false, ..TERMINAL }, false),
            (Some(true), Environment::default(), true),
            (Some(false), TERMINAL, false),
        ] {
            let written = Written::default();
            written
                .printer(PrinterOptions { color, ..PrinterOptions::default() }, environment)
                .error(&Error::server("x"));
            let expected = if colored { "\u{1b}[1;31merror:\u{1b}[0m x" } else { "error: x" };
            assert_eq!(written.lines(), [expected], "{color:?} {environment:?}");
        }
    }

    #[test]
    fn the_line_of_a_problem_is_shown_where_a_person_looks() {
        let problems = [Problem { line: 1, column: 4, ..input_error().problems.remove(0) }];
        let picture = vec![
            "error: spec.executorManager.replicas: -1 is not between 0 and 10000",
            " --> demo.yaml:1:4",
            "  |",
            "1 | a: -1",
            "  |    ^^",
            "hint: remove the line for the default, 1",
            "",
        ];
        let plain = vec![
            "demo.yaml:1:4: spec.executorManager.replicas: -1 is not between 0 and 10000",
            "  hint: remove the line for the default, 1",
        ];
        for (color, environment, expected) in [
            (None, TERMINAL, picture.clone()),
            (Some(false), TERMINAL, picture.clone()),
            (Some(true), Environment::default(), picture.clone()),
            (Some(true), Environment { dumb: true, ..TERMINAL }, picture.clone()),
            (None, Environment { dumb: true, ..TERMINAL }, plain.clone()),
            (None, Environment::default(), plain.clone()),
            (Some(false), Environment::default(), plain),
        ] {
            let written = Written::default();
            let printer = written.printer(PrinterOptions { color, ..PrinterOptions::default() }, environment);
            printer.problems(&problems, &b"a: -1\n".to_vec().into());
            let lines = written.lines();
            let told: Vec<_> = lines.iter().map(|line| console::strip_ansi_codes(line)).collect();
            assert_eq!(told, expected, "{color:?} {environment:?}");
            let colored = color.unwrap_or(environment == TERMINAL);
            assert_eq!(told != lines, colored, "{color:?} {environment:?}");
        }
    }

    #[test]
    fn too_many_problems_are_counted_instead_and_errors_come_before_warnings() {
        let problem = |line, severity| Problem { line, severity, ..input_error().problems.remove(1) };
        let mut problems: Vec<Problem> = (1..=1000).map(|line| problem(line, Severity::Warning)).collect();
        problems.push(problem(1001, Severity::Error));
        let (printer, written) = plain(PrinterOptions::default());
        printer.problems(&problems, &Content::default());
        let lines = written.lines();
        assert_eq!(lines.len(), MAX_PROBLEMS + 2);
        assert_eq!(
            lines[MAX_PROBLEMS - 2..],
            [
                "demo.yaml:49:15: warning: -1 is not between 0 and 10000",
                "demo.yaml:1001:15: -1 is not between 0 and 10000",
                "951 more problems in demo.yaml are not shown",
                "hint: flamectl validate -o json tells all of them",
            ]
        );
        let (printer, written) = plain(PrinterOptions { quiet: true, ..PrinterOptions::default() });
        printer.problems(&problems, &Content::default());
        assert_eq!(written.lines(), ["demo.yaml:1001:15: -1 is not between 0 and 10000"]);
        problems.push(Problem { count: 7000, ..problem(1002, Severity::Warning) });
        let (printer, written) = plain(PrinterOptions::default());
        printer.problems(&problems, &Content::default());
        assert_eq!(
            written.lines()[MAX_PROBLEMS..],
            ["7951 more problems in demo.yaml are not shown", "hint: flamectl validate -o json tells 1001 of them",]
        );
    }

    #[test]
    fn a_plain_problem_is_one_line() {
        let (printer, written) = plain(PrinterOptions::default());
        let file = "a\n::error::b\u{1b}[2J".to_owned();
        printer.problems(&[Problem { file, ..input_error().problems.remove(1) }], &Content::default());
        assert_eq!(written.lines(), ["a ::error::b[2J:14:15: warning: -1 is not between 0 and 10000"]);
    }

    #[test]
    fn the_locale_tells_which_characters_there_are() {
        let locale =
            |variables: [&str; 3]| is_unicode(variables.map(|value| (value != "unset").then(|| OsString::from(value))));
        for (variables, unicode) in [
            (["unset", "unset", "en_US.UTF-8"], true),
            (["unset", "C.utf8", "C"], true),
            (["", "", "de_DE.UTF-8@euro"], true),
            (["POSIX", "en_US.UTF-8", "en_US.UTF-8"], false),
            (["unset", "de_DE.ISO-8859-1", "en_US.UTF-8"], false),
            (["unset", "unset", "C"], false),
            (["unset", "unset", "unset"], false),
        ] {
            assert_eq!(locale(variables), unicode, "{variables:?}");
        }
    }

    #[test]
    fn what_a_server_says_steers_no_terminal() {
        let (printer, written) = plain(PrinterOptions::default());
        printer.line("a\u{1b}]0;title\u{7}b\r");
        assert_eq!(written.lines(), ["a]0;titleb"]);
    }

    #[test]
    fn quiet_leaves_errors_and_data() {
        let (printer, written) = plain(PrinterOptions { quiet: true, verbose: true, color: None });
        printer.line("line");
        printer.detail("detail");
        printer.warning("warning");
        printer.hint("hint");
        printer.data("data").unwrap();
        printer.error(&Error::server("broken"));
        assert_eq!(written.lines(), ["error: broken"]);
        assert_eq!(*written.out.lock().unwrap(), b"data\n");
    }

    #[test]
    fn details_need_verbose() {
        let (printer, written) = plain(PrinterOptions::default());
        printer.detail("detail");
        printer.warning("careful");
        assert_eq!(written.lines(), ["warning: careful"]);
        let (printer, written) = plain(PrinterOptions { verbose: true, ..PrinterOptions::default() });
        printer.detail("detail");
        assert_eq!(written.lines(), ["detail"]);
    }

    #[test]
    fn text_is_as_wide_as_the_terminal() {
        for (columns, width) in [(Some(132), 132), (None, 80), (Some(7), 40)] {
            let environment = Environment { stdout_columns: columns, ..TERMINAL };
            assert_eq!(Written::default().printer(PrinterOptions::default(), environment).columns(), width);
        }
    }

    struct Broken(IoKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error_but_a_full_disk_is() {
        let printer = |kind| {
            let sink = || Arc::new(Mutex::new(Broken(kind)));
            Printer::to(sink(), sink(), PrinterOptions::default(), Environment::default())
        };
        printer(IoKind::BrokenPipe).data("x").unwrap();
        printer(IoKind::BrokenPipe).line("x");
        let error = printer(IoKind::StorageFull).data("x").unwrap_err();
        assert_eq!(
            (error.kind, error.what.as_str()),
            (ErrorKind::Server, "standard output can't be written: no storage space")
        );
    }

    #[test]
    fn without_a_terminal_a_confirmation_is_refused() {
        for environment in [
            Environment { stdin_is_terminal: false, ..TERMINAL },
            Environment { stderr_is_terminal: false, ..TERMINAL },
        ] {
            let error = Written::default().printer(PrinterOptions::default(), environment).confirm("Delete demo?");
            let expected = Error::refused("\"Delete demo?\" needs a confirmation and there is no terminal");
            assert_eq!(error, Err(expected.hint("run again with -y")));
        }
    }

    #[test]
    fn only_a_capable_terminal_that_may_be_told_is_live() {
        let live = |quiet, environment| {
            Written::default().printer(PrinterOptions { quiet, ..PrinterOptions::default() }, environment).is_live()
        };
        assert!(live(false, TERMINAL) && live(false, Environment { no_color: true, ..TERMINAL }));
        assert!(!live(true, TERMINAL) && !live(false, Environment { dumb: true, ..TERMINAL }));
        assert!(!live(false, Environment::default()));
    }

    #[test]
    fn a_result_is_the_flame_cluster_with_the_references_status() {
        let flame = FlameCluster {
            api_version: crate::flame::API_VERSION.to_owned(),
            kind: crate::flame::KIND.to_owned(),
            metadata: Metadata { name: "demo".to_owned(), namespace: Some("ml".to_owned()), ..Metadata::default() },
            spec: Spec {
                session_manager: SessionManager { image: "sm".to_owned(), ..SessionManager::default() },
                executor_manager: ExecutorManager { image: "em".to_owned(), ..ExecutorManager::default() },
                object_cache: Default::default(),
            },
        };
        let status = Status {
            session_manager: SessionManagerStatus { ready: 1, endpoint: "http://demo-session-manager:8080".to_owned() },
            executor_manager: ExecutorManagerStatus { replicas: 1, ready: 1 },
            state: ClusterState::Running,
            config_generation: 1,
            message: "All components healthy".to_owned(),
        };
        let document = flame_with_status(&flame, &status);
        assert_eq!(
            yaml(&[&document]).unwrap(),
            "apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: demo
  namespace: ml
spec:
  executorManager:
    image: em
    replicas: 1
  sessionManager:
    image: sm
status:
  configGeneration: 1
  executorManager:
    ready: 1
    replicas: 1
  message: All components healthy
  sessionManager:
    endpoint: http://demo-session-manager:8080
    ready: 1
  state: Running
"
        );
        assert_eq!(
            json(&list(vec![json!(1)])).unwrap().replace([' ', '\n'], ""),
            r#"{"apiVersion":"v1","items":[1],"kind":"List"}"#
        );
        assert_eq!(yaml(&[1, 2]).unwrap(), "1\n---\n2\n");
        assert_eq!(yaml(&["a\n\tb\n"]).unwrap(), "|\n  a\n  \tb\n");
        assert_eq!(yaml(&["\n\tb", "\ta\n"]).unwrap(), "\"\\n\\tb\"\n---\n\"\\ta\\n\"\n");
        let words = ["yes", "on", "n", "~", "1_000", "0777", "1:30", "2026-02-19", "=", "v1", "1.2.3"];
        let written = yaml(&words.map(|word| json!({ word: word }))).unwrap();
        assert_eq!(
            written.lines().filter(|line| *line != "---").collect::<Vec<_>>(),
            [
                "\"yes\": \"yes\"",
                "\"on\": \"on\"",
                "\"n\": \"n\"",
                "\"~\": \"~\"",
                "\"1_000\": \"1_000\"",
                "\"0777\": \"0777\"",
                "\"1:30\": \"1:30\"",
                "\"2026-02-19\": \"2026-02-19\"",
                "\"=\": \"=\"",
                "v1: v1",
                "\"1.2.3\": \"1.2.3\""
            ]
        );
        assert_eq!(resource_name("demo"), "flamecluster.flame.xflops.io/demo");
    }
}
