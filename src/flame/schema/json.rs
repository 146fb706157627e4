//! The table as a JSON Schema that editors check a FlameCluster file with.
//!
//! Draft 7, because yaml-language-server, and with it VS Code, reads that in every version and the later drafts only in new
//! ones. It takes whatever the reader takes, and refuses as much of the rest as a schema can say: not that a request is below
//! its limit, or that text reads as a number only with quotes.
//!
//! A CustomResourceDefinition's schema says the same in other words, see `flame::crd`.

use serde_json::{Map, Value, json};

use super::{KUBECTL_ANNOTATION, Keys, Literal, Presence, Property, QUANTITY, ROOT, Text, Type};
use crate::flame::API_VERSION;
use crate::flame::names::{MAX_DNS_SUBDOMAIN_LENGTH, MAX_LABEL_LENGTH, OWN_LABELS, RESERVED_PREFIX};

/// Returns the JSON Schema of a FlameCluster file.
pub fn file() -> Value {
    let mut schema = property(&ROOT);
    schema.insert("$schema".into(), "http://json-schema.org/draft-07/schema#".into());
    schema.insert("$id".into(), format!("https://{API_VERSION}/flamecluster.schema.json").into());
    schema.insert("title".into(), ROOT.name.into());
    Value::Object(schema)
}

fn property(property: &Property) -> Map<String, Value> {
    let mut schema = value(&property.value);
    if let Presence::Optional { default, nullable: null_too, .. } = &property.presence {
        if *null_too {
            nullable(&mut schema);
        }
        if let Literal::Text(_) = default {
            or_empty(&mut schema);
        }
        schema.insert("default".into(), literal(default));
    }
    schema.insert("description".into(), description(property).into());
    let examples = examples(property);
    if !examples.is_empty() {
        schema.insert("examples".into(), examples.into());
    }
    schema
}

fn value(value: &Type) -> Map<String, Value> {
    match value {
        Type::Object { properties, ignored } => object(properties, ignored),
        Type::Map { keys, known, values } => map(*keys, known, values),
        Type::Text(rules) => text(rules),
        Type::OneOf(words) => keywords([("type", json!("string")), ("enum", json!(words))]),
        Type::Integer { max } => {
            let mut schema = keywords([("type", json!("integer")), ("minimum", json!(0))]);
            schema.extend(max.map(|max| ("maximum".to_owned(), max.into())));
            schema
        }
        Type::Quantity => quantity(),
    }
}

fn object(properties: &[Property], ignored: &[&str]) -> Map<String, Value> {
    let written = properties.iter().filter(|child| !child.is_generated());
    let mut schemas: Map<String, Value> =
        written.clone().map(|child| (child.name.to_owned(), property(child).into())).collect();
    schemas.extend(ignored.iter().map(|name| ((*name).to_owned(), passed_over("ignored: server field"))));
    let required: Vec<&str> = written.filter(|child| child.is_required()).map(|child| child.name).collect();
    let mut schema = keywords([("type", json!("object")), ("properties", schemas.into())]);
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    closed(&mut schema);
    schema
}

fn map(kind: Keys, known: &[Property], values: &Type) -> Map<String, Value> {
    let mut schemas: Map<String, Value> =
        known.iter().map(|child| (child.name.to_owned(), property(child).into())).collect();
    if kind == Keys::Annotations {
        schemas
            .insert(KUBECTL_ANNOTATION.to_owned(), passed_over("ignored: kubectl apply wrote it for another object"));
    }
    let mut schema = keywords([
        ("type", json!("object")),
        ("additionalProperties", value(values).into()),
        ("propertyNames", keys(kind, known)),
    ]);
    if !schemas.is_empty() {
        schema.insert("properties".into(), schemas.into());
    }
    schema
}

fn text(rules: &Text) -> Map<String, Value> {
    let mut schema = keywords([("type", json!("string"))]);
    if !rules.pattern.is_empty() {
        schema.insert("pattern".into(), rules.pattern.into());
        for_editors(&mut schema, "patternErrorMessage", format!("want {}", rules.rule).into());
    }
    schema.extend(rules.max_length.map(|max| ("maxLength".to_owned(), max.into())));
    schema
}

