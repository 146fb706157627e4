//! Progress: a fold over [`Event`]s. A terminal gets one live display, everything else one line a change and a heartbeat.
//!
//! [`Story`] decides what is said and knows no clock; [`ProgressView`] brings it to the printer.

use std::collections::BTreeSet;
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};

use super::Printer;
use super::table::is_trouble;
use super::text;
use crate::flame::names::{Component, ObjectRef};
use crate::flame::plan::Why;
use crate::flame::rollout::{Action, Event, FieldConflict, Progress, Time};
use crate::flame::state::Cause;

/// Longest silence while waiting. The driver ticks four times a second, hence the quarter.
const SILENCE: Duration = Duration::from_millis(5000 - 250);
/// How long news is gathered, so that ten Pods that are made in one go are one line.
const GATHER: Duration = Duration::from_secs(1);
/// Most causes named at once.
const CAUSES: usize = 3;
/// Width of the executors' bar in characters.
const BAR: u64 = 20;

/// Tells people how a command gets on.
pub struct ProgressView {
    printer: Printer,
    story: Story,
    live: Option<Live>,
}

impl ProgressView {
    /// Starts at `now`.
    pub fn new(printer: &Printer, now: Time) -> Self {
        let live = printer.is_live().then(Live::new);
        let story = Story::new(live.is_some(), printer.is_verbose(), now);
        Self { printer: printer.clone(), story, live }
    }

    /// Takes in what happened.
    pub fn event(&mut self, event: &Event, now: Time) {
        self.story.event(event, now);
        self.show(now);
    }

    /// Takes in that time went by; to be called about every 250 ms.
    pub fn tick(&mut self, now: Time) {
        self.story.tick(now);
        self.show(now);
    }

    /// Tells what is still untold and clears the live display.
    pub fn finish(&mut self) {
        self.story.finish();
        self.print();
        if let Some(live) = self.live.take() {
            live.bar.finish_and_clear();
        }
    }

    fn show(&mut self, now: Time) {
        self.print();
        if let Some(live) = &mut self.live {
            live.draw(&self.story.frame(now));
        }
    }

