//! Who is compared, at what, and the commands by which each does it.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::arguments::Until;
use crate::inputs::{Files, Requests};
use crate::search::InFlight;

/// The name of every flame here.
pub const FLAME: &str = "bench";
/// Selects its objects.
pub const SELECTOR: &str = "app.kubernetes.io/instance=bench";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Tool {
    Flamectl,
    Kubectl,
    /// kubectl with --server-side
    KubectlServerSide,
    Helm,
    Kapp,
    /// Sends exactly the requests that are needed, server-side apply for what is created or changed
    Roofline,
    /// The same, but creates with POST
    RooflinePost,
    /// The same, but deletes Services and the ConfigMap only when the Pods are gone, as flamectl has to
    RooflineInOrder,
}

impl Tool {
    pub const ALL: [Self; 8] = [
        Self::Flamectl,
        Self::Kubectl,
        Self::KubectlServerSide,
        Self::Helm,
        Self::Kapp,
        Self::Roofline,
        Self::RooflinePost,
        Self::RooflineInOrder,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Flamectl => "flamectl",
            Self::Kubectl => "kubectl",
            Self::KubectlServerSide => "kubectl-server-side",
            Self::Helm => "helm",
            Self::Kapp => "kapp",
            Self::Roofline => "roofline",
            Self::RooflinePost => "roofline-post",
            Self::RooflineInOrder => "roofline-in-order",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    pub fn is_roofline(self) -> bool {
        matches!(self, Self::Roofline | Self::RooflinePost | Self::RooflineInOrder)
    }

    /// Returns whether it takes part: not where it would do what another tool does, nor where it has nothing like it.
    pub fn does(self, job: Job) -> bool {
        match self {
            Self::Flamectl => true,
            Self::Kubectl => job != Job::Validate,
            Self::KubectlServerSide => !matches!(job, Job::Validate | Job::Version | Job::Status),
            Self::Helm | Self::Kapp => job != Job::Validate,
            Self::Roofline => !matches!(job, Job::Validate | Job::Version),
            Self::RooflinePost => matches!(job, Job::FirstUp | Job::UntilReady | Job::ScaleOut | Job::ScaleFromOne),
            Self::RooflineInOrder => job == Job::Down,
        }
    }
}

impl std::fmt::Display for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Job {
    Version,
    Validate,
    FirstUp,
    Again,
    Status,
    ScaleOut,
    ScaleIn,
    Change,
    Down,
    UntilReady,
    ScaleFromOne,
}

impl Job {
    /// In the order in which each leaves what the next one begins with, as far as that goes.
    pub const ALL: [Self; 11] = [
        Self::Version,
        Self::Validate,
        Self::FirstUp,
        Self::Again,
        Self::Status,
        Self::ScaleOut,
        Self::ScaleIn,
        Self::Change,
        Self::Down,
        Self::UntilReady,
        Self::ScaleFromOne,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Validate => "validate",
            Self::FirstUp => "first-up",
            Self::Again => "again",
            Self::Status => "status",
            Self::ScaleOut => "scale-out",
            Self::ScaleIn => "scale-in",
            Self::Change => "change",
            Self::Down => "down",
            Self::UntilReady => "until-ready",
            Self::ScaleFromOne => "scale-from-one",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|job| job.name() == name)
    }

