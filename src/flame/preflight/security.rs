//! The namespace's PodSecurity level: what of the rendered Pod specs it does not admit (Kubernetes: "Pod Security
//! Standards"). The specs are looked at as they are, so a control that they come to keep is no longer told.
//!
//! Whether the server exempts the namespace or the caller, it does not tell.

use k8s_openapi::api::core::v1::{
    AppArmorProfile, Capabilities, Container, PodSecurityContext, PodSpec, SELinuxOptions, SeccompProfile,
    SecurityContext, Volume,
};

use super::super::user::{self, RunAs, WRITABLE_STORAGE};
use super::surroundings::Namespace;
use super::{Case, Finding, Pods, alike, subject};

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
const ENFORCE_VERSION: &str = "pod-security.kubernetes.io/enforce-version";

/// The levels that forbid something, the laxer first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Baseline,
    Restricted,
}

/// One control of the standards.
struct Control {
    /// The level from which on it holds.
    level: Level,
    /// The minor version of Kubernetes that brought it: a namespace may pin an older one.
    since: u32,
    /// What is wrong, in Kubernetes' words.
    breach: &'static str,
    broken: fn(&PodSpec) -> bool,
}

const CONTROLS: &[Control] = &[
    baseline(0, "host namespaces", |pod| [pod.host_network, pod.host_pid, pod.host_ipc].contains(&Some(true))),
    baseline(0, "privileged", |pod| any(pod, |it| it.privileged == Some(true))),
    baseline(0, "non-default capabilities", |pod| any(pod, |it| adds(it, DEFAULT_CAPABILITIES))),
    baseline(0, "hostPath volumes", |pod| volumes(pod).any(|volume| volume.host_path.is_some())),
    baseline(0, "hostPort", |pod| {
        let ports = containers(pod).flat_map(|it| it.ports.iter().flatten());
        ports.into_iter().any(|port| port.host_port.is_some_and(|port| port != 0))
    }),
    baseline(0, "forbidden AppArmor profile", |pod| {
        let forbidden = |it: &AppArmorProfile| !matches!(it.type_.as_str(), "RuntimeDefault" | "Localhost");
        pod_context(pod).app_armor_profile.as_ref().is_some_and(forbidden)
            || any(pod, |it| it.app_armor_profile.as_ref().is_some_and(forbidden))
    }),
    baseline(0, "seLinuxOptions", |pod| {
        pod_context(pod).se_linux_options.as_ref().is_some_and(is_forbidden)
            || any(pod, |it| it.se_linux_options.as_ref().is_some_and(is_forbidden))
    }),
    baseline(0, "procMount", |pod| any(pod, |it| it.proc_mount.as_ref().is_some_and(|mount| mount != "Default"))),
    baseline(0, "forbidden sysctls", |pod| {
        pod_context(pod).sysctls.iter().flatten().any(|sysctl| !SAFE_SYSCTLS.contains(&sysctl.name.as_str()))
    }),
    baseline(19, "seccompProfile Unconfined", |pod| {
        let unconfined = |it: &SeccompProfile| it.type_ == "Unconfined";
        pod_context(pod).seccomp_profile.as_ref().is_some_and(unconfined)
            || any(pod, |it| it.seccomp_profile.as_ref().is_some_and(unconfined))
    }),
    restricted(0, "restricted volume types", |pod| volumes(pod).any(|volume| !is_ordinary(volume))),
    restricted(8, "allowPrivilegeEscalation != false", |pod| {
        any(pod, |it| it.allow_privilege_escalation != Some(false))
    }),
    restricted(0, "runAsNonRoot != true", |pod| {
        let of_pod = pod_context(pod).run_as_non_root;
        any(pod, |it| it.run_as_non_root.or(of_pod) != Some(true))
    }),
    restricted(23, "runAsUser=0", |pod| {
        pod_context(pod).run_as_user == Some(0) || any(pod, |it| it.run_as_user == Some(0))
    }),
    restricted(19, "no seccompProfile", |pod| {
        let of_pod = pod_context(pod).seccomp_profile.is_some();
        any(pod, |it| it.seccomp_profile.is_none() && !of_pod)
    }),
    restricted(22, "unrestricted capabilities", |pod| {
        let drops_all = |it: &Capabilities| it.drop.iter().flatten().any(|name| name == "ALL");
        any(pod, |it| !it.capabilities.as_ref().is_some_and(drops_all) || adds(it, &["NET_BIND_SERVICE"]))
    }),
];

/// What a container may add to at level baseline.
const DEFAULT_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

const SAFE_SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

