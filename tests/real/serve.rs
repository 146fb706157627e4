//! What a running `watch` tells besides its log: health and numbers over HTTP, Events on the objects, and what systemd hears.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::bed::{Namespace, PATIENCE, Ran, namespace, uids};
use crate::flames::{CACHE, DEMO};
use crate::running::Running;

/// An answer over HTTP.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// Asks a process that says where it listens.
struct Http(String);

impl Http {
    #[track_caller]
    fn of(watch: &mut Running) -> Self {
        let says = watch.until_says("serving /healthz, /readyz and /metrics on http://");
        Self(says.rsplit("http://").next().unwrap().to_owned())
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.0).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.0).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    #[track_caller]
    fn get(&self, path: &str) -> (u16, String) {
        let answer = self.ask("GET", path);
        (answer.status, answer.body)
    }

    /// Waits until the numbers hold these lines.
    #[track_caller]
    fn until_counts(&self, lines: &[&str]) {
        let began = Instant::now();
        loop {
            let (status, text) = self.get("/metrics");
            assert_eq!(status, 200);
            if lines.iter().all(|line| text.lines().any(|it| it == *line)) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "not {lines:#?}, but\n{text}");
        }
    }
}

/// Starts a watch that answers, and waits until all its executors are ready.
#[track_caller]
fn watching(space: &Namespace<'_>, args: &[&str]) -> (Running, Http) {
    let mut watch = Running::start(command(space, args));
    let http = Http::of(&mut watch);
    watch.until_says("all is ready");
    (watch, http)
}

fn command(space: &Namespace<'_>, args: &[&str]) -> Command {
    let file = space.file("watched.yaml", DEMO);
    space.command(&[&["watch", "-f", &file, "--listen", "127.0.0.1:0"], args].concat())
}

/// Deletes a Service, and waits until it is there again.
#[track_caller]
fn repaired(space: &Namespace<'_>) {
    let before = uids(&space.objects());
    space.kubectl(&["delete", "service/demo-object-cache"]);
    space.until("repaired", |objects| uids(objects).get(CACHE).is_some_and(|uid| *uid != before[CACHE]));
}

/// Waits until kubectl tells these words of the Service's Events.
#[track_caller]
fn until_told(space: &Namespace<'_>, words: &[&str]) -> String {
    let began = Instant::now();
    loop {
        let told = space.kubectl(&["events", "--for", "service/demo-object-cache"]);
        if words.iter().all(|word| told.contains(word)) {
            return told;
        }
        assert!(began.elapsed() < PATIENCE, "not {words:?}, but\n{told}");
    }
}

