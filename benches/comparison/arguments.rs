//! The arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::tools::{Job, Tool};

/// Compares flamectl with what a user would take instead, on a local control plane.
#[derive(Parser)]
#[command(name = "comparison")]
pub struct Arguments {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    /// Measure, and write results.tsv, table.md and plots
    Run(RunArguments),
    /// Write table.md and plots anew from DIR/results.tsv
    Table { dir: PathBuf },
    /// Send prepared requests as fast as they go
    #[command(hide = true)]
    Roofline(RooflineArguments),
}

#[derive(Args)]
pub struct RunArguments {
    /// Numbers of executors; beyond 5000 nothing is scaled out, as that doubles them
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub sizes: Vec<u32>,
    /// Round-trip times between tool and server, in ms
    #[arg(long, value_delimiter = ',', default_value = "0,5,50")]
    pub latencies: Vec<u32>,
    /// The administrator is let past the server's fair queues, an ordinary user is not
    #[arg(long, value_delimiter = ',', default_value = "administrator,ordinary")]
    pub users: Vec<User>,
    /// What is done; all by default
    #[arg(long, value_delimiter = ',', default_values_t = Job::ALL)]
    pub jobs: Vec<Job>,
    /// Who does it; all by default
    #[arg(long, value_delimiter = ',', default_values_t = Tool::ALL)]
    pub tools: Vec<Tool>,
    /// How often each is measured
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Stop a tool that takes longer, in seconds, and do not try that again
    #[arg(long, value_name = "SECONDS", default_value = "300")]
    pub limit: u64,
    /// Where results go; those that are there already stay, and are told together
    #[arg(long, value_name = "DIR", default_value = "target/compare")]
    pub into: PathBuf,
    /// The flamectl to measure
    #[arg(long, value_name = "FILE", default_value = "target/release/flamectl")]
    pub flamectl: PathBuf,
    /// Where helm and kapp are; by default what `benches/peers/build` builds
    #[arg(long, value_name = "DIR")]
    pub peers: Option<PathBuf>,
    /// Leave out the separate runs that count requests
    #[arg(long)]
    pub no_audit: bool,
}

/// Whose credentials a tool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum User {
    /// In system:masters
    Administrator,
    /// A user with rights in its namespaces only
    Ordinary,
}

impl User {
    pub const ALL: [Self; 2] = [Self::Administrator, Self::Ordinary];

    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Ordinary => "ordinary",
        }
    }
}

#[derive(Args)]
pub struct RooflineArguments {
    /// A request a line: method, path and body, with tabs between
    #[arg(long)]
    pub requests: PathBuf,
    /// Requests in flight at most
    #[arg(long)]
    pub in_flight: usize,
    /// Then wait until so many Pods are ready or gone
    #[arg(long, requires = "pods")]
    pub until: Option<Until>,
    /// Of the Pods that this path lists
    #[arg(long)]
    pub pods: Option<String>,
    /// How many
    #[arg(long, default_value = "0")]
    pub count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Until {
    Ready,
    Gone,
}