/// Returns what the namespace's level does not admit.
pub fn findings(case: &Case<'_>, pods: &[Pods<'_>]) -> Vec<Finding> {
    let Some(Namespace::There { labels, .. }) = &case.surroundings.namespace else { return Vec::new() };
    let level = match labels.get(ENFORCE).map(String::as_str) {
        Some("baseline") => Level::Baseline,
        Some("restricted") => Level::Restricted,
        _ => return Vec::new(),
    };
    let version = labels.get(ENFORCE_VERSION).and_then(|text| text.strip_prefix("v1.")?.parse().ok());
    let (name, enforced) = (case.manifests.flame.namespace(), level.name());
    let admitted = pods.iter().filter(|pods| pods.admitted);
    let broken = admitted.map(|pods| (pods, breaches(pods.spec, level, version))).filter(|(_, it)| !it.is_empty());
    let finding = |(who, controls): (Vec<&Pods<'_>>, Vec<&Control>)| {
        let told: Vec<&str> = controls.iter().map(|control| control.breach).collect();
        let message = format!(
            "namespace {name} enforces PodSecurity {enforced:?}, which refuses {}: {}",
            subject(&who),
            told.join(", ")
        );
        let enough = if controls.iter().all(|it| it.level == Level::Restricted) { "baseline" } else { "privileged" };
        let elsewhere = format!(
            "choose a namespace that admits them, or let this one: kubectl label --overwrite namespace {name} \
             {ENFORCE}={enough}"
        );
        let under_user = |pods: &&Pods<'_>| user::restricted(RunAs::EXAMPLE, pods.spec.clone());
        let is_cured = who.iter().all(|pods| breaches(&under_user(pods), level, version).is_empty());
        Finding::error(message, if is_cured { format!("{}; or {elsewhere}", cure(case)) } else { elsewhere })
    };
    alike(broken).into_iter().map(finding).collect()
}

/// Returns how the flame comes to run under a user that the level admits.
fn cure(case: &Case<'_>) -> String {
    let user = RunAs::EXAMPLE;
    let storage = match user::is_in_image(&case.manifests.flame.spec.session_manager.storage) {
        true => format!(", and spec.sessionManager.storage: {WRITABLE_STORAGE}"),
        false => String::new(),
    };
    let annotation = user::ANNOTATION;
    format!("do not run as root: flamectl up --run-as-user {user}, or the annotation {annotation}: \"{user}\"{storage}")
}

/// Returns the controls of a level, as of a version, that a Pod breaks; no version is the newest.
fn breaches(pod: &PodSpec, level: Level, version: Option<u32>) -> Vec<&'static Control> {
    let holds = |it: &&Control| it.level <= level && version.is_none_or(|version| it.since <= version);
    CONTROLS.iter().filter(holds).filter(|control| (control.broken)(pod)).collect()
}

/// Returns what the newest version of a level says about a Pod.
#[cfg(test)]
pub fn told(pod: &PodSpec, restricted: bool) -> Vec<&'static str> {
    let level = if restricted { Level::Restricted } else { Level::Baseline };
    breaches(pod, level, None).iter().map(|control| control.breach).collect()
}

impl PartialEq for Control {
    fn eq(&self, other: &Self) -> bool {
        self.breach == other.breach
    }
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

const fn baseline(since: u32, breach: &'static str, broken: fn(&PodSpec) -> bool) -> Control {
    Control { level: Level::Baseline, since, breach, broken }
}

const fn restricted(since: u32, breach: &'static str, broken: fn(&PodSpec) -> bool) -> Control {
    Control { level: Level::Restricted, since, breach, broken }
}

fn containers(pod: &PodSpec) -> impl Iterator<Item = &Container> {
    pod.init_containers.iter().flatten().chain(&pod.containers)
}

/// Tells whether something is so of any container; one without a security context has an empty one.
fn any(pod: &PodSpec, is: impl Fn(&SecurityContext) -> bool) -> bool {
    let none = SecurityContext::default();
    containers(pod).any(|container| is(container.security_context.as_ref().unwrap_or(&none)))
}

fn pod_context(pod: &PodSpec) -> PodSecurityContext {
    pod.security_context.clone().unwrap_or_default()
}

fn volumes(pod: &PodSpec) -> impl Iterator<Item = &Volume> {
    pod.volumes.iter().flatten()
}

fn adds(context: &SecurityContext, allowed: &[&str]) -> bool {
    let added = context.capabilities.iter().flat_map(|it| it.add.iter().flatten());
    added.into_iter().any(|name| !allowed.contains(&name.as_str()))
}

fn is_forbidden(options: &SELinuxOptions) -> bool {
    let allowed = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    is_set(&options.user)
        || is_set(&options.role)
        || options.type_.as_ref().is_some_and(|of| !allowed.contains(&of.as_str()))
}

/// Tells whether a volume is of a kind that level restricted knows.
fn is_ordinary(volume: &Volume) -> bool {
    volume.config_map.is_some()
        || volume.csi.is_some()
        || volume.downward_api.is_some()
        || volume.empty_dir.is_some()
        || volume.ephemeral.is_some()
        || volume.persistent_volume_claim.is_some()
        || volume.projected.is_some()
        || volume.secret.is_some()
        || volume.image.is_some()
}
