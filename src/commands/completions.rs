//! What flamectl knows about itself: completions, man pages, its version.

use super::Context;
use crate::cli::{self, CompletionsArgs, ManArgs, VersionArgs, VersionFormat};
use crate::error::Result;

pub fn completions(context: &Context<'_>, args: &CompletionsArgs) -> Result<u8> {
    context.printer.bytes(&cli::completions(args.shell))?;
    Ok(0)
}

pub fn man(context: &Context<'_>, args: &ManArgs) -> Result<u8> {
    context.printer.bytes(&cli::man(args.subcommand.as_deref())?)?;
    Ok(0)
}

pub fn version(context: &Context<'_>, args: &VersionArgs) -> Result<u8> {
    let version = env!("CARGO_PKG_VERSION");
    context.printer.data(&match args.output {
        VersionFormat::Text => format!("flamectl {version}"),
        VersionFormat::Json => serde_json::json!({ "client": { "version": version } }).to_string(),
    })?;
    Ok(0)
}
