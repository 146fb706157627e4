//! What `up` makes does work: not only are its Pods Ready, tasks run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crate::bed::{PATIENCE, uids};
use crate::flame::{DEMO, Flame, demo, edited, own_node, space};

/// The reference's complete example, with requests that this node has room for.
const REFERENCE: &str = r#"
apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: demo
spec:
  sessionManager:
    image: "xflops/flame-session:v0.1.0"
    resources:
      requests:
        cpu: "10m"
        memory: "16Mi"
      limits:
        cpu: "1"
        memory: "1Gi"
    slot: "cpu=2,mem=4g"
    policy: priority
    storage: sqlite://flame.db

  executorManager:
    image: "xflops/flame-executor:v0.1.0"
    replicas: 5
    resources:
      requests:
        cpu: "10m"
        memory: "16Mi"
      limits:
        cpu: "1"
        memory: "1Gi"
    shim: host
    maxExecutors: 20

  objectCache:
    networkInterface: "eth0"
    storage: "/var/lib/flame/cache"
"#;

#[test]
fn the_references_example_runs_tasks_and_no_container_restarts_on_a_clean_start() {
    let Some(flame) = own_node() else { return };
    let began = Instant::now();
    flame.up(REFERENCE).exits(0).prints("5/5");
    let up = began.elapsed();
    flame.task();
    let first = began.elapsed();
    println!("up of 5 executors {:.1} s, first task done after {:.1} s", up.as_secs_f64(), first.as_secs_f64());
    flame.works_with(5);
    assert_eq!(flame.restarts(), 0);
}

#[test]
fn new_executors_take_tasks_and_fewer_remain_when_it_is_scaled_back() {
    let Some(flame) = space() else { return };
    flame.up(&demo(1)).exits(0);
    flame.works_with(1);
    flame.space.flamectl(&["scale", "demo", "--replicas=5", "-y"]).exits(0).prints("5/5");
    flame.works_with(5);
    flame.space.flamectl(&["scale", "demo", "--replicas=2", "-y"]).exits(0).prints("2/2");
    let left = flame.works_with(2);
    assert!(left.iter().all(|name| !name.contains("manager-2")), "{left:?}");
}

/// Asserts that all along, while `change` goes on, at least so many executors are Ready and not on their way out.
#[track_caller]
fn always_ready(least: usize, flame: &impl Flame, change: impl FnOnce()) {
    let over = AtomicBool::new(false);
    let space = flame.namespace();
    let listings = thread::scope(|scope| {
        let listings = scope.spawn(|| {
            let mut listings: Vec<String> = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let columns = r#"{.metadata.name} {.metadata.uid} Ready={.status.conditions[?(@.type=="Ready")].status} out={.metadata.deletionTimestamp} restarts={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].state} {.status.containerStatuses[0].lastState}"#;
                let path = format!(r#"{{range .items[*]}}{columns}{{"\n"}}{{end}}"#);
                let of = "app=flame-executor-manager";
                let said = space.kubectl(&["get", "pods", "-l", of, "-o", &format!("jsonpath={path}")]);
                if listings.last() != Some(&said) {
                    listings.push(said);
                }
            }
            listings
        });
        change();
        over.store(true, Ordering::Relaxed);
        listings.join().unwrap()
    });
    let ready = |listing: &String| listing.lines().filter(|line| line.contains(" Ready=True out= ")).count();
    assert!(!listings.is_empty(), "nobody looked while it changed");
    if let Some(at) = listings.iter().position(|listing| ready(listing) < least) {
        let around = listings[at.saturating_sub(3)..].iter().take(6).map(String::as_str);
        panic!("fewer than {least} executors were ready at one time:\n{}", around.collect::<Vec<_>>().join("\n"));
    }
}

#[test]
fn a_change_of_what_executors_read_goes_through_in_waves_and_tasks_run_after_it() {
    let Some(flame) = space() else { return };
    flame.up(&demo(4)).exits(0);
    let before = flame.works_with(4);
    let changed = edited(&demo(4), "shim: host", "shim: host\n    maxExecutors: 7");
    // That is what one at a time leaves.
    always_ready(3, &flame, || {
        flame.up(&changed).exits(0).prints("4/4");
    });
    let after = flame.works_with(4);
    assert!(after.iter().all(|name| !before.contains(name)), "{before:?} and {after:?} share a hostname");
}

#[test]
fn a_new_image_goes_through_in_waves_and_tasks_run_after_it() {
    let Some(flame) = space() else { return };
    flame.up(&demo(4)).exits(0);
    flame.works_with(4);
    let changed = edited(&demo(4), "flame-executor:v0.1.0", "flame-executor:v0.1.1");
    // That is what one at a time leaves.
    always_ready(3, &flame, || {
        flame.up(&changed).exits(0).prints("4/4");
    });
    flame.works_with(4);
}

