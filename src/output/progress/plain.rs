//! Without a terminal: one deduplicated line a change, and a heartbeat that says what is waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use super::live::{left, slowest};
use super::notices::{Notices, reasons};
use super::written::Writes;
use super::{Pace, SILENCE};
use crate::flame::names::{Component, ObjectRef};
use crate::flame::plan::Why;
use crate::flame::rollout::{Action, Event, Progress, Time};
use crate::flame::state::Cause;
use crate::output::text;

/// Most causes named at once.
const CAUSES: usize = 3;

/// What there is to say, and what was said.
pub struct Plain {
    verbose: bool,
    /// What is to be printed now.
    lines: Vec<String>,
    seen: Option<Progress>,
    notices: Notices,
    /// The readiness that people know of: session manager, object cache, executors.
    told: (u32, u32, u32),
    told_wave: u32,
    told_causes: BTreeSet<(Component, String)>,
    written: Writes,
    writing: Pace,
    changing: Pace,
    last_line: Time,
    /// Since when something is waited for.
    waiting_since: Option<Time>,
}

impl Plain {
    /// Starts at `now`; `verbose` tells each object and each retry.
    pub fn new(verbose: bool, now: Time) -> Self {
        Self {
            verbose,
            lines: Vec::new(),
            seen: None,
            notices: Notices::new(verbose),
            told: (0, 0, 0),
            told_wave: 0,
            told_causes: BTreeSet::new(),
            written: Writes::default(),
            writing: Pace::default(),
            changing: Pace::default(),
            last_line: now,
            waiting_since: Some(now),
        }
    }

    /// Takes in what happened.
    pub fn event(&mut self, event: &Event, now: Time) {
        match event {
            Event::Wrote(action, object, why) => self.wrote(*action, object, why, now),
            Event::Progress(progress) => self.progress(progress, now),
            other => self.notices.event(other, now),
        }
        self.tick(now);
    }

    /// Takes in that time went by.
    pub fn tick(&mut self, now: Time) {
        self.notices.tick(now);
        self.tell_notices(now);
        if self.writing.is_due(now) {
            self.tell_written(now);
        }
        if self.changing.is_due(now) {
            self.tell_changes(now);
        }
        if self.waiting_since.is_some_and(|since| now >= since.max(self.last_line) + SILENCE) {
            self.say(self.heartbeat(now), now);
        }
    }

    /// Tells what is still untold.
    pub fn finish(&mut self) {
        let now = self.last_line;
        self.tell_written(now);
        self.notices.finish();
        self.tell_notices(now);
        self.tell_changes(now);
        self.waiting_since = None;
    }

    /// Takes the lines that are to be printed now.
    pub fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    fn say(&mut self, line: String, now: Time) {
        self.lines.push(line);
        self.last_line = now;
    }

    fn tell_notices(&mut self, now: Time) {
        let notices = self.notices.take_lines();
        if !notices.is_empty() {
            // In the order in which it happened.
            self.tell_written(now);
            notices.into_iter().for_each(|line| self.say(line, now));
        }
    }
}

/// Requests.
impl Plain {
    fn wrote(&mut self, action: Action, object: &ObjectRef, why: &[Why], now: Time) {
        if text::executor(object).is_some() && !self.verbose {
            self.written.add(action, object, why);
            return self.writing.news(now);
        }
        self.tell_written(now);
        self.say(format!("{action} {object}{}", reasons(why)), now);
    }

    fn tell_written(&mut self, now: Time) {
        self.writing.is_told();
        self.written.take().into_iter().for_each(|written| self.say(written.to_string(), now));
    }
}

/// Readiness.
impl Plain {
    fn progress(&mut self, progress: &Progress, now: Time) {
        if progress.is_complete() {
            self.waiting_since = None;
            // `watch` runs for ever: what comes back is news again.
            self.told_causes.clear();
        } else {
            self.waiting_since.get_or_insert(now);
        }
        match &self.seen {
            // Where it starts from is no news.
            None => self.told = readiness(progress),
            Some(_) if readiness(progress) != self.told => self.changing.news(now),
            Some(_) => {}
        }
        let is_new = |cause: &&Cause| cause.is_news() && !self.told_causes.contains(&key(cause));
        if progress.causes.iter().any(|cause| is_new(&cause)) || wave(progress) > self.told_wave {
            self.changing.news(now);
        }
        self.seen = Some(progress.clone());
    }

