//! Arguments in: (arguments, `FLAMECTL_…` variables) → [`Cli`], parsed once into the types that the other layers use.
//!
//! Imports clap and its generators, and flame types. The doc comments of the argument structs are the help text.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PathBufValueParser, PossibleValuesParser, Resettable, TypedValueParser};
use clap::error::ErrorKind as ClapKind;
use clap::{ArgMatches, Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;
use jiff::SignedDuration;

use crate::error::{Error, Result};
use crate::flame::names::{Component, MAX_NAME_LENGTH, MAX_REPLICAS};
use crate::flame::rollout::{Bar, MaxUnavailable};

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
`diff` differs: 0 same, 1 different, 2 and above an error";

const UP_EXAMPLES: &str = "Examples:
  flamectl up -f demo.yaml                   Create or change a flame and wait until it runs
  flamectl up -f demo.yaml --dry-run=client  Show what would change
  cat demo.yaml | flamectl up -f - -y        Read standard input, restart Pods without asking";

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
    /// Tell more: every object, every retry
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Tell errors only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Colour the output
    ///
    /// `auto` leaves colour out where the output is no terminal, NO_COLOR is set or TERM is `dumb`
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_enum)]
    #[arg(env = "FLAMECTL_COLOR", hide_env_values = true, hide_short_help = true)]
    pub color: ColorWhen,
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
    Status(StatusArgs),
    /// Print the objects that `up` would apply, without a server
    Render(RenderArgs),
    /// Delete a flame's objects
    Down(DownArgs),
    /// Keep a flame as its file says until interrupted
    Watch(WatchArgs),
    /// Show what `up` would change
    #[command(after_help = "Exit codes:\n  0   Same\n  1   Different\n  2+  Error")]
    Diff(DiffArgs),
    /// Change the number of executors
    Scale(ScaleArgs),
    /// Replace a flame's Pods, or those of one component
    Restart(RestartArgs),
    /// Check FlameCluster files, without a server
    Validate(ValidateArgs),
    /// Print the completion script of a shell
    #[command(alias = "completion")]
    Completions(CompletionsArgs),
    /// Print a man page
    Man(ManArgs),
    /// Print the version
    Version(VersionArgs),
}

/// Arguments of `up`.
#[derive(Args, Clone, Debug)]
pub struct UpArgs {
    /// Read the FlameCluster from FILE; - is standard input
    #[arg(short, long, value_name = "FILE", value_parser = source_parser(), value_hint = ValueHint::FilePath)]
    pub filename: Source,
    /// How long to wait
    #[command(flatten)]
    pub wait: WaitArgs,
    /// Wait until all executors are ready, until Flame's state is Running, or until N or N% of the executors are ready
    #[arg(long, value_name = "all|running|N|N%", default_value = "all", value_parser = bar)]
    #[arg(env = "FLAMECTL_WAIT_FOR", hide_env_values = true)]
    pub wait_for: Bar,
    /// How many Pods to replace at once
    #[command(flatten)]
    pub wave: WaveArgs,
    /// Stop replacing Pods when none got ready for this time
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = duration)]
    #[arg(env = "FLAMECTL_PROGRESS_DEADLINE", hide_env_values = true)]
    pub progress_deadline: Duration,
    /// Show what would change and change nothing
    ///
    /// `client` compares with what was read; `server` sends every change as a dry run, so that admission is asked too.
    /// Without a value it means `client`
    #[arg(long, value_name = "client|server", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "", hide_possible_values = true)]
    pub dry_run: Option<DryRun>,
    /// Take fields that another tool applies
    #[arg(long)]
    pub force_conflicts: bool,
    /// Take over objects under this flame's names that flamectl did not make
    #[arg(long)]
    pub adopt: bool,
    /// Create the namespace if it is not there
    #[arg(long)]
    pub create_namespace: bool,
    /// Whether to ask
    #[command(flatten)]
    pub confirm: ConfirmArgs,
    /// Print the result in this format
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_enum)]
    pub output: ObjectFormat,
}

/// Arguments of `status`.
#[derive(Args, Clone, Debug)]
pub struct StatusArgs {
    /// The flame; without it all flames of the namespace
    #[arg(value_parser = flame_name)]
    pub name: Option<String>,
    /// Show the flames of all namespaces
    #[arg(short = 'A', long, conflicts_with = "name")]
    pub all_namespaces: bool,
    /// Print in this format
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_enum)]
    pub output: ObjectFormat,
    /// Leave the table's header out
    #[arg(long)]
    pub no_headers: bool,
}

