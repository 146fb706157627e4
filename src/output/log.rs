//! What `watch` tells: a line an event, for months, of many flames at once; as text or as JSON (`--log-format`).
//!
//! [`FlameLog`] folds one flame's [`Event`]s and knows no clock; [`Log`] writes what it gives with the time of the day.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::progress::GATHER;
use super::progress::notices::{reasons, reverting};
use super::progress::written::Writes;
use super::{Printer, text};
use crate::flame::names::{Component, FlameKey, ObjectRef};
use crate::flame::observed::Seconds;
use crate::flame::plan::Why;
use crate::flame::rollout::{Action, Event, Progress, Repair, Time};

/// How long the same trouble is not told again.
const QUIET: Duration = Duration::from_secs(300);
/// Longest text of a cause or a failure in a line, in characters.
const LENGTH: usize = 300;

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `2026-01-02T03:04:05Z info ml/demo: …`
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It happened.
    Info,
    /// Somebody should look at it.
    Warning,
    /// It does not work.
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One line before it has a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// How much it matters.
    pub level: Level,
    /// What kind of thing happened, as `repaired`.
    pub event: &'static str,
    /// It in words.
    pub message: String,
    /// It in fields, for programs.
    pub fields: Value,
}

impl Entry {
    /// Makes an entry that is just a text.
    pub fn new(level: Level, event: &'static str, message: impl Into<String>) -> Self {
        Self { level, event, message: message.into(), fields: Value::Null }
    }
}

/// Where lines go.
#[derive(Clone)]
pub struct Log {
    printer: Printer,
    format: LogFormat,
    now: fn() -> String,
}

impl Log {
    /// Makes a log; `now` gives the time of the day as RFC 3339 has it.
    pub fn new(printer: &Printer, format: LogFormat, now: fn() -> String) -> Self {
        Self { printer: printer.clone(), format, now }
    }

    /// Writes a line about the process, or about a flame.
    pub fn write(&self, flame: Option<&FlameKey>, entry: &Entry) {
        if entry.level == Level::Info && self.printer.is_quiet() {
            return;
        }
        let time = (self.now)();
        let line = match self.format {
            LogFormat::Text => {
                let about = flame.map(|flame| format!("{flame}: ")).unwrap_or_default();
                format!("{time} {:<7} {about}{}", entry.level.word(), text::line(&entry.message))
            }
            LogFormat::Json => {
                let mut line = json!({
                    "time": time, "level": entry.level.word(), "event": entry.event, "message": entry.message,
                });
                if let Some(flame) = flame {
                    line["namespace"] = flame.namespace.clone().into();
                    line["flame"] = flame.name.clone().into();
                }
                if let Value::Object(fields) = &entry.fields {
                    fields.iter().for_each(|(key, value)| line[key.as_str()] = value.clone());
                }
                text::escape_controls(line.to_string())
            }
        };
        self.printer.raw_line(&line);
    }

    /// Writes a line of this text about the process.
    pub fn info(&self, message: impl Into<String>) {
        self.write(None, &Entry::new(Level::Info, "note", message));
    }

    /// Writes a line of something that does not work.
    pub fn trouble(&self, flame: Option<&FlameKey>, message: impl Into<String>) {
        self.write(flame, &Entry::new(Level::Error, "trouble", message));
    }
}

/// The log of one flame: a fold over its events that is written as it grows.
pub struct FlameLog {
    log: Log,
    key: FlameKey,
    fold: Arc<Mutex<Fold>>,
}

impl FlameLog {
    /// Starts a flame's log.
    pub fn new(log: &Log, key: &FlameKey) -> Self {
        Self { log: log.clone(), key: key.clone(), fold: Arc::default() }
    }

    /// Takes in what happened.
    pub fn event(&self, event: &Event, now: Time) {
        self.write(|fold| fold.event(event, now));
    }

    /// Takes in that time went by.
    pub fn tick(&self, now: Time) {
        self.write(|fold| fold.tick(now));
    }

    /// Writes a line of something that stops the work on the flame for a while.
    pub fn trouble(&self, message: impl Into<String>) {
        self.log.trouble(Some(&self.key), message);
    }

