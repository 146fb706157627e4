//! `status`: the reference's status block, from the record and the Pods on the server; the exit code tells the state.

mod sheet;
mod watching;

use std::borrow::Cow;

use self::sheet::{Seen, Sheet};
use self::watching::Watch;
use super::input::{flame_object, recorded};
use super::work::{self, View, interrupts, moment};
use super::{Context, object};
use crate::apiserver::ApiServer;
use crate::apiserver::flames::{FlameFilter, FlameList};
use crate::apiserver::read::Reading;
use crate::cli::StatusArgs;
use crate::error::{ErrorKind, Result};
use crate::flame::FlameCluster;
use crate::flame::events::{ObservedEvent, merged};
use crate::flame::evidence::inquiries;
use crate::flame::names::{self, FlameKey};
use crate::flame::observed::{ObservedPod, Snapshot};
use crate::flame::state::{ClusterState, Verdict, verdict};

/// Most Pods besides the session manager's whose events are read.
const SAMPLES: usize = 5;

pub async fn run(context: &Context<'_>, args: &StatusArgs) -> Result<u8> {
    let sheet = Sheet::new(context, args)?;
    let api = context.connect().await?;
    let namespace = context.namespace(&api);
    if args.watch {
        return watch(context, &api, &namespace, args, &sheet).await;
    }
    match &args.name {
        Some(name) => one(context, &api, &namespace, name, &sheet).await,
        None => many(context, &api, &filter(args, namespace), &sheet).await,
    }
}

fn filter(args: &StatusArgs, namespace: String) -> FlameFilter {
    let namespace = (!args.all_namespaces).then_some(namespace);
    FlameFilter { namespace, name: args.name.clone(), selector: args.selector.clone() }
}

async fn one(context: &Context<'_>, api: &ApiServer, namespace: &str, name: &str, sheet: &Sheet<'_>) -> Result<u8> {
    let view = View::without_display(context);
    let snapshot = api.glance(namespace, name, &view).await?;
    let key = FlameKey::new(namespace, name);
    let object = flame_object(api, &key, &snapshot, &view).await?;
    let flame = match &object {
        // Whoever follows the object may not have seen it yet, or be another controller, which keeps no record.
        Some(object) if recorded(namespace, name, &snapshot).is_err() => object::flame_of(object)?.0,
        _ => recorded(namespace, name, &snapshot)?,
    };
    let seen = in_full(context, api, flame, snapshot, sheet, &view).await;
    view.finish();
    for trouble in object.iter().flat_map(object::troubles) {
        context.printer.warning(&trouble);
    }
    sheet.one(&seen)?;
    Ok(exit_code(&[seen]))
}

/// Shows one flame, or those of a list, again whenever they change.
async fn watch(
    context: &Context<'_>,
    api: &ApiServer,
    namespace: &str,
    args: &StatusArgs,
    sheet: &Sheet<'_>,
) -> Result<u8> {
    let mut interrupted = interrupts(context);
    let view = View::without_display(context);
    let filter = filter(args, namespace.to_owned());
    let list = tokio::select! {
        list = first(api, namespace, &filter, &view) => list?,
        _ = interrupted.changed() => return Ok(ErrorKind::Interrupted.exit_code()),
    };
    view.finish();
    if list.flames.iter().next().is_none() {
        context.printer.line(&nothing(&filter));
    }
    Watch { api, filter: &filter, sheet, view: &view }.run(list, interrupted).await
}

/// Reads what a watch begins with; a flame that is asked for by name has to be there.
async fn first(api: &ApiServer, namespace: &str, filter: &FlameFilter, view: &View) -> Result<FlameList> {
    let Some(name) = &filter.name else { return api.list_flames(filter, view).await };
    let Reading { snapshot, resource_version } = work::read(api, namespace, name, None, view).await?;
    recorded(namespace, name, &snapshot)?;
    Ok(FlameList::one(namespace, name, snapshot, &resource_version))
}

