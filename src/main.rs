//! Parses the arguments, runs the command, prints what went wrong, and ends with the exit code that tells the kind.

use std::process::ExitCode;
use std::time::Instant;

use flamectl::cli::{self, Cli, Notice, ProgressWhen, Verb};
use flamectl::commands;
use flamectl::error::{Error, ErrorKind};
use flamectl::output::{Environment, Printer, PrinterOptions, ProgressMode};

fn main() -> ExitCode {
    let environment = Environment::detect();
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(notice) => {
            let progress = notice.json.then_some(ProgressMode::Json);
            let printer = Printer::new(PrinterOptions { progress, ..PrinterOptions::default() }, environment);
            return ExitCode::from(tell(&printer, &notice));
        }
    };
    let options = PrinterOptions {
        quiet: cli.global.quiet,
        verbose: cli.global.verbose,
        color: cli.global.color.forced(),
        progress: progress(cli.global.progress),
    };
    let started = now();
    let printer = Printer::new(options, environment).with_clock(move || started.elapsed());
    let result = run(&cli, &printer);
    ExitCode::from(result.unwrap_or_else(|error| {
        printer.error(&error);
        exit_code(&cli.verb, error.kind)
    }))
}

/// Returns how progress is to be shown; none leaves it to the environment.
fn progress(how: ProgressWhen) -> Option<ProgressMode> {
    match how {
        ProgressWhen::Auto => None,
        ProgressWhen::Live => Some(ProgressMode::Live),
        ProgressWhen::Plain => Some(ProgressMode::Plain),
        ProgressWhen::Json => Some(ProgressMode::Json),
        ProgressWhen::None => Some(ProgressMode::None),
    }
}

#[expect(clippy::disallowed_methods, reason = "how long the command has been running is told at its end")]
fn now() -> Instant {
    Instant::now()
}

/// Prints what ends the program before a command runs, help on stdout and mistakes on stderr.
fn tell(printer: &Printer, notice: &Notice) -> u8 {
    match notice.exit_code {
        0 => printer.data(&notice.text).map_or(ErrorKind::Server.exit_code(), |()| 0),
        code => {
            printer.usage(&notice.text);
            code
        }
    }
}

/// Returns the exit code of a failed command; 1 of `diff` means "different", as kubectl's does, so its errors are above.
fn exit_code(verb: &Verb, kind: ErrorKind) -> u8 {
    match (verb, kind.exit_code()) {
        (Verb::Diff(_), 1) => ErrorKind::Input.exit_code(),
        (Verb::Watch(args), 1) if args.once || args.dry_run => ErrorKind::Input.exit_code(),
        (_, code) => code,
    }
}

fn run(cli: &Cli, printer: &Printer) -> Result<u8, Error> {
    // One thread is enough: the server, not this client, is what every command waits for.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::server(format!("no runtime: {error}")))?;
    let result = runtime.block_on(commands::run(cli, printer));
    runtime.shutdown_background();
    result
}
