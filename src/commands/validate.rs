//! `validate`: every problem of every file at once, without a server; with `--server` also whether that would take them.

use super::Context;
use super::preflight::Preflight;
use super::work::{self, View};
use crate::cli::ValidateArgs;
use crate::error::{ErrorKind, Result, Severity};
use crate::flame::FlameCluster;
use crate::flame::manifests::manifests;
use crate::flame::parse::parse;
use crate::flame::plan::Desired;
use crate::flame::rollout::{Options, Rollout};

pub async fn run(context: &Context<'_>, args: &ValidateArgs) -> Result<u8> {
    let mut failed = false;
    let mut flames = Vec::new();
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
        match parsed.flame.as_ref().map(manifests) {
            Some(Err(error)) => {
                context.printer.error(&error);
                failed = true;
            }
            Some(Ok(_)) if parsed.problems.is_empty() => context.printer.line(&format!("{name}: no problems")),
            _ => {}
        }
        flames.extend(parsed.flame.map(|flame| (name, flame)));
    }
    if failed {
        return Ok(ErrorKind::Input.exit_code());
    }
    if args.server { on_server(context, args.strict, flames).await } else { Ok(0) }
}

/// Asks the server about each flame for itself: what two of them need together is not added up.
async fn on_server(context: &Context<'_>, strict: bool, flames: Vec<(String, FlameCluster)>) -> Result<u8> {
    let api = context.connect().await?;
    let mut refused = false;
    for (file, mut flame) in flames {
        context.settle_namespace(&mut flame, Some(api.default_namespace()))?;
        let (name, namespace) = (flame.metadata.name.clone(), flame.namespace().to_owned());
        let view = View::new(context);
        let reading = work::read(&api, &namespace, &name, Some(&flame), &view).await?;
        view.finish();
        let rollout = Rollout::new(Desired::Up(Box::new(manifests(&flame)?)), Options::default(), reading.snapshot);
        let plan = rollout.plan();
        if let Err(error) = rollout.refuse_foreign(&plan) {
            context.printer.error(&error);
            refused = true;
            continue;
        }
        let rights = plan.rights();
        let preflight = Preflight { api: &api, rollout: &rollout, plan: &plan, rights, create_namespace: None };
        let findings = preflight.findings(context, &view).await;
        context.printer.findings(&findings);
        refused |= findings.iter().any(|finding| strict || finding.severity == Severity::Error);
        if findings.is_empty() {
            context.printer.line(&format!("{file}: the server would take {name} in namespace {namespace}"));
        }
    }
    Ok(if refused { ErrorKind::Server.exit_code() } else { 0 })
}
