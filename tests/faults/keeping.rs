//! `watch` behind the proxy: streams that end, expire, fall silent or lie, a server that goes away, and how much it asks meanwhile.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bed::bed;
use crate::client::Run;
use crate::proxy::{Fault, Proxy, Rule, Seen, When, Which};
use crate::scenario::{Goal, NAME, Scenario, Shape};
use crate::stream::Streams;

/// How long anything may take; most takes less than a second.
const PATIENCE: Duration = Duration::from_secs(90);
/// What is said of a field that another tool applies.
const THEIRS: &str = r#"is owned by "other-tool""#;
const KINDS: [&str; 3] = ["pods", "services", "configmaps"];

/// A `watch` of the recorded flame that runs behind a proxy; killed when dropped.
struct Keeping {
    namespace: String,
    proxy: Proxy,
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Drop for Keeping {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(namespace: &str, proxy: &Proxy) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flamectl"));
    command.env_clear().args(["watch", NAME, "-n", namespace, "--kubeconfig"]).arg(&proxy.kubeconfig);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

impl Keeping {
    /// Starts it, and waits until it says that all is ready.
    fn start(namespace: &str, proxy: Proxy) -> Self {
        let mut keeping = Self::begin(namespace, proxy);
        keeping.until_says("all is ready");
        keeping
    }

    fn begin(namespace: &str, proxy: Proxy) -> Self {
        let mut child = command(namespace, &proxy).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { namespace: namespace.to_owned(), proxy, child, lines, said: Vec::new() }
    }

    /// Takes in what it says within this time.
    fn listen(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.said.push(line);
        }
    }

    fn until_says(&mut self, text: &str) {
        self.until(text, |keeping| keeping.says(text) > 0);
    }

    fn until(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is(self) {
            assert!(began.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}; it said\n{}", self.said.join("\n"));
            self.listen(Duration::from_millis(50));
        }
    }

    /// Returns how many lines hold `text`.
    fn says(&self, text: &str) -> usize {
        self.said.iter().filter(|line| line.contains(text)).count()
    }

    fn seen(&self, is: impl Fn(&Seen) -> bool) -> usize {
        self.proxy.seen().iter().filter(|seen| is(seen)).count()
    }

    /// Returns how many lists of each kind there were.
    fn lists(&self) -> [usize; 3] {
        KINDS.map(|kind| self.seen(|seen| seen.class == format!("list {kind}")))
    }

    fn get(&self, object: &str) -> Option<Value> {
        bed().send("GET", &format!("/api/v1/namespaces/{}/{object}", self.namespace), None).ok()
    }

    fn uid(&self, object: &str) -> Option<String> {
        self.get(object).and_then(|it| it["metadata"]["uid"].as_str().map(str::to_owned))
    }

    fn remove(&self, object: &str) {
        let path = format!("/api/v1/namespaces/{}/{object}", self.namespace);
        bed().send("DELETE", &path, Some(json!({ "gracePeriodSeconds": 0 }))).unwrap();
    }

    fn patch(&self, object: &str, patch: &Value) {
        merge(&self.namespace, object, patch);
    }

    /// Does harm of three kinds, and waits until all of it is put right.
    fn repairs_all_kinds(&mut self, mut meanwhile: impl FnMut(&mut Self)) -> Duration {
        let (pod, service, record) = (executor(1), format!("services/{NAME}-object-cache"), record());
        let before = [&pod, &service].map(|object| self.uid(object));
        let text = self.get(&record).unwrap()["data"].clone();
        self.remove(&pod);
        self.remove(&service);
        self.patch(&record, &json!({ "data": { "flame-cluster.yaml": "cluster: {}" } }));
        meanwhile(self);
        let began = Instant::now();
        self.until("all is put right", |keeping| {
            let now = [&pod, &service].map(|object| keeping.uid(object));
            now.iter().zip(&before).all(|(now, before)| now.is_some() && now != before)
                && keeping.get(&record).is_some_and(|record| record["data"] == text)
        });
        began.elapsed()
    }
}

fn executor(index: u32) -> String {
    format!("pods/{NAME}-executor-manager-{index}")
}

fn record() -> String {
    format!("configmaps/{NAME}-config")
}

fn merge(namespace: &str, object: &str, patch: &Value) {
    let path = format!("/api/v1/namespaces/{namespace}/{object}?fieldManager=somebody");
    let request = http::Request::patch(path).header("content-type", "application/merge-patch+json");
    let request = request.body(patch.to_string().into_bytes()).unwrap();
    crate::bed::runtime().block_on(bed().kube.request::<Value>(request)).unwrap();
}

/// Makes a namespace with a flame that runs.
fn running(replicas: u32) -> String {
    let namespace = bed().namespace("keep");
    let up = Goal::Up(Shape::of(replicas)).run(&namespace).direct();
    assert_eq!(up.code, 0, "{}", up.stderr);
    namespace
}

fn behind(streams: Streams) -> Proxy {
    Proxy::new(Vec::new(), streams)
}

#[test]
fn streams_that_end_every_second_are_taken_up_again_without_a_list() {
    for streams in [Streams::Short(Duration::from_secs(1)), Streams::Reset(Duration::from_secs(1))] {
        let mut keeping = Keeping::start(&running(2), behind(streams));
        let before = keeping.lists();
        let began = Instant::now();
        keeping.repairs_all_kinds(|_| {});
        keeping.listen(Duration::from_secs(5));
        keeping.repairs_all_kinds(|_| {});
        assert_eq!(keeping.lists(), before, "{streams:?}");
        let streams = keeping.seen(|seen| seen.class.starts_with("watch"));
        let at_most = 3 * (began.elapsed().as_secs() as usize + 4);
        assert!(streams <= at_most, "{streams} streams, {at_most} at most");
    }
}

#[test]
fn after_410_each_kind_is_listed_once() {
    for streams in [Streams::Expired(1), Streams::ExpiredEvent(1)] {
        let mut keeping = Keeping::start(&running(2), behind(streams));
        keeping.repairs_all_kinds(|_| {});
        assert_eq!(keeping.lists(), [2; 3], "{streams:?}");
    }
}

#[test]
fn what_was_harmed_before_410_while_no_event_came_is_seen_in_the_list_and_put_right() {
    let mut keeping = Keeping::start(&running(2), behind(Streams::LostAndExpired(Duration::from_secs(4))));
    assert_eq!(keeping.lists(), [1; 3]);
    keeping.repairs_all_kinds(|_| {});
    assert_eq!(keeping.lists(), [2; 3]);
}

#[test]
fn a_stream_that_fell_silent_is_noticed_within_a_minute_and_no_list_is_needed() {
    let mut keeping = Keeping::start(&running(2), behind(Streams::Silent(1)));
    let took = keeping.repairs_all_kinds(|_| {});
    println!("put right after {took:.1?}");
    assert!(took < Duration::from_secs(62), "{took:?}");
    assert_eq!(keeping.lists(), [1; 3]);
}

#[test]
fn without_bookmarks_repairs_go_on() {
    let mut keeping = Keeping::start(&running(2), behind(Streams::NoBookmarks));
    keeping.repairs_all_kinds(|_| {});
    assert_eq!(keeping.lists(), [1; 3]);
}

#[test]
fn pods_that_another_command_replaced_unseen_are_known_by_their_uids() {
    let shape = Shape::of(3);
    let changed = Goal::Up(Shape { max_executors: 20, ..shape });
    let learned = Scenario { name: "new config", before: Some(shape), goal: changed }.learn();
    let namespace = running(3);
    let mut keeping = Keeping::start(&namespace, behind(Streams::Merged));
    let other = changed.run(&namespace).direct();
    assert_eq!(other.code, 0, "{}", other.stderr);
    keeping.until("the other's flame is there", |_| learned.is_reached(&namespace).is_ok());
    let uid = keeping.uid(&executor(0));
    keeping.remove(&executor(0));
    keeping.until("put right", |keeping| ![None, uid.clone()].contains(&keeping.uid(&executor(0))));
    keeping.until("as learned", |_| learned.is_reached(&namespace).is_ok());
    learned.is_quiet(&namespace).unwrap();
}

/// A server of several may answer a list from before the newest writes.
#[test]
fn a_list_of_long_ago_deletes_nothing() {
    let namespace = running(3);
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector=flame.xflops.io/cluster={NAME}");
    let mut old = bed().send("GET", &path, None).unwrap();
    // By then it had ended; it was replaced since.
    old["items"][0]["status"]["phase"] = "Failed".into();
    bed().send("DELETE", &format!("/api/v1/namespaces/{namespace}/{}", executor(0)), None).unwrap();
    let up = Goal::Up(Shape::of(3)).run(&namespace).direct();
    assert_eq!(up.code, 0, "{}", up.stderr);
    let all = |keeping: &Keeping| [0, 1, 2].map(|index| keeping.uid(&executor(index)));
    let rule =
        Rule { which: Which::First("list pods".into()), when: When::Before, fault: Fault::Json(old.to_string()) };
    let mut keeping = Keeping::begin(&namespace, Proxy::new(vec![rule], Streams::Whole));
    let before = all(&keeping);
    keeping.until_says("all is ready");
    keeping.listen(Duration::from_secs(3));
    assert_eq!(all(&keeping), before, "{:?}", keeping.said);
    keeping.repairs_all_kinds(|_| {});
}

#[test]
fn a_pod_that_cannot_go_holds_up_no_other_and_is_not_asked_about_all_the_time() {
    let mut keeping = Keeping::start(&running(3), Proxy::plain());
    keeping.patch(&executor(0), &json!({ "metadata": { "finalizers": ["example.com/hold"] } }));
    let held = keeping.uid(&executor(0));
    keeping.remove(&executor(0));
    keeping.listen(Duration::from_secs(1));
    let before = keeping.proxy.seen().len();
    keeping.listen(Duration::from_secs(5));
    assert_eq!(keeping.proxy.seen().len(), before, "{:?}", keeping.proxy.seen());
    keeping.repairs_all_kinds(|_| {});
    assert_eq!(keeping.uid(&executor(0)), held);
    keeping.patch(&executor(0), &json!({ "metadata": { "finalizers": null } }));
    keeping.until("made anew", |keeping| ![None, held.clone()].contains(&keeping.uid(&executor(0))));
}

#[test]
fn in_a_namespace_that_goes_nothing_is_made_and_little_is_asked() {
    let mut keeping = Keeping::start(&running(2), Proxy::plain());
    let (namespace, hold) = (keeping.namespace.clone(), json!({ "metadata": { "finalizers": ["example.com/hold"] } }));
    keeping.patch(&executor(0), &hold);
    bed().send("DELETE", &format!("/api/v1/namespaces/{namespace}"), None).unwrap();
    keeping.until_says("being terminated");
    let before = keeping.seen(Seen::is_write);
    keeping.listen(Duration::from_secs(10));
    let writes = keeping.seen(Seen::is_write) - before;
    println!("{writes} writes were tried in 10 s");
    assert!(writes <= 20, "{writes} writes\n{}", keeping.said.join("\n"));
    assert_eq!(keeping.uid(&format!("pods/{NAME}-session-manager")), None);
    assert!(keeping.said.len() < 20, "{}", keeping.said.join("\n"));
    keeping.patch(&executor(0), &json!({ "metadata": { "finalizers": null } }));
}

#[test]
fn a_field_that_another_tool_applies_is_told_and_not_fought_over() {
    let mut keeping = Keeping::start(&running(2), Proxy::plain());
    let service = format!("services/{NAME}-object-cache");
    let labels = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": format!("{NAME}-object-cache"), "labels": { "app": "theirs" } },
    });
    let path = format!("/api/v1/namespaces/{}/{service}?fieldManager=other-tool&force=true", keeping.namespace);
    let request = http::Request::patch(path).header("content-type", "application/apply-patch+yaml");
    let request = request.body(labels.to_string().into_bytes()).unwrap();
    crate::bed::runtime().block_on(bed().kube.request::<Value>(request)).unwrap();
    keeping.until_says(THEIRS);
    let before = keeping.proxy.seen().len();
    keeping.listen(Duration::from_secs(10));
    let asked = keeping.proxy.seen().len() - before;
    println!("{asked} requests in 10 s");
    assert!(asked <= 50, "{asked} requests");
    assert_eq!(keeping.says(THEIRS), 1, "{}", keeping.said.join("\n"));
    assert_eq!(keeping.get(&service).unwrap()["metadata"]["labels"]["app"], "theirs");
    // Once the other tool gives it up, it is put right without anybody's help.
    keeping.remove(&service);
    keeping.until("put right", |keeping| {
        keeping.get(&service).is_some_and(|it| it["metadata"]["labels"]["app"] == "flame-object-cache")
    });
}

