//! The user that all Pods run as, where the FlameCluster names one.
//!
//! Flame's images run as root, and what they write lies in directories that are root's (flame-facts 3). Under another user
//! every one of these paths is an emptyDir, and the Pods keep to what the Pod Security level restricted admits.

use std::fmt;
use std::str::FromStr;

use k8s_openapi::api::core::v1::{
    Capabilities, EmptyDirVolumeSource, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext, Volume,
    VolumeMount,
};

use super::FlameCluster;
use super::names::Component;

/// The annotation of a FlameCluster that names the user: `UID` or `UID:GID`.
pub const ANNOTATION: &str = "flame.xflops.io/run-as-user";
/// A session storage that any user can write to.
pub const WRITABLE_STORAGE: &str = "sqlite:///var/lib/flame/flame.db";
/// Largest user or group id (Kubernetes: `ValidatePodSecurityContext`).
const MAX_ID: u32 = i32::MAX as u32;
/// Storage backends that write files.
const FILE_BACKENDS: [&str; 4] = ["sqlite", "fs", "file", "filesystem"];

/// A user and, where it is said, a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunAs {
    /// The user id, not 0.
    pub user: u32,
    /// The group id; the user's own where none is said.
    pub group: Option<u32>,
}

impl RunAs {
    /// A user for examples and hints.
    pub const EXAMPLE: Self = Self { user: 1000, group: None };

    /// Returns the user that `flame` names. A record may hold a text that no file could: it names none.
    pub fn of(flame: &FlameCluster) -> Option<Self> {
        flame.metadata.annotations.get(ANNOTATION)?.parse().ok()
    }

    fn group(self) -> u32 {
        self.group.unwrap_or(self.user)
    }
}

impl FromStr for RunAs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        let (user, group) = (id(user)?, group.map(id).transpose()?);
        match user {
            0 => Err("user 0 is root: leave it out, or name another user".to_owned()),
            _ => Ok(Self { user, group }),
        }
    }
}

fn id(text: &str) -> Result<u32, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || (text.len() > 1 && text.starts_with('0')) {
        return Err("want the number of a user, UID, or of a user and a group, UID:GID".to_owned());
    }
    let id = text.parse().ok().filter(|id| *id <= MAX_ID);
    id.ok_or_else(|| format!("{text} is more than the largest id, {MAX_ID}"))
}

impl fmt::Display for RunAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group {
            Some(group) => write!(f, "{}:{group}", self.user),
            None => write!(f, "{}", self.user),
        }
    }
}

/// Tells whether the session manager's files lie in the image's directory, which is root's: where they are named without a
/// directory of their own, or not at all.
pub fn is_in_image(storage: &str) -> bool {
    match storage.split_once("://") {
        None => storage.is_empty(),
        Some((backend, path)) => {
            FILE_BACKENDS.contains(&backend)
                && !path.is_empty()
                && !path.starts_with('/')
                && !path.starts_with(":memory:")
        }
    }
}

/// Returns the Pod spec of `component` for the user that `flame` names; where it names none, the spec as it is.
pub fn for_user(flame: &FlameCluster, component: Component, spec: PodSpec) -> PodSpec {
    let Some(run_as) = RunAs::of(flame) else { return spec };
    let files = match (component, flame.spec.session_manager.storage.split_once("://")) {
        // The directory of a SQLite file has its volume already.
        (Component::SessionManager, Some((backend, path))) if FILE_BACKENDS[1..].contains(&backend) => Some(path),
        _ => None,
    };
    let mut spec = restricted(run_as, spec);
    for (volume, path) in files.map(|path| ("storage", path)).into_iter().chain(written(component).iter().copied()) {
        make_writable(&mut spec, volume, path);
    }
    spec
}