#[test]
fn probes_and_numbers_are_answered_and_a_repair_is_counted() {
    let space = namespace();
    let (watch, http) = watching(&space, &[]);
    assert_eq!(http.get("/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(http.get("/readyz"), (200, "leading\n".to_owned()));
    assert_eq!(http.get("/other"), (404, "there are /healthz, /readyz and /metrics\n".to_owned()));
    assert_eq!(http.ask("POST", "/metrics").status, 405);
    let metrics = http.ask("GET", "/metrics");
    assert!(metrics.head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{}", metrics.head);
    assert!(!metrics.body.contains("flamectl_repairs_total{"), "{}", metrics.body);
    repaired(&space);
    http.until_counts(&[
        r#"flamectl_repairs_total{kind="Service",action="created"} 1"#,
        r#"flamectl_events_total{result="written"} 1"#,
        r#"flamectl_flames{state="Running"} 1"#,
        r#"flamectl_pods{component="session-manager",state="ready"} 1"#,
        r#"flamectl_pods{component="executor-manager",state="ready"} 2"#,
        r#"flamectl_requests_total{verb="create",code="201"} 1"#,
        "flamectl_backlog_objects 0",
        "flamectl_leader 1",
    ]);
    watch.signal("TERM");
    assert_eq!(watch.end().0, Some(0));
}

#[test]
fn nothing_is_ready_before_the_server_answers() {
    let space = namespace();
    // Nobody listens there.
    let kubeconfig = std::fs::read_to_string(space.bed.kubeconfig()).unwrap();
    let server = kubeconfig.lines().find(|line| line.trim().starts_with("server:")).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = space.file("kubeconfig", &kubeconfig.replace(server.trim(), &format!("server: https://{free}")));
    let mut command = command(&space, &[]);
    command.env("KUBECONFIG", nobody);
    let mut watch = Running::start(command);
    let http = Http::of(&mut watch);
    assert_eq!(http.get("/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(http.get("/readyz"), (503, "not ready: what there is was not listed yet\n".to_owned()));
    watch.until_says("could not be read");
    let (status, why) = http.get("/readyz");
    assert!(status == 503 && why.contains("could not be read"), "{status} {why}");
    http.until_counts(&[r#"flamectl_flames{state="Pending"} 1"#, "flamectl_backing_off_flames 1"]);
}

#[test]
fn whoever_stands_by_is_ready_and_says_so() {
    let space = namespace();
    let (_leader, leader) = watching(&space, &["--leader-elect"]);
    let mut other = Running::start(command(&space, &["--leader-elect"]));
    let http = Http::of(&mut other);
    other.until_says("standing by; ");
    assert_eq!(http.get("/readyz"), (200, "standing by\n".to_owned()));
    http.until_counts(&["flamectl_leader 0", r#"flamectl_flames{state="Running"} 0"#]);
    leader.until_counts(&["flamectl_leader 1", r#"flamectl_flames{state="Running"} 1"#]);
}

#[test]
fn an_address_that_is_taken_is_told_before_anything_is_done() {
    let space = namespace();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = space.file("watched.yaml", DEMO);
    let ran = space.flamectl(&["watch", "-f", &file, "--listen", &address]).exits(1);
    assert!(ran.stderr.starts_with(&format!("error: cannot listen on {address}: ")), "{ran}");
    assert!(space.objects().is_empty());
}

#[test]
fn repairs_are_told_on_the_object_and_alike_ones_count_up() {
    let space = namespace();
    let (watch, http) = watching(&space, &[]);
    let port = r#"[{"op": "replace", "path": "/spec/ports/0/port", "value": 9999}]"#;
    for repair in 1..=2 {
        space.kubectl(&["patch", "service/demo-object-cache", "--type=json", "--patch", port]);
        http.until_counts(&[&format!("flamectl_events_total{{result=\"written\"}} {repair}")]);
    }
    let told = until_told(&space, &["Repaired", "(x2 over "]);
    let words = "put back Service demo-object-cache: spec.ports[grpc].port 9999 → 9090, changed by kubectl-patch";
    assert!(told.contains("Normal") && told.contains(words), "{told}");
    repaired(&space);
    let told = until_told(&space, &["Recreated", "Service demo-object-cache was deleted, created again"]);
    let ours = told.lines().filter(|line| line.contains("Repaired") || line.contains("Recreated"));
    assert_eq!(ours.count(), 2, "{told}");
    // Of the object that is there now, by its uid.
    let described = space.kubectl(&["describe", "service/demo-object-cache"]);
    assert!(described.contains("Recreated") && !described.contains("put back"), "{described}");
    // By this name those who look for reasons of failures leave them out.
    let reporters = "jsonpath={.items[?(@.reportingController==\"flamectl\")].regarding.name}";
    let about = space.kubectl(&["get", "events.events.k8s.io", "-o", reporters]);
    assert_eq!(about, "demo-object-cache demo-object-cache");
    let events = space.flamectl(&["events", "demo"]).exits(0).stdout;
    assert!(events.contains("Recreated") && events.contains("Repaired"), "{events}");
    drop(watch);
}

#[test]
fn a_fight_is_seen_as_a_warning_on_the_object_and_in_the_numbers() {
    let space = namespace();
    let (mut watch, http) = watching(&space, &[]);
    for _ in 0..6 {
        let fight = r#"{"spec": {"selector": {"somebody": "else"}}}"#;
        space.kubectl(&["patch", "service/demo-object-cache", "--patch", fight]);
        watch.until_says("put back Service demo-object-cache");
    }
    let told = until_told(&space, &["Warning", "Contested", "somebody keeps undoing it (6 times)"]);
    assert!(told.contains("Repaired") && told.contains("(x5 over "), "{told}");
    let namespace = &space.name;
    let fights = format!(
        r#"flamectl_fights_total{{namespace="{namespace}",flame="demo",kind="Service",name="demo-object-cache"}} 1"#
    );
    http.until_counts(&[&fights, r#"flamectl_repairs_total{kind="Service",action="updated"} 6"#]);
}

#[test]
fn events_that_may_not_be_written_are_told_once_and_stop_nothing() {
    let space = namespace();
    let resources = "--resource=pods,services,configmaps";
    space.kubectl(&["create", "role", "keeper", "--verb=get,list,watch,create,patch,delete", resources]);
    space.kubectl(&["create", "rolebinding", "keeper", "--role=keeper", "--user=keeper"]);
    let (mut watch, http) = watching(&space, &["--as", "keeper"]);
    repaired(&space);
    let said = watch.until_says("no Event was written about Service demo-object-cache: ");
    assert!(said.contains("cannot create resource \"events\""), "{said}");
    assert!(said.ends_with("; repairs go on; none is tried for 10 minutes"), "{said}");
    repaired(&space);
    http.until_counts(&[
        r#"flamectl_events_total{result="failed"} 1"#,
        r#"flamectl_events_total{result="left out"} 1"#,
        r#"flamectl_requests_total{verb="create",code="403"} 1"#,
    ]);
    watch.signal("TERM");
    let (code, said, _) = watch.end();
    assert_eq!((code, said.matches("no Event was written").count()), (Some(0), 1), "{said}");
}

/// Says what systemd hears next.
#[track_caller]
fn heard(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 64];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[test]
fn systemd_hears_of_the_start_of_life_and_of_the_end() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;
    let space = namespace();
    let path = space.path("notify");
    let name = format!("flamectl-test-{}", std::process::id());
    let by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let sockets = [(UnixDatagram::bind(&path).unwrap(), path.clone()), (by_name, format!("@{name}"))];
    for (socket, address) in sockets {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut command = command(&space, &[]);
        command.env("NOTIFY_SOCKET", &address).env("WATCHDOG_USEC", "200000");
        let watch = Running::start(command);
        assert_eq!(heard(&socket), "READY=1", "{address}");
        let began = Instant::now();
        (0..10).for_each(|_| assert_eq!(heard(&socket), "WATCHDOG=1", "{address}"));
        assert!(began.elapsed() > Duration::from_millis(600), "{:?}", began.elapsed());
        watch.signal("TERM");
        let last = std::iter::repeat_with(|| heard(&socket)).find(|state| state != "WATCHDOG=1");
        assert_eq!(last.as_deref(), Some("STOPPING=1"), "{address}");
        assert_eq!(watch.end().0, Some(0));
    }
}

#[test]
fn systemd_without_a_watchdog_hears_no_more_than_it_wants() {
    let space = namespace();
    let path = space.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut command = command(&space, &[]);
    // Meant for another process.
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", "1");
    let watch = Running::start(command);
    assert_eq!(heard(&socket), "READY=1");
    watch.signal("TERM");
    assert_eq!(heard(&socket), "STOPPING=1");
    assert_eq!(watch.end().0, Some(0));
}

#[test]
fn one_pass_neither_listens_nor_leads() {
    let space = namespace();
    for args in [["--once", "--leader-elect"], ["--dry-run", "--leader-elect"]] {
        Ran::of(space.command(&[&["watch"], &args[..]].concat())).exits(2).says("cannot be used with");
    }
    space.flamectl(&["watch", "--once", "--listen", "127.0.0.1:0"]).exits(2).says("cannot be used with");
}
