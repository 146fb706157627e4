//! What programs read of a flame: documents as JSON and YAML, and names.

use serde::Serialize;
use serde_json::{Value, json};

use super::progress::json;
use super::text;
use crate::error::{Error, Result};
use crate::flame::FlameCluster;
use crate::flame::state::Status;
use crate::flame::timeline::StartUp;

/// Returns the document of a flame with its status: exactly apiVersion, kind, metadata, spec and status; and `timeline`,
/// where a command made Pods.
pub fn flame_with_status(flame: &FlameCluster, status: &Status, start: Option<&StartUp>) -> Value {
    let mut document = json!({
        "apiVersion": flame.api_version,
        "kind": flame.kind,
        "metadata": flame.metadata,
        "spec": flame.spec,
        "status": status,
    });
    if let Some(start) = start {
        document["timeline"] = json::start_up(start);
    }
    document
}

/// Returns documents as one List, as kubectl prints more than one object.
pub fn list(items: Vec<Value>) -> Value {
    json!({ "apiVersion": "v1", "kind": "List", "items": items })
}

/// Returns a flame's name for scripts (`-o name`).
pub fn resource_name(flame: &str) -> String {
    format!("flamecluster.flame.xflops.io/{flame}")
}

/// Returns a document as JSON.
///
/// # Errors
/// The value has no JSON form; none of flamectl's has that.
pub fn json(document: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(document);
    let text = text.map_err(|error| Error::server(format!("JSON can't be written: {error}")))?;
    Ok(text::escape_controls(text))
}

/// Returns a document as JSON on one line.
pub fn json_line(document: &Value) -> String {
    text::escape_controls(document.to_string())
}

/// Returns documents as YAML, `---` between them. Text that YAML 1.1 reads as something else is quoted: kubectl reads that.
///
/// # Errors
/// A value has no YAML form; none of flamectl's has that.
pub fn yaml<T: Serialize>(documents: &[T]) -> Result<String> {
    let documents: Result<Vec<String>> = documents.iter().map(yaml_document).collect();
    Ok(documents?.join("---\n"))
}

fn yaml_document<T: Serialize>(document: &T) -> Result<String> {
    let failed = |error: &dyn std::error::Error| Error::server(format!("YAML can't be written: {error}"));
    // Unlike a JSON value this one keeps the order of the fields.
    let value = serde_yaml::to_value(document).map_err(|error| failed(&error))?;
    // Which text becomes a block is decided here.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(&Yaml(&value), options).map_err(|error| failed(&error))
}

/// A value whose texts of several lines are written as they are, in literal blocks.
struct Yaml<'a>(&'a serde_yaml::Value);

impl Serialize for Yaml<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            // A blank or a line end at the beginning confuses kubectl about the indentation.
            serde_yaml::Value::String(text) if text.contains('\n') && !text.starts_with(char::is_whitespace) => {
                serde_saphyr::LitStr(text).serialize(serializer)
            }
            serde_yaml::Value::Sequence(items) => serializer.collect_seq(items.iter().map(Yaml)),
            serde_yaml::Value::Mapping(fields) => {
                serializer.collect_map(fields.iter().map(|(key, it)| (key, Yaml(it))))
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::state::{ClusterState, ExecutorManagerStatus, SessionManagerStatus};
    use crate::flame::{ExecutorManager, Metadata, SessionManager, Spec};

    #[test]
    fn a_result_is_the_flame_cluster_with_the_references_status() {
        let flame = FlameCluster {
            api_version: crate::flame::API_VERSION.to_owned(),
            kind: crate::flame::KIND.to_owned(),
            metadata: Metadata { name: "demo".to_owned(), namespace: Some("ml".to_owned()), ..Metadata::default() },
            spec: Spec {
                session_manager: SessionManager { image: "sm".to_owned(), ..SessionManager::default() },
                executor_manager: ExecutorManager { image: "em".to_owned(), ..ExecutorManager::default() },
                object_cache: Default::default(),
            },
        };
        let status = Status {
            session_manager: SessionManagerStatus { ready: 1, endpoint: "http://demo-session-manager:8080".to_owned() },
            executor_manager: ExecutorManagerStatus { replicas: 1, ready: 1 },
            state: ClusterState::Running,
            config_generation: 1,
            message: "All components healthy".to_owned(),
        };
        let document = flame_with_status(&flame, &status, None);
        assert_eq!(
            yaml(&[&document]).unwrap(),
            "apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: demo
  namespace: ml
spec:
  executorManager:
    image: em
    replicas: 1
  sessionManager:
    image: sm
status:
  configGeneration: 1
  executorManager:
    ready: 1
    replicas: 1
  message: All components healthy
  sessionManager:
    endpoint: http://demo-session-manager:8080
    ready: 1
  state: Running
"
        );
        assert_eq!(resource_name("demo"), "flamecluster.flame.xflops.io/demo");
    }

    #[test]
    fn several_documents_are_a_list_in_json_and_separated_in_yaml() {
        assert_eq!(
            json(&list(vec![json!(1)])).unwrap().replace([' ', '\n'], ""),
            r#"{"apiVersion":"v1","items":[1],"kind":"List"}"#
        );
        assert_eq!(yaml(&[1, 2]).unwrap(), "1\n---\n2\n");
    }

    #[test]
    fn text_of_several_lines_is_a_block_unless_it_begins_with_white_space() {
        assert_eq!(yaml(&["a\n\tb\n"]).unwrap(), "|\n  a\n  \tb\n");
        assert_eq!(yaml(&["\n\tb", "\ta\n"]).unwrap(), "\"\\n\\tb\"\n---\n\"\\ta\\n\"\n");
    }

    #[test]
    fn text_that_yaml_1_1_reads_as_something_else_is_quoted() {
        let words = ["yes", "on", "n", "~", "1_000", "0777", "1:30", "2026-02-19", "=", "v1", "1.2.3"];
        let written = yaml(&words.map(|word| json!({ word: word }))).unwrap();
        assert_eq!(
            written.lines().filter(|line| *line != "---").collect::<Vec<_>>(),
            [
                "\"yes\": \"yes\"",
                "\"on\": \"on\"",
                "\"n\": \"n\"",
                "\"~\": \"~\"",
                "\"1_000\": \"1_000\"",
                "\"0777\": \"0777\"",
                "\"1:30\": \"1:30\"",
                "\"2026-02-19\": \"2026-02-19\"",
                "\"=\": \"=\"",
                "v1: v1",
                "\"1.2.3\": \"1.2.3\""
            ]
        );
    }
}
