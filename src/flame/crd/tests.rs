//! The definition's schema against that of files; its rules are the server's to read (`tests/real/crd.rs`).

use jsonschema::Validator;

use super::*;
use crate::flame::API_VERSION;
use crate::flame::schema::{Presence, all, json as for_files};

#[test]
fn group_and_version_are_those_of_the_files() {
    assert_eq!(format!("{GROUP}/{VERSION}"), API_VERSION);
}

/// Refuses unknown fields, as a server does for whoever asks it to be strict.
fn strict(schema: &mut Value) {
    let Some(keywords) = schema.as_object_mut() else { return };
    if let Some(properties) = keywords.get_mut("properties").and_then(Value::as_object_mut) {
        properties.iter_mut().filter(|(name, _)| *name != "metadata").for_each(|(_, schema)| strict(schema));
        keywords.insert("additionalProperties".into(), false.into());
    }
}

fn schema_of_objects() -> Value {
    definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft7::new(schema).expect("it is a schema")
}

/// Returns a file that has every field, with this value at `path`.
fn with(path: &[&str], value: &Value) -> Value {
    let mut document = serde_json::to_value(schema::ROOT.example(false)).expect("the example is JSON");
    let place = path.iter().fold(&mut document, |place, name| &mut place[*name]);
    *place = value.clone();
    document
}

#[test]
fn objects_and_files_may_say_the_same() {
    let mut of_objects = schema_of_objects();
    strict(&mut of_objects);
    let (of_objects, of_files) = (validator(&of_objects), validator(&for_files::file()));
    let values = [
        json!(true),
        json!(0),
        json!(5),
        json!(-1),
        json!(10_001),
        json!(4_294_967_296_u64),
        json!(""),
        json!("a"),
        json!("x y"),
        json!("x\ty"),
        json!("host"),
        json!("/a"),
        json!("sqlite://a"),
        json!("cpu=1,mem=1g"),
        json!([]),
        json!(["a"]),
        json!({}),
        json!({ "cpu": 1 }),
        json!({ "cpu": -1 }),
        json!({ "cpu": "1.5" }),
        json!({ "cpu": "1KB" }),
        json!({ "cpu": [] }),
        json!({ "endpoint": "a" }),
    ];
    let (mut good, mut bad) = (0, 0);
    let is_key = |presence: &Presence| matches!(presence, Presence::Key);
    let fields = all().iter().filter(|field| field.path.first() == Some(&"spec") && !is_key(&field.property.presence));
    for field in fields {
        for value in &values {
            let document = with(&field.path, value);
            let is_good = of_objects.is_valid(&document);
            assert_eq!(is_good, of_files.is_valid(&document), "{} = {value}", field.path());
            if is_good { good += 1 } else { bad += 1 }
        }
    }
    assert!(good > 40 && bad > 400, "{good} good, {bad} bad");
}

/// Returns every schema in a schema, and where it is.
fn schemas<'s>(path: &str, schema: &'s Value, seen: &mut Vec<(String, &'s Value)>) {
    seen.push((path.to_owned(), schema));
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        schemas(&format!("{path}.{name}"), below, seen);
    }
    for keyword in ["items", "additionalProperties"] {
        if schema[keyword].is_object() {
            schemas(&format!("{path}[]"), &schema[keyword], seen);
        }
    }
}

/// What a rule costs at most is counted by these, and a server refuses one that could cost too much.
#[test]
fn whatever_a_rule_looks_into_has_an_end() {
    let root = schema_of_objects();
    let mut seen = Vec::new();
    schemas("", &root, &mut seen);
    let written = seen.iter().filter(|(path, _)| !path.starts_with(".status") && path.starts_with(".spec"));
    let mut ends = 0;
    for (path, schema) in written {
        let is_text =
            (schema["type"] == "string" && schema["enum"].is_null()) || schema["x-kubernetes-int-or-string"] == true;
        let is_map = schema["additionalProperties"].is_object();
        assert_eq!(schema["maxLength"].is_u64(), is_text, "{path}");
        assert_eq!(schema["maxProperties"].is_u64(), is_map, "{path}");
        ends += usize::from(is_text || is_map);
    }
    assert_eq!(ends, 15);
}

#[test]
fn what_flamectl_makes_is_in_the_status_only() {
    let root = schema_of_objects();
    let names = |section: &Value| -> Vec<String> {
        section["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    let spec = &root["properties"]["spec"]["properties"];
    assert_eq!(names(&spec["objectCache"]), ["networkInterface", "storage"]);
    let status = &root["properties"]["status"];
    let wanted = [
        "conditions",
        "configGeneration",
        "executorManager",
        "message",
        "observedGeneration",
        "sessionManager",
        "state",
    ];
    assert_eq!(names(status), wanted);
    assert_eq!(names(&status["properties"]["sessionManager"]), ["endpoint", "ready"]);
    assert_eq!(names(&status["properties"]["executorManager"]), ["ready", "replicas"]);
}
