//! Compares flamectl with what a user would take instead, on a local control plane: `benches/compare` calls it, and
//! `benches/README.md` tells what is measured and how to read it.
//!
//!   comparison run [OPTIONS]     measure, and write results.tsv, table.md and plots
//!   comparison table DIR         write table.md and plots anew from DIR/results.tsv

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement looks at the clock and speaks"
)]

mod arguments;
mod audit;
mod inputs;
mod launch;
mod measure;
mod plot;
mod relay;
mod results;
mod roofline;
mod schedule;
mod search;
mod server;
mod surroundings;
mod table;
mod tools;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Verb};

/// What anything here may fail with: it is only ever shown.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    // Before anything else takes memory: what a launched program used at most is never told as less than its parent did.
    if arguments.get(1).is_some_and(|verb| verb == launch::VERB) {
        return shown(launch::run(&arguments[2..]));
    }
    // `cargo bench` says so, and `cargo test --all-targets` starts every bench without anything.
    arguments.retain(|argument| argument != "--bench");
    if arguments.len() == 1 {
        println!("comparison: nothing to do; benches/compare runs it, or see `comparison --help`");
        return ExitCode::SUCCESS;
    }
    shown(match Arguments::parse_from(arguments).verb {
        Verb::Run(arguments) => schedule::run(&arguments),
        Verb::Table { dir } => results::Results::read(&dir).and_then(|results| results.publish()),
        Verb::Roofline(arguments) => roofline::run(&arguments),
    })
}

fn shown(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
