//! Results in the format that was asked for.

use super::Context;
use super::work::moment;
use crate::cli::{ObjectFormat, StatusArgs};
use crate::error::Result;
use crate::flame::FlameCluster;
use crate::flame::observed::Seconds;
use crate::flame::plan::Plan;
use crate::flame::state::Verdict;
use crate::flame::timeline::StartUp;
use crate::output::{self, table};

/// Tells what a command is about to change.
pub fn planned(context: &Context<'_>, plan: &Plan) {
    match context.printer.is_json() {
        true => context.printer.plan(plan),
        false => context.printer.line(&table::plan(plan)),
    }
}

/// Prints a flame with its status, and how its start went where a command made Pods.
///
/// # Errors
/// Where standard output takes nothing.
pub fn flame(
    context: &Context<'_>,
    flame: &FlameCluster,
    verdict: &Verdict,
    start: Option<&StartUp>,
    output: ObjectFormat,
) -> Result<()> {
    let printer = context.printer;
    let document = output::flame_with_status(flame, &verdict.status, start);
    let (name, namespace) = (&flame.metadata.name, flame.namespace());
    match output {
        ObjectFormat::Json => printer.data(&output::json(&document)?)?,
        ObjectFormat::Yaml => printer.data(&output::yaml(&[document])?)?,
        ObjectFormat::Name => printer.data(&output::resource_name(name))?,
        ObjectFormat::Table => printer.text(&table::status(name, namespace, verdict, true))?,
    }
    if let Some(start) = start {
        printer.start_up(start);
    }
    Ok(())
}

/// Prints many flames with their status; with each flame comes the time its record was made.
///
/// # Errors
/// Where standard output takes nothing.
pub fn flames(
    context: &Context<'_>,
    flames: &[(FlameCluster, Verdict, Option<Seconds>)],
    args: &StatusArgs,
) -> Result<()> {
    let documents = flames.iter().map(|(flame, verdict, _)| output::flame_with_status(flame, &verdict.status, None));
    let names = flames.iter().map(|(flame, ..)| output::resource_name(&flame.metadata.name));
    let printer = context.printer;
    match args.output {
        ObjectFormat::Json => printer.data(&output::json(&output::list(documents.collect()))?),
        ObjectFormat::Yaml => printer.data(&output::yaml(&[output::list(documents.collect())])?),
        ObjectFormat::Name => printer.data(&names.collect::<Vec<_>>().join("\n")),
        ObjectFormat::Table => {
            let rows: Vec<table::FlameRow> = flames.iter().map(row).collect();
            let options = table::ListOptions { namespaces: args.all_namespaces, headers: !args.no_headers };
            printer.text(&table::list(&rows, options))
        }
    }
}

fn row((flame, verdict, created): &(FlameCluster, Verdict, Option<Seconds>)) -> table::FlameRow {
    let status = &verdict.status;
    table::FlameRow {
        namespace: flame.namespace().to_owned(),
        name: flame.metadata.name.clone(),
        state: status.state,
        session_manager_ready: status.session_manager.ready,
        ready: status.executor_manager.ready,
        replicas: status.executor_manager.replicas,
        age: created.and_then(age),
    }
}

/// Returns the seconds since `created`; none where the clocks disagree.
fn age(created: Seconds) -> Option<u64> {
    (moment() - created).try_into().ok()
}