#[test]
fn a_database_at_an_absolute_path_survives_a_restart_of_its_container_and_a_relative_one_does_not() {
    let Some(flame) = space() else { return };
    for (storage, runs) in [("sqlite:///var/lib/flame/flame.db", "2"), ("sqlite://flame.db", "0")] {
        flame.up(&edited(&demo(1), "sqlite:///var/lib/flame/flame.db", storage)).exits(0);
        assert_eq!(flame.talk(&["RUN a", "RUN b", "RUNS"])[2], "2", "{storage}");
        flame.kill("session-manager");
        flame.until("it restarted", || {
            flame.pod("session-manager")["status"]["containerStatuses"][0]["restartCount"] == 1
        });
        assert_eq!(flame.talk(&["RUNS"]), [runs], "{storage}");
        flame.space.flamectl(&["down", "demo", "-y"]).exits(0);
    }
}

#[test]
fn down_leaves_no_container_no_mount_and_no_rule_on_the_node() {
    let Some(flame) = space() else { return };
    let label = format!(r#"labels."io.kubernetes.pod.namespace"=={}"#, flame.space.name);
    let ctr = "ctr --address /mnt/containerd.sock --namespace k8s.io containers ls -q";
    let script = format!("{ctr} '{label}' | wc -l; iptables-save | grep -c '{}/' || true", flame.space.name);
    let counts = || flame.in_node(&["bash", "-c", &script]);
    flame.up(DEMO).exits(0);
    flame.works_with(2);
    let uids: Vec<String> = uids(&flame.space.objects()).into_values().collect();
    let uids = uids.join("\\|");
    let mounted = || {
        flame.in_node(&[
            "bash",
            "-c",
            &format!("grep -c '{uids}' /proc/mounts || true; ls /mnt/kubelet/pods | grep -c '{uids}' || true"),
        ])
    };
    // Three sandboxes and three containers; directories of three Pods.
    assert!(counts().starts_with("6\n"), "{}", counts());
    assert!(mounted().ends_with("\n3\n"), "{}", mounted());
    flame.space.flamectl(&["down", "demo", "-y"]).exits(0);
    flame.until("no mount and no directory is left", || mounted() == "0\n0\n");
    // The kubelet removes what is left of sandboxes once a minute.
    let began = Instant::now();
    while counts() != "0\n0\n" {
        assert!(began.elapsed() < 3 * PATIENCE, "{}", counts());
    }
}

/// A flame of 0.6.
fn since_0_6(replicas: u32) -> String {
    demo(replicas).replace(":v0.1.0", ":v0.6.0")
}

#[test]
fn a_flame_of_0_6_has_an_object_cache_of_its_own_and_runs_tasks() {
    let Some(flame) = space() else { return };
    flame.up(&since_0_6(2)).exits(0).prints("2/2");
    flame.works_with(2);
    assert_eq!(flame.restarts(), 0);
    flame.space.flamectl(&["logs", "demo", "object-cache"]).exits(0).prints("the object cache listens at 10.244.");
    // Its Service leads to it.
    let slices = flame.space.kubectl(&[
        "get",
        "endpointslices",
        "-l",
        "kubernetes.io/service-name=demo-object-cache",
        "-o",
        "jsonpath={.items[*].endpoints[*].targetRef.name}",
    ]);
    assert_eq!(slices, "demo-object-cache");
    let before = flame.executors();
    flame.space.kubectl(&["delete", "pod", "demo-executor-manager-0", "--wait=false"]);
    flame.up(&since_0_6(2)).exits(0);
    assert_ne!(flame.works_with(2), before);
}

#[test]
fn a_flame_moves_to_0_6_and_back_and_runs_tasks_after_each() {
    let Some(flame) = space() else { return };
    // What one version made the other one refuses, so nothing is kept between them.
    let before = edited(&demo(2), "sqlite:///var/lib/flame/flame.db", "sqlite://flame.db");
    flame.up(&before).exits(0);
    flame.works_with(2);
    flame.up(&before.replace(":v0.1.0", ":v0.6.0")).exits(0).prints("2/2");
    flame.works_with(2);
    flame.up(&before).exits(0).prints("2/2");
    flame.works_with(2);
    assert!(!flame.space.objects().contains_key("Pod demo-object-cache"));
}

#[test]
fn as_an_ordinary_user_in_a_restricted_namespace_it_runs_tasks() {
    let Some(flame) = space() else { return };
    let level = "pod-security.kubernetes.io/enforce=restricted";
    flame.space.bed.kubectl().args(["label", "namespace", &flame.space.name, level]).output().unwrap();
    flame.up(&demo(2)).exits(1).says("--run-as-user 1000");
    for file in [demo(2), since_0_6(2)] {
        let ran = flame.space.up_with(&file, &["-y", "--timeout=90s", "--run-as-user=1000:2000"]).exits(0);
        ran.prints("2/2");
        flame.works_with(2);
        // A process may end between the listing and the look at it: that is no fault here.
        let each = "for one in /proc/[0-9]*/status; do cat $one 2>/dev/null || :; done";
        let statuses = flame.in_node(&["bash", "-c", &format!("{each} | grep -A12 standin | grep ^Uid")]);
        assert!(statuses.contains("Uid:\t1000\t"), "{statuses}");
        flame.space.flamectl(&["down", "demo", "-y"]).exits(0);
    }
}
