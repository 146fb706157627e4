//! The CustomResourceDefinition of FlameClusters, from the same table of fields as the reader (`schema`).
//!
//! The server fills in the defaults, and refuses what a structural schema and a few CEL rules can say; the reader, which
//! whoever follows the objects asks as well, is stricter. Status, scale and columns are as the reference and the Go operator
//! have them, so that either may serve the objects.

use serde_json::{Map, Value, json};

use super::KIND;
use super::schema::json::literal;
use super::schema::{self, Presence, Property, QUANTITY, ROOT, SPEC, STATUS, Text, Type};

/// The API group, as in [`super::API_VERSION`].
pub const GROUP: &str = "flame.xflops.io";
/// The objects' plural name, as in paths.
pub const PLURAL: &str = "flameclusters";

/// The version, as in [`super::API_VERSION`].
const VERSION: &str = "v1alpha1";
/// Most resources that a component names, and most characters of an amount: what a rule may cost is counted by them.
const MAX_RESOURCES: u32 = 32;
const MAX_QUANTITY_LENGTH: u32 = 64;
/// Longest path on Linux.
const MAX_PATH_LENGTH: u32 = 4096;

/// What no structural schema says: field, rule and message.
const RULES: [(&str, &str, &str); 3] = [
    (
        "resources",
        "!has(self.limits) || !has(self.requests) || self.requests.all(name, !(name in self.limits) || \
         (type(self.requests[name]) == int ? quantity(string(self.requests[name])) : quantity(self.requests[name]))\
         .compareTo(type(self.limits[name]) == int ? quantity(string(self.limits[name])) : quantity(self.limits[name])) <= 0)",
        "a request may not be more than the limit of the same resource",
    ),
    ("objectCache.storage", "!self.split('/').exists(part, part == '..')", "the path may not have .. in it"),
    (
        "objectCache.storage",
        "self != '/etc/flame' && !self.startsWith('/etc/flame/')",
        "/etc/flame is where the configuration is mounted",
    ),
];

/// Returns the definition.
pub fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{PLURAL}.{GROUP}") },
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": format!("{KIND}List"),
                "plural": PLURAL,
                "singular": "flamecluster",
                "shortNames": ["fc"],
                "categories": ["flame"],
            },
            "scope": "Namespaced",
            "versions": [{
                "name": VERSION,
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": root() },
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.executorManager.replicas",
                        "statusReplicasPath": ".status.executorManager.replicas",
                    },
                },
                "additionalPrinterColumns": [
                    { "name": "State", "type": "string", "jsonPath": ".status.state" },
                    { "name": "Session-Manager", "type": "integer", "jsonPath": ".status.sessionManager.ready" },
                    { "name": "Executors", "type": "integer", "jsonPath": ".status.executorManager.ready" },
                    { "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" },
                    { "name": "Message", "type": "string", "jsonPath": ".status.message", "priority": 1 },
                ],
            }],
        },
    })
}

fn root() -> Value {
    let mut name = value(&schema::NAME.value, "metadata.name");
    describe(&mut name, &schema::NAME);
    json!({
        "type": "object",
        "description": text_of(&ROOT),
        "required": ["spec"],
        "properties": {
            "apiVersion": { "type": "string" },
            "kind": { "type": "string" },
            // Of the metadata a definition may say no more than this.
            "metadata": { "type": "object", "properties": { "name": name } },
            "spec": property(&SPEC, ""),
            "status": status(),
        },
    })
}

/// Returns the reference's status, and what Kubernetes' tools look for.
fn status() -> Value {
    let mut status = property(&STATUS, "status");
    if let Some(properties) = status["properties"].as_object_mut() {
        let observed = "The generation of the spec that the status is about.";
        properties.insert(
            "observedGeneration".into(),
            json!({ "type": "integer", "format": "int64", "minimum": 0, "description": observed }),
        );
        properties.insert("conditions".into(), conditions());
    }
    status
}

/// Kubernetes' own Condition, one of each type.
fn conditions() -> Value {
    json!({
        "type": "array",
        "description": "Accepted: the spec is followed. Ready: all Pods are. Stalled: somebody has to do something. \
            Contested: somebody keeps changing something back.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": { "type": "string", "maxLength": 316 },
                "status": { "type": "string", "enum": ["True", "False", "Unknown"] },
                "reason": { "type": "string", "minLength": 1, "maxLength": 1024 },
                "message": { "type": "string", "maxLength": 32768 },
                "observedGeneration": { "type": "integer", "format": "int64", "minimum": 0 },
                "lastTransitionTime": { "type": "string", "format": "date-time" },
            },
        },
    })
}

