//! A local control plane, its namespaces, and kubeconfigs that lead to it through the relay.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use http::{Request, StatusCode};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::Result;
use crate::arguments::User;
use crate::relay::Relay;
use crate::tools::SELECTOR;

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// How long the server is left alone before anything is timed, so that its controllers have done what follows of a change.
const QUIET: Duration = Duration::from_millis(500);
/// How long anything may take that is not measured.
const PATIENCE: Duration = Duration::from_secs(600);

/// In which /proc counts, whatever the kernel's own clock (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

/// A list of objects without what is in them.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

pub struct Server {
    dir: PathBuf,
    kubeconfigs: PathBuf,
    client: kube::Client,
    runtime: Runtime,
    /// What it said of its version.
    pub version: String,
}

#[derive(Deserialize)]
struct List {
    /// `null` where there are none.
    items: Option<Vec<IgnoredAny>>,
}

impl Server {
    /// Starts one that ends with this process, and leads the relay to it.
    pub fn start(dir: &Path, nodes: usize, is_audited: bool, relay: &Relay) -> Result<Self> {
        let (owner, nodes) = (std::process::id().to_string(), nodes.to_string());
        let mut start: Vec<&OsStr> = ["start", "--owner", &owner, "--nodes", &nodes].map(OsStr::new).to_vec();
        start.insert(1, dir.as_os_str());
        if is_audited {
            start.push("--audit".as_ref());
        }
        bed(&start)?;
        let kubeconfigs = dir.with_extension("kubeconfigs");
        fs::create_dir_all(&kubeconfigs)?;
        for user in User::ALL {
            let text = fs::read_to_string(dir.join(file_of(user)))?;
            let server = server_of(&text)?;
            relay.lead_to(server);
            let text = text.replace(&server.to_string(), &format!("127.0.0.1:{}", relay.port));
            fs::write(kubeconfigs.join(user.name()), text)?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(client(&dir.join(file_of(User::Administrator))))?;
        let mut server = Self { dir: dir.to_owned(), kubeconfigs, client, runtime, version: String::new() };
        let version: Value = server.ask("GET", "/version", None)?.ok_or("/version is not there")?;
        server.version = version["gitVersion"].as_str().unwrap_or("unknown").to_owned();
        Ok(server)
    }

    /// Returns the kubeconfig of a user, which leads through the relay.
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        self.kubeconfigs.join(user.name())
    }

    pub fn audit_log(&self) -> PathBuf {
        self.dir.join("logs/audit.log")
    }

    /// Returns the processor time so far of the kube-apiserver and its etcd.
    pub fn cpu(&self) -> Result<Duration> {
        let mut ticks = 0;
        for name in ["kube-apiserver", "etcd"] {
            let recorded = fs::read_to_string(self.dir.join("run/pids").join(name))?;
            let process = recorded.split(' ').next().unwrap_or_default();
            let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
            // The name is in brackets and may have spaces; utime and stime are the 14th and 15th field (proc_pid_stat(5)).
            let fields = stat.rsplit_once(") ").ok_or("no name in stat")?.1.split(' ').skip(11).take(2);
            ticks += fields.map(str::parse::<u64>).sum::<std::result::Result<u64, _>>()?;
        }
        Ok(Duration::from_secs_f64(ticks as f64 / TICKS_PER_SECOND))
    }

