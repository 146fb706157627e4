//! Who does what when: brings the flame of each tool to where a job begins, and measures the job.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::Result;
use crate::arguments::{RunArguments, User};
use crate::audit;
use crate::inputs::{Inputs, Requests};
use crate::launch;
use crate::measure::{self, Environment, Spent};
use crate::relay::{Relay, Traffic};
use crate::results::{Results, Row};
use crate::search::{self, InFlight};
use crate::server::{Server, bed, script};
use crate::surroundings::surroundings;
use crate::tools::{Job, Programs, Setting, Step, Tool};

/// Bigger flames than this exist one at a time, smaller ones those of all tools at once.
const SIDE_BY_SIDE: u32 = 1000;
/// Bigger ones are not counted requests of: their numbers follow from the smaller ones', and the log gets long.
const AUDITED: u32 = 1000;
/// What takes milliseconds is done so often instead.
const LOCAL_RUNS: u32 = 20;
/// Most executors that flamectl takes; scaling out doubles them.
const MOST: u32 = 10_000;
/// A simulated node takes so many Pods.
const PODS_OF_A_NODE: usize = 5000;
/// Where the roofline's number of requests in flight is found.
const SEARCH: &str = "compare-search";

/// What is in the namespace of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Nothing,
    Flame {
        replicas: u32,
        is_changed: bool,
    },
    /// Something went wrong.
    Unknown,
}

pub fn run(arguments: &RunArguments) -> Result<()> {
    let work = tempfile::Builder::new().prefix("flamectl-compare-").tempdir()?;
    let programs = programs(arguments)?;
    let relay = Relay::start()?;
    let mut all = All { arguments, programs, relay, work: work.path().to_owned(), in_flight: HashMap::new() };
    let mut results = all.open()?;
    for size in &arguments.sizes {
        all.measure(&mut results, *size, false)?;
        if !arguments.no_audit && *size <= AUDITED {
            all.measure(&mut results, *size, true)?;
        }
    }
    results.publish()?;
    println!("see {}", arguments.into.join("table.md").display());
    Ok(())
}

fn programs(arguments: &RunArguments) -> Result<Programs> {
    let peers = match &arguments.peers {
        Some(peers) => peers.clone(),
        None => script("benches/peers/build", &[])?.into(),
    };
    let program = |path: PathBuf| -> Result<PathBuf> {
        path.canonicalize().map_err(|error| format!("{}: {error}", path.display()).into())
    };
    Ok(Programs {
        flamectl: program(arguments.flamectl.clone())?,
        kubectl: bed(&["path".as_ref(), "kubectl".as_ref()])?.into(),
        helm: program(peers.join("helm"))?,
        kapp: program(peers.join("kapp"))?,
        own: std::env::current_exe()?,
    })
}

/// What lives as long as the whole comparison.
struct All<'a> {
    arguments: &'a RunArguments,
    programs: Programs,
    relay: Relay,
    work: PathBuf,
    /// The roofline's, found once for each condition.
    in_flight: HashMap<(u32, User, u32), InFlight>,
}

