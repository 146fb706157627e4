//! `explain`, `schema` and `crd`: what a FlameCluster may say, for people, editors and servers, and what flamectl prints for
//! programs.

use super::Context;
use crate::cli::{CrdArgs, ExplainArgs, ManifestFormat, SchemaArgs, SchemaOf};
use crate::error::Result;
use crate::flame::{crd, schema};
use crate::output::{self, explain as text};

pub fn explain(context: &Context<'_>, args: &ExplainArgs) -> Result<u8> {
    let field = schema::find(args.field.as_deref().unwrap_or_default())?;
    let columns = context.printer.columns();
    let page = if args.recursive { text::tree(&field, columns) } else { text::page(&field, columns)? };
    context.printer.data(&page)?;
    Ok(0)
}

pub fn schema(context: &Context<'_>, args: &SchemaArgs) -> Result<u8> {
    let schema = match args.of {
        SchemaOf::Flamecluster => schema::json::file(),
        SchemaOf::Status => output::schema::status(),
        SchemaOf::Progress => output::schema::progress(),
        SchemaOf::Validate => output::schema::validate(),
    };
    context.printer.data(&output::json(&schema)?)?;
    Ok(0)
}

pub fn crd(context: &Context<'_>, args: &CrdArgs) -> Result<u8> {
    let definition = crd::definition();
    context.printer.data(&match args.output {
        ManifestFormat::Yaml => output::yaml(&[definition])?,
        ManifestFormat::Json => output::json(&definition)?,
    })?;
    Ok(0)
}
