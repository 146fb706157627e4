//! The CustomResourceDefinition of FlameClusters: the table of fields → what a server reads, checks, defaults and shows.
//!
//! The server takes whatever the reader takes, and refuses as much of the rest as its schemas and rules can say; what needs
//! more than one object, or a file's own spelling, only the reader sees. Three things differ for good: a number with a
//! fraction has to be quoted (`cpu: "1.5"`), null is the same as nothing everywhere, and labels and annotations are not
//! looked at. Pure: imports the table, the reader's limits and JSON values.

mod rules;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use self::rules::Rule;
use super::KIND;
use super::parse::MAX_LINE_BYTES;
use super::parse::storage::MAX_PATTERN_LENGTH;
use super::schema::json::{description, literal};
use super::schema::{self, Literal, Presence, Property, QUANTITY, Text, Type};

/// The API group.
pub const GROUP: &str = "flame.xflops.io";
/// The version of the group.
const VERSION: &str = "v1alpha1";
/// The resource, as in `kubectl get flameclusters`.
pub const PLURAL: &str = "flameclusters";
/// What stands for the resource on a command line.
const SHORT_NAME: &str = "fc";
/// The category that it is shown with. Not `all` too: `kubectl delete all --all` would take what is desired away with what is
/// there.
const CATEGORY: &str = "flame";

/// Most resources that a container asks for: more than any node has, for the server bounds what its rules may cost.
const MAX_RESOURCES: usize = 64;
/// Longest quantity: twice what the reader's digits take.
const MAX_QUANTITY_LENGTH: usize = 64;
/// Longest message of a condition, and the other bounds of one (apimachinery `metav1.Condition`).
const MAX_CONDITION_MESSAGE_LENGTH: usize = 32_768;

/// Returns the CustomResourceDefinition.
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
                "singular": KIND.to_lowercase(),
                "shortNames": [SHORT_NAME],
                "categories": [CATEGORY],
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
                "additionalPrinterColumns": columns(),
            }],
        },
    })
}

/// Returns the operator's columns of `kubectl get`, behind the name, and one more for `-o wide`.
fn columns() -> Value {
    let column = |name: &str, kind: &str, path: &str| json!({ "name": name, "type": kind, "jsonPath": path });
    json!([
        column("State", "string", ".status.state"),
        column("Session-Manager", "integer", ".status.sessionManager.ready"),
        column("Executors", "integer", ".status.executorManager.ready"),
        column("Age", "date", ".metadata.creationTimestamp"),
        { "name": "Message", "type": "string", "jsonPath": ".status.message", "priority": 1 },
    ])
}

/// Returns the schema of a whole object. Of `metadata` a server lets a schema say only what the name is.
fn root() -> Value {
    let text = |property: &Property| json!({ "type": "string", "description": description(property) });
    let mut name = value(&["metadata", "name"], &schema::NAME.value);
    name.insert("description".into(), description(&schema::NAME).into());
    let mut schema = keywords([
        ("type", json!("object")),
        ("description", description(&schema::ROOT).into()),
        ("required", json!([schema::SPEC.name])),
        (
            "properties",
            json!({
                "apiVersion": text(&schema::API_VERSION_FIELD),
                "kind": text(&schema::KIND_FIELD),
                "metadata": { "type": "object", "properties": { "name": name } },
                "spec": property(&["spec"], &schema::SPEC),
                "status": status(),
            }),
        ),
    ]);
    // Rules stand at the name's own place only below `spec`.
    if let Some(rules) = schema["properties"]["metadata"]["properties"]["name"]
        .as_object_mut()
        .and_then(|name| name.remove("x-kubernetes-validations"))
    {
        schema.insert("x-kubernetes-validations".into(), of_the_name(rules));
    }
    Value::Object(schema)
}

/// Returns the name's rules as rules of the whole object.
fn of_the_name(mut rules: Value) -> Value {
    for rule in rules.as_array_mut().into_iter().flatten() {
        let of_name = rule["rule"].as_str().unwrap_or_default().replace("self", "self.metadata.name");
        rule["rule"] = of_name.into();
        rule["fieldPath"] = ".metadata.name".into();
    }
    rules
}

/// Returns the reference's status, and what Kubernetes' tools look for in one.
fn status() -> Value {
    let mut status = property(&["status"], &schema::STATUS);
    let more = [("observedGeneration", observed_generation("status")), ("conditions", conditions())];
    if let Some(properties) = status.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(more.map(|(name, schema)| (name.to_owned(), schema)));
    }
    Value::Object(status)
}

fn observed_generation(of: &str) -> Value {
    json!({
        "type": "integer",
        "format": "int64",
        "minimum": 0,
        "description": format!("The metadata.generation that this {of} was worked out for."),
    })
}

