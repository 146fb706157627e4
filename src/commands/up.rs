//! `up`: read, check, plan, ask, apply, follow, verdict.

use std::sync::Arc;

use super::preflight::{self, Preflight};
use super::work::{self, View, Work, confirm, interrupts};
use super::{Context, object, render, show};
use crate::apiserver::ApiServer;
use crate::cli::{DryRun, ObjectFormat, UpArgs};
use crate::error::{Error, ErrorKind, Result, Severity};
use crate::flame::FlameCluster;
use crate::flame::disruption::disruption;
use crate::flame::manifests::{Manifests, manifests};
use crate::flame::names::{Component, Kind};
use crate::flame::owner::Owner;
use crate::flame::plan::{Desired, Plan, Right};
use crate::flame::preflight::Finding;
use crate::flame::rollout::{Options, Outcome, Rollout, Time};
use crate::output::{self, table};

/// How a flame is brought up, whoever asks for it: `up`, `scale` and `restart` differ in nothing but this.
pub struct Bring {
    /// The flame, namespace settled.
    pub flame: FlameCluster,
    /// The FlameCluster object that it lives as.
    pub owner: Option<Owner>,
    /// How to go about it.
    pub options: Options,
    /// Make the Pods of one component, or of both, anew.
    pub restart: Option<Option<Component>>,
    /// Do not wait for readiness, but say in the end whether it is there (`--timeout 0`).
    pub look_once: bool,
    /// Do not ask.
    pub yes: bool,
    /// Create the namespace unless it is there.
    pub create_namespace: bool,
    /// Do not find out first whether it fits.
    pub skip_preflight: bool,
    /// Only pretend.
    pub dry_run: Option<DryRun>,
    /// What to print in the end.
    pub output: ObjectFormat,
}

pub async fn run(context: &Context<'_>, args: &UpArgs) -> Result<u8> {
    let mut flame = context.flame(&args.filename, args.check)?;
    let api = context.connect().await?;
    context.settle_namespace(&mut flame, Some(api.default_namespace()))?;
    let options = Options {
        bar: args.wait_for,
        max_unavailable: args.wave.max_unavailable,
        progress_deadline: args.progress_deadline,
        force_conflicts: args.force_conflicts,
        adopt: args.adopt,
        ..work::options(&args.wait)
    };
    let bring = Bring {
        flame,
        owner: None,
        options,
        restart: None,
        look_once: work::looks_once(&args.wait),
        yes: args.confirm.yes,
        create_namespace: args.create_namespace,
        skip_preflight: args.preflight.skip_preflight,
        dry_run: args.dry_run,
        output: args.output,
    };
    match args.crd {
        true => object::apply(context, &api, bring).await,
        false => up(context, &api, bring).await,
    }
}

/// Brings a flame up.
///
/// # Errors
/// What the server refused, what did not get ready in time, or that nobody confirmed.
pub async fn up(context: &Context<'_>, api: &ApiServer, bring: Bring) -> Result<u8> {
    let manifests = Arc::new(manifests(&bring.flame)?.owned_by(bring.owner.clone()));
    let name = manifests.flame.metadata.name.clone();
    let namespace = bring.flame.namespace().to_owned();
    let view = View::without_display(context);
    let reading = work::read(api, &namespace, &name, Some(&bring.flame), &view).await?;
    let desired = Desired::up(Arc::clone(&manifests));
    let mut rollout = Rollout::new(desired, bring.options, reading.snapshot);
    if let Some(component) = bring.restart {
        rollout.restart(component);
    }
    let plan = rollout.plan();
    view.finish();
    rollout.refuse_foreign(plan)?;
    let preflight = Preflight {
        api,
        rollout: &rollout,
        plan,
        rights: rights(plan, bring.dry_run),
        create_namespace: Some(bring.create_namespace),
    };
    let preflight = Some(preflight).filter(|_| !bring.skip_preflight);
    if let Some(dry_run) = bring.dry_run {
        let findings = match &preflight {
            Some(preflight) => preflight.findings(context, &view).await,
            None => Vec::new(),
        };
        return pretend(context, api, &rollout, plan, &findings, dry_run, bring.output).await;
    }
    if plan.is_empty() {
        let waits = bring.options.wait && !rollout.is_ready(view.elapsed());
        let then = if waits { "waiting until it is ready" } else { "nothing to do" };
        context.printer.line(&format!("{name} is as it should be: {then}"));
    } else {
        api.open_ahead(plan.to_do()).await;
        agree(context, (&rollout, plan, &manifests), preflight, &bring, &view).await?;
    }
    if bring.create_namespace && rollout.snapshot().record(&name).is_none() {
        api.create_namespace(&namespace, &view).await?;
    }
    let view = View::new(context);
    let work = Work {
        api,
        namespace: &namespace,
        resource_version: reading.resource_version,
        kinds: &[Kind::Pod, Kind::Service, Kind::ConfigMap],
        view: &view,
    };
    work.drive(&mut rollout, interrupts(context)).await?;
    finish(context, &bring, &rollout, view.elapsed())
}

