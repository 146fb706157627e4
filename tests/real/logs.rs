//! `logs`: byte for byte what containers write, whose it is, and nothing lost or doubled however streams break.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::bed::{Bed, Namespace, Ran, namespace, uids};
use crate::flames::{DEMO, demo, edited, executor, images};
use crate::running::Running;

/// A log that a test writes.
struct Log(String);

impl Log {
    /// Makes an empty one.
    fn new(space: &Namespace<'_>, name: &str) -> Self {
        Self(space.file(name, ""))
    }

    /// Writes a line as of now.
    fn write(&self, text: impl AsRef<[u8]>) {
        let now = jiff::Timestamp::now();
        self.write_at(&format!("{now:.9}"), text);
    }

    fn write_at(&self, time: &str, text: impl AsRef<[u8]>) {
        let line = [format!("{time} stdout F ").as_bytes(), text.as_ref(), b"\n"].concat();
        OpenOptions::new().append(true).open(&self.0).unwrap().write_all(&line).unwrap();
    }

    /// Becomes the log of a Pod, whichever has the name.
    #[track_caller]
    fn is_of(&self, space: &Namespace<'_>, pod: &str) {
        self.is_of_with(space, pod, self);
    }

    /// Becomes the log of a Pod, and `previous` that of its ended container. The nodes learn of it a moment later: this waits
    /// until they serve its last line.
    #[track_caller]
    fn is_of_with(&self, space: &Namespace<'_>, pod: &str, previous: &Self) {
        self.is_told_of(space, pod, previous);
        let written = fs::read(&self.0).unwrap();
        let last = written.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap();
        let last = String::from_utf8_lossy(last).splitn(4, ' ').nth(3).unwrap().to_owned() + "\n";
        // The nodes serve it before there is a Pod; the kube-apiserver would pass nobody on to a node on this machine.
        let port = "jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}";
        let node = format!("http://127.0.0.1:{}", space.kubectl(&["get", "node/node-1", "-o", port]));
        let log = format!("/containerLogs/{}/{pod}/any?tailLines=1", space.name);
        let served = || space.kubectl(&["get", "--server", &node, "--raw", &log]);
        space.until(&format!("{pod} has the log {last:?}"), |_| served() == last);
    }

    /// Tells the server that this is the log of a Pod, and `previous` that of its ended container.
    #[track_caller]
    fn is_told_of(&self, space: &Namespace<'_>, pod: &str, previous: &Self) {
        let logs = json!({
            "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Logs", "metadata": { "name": pod },
            "spec": { "logs": [{ "logsFile": self.0, "previousLogsFile": previous.0 }] },
        });
        space.apply(&logs.to_string(), &[]);
    }
}

fn follow(space: &Namespace<'_>, args: &[&str]) -> Running {
    Running::start_with_data(space.command(&[&["logs", "demo", "-f"], args].concat()))
}

/// Interrupts it and returns all that it said.
#[track_caller]
fn interrupted(logs: Running) -> Vec<String> {
    logs.signal("INT");
    let (code, said, _) = logs.end();
    assert_eq!(code, Some(130), "{said}");
    said.lines().map(str::to_owned).collect()
}

#[test]
fn the_logs_of_all_pods_come_in_their_order_with_their_pods_before_each_line() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let all = space.flamectl(&["logs", "demo"]).exits(0);
    let expected = "\
[session-manager] INFO flame_session_manager: the frontend listens at 0.0.0.0:8080
[session-manager] INFO flame_session_manager: the backend listens at 0.0.0.0:8081
[session-manager] INFO flame_session_manager: an executor registered
[executor-manager-0] INFO flame_executor_manager: connected to the session manager
[executor-manager-0] INFO flame_executor_manager: registered
[executor-manager-1] INFO flame_executor_manager: connected to the session manager
[executor-manager-1] INFO flame_executor_manager: registered
";
    assert_eq!((all.stdout.as_str(), all.stderr.as_str()), (expected, ""));
    // However many are read at once.
    assert_eq!(space.flamectl(&["logs", "demo", "--max-log-requests=1"]).exits(0).stdout, expected);
    let last = space.flamectl(&["logs", "demo", "executor-manager", "--tail=1"]).exits(0).stdout;
    let registered = "INFO flame_executor_manager: registered\n";
    assert_eq!(last, format!("[executor-manager-0] {registered}[executor-manager-1] {registered}"));
    let one = space.flamectl(&["logs", "demo", "executor-manager-1", "--tail=1"]).exits(0).stdout;
    assert_eq!(one, registered);
    let named = space.flamectl(&["logs", "demo", "demo-executor-manager-1", "--tail=1", "--prefix"]).exits(0).stdout;
    assert_eq!(named, format!("[executor-manager-1] {registered}"));
    let colored = space.flamectl(&["logs", "demo", "0", "--tail=1", "--prefix", "--color=always"]).exits(0).stdout;
    assert_eq!(colored, format!("\u{1b}[38;5;64m[executor-manager-0]\u{1b}[0m {registered}"));
}

