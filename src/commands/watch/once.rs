//! `watch --once` and `watch --dry-run`: one pass over the flames, whose exit code tells whether something had drifted.

use super::super::work::{self, View, Work, interrupts};
use crate::apiserver::ApiServer;
use crate::apiserver::flames::FlameFilter;
use crate::cli::WatchArgs;
use crate::commands::input::from_record;
use crate::commands::object::{NO_CRD, flame_of, why_refused};
use crate::commands::{Context, show};
use crate::error::{Error, ErrorKind, Result};
use crate::flame::FlameCluster;
use crate::flame::manifests::manifests;
use crate::flame::names::{FlameKey, Kind};
use crate::flame::owner::Owner;
use crate::flame::plan::Desired;
use crate::flame::rollout::{Options, Rollout};

/// The exit code where something had drifted, as `diff` and kubectl's have it.
const DRIFTED: u8 = 1;

/// A flame, and the object that it lives as.
type Wanted = (FlameCluster, Option<Owner>);

/// Looks at each flame once, and puts right what is not as it should be unless that is only to be told.
///
/// # Errors
/// Where a flame could not be looked at or put right; the others are, all the same.
pub async fn run(context: &Context<'_>, api: &ApiServer, args: &WatchArgs, of_files: Vec<FlameCluster>) -> Result<u8> {
    let flames: Vec<Wanted> = match (args.crd, args.filename.is_empty()) {
        (true, _) => objects(context, api, args).await?,
        (false, true) => recorded(context, api, args).await?.into_iter().map(|flame| (flame, None)).collect(),
        (false, false) => of_files.into_iter().map(|flame| (flame, None)).collect(),
    };
    let mut drifted = 0;
    let mut failed = Vec::new();
    for (flame, owner) in &flames {
        match pass(context, api, args, flame, owner.as_ref()).await {
            Ok(has_drifted) => drifted += usize::from(has_drifted),
            Err(error) if error.kind == ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                let key = FlameKey::of(flame);
                context.printer.error(&Error { what: format!("{key}: {}", error.what), ..error });
                failed.push(key.to_string());
            }
        }
    }
    if !failed.is_empty() {
        return Err(Error::server(format!(
            "{} of {} flames failed: {}",
            failed.len(),
            flames.len(),
            failed.join(", ")
        )));
    }
    let all = if flames.len() == 1 { "1 flame".to_owned() } else { format!("{} flames", flames.len()) };
    let done = if args.dry_run { "has drifted; nothing was changed" } else { "had drifted and was put right" };
    context.printer.line(&match drifted {
        0 => format!("{all}: no drift"),
        some => format!("{all}: {some} {done}"),
    });
    Ok(if drifted > 0 { DRIFTED } else { 0 })
}

/// Returns the flames that objects say; one that cannot be followed is told, and no other waits for it.
async fn objects(context: &Context<'_>, api: &ApiServer, args: &WatchArgs) -> Result<Vec<Wanted>> {
    let namespace = (!args.all_namespaces).then(|| context.namespace(api));
    let view = View::without_display(context);
    let list = api.list_objects(namespace.as_deref(), &view).await?.ok_or_else(|| Error::server(NO_CRD))?;
    let mut flames = Vec::new();
    for object in list.objects.into_iter().filter(|object| !object.terminating) {
        match flame_of(&object) {
            Ok((flame, _)) => flames.push((flame, Some(object.owner))),
            Err(error) => context.printer.warning(&format!("{} is not followed: {}", object.key, why_refused(&error))),
        }
    }
    Ok(flames)
}

async fn recorded(context: &Context<'_>, api: &ApiServer, args: &WatchArgs) -> Result<Vec<FlameCluster>> {
    let namespace = context.namespace(api);
    let view = View::without_display(context);
    let filter = FlameFilter { namespace: (!args.all_namespaces).then(|| namespace.clone()), ..Default::default() };
    let list = api.list_flames(&filter, &view).await?;
    let records = list.flames.iter().filter_map(|(namespace, name, known)| Some((namespace, known.record(name)?)));
    // What a FlameCluster object owns is kept by who follows objects.
    let records = records.filter(|(_, record)| !record.is_going_down() && record.meta.controller.is_none());
    let flames: Result<Vec<FlameCluster>> = records.map(|(namespace, record)| from_record(namespace, record)).collect();
    let mut flames = flames?;
    for name in &args.names {
        if !flames.iter().any(|flame| flame.metadata.name == *name) {
            let what = format!("there is no flame {name} in namespace {namespace}");
            return Err(Error::server(what).hint("flamectl status -A lists all flames"));
        }
    }
    flames.retain(|flame| args.names.is_empty() || args.names.contains(&flame.metadata.name));
    Ok(flames)
}

/// Looks at one flame; tells whether it had drifted.
async fn pass(
    context: &Context<'_>,
    api: &ApiServer,
    args: &WatchArgs,
    flame: &FlameCluster,
    owner: Option<&Owner>,
) -> Result<bool> {
    let (name, namespace) = (&flame.metadata.name, flame.namespace());
    let view = View::without_display(context);
    let reading = work::read(api, namespace, name, Some(flame), &view).await?;
    let options = Options { wait: false, started_at: work::moment(), ..Default::default() };
    let mut rollout = Rollout::new(Desired::up(manifests(flame)?.owned_by(owner.cloned())), options, reading.snapshot);
    let plan = rollout.plan();
    rollout.refuse_foreign(plan)?;
    if plan.is_empty() {
        return Ok(false);
    }
    context.printer.line(&format!("{}:", FlameKey::of(flame)));
    show::planned(context, plan);
    if !args.dry_run {
        let kinds = &[Kind::Pod, Kind::Service, Kind::ConfigMap];
        let work = Work { api, namespace, resource_version: reading.resource_version, kinds, view: &view };
        work.drive(&mut rollout, interrupts(context)).await?;
    }
    Ok(true)
}
