//! Text out: the only module that writes to the terminal. Data goes to stdout, everything else to stderr.
//!
//! Imports flame types, the terminal crates and serde. Nothing here sends a request or parses an argument.

pub mod progress;
pub mod table;
mod text;

use std::env;
use std::io::{self, ErrorKind as IoKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use console::{Key, Term};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind, Problem, Result, Severity};
use crate::flame::FlameCluster;
use crate::flame::state::Status;

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
        }
    }
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

    /// Tells problems of an input file that do not stop the command, as well as those that do.
    pub fn problems(&self, problems: &[Problem]) {
        for problem in problems {
            if problem.severity == Severity::Error || !self.options.quiet {
                self.problem(problem);
            }
        }
    }

    fn problem(&self, problem: &Problem) {
        self.to_stderr(&text::clean(&problem.to_string()));
        if let Some(hint) = &problem.hint {
            self.to_stderr(&format!("  {} {}", self.paint(Color::Cyan, "hint:"), text::clean(hint)));
        }
    }

    /// Tells what went wrong, where, and what to do.
    pub fn error(&self, error: &Error) {
        for problem in &error.problems {
            self.problem(problem);
        }
        self.labelled("error:", Color::Red, &error.what);
        for hint in &error.hints {
            self.labelled("hint:", Color::Cyan, hint);
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
        if !self.environment.stdin_is_terminal || !self.environment.stderr_is_terminal {
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
        let environment = &self.environment;
        let by_environment = environment.stderr_is_terminal && !environment.no_color && !environment.dumb;
        if !self.options.color.unwrap_or(by_environment) {
            return text.to_owned();
        }
        let code = match color {
            Color::Red => 31,
            Color::Yellow => 33,
            Color::Cyan => 36,
        };
        format!("\u{1b}[1;{code}m{text}\u{1b}[0m")
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
    serde_json::to_string_pretty(document).map_err(|error| Error::server(format!("JSON can't be written: {error}")))
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
    let value = serde_json::to_value(document).map_err(|error| failed(&error))?;
    // Which text becomes a block is decided here.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(&Yaml(&value), options).map_err(|error| failed(&error))
}

/// A value whose texts of several lines are written as they are, in literal blocks.
struct Yaml<'a>(&'a Value);

impl Serialize for Yaml<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            // A blank or a line end at the beginning confuses kubectl about the indentation.
            Value::String(text) if text.contains('\n') && !text.starts_with(char::is_whitespace) => {
                serde_saphyr::LitStr(text).serialize(serializer)
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Yaml)),
            Value::Object(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, Yaml(value)))),
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

    const TERMINAL: Environment =
        Environment { no_color: false, dumb: false, stdin_is_terminal: true, stderr_is_terminal: true };

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
        };
        Error::input("demo.yaml has 1 error; nothing was sent")
            .problems(vec![
                problem(Severity::Error, "spec.executorManager.replicas", Some("remove the line for the default, 1")),
                problem(Severity::Warning, "", None),
            ])
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