    /// Writes a line about the flame.
    pub fn info(&self, message: impl Into<String>) {
        self.log.write(Some(&self.key), &Entry::new(Level::Info, "note", message));
    }

    fn write(&self, change: impl FnOnce(&mut Fold)) {
        let entries = {
            let mut fold = self.fold.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut fold);
            std::mem::take(&mut fold.entries)
        };
        entries.iter().for_each(|entry| self.log.write(Some(&self.key), entry));
    }
}

/// What there is to say of a flame, and what was said.
#[derive(Default)]
struct Fold {
    entries: Vec<Entry>,
    written: Writes,
    gathers_since: Option<Time>,
    is_complete: Option<bool>,
    told_causes: BTreeSet<(Component, String)>,
    told_troubles: BTreeMap<String, Time>,
    note: String,
}

impl Fold {
    fn event(&mut self, event: &Event, now: Time) {
        match event {
            Event::Wrote(action, object, why) => self.wrote(*action, object, why, now),
            Event::Repaired(repair) => self.repaired(repair),
            Event::Reverting(object, conflicts) => self.say(Level::Info, "reverting", reverting(object, conflicts)),
            Event::Retrying(what, why, _) => self.retrying(what, why, now),
            Event::Progress(progress) => self.progress(progress),
            Event::Note(note) if *note != self.note => {
                self.note.clone_from(note);
                self.say(Level::Info, "note", note.clone());
            }
            Event::Note(_) | Event::Detail(_) => {}
        }
        self.tick(now);
    }

    fn tick(&mut self, now: Time) {
        if self.gathers_since.is_some_and(|since| now >= since + GATHER) {
            self.tell_written();
        }
    }

    fn say(&mut self, level: Level, event: &'static str, message: String) {
        self.tell_written();
        self.entries.push(Entry::new(level, event, message));
    }

    fn wrote(&mut self, action: Action, object: &ObjectRef, why: &[Why], now: Time) {
        self.written.add(action, object, why);
        self.gathers_since.get_or_insert(now);
    }

    /// Tells what was written, Pods that were written alike in one line.
    fn tell_written(&mut self) {
        self.gathers_since = None;
        for written in self.written.take() {
            let fields = json!({ "action": written.action.to_string(), "objects": written.objects });
            self.entries.push(Entry { fields, ..Entry::new(Level::Info, "wrote", written.to_string()) });
        }
    }

    /// Tells a repair instead of the write that it was.
    fn repaired(&mut self, repair: &Repair) {
        self.written.forget(repair.action, &repair.object);
        let level = if repair.pause.is_some() { Level::Warning } else { Level::Info };
        let fields = json!({
            "kind": repair.object.kind.to_string(),
            "name": repair.object.name,
            "action": repair.action.to_string(),
            "why": repair.why.iter().map(Why::to_string).collect::<Vec<_>>(),
            "fields": repair.drift.iter().map(|it| json!({ "field": it.field, "found": it.found, "wanted": it.wanted })).collect::<Vec<_>>(),
            "by": repair.by.as_ref().map(|(manager, _)| manager),
            "at": repair.by.as_ref().and_then(|(_, at)| *at),
            "count": repair.count,
            "pause": repair.pause.map(|pause| pause.as_secs_f64()),
        });
        self.tell_written();
        self.entries.push(Entry { level, event: "repaired", message: sentence(repair), fields });
    }

    fn retrying(&mut self, what: &str, why: &str, now: Time) {
        let is_known = self.told_troubles.get(why).is_some_and(|told| now < *told + QUIET);
        if !is_known {
            self.told_troubles.retain(|_, told| now < *told + QUIET);
            self.told_troubles.insert(why.to_owned(), now);
            self.say(Level::Warning, "retry", format!("retrying {what}: {}", text::one_line(why, LENGTH)));
        }
    }

