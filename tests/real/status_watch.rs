//! `status --watch`: a row or a document a change, a display on a terminal, and no claim while the server cannot be asked.

use std::process::Command;

use serde_json::Value;

use crate::bed::{Bed, Namespace, namespace};
use crate::flames::{DEMO, demo, edited};
use crate::running::Running;
use crate::schemas;
use crate::terminal::OnTerminal;

const INTERRUPTED: Option<i32> = Some(130);

fn terminal(space: &Namespace<'_>, args: &[&str], term: &str) -> Command {
    let mut command = space.command(args);
    command.env("TERM", term).env("LANG", "C.UTF-8");
    command
}

#[test]
fn a_watch_of_one_flame_is_a_row_a_change_until_it_is_interrupted() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let mut watch = Running::start_with_data(space.command(&["status", "demo", "-w"]));
    watch.until_says("All components healthy");
    space.flamectl(&["scale", "demo", "--replicas=3", "-y"]).exits(0);
    watch.until_says("3/3");
    space.kubectl(&["delete", "pod", "demo-session-manager"]);
    watch.until_says("Pending");
    space.flamectl(&["down", "demo", "-y"]).exits(0);
    watch.until_says("demo is gone");
    watch.signal("INT");
    let (code, said, _) = watch.end();
    assert_eq!(code, INTERRUPTED, "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let header = ["NAME", "NAMESPACE", "STATE", "SESSION-MANAGER", "EXECUTORS", "CONFIG", "MESSAGE"];
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), header, "{said}");
    assert!(lines.windows(2).all(|two| two[0] != two[1]), "a row without a change:\n{said}");
}

#[test]
fn a_watch_of_flames_shows_those_that_come_and_go_and_only_the_selected() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let args = ["status", "-A", "-w", "-l", "example.com/watched"];
    let mut watch = Running::start_with_data(space.command(&args));
    watch.until_says("no flames found in any namespace with labels example.com/watched");
    let labels = "name: other\n  labels: { example.com/watched: \"yes\" }";
    space.up(&edited(DEMO, "name: demo", labels)).exits(0);
    let row = watch.until_says("2/2");
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[..5], [&space.name, "other", "Running", "1/1", "2/2"], "{row}");
    space.flamectl(&["down", "other", "-y"]).exits(0);
    watch.until_says(&format!("{}/other is gone", space.name));
    watch.signal("INT");
    let (code, said, _) = watch.end();
    assert_eq!(code, INTERRUPTED);
    assert!(!said.contains("demo"), "{said}");
}

#[test]
fn programs_get_a_document_a_change() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let mut watch = Running::start_with_data(space.command(&["status", "-w", "-o", "json"]));
    let mut until = |ready: u32| -> Value {
        let line = watch.until_says(&format!(r#""executorManager":{{"ready":{ready},"#));
        let document = serde_json::from_str(&line).unwrap();
        schemas::check("status", &document);
        document
    };
    assert_eq!(until(2)["status"]["state"], "Running");
    space.flamectl(&["scale", "demo", "--replicas=1", "-y"]).exits(0);
    assert_eq!(until(1)["spec"]["executorManager"]["replicas"], 1);
    let mut template = Running::start_with_data(space.command(&[
        "status",
        "demo",
        "-w",
        "-o",
        r#"jsonpath={.metadata.name} {.status.executorManager.ready}{"\n"}"#,
    ]));
    template.until_says("demo 1");
    space.flamectl(&["scale", "demo", "--replicas=2", "-y"]).exits(0);
    template.until_says("demo 2");
    until(2);
}

/// The server dies and comes back; nobody says Running in between.
#[test]
fn while_the_server_cannot_be_asked_nothing_is_claimed() {
    let bed = Bed::start("status").unwrap();
    let space = bed.namespace();
    space.up(DEMO).exits(0);
    let mut watch = Running::start_with_data(space.command(&["status", "demo", "-w"]));
    watch.until_says("All components healthy");
    let mut documents = Running::start_with_data(space.command(&["status", "demo", "-w", "-o", "json"]));
    documents.until_says("Running");
    let mut screen = OnTerminal::start(terminal(&space, &["status", "demo", "-w"], "xterm-256color"), 120, 24);
    screen.until_shows("All components healthy");
    bed.verb("stop-apiserver");
    let row = watch.until_says("last seen ");
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[2..5], ["Unknown", "?/1", "?/2"], "{row}");
    assert!(row.contains(" ago: "), "{row}");
    documents.until_says("warning: the server cannot be asked: last seen ");
    screen.until_shows("Unknown");
    screen.until_shows("last seen ");
    assert!(!screen.rows().join("\n").contains("All components healthy"), "{:#?}", screen.rows());
    // A plain one is an error.
    let error = space.flamectl(&["status", "demo", "--request-timeout=2s"]).exits(1);
    assert_eq!(error.stdout, "", "{error}");
    bed.verb("start-apiserver");
    let row = watch.until_says("All components healthy");
    assert_eq!(row.split_whitespace().nth(2), Some("Running"), "{row}");
    documents.until_says("the server answers again");
    screen.until_shows("All components healthy");
    watch.signal("INT");
    let (code, said, _) = watch.end();
    assert_eq!(code, INTERRUPTED);
    // From the first row of the trouble to the last no row says more than Unknown.
    let states: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    let first = states.iter().position(|state| *state == "Unknown").unwrap();
    let last = states.iter().rposition(|state| *state == "Unknown").unwrap();
    assert!(states[first..=last].iter().all(|state| *state == "Unknown"), "{said}");
}

