//! What a user needs to be allowed for which command: the least Role, and each right by itself.
//!
//! [`Wish`] → rules → Role or ClusterRole and binding, or [`Access`]es to ask the server for. A right stands here because a
//! request needs it; `tests/real/rbac.rs` takes each away in turn and sees what then does not work.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::crd::GROUP as FLAME;
use super::names::{self, FIELD_MANAGER, FlameKey};

/// The core API group.
const CORE: &str = "";
/// Events, as they are read and written.
const EVENTS: &str = "events.k8s.io";
/// Leases.
const COORDINATION: &str = "coordination.k8s.io";
/// Roles and their bindings.
const RBAC: &str = "rbac.authorization.k8s.io";
/// The Lease that `watch --leader-elect` holds.
pub const LEASE: &str = "flamectl-watch";

/// The verbs in the order in which they are written.
const VERBS: [&str; 7] = ["get", "list", "watch", "create", "update", "patch", "delete"];

/// A command that somebody wants to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// `up`.
    Up,
    /// `status`.
    Status,
    /// `down`.
    Down,
    /// `scale`.
    Scale,
    /// `restart`.
    Restart,
    /// `diff`.
    Diff,
    /// `logs`.
    Logs,
    /// `events`.
    Events,
    /// `connect`.
    Connect,
    /// `watch`.
    Watch,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Up,
        Self::Status,
        Self::Down,
        Self::Scale,
        Self::Restart,
        Self::Diff,
        Self::Logs,
        Self::Events,
        Self::Connect,
        Self::Watch,
    ];
    /// What a person does; `watch` is for a process of its own, and the right that `connect` takes opens every port of every Pod.
    pub const BY_HAND: [Self; 8] =
        [Self::Up, Self::Status, Self::Down, Self::Scale, Self::Restart, Self::Diff, Self::Logs, Self::Events];

    /// Returns the command.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Status => "status",
            Self::Down => "down",
            Self::Scale => "scale",
            Self::Restart => "restart",
            Self::Diff => "diff",
            Self::Logs => "logs",
            Self::Events => "events",
            Self::Connect => "connect",
            Self::Watch => "watch",
        }
    }
}

/// Which flames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One.
    Flame(FlameKey),
    /// Those of a namespace.
    Namespace(String),
    /// All.
    All,
}

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// With which commands; none means [`Task::BY_HAND`].
    pub tasks: BTreeSet<Task>,
    /// With which flames.
    pub scope: Scope,
    /// Whether they live as FlameCluster objects.
    pub crd: bool,
    /// The namespace of the Lease that `watch` holds, where it holds one.
    pub lease: Option<String>,
}

/// One right: a verb on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// Where; none means in all namespaces, and of what is in none.
    pub namespace: Option<String>,
    /// The API group; empty is the core one.
    pub group: &'static str,
    /// The resource, with its subresource as `pods/log`.
    pub resource: &'static str,
    /// The verb.
    pub verb: &'static str,
    /// On this object only.
    pub name: Option<String>,
}

impl fmt::Display for Access {
    /// Writes `patch pods/resize`, `create leases.coordination.k8s.io`, `get configmaps demo-config`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        self.name.iter().try_for_each(|name| write!(f, " {name}"))
    }
}

/// Who gets the rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grantee {
    /// A user, by the name that the server knows.
    User(String),
    /// A group of users.
    Group(String),
    /// A ServiceAccount, by namespace and name.
    ServiceAccount(String, String),
}

/// What is needed of a resource.
struct Need {
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    of: Of,
}

/// Which objects a need is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Such whose names say which flame's they are, and do not change. An executor's has a number, and of those there are
    /// more after a `scale`.
    Fixed,
    /// Any of the namespace.
    Any,
    /// The namespace itself.
    Namespace,
    /// Such as are in no namespace, which only a ClusterRole tells of.
    Cluster,
}

const fn need(group: &'static str, resource: &'static str, verbs: &'static [&'static str], of: Of) -> Need {
    Need { group, resource, verbs, of }
}

/// All that is there of one flame; a list of its executors.
const LOOK: &[Need] = &[
    need(CORE, "configmaps", &["get"], Of::Fixed),
    need(CORE, "services", &["get"], Of::Fixed),
    need(CORE, "pods", &["get", "list"], Of::Any),
];
/// What becomes of it while a command goes on.
const FOLLOW: &[Need] = &[
    need(CORE, "configmaps", &["watch"], Of::Fixed),
    need(CORE, "services", &["watch"], Of::Fixed),
    need(CORE, "pods", &["watch"], Of::Any),
];
/// Flames that nobody names: by their records and Pods, now (`status -A`) and later (`status -w`).
const FIND: &[Need] =
    &[need(CORE, "configmaps", &["list", "watch"], Of::Fixed), need(CORE, "pods", &["list", "watch"], Of::Any)];