    fn progress(&mut self, progress: &Progress) {
        let is_complete = progress.is_complete();
        for cause in progress.causes.iter().filter(|cause| cause.is_news()) {
            if self.told_causes.insert((cause.component, cause.reason.clone())) {
                let fields = json!({ "component": cause.component.name(), "reason": cause.reason, "next": cause.next });
                self.tell_written();
                let message = text::one_line(&text::cause(cause), LENGTH);
                self.entries.push(Entry { fields, ..Entry::new(Level::Warning, "cause", message) });
            }
        }
        if is_complete {
            self.told_causes.clear();
            self.told_troubles.clear();
            self.tell_written();
        }
        if self.is_complete != Some(is_complete) && (is_complete || self.is_complete.is_some()) {
            let (ready, replicas) = (progress.executors.ready(), progress.replicas);
            let what = if is_complete { "all is ready" } else { "not all is ready" };
            let not = if progress.session_manager.ready() > 0 { "" } else { "session manager not ready, " };
            let lacks_cache = progress.object_cache.is_some_and(|stages| stages.ready() == 0);
            let cache = if lacks_cache { "object cache not ready, " } else { "" };
            let message = format!("{what}: {not}{cache}{ready} of {replicas} executors ready");
            let fields = json!({ "ready": is_complete, "executorsReady": ready, "replicas": replicas });
            self.entries.push(Entry { fields, ..Entry::new(Level::Info, "ready", message) });
        }
        self.is_complete = Some(is_complete);
    }
}

/// Says what was put right, from what to what, and who had changed it.
pub fn sentence(repair: &Repair) -> String {
    let Repair { object, action, drift, by, count, pause, .. } = repair;
    let is_gone = repair.why.contains(&Why::Missing);
    let mut sentence = match (is_gone, drift.is_empty()) {
        (true, _) => format!("{object} was deleted, {action} again"),
        (false, true) => format!("{action} {object}{}", reasons(&repair.why)),
        (false, false) => {
            let fields: Vec<String> = drift.iter().take(3).map(ToString::to_string).collect();
            let more = drift.len().saturating_sub(3);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("put back {object}: {}{more}", text::one_line(&fields.join(", "), LENGTH))
        }
    };
    if let Some((manager, at)) = by {
        let at = at.and_then(rfc3339).map(|at| format!(" at {at}")).unwrap_or_default();
        sentence.push_str(&format!(", changed by {manager}{at}"));
    }
    if let Some(pause) = pause {
        let pause = text::age(pause.as_secs());
        sentence.push_str(&format!("; somebody keeps undoing it ({count} times), the next repair waits {pause}"));
    }
    sentence
}