/// Arguments of `render`.
#[derive(Args, Clone, Debug)]
pub struct RenderArgs {
    /// Read the FlameCluster from FILE; - is standard input
    #[arg(short, long, value_name = "FILE", value_parser = source_parser(), value_hint = ValueHint::FilePath)]
    pub filename: Source,
    /// Print in this format
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml", value_enum)]
    pub output: ManifestFormat,
}

/// Arguments of `down`.
#[derive(Args, Clone, Debug)]
pub struct DownArgs {
    /// Which flame
    #[command(flatten)]
    pub target: Target,
    /// How long to wait
    #[command(flatten)]
    pub wait: WaitArgs,
    /// Whether to ask
    #[command(flatten)]
    pub confirm: ConfirmArgs,
    /// Print the result in this format
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_enum)]
    pub output: DownFormat,
}

/// Arguments of `watch`.
#[derive(Args, Clone, Debug)]
pub struct WatchArgs {
    /// Read the FlameCluster from FILE, again whenever it changes
    #[arg(short, long, value_name = "FILE", value_parser = source_parser(), value_hint = ValueHint::FilePath)]
    pub filename: Source,
}

/// Arguments of `diff`.
#[derive(Args, Clone, Debug)]
pub struct DiffArgs {
    /// Read the FlameCluster from FILE; - is standard input
    #[arg(short, long, value_name = "FILE", value_parser = source_parser(), value_hint = ValueHint::FilePath)]
    pub filename: Source,
    /// Print field by field as text, or one line an object as table
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub output: DiffFormat,
    /// Exit 0 where there are differences
    #[arg(long)]
    pub exit_zero: bool,
}

/// Arguments of `scale`.
#[derive(Args, Clone, Debug)]
pub struct ScaleArgs {
    /// The flame
    #[arg(value_parser = flame_name)]
    pub name: String,
    /// Number of executors, 0 to 10000
    #[arg(long, value_name = "N", value_parser = replicas())]
    pub replicas: u32,
    /// Change nothing unless N is the number of executors so far
    #[arg(long, value_name = "N", value_parser = replicas())]
    pub current_replicas: Option<u32>,
    /// How long to wait
    #[command(flatten)]
    pub wait: WaitArgs,
    /// Whether to ask
    #[command(flatten)]
    pub confirm: ConfirmArgs,
}

/// Arguments of `restart`.
#[derive(Args, Clone, Debug)]
pub struct RestartArgs {
    /// The flame
    #[arg(value_parser = flame_name)]
    pub name: String,
    /// Replace the Pods of this component only
    #[arg(value_parser = component_parser())]
    pub component: Option<Component>,
    /// How long to wait
    #[command(flatten)]
    pub wait: WaitArgs,
    /// How many Pods to replace at once
    #[command(flatten)]
    pub wave: WaveArgs,
    /// Whether to ask
    #[command(flatten)]
    pub confirm: ConfirmArgs,
}

/// Arguments of `validate`.
#[derive(Args, Clone, Debug)]
pub struct ValidateArgs {
    /// Check FILE; - is standard input (can be repeated)
    #[arg(short, long = "filename", value_name = "FILE", required = true, num_args = 1..)]
    #[arg(value_parser = source_parser(), value_hint = ValueHint::FilePath)]
    pub filenames: Vec<Source>,
    /// Take warnings for errors
    #[arg(long)]
    pub strict: bool,
}

/// Arguments of `completions`.
#[derive(Args, Clone, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Arguments of `man`.
#[derive(Args, Clone, Debug)]
pub struct ManArgs {
    /// The command; without it the page of flamectl itself
    pub subcommand: Option<String>,
}

/// Arguments of `version`.
#[derive(Args, Clone, Debug)]
pub struct VersionArgs {
    /// Print in this format
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub output: VersionFormat,
}

/// How long to wait.
#[derive(Args, Clone, Copy, Debug)]
pub struct WaitArgs {
    /// Wait for the result; --wait=false only sends
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    #[arg(default_value = "true", default_missing_value = "true", hide_possible_values = true)]
    pub wait: bool,
    /// Stop waiting after this time, as 90s, 5m or 1h30m; 0 looks once
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    #[arg(env = "FLAMECTL_TIMEOUT", hide_env_values = true)]
    pub timeout: Duration,
}

