//! The CustomResourceDefinition: what the server takes, fills in, refuses and shows by it.

#[path = "../corpus/catalogue.rs"]
#[allow(dead_code, reason = "not every helper is for these tests")]
mod catalogue;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use flamectl::flame::parse::parse;
use serde_json::{Value, json};

use crate::bed::{Bed, Namespace, PATIENCE, Ran, at, namespace};

const NAME: &str = "flameclusters.flame.xflops.io";
const MINIMAL: &str = "\
apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: demo
spec:
  sessionManager:
    image: a
  executorManager:
    image: b
";

/// Installs the CustomResourceDefinition, once for all tests: it is the whole server's.
#[track_caller]
pub fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        apply_crd();
        let wait = ["wait", "--for=condition=Established", "--timeout=60s", &format!("crd/{NAME}")];
        kubectl(&wait).exits(0);
    });
}

/// Applies what `flamectl crd` prints as the help says.
#[track_caller]
fn apply_crd() -> Ran {
    let space = Bed::shared().no_namespace();
    let printed = Ran::of(space.bare_command(&["crd"])).exits(0).stdout;
    let mut command = Bed::shared().kubectl();
    command.args(["apply", "--server-side", "-f", "-"]);
    Ran::with_input(command, &printed).exits(0)
}

#[track_caller]
fn kubectl(args: &[&str]) -> Ran {
    let mut command = Bed::shared().kubectl();
    command.args(args).stdin(Stdio::null());
    Ran::of(command)
}

/// Returns a namespace with a flame `demo` in it.
#[track_caller]
fn with_demo() -> Namespace<'static> {
    install();
    let space = namespace();
    space.apply(MINIMAL, &["--server-side"]);
    space
}

/// Writes the status, as whoever keeps the flame does.
#[track_caller]
fn write_status(space: &Namespace<'_>, status: &Value) -> Ran {
    let mut command = space.bed.kubectl();
    command.args(["--namespace", &space.name, "patch", "flamecluster/demo", "--subresource=status", "--type=merge"]);
    command.arg("--patch").arg(json!({ "status": status }).to_string()).stdin(Stdio::null());
    Ran::of(command)
}

fn running() -> Value {
    json!({
        "state": "Running",
        "configGeneration": 1,
        "observedGeneration": 1,
        "message": "All components healthy",
        "sessionManager": { "ready": 1, "endpoint": "http://demo-session-manager:8080" },
        "executorManager": { "replicas": 1, "ready": 1 },
        "conditions": [{
            "type": "Ready",
            "status": "True",
            "reason": "Running",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }],
    })
}

#[test]
fn the_server_takes_the_definition_without_a_warning_and_a_second_time_changes_nothing() {
    install();
    let read =
        || -> Value { serde_json::from_str(&kubectl(&["get", "crd", NAME, "-o", "json"]).exits(0).stdout).unwrap() };
    let before = read();
    let again = apply_crd();
    assert_eq!(again.stderr, "");
    assert_eq!(read(), before);
    let conditions = before["status"]["conditions"].as_array().unwrap().iter();
    let mut conditions: Vec<_> = conditions.map(|it| (at(it, "/type"), at(it, "/status"))).collect();
    conditions.sort_unstable();
    // NonStructuralSchema would be told here, too.
    assert_eq!(conditions, [("Established", "True"), ("NamesAccepted", "True")]);
}

#[test]
fn the_server_fills_in_the_defaults_of_the_reference() {
    let space = with_demo();
    let read = |name: &str| -> Value {
        serde_json::from_str(&space.kubectl(&["get", "flamecluster", name, "-o", "json"])).unwrap()
    };
    let amounts = json!({ "requests": {}, "limits": {} });
    let wanted = json!({
        "sessionManager": { "image": "a", "resources": amounts, "slot": "", "policy": "", "storage": "" },
        "executorManager": { "image": "b", "replicas": 1, "resources": amounts, "shim": "", "maxExecutors": 0 },
        "objectCache": { "networkInterface": "", "storage": "" },
    });
    assert_eq!(read("demo")["spec"], wanted);
    // null is the same as nothing.
    let nulls = "  objectCache: null\n";
    space.apply(&format!("{MINIMAL}    shim: null\n    resources: {{limits: null}}\n{nulls}"), &["--server-side"]);
    assert_eq!(read("demo")["spec"], wanted);
    let example = include_str!("../../examples/production.yaml");
    let example = example.replace("namespace: flame-production", &format!("namespace: {}", space.name));
    space.apply(&example, &["--server-side"]);
    let flame = parse("example", example.as_bytes()).flame.unwrap();
    assert_eq!(read(&flame.metadata.name)["spec"], serde_json::to_value(&flame.spec).unwrap());
}