fn rfc3339(seconds: Seconds) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::names::Kind;
    use crate::flame::plan::Drift;
    use crate::output::progress::testing::{at, executor, held, retry, up, wrote};
    use crate::output::tests::Written;
    use crate::output::{Environment, PrinterOptions};

    fn log(format: LogFormat) -> (FlameLog, Written) {
        let written = Written::default();
        let pipe = Environment { unicode: true, ..Environment::default() };
        let printer = written.printer(PrinterOptions::default(), pipe);
        let log = Log::new(&printer, format, || "2026-01-02T03:04:05Z".to_owned());
        (FlameLog::new(&log, &FlameKey::new("ml", "demo")), written)
    }

    fn progress(session_manager: u32, ready: u32) -> Event {
        Event::Progress(Box::new(up(session_manager, ready, 10)))
    }

    fn repair(kind: Kind, name: &str, why: &[Why], drift: Vec<Drift>) -> Repair {
        let by = (!drift.is_empty()).then(|| ("kubectl-edit".to_owned(), Some(1_767_323_000)));
        let object = ObjectRef::new(kind, name);
        Repair {
            object,
            action: Action::Update,
            why: why.to_vec(),
            drift,
            uid: String::new(),
            by,
            count: 1,
            pause: None,
        }
    }

    #[test]
    fn a_start_is_a_few_lines() {
        let (log, written) = log(LogFormat::Text);
        log.event(&wrote(Action::Create, Kind::Pod, "demo-session-manager", &[Why::Missing]), at(0.1));
        (0..10).for_each(|index| log.event(&executor(Action::Create, index), at(0.2)));
        log.event(&progress(0, 0), at(0.3));
        assert_eq!(written.lines(), Vec::<String>::new());
        log.tick(at(1.2));
        log.event(&progress(1, 10), at(2.0));
        log.event(&progress(1, 10), at(3.0));
        assert_eq!(
            written.lines(),
            [
                "2026-01-02T03:04:05Z info    ml/demo: created Pod demo-session-manager",
                "2026-01-02T03:04:05Z info    ml/demo: created 10 Pods demo-executor-manager-0-9",
                "2026-01-02T03:04:05Z info    ml/demo: all is ready: 10 of 10 executors ready",
            ]
        );
    }

    #[test]
    fn a_repair_takes_the_place_of_its_write() {
        let (log, written) = log(LogFormat::Text);
        let port = Drift {
            field: "spec.ports[grpc].port".to_owned(),
            found: Some("9999".to_owned()),
            wanted: Some("9090".to_owned()),
        };
        log.event(&wrote(Action::Update, Kind::Service, "demo-object-cache", &[Why::Ports]), at(0.1));
        log.event(
            &Event::Repaired(Box::new(repair(Kind::Service, "demo-object-cache", &[Why::Ports], vec![port]))),
            at(0.1),
        );
        let gone = Repair {
            action: Action::Create,
            count: 6,
            pause: Some(Duration::from_secs(2)),
            ..repair(Kind::Pod, "demo-executor-manager-3", &[Why::Missing], Vec::new())
        };
        log.event(&Event::Repaired(Box::new(gone)), at(0.2));
        log.tick(at(5.0));
        assert_eq!(
            written.lines(),
            [
                "2026-01-02T03:04:05Z info    ml/demo: put back Service demo-object-cache: spec.ports[grpc].port 9999 → 9090, \
                 changed by kubectl-edit at 2026-01-02T03:03:20Z",
                "2026-01-02T03:04:05Z warning ml/demo: Pod demo-executor-manager-3 was deleted, created again; \
                 somebody keeps undoing it (6 times), the next repair waits 2s",
            ]
        );
    }

    #[test]
    fn trouble_is_told_once_until_all_is_well() {
        let (log, written) = log(LogFormat::Text);
        let broken = || {
            let causes = vec![held("CrashLoopBackOff", "exit code 101", 2..3)];
            Event::Progress(Box::new(Progress { causes, ..up(1, 9, 10) }))
        };
        for round in [0.0, 100.0] {
            log.event(&progress(1, 10), at(round));
            for second in 1..10 {
                log.event(&broken(), at(round + f64::from(second)));
                log.event(&retry("Pod a", "the server is busy"), at(round + f64::from(second)));
            }
        }
        let lines = written.lines();
        let told: Vec<&str> = lines.iter().map(|line| &line["2026-01-02T03:04:05Z ".len()..]).collect();
        let trouble = [
            "warning ml/demo: executor 2: CrashLoopBackOff: exit code 101",
            "info    ml/demo: not all is ready: 9 of 10 executors ready",
            "warning ml/demo: retrying Pod a: the server is busy",
        ];
        let well = "info    ml/demo: all is ready: 10 of 10 executors ready";
        assert_eq!(told, [&[well][..], &trouble, &[well], &trouble].concat());
    }

    #[test]
    fn a_line_for_programs_is_one_object() {
        let (log, written) = log(LogFormat::Json);
        log.event(
            &Event::Repaired(Box::new(repair(Kind::Service, "demo-object-cache", &[Why::Metadata], Vec::new()))),
            at(0.1),
        );
        let lines = written.lines();
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(
            serde_json::from_str::<Value>(line).unwrap(),
            json!({
                "time": "2026-01-02T03:04:05Z", "level": "info", "event": "repaired", "namespace": "ml", "flame": "demo",
                "message": "updated Service demo-object-cache (labels or annotations changed)",
                "kind": "Service", "name": "demo-object-cache", "action": "updated",
                "why": ["labels or annotations changed"], "fields": [], "by": null, "at": null, "count": 1, "pause": null,
            })
        );
    }
}
