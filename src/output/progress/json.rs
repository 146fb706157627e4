//! For programs: one JSON object a line on stderr. README's "For scripts" describes them; a change that a reader could not
//! ignore raises [`VERSION`].
//!
//! This fold and the functions beside it give the objects without `version` and `time`, which the printer puts in front.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{GATHER, SILENCE};
use crate::error::{Error, ErrorKind, Problem, Severity};
use crate::flame::names::{Component, PodIndex};
use crate::flame::plan::{Op, Plan, Why};
use crate::flame::rollout::{Event, Progress, Slowest, Time};
use crate::flame::stage::{Stage, Stages};
use crate::flame::state::{Cause, Outlook};
use crate::flame::timeline::{StartPhase, StartTimes, StartUp};
use crate::output::text;

/// The version of these objects.
pub const VERSION: u32 = 1;

/// What there is to tell, and what was told.
pub struct Json {
    records: Vec<Value>,
    seen: Option<Progress>,
    /// Whether `seen` was told.
    is_told: bool,
    told_at: Option<Time>,
    told_wave: u32,
    /// By component and reason, and whether it was told what was learned about it.
    told_causes: BTreeSet<(Component, String, bool)>,
    began: Time,
    now: Time,
    is_finished: bool,
}

impl Json {
    /// Starts at `now`.
    pub fn new(now: Time) -> Self {
        Self {
            records: Vec::new(),
            seen: None,
            is_told: true,
            told_at: None,
            told_wave: 0,
            told_causes: BTreeSet::new(),
            began: now,
            now,
            is_finished: false,
        }
    }

    /// Takes in what happened.
    pub fn event(&mut self, event: &Event, now: Time) {
        match event {
            Event::Wrote(action, object, why) => self.records.push(json!({
                "event": "wrote",
                "action": action.to_string(),
                "kind": object.kind.to_string(),
                "name": object.name,
                "why": why.iter().map(Why::to_string).collect::<Vec<_>>(),
            })),
            Event::Reverting(object, conflicts) => self.records.push(json!({
                "event": "reverting",
                "kind": object.kind.to_string(),
                "name": object.name,
                "fields": conflicts.iter().map(|it| json!({ "field": it.field, "manager": it.manager })).collect::<Vec<_>>(),
            })),
            Event::Retrying(what, why, pause) => self.records.push(json!({
                "event": "retry", "what": what, "why": why, "after": seconds(*pause),
            })),
            Event::Note(note) => self.records.push(message("note", note)),
            // Programs get the causes themselves; repairs are told by the log of `watch`.
            Event::Detail(_) | Event::Repaired(_) => {}
            Event::Progress(progress) => self.progress(progress),
        }
        self.tick(now);
    }

    /// Takes in that time went by.
    pub fn tick(&mut self, now: Time) {
        self.now = now;
        let since = |told: Time| now.saturating_sub(told);
        let gathered = self.told_at.is_none_or(|told| since(told) >= GATHER);
        let is_waiting = !self.is_finished && self.seen.as_ref().is_none_or(|seen| !seen.is_complete());
        let is_silent = is_waiting && since(self.told_at.unwrap_or(self.began)) >= SILENCE;
        if (gathered && !self.is_told) || is_silent {
            self.tell();
        }
    }

    /// Tells what is still untold.
    pub fn finish(&mut self) {
        if !self.is_told {
            self.tell();
        }
        self.is_finished = true;
    }

