use super::*;

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

pub(crate) const TERMINAL: Environment = Environment {
    no_color: false,
    dumb: false,
    ci: false,
    unicode: true,
    stdin_is_terminal: true,
    stdout_is_terminal: true,
    stderr_is_terminal: true,
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
                problem(Severity::Error, "spec.executorManager.replicas", Some("remove the line for the default, 1")),
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
    let findings = [(Severity::Error, Some("raise it")), (Severity::Warning, None)].map(|(severity, hint)| Finding {
        severity,
        message: "it is small".to_owned(),
        hint: hint.map(str::to_owned),
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
        written.printer(PrinterOptions { color, ..PrinterOptions::default() }, environment).error(&Error::server("x"));
        let expected = if colored { "\u{1b}[1;31merror:\u{1b}[0m x" } else { "error: x" };
        assert_eq!(written.lines(), [expected], "{color:?} {environment:?}");
    }
}

#[test]
fn a_terminal_gets_lines_of_its_width_and_a_log_one_for_each() {
    let narrow = Environment { width: Some(40), stdout_columns: Some(40), ..TERMINAL };
    let what = "demo cannot get ready: executor 0: Error: exit code 1";
    let whole = format!("error: {what}");
    let broken = ["error: demo cannot get ready: executor", "    0: Error: exit code 1"];
    for (environment, expected) in [
        (narrow, &broken[..]),
        (Environment { dumb: true, ..narrow }, &broken),
        (TERMINAL, &[whole.as_str()]),
        (Environment { ci: true, ..narrow }, &[&whole]),
        (Environment { stderr_is_terminal: false, ..narrow }, &[&whole]),
        (Environment { width: Some(39), ..narrow }, &[&whole]),
    ] {
        let written = Written::default();
        let options = PrinterOptions { color: Some(false), ..PrinterOptions::default() };
        written.printer(options, environment).error(&Error::server(what));
        assert_eq!(written.lines(), expected, "{environment:?}");
    }
    let table = "demo   default     Running   All components healthy";
    for (environment, expected) in [
        (narrow, "demo   default     Running\n    All components healthy\n"),
        (Environment { stdout_is_terminal: false, ..narrow }, "demo   default     Running   All components healthy\n"),
    ] {
        let written = Written::default();
        written.printer(PrinterOptions::default(), environment).text(table).unwrap();
        assert_eq!(String::from_utf8_lossy(&written.out.lock().unwrap()), expected);
    }
}

#[test]
fn a_gap_is_for_people_at_a_terminal() {
    for (options, environment, expected) in [
        (PrinterOptions::default(), TERMINAL, &[""][..]),
        (PrinterOptions { quiet: true, ..PrinterOptions::default() }, TERMINAL, &[]),
        (PrinterOptions { progress: Some(ProgressMode::Json), ..PrinterOptions::default() }, TERMINAL, &[]),
        (PrinterOptions::default(), Environment::default(), &[]),
    ] {
        let written = Written::default();
        written.printer(options, environment).gap();
        assert_eq!(written.lines(), expected);
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
    let locale = |variables: [&str; 3]| is_utf8(variables.map(|value| (value != "unset").then(|| value.to_owned())));
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
    let (printer, written) = plain(PrinterOptions { quiet: true, verbose: true, ..PrinterOptions::default() });
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
    assert!(!printer(IoKind::BrokenPipe).stream(b"x").unwrap());
    printer(IoKind::BrokenPipe).line("x");
    let error = printer(IoKind::StorageFull).data("x").unwrap_err();
    assert_eq!(
        (error.kind, error.what.as_str()),
        (ErrorKind::Server, "standard output can't be written: no storage space")
    );
}

#[test]
fn without_a_terminal_a_confirmation_is_refused() {
    for environment in
        [Environment { stdin_is_terminal: false, ..TERMINAL }, Environment { stderr_is_terminal: false, ..TERMINAL }]
    {
        let error = Written::default().printer(PrinterOptions::default(), environment).confirm("Delete demo?");
        let expected = Error::refused("\"Delete demo?\" needs a confirmation and there is no terminal");
        assert_eq!(error, Err(expected.hint("run again with -y")));
    }
}

#[test]
fn progress_is_shown_as_asked_for_as_far_as_the_terminal_can() {
    use ProgressMode::{Json, Live, None as Nothing, Plain};
    let terminal = TERMINAL;
    let dumb = Environment { dumb: true, ..TERMINAL };
    let ci = Environment { ci: true, ..TERMINAL };
    let pipe = Environment { stderr_is_terminal: false, ..TERMINAL };
    for (asked, quiet, expected) in [
        (None, false, [Live, Plain, Plain, Plain]),
        (Some(Live), false, [Live, Plain, Live, Plain]),
        (Some(Plain), false, [Plain; 4]),
        (Some(Json), false, [Json; 4]),
        (Some(Nothing), false, [Nothing; 4]),
        (None, true, [Nothing; 4]),
        (Some(Json), true, [Nothing; 4]),
    ] {
        let options = PrinterOptions { quiet, progress: asked, ..PrinterOptions::default() };
        let mode = |environment| Written::default().printer(options, environment).progress_mode();
        assert_eq!([terminal, dumb, ci, pipe].map(mode), expected, "{asked:?}, quiet {quiet}");
    }
}

#[test]
fn the_first_locale_variable_that_says_something_decides_on_unicode() {
    let is = |variables: [&str; 3]| is_utf8(variables.map(|value| Some(value.to_owned())));
    assert!(is(["", "", "de_DE.UTF-8"]) && is(["C.utf8", "C", "C"]) && is(["", "sr_RS.UTF-8@latin", ""]));
    assert!(!is(["C", "de_DE.UTF-8", "de_DE.UTF-8"]) && !is(["", "de_DE.ISO-8859-1", "de_DE.UTF-8"]));
    assert!(!is(["", "", "de_DE"]) && !is_utf8([None, None, None]));
}

#[test]
fn symbols_are_ascii_where_the_locale_knows_no_others_but_data_is_never_touched() {
    let written = Written::default();
    let ascii = written.printer(PrinterOptions::default(), Environment::default());
    ascii.line("image a → b…");
    ascii.text("0…9").unwrap();
    ascii.data("0…9").unwrap();
    assert_eq!(written.lines(), ["image a -> b..."]);
    assert_eq!(String::from_utf8(written.out.lock().unwrap().clone()).unwrap(), "0...9\n0…9\n");
}

#[test]
fn with_json_progress_every_line_on_stderr_is_an_object() {
    let written = Written::default();
    let options = PrinterOptions { progress: Some(ProgressMode::Json), verbose: true, ..PrinterOptions::default() };
    let printer = written.printer(options, TERMINAL).with_clock(|| Duration::from_millis(1_234));
    printer.line("a\nb");
    printer.warning("careful");
    printer.hint("next");
    printer.error(&input_error());
    printer.usage("error: unexpected\n");
    printer.request("GET", "/api/v1/pods?limit=1", Some(200), Duration::from_millis(12));
    printer.request("GET", "/api/v1/pods", None, Duration::from_secs(30));
    let refused = printer.confirm("Go on?").unwrap_err();
    assert_eq!(refused.what, "\"Go on?\" needs a confirmation, and --progress=json leaves no room for the question");
    assert_eq!(
        written.lines(),
        [
            r#"{"event":"note","message":"a\nb","time":1.234,"version":1}"#,
            r#"{"event":"warning","message":"careful","time":1.234,"version":1}"#,
            r#"{"event":"hint","message":"next","time":1.234,"version":1}"#,
            r#"{"column":15,"event":"problem","file":"demo.yaml","hint":"remove the line for the default, 1","line":14,"message":"-1 is not between 0 and 10000","path":"spec.executorManager.replicas","severity":"error","time":1.234,"version":1}"#,
            r#"{"column":15,"event":"problem","file":"demo.yaml","hint":null,"line":14,"message":"-1 is not between 0 and 10000","path":"","severity":"warning","time":1.234,"version":1}"#,
            r#"{"event":"error","hints":["see flamectl validate"],"kind":"input","message":"demo.yaml has 1 error; nothing was sent","time":1.234,"version":1}"#,
            r#"{"event":"error","hints":[],"kind":"input","message":"error: unexpected","time":1.234,"version":1}"#,
            r#"{"event":"request","method":"GET","path":"/api/v1/pods?limit=1","seconds":0.012,"status":200,"time":1.234,"version":1}"#,
            r#"{"event":"request","method":"GET","path":"/api/v1/pods","seconds":30.0,"status":null,"time":1.234,"version":1}"#,
        ]
    );
}

#[test]
fn requests_are_told_to_those_who_ask() {
    let (printer, written) = plain(PrinterOptions { verbose: true, ..PrinterOptions::default() });
    printer.request("PATCH", "/api/v1/namespaces/ml/pods/demo", Some(201), Duration::from_millis(12));
    printer.request("GET", "/version", None, Duration::from_secs(30));
    assert_eq!(written.lines(), ["PATCH /api/v1/namespaces/ml/pods/demo 201 12ms", "GET /version no answer 30000ms"]);
    let (printer, written) = plain(PrinterOptions::default());
    printer.request("GET", "/version", Some(200), Duration::ZERO);
    assert_eq!(written.lines(), Vec::<String>::new());
}