/// Has the server check objects without keeping any, as fast as it can.
struct Server {
    proxy: Child,
    address: String,
    path: String,
}

impl Server {
    fn of(space: &Namespace<'_>) -> Self {
        let mut command = space.bed.kubectl();
        let mut proxy = command.args(["proxy", "--port=0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(proxy.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        let group = "/apis/flame.xflops.io/v1alpha1";
        let path = format!("{group}/namespaces/{}/flameclusters?dryRun=All&fieldValidation=Strict", space.name);
        Self { proxy, address, path }
    }

    /// Returns what is wrong with an object; nothing where the server takes it.
    fn refuses(&self, object: &Value) -> Option<String> {
        let body = object.to_string();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.path,
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["201", "400", "422"].contains(&status), "{answer}\nto {object}");
        (status != "201").then_some(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.proxy.kill();
        let _reaped = self.proxy.wait();
    }
}

/// Returns the smallest flame with this value at a JSON pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut flame: Value = serde_saphyr::from_str(MINIMAL).unwrap();
    let (mut place, names) = (&mut flame, pointer.split('/').skip(1));
    for name in names {
        place = &mut place[name.replace("~1", "/")];
    }
    *place = value;
    flame
}

#[test]
fn mistakes_are_refused_in_words() {
    install();
    let space = namespace();
    let server = Server::of(&space);
    let resources = "/spec/executorManager/resources";
    for (pointer, value, said) in [
        ("/metadata/name", json!("1a"), "want a-z, 0-9 and \\\"-\\\", beginning with a letter"),
        ("/metadata/name", json!("a".repeat(48)), "may not be more than 47"),
        ("/spec/sessionManager", json!({}), "spec.sessionManager.image: Required value"),
        ("/spec/sessionManager/image", json!(""), "want [HOST[:PORT]/]PATH[:TAG][@DIGEST]"),
        ("/spec/sessionManager/image", json!("a@sha256:12"), "want a digest as sha256:"),
        ("/spec/sessionManager/image", json!("0123456789abcdef".repeat(4)), "an image's ID"),
        ("/spec/sessionManager/endpoint", json!("http://x:1"), "unknown field \\\"spec.sessionManager.endpoint\\\""),
        ("/spec/sessionManager/slot", json!("cpu=1"), "want cpu=N,mem=N and k, m or g"),
        ("/spec/sessionManager/slot", json!("cpu=1,cpu=2,mem=1g"), "want cpu and mem once each"),
        ("/spec/sessionManager/storage", json!("postgres://x"), "want sqlite://FILE"),
        ("/spec/sessionManager/storage", json!("sqlite:///etc/flame/x.db"), "no volume can be mounted at /"),
        ("/spec/sessionManager/storage", json!("sqlite:///a/../x.db"), "want neither \\\"..\\\" nor \\\":\\\""),
        ("/spec/sessionManager/storage", json!("sqlite://x.db?mode=ro"), "mode=ro: Flame has to write"),
        ("/spec/sessionManager/storage", json!("sqlite://x.db?a=b"), "Flame knows these parameters of SQLite"),
        ("/spec/sessionManager/storage", json!("sqlite://a%20b.db"), "Flame would open another file"),
        ("/spec/executorManager/replicas", json!(-1), "should be greater than or equal to 0"),
        ("/spec/executorManager/replicas", json!(10_001), "should be less than or equal to 10000"),
        ("/spec/executorManager/replicas", json!("5"), "must be of type integer"),
        ("/spec/executorManager/shim", json!("docker"), "supported values: \\\"host\\\", \\\"wasm\\\""),
        ("/spec/executorManager/maxExecutors", json!(4_294_967_296_u64), "less than or equal to"),
        ("/spec/objectCache/storage", json!("cache"), "want an absolute path"),
        ("/spec/objectCache/storage", json!("/a/../b"), "want neither \\\"..\\\" nor \\\":\\\""),
        ("/spec/objectCache/storage", json!("/./etc//flame/cache"), "no volume can be mounted at /"),
        ("/spec/objectCache/storage", json!("/etc/"), "no volume can be mounted at /"),
        ("/spec/objectCache/storage", json!("/a\\b"), "containers run Linux"),
        ("/spec/objectCache/networkInterface", json!("10.0.0.1"), "got an address"),
        ("/spec/objectCache/networkInterface", json!("eth0,eth1"), "want a regular expression on one line"),
        (resources, json!({ "requests": { "cpu": "1KB" } }), "should match"),
        (resources, json!({ "requests": { "cpu": -1 } }), "greater than or equal to 0"),
        (resources, json!({ "requests": { "cpu": "500u" } }), "the smallest amount of cpu is 1m"),
        (resources, json!({ "requests": { "gpu": 1 } }), "known resources: cpu, memory, ephemeral-storage"),
        (resources, json!({ "limits": { "nvidia.com/gpu": "1.5" } }), "a device comes in whole numbers"),
        (resources, json!({ "requests": { "nvidia.com/gpu": 1 } }), "need a limit of the same number"),
        (
            resources,
            json!({ "requests": { "cpu": 2 }, "limits": { "cpu": "1500m" } }),
            "the request of cpu is more than",
        ),
        (
            resources,
            json!({ "requests": { "memory": "1.1Gi" }, "limits": { "memory": "1Gi" } }),
            "the request of memory is more than the limit",
        ),
        (resources, json!({ "limits": { "hugepages-2Mi": "4Mi" } }), "huge pages need cpu or memory beside them"),
        ("/spec/sessionmanager", json!({}), "unknown field \\\"spec.sessionmanager\\\""),
    ] {
        let flame = with(pointer, value);
        let refused = server.refuses(&flame).unwrap_or_else(|| panic!("{flame} is taken"));
        assert!(refused.contains(said), "{said:?} is not said of {flame}: {refused}");
        assert!(parse("f.yaml", flame.to_string().as_bytes()).flame.is_none(), "the reader takes {flame}");
    }
    assert_eq!(server.refuses(&with("/spec/executorManager/replicas", json!(3))), None);
}

/// What only the reader sees, as it says it.
const READERS: &[&str] = &[
    // What annotations and tags of images say of Flame.
    "no task is ever run",
    "Flame 0.6 needs an object cache",
    "want a version of Flame",
    "flame.xflops.io/object-cache-image: ",
    // How the file is spelled, and null, which is nothing to a server.
    "is given twice",
    "tags are not read",
    "merge keys",
    "want one line, got a line break",
    "begins with 0, which YAML 1.1 reads as octal",
    "got 0b11",
    "got 0x10",
    "got 010",
    "got +5",
    "got 1_000",
    "got 1:30",
    "1_000 is not a quantity",
    "got null",
    // What a definition may say nothing of: the rest of the metadata.
    "so it has to be the whole name",
    "a key has to be text",
    "reserved, set by flamectl",
    "a flame cannot have it",
    "want an integer of 32 bits",
    "want the number of a user",
    "user 0 is root",
    "is more than the largest id",
    "where user 1000 may not write",
    // Numbers inside of texts.
    "is not a registry's host",
    "the registry's port",
    "is larger than a quantity can be",
    "has more than 30 digits",
    "the page's size",
    "no size of a page",
    "more than 64 bits of bytes",
    "Flame reads whole CPUs only",
    // Flame's patterns have another grammar than the server's.
    "Flame reads a regular expression",
    "fe80::1",
    // What JSON has no word for.
    "got 0o10",
];

/// What the reader takes and the server does not: a number with a fraction is none of its quantities.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Object(fields) => fields.values().any(has_fraction),
        _ => false,
    }
}

