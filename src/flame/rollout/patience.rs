//! When waiting is pointless, and what is said then.
//!
//! A cause that may not heal gets a time of grace, by its kind and component, so that words that alternate do not begin it
//! anew. It counts against the Pods that had the cause all along: whoever heals meanwhile is not counted. The command gives up
//! when so many Pods are lost that its success bar is out of reach, and not for a Pod that it does not need.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Bar, Rollout, Time};
use crate::error::{Error, ErrorKind};
use crate::flame::KIND;
use crate::flame::names::{Component, Kind, ObjectRef};
use crate::flame::observed::Seconds;
use crate::flame::plan::{Change, Foreign, Op, Plan};
use crate::flame::state::{self, Cause, CauseKind, ClusterState, Verdict};

/// Most causes that an error explains.
const CAUSES: usize = 5;
/// Most objects that an error names.
const OBJECTS: usize = 5;

/// Since when there are causes that may not heal.
#[derive(Clone, Debug, Default)]
pub(super) struct Doubts(BTreeMap<(Component, CauseKind), Doubt>);

#[derive(Clone, Debug)]
struct Doubt {
    since: Time,
    grace: Duration,
    /// The executors that had it ever since.
    executors: BTreeSet<u32>,
}

impl Doubt {
    fn ends(&self) -> Time {
        self.since + self.grace
    }
}

impl Doubts {
    fn note(&mut self, causes: &[Cause], now: Time) {
        let mut current: BTreeMap<(Component, CauseKind), Doubt> = BTreeMap::new();
        for cause in causes {
            let Some(grace) = cause.outlook.grace() else { continue };
            let doubt = current.entry((cause.component, cause.kind)).or_insert_with(|| Doubt {
                since: now,
                grace,
                executors: BTreeSet::new(),
            });
            doubt.executors.extend(&cause.indices);
        }
        for (key, doubt) in &mut current {
            let Some(known) = self.0.get(key) else { continue };
            let still: BTreeSet<u32> = known.executors.intersection(&doubt.executors).copied().collect();
            if key.0 != Component::ExecutorManager || !still.is_empty() {
                (doubt.since, doubt.executors) = (known.since, still);
            }
        }
        self.0 = current;
    }

    /// Returns when the command gives up: as soon as the session manager or the object cache is lost, or more executors than
    /// may be.
    fn gives_up_at(&self, may_lose: usize) -> Option<Time> {
        let of = |component| self.0.iter().filter(move |(key, _)| key.0 == component).map(|(_, doubt)| doubt);
        let needed = of(Component::SessionManager).chain(of(Component::ObjectCache)).map(Doubt::ends).min();
        let mut executors: Vec<&Doubt> = of(Component::ExecutorManager).collect();
        executors.sort_by_key(|doubt| doubt.ends());
        let mut lost = 0;
        let too_many = executors.into_iter().find(|doubt| {
            lost += doubt.executors.len();
            lost > may_lose
        });
        needed.into_iter().chain(too_many.map(Doubt::ends)).min()
    }

    fn is_over(&self, cause: &Cause, now: Time) -> bool {
        self.0.get(&(cause.component, cause.kind)).is_some_and(|doubt| now >= doubt.ends())
    }
}

impl Rollout {
    /// Returns why waiting is pointless, if it is.
    pub(super) fn gives_up(&mut self, plan: &Plan, now: Time) -> Option<Error> {
        let verdict = self.verdict()?;
        self.note_changes(verdict.changes_at);
        if self.options.persistent {
            return None;
        }
        self.note_progress(plan, &verdict, now);
        self.doubts.note(&verdict.causes, now);
        self.gives_up_at = self.doubts.gives_up_at(self.may_lose(plan, &verdict));
        self.hopeless(&verdict, now).or_else(|| self.stalled(plan, &verdict, now))
    }

    fn note_changes(&mut self, at: Option<Seconds>) {
        let left = at.and_then(|at| u64::try_from(at - self.options.started_at).ok());
        self.changes_at = left.map(Duration::from_secs);
    }

    fn note_progress(&mut self, plan: &Plan, verdict: &Verdict, now: Time) {
        let seen = (verdict.status.executor_manager.ready, plan.count(Op::Keep) as u32);
        if (self.progress.0, self.progress.1) != seen {
            self.progress = (seen.0, seen.1, now);
        }
    }

    /// Returns how many executors may be lost with the bar still in reach. A wave waits for all of them to be ready.
    fn may_lose(&self, plan: &Plan, verdict: &Verdict) -> usize {
        let replicas = verdict.status.executor_manager.replicas;
        match plan.count(Op::Replace) {
            0 => (replicas - self.options.bar.executors(replicas).min(replicas)) as usize,
            _ => 0,
        }
    }

    fn hopeless(&self, verdict: &Verdict, now: Time) -> Option<Error> {
        if self.gives_up_at.is_none_or(|at| now < at) {
            return None;
        }
        let over: Vec<&Cause> = verdict.causes.iter().filter(|cause| self.doubts.is_over(cause, now)).collect();
        let (first, others) = over.split_first()?;
        let details = first.details().map(|line| format!("\n  {line}")).collect::<String>();
        let what = format!("{} cannot get ready: {first}{details}{}", self.desired.name(), blocks(others));
        let fix = first.field.as_ref().map_or("fix the cause".to_owned(), |field| format!("fix {field}"));
        let hint = format!("{fix} and run the same command again; nothing needs cleaning up");
        Some(Error::new(ErrorKind::Unhealthy, what).hint(hint))
    }