/// As a plan says. A record that somebody made immutable is deleted and made anew.
const APPLY: &[Need] = &[
    need(CORE, "configmaps", &["create", "patch", "delete"], Of::Fixed),
    need(CORE, "services", &["create", "patch"], Of::Fixed),
    need(CORE, "pods", &["create", "patch", "delete"], Of::Any),
    need(CORE, "pods/resize", &["patch"], Of::Any),
];
/// The record says first that the flame goes, and goes last.
const DELETE: &[Need] = &[
    need(CORE, "configmaps", &["patch", "delete"], Of::Fixed),
    need(CORE, "services", &["delete"], Of::Fixed),
    need(CORE, "pods", &["delete"], Of::Any),
];
/// Whether it fits, before the first write.
const FIT: &[Need] = &[
    need(CORE, "namespaces", &["get"], Of::Namespace),
    need(CORE, "resourcequotas", &["list"], Of::Any),
    need(CORE, "limitranges", &["list"], Of::Any),
    need(CORE, "nodes", &["list"], Of::Cluster),
];
/// Why a Pod does not get ready: its last words, warnings about it, its node.
const WHY: &[Need] = &[
    need(CORE, "pods/log", &["get"], Of::Any),
    need(EVENTS, "events", &["list"], Of::Any),
    need(CORE, "nodes", &["get"], Of::Cluster),
];
/// A session manager's or an executor's log, over restarts and new Pods.
const READ_LOGS: &[Need] = &[
    need(CORE, "configmaps", &["get"], Of::Fixed),
    need(CORE, "pods", &["get", "list", "watch"], Of::Any),
    need(CORE, "pods/log", &["get"], Of::Any),
];
/// What was said of a flame, and is.
const READ_EVENTS: &[Need] =
    &[need(CORE, "configmaps", &["get"], Of::Fixed), need(EVENTS, "events", &["list", "watch"], Of::Any)];
/// The way to a session manager. A WebSocket is asked for with GET; since Kubernetes 1.35 the right to create counts, too.
const REACH: &[Need] = &[
    need(CORE, "configmaps", &["get"], Of::Fixed),
    need(CORE, "pods", &["list", "watch"], Of::Any),
    need(CORE, "pods/portforward", &["get", "create"], Of::Fixed),
];
/// The Services of many flames, besides [`FIND`].
const FIND_SERVICES: &[Need] = &[need(CORE, "services", &["list"], Of::Fixed)];
/// The object that a flame lives as.
const LOOK_AT_OBJECT: &[Need] = &[need(FLAME, "flameclusters", &["get"], Of::Fixed)];
const APPLY_OBJECT: &[Need] = &[need(FLAME, "flameclusters", &["get", "create", "patch"], Of::Fixed)];
const CHANGE_OBJECT: &[Need] = &[need(FLAME, "flameclusters", &["get", "patch"], Of::Fixed)];
const DELETE_OBJECT: &[Need] = &[need(FLAME, "flameclusters", &["get", "delete"], Of::Fixed)];
/// Objects as the source of what is desired.
const FOLLOW_OBJECTS: &[Need] = &[
    need(FLAME, "flameclusters", &["list", "watch"], Of::Fixed),
    need(FLAME, "flameclusters/status", &["patch"], Of::Fixed),
];
/// An owner whose deletion waits for what it owns; asked for where the admission plugin
/// `OwnerReferencesPermissionEnforcement` is on.
const OWN: &[Need] = &[need(FLAME, "flameclusters/finalizers", &["update"], Of::Fixed)];
/// What was repaired, and who had done it, as Events of the objects; they count up.
const REPORT: &[Need] = &[need(CORE, "events", &["create", "patch"], Of::Any)];
/// One process of several works.
const LEAD: &[Need] = &[need(COORDINATION, "leases", &["get", "create", "patch"], Of::Fixed)];

