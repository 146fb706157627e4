//! Arguments in: (arguments, `FLAMECTL_…` variables) → [`Cli`], parsed once into the types that the other layers use.
//!
//! Imports clap and its generators, and flame types. The doc comments of the argument structs are the help text.

mod args;
mod documents;
mod values;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::Resettable;
use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};

pub use self::args::*;
pub use self::documents::{completions, generated_files, man};
use self::values::{duration, namespace};

/// The name in man pages and completions, and where nobody knows how it was called.
const BINARY: &str = "flamectl";

const EXIT_CODES: &str = "Exit codes:
  0    Done
  1    Error
  2    Bad input or usage, nothing was sent
  3    Not (yet) as asked when the time was up, and `status` of a Pending flame
  4    Failed, or cannot get ready
  5    Refused: foreign object, field conflict, or confirmation missing
  130  Interrupted
`diff` differs: 0 same, 1 different, 2 and above an error, or `up` would be refused";

const UP_EXAMPLES: &str = "Examples:
  flamectl up -f demo.yaml                   Create or change a flame and wait until it runs
  flamectl up -f demo.yaml --dry-run=client  Show what would change
  cat demo.yaml | flamectl up -f - -y        Read standard input, restart Pods without asking";

const STATUS_EXAMPLES: &str = "With -v a flame is described in depth, and each request is told on standard error

Examples:
  flamectl status demo -w                Go on with every change
  flamectl status demo -v                Parts, Pods, conditions, causes and events
  flamectl status -A -l team=ml -o wide  The flames of a team in all namespaces
  flamectl status -o jsonpath='{range .items[*]}{.metadata.name}{\"\\t\"}{.status.state}{\"\\n\"}{end}'

Exit codes:
  0    Running
  3    Pending
  4    Failed; of several flames the worst counts
  130  Interrupted, as --watch always is";

const WATCH_EXAMPLES: &str = "\
Examples:
  flamectl watch -f flames/            Keep the flames of all files in a directory
  flamectl watch demo                  Keep a flame as the last up or scale left it
  flamectl watch -A --log-format=json  Keep all recorded flames
  flamectl watch --once                Put right once what has drifted, for cron
  flamectl watch --dry-run             Tell what has drifted and change nothing";
const VALIDATE_EXAMPLES: &str = "Examples:
  flamectl validate -f demo.yaml                         Every mistake with its line and cure
  flamectl validate -f flames -o sarif > flamectl.sarif  A directory, for a code host
  flamectl validate -f demo.yaml --strict -o github      In a job of GitHub Actions";

const INIT_EXAMPLES: &str =
    "Asks on a terminal for what the flags leave open; elsewhere, and with -y, every flag has a default

Examples:
  flamectl init                               Ask, and write flame.yaml
  flamectl init -y --replicas 3 demo.yaml     Write demo.yaml without asking
  flamectl init - | flamectl up -f - -y       Keep no file";

const EXPLAIN_EXAMPLES: &str = "Examples:
  flamectl explain                       How the parts of a flame work together
  flamectl explain spec.executorManager  A section and its fields
  flamectl explain slot                  A field, by a name that only one has
  flamectl explain --recursive           All fields";
const SCHEMA_EXAMPLES: &str = "Example:
  flamectl schema > flamecluster.schema.json
With this first line in a FlameCluster beside it, yaml-language-server and VS Code's YAML extension check and complete it:
  # yaml-language-server: $schema=./flamecluster.schema.json";

const RBAC_EXAMPLES: &str = "\
Without -f and -A it is for the namespace of -n, or of the context. A namespace that is not there yet (--create-namespace)
takes the right to create namespaces, too, which this does not print

Examples:
  flamectl rbac -n ml --group ml-team | kubectl apply -f -      Everything in a namespace
  flamectl rbac -n ml --for status,logs --user jane             Only looking
  flamectl rbac -A --crd --for watch --serviceaccount ops:keep  Keep the FlameClusters of the server
  flamectl rbac -n ml --check                                   What you lack

Exit codes:
  0  Printed; with --check every right is there
  5  With --check: a right is missing";

const INSTALL_EXAMPLES: &str = "\
Namespace (-n, `flamectl` by default, which is made for this alone), CustomResourceDefinition, ServiceAccount with its rights,
and a Deployment of two replicas of which one works, for Pod Security's level `restricted`

Example:
  flamectl install --image registry.example.com/flamectl:v1 | kubectl apply --server-side -f -";

const LOGS_EXAMPLES: &str = "Examples:
  flamectl logs demo                          The last lines of every Pod
  flamectl logs demo session-manager -p       Why the session manager restarted
  flamectl logs demo 3 -f                     What executor 3 writes from now on, too";