    /// Returns what is done in it, for the table.
    pub fn about(self) -> &'static str {
        match self {
            Self::Version => "Start-up alone: what each tool prints of its version, without a server.",
            Self::Validate => "Reads the flame's file and finds no mistake, without a server.",
            Self::FirstUp => {
                "Makes a flame of N executors without waiting for its Pods (`--wait=false`). flamectl alone gives the session \
                 manager a head start: executors come when it is ready, or after 5 s."
            }
            Self::Again => "The same again, where nothing is to be changed. The roofline reads all objects once.",
            Self::Status => {
                "Looks at the flame: `flamectl status`, `kubectl get pods -l`, `helm status`, `kapp inspect`."
            }
            Self::ScaleOut => "From N to 2 N executors, without waiting.",
            Self::ScaleIn => {
                "From 2 N to N executors, without waiting. kubectl is told which Pods to delete (by a file) and applies the \
                 ConfigMap; the others find the Pods by themselves."
            }
            Self::Change => "Changes one label of every object in place.",
            Self::Down => "Deletes all and waits until the Pods are gone.",
            Self::UntilReady => {
                "Makes a flame of N executors and waits until all its Pods are Ready; kubectl by `kubectl wait` after the apply."
            }
            Self::ScaleFromOne => "From 1 executor to N, without waiting: the session manager runs already.",
        }
    }

    /// Returns whether it needs no server.
    pub fn is_local(self) -> bool {
        matches!(self, Self::Version | Self::Validate)
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing to do to a flame.
#[derive(Clone, Copy)]
pub enum Step<'a> {
    Version,
    Validate(&'a Files),
    /// Makes what is not there.
    Up {
        to: &'a Files,
        wait: bool,
    },
    Again(&'a Files),
    /// Other metadata.
    Change(&'a Files),
    /// More or fewer executors; `surplus` are the Pods that only the bigger of both has.
    Scale {
        to: &'a Files,
        surplus: &'a Files,
        is_more: bool,
    },
    Status(&'a Files),
    Down(&'a Files),
}

/// Where the programs are.
pub struct Programs {
    pub flamectl: PathBuf,
    pub kubectl: PathBuf,
    pub helm: PathBuf,
    pub kapp: PathBuf,
    /// This program, which is the roofline, too.
    pub own: PathBuf,
}

/// A command line.
#[derive(Clone, Debug)]
pub struct Line {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

/// What a tool works with besides the files.
pub struct Setting<'a> {
    pub programs: &'a Programs,
    pub namespace: &'a str,
    pub in_flight: InFlight,
    /// Seconds that a tool may wait.
    pub limit: u64,
}

impl Setting<'_> {
    /// Returns the commands by which a tool takes a step.
    pub fn lines(&self, tool: Tool, step: Step<'_>) -> Vec<Line> {
        match tool {
            Tool::Flamectl => vec![self.flamectl(step)],
            Tool::Kubectl => self.kubectl(step, &[]),
            Tool::KubectlServerSide => self.kubectl(step, &["--server-side"]),
            Tool::Helm => vec![self.helm(step)],
            Tool::Kapp => vec![self.kapp(step)],
            Tool::Roofline => vec![self.roofline(step, Requests::Apply)],
            Tool::RooflinePost => vec![self.roofline(step, Requests::Create)],
            Tool::RooflineInOrder => vec![match step {
                Step::Down(files) => self.until_gone(files, Requests::DeleteInOrder),
                _ => self.roofline(step, Requests::Apply),
            }],
        }
    }

    /// Returns a cheap command that reads, so that the tool's cache of what the server can do is filled.
    pub fn warm_up(&self, tool: Tool) -> Option<Line> {
        let namespace = ["-n", self.namespace];
        match tool {
            Tool::Kubectl | Tool::KubectlServerSide => {
                Some(line(&self.programs.kubectl, &["get", "pods"]).and(&namespace))
            }
            Tool::Helm => Some(line(&self.programs.helm, &["list"]).and(&namespace)),
            Tool::Flamectl | Tool::Kapp | Tool::Roofline | Tool::RooflinePost | Tool::RooflineInOrder => None,
        }
    }

    fn flamectl(&self, step: Step<'_>) -> Line {
        let flamectl = |arguments: &[&str]| line(&self.programs.flamectl, arguments);
        let up = |files: &Files| flamectl(&["up", "-y", "-f"]).file(&files.flame);
        let wait = format!("--timeout={}s", self.limit);
        let line = match step {
            Step::Version => return flamectl(&["version"]),
            Step::Validate(files) => return flamectl(&["validate", "-f"]).file(&files.flame),
            Step::Up { to, wait: false } | Step::Again(to) | Step::Change(to) => up(to).and(&["--wait=false"]),
            Step::Up { to, wait: true } => up(to).and(&[&wait]),
            Step::Scale { to, .. } => {
                flamectl(&["scale", FLAME, "-y", "--wait=false", "--replicas", &to.replicas.to_string()])
            }
            Step::Status(_) => flamectl(&["status", FLAME]),
            Step::Down(_) => flamectl(&["down", FLAME, "-y", &wait]),
        };
        line.and(&["-n", self.namespace])
    }

    fn kubectl(&self, step: Step<'_>, how: &[&str]) -> Vec<Line> {
        let kubectl = |arguments: &[&str]| line(&self.programs.kubectl, arguments);
        let apply = |file: &Path| kubectl(&["apply"]).and(how).and(&["-f"]).file(file);
        let delete = |file: &Path| kubectl(&["delete", "-f"]).file(file);
        let lines = match step {
            Step::Version => return vec![kubectl(&["version", "--client"])],
            Step::Validate(_) => return Vec::new(),
            Step::Up { to, wait: false } | Step::Again(to) | Step::Change(to) => vec![apply(&to.objects)],
            Step::Up { to, wait: true } => {
                let timeout = format!("--timeout={}s", self.limit);
                vec![apply(&to.objects), kubectl(&["wait", "pod", "--for=condition=Ready", "-l", SELECTOR, &timeout])]
            }
            Step::Scale { to, is_more: true, .. } => vec![apply(&to.objects)],
            Step::Scale { to, surplus, is_more: false } => {
                vec![delete(&surplus.objects).and(&["--wait=false"]), apply(&to.record)]
            }
            Step::Status(_) => vec![kubectl(&["get", "pods", "-l", SELECTOR])],
            Step::Down(files) => vec![delete(&files.objects).and(&["--wait=true"])],
        };
        lines.into_iter().map(|line| line.and(&["-n", self.namespace])).collect()
    }

    fn helm(&self, step: Step<'_>) -> Line {
        let helm = |arguments: &[&str]| line(&self.programs.helm, arguments);
        let timeout = format!("{}s", self.limit);
        let line = match step {
            Step::Version | Step::Validate(_) => return helm(&["version"]),
            Step::Up { to, wait: false } => helm(&["install", FLAME]).file(&to.chart),
            Step::Up { to, wait: true } => helm(&["install", FLAME, "--wait", "--timeout", &timeout]).file(&to.chart),
            Step::Again(to) | Step::Change(to) | Step::Scale { to, .. } => helm(&["upgrade", FLAME]).file(&to.chart),
            Step::Status(_) => helm(&["status", FLAME]),
            Step::Down(_) => helm(&["uninstall", FLAME, "--wait", "--timeout", &timeout]),
        };
        line.and(&["-n", self.namespace])
    }

    fn kapp(&self, step: Step<'_>) -> Line {
        let kapp = |verb: &str| line(&self.programs.kapp, &[verb, "-a", FLAME, "-n", self.namespace]);
        let deploy = |files: &Files| kapp("deploy").and(&["-y", "-f"]).file(&files.objects);
        let timeout = format!("--wait-timeout={}s", self.limit);
        match step {
            Step::Version | Step::Validate(_) => line(&self.programs.kapp, &["version"]),
            Step::Up { to, wait: true } => deploy(to).and(&[&timeout]),
            Step::Up { to, wait: false } | Step::Again(to) | Step::Change(to) | Step::Scale { to, .. } => {
                deploy(to).and(&["--wait=false"])
            }
            Step::Status(_) => kapp("inspect"),
            Step::Down(_) => kapp("delete").and(&["-y", &timeout]),
        }
    }

    /// Returns the command that sends prepared requests.
    pub fn send(&self, files: &Files, requests: Requests, in_flight: usize) -> Line {
        line(&self.programs.own, &["roofline", "--in-flight", &in_flight.to_string(), "--requests"])
            .file(&files.requests(requests))
    }

    fn roofline(&self, step: Step<'_>, creates: Requests) -> Line {
        let InFlight { apply, create, delete, read } = self.in_flight;
        let to_create = if creates == Requests::Create { create } else { apply };
        let send = |files: &Files, requests: Requests, in_flight: usize| self.send(files, requests, in_flight);
        match step {
            Step::Version | Step::Validate(_) => line(&self.programs.own, &[]),
            Step::Up { to, wait: false } => send(to, creates, to_create),
            Step::Up { to, wait: true } => until(send(to, creates, to_create), Until::Ready, to),
            Step::Change(to) => send(to, Requests::Apply, apply),
            Step::Scale { surplus, is_more: true, .. } if creates == Requests::Create => {
                send(surplus, Requests::CreateAndRecord, create)
            }
            Step::Scale { surplus, is_more: true, .. } => send(surplus, Requests::ApplyAndRecord, apply),
            Step::Scale { surplus, is_more: false, .. } => send(surplus, Requests::DeleteAndRecord, delete),
            Step::Again(files) | Step::Status(files) => send(files, Requests::Read, read),
            Step::Down(files) => self.until_gone(files, Requests::Delete),
        }
    }

    fn until_gone(&self, files: &Files, deletes: Requests) -> Line {
        until(self.send(files, deletes, self.in_flight.delete), Until::Gone, files)
    }
}

/// Lets it wait until all Pods of `files` are ready or gone.
fn until(line: Line, until: Until, files: &Files) -> Line {
    let word = if until == Until::Ready { "ready" } else { "gone" };
    line.and(&["--until", word, "--count", &files.pods.to_string(), "--pods", &files.pods_path])
}

fn line(program: &Path, arguments: &[&str]) -> Line {
    Line { program: program.to_owned(), arguments: arguments.iter().map(|&it| it.to_owned()).collect() }
}

impl Line {
    fn and(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&it| it.to_owned()));
        self
    }

    fn file(self, path: &Path) -> Self {
        self.and(&[&path.to_string_lossy()])
    }
}
