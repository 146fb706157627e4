//! JSON Schemas (draft 7) of what flamectl prints for programs: `status -o json`, `--progress=json`, `validate -o json`.
//!
//! Each names every field and refuses all others, so that a field which nobody wrote down fails the tests. A reader should
//! pass over fields that it does not know: later versions may add some.

use serde_json::{Map, Value, json};

use super::progress::json;
use crate::flame::stage::Stage;
use crate::flame::timeline::StartPhase;
use crate::flame::{API_VERSION, KIND, schema};

/// Returns the schema of `status -o json` and `up -o json`: a flame with its status, or a List of them.
pub fn status() -> Value {
    let file = schema::json::file();
    let part = |name: &str| for_programs(&file["properties"][name]);
    let flame = closed_but(
        &["timeline"],
        json!({
            "apiVersion": { "const": API_VERSION },
            "kind": { "const": KIND },
            "metadata": part("metadata"),
            "spec": part("spec"),
            "status": { "$ref": "#/definitions/status" },
            "timeline": described(start_up(), "How long the start took; only where `up` made Pods"),
        }),
    );
    let list = closed(json!({
        "apiVersion": { "const": "v1" },
        "kind": { "const": "List" },
        "items": { "type": "array", "items": { "$ref": "#/definitions/flame" } },
    }));
    let status = closed(json!({
        "sessionManager": closed(json!({ "ready": { "enum": [0, 1] }, "endpoint": text() })),
        "executorManager": closed(json!({ "replicas": count(), "ready": count() })),
        "state": { "enum": ["Pending", "Running", "Failed"] },
        "configGeneration": count(),
        "message": text(),
    }));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": format!("https://{API_VERSION}/status.schema.json"),
        "title": "flamectl status -o json",
        "description": "A flame with its status, or a List of flames. The version is that of the FlameCluster, in apiVersion",
        "oneOf": [{ "$ref": "#/definitions/flame" }, { "$ref": "#/definitions/list" }],
        "definitions": { "flame": flame, "list": list, "status": status },
    })
}

/// Returns the schema of one line of `--progress=json`.
pub fn progress() -> Value {
    let events: Vec<Value> = events().into_iter().map(|(event, fields)| self::event(event, fields)).collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": format!("https://flame.xflops.io/flamectl/v{}/progress.schema.json", json::VERSION),
        "title": "flamectl --progress=json",
        "description": "One line on standard error. `time` is seconds since the command began; what is not known is null",
        "oneOf": events,
    })
}

/// Returns the schema of `validate -o json`.
pub fn validate() -> Value {
    let problem = closed(json!({
        "file": text(),
        "line": or_null(&place()),
        "column": or_null(&place()),
        "endColumn": or_null(&place()),
        "path": text(),
        "severity": { "enum": ["error", "warning"] },
        "message": text(),
        "hint": or_null(&text()),
    }));
    let mut schema = closed(json!({
        "apiVersion": { "const": super::report::API_VERSION },
        "files": count(),
        "errors": count(),
        "warnings": count(),
        "problems": { "type": "array", "items": problem },
    }));
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["$id"] = "https://flame.xflops.io/flamectl/v1/validate.schema.json".into();
    schema["title"] = "flamectl validate -o json".into();
    schema
}