    /// Takes what is to be printed now.
    pub fn take_records(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.records)
    }

    fn progress(&mut self, progress: &Progress) {
        if let Some(wave) = progress.wave.filter(|wave| wave.number > self.told_wave) {
            let (number, of, replacing) = (wave.number, wave.of, wave.replacing);
            self.records.push(json!({ "event": "wave", "number": number, "of": of, "replacing": replacing }));
            self.told_wave = number;
        }
        for cause in progress.causes.iter().filter(|cause| cause.is_news()) {
            let is_looked_into = !cause.evidence.is_empty() || cause.next.is_some();
            if self.told_causes.insert((cause.component, cause.reason.clone(), is_looked_into)) {
                self.records.push(self::cause(cause));
            }
        }
        if progress.is_complete() {
            // `watch` runs for ever: what comes back is news again.
            self.told_causes.clear();
        }
        self.seen = Some(progress.clone());
        self.is_told = false;
    }

    fn tell(&mut self) {
        self.records.push(match &self.seen {
            Some(seen) => progress(seen, self.began, self.now),
            None => message("note", "waiting for the server"),
        });
        self.is_told = true;
        self.told_at = Some(self.now);
    }
}

fn progress(seen: &Progress, began: Time, now: Time) -> Value {
    let left = |at: Time| seconds(at.saturating_sub(now));
    let causes = seen
        .causes
        .iter()
        .map(|cause| json!({ "component": cause.component.name(), "reason": cause.reason, "pods": pods(cause) }));
    json!({
        "event": "progress",
        "flame": seen.name,
        "elapsed": seconds(now.saturating_sub(began)),
        "timeLeft": seen.deadline.map(left),
        "givesUpIn": seen.gives_up_at.and(seen.ends_at()).map(left),
        "sessionManager": stages(&seen.session_manager),
        "objectCache": seen.object_cache.as_ref().map(stages),
        "executors": stages(&seen.executors),
        "replicas": seen.replicas,
        "toDo": seen.to_do,
        "left": seen.down.map(|left| {
            json!({ "pods": left.pods, "services": left.services, "configMaps": left.config_maps })
        }),
        "wave": seen.wave.map(|wave| json!({ "number": wave.number, "of": wave.of, "replacing": wave.replacing })),
        "slowest": seen.slowest.map(|it| slowest(it, now)),
        "causes": causes.collect::<Vec<_>>(),
        "moreCauses": seen.more_causes,
    })
}

/// Returns the number of Pods at every stage, zeros too: a reader finds the same keys each time.
fn stages(stages: &Stages) -> Value {
    Stage::ALL.into_iter().map(|stage| (key(stage.word()), Value::from(stages.of(stage)))).collect::<Map<_, _>>().into()
}

fn slowest(slowest: Slowest, now: Time) -> Value {
    let component = slowest.pod.component();
    let index = match slowest.pod {
        PodIndex::SessionManager | PodIndex::ObjectCache => None,
        PodIndex::Executor(index) => Some(index),
    };
    json!({
        "component": component.name(),
        "index": index,
        "stage": key(slowest.stage.word()),
        "seconds": seconds(now.saturating_sub(slowest.since)),
    })
}

/// Returns a cause with what is known of it.
pub fn cause(cause: &Cause) -> Value {
    json!({
        "event": "cause",
        "component": cause.component.name(),
        "reason": cause.reason,
        "message": cause.message,
        "pods": pods(cause),
        "executors": text::ranges(&cause.indices, '-'),
        "outlook": match cause.outlook {
            Outlook::Working => "working",
            Outlook::Doubtful(_) => "doubtful",
            Outlook::Hopeless => "hopeless",
        },
        "evidence": cause.evidence,
        "advice": cause.advice,
        "next": cause.next,
    })
}

/// Returns how many Pods a cause holds up.
fn pods(cause: &Cause) -> usize {
    if cause.component == Component::ExecutorManager { cause.indices.len() } else { 1 }
}

/// Returns an event that is just a text.
pub fn message(event: &str, text: &str) -> Value {
    json!({ "event": event, "message": text })
}

/// Returns a request and how it ended; `status` is none where no answer came.
pub fn request(method: &str, path: &str, status: Option<u16>, took: Time) -> Value {
    json!({ "event": "request", "method": method, "path": path, "status": status, "seconds": seconds(took) })
}

