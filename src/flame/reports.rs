//! Kubernetes Events about repairs: (what was put right, when) → what to tell of it on the object, and how often.
//!
//! Pure. What is the same of the same object counts up; an object that goes on being repaired is told of less and less often
//! and never faster than its bucket fills, as client-go limits its own reporters.

use std::collections::HashMap;
use std::time::Duration;

use super::events::EventType;
use super::mask::mask;
use super::names::ObjectRef;
use super::plan::Why;
use super::rollout::{Action, Repair, Time};

/// How long the same counts up.
const SERIES: Duration = Duration::from_secs(600);
/// Events about one object that may be written at once.
const BURST: u32 = 25;
/// How long it takes until one more may be.
const REFILL: Duration = Duration::from_secs(300);
/// Longest note of an Event, in bytes (events.k8s.io).
const NOTE: usize = 1024;
/// So many objects are remembered before those are forgotten of which there is nothing to remember.
const MANY: usize = 1000;

/// An Event about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The object's namespace.
    pub namespace: String,
    /// The object.
    pub object: ObjectRef,
    /// The object's uid: `kubectl describe` looks for it.
    pub uid: String,
    /// Whether somebody has to look.
    pub event_type: EventType,
    /// One word for what happened.
    pub reason: &'static str,
    /// What happened.
    pub note: String,
}

impl Report {
    /// Returns what to tell of a repair, in these words.
    pub fn of(namespace: &str, repair: &Repair, sentence: &str) -> Self {
        let reason = match repair {
            Repair { pause: Some(_), .. } => "Contested",
            Repair { action: Action::Delete, .. } => "Replaced",
            Repair { why, .. } if why.contains(&Why::Missing) => "Recreated",
            _ => "Repaired",
        };
        let event_type = if repair.pause.is_some() { EventType::Warning } else { EventType::Normal };
        let note = mask(sentence);
        let end = (0..=NOTE.min(note.len())).rev().find(|end| note.is_char_boundary(*end)).unwrap_or_default();
        Self {
            namespace: namespace.to_owned(),
            object: repair.object.clone(),
            uid: repair.uid.clone(),
            event_type,
            reason,
            note: note[..end].to_owned(),
        }
    }
}

/// How to write a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posting {
    /// As an Event of its own.
    New,
    /// As the so-manieth time of the Event of this name.
    Again(String, u32),
}

/// What was told of which objects.
#[derive(Clone, Debug, Default)]
pub struct Limiter {
    series: HashMap<(String, &'static str), Series>,
    buckets: HashMap<(String, ObjectRef), Bucket>,
}

#[derive(Clone, Debug)]
struct Series {
    event: String,
    count: u32,
    last: Time,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: u32,
    since: Time,
}

impl Bucket {
    fn fill(&mut self, now: Time) {
        let more = now.saturating_sub(self.since).as_secs() / REFILL.as_secs();
        self.tokens = self.tokens.saturating_add(u32::try_from(more).unwrap_or(u32::MAX)).min(BURST);
        self.since = if self.tokens == BURST { now } else { self.since + REFILL * more as u32 };
    }
}

impl Limiter {
    /// Returns how a report is to be written; none where it is one too many.
    pub fn admit(&mut self, report: &Report, now: Time) -> Option<Posting> {
        if self.buckets.len() + self.series.len() > MANY {
            self.forget(now);
        }
        // By name: what is deleted again and again has a new uid each time.
        let object = (report.namespace.clone(), report.object.clone());
        let bucket = self.buckets.entry(object).or_insert(Bucket { tokens: BURST, since: now });
        bucket.fill(now);
        bucket.tokens = bucket.tokens.checked_sub(1)?;
        let series = self.series.get(&(report.uid.clone(), report.reason));
        let series = series.filter(|series| now < series.last + SERIES);
        Some(series.map_or(Posting::New, |series| Posting::Again(series.event.clone(), series.count + 1)))
    }

    /// Takes in that a report was written as the Event of this name.
    pub fn wrote(&mut self, report: &Report, event: &str, now: Time) {
        let series = self.series.entry((report.uid.clone(), report.reason));
        let series = series.or_insert_with(|| Series { event: String::new(), count: 0, last: now });
        if series.event != event {
            *series = Series { event: event.to_owned(), count: 0, last: now };
        }
        series.count += 1;
        series.last = now;
    }

    /// Takes in that the Event that a report was to be added to is gone.
    pub fn lost(&mut self, report: &Report) {
        self.series.remove(&(report.uid.clone(), report.reason));
    }

