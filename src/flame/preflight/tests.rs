use std::collections::{BTreeMap, HashMap};

use k8s_openapi::api::core::v1::{Capabilities, SeccompProfile, SecurityContext, Toleration, Volume};

use super::*;
use crate::flame::FlameCluster;
use crate::flame::Resources;
use crate::flame::amounts::Amounts;
use crate::flame::manifests::manifests;
use crate::flame::observed::Phase;
use crate::flame::plan::{Desired, PlanOptions, plan};
use crate::flame::testing::{flame, flame_06, running};
use crate::flame::user;

/// A flame on its way to a place.
struct World {
    flame: FlameCluster,
    snapshot: Snapshot,
    surroundings: Surroundings,
    create_namespace: Option<bool>,
}

impl World {
    /// Returns a place where nothing is and everything fits, for a flame of so many executors of 1 CPU each.
    fn of(executors: u32) -> Self {
        let mut flame = flame(executors);
        flame.metadata.namespace = Some("ml".into());
        flame.spec.executor_manager.resources.requests = texts(&[("cpu", "1")]);
        flame.spec.session_manager.resources.requests = texts(&[("cpu", "500m")]);
        Self {
            flame,
            snapshot: Snapshot::default(),
            surroundings: Surroundings::default(),
            create_namespace: Some(false),
        }
    }

    /// Brings the flame up as it is now, so that what is changed from here on is a change.
    fn up(mut self) -> Self {
        let manifests = manifests(&self.flame).unwrap();
        self.snapshot = running(&self.flame);
        for pod in self.snapshot.pods.values_mut() {
            let component = match pod.meta.name.as_str() {
                "demo-session-manager" => Component::SessionManager,
                "demo-object-cache" => Component::ObjectCache,
                _ => Component::ExecutorManager,
            };
            let ask = Ask::of_pod(manifests.pod_spec(component), &self.surroundings.limit_ranges);
            (pod.requests, pod.limits) = (ask.requests, ask.limits);
        }
        self
    }

    fn replicas(mut self, replicas: u32) -> Self {
        self.flame.spec.executor_manager.replicas = replicas;
        self
    }

    fn executors(mut self, requests: &[(&str, &str)], limits: &[(&str, &str)]) -> Self {
        self.flame.spec.executor_manager.resources = Resources { requests: texts(requests), limits: texts(limits) };
        self
    }

    fn session_manager(mut self, requests: &[(&str, &str)], limits: &[(&str, &str)]) -> Self {
        self.flame.spec.session_manager.resources = Resources { requests: texts(requests), limits: texts(limits) };
        self
    }

    fn quota(mut self, hard: &[(&str, &str)], used: &[(&str, &str)]) -> Self {
        let quota = Quota { name: "compute".into(), hard: amounts(hard), used: amounts(used), scopes: Vec::new() };
        self.surroundings.quotas.push(quota);
        self
    }

    fn scopes(mut self, scopes: &[Scope]) -> Self {
        self.surroundings.quotas[0].scopes = scopes.into();
        self
    }

    fn limits(mut self, item: LimitItem) -> Self {
        self.surroundings.limit_ranges.push(LimitRange { name: "small".into(), limits: vec![item] });
        self
    }

    fn nodes(mut self, nodes: &[Node]) -> Self {
        self.surroundings.nodes = Some(nodes.into());
        self
    }

    fn namespace(mut self, labels: &[(&str, &str)]) -> Self {
        self.surroundings.namespace = Some(Namespace::There { terminating: false, labels: texts(labels) });
        self
    }

    fn plan(&self) -> Plan {
        let desired = Desired::up(manifests(&self.flame).unwrap());
        plan(&desired, &self.snapshot, PlanOptions { adopt: false, no_resize: false, restart: &HashMap::new() })
    }

    fn findings(&self) -> Vec<Finding> {
        let (plan, manifests) = (self.plan(), manifests(&self.flame).unwrap());
        preflight(&Case {
            plan: &plan,
            manifests: &manifests,
            snapshot: &self.snapshot,
            surroundings: &self.surroundings,
            create_namespace: self.create_namespace,
        })
    }

    /// Checks every line that is told, hints left out.
    #[track_caller]
    fn tells(&self, expected: &[&str]) {
        let told: Vec<String> = self.findings().iter().map(line).collect();
        assert_eq!(told, expected);
    }

    /// Checks the only line, which begins with `start`; none where `end` is empty.
    #[track_caller]
    fn tells_only(&self, start: &str, end: &str) {
        let expected = format!("{start}{end}");
        let expected = [expected.as_str()];
        self.tells(if end.is_empty() { &[] } else { &expected });
    }