/// Returns a mistake in an input file.
pub fn problem(problem: &Problem) -> Value {
    json!({
        "event": "problem",
        "severity": match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
    })
}

/// Returns a failure; its problems are events of their own.
pub fn error(error: &Error) -> Value {
    json!({ "event": "error", "kind": kind(error.kind), "message": error.what, "hints": error.hints })
}

fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Server => "server",
        ErrorKind::Input => "input",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Unhealthy => "unhealthy",
        ErrorKind::Refused => "refused",
        ErrorKind::Interrupted => "interrupted",
    }
}

/// Returns how many objects a plan changes, and how.
pub fn plan(plan: &Plan) -> Value {
    json!({
        "event": "plan",
        "create": plan.count(Op::Create),
        "update": plan.count(Op::Update),
        "resize": plan.count(Op::Resize),
        "replace": plan.count(Op::Replace),
        "delete": plan.count(Op::Delete),
        "keep": plan.count(Op::Keep),
        "refuse": plan.foreign().len(),
    })
}

/// Returns how long a start took.
pub fn timeline(start: &StartUp) -> Value {
    let mut event = start_up(start);
    event["event"] = "timeline".into();
    event
}

/// Returns how long a start took, as it stands under `timeline` in a result.
pub fn start_up(start: &StartUp) -> Value {
    let executor = |(index, times): &(u32, StartTimes)| {
        let mut times = self::times(times);
        times.insert("index".to_owned(), Value::from(*index));
        Value::from(times)
    };
    let executors = start.executors.as_ref().map(|executors| {
        json!({
            "count": executors.count,
            "median": executor(&executors.median),
            "slowest": executor(&executors.slowest),
        })
    });
    json!({ "sessionManager": start.session_manager.as_ref().map(times), "executors": executors })
}

fn times(times: &StartTimes) -> Map<String, Value> {
    let phases = StartPhase::ALL.into_iter().map(|phase| (phase.word().to_owned(), seconds(times.of(phase))));
    phases.chain([("total".to_owned(), seconds(times.total()))]).collect()
}

/// Returns seconds to the millisecond.
pub fn seconds(time: Time) -> Value {
    let seconds = time.as_millis() as f64 / 1000.0;
    Value::from(seconds)
}

