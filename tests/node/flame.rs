//! A flame on the real node: its file, its tasks, and what the node has of it.

use std::process::Command;
use std::sync::{OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use serde_json::Value;

use crate::bed::{Bed, Namespace, PATIENCE, Ran};
use crate::skip;

/// A flame of the reference's time; its images are stand-ins with upstream's names.
pub const DEMO: &str = "\
apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: demo
spec:
  sessionManager:
    image: xflops/flame-session:v0.1.0
    slot: cpu=1,mem=1g
    storage: sqlite:///var/lib/flame/flame.db
  executorManager:
    image: xflops/flame-executor:v0.1.0
    replicas: 2
    shim: host
  objectCache:
    networkInterface: eth0
    storage: /var/lib/flame/cache
";

/// Returns `text` with one part exchanged, which has to be there.
#[track_caller]
pub fn edited(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    text.replace(from, to)
}

/// Returns the demo with this many executors.
pub fn demo(replicas: u32) -> String {
    edited(DEMO, "replicas: 2", &format!("replicas: {replicas}"))
}

static NODE: RwLock<()> = RwLock::new(());

/// A namespace on the node, while nobody stops the node's parts.
pub struct Space {
    /// The namespace.
    pub space: Namespace<'static>,
    _others: RwLockReadGuard<'static, ()>,
}

/// A namespace on the node, which is this test's alone.
pub struct OwnNode {
    /// The namespace.
    pub space: Namespace<'static>,
    _alone: RwLockWriteGuard<'static, ()>,
}

impl Drop for Space {
    /// Makes room for others: a node takes a hundred Pods.
    fn drop(&mut self) {
        remove(&self.space);
    }
}

impl Drop for OwnNode {
    /// Whatever happened, the next test finds the node as it was.
    fn drop(&mut self) {
        let started = Command::new(skip::SCRIPT).arg("start-kubelet").arg(&self.space.bed.dir).status();
        let uncordoned = self.space.bed.kubectl().args(["uncordon", "node-real"]).status();
        remove(&self.space);
        // A panic while one is under way would hide the first.
        assert!(std::thread::panicking() || (started.unwrap().success() && uncordoned.unwrap().success()));
    }
}

fn remove(space: &Namespace<'_>) {
    let removed = space.bed.kubectl().args(["delete", "namespace", &space.name, "--wait=false"]).output();
    assert!(std::thread::panicking() || removed.unwrap().status.success());
}

/// Returns a namespace on the real node; none where the machine can have no such node.
#[track_caller]
pub fn space() -> Option<Space> {
    let node = node()?;
    let others = NODE.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    Some(Space { space: node.namespace(), _others: others })
}

/// Returns a namespace on the real node, which no other test uses meanwhile.
#[track_caller]
pub fn own_node() -> Option<OwnNode> {
    let node = node()?;
    let alone = NODE.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    Some(OwnNode { space: node.namespace(), _alone: alone })
}

#[track_caller]
fn node() -> Option<&'static Bed> {
    static STARTED: OnceLock<Result<Bed, String>> = OnceLock::new();
    if skip::is_skipped() {
        return None;
    }
    match STARTED.get_or_init(|| Bed::start_with("node", &["--real-node"])) {
        Ok(bed) => Some(bed),
        Err(why) => panic!("there is no node to test on:\n{why}"),
    }
}

/// What a test does with the flame `demo` of a namespace.
pub trait Flame {
    /// Returns the namespace.
    fn namespace(&self) -> &Namespace<'static>;

    /// Brings it up as `file` says.
    #[track_caller]
    fn up(&self, file: &str) -> Ran {
        self.namespace().up_with(file, &["-y", "--timeout=90s"])
    }

    /// Talks to the session manager, over a port that `connect` forwards: says each line and returns the answers.
    #[track_caller]
    fn talk(&self, lines: &[&str]) -> Vec<String> {
        let script = r#"exec 3<>"/dev/tcp/127.0.0.1/${FLAME_ENDPOINT##*:}" || exit 9
            for line; do echo "$line" >&3; IFS= read -r -t 30 -u 3 answer || exit 8; echo "$answer"; done"#;
        let mut command = self.namespace().command(&["connect", "demo"]);
        command.args(["--", "bash", "-c", script, "bash"]).args(lines);
        let ran = Ran::of(command).exits(0);
        ran.stdout.lines().map(str::to_owned).collect()
    }

    /// Lets an executor do a task and returns its hostname.
    #[track_caller]
    fn task(&self) -> String {
        let answer = self.talk(&["RUN hello"]).remove(0);
        let (hostname, result) = answer.strip_prefix("RESULT ").unwrap().split_once(' ').unwrap();
        assert_eq!(result, "HELLO");
        hostname.to_owned()
    }

    /// Returns the hostnames of the executors that take tasks.
    #[track_caller]
    fn executors(&self) -> Vec<String> {
        self.talk(&["EXECUTORS"]).remove(0).split_whitespace().map(str::to_owned).collect()
    }

    /// Waits until so many executors take tasks, lets each do one, and returns their hostnames.
    #[track_caller]
    fn works_with(&self, executors: usize) -> Vec<String> {
        let began = Instant::now();
        let names = loop {
            let names = self.executors();
            if names.len() == executors {
                break names;
            }
            assert!(began.elapsed() < PATIENCE, "{names:?} work, not {executors}");
        };
        let tasks = vec!["RUN hello"; executors];
        let mut did: Vec<String> =
            self.talk(&tasks).iter().map(|it| it.split(' ').nth(1).unwrap().to_owned()).collect();
        did.sort();
        assert_eq!(did, names);
        names
    }

    /// Returns a Pod of the flame.
    #[track_caller]
    fn pod(&self, name: &str) -> Value {
        self.namespace()
            .objects()
            .remove(&format!("Pod demo-{name}"))
            .unwrap_or_else(|| panic!("there is no Pod {name}"))
    }

    /// Returns how often containers of the flame restarted.
    #[track_caller]
    fn restarts(&self) -> u64 {
        let objects = self.namespace().objects();
        let of_pod = |pod: &Value| pod["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap_or(0);
        objects.iter().filter(|(name, _)| name.starts_with("Pod ")).map(|(_, pod)| of_pod(pod)).sum()
    }

    /// Kills the first process of a Pod's container, as nothing inside of it could.
    #[track_caller]
    fn kill(&self, pod: &str) {
        let id = self.pod(pod)["status"]["containerStatuses"][0]["containerID"].as_str().unwrap().to_owned();
        let id = id.strip_prefix("containerd://").unwrap().to_owned();
        let ctr = "ctr --address /mnt/containerd.sock --namespace k8s.io task kill --signal SIGKILL";
        self.in_node(&[&ctr.split(' ').collect::<Vec<_>>()[..], &[&id]].concat());
    }

    /// Runs a command as a process of the node.
    #[track_caller]
    fn in_node(&self, command: &[&str]) -> String {
        let mut run = Command::new(skip::SCRIPT);
        run.arg("in-node").arg(&self.namespace().bed.dir).args(command);
        Ran::of(run).exits(0).stdout
    }

    /// Waits until something holds.
    #[track_caller]
    fn until(&self, what: &str, mut is: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is() {
            assert!(began.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        }
    }
}

impl Flame for Space {
    fn namespace(&self) -> &Namespace<'static> {
        &self.space
    }
}

impl Flame for OwnNode {
    fn namespace(&self) -> &Namespace<'static> {
        &self.space
    }
}