    fn forget(&mut self, now: Time) {
        self.series.retain(|_, series| now < series.last + SERIES);
        self.buckets.retain(|_, bucket| {
            bucket.fill(now);
            bucket.tokens < BURST
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::names::Kind;

    fn repair(action: Action, why: Why, pause: Option<u64>) -> Repair {
        Repair {
            object: ObjectRef::new(Kind::Service, "demo-object-cache"),
            action,
            why: vec![why],
            drift: Vec::new(),
            uid: "a".to_owned(),
            by: None,
            count: 1,
            pause: pause.map(Duration::from_secs),
        }
    }

    fn at(seconds: u64) -> Time {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_repair_is_told_in_one_word_and_a_fight_as_a_warning() {
        let word = |repair| {
            let Report { event_type, reason, .. } = Report::of("ml", &repair, "");
            (event_type, reason)
        };
        use EventType::{Normal, Warning};
        assert_eq!(word(repair(Action::Create, Why::Missing, None)), (Normal, "Recreated"));
        assert_eq!(word(repair(Action::Update, Why::Ports, None)), (Normal, "Repaired"));
        assert_eq!(word(repair(Action::Delete, Why::Over("Evicted".to_owned()), None)), (Normal, "Replaced"));
        assert_eq!(word(repair(Action::Create, Why::Missing, Some(2))), (Warning, "Contested"));
        let long = "é".repeat(NOTE);
        assert_eq!(Report::of("ml", &repair(Action::Update, Why::Ports, None), &long).note.len(), NOTE);
    }

    #[test]
    fn the_same_of_the_same_object_counts_up_for_a_while() {
        let mut limiter = Limiter::default();
        let report = Report::of("ml", &repair(Action::Update, Why::Ports, None), "x");
        assert_eq!(limiter.admit(&report, at(0)), Some(Posting::New));
        limiter.wrote(&report, "event-1", at(0));
        assert_eq!(limiter.admit(&report, at(500)), Some(Posting::Again("event-1".to_owned(), 2)));
        limiter.wrote(&report, "event-1", at(500));
        assert_eq!(limiter.admit(&report, at(1099)), Some(Posting::Again("event-1".to_owned(), 3)));
        assert_eq!(limiter.admit(&report, at(1100)), Some(Posting::New));
        let other_reason = Report { reason: "Replaced", ..report.clone() };
        let other_object = Report { uid: "b".to_owned(), ..report.clone() };
        assert_eq!(limiter.admit(&other_reason, at(600)), Some(Posting::New));
        assert_eq!(limiter.admit(&other_object, at(600)), Some(Posting::New));
        limiter.lost(&report);
        assert_eq!(limiter.admit(&report, at(600)), Some(Posting::New));
    }

    #[test]
    fn an_object_is_told_of_no_faster_than_its_bucket_fills() {
        let mut limiter = Limiter::default();
        // Deleted again and again: each time another uid.
        let report = |uid: u64| Report {
            uid: uid.to_string(),
            ..Report::of("ml", &repair(Action::Create, Why::Missing, None), "x")
        };
        let admitted = |limiter: &mut Limiter, seconds: std::ops::Range<u64>| {
            seconds.filter(|second| limiter.admit(&report(*second), at(*second)).is_some()).count()
        };
        assert_eq!(admitted(&mut limiter, 0..299), 25);
        assert_eq!(admitted(&mut limiter, 299..3600), 11);
        let other = Report { namespace: "prod".to_owned(), ..report(0) };
        assert_eq!(limiter.admit(&other, at(3600)), Some(Posting::New));
        // A day later there is room for as many again, and no more.
        assert_eq!(admitted(&mut limiter, 90_000..90_299), 25);
    }

    #[test]
    fn what_nothing_is_to_be_remembered_of_is_forgotten() {
        let mut limiter = Limiter::default();
        for index in 0..2000_u64 {
            let report = Report {
                object: ObjectRef::new(Kind::Pod, format!("pod-{index}")),
                uid: index.to_string(),
                ..Report::of("ml", &repair(Action::Create, Why::Missing, None), "x")
            };
            let now = at(index * 10);
            assert_eq!(limiter.admit(&report, now), Some(Posting::New));
            limiter.wrote(&report, &index.to_string(), now);
        }
        assert!(limiter.series.len() + limiter.buckets.len() <= MANY + 2, "{}", limiter.buckets.len());
    }
}