#[test]
fn the_server_takes_what_the_reader_takes_and_refuses_what_rules_can_say() {
    install();
    let space = namespace();
    let server = Server::of(&space);
    let (mut taken, mut refused) = (0, 0);
    let mut unlike = Vec::new();
    for case in catalogue::cases() {
        let Ok(mut document) = serde_saphyr::from_str::<Value>(&case.input) else { continue };
        // Which namespaces there are is not the definition's.
        let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) else { continue };
        let namespace = metadata.remove("namespace");
        if namespace.is_some() || has_fraction(&document) {
            continue;
        }
        let is_read = parse("f.yaml", case.input.as_bytes()).flame.is_some();
        let only_reader = READERS.iter().any(|it| case.expected.contains(it) || case.lines.contains(it));
        match (is_read, server.refuses(&document)) {
            (true, Some(said)) => unlike.push(format!("refused: {said}\nof {}", case.lines)),
            (false, None) if !only_reader => unlike.push(format!("taken: {}\n{}", case.lines, case.expected)),
            (true, None) => taken += 1,
            (false, Some(_)) => refused += 1,
            (false, None) => {}
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n\n"));
    assert!(taken > 30 && refused > 100, "{taken} taken, {refused} refused");
}

#[test]
fn kubectl_shows_the_operators_columns_by_any_name() {
    let space = with_demo();
    let columns = |text: &str| text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect();
    let fresh: Vec<Vec<String>> = columns(&space.kubectl(&["get", "flamecluster"]));
    assert_eq!(fresh[0], ["NAME", "STATE", "SESSION-MANAGER", "EXECUTORS", "AGE"]);
    // What nobody has written yet is empty.
    assert_eq!(fresh[1].len(), 2);
    write_status(&space, &running()).exits(0);
    for name in ["flamecluster", "flameclusters", "fc", "flame"] {
        let rows: Vec<Vec<String>> = columns(&space.kubectl(&["get", name]));
        assert_eq!(rows[1][..4], ["demo", "Running", "1", "1"], "get {name}");
    }
    let wide = space.kubectl(&["get", "flame", "-o", "wide"]);
    assert!(wide.contains("MESSAGE") && wide.contains("All components healthy"), "{wide}");
    assert!(!space.kubectl(&["get", "all"]).contains("demo"));
}

#[test]
fn kubectl_explains_scales_and_waits() {
    let space = with_demo();
    // The server publishes what it explains some moments after the definition is established.
    let began = Instant::now();
    let section = loop {
        let ran = kubectl(&["explain", "flamecluster.spec.executorManager"]);
        if ran.code == Some(0) {
            break ran.stdout;
        }
        assert!(began.elapsed() < PATIENCE, "{ran}");
    };
    for said in ["The Pods that do the work", "replicas\t<integer>", "image\t<string> -required-", "enum: host, wasm"] {
        assert!(section.contains(said), "{said:?} is not in {section}");
    }
    write_status(&space, &running()).exits(0);
    space.kubectl(&["wait", "fc/demo", "--for=jsonpath={.status.state}=Running", "--timeout=60s"]);
    space.kubectl(&["wait", "fc/demo", "--for=condition=Ready", "--timeout=60s"]);
    space.kubectl(&["scale", "flamecluster", "demo", "--replicas=5"]);
    let replicas = ["get", "fc", "demo", "-o", "jsonpath={.spec.executorManager.replicas}"];
    assert_eq!(space.kubectl(&replicas), "5");
    let mut command = space.bed.kubectl();
    command.args(["--namespace", &space.name, "scale", "flamecluster", "demo", "--replicas=10001"]);
    Ran::of(command).exits(1).says("10000");
}

#[test]
fn the_status_is_written_apart_and_only_as_the_reference_has_it() {
    let space = with_demo();
    write_status(&space, &running()).exits(0);
    space.apply(&MINIMAL.replace("image: b", "image: c"), &["--server-side"]);
    let flame: Value = serde_json::from_str(&space.kubectl(&["get", "fc", "demo", "-o", "json"])).unwrap();
    assert_eq!(flame["status"], running());
    assert_eq!(flame["metadata"]["generation"], 2);
    for (status, said) in [
        (json!({ "state": "Ready" }), "supported values: \"Pending\", \"Running\", \"Failed\""),
        (json!({ "sessionManager": { "ready": -1 } }), "greater than or equal to 0"),
        (json!({ "conditions": [{ "type": "Ready", "status": "yes" }] }), "supported values: \"True\""),
    ] {
        write_status(&space, &status).exits(1).says(said);
    }
}
