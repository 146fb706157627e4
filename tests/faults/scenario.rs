//! Commands to break, what they should end in, and how to try many at once.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex};

use flamectl::flame::{API_VERSION, ExecutorManager, FlameCluster, KIND, Metadata, SessionManager, Spec};

use crate::bed::bed;
use crate::client::{Ended, Run};
use crate::proxy::Proxy;

pub const NAME: &str = "demo";
/// Cases of one test that run at once.
pub const AT_ONCE: usize = 5;
/// Cases of all tests that run at once, so that two processors do for them.
const IN_ALL: usize = 6;
/// Cases that run at once where the commands do nothing but wait.
const WAITING: usize = 16;

static SLOTS: Slots = Slots { free: Mutex::new(IN_ALL), freed: Condvar::new() };

/// The fields of a flame that scenarios change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub replicas: u32,
    pub image: u32,
    pub max_executors: u32,
}

impl Shape {
    pub fn of(replicas: u32) -> Self {
        Self { replicas, image: 1, max_executors: 10 }
    }

    pub fn flame(self) -> FlameCluster {
        FlameCluster {
            api_version: API_VERSION.into(),
            kind: KIND.into(),
            metadata: Metadata { name: NAME.into(), ..Default::default() },
            spec: Spec {
                session_manager: SessionManager {
                    image: format!("flame/session:v{}", self.image),
                    policy: if self.max_executors == 10 { "fifo".into() } else { "priority".into() },
                    ..Default::default()
                },
                executor_manager: ExecutorManager {
                    image: format!("flame/executor:v{}", self.image),
                    replicas: self.replicas,
                    max_executors: self.max_executors,
                    ..Default::default()
                },
                object_cache: Default::default(),
            },
        }
    }
}

/// What a command is to bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    Up(Shape),
    Down,
}

impl Goal {
    /// Returns the command; nothing in it is there because of a fault.
    pub fn run(self, namespace: &str) -> Run {
        let namespace = namespace.to_owned();
        match self {
            Self::Up(shape) => {
                let input = serde_json::to_string(&shape.flame()).unwrap();
                Run { namespace, input, ..Default::default() }.with(&["up", "-f", "-", "-y", "--timeout", "60s"])
            }
            Self::Down => Run { namespace, ..Default::default() }.with(&["down", NAME, "-y", "--timeout", "60s"]),
        }
    }

    /// Returns what there is in the namespace, fit to be compared with another namespace's.
    pub fn state(self, namespace: &str) -> Vec<String> {
        let shape = match self {
            Self::Up(shape) => shape,
            Self::Down => Shape::of(0),
        };
        bed().state(namespace, &shape.flame())
    }

    fn executors(self) -> u32 {
        match self {
            Self::Up(shape) => shape.replicas,
            Self::Down => 0,
        }
    }
}

/// A command on what was there before.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub name: &'static str,
    pub before: Option<Shape>,
    pub goal: Goal,
}

/// Returns the six changes that a flame goes through, at `n` executors.
pub fn scenarios(n: u32) -> Vec<Scenario> {
    let (small, large) = (Shape::of(n), Shape::of(n + 2));
    let scenario = |name, before, goal| Scenario { name, before, goal };
    vec![
        scenario("create", None, Goal::Up(small)),
        scenario("scale up", Some(small), Goal::Up(large)),
        scenario("scale down", Some(large), Goal::Up(small)),
        scenario("new image", Some(small), Goal::Up(Shape { image: 2, ..small })),
        scenario("new config", Some(small), Goal::Up(Shape { max_executors: 20, ..small })),
        scenario("down", Some(small), Goal::Down),
    ]
}

/// What an undisturbed run does and leaves.
#[derive(Clone, Debug)]
pub struct Learned {
    pub scenario: Scenario,
    pub requests: usize,
    /// How many of them list Pods.
    pub lists: usize,
    pub state: Vec<String>,
}

impl Scenario {
    /// Makes a namespace with what is there before.
    pub fn prepare(&self) -> String {
        let namespace = bed().namespace("case");
        if let Some(before) = self.before {
            let ended = Goal::Up(before).run(&namespace).direct();
            assert_eq!(ended.code, 0, "{}", ended.stderr);
        }
        namespace
    }

