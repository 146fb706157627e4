//! When waiting is pointless, and what is said then.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Rollout, Time};
use crate::error::{Error, ErrorKind};
use crate::flame::plan::{Foreign, Op, Plan};
use crate::flame::state::{Cause, ClusterState, Outlook, Verdict, outlook};

impl Rollout {
    /// Returns why waiting is pointless, if it is.
    pub(super) fn gives_up(&mut self, plan: &Plan, now: Time) -> Option<Error> {
        let verdict = self.verdict()?;
        if self.options.persistent {
            return None;
        }
        self.note_progress(plan, &verdict, now);
        self.hopeless_cause(&verdict, now).or_else(|| self.stalled(plan, &verdict, now))
    }

    fn note_progress(&mut self, plan: &Plan, verdict: &Verdict, now: Time) {
        let seen = (verdict.status.executor_manager.ready, plan.count(Op::Keep) as u32);
        if (self.progress.0, self.progress.1) != seen {
            self.progress = (seen.0, seen.1, now);
        }
    }

    fn hopeless_cause(&mut self, verdict: &Verdict, now: Time) -> Option<Error> {
        let reasons: BTreeSet<&str> = verdict.causes.iter().map(|cause| cause.reason.as_str()).collect();
        self.hopeless.retain(|reason, _| reasons.contains(reason.as_str()));
        for reason in reasons.into_iter().filter(|reason| grace(reason).is_some()) {
            self.hopeless.entry(reason.to_owned()).or_insert(now);
        }
        let over = |cause: &&Cause| {
            let since = self.hopeless.get(&cause.reason);
            since.zip(grace(&cause.reason)).is_some_and(|(since, grace)| now >= *since + grace)
        };
        let cause = verdict.causes.iter().find(over)?;
        let error = Error::new(ErrorKind::Unhealthy, format!("{} cannot get ready\n  {cause}", self.desired.name()));
        Some(error.hint("fix the cause and run the same command again; nothing needs cleaning up"))
    }

    /// Returns when the first cause is taken for hopeless.
    pub(super) fn gives_up_at(&self) -> Option<Time> {
        self.hopeless.iter().filter_map(|(reason, since)| Some(*since + grace(reason)?)).min()
    }

    fn stalled(&self, plan: &Plan, verdict: &Verdict, now: Time) -> Option<Error> {
        let to_go = plan.count(Op::Replace);
        if to_go == 0 || now < self.progress.2 + self.options.progress_deadline {
            return None;
        }
        let what = format!(
            "rollout of {} stopped: no progress for {} s, {to_go} executors still to replace{}",
            self.desired.name(),
            self.options.progress_deadline.as_secs(),
            causes(&verdict.causes)
        );
        Some(
            Error::new(ErrorKind::Unhealthy, what)
                .hint("fix the FlameCluster and run the same command again: it goes on from here"),
        )
    }

    pub(super) fn timed_out(&self) -> Error {
        let seconds = self.options.timeout.unwrap_or_default().as_secs();
        let name = self.desired.name();
        let again =
            "run the same command again to go on waiting, or with a longer --timeout; nothing needs cleaning up";
        let Some(verdict) = self.verdict() else {
            let left: Vec<String> = self.plan().changes.iter().take(5).map(|it| format!("  {}", it.object)).collect();
            let what = format!("{name} is not gone after {seconds} s\n{}{}", left.join("\n"), self.troubles());
            return Error::new(ErrorKind::Timeout, what).hint(again);
        };
        let kind = match verdict.status.state {
            ClusterState::Failed => ErrorKind::Unhealthy,
            _ => ErrorKind::Timeout,
        };
        let executors = &verdict.status.executor_manager;
        let what = format!(
            "{name} is not ready after {seconds} s: {}, {} of {} executors ready{}{}",
            verdict.status.state,
            executors.ready,
            executors.replicas,
            causes(&verdict.causes),
            self.troubles()
        );
        Error::new(kind, what).hint(again)
    }

    /// Says why requests for what still has to change did not work, where that is what held it up.
    fn troubles(&self) -> String {
        let changes = self.plan().changes;
        let to_do = changes.iter().filter(|change| change.op != Op::Keep).map(|change| &change.object);
        let lines = to_do.filter_map(|object| Some(format!("\n  {object}: {}", self.trouble.get(object)?)));
        let watch = self.watch_trouble.as_ref().map(|why| format!("\n  the watch: {why}"));
        lines.take(5).chain(watch).collect()
    }
}

fn causes(causes: &[Cause]) -> String {
    causes.iter().map(|cause| format!("\n  {cause}")).collect()
}

/// Returns how long a waiting reason may last before it is taken for hopeless; none for what may well heal.
pub(super) fn grace(reason: &str) -> Option<Duration> {
    match outlook(reason) {
        Outlook::Hopeless => Some(Duration::ZERO),
        Outlook::Doubtful(grace) => Some(grace),
        Outlook::Working => None,
    }
}

/// Names every foreign object and its owner.
pub(super) fn refused(foreign: &[Foreign]) -> Error {
    let lines: Vec<String> = foreign.iter().take(10).map(|it| format!("  {} is {}", it.object, it.owner)).collect();
    let more = match foreign.len().saturating_sub(10) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    Error::refused(format!("names of this flame are taken; nothing was written\n{}{more}", lines.join("\n")))
        .hint("choose another metadata.name or namespace, or delete what is there")
        .hint("--adopt takes the objects over, if they are meant to be this flame's")
}