/// How many Pods to replace at once.
#[derive(Args, Clone, Copy, Debug)]
pub struct WaveArgs {
    /// Replace at most N or N% of the executors at once
    #[arg(long, value_name = "N|N%", default_value = "25%", value_parser = max_unavailable)]
    #[arg(env = "FLAMECTL_MAX_UNAVAILABLE", hide_env_values = true)]
    pub max_unavailable: MaxUnavailable,
}

/// Whether to ask.
#[derive(Args, Clone, Copy, Debug)]
pub struct ConfirmArgs {
    /// Do not ask before Pods are restarted or deleted
    #[arg(short, long)]
    pub yes: bool,
}

/// Formats of a flame with its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ObjectFormat {
    /// For people
    Table,
    /// FlameCluster with its status
    Json,
    /// FlameCluster with its status
    Yaml,
    /// flamecluster.flame.xflops.io/NAME
    Name,
}

/// Formats of `render`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ManifestFormat {
    /// One document an object
    Yaml,
    /// One List
    Json,
}

/// Formats of `down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DownFormat {
    /// For people
    Table,
    /// flamecluster.flame.xflops.io/NAME
    Name,
}

/// Formats of `diff`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// Field by field
    Text,
    /// One line an object
    Table,
}

/// Formats of `version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VersionFormat {
    /// One line
    Text,
    /// For scripts
    Json,
}

/// What a dry run asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Nobody: it compares
    Client,
    /// The server, without storing
    Server,
    /// `--dry-run` without a value: as `client`, with a warning
    #[value(name = "", hide = true)]
    Bare,
}

/// Where a FlameCluster is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        if path == Path::new("-") { Self::Stdin } else { Self::File(path) }
    }
}

impl fmt::Display for Source {
    /// Writes the name that the user gave: `-` for standard input.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("-"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Which flame: by its name, or by the file that it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `metadata.name`.
    Name(String),
    /// A FlameCluster.
    File(Source),
}

/// Target's arguments as clap knows them; exactly one is there.
#[derive(Args)]
#[group(id = "target", required = true, multiple = false)]
struct TargetArgs {
    /// The flame
    #[arg(value_parser = flame_name)]
    name: Option<String>,
    /// Take name and namespace from FILE; - is standard input
    #[arg(short, long, value_name = "FILE", value_parser = source_parser(), value_hint = ValueHint::FilePath)]
    filename: Option<Source>,
}

impl FromArgMatches for Target {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let TargetArgs { name, filename } = TargetArgs::from_arg_matches(matches)?;
        let target = name.map(Self::Name).or(filename.map(Self::File));
        target.ok_or_else(|| clap::Error::raw(ClapKind::MissingRequiredArgument, "a NAME or --filename is missing\n"))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Target {
    fn augment_args(command: clap::Command) -> clap::Command {
        TargetArgs::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        TargetArgs::augment_args_for_update(command)
    }
}

/// Text that ends the program before a command runs: help, the version, or what is wrong with the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What to print: on stdout where `exit_code` is 0, else on stderr.
    pub text: String,
    /// 0, or 2 for bad usage.
    pub exit_code: u8,
}

/// Returns what `args` ask for; the first of them is the name that flamectl was called by.
///
/// # Errors
/// Help and version come as a [`Notice`] too.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Notice> {
    let args: Vec<OsString> = args.into_iter().collect();
    let bin_name = called_as(args.first().map_or(OsStr::new(BINARY), OsString::as_os_str));
    let command = without_empty_variables(command(&bin_name));
    command.try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| Notice {
        text: error.render().to_string(),
        // A plain `flamectl` gets the help, but did nothing.
        exit_code: if error.use_stderr() { 2 } else { 0 },
    })
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

/// Returns a shell's completion script.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut documented(), BINARY, &mut script);
    script
}

/// Returns a man page as roff: of `subcommand`, or of flamectl itself.
///
/// # Errors
/// There is no such command.
pub fn man(subcommand: Option<&str>) -> Result<Vec<u8>> {
    let mut command = documented();
    command.build();
    let page = match subcommand {
        None => Some(&command),
        Some(name) => command.find_subcommand(name),
    };
    let page = page.ok_or_else(|| {
        let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let what = format!("flamectl has no command {:?}", subcommand.unwrap_or_default());
        Error::input(what).hint(format!("one of {}", names.join(", ")))
    })?;
    roff(page.clone()).map_err(|error| Error::server(format!("the man page was not written: {error}")))
}

