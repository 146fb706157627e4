//! `validate`: every problem of every file at once, without a server.

use super::Context;
use crate::cli::ValidateArgs;
use crate::error::{ErrorKind, Result, Severity};
use crate::flame::manifests::manifests;
use crate::flame::parse::parse;

pub fn run(context: &Context<'_>, args: &ValidateArgs) -> Result<u8> {
    let mut failed = false;
    for source in &args.filenames {
        let name = source.to_string();
        let bytes = match context.bytes(source) {
            Ok(bytes) => bytes,
            Err(error) => {
                context.printer.error(&error);
                failed = true;
                continue;
            }
        };
        let parsed = parse(&name, &bytes);
        context.printer.problems(&parsed.problems);
        failed |= parsed.problems.iter().any(|problem| args.strict || problem.severity == Severity::Error);
        match parsed.flame.map(|flame| manifests(&flame)) {
            Some(Err(error)) => {
                context.printer.error(&error);
                failed = true;
            }
            Some(Ok(_)) if parsed.problems.is_empty() => context.printer.line(&format!("{name}: no problems")),
            _ => {}
        }
    }
    Ok(if failed { ErrorKind::Input.exit_code() } else { 0 })
}