    /// Checks the only hint.
    #[track_caller]
    fn hints(&self, expected: &str) {
        let hints: Vec<Option<String>> = self.findings().into_iter().map(|finding| finding.hint).collect();
        assert_eq!(hints, [Some(expected.to_owned())]);
    }
}

fn line(finding: &Finding) -> String {
    let label = if finding.severity == Severity::Error { "error" } else { "warning" };
    format!("{label}: {}", finding.message)
}

fn texts(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
    texts.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn amounts(texts: &[(&str, &str)]) -> Amounts {
    texts.iter().copied().collect()
}

#[test]
fn a_quota_says_what_is_needed_what_is_left_and_how_much_would_fit() {
    let cpu = [("requests.cpu", "12")];
    for (used, expected) in [
        ("1500m", &[][..]),
        (
            "1600m",
            &[
                "error: quota \"compute\": the session manager and 10 executors need requests.cpu 10500m, 10400m are left of \
               12; 9 of 10 executors would fit",
            ],
        ),
        (
            "8",
            &[
                "error: quota \"compute\": the session manager and 10 executors need requests.cpu 10500m, 4 are left of 12; 3 \
               of 10 executors would fit",
            ],
        ),
        (
            "11",
            &[
                "error: quota \"compute\": the session manager and 10 executors need requests.cpu 10500m, 1 is left of 12; 0 \
               of 10 executors would fit",
            ],
        ),
        (
            // Quotas can be lowered below what is there.
            "13",
            &[
                "error: quota \"compute\": the session manager and 10 executors need requests.cpu 10500m, 0 are left of 12; 0 \
               of 10 executors would fit",
            ],
        ),
    ] {
        World::of(10).quota(&cpu, &[("requests.cpu", used)]).tells(expected);
    }
    let small = World::of(10).quota(&cpu, &[("requests.cpu", "8")]);
    small.hints("replicas: 3, or have the quota raised; kubectl describe quota compute -n ml shows it");
    let none = World::of(10).quota(&cpu, &[("requests.cpu", "12")]);
    none.hints("lower what the Pods ask for, or have the quota raised; kubectl describe quota compute -n ml shows it");
    let objects = World::of(1).quota(&[("services", "1")], &[]);
    objects.hints("have the quota raised; kubectl describe quota compute -n ml shows it");
}

#[test]
fn every_key_of_a_quota_is_counted_as_the_server_counts_it() {
    let gpu = [("cpu", "1"), ("memory", "2Gi"), ("ephemeral-storage", "1G"), ("nvidia.com/gpu", "1")];
    let world = || World::of(2).session_manager(&[("cpu", "1")], &[]).executors(&gpu, &gpu);
    for (key, hard, expected) in [
        ("pods", "2", "the session manager and 2 executors need pods 3, 2 are left of 2; 1 of 2 executors would fit"),
        (
            "count/pods",
            "1",
            "the session manager and 2 executors need count/pods 3, 1 is left of 1; 0 of 2 executors would fit",
        ),
        (
            "requests.cpu",
            "1",
            "the session manager and 2 executors need requests.cpu 3, 1 is left of 1; 0 of 2 executors would fit",
        ),
        (
            "cpu",
            "2500m",
            "the session manager and 2 executors need cpu 3, 2500m are left of 2500m; 1 of 2 executors would fit",
        ),
        (
            "requests.ephemeral-storage",
            "1500M",
            "2 executors need requests.ephemeral-storage 2G, 1500M are left of 1500M; 1 of 2 executors would fit",
        ),
        (
            "limits.ephemeral-storage",
            "1G",
            "2 executors need limits.ephemeral-storage 2G, 1G are left of 1G; 1 of 2 executors would fit",
        ),
        (
            "requests.nvidia.com/gpu",
            "1",
            "2 executors need requests.nvidia.com/gpu 2, 1 is left of 1; 1 of 2 executors would fit",
        ),
        ("services", "1", "2 Services need services 2, 1 is left of 1"),
        ("count/services", "0", "2 Services need count/services 2, 0 are left of 0"),
        ("configmaps", "0", "1 ConfigMap needs configmaps 1, 0 are left of 0"),
        ("count/configmaps", "0", "1 ConfigMap needs count/configmaps 1, 0 are left of 0"),
    ] {
        world().quota(&[(key, hard)], &[]).tells(&[&format!("error: quota \"compute\": {expected}")]);
    }
    for key in ["nvidia.com/gpu", "limits.nvidia.com/gpu", "secrets", "services.nodeports"] {
        world().quota(&[(key, "0")], &[]).tells(&[]);
    }
}

#[test]
fn memory_is_written_as_people_write_it() {
    World::of(3).session_manager(&[("memory", "512Mi")], &[]).executors(&[("memory", "4Gi")], &[]).quota(
        &[("requests.memory", "16Gi")],
        &[("requests.memory", "8Gi")],
    ).tells(&["error: quota \"compute\": the session manager and 3 executors need requests.memory 12800Mi, 8Gi are left of \
               16Gi; 1 of 3 executors would fit"]);
}

#[test]
fn only_what_a_plan_adds_is_held_against_a_quota() {
    let full = [("pods", "4"), ("requests.cpu", "3500m")];
    let there = || World::of(3).up().quota(&full, &full);
    // Nothing to do, fewer, a replaced Pod: all fit into a full quota.
    there().tells(&[]);
    there().replicas(1).tells(&[]);
    let mut replaced = there();
    replaced.flame.spec.executor_manager.image = "em:v2".into();
    replaced.tells(&[]);
    there().replicas(5).tells(&[
        "error: quota \"compute\": 2 executors need pods 2, 0 are left of 4; 3 of 5 executors would fit",
        "error: quota \"compute\": 2 executors need requests.cpu 2, 0 are left of 3500m; 3 of 5 executors would fit",
    ]);
    there()
        .executors(&[("cpu", "1500m")], &[])
        .tells(&["error: quota \"compute\": 3 executors need requests.cpu 1500m more, 0 are left of 3500m"]);
    // One goes, and the others have its share.
    there().replicas(2).executors(&[("cpu", "1500m")], &[]).tells(&[]);
    // An executor that ended counts no more, but is there until it is replaced.
    let ended = |key: &str| {
        let mut world = World::of(1).up().quota(&[(key, "2")], &[(key, "2")]);
        world.snapshot.pods.get_mut("demo-executor-manager-0").unwrap().phase = Phase::Failed;
        world
    };
    ended("count/pods").tells(&[]);
    ended("pods").tells(&["error: quota \"compute\": 1 executor needs pods 1, 0 are left of 2"]);
    // One that is on its way out comes back into its own place.
    let mut going = there();
    going.snapshot.pods.get_mut("demo-executor-manager-0").unwrap().meta.terminating = true;
    going.tells(&[]);
}

#[test]
fn new_pods_that_wait_for_the_room_of_others_are_a_warning() {
    let full = [("requests.cpu", "2500m")];
    let world = World::of(2).up().quota(&full, &full).replicas(3).executors(&[("cpu", "500m")], &[]);
    world.tells(&[
        "warning: quota \"compute\": new objects need requests.cpu 500m, 0 of 2500m left until others have given up \
                   theirs",
    ]);
    world.hints("if the server refuses one, run the same command again");
}

#[test]
fn a_quota_makes_its_resources_compulsory() {
    let quota = [("requests.cpu", "100"), ("limits.memory", "1Ti"), ("requests.ephemeral-storage", "1Ti")];
    let world = World::of(1).executors(&[], &[]).quota(&quota, &[]);
    world.tells(&[
        "error: quota \"compute\" counts limits.memory: the server refuses the session manager, which names none",
        "error: quota \"compute\" counts requests.cpu and limits.memory: the server refuses the executors, which name none",
    ]);
    let same = World::of(1).quota(&[("limits.memory", "1Ti")], &[]);
    same.tells(&[
        "error: quota \"compute\" counts limits.memory: the server refuses the session manager and the executors, \
                  which name none",
    ]);
    same.hints(
        "add spec.sessionManager.resources.limits.memory and spec.executorManager.resources.limits.memory, or have a \
         LimitRange give a default",
    );
    let plain = World::of(1).session_manager(&[], &[]).quota(&[("cpu", "1")], &[]);
    plain.hints("add spec.sessionManager.resources.requests.cpu, or have a LimitRange give a default");
    // A limit is a request, too; what a LimitRange gives counts as named; 0 is named.
    World::of(1).executors(&[], &[("cpu", "1")]).quota(&[("requests.cpu", "9")], &[]).tells(&[]);
    World::of(1).executors(&[("cpu", "0")], &[]).quota(&[("requests.cpu", "9")], &[]).tells(&[]);
    same_with_default().tells(&[
        "error: quota \"compute\": the session manager and 1 executor need limits.memory 2Gi, 1Gi are left of 1Gi; 0 of 1 \
         executor would fit",
    ]);
}

fn same_with_default() -> World {
    let item = LimitItem { default: amounts(&[("memory", "1Gi")]), ..nothing(LimitType::Container) };
    World::of(1).quota(&[("limits.memory", "1Gi")], &[]).limits(item)
}

#[test]
fn scopes_choose_the_pods_that_count() {
    let best_effort = || World::of(1).session_manager(&[], &[]).executors(&[("nvidia.com/gpu", "1")], &[]);
    let burstable = || World::of(1);
    let told =
        ["error: quota \"compute\": the session manager and 1 executor need pods 2, 0 are left of 0; 0 of 1 executor \
                 would fit"];
    for (world, scopes, counts) in [
        (best_effort as fn() -> World, &[Scope::BestEffort][..], true),
        (best_effort, &[Scope::NotBestEffort], false),
        (burstable, &[Scope::BestEffort], false),
        (burstable, &[Scope::NotBestEffort], true),
        (burstable, &[Scope::NotTerminating], true),
        (burstable, &[Scope::Terminating], false),
        (burstable, &[Scope::NotTerminating, Scope::BestEffort], false),
        (burstable, &[Scope::NotTerminating, Scope::NotBestEffort], true),
        (burstable, &[Scope::Other], false),
    ] {
        let world = world().quota(&[("pods", "0"), ("configmaps", "0")], &[]).scopes(scopes);
        world.tells(if counts { &told } else { &[] });
    }
}

fn nothing(of: LimitType) -> LimitItem {
    let none = Amounts::default;
    LimitItem {
        of,
        min: none(),
        max: none(),
        default: none(),
        default_request: none(),
        max_limit_request_ratio: none(),
    }
}

#[test]
fn a_limit_range_is_told_once_for_all_pods() {
    let max = || LimitItem {
        max: amounts(&[("cpu", "100m")]),
        default: amounts(&[("cpu", "100m")]),
        default_request: amounts(&[("cpu", "100m")]),
        ..nothing(LimitType::Container)
    };
    let world = World::of(3).session_manager(&[], &[]).executors(&[("cpu", "2")], &[("cpu", "2")]).limits(max());
    world.tells(&[
        "error: LimitRange \"small\" refuses the executors: maximum cpu usage per Container is 100m, but limit is 2",
    ]);
    world.hints(
        "change spec.executorManager.resources.limits.cpu, or have the LimitRange changed; kubectl describe limitrange small \
         -n ml shows it",
    );
    World::of(3).session_manager(&[], &[("cpu", "2")]).executors(&[], &[("cpu", "2")]).limits(max()).tells(&[
        "error: LimitRange \"small\" refuses the session manager and the executors: maximum cpu usage per Container is 100m, \
         but limit is 2",
    ]);
    // The default limit is below what the Pods ask for.
    World::of(3).session_manager(&[], &[]).limits(max()).tells(&[
        "error: LimitRange \"small\" refuses the executors: maximum cpu usage per Container is 100m, but request is 1",
        "error: LimitRange \"small\" refuses the executors: default cpu limit is 100m, below the request 1",
    ]);
    // Nothing is made: nothing is refused.
    World::of(3).up().limits(max()).tells(&[]);
}

#[test]
fn the_constraints_of_a_limit_range_are_kubernetes_own() {
    let executors = |requests, limits, item| {
        World::of(1)
            .session_manager(&[("cpu", "1"), ("memory", "1Gi")], &[("cpu", "1"), ("memory", "1Gi")])
            .executors(requests, limits)
            .limits(item)
    };
    let min = |of| LimitItem { min: amounts(&[("memory", "1Gi")]), ..nothing(of) };
    let max = |of| LimitItem { max: amounts(&[("memory", "2Gi")]), ..nothing(of) };
    let ratio = |of| LimitItem { max_limit_request_ratio: amounts(&[("cpu", "1500m")]), ..nothing(of) };
    for (world, why) in [
        (executors(&[("memory", "1Gi")], &[], min(LimitType::Container)), ""),
        (executors(&[("memory", "1Gi")], &[("memory", "2Gi")], max(LimitType::Pod)), ""),
        (executors(&[("cpu", "2")], &[("cpu", "3")], ratio(LimitType::Container)), ""),
        (
            executors(&[("memory", "1023Mi")], &[], min(LimitType::Container)),
            "minimum memory usage per Container is 1Gi, but request is 1023Mi",
        ),
        (executors(&[], &[], min(LimitType::Pod)), "minimum memory usage per Pod is 1Gi, but no request is specified"),
        (
            executors(&[("memory", "2Gi")], &[("memory", "1M")], min(LimitType::Pod)),
            "minimum memory usage per Pod is 1Gi, but limit is 1M",
        ),
        (
            executors(&[], &[], max(LimitType::Container)),
            "maximum memory usage per Container is 2Gi, but no limit is specified",
        ),
        (
            executors(&[], &[("memory", "2049Mi")], max(LimitType::Pod)),
            "maximum memory usage per Pod is 2Gi, but limit is 2049Mi",
        ),
        (
            executors(&[("cpu", "2")], &[("cpu", "3001m")], ratio(LimitType::Container)),
            "cpu max limit to request ratio per Container is 1500m, but limit is 3001m, request is 2",
        ),
        (
            executors(&[("cpu", "2")], &[], ratio(LimitType::Pod)),
            "cpu max limit to request ratio per Pod is 1500m, but no limit is specified or limit is 0",
        ),
        (
            executors(&[], &[], ratio(LimitType::Pod)),
            "cpu max limit to request ratio per Pod is 1500m, but no request is specified or request is 0",
        ),
    ] {
        world.tells_only("error: LimitRange \"small\" refuses the executors: ", why);
    }
}

fn node(name: &str, allocatable: &[(&str, &str)]) -> Node {
    let mut allocatable = amounts(allocatable);
    allocatable.default_to(&amounts(&[("pods", "110")]));
    Node { name: name.into(), ready: true, allocatable, ..Default::default() }
}

fn taint(key: &str, value: &str, effect: &str) -> Taint {
    Taint { key: key.into(), value: value.into(), effect: effect.into() }
}

#[test]
fn a_pod_that_no_node_holds_is_a_warning_with_the_largest_node() {
    let nodes = [node("a", &[("cpu", "4"), ("memory", "64Gi")]), node("b", &[("cpu", "16"), ("memory", "8Gi")])];
    for (requests, why) in [
        (&[("cpu", "16")][..], ""),
        (&[("cpu", "17")], "cpu 17 is needed, b has the most with 16 allocatable"),
        (
            &[("cpu", "17"), ("memory", "65Gi")],
            "cpu 17 is needed, b has the most with 16 allocatable; memory 65Gi is needed, a has the most with 64Gi allocatable",
        ),
        (&[("cpu", "8"), ("memory", "16Gi")], "none has cpu 8 and memory 16Gi allocatable together"),
        (&[("nvidia.com/gpu", "1")], "nvidia.com/gpu 1 is needed, b has the most with 0 allocatable"),
        (&[("nvidia.com/gpu", "0")], ""),
    ] {
        World::of(1).executors(requests, &[]).nodes(&nodes).tells_only("warning: no node takes the executors: ", why);
    }
    // What is there is not asked about, and what nobody may read is not judged.
    World::of(1).executors(&[("cpu", "17")], &[]).up().nodes(&nodes).tells(&[]);
    World::of(1).executors(&[("cpu", "17")], &[]).tells(&[]);
}

#[test]
fn nodes_that_take_no_pods_do_not_count() {
    let large = || node("large", &[("cpu", "64")]);
    let small = || node("small", &[("cpu", "500m")]);
    let without = [
        Node { ready: false, ..large() },
        Node { unschedulable: true, ..large() },
        Node { taints: vec![taint("gpu", "true", "NoSchedule")], ..large() },
        Node { taints: vec![taint("maintenance", "", "NoExecute")], ..large() },
    ];
    for node in without.clone() {
        let world = World::of(1).nodes(&[node, small()]);
        world.tells(&[
            "warning: no node takes the executors: cpu 1 is needed, small has the most with 500m allocatable",
        ]);
    }
    World::of(1).nodes(&[Node { taints: vec![taint("gpu", "true", "PreferNoSchedule")], ..large() }]).tells(&[]);
    let world = World::of(1).nodes(&[&without[..], &without[2..3]].concat());
    world.tells(&[
        "warning: no node takes the session manager and the executors: of 5 nodes 2 tainted gpu=true:NoSchedule, 1 \
                   not ready, 1 cordoned, 1 tainted maintenance:NoExecute",
    ]);
    world.hints("Pods that fit nowhere stay Pending until there is a node for them, which an autoscaler may bring");
    World::of(1).nodes(&[]).tells(&["warning: no node takes the session manager and the executors: there is none"]);
}

#[test]
fn taints_are_tolerated_as_kubernetes_tolerates_them() {
    let toleration = |key: &str, operator: &str, value: &str, effect: &str| Toleration {
        key: Some(key.to_owned()).filter(|it| !it.is_empty()),
        operator: Some(operator.to_owned()).filter(|it| !it.is_empty()),
        value: Some(value.to_owned()).filter(|it| !it.is_empty()),
        effect: Some(effect.to_owned()).filter(|it| !it.is_empty()),
        ..Default::default()
    };
    let tainted = Node { taints: vec![taint("gpu", "a100", "NoSchedule")], ..node("a", &[]) };
    for (toleration, tolerated) in [
        (toleration("gpu", "Equal", "a100", "NoSchedule"), true),
        (toleration("gpu", "", "a100", ""), true),
        (toleration("gpu", "Exists", "", ""), true),
        (toleration("", "Exists", "", ""), true),
        (toleration("gpu", "Equal", "h100", ""), false),
        (toleration("gpu", "Exists", "", "NoExecute"), false),
        (toleration("tpu", "Exists", "", ""), false),
    ] {
        let spec = PodSpec { tolerations: Some(vec![toleration.clone()]), ..Default::default() };
        assert_eq!(nodes::why_not(&spec, &tainted).is_none(), tolerated, "{toleration:?}");
    }
    let spec = PodSpec { node_selector: Some(texts(&[("zone", "a")])), ..Default::default() };
    assert_eq!(nodes::why_not(&spec, &node("a", &[])), Some("without the labels of the nodeSelector".to_owned()));
    assert_eq!(nodes::why_not(&spec, &Node { labels: texts(&[("zone", "a")]), ..node("a", &[]) }), None);
}

#[test]
fn pods_are_packed_onto_whole_nodes() {
    let three = |cpu: &str| ["a", "b", "c"].map(|name| node(name, &[("cpu", cpu)]));
    for (executors, cpu, nodes, expected) in [
        (4, "1", &three("2")[..], ""),
        // 9 CPUs are enough for 4 executors of 2, but no node holds two.
        (4, "2", &three("3"), "4 executors need cpu 8, the 3 nodes have 9 allocatable in all and room for 3 of them"),
        (
            10,
            "1",
            &three("2"),
            "10 executors need cpu 10, the 3 nodes have 6 allocatable in all and room for 6 of them",
        ),
        (6, "1", &three("2"), "all Pods together need cpu 6500m, the 3 nodes have 6 allocatable in all"),
        (
            12,
            "1",
            &[node("a", &[("cpu", "100"), ("pods", "10")])],
            "12 executors need pods 12, the node has 10 allocatable in all and room for 10 of them",
        ),
        (
            10,
            "1",
            &[node("a", &[("cpu", "100"), ("pods", "10")])],
            "all Pods together need pods 11, the node has 10 allocatable in all",
        ),
    ] {
        World::of(executors).executors(&[("cpu", cpu)], &[]).nodes(nodes).tells_only("warning: ", expected);
    }
}

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

#[test]
fn a_level_that_the_pods_break_is_told_with_the_controls() {
    let restricted = || World::of(2).namespace(&[(ENFORCE, "restricted")]);
    let told = "namespace ml enforces PodSecurity \"restricted\", which refuses";
    let all = "allowPrivilegeEscalation != false, runAsNonRoot != true, no seccompProfile, unrestricted capabilities";
    restricted().tells(&[&format!("error: {told} the session manager and the executors: {all}")]);
    let elsewhere = "choose a namespace that admits them, or let this one: kubectl label --overwrite namespace ml \
                     pod-security.kubernetes.io/enforce=baseline";
    let user =
        "do not run as root: flamectl up --run-as-user 1000, or the annotation flame.xflops.io/run-as-user: \"1000\"";
    let storage = ", and spec.sessionManager.storage: sqlite:///var/lib/flame/flame.db";
    restricted().hints(&format!("{user}{storage}; or {elsewhere}"));
    let mut with_directory = restricted();
    with_directory.flame.spec.session_manager.storage = "sqlite:///data/flame.db".into();
    with_directory.hints(&format!("{user}; or {elsewhere}"));
    with_directory.flame.metadata.annotations.insert(user::ANNOTATION.into(), "1000:2000".into());
    with_directory.tells(&[]);
    for labels in [
        &[][..],
        &[(ENFORCE, "baseline")],
        &[(ENFORCE, "privileged")],
        &[("pod-security.kubernetes.io/warn", "restricted"), ("pod-security.kubernetes.io/audit", "restricted")],
    ] {
        World::of(2).namespace(labels).tells(&[]);
    }
    // Nothing is admitted anew but what changes.
    restricted().up().tells(&[]);
    restricted().up().replicas(1).tells(&[]);
    restricted().up().replicas(3).tells(&[&format!("error: {told} the executors: {all}")]);
    let mut image = restricted().up();
    image.flame.spec.session_manager.image = "sm:v2".into();
    image.tells(&[&format!("error: {told} the session manager: {all}")]);
    // An older version of the standard has fewer controls.
    let pinned =
        restricted().namespace(&[(ENFORCE, "restricted"), ("pod-security.kubernetes.io/enforce-version", "v1.18")]);
    pinned.tells(&[&format!(
        "error: {told} the session manager and the executors: allowPrivilegeEscalation != false, runAsNonRoot != true"
    )]);
}

/// Returns what a level says about one container and its Pod.
fn breaches(restricted: bool, change: impl FnOnce(&mut PodSpec, &mut SecurityContext)) -> String {
    let mut pod = manifests(&flame(1)).unwrap().pod_spec(Component::SessionManager).clone();
    let mut context = SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), ..Default::default() }),
        run_as_non_root: Some(true),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), ..Default::default() }),
        ..Default::default()
    };
    change(&mut pod, &mut context);
    pod.containers[0].security_context = Some(context);
    security::told(&pod, restricted).join(", ")
}

