//! The arguments of each command, one struct a command; their doc comments are the help text.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{BoolishValueParser, NonEmptyStringValueParser};
use clap::error::ErrorKind as ClapKind;
use clap::{ArgMatches, Args, FromArgMatches, ValueEnum, ValueHint};
use clap_complete::Shell;

use super::values::{
    StatusFormatParser, answer, bar, component_parser, destination_parser, duration, event_type_parser, flame_name,
    flame_version, lease_name, log_target, max_unavailable, replicas, run_as, service_account, source_parser,
    task_parser,
};
use crate::flame::answers::{self, Amounts};
use crate::flame::events::EventType;
use crate::flame::generation::Version;
use crate::flame::logs::LogTarget;
use crate::flame::names::Component;
use crate::flame::parse::Told;
use crate::flame::rbac::{Grantee, Task};
use crate::flame::rollout::{Bar, MaxUnavailable};
use crate::flame::selector::Selector;
use crate::flame::user::RunAs;

/// Arguments of `up`.
#[derive(Args, Clone, Debug)]
pub struct UpArgs {
    /// Read the FlameCluster from FILE; - is standard input
    #[arg(short, long, value_name = "FILE", value_parser = source_parser(), value_hint = ValueHint::FilePath)]
    pub filename: Source,
    /// Apply the FlameCluster itself to the server, and wait until whoever follows such objects made it so
    #[arg(long, conflicts_with = "adopt")]
    pub crd: bool,
    /// How to read it
    #[command(flatten)]
    pub check: CheckArgs,
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
    /// Whether to find out first if it fits
    #[command(flatten)]
    pub preflight: PreflightArgs,
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
    /// Show only flames with these labels, as team=ml or 'team in (ml, vision)'
    ///
    /// Selects by the labels of the flames' ConfigMaps, which have those of the FlameCluster's metadata, in kubectl's syntax:
    /// KEY=VALUE, KEY!=VALUE, KEY in (A, B), KEY notin (A, B), KEY, !KEY, with commas between
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "name", value_parser = Selector::parse)]
    pub selector: Option<Selector>,
    /// Print in this format
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = StatusFormatParser)]
    pub output: StatusFormat,
    /// Go on with every change until interrupted
    ///
    /// A display that is drawn over on a terminal, else one row a change; with json and yaml one document a change. While the
    /// server cannot be asked the state is Unknown, with when it was heard last
    #[arg(short, long)]
    pub watch: bool,
    /// Leave the table's header out
    #[arg(long)]
    pub no_headers: bool,
}

/// Arguments of `logs`.
#[derive(Args, Clone, Debug)]
pub struct LogsArgs {
    /// The flame
    #[arg(value_parser = flame_name)]
    pub name: String,
    /// session-manager, executor-manager, an executor's index, or a Pod; without it all Pods
    #[arg(value_name = "COMPONENT|POD", value_parser = log_target)]
    pub target: Option<LogTarget>,
    /// Go on with new lines until interrupted, those of Pods that are made meanwhile included
    #[arg(short, long)]
    pub follow: bool,
    /// Show only lines of this time until now, as 90s, 5m or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<Duration>,
    /// Show only the last N lines of each Pod; -1 shows all
    ///
    /// Without it: all lines of one Pod, the last 10 of each of several
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(i64).range(-1..=i64::from(u32::MAX)))]
    pub tail: Option<i64>,
    /// Show what the containers wrote that ended before the running ones
    #[arg(short, long, conflicts_with = "follow")]
    pub previous: bool,
    /// Say before each line which Pod wrote it; auto says it where there may be several
    #[arg(long, value_name = "auto|true|false", num_args = 0..=1, require_equals = true, value_enum)]
    #[arg(default_value = "auto", default_missing_value = "true", hide_possible_values = true)]
    pub prefix: PrefixWhen,
    /// Show the time of each line
    #[arg(long)]
    pub timestamps: bool,
    /// Read at most N Pods' logs at once
    ///
    /// With --follow more Pods than that are not followed, which is told
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=1000))]
    #[arg(env = "FLAMECTL_MAX_LOG_REQUESTS", hide_env_values = true)]
    pub max_log_requests: u32,
}

