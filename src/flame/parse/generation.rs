//! Which Flame the file is for, and whether its images are of one (see [`super::super::generation`]).

use super::super::generation::{Version, version_of_image};
use super::super::{FlameCluster, names};
use super::fields::Field;
use super::grammar::Fault;
use super::report::{Report, shown};
use super::tree::Document;

/// Settles the generation of `flame`, which was read from `document`. A version that was `told` besides is written into the
/// annotation, so that the record keeps it; a file that says otherwise is refused, because one of them is a mistake.
pub(super) fn settle(document: &Document<'_>, flame: &mut FlameCluster, told: Option<Version>, report: &mut Report) {
    let annotation = document.field(&["metadata", "annotations", names::ANNOTATION_FLAME_VERSION]);
    let written = flame.metadata.annotations.get(names::ANNOTATION_FLAME_VERSION).map(|text| Version::parse(text));
    match (told, written, &annotation) {
        (Some(told), Some(Some(written)), Some(field)) if told.generation() != written.generation() => {
            let fault = Fault::new(format!("the file says Flame {written}, --flame-version says {told}"));
            report.refuse(field, fault.say("drop --flame-version, or this line"));
        }
        (Some(told), None, _) => {
            let key = names::ANNOTATION_FLAME_VERSION.to_owned();
            flame.metadata.annotations.insert(key, told.to_string());
        }
        _ => {}
    }
    match told.or(written.flatten()) {
        Some(version) => other_tags(document, version, annotation.as_ref(), report),
        None => mixed(document, flame, report),
    }
    object_cache(document, flame, report);
}

fn images<'d>(document: &'d Document<'_>) -> [Option<Field<'d>>; 2] {
    ["sessionManager", "executorManager"].map(|manager| document.field(&["spec", manager, "image"]))
}

/// Anybody's own images may have a numbering of their own, so this is no error.
fn other_tags(document: &Document<'_>, version: Version, annotation: Option<&Field<'_>>, report: &mut Report) {
    let source = annotation.map_or("--flame-version".to_owned(), |field| format!("line {}", field.key.line));
    for field in images(document).into_iter().flatten() {
        let tag = field.value.value.as_text().and_then(version_of_image);
        if let Some(tag) = tag.filter(|tag| tag.generation() != version.generation()) {
            let fault = Fault::new(format!("the tag says Flame {tag}, {source} says {version}"));
            report.warn(&field, fault.say("name an image of that Flame; a numbering of your own does not matter"));
        }
    }
}

/// A session manager of one generation and executors of the other never work together (flame-facts 1.10).
fn mixed(document: &Document<'_>, flame: &FlameCluster, report: &mut Report) {
    let (session, executor) = (&flame.spec.session_manager.image, &flame.spec.executor_manager.image);
    let (Some(wanted), Some(got)) = (version_of_image(session), version_of_image(executor)) else { return };
    let [Some(session_field), Some(field)] = images(document) else { return };
    if wanted.generation() == got.generation() {
        return;
    }
    let line = session_field.place(None).line;
    let fault = Fault::new(format!(
        "Flame {got} with a session manager of {wanted} in line {line}: before 0.6 and from 0.6 on they speak differently, \
         and no task is ever run"
    ));
    let key = names::ANNOTATION_FLAME_VERSION;
    report.refuse(
        &field,
        fault.say(format!("take both of one version; if the tags are no versions of Flame, say {key}")),
    );
}

/// What there is to say of an object cache with a Pod of its own.
fn object_cache(document: &Document<'_>, flame: &FlameCluster, report: &mut Report) {
    let key = names::ANNOTATION_OBJECT_CACHE_IMAGE;
    if let Some(field) = document.field(&["metadata", "annotations", key])
        && !flame.has_object_cache_pod()
    {
        let fault = Fault::new("not used: this is Flame before 0.6, whose executor managers are the object cache");
        report.warn(&field, fault.say(format!("remove it, or say {}", names::ANNOTATION_FLAME_VERSION)));
    }
    if let Some(field) = images(document)[1].as_ref().filter(|_| flame.guesses_object_cache_image()) {
        let image = shown(&flame.spec.executor_manager.image);
        let fault = Fault::new(format!("Flame 0.6 needs an object cache, and {image} does not tell which"));
        report.refuse(field, fault.say(format!("add a tag before the digest, or the annotation {key}")));
    }
}
