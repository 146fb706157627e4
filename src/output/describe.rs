//! A flame in depth, as `kubectl describe` shows an object: parts, Pods, why some are not ready, and what happened.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::events::EventTable;
use super::{pods, table, text};
use crate::flame::events::ObservedEvent;
use crate::flame::mask::mask;
use crate::flame::names;
use crate::flame::observed::{Condition, ObservedPod, Ownership, Seconds, Snapshot};
use crate::flame::state::{Cause, Verdict, exit};
use crate::flame::{FlameCluster, Resources};

/// Most events shown, the newest.
const EVENTS: usize = 20;
/// Most Pods whose conditions are shown: one for each cause.
const SAMPLES: usize = 5;
/// Where values begin.
const INDENT: usize = 20;

/// What there is to describe.
pub struct Description<'a> {
    /// What the record says.
    pub flame: &'a FlameCluster,
    /// What is there.
    pub snapshot: &'a Snapshot,
    /// How it is.
    pub verdict: &'a Verdict,
    /// What happened, oldest first.
    pub events: &'a [ObservedEvent],
    /// This moment.
    pub now: Seconds,
}

impl Description<'_> {
    /// Returns the text.
    pub fn text(&self) -> String {
        let paragraphs = [self.head(), self.parts(), self.pods(), self.causes(), self.samples(), self.events()];
        paragraphs.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    fn name(&self) -> &str {
        &self.flame.metadata.name
    }

    fn head(&self) -> String {
        let status = &self.verdict.status;
        let created = self.snapshot.record(self.name()).and_then(|record| record.meta.creation_timestamp);
        let created = created.map_or("<unknown>".to_owned(), |created| moment(created, self.now));
        let metadata = &self.flame.metadata;
        lines(&[
            ("Name", self.name().to_owned()),
            ("Namespace", self.flame.namespace().to_owned()),
            ("State", status.state.to_string()),
            ("Message", table::message(self.verdict)),
            ("Config generation", status.config_generation.to_string()),
            ("Created", created),
            ("Labels", pairs(&metadata.labels, "=")),
            ("Annotations", pairs(&metadata.annotations, "=")),
        ])
    }

    fn parts(&self) -> String {
        let (spec, status) = (&self.flame.spec, &self.verdict.status);
        let session_manager = [
            ("  Image", spec.session_manager.image.clone()),
            ("  Ready", format!("{}/1", status.session_manager.ready)),
            ("  Endpoint", status.session_manager.endpoint.clone()),
            ("  Service", self.service(&names::session_manager(self.name()))),
        ];
        let executors = [
            ("  Image", spec.executor_manager.image.clone()),
            ("  Ready", format!("{}/{}", status.executor_manager.ready, status.executor_manager.replicas)),
        ];
        let cache = self.object_cache();
        let amounts =
            |of: &Resources| lines(&[("  Requests", pairs(&of.requests, " ")), ("  Limits", pairs(&of.limits, " "))]);
        [
            "Session manager:".to_owned(),
            lines(&session_manager),
            amounts(&spec.session_manager.resources),
            "Executor manager:".to_owned(),
            lines(&executors),
            amounts(&spec.executor_manager.resources),
            "Object cache:".to_owned(),
            lines(&cache),
        ]
        .join("\n")
    }

    /// Returns what there is to say of the object cache: before Flame 0.6 it is in the executor managers.
    fn object_cache(&self) -> Vec<(&'static str, String)> {
        let name = names::object_cache(self.name());
        let pod = self.snapshot.pod(&name).filter(|pod| pod.meta.ownership(self.name()) == Ownership::Ours);
        let of_pod = [
            ("  Image", self.flame.object_cache_image()),
            ("  Ready", format!("{}/1", u32::from(pod.is_some_and(ObservedPod::is_ready)))),
        ];
        let of_pod = of_pod.into_iter().filter(|_| self.flame.has_object_cache_pod());
        of_pod.chain([("  Service", self.service(&name))]).collect()
    }

    fn service(&self, name: &str) -> String {
        let Some(service) = self.snapshot.services.get(name) else { return format!("{name} is not there") };
        let ports: Vec<String> = service.ports.iter().map(|port| format!("{} {}", port.name, port.port)).collect();
        format!("{name}: {}", ports.join(", "))
    }

    fn pods(&self) -> String {
        match pods::table(self.flame, self.snapshot, self.now) {
            none if none.is_empty() => "Pods: none".to_owned(),
            pods => format!("Pods:\n{}", indented(&pods)),
        }
    }

    fn causes(&self) -> String {
        let causes: Vec<String> = self.verdict.causes.iter().flat_map(Cause::lines).collect();
        if causes.is_empty() { String::new() } else { format!("Not ready:\n{}", indented(&causes.join("\n"))) }
    }

    /// Describes a Pod for each cause: others that it holds up are alike.
    fn samples(&self) -> String {
        let pod = |cause: &Cause| Some((self.snapshot.pods.get(cause.pod.as_deref()?)?, cause.who()));
        let samples: Vec<String> =
            self.verdict.causes.iter().filter_map(pod).take(SAMPLES).map(|(pod, who)| self.sample(pod, &who)).collect();
        if samples.is_empty() { String::new() } else { format!("Conditions:\n{}", indented(&samples.join("\n"))) }
    }

    fn sample(&self, pod: &ObservedPod, who: &str) -> String {
        let conditions = &pod.conditions;
        let mut text = format!("{}, which stands for {who}:", pod.meta.name);
        for (name, condition) in [
            ("PodScheduled", &conditions.scheduled),
            ("PodReadyToStartContainers", &conditions.ready_to_start),
            ("Initialized", &conditions.initialized),
            ("ContainersReady", &conditions.containers_ready),
            ("Ready", &conditions.ready),
        ] {
            if let Some(condition) = condition {
                let _ = write!(text, "\n  {name:<27}{}", self.condition(condition));
            }
        }
        if let Some(ended) = &pod.ended {
            let when = ended.finished_at.map(|at| format!(", {} ago", pods::ago(at, self.now))).unwrap_or_default();
            let reason = if ended.reason.is_empty() { String::new() } else { format!(", {}", ended.reason) };
            let _ = write!(text, "\n  {:<27}{}{reason}{when}", "Last ended", exit(ended.exit_code, ended.signal));
            let message = mask(&ended.message);
            message.lines().for_each(|line| text.push_str(&format!("\n    {line}")));
        }
        text
    }

    fn condition(&self, condition: &Condition) -> String {
        let is = if condition.is_true { "True" } else { "False" };
        let since = condition.since.map(|since| format!(" for {}", pods::ago(since, self.now))).unwrap_or_default();
        let why = condition.why.as_ref().map(|why| format!(", {}: {}", why.reason, mask(&why.message)));
        format!("{is}{since}{}", text::line(&why.unwrap_or_default()))
    }

    fn events(&self) -> String {
        let newest = &self.events[self.events.len().saturating_sub(EVENTS)..];
        let hint = format!("flamectl events {} -n {} shows those of all Pods", self.name(), self.flame.namespace());
        if newest.is_empty() {
            return format!("Events: none of these Pods; {hint}");
        }
        let table = EventTable::fitting(newest, self.now);
        let rows = newest.iter().map(|event| table.row(event, self.now));
        let rows: Vec<String> = std::iter::once(table.header()).chain(rows).collect();
        format!("Events of these Pods ({hint}):\n{}", indented(&rows.join("\n")))
    }
}

