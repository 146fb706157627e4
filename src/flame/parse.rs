//! Reads a FlameCluster YAML and finds every mistake in it at once, each with its place and its cure.
//!
//! bytes → text (`text`) → positioned tree (`tree`) → [`FlameCluster`] (`metadata`, `spec`); `syntax` explains what is
//! not YAML and `repair` leaves it out, so that the rest is still checked. What a value may look like stands in
//! [`grammar`], [`image`], [`quantity`], [`resources`], [`slot`] and [`storage`], which know nothing of files.
//!
//! Pure: imports std without I/O, the YAML event parser, the parser of regular expressions and an edit distance.

mod annotation;
mod characters;
mod fields;
mod foreign;
mod generation;
pub mod grammar;
pub mod image;
mod lines;
mod metadata;
pub mod quantity;
mod repair;
mod report;
pub mod resources;
pub mod slot;
mod spec;
pub mod storage;
mod syntax;
mod template;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod tree;
mod user;
mod warnings;

use self::fields::Field;
pub(in crate::flame) use self::fields::MAX_LINE_BYTES;
use self::grammar::Fault;
pub(in crate::flame) use self::report::as_yaml;
use self::report::{Place, Report};
use self::text::Source;
use self::tree::{Document, Tree, Value};
use super::generation::Version;
use super::user::RunAs;
use super::{API_VERSION, FlameCluster, KIND, schema};
use crate::error::{Problem, Severity};

/// Largest file that is read; a FlameCluster has some hundred bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// What the reader made of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The flame; there exactly when no problem is an error.
    pub flame: Option<FlameCluster>,
    /// Every mistake, ordered by its place in the file.
    pub problems: Vec<Problem>,
}

/// What arguments say in place of a file's annotations.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// `flame.xflops.io/run-as-user`.
    pub run_as_user: Option<RunAs>,
    /// `flame.xflops.io/flame-version`.
    pub flame_version: Option<Version>,
}

/// Returns the FlameCluster in `bytes`, or every problem that keeps it from being one.
///
/// `file` is only the name for the problems.
pub fn parse(file: &str, bytes: &[u8]) -> Parsed {
    parse_as(file, bytes, Told::default())
}

/// Returns what [`parse`] does of a flame of which this is `told` besides, as if its annotations said it.
pub fn parse_as(file: &str, bytes: &[u8], told: Told) -> Parsed {
    let mut report = Report::new(file);
    let flame = text::decode(bytes, &mut report).and_then(|source| read(source, told, &mut report));
    let problems = report.finish();
    let valid = problems.iter().all(|problem| problem.severity != Severity::Error);
    Parsed { flame: flame.filter(|_| valid), problems }
}

/// Builds the tree, again after each syntax error without the lines that it spoils, and checks what is left.
fn read(mut source: Source, told: Told, report: &mut Report) -> Option<FlameCluster> {
    let mut repairs = repair::Repairs::default();
    loop {
        let mut structure = report.empty_copy();
        let tree = tree::read(&source, &mut structure);
        if let Some(failure) = &tree.failure {
            let diagnosis = syntax::diagnose(failure, &source.text);
            let repaired = repairs.apply(&diagnosis, &source.text);
            if repairs.is_news(&diagnosis) {
                report.add(diagnosis.place, "", diagnosis.fault);
            }
            if let Some(text) = repaired {
                drop(tree);
                source.text = text.into();
                continue;
            }
        }
        report.append(structure);
        report.left_out = repairs.left_out;
        return documents(&tree, told, report);
    }
}

/// Checks the one document that is meant, and tells of the others.
fn documents(tree: &Tree<'_>, told: Told, report: &mut Report) -> Option<FlameCluster> {
    let documents: Vec<&Document<'_>> = tree.documents.iter().filter(|document| !document.is_empty()).collect();
    let Some(meant) = documents.iter().position(|document| is_flame(document)).or((!documents.is_empty()).then_some(0))
    else {
        no_flame_cluster(report, Place::START, "the file is empty");
        return None;
    };
    for (index, document) in documents.iter().enumerate().filter(|(index, _)| *index != meant) {
        let fault = Fault::new(format!(
            "document {} of {}: flamectl reads one FlameCluster per file",
            index + 1,
            documents.len()
        ));
        report.add(document.place, "", fault.say("move this document to a file of its own"));
        if is_flame(document) {
            flame_cluster(document, told, report);
        }
    }
    flame_cluster(documents[meant], told, report)
}

fn is_flame(document: &Document<'_>) -> bool {
    document
        .root
        .get("kind")
        .and_then(|kind| kind.value.value.as_text())
        .is_some_and(|kind| kind.eq_ignore_ascii_case(KIND))
}

