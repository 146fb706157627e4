//! The control plane that all tests share, and what there is in a namespace of it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use flamectl::flame::FlameCluster;
use flamectl::flame::manifests::manifests;
use flamectl::flame::names::Component;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::runtime::Handle;

static BED: LazyLock<Bed> = LazyLock::new(Bed::start);
static RUNTIME: LazyLock<Handle> = LazyLock::new(start_runtime);
static NAMESPACES: AtomicU32 = AtomicU32::new(1);

/// A running control plane; it ends with this process.
pub struct Bed {
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// A directory that goes away with the control plane.
    pub scratch: PathBuf,
    /// The administrator's client.
    pub kube: kube::Client,
}

/// Returns the control plane, which the first call starts.
pub fn bed() -> &'static Bed {
    &BED
}

/// Returns the runtime that all proxies work on.
pub fn runtime() -> &'static Handle {
    &RUNTIME
}

fn start_runtime() -> Handle {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    handle
}

impl Bed {
    fn start() -> Self {
        let dir = std::env::temp_dir().join(format!("flamectl-faults-{}", std::process::id()));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/bed");
        let owner = std::process::id().to_string();
        let mut start = Command::new(script);
        start.arg("start").arg(&dir).args(["--careful-nodes", "--owner", &owner]).stdout(Stdio::null());
        assert!(start.status().unwrap().success(), "no control plane");
        let kubeconfig = dir.join("kubeconfig");
        let kube = runtime().block_on(client(&kubeconfig));
        Self { kubeconfig, scratch: dir.join("run"), kube }
    }

    /// Makes a namespace in which Pods can be made at once.
    pub fn namespace(&self, prefix: &str) -> String {
        let name = format!("{prefix}-{:04}", NAMESPACES.fetch_add(1, Ordering::Relaxed));
        self.send("POST", "/api/v1/namespaces", Some(json!({ "metadata": { "name": name } }))).unwrap();
        // The controller makes it, too, a moment later; whoever comes second finds it there.
        let account = json!({ "metadata": { "name": "default" } });
        let _ = self.send("POST", &format!("/api/v1/namespaces/{name}/serviceaccounts"), Some(account));
        name
    }

    /// Sends one request as administrator, and not through a proxy.
    pub fn send(&self, method: &str, path: &str, body: Option<Value>) -> kube::Result<Value> {
        runtime().block_on(send(self.kube.clone(), method, path, body))
    }

    /// Returns everything in the namespace as text, one object a line, without what differs from run to run.
    pub fn state(&self, namespace: &str, flame: &FlameCluster) -> Vec<String> {
        let list = |resource: &str| {
            let path = format!("/api/v1/namespaces/{namespace}/{resource}");
            let list = self.send("GET", &path, None).unwrap();
            list["items"].as_array().unwrap().iter().map(|it| stable(resource, it.clone())).collect::<Vec<_>>()
        };
        let objects: Vec<Value> = ["configmaps", "services", "pods"].into_iter().flat_map(list).collect();
        let ours = objects.into_iter().filter(|it| it["metadata"]["name"] != "kube-root-ca.crt");
        ours.map(|object| without_namespace(&object.to_string(), namespace, flame)).collect()
    }
}

/// Sends one request as whoever `kube` is.
pub async fn send(kube: kube::Client, method: &str, path: &str, body: Option<Value>) -> kube::Result<Value> {
    let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let request = http::Request::builder().method(method).uri(path).header("content-type", "application/json");
    kube.request(request.body(bytes).unwrap()).await
}

async fn client(kubeconfig: &std::path::Path) -> kube::Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.unwrap();
    config.default_retry = false;
    kube::Client::try_from(config).unwrap()
}

/// Drops what the server, the scheduler and the nodes fill in.
fn stable(resource: &str, mut object: Value) -> Value {
    object["kind"] = resource.into();
    object.as_object_mut().unwrap().remove("status");
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["uid", "resourceVersion", "creationTimestamp", "generation"] {
        metadata.remove(field);
    }
    if let Some(managers) = metadata.get_mut("managedFields").and_then(Value::as_array_mut) {
        managers.retain(|manager| manager["subresource"] != "status");
        for manager in managers {
            manager.as_object_mut().unwrap().remove("time");
            // Whether a Pod has a hostname of its own depends on whether it had a predecessor.
            if let Some(spec) = manager["fieldsV1"].get_mut("f:spec").and_then(Value::as_object_mut) {
                spec.remove("f:hostname");
            }
        }
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        for field in ["clusterIP", "clusterIPs", "nodeName", "hostname"] {
            spec.remove(field);
        }
    }
    object
}

/// Writes `NAMESPACE` for the namespace and `HASH` for the right template hash, which depends on it. A wrong hash stays.
fn without_namespace(text: &str, namespace: &str, flame: &FlameCluster) -> String {
    let mut flame = flame.clone();
    flame.metadata.namespace = Some(namespace.to_owned());
    let manifests = manifests(&flame).unwrap();
    let hash = |component| manifests.template_hash(component).to_string();
    text.replace(&hash(Component::SessionManager), "HASH")
        .replace(&hash(Component::ExecutorManager), "HASH")
        .replace(namespace, "NAMESPACE")
}
