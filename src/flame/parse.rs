//! Reads a FlameCluster YAML and finds every mistake in it at once, each with its place and its cure.
//!
//! bytes → text (`text`) → positioned tree (`tree`) → [`FlameCluster`] (`metadata`, `spec`); `syntax` explains what is
//! not YAML and leaves it out, so that the rest is still checked. What a value may look like stands in [`grammar`],
//! [`image`], [`quantity`], [`resources`], [`slot`] and [`storage`], which know nothing of files.
//!
//! Pure: imports std without I/O, the YAML event parser and an edit distance.

mod fields;
pub mod grammar;
pub mod image;
mod metadata;
pub mod quantity;
mod report;
pub mod resources;
pub mod slot;
mod spec;
pub mod storage;
mod syntax;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod tree;

use self::fields::Field;
use self::grammar::Fault;
pub(in crate::flame) use self::report::as_yaml;
use self::report::{Place, Report};
use self::text::Source;
use self::tree::{Document, Tree, Value};
use super::{API_VERSION, FlameCluster, KIND, names, schema};
use crate::error::{Problem, Severity};

/// Largest file that is read; a FlameCluster has some hundred bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// Kubernetes is tested with up to this many endpoints of one Service (sig-scalability thresholds).
const TESTED_ENDPOINTS: u32 = 250;
/// Kubernetes is tested with up to this many Pods in one namespace (sig-scalability thresholds).
const TESTED_PODS: u64 = 3000;
/// The kubelet cuts hostnames at this length (flame-facts 1.7).
const MAX_HOSTNAME_LENGTH: usize = 63;

/// What the reader made of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The flame; there exactly when no problem is an error.
    pub flame: Option<FlameCluster>,
    /// Every mistake, ordered by its place in the file.
    pub problems: Vec<Problem>,
}

/// Returns the FlameCluster in `bytes`, or every problem that keeps it from being one.
///
/// `file` is only the name for the problems.
pub fn parse(file: &str, bytes: &[u8]) -> Parsed {
    let mut report = Report::new(file);
    let flame = text::decode(bytes, &mut report).and_then(|source| read(source, &mut report));
    let problems = report.finish();
    let valid = problems.iter().all(|problem| problem.severity != Severity::Error);
    Parsed { flame: flame.filter(|_| valid), problems }
}

/// Builds the tree, again after each syntax error without the lines that it spoils, and checks what is left.
fn read(mut source: Source, report: &mut Report) -> Option<FlameCluster> {
    let mut repairs = syntax::Repairs::default();
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
        return documents(&tree, report);
    }
}

/// Checks the one document that is meant, and tells of the others.
fn documents(tree: &Tree<'_>, report: &mut Report) -> Option<FlameCluster> {
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
            flame_cluster(document, report);
        }
    }
    flame_cluster(documents[meant], report)
}

fn is_flame(document: &Document<'_>) -> bool {
    document
        .root
        .get("kind")
        .and_then(|kind| kind.value.value.as_text())
        .is_some_and(|kind| kind.eq_ignore_ascii_case(KIND))
}

/// Reads one document; the result only counts when nothing was reported.
fn flame_cluster(document: &Document<'_>, report: &mut Report) -> Option<FlameCluster> {
    let root = Field::root(document);
    match &document.root.value {
        Value::Map(_) => {}
        Value::Told => return None,
        other => {
            no_flame_cluster(report, document.place, &format!("its content is {}", other.describe()));
            return None;
        }
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
    for field in &fields {
        match report.name(field, &schema::ROOT, &[]) {
            "metadata" => flame.metadata = metadata::read(report, field),
            "spec" => flame.spec = spec::read(report, field),
            "status" => report.add(field.key, &field.path, Fault::new("set by flamectl, remove it")),
            _ => {}
        }
    }
    report.require(&root, &schema::METADATA);
    report.require(&root, &schema::SPEC);
    scale_warnings(document, &flame, report);
    Some(flame)
}

/// Checks `apiVersion` and `kind`; true when they say that the rest is no FlameCluster, and not worth checking as one.
fn is_of_another_kind(root: &Field<'_>, report: &mut Report) -> bool {
    let fields = root.children();
    let api_version = fields.iter().find(|field| field.name == "apiVersion");
    let kind = fields.iter().find(|field| field.name == "kind");
    let group = api_version.and_then(|field| field.value.value.as_text()).and_then(|text| text.split('/').next());
    let our_group = group == API_VERSION.split('/').next();
    match api_version {
        None => report.require(root, &schema::API_VERSION_FIELD),
        Some(field) => check_api_version(field, our_group, report),
    }
    match kind {
        None => {
            report.require(root, &schema::KIND_FIELD);
            false
        }
        Some(field) => check_kind(field, report) && !our_group,
    }
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
    let meant = report::nearest(text, &[KIND]).is_some();
    let got = report::shown(text);
    let message = if meant { format!("want {KIND}, got {got}") } else { format!("a {got} is not a {KIND}") };
    report.refuse(field, Fault::new(message).write(KIND));
    !meant
}

fn no_flame_cluster(report: &mut Report, place: Place, why: &str) {
    // After a syntax error the FlameCluster may be in the lines that could not be read.
    if report.left_out.is_empty() && !report.has_errors() {
        let fault = Fault::new(format!("no FlameCluster in {}: {why}", report.file_in_words()));
        report.add(place, "", fault.say(format!("a FlameCluster begins with apiVersion: {API_VERSION}")));
    }
}

/// Warns of sizes that work, but that nobody promises to work well.
fn scale_warnings(document: &Document<'_>, flame: &FlameCluster, report: &mut Report) {
    if let Some(name) = document.field(&["metadata", "name"]) {
        warn_of_cut_hostnames(&name, flame, report);
    }
    let Some(field) = document.field(&["spec", "executorManager", "replicas"]) else { return };
    let replicas = flame.spec.executor_manager.replicas;
    if replicas == 0 {
        let fault = Fault::new("with 0 executors the flame stays Pending: Running needs one ready executor");
        report.warn(&field, fault.say(format!("remove the line for the default, {}", names::DEFAULT_REPLICAS)));
    }
    if replicas > TESTED_ENDPOINTS {
        let tested = format!("Kubernetes is tested with {TESTED_ENDPOINTS}");
        report.warn(&field, Fault::new(format!("{replicas} executors are endpoints of one Service; {tested}")));
    }
    // The session manager is one Pod more.
    let pods = u64::from(replicas) + 1;
    if pods > TESTED_PODS {
        let tested = format!("Kubernetes is tested with {TESTED_PODS}");
        report.warn(&field, Fault::new(format!("{pods} Pods in one namespace; {tested}")));
    }
}

/// A hostname is a Pod's name unless the Pod says otherwise, and a Pod's name may be longer than one.
fn warn_of_cut_hostnames(field: &Field<'_>, flame: &FlameCluster, report: &mut Report) {
    let name = &flame.metadata.name;
    let Some(last) = flame.spec.executor_manager.replicas.checked_sub(1) else { return };
    let pod = names::executor_manager(name, last);
    // Names that are too long anyway were told already.
    if name.len() > names::MAX_NAME_LENGTH || pod.len() <= MAX_HOSTNAME_LENGTH {
        return;
    }
    let room = MAX_HOSTNAME_LENGTH - (pod.len() - name.len());
    let length = pod.len();
    let fault =
        Fault::new(format!("the hostname of Pod {pod} is cut at {MAX_HOSTNAME_LENGTH} of its {length} characters"));
    report.warn(field, fault.say(format!("a name of at most {room} characters avoids it")));
}