/// Returns words as one key: `not created` → `notCreated`.
pub fn key(words: &str) -> String {
    let mut words = words.split(' ');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |key, word| {
        let (initial, rest) = word.split_at(1.min(word.len()));
        key + &initial.to_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::flame::names::{Kind, ObjectRef};
    use crate::flame::rollout::{Action, FieldConflict, Left, Wave};
    use crate::flame::timeline::ExecutorStarts;
    use crate::output::progress::testing::{at, down, held, retry, up, wrote};
    use crate::output::schema;

    /// Takes what is to be printed, which is as the schema says once the printer has put its own fields in front.
    fn told(json: &mut Json) -> Vec<Value> {
        let records = json.take_records();
        records.iter().for_each(is_as_written_down);
        records
    }

    #[track_caller]
    fn is_as_written_down(record: &Value) {
        let mut event = record.clone();
        event["version"] = VERSION.into();
        event["time"] = seconds(at(1.5));
        schema::tests::check(&schema::progress(), &event);
    }

    fn happen(json: &mut Json, progress: Progress, now: f64) {
        json.event(&Event::Progress(Box::new(progress)), at(now));
    }

    /// Returns the kinds of event.
    fn kinds(records: &[Value]) -> Vec<&str> {
        records.iter().map(|record| record["event"].as_str().unwrap()).collect()
    }

    #[test]
    fn what_happens_is_an_object_each() {
        let mut json = Json::new(at(0.0));
        let image = Why::Image("a".to_owned(), "b".to_owned());
        json.event(&wrote(Action::Delete, Kind::Pod, "demo-session-manager", &[image]), at(0.1));
        let conflict =
            FieldConflict { manager: "\"kubectl-edit\" using v1".to_owned(), field: "spec.ports".to_owned() };
        json.event(&Event::Reverting(ObjectRef::new(Kind::Service, "demo-object-cache"), vec![conflict]), at(0.2));
        json.event(&retry("Pod a", "the server is busy"), at(0.3));
        json.event(&Event::Note("namespace ml was created".to_owned()), at(0.4));
        assert_eq!(
            told(&mut json),
            [
                json!({ "event": "wrote", "action": "deleted", "kind": "Pod", "name": "demo-session-manager",
                    "why": ["image a → b"] }),
                json!({ "event": "reverting", "kind": "Service", "name": "demo-object-cache",
                    "fields": [{ "field": "spec.ports", "manager": "\"kubectl-edit\" using v1" }] }),
                json!({ "event": "retry", "what": "Pod a", "why": "the server is busy", "after": 2.0 }),
                json!({ "event": "note", "message": "namespace ml was created" }),
            ]
        );
    }

    #[test]
    fn progress_has_the_same_keys_whatever_there_is_to_tell() {
        let empty = progress(&up(1, 10, 10), at(0.0), at(2.5));
        let full = Progress {
            wave: Some(Wave { number: 2, of: 4, replacing: 5 }),
            slowest: Some(Slowest { pod: PodIndex::Executor(7), stage: Stage::NoImage, since: at(1.0) }),
            causes: vec![held("ErrImagePull", "not found", 3..10)],
            more_causes: 2,
            gives_up_at: Some(at(62.0)),
            deadline: Some(at(300.0)),
            ..down(0, 3, Left { pods: 3, services: 2, config_maps: 1 })
        };
        let full = progress(&full, at(0.0), at(2.5));
        [&empty, &full].into_iter().for_each(is_as_written_down);
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&empty), keys(&full));
        assert_eq!(keys(&empty["executors"]), keys(&full["sessionManager"]));
        let stages = |ready: u32, starting: u32| {
            json!({ "ready": ready, "starting": starting, "pulling": 0, "creating": 0, "scheduling": 0, "crashing": 0,
                "withoutImage": 0, "blocked": 0, "unschedulable": 0, "failed": 0, "terminating": 0, "notCreated": 0 })
        };
        assert_eq!(
            empty,
            json!({ "event": "progress", "flame": "demo", "elapsed": 2.5, "timeLeft": null, "givesUpIn": null,
                "sessionManager": stages(1, 0), "objectCache": null, "executors": stages(10, 0), "replicas": 10, "toDo": 0, "left": null,
                "wave": null, "slowest": null, "causes": [], "moreCauses": 0 })
        );
        assert_eq!(
            full,
            json!({ "event": "progress", "flame": "demo", "elapsed": 2.5, "timeLeft": 297.5, "givesUpIn": 59.5,
                "sessionManager": stages(0, 0), "objectCache": null, "executors": stages(3, 0), "replicas": 0, "toDo": 6,
                "left": { "pods": 3, "services": 2, "configMaps": 1 },
                "wave": { "number": 2, "of": 4, "replacing": 5 },
                "slowest": { "component": "executor-manager", "index": 7, "stage": "withoutImage", "seconds": 1.5 },
                "causes": [{ "component": "executor-manager", "reason": "ErrImagePull", "pods": 7 }], "moreCauses": 2 })
        );
    }

    #[test]
    fn progress_is_told_at_most_once_a_second_and_at_least_every_five_while_waiting() {
        let mut json = Json::new(at(0.0));
        for ready in 0..8 {
            happen(&mut json, up(1, ready, 10), f64::from(ready) * 0.25);
        }
        let ready: Vec<Value> = told(&mut json).iter().map(|record| record["executors"]["ready"].clone()).collect();
        assert_eq!(ready, [0, 4]);
        json.tick(at(2.0));
        assert_eq!(told(&mut json)[0]["executors"]["ready"], 7);
        (9..28).for_each(|quarter| json.tick(at(f64::from(quarter) * 0.25)));
        assert_eq!(kinds(&told(&mut json)), ["progress"]);
        happen(&mut json, up(1, 10, 10), 6.9);
        json.finish();
        assert_eq!(told(&mut json)[0]["executors"]["ready"], 10);
        json.finish();
        json.tick(at(60.0));
        assert_eq!(told(&mut json), Vec::<Value>::new());
    }

    #[test]
    fn a_server_that_does_not_answer_is_told() {
        let mut json = Json::new(at(0.0));
        (0..44).for_each(|quarter| json.tick(at(f64::from(quarter) * 0.25)));
        let waiting = json!({ "event": "note", "message": "waiting for the server" });
        assert_eq!(told(&mut json), [waiting.clone(), waiting]);
    }

    #[test]
    fn a_cause_is_told_again_once_more_is_known_of_it() {
        let mut json = Json::new(at(0.0));
        let bare = held("ErrImagePull", "not found", 3..10);
        let known = Cause { evidence: vec!["manifest unknown".to_owned()], ..bare.clone() };
        for (now, cause) in [(0.0, &bare), (0.1, &bare), (0.2, &known), (0.3, &known)] {
            happen(&mut json, Progress { causes: vec![cause.clone()], ..up(1, 3, 10) }, now);
        }
        let records = told(&mut json);
        assert_eq!(kinds(&records), ["cause", "progress", "cause"]);
        assert_eq!(records[2]["evidence"], json!(["manifest unknown"]));
    }

    #[test]
    fn waves_and_causes_are_told_once() {
        let mut json = Json::new(at(0.0));
        let progress = |number| Progress {
            wave: Some(Wave { number, of: 4, replacing: 5 }),
            causes: vec![
                Cause { next: Some("kubectl describe pod x".to_owned()), ..held("ErrImagePull", "not found", 3..10) },
                held("Pending", "on its way", 0..1),
            ],
            ..up(1, 5, 10)
        };
        happen(&mut json, progress(1), 0.0);
        happen(&mut json, progress(1), 0.1);
        happen(&mut json, progress(2), 0.2);
        let records = told(&mut json);
        assert_eq!(kinds(&records), ["wave", "cause", "progress", "wave"]);
        assert_eq!(records[3], json!({ "event": "wave", "number": 2, "of": 4, "replacing": 5 }));
        assert_eq!(
            records[1],
            json!({ "event": "cause", "component": "executor-manager", "reason": "ErrImagePull", "message": "not found",
                "pods": 7, "executors": "3-9", "outlook": "doubtful", "evidence": [], "advice": null,
                "next": "kubectl describe pod x" })
        );
    }

    #[test]
    fn a_start_is_told_in_numbers() {
        let times = |milliseconds: [u64; 5]| StartTimes::new(milliseconds.map(Duration::from_millis));
        let executors = ExecutorStarts {
            count: 10,
            median: (3, times([12, 80, 2_449, 1_000, 600])),
            slowest: (7, times([12, 80, 41_251, 1_000, 600])),
        };
        let start = StartUp { session_manager: None, executors: Some(executors) };
        assert_eq!(
            start_up(&start),
            json!({ "sessionManager": null, "executors": { "count": 10,
                "median": { "index": 3, "applied": 0.012, "scheduled": 0.08, "image": 2.449, "started": 1.0, "ready": 0.6,
                    "total": 4.141 },
                "slowest": { "index": 7, "applied": 0.012, "scheduled": 0.08, "image": 41.251, "started": 1.0, "ready": 0.6,
                    "total": 42.943 } } })
        );
        assert_eq!(timeline(&start)["event"], "timeline");
    }

    #[test]
    fn a_plan_is_told_in_numbers() {
        assert_eq!(
            plan(&Plan::default()),
            json!({ "event": "plan", "create": 0, "update": 0, "resize": 0, "replace": 0, "delete": 0, "keep": 0, "refuse": 0 })
        );
    }
}