    /// Makes a namespace in which the ordinary user may do what tools do, and waits for its ServiceAccount.
    pub fn make_namespace(&self, namespace: &str) -> Result<()> {
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        self.ask::<IgnoredAny>("POST", "/api/v1/namespaces", Some(object))?;
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": "ordinary" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin" },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "flame-user" }],
        });
        let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings");
        self.ask::<IgnoredAny>("POST", &path, Some(binding))?;
        let account = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
        self.until("its ServiceAccount", || Ok(self.ask::<IgnoredAny>("GET", &account, None)?.is_some()))
    }

    /// Deletes all that is in a namespace, whatever state it is in, by making the namespace anew.
    pub fn reset_namespace(&self, namespace: &str) -> Result<()> {
        let path = format!("/api/v1/namespaces/{namespace}");
        self.ask::<IgnoredAny>("DELETE", &path, None)?;
        self.until("the end of its namespace", || Ok(self.ask::<IgnoredAny>("GET", &path, None)?.is_none()))?;
        self.make_namespace(namespace)
    }

    /// Waits until exactly so many Pods are there and run, and then a moment more.
    pub fn settle(&self, namespace: &str, pods: usize) -> Result<()> {
        self.await_pods(namespace, pods)?;
        std::thread::sleep(QUIET);
        Ok(())
    }

    /// Waits until exactly so many Pods are there and run.
    pub fn await_pods(&self, namespace: &str, pods: usize) -> Result<()> {
        let base = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={SELECTOR}&resourceVersion=0");
        let running = format!("{base}&fieldSelector=status.phase=Running");
        self.until(&format!("{pods} Pods"), || Ok(self.count(&base)? == pods && self.count(&running)? == pods))
    }

    fn count(&self, path: &str) -> Result<usize> {
        let list: Option<List> = self.ask("GET", path, None)?;
        Ok(list.and_then(|list| list.items).map_or(0, |items| items.len()))
    }

    fn until(&self, what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
        let began = Instant::now();
        loop {
            let looked = Instant::now();
            if is_so()? {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("there is not {what} after {} s", PATIENCE.as_secs()).into());
            }
            // Looking takes no more than a third of the time, also where there is much to see.
            std::thread::sleep(LOOK.max(looked.elapsed() * 2));
        }
    }

    /// Sends a request as administrator and past the relay; none where nothing is there.
    fn ask<T: serde::de::DeserializeOwned>(&self, method: &str, path: &str, body: Option<Value>) -> Result<Option<T>> {
        // Only lists have a query here.
        let accept = if path.contains('?') { METADATA } else { "application/json" };
        let body = body.map_or(Vec::new(), |body| body.to_string().into_bytes());
        let request = Request::builder().method(method).uri(path);
        let request = request.header("accept", accept).header("content-type", "application/json").body(body)?;
        match self.runtime.block_on(self.client.request::<T>(request)) {
            Ok(answer) => Ok(Some(answer)),
            Err(kube::Error::Api(status)) if status.code == StatusCode::NOT_FOUND => Ok(None),
            Err(kube::Error::Api(status)) => Err(format!("{method} {path}: {}", status.message).into()),
            Err(error) => Err(format!("{method} {path}: {error}").into()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It would end with this process, too, but its memory is wanted for the next one.
        let _ = bed(&["stop".as_ref(), self.dir.as_os_str()]);
    }
}

fn file_of(user: User) -> &'static str {
    match user {
        User::Administrator => "kubeconfig",
        User::Ordinary => "kubeconfig-user",
    }
}

fn server_of(kubeconfig: &str) -> Result<SocketAddr> {
    let server = kubeconfig.split("server: https://").nth(1).and_then(|rest| rest.lines().next());
    Ok(server.ok_or("a kubeconfig without a server")?.trim().parse()?)
}

async fn client(kubeconfig: &Path) -> Result<kube::Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(kube::Client::try_from(config)?)
}

/// Runs a verb of `tests/bed/bed` and returns what it printed.
pub fn bed(arguments: &[&OsStr]) -> Result<String> {
    script("tests/bed/bed", arguments)
}

/// Runs a script of this repository and returns what it printed, without the line break.
pub fn script(path: &str, arguments: &[&OsStr]) -> Result<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let output = Command::new(&script).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}", script.display()))?;
    if !output.status.success() {
        return Err(format!("{path}: {}", String::from_utf8_lossy(&output.stderr).trim_end()).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}