/// Returns each kind of event with its own fields.
fn events() -> Vec<(&'static str, Value)> {
    let object = || json!({ "enum": ["ConfigMap", "Service", "Pod"] });
    let message = || json!({ "message": text() });
    let severity = || json!({ "enum": ["error", "warning"] });
    let kinds = ["server", "input", "timeout", "unhealthy", "refused", "interrupted"];
    let counts = ["create", "update", "resize", "replace", "delete", "keep", "refuse"];
    vec![
        ("plan", counts.iter().map(|name| ((*name).to_owned(), count())).collect::<Map<_, _>>().into()),
        (
            "wrote",
            json!({ "action": { "enum": ["created", "updated", "resized", "deleted"] }, "kind": object(), "name": text(),
                "why": texts() }),
        ),
        (
            "reverting",
            json!({ "kind": object(), "name": text(), "fields": {
                "type": "array", "items": closed(json!({ "field": text(), "manager": text() })) } }),
        ),
        ("progress", self::waiting()),
        ("wave", wave()),
        (
            "cause",
            json!({ "component": component(), "reason": text(), "message": text(), "pods": count(), "executors": text(),
                "outlook": { "enum": ["working", "doubtful", "hopeless"] }, "evidence": texts(),
                "advice": or_null(&text()), "next": or_null(&text()) }),
        ),
        ("retry", json!({ "what": text(), "why": text(), "after": seconds() })),
        ("request", json!({ "method": text(), "path": text(), "status": or_null(&count()), "seconds": seconds() })),
        ("timeline", start_up()["properties"].clone()),
        ("note", message()),
        ("warning", message()),
        ("hint", message()),
        (
            "problem",
            json!({ "severity": severity(), "file": text(), "line": count(), "column": count(), "path": text(),
                "message": text(), "hint": or_null(&text()) }),
        ),
        ("error", json!({ "kind": { "enum": kinds }, "message": text(), "hints": texts() })),
    ]
}

fn event(event: &str, mut fields: Value) -> Value {
    fields["version"] = json!({ "const": json::VERSION });
    fields["time"] = seconds();
    fields["event"] = json!({ "const": event });
    closed(fields)
}

/// Returns the fields of `progress`.
fn waiting() -> Value {
    let keys = || Stage::ALL.into_iter().map(|stage| json::key(stage.word()));
    let stages = || closed(keys().map(|key| (key, count())).collect::<Map<_, _>>().into());
    let left = closed(json!({ "pods": count(), "services": count(), "configMaps": count() }));
    let slowest = closed(json!({
        "component": component(),
        "index": or_null(&count()),
        "stage": { "enum": keys().collect::<Vec<_>>() },
        "seconds": seconds(),
    }));
    let cause = closed(json!({ "component": component(), "reason": text(), "pods": count() }));
    json!({
        "flame": text(),
        "elapsed": seconds(),
        "timeLeft": or_null(&seconds()),
        "givesUpIn": or_null(&seconds()),
        "sessionManager": stages(),
        "objectCache": or_null(&stages()),
        "executors": stages(),
        "replicas": count(),
        "toDo": count(),
        "left": or_null(&left),
        "wave": or_null(&closed(wave())),
        "slowest": or_null(&slowest),
        "causes": { "type": "array", "items": cause },
        "moreCauses": count(),
    })
}

fn wave() -> Value {
    json!({ "number": count(), "of": count(), "replacing": count() })
}

/// Returns the schema of a start, phase by phase.
fn start_up() -> Value {
    let phases = || -> Map<String, Value> {
        let phases = StartPhase::ALL.into_iter().map(StartPhase::word).chain(["total"]);
        phases.map(|phase| (phase.to_owned(), seconds())).collect()
    };
    let mut executor = phases();
    executor.insert("index".to_owned(), count());
    let executors = closed(json!({
        "count": count(),
        "median": closed(executor.clone().into()),
        "slowest": closed(executor.into()),
    }));
    closed(json!({ "sessionManager": or_null(&closed(phases().into())), "executors": or_null(&executors) }))
}

