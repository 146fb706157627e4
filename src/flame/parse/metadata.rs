//! The section `metadata`.

use std::collections::BTreeMap;

use super::super::schema::{self, KUBECTL_ANNOTATION, SERVER_FIELDS};
use super::super::{Metadata, names};
use super::annotation;
use super::fields::{Field, misread};
use super::grammar::{self, Cure, Fault};
use super::report::{Report, nearest, shown};
use super::tree::{PlainType, Scalar, Value};

/// Reads `metadata`.
pub(super) fn read(report: &mut Report, section: &Field<'_>) -> Metadata {
    let mut metadata = Metadata::default();
    if !report.is_map(section) {
        return metadata;
    }
    let special = [&["generateName"], &SERVER_FIELDS[..]].concat();
    for field in section.children() {
        match report.name(&field, &schema::METADATA, &special) {
            "name" => metadata.name = name(report, &field),
            "namespace" => metadata.namespace = namespace(report, &field),
            "labels" => metadata.labels = labels(report, &field),
            "annotations" => metadata.annotations = annotations(report, &field),
            "generateName" => {
                let fault = Fault::new("flamectl names all objects after name, so it has to be the whole name");
                report.add(field.key, &field.path, fault.say(schema::NAME.shortest()));
            }
            name if SERVER_FIELDS.contains(&name) => {
                let fault = Fault::new("ignored: server field").say("remove it").warning();
                report.add(field.key, &field.path, fault);
            }
            _ => {}
        }
    }
    if !section.children().iter().any(|field| field.name == "generateName") {
        report.require(section, &schema::NAME);
    }
    metadata
}

fn name(report: &mut Report, field: &Field<'_>) -> String {
    if let Value::Scalar(Scalar { text, plain_type: PlainType::Number | PlainType::Boolean, .. }) = &field.value.value {
        let fault = Fault::new(format!("want a name, got {}", field.value.value.describe()));
        report.refuse(field, fault.write(grammar::flame_name_like(text)));
        return String::new();
    }
    let Some(name) = report.required(field, &schema::NAME.example_text()) else { return String::new() };
    report.refuse_all(field, grammar::flame_name(name));
    name.to_owned()
}

fn namespace(report: &mut Report, field: &Field<'_>) -> Option<String> {
    // Kubernetes takes an empty namespace for none.
    let namespace = report.line(field).filter(|namespace| !namespace.is_empty())?;
    report.refuse_all(field, grammar::namespace(namespace));
    Some(namespace.to_owned())
}

fn labels(report: &mut Report, section: &Field<'_>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    if !report.is_map(section) {
        return labels;
    }
    for field in section.children() {
        is_key(report, &field, field.name);
        if names::OWN_LABELS.contains(&field.name) || field.name.starts_with(names::RESERVED_PREFIX) {
            reserved(report, &field, None);
        }
        if let Some(value) = value(report, &field) {
            match misread(&field) {
                Some(fault) => report.refuse(&field, fault),
                None => report.refuse_all(&field, grammar::label_value(value)),
            }
            labels.insert(field.name.to_owned(), value.to_owned());
        }
    }
    labels
}

fn annotations(report: &mut Report, section: &Field<'_>) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::new();
    if !report.is_map(section) {
        return annotations;
    }
    let users = schema::ANNOTATIONS.names();
    let users: Vec<&str> = users.iter().filter_map(|name| name.strip_prefix(names::RESERVED_PREFIX)).collect();
    let mut bytes = 0;
    for field in section.children() {
        if field.name == KUBECTL_ANNOTATION {
            let fault = Fault::new("ignored: kubectl apply wrote it for another object").say("remove it").warning();
            report.add(field.key, &field.path, fault);
            continue;
        }
        // Kubernetes takes capitals in an annotation's prefix.
        is_key(report, &field, &field.name.to_lowercase());
        let reserved_name = field.name.strip_prefix(names::RESERVED_PREFIX);
        if let Some(name) = reserved_name.filter(|name| !users.contains(name)) {
            reserved(report, &field, nearest(name, &users));
        }
        if let Some(value) = value(report, &field) {
            report.refuse_all(&field, annotation::faults(field.name, value));
            bytes += field.name.len() + value.len();
            // Aliases can make much out of little: what is too much anyway is not copied.
            if bytes <= names::MAX_ANNOTATIONS_BYTES {
                annotations.insert(field.name.to_owned(), value.to_owned());
            }
        }
    }
    let max = names::MAX_ANNOTATIONS_BYTES;
    if bytes > max {
        let fault = Fault::new(format!("{bytes} bytes of annotations, Kubernetes keeps at most {max}"));
        report.add(section.key, &section.path, fault.say("keep large data in a ConfigMap of its own"));
    }
    annotations
}

fn reserved(report: &mut Report, field: &Field<'_>, meant: Option<&str>) {
    let fault = Fault::new("reserved, set by flamectl");
    let fault = match meant {
        Some(meant) => fault.say(format!("{}{meant}:", names::RESERVED_PREFIX)),
        None => fault.say("remove it"),
    };
    report.add(field.key, &field.path, fault);
}

/// Checks the key of a label, an annotation or a resource; `name` is as Kubernetes compares it.
pub(super) fn is_key(report: &mut Report, field: &Field<'_>, name: &str) -> bool {
    let faults = if field.name_type == PlainType::Text {
        grammar::qualified_name(name)
    } else {
        // Kubernetes reads `on:` as the key "true".
        let name = shown(field.name);
        vec![Fault::new(format!("a key has to be text, got {name}")).say(format!("\"{name}\":"))]
    };
    let fits = faults.is_empty();
    for fault in faults {
        report.add(field.key, &field.path, about_key(fault));
    }
    fits
}

/// Returns the fault of a key: what is to be written is a key too.
pub(super) fn about_key(fault: Fault) -> Fault {
    let cure = fault.cure.map(|cure| match cure {
        Cure::Write(key) => Cure::Say(format!("{key}:")),
        say @ Cure::Say(_) => say,
    });
    Fault { cure, ..fault }
}

/// Returns the value of a label or an annotation; null is none, and Kubernetes refuses it.
fn value<'t>(report: &mut Report, field: &Field<'t>) -> Option<&'t str> {
    if field.value.value.is_null() {
        report.refuse(field, Fault::new("want text, got null").say(format!("{}: \"\"", shown(field.name))));
        return None;
    }
    report.text(field)
}