#[test]
fn one_pods_log_is_what_kubectl_prints_to_the_byte() {
    let space = namespace();
    let (log, ended) = (Log::new(&space, "log"), Log::new(&space, "ended"));
    log.write_at("2026-01-02T03:04:05.1Z", "long ago");
    log.write(b"\x00 \xff\xfe \x1b[31mred\x1b[0m\ttab\r");
    log.write("");
    log.write("x".repeat(100_000));
    log.write("last");
    ended.write("panicked");
    log.is_of_with(&space, "demo-session-manager", &ended);
    space.up(&demo(0)).exits(0);
    let bytes = |mut command: Command| -> Output { command.output().unwrap() };
    for flags in [
        &[][..],
        &["--previous"],
        &["--tail=2"],
        &["--tail=0"],
        &["--timestamps"],
        &["--since=1h"],
        &["--since=1h", "--tail=1", "--timestamps"],
    ] {
        let mut kubectl = space.bed.kubectl();
        kubectl.args(["-n", &space.name, "logs", "demo-session-manager"]).args(flags);
        let ours = bytes(space.command(&[&["logs", "demo", "session-manager"], flags].concat()));
        let theirs = bytes(kubectl);
        assert_eq!((ours.status.code(), theirs.status.code()), (Some(0), Some(0)), "{flags:?}");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(500).collect::<String>();
        assert!(ours.stdout == theirs.stdout, "{flags:?}: {}\nnot\n{}", text(&ours.stdout), text(&theirs.stdout));
        assert_eq!(text(&ours.stderr), "", "{flags:?}");
    }
}

#[test]
fn a_pod_that_has_no_log_yet_is_told_and_the_others_are_read() {
    let space = namespace();
    space.up_with(&images("sm:v1", "bad/em:v1"), &["--timeout=2s"]).exits(3);
    space.until("the images are tried", |objects| {
        let reason = "/status/containerStatuses/0/state/waiting/reason";
        (0..2).all(|index| objects[&executor(index)].pointer(reason).is_some_and(|it| it == "ImagePullBackOff"))
    });
    let all = space.flamectl(&["logs", "demo"]).exits(0);
    let all = all.says("executors 0-1: container is waiting: ImagePullBackOff\n").prints("[session-manager] INFO");
    assert_eq!(all.stdout.lines().count(), 3, "{all}");
    let none = space.flamectl(&["logs", "demo", "1"]).exits(1);
    let none = none.says("demo-executor-manager-1: container is waiting: ImagePullBackOff");
    none.says("error: no log of demo could be read").says("hint: flamectl status demo");
    let none = space.flamectl(&["logs", "demo", "executor-manager"]).exits(1);
    none.says("executors 0-1: container is waiting: ImagePullBackOff");
}

#[test]
fn what_is_not_there_is_told() {
    let space = namespace();
    let none = space.flamectl(&["logs", "demo"]).exits(1);
    none.says(&format!("there is no flame demo in namespace {}", space.name)).says("flamectl status -A");
    space.up(&demo(1)).exits(0);
    let none = space.flamectl(&["logs", "demo", "7"]).exits(1);
    none.says("demo has no Pod demo-executor-manager-7 in namespace").says("hint: flamectl status demo");
    space.flamectl(&["logs", "demo", "else-session-manager"]).exits(2).says("else-session-manager is no Pod of demo");
    let log = Log::new(&space, "log");
    fs::remove_file(&log.0).unwrap();
    log.is_told_of(&space, "demo-executor-manager-0", &log);
    // The node learns of it a moment later.
    let mut refused = None;
    space.until("the node has no such file", |_| {
        let ran = space.flamectl(&["logs", "demo", "0", "-p"]);
        let is_told = ran.code == Some(1);
        refused = Some(ran);
        is_told
    });
    refused.unwrap().says("demo-executor-manager-0: ").says("no log of demo could be read");
}