    fn tell_changes(&mut self, now: Time) {
        self.changing.is_told();
        let Some(seen) = self.seen.take() else { return };
        let mut lines = Vec::new();
        if readiness(&seen) != self.told && seen.down.is_none() {
            let not = if seen.session_manager.ready() == 0 { "not " } else { "" };
            let cache = match seen.object_cache {
                None => "",
                Some(stages) if stages.ready() == 0 => "object cache not ready, ",
                Some(_) => "object cache ready, ",
            };
            lines.push(format!("{}: session manager {not}ready, {cache}{}", seen.name, executors(&seen)));
        }
        self.told = readiness(&seen);
        if let Some(wave) = seen.wave.filter(|wave| wave.number > self.told_wave) {
            let replacing = text::count(wave.replacing as usize, "executor");
            lines.push(format!("{}: wave {} of {}: replacing {replacing}", seen.name, wave.number, wave.of));
            self.told_wave = wave.number;
        }
        for cause in seen.causes.iter().filter(|cause| cause.is_news()) {
            if self.told_causes.insert(key(cause)) {
                lines.push(format!("{}: {}", seen.name, text::cause(cause)));
            }
        }
        self.seen = Some(seen);
        lines.into_iter().for_each(|line| self.say(line, now));
    }

    fn heartbeat(&self, now: Time) -> String {
        // Rounded: a heartbeat a quarter of a second early is still the one of that second.
        let waited = now.saturating_sub(self.waiting_since.unwrap_or(now)) + Duration::from_millis(500);
        let waiting = format!("waiting {}", text::age(waited.as_secs()));
        let Some(seen) = &self.seen else { return format!("{waiting} for the server") };
        let slowest = seen.slowest.map(|it| format!("slowest: {}", slowest(it, now)));
        if seen.down.is_some() {
            let left = text::count(seen.to_do, "object");
            let slowest = slowest.map(|slowest| format!("; {slowest}")).unwrap_or_default();
            return format!("{waiting} for {} to go: {left} left{slowest}", seen.name);
        }
        let not_ready = if seen.session_manager.ready() == 0 { "session manager not ready, " } else { "" };
        let lacks_cache = seen.object_cache.is_some_and(|stages| stages.ready() == 0);
        let cache = if lacks_cache { "object cache not ready, " } else { "" };
        let line = format!("{waiting} for {}: {not_ready}{cache}{}", seen.name, executors(seen));
        let to_do = (seen.to_do > 0).then(|| format!("{} to change", text::count(seen.to_do, "object")));
        let causes = seen.causes.iter().take(CAUSES).map(text::cause);
        let more = seen.causes.len().saturating_sub(CAUSES) + seen.more_causes;
        let more = (more > 0).then(|| format!("and {}", text::count(more, "other cause")));
        let countdown = seen.gives_up_at.and(seen.ends_at()).map(|at| format!("gives up in {}", left(at, now)));
        let parts = std::iter::once(line).chain(to_do).chain(causes).chain(more).chain(slowest).chain(countdown);
        parts.collect::<Vec<_>>().join("; ")
    }
}

fn key(cause: &Cause) -> (Component, String) {
    (cause.component, cause.reason.clone())
}

fn readiness(progress: &Progress) -> (u32, u32, u32) {
    let object_cache = progress.object_cache.map_or(0, |stages| stages.ready());
    (progress.session_manager.ready(), object_cache, progress.executors.ready())
}

fn wave(progress: &Progress) -> u32 {
    progress.wave.map_or(0, |wave| wave.number)
}

