//! What nodes, scheduler and controllers say of a flame's objects: (events) → those of one flame, merged and in order.
//!
//! Pure; the times are the server's.

use std::collections::HashMap;

use jiff::Timestamp;

use super::evidence::Warning;
use super::mask::mask;
use super::names;

/// How much an event matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventType {
    /// Things go their way.
    #[default]
    Normal,
    /// Somebody may have to look.
    Warning,
}

impl EventType {
    /// Both, in Kubernetes' order.
    pub const ALL: [Self; 2] = [Self::Normal, Self::Warning];

    /// Returns Kubernetes' word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// An event (events.k8s.io) as far as flamectl looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedEvent {
    /// `type`.
    pub event_type: EventType,
    /// `reason`, as `FailedMount`.
    pub reason: String,
    /// `regarding.kind`.
    pub kind: String,
    /// `regarding.name`.
    pub name: String,
    /// `note`.
    pub note: String,
    /// How often it happened.
    pub count: u32,
    /// When it happened first.
    pub first_seen: Option<Timestamp>,
    /// When it happened last.
    pub last_seen: Option<Timestamp>,
}

/// Tells whether a flame's objects have such names: events outlive the Pods that they are about.
pub fn is_of_flame(flame: &str, kind: &str, name: &str) -> bool {
    match kind {
        "ConfigMap" => name == names::config_map(flame),
        "Service" => name == names::session_manager(flame) || name == names::object_cache(flame),
        "Pod" => names::PodIndex::of(flame, name).is_some(),
        _ => false,
    }
}

/// Returns the events oldest first, those that say the same of the same object as one, without credentials.
pub fn merged(events: Vec<ObservedEvent>) -> Vec<ObservedEvent> {
    let mut merged: Vec<ObservedEvent> = Vec::new();
    let mut known = HashMap::new();
    for mut event in events {
        event.note = mask(&event.note);
        let said = (event.event_type, event.reason.clone(), event.kind.clone(), event.name.clone(), event.note.clone());
        match known.get(&said) {
            Some(&at) => merged[at] = both(&merged[at], event),
            None => {
                known.insert(said, merged.len());
                merged.push(event);
            }
        }
    }
    merged.sort_by(|a, b| (a.last_seen, &a.name, &a.reason).cmp(&(b.last_seen, &b.name, &b.reason)));
    merged
}

fn both(one: &ObservedEvent, other: ObservedEvent) -> ObservedEvent {
    ObservedEvent {
        count: one.count.saturating_add(other.count),
        first_seen: [one.first_seen, other.first_seen].into_iter().flatten().min(),
        last_seen: one.last_seen.max(other.last_seen),
        ..other
    }
}

/// Returns one Pod's warnings, newest first, each reason once with its newest words, without credentials.
pub fn warnings(mut events: Vec<ObservedEvent>) -> Vec<Warning> {
    events.retain(|event| event.event_type == EventType::Warning);
    events.sort_by_key(|event| std::cmp::Reverse(event.last_seen));
    let mut warnings: Vec<Warning> = Vec::new();
    for event in events {
        match warnings.iter_mut().find(|warning| warning.reason == event.reason) {
            Some(warning) => warning.count = warning.count.saturating_add(event.count),
            None => warnings.push(Warning {
                message: mask(&event.note),
                count: event.count,
                last_seen: event.last_seen.map(|time| time.to_string()).unwrap_or_default(),
                reason: event.reason,
            }),
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Some(Timestamp::from_second(second).unwrap())
    }

    fn event(
        event_type: EventType,
        reason: &str,
        name: &str,
        note: &str,
        count: u32,
        seen: (i64, i64),
    ) -> ObservedEvent {
        ObservedEvent {
            event_type,
            reason: reason.to_owned(),
            kind: "Pod".to_owned(),
            name: name.to_owned(),
            note: note.to_owned(),
            count,
            first_seen: at(seen.0),
            last_seen: at(seen.1),
        }
    }

    #[test]
    fn events_belong_to_a_flame_by_the_exact_names_of_its_objects() {
        let about = |kind: &str, name: &str| is_of_flame("a", kind, name);
        for (kind, name) in [
            ("Pod", "a-session-manager"),
            ("Pod", "a-executor-manager-0"),
            ("Pod", "a-executor-manager-9999"),
            ("Service", "a-session-manager"),
            ("Service", "a-object-cache"),
            ("ConfigMap", "a-config"),
        ] {
            assert!(about(kind, name), "{kind} {name}");
        }
        for (kind, name) in [
            ("Pod", "b-session-manager"),
            ("Pod", "a-executor-manager-01"),
            ("Pod", "a-b-executor-manager-1"),
            ("Pod", "a-config"),
            ("ConfigMap", "a-session-manager"),
            ("Node", "a-session-manager"),
        ] {
            assert!(!about(kind, name), "{kind} {name}");
        }
    }

    #[test]
    fn events_that_say_the_same_are_one_and_the_newest_comes_last() {
        use EventType::{Normal, Warning};
        let events = vec![
            event(Warning, "BackOff", "p1", "back-off", 3, (100, 400)),
            event(Normal, "Pulled", "p1", "pulled https://a:b@c/x", 1, (50, 50)),
            event(Warning, "BackOff", "p2", "back-off", 1, (150, 150)),
            event(Warning, "BackOff", "p1", "back-off", 2, (90, 300)),
            event(Normal, "BackOff", "p1", "back-off", 1, (10, 10)),
        ];
        let expected = vec![
            event(Normal, "BackOff", "p1", "back-off", 1, (10, 10)),
            event(Normal, "Pulled", "p1", "pulled https://***@c/x", 1, (50, 50)),
            event(Warning, "BackOff", "p2", "back-off", 1, (150, 150)),
            event(Warning, "BackOff", "p1", "back-off", 5, (90, 400)),
        ];
        assert_eq!(merged(events), expected);
    }

    #[test]
    fn of_one_pods_warnings_each_reason_is_told_once_newest_first() {
        use EventType::{Normal, Warning};
        let events = vec![
            event(Warning, "Failed", "p", "first words", 2, (10, 20)),
            event(Normal, "Pulled", "p", "fine", 1, (90, 90)),
            event(Warning, "FailedMount", "p", "no such key", 7, (5, 40)),
            event(Warning, "Failed", "p", "last words of https://u:p@h", 1, (30, 30)),
        ];
        let warning = |reason: &str, message: &str, count, last_seen: &str| super::Warning {
            reason: reason.to_owned(),
            message: message.to_owned(),
            count,
            last_seen: last_seen.to_owned(),
        };
        let expected = [
            warning("FailedMount", "no such key", 7, "1970-01-01T00:00:40Z"),
            warning("Failed", "last words of https://***@h", 3, "1970-01-01T00:00:30Z"),
        ];
        assert_eq!(warnings(events), expected);
    }
}
