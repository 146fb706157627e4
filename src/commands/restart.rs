//! `restart`: the Pods of a component are made anew, in the same waves as any replace.

use super::Context;
use super::input::{lives_as_object, recorded};
use super::up::{Bring, up};
use super::work::{self, View};
use crate::cli::{ObjectFormat, RestartArgs};
use crate::error::Result;
use crate::flame::rollout::Options;

pub async fn run(context: &Context<'_>, args: &RestartArgs) -> Result<u8> {
    let api = context.connect().await?;
    let namespace = context.namespace(&api);
    let reading = work::read(&api, &namespace, &args.name, None, &View::without_display(context)).await?;
    let flame = recorded(&namespace, &args.name, &reading.snapshot)?;
    let options = Options { max_unavailable: args.wave.max_unavailable, ..work::options(&args.wait) };
    let bring = Bring {
        flame,
        owner: lives_as_object(&reading.snapshot, &args.name),
        options,
        restart: Some(args.component),
        look_once: work::looks_once(&args.wait),
        yes: args.confirm.yes,
        create_namespace: false,
        skip_preflight: args.preflight.skip_preflight,
        dry_run: None,
        output: ObjectFormat::Table,
    };
    up(context, &api, bring).await
}