/// Returns the schema of a field at `path`, as the rules name it.
fn property(property: &Property, path: &str) -> Value {
    let mut schema = value(&property.value, path);
    // Null needs no word: the server takes it for nothing where it is not nullable.
    if let Presence::Optional { default, .. } = &property.presence {
        if let schema::Literal::Text(_) = default {
            or_empty(&mut schema);
        }
        schema.insert("default".into(), literal(default));
    }
    let rules: Vec<Value> = RULES
        .iter()
        .filter(|(field, ..)| path == *field || path.ends_with(&format!(".{field}")))
        .map(|(_, rule, message)| json!({ "rule": rule, "message": message }))
        .collect();
    if !rules.is_empty() {
        if schema["type"] == "string" {
            schema.insert("maxLength".into(), MAX_PATH_LENGTH.into());
        }
        schema.insert("x-kubernetes-validations".into(), rules.into());
    }
    describe(&mut schema, property);
    Value::Object(schema)
}

fn value(value: &Type, path: &str) -> Map<String, Value> {
    let schema = match value {
        Type::Object { properties, .. } => return object(properties, path),
        Type::Map { values, .. } => json!({
            "type": "object",
            "maxProperties": MAX_RESOURCES,
            "additionalProperties": self::value(values, path),
        }),
        Type::Text(rules) => return text(rules),
        Type::OneOf(words) => json!({ "type": "string", "enum": words }),
        Type::Integer { max: Some(max) } => {
            json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": max })
        }
        Type::Integer { max: None } => json!({ "type": "integer", "format": "int64", "minimum": 0 }),
        Type::Quantity => json!({
            "anyOf": [{ "type": "integer" }, { "type": "string" }],
            "x-kubernetes-int-or-string": true,
            "pattern": QUANTITY.pattern,
            "minimum": 0,
            "maxLength": MAX_QUANTITY_LENGTH,
        }),
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// What flamectl makes is no field of the spec; the status is nothing else.
fn object(properties: &[Property], path: &str) -> Map<String, Value> {
    let is_status = path.starts_with("status");
    let properties = properties.iter().filter(|child| is_status || !child.is_generated());
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let required: Vec<&str> = properties.clone().filter(|child| child.is_required()).map(|child| child.name).collect();
    let properties = properties.map(|child| (child.name.to_owned(), property(child, &below(child.name))));
    let mut schema = Map::from_iter([
        ("type".to_owned(), "object".into()),
        ("properties".to_owned(), Value::Object(properties.collect())),
    ]);
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema
}

fn text(rules: &Text) -> Map<String, Value> {
    let mut schema = Map::from_iter([("type".to_owned(), "string".into())]);
    if !rules.pattern.is_empty() {
        schema.insert("pattern".into(), rules.pattern.into());
    }
    schema.extend(rules.max_length.map(|max| ("maxLength".to_owned(), max.into())));
    schema
}

/// Takes "" besides, which is the same as nothing.
fn or_empty(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push("".into());
    }
    if let Some(Value::String(pattern)) = schema.get_mut("pattern") {
        pattern.insert_str(0, "^$|");
    }
}

fn describe(schema: &mut Map<String, Value>, property: &Property) {
    let text = text_of(property);
    if !text.is_empty() {
        schema.insert("description".into(), text.into());
    }
}

/// What `kubectl explain` shows.
fn text_of(property: &Property) -> String {
    let flame = if property.in_flame.is_empty() { String::new() } else { format!("In Flame: {}", property.in_flame) };
    let parts = [property.summary, property.meaning, &flame];
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::API_VERSION;

    #[test]
    fn group_and_version_are_those_of_the_files() {
        assert_eq!(format!("{GROUP}/{VERSION}"), API_VERSION);
    }

    #[test]
    fn every_rule_belongs_to_a_field_and_generated_fields_are_in_the_status_only() {
        let definition = definition();
        let text = definition.to_string();
        for (_, rule, _) in RULES {
            assert!(text.contains(&Value::from(rule).to_string()), "{rule}");
        }
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
        let names = |it: &Value| it["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&schema["spec"]["properties"]["objectCache"]), ["networkInterface", "storage"]);
        assert_eq!(names(&schema["status"]["properties"]["sessionManager"]), ["endpoint", "ready"]);
        let replicas = &schema["spec"]["properties"]["executorManager"]["properties"]["replicas"];
        assert_eq!((&replicas["default"], &replicas["maximum"]), (&1.into(), &10_000.into()));
    }
}
