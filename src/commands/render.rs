//! `render`: exactly the objects that `up` would apply to an empty namespace, without a server.

use serde::Serialize;
use serde_json::Value;

use super::Context;
use crate::cli::{ManifestFormat, RenderArgs};
use crate::error::{Error, Result};
use crate::flame::manifests::{Manifests, manifests};
use crate::output;

pub(super) async fn run(context: &Context<'_>, args: &RenderArgs) -> Result<u8> {
    let mut flame = context.flame(&args.filename, args.check)?;
    context.settle_namespace_offline(&mut flame)?;
    let manifests = manifests(&flame)?;
    context.printer.data(&match args.output {
        ManifestFormat::Yaml => yaml(&manifests)?,
        ManifestFormat::Json => json(&manifests)?,
    })?;
    Ok(0)
}

/// Returns the objects as YAML documents.
///
/// # Errors
/// None that a caller could cause.
pub fn yaml(manifests: &Manifests) -> Result<String> {
    output::yaml(&objects(manifests)?)
}

/// Returns the objects as one List.
///
/// # Errors
/// None that a caller could cause.
pub fn json(manifests: &Manifests) -> Result<String> {
    output::json(&output::list(objects(manifests)?))
}

fn objects(manifests: &Manifests) -> Result<Vec<Value>> {
    let mut objects = vec![value(&manifests.record(1))?];
    for service in manifests.services() {
        objects.push(value(&service)?);
    }
    objects.push(value(&manifests.session_manager())?);
    objects.extend(manifests.object_cache().as_ref().map(value).transpose()?);
    for index in 0..manifests.flame.spec.executor_manager.replicas {
        objects.push(value(&manifests.executor_manager(index))?);
    }
    Ok(objects)
}

/// Returns an object as it is sent.
///
/// # Errors
/// None that a caller could cause.
pub fn value(object: &impl Serialize) -> Result<Value> {
    serde_json::to_value(object).map_err(|error| Error::server(format!("an object could not be written out: {error}")))
}
