//! Results in the format that was asked for.

use super::Context;
use crate::cli::ObjectFormat;
use crate::error::Result;
use crate::flame::FlameCluster;
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
