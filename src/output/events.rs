//! Events: in a table as kubectl prints them, and as documents.

use console::{Alignment, measure_text_width, pad_str};
use serde_json::{Value, json};

use super::text;
use crate::flame::events::ObservedEvent;

const HEADER: [&str; 5] = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];

/// Columns that fit the events of the beginning; those that come later stand in the same ones.
#[derive(Clone, Debug)]
pub struct EventTable {
    widths: [usize; 4],
}

impl EventTable {
    /// Makes columns that fit `events`, whose ages are as of `now` in seconds since the epoch.
    pub fn fitting(events: &[ObservedEvent], now: i64) -> Self {
        let mut widths = [0; 4];
        let rows = events.iter().map(|event| cells(event, now));
        for row in std::iter::once(HEADER.map(str::to_owned)).chain(rows) {
            for (width, cell) in widths.iter_mut().zip(&row) {
                *width = (*width).max(measure_text_width(cell));
            }
        }
        Self { widths }
    }

    /// Returns the header.
    pub fn header(&self) -> String {
        self.line(&HEADER.map(str::to_owned))
    }

    /// Returns an event on one line.
    pub fn row(&self, event: &ObservedEvent, now: i64) -> String {
        self.line(&cells(event, now))
    }

    fn line(&self, cells: &[String; 5]) -> String {
        let padded = |(cell, width): (&String, usize)| format!("{}   ", pad_str(cell, width, Alignment::Left, None));
        let columns: String = cells.iter().zip(self.widths).map(padded).collect();
        format!("{columns}{}", cells[4]).trim_end().to_owned()
    }
}

fn cells(event: &ObservedEvent, now: i64) -> [String; 5] {
    let age = |time: Option<jiff::Timestamp>| match time {
        // Another clock may be a little ahead of this one.
        Some(time) => text::age(u64::try_from(now - time.as_second()).unwrap_or(0)),
        None => "<unknown>".to_owned(),
    };
    let last = age(event.last_seen);
    let seen = match event.count {
        0 | 1 => last,
        count => format!("{last} (x{count} over {})", age(event.first_seen)),
    };
    let one_line = |text: &str| text::one_line(text, usize::MAX);
    [
        seen,
        event.event_type.name().to_owned(),
        one_line(&event.reason),
        one_line(&format!("{}/{}", event.kind, event.name)),
        one_line(&event.note),
    ]
}

/// Returns an event as a document.
pub fn document(event: &ObservedEvent) -> Value {
    json!({
        "type": event.event_type.name(),
        "reason": event.reason,
        "object": { "kind": event.kind, "name": event.name },
        "message": event.note,
        "count": event.count,
        "firstSeen": event.first_seen.map(|time| time.to_string()),
        "lastSeen": event.last_seen.map(|time| time.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::flame::events::EventType;

    fn event(reason: &str, name: &str, note: &str, count: u32, seen: (i64, i64)) -> ObservedEvent {
        ObservedEvent {
            event_type: EventType::Warning,
            reason: reason.to_owned(),
            kind: "Pod".to_owned(),
            name: name.to_owned(),
            note: note.to_owned(),
            count,
            first_seen: Some(Timestamp::from_second(seen.0).unwrap()),
            last_seen: Some(Timestamp::from_second(seen.1).unwrap()),
        }
    }

    #[test]
    fn events_are_one_line_each_and_later_ones_stand_in_the_same_columns() {
        let first = [
            event("BackOff", "demo-executor-manager-3", "back-off\n 5m \u{1b}[31m", 12, (700, 998)),
            event("Failed", "demo-session-manager", "no", 1, (990, 990)),
        ];
        let table = EventTable::fitting(&first, 1000);
        let mut lines = vec![table.header()];
        lines.extend(first.iter().map(|event| table.row(event, 1000)));
        let unknown = ObservedEvent { last_seen: None, ..event("Killing", "demo-executor-manager-10", "", 1, (0, 0)) };
        lines.push(table.row(&unknown, 1000));
        lines.push(table.row(&event("Failed", "a", "from tomorrow", 1, (1002, 1002)), 1000));
        let expected = [
            "LAST SEEN          TYPE      REASON    OBJECT                        MESSAGE",
            "2s (x12 over 5m)   Warning   BackOff   Pod/demo-executor-manager-3   back-off 5m [31m",
            "10s                Warning   Failed    Pod/demo-session-manager      no",
            "<unknown>          Warning   Killing   Pod/demo-executor-manager-10",
            "0s                 Warning   Failed    Pod/a                         from tomorrow",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_document_has_the_servers_times() {
        let expected = json!({
            "type": "Warning", "reason": "BackOff", "object": { "kind": "Pod", "name": "a" }, "message": "m",
            "count": 2, "firstSeen": "1970-01-01T00:00:01Z", "lastSeen": "1970-01-01T00:00:02Z",
        });
        assert_eq!(document(&event("BackOff", "a", "m", 2, (1, 2))), expected);
    }
}