#[test]
fn each_control_is_looked_at_in_the_spec_as_it_is() {
    fn profile(of: &str) -> Option<SeccompProfile> {
        Some(SeccompProfile { type_: of.into(), ..Default::default() })
    }
    fn capabilities(add: &str) -> Option<Capabilities> {
        Some(Capabilities { add: Some(vec![add.into()]), drop: Some(vec!["ALL".into()]) })
    }
    type Change = fn(&mut PodSpec, &mut SecurityContext);
    for (change, of_baseline, of_restricted) in [
        ((|_, _| {}) as Change, "", ""),
        (|_, it| it.run_as_non_root = None, "", "runAsNonRoot != true"),
        (
            |pod, it| {
                it.run_as_non_root = None;
                it.seccomp_profile = None;
                let of_pod = pod.security_context.get_or_insert_default();
                of_pod.run_as_non_root = Some(true);
                of_pod.seccomp_profile = profile("RuntimeDefault");
            },
            "",
            "",
        ),
        (|_, it| it.seccomp_profile = None, "", "no seccompProfile"),
        (|_, it| it.seccomp_profile = profile("Unconfined"), "seccompProfile Unconfined", "seccompProfile Unconfined"),
        (|_, it| it.allow_privilege_escalation = None, "", "allowPrivilegeEscalation != false"),
        (|_, it| it.run_as_user = Some(0), "", "runAsUser=0"),
        (|_, it| it.capabilities = None, "", "unrestricted capabilities"),
        (|_, it| it.capabilities = capabilities("NET_BIND_SERVICE"), "", ""),
        (|_, it| it.capabilities = capabilities("CHOWN"), "", "unrestricted capabilities"),
        (
            |_, it| it.capabilities = capabilities("SYS_ADMIN"),
            "non-default capabilities",
            "non-default capabilities, unrestricted capabilities",
        ),
        (|_, it| it.privileged = Some(true), "privileged", "privileged"),
        (|pod, _| pod.host_network = Some(true), "host namespaces", "host namespaces"),
        (
            |pod, _| {
                let host_path = Some(Default::default());
                pod.volumes.get_or_insert_default().push(Volume { host_path, ..Default::default() });
            },
            "hostPath volumes",
            "hostPath volumes, restricted volume types",
        ),
        (
            |pod, _| {
                let nfs = Some(Default::default());
                pod.volumes.get_or_insert_default().push(Volume { nfs, ..Default::default() });
            },
            "",
            "restricted volume types",
        ),
        (|pod, _| pod.containers[0].ports.get_or_insert_default()[0].host_port = Some(80), "hostPort", "hostPort"),
    ] {
        assert_eq!(
            (breaches(false, change), breaches(true, change)),
            (of_baseline.to_owned(), of_restricted.to_owned())
        );
    }
}