/// Arguments of `connect`.
#[derive(Args, Clone, Debug)]
pub struct ConnectArgs {
    /// The flame
    #[arg(value_parser = flame_name)]
    pub name: String,
    /// Listen on this port of 127.0.0.1; 0 takes a free one
    #[arg(short, long, value_name = "PORT", default_value = "0")]
    pub port: u16,
    /// Wait at most so long for a session manager that is ready; 0 waits for ever
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    pub timeout: Duration,
    /// Print a flame.yaml and forward nothing; asks no server
    ///
    /// Its endpoint is that of --endpoint, 127.0.0.1 with --port, else the Service's, for clients inside the cluster
    #[arg(long, conflicts_with_all = ["command", "timeout"])]
    pub print_config: bool,
    /// With --print-config: where the session manager is
    #[arg(long, value_name = "URL", requires = "print_config", conflicts_with = "port")]
    pub endpoint: Option<String>,
    /// Run this while the port is there, and end with its exit code
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// When lines say which Pod wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrefixWhen {
    /// Where there may be several Pods
    Auto,
    /// Always
    True,
    /// Never
    False,
}

/// Arguments of `events`.
#[derive(Args, Clone, Debug)]
pub struct EventsArgs {
    /// The flame
    #[arg(value_parser = flame_name)]
    pub name: String,
    /// Go on with new events until interrupted
    #[arg(short, long)]
    pub watch: bool,
    /// Show only events of these types: Normal, Warning
    #[arg(long, value_name = "TYPES", value_delimiter = ',', ignore_case = true, value_parser = event_type_parser())]
    #[arg(hide_possible_values = true)]
    pub types: Vec<EventType>,
    /// Print in this format
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_enum)]
    pub output: EventFormat,
}

/// Formats of `events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EventFormat {
    /// For people
    Table,
    /// One list; with --watch one line an event
    Json,
    /// One list; with --watch one document an event
    Yaml,
}

/// Arguments of `render`.
#[derive(Args, Clone, Debug)]
pub struct RenderArgs {
    /// Read the FlameCluster from FILE; - is standard input
    #[arg(short, long, value_name = "FILE", value_parser = source_parser(), value_hint = ValueHint::FilePath)]
    pub filename: Source,
    /// How to read it
    #[command(flatten)]
    pub check: CheckArgs,
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
    /// The recorded flames to keep, as `up` and `scale` left them; without any, and without -f, all of the namespace
    #[arg(value_name = "NAME", value_parser = flame_name)]
    pub names: Vec<String>,
    /// Keep the flames of these files, or of the files in these directories, and read them again whenever they change
    #[arg(short, long, value_name = "FILE", value_parser = source_parser(), value_hint = ValueHint::AnyPath)]
    #[arg(num_args = 1.., conflicts_with_all = ["names", "all_namespaces"])]
    pub filename: Vec<Source>,
    /// Keep the flames, or with --crd the FlameCluster objects, of all namespaces
    #[arg(short = 'A', long, conflicts_with = "names")]
    pub all_namespaces: bool,
    /// Keep the FlameCluster objects on the server (`flamectl crd` prints their definition), and write their status
    #[arg(long, conflicts_with_all = ["names", "filename"])]
    pub crd: bool,
    /// Look once, put right what has drifted, and end: 0 where nothing had, 1 where something had, more where it failed
    #[arg(long)]
    pub once: bool,
    /// Look once, tell what has drifted, and change nothing; the exit codes are those of --once
    #[arg(long)]
    pub dry_run: bool,
    /// Write lines in this format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum, env = "FLAMECTL_LOG_FORMAT")]
    #[arg(hide_env_values = true)]
    pub log_format: LogFormat,
    /// Answer /healthz, /readyz and /metrics (Prometheus) over HTTP at this address, as 127.0.0.1:8080; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with_all = ["once", "dry_run"])]
    pub listen: Option<SocketAddr>,
    /// Work only while holding a Lease; of several processes with the same one, the others stand by
    ///
    /// Another takes over within 15 seconds, at once where the leader was told to end
    #[arg(long, conflicts_with_all = ["once", "dry_run"])]
    pub leader_elect: bool,
    /// The Lease to hold
    ///
    /// Without a namespace it is where flames known by name only are: that of -n, of the context, or of the Pod
    #[arg(long, value_name = "[NAMESPACE/]NAME", default_value = "flamectl-watch", requires = "leader_elect")]
    #[arg(value_parser = lease_name)]
    pub lease: LeaseName,
}