fn roff(command: clap::Command) -> io::Result<Vec<u8>> {
    let source = format!("{BINARY} {}", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    Man::new(command).source(source).manual("flamectl manual").render(&mut page)?;
    Ok(page)
}

/// Returns every generated file by its name, as `completions/` holds them.
///
/// # Errors
/// None that a caller could cause.
pub fn generated_files() -> Result<Vec<(String, Vec<u8>)>> {
    let shells = [
        ("flamectl.bash", Shell::Bash),
        ("_flamectl", Shell::Zsh),
        ("flamectl.fish", Shell::Fish),
        ("_flamectl.ps1", Shell::PowerShell),
        ("flamectl.elv", Shell::Elvish),
    ];
    let mut files: Vec<_> = shells.map(|(name, shell)| (name.to_owned(), completions(shell))).into();
    files.push(("flamectl.1".to_owned(), man(None)?));
    for verb in documented().get_subcommands() {
        files.push((format!("flamectl-{}.1", verb.get_name()), man(Some(verb.get_name()))?));
    }
    Ok(files)
}

/// Returns the definition that documentation is made from, the same wherever it is made.
fn documented() -> clap::Command {
    command(BINARY).disable_help_subcommand(true)
}

/// Parses a duration as Go writes it: `90s`, `5m`, `1h30m`, `1.5h`, `500ms`, `0`.
fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        return Err(format!("the unit is missing; {text} seconds are {text}s"));
    }
    let parsed: SignedDuration = text.parse().map_err(|_| "not a duration; write it as 90s, 5m or 1h30m".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a duration can't be negative".to_owned())
}

/// Parses `all`, `running`, `N` or `N%`.
fn bar(text: &str) -> Result<Bar, String> {
    match text {
        "all" => Ok(Bar::All),
        "running" => Ok(Bar::Running),
        _ => match number(text) {
            Some((count, false)) => Ok(Bar::Count(count)),
            Some((percent, true)) if percent <= 100 => Ok(Bar::Percent(percent)),
            Some(_) => Err("more than 100%".to_owned()),
            None => Err("not all, running, a number of executors or a share as 80%".to_owned()),
        },
    }
}

/// Parses `N` or `N%`, at least 1: with 0 nothing could ever be replaced.
fn max_unavailable(text: &str) -> Result<MaxUnavailable, String> {
    match number(text) {
        Some((0, _)) => Err("at least 1 executor has to be replaced at a time".to_owned()),
        Some((count, false)) => Ok(MaxUnavailable::Count(count)),
        Some((percent, true)) if percent <= 100 => Ok(MaxUnavailable::Percent(percent)),
        Some(_) => Err("more than 100%".to_owned()),
        None => Err("not a number of executors or a share as 25%".to_owned()),
    }
}

/// Returns the number and whether `%` follows it.
fn number(text: &str) -> Option<(u32, bool)> {
    let digits = text.strip_suffix('%').unwrap_or(text);
    let number = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((number, digits.len() < text.len()))
}

/// Parses a flame's name, also as `-o name` prints it.
fn flame_name(text: &str) -> Result<String, String> {
    let name = match text.split_once('/') {
        Some(("flamecluster" | "flamecluster.flame.xflops.io", name)) => name,
        _ => text,
    };
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err("a flame's name starts with a lower-case letter".to_owned());
    }
    label(name, MAX_NAME_LENGTH)
}

/// Parses a namespace's name.
fn namespace(text: &str) -> Result<String, String> {
    // Kubernetes: a DNS-1123 label.
    label(text, 63)
}

/// Parses what names in Kubernetes have in common; they become parts of request paths.
fn label(text: &str, max_length: usize) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || text.len() > max_length {
        return Err(format!("a name has 1 to {max_length} characters"));
    }
    if !text.bytes().all(allowed) || text.starts_with('-') || text.ends_with('-') {
        return Err("a name has lower-case letters, digits and, inside, hyphens".to_owned());
    }
    Ok(text.to_owned())
}

fn replicas() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=i64::from(MAX_REPLICAS))
}

fn source_parser() -> impl TypedValueParser<Value = Source> {
    PathBufValueParser::new().map(Source::from)
}

