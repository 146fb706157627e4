//! A real node begins clean and leaves nothing behind, however it ends; a flame begins on it without a restart.
//!
//! Every test has a node of its own (`tests/bed`), as it ends it. That needs root and some of Debian's packages: where they are
//! missing each test says on standard error that it is skipped, and why; with `FLAMECTL_NODE=required` that is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may panic, look at the clock and speak"
)]

#[allow(dead_code, reason = "other tests use all of it")]
#[path = "real/bed.rs"]
mod bed;
#[path = "node/skip.rs"]
mod skip;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use bed::{Bed, Namespace, PATIENCE, Ran, at};

/// Returns a flame of stand-ins with this many executors.
fn demo(replicas: u32) -> String {
    format!(
        "\
apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: demo
spec:
  sessionManager:
    image: xflops/flame-session:v0.1.0
  executorManager:
    image: xflops/flame-executor:v0.1.0
    replicas: {replicas}
"
    )
}

/// Starts a control plane with a real node; none where the machine can have no such node.
#[track_caller]
fn node(name: &str, options: &[&str]) -> Option<Bed> {
    if skip::is_skipped() {
        return None;
    }
    let node = Bed::start_with(name, &[&["--real-node"], options].concat());
    Some(node.unwrap_or_else(|why| panic!("there is no node to test on:\n{why}")))
}