impl All<'_> {
    /// Starts a control plane only to hear its version.
    fn open(&self) -> Result<Results> {
        let server = Server::start(&self.work.join("bed-0"), 0, false, &self.relay)?;
        let surroundings = surroundings(&self.programs, &server.version, self.arguments)?;
        print!("{surroundings}");
        Results::open(&self.arguments.into, &surroundings)
    }

    /// Measures flames of one size under all conditions, on a control plane that nothing was done on before.
    fn measure(&mut self, results: &mut Results, size: u32, is_audited: bool) -> Result<()> {
        let RunArguments { users, latencies, tools, runs, .. } = self.arguments;
        let dir = self.work.join(format!("bed-{size}{}", if is_audited { "-audited" } else { "" }));
        let flames = if size <= SIDE_BY_SIDE { tools.len() } else { 1 };
        // Twice the executors after scaling out, and as many again that are going.
        let nodes = (flames * (4 * size as usize + 10)).div_ceil(PODS_OF_A_NODE);
        let server = Server::start(&dir, nodes, is_audited, &self.relay)?;
        server.make_namespace(SEARCH)?;
        for tool in tools {
            server.make_namespace(&namespace(*tool))?;
        }
        let latencies = if is_audited { &latencies[..1] } else { &latencies[..] };
        let mut flames = Flames::new(self, &server, size, is_audited)?;
        for user in users {
            for latency in latencies {
                flames.set_condition(*user, *latency)?;
                for run in 1..=if is_audited { 1 } else { *runs } {
                    for (job, tool) in self.order(size, run) {
                        if !job.is_local() {
                            flames.job(results, job, tool, run)?;
                        } else if !is_audited && (user, latency) == (&users[0], &latencies[0]) && run == 1 {
                            for run in 1..=LOCAL_RUNS {
                                flames.job(results, job, tool, run)?;
                            }
                        }
                    }
                    results.publish()?;
                }
            }
        }
        let in_flight = flames.all_in_flight;
        self.in_flight = in_flight;
        Ok(())
    }

    /// Returns what is done in a run, in which order. Each job is done by all tools in turn, where their flames may be there
    /// at once, else each tool does all jobs in turn. Another tool begins each time.
    fn order(&self, size: u32, run: u32) -> Vec<(Job, Tool)> {
        let RunArguments { jobs, tools, .. } = self.arguments;
        // In the order in which one job leaves what the next begins with, whatever was said.
        let fits = |job: &Job| size <= MOST / 2 || !matches!(job, Job::ScaleOut | Job::ScaleIn);
        let jobs: Vec<Job> = Job::ALL.into_iter().filter(|job| jobs.contains(job) && fits(job)).collect();
        let turn = |by: usize| {
            let mut tools = tools.clone();
            let by = by % tools.len().max(1);
            tools.rotate_left(by);
            tools
        };
        let run = run as usize - 1;
        let all: Vec<(Job, Tool)> = if size <= SIDE_BY_SIDE {
            let of_job =
                |(number, job): (usize, &Job)| turn(run + number).into_iter().map(|tool| (*job, tool)).collect();
            jobs.iter().enumerate().flat_map(|it| -> Vec<_> { of_job(it) }).collect()
        } else {
            turn(run)
                .into_iter()
                .flat_map(|tool| jobs.iter().map(move |job| (*job, tool)).collect::<Vec<_>>())
                .collect()
        };
        all.into_iter().filter(|(job, tool)| tool.does(*job)).collect()
    }
}

fn namespace(tool: Tool) -> String {
    format!("compare-{tool}")
}

/// The flames of one size on one control plane.
struct Flames<'a> {
    all: &'a All<'a>,
    server: &'a Server,
    size: u32,
    is_audited: bool,
    user: User,
    latency: u32,
    states: HashMap<Tool, State>,
    inputs: HashMap<Tool, Inputs>,
    /// What was over the limit or could not begin under this condition.
    given_up: HashSet<(Tool, Job)>,
    all_in_flight: HashMap<(u32, User, u32), InFlight>,
}

impl<'a> Flames<'a> {
    fn new(all: &'a All<'a>, server: &'a Server, size: u32, is_audited: bool) -> Result<Self> {
        let RunArguments { tools, users, latencies, .. } = all.arguments;
        let files = all.work.join("files");
        let inputs = |tool: &Tool| (*tool, Inputs::new(&files, &all.programs.flamectl, &namespace(*tool)));
        Ok(Self {
            all,
            server,
            size,
            is_audited,
            user: users[0],
            latency: latencies[0],
            states: tools.iter().map(|tool| (*tool, State::Nothing)).collect(),
            inputs: tools.iter().map(inputs).collect(),
            given_up: HashSet::new(),
            all_in_flight: all.in_flight.clone(),
        })
    }

    fn set_condition(&mut self, user: User, latency: u32) -> Result<()> {
        (self.user, self.latency) = (user, latency);
        self.given_up.clear();
        self.all.relay.set_round_trip(Duration::from_millis(latency.into()));
        self.find_in_flight()?;
        for tool in &self.all.arguments.tools {
            let namespace = namespace(*tool);
            if let Some(line) = self.setting(&namespace).warm_up(*tool) {
                measure::run(&self.all.programs.own, &[line], &self.environment(*tool), self.all.arguments.limit)?;
            }
        }
        Ok(())
    }

    fn find_in_flight(&mut self) -> Result<()> {
        let key = (self.size, self.user, self.latency);
        let has_roofline = self.all.arguments.tools.iter().any(|tool| tool.is_roofline());
        if !has_roofline || self.all_in_flight.contains_key(&key) {
            return Ok(());
        }
        let mut inputs = Inputs::new(&self.all.work.join("files"), &self.all.programs.flamectl, SEARCH);
        let best = search::best(&mut inputs, self.size, |files, requests, in_flight| {
            let line = self.setting(SEARCH).send(files, requests, in_flight);
            let environment = self.environment(Tool::Roofline);
            let spent = measure::run(&self.all.programs.own, &[line], &environment, self.all.arguments.limit)?;
            if !spent.is_well() {
                return Err(format!("roofline: {}", spent.words).into());
            }
            let is_gone = requests == Requests::Delete;
            self.server.await_pods(SEARCH, if is_gone { 0 } else { files.pods })?;
            Ok(spent.wall_seconds)
        })?;
        println!("{} executors, {} ms, {}: {best:?}", self.size, self.latency, self.user.name());
        self.all_in_flight.insert(key, best);
        Ok(())
    }

