//! The text of `flame-cluster.yaml`, byte for byte as the reference formats it (reference: "ConfigMap Generation").
//!
//! Flame 0.6 and later looks for three of the values under other keys, which Flame before it ignores (flame-facts 2): they
//! are added for it alone, so that everybody else gets the reference's text.
//!
//! FlameCluster → [`ConfigText`]. Written by hand because the reference fixes which values are quoted, which no YAML writer
//! can be told; `tests` read it back with a YAML reader.

use std::fmt::Write as _;

use super::FlameCluster;
use super::generation::Generation;
use super::names;

/// The config file in the sections that components read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigText {
    generation: Generation,
    cluster: String,
    /// What stands below `cluster` for the executors of Flame 0.6 and later.
    cluster_of_executors: String,
    executors: String,
    cache: String,
}

impl ConfigText {
    /// Returns the whole file.
    pub fn file(&self) -> String {
        [self.cluster.as_str(), &self.cluster_of_executors, &self.executors, &self.cache].concat()
    }

    /// Returns what the session manager reads: the section `cluster` (flame-facts 2).
    ///
    /// Since 0.6 with the generation before it: the database of one generation is refused by the other (flame-facts 2), so a
    /// session manager never goes from one to the other in its old Pod.
    pub fn read_by_session_manager(&self) -> String {
        match self.generation {
            Generation::Reference => self.cluster.clone(),
            Generation::Since06 => format!("{}\n{}", self.generation, self.cluster),
        }
    }

    /// Returns what an executor manager reads: `executors` and `cache`, or since 0.6 what is below `cluster` for it.
    ///
    /// Else it reads only the cluster's name and the endpoints, which never change for a flame (flame-facts 2).
    pub fn read_by_executor_manager(&self) -> String {
        match self.generation {
            Generation::Reference => [self.executors.as_str(), &self.cache].concat(),
            Generation::Since06 => self.cluster_of_executors.clone(),
        }
    }

    /// Returns what an object cache with a Pod of its own reads: `cache`, without which it ends (flame-facts 2).
    pub fn read_by_object_cache(&self) -> &str {
        &self.cache
    }
}

/// Returns the config of `flame`; empty values are left out, because Flame dies of some of them (flame-facts 1.5).
pub fn config(flame: &FlameCluster) -> ConfigText {
    let name = &flame.metadata.name;
    let session_manager = &flame.spec.session_manager;
    let executor_manager = &flame.spec.executor_manager;
    let object_cache = &flame.spec.object_cache;

    let mut cluster = Section::new("cluster");
    cluster.plain("name", name);
    cluster.quoted("endpoint", &names::session_manager_endpoint(name));
    cluster.quoted("slot", &session_manager.slot);
    cluster.plain("policy", &session_manager.policy);
    cluster.plain("storage", &session_manager.storage);

    let mut executors = Section::new("executors");
    executors.plain("shim", &executor_manager.shim);
    executors.max_executors(executor_manager.max_executors);

    let generation = flame.generation();
    let mut cluster_of_executors = String::new();
    if generation == Generation::Since06 {
        cluster.quoted("resreq", &session_manager.slot);
        let mut shim = Section::new("executors");
        shim.plain("shim", &executor_manager.shim);
        cluster_of_executors.push_str(&shim.nested());
        let mut limits = Section::new("limits");
        limits.number("max_executors", executor_manager.max_executors);
        cluster_of_executors.push_str(&limits.nested());
    }

    let mut cache = Section::new("cache");
    cache.quoted("endpoint", &names::object_cache_endpoint(name));
    cache.quoted("network_interface", &object_cache.network_interface);
    cache.quoted("storage", &object_cache.storage);

    ConfigText {
        generation,
        cluster: cluster.finish(),
        cluster_of_executors,
        executors: executors.finish(),
        cache: cache.finish(),
    }
}

/// Collects the keys of one section.
struct Section {
    name: &'static str,
    lines: String,
}

impl Section {
    fn new(name: &'static str) -> Self {
        Self { name, lines: String::new() }
    }

    /// Adds a value that the reference writes without quotes; one that YAML would read as something else gets them.
    fn plain(&mut self, key: &str, value: &str) {
        if is_plain(value) {
            self.line(key, value);
        } else {
            self.quoted(key, value);
        }
    }

    /// Adds a value that the reference writes in double quotes.
    fn quoted(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            // A JSON string is a YAML double-quoted scalar.
            self.line(key, &serde_json::Value::from(value).to_string());
        }
    }

    /// Adds a number. 0 is the reference's default and leaves the number to Flame, which takes a missing key for that.
    fn number(&mut self, key: &str, number: u32) {
        if number > 0 {
            self.line(key, &number.to_string());
        }
    }

    fn max_executors(&mut self, max_executors: u32) {
        let mut limits = Self::new("limits");
        limits.number("max_executors", max_executors);
        self.lines.push_str(&limits.nested());
    }

    fn line(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            writeln!(self.lines, "  {key}: {value}").expect("writing to a String cannot fail");
        }
    }

    /// Returns the section as a key of another one; without keys of its own it is left out.
    fn nested(self) -> String {
        let lines: String = self.lines.lines().map(|line| format!("  {line}\n")).collect();
        if lines.is_empty() { lines } else { format!("  {}:\n{lines}", self.name) }
    }

    fn finish(self) -> String {
        // Flame refuses a missing or null section, so an empty one stays a map (flame-facts 2).
        match self.lines.is_empty() {
            true => format!("{}: {{}}\n", self.name),
            false => format!("{}:\n{}", self.name, self.lines),
        }
    }
}

