//! Deaths that Flame is known for: (component, last lines, exit code) → what it means and which field has to change.
//!
//! What kills Flame was measured (flame-facts 1 to 3), its exact words were not always kept. So a death is known by a few
//! words that have to come together, in any order and case; the most particular come first.

use crate::flame::names::Component;

/// A death that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// Whose; none for both.
    component: Option<Component>,
    /// It is this one where all words of one of the lists are there, in small letters.
    says: &'static [&'static [&'static str]],
    /// What it means and what to change.
    pub advice: &'static str,
    /// The field of the FlameCluster that has to change, where one has to.
    pub field: Option<&'static str>,
    /// Whether it is an executor that came before the session manager: that heals by itself.
    pub is_too_early: bool,
}

const SESSION_MANAGER: Option<Component> = Some(Component::SessionManager);
const EXECUTOR: Option<Component> = Some(Component::ExecutorManager);

const fn death(
    component: Option<Component>,
    says: &'static [&'static [&'static str]],
    field: Option<&'static str>,
    advice: &'static str,
) -> Death {
    Death { component, says, advice, field, is_too_early: false }
}

/// All of them, the first that fits counts.
const DEATHS: [Death; 12] = [
    // flame-facts 1.4: only once the first executor registers, after it was ready.
    death(
        SESSION_MANAGER,
        &[&["divide by zero"], &["division by zero"], &["divisor of zero"]],
        Some("spec.sessionManager.slot"),
        "Flame divides by zero where a slot lacks cpu or mem: set spec.sessionManager.slot to both, as cpu=1,mem=1g, or \
         leave it out",
    ),
    // flame-facts 2: only SQLite, and from 0.6 on files.
    death(
        SESSION_MANAGER,
        &[&["postgres"], &["mysql"], &["storage", "unsupported"], &["storage", "not supported"]],
        Some("spec.sessionManager.storage"),
        "Flame does not know this storage: set spec.sessionManager.storage to sqlite:// and a file, or leave it out",
    ),
    // flame-facts 3: the working directory must hold `migrations`.
    death(
        SESSION_MANAGER,
        &[&["migrations", "no such file"], &["resolving migrations"]],
        Some("spec.sessionManager.image"),
        "the image's working directory lacks Flame's migrations: spec.sessionManager.image is not built as Flame's is",
    ),
    // flame-facts 2: a database of one version is refused by another.
    death(
        SESSION_MANAGER,
        &[
            &["migration", "previously applied"],
            &["migration", "missing"],
            &["migration", "checksum"],
            &["migration", "mismatch"],
            &["migration", "modified"],
        ],
        Some("spec.sessionManager.storage"),
        "the database was made by another version of Flame, which does not migrate it: put the image back, or name a new \
         file in spec.sessionManager.storage",
    ),
    // flame-facts 2: the parent of an absolute path must exist and be writable.
    death(
        SESSION_MANAGER,
        &[
            &["unable to open database file"],
            &["sqlite", "no such file"],
            &["sqlite", "permission denied"],
            &["database", "readonly"],
            &["database", "read-only"],
        ],
        Some("spec.sessionManager.storage"),
        "the directory of spec.sessionManager.storage has to be there and writable in the image: sqlite://flame.db always is",
    ),
    // flame-facts 1.1: args carry the config, which an image with another entrypoint drops.
    death(
        None,
        &[&["is not a file"], &["--config", "required"], &["unexpected argument", "--config"]],
        None,
        "Flame did not find its config: flamectl gives it as --config, so the image's entrypoint has to be Flame's program \
         itself and hand its arguments on",
    ),
    // flame-facts 1.5.
    death(
        None,
        &[&["shim", "unknown"], &["shim", "unsupported"], &["shim", "not support"], &["shim", "invalid"]],
        Some("spec.executorManager.shim"),
        "Flame knows the shims host and wasm: set spec.executorManager.shim to one of them, or leave it out",
    ),
    // flame-facts 2: a regex; no match or a bad one ends the whole executor manager.
    death(
        EXECUTOR,
        &[
            &["regex parse error"],
            &["no network interface"],
            &["network_interface"],
            &["network interface", "match"],
            &["interface", "not found"],
        ],
        Some("spec.objectCache.networkInterface"),
        "no network interface of the Pod matches: set spec.objectCache.networkInterface to a pattern that does, as eth0",
    ),
    // flame-facts 1.10 and 2: session manager and executors have to be of one generation, and config keys changed.
    death(
        None,
        &[
            &["unimplemented"],
            &["operation is not implemented"],
            &["unknown service"],
            &["missing field"],
            &["unknown field"],
            &["invalid config"],
        ],
        None,
        "images of different Flame generations do not work together: spec.sessionManager.image and \
         spec.executorManager.image have to be of one version",
    ),
    // flame-facts 1.6: an executor does not retry, its kubelet does.
    Death {
        component: EXECUTOR,
        says: &[
            &["connection refused"],
            &["failed to lookup address"],
            &["dns error"],
            &["tcp connect error"],
            &["transport error"],
            &["8081", "timed out"],
            &["8081", "unreachable"],
            &["name or service not known"],
        ],
        advice: "the executor cannot reach the session manager on port 8081: it ends and is started again until it can; \
                 where the session manager is ready, look for a NetworkPolicy or DNS in between",
        field: None,
        is_too_early: true,
    },
    // flame-facts 3: upstream's images are root's.
    death(
        None,
        &[&["permission denied"], &["read-only file system"]],
        None,
        "Flame's images run as root and write into their own directories: a policy of the namespace that makes them run \
         otherwise ends them",
    ),
    death(
        None,
        &[&["address already in use"], &["address in use"]],
        None,
        "another program of the Pod holds Flame's port",
    ),
];

/// Returns the death that a component's last lines tell of.
pub fn death_of(component: Component, lines: &[String]) -> Option<&'static Death> {
    let text = lines.join("\n").to_ascii_lowercase();
    let fits = |death: &&Death| {
        let is_whose = death.component.is_none_or(|it| it == component);
        is_whose && death.says.iter().any(|words| words.iter().all(|word| text.contains(word)))
    };
    DEATHS.iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what a component's last line is taken for: the field to change, and the beginning of the advice.
    #[track_caller]
    fn check(component: Component, line: &str, expected: Option<(Option<&str>, &str)>) {
        let death = death_of(component, &["earlier".to_owned(), line.to_owned()]);
        let told = death.map(|it| (it.field, it.advice));
        let fits = match (told, expected) {
            (Some((field, advice)), Some((expected, beginning))) => field == expected && advice.starts_with(beginning),
            (told, expected) => told.is_none() && expected.is_none(),
        };
        assert!(fits, "{line}: {told:?}");
    }

    #[test]
    fn every_death_that_flame_is_known_for_is_recognised() {
        use Component::{ExecutorManager as Executor, SessionManager as Manager};
        for (component, line, field, advice) in [
            (
                Manager,
                "thread 'scheduler' panicked at src/scheduler/plugins.rs:71:22: attempt to divide by zero",
                Some("spec.sessionManager.slot"),
                "Flame divides by zero",
            ),
            (
                Manager,
                "Error: Storage(\"unable to open database file\")",
                Some("spec.sessionManager.storage"),
                "the directory of",
            ),
            (
                Manager,
                "Error: migration 20250101000000 was previously applied but is missing in the resolved migrations",
                Some("spec.sessionManager.storage"),
                "the database was made by another version",
            ),
            (
                Manager,
                "Error: while resolving migrations: No such file or directory (os error 2)",
                Some("spec.sessionManager.image"),
                "the image's working directory",
            ),
            (
                Manager,
                "Error: InvalidConfig(\"unsupported storage: postgres://db/flame\")",
                Some("spec.sessionManager.storage"),
                "Flame does not know this storage",
            ),
            (Manager, "Error: /etc/flame/flame-cluster.yaml is not a file", None, "Flame did not find its config"),
            (Executor, "Error: <flame.yaml> is not a file", None, "Flame did not find its config"),
            (
                Executor,
                "Error: InvalidConfig(\"unknown shim: docker\")",
                Some("spec.executorManager.shim"),
                "Flame knows the shims",
            ),
            (
                Executor,
                "thread 'main' panicked at object_cache/src/lib.rs:9:1: No network interface found for ens5",
                Some("spec.objectCache.networkInterface"),
                "no network interface",
            ),
            (
                Executor,
                "called `Result::unwrap()` on an `Err` value: Syntax(regex parse error: eth[0)",
                Some("spec.objectCache.networkInterface"),
                "no network interface",
            ),
            (
                Executor,
                "Error: transport error: tcp connect error: Connection refused (os error 111)",
                None,
                "the executor cannot reach the session manager",
            ),
            (
                Executor,
                "dns error: failed to lookup address information: Name or service not known",
                None,
                "the executor cannot reach the session manager",
            ),
            (
                Executor,
                "status: Unimplemented, message: \"\", details: []",
                None,
                "images of different Flame generations",
            ),
            (Manager, "Error: missing field `executors` at line 3", None, "images of different Flame generations"),
            (Manager, "mkdir events: Permission denied (os error 13)", None, "Flame's images run as root"),
            (Executor, "bind: Address already in use (os error 98)", None, "another program of the Pod"),
        ] {
            check(component, line, Some((field, advice)));
        }
    }

    #[test]
    fn what_is_not_known_is_not_explained() {
        check(Component::SessionManager, "thread 'main' panicked at src/main.rs:1:1: explicit panic", None);
        check(Component::SessionManager, "client 10.0.0.1: connection refused", None);
        check(Component::ExecutorManager, "", None);
        assert_eq!(death_of(Component::ExecutorManager, &[]), None);
    }

    #[test]
    fn only_an_executor_that_came_too_early_heals_by_itself() {
        let too_early: Vec<_> = DEATHS.iter().filter(|death| death.is_too_early).map(|death| death.component).collect();
        assert_eq!(too_early, [EXECUTOR]);
    }
}