    fn setting<'b>(&'b self, namespace: &'b str) -> Setting<'b> {
        let in_flight = self.all_in_flight.get(&(self.size, self.user, self.latency)).copied().unwrap_or_default();
        Setting { programs: &self.all.programs, namespace, in_flight, limit: self.all.arguments.limit }
    }

    fn environment(&self, tool: Tool) -> Environment {
        Environment {
            home: self.all.work.join(format!("home-{tool}-{}", self.user.name())),
            kubeconfig: self.server.kubeconfig(self.user),
        }
    }

    /// Measures a job once.
    fn job(&mut self, results: &mut Results, job: Job, tool: Tool, run: u32) -> Result<()> {
        if self.given_up.contains(&(tool, job)) {
            return Ok(());
        }
        let row = match self.begin(job, tool) {
            Ok(()) => self.timed(job, tool, run)?,
            Err(why) => {
                self.states.insert(tool, State::Unknown);
                self.given_up.insert((tool, job));
                self.row(
                    job,
                    tool,
                    run,
                    &Spent { exit: "skipped".to_owned(), words: why.to_string(), ..Spent::default() },
                )
            }
        };
        if !row.is_well() {
            let name = format!("{job}-{tool}-{}-{}ms-{}-{run}", self.size, self.latency, row.user);
            results.keep(&name, &self.environment(tool).said().unwrap_or_default())?;
        }
        if row.exit == launch::OVER_LIMIT {
            self.given_up.insert((tool, job));
        }
        let outcome = if row.is_well() { String::new() } else { format!("  {} {}", row.exit, row.words) };
        println!(
            "{:5} executors {:3} ms {:13} run {run} {:14} {:19} {:8.3} s{outcome}",
            row.executors,
            row.latency,
            row.user,
            job.name(),
            tool.name(),
            row.wall_seconds
        );
        results.add(row)
    }

    fn timed(&mut self, job: Job, tool: Tool, run: u32) -> Result<Row> {
        let mark = self.is_audited.then(|| audit::Mark::of(&self.server.audit_log())).transpose()?;
        let (traffic, cpu) = (self.all.relay.traffic(), self.server.cpu()?);
        let spent = self.take(tool, job)?;
        let (traffic, cpu) = (self.all.relay.traffic().since(traffic), self.server.cpu()?.saturating_sub(cpu));
        let mut row = self.row(job, tool, run, &spent);
        Traffic { sent: row.sent, received: row.received, connections: row.connections } = traffic;
        row.server_cpu_seconds = cpu.as_secs_f64();
        if let Some(requests) = mark.map(audit::Mark::count).transpose()? {
            let verbs: Vec<String> = requests.verbs.iter().map(|(verb, number)| format!("{number} {verb}")).collect();
            row.verbs = verbs.join(", ");
            (row.requests, row.throttled) = (Some(requests.all), Some(requests.throttled));
        }
        if !job.is_local() {
            self.end(job, tool, &mut row);
        }
        Ok(row)
    }

    fn row(&self, job: Job, tool: Tool, run: u32, spent: &Spent) -> Row {
        Row {
            time: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            job,
            tool,
            executors: self.size,
            latency: self.latency,
            user: self.user.name().to_owned(),
            run,
            audited: self.is_audited,
            wall_seconds: spent.wall_seconds,
            cpu_seconds: spent.cpu_seconds,
            peak_mib: spent.peak_bytes as f64 / f64::from(1 << 20),
            server_cpu_seconds: 0.0,
            sent: 0,
            received: 0,
            connections: 0,
            exit: spent.exit.clone(),
            requests: None,
            throttled: None,
            verbs: String::new(),
            words: spent.words.clone(),
        }
    }