/// Returns the paths that the programs of a component write to besides those that the config names, whichever Flame they are
/// of, each with the name of a volume for it (flame-facts 3). FLAME_HOME is /usr/local/flame; the session manager's working
/// directory is that one, an executor manager's is `work` in it.
fn written(component: Component) -> &'static [(&'static str, &'static str)] {
    const LOGS: (&str, &str) = ("logs", "/usr/local/flame/logs");
    match component {
        Component::Config => &[],
        // Not the working directory itself: a volume would hide its `migrations`.
        Component::SessionManager => &[("events", "/usr/local/flame/events"), LOGS],
        Component::ObjectCache => &[LOGS],
        Component::ExecutorManager => &[
            ("tmp", "/tmp/flame"),
            ("work", "/usr/local/flame/work"),
            ("data", "/usr/local/flame/data/cache"),
            LOGS,
            ("executors", "/var/flame/executors"),
        ],
    }
}

/// Returns `spec` under this user and with everything that the Pod Security level restricted asks for.
pub fn restricted(run_as: RunAs, mut spec: PodSpec) -> PodSpec {
    spec.security_context = Some(PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(run_as.user.into()),
        run_as_group: Some(run_as.group().into()),
        fs_group: Some(run_as.group().into()),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..Default::default() }),
        ..Default::default()
    });
    for container in &mut spec.containers {
        container.security_context = Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Default::default() }),
            ..Default::default()
        });
    }
    spec
}

/// Mounts an emptyDir at `path`, unless that is in a volume already.
fn make_writable(spec: &mut PodSpec, volume: &str, path: &str) {
    let Some(container) = spec.containers.first_mut() else { return };
    let mounts = container.volume_mounts.get_or_insert_default();
    if mounts.iter().any(|mount| is_below(path, &mount.mount_path)) {
        return;
    }
    mounts.push(VolumeMount { name: volume.to_owned(), mount_path: path.to_owned(), ..Default::default() });
    spec.volumes.get_or_insert_default().push(Volume {
        name: volume.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Default::default()
    });
}