/// The name of a Lease, and where it is if that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseName {
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// How `watch` writes its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// The time, the level, the flame, and what happened
    Text,
    /// One JSON object a line
    Json,
}

/// Arguments of `diff`.
#[derive(Args, Clone, Debug)]
pub struct DiffArgs {
    /// Read the FlameCluster from FILE; - is standard input
    #[arg(short, long, value_name = "FILE", value_parser = source_parser(), value_hint = ValueHint::FilePath)]
    pub filename: Source,
    /// How to read it
    #[command(flatten)]
    pub check: CheckArgs,
    /// Print field by field as text, or one line an object as table
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub output: DiffFormat,
    /// Exit 0 where there are differences
    #[arg(long)]
    pub exit_zero: bool,
    /// Whether to find out if it fits
    #[command(flatten)]
    pub preflight: PreflightArgs,
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
    /// Whether to find out first if it fits
    #[command(flatten)]
    pub preflight: PreflightArgs,
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
    /// Whether to find out first if it fits
    #[command(flatten)]
    pub preflight: PreflightArgs,
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
    /// Check FILE, or the *.yaml, *.yml and *.json files of a directory; - is standard input (can be repeated)
    #[arg(short, long = "filename", value_name = "FILE", required = true, num_args = 1..)]
    #[arg(value_parser = source_parser(), value_hint = ValueHint::AnyPath)]
    pub filenames: Vec<Source>,
    /// How to read them
    #[command(flatten)]
    pub check: CheckArgs,
    /// Ask the server, too, whether it would take the flames as it is now
    ///
    /// Quotas, limits, nodes, the namespace's PodSecurity level and your rights, each flame for itself; nothing is written
    #[arg(long)]
    pub server: bool,
    /// Print what is wrong in this format
    ///
    /// `json`, `sarif` and `github` go to standard output, also where nothing is wrong. `json` is an object with
    /// apiVersion (flamectl/v1), the numbers of files, errors and warnings, and problems. Each problem has file, line,
    /// column, endColumn, path, severity, message and hint. Columns count characters from 1, endColumn is the first
    /// behind the text; line and columns are null where a file as a whole is meant, path is empty where no field is
    /// meant, severity is error or warning, hint may be null
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_enum)]
    pub output: ReportFormat,
}