const CONNECT_EXAMPLES: &str = "\
A COMMAND finds the flame by FLAME_ENDPOINT, or by {config} in its arguments, which becomes the path of a flame.yaml that clients
of every Flame read. Flame's own clients (flm...) get a HOME with .flame/flame.yaml, as they look nowhere else

Examples:
  flamectl connect demo                                   Print the endpoint, forward until Ctrl-C
  flamectl connect demo -- flmping -t 3                   Run a client, end with its exit code
  flamectl connect demo -- flmctl --config {config} list  The same for Flame before 0.6
  flamectl connect demo --print-config                    A flame.yaml for clients inside the cluster";

/// What was asked for.
#[derive(Debug, Parser)]
#[command(
    name = BINARY,
    version,
    about = "Run Flame on Kubernetes from a FlameCluster YAML (flmctl is another tool: Flame's own client)",
    long_about = "Run Flame on Kubernetes from a FlameCluster YAML (flmctl is another tool: Flame's own client)\n\n\
        Objects are applied with server-side apply; nothing is installed on the server.",
    after_help = EXIT_CODES,
    color = ColorChoice::Never,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The command.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags that every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Read the connection from FILE instead of $KUBECONFIG or ~/.kube/config
    #[arg(long, global = true, value_name = "FILE", env = "FLAMECTL_KUBECONFIG", hide_env_values = true)]
    #[arg(value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// Use this context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME", env = "FLAMECTL_CONTEXT", hide_env_values = true)]
    pub context: Option<String>,
    /// Work in this namespace
    ///
    /// Without it: the FlameCluster's metadata.namespace, then the context's namespace, then `default`. A namespace that
    /// differs from the FlameCluster's is an error
    #[arg(short, long, global = true, value_name = "NAME", env = "FLAMECTL_NAMESPACE", hide_env_values = true)]
    #[arg(value_parser = namespace)]
    pub namespace: Option<String>,
    /// Give up on a single request after this time; 0 never does
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    #[arg(env = "FLAMECTL_REQUEST_TIMEOUT", hide_env_values = true, hide_short_help = true)]
    pub request_timeout: Duration,
    /// Act as this user
    #[arg(
        long = "as",
        global = true,
        value_name = "USER",
        env = "FLAMECTL_AS",
        hide_env_values = true,
        hide_short_help = true
    )]
    pub impersonate_user: Option<String>,
    /// Act as a member of this group (can be repeated)
    #[arg(long = "as-group", global = true, value_name = "GROUP", value_delimiter = ',')]
    #[arg(env = "FLAMECTL_AS_GROUP", hide_env_values = true, hide_short_help = true)]
    pub impersonate_groups: Vec<String>,
    /// Tell more: every object, retry and request
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Tell errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Colour the output
    ///
    /// `auto` leaves colour out where the output is no terminal, NO_COLOR is set or TERM is `dumb`. `always` also shows the
    /// lines that mistakes of a file are in, as on a terminal
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_enum)]
    #[arg(env = "FLAMECTL_COLOR", hide_env_values = true, hide_short_help = true)]
    pub color: ColorWhen,
    /// Show progress in this way
    ///
    /// `auto` is `live` on a terminal, and `plain` elsewhere, where CI is set and where TERM is `dumb`. With `json` everything
    /// on standard error is one JSON object a line; README describes them
    #[arg(long, global = true, value_name = "HOW", default_value = "auto", value_enum)]
    #[arg(env = "FLAMECTL_PROGRESS", hide_env_values = true, hide_short_help = true)]
    pub progress: ProgressWhen,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressWhen {
    /// As fits where it is read
    Auto,
    /// A display that is drawn over, where there is a terminal
    Live,
    /// One line a change, and a heartbeat
    Plain,
    /// One JSON object a line
    Json,
    /// Not at all: errors only
    None,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal
    Auto,
    /// Even into a pipe
    Always,
    /// Not at all
    Never,
}

