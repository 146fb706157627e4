//! `status`: the reference's status block, from the record and the Pods on the server; the exit code tells the state.

use super::input::{from_record, recorded};
use super::work::{View, moment};
use super::{Context, show};
use crate::apiserver::ApiServer;
use crate::cli::{ObjectFormat, StatusArgs};
use crate::error::{ErrorKind, Result};
use crate::flame::FlameCluster;
use crate::flame::evidence::inquiries;
use crate::flame::observed::{Observed, ObservedConfigMap, Snapshot};
use crate::flame::state::{ClusterState, Verdict, verdict};

pub async fn run(context: &Context<'_>, args: &StatusArgs) -> Result<u8> {
    let api = context.connect().await?;
    let namespace = context.namespace(&api);
    match &args.name {
        Some(name) => one(context, &api, &namespace, name, args.output).await,
        None => many(context, &api, (!args.all_namespaces).then_some(namespace.as_str()), args).await,
    }
}

async fn one(context: &Context<'_>, api: &ApiServer, namespace: &str, name: &str, output: ObjectFormat) -> Result<u8> {
    let view = View::without_display(context);
    let mut snapshot = api.snapshot(namespace, name, &view).await?.snapshot;
    let flame = recorded(namespace, name, &snapshot)?;
    let verdict = informed(api, &flame, &mut snapshot, &view).await;
    view.finish();
    show::flame(context, &flame, &verdict, None, output)?;
    Ok(exit_code(verdict.status.state))
}

/// Returns the verdict, and where something is wrong with what else the server knows of it.
async fn informed(api: &ApiServer, flame: &FlameCluster, snapshot: &mut Snapshot, view: &View) -> Verdict {
    let first = verdict(flame, snapshot, moment());
    let inquiries = inquiries(&first.causes, snapshot);
    if inquiries.is_empty() {
        return first;
    }
    snapshot.evidence.extend(api.answers(flame.namespace(), inquiries, view).await);
    verdict(flame, snapshot, moment())
}

/// Lists the flames; a single one in the namespace is shown in full.
async fn many(context: &Context<'_>, api: &ApiServer, namespace: Option<&str>, args: &StatusArgs) -> Result<u8> {
    let view = View::without_display(context);
    let flames = api.list_flames(namespace, &view).await?;
    if flames.is_empty() {
        let scope = namespace.map_or("any namespace".to_owned(), |namespace| format!("namespace {namespace}"));
        context.printer.line(&format!("no flames found in {scope}"));
        return Ok(0);
    }
    let is_shown_in_full = flames.len() == 1 && !args.all_namespaces;
    let mut rows = Vec::new();
    for (namespace, record, pods) in flames {
        let mut snapshot = Snapshot::default();
        let created = record.meta.creation_timestamp;
        let flame = flame(&namespace, &record)?;
        snapshot.insert(Observed::ConfigMap(record));
        pods.into_iter().for_each(|pod| snapshot.insert(Observed::Pod(Box::new(pod))));
        let verdict = match is_shown_in_full {
            true => informed(api, &flame, &mut snapshot, &view).await,
            false => verdict(&flame, &snapshot, moment()),
        };
        rows.push((flame, verdict, created));
    }
    view.finish();
    match rows.as_slice() {
        [(flame, verdict, _)] if is_shown_in_full => {
            show::flame(context, flame, verdict, None, args.output)?;
            Ok(exit_code(verdict.status.state))
        }
        _ => {
            show::flames(context, &rows, args)?;
            Ok(0)
        }
    }
}

fn flame(namespace: &str, record: &ObservedConfigMap) -> Result<FlameCluster> {
    from_record(namespace, record)
}

/// Returns the exit code that tells the state (design: exit codes).
fn exit_code(state: ClusterState) -> u8 {
    match state {
        ClusterState::Running => 0,
        ClusterState::Pending => ErrorKind::Timeout.exit_code(),
        ClusterState::Failed => ErrorKind::Unhealthy.exit_code(),
    }
}
