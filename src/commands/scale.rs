//! `scale`: another number of executors for the recorded flame, then the same path as `up`; for one that lives as an object,
//! the object's.

use super::input::{flame_object, lives_as_object, recorded};
use super::up::{Bring, up};
use super::work::{self, View};
use super::{Context, object};
use crate::cli::{ObjectFormat, ScaleArgs};
use crate::error::{Error, Result};
use crate::flame::names::FlameKey;

pub async fn run(context: &Context<'_>, args: &ScaleArgs) -> Result<u8> {
    let api = context.connect().await?;
    let namespace = context.namespace(&api);
    let view = View::without_display(context);
    let snapshot = work::read(&api, &namespace, &args.name, None, &view).await?.snapshot;
    let key = FlameKey::new(namespace.clone(), args.name.clone());
    let object = flame_object(&api, &key, &snapshot, &view).await?;
    let mut flame = match &object {
        Some(object) => object::flame_of(object)?.0,
        None => recorded(&namespace, &args.name, &snapshot)?,
    };
    let current = flame.spec.executor_manager.replicas;
    if let Some(expected) = args.current_replicas.filter(|expected| *expected != current) {
        let what =
            format!("{} has {current} replicas, --current-replicas says {expected}: nothing was changed", args.name);
        return Err(Error::refused(what));
    }
    flame.spec.executor_manager.replicas = args.replicas;
    let bring = Bring {
        flame,
        owner: lives_as_object(&snapshot, &args.name),
        options: work::options(&args.wait),
        restart: None,
        look_once: work::looks_once(&args.wait),
        yes: args.confirm.yes,
        create_namespace: false,
        skip_preflight: args.preflight.skip_preflight,
        dry_run: None,
        output: ObjectFormat::Table,
    };
    match object {
        Some(object) => object::scale(context, &api, object, bring).await,
        None => up(context, &api, bring).await,
    }
}