/// A server that hangs says nothing, which is no proof that all is well.
#[test]
fn a_server_that_hangs_is_noticed() {
    let bed = Bed::start("hangs").unwrap();
    let space = bed.namespace();
    space.up(DEMO).exits(0);
    let mut watch = Running::start_with_data(space.command(&["status", "demo", "-w"]));
    watch.until_says("All components healthy");
    // What comes by the watch shows that its connection is made; without one another fault would be told.
    space.flamectl(&["scale", "demo", "--replicas=3", "-y"]).exits(0);
    watch.until_says("3/3");
    let pid = std::fs::read_to_string(bed.dir.join("run/pids/kube-apiserver")).unwrap();
    let pid = pid.split_whitespace().next().unwrap().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let row = watch.until_says("last seen ");
    assert_eq!(row.split_whitespace().nth(2), Some("Unknown"), "{row}");
    // It depends on whether the watch was open already.
    assert!(row.contains("the watch said nothing for 20 s") || row.contains("opened no stream"), "{row}");
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    watch.until_says("All components healthy");
    watch.signal("INT");
    assert_eq!(watch.end().0, INTERRUPTED);
}

#[test]
fn on_a_terminal_it_is_one_display_and_its_last_state_stays() {
    let space = namespace();
    space.up(&demo(3)).exits(0);
    for (columns, rows) in [(80, 24), (200, 50)] {
        let args = ["status", "demo", "-w", "-o", "wide"];
        let mut watch = OnTerminal::start(terminal(&space, &args, "xterm-256color"), columns, rows);
        watch.until_shows("demo-executor-manager-2");
        let shown = watch.rows();
        assert_eq!(shown.iter().filter(|row| row.starts_with("NAME ")).count(), 2, "{shown:#?}");
        watch.resize(40, 24);
        watch.until_shows("demo-executor-manager-2");
        watch.resize(columns, rows);
        watch.interrupt();
        let ended = watch.end();
        assert_eq!(ended.code, INTERRUPTED);
        assert!(ended.cursor_is_visible);
        assert_eq!(ended.rows.iter().filter(|row| row.starts_with("demo-executor-manager-2")).count(), 1);
    }
}

#[test]
fn a_dumb_terminal_gets_rows() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let mut watch = OnTerminal::start(terminal(&space, &["status", "demo", "-w"], "dumb"), 200, 50);
    watch.until_shows("All components healthy");
    space.flamectl(&["scale", "demo", "--replicas=3", "-y"]).exits(0);
    watch.until_shows("3/3");
    watch.interrupt();
    let ended = watch.end();
    assert_eq!(ended.code, INTERRUPTED);
    assert!(!ended.written.contains('\u{1b}'), "{}", ended.written);
    assert!(ended.rows.len() >= 3, "{:#?}", ended.rows);
}

#[test]
fn what_is_not_there_cannot_be_watched() {
    let space = namespace();
    space.flamectl(&["status", "demo", "-w"]).exits(1).says("there is no flame demo");
}
