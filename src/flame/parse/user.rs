//! What only root may do: a user that is not root can't write into the image's directories.

use super::super::FlameCluster;
use super::super::user::{RunAs, WRITABLE_STORAGE, is_in_image};
use super::fields::path_of;
use super::grammar::Fault;
use super::report::Report;
use super::tree::Document;

/// Refuses a session storage that the user whom the Pods run as can't write to.
pub(super) fn check(document: &Document<'_>, flame: &FlameCluster, report: &mut Report) {
    let storage = &flame.spec.session_manager.storage;
    let Some(run_as) = RunAs::of(flame).filter(|_| is_in_image(storage)) else { return };
    let user = run_as.user;
    let field = document.field(&["spec", "sessionManager", "storage"]).filter(|_| !storage.is_empty());
    if let Some(field) = field {
        let fault = Fault::new(format!("in the image's directory, where user {user} may not write"));
        report.refuse(&field, fault.write(WRITABLE_STORAGE));
    } else if let Some(section) = document.field(&["spec", "sessionManager"]) {
        let fault = Fault::new(format!(
            "without it Flame writes flame.db into the image's directory, where user {user} may not write"
        ));
        let path = path_of(&section.path, "storage");
        report.add(section.key, &path, fault.say(format!("storage: {WRITABLE_STORAGE}")));
    }
}