#[test]
fn a_namespace_that_is_missing_or_goes_is_told() {
    let missing = |create_namespace| {
        let mut world = World::of(1);
        world.surroundings.namespace = Some(Namespace::Missing);
        world.create_namespace = create_namespace;
        world
    };
    missing(Some(false)).tells(&["error: namespace ml was not found"]);
    missing(Some(false)).hints("create it, or let flamectl: up --create-namespace");
    missing(None).tells(&["warning: namespace ml was not found"]);
    missing(Some(true)).tells(&[]);
    let mut going = World::of(1);
    going.surroundings.namespace = Some(Namespace::There { terminating: true, labels: BTreeMap::new() });
    going.tells(&["error: namespace ml takes nothing new: it is being terminated"]);
}

#[test]
fn missing_rights_are_told_in_one_line() {
    let lacking = |rights: &[Right], namespace: Option<Namespace>, create_namespace| {
        let mut world = World::of(1);
        world.surroundings.missing_rights = rights.into();
        world.surroundings.namespace = namespace;
        world.create_namespace = create_namespace;
        world
    };
    let of_pods: &[Right] = &[("create", "pods"), ("watch", "pods")];
    let there = || Some(Namespace::There { terminating: false, labels: BTreeMap::new() });
    let told = "rights are missing in namespace ml: create pods, watch pods";
    lacking(of_pods, there(), Some(false)).tells(&[&format!("error: {told}")]);
    lacking(of_pods, None, Some(true)).tells(&[&format!("error: {told}")]);
    lacking(&[CREATE_NAMESPACES], there(), Some(true)).tells(&[]);
    lacking(&[CREATE_NAMESPACES], Some(Namespace::Missing), Some(true))
        .tells(&["error: rights are missing in namespace ml: create namespaces"]);
    lacking(of_pods, Some(Namespace::Missing), Some(true)).tells(&[&format!("warning: {told}")]);
}