    fn stalled(&self, plan: &Plan, verdict: &Verdict, now: Time) -> Option<Error> {
        let to_go = plan.count(Op::Replace);
        if to_go == 0 || now < self.progress.2 + self.options.progress_deadline {
            return None;
        }
        let what = format!(
            "rollout of {} stopped: no progress for {}, {to_go} executors still to replace{}",
            self.desired.name(),
            state::duration(self.options.progress_deadline),
            blocks(&verdict.causes.iter().collect::<Vec<_>>())
        );
        Some(
            Error::new(ErrorKind::Unhealthy, what)
                .hint("fix the FlameCluster and run the same command again: it goes on from here"),
        )
    }

    pub(super) fn timed_out(&self) -> Error {
        let time = state::duration(self.options.timeout.unwrap_or_default());
        let name = self.desired.name();
        let again =
            "run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up";
        let Some(verdict) = self.assessed() else {
            let what = format!("{name} is not gone after {time}{}{}", self.leftovers(), self.troubles());
            return Error::new(ErrorKind::Timeout, what).hint(again);
        };
        let kind = match verdict.status.state {
            ClusterState::Failed => ErrorKind::Unhealthy,
            _ => ErrorKind::Timeout,
        };
        let what = format!(
            "{name} is not ready after {time}: {}, {}{}{}",
            verdict.status.state,
            self.missing(&verdict),
            blocks(&verdict.causes.iter().collect::<Vec<_>>()),
            self.troubles()
        );
        Error::new(kind, what).hint(again)
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.desired.manifests().map(|manifests| manifests.flame.namespace()).or(self.namespace.as_deref())
    }

    /// Says what the bar lacks.
    fn missing(&self, verdict: &Verdict) -> String {
        let executors = &verdict.status.executor_manager;
        let ready = format!("{} of {} executors ready", executors.ready, executors.replicas);
        let wanted = match self.options.bar {
            Bar::All => String::new(),
            bar => format!(", {} wanted", bar.executors(executors.replicas)),
        };
        let session_manager =
            if verdict.status.session_manager.ready == 0 { "session manager not ready, " } else { "" };
        let object_cache = if self.object_cache_is_ready() { "" } else { "object cache not ready, " };
        format!("{session_manager}{object_cache}{ready}{wanted}")
    }

    /// Names what a `down` could not take down, and why it stays.
    fn leftovers(&self) -> String {
        let namespace = self.namespace().unwrap_or("default");
        // What helps one Pod helps the others alike.
        let mut explained = BTreeSet::new();
        let mut line = |object: &ObjectRef| {
            let pod = self.pod(object).filter(|_| object.kind == Kind::Pod);
            let why = pod.and_then(|pod| state::why_it_stays(pod, namespace, self.moment()));
            let Some([why, advice, next]) = why else { return format!("\n  {object}") };
            let more = match explained.insert(why.clone()) {
                true => format!("\n    {advice}\n    {next}"),
                false => String::new(),
            };
            format!("\n  {object}: {why}{more}")
        };
        let more = match self.plan().to_do().saturating_sub(OBJECTS) {
            0 => String::new(),
            more => format!("\n  and {more} more"),
        };
        self.plan().changes().take(OBJECTS).map(|change| line(&change.object)).chain([more]).collect()
    }

    /// Says why requests for what still has to change did not work, where that is what held it up. Pods that were not created
    /// have that as their cause.
    fn troubles(&self) -> String {
        let is_cause = |change: &Change| change.op == Op::Create && change.object.kind == Kind::Pod;
        let to_do = self.plan().changes().filter(|change| !is_cause(change));
        let lines =
            to_do.filter_map(|it| Some(format!("\n  {}: {}", it.object, self.snapshot.trouble.get(&it.object)?)));
        let watch = self.watch_trouble.as_ref().map(|why| format!("\n  the watch: {why}"));
        lines.take(OBJECTS).chain(watch).collect()
    }
}

/// Returns the causes with all that is known of them, a few in full. What heals by the same command again has no command.
fn blocks(causes: &[&Cause]) -> String {
    let lines = |cause: &&Cause| {
        let heals = matches!(cause.kind, CauseKind::NotCreated | CauseKind::Over);
        let next = cause.next.clone().filter(|_| !heals);
        Cause { next, ..(*cause).clone() }.lines()
    };
    let told = causes.iter().take(CAUSES).flat_map(lines).map(|line| format!("\n  {line}"));
    let more = match causes.len().saturating_sub(CAUSES) {
        0 => String::new(),
        1 => "\n  and 1 other cause".to_owned(),
        more => format!("\n  and {more} other causes"),
    };
    told.chain([more]).collect()
}

/// Names every foreign object and its owner.
pub(super) fn refused<'a>(foreign: impl ExactSizeIterator<Item = &'a Foreign>) -> Error {
    let foreign: Vec<&Foreign> = foreign.collect();
    let lines: Vec<String> = foreign.iter().take(10).map(|it| format!("  {} is {}", it.object, it.owner)).collect();
    let more = match foreign.len().saturating_sub(10) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    let error =
        Error::refused(format!("names of this flame are taken; nothing was written\n{}{more}", lines.join("\n")));
    if foreign.iter().all(|it| it.owner.starts_with(&format!("owned by {KIND}/"))) {
        return error
            .hint("it lives as a FlameCluster object: --crd, or kubectl apply, changes that, and whoever follows it the rest")
            .hint("--adopt makes it a flame of its own; delete the FlameCluster with --cascade=orphan first");
    }
    error
        .hint("choose another metadata.name or namespace, or delete what is there")
        .hint("--adopt takes the objects over, if they are meant to be this flame's")
}

#[cfg(test)]
mod tests;