impl ColorWhen {
    /// Returns the decision; none leaves it to the environment.
    pub fn forced(self) -> Option<bool> {
        match self {
            Self::Auto => None,
            Self::Always => Some(true),
            Self::Never => Some(false),
        }
    }
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Create or change a flame, and wait until it runs
    #[command(after_help = UP_EXAMPLES)]
    Up(UpArgs),
    /// Show how a flame is: state, ready Pods, what they wait for
    #[command(after_help = STATUS_EXAMPLES)]
    Status(StatusArgs),
    /// Show what a flame's Pods write
    #[command(after_help = LOGS_EXAMPLES)]
    Logs(LogsArgs),
    /// Show what happened to a flame's objects, oldest first
    Events(EventsArgs),
    /// Bring a flame's session manager to a local port, for Flame's clients
    #[command(after_help = CONNECT_EXAMPLES)]
    Connect(ConnectArgs),
    /// Print the objects that `up` would apply, without a server
    Render(RenderArgs),
    /// Delete a flame's objects
    Down(DownArgs),
    /// Keep flames as their files, or their records, say until interrupted
    #[command(after_help = WATCH_EXAMPLES)]
    Watch(WatchArgs),
    /// Show what `up` would change
    #[command(after_help = "Exit codes:\n  0   Same\n  1   Different\n  2+  Error, or the server would refuse `up`")]
    Diff(DiffArgs),
    /// Change the number of executors
    Scale(ScaleArgs),
    /// Replace a flame's Pods, or those of one component
    Restart(RestartArgs),
    /// Check FlameCluster files, by themselves or for a server
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate(ValidateArgs),
    /// Write a FlameCluster file to start from
    #[command(after_help = INIT_EXAMPLES)]
    Init(InitArgs),
    /// Tell what a field of a FlameCluster means, and what it may hold
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Print the JSON Schema of FlameCluster files, for editors, or of what flamectl prints
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema(SchemaArgs),
    /// Print the CustomResourceDefinition of FlameClusters, for `up --crd` and `watch --crd`
    #[command(after_help = "Examples:\n  flamectl crd | kubectl apply --server-side -f -")]
    Crd(CrdArgs),
    /// Print the least rights that commands need, as a Role, or check yours
    #[command(after_help = RBAC_EXAMPLES)]
    Rbac(RbacArgs),
    /// Print all that keeps FlameCluster objects from inside the cluster, for kubectl
    #[command(after_help = INSTALL_EXAMPLES)]
    Install(InstallArgs),
    /// Print the completion script of a shell
    #[command(alias = "completion")]
    Completions(CompletionsArgs),
    /// Print a man page
    Man(ManArgs),
    /// Print the version
    Version(VersionArgs),
}

/// Text that ends the program before a command runs: help, the version, or what is wrong with the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What to print: on stdout where `exit_code` is 0, else on stderr.
    pub text: String,
    /// 0, or 2 for bad usage.
    pub exit_code: u8,
    /// Whether the arguments ask for JSON on stderr, as far as they can be understood.
    pub json: bool,
}

/// Returns what `args` ask for; the first of them is the name that flamectl was called by.
///
/// # Errors
/// Help and version come as a [`Notice`] too.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Notice> {
    let args: Vec<OsString> = args.into_iter().collect();
    let bin_name = called_as(args.first().map_or(OsStr::new(BINARY), OsString::as_os_str));
    let command = without_empty_variables(command(&bin_name));
    let matches = command.clone().try_get_matches_from(&args);
    matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| Notice {
        text: error.render().to_string(),
        // A plain `flamectl` gets the help, but did nothing.
        exit_code: if error.use_stderr() { 2 } else { 0 },
        json: asks_for_json(command, &args),
    })
}

/// Tells whether arguments that are wrong ask for JSON on stderr all the same.
fn asks_for_json(command: clap::Command, args: &[OsString]) -> bool {
    let matches = command.ignore_errors(true).try_get_matches_from(args);
    matches.is_ok_and(|matches| matches.get_one("progress") == Some(&ProgressWhen::Json))
}

/// Returns the command line's definition; `bin_name` is what usage lines show.
pub fn command(bin_name: &str) -> clap::Command {
    Cli::command().bin_name(bin_name)
}

/// Returns the name in usage lines: kubectl runs `kubectl-flame` for `kubectl flame`.
fn called_as(argv0: &OsStr) -> String {
    let stem = Path::new(argv0).file_stem().and_then(OsStr::to_str).unwrap_or(BINARY);
    match stem.strip_prefix("kubectl-") {
        Some(plugin) => format!("kubectl {}", plugin.replace('_', "-")),
        None => stem.to_owned(),
    }
}

/// Takes an empty variable for one that is not set, as CI systems pass what nobody filled in.
#[expect(clippy::disallowed_methods, reason = "arguments and FLAMECTL_… variables meet here")]
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let reset = move |arg: clap::Arg| match arg.get_env() {
        Some(name) if is_empty(name) => arg.env(Resettable::Reset),
        _ => arg,
    };
    command.mut_args(reset).mut_subcommands(|verb| verb.mut_args(reset))
}

#[cfg(test)]
mod tests;
