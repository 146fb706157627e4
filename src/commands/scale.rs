//! `scale`: another number of executors for the recorded flame, then the same path as `up`.

use super::Context;
use super::input::recorded;
use super::up::{Bring, up};
use super::work::{self, View};
use crate::cli::{ObjectFormat, ScaleArgs};
use crate::error::{Error, Result};

pub async fn run(context: &Context<'_>, args: &ScaleArgs) -> Result<u8> {
    let api = context.connect().await?;
    let namespace = context.namespace(&api);
    let reading = api.snapshot(&namespace, &args.name, &View::without_display(context)).await?;
    let mut flame = recorded(&namespace, &args.name, &reading.snapshot)?;
    let current = flame.spec.executor_manager.replicas;
    if let Some(expected) = args.current_replicas.filter(|expected| *expected != current) {
        let what =
            format!("{} has {current} replicas, --current-replicas says {expected}: nothing was changed", args.name);
        return Err(Error::refused(what));
    }
    flame.spec.executor_manager.replicas = args.replicas;
    let bring = Bring {
        flame,
        options: work::options(&args.wait),
        restart: None,
        look_once: work::looks_once(&args.wait),
        yes: args.confirm.yes,
        create_namespace: false,
        skip_preflight: args.preflight.skip_preflight,
        dry_run: None,
        output: ObjectFormat::Table,
    };
    up(context, &api, bring).await
}