fn executors(progress: &Progress) -> String {
    format!("{} of {} executors ready", progress.executors.ready(), progress.replicas)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::names::{Kind, PodIndex};
    use crate::flame::rollout::{FieldConflict, Left, Slowest, Wave};
    use crate::flame::stage::Stage;
    use crate::output::progress::ProgressView;
    use crate::output::progress::testing::{at, down, executor, held, retry, up, wrote};
    use crate::output::tests::Written;
    use crate::output::{Environment, PrinterOptions};

    fn view(options: PrinterOptions) -> (ProgressView, Written) {
        let written = Written::default();
        let pipe = Environment { unicode: true, ..Environment::default() };
        (ProgressView::new(&written.printer(options, pipe), at(0.0)), written)
    }

    fn progress(session_manager_ready: u32, ready: u32, to_do: usize, causes: Vec<Cause>) -> Event {
        Event::Progress(Box::new(Progress { to_do, causes, ..up(session_manager_ready, ready, 10) }))
    }

    /// Ticks as the driver does.
    fn ticks(view: &mut ProgressView, from: f64, to: f64) {
        let mut now = from;
        while now <= to {
            view.tick(at(now));
            now += 0.25;
        }
    }

    #[test]
    fn alike_executors_are_one_line() {
        let (mut view, written) = view(PrinterOptions::default());
        view.event(&wrote(Action::Create, Kind::Pod, "demo-session-manager", &[Why::Missing]), at(0.1));
        assert_eq!(written.lines(), ["created Pod demo-session-manager"]);
        for index in [1, 0, 2, 3, 4, 5, 6, 7, 9, 8] {
            view.event(&executor(Action::Create, index), at(0.2));
        }
        ticks(&mut view, 0.25, 1.0);
        assert_eq!(written.lines(), Vec::<String>::new());
        ticks(&mut view, 1.25, 1.5);
        assert_eq!(written.lines(), ["created 10 Pods demo-executor-manager-0-9"]);
    }

    #[test]
    fn other_objects_come_in_order_and_with_their_reason() {
        let (mut view, written) = view(PrinterOptions::default());
        let deleted = |name: &str, why: Why| wrote(Action::Delete, Kind::Pod, name, &[why]);
        let image = Why::Image("a".to_owned(), "b".to_owned());
        view.event(&deleted("demo-executor-manager-3", image), at(0.1));
        view.event(&deleted("demo-executor-manager-4", Why::Surplus), at(0.1));
        view.event(&wrote(Action::Update, Kind::ConfigMap, "demo-config", &[Why::ConfigText, Why::Spec]), at(0.2));
        assert_eq!(
            written.lines(),
            [
                "deleted Pod demo-executor-manager-3 (image a → b)",
                "deleted Pod demo-executor-manager-4 (beyond replicas)",
                "updated ConfigMap demo-config (config text changed, recorded FlameCluster changed)",
            ]
        );
    }

    #[test]
    fn a_long_rollout_does_not_tell_every_second() {
        let (mut view, written) = view(PrinterOptions::default());
        view.event(&progress(1, 0, 10, Vec::new()), at(0.0));
        for index in 0..10_u32 {
            view.event(&executor(Action::Create, index), at(f64::from(index)));
            view.event(&progress(1, index, 10, Vec::new()), at(f64::from(index)));
            ticks(&mut view, f64::from(index) + 0.25, f64::from(index) + 0.75);
        }
        view.finish();
        assert_eq!(
            written.lines(),
            [
                "created 2 Pods demo-executor-manager-0-1",
                "demo: session manager ready, 1 of 10 executors ready",
                "created 4 Pods demo-executor-manager-2-5",
                "demo: session manager ready, 6 of 10 executors ready",
                "created 4 Pods demo-executor-manager-6-9",
                "demo: session manager ready, 9 of 10 executors ready",
            ]
        );
    }

    #[test]
    fn it_is_never_silent_for_more_than_five_seconds_and_says_what_for() {
        let (mut view, written) = view(PrinterOptions::default());
        ticks(&mut view, 0.0, 5.0);
        assert_eq!(written.lines(), ["waiting 5s for the server"]);
        let pull = held("ImagePullBackOff", "Back-off pulling image \"x:v9\"", 3..10);
        view.event(&progress(1, 3, 0, vec![pull]), at(5.0));
        ticks(&mut view, 5.25, 15.0);
        assert_eq!(
            written.lines(),
            [
                "demo: 7 of 10 executors (3-9): ImagePullBackOff: Back-off pulling image \"x:v9\"",
                "waiting 11s for demo: 3 of 10 executors ready; 7 of 10 executors (3-9): ImagePullBackOff: Back-off pulling image \"x:v9\"",
            ]
        );
    }

    #[test]
    fn a_heartbeat_names_at_most_three_causes() {
        let (mut view, written) = view(PrinterOptions::default());
        let causes = (0..5).map(|index| held("Pending", &format!("reason {index}"), index..index + 1)).collect();
        view.event(&progress(0, 0, 2, causes), at(0.0));
        ticks(&mut view, 0.0, 5.0);
        assert_eq!(
            written.lines(),
            ["waiting 5s for demo: session manager not ready, 0 of 10 executors ready; 2 objects to change; \
              executor 0: Pending: reason 0; executor 1: Pending: reason 1; executor 2: Pending: reason 2; \
              and 2 other causes"]
        );
    }

    #[test]
    fn readiness_is_told_once_a_change_and_at_the_end() {
        let (mut view, written) = view(PrinterOptions::default());
        view.event(&progress(0, 0, 0, Vec::new()), at(0.0));
        view.event(&progress(1, 0, 0, Vec::new()), at(1.0));
        view.event(&progress(1, 4, 0, Vec::new()), at(1.5));
        ticks(&mut view, 1.75, 2.5);
        assert_eq!(written.lines(), ["demo: session manager ready, 4 of 10 executors ready"]);
        view.event(&progress(1, 10, 0, Vec::new()), at(3.0));
        view.finish();
        assert_eq!(written.lines(), ["demo: session manager ready, 10 of 10 executors ready"]);
        view.finish();
        drop(view);
        assert_eq!(written.lines(), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_said_while_all_is_well() {
        let (mut view, written) = view(PrinterOptions::default());
        view.event(&progress(1, 10, 0, Vec::new()), at(0.0));
        ticks(&mut view, 0.0, 60.0);
        assert_eq!(written.lines(), Vec::<String>::new());
        view.event(&progress(1, 9, 0, vec![held("CrashLoopBackOff", "exit code 1", 2..3)]), at(60.0));
        ticks(&mut view, 60.25, 66.0);
        assert_eq!(
            written.lines(),
            [
                "demo: session manager ready, 9 of 10 executors ready",
                "demo: executor 2: CrashLoopBackOff: exit code 1",
                "waiting 6s for demo: 9 of 10 executors ready; executor 2: CrashLoopBackOff: exit code 1",
            ]
        );
    }

    #[test]
    fn retries_are_grouped_by_their_reason() {
        let (mut view, written) = view(PrinterOptions::default());
        view.event(&retry("Pod a", "the server is busy"), at(0.0));
        view.event(&retry("Pod b", "the server is busy"), at(0.1));
        view.event(&retry("Service c", "connection\nlost"), at(0.2));
        ticks(&mut view, 0.25, 1.5);
        assert_eq!(
            written.lines(),
            ["retrying 2 requests: the server is busy", "retrying Service c in 2s: connection lost"]
        );
    }

    #[test]
    fn notes_and_reverted_fields_are_told_at_once_and_notes_once() {
        let (mut view, written) = view(PrinterOptions::default());
        let conflict =
            |field: &str| FieldConflict { manager: "\"kubectl-edit\" using v1".to_owned(), field: field.to_owned() };
        let object = ObjectRef::new(Kind::Service, "demo-object-cache");
        view.event(&Event::Reverting(object, vec![conflict(".spec.ports"), conflict(".spec.selector")]), at(0.0));
        view.event(&Event::Note("namespace ml was created".to_owned()), at(0.0));
        view.event(&Event::Note("namespace ml was created".to_owned()), at(1.0));
        assert_eq!(
            written.lines(),
            [
                "putting back .spec.ports, .spec.selector of Service demo-object-cache, changed by \"kubectl-edit\" using v1",
                "namespace ml was created",
            ]
        );
    }

    #[test]
    fn taking_down_says_what_is_left_and_what_takes_longest() {
        let going = |pods, slowest| {
            let left = Left { pods, services: 2, config_maps: 1 };
            Event::Progress(Box::new(Progress { slowest, ..down(0, 0, left) }))
        };
        let (mut view, written) = view(PrinterOptions::default());
        view.event(&going(11, None), at(0.0));
        for index in 0..10 {
            view.event(
                &wrote(Action::Delete, Kind::Pod, &format!("demo-executor-manager-{index}"), &[Why::Down]),
                at(0.1),
            );
        }
        let slowest = Slowest { pod: PodIndex::Executor(3), stage: Stage::Terminating, since: at(0.2) };
        view.event(&going(1, Some(slowest)), at(1.0));
        ticks(&mut view, 1.25, 6.0);
        let gone = Progress { to_do: 0, ..down(0, 0, Left::default()) };
        view.event(&Event::Progress(Box::new(gone)), at(6.0));
        ticks(&mut view, 6.25, 20.0);
        assert_eq!(
            written.lines(),
            [
                "deleted 10 Pods demo-executor-manager-0-9",
                "waiting 6s for demo to go: 4 objects left; slowest: executor 3, terminating for 5s",
            ]
        );
    }

    #[test]
    fn waves_and_countdowns_are_told() {
        let (mut view, written) = view(PrinterOptions::default());
        let wave = |number| Progress { wave: Some(Wave { number, of: 4, replacing: 5 }), to_do: 3, ..up(1, 15, 20) };
        view.event(&Event::Progress(Box::new(Progress { to_do: 3, ..up(1, 20, 20) })), at(0.0));
        view.event(&Event::Progress(Box::new(wave(1))), at(0.0));
        ticks(&mut view, 0.25, 1.0);
        view.event(&Event::Progress(Box::new(wave(1))), at(1.0));
        let slowest = Slowest { pod: PodIndex::Executor(7), stage: Stage::Pulling, since: at(2.0) };
        let failing = Progress {
            causes: vec![held("ErrImagePull", "not found", 7..8)],
            slowest: Some(slowest),
            gives_up_at: Some(at(65.0)),
            deadline: Some(at(300.0)),
            ..wave(2)
        };
        view.event(&Event::Progress(Box::new(failing)), at(4.0));
        ticks(&mut view, 4.25, 11.0);
        assert_eq!(
            written.lines(),
            [
                "demo: session manager ready, 15 of 20 executors ready",
                "demo: wave 1 of 4: replacing 5 executors",
                "demo: wave 2 of 4: replacing 5 executors",
                "demo: executor 7: ErrImagePull: not found",
                "waiting 11s for demo: 15 of 20 executors ready; 3 objects to change; executor 7: ErrImagePull: not found; \
                 slowest: executor 7, pulling its image for 8s; gives up in 55s",
            ]
        );
    }

    #[test]
    fn verbose_names_each_object_and_quiet_none() {
        let (mut loud, written) = view(PrinterOptions { verbose: true, ..PrinterOptions::default() });
        loud.event(&executor(Action::Create, 0), at(0.1));
        loud.event(&executor(Action::Create, 1), at(0.1));
        assert_eq!(written.lines(), ["created Pod demo-executor-manager-0", "created Pod demo-executor-manager-1"]);
        let (mut quiet, written) = view(PrinterOptions { quiet: true, ..PrinterOptions::default() });
        quiet.event(&executor(Action::Create, 0), at(0.1));
        ticks(&mut quiet, 0.0, 20.0);
        quiet.finish();
        assert_eq!(written.lines(), Vec::<String>::new());
    }
}