/// Arguments of `init`.
#[derive(Args, Clone, Debug)]
pub struct InitArgs {
    /// Write FILE, which may not be there yet; - is standard output
    #[arg(value_name = "FILE", default_value = "flame.yaml", value_parser = destination_parser())]
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: Destination,
    /// Name the flame NAME
    ///
    /// By default after the directory
    #[arg(long, value_parser = answer(answers::name))]
    pub name: Option<String>,
    /// Run the session manager from IMAGE
    ///
    /// By default xflops/flame-session:v0.1.0
    #[arg(long, value_name = "IMAGE", value_parser = answer(answers::image))]
    pub session_manager_image: Option<String>,
    /// Request AMOUNTS for the session manager, as cpu=500m,memory=512Mi, or none
    ///
    /// By default cpu=500m,memory=512Mi, and no more than the limits
    #[arg(long, value_name = "AMOUNTS", value_parser = answer(answers::amounts))]
    pub session_manager_requests: Option<Amounts>,
    /// Limit the session manager to AMOUNTS, as cpu=1,memory=1Gi, or none
    ///
    /// By default cpu=1,memory=1Gi for what is requested, and no less than the requests
    #[arg(long, value_name = "AMOUNTS", value_parser = answer(answers::amounts))]
    pub session_manager_limits: Option<Amounts>,
    /// Give each executor this much, as cpu=1,mem=1g, or none
    ///
    /// By default cpu=1,mem=1g
    #[arg(long, value_parser = answer(answers::slot))]
    pub slot: Option<String>,
    /// Run the executor managers from IMAGE
    ///
    /// By default from flame-executor of the same place and tag as the session manager's image
    #[arg(long, value_name = "IMAGE", value_parser = answer(answers::image))]
    pub executor_manager_image: Option<String>,
    /// Run N executor managers, 0 to 10000
    ///
    /// By default 1
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = answer(answers::replicas))]
    pub replicas: Option<u32>,
    /// Request AMOUNTS for each executor manager, as cpu=1,memory=2Gi, or none
    ///
    /// By default cpu=1,memory=2Gi, and no more than the limits
    #[arg(long, value_name = "AMOUNTS", value_parser = answer(answers::amounts))]
    pub executor_manager_requests: Option<Amounts>,
    /// Limit each executor manager to AMOUNTS, as cpu=2,memory=4Gi, or none
    ///
    /// By default cpu=2,memory=4Gi for what is requested, and no less than the requests
    #[arg(long, value_name = "AMOUNTS", value_parser = answer(answers::amounts))]
    pub executor_manager_limits: Option<Amounts>,
    /// Do not ask for what the flags leave open
    #[arg(short, long)]
    pub yes: bool,
}

/// Arguments of `explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// The field, as spec.executorManager.replicas, or only its name; without it the whole FlameCluster
    #[arg(value_name = "FIELD.PATH")]
    pub field: Option<String>,
    /// Print the names of all fields below, and nothing else about them
    #[arg(long)]
    pub recursive: bool,
}

/// `flamectl crd`.
#[derive(Clone, Debug, Args)]
pub struct CrdArgs {
    /// Print in this format
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml", value_enum)]
    pub output: ManifestFormat,
}

/// Arguments of `schema`.
#[derive(Args, Clone, Copy, Debug)]
pub struct SchemaArgs {
    /// What it is the schema of
    #[arg(long, value_name = "WHAT", default_value = "flamecluster", value_enum)]
    pub of: SchemaOf,
}

/// What there are schemas of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// A FlameCluster file, for editors
    Flamecluster,
    /// What `status` and `up` print with -o json
    Status,
    /// A line on standard error with --progress=json
    Progress,
    /// What `validate` prints with -o json
    Validate,
}

/// Arguments of `rbac`.
#[derive(Args, Clone, Debug)]
pub struct RbacArgs {
    /// For the flame that FILE says only
    ///
    /// Reading, changing and deleting are then narrowed to its ConfigMap, Services and FlameCluster by name; its Pods are
    /// numbered, and of those there may be more one day. Kubernetes narrows no list, watch or create
    #[arg(short, long, value_name = "FILE", value_parser = source_parser(), value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with = "all_namespaces")]
    pub filename: Option<Source>,
    /// For the flames of all namespaces: a ClusterRole
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// For flames that live as FlameCluster objects
    #[arg(long)]
    pub crd: bool,
    /// For these commands only: up, status, down, scale, restart, diff, logs, events, watch
    ///
    /// Without it all of them but watch, which is for a process of its own. A Role for some is named after them
    #[arg(long = "for", value_name = "COMMANDS", value_delimiter = ',', value_parser = task_parser())]
    #[arg(hide_possible_values = true)]
    pub tasks: Vec<Task>,
    /// For `watch --leader-elect`, too: the Lease flamectl-watch in the namespace of -n, or of the context
    #[arg(long)]
    pub leader_elect: bool,
    /// Grant it to this user
    #[arg(long, value_name = "NAME", group = "subject", value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,
    /// Grant it to this group
    #[arg(long, value_name = "NAME", group = "subject", value_parser = NonEmptyStringValueParser::new())]
    pub group: Option<String>,
    /// Grant it to this ServiceAccount
    #[arg(long, value_name = "NAMESPACE:NAME", group = "subject", value_parser = service_account)]
    pub serviceaccount: Option<Grantee>,
    /// Print nothing but the rights that you lack, one a line: 0 where none is missing, 5 where one is
    ///
    /// With --as somebody else is asked about
    #[arg(long, conflicts_with = "subject")]
    pub check: bool,
}

