//! A new file, from flags and from answers.

use std::fs;
use std::process::Stdio;

use insta::assert_snapshot;
use pty_process::blocking::Command;

use crate::Session;
use crate::terminal::Terminal;

/// The questions, in their order.
const QUESTIONS: [&str; 10] = [
    "Name",
    "Namespace",
    "Session manager image",
    "Session manager requests",
    "Session manager limits",
    "Slot",
    "Executor manager image",
    "Number of executor managers",
    "Executor manager requests",
    "Executor manager limits",
];

/// Every flag that answers a question, but for the name.
const FLAGS: &str = "-n ml --session-manager-image host:5000/flame-session:v2 --session-manager-requests cpu=2 \
    --session-manager-limits none --slot none --executor-manager-image host:5000/flame-executor:v2 --replicas 3 \
    --executor-manager-requests none --executor-manager-limits cpu=4,nvidia.com/gpu=1";

fn file(session: &Session, name: &str) -> Option<String> {
    fs::read_to_string(session.path().join(name)).ok()
}

#[test]
fn a_file_with_all_defaults_is_written_and_is_valid() {
    let session = Session::new();
    assert_snapshot!("written", session.run("init --name demo"));
    assert_snapshot!("default_file", file(&session, "flame.yaml").unwrap());
    let checked = session.run("validate --strict -f flame.yaml");
    assert_eq!(checked, "exit 0\n--- stdout\n--- stderr\nflame.yaml: no problems\n");
}

#[test]
fn every_flag_is_in_the_file_and_the_file_is_valid() {
    let session = Session::new();
    let output = session.run(&format!("init - --name demo -y {FLAGS}"));
    assert_snapshot!("all_flags", output);
    let text = output.split("--- stdout\n").nth(1).unwrap().split("--- stderr").next().unwrap();
    let checked = session.run_with_input("validate --strict -f -", text);
    assert_eq!(checked, "exit 0\n--- stdout\n--- stderr\n-: no problems\n");
}

#[test]
fn the_directory_names_the_flame() {
    let session = Session::new();
    let folder = session.path().join("My_Project.2");
    fs::create_dir(&folder).unwrap();
    let mut command = session.command("init");
    command.current_dir(&folder);
    session.outcome(command, "");
    let text = fs::read_to_string(folder.join("flame.yaml")).unwrap();
    assert!(text.contains("\n  name: my-project-2\n"), "{text}");
}

#[test]
fn a_file_that_is_there_is_left_as_it_is() {
    let session = Session::new().file("flame.yaml", "mine");
    assert_snapshot!("taken", session.run("init --name demo"));
    assert_eq!(file(&session, "flame.yaml").as_deref(), Some("mine"));
    std::os::unix::fs::symlink("elsewhere", session.path().join("link.yaml")).unwrap();
    assert_snapshot!("taken_by_a_link", session.run("init link.yaml"));
    assert_eq!(file(&session, "elsewhere"), None);
}

#[test]
fn a_place_that_takes_no_file_is_told() {
    let session = Session::new().file("file", "");
    assert_snapshot!("no_directory", session.run("init no/such/demo.yaml"));
    assert_snapshot!("a_directory", session.run("init ."));
    assert_snapshot!("below_a_file", session.run("init file/demo.yaml"));
}

