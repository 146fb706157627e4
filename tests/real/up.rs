//! `up`: exactly the reference's objects, made once.

use serde_json::{Value, json};

use crate::bed::{Objects, Ran, at, names, namespace, uids, versions};
use crate::flames::{CACHE, DEMO, MANAGER, RECORD, SERVICE, demo, edited, executor};

/// The reference's example with everything in it.
const FULL: &str = r#"
apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: my-flame
  labels: {team: research}
  annotations: {example.com/contact: "ops, please"}
spec:
  sessionManager:
    image: "xflops/flame-session:v0.1.0"
    resources:
      requests: {cpu: 500m, memory: 512Mi}
      limits: {cpu: "1", memory: 1Gi}
    slot: "cpu=1,mem=1g"
    policy: priority
    storage: sqlite:///var/lib/flame/flame.db
  executorManager:
    image: "xflops/flame-executor:v0.1.0"
    replicas: 2
    shim: host
    maxExecutors: 10
  objectCache:
    networkInterface: "eth0"
    storage: "/var/lib/flame/cache"
"#;

/// The reference's file ("ConfigMap Generation"), byte for byte, but for the storage path.
const FULL_CONFIG: &str = r#"cluster:
  name: my-flame
  endpoint: "http://my-flame-session-manager:8080"
  slot: "cpu=1,mem=1g"
  policy: priority
  storage: sqlite:///var/lib/flame/flame.db
executors:
  shim: host
  limits:
    max_executors: 10
cache:
  endpoint: "grpc://my-flame-object-cache:9090"
  network_interface: "eth0"
  storage: "/var/lib/flame/cache"
"#;

fn labels(component: &str) -> Value {
    json!({
        "app": format!("flame-{component}"),
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/instance": "my-flame",
        "app.kubernetes.io/managed-by": "flamectl",
        "app.kubernetes.io/name": "flame",
        "flame.xflops.io/cluster": "my-flame",
        "team": "research",
    })
}

fn with_index(mut labels: Value, index: &str) -> Value {
    labels["flame.xflops.io/pod-index"] = index.into();
    labels
}

#[test]
fn the_objects_are_exactly_the_references() {
    let space = namespace();
    space.up(FULL).exits(0).prints("Running").prints("1/1").prints("2/2").prints("All components healthy");
    let objects = space.objects();
    let expected = [
        ("ConfigMap my-flame-config", labels("config")),
        ("Pod my-flame-executor-manager-0", with_index(labels("executor-manager"), "0")),
        ("Pod my-flame-executor-manager-1", with_index(labels("executor-manager"), "1")),
        ("Pod my-flame-session-manager", labels("session-manager")),
        ("Service my-flame-object-cache", labels("object-cache")),
        ("Service my-flame-session-manager", labels("session-manager")),
    ];
    assert_eq!(names(&objects), expected.each_ref().map(|(name, _)| *name));
    for (name, labels) in expected {
        assert_eq!(objects[name]["metadata"]["labels"], labels, "{name}");
        assert_eq!(objects[name]["metadata"]["annotations"]["example.com/contact"], "ops, please", "{name}");
    }
    let record = &objects["ConfigMap my-flame-config"];
    assert_eq!(record["data"], json!({ "flame-cluster.yaml": FULL_CONFIG }));
    assert_eq!(at(record, "/metadata/annotations/flame.xflops.io~1config-generation"), "1");
    check_services(&objects);
    check_session_manager(&objects["Pod my-flame-session-manager"], &space.name);
    check_executor(&objects["Pod my-flame-executor-manager-1"], &space.name);
}

fn check_services(objects: &Objects) {
    let port = |name: &str, port: u16| json!({ "name": name, "port": port, "protocol": "TCP", "targetPort": port });
    let selector =
        |component: &str| json!({ "flame.xflops.io/cluster": "my-flame", "app.kubernetes.io/component": component });
    let service = &objects["Service my-flame-session-manager"]["spec"];
    assert_eq!(service["ports"], json!([port("http", 8080), port("backend", 8081)]));
    assert_eq!(service["selector"], selector("session-manager"));
    assert_eq!(service["type"], "ClusterIP");
    assert_eq!(service["publishNotReadyAddresses"], true);
    let service = &objects["Service my-flame-object-cache"]["spec"];
    assert_eq!(service["ports"], json!([port("grpc", 9090)]));
    assert_eq!(service["selector"], selector("executor-manager"));
}