/// Returns a moment as the server writes it, and how long ago that is.
fn moment(at: Seconds, now: Seconds) -> String {
    let written = jiff::Timestamp::from_second(at).map_or("<unknown>".to_owned(), |time| time.to_string());
    format!("{written} ({} ago)", pods::ago(at, now))
}

fn pairs(pairs: &BTreeMap<String, String>, between: &str) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}{between}{value}")).collect();
    if pairs.is_empty() { "<none>".to_owned() } else { text::one_line(&pairs.join(", "), usize::MAX) }
}

fn lines(pairs: &[(&str, String)]) -> String {
    let line = |(name, value): &(&str, String)| format!("{:<INDENT$}{value}", format!("{name}:"));
    pairs.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns the text with every line a little to the right, free of what steers a terminal.
fn indented(text: &str) -> String {
    text::clean(text).lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::flame::events::EventType;
    use crate::flame::observed::{Conditions, Ended, Reason};
    use crate::flame::state::verdict;
    use crate::flame::testing::{flame, running};

    const NOW: Seconds = 10_000;

    fn event(reason: &str, at: Seconds) -> ObservedEvent {
        ObservedEvent {
            event_type: EventType::Warning,
            reason: reason.to_owned(),
            kind: "Pod".to_owned(),
            name: "demo-executor-manager-0".to_owned(),
            note: "back-off".to_owned(),
            count: 1,
            first_seen: Timestamp::from_second(at).ok(),
            last_seen: Timestamp::from_second(at).ok(),
        }
    }

    #[test]
    fn a_flame_is_described_from_its_parts_to_what_happened() {
        let mut flame = flame(1);
        flame.metadata.labels.insert("team".to_owned(), "ml".to_owned());
        flame.spec.session_manager.resources.requests.insert("cpu".to_owned(), "500m".to_owned());
        let mut snapshot = running(&flame);
        snapshot.services.remove("demo-object-cache");
        snapshot.config_maps.values_mut().for_each(|record| record.meta.creation_timestamp = Some(NOW - 3600));
        let pod = snapshot.pods.get_mut("demo-executor-manager-0").unwrap();
        pod.ready = false;
        pod.started_at = None;
        pod.waiting_reason = Some("CrashLoopBackOff".into());
        pod.restart_count = 4;
        pod.meta.creation_timestamp = Some(NOW - 600);
        let why = Reason { reason: "ContainersNotReady".to_owned(), message: "[executor-manager]".to_owned() };
        let not_ready = Condition { is_true: false, since: Some(NOW - 60), why: Some(Box::new(why)) };
        let scheduled = Condition { is_true: true, since: Some(NOW - 600), why: None };
        pod.conditions = Conditions { scheduled: Some(scheduled), ready: Some(not_ready), ..Conditions::default() };
        pod.ended = Some(Box::new(Ended {
            exit_code: 101,
            reason: "Error".to_owned(),
            message: "token=abc\nsecond line".to_owned(),
            finished_at: Some(NOW - 30),
            previous: true,
            ..Ended::default()
        }));
        let verdict = verdict(&flame, &snapshot, NOW);
        let events: Vec<ObservedEvent> = (0..25).map(|at| event("BackOff", NOW - 100 + at)).collect();
        let description =
            Description { flame: &flame, snapshot: &snapshot, verdict: &verdict, events: &events, now: NOW };
        let text = description.text();
        assert_eq!(text.matches("BackOff   Pod/").count(), EVENTS, "{text}");
        assert!(!text.contains("abc"), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn what_is_not_there_is_said() {
        let flame = flame(0);
        let snapshot = Snapshot::default();
        let verdict = verdict(&flame, &snapshot, NOW);
        let description = Description { flame: &flame, snapshot: &snapshot, verdict: &verdict, events: &[], now: NOW };
        insta::assert_snapshot!(description.text());
    }
}
