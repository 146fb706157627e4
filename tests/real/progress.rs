//! What people and programs see while they wait, and what is left of it.

use std::process::Command;

use serde_json::{Value, json};

use crate::bed::{Namespace, Ran, namespace};
use crate::flames::{demo, edited, images};
use crate::schemas;
use crate::terminal::{OnTerminal, Screen};

/// The sizes that people have.
const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

fn terminal(space: &Namespace<'_>, args: &[&str]) -> Command {
    let mut command = space.command(args);
    command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
    command
}

impl Screen {
    /// Checks that nothing of a display is left, and that the terminal is as it was.
    #[track_caller]
    fn is_clean(&self) {
        let screen = self.rows.join("\n");
        for rest in ["elapsed", "[█", "░", "slowest", "\u{1b}"] {
            assert!(!screen.contains(rest), "{rest:?} is left:\n{screen}");
        }
        assert!(self.cursor_is_visible && !self.written.contains("\u{1b}[?25l"), "the cursor was hidden");
        assert_eq!(self.written.matches("\u{1b}[?7l").count(), self.written.matches("\u{1b}[?7h").count());
    }
}

#[test]
fn a_display_leaves_nothing_behind() {
    for (columns, rows) in SIZES {
        let space = namespace();
        let file = space.file("flame.yaml", &demo(3));
        let up = OnTerminal::start(terminal(&space, &["up", "-f", &file]), columns, rows).end();
        assert_eq!(up.code, Some(0), "{}", up.rows.join("\n"));
        assert!(up.written.contains("elapsed, ") && up.written.contains("/3 ready"), "{}", up.written);
        up.is_clean();
        assert!(up.rows.iter().any(|row| row.starts_with("PHASE       SESSION-MANAGER   MEDIAN EXECUTOR   SLOWEST (")));
        let down = OnTerminal::start(terminal(&space, &["down", "demo", "-y"]), columns, rows).end();
        assert_eq!(down.code, Some(0), "{}", down.rows.join("\n"));
        assert!(down.written.contains("taking demo down"), "{}", down.written);
        down.is_clean();
        assert_eq!(down.rows.last().unwrap(), "demo is gone");
    }
}

#[test]
fn a_display_is_gone_when_a_command_fails() {
    for (columns, rows) in SIZES {
        let space = namespace();
        let file = space.file("flame.yaml", &edited(&demo(3), "em:v1", "bad/em:v1"));
        let args = ["up", "-f", &file, "--timeout=6s"];
        let mut up = OnTerminal::start(terminal(&space, &args), columns, rows);
        up.until_shows("0/3 ready, 3 without image");
        up.until_shows("gives up in ");
        let up = up.end();
        assert_eq!(up.code, Some(3), "{}", up.rows.join("\n"));
        up.is_clean();
        assert!(up.rows.iter().any(|row| row.starts_with("error: demo is not ready after 6s")), "{:#?}", up.rows);
    }
}

#[test]
fn a_display_is_gone_after_ctrl_c_and_after_a_resize() {
    let space = namespace();
    let file = space.file("flame.yaml", &images("sm:v1", "notready/em:v1"));
    let mut up = OnTerminal::start(terminal(&space, &["up", "-f", &file]), 200, 50);
    up.until_shows("0/2 ready, 2 starting");
    let line = |bar| format!("  executors        [{}]  0/2 ready, 2 starting", "░".repeat(bar));
    for (columns, rows, line) in
        [(80, 24, line(10)), (30, 24, "  executors  0/2 ready,".to_owned()), (100, 40, line(20))]
    {
        up.resize(columns, rows);
        up.until_shows(&line);
        let titles = up.rows().iter().filter(|row| row.starts_with("demo  ")).count();
        assert_eq!(titles, 1, "{:#?}", up.rows());
    }
    up.interrupt();
    let up = up.end();
    assert_eq!(up.code, Some(130), "{}", up.rows.join("\n"));
    up.is_clean();
    let said = up.rows.iter().find(|row| row.starts_with("error: ")).unwrap();
    let expected =
        "error: interrupted: demo is left as it is, 0 of 2 executors ready, everything was sent; 2 Pods move";
    assert_eq!(said, expected, "the terminal wraps what follows");
}

#[test]
fn a_dumb_terminal_and_a_log_get_lines_without_escapes() {
    let space = namespace();
    let file = space.file("flame.yaml", &demo(2));
    for (name, value) in [("TERM", "dumb"), ("CI", "true")] {
        let mut command = terminal(&space, &["up", "-f", &file, "--color=never"]);
        command.env(name, value);
        let up = OnTerminal::start(command, 80, 24).end();
        assert_eq!(up.code, Some(0));
        assert!(!up.written.contains('\u{1b}'), "{name}: {:?}", up.written);
        assert!(up.written.contains("created Pod demo-session-manager\r\n"), "{name}: {}", up.written);
        space.flamectl(&["down", "demo", "-y"]).exits(0);
    }
}

#[test]
fn without_a_utf8_locale_a_display_is_ascii() {
    let space = namespace();
    let file = space.file("flame.yaml", &demo(12));
    let mut command = terminal(&space, &["up", "-f", &file]);
    command.env("LC_ALL", "C");
    let up = OnTerminal::start(command, 80, 24).end();
    assert_eq!(up.code, Some(0));
    assert!(up.written.contains("[##########]") && up.written.is_ascii(), "{}", up.written);
}

/// Returns what is on stderr, each line an object with the fields that all have.
#[track_caller]
fn events(ran: &Ran) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line:?}\n{ran}"));
    let events: Vec<Value> = ran.stderr.lines().map(parse).collect();
    for event in &events {
        schemas::check("progress", event);
        assert_eq!(event["version"], 1, "{event}");
        assert!(event["time"].is_f64() && event["event"].is_string(), "{event}");
    }
    events
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    kinds.dedup();
    kinds
}