/// Returns what the binaries are told: where the config is, and the reference's addresses.
fn environment(namespace: &str) -> Value {
    json!([
        { "name": "FLAME_CONFIG", "value": "/etc/flame/flame-cluster.yaml" },
        { "name": "SESSION_MANAGER_ADDR", "value": format!("my-flame-session-manager.{namespace}.svc.cluster.local:8080") },
        { "name": "OBJECT_CACHE_ADDR", "value": format!("my-flame-object-cache.{namespace}.svc.cluster.local:9090") },
        { "name": "RUST_LOG", "value": "info" },
    ])
}

fn probe(port: u16, period: u32, failures: u32) -> Value {
    json!({
        "failureThreshold": failures, "periodSeconds": period, "successThreshold": 1, "timeoutSeconds": 1,
        "tcpSocket": { "port": port },
    })
}

fn check_session_manager(pod: &Value, namespace: &str) {
    let container = &pod["spec"]["containers"][0];
    let expected = json!({
        "name": "session-manager",
        "image": "xflops/flame-session:v0.1.0",
        "args": ["--config", "$(FLAME_CONFIG)"],
        "env": environment(namespace),
        "ports": [
            { "containerPort": 8080, "name": "http", "protocol": "TCP" },
            { "containerPort": 8081, "name": "backend", "protocol": "TCP" },
        ],
        "resources": { "limits": { "cpu": "1", "memory": "1Gi" }, "requests": { "cpu": "500m", "memory": "512Mi" } },
        "startupProbe": probe(8080, 1, 300),
        "readinessProbe": probe(8080, 2, 3),
        "volumeMounts": [
            { "mountPath": "/etc/flame", "name": "config", "readOnly": true },
            { "mountPath": "/var/lib/flame", "name": "storage" },
        ],
    });
    assert_eq!(without_defaults(container), expected);
    assert_eq!(pod["spec"]["volumes"][0]["configMap"]["name"], "my-flame-config");
    assert_eq!(pod["spec"]["volumes"][1], json!({ "emptyDir": {}, "name": "storage" }));
}

fn check_executor(pod: &Value, namespace: &str) {
    let expected = json!({
        "name": "executor-manager",
        "image": "xflops/flame-executor:v0.1.0",
        "args": ["--config", "$(FLAME_CONFIG)"],
        "env": environment(namespace),
        "ports": [{ "containerPort": 9090, "name": "grpc", "protocol": "TCP" }],
        "resources": {},
        "startupProbe": probe(9090, 1, 300),
        "readinessProbe": probe(9090, 2, 3),
        "volumeMounts": [
            { "mountPath": "/etc/flame", "name": "config", "readOnly": true },
            { "mountPath": "/var/lib/flame/cache", "name": "cache" },
        ],
    });
    assert_eq!(without_defaults(&pod["spec"]["containers"][0]), expected);
    assert_eq!(pod["spec"]["restartPolicy"], "Always");
    assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
}

/// Returns a container without what the server fills in.
fn without_defaults(container: &Value) -> Value {
    let mut container = container.clone();
    for field in ["imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy"] {
        container.as_object_mut().unwrap().remove(field);
    }
    container
}

#[test]
fn everything_is_applied_by_the_field_manager_flamectl() {
    let space = namespace();
    space.up(DEMO).exits(0);
    for (name, object) in space.objects() {
        let entries = object["metadata"]["managedFields"].as_array().unwrap();
        let writers: Vec<_> = entries.iter().filter(|it| at(it, "/subresource") != "status").collect();
        assert_eq!(writers.len(), 1, "{name}: {writers:#?}");
        assert_eq!((at(writers[0], "/manager"), at(writers[0], "/operation")), ("flamectl", "Apply"), "{name}");
    }
}

