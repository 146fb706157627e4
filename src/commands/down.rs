//! `down`: everything of a flame goes, Pods first, the record last.

use super::input::flame_object;
use super::preflight::check_rights;
use super::work::{self, View, Work, ask, interrupts};
use super::{Context, object, show};
use crate::cli::{CheckArgs, DownArgs, DownFormat, Target};
use crate::error::Result;
use crate::flame::names::{FlameKey, Kind};
use crate::flame::plan::Desired;
use crate::flame::rollout::{Options, Rollout};
use crate::output;

pub async fn run(context: &Context<'_>, args: &DownArgs) -> Result<u8> {
    let api = context.connect().await?;
    let (name, namespace, from_file) = match &args.target {
        Target::Name(name) => (name.clone(), context.namespace(&api), None),
        Target::File(source) => {
            let mut flame = context.flame(source, CheckArgs::default())?;
            context.settle_namespace(&mut flame, Some(api.default_namespace()))?;
            (flame.metadata.name.clone(), flame.namespace().to_owned(), Some(flame))
        }
    };
    let view = View::without_display(context);
    let mut reading = work::read(&api, &namespace, &name, from_file.as_ref(), &view).await?;
    let down = |snapshot, has_last_word| {
        let options = Options { has_last_word, ..work::options(&args.wait) };
        Rollout::new(Desired::Down(name.clone()), options, snapshot).in_namespace(&namespace)
    };
    let mut rollout = down(reading.snapshot, false);
    let plan = rollout.plan();
    view.finish();
    let key = FlameKey::new(namespace.clone(), name.clone());
    let object = flame_object(&api, &key, rollout.snapshot(), &view).await?;
    for stray in plan.strays() {
        context.printer.line(&format!("{stray} is not this flame's: left alone"));
    }
    if plan.is_empty() && object.is_none() {
        context.printer.line(&format!("nothing of {name} is in namespace {namespace}"));
        return Ok(0);
    }
    show::planned(context, plan);
    if object.is_some() {
        context.printer.line(&format!("delete   FlameCluster {name}, which owns them"));
    }
    api.open_ahead(plan.to_do()).await;
    check_rights(context, &api, &namespace, plan, &view).await?;
    if !args.confirm.yes {
        ask(context, &format!("Delete {name} in namespace {namespace}?"))?;
    }
    context.printer.gap();
    let mut interrupted = interrupts(context);
    let was_object = object.is_some();
    if let Some(object) = object {
        // First, so that whoever follows it makes nothing anew; what is under way there may still come in.
        object::delete(context, &api, &object, &view).await?;
        rollout = down(rollout.into_snapshot(), true);
    }
    loop {
        let view = View::new(context);
        let work = Work {
            api: &api,
            namespace: &namespace,
            resource_version: reading.resource_version,
            kinds: &[Kind::Pod, Kind::Service, Kind::ConfigMap],
            view: &view,
        };
        work.drive(&mut rollout, interrupted.clone()).await?;
        // An `up` that gave way may have made what was not there yet when this command looked.
        reading = tokio::select! {
            reading = work::read(&api, &namespace, &name, from_file.as_ref(), &view) => reading?,
            Ok(()) = interrupted.changed() => return Err(rollout.interrupted()),
        };
        rollout = down(reading.snapshot, was_object);
        if rollout.plan().is_empty() || !args.wait.wait {
            break;
        }
    }
    match args.output {
        DownFormat::Table => context.printer.line(&format!("{name} is gone")),
        DownFormat::Name => context.printer.data(&output::resource_name(&name))?,
    }
    Ok(0)
}