#[test]
fn a_user_without_the_right_is_told_which() {
    let space = namespace();
    space.up(DEMO).exits(0);
    space.kubectl(&["create", "role", "reader", "--verb=get,list", "--resource=pods"]);
    space.kubectl(&["create", "rolebinding", "reader", "--role=reader", "--user=flame-user"]);
    let mut command = space.command(&["logs", "demo"]);
    command.env("KUBECONFIG", space.bed.dir.join("kubeconfig-user"));
    let refused = Ran::of(command).exits(1);
    let refused = refused.says(r#"logs may not be read"#).says(r#"cannot get resource "pods/log""#);
    assert_eq!(refused.stderr.lines().filter(|line| line.starts_with("error:")).count(), 1, "{refused}");
}

#[test]
fn a_followed_log_goes_on_with_a_pod_that_is_made_anew_and_with_new_executors() {
    let space = namespace();
    let [first, second, third, fourth] = ["first", "second", "third", "fourth"].map(|name| Log::new(&space, name));
    first.write("first 1");
    first.write("first 2");
    second.write("second 1");
    third.write("third 1");
    first.is_of(&space, "demo-executor-manager-0");
    second.is_of(&space, "demo-executor-manager-1");
    third.is_of(&space, "demo-executor-manager-2");
    space.up(DEMO).exits(0);
    let mut logs = follow(&space, &["executor-manager", "--tail=1"]);
    // Both are followed before more is written: the last line of then is what they begin with.
    (0..2).for_each(|_| drop(logs.until_says("[executor-manager-")));
    second.write("second 2");
    logs.until_says("[executor-manager-1] second 2");

    fourth.write("fourth 1");
    fourth.write("fourth 2");
    fourth.is_of(&space, "demo-executor-manager-0");
    let before = uids(&space.objects());
    space.kubectl(&["delete", "pod/demo-executor-manager-0", "--wait=false"]);
    space.up(DEMO).exits(0);
    assert_ne!(uids(&space.objects())[&executor(0)], before[&executor(0)]);
    // All of a new Pod's lines, not only the last.
    logs.until_says("[executor-manager-0] fourth 2");
    space.flamectl(&["scale", "demo", "--replicas=3"]).exits(0);
    logs.until_says("[executor-manager-2] third 1");
    third.write("third 2");
    logs.until_says("[executor-manager-2] third 2");
    let mut said = interrupted(logs);
    said.sort();
    let expected = [
        "[executor-manager-0] first 2",
        "[executor-manager-0] fourth 1",
        "[executor-manager-0] fourth 2",
        "[executor-manager-1] second 1",
        "[executor-manager-1] second 2",
        "[executor-manager-2] third 1",
        "[executor-manager-2] third 2",
    ];
    assert_eq!(said, expected);
}

#[test]
fn pods_beyond_the_limit_are_not_followed_and_named() {
    let space = namespace();
    let log = Log::new(&space, "log");
    log.write("one");
    log.is_of(&space, "demo-session-manager");
    space.up(&demo(3)).exits(0);
    let mut logs = follow(&space, &["--max-log-requests=1"]);
    logs.until_says("warning: following 1 Pod; not followed: executors 0-2");
    logs.until_says("[session-manager] one");
    log.write("two");
    logs.until_says("[session-manager] two");
    let said = interrupted(logs);
    let data: Vec<&String> = said.iter().filter(|line| line.starts_with('[')).collect();
    assert_eq!(data, ["[session-manager] one", "[session-manager] two"], "{said:?}");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let space = namespace();
    let log = Log::new(&space, "log");
    let lines = "2026-01-02T03:04:05.1Z stdout F a line of a log that is longer than any pipe\n".repeat(50_000);
    fs::write(&log.0, lines).unwrap();
    log.is_of(&space, "demo-session-manager");
    space.up(&demo(0)).exits(0);
    for args in [&["logs", "demo"][..], &["logs", "demo", "-f", "--tail=-1"]] {
        let mut command = space.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("a line of a log"), "{args:?}: {line}");
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

/// A control plane of its own: the others' tests would not like theirs to restart.
#[test]
fn no_line_is_lost_or_doubled_when_the_server_restarts() {
    let bed = Bed::start("logs").unwrap();
    let space = bed.namespace();
    let log = Log::new(&space, "log");
    log.write("line 0");
    log.is_of(&space, "demo-session-manager");
    space.up(&demo(0)).exits(0);
    let mut logs = follow(&space, &["session-manager"]);
    logs.until_says("line 0");
    // All of them in one second, half of them at one time.
    let second = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1);
    let second = second.strftime("%FT%T").to_string();
    let at = |line: u32| format!("{second}.{:09}Z", line / 2);
    (1..20).for_each(|line| log.write_at(&at(line), format!("line {line}")));
    logs.until_says("line 19");
    bed.verb("stop-apiserver");
    (20..30).for_each(|line| log.write_at(&at(line), format!("line {line}")));
    bed.verb("start-apiserver");
    logs.until_says("line 29");
    log.write("line 30");
    logs.until_says("line 30");
    let said = interrupted(logs);
    let data: Vec<&String> = said.iter().filter(|line| line.starts_with("line")).collect();
    let expected: Vec<String> = (0..=30).map(|line| format!("line {line}")).collect();
    assert_eq!(data, expected.iter().collect::<Vec<_>>(), "{said:?}");
}

#[test]
fn a_log_is_followed_from_the_first_start_of_its_container_on() {
    let space = namespace();
    let log = Log::new(&space, "log");
    log.write("started");
    log.is_of(&space, "demo-session-manager");
    space.up_with(&edited(&demo(0), "sm:v1", "bad/sm:v1"), &["--wait=false"]).exits(0);
    let mut logs = follow(&space, &["session-manager"]);
    let waiting = logs.until_says("demo-session-manager: ");
    assert!(["ErrImagePull", "ImagePullBackOff"].iter().any(|it| waiting.ends_with(it)) || waiting.contains("yet"));
    space.up(&demo(0)).exits(0);
    logs.until_says("started");
    interrupted(logs);
}