/// Returns what a command does with flames that have a record only, or that live as objects.
fn deeds(task: Task, crd: bool) -> &'static [&'static [Need]] {
    match (task, crd) {
        (Task::Up | Task::Scale | Task::Restart, false) => &[LOOK, FOLLOW, APPLY, FIT, WHY],
        (Task::Up, true) => &[LOOK, FOLLOW, FIT, WHY, APPLY_OBJECT],
        (Task::Scale, true) => &[LOOK, FOLLOW, FIT, WHY, CHANGE_OBJECT],
        (Task::Restart, true) => &[LOOK, FOLLOW, APPLY, FIT, WHY, OWN],
        (Task::Status, false) => &[LOOK, FIND, WHY],
        (Task::Status, true) => &[LOOK, FIND, WHY, LOOK_AT_OBJECT],
        (Task::Down, false) => &[LOOK, FOLLOW, DELETE],
        (Task::Down, true) => &[LOOK, FOLLOW, DELETE, DELETE_OBJECT],
        (Task::Diff, _) => &[LOOK, FIT],
        (Task::Logs, _) => &[READ_LOGS],
        (Task::Events, _) => &[READ_EVENTS],
        (Task::Connect, _) => &[REACH],
        (Task::Watch, false) => &[LOOK, FOLLOW, FIND, FIND_SERVICES, APPLY, WHY, REPORT],
        (Task::Watch, true) => &[LOOK, FOLLOW, FIND, FIND_SERVICES, APPLY, WHY, REPORT, FOLLOW_OBJECTS, OWN],
    }
}

/// What is asked of one resource: whose names it is narrowed to, and its verbs.
type Rules = BTreeMap<(&'static str, &'static str, Vec<String>), BTreeSet<usize>>;

impl Wish {
    fn tasks(&self) -> BTreeSet<Task> {
        if self.tasks.is_empty() { Task::BY_HAND.into() } else { self.tasks.clone() }
    }

    fn namespace(&self) -> Option<&str> {
        match &self.scope {
            Scope::Flame(key) => Some(&key.namespace),
            Scope::Namespace(namespace) => Some(namespace),
            Scope::All => None,
        }
    }

    /// Returns the Role's name: another for each set of rights, so that none takes another's place.
    pub fn role_name(&self) -> String {
        let flame = match &self.scope {
            Scope::Flame(key) => Some(key.name.as_str()),
            Scope::Namespace(_) | Scope::All => None,
        };
        let tasks = self.tasks.iter().map(|task| task.name());
        let crd = self.crd.then_some("crd");
        [FIELD_MANAGER].into_iter().chain(flame).chain(crd).chain(tasks).collect::<Vec<_>>().join("-")
    }

    /// Returns the names that a need can be narrowed to; empty where it can't.
    fn names(&self, need: &Need) -> Vec<String> {
        let flame = match (&self.scope, need.of) {
            (Scope::Flame(key), Of::Fixed) => &key.name,
            _ => return Vec::new(),
        };
        match need.resource {
            "configmaps" => vec![names::config_map(flame)],
            "services" => vec![names::object_cache(flame), names::session_manager(flame)],
            "pods/portforward" => vec![names::session_manager(flame)],
            _ => vec![flame.clone()],
        }
    }

    fn rules(&self) -> Rules {
        let mut rules = Rules::new();
        let needs = self.tasks().into_iter().flat_map(|task| deeds(task, self.crd)).copied().flatten();
        for need in needs {
            match need.of {
                Of::Cluster if self.scope != Scope::All => {}
                _ => add(&mut rules, need, &self.names(need)),
            }
        }
        rules
    }

    fn lease_rules(&self) -> Rules {
        let mut rules = Rules::new();
        LEAD.iter().for_each(|need| add(&mut rules, need, &[LEASE.to_owned()]));
        rules
    }

    /// Returns each right by itself.
    pub fn accesses(&self) -> Vec<Access> {
        let mut accesses = expand(&self.rules(), self.namespace());
        if let Some(namespace) = &self.lease {
            accesses.extend(expand(&self.lease_rules(), Some(namespace)));
        }
        accesses
    }

    /// Returns the Role, or for all namespaces the ClusterRole, and who it is bound to; and the same for the Lease where that
    /// is somewhere else.
    pub fn grants(&self, grantee: Option<&Grantee>) -> Vec<Grant> {
        let mut rules = self.rules();
        let mut grants = Vec::new();
        if let Some(namespace) = &self.lease {
            if self.namespace() == Some(namespace) {
                rules.extend(self.lease_rules());
            } else {
                let name = format!("{}-lease", self.role_name());
                grants.push((name, Some(namespace.clone()), self.lease_rules()));
            }
        }
        grants.insert(0, (self.role_name(), self.namespace().map(str::to_owned), rules));
        grants.into_iter().flat_map(|(name, namespace, rules)| grant(name, namespace, &rules, grantee)).collect()
    }
}