#[test]
fn a_fight_costs_a_few_writes_and_no_more() {
    let mut keeping = Keeping::start(&running(2), Proxy::plain());
    let service = format!("services/{NAME}-object-cache");
    let before = keeping.proxy.seen().len();
    let end = Instant::now() + Duration::from_secs(10);
    let mut undone = 0;
    while Instant::now() < end {
        undone += 1;
        keeping.patch(&service, &json!({ "metadata": { "labels": { "app": format!("theirs-{undone}") } } }));
        keeping.listen(Duration::from_millis(20));
    }
    // What is told of a repair on the object changes nothing of the flame.
    let is_repair = |seen: &Seen| seen.is_write() && !seen.class.ends_with("events");
    let (writes, all) = (keeping.seen(is_repair), keeping.proxy.seen().len() - before);
    println!("undone {undone} times in 10 s: {writes} writes, {all} requests");
    // Five at once, then after pauses of 2 and 4 s; an edit that somebody made is taken back by a second write.
    assert!(writes <= 16 && all <= 40, "{writes} writes, {all} requests");
    assert!(keeping.says("somebody keeps undoing it") > 0, "{}", keeping.said.join("\n"));
}

#[test]
fn a_server_that_goes_away_is_told_once_and_what_happened_meanwhile_is_put_right_when_it_is_back() {
    let mut keeping = Keeping::start(&running(2), Proxy::plain());
    let before = keeping.lists();
    keeping.proxy.leave();
    let mut asked = 0;
    let took = keeping.repairs_all_kinds(|keeping| {
        keeping.listen(Duration::from_secs(20));
        asked = keeping.proxy.seen().len();
        keeping.proxy.come_back();
    });
    println!("put right {took:.1?} after it was back");
    assert!(took < Duration::from_secs(20), "{took:?}");
    // What was put right may be seen by one stream while another still waits for its next try.
    keeping.until_says("the server can be watched again");
    assert_eq!(keeping.says("the server cannot be watched"), 1, "{}", keeping.said.join("\n"));
    assert_eq!(keeping.says("the server can be watched again"), 1, "{}", keeping.said.join("\n"));
    assert_eq!(keeping.lists(), before);
    let since = keeping.proxy.seen().len() - asked;
    assert!(since <= 40, "{since} requests");
}