/// Tells whether `path` is `directory` or in it, however they are written.
fn is_below(path: &str, directory: &str) -> bool {
    fn parts(path: &str) -> impl Iterator<Item = &str> {
        path.split('/').filter(|part| !matches!(*part, "" | "."))
    }
    let mut path = parts(path);
    parts(directory).all(|part| path.next() == Some(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::manifests::{Manifests, manifests};
    use crate::flame::testing::flame;

    /// Returns the manifests of a flame that runs as this user.
    fn as_user(user: &str, storage: &str, cache: &str) -> Manifests {
        let mut flame = flame(1);
        flame.metadata.annotations.insert(ANNOTATION.into(), user.into());
        flame.spec.session_manager.storage = storage.into();
        flame.spec.object_cache.storage = cache.into();
        manifests(&flame).unwrap()
    }

    /// Returns what is mounted where in the Pods of a component, each with the kind of its volume.
    fn mounts(manifests: &Manifests, component: Component) -> Vec<String> {
        let spec = manifests.pod_spec(component);
        let volumes = spec.volumes.iter().flatten();
        let kind = |name: &str| {
            let volume = volumes.clone().find(|volume| volume.name == name).expect("a mount has its volume");
            if volume.empty_dir.is_some() { "emptyDir" } else { "ConfigMap" }
        };
        let mounts = spec.containers[0].volume_mounts.iter().flatten();
        mounts.map(|mount| format!("{} {} {}", mount.mount_path, mount.name, kind(&mount.name))).collect()
    }

    #[test]
    fn a_user_is_a_number_and_may_have_a_group() {
        let number = "want the number of a user, UID, or of a user and a group, UID:GID";
        let large = "2147483648 is more than the largest id, 2147483647";
        let root = "user 0 is root: leave it out, or name another user";
        for (text, read) in [
            ("1000", Ok((1000, None))),
            ("1", Ok((1, None))),
            ("1000:0", Ok((1000, Some(0)))),
            ("2147483647:2147483647", Ok((2_147_483_647, Some(2_147_483_647)))),
            ("2147483648", Err(large)),
            ("1:2147483648", Err(large)),
            ("0", Err(root)),
            ("0:1000", Err(root)),
            ("", Err(number)),
            ("flame", Err(number)),
            ("+1", Err(number)),
            ("-1", Err(number)),
            ("01", Err(number)),
            ("1000:", Err(number)),
            (":1000", Err(number)),
            ("1:2:3", Err(number)),
            ("1 ", Err(number)),
        ] {
            let read = read.map(|(user, group)| RunAs { user, group }).map_err(str::to_owned);
            assert_eq!(text.parse(), read, "{text}");
            if let Ok(run_as) = read {
                assert_eq!(run_as.to_string(), text);
            }
        }
    }

    #[test]
    fn files_without_a_directory_of_their_own_are_in_the_image() {
        for (storage, expected) in [
            ("", true),
            ("sqlite://flame.db", true),
            ("sqlite://./flame.db?mode=rwc", true),
            ("sqlite://data/flame.db", true),
            ("fs://data", true),
            ("sqlite:///data/flame.db", false),
            ("fs:///data", false),
            ("sqlite://:memory:", false),
            ("none", false),
            // What is no storage at all is told as such.
            ("postgres://x", false),
            ("sqlite://", false),
        ] {
            assert_eq!(is_in_image(storage), expected, "{storage}");
        }
    }

    #[test]
    fn every_path_that_flame_writes_to_is_an_empty_dir() {
        let manifests = as_user("1000", WRITABLE_STORAGE, "/var/lib/flame/cache");
        assert_eq!(
            mounts(&manifests, Component::SessionManager),
            [
                "/etc/flame config ConfigMap",
                "/var/lib/flame storage emptyDir",
                "/usr/local/flame/events events emptyDir",
                "/usr/local/flame/logs logs emptyDir",
            ]
        );
        assert_eq!(
            mounts(&manifests, Component::ExecutorManager),
            [
                "/etc/flame config ConfigMap",
                "/var/lib/flame/cache cache emptyDir",
                "/tmp/flame tmp emptyDir",
                "/usr/local/flame/work work emptyDir",
                "/usr/local/flame/data/cache data emptyDir",
                "/usr/local/flame/logs logs emptyDir",
                "/var/flame/executors executors emptyDir",
            ]
        );
    }

    #[test]
    fn what_is_in_a_declared_directory_needs_no_volume_of_its_own() {
        let manifests = as_user("1000", "fs:///data/", "/usr/./local/flame/");
        let session_manager = mounts(&manifests, Component::SessionManager);
        assert_eq!(
            session_manager[1..],
            [
                "/data/ storage emptyDir",
                "/usr/local/flame/events events emptyDir",
                "/usr/local/flame/logs logs emptyDir"
            ]
        );
        let executor = mounts(&manifests, Component::ExecutorManager);
        assert_eq!(
            executor[1..],
            [
                "/usr/./local/flame/ cache emptyDir",
                "/tmp/flame tmp emptyDir",
                "/var/flame/executors executors emptyDir"
            ]
        );
    }

    #[test]
    fn the_pods_run_as_the_user_and_its_group() {
        for (text, group) in [("1000", 1000), ("1000:0", 0)] {
            let manifests = as_user(text, WRITABLE_STORAGE, "");
            for component in [Component::SessionManager, Component::ExecutorManager] {
                let context = manifests.pod_spec(component).security_context.clone().unwrap();
                let ids = (context.run_as_user, context.run_as_group, context.fs_group);
                assert_eq!(ids, (Some(1000), Some(group), Some(group)), "{text} {component}");
            }
        }
    }

    #[test]
    fn without_a_user_nothing_changes() {
        for text in ["", "root"] {
            let with_text = as_user(text, "", "");
            let plain = manifests(&flame(1)).unwrap();
            for component in [Component::SessionManager, Component::ExecutorManager] {
                assert_eq!(with_text.pod_spec(component), plain.pod_spec(component), "{text:?}");
            }
        }
    }
}
