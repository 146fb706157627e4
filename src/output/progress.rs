//! Progress: folds over one stream of [`Event`]s with time passed in. Which of them people see is chosen here.
//!
//! A fold knows no clock and no terminal: [`live`] gives the lines of a display of any size, [`plain`] one line a change and
//! a heartbeat, [`json`] one object a change. [`ProgressView`] brings what they give to the [`Printer`].

mod display;
pub(super) mod json;
mod live;
pub(super) mod notices;
mod plain;
pub(super) mod written;

use std::time::Duration;

use self::json::Json;
use self::live::Live;
use self::plain::Plain;
use super::{Printer, ProgressMode};
use crate::flame::rollout::{Event, Time};

pub(super) use self::display::Display;
pub(super) use self::live::Size;

/// Longest silence while waiting. The driver ticks four times a second, hence the quarter.
const SILENCE: Duration = Duration::from_millis(5000 - 250);
/// How long news is gathered, so that ten Pods that are made in one go are one line.
pub(super) const GATHER: Duration = Duration::from_secs(1);

/// Tells people how a command gets on.
pub struct ProgressView {
    printer: Printer,
    view: View,
}

enum View {
    Live(Box<Live>, Display),
    Plain(Box<Plain>),
    Json(Box<Json>),
    None,
}

impl ProgressView {
    /// Starts at `now`.
    pub fn new(printer: &Printer, now: Time) -> Self {
        let verbose = printer.is_verbose();
        let view = match printer.progress_mode() {
            ProgressMode::Live => {
                View::Live(Box::new(Live::new(verbose, printer.is_unicode(), now)), Display::new(printer))
            }
            ProgressMode::Plain => View::Plain(Box::new(Plain::new(verbose, now))),
            ProgressMode::Json => View::Json(Box::new(Json::new(now))),
            ProgressMode::None => View::None,
        };
        Self { printer: printer.clone(), view }
    }

    /// Starts at `now` without a display, for the time before anybody catches Ctrl-C: nothing could take it off the screen.
    pub fn without_display(printer: &Printer, now: Time) -> Self {
        match printer.progress_mode() {
            ProgressMode::Live => {
                let plain = Plain::new(printer.is_verbose(), now);
                Self { printer: printer.clone(), view: View::Plain(Box::new(plain)) }
            }
            _ => Self::new(printer, now),
        }
    }

    /// Takes in what happened.
    pub fn event(&mut self, event: &Event, now: Time) {
        match &mut self.view {
            View::Live(live, _) => live.event(event, now),
            View::Plain(plain) => plain.event(event, now),
            View::Json(json) => json.event(event, now),
            View::None => {}
        }
        self.show(now);
    }

    /// Takes in that time went by; to be called about every 250 ms.
    pub fn tick(&mut self, now: Time) {
        match &mut self.view {
            View::Live(live, _) => live.tick(now),
            View::Plain(plain) => plain.tick(now),
            View::Json(json) => json.tick(now),
            View::None => {}
        }
        self.show(now);
    }

    /// Tells what is still untold and clears the display.
    pub fn finish(&mut self) {
        match &mut self.view {
            View::Live(live, display) => {
                live.finish();
                print(&self.printer, live.take_lines());
                display.close();
            }
            View::Plain(plain) => {
                plain.finish();
                print(&self.printer, plain.take_lines());
            }
            View::Json(json) => {
                json.finish();
                json.take_records().into_iter().for_each(|record| self.printer.record(record));
            }
            View::None => {}
        }
    }

    fn show(&mut self, now: Time) {
        match &mut self.view {
            View::Live(live, display) => {
                print(&self.printer, live.take_lines());
                display.draw(now, |size| live.frame(size, now));
            }
            View::Plain(plain) => print(&self.printer, plain.take_lines()),
            View::Json(json) => json.take_records().into_iter().for_each(|record| self.printer.record(record)),
            View::None => {}
        }
    }
}

fn print(printer: &Printer, lines: Vec<String>) {
    lines.iter().for_each(|line| printer.line(line));
}

impl Drop for ProgressView {
    /// Nothing is left on the screen, however the command ends.
    fn drop(&mut self) {
        self.finish();
    }
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

    /// Takes in that everything was told.
    fn is_told(&mut self) {
        self.since = None;
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

#[cfg(test)]
pub(super) mod testing;
