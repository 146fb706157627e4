//! Whether the server can take it, asked before the first write: what `up`, `diff` and `validate --server` share.

use std::time::Duration;

use super::Context;
use super::work::View;
use crate::apiserver::ApiServer;
use crate::apiserver::surroundings::Unread;
use crate::error::{Error, Result, Severity};
use crate::flame::manifests::Manifests;
use crate::flame::plan::{Plan, Right};
use crate::flame::preflight::{self, CREATE_NAMESPACES, Case, Finding, Surroundings};
use crate::flame::rollout::Rollout;

/// Pauses before a quota that is too small is looked at again: the server takes a moment to count out Pods that are gone.
const QUOTA_SETTLES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_millis(1000)];

/// What to find out about.
pub struct Preflight<'a> {
    /// Of whom.
    pub api: &'a ApiServer,
    /// From where to where.
    pub rollout: &'a Rollout,
    /// How.
    pub plan: &'a Plan,
    /// What the command is going to use of the caller's rights.
    pub rights: Vec<Right>,
    /// Whether a missing namespace is made; none where it is not this command that would make it.
    pub create_namespace: Option<bool>,
}

impl Preflight<'_> {
    /// Asks the server and returns what is in the way; a plan that writes nothing asks nothing. What cannot be found out is
    /// told and counts as fitting, so that the preflight never is what keeps a command from going on.
    pub async fn findings(&self, context: &Context<'_>, view: &View) -> Vec<Finding> {
        let Some(manifests) = self.rollout.desired().manifests() else { return Vec::new() };
        let namespace = manifests.flame.namespace();
        let mut questions = preflight::questions(self.plan);
        questions.rights.clone_from(&self.rights);
        let is_new = self.rollout.snapshot().record(&manifests.flame.metadata.name).is_none();
        if self.create_namespace == Some(true) && is_new && !self.rights.is_empty() {
            questions.rights.push(CREATE_NAMESPACES);
        }
        let (mut surroundings, unread) = self.api.surroundings(namespace, &questions, view).await;
        unread.iter().for_each(|unread| tell_unread(context, unread));
        for pause in QUOTA_SETTLES {
            if !preflight::exceeds_quota(&self.case(manifests, &surroundings)) {
                break;
            }
            match self.api.quotas_after(pause, namespace, view).await {
                Ok(quotas) => surroundings.quotas = quotas,
                Err(unread) => tell_unread(context, &unread),
            }
        }
        view.finish();
        preflight::preflight(&self.case(manifests, &surroundings))
    }

    fn case<'a>(&'a self, manifests: &'a Manifests, surroundings: &'a Surroundings) -> Case<'a> {
        Case {
            plan: self.plan,
            manifests,
            snapshot: self.rollout.snapshot(),
            surroundings,
            create_namespace: self.create_namespace,
        }
    }
}

/// Tells all findings at once.
///
/// # Errors
/// Where the server would refuse what `up` does with the flame.
pub fn tell(context: &Context<'_>, rollout: &Rollout, findings: &[Finding]) -> Result<()> {
    context.printer.findings(findings);
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let errors = match errors {
        0 => return Ok(()),
        1 => "1 error".to_owned(),
        many => format!("{many} errors"),
    };
    let name = rollout.desired().name();
    let what = format!("the server would refuse {name}, {errors} above; nothing was written");
    Err(Error::server(what).hint("--skip-preflight tries it all the same"))
}

/// Refuses before the first write where the caller lacks a right that the plan takes, so that nothing is half-applied.
///
/// # Errors
/// Names every missing right.
pub async fn check_rights(
    context: &Context<'_>,
    api: &ApiServer,
    namespace: &str,
    plan: &Plan,
    view: &View,
) -> Result<()> {
    let missing = api.missing_rights(namespace, &plan.rights(), view).await.unwrap_or_else(|unread| {
        tell_unread(context, &unread);
        Vec::new()
    });
    match preflight::missing_rights(namespace, &missing) {
        Some((message, hint)) => Err(Error::server(format!("{message}; nothing was written")).hint(hint)),
        None => Ok(()),
    }
}

/// Tells what could not be found out; that an ordinary user may not look at nodes is nothing to worry about.
fn tell_unread(context: &Context<'_>, unread: &Unread) {
    let text = format!("{}: not checked whether this fits", unread.why);
    if unread.forbidden { context.printer.detail(&text) } else { context.printer.warning(&text) }
}