/// Returns how often containers restarted in a namespace.
#[track_caller]
fn restarts(space: &Namespace<'_>) -> u64 {
    let objects = space.objects();
    let pods = objects.values().filter(|it| at(it, "/kind") == "Pod");
    pods.map(|pod| pod["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap()).sum()
}

/// What a node has outside of its directory, by which it is found again after its end.
struct Traces {
    cable: String,
    network: PathBuf,
    groups: Vec<PathBuf>,
    rules: BTreeSet<String>,
}

impl Traces {
    /// Finds them while the node runs, and checks that there are any.
    #[track_caller]
    fn of(bed: &Bed) -> Self {
        let run = bed.dir.join("run");
        let address = fs::read_to_string(run.join("node-address")).unwrap();
        let cable = format!("bed{}", address.split('.').nth(2).unwrap());
        let apiserver = first_word(&run.join("pids/kube-apiserver"));
        let network = fs::read_link(format!("/proc/{apiserver}/ns/net")).unwrap();
        let group = format!("flamectl-bed-{}", first_word(&run.join("pids/holder")));
        let root = Path::new("/sys/fs/cgroup");
        let mut groups = vec![root.join(&group)];
        groups.extend(fs::read_dir(root).unwrap().map(|it| it.unwrap().path().join(&group)));
        groups.retain(|group| group.exists());
        let traces = Self { cable, network, groups, rules: rules() };
        assert!(traces.has_cable() && !traces.processes().is_empty() && !traces.groups.is_empty());
        traces
    }

    fn has_cable(&self) -> bool {
        Path::new("/sys/class/net").join(&self.cable).exists()
    }

    /// Returns the processes in the node's network.
    fn processes(&self) -> Vec<String> {
        let all = fs::read_dir("/proc").unwrap().map(|it| it.unwrap().path());
        let inside = all.filter(|it| fs::read_link(it.join("ns/net")).is_ok_and(|net| net == self.network));
        inside.map(|it| fs::read_to_string(it.join("comm")).unwrap_or_default()).collect()
    }

    /// Waits until none is left. A control group can only go when the last container's process has.
    #[track_caller]
    fn are_gone(&self) {
        let began = Instant::now();
        loop {
            let groups: Vec<_> = self.groups.iter().filter(|it| it.exists()).collect();
            let processes = self.processes();
            if !self.has_cable() && groups.is_empty() && processes.is_empty() {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "left: {}, {groups:?}, {processes:?}", self.cable);
            std::thread::yield_now();
        }
        assert_eq!(rules(), self.rules, "the host's own rules are touched by no node");
        println!("nothing was left after {:.1} s", began.elapsed().as_secs_f64());
    }
}

/// Ends a scheduler so that none can take its place, and waits until that was tried: half of a directory may be gone while the rest
/// is looked at.
#[track_caller]
fn cannot_start_a_scheduler(node: &Bed) {
    let run = node.dir.join("run");
    // Its process would be recorded in a file of this name.
    fs::create_dir(run.join("kube-scheduler.new")).unwrap();
    let scheduler = first_word(&run.join("pids/kube-scheduler"));
    assert!(Command::new("kill").args(["-s", "KILL", &scheduler]).status().unwrap().success());
    let log = node.dir.join("logs/supervisor.log");
    let began = Instant::now();
    while !fs::read_to_string(&log).unwrap().contains("could not start kube-scheduler") {
        assert!(began.elapsed() < PATIENCE, "nothing in {}", log.display());
        std::thread::yield_now();
    }
}

fn first_word(file: &Path) -> String {
    fs::read_to_string(file).unwrap().split(' ').next().unwrap().to_owned()
}

/// Returns the packet filter of the host, without its counters.
fn rules() -> BTreeSet<String> {
    let text = Ran::of(Command::new("iptables-save")).exits(0).stdout;
    text.lines().filter(|line| line.starts_with('-')).map(str::to_owned).collect()
}

/// Starts a process for a node to end with.
fn owner() -> Child {
    Command::new("sleep").arg("600").spawn().unwrap()
}

#[test]
fn an_executor_is_started_once_on_a_clean_start() {
    let Some(node) = node("starts", &[]) else { return };
    // One executor connects first of all, so soon that a node may not yet know where to; five take longer to start.
    for replicas in [1, 1, 1, 5] {
        let space = node.namespace();
        let began = Instant::now();
        space.up(&demo(replicas)).exits(0).prints(&format!("{replicas}/{replicas}"));
        println!("{replicas} executors up after {:.1} s", began.elapsed().as_secs_f64());
        assert_eq!(restarts(&space), 0, "of {replicas} executors");
        space.flamectl(&["down", "demo", "-y"]).exits(0);
    }
    node.verb("stop");
}

#[test]
fn two_nodes_live_side_by_side_and_a_stopped_one_leaves_nothing() {
    let Some(first) = node("first", &[]) else { return };
    let second = node("second", &[]).unwrap();
    let (here, there) = (first.namespace(), second.namespace());
    here.up(&demo(2)).exits(0);
    there.up(&demo(2)).exits(0);
    let traces = [Traces::of(&first), Traces::of(&second)];
    assert_ne!(traces[0].cable, traces[1].cable);
    first.verb("stop");
    traces[0].are_gone();
    assert!(!first.dir.exists(), "{}", first.dir.display());
    there.flamectl(&["scale", "demo", "--replicas=3", "-y"]).exits(0).prints("3/3");
    second.verb("stop");
    traces[1].are_gone();
}

#[test]
fn a_node_whose_owner_was_killed_leaves_nothing() {
    let mut owner = owner();
    let Some(node) = node("owned", &["--owner", &owner.id().to_string()]) else {
        owner.kill().unwrap();
        owner.wait().unwrap();
        return;
    };
    node.namespace().up(&demo(2)).exits(0);
    let traces = Traces::of(&node);
    owner.kill().unwrap();
    owner.wait().unwrap();
    traces.are_gone();
}

#[test]
fn a_node_whose_directory_was_removed_leaves_nothing() {
    let Some(node) = node("removed", &[]) else { return };
    node.namespace().up(&demo(1)).exits(0);
    let traces = Traces::of(&node);
    cannot_start_a_scheduler(&node);
    // Its programs may write to it meanwhile.
    let began = Instant::now();
    while fs::remove_dir_all(&node.dir).is_err() && node.dir.exists() {
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    traces.are_gone();
}

#[test]
fn a_flame_stays_as_it_is_while_the_kube_apiserver_and_the_kubelet_restart() {
    let Some(node) = node("restarts", &[]) else { return };
    let space = node.namespace();
    space.up(&demo(2)).exits(0);
    let before = bed::uids(&space.objects());
    node.verb("restart-apiserver");
    node.verb("stop-kubelet");
    node.verb("start-kubelet");
    space.flamectl(&["scale", "demo", "--replicas=3", "-y"]).exits(0).prints("3/3");
    let after = bed::uids(&space.objects());
    assert!(before.iter().all(|(name, uid)| after[name] == *uid), "{before:?} became {after:?}");
    assert_eq!(restarts(&space), 0);
    node.verb("stop");
}