    /// Brings the flame to where the job begins.
    fn begin(&mut self, job: Job, tool: Tool) -> Result<()> {
        let state = self.states[&tool];
        let wanted = match (job, state) {
            (Job::Version | Job::Validate, _) => return Ok(()),
            (Job::FirstUp | Job::UntilReady, _) => State::Nothing,
            (Job::Status | Job::Down, State::Flame { replicas, .. }) if replicas == self.size => state,
            (Job::ScaleIn, _) => State::Flame { replicas: self.size * 2, is_changed: false },
            (Job::ScaleFromOne, _) => State::Flame { replicas: 1, is_changed: false },
            _ => State::Flame { replicas: self.size, is_changed: false },
        };
        self.go(tool, wanted)
    }

    /// Notes and awaits where the job leaves the flame.
    fn end(&mut self, job: Job, tool: Tool, row: &mut Row) {
        let state = match job {
            Job::Version | Job::Validate | Job::Status => self.states[&tool],
            Job::Down => State::Nothing,
            Job::ScaleOut => State::Flame { replicas: self.size * 2, is_changed: false },
            Job::Change => State::Flame { replicas: self.size, is_changed: true },
            _ => State::Flame { replicas: self.size, is_changed: false },
        };
        let settled = if row.is_well() { self.settle(tool, state) } else { Ok(State::Unknown) };
        let state = settled.unwrap_or_else(|why| {
            (row.exit, row.words) = ("unsettled".to_owned(), why.to_string());
            State::Unknown
        });
        self.states.insert(tool, state);
    }

    fn settle(&self, tool: Tool, state: State) -> Result<State> {
        let pods = if let State::Flame { replicas, .. } = state { replicas as usize + 1 } else { 0 };
        self.server.settle(&namespace(tool), pods)?;
        Ok(state)
    }

    /// Brings the flame from any state to another, with the tool itself.
    fn go(&mut self, tool: Tool, wanted: State) -> Result<()> {
        let state = self.states[&tool];
        if state == wanted {
            return Ok(());
        }
        match state {
            State::Nothing => {}
            State::Unknown => self.server.reset_namespace(&namespace(tool))?,
            State::Flame { .. } => self.untimed(tool, Job::Down)?,
        }
        self.states.insert(tool, self.settle(tool, State::Nothing)?);
        if let State::Flame { replicas, .. } = wanted {
            let size = std::mem::replace(&mut self.size, replicas);
            let up = self.untimed(tool, Job::FirstUp);
            self.size = size;
            up?;
            self.states.insert(tool, self.settle(tool, wanted)?);
        }
        Ok(())
    }

    fn untimed(&mut self, tool: Tool, job: Job) -> Result<()> {
        let spent = self.take(tool, job)?;
        if spent.is_well() { Ok(()) } else { Err(format!("{tool} {job}: {}", spent.words).into()) }
    }

    /// Lets a tool do a job on the flame as it is.
    fn take(&mut self, tool: Tool, job: Job) -> Result<Spent> {
        let (size, state) = (self.size, self.states[&tool]);
        let inputs = self.inputs.get_mut(&tool).ok_or("a tool without inputs")?;
        // What is deleted or looked at may be another flame than the job's own.
        let there = match state {
            State::Flame { replicas, .. } => replicas,
            State::Nothing | State::Unknown => size,
        };
        let (flame, changed) = (inputs.flame(size, false)?, inputs.flame(size, true)?);
        let there = inputs.flame(there, false)?;
        // Of the biggest flames there is no double.
        let double = if job == Job::ScaleOut { inputs.flame(size * 2, false)? } else { flame.clone() };
        let surplus = match job {
            Job::ScaleOut => inputs.surplus(size, size * 2, size * 2)?,
            Job::ScaleIn => inputs.surplus(size, size * 2, size)?,
            Job::ScaleFromOne => inputs.surplus(1, size, size)?,
            _ => flame.clone(),
        };
        let step = match job {
            Job::Version => Step::Version,
            Job::Validate => Step::Validate(&flame),
            Job::FirstUp => Step::Up { to: &flame, wait: false },
            Job::UntilReady => Step::Up { to: &flame, wait: true },
            Job::Again => Step::Again(&flame),
            Job::Status => Step::Status(&there),
            Job::Down => Step::Down(&there),
            Job::Change => Step::Change(&changed),
            Job::ScaleOut => Step::Scale { to: &double, surplus: &surplus, is_more: true },
            Job::ScaleIn => Step::Scale { to: &flame, surplus: &surplus, is_more: false },
            Job::ScaleFromOne => Step::Scale { to: &flame, surplus: &surplus, is_more: true },
        };
        let namespace = namespace(tool);
        let lines = self.setting(&namespace).lines(tool, step);
        measure::run(&self.all.programs.own, &lines, &self.environment(tool), self.all.arguments.limit)
    }
}