#[test]
fn bad_values_of_flags_are_told_in_the_readers_words() {
    let session = Session::new();
    let bad = [
        "--name My_Flame",
        "--namespace Ml",
        "--session-manager-image Xflops/a:",
        "--replicas -1",
        "--replicas 1e2",
        "--slot cpu=1",
        "--session-manager-requests cpu=1core,gpu=1,cpu",
        "--executor-manager-requests cpu=2,nvidia.com/gpu=1 --executor-manager-limits cpu=1",
        "--session-manager-image a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ];
    let outputs = bad.map(|flags| format!("$ init {flags}\n{}", session.run(&format!("init {flags}"))));
    assert_snapshot!("bad_flags", outputs.join("\n"));
    assert_eq!(file(&session, "flame.yaml"), None);
}

#[test]
fn an_answer_that_deserves_it_brings_a_warning() {
    let session = Session::new();
    assert_snapshot!("warning", session.run("init --name demo --replicas 0"));
}

#[test]
fn enter_takes_the_defaults_that_no_terminal_means_too() {
    let session = Session::new();
    let mut terminal = Terminal::start(&session, "init asked.yaml");
    for question in QUESTIONS {
        terminal.answer(question, "");
    }
    let screen = terminal.end();
    assert!(screen.starts_with("exit 0\n") && screen.contains("asked.yaml was written\n"), "{screen}");
    session.run("init unasked.yaml");
    assert_eq!(file(&session, "asked.yaml").unwrap(), file(&session, "unasked.yaml").unwrap());
}

#[test]
fn a_bad_answer_is_told_and_asked_again() {
    let session = Session::new();
    let mut terminal = Terminal::start(&session, "init --name demo");
    for (question, answer) in [
        ("Namespace", "Ml"),
        ("Namespace", "ml"),
        ("Session manager image", "host:5000/flame-session:v2"),
        ("Session manager requests", "cpu=1GB"),
        ("Session manager requests", "cpu=2"),
        ("Session manager limits", "cpu=1"),
        ("Session manager limits", ""),
        ("Slot", "cpu=1"),
        ("Slot", "none"),
        ("Executor manager image", ""),
        ("Number of executor managers", "many"),
        ("Number of executor managers", "3"),
        ("Executor manager requests", "none"),
        ("Executor manager limits", ""),
    ] {
        terminal.answer(question, answer);
    }
    assert_snapshot!("asked", terminal.end());
    assert_snapshot!("asked_file", file(&session, "flame.yaml").unwrap());
}

#[test]
fn what_is_given_is_not_asked() {
    let session = Session::new();
    let given = Terminal::start(&session, &format!("init given.yaml --name demo {FLAGS}")).end();
    assert_eq!(
        given,
        "exit 0\n--- screen\ngiven.yaml was written\nhint: flamectl up -f given.yaml creates the flame\n"
    );
    let yes = Terminal::start(&session, "init yes.yaml -y").end();
    assert_eq!(yes, "exit 0\n--- screen\nyes.yaml was written\nhint: flamectl up -f yes.yaml creates the flame\n");
}

#[test]
fn the_namespace_of_the_kubeconfigs_context_is_proposed() {
    let config = "{current-context: a, contexts: [{name: a, context: {cluster: c, user: u, namespace: ml}}, \
                  {name: b, context: {cluster: c, user: u, namespace: web}}]}";
    let session = Session::new().file("config", config);
    for (flags, question) in [
        ("--kubeconfig config", "Namespace, or none [ml]: "),
        ("--kubeconfig config --context b", "Namespace, or none [web]: "),
        ("--kubeconfig config --context other", "Namespace, or none [none]: "),
        ("--kubeconfig nowhere", "Namespace, or none [none]: "),
    ] {
        let mut terminal = Terminal::start(&session, &format!("init --name demo {flags}"));
        terminal.wait_for(question);
        terminal.type_keys("\u{4}");
        assert!(terminal.end().starts_with("exit 130\n"), "{flags}");
    }
}

#[test]
fn ctrl_c_and_ctrl_d_leave_no_file_and_the_terminal_as_it_was() {
    for (typed, end, echo) in [("", "\u{3}", "^C"), ("", "\u{4}", ""), ("my-fl", "\u{3}", "my-fl^C")] {
        let session = Session::new();
        let mut terminal = Terminal::start(&session, "init --name demo");
        terminal.answer("Namespace", "ml");
        terminal.wait_for("Session manager image [xflops/flame-session:v0.1.0]: ");
        if !typed.is_empty() {
            terminal.type_keys(typed);
            terminal.wait_for(typed);
        }
        terminal.type_keys(end);
        let screen = terminal.end();
        let expected = format!(
            "exit 130\n--- screen\n\
             Enter takes what stands in brackets. Ctrl-C ends this, and nothing is written.\n\
             Namespace, or none [none]: ml\n\
             Session manager image [xflops/flame-session:v0.1.0]: {echo}\n\
             error: interrupted; nothing was written\n"
        );
        assert_eq!(screen, expected);
        assert_eq!(file(&session, "flame.yaml"), None);
    }
}

#[test]
fn a_file_that_appears_meanwhile_is_left_as_it_is() {
    let session = Session::new();
    let mut terminal = Terminal::start(&session, "init");
    for question in QUESTIONS {
        terminal.wait_for(question);
        fs::write(session.path().join("flame.yaml"), "mine").unwrap();
        terminal.type_keys("\r");
    }
    let screen = terminal.end();
    assert!(screen.starts_with("exit 5\n"), "{screen}");
    assert_eq!(file(&session, "flame.yaml").as_deref(), Some("mine"));
}

#[test]
fn on_standard_output_there_is_nothing_but_the_file() {
    let session = Session::new();
    let out = fs::File::create(session.path().join("out")).unwrap();
    let command = Command::from(session.command("init -")).stdout(Stdio::from(out));
    let mut terminal = Terminal::spawn(command);
    for question in QUESTIONS {
        terminal.answer(question, "");
    }
    assert!(terminal.end().starts_with("exit 0\n"));
    session.run("init");
    assert_eq!(file(&session, "out"), file(&session, "flame.yaml"));
    assert!(file(&session, "out").is_some());
}
