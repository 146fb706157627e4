//! `diff`: what `up` would do, without doing it; needs read rights only.

use super::work::{self, View};
use super::{Context, show};
use crate::cli::DiffArgs;
use crate::error::Result;
use crate::flame::manifests::manifests;
use crate::flame::plan::Desired;
use crate::flame::rollout::{Options, Rollout};

/// Exit code for "different" (kubectl's convention: 0 same, 1 different, above an error).
const DIFFERENT: u8 = 1;

pub async fn run(context: &Context<'_>, args: &DiffArgs) -> Result<u8> {
    let mut flame = context.flame(&args.filename)?;
    let api = context.connect().await?;
    context.settle_namespace(&mut flame, Some(api.default_namespace()))?;
    let view = View::new(context);
    let name = flame.metadata.name.clone();
    let reading = work::read(&api, flame.namespace(), &name, Some(&flame), &view).await?;
    view.finish();
    let rollout = Rollout::new(Desired::Up(Box::new(manifests(&flame)?)), Options::default(), reading.snapshot);
    let plan = rollout.plan();
    rollout.refuse_foreign(&plan)?;
    context.printer.data(&show::plan(&plan))?;
    let different = !plan.is_empty() && !args.exit_zero;
    Ok(if different { DIFFERENT } else { 0 })
}