/// Shows what is going to change and what that disrupts, finds out whether it fits, and asks where somebody has to agree.
///
/// # Errors
/// Where the server would refuse it, or nobody agreed.
pub(super) async fn agree(
    context: &Context<'_>,
    (rollout, plan, manifests): (&Rollout, &Plan, &Manifests),
    preflight: Option<Preflight<'_>>,
    bring: &Bring,
    view: &View,
) -> Result<()> {
    show::planned(context, plan);
    for sentence in disruption(plan, manifests, rollout.snapshot(), bring.options.max_unavailable) {
        context.printer.line(&sentence);
    }
    if let Some(preflight) = preflight {
        preflight::tell(context, rollout, &preflight.findings(context, view).await)?;
    }
    confirm(context, rollout, plan, bring.yes)?;
    context.printer.gap();
    Ok(())
}

/// Prints the flame as it is in the end, and says where it should be ready by now and is not.
///
/// # Errors
/// That it is not ready, where that was to be looked at once; or standard output takes nothing.
pub(super) fn finish(context: &Context<'_>, bring: &Bring, rollout: &Rollout, now: Time) -> Result<u8> {
    let verdict = rollout.verdict().ok_or_else(|| Error::server("a flame that is up has a verdict"))?;
    show::flame(context, &bring.flame, &verdict, rollout.start_up().as_ref(), bring.output)?;
    if bring.look_once && !rollout.is_ready(now) {
        let (name, namespace) = (&bring.flame.metadata.name, bring.flame.namespace());
        let what = format!("{name} is not ready: {}", verdict.status.message);
        return Err(Error::new(ErrorKind::Timeout, what).hint(format!("flamectl status {name} -n {namespace}")));
    }
    Ok(0)
}

/// Returns the rights that carrying the plan out takes; a dry run by the server writes, but watches nothing.
fn rights(plan: &Plan, dry_run: Option<DryRun>) -> Vec<Right> {
    let mut rights = plan.rights();
    match dry_run {
        None => {}
        Some(DryRun::Server) => rights.retain(|(verb, _)| *verb != "watch"),
        Some(DryRun::Client | DryRun::Bare) => rights.clear(),
    }
    rights
}

pub(super) async fn pretend(
    context: &Context<'_>,
    api: &ApiServer,
    rollout: &Rollout,
    plan: &Plan,
    findings: &[Finding],
    dry_run: DryRun,
    output: ObjectFormat,
) -> Result<u8> {
    if dry_run == DryRun::Bare {
        context.printer.warning("--dry-run without a value means --dry-run=client");
    }
    let is_refused = findings.iter().any(|finding| finding.severity == Severity::Error);
    if dry_run == DryRun::Server && !is_refused {
        ask_server(api, rollout, plan, context).await?;
    }
    match (output, rollout.desired().manifests()) {
        (ObjectFormat::Yaml, Some(manifests)) => context.printer.data(&render::yaml(manifests)?)?,
        (ObjectFormat::Json, Some(manifests)) => context.printer.data(&render::json(manifests)?)?,
        (ObjectFormat::Name, _) => context.printer.data(&output::resource_name(rollout.desired().name()))?,
        _ => context.printer.text(&table::plan(plan))?,
    }
    preflight::tell(context, rollout, findings)?;
    let asked = if dry_run == DryRun::Server { "the server would take it" } else { "dry run" };
    context.printer.line(&format!("{asked}: nothing was changed"));
    Ok(0)
}

/// Sends every write of the plan for the server to check without storing it.
async fn ask_server(api: &ApiServer, rollout: &Rollout, plan: &Plan, context: &Context<'_>) -> Result<()> {
    let namespace = rollout.desired().manifests().map_or("default", |manifests| manifests.flame.namespace());
    for write in rollout.sketch(plan) {
        let body = rollout.body(&write);
        match api.write(namespace, &write, body, true).await? {
            Outcome::Refused(refusal) => {
                let what = format!("{} would not be {}: {}", write.object, write.action, refusal.message);
                return Err(refusal.hint.into_iter().fold(Error::server(what), Error::hint));
            }
            Outcome::Busy(why, _) | Outcome::Unknown(why) => {
                return Err(Error::server(format!("the server could not be asked about {}: {why}", write.object)));
            }
            Outcome::Conflict(conflicts) if !conflicts.iter().all(|it| !it.is_claimed()) => {
                let who = conflicts.iter().map(|it| format!("{} ({})", it.manager, it.field)).collect::<Vec<_>>();
                return Err(Error::refused(format!("{} has other owners: {}", write.object, who.join(", "))));
            }
            _ => {}
        }
    }
    context.printer.line("asked the server with dry run");
    Ok(())
}