/// Arguments of `install`.
#[derive(Args, Clone, Debug)]
pub struct InstallArgs {
    /// Run this image of flamectl, as the Containerfile makes it
    #[arg(long, value_name = "IMAGE", default_value = concat!("flamectl:v", env!("CARGO_PKG_VERSION")))]
    #[arg(value_parser = answer(answers::image))]
    pub image: String,
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

/// Whether to find out first if it fits.
#[derive(Args, Clone, Copy, Debug)]
pub struct PreflightArgs {
    /// Do not ask first whether it fits
    ///
    /// Before the first write quotas, limits, nodes, the namespace's PodSecurity level and your rights are compared with what
    /// the change needs. What cannot work is an error, and nothing is written; what only might not is a warning
    #[arg(long, env = "FLAMECTL_SKIP_PREFLIGHT", hide_env_values = true, value_parser = BoolishValueParser::new())]
    pub skip_preflight: bool,
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

/// How a FlameCluster is read.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct CheckArgs {
    /// Take warnings about the file for errors
    #[arg(long)]
    pub strict: bool,
    /// Run the Pods as this user, and group, instead of that of their image, as a namespace may demand
    ///
    /// Sets the annotation flame.xflops.io/run-as-user, which the flame keeps until `up` is called without
    #[arg(long, value_name = "UID[:GID]", value_parser = run_as)]
    pub run_as_user: Option<RunAs>,
    /// Which Flame the images hold, where their tags do not tell: the annotation flame.xflops.io/flame-version
    ///
    /// From 0.6 on the object cache has a Pod of its own. The record keeps the version, the file does not: up without this
    /// goes by the file alone
    #[arg(long, value_name = "VERSION", value_parser = flame_version)]
    pub flame_version: Option<Version>,
}

impl CheckArgs {
    /// Returns what the arguments say in place of the file.
    pub fn told(self) -> Told {
        Told { run_as_user: self.run_as_user, flame_version: self.flame_version }
    }
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

/// Formats of `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusFormat {
    /// For people.
    Table,
    /// For people who want to see each Pod, or more columns of a list.
    Wide,
    /// FlameCluster with its status.
    Json,
    /// FlameCluster with its status.
    Yaml,
    /// `flamecluster.flame.xflops.io/NAME`.
    Name,
    /// What a template makes of the FlameCluster with its status.
    JsonPath(String),
}

impl StatusFormat {
    /// What an argument says for each, and what that is.
    pub(super) const WORDS: [(&str, &str, Self); 6] = [
        ("table", "For people", Self::Table),
        ("wide", "With a line for each Pod; of a list with more columns", Self::Wide),
        ("json", "FlameCluster with its status", Self::Json),
        ("yaml", "FlameCluster with its status", Self::Yaml),
        ("name", "flamecluster.flame.xflops.io/NAME", Self::Name),
        ("jsonpath=TEMPLATE", "What kubectl's template makes of the JSON", Self::JsonPath(String::new())),
    ];
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

/// Formats of `validate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people, on standard error
    Text,
    /// One object, to which later versions only add
    Json,
    /// SARIF 2.1.0, for code hosts
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
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

/// Where a new FlameCluster is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
}

impl From<PathBuf> for Destination {
    fn from(path: PathBuf) -> Self {
        if path == Path::new("-") { Self::Stdout } else { Self::File(path) }
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