#[test]
fn errors_come_before_warnings() {
    let world = World::of(1).nodes(&[]).quota(&[("pods", "0")], &[]);
    let severities: Vec<Severity> = world.findings().iter().map(|it| it.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning]);
}

#[test]
fn only_what_a_plan_has_to_do_with_is_asked() {
    let all = Questions { namespace: true, quotas: true, room_for_pods: true, rights: Vec::new() };
    assert_eq!(questions(&World::of(1).plan()), all);
    assert_eq!(questions(&World::of(1).up().plan()), Questions::default());
    // Fewer executors, other annotations: nothing that could be too large.
    assert_eq!(questions(&World::of(2).up().replicas(1).plan()), Questions::default());
    let mut labelled = World::of(1).up();
    labelled.flame.metadata.labels.insert("a".into(), "b".into());
    assert_eq!(questions(&labelled.plan()), Questions::default());
    let mut image = World::of(1).up();
    image.flame.spec.session_manager.image = "sm:v2".into();
    assert_eq!(questions(&image.plan()), Questions { namespace: true, ..Default::default() });
    let mut service = World::of(1).up();
    service.snapshot.services.clear();
    assert_eq!(questions(&service.plan()), Questions { room_for_pods: false, ..all.clone() });
    assert_eq!(questions(&World::of(1).up().executors(&[("cpu", "2")], &[]).plan()), all);
}