fn quantity() -> Map<String, Value> {
    let mut schema =
        keywords([("type", json!(["string", "number"])), ("pattern", json!(QUANTITY.pattern)), ("minimum", json!(0))]);
    for_editors(&mut schema, "patternErrorMessage", format!("want {}", QUANTITY.rule).into());
    schema
}

/// Returns the schema of a map's keys.
fn keys(kind: Keys, known: &[Property]) -> Value {
    let reserved = json!({ "pattern": format!("^{}", RESERVED_PREFIX.replace('.', r"\.")) });
    let known: Vec<&str> = known.iter().map(|key| key.name).collect();
    let others = json!({ "pattern": key_pattern(kind), "maxLength": MAX_KEY_LENGTH });
    match kind {
        Keys::Labels => json!({ "allOf": [others, { "not": reserved }, { "not": { "enum": OWN_LABELS } }] }),
        Keys::Annotations => json!({ "anyOf": [{ "enum": known }, { "allOf": [others, { "not": reserved }] }] }),
        Keys::Resources => json!({ "anyOf": [{ "enum": known }, others] }),
    }
}

/// Longest key: the prefix, the slash and the name.
pub const MAX_KEY_LENGTH: usize = MAX_DNS_SUBDOMAIN_LENGTH + "/".len() + MAX_LABEL_LENGTH;

/// Returns what a key that is not one of the known ones looks like: Kubernetes' qualified names, `PREFIX/NAME` or `NAME`.
pub fn key_pattern(kind: Keys) -> String {
    let label = match kind {
        // Kubernetes takes capitals in an annotation's prefix.
        Keys::Annotations => r"[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?",
        Keys::Labels | Keys::Resources => r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    };
    let prefix = format!(r"{label}(\.{label})*/");
    let name = format!("[A-Za-z0-9]([-A-Za-z0-9_.]{{0,{}}}[A-Za-z0-9])?", MAX_LABEL_LENGTH - 2);
    match kind {
        Keys::Labels | Keys::Annotations => format!("^({prefix})?{name}$"),
        // A device, or huge pages of some size.
        Keys::Resources => format!("^({prefix}{name}|hugepages-.*)$"),
    }
}

/// Refuses other fields than those in `properties`.
fn closed(schema: &mut Map<String, Value>) {
    schema.insert("additionalProperties".into(), false.into());
}

/// Takes null besides.
fn nullable(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.remove("type") {
        schema.insert("type".into(), json!([kind, "null"]));
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
    }
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

/// Adds a keyword of VS Code and yaml-language-server, which validators pass over.
fn for_editors(schema: &mut Map<String, Value>, keyword: &str, value: Value) {
    schema.insert(keyword.to_owned(), value);
}

/// Returns the schema of a field that may be there, with any value, and that nobody should write.
fn passed_over(why: &str) -> Value {
    let mut schema = keywords([]);
    for_editors(&mut schema, "deprecationMessage", why.into());
    for_editors(&mut schema, "doNotSuggest", true.into());
    Value::Object(schema)
}

/// Returns what a field is, what more there is to know, and what Flame does with it.
pub fn description(property: &Property) -> String {
    let mut description = property.summary.to_owned();
    for (heading, part) in [("", property.meaning), ("In Flame: ", property.in_flame)] {
        if !part.is_empty() {
            description += &format!("\n\n{heading}{part}");
        }
    }
    description
}

fn examples(property: &Property) -> Vec<Value> {
    match (&property.value, &property.example) {
        // An editor offers these words anyway.
        (Type::OneOf(_), _) => Vec::new(),
        (Type::Text(Text { known, .. }), _) if !known.is_empty() => known.iter().map(|word| (*word).into()).collect(),
        (_, example) => example.iter().map(literal).collect(),
    }
}

/// Returns a value of the table as JSON.
pub fn literal(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => (*text).into(),
        Literal::Number(number) => (*number).into(),
        Literal::Map(entries) => {
            Value::Object(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect())
        }
    }
}

fn keywords<const N: usize>(keywords: [(&str, Value); N]) -> Map<String, Value> {
    keywords.into_iter().map(|(keyword, value)| (keyword.to_owned(), value)).collect()
}
