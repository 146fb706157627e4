//! The configuration file of Flame's own clients, `flame.yaml` (flame-facts 4).

use serde::Serialize;

use crate::error::{Error, Result};

/// The file's name.
pub const FILE: &str = "flame.yaml";
/// Where clients of Flame 0.6 and later look for it, below the home directory; older ones are told by `--config`.
pub const DIRECTORY: &str = ".flame";

/// One file for both generations: Flame 0.6 reads contexts, what came before reads clusters, and each ignores the other's.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct File<'a> {
    current_context: &'a str,
    contexts: [Context<'a>; 1],
    current_cluster: &'a str,
    clusters: [Cluster<'a>; 1],
}

#[derive(Serialize)]
struct Context<'a> {
    name: &'a str,
    cluster: Endpoint<'a>,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    endpoint: &'a str,
}

#[derive(Serialize)]
struct Cluster<'a> {
    name: &'a str,
    endpoint: &'a str,
}

/// Returns the text of a `flame.yaml` with one flame, which is the current one.
///
/// # Errors
/// Where it cannot be written as YAML.
pub fn config(flame: &str, endpoint: &str) -> Result<String> {
    let file = File {
        current_context: flame,
        contexts: [Context { name: flame, cluster: Endpoint { endpoint } }],
        current_cluster: flame,
        clusters: [Cluster { name: flame, endpoint }],
    };
    serde_saphyr::to_string(&file).map_err(|error| Error::server(format!("{FILE} cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_yaml::Value;

    use super::*;

    #[test]
    fn clients_of_both_generations_find_the_flame_in_one_file() {
        let file: Value = serde_yaml::from_str(&config("demo", "http://127.0.0.1:8080").unwrap()).unwrap();
        assert_eq!(file["current-context"], "demo");
        assert_eq!(file["contexts"][0]["name"], "demo");
        assert_eq!(file["contexts"][0]["cluster"]["endpoint"], "http://127.0.0.1:8080");
        assert_eq!(file["current-cluster"], "demo");
        assert_eq!(file["clusters"][0]["name"], "demo");
        assert_eq!(file["clusters"][0]["endpoint"], "http://127.0.0.1:8080");
    }

    #[test]
    fn a_name_that_yaml_takes_for_something_else_stays_a_name() {
        let file: Value = serde_yaml::from_str(&config("1e3", "http://127.0.0.1:8080").unwrap()).unwrap();
        assert_eq!(file["current-context"], "1e3");
    }
}