impl World {
    fn of_flame_06(executors: u32) -> Self {
        let mut world = Self::of(executors);
        world.flame.metadata.annotations = flame_06(0).metadata.annotations;
        world
    }
}

#[test]
fn an_object_cache_of_its_own_is_counted_and_asks_for_nothing() {
    let world = World::of_flame_06(2).quota(&[("pods", "3"), ("cpu", "10")], &[]);
    world.tells(&[
        "error: quota \"compute\" counts cpu: the server refuses the object cache, which names none",
        "error: quota \"compute\": the session manager and the object cache and 2 executors need pods 4, 3 are left of 3; \
         1 of 2 executors would fit",
    ]);
    let world = World::of_flame_06(2).quota(&[("requests.cpu", "10")], &[]);
    world.hints("have a LimitRange give a default: a FlameCluster has no resources for the object cache");
    let item = LimitItem { min: amounts(&[("cpu", "1m")]), ..nothing(LimitType::Container) };
    World::of_flame_06(2).limits(item).hints(
        "have the LimitRange changed, or give a default: a FlameCluster has no resources for the object cache; kubectl \
         describe limitrange small -n ml shows it",
    );
}

#[test]
fn an_object_cache_that_goes_with_the_generation_gives_up_its_place() {
    let mut world = World::of_flame_06(1).up();
    world.flame.metadata.annotations.clear();
    world.quota(&[("pods", "3")], &[("pods", "3")]).tells(&[]);
}
