//! What is told as a line of its own whether there is a display or not: retries, notes, fields that are put back.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Pace;
use crate::flame::names::ObjectRef;
use crate::flame::plan::Why;
use crate::flame::rollout::{Event, FieldConflict, Time};
use crate::output::text;

/// Most reasons for retries told at once.
const REASONS: usize = 3;

/// A fold over those events.
pub struct Notices {
    verbose: bool,
    retries: Vec<Retry>,
    pace: Pace,
    note: String,
    lines: Vec<String>,
}

/// Requests that are tried again for one reason.
struct Retry {
    why: String,
    what: String,
    pause: Duration,
    count: usize,
}

impl Notices {
    /// Starts with nothing told; `verbose` tells each retry.
    pub fn new(verbose: bool) -> Self {
        Self { verbose, retries: Vec::new(), pace: Pace::default(), note: String::new(), lines: Vec::new() }
    }

    /// Takes in what happened.
    pub fn event(&mut self, event: &Event, now: Time) {
        match event {
            Event::Reverting(object, conflicts) => self.lines.push(reverting(object, conflicts)),
            Event::Retrying(what, why, pause) => self.retries(what, why, *pause, now),
            Event::Note(note) if *note != self.note => {
                self.note.clone_from(note);
                self.lines.push(note.clone());
            }
            Event::Detail(detail) if self.verbose => self.lines.push(detail.clone()),
            Event::Note(_) | Event::Detail(_) | Event::Repaired(_) | Event::Wrote(..) | Event::Progress(_) => {}
        }
    }

    /// Takes in that time went by.
    pub fn tick(&mut self, now: Time) {
        if self.pace.is_due(now) {
            self.tell_retries();
        }
    }

    /// Tells what is still untold.
    pub fn finish(&mut self) {
        self.tell_retries();
    }

    /// Takes the lines that are to be printed now.
    pub fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    fn retries(&mut self, what: &str, why: &str, pause: Duration, now: Time) {
        match self.retries.iter_mut().find(|retry| retry.why == why) {
            Some(retry) => retry.count += 1,
            None => self.retries.push(Retry { why: why.to_owned(), what: what.to_owned(), pause, count: 1 }),
        }
        self.pace.news(now);
        if self.verbose {
            self.tell_retries();
        }
    }

    fn tell_retries(&mut self) {
        self.pace.is_told();
        let retries = std::mem::take(&mut self.retries);
        for Retry { why, what, pause, count } in retries.iter().take(REASONS) {
            let why = text::one_line(why, 200);
            self.lines.push(match count {
                1 => format!("retrying {what} in {}: {why}", text::pause(*pause)),
                _ => format!("retrying {count} requests: {why}"),
            });
        }
        let more: usize = retries.iter().skip(REASONS).map(|retry| retry.count).sum();
        if more > 0 {
            self.lines.push(format!("retrying {} for other reasons", text::count(more, "more request")));
        }
    }
}

/// Says why something was written, where the verb does not say it already.
pub fn reasons(why: &[Why]) -> String {
    let told: Vec<String> =
        why.iter().filter(|why| !matches!(why, Why::Missing | Why::Down)).map(Why::to_string).collect();
    match told.is_empty() {
        true => String::new(),
        false => format!(" ({})", text::one_line(&told.join(", "), 200)),
    }
}

pub fn reverting(object: &ObjectRef, conflicts: &[FieldConflict]) -> String {
    let fields: Vec<&str> = conflicts.iter().map(|it| it.field.as_str()).collect();
    let managers: BTreeSet<&str> = conflicts.iter().map(|it| it.manager.as_str()).collect();
    let managers: Vec<&str> = managers.into_iter().collect();
    format!("putting back {} of {object}, changed by {}", fields.join(", "), managers.join(" and "))
}