/// Reads one document; the result only counts when nothing was reported.
fn flame_cluster(document: &Document<'_>, told: Told, report: &mut Report) -> Option<FlameCluster> {
    let root = Field::root(document);
    match &document.root.value {
        Value::Map(_) => {}
        Value::Told => return None,
        other => {
            no_flame_cluster(report, document.place, &format!("its content is {}", other.describe()));
            return None;
        }
    }
    if let Some(why) = is_another_file(&root) {
        no_flame_cluster(report, document.place, &why);
        return None;
    }
    let mut flame = FlameCluster {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        metadata: super::Metadata::default(),
        spec: spec::empty(),
    };
    if is_of_another_kind(&root, report) {
        return None;
    }
    let fields = root.children();
    report.at_top = fields.iter().map(|field| field.name.to_owned()).collect();
    for field in &fields {
        match report.name(field, &schema::ROOT, &[]) {
            "metadata" => flame.metadata = metadata::read(report, field),
            "spec" => flame.spec = spec::read(report, field),
            "status" => report.add(field.key, &field.path, Fault::new("set by flamectl").say("remove it")),
            _ => {}
        }
    }
    report.require(&root, &schema::METADATA);
    report.require(&root, &schema::SPEC);
    if let Some(run_as) = told.run_as_user {
        flame.metadata.annotations.insert(super::user::ANNOTATION.to_owned(), run_as.to_string());
    }
    generation::settle(document, &mut flame, told.flame_version, report);
    warnings::add(document, &flame, report);
    user::check(document, &flame, report);
    Some(flame)
}

/// Returns what else a map is that has nothing of a FlameCluster.
fn is_another_file(root: &Field<'_>) -> Option<String> {
    let names: Vec<&str> = root.entries().iter().map(|entry| &*entry.name).collect();
    let fields = ["apiVersion", "kind", "metadata", "spec"];
    let is_ours = |name: &&str| report::home(name).is_some() || report::nearest(name, &fields).is_some();
    if names.iter().any(|name| fields.contains(name)) {
        return None;
    }
    match foreign::file(&names) {
        _ if names.is_empty() => Some("its content is an empty map".to_owned()),
        Some(what) => Some(format!("it looks like {what}")),
        None if names.iter().any(is_ours) => None,
        None => {
            let first: Vec<String> = names.iter().take(3).map(|name| report::shown(name)).collect();
            let more = if names.len() > first.len() { ", …" } else { "" };
            Some(format!("it has none of {}, but {}{more}", fields.join(", "), first.join(", ")))
        }
    }
}

/// Checks `apiVersion` and `kind`; true when they say that the rest is no FlameCluster, and not worth checking as one.
fn is_of_another_kind(root: &Field<'_>, report: &mut Report) -> bool {
    let fields = root.children();
    let api_version = fields.iter().find(|field| field.name == "apiVersion");
    let kind = fields.iter().find(|field| field.name == "kind");
    let group = api_version.and_then(|field| field.value.value.as_text()).and_then(|text| text.split('/').next());
    let our_group = group == API_VERSION.split('/').next();
    let is_other = match kind {
        None => {
            report.require(root, &schema::KIND_FIELD);
            false
        }
        Some(field) => check_kind(field, report),
    };
    match api_version {
        None => report.require(root, &schema::API_VERSION_FIELD),
        // The version of something else is in order.
        Some(_) if is_other && !our_group => return true,
        Some(field) => check_api_version(field, our_group, report),
    }
    is_other && (!our_group || kind.is_some_and(|field| is_list(field)))
}

fn is_list(kind: &Field<'_>) -> bool {
    kind.value.value.as_text().is_some_and(|text| text.ends_with("List"))
}

fn check_api_version(field: &Field<'_>, our_group: bool, report: &mut Report) {
    let value = &field.value.value;
    if value.is_null() || value.as_text() == Some("") {
        report.required(field, API_VERSION);
    } else if value.as_text() != Some(API_VERSION) && !value.is_told() {
        let got = value.describe();
        let message = if our_group {
            format!("this flamectl reads only {API_VERSION}, got {got}")
        } else {
            format!("want {API_VERSION}, got {got}")
        };
        report.refuse(field, Fault::new(message).write(API_VERSION));
    }
}

/// Checks `kind`; true when it names something that is not even meant to be a FlameCluster.
fn check_kind(field: &Field<'_>, report: &mut Report) -> bool {
    let Some(text) = report.required(field, KIND).filter(|text| *text != KIND) else { return false };
    let meant = report::nearest(text, &[KIND]).is_some() && !is_list(field);
    let got = report::shown(text);
    report.refuse(
        field,
        if meant {
            Fault::new(format!("want {KIND}, got {got}")).write(KIND)
        } else {
            Fault::new(format!("a {got} is not a {KIND}")).say(foreign::kind_cure(text))
        },
    );
    !meant
}

fn no_flame_cluster(report: &mut Report, place: Place, why: &str) {
    // After a syntax error the FlameCluster may be in the lines that could not be read.
    if report.left_out.is_empty() && !report.has_errors() {
        let fault = Fault::new(format!("no FlameCluster in {}: {why}", report.file_in_words()));
        report.add(place, "", fault.say(format!("a FlameCluster begins with apiVersion: {API_VERSION}")));
    }
}