/// Returns a flame with all that the server knows of what is wrong, and what happened where that is wanted.
async fn in_full(
    context: &Context<'_>,
    api: &ApiServer,
    flame: FlameCluster,
    mut snapshot: Snapshot,
    sheet: &Sheet<'_>,
    view: &View,
) -> Seen<'static> {
    let verdict = informed(api, &flame, &mut snapshot, view).await;
    let events = happened(context, api, (&flame, &snapshot, &verdict), sheet, view).await;
    Seen { flame, snapshot: Cow::Owned(snapshot), verdict, events }
}

/// Returns the verdict, and where something is wrong with what else the server knows of it.
async fn informed(api: &ApiServer, flame: &FlameCluster, snapshot: &mut Snapshot, view: &View) -> Verdict {
    let first = verdict(flame, snapshot, moment());
    let inquiries = inquiries(&first.causes, snapshot);
    if inquiries.is_empty() {
        return first;
    }
    snapshot.learned(api.answers(flame.namespace(), inquiries, view).await);
    verdict(flame, snapshot, moment())
}

/// Returns what happened to the session manager and to a Pod for each cause, where somebody wants the whole description.
async fn happened(
    context: &Context<'_>,
    api: &ApiServer,
    seen: (&FlameCluster, &Snapshot, &Verdict),
    sheet: &Sheet<'_>,
    view: &View,
) -> Option<Vec<ObservedEvent>> {
    let (flame, snapshot, verdict) = seen;
    if !context.printer.is_verbose() || !sheet.is_for_people() {
        return None;
    }
    let session_manager = names::session_manager(&flame.metadata.name);
    let samples = verdict.causes.iter().filter_map(|cause| cause.pod.as_deref()).take(SAMPLES);
    let samples = samples.filter(|pod| *pod != session_manager).chain([session_manager.as_str()]);
    let pods: Vec<&ObservedPod> = samples.filter_map(|pod| snapshot.pod(pod)).collect();
    Some(merged(api.pod_events(flame.namespace(), &pods, view).await))
}

/// Lists the flames; to people a single one in the namespace is shown in full.
async fn many(context: &Context<'_>, api: &ApiServer, filter: &FlameFilter, sheet: &Sheet<'_>) -> Result<u8> {
    let view = View::without_display(context);
    let list = api.list_flames(filter, &view).await?;
    let mut flames = Vec::new();
    let mut code = 0;
    for (namespace, name, snapshot) in list.flames.into_all() {
        match recorded(&namespace, &name, &snapshot) {
            Ok(flame) => flames.push((flame, snapshot)),
            Err(error) => {
                context.printer.warning(&error.what);
                code = error.kind.exit_code();
            }
        }
    }
    let is_in_full = flames.len() == 1 && filter.namespace.is_some() && sheet.is_for_people();
    let mut seen = Vec::new();
    for (flame, snapshot) in flames {
        seen.push(if is_in_full {
            in_full(context, api, flame, snapshot, sheet, &view).await
        } else {
            let verdict = verdict(&flame, &snapshot, moment());
            Seen { flame, snapshot: Cow::Owned(snapshot), verdict, events: None }
        });
    }
    view.finish();
    match seen.as_slice() {
        [one] if is_in_full => sheet.one(one)?,
        many => {
            if many.is_empty() {
                context.printer.line(&nothing(filter));
            }
            sheet.many(many)?;
        }
    }
    Ok(code.max(exit_code(&seen)))
}

/// Says that there are no flames, and where.
fn nothing(filter: &FlameFilter) -> String {
    let scope = filter.namespace.as_ref().map(|namespace| format!("namespace {namespace}"));
    let scope = scope.unwrap_or_else(|| "any namespace".to_owned());
    match &filter.selector {
        Some(selector) => format!("no flames found in {scope} with labels {selector}"),
        None => format!("no flames found in {scope}"),
    }
}

/// Returns the exit code that tells the state, of many flames the worst (design: exit codes).
fn exit_code(flames: &[Seen<'_>]) -> u8 {
    let codes = flames.iter().map(|seen| match seen.verdict.status.state {
        ClusterState::Running => 0,
        ClusterState::Pending => ErrorKind::Timeout.exit_code(),
        ClusterState::Failed => ErrorKind::Unhealthy.exit_code(),
    });
    codes.max().unwrap_or(0)
}