#[test]
fn a_second_up_writes_nothing() {
    let space = namespace();
    space.up(FULL).exits(0);
    let before = versions(&space.objects());
    space.up_with(FULL, &[]).exits(0).says("nothing to do");
    assert_eq!(versions(&space.objects()), before);
}

#[test]
fn a_flame_comes_from_standard_input() {
    let space = namespace();
    Ran::with_input(space.command(&["up", "-f", "-"]), DEMO).exits(0).prints("Running");
    let objects = space.objects();
    assert_eq!(names(&objects), [RECORD, &executor(0), &executor(1), MANAGER, CACHE, SERVICE]);
}

#[test]
fn what_kubectl_applied_from_render_is_left_as_it_is() {
    let space = namespace();
    let file = space.file("flame.yaml", FULL);
    let rendered = space.flamectl(&["render", "-f", &file]).exits(0).stdout;
    space.apply(&rendered, &["--server-side", "--field-manager=flamectl"]);
    space.kubectl(&["wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s"]);
    let before = versions(&space.objects());
    space.flamectl(&["up", "-f", &file]).exits(0).says("nothing to do").prints("Running");
    assert_eq!(versions(&space.objects()), before);
}

#[test]
fn what_up_made_is_left_as_it_is_by_kubectl() {
    let space = namespace();
    let file = space.file("flame.yaml", FULL);
    space.flamectl(&["up", "-f", &file]).exits(0);
    let before = versions(&space.objects());
    let rendered = space.flamectl(&["render", "-f", &file]).exits(0).stdout;
    space.apply(&rendered, &["--server-side", "--field-manager=flamectl"]);
    assert_eq!(versions(&space.objects()), before);
}

#[test]
fn the_server_takes_the_rendered_objects() {
    let space = namespace();
    for flame in [FULL, DEMO] {
        let file = space.file("flame.yaml", flame);
        for output in ["yaml", "json"] {
            let rendered = space.flamectl(&["render", "-f", &file, "-o", output]).exits(0).stdout;
            let taken = space.apply(&rendered, &["--server-side", "--dry-run=server"]);
            assert_eq!(taken.lines().count(), 6, "{taken}");
        }
    }
    assert_eq!(names(&space.objects()), Vec::<&str>::new());
}

#[test]
fn without_waiting_up_only_sends() {
    let space = namespace();
    let flame = edited(DEMO, "em:v1", "notready/em:v1");
    space.up_with(&flame, &["--wait=false"]).exits(0).prints("Pending");
    let objects = space.objects();
    assert_eq!(names(&objects), [RECORD, &executor(0), &executor(1), MANAGER, CACHE, SERVICE]);
}

/// From nine executors on their names are looked up in one list, which an empty namespace answers with `items: null`.
#[test]
fn ten_executors_come_into_an_empty_namespace() {
    let space = namespace();
    space.up(&demo(10)).exits(0).prints("10/10");
    assert_eq!(space.objects().len(), 14);
}

#[test]
fn a_flame_without_executors_is_up() {
    let space = namespace();
    space.up(&demo(0)).exits(0).prints("0/0");
    assert_eq!(names(&space.objects()), [RECORD, MANAGER, CACHE, SERVICE]);
}

#[test]
fn two_flames_live_in_one_namespace() {
    let space = namespace();
    space.up(DEMO).exits(0);
    let before = space.objects();
    // A name that begins like the other's: only whole names may match.
    let other = edited(DEMO, "name: demo", "name: demo-executor");
    space.up(&other).exits(0);
    assert_eq!(space.objects().len(), 12);
    space.flamectl(&["scale", "demo-executor", "--replicas", "1", "-y"]).exits(0);
    space.flamectl(&["down", "demo-executor", "-y"]).exits(0);
    assert_eq!(versions(&space.objects()), versions(&before));
}

#[test]
fn the_same_name_lives_in_two_namespaces() {
    let (here, there) = (namespace(), namespace());
    here.up(DEMO).exits(0);
    there.up(DEMO).exits(0);
    let before = uids(&there.objects());
    here.flamectl(&["down", "demo", "-y"]).exits(0);
    assert_eq!(names(&here.objects()), Vec::<&str>::new());
    assert_eq!(uids(&there.objects()), before);
}