/// Tells whether YAML 1.1 and 1.2 both read `value` without quotes as this very string.
fn is_plain(value: &str) -> bool {
    let looks_like_another_type = value.parse::<f64>().is_ok()
        || value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+'))
        || ["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(&value.to_ascii_lowercase().as_str());
    let safe_characters = value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:?&=".contains(c));
    let safe_ends =
        value.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_')) && !value.ends_with(':');
    value.is_empty() || (safe_characters && safe_ends && !looks_like_another_type)
}

/// Returns the directories that the config names and that must be writable: the cache path and an absolute sqlite path's.
pub fn declared_directories(flame: &FlameCluster) -> DeclaredDirectories {
    let session_manager = flame.spec.session_manager.storage.strip_prefix("sqlite://");
    DeclaredDirectories {
        session_manager: session_manager.filter(|path| path.starts_with('/')).and_then(parent),
        object_cache: Some(flame.spec.object_cache.storage.clone()).filter(|path| path.starts_with('/')),
    }
}

/// See [`declared_directories`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredDirectories {
    /// The directory of an absolute `sqlite:///…` path.
    pub session_manager: Option<String>,
    /// `spec.objectCache.storage`.
    pub object_cache: Option<String>,
}

fn parent(path: &str) -> Option<String> {
    let file = path.split(['?', '#']).next().unwrap_or(path);
    let (directory, _) = file.rsplit_once('/')?;
    (!directory.is_empty()).then(|| directory.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::{ExecutorManager, Metadata, ObjectCache, SessionManager, Spec};

    fn flame(name: &str, session_manager: SessionManager, executor_manager: ExecutorManager) -> FlameCluster {
        FlameCluster {
            api_version: super::super::API_VERSION.into(),
            kind: super::super::KIND.into(),
            metadata: Metadata { name: name.into(), ..Default::default() },
            spec: Spec { session_manager, executor_manager, object_cache: ObjectCache::default() },
        }
    }

    #[test]
    fn the_reference_example_comes_out_byte_for_byte() {
        let mut flame = flame(
            "my-flame",
            SessionManager {
                slot: "cpu=1,mem=1g".into(),
                policy: "priority".into(),
                storage: "sqlite://flame.db".into(),
                ..Default::default()
            },
            ExecutorManager { shim: "host".into(), max_executors: 10, ..Default::default() },
        );
        flame.spec.object_cache =
            ObjectCache { network_interface: "eth0".into(), storage: "/var/lib/flame/cache".into() };
        assert_eq!(
            config(&flame).file(),
            r#"cluster:
  name: my-flame
  endpoint: "http://my-flame-session-manager:8080"
  slot: "cpu=1,mem=1g"
  policy: priority
  storage: sqlite://flame.db
executors:
  shim: host
  limits:
    max_executors: 10
cache:
  endpoint: "grpc://my-flame-object-cache:9090"
  network_interface: "eth0"
  storage: "/var/lib/flame/cache"
"#
        );
    }

    #[test]
    fn empty_values_are_left_out_and_executors_stays_a_map() {
        assert_eq!(
            config(&flame("a", SessionManager::default(), ExecutorManager::default())).file(),
            r#"cluster:
  name: a
  endpoint: "http://a-session-manager:8080"
executors: {}
cache:
  endpoint: "grpc://a-object-cache:9090"
"#
        );
    }

    #[test]
    fn values_that_yaml_would_read_as_something_else_are_quoted() {
        for name in ["no", "y", "null", "true", "on", "off"] {
            let text = config(&flame(name, SessionManager::default(), ExecutorManager::default())).file();
            assert!(text.contains(&format!("  name: \"{name}\"\n")), "{text}");
        }
        for (storage, written) in [
            ("sqlite://flame.db", "sqlite://flame.db"),
            ("sqlite:///data/a b.db", "\"sqlite:///data/a b.db\""),
            ("none", "none"),
            ("fs://x #y", "\"fs://x #y\""),
            ("a: b", "\"a: b\""),
            ("1e3", "\"1e3\""),
            ("-x", "\"-x\""),
            ("fs:", "\"fs:\""),
            ("{a}", "\"{a}\""),
            ("quote\"", "\"quote\\\"\""),
        ] {
            let session_manager = SessionManager { storage: storage.into(), ..Default::default() };
            let text = config(&flame("a", session_manager, ExecutorManager::default())).file();
            assert!(text.contains(&format!("  storage: {written}\n")), "{text}");
            let read: serde_json::Value = serde_saphyr::from_str(&text).expect("the config is YAML");
            assert_eq!(read["cluster"]["storage"], storage);
        }
    }

    #[test]
    fn each_component_sees_only_its_sections() {
        let before = config(&flame("a", SessionManager::default(), ExecutorManager::default()));
        let executors = ExecutorManager { max_executors: 7, ..Default::default() };
        let after = config(&flame("a", SessionManager::default(), executors));
        assert_eq!(before.read_by_session_manager(), after.read_by_session_manager());
        assert_ne!(before.read_by_executor_manager(), after.read_by_executor_manager());
    }

    fn with_version(mut flame: FlameCluster, version: &str) -> FlameCluster {
        flame.metadata.annotations.insert(names::ANNOTATION_FLAME_VERSION.into(), version.into());
        flame
    }

    #[test]
    fn flame_0_6_gets_three_keys_more_and_the_rest_as_it_is() {
        let session_manager =
            SessionManager { slot: "cpu=1,mem=1g".into(), storage: "sqlite://flame.db".into(), ..Default::default() };
        let executor_manager = ExecutorManager { shim: "host".into(), max_executors: 10, ..Default::default() };
        let flame = flame("a", session_manager, executor_manager);
        let text = config(&with_version(flame.clone(), "0.6")).file();
        assert_eq!(
            text,
            r#"cluster:
  name: a
  endpoint: "http://a-session-manager:8080"
  slot: "cpu=1,mem=1g"
  storage: sqlite://flame.db
  resreq: "cpu=1,mem=1g"
  executors:
    shim: host
  limits:
    max_executors: 10
executors:
  shim: host
  limits:
    max_executors: 10
cache:
  endpoint: "grpc://a-object-cache:9090"
"#
        );
        let added = "  resreq: \"cpu=1,mem=1g\"\n  executors:\n    shim: host\n  limits:\n    max_executors: 10\n";
        assert_eq!(text.replacen(added, "", 1), config(&with_version(flame.clone(), "0.5")).file());
        let read: serde_json::Value = serde_saphyr::from_str(&text).expect("the config is YAML");
        assert_eq!(read["cluster"]["executors"]["shim"], "host");
        assert_eq!(read["cluster"]["limits"]["max_executors"], 10);
    }

    #[test]
    fn empty_values_are_left_out_for_flame_0_6_too_and_the_cache_section_is_always_there() {
        let flame = flame("a", SessionManager::default(), ExecutorManager::default());
        assert_eq!(config(&with_version(flame.clone(), "0.6")).file(), config(&flame).file());
        assert!(config(&flame).file().contains("\ncache:\n  endpoint: "));
    }

    #[test]
    fn since_0_6_the_cache_is_read_by_the_object_cache_alone() {
        let with = |change: fn(&mut FlameCluster)| {
            let mut flame = flame("a", SessionManager::default(), ExecutorManager::default());
            change(&mut flame);
            config(&with_version(flame, "0.6"))
        };
        let before = with(|_| {});
        let cache = with(|flame| flame.spec.object_cache.storage = "/cache".into());
        assert_eq!(before.read_by_session_manager(), cache.read_by_session_manager());
        assert_eq!(before.read_by_executor_manager(), cache.read_by_executor_manager());
        assert_ne!(before.read_by_object_cache(), cache.read_by_object_cache());
        let shim = with(|flame| flame.spec.executor_manager.shim = "wasm".into());
        assert_eq!(before.read_by_session_manager(), shim.read_by_session_manager());
        assert_ne!(before.read_by_executor_manager(), shim.read_by_executor_manager());
        let slot = with(|flame| flame.spec.session_manager.slot = "cpu=1,mem=1g".into());
        assert_ne!(before.read_by_session_manager(), slot.read_by_session_manager());
        assert_eq!(before.read_by_executor_manager(), slot.read_by_executor_manager());
    }

    #[test]
    fn a_session_manager_never_keeps_its_pod_across_generations() {
        let flame = flame("a", SessionManager::default(), ExecutorManager::default());
        let (old, new) = (config(&flame), config(&with_version(flame.clone(), "0.6")));
        assert_eq!(old.file(), new.file());
        assert_ne!(old.read_by_session_manager(), new.read_by_session_manager());
    }

    #[test]
    fn the_directory_of_an_absolute_sqlite_path_is_declared() {
        for (storage, directory) in [
            ("sqlite:///var/lib/flame/flame.db", Some("/var/lib/flame")),
            ("sqlite:///data/x.db?mode=rwc", Some("/data")),
            ("sqlite:///data/x.db?vfs=/a/b&cache=shared", Some("/data")),
            ("sqlite:///tmp/x.db", Some("/tmp")),
            ("sqlite:///usr/local/flame/data/x.db", Some("/usr/local/flame/data")),
            ("sqlite:///flame.db", None),
            ("sqlite://flame.db", None),
            ("sqlite://data/flame.db", None),
            ("fs:///data", None),
            ("", None),
        ] {
            let session_manager = SessionManager { storage: storage.into(), ..Default::default() };
            let flame = flame("a", session_manager, ExecutorManager::default());
            assert_eq!(declared_directories(&flame).session_manager.as_deref(), directory, "{storage}");
        }
    }
}