    fn print(&mut self) {
        let lines = std::mem::take(&mut self.story.lines);
        if lines.is_empty() {
            return;
        }
        let print = || lines.iter().for_each(|line| self.printer.line(line));
        match &self.live {
            Some(live) => live.bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for ProgressView {
    /// Nothing is left on the screen, however the command ends.
    fn drop(&mut self) {
        self.finish();
    }
}

/// The live display.
struct Live {
    bar: ProgressBar,
    terminal: Term,
    shown: String,
}

impl Live {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        // The template is just the message, so it can't be malformed; the default style would only add a spinner.
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self { bar, terminal: Term::stderr(), shown: String::new() }
    }

    fn draw(&mut self, frame: &[String]) {
        let (_, width) = self.terminal.size();
        let cut = |line: &String| console::truncate_str(line, usize::from(width.max(20)) - 1, "…").into_owned();
        let text = frame.iter().map(cut).collect::<Vec<_>>().join("\n");
        if text != self.shown {
            self.bar.set_message(text.clone());
            self.shown = text;
        }
    }
}

/// What there is to say, and what was said.
struct Story {
    live: bool,
    verbose: bool,
    /// What is to be printed now.
    lines: Vec<String>,
    seen: Option<Seen>,
    /// The readiness that people know of: session manager, executors.
    told: (u32, u32),
    told_causes: BTreeSet<(Component, String)>,
    written: Vec<Batch>,
    retries: Vec<Retry>,
    note: String,
    writing: Pace,
    retrying: Pace,
    changing: Pace,
    last_line: Time,
    /// Since when something is waited for.
    waiting_since: Option<Time>,
}

/// The newest [`Progress`], as far as it is shown.
struct Seen {
    name: String,
    session_manager_ready: u32,
    ready: u32,
    replicas: u32,
    to_do: usize,
    down: bool,
    /// The first causes as lines.
    causes: Vec<String>,
    more_causes: usize,
    /// Component, reason and line of causes that people should hear of once.
    troubles: Vec<(Component, String, String)>,
}

/// Executors that were written alike.
struct Batch {
    action: Action,
    why: String,
    prefix: String,
    indices: Vec<u32>,
}

/// Requests that are tried again for one reason.
struct Retry {
    why: String,
    what: String,
    pause: Duration,
    count: usize,
}

/// Gathers news for a moment before it is told, and tells again only after a while.
#[derive(Default)]
struct Pace {
    since: Option<Time>,
    told: Option<Time>,
}

impl Pace {
    fn news(&mut self, now: Time) {
        self.since.get_or_insert(now);
    }

    /// Tells whether it is time to tell; if so it counts as told.
    fn is_due(&mut self, now: Time) -> bool {
        let gathered = self.since.is_some_and(|since| now >= since + GATHER);
        let due = gathered && self.told.is_none_or(|told| now >= told + SILENCE);
        if due {
            *self = Self { since: None, told: Some(now) };
        }
        due
    }
}

impl Story {
    fn new(live: bool, verbose: bool, now: Time) -> Self {
        Self {
            live,
            verbose,
            lines: Vec::new(),
            seen: None,
            told: (0, 0),
            told_causes: BTreeSet::new(),
            written: Vec::new(),
            retries: Vec::new(),
            note: String::new(),
            writing: Pace::default(),
            retrying: Pace::default(),
            changing: Pace::default(),
            last_line: now,
            waiting_since: Some(now),
        }
    }

    fn event(&mut self, event: &Event, now: Time) {
        match event {
            Event::Wrote(action, object, why) => self.wrote(*action, object, why, now),
            Event::Reverting(object, conflicts) => {
                self.tell_written(now);
                self.say(reverting(object, conflicts), now);
            }
            Event::Retrying(what, why, pause) => self.retries(what, why, *pause, now),
            Event::Progress(progress) => self.progress(progress, now),
            Event::Detail(detail) => {
                if self.verbose {
                    self.say(detail.clone(), now);
                }
            }
            Event::Note(note) if *note == self.note => {}
            Event::Note(note) => {
                self.tell_written(now);
                self.note.clone_from(note);
                self.say(note.clone(), now);
            }
        }
        self.tick(now);
    }

    fn tick(&mut self, now: Time) {
        if self.writing.is_due(now) {
            self.tell_written(now);
        }
        if self.retrying.is_due(now) {
            self.tell_retries(now);
        }
        if self.live {
            return;
        }
        if self.changing.is_due(now) {
            self.tell_changes(now);
        }
        if self.waiting_since.is_some_and(|since| now >= since.max(self.last_line) + SILENCE) {
            self.say(self.heartbeat(now), now);
        }
    }

    fn finish(&mut self) {
        let now = self.last_line;
        self.tell_written(now);
        self.tell_retries(now);
        if !self.live {
            self.tell_changes(now);
        }
        self.waiting_since = None;
    }

    fn say(&mut self, line: String, now: Time) {
        self.lines.push(line);
        self.last_line = now;
    }
}

/// Requests.
impl Story {
    fn wrote(&mut self, action: Action, object: &ObjectRef, why: &[Why], now: Time) {
        // The display counts; who wants to see each object asks for it.
        if self.live && !self.verbose {
            return;
        }
        let why = reasons(why);
        match text::executor(object) {
            Some((prefix, index)) if !self.verbose => {
                let alike = |batch: &&mut Batch| batch.action == action && batch.why == why && batch.prefix == prefix;
                match self.written.iter_mut().find(alike) {
                    Some(batch) => batch.indices.push(index),
                    None => self.written.push(Batch { action, why, prefix: prefix.to_owned(), indices: vec![index] }),
                }
                self.writing.news(now);
            }
            _ => {
                self.tell_written(now);
                self.say(format!("{action} {object}{why}"), now);
            }
        }
    }

    fn tell_written(&mut self, now: Time) {
        self.writing.since = None;
        for mut batch in std::mem::take(&mut self.written) {
            batch.indices.sort_unstable();
            batch.indices.dedup();
            let Batch { action, why, prefix, indices } = batch;
            let pods = match indices.len() {
                1 => "Pod".to_owned(),
                many => format!("{many} Pods"),
            };
            self.say(format!("{action} {pods} {prefix}{}{why}", text::ranges(&indices, '-')), now);
        }
    }

    fn retries(&mut self, what: &str, why: &str, pause: Duration, now: Time) {
        match self.retries.iter_mut().find(|retry| retry.why == why) {
            Some(retry) => retry.count += 1,
            None => self.retries.push(Retry { why: why.to_owned(), what: what.to_owned(), pause, count: 1 }),
        }
        self.retrying.news(now);
        if self.verbose {
            self.tell_retries(now);
        }
    }

    fn tell_retries(&mut self, now: Time) {
        self.retrying.since = None;
        let retries = std::mem::take(&mut self.retries);
        for Retry { why, what, pause, count } in retries.iter().take(CAUSES) {
            let why = text::one_line(why, 200);
            self.say(
                match count {
                    1 => format!("retrying {what} in {}: {why}", seconds(*pause)),
                    _ => format!("retrying {count} requests: {why}"),
                },
                now,
            );
        }
        let more: usize = retries.iter().skip(CAUSES).map(|retry| retry.count).sum();
        if more > 0 {
            self.say(format!("retrying {} for other reasons", text::count(more, "more request")), now);
        }
    }
}

/// Readiness.
impl Story {
    fn progress(&mut self, progress: &Progress, now: Time) {
        let seen = Seen::new(progress);
        if seen.is_complete() {
            self.waiting_since = None;
            // `watch` runs for ever: what comes back is news again.
            self.told_causes.clear();
        } else {
            self.waiting_since.get_or_insert(now);
        }
        match &self.seen {
            // Where it starts from is no news.
            None => self.told = seen.readiness(),
            Some(_) if seen.readiness() != self.told => self.changing.news(now),
            Some(_) => {}
        }
        if seen.troubles.iter().any(|(component, reason, _)| !self.told_causes.contains(&(*component, reason.clone())))
        {
            self.changing.news(now);
        }
        self.seen = Some(seen);
    }

    fn tell_changes(&mut self, now: Time) {
        self.changing.since = None;
        let Some(seen) = &self.seen else { return };
        let mut lines = Vec::new();
        if seen.readiness() != self.told && !seen.down {
            lines.push(format!("{}: {}", seen.name, seen.counts()));
        }
        self.told = seen.readiness();
        for (component, reason, line) in &seen.troubles {
            if self.told_causes.insert((*component, reason.clone())) {
                lines.push(format!("{}: {line}", seen.name));
            }
        }
        lines.into_iter().for_each(|line| self.say(line, now));
    }

    fn heartbeat(&self, now: Time) -> String {
        let waiting = format!("waiting {}", self.waited(now));
        let Some(seen) = &self.seen else { return format!("{waiting} for the server") };
        if seen.down {
            return format!("{waiting} for {} to go: {} left", seen.name, text::count(seen.to_do, "object"));
        }
        let mut parts = vec![seen.executors()];
        if seen.session_manager_ready == 0 {
            parts.insert(0, "session manager not ready".to_owned());
        }
        let mut line = format!("{waiting} for {}: {}", seen.name, parts.join(", "));
        let to_do = (seen.to_do > 0).then(|| format!("{} to change", text::count(seen.to_do, "object")));
        let more = (seen.more_causes > 0).then(|| format!("and {}", text::count(seen.more_causes, "other cause")));
        for part in to_do.iter().chain(&seen.causes).chain(&more) {
            line.push_str("; ");
            line.push_str(part);
        }
        line
    }

    /// Returns the lines of the live display.
    fn frame(&self, now: Time) -> Vec<String> {
        let Some(seen) = &self.seen else { return vec![format!("waiting for the server  {}", self.waited(now))] };
        let mut lines = vec![format!("{}  {}", seen.name, self.waited(now))];
        if seen.down {
            lines.push(format!("  {} left", text::count(seen.to_do, "object")));
            return lines;
        }
        let bar = bar(seen.ready, seen.replicas);
        lines.push(format!(
            "  session manager  {}  {}/1",
            self::bar(seen.session_manager_ready, 1),
            seen.session_manager_ready
        ));
        lines.push(format!("  executors        {bar}  {}/{}", seen.ready, seen.replicas));
        if seen.to_do > 0 {
            lines.push(format!("  {} to change", text::count(seen.to_do, "object")));
        }
        lines.extend(seen.causes.iter().map(|cause| format!("  {cause}")));
        if seen.more_causes > 0 {
            lines.push(format!("  and {}", text::count(seen.more_causes, "other cause")));
        }
        lines
    }

    fn waited(&self, now: Time) -> String {
        let waited = now.saturating_sub(self.waiting_since.unwrap_or(now));
        // Rounded: a heartbeat a quarter of a second early is still the one of that second.
        text::age((waited + Duration::from_millis(500)).as_secs())
    }
}

impl Seen {
    fn new(progress: &Progress) -> Self {
        let trouble = |cause: &Cause| (cause.component, cause.reason.clone(), text::cause(cause));
        // A Pod that is not there is on its way as long as there is something to do.
        let is_told = |cause: &&Cause| is_trouble(cause) && cause.reason != "NotCreated";
        Self {
            name: progress.name.clone(),
            session_manager_ready: progress.session_manager_ready,
            ready: progress.ready,
            replicas: progress.replicas,
            to_do: progress.to_do,
            down: progress.down,
            causes: progress.causes.iter().take(CAUSES).map(text::cause).collect(),
            more_causes: progress.causes.len().saturating_sub(CAUSES),
            troubles: progress.causes.iter().filter(is_told).map(trouble).collect(),
        }
    }

    fn readiness(&self) -> (u32, u32) {
        (self.session_manager_ready, self.ready)
    }

    fn is_complete(&self) -> bool {
        self.to_do == 0 && (self.down || (self.session_manager_ready > 0 && self.ready == self.replicas))
    }

    fn counts(&self) -> String {
        let not = if self.session_manager_ready == 0 { "not " } else { "" };
        format!("session manager {not}ready, {}", self.executors())
    }

    fn executors(&self) -> String {
        format!("{} of {} executors ready", self.ready, self.replicas)
    }
}

/// Returns a bar as `[######..............]`.
fn bar(ready: u32, of: u32) -> String {
    let filled = match of {
        0 => BAR,
        _ => u64::from(ready.min(of)) * BAR / u64::from(of),
    };
    let filled = usize::try_from(filled).unwrap_or_default();
    format!("[{:.<width$}]", "#".repeat(filled), width = BAR as usize)
}

/// Says why something was written, where the verb does not say it already.
fn reasons(why: &[Why]) -> String {
    let told: Vec<String> =
        why.iter().filter(|why| !matches!(why, Why::Missing | Why::Down)).map(Why::to_string).collect();
    match told.is_empty() {
        true => String::new(),
        false => format!(" ({})", text::one_line(&told.join(", "), 200)),
    }
}

fn reverting(object: &ObjectRef, conflicts: &[FieldConflict]) -> String {
    let fields: Vec<&str> = conflicts.iter().map(|it| it.field.as_str()).collect();
    let managers: BTreeSet<&str> = conflicts.iter().map(|it| it.manager.as_str()).collect();
    let managers: Vec<&str> = managers.into_iter().collect();
    format!("putting back {} of {object}, changed by {}", fields.join(", "), managers.join(" and "))
}

/// Returns a short pause as `0.5s` or `2s`.
fn seconds(pause: Duration) -> String {
    match pause.subsec_millis() {
        0 => format!("{}s", pause.as_secs()),
        _ => format!("{:.1}s", pause.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::names::{self, Kind};
    use crate::output::tests::Written;
    use crate::output::{Environment, PrinterOptions};

    fn at(seconds: f64) -> Time {
        Duration::from_secs_f64(seconds)
    }

    fn view(options: PrinterOptions) -> (ProgressView, Written) {
        let written = Written::default();
        (ProgressView::new(&written.printer(options, Environment::default()), at(0.0)), written)
    }

    fn wrote(action: Action, kind: Kind, name: &str, why: &[Why]) -> Event {
        Event::Wrote(action, ObjectRef::new(kind, name), why.to_vec())
    }

    fn executor(action: Action, index: u32, why: &[Why]) -> Event {
        wrote(action, Kind::Pod, &names::executor_manager("demo", index), why)
    }

    fn held(reason: &str, message: &str, indices: std::ops::Range<u32>) -> Cause {
        Cause { indices: indices.collect(), of: 10, ..Cause::new(Component::ExecutorManager, reason, message) }
    }

    fn progress(session_manager_ready: u32, ready: u32, to_do: usize, causes: Vec<Cause>) -> Event {
        let name = "demo".to_owned();
        let (gives_up_at, down) = (None, false);
        Event::Progress(Progress { name, session_manager_ready, ready, replicas: 10, to_do, causes, gives_up_at, down })
    }

    fn down(to_do: usize) -> Event {
        Event::Progress(Progress {
            name: "demo".to_owned(),
            session_manager_ready: 0,
            ready: 0,
            replicas: 0,
            to_do,
            causes: Vec::new(),
            gives_up_at: None,
            down: true,
        })
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
            view.event(&executor(Action::Create, index, &[Why::Missing]), at(0.2));
        }
        ticks(&mut view, 0.25, 1.0);
        assert_eq!(written.lines(), Vec::<String>::new());
        ticks(&mut view, 1.25, 1.5);
        assert_eq!(written.lines(), ["created 10 Pods demo-executor-manager-0-9"]);
    }

    #[test]
    fn other_objects_come_in_order_and_with_their_reason() {
        let (mut view, written) = view(PrinterOptions::default());
        view.event(&executor(Action::Delete, 3, &[Why::Image("a".to_owned(), "b".to_owned())]), at(0.1));
        view.event(&executor(Action::Delete, 4, &[Why::Surplus]), at(0.1));
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
            view.event(&executor(Action::Create, index, &[Why::Missing]), at(f64::from(index)));
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
        let retry = |what: &str, why: &str| Event::Retrying(what.to_owned(), why.to_owned(), at(2.0));
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
    fn taking_down_says_what_is_left() {
        let (mut view, written) = view(PrinterOptions::default());
        view.event(&down(14), at(0.0));
        for index in 0..10 {
            view.event(&executor(Action::Delete, index, &[Why::Down]), at(0.1));
        }
        view.event(&down(4), at(1.0));
        ticks(&mut view, 1.25, 6.0);
        view.event(&down(0), at(6.0));
        ticks(&mut view, 6.25, 20.0);
        assert_eq!(
            written.lines(),
            ["deleted 10 Pods demo-executor-manager-0-9", "waiting 6s for demo to go: 4 objects left"]
        );
    }

    #[test]
    fn verbose_names_each_object_and_quiet_none() {
        let (mut loud, written) = view(PrinterOptions { verbose: true, ..PrinterOptions::default() });
        loud.event(&executor(Action::Create, 0, &[Why::Missing]), at(0.1));
        loud.event(&executor(Action::Create, 1, &[Why::Missing]), at(0.1));
        assert_eq!(written.lines(), ["created Pod demo-executor-manager-0", "created Pod demo-executor-manager-1"]);
        let (mut quiet, written) = view(PrinterOptions { quiet: true, ..PrinterOptions::default() });
        quiet.event(&executor(Action::Create, 0, &[Why::Missing]), at(0.1));
        ticks(&mut quiet, 0.0, 20.0);
        quiet.finish();
        assert_eq!(written.lines(), Vec::<String>::new());
    }

    #[test]
    fn the_live_display_shows_components_elapsed_time_and_causes() {
        let mut story = Story::new(true, false, at(0.0));
        assert_eq!(story.frame(at(1.0)), ["waiting for the server  1s"]);
        story.event(&executor(Action::Create, 0, &[Why::Missing]), at(1.0));
        story.event(&progress(1, 3, 7, vec![held("ErrImagePull", "not found", 3..10)]), at(12.0));
        assert_eq!(
            story.frame(at(12.0)),
            [
                "demo  12s",
                "  session manager  [####################]  1/1",
                "  executors        [######..............]  3/10",
                "  7 objects to change",
                "  7 of 10 executors (3-9): ErrImagePull: not found",
            ]
        );
        story.tick(at(60.0));
        assert_eq!(story.lines, Vec::<String>::new());
        story.event(&down(2), at(61.0));
        assert_eq!(story.frame(at(75.0)), ["demo  75s", "  2 objects left"]);
    }
}