#[test]
fn with_json_progress_stderr_is_json_from_the_first_line_to_the_last() {
    let space = namespace();
    let file = space.file("flame.yaml", &demo(2));
    let up = space.flamectl(&["up", "-f", &file, "--progress=json"]).exits(0).prints("Running");
    let told = events(&up);
    assert_eq!(told[0]["event"], "plan");
    assert_eq!(told[0]["create"], 6);
    assert_eq!(kinds(&told).last(), Some(&"timeline"));
    let wrote: Vec<&str> =
        told.iter().filter(|it| it["event"] == "wrote").map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(wrote.len(), 6, "{wrote:?}");
    let last = told.iter().rfind(|event| event["event"] == "progress").unwrap();
    assert_eq!((&last["executors"]["ready"], &last["replicas"], &last["toDo"]), (&json!(2), &json!(2), &json!(0)));

    let bad = space.file("bad.yaml", &edited(&demo(2), "em:v1", "bad/em:v9"));
    let failed = space.flamectl(&["up", "-f", &bad, "--progress=json", "-v", "-y", "--timeout=6s"]).exits(3);
    let told = events(&failed);
    for kind in ["plan", "request", "note", "wrote", "wave", "cause", "progress", "error"] {
        assert!(kinds(&told).contains(&kind), "there is no {kind}: {failed}");
    }
    let error = told.iter().find(|event| event["event"] == "error").unwrap();
    assert_eq!(error["kind"], "timeout");

    let unasked = events(&space.flamectl(&["down", "demo", "--progress=json"]).exits(5));
    assert_eq!(unasked.last().unwrap()["kind"], "refused");
    let wrong = space.file("wrong.yaml", "kind: FlameCluster\n");
    let wrong = events(&space.flamectl(&["up", "-f", &wrong, "--progress=json"]).exits(2));
    assert_eq!(wrong[0]["event"], "problem");
    assert_eq!(events(&space.flamectl(&["up", "--progress=json"]).exits(2))[0]["kind"], "input");
}

#[test]
fn no_progress_is_silence_but_for_errors() {
    let space = namespace();
    let file = space.file("flame.yaml", &demo(1));
    for silent in ["--progress=none", "-q"] {
        let up = space.flamectl(&["up", "-f", &file, silent]).exits(0).prints("Running");
        assert_eq!(up.stderr, "", "{silent}");
        let down = space.flamectl(&["down", "demo", silent]).exits(5);
        assert!(down.stderr.starts_with("error: "), "{down}");
        assert_eq!(space.flamectl(&["down", "demo", silent, "-y"]).exits(0).stderr, "", "{silent}");
    }
}

#[test]
fn each_request_is_told_with_its_status_and_time() {
    let space = namespace();
    let file = space.file("flame.yaml", &demo(1));
    let up = space.flamectl(&["up", "-f", &file, "-v"]).exits(0);
    let path = format!("/api/v1/namespaces/{}/", space.name);
    let requests: Vec<&str> = up.stderr.lines().filter(|line| line.ends_with("ms") && line.contains(" /")).collect();
    let record = format!("PATCH {path}configmaps/demo-config?fieldManager=flamectl 201 ");
    assert_eq!(requests.iter().filter(|line| line.starts_with(&record)).count(), 1, "{up}");
    let watches = requests.iter().filter(|line| line.starts_with("GET ") && line.contains("watch=true"));
    assert_eq!(watches.count(), 3, "{up}");
    let last = up.stderr.lines().last().unwrap().to_owned();
    assert!(last.starts_with(&format!("{} requests, 5 of them writes, ", requests.len())), "{up}");
    let token = std::fs::read_to_string(space.bed.kubeconfig()).unwrap();
    let secrets: Vec<&str> = token.lines().filter_map(|line| line.trim().strip_prefix("token: ")).collect();
    assert!(secrets.iter().all(|secret| !up.stderr.contains(secret)), "{up}");
    space.flamectl(&["up", "-f", &file, "-v"]).exits(0).says(" requests, 0 of them writes, ");
}

#[test]
fn the_result_tells_how_long_the_start_took_only_where_pods_were_made() {
    let space = namespace();
    let file = space.file("flame.yaml", &demo(3));
    let result = |args: &[&str]| -> Value {
        let up = space.flamectl(&[&["up", "-f", &file, "-o", "json"], args].concat()).exits(0);
        serde_json::from_str(&up.stdout).unwrap()
    };
    let timeline = result(&[])["timeline"].take();
    assert_eq!(timeline["executors"]["count"], 3);
    for start in [&timeline["sessionManager"], &timeline["executors"]["median"], &timeline["executors"]["slowest"]] {
        let of = |phase: &str| start[phase].as_f64().unwrap_or_else(|| panic!("no {phase}: {timeline:#}"));
        let sum: f64 = ["applied", "scheduled", "image", "started", "ready"].map(of).iter().sum();
        assert!(sum > 0.0 && (sum - of("total")).abs() < 0.001, "{timeline:#}");
    }
    let slowest = timeline["executors"]["slowest"]["total"].as_f64();
    assert!(slowest >= timeline["executors"]["median"]["total"].as_f64());
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&result(&[])), ["apiVersion", "kind", "metadata", "spec", "status"]);
    let file = space.file("flame.yaml", &demo(4));
    let up = space.flamectl(&["up", "-f", &file]).exits(0);
    up.says("PHASE       MEDIAN EXECUTOR   SLOWEST (executor 3)\n");
}