#[test]
fn a_full_disk_for_the_log_stops_no_repair() {
    let namespace = running(2);
    let proxy = Proxy::plain();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let child = command(&namespace, &proxy).stderr(full).spawn().unwrap();
    let lines = channel().1;
    let mut keeping = Keeping { namespace, proxy, child, lines, said: Vec::new() };
    keeping.until("it watches", |keeping| keeping.seen(|seen| seen.class.starts_with("watch")) == 3);
    keeping.repairs_all_kinds(|_| {});
    assert!(keeping.child.try_wait().unwrap().is_none());
}

#[test]
fn changes_that_mean_nothing_cost_no_request() {
    let mut keeping = Keeping::start(&running(40), Proxy::plain());
    keeping.listen(Duration::from_secs(2));
    let before = keeping.proxy.seen().len();
    for change in 0..50 {
        keeping.patch(
            &executor(change % 40),
            &json!({ "metadata": { "annotations": { "example.com/seen": change.to_string() } } }),
        );
    }
    keeping.listen(Duration::from_secs(2));
    let since: Vec<Seen> = keeping.proxy.seen().split_off(before);
    assert!(since.iter().all(|seen| seen.class.starts_with("watch")), "{since:?}");
    // It is still awake.
    keeping.repairs_all_kinds(|_| {});
}

#[test]
fn whoever_keeps_a_flame_gives_way_to_a_down_and_makes_nothing_of_it_again() {
    let mut keeping = Keeping::start(&running(3), Proxy::plain());
    let down = Run { namespace: keeping.namespace.clone(), ..Run::default() }.with(&["down", NAME, "-y"]).direct();
    assert_eq!(down.code, 0, "{}", down.stderr);
    keeping.until_says("is left as it is: it is taken down");
    keeping.listen(Duration::from_secs(3));
    assert_eq!(Goal::Down.state(&keeping.namespace), Vec::<String>::new());
    assert_eq!(keeping.seen(Seen::is_write), 0);
}