    /// Runs undisturbed.
    pub fn learn(self) -> Learned {
        let namespace = self.prepare();
        let ended = self.goal.run(&namespace).through(&Proxy::plain());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let lists = ended.seen.iter().filter(|seen| seen.class == "list pods").count();
        Learned { scenario: self, requests: ended.seen.len(), lists, state: self.goal.state(&namespace) }
    }
}

impl Learned {
    /// Runs the command once more, unbroken, and says what is not as after an undisturbed run.
    pub fn heals(&self, namespace: &str) -> Result<(), String> {
        let again = self.scenario.goal.run(namespace).direct();
        succeeded("the rerun", &again)?;
        self.is_reached(namespace)?;
        self.is_quiet(namespace)
    }

    /// Says what is not as after an undisturbed run.
    pub fn is_reached(&self, namespace: &str) -> Result<(), String> {
        let state = self.scenario.goal.state(namespace);
        let differences = differences(&state, &self.state);
        if differences.is_empty() { Ok(()) } else { Err(format!("the state differs: {differences}")) }
    }

    /// Says where a further run is not reads only, or not as many as there should be.
    pub fn is_quiet(&self, namespace: &str) -> Result<(), String> {
        let further = self.scenario.goal.run(namespace).through(&Proxy::plain());
        succeeded("a further run", &further)?;
        let classes: Vec<&str> = further.seen.iter().map(|seen| seen.class.as_str()).collect();
        let reads = classes.iter().all(|class| class.starts_with("get") || class.starts_with("list"));
        // Where nothing remembers the flame any more, it may still live as an object.
        let objects = usize::from(matches!(self.scenario.goal, Goal::Down));
        let asks_so = classes.iter().filter(|class| **class == "get apis").count() == objects;
        let wanted = 4 + objects + self.scenario.goal.executors().div_ceil(500).max(1) as usize;
        if reads && asks_so && classes.len() == wanted {
            Ok(())
        } else {
            Err(format!("a further run requested {classes:?}"))
        }
    }
}

/// Tells a run that did not succeed.
pub fn succeeded(what: &str, ended: &Ended) -> Result<(), String> {
    if ended.code == 0 && !ended.stderr.contains("IT PANICKED") {
        return Ok(());
    }
    let classes: Vec<&str> = ended.seen.iter().map(|seen| seen.class.as_str()).collect();
    Err(format!("{what} ended with {}: {} after {classes:?}", ended.code, ended.stderr))
}

/// Returns the lines that only one side has, shortened to where they differ.
pub fn differences(found: &[String], wanted: &[String]) -> String {
    let only = |side: &[String], other: &[String]| -> Vec<String> {
        side.iter().filter(|line| !other.contains(line)).cloned().collect()
    };
    let (found, wanted) = (only(found, wanted), only(wanted, found));
    match (found.as_slice(), wanted.as_slice()) {
        ([], []) => String::new(),
        ([one, ..], [other, ..]) if found.len() == wanted.len() => {
            let at = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count().saturating_sub(120);
            let part =
                |text: &str| String::from_utf8_lossy(&text.as_bytes()[at..(at + 400).min(text.len())]).into_owned();
            format!("{} objects, the first:\n  found  …{}\n  wanted …{}", found.len(), part(one), part(other))
        }
        _ => format!("found, not wanted: {found:?}; wanted, not found: {wanted:?}"),
    }
}

/// Works on all items, some at once, and returns the results in order.
pub fn in_parallel<T: Sync, R: Send>(at_once: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    spread(at_once, items, |item| SLOTS.hold(|| work(item)))
}

/// Works on all items, many at once: for commands that wait for a server that never gets well.
pub fn while_waiting<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    spread(WAITING, items, work)
}

fn spread<T: Sync, R: Send>(at_once: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let items = Mutex::new(items.iter().enumerate());
    let results = Mutex::new(Vec::new());
    let next = || items.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some((index, item)) = next() {
                    let result = work(item);
                    results.lock().unwrap().push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// So many pieces of work at once, and no more.
struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Slots {
    fn hold<R>(&self, work: impl FnOnce() -> R) -> R {
        let free = self.free.lock().unwrap();
        *self.freed.wait_while(free, |free| *free == 0).unwrap() -= 1;
        // The slot comes back after a panic, too, or the other tests would wait for ever.
        let result = catch_unwind(AssertUnwindSafe(work));
        *self.free.lock().unwrap() += 1;
        self.freed.notify_one();
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Tells whether every request is tried where samples would do.
pub fn everything() -> bool {
    std::env::var("FAULTS").is_ok_and(|value| value == "full")
}