/// Returns the schema of Kubernetes' own conditions (apimachinery `metav1.Condition`).
fn conditions() -> Value {
    let text = |description: &str, max: usize, pattern: Option<&str>| {
        let mut schema = keywords([("type", json!("string")), ("maxLength", json!(max))]);
        schema.insert("description".into(), description.into());
        schema.extend(pattern.map(|pattern| ("pattern".to_owned(), pattern.into())));
        Value::Object(schema)
    };
    let kind = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$";
    let mut reason = text("Why, in one word.", 1024, Some("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"));
    reason["minLength"] = 1.into();
    json!({
        "type": "array",
        "description": "Accepted: the spec is followed. Ready: all Pods are. Stalled: somebody has to do something. Contested: \
            somebody keeps changing something back.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": text("What it is about.", 316, Some(kind)),
                "status": {
                    "type": "string",
                    "enum": ["True", "False", "Unknown"],
                    "description": "Whether it is so.",
                },
                "observedGeneration": observed_generation("condition"),
                "lastTransitionTime": {
                    "type": "string",
                    "format": "date-time",
                    "description": "Since when.",
                },
                "reason": reason,
                "message": text("Why, in words.", MAX_CONDITION_MESSAGE_LENGTH, None),
            },
        },
    })
}

fn property(path: &[&str], property: &Property) -> Map<String, Value> {
    let mut schema = value(path, &property.value);
    if let Presence::Optional { default, .. } = &property.presence {
        // null is pruned where a field is not nullable, and the default put there: what the reader makes of null.
        schema.insert("default".into(), literal(default));
    }
    if let (Presence::Optional { default: Literal::Text(_), .. }, Type::OneOf(words)) =
        (&property.presence, &property.value)
    {
        schema.insert("enum".into(), json!([words, &[""][..]].concat()));
    }
    schema.insert("description".into(), description(property).into());
    schema
}

fn value(path: &[&str], value: &Type) -> Map<String, Value> {
    let is_optional = schema::all().iter().any(|field| {
        field.path == path && matches!(field.property.presence, Presence::Optional { default: Literal::Text(_), .. })
    });
    let mut schema = match value {
        Type::Object { properties, .. } => object(path, properties),
        Type::Map { values, .. } => keywords([
            ("type", json!("object")),
            ("maxProperties", json!(MAX_RESOURCES)),
            ("additionalProperties", self::value(&[], values).into()),
        ]),
        Type::Text(rules) => text(path, rules, is_optional),
        Type::OneOf(words) => keywords([("type", json!("string")), ("enum", json!(words))]),
        Type::Integer { max } => integer(*max),
        Type::Quantity => quantity(),
    };
    let is_written = path.first() != Some(&schema::STATUS.name);
    let rules = if is_written { [pattern_rule(value, is_optional), rules::of(path)].concat() } else { Vec::new() };
    if !rules.is_empty() {
        schema.insert("x-kubernetes-validations".into(), rules.iter().map(Rule::json).collect());
    }
    schema
}

fn object(path: &[&str], properties: &[Property]) -> Map<String, Value> {
    let is_status = path.first() == Some(&schema::STATUS.name);
    let kept = properties.iter().filter(|child| is_status || !child.is_generated());
    let schemas: Map<String, Value> = kept
        .clone()
        .map(|child| (child.name.to_owned(), property(&[path, &[child.name]].concat(), child).into()))
        .collect();
    let required: Vec<&str> = kept.filter(|child| child.is_required()).map(|child| child.name).collect();
    let mut schema = keywords([("type", json!("object")), ("properties", schemas.into())]);
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema
}

/// Returns the pattern of a text; where it may be left out `""` fits too, which is the same.
fn pattern(text: &Text, is_optional: bool) -> String {
    if is_optional { format!("^$|{}", text.pattern) } else { text.pattern.to_owned() }
}

fn text(path: &[&str], text: &Text, is_optional: bool) -> Map<String, Value> {
    let mut schema = keywords([("type", json!("string"))]);
    let is_generated = path.first() == Some(&schema::STATUS.name);
    if !is_generated {
        schema.insert("pattern".into(), pattern(text, is_optional).into());
        let longest = if path.ends_with(&["networkInterface"]) { MAX_PATTERN_LENGTH } else { MAX_LINE_BYTES };
        schema.insert("maxLength".into(), text.max_length.unwrap_or(longest).into());
    }
    schema
}

/// Says in words what a pattern wants: the server's own message is the pattern.
fn pattern_rule(value: &Type, is_optional: bool) -> Vec<Rule> {
    match value {
        Type::Text(text) if !text.pattern.is_empty() => {
            vec![Rule::matches(&pattern(text, is_optional), format!("want {}", text.rule))]
        }
        _ => Vec::new(),
    }
}

fn integer(max: Option<u32>) -> Map<String, Value> {
    let fits = max.is_some_and(|max| i32::try_from(max).is_ok());
    let mut schema = keywords([
        ("type", json!("integer")),
        ("format", json!(if fits { "int32" } else { "int64" })),
        ("minimum", json!(0)),
    ]);
    schema.extend(max.map(|max| ("maximum".to_owned(), max.into())));
    schema
}

fn quantity() -> Map<String, Value> {
    keywords([
        ("x-kubernetes-int-or-string", json!(true)),
        ("anyOf", json!([{ "type": "integer" }, { "type": "string" }])),
        ("pattern", json!(QUANTITY.pattern)),
        ("maxLength", json!(MAX_QUANTITY_LENGTH)),
        ("minimum", json!(0)),
    ])
}

fn keywords<const N: usize>(keywords: [(&str, Value); N]) -> Map<String, Value> {
    keywords.into_iter().map(|(keyword, value)| (keyword.to_owned(), value)).collect()
}