fn component_parser() -> impl TypedValueParser<Value = Component> {
    let components = [Component::SessionManager, Component::ExecutorManager];
    PossibleValuesParser::new(components.map(Component::name)).map(move |name| {
        if name == Component::SessionManager.name() { Component::SessionManager } else { Component::ExecutorManager }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, Notice> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[track_caller]
    fn up(line: &str) -> UpArgs {
        match parsed(line).unwrap().verb {
            Verb::Up(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn refused(line: &str) -> String {
        let notice = parsed(line).unwrap_err();
        assert_eq!(notice.exit_code, 2, "{}", notice.text);
        notice.text.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_definition_is_consistent() {
        command(BINARY).debug_assert();
    }

    #[test]
    fn every_command_has_the_arguments_it_promises() {
        for line in [
            "flamectl up -f a.yaml -o yaml -y --adopt --create-namespace --force-conflicts",
            "flamectl status",
            "flamectl status demo -o json",
            "flamectl status -A --no-headers -o name",
            "flamectl render -f - -o json",
            "flamectl down demo -y --wait=false -o name",
            "flamectl down -f a.yaml --timeout 90s",
            "flamectl watch -f a.yaml",
            "flamectl diff -f a.yaml --exit-zero -o table",
            "flamectl scale demo --replicas 0 --current-replicas 10000 -y",
            "flamectl restart demo --max-unavailable 3",
            "flamectl restart demo executor-manager",
            "flamectl validate -f a.yaml -f b.yaml c.yaml --strict",
            "flamectl completions zsh",
            "flamectl man up",
            "flamectl version -o json",
            "flamectl -n ml --context c --kubeconfig k --request-timeout 0 --as u --as-group g --as-group h -v status",
            "flamectl status -q -n ml --color never",
        ] {
            assert!(parsed(line).is_ok(), "{line}: {:?}", parsed(line));
        }
    }

    #[test]
    fn up_has_the_documented_defaults() {
        let args = up("flamectl up -f a.yaml");
        assert_eq!(args.filename, Source::File("a.yaml".into()));
        assert!(args.wait.wait && !args.confirm.yes && !args.adopt && !args.force_conflicts && !args.create_namespace);
        assert_eq!(args.wait.timeout, Duration::from_secs(300));
        assert_eq!(args.progress_deadline, Duration::from_secs(180));
        assert_eq!((args.wait_for, args.wave.max_unavailable), (Bar::All, MaxUnavailable::Percent(25)));
        assert_eq!((args.dry_run, args.output), (None, ObjectFormat::Table));
    }

    #[test]
    fn a_dry_run_without_a_value_can_be_told_apart() {
        assert_eq!(up("flamectl up --dry-run -f a").dry_run, Some(DryRun::Bare));
        assert_eq!(up("flamectl up --dry-run=client -f a").dry_run, Some(DryRun::Client));
        assert_eq!(up("flamectl up --dry-run=server -f a").dry_run, Some(DryRun::Server));
    }

    #[test]
    fn waiting_is_switched_off_with_an_equals_sign() {
        assert!(!up("flamectl up --wait=false -f a").wait.wait);
        assert!(up("flamectl up --wait -f a").wait.wait);
    }

    #[test]
    fn a_dash_is_standard_input() {
        assert_eq!(up("flamectl up -f -").filename, Source::Stdin);
        assert_eq!(Source::Stdin.to_string(), "-");
        assert_eq!(Source::File("a/b.yaml".into()).to_string(), "a/b.yaml");
    }

    #[test]
    fn durations_are_written_as_in_go() {
        for (text, milliseconds) in [
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("90s", 90_000),
            ("1.5h", 5_400_000),
            ("500ms", 500),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for (text, message) in [
            ("-5m", "a duration can't be negative"),
            ("90", "the unit is missing; 90 seconds are 90s"),
            ("", "not a duration; write it as 90s, 5m or 1h30m"),
            ("5x", "not a duration; write it as 90s, 5m or 1h30m"),
            ("1d", "not a duration; write it as 90s, 5m or 1h30m"),
            ("99999999999999999999h", "not a duration; write it as 90s, 5m or 1h30m"),
        ] {
            assert_eq!(duration(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn numbers_and_shares_become_domain_types() {
        for (text, expected) in [
            ("all", Some(Bar::All)),
            ("running", Some(Bar::Running)),
            ("3", Some(Bar::Count(3))),
            ("80%", Some(Bar::Percent(80))),
            ("0", Some(Bar::Count(0))),
            ("101%", None),
            ("+3", None),
            ("-3", None),
            ("3.5", None),
            ("%", None),
            ("", None),
            ("4294967296", None),
        ] {
            assert_eq!(bar(text).ok(), expected, "{text}");
        }
        for (text, expected) in [
            ("1", Some(MaxUnavailable::Count(1))),
            ("25%", Some(MaxUnavailable::Percent(25))),
            ("0", None),
            ("0%", None),
            ("101%", None),
        ] {
            assert_eq!(max_unavailable(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_flame_is_named_as_it_is_printed() {
        for (text, expected) in [
            ("demo", Some("demo")),
            ("flamecluster/demo", Some("demo")),
            ("flamecluster.flame.xflops.io/demo", Some("demo")),
            ("pod/demo", None),
            ("1demo", None),
            ("-demo", None),
            ("demo-", None),
            ("Demo", None),
            ("..", None),
            ("", None),
        ] {
            assert_eq!(flame_name(text).ok().as_deref(), expected, "{text}");
        }
        assert!(flame_name(&"a".repeat(47)).is_ok());
        assert!(flame_name(&"a".repeat(48)).is_err());
    }

    #[test]
    fn down_takes_a_name_or_a_file() {
        let target = |line| match parsed(line).unwrap().verb {
            Verb::Down(args) => args.target,
            other => panic!("{other:?}"),
        };
        assert_eq!(target("flamectl down demo"), Target::Name("demo".to_owned()));
        assert_eq!(target("flamectl down -f -"), Target::File(Source::Stdin));
        refused("flamectl down");
        refused("flamectl down demo -f a.yaml");
    }

    #[test]
    fn bad_usage_exits_2_and_says_why() {
        for (line, message) in [
            (
                "flamectl up -f a --timeout 5",
                "error: invalid value '5' for '--timeout <DURATION>': the unit is missing; 5 seconds are 5s",
            ),
            ("flamectl up -f a -f b", "error: the argument '--filename <FILE>' cannot be used multiple times"),
            ("flamectl scale demo --replicas -1", "error: unexpected argument '-1' found"),
            (
                "flamectl scale demo --replicas 10001",
                "error: invalid value '10001' for '--replicas <N>': 10001 is not in 0..=10000",
            ),
            ("flamectl status demo -A", "error: the argument '[NAME]' cannot be used with '--all-namespaces'"),
            ("flamectl sttus", "error: unrecognized subcommand 'sttus'"),
        ] {
            assert_eq!(refused(line), message, "{line}");
        }
    }

    #[test]
    fn usage_shows_the_name_it_was_called_by() {
        for (argv0, usage) in [
            ("flamectl", "Usage: flamectl up [OPTIONS] --filename <FILE>"),
            ("/usr/local/bin/kubectl-flame", "Usage: kubectl flame up [OPTIONS] --filename <FILE>"),
        ] {
            let text = parsed(&format!("{argv0} up -h")).unwrap_err().text;
            assert!(text.lines().any(|line| line == usage), "{text}");
        }
        assert_eq!(called_as(OsStr::new("flamectl.exe")), "flamectl");
    }

    #[test]
    fn help_says_first_what_it_is_and_lists_exit_codes() {
        let help = parsed("flamectl --help").unwrap_err();
        assert_eq!(help.exit_code, 0);
        let first = help.text.lines().next().unwrap_or_default();
        assert!(first.contains("Flame on Kubernetes") && first.contains("flmctl"), "{first}");
        assert!(help.text.contains("  130  Interrupted\n"), "{}", help.text);
        assert_eq!(parsed("flamectl").unwrap_err().exit_code, 2);
    }

    #[test]
    fn values_of_variables_are_never_shown() {
        for command in std::iter::once(&command(BINARY)).chain(command(BINARY).get_subcommands()) {
            for arg in command.get_arguments().filter(|arg| arg.get_env().is_some()) {
                let name = format!("FLAMECTL_{}", arg.get_long().unwrap_or_default().replace('-', "_").to_uppercase());
                assert_eq!(arg.get_env(), Some(OsStr::new(&name)));
                assert!(arg.is_hide_env_values_set(), "{name}");
            }
        }
    }

    #[test]
    fn every_command_has_a_man_page_and_every_shell_a_script() {
        let files = generated_files().unwrap();
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names[..6],
            ["flamectl.bash", "_flamectl", "flamectl.fish", "_flamectl.ps1", "flamectl.elv", "flamectl.1"]
        );
        assert_eq!(names.len(), 6 + command(BINARY).get_subcommands().count());
        assert!(files.iter().all(|(_, bytes)| !bytes.is_empty()));
        assert_eq!(man(Some("nope")).unwrap_err().what, "flamectl has no command \"nope\"");
    }
}
