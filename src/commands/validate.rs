//! `validate`: every problem of every file at once, without a server; with `--server` also whether that would take them.

use super::Context;
use super::input::{files, read};
use super::preflight::Preflight;
use super::work::{self, View};
use crate::cli::{ReportFormat, Source, ValidateArgs};
use crate::error::{Content, Error, ErrorKind, Problem, Result, Severity};
use crate::flame::FlameCluster;
use crate::flame::manifests::manifests;
use crate::flame::plan::Desired;
use crate::flame::rollout::{Options, Rollout};
use crate::output::report::Report;

/// What there is to say about one file.
#[derive(Default)]
struct Checked {
    content: Content,
    problems: Vec<Problem>,
    /// The flame, where no problem is an error.
    flame: Option<FlameCluster>,
    /// What is wrong with the file as a whole: it can't be read, or makes objects that no server takes.
    failure: Option<Error>,
}

pub async fn run(context: &Context<'_>, args: &ValidateArgs) -> Result<u8> {
    let files = all_files(&args.filenames);
    let mut report = Report::default();
    let mut flames = Vec::new();
    for (name, file) in &files {
        let checked = check(context, args, name, file);
        if args.output == ReportFormat::Text {
            tell(context, name, &checked, files.len());
        }
        report.add(name, &checked.problems, checked.failure.as_ref());
        flames.extend(checked.flame.map(|flame| (name.clone(), flame)));
    }
    match args.output {
        ReportFormat::Text if files.len() > 1 => context.printer.line(&report.summary()),
        ReportFormat::Text => {}
        ReportFormat::Json => context.printer.data(&report.json()?)?,
        ReportFormat::Sarif => context.printer.data(&report.sarif()?)?,
        ReportFormat::Github => context.printer.data(&report.github())?,
    }
    if report.has_errors() {
        return Ok(ErrorKind::Input.exit_code());
    }
    if args.server { on_server(context, args.check.strict, flames).await } else { Ok(0) }
}

/// Returns every file by its name, directories opened, or why it is none.
fn all_files(sources: &[Source]) -> Vec<(String, Result<Source>)> {
    let mut all: Vec<(String, Result<Source>)> = Vec::new();
    for source in sources {
        let is_again = *source == Source::Stdin && all.iter().any(|(_, file)| file.as_ref() == Ok(source));
        match files(source) {
            _ if is_again => all.push((source.to_string(), Err(Error::input("standard input can be read only once")))),
            Ok(files) => all.extend(files.into_iter().map(|file| (file.to_string(), Ok(file)))),
            Err(error) => all.push((source.to_string(), Err(error))),
        }
    }
    all
}

fn check(context: &Context<'_>, args: &ValidateArgs, name: &str, file: &Result<Source>) -> Checked {
    let content = match file.as_ref().map_err(Clone::clone).and_then(|file| context.content(file)) {
        Ok(content) => content,
        Err(error) => return Checked { failure: Some(error), ..Checked::default() },
    };
    let parsed = read(name, &content, args.check);
    let failure = parsed.flame.as_ref().and_then(|flame| manifests(flame).err());
    Checked { content, problems: parsed.problems, flame: parsed.flame, failure }
}

fn tell(context: &Context<'_>, name: &str, checked: &Checked, files: usize) {
    context.printer.problems(&checked.problems, &checked.content);
    if let Some(failure) = &checked.failure {
        // Why a file can't be read names it already.
        let was_read = !checked.content.bytes().is_empty();
        let what = if was_read { format!("{name}: {}", failure.what) } else { failure.what.clone() };
        context.printer.error(&Error { what, ..failure.clone() });
    } else if checked.problems.is_empty() {
        let fine = format!("{name}: no problems");
        // Of several files only the counts matter.
        if files > 1 { context.printer.detail(&fine) } else { context.printer.line(&fine) }
    }
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
        let rollout = Rollout::new(Desired::up(manifests(&flame)?), Options::default(), reading.snapshot);
        let plan = rollout.plan();
        if let Err(error) = rollout.refuse_foreign(plan) {
            context.printer.error(&error);
            refused = true;
            continue;
        }
        let rights = plan.rights();
        let preflight = Preflight { api: &api, rollout: &rollout, plan, rights, create_namespace: None };
        let findings = preflight.findings(context, &view).await;
        context.printer.findings(&findings);
        refused |= findings.iter().any(|finding| strict || finding.severity == Severity::Error);
        if findings.is_empty() {
            context.printer.line(&format!("{file}: the server would take {name} in namespace {namespace}"));
        }
    }
    Ok(if refused { ErrorKind::Server.exit_code() } else { 0 })
}