fn add(rules: &mut Rules, need: &Need, names: &[String]) {
    for verb in need.verbs {
        // The server does not know yet, or not in time, which objects these are about; whose subresource it is it knows.
        let is_of_object = need.resource.contains('/');
        let names =
            if matches!(*verb, "create" | "list" | "watch") && !is_of_object { Vec::new() } else { names.to_vec() };
        let place = VERBS.iter().position(|it| it == verb).unwrap_or(VERBS.len());
        rules.entry((need.group, need.resource, names)).or_default().insert(place);
    }
}

fn verbs(places: &BTreeSet<usize>) -> Vec<&'static str> {
    places.iter().filter_map(|place| VERBS.get(*place)).copied().collect()
}

fn expand(rules: &Rules, namespace: Option<&str>) -> Vec<Access> {
    let mut accesses = Vec::new();
    for ((group, resource, names), places) in rules {
        // A namespace is in itself.
        let itself = namespace.filter(|_| *resource == "namespaces").map(str::to_owned);
        let names: Vec<Option<String>> = match names.is_empty() {
            true => vec![itself],
            false => names.iter().cloned().map(Some).collect(),
        };
        for name in names {
            accesses.extend(verbs(places).into_iter().map(|verb| Access {
                namespace: namespace.map(str::to_owned),
                group,
                resource,
                verb,
                name: name.clone(),
            }));
        }
    }
    accesses
}

/// What resources have in common that stand in one rule.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Alike<'a> {
    group: &'a str,
    names: &'a [String],
    verbs: &'a BTreeSet<usize>,
}

/// Returns rules in few lines: resources of one group with the same verbs stand together.
fn policy_rules(rules: &Rules) -> Vec<PolicyRule> {
    let mut together: BTreeMap<Alike<'_>, Vec<String>> = BTreeMap::new();
    for ((group, resource, names), verbs) in rules {
        together.entry(Alike { group, names, verbs }).or_default().push((*resource).to_owned());
    }
    let rule = |(alike, resources): (Alike<'_>, Vec<String>)| PolicyRule {
        api_groups: Some(vec![alike.group.to_owned()]),
        resources: Some(resources),
        resource_names: Some(alike.names.to_vec()).filter(|names| !names.is_empty()),
        verbs: verbs(alike.verbs).into_iter().map(str::to_owned).collect(),
        ..Default::default()
    };
    together.into_iter().map(rule).collect()
}

/// A Role or a binding, as it is sent.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "Kubernetes' own words")]
pub enum Grant {
    Role(Role),
    ClusterRole(ClusterRole),
    RoleBinding(RoleBinding),
    ClusterRoleBinding(ClusterRoleBinding),
}

fn grant(name: String, namespace: Option<String>, rules: &Rules, grantee: Option<&Grantee>) -> Vec<Grant> {
    let is_for_all = namespace.is_none();
    let metadata =
        |name: String| ObjectMeta { name: Some(name), namespace: namespace.clone(), ..ObjectMeta::default() };
    let rules = Some(policy_rules(rules));
    let role = match is_for_all {
        true => Grant::ClusterRole(ClusterRole { metadata: metadata(name.clone()), rules, ..Default::default() }),
        false => Grant::Role(Role { metadata: metadata(name.clone()), rules }),
    };
    let binding = grantee.map(|grantee| {
        let metadata = metadata(format!("{name}:{}", grantee.in_name()));
        let kind = if is_for_all { "ClusterRole" } else { "Role" };
        let role_ref = RoleRef { api_group: RBAC.to_owned(), kind: kind.to_owned(), name };
        let subjects = Some(vec![grantee.subject()]);
        match is_for_all {
            true => Grant::ClusterRoleBinding(ClusterRoleBinding { metadata, role_ref, subjects }),
            false => Grant::RoleBinding(RoleBinding { metadata, role_ref, subjects }),
        }
    });
    [role].into_iter().chain(binding).collect()
}

impl Grantee {
    fn subject(&self) -> Subject {
        let of_rbac = |kind: &str, name: &str| Subject {
            api_group: Some(RBAC.to_owned()),
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: None,
        };
        match self {
            Self::User(name) => of_rbac("User", name),
            Self::Group(name) => of_rbac("Group", name),
            Self::ServiceAccount(namespace, name) => Subject {
                api_group: None,
                kind: "ServiceAccount".to_owned(),
                name: name.clone(),
                namespace: Some(namespace.clone()),
            },
        }
    }

    /// Returns what a binding's name says of it: anything but what no name in a path may hold.
    fn in_name(&self) -> String {
        let text = match self {
            Self::User(name) => format!("user:{name}"),
            Self::Group(name) => format!("group:{name}"),
            Self::ServiceAccount(namespace, name) => format!("serviceaccount:{namespace}:{name}"),
        };
        text.replace(['/', '%'], "-")
    }
}

#[cfg(test)]
mod tests;
