//! `validate`: every problem of every file at once, without a server.

use super::Context;
use super::input::{files, read};
use crate::cli::{ReportFormat, Source, ValidateArgs};
use crate::error::{Content, Error, ErrorKind, Problem, Result};
use crate::flame::manifests::manifests;
use crate::output::findings::Findings;

/// What there is to say about one file.
#[derive(Default)]
struct Checked {
    content: Content,
    problems: Vec<Problem>,
    /// What is wrong with the file as a whole: it can't be read, or makes objects that no server takes.
    failure: Option<Error>,
}

pub fn run(context: &Context<'_>, args: &ValidateArgs) -> Result<u8> {
    let files = all_files(&args.filenames);
    let mut findings = Findings::default();
    for (name, file) in &files {
        let checked = check(context, args, name, file);
        if args.output == ReportFormat::Text {
            tell(context, name, &checked, files.len());
        }
        findings.add(name, &checked.problems, checked.failure.as_ref());
    }
    match args.output {
        ReportFormat::Text if files.len() > 1 => context.printer.line(&findings.summary()),
        ReportFormat::Text => {}
        ReportFormat::Json => context.printer.data(&findings.json()?)?,
        ReportFormat::Sarif => context.printer.data(&findings.sarif()?)?,
        ReportFormat::Github => context.printer.data(&findings.github())?,
    }
    Ok(if findings.has_errors() { ErrorKind::Input.exit_code() } else { 0 })
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
    let failure = parsed.flame.and_then(|flame| manifests(&flame).err());
    Checked { content, problems: parsed.problems, failure }
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
