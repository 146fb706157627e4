//! Executors that come back: Flame tells them apart by their hostnames, so none comes back under one that was in use.

use std::collections::{BTreeMap, BTreeSet};

use crate::bed::{Namespace, Ran, namespace, uids, versions};
use crate::flames::{demo, edited, executor};

/// Returns the hostname of each executor: a Pod without one of its own has its name.
fn hostnames(space: &Namespace<'_>) -> BTreeMap<String, String> {
    let objects = space.objects();
    let executors = objects.iter().filter(|(name, _)| name.contains("-executor-manager-"));
    let hostname = |(name, pod): (&String, &serde_json::Value)| {
        let pod_name = name.trim_start_matches("Pod ");
        let hostname = pod.pointer("/spec/hostname").and_then(|hostname| hostname.as_str()).unwrap_or(pod_name);
        (name.clone(), hostname.to_owned())
    };
    executors.map(hostname).collect()
}

/// Checks that the server has what `flame` says, and that nothing is left to do.
fn settled(space: &Namespace<'_>, flame: &str) {
    let file = space.file("settled.yaml", flame);
    space.flamectl(&["diff", "-f", &file]).exits(0);
    // What was made a moment ago may still be getting ready, which changes versions: this waits until it is.
    space.up_with(flame, &[]).exits(0);
    let before = versions(&space.objects());
    space.up_with(flame, &[]).exits(0).says("nothing to do");
    assert_eq!(versions(&space.objects()), before);
}

#[test]
fn an_executor_never_comes_back_under_a_hostname_that_one_before_it_had() {
    let space = namespace();
    let flame = demo(3);
    space.up(&flame).exits(0);
    let first = hostnames(&space);
    let names: BTreeMap<String, String> =
        (0..3).map(|index| (executor(index), format!("demo-executor-manager-{index}"))).collect();
    assert_eq!(first, names);
    settled(&space, &flame);
    let mut seen: BTreeSet<String> = first.into_values().collect();
    let mut comes_back = |space: &Namespace<'_>, flame: &str, indices: &[u32]| {
        let before = hostnames(space);
        space.up(flame).exits(0).prints("3/3");
        let after = hostnames(space);
        let changed: Vec<&String> = after.keys().filter(|name| after[*name] != before[*name]).collect();
        assert_eq!(
            changed,
            indices.iter().map(|index| executor(*index)).collect::<Vec<_>>().iter().collect::<Vec<_>>()
        );
        for name in changed {
            assert!(after[name].len() <= 63 && seen.insert(after[name].clone()), "{name}: {after:#?} after {seen:#?}");
        }
        settled(space, flame);
    };
    // Deleted while nobody looks, twice, the second time at once.
    let deleted = |space: &Namespace<'_>, args: &[&str]| {
        let before = hostnames(space);
        space.kubectl(&[&["delete", "pod", "demo-executor-manager-1"], args].concat());
        assert_eq!(hostnames(space).len(), before.len() - 1);
    };
    for args in [&[][..], &["--force", "--grace-period=0"]] {
        let before = hostnames(&space);
        deleted(&space, args);
        space.flamectl(&["watch", "demo", "--once"]).exits(1);
        let after = hostnames(&space);
        let one = executor(1);
        assert!(after[&one] != before[&one] && after.keys().eq(before.keys()), "{before:#?}\n{after:#?}");
        settled(&space, &flame);
    }
    // In waves.
    let flame = edited(&flame, "em:v1", "em:v2");
    comes_back(&space, &flame, &[0, 1, 2]);
    // What is changed in place keeps its hostname.
    let before = (hostnames(&space), uids(&space.objects()));
    let flame = edited(&flame, "name: demo", "name: demo\n  labels: {team: ml}");
    comes_back(&space, &flame, &[]);
    assert_eq!((hostnames(&space), uids(&space.objects())), before);
}

#[test]
fn a_name_that_a_node_would_cut_gives_every_executor_a_hostname_of_its_own() {
    let space = namespace();
    let name = "n".repeat(47);
    let flame = edited(&demo(2), "name: demo", &format!("name: {name}"));
    space.up(&flame).exits(0);
    let short = "n".repeat(44);
    let expected = [0, 1].map(|index| format!("{short}-executor-manager-{index}"));
    assert_eq!(hostnames(&space).into_values().collect::<Vec<_>>(), expected);
    settled(&space, &flame);
    // `render` says the same.
    let before = versions(&space.objects());
    let file = space.file("flame.yaml", &flame);
    let rendered = space.flamectl(&["render", "-f", &file]).exits(0).stdout;
    space.apply(&rendered, &["--server-side", "--field-manager=flamectl"]);
    assert_eq!(versions(&space.objects()), before);
    space.kubectl(&["delete", "pod", &format!("{name}-executor-manager-1")]);
    let up: Ran = space.up(&flame).exits(0);
    let after: Vec<String> = hostnames(&space).into_values().collect();
    assert!(after[0] == expected[0] && after[1] != expected[1], "{after:?} {up}");
    assert!(after[1].contains("-executor-manager-1-") && after[1].len() <= 63, "{after:?}");
    settled(&space, &flame);
}