fn component() -> Value {
    json!({ "enum": ["session-manager", "executor-manager", "object-cache", "config"] })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn texts() -> Value {
    json!({ "type": "array", "items": text() })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// Returns the schema of a line or a column.
fn place() -> Value {
    json!({ "type": "integer", "minimum": 1 })
}

fn seconds() -> Value {
    json!({ "type": "number", "minimum": 0 })
}

fn or_null(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

/// Returns the schema of an object that has exactly these fields.
fn closed(properties: Value) -> Value {
    closed_but(&[], properties)
}

/// Returns the schema of an object that has these fields and no others, some of them only at times.
fn closed_but(optional: &[&str], properties: Value) -> Value {
    let names = properties.as_object().map(|it| it.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let required: Vec<String> = names.into_iter().filter(|name| !optional.contains(&name.as_str())).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Returns a part of a file's schema without what is only for editors: fields that a file may have and that are passed over.
fn for_programs(schema: &Value) -> Value {
    match schema {
        Value::Object(keywords) => {
            let is_kept = |(keyword, value): &(&String, &Value)| {
                value.get("deprecationMessage").is_none() && keyword.as_str() != "patternErrorMessage"
            };
            let kept = keywords.iter().filter(is_kept);
            kept.map(|(keyword, value)| (keyword.clone(), for_programs(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(for_programs).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::flame::observed::Seconds;
    use crate::flame::state::verdict;
    use crate::flame::testing::{flame, running};
    use crate::flame::timeline::{ExecutorStarts, StartTimes, StartUp};
    use crate::output::{flame_with_status, list};

    const NOW: Seconds = 0;

    /// Checks that a document is what its schema says.
    #[track_caller]
    pub fn check(schema: &Value, document: &Value) {
        let validator = jsonschema::draft7::new(schema).expect("the schema is one");
        // Of what is one of several the errors say little: those of the one that is meant say more.
        let complaints: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
        assert!(complaints.is_empty(), "{document:#}\n{}", complaints.join("\n"));
    }

    fn refused(schema: &Value, document: &Value) -> bool {
        !jsonschema::draft7::new(schema).expect("the schema is one").is_valid(document)
    }

    fn document(start: Option<&StartUp>) -> Value {
        let mut flame = flame(2);
        flame.metadata.labels.insert("team".to_owned(), "ml".to_owned());
        flame.spec.session_manager.slot = "cpu=1,mem=1g".to_owned();
        flame.spec.executor_manager.resources.limits.insert("cpu".to_owned(), "2".to_owned());
        let verdict = verdict(&flame, &running(&flame), NOW);
        flame_with_status(&flame, &verdict.status, start)
    }

    #[test]
    fn all_are_of_draft_7() {
        for schema in [status(), progress(), validate()] {
            assert!(jsonschema::draft7::meta::is_valid(&schema), "{schema:#}");
        }
    }

    #[test]
    fn a_flame_with_its_status_is_as_written_down_alone_and_in_a_list() {
        let times = StartTimes::new([Duration::from_millis(1500); 5]);
        let executors = Some(ExecutorStarts { count: 2, median: (0, times), slowest: (1, times) });
        let whole = StartUp { session_manager: Some(times), executors };
        let nothing = StartUp { session_manager: None, executors: None };
        for start in [None, Some(&whole), Some(&nothing)] {
            check(&status(), &document(start));
            check(&status(), &list(vec![document(start), document(None)]));
        }
        check(&status(), &list(Vec::new()));
    }

    #[test]
    fn a_field_that_nobody_wrote_down_is_refused_wherever_it_is() {
        for pointer in ["", "/metadata", "/spec", "/spec/sessionManager", "/status", "/status/executorManager"] {
            let mut document = document(None);
            document.pointer_mut(pointer).expect(pointer)["surprise"] = json!(1);
            assert!(refused(&status(), &document), "{pointer:?}");
        }
        let event = json!({ "version": 1, "time": 0.5, "event": "note", "message": "a" });
        check(&progress(), &event);
        for (field, value) in [("surprise", json!(1)), ("version", json!(2)), ("event", json!("surprise"))] {
            let mut event = event.clone();
            event[field] = value;
            assert!(refused(&progress(), &event), "{field}");
        }
    }

    #[test]
    fn a_field_that_is_missing_is_refused() {
        for pointer in ["/status", "/status/executorManager"] {
            for name in document(None).pointer(pointer).and_then(Value::as_object).expect(pointer).keys() {
                let mut document = document(None);
                document.pointer_mut(pointer).and_then(Value::as_object_mut).expect(pointer).remove(name);
                assert!(refused(&status(), &document), "{pointer}/{name}");
            }
        }
    }
}
