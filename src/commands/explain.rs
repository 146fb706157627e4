//! `explain` and `schema`: what the file may say, for people and for editors, and what flamectl prints for programs.

use super::Context;
use crate::cli::{ExplainArgs, SchemaArgs, SchemaOf};
use crate::error::Result;
use crate::flame::schema;
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
