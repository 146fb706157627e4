//! The live display: a fold over events into the lines of a screen of any size.
//!
//! Lines stand in the same place from one frame to the next: title, a line per component, then what changes.

use std::time::Duration;

use super::notices::{Notices, reasons};
use crate::flame::rollout::{Event, Progress, Slowest, Time};
use crate::flame::stage::{Stage, Stages};
use crate::output::text;

/// Most rows of one cause.
const CAUSE_ROWS: usize = 2;
/// The longest label; the bars stand behind it.
const LABEL: usize = "session manager".len();

/// A terminal's size in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// What there is to show.
pub struct Live {
    verbose: bool,
    unicode: bool,
    seen: Option<Progress>,
    notices: Notices,
    lines: Vec<String>,
    /// Since when something is waited for.
    waiting_since: Option<Time>,
    /// The most Pods there were of a flame that is taken down: session manager, executors.
    most: (u32, u32),
}

impl Live {
    /// Starts at `now`.
    pub fn new(verbose: bool, unicode: bool, now: Time) -> Self {
        Self {
            verbose,
            unicode,
            seen: None,
            notices: Notices::new(verbose),
            lines: Vec::new(),
            waiting_since: Some(now),
            most: (0, 0),
        }
    }

    /// Takes in what happened.
    pub fn event(&mut self, event: &Event, now: Time) {
        match event {
            Event::Progress(progress) => self.progress(progress, now),
            // The display counts; who wants to see each object asks for it.
            Event::Wrote(action, object, why) if self.verbose => {
                self.lines.push(format!("{action} {object}{}", reasons(why)));
            }
            Event::Wrote(..) => {}
            other => self.notices.event(other, now),
        }
        self.tick(now);
    }

    /// Takes in that time went by.
    pub fn tick(&mut self, now: Time) {
        self.notices.tick(now);
        self.lines.append(&mut self.notices.take_lines());
    }

    /// Tells what is still untold.
    pub fn finish(&mut self) {
        self.notices.finish();
        self.lines.append(&mut self.notices.take_lines());
    }

    /// Takes the lines that are to be printed above the display.
    pub fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    fn progress(&mut self, progress: &Progress, now: Time) {
        if progress.is_complete() {
            self.waiting_since = None;
        } else {
            self.waiting_since.get_or_insert(now);
        }
        self.most.0 = self.most.0.max(progress.session_manager.there());
        self.most.1 = self.most.1.max(progress.executors.there());
        self.seen = Some(progress.clone());
    }

    /// Returns the lines for a screen of this size, each narrower than it and all together lower.
    pub fn frame(&self, size: Size, now: Time) -> Vec<String> {
        // The last column stays free, as a terminal may wrap there; and so does one row.
        let canvas = Canvas { width: size.width.saturating_sub(1).max(1), unicode: self.unicode };
        let rows = size.height.saturating_sub(1).max(1);
        let lines = match &self.seen {
            None => vec![format!("waiting for the server  {}", text::age(self.waited(now).as_secs()))],
            Some(seen) => self.content(seen, &canvas, rows, now),
        };
        lines.into_iter().take(rows).map(|line| canvas.fit(&line)).collect()
    }

    fn content(&self, seen: &Progress, canvas: &Canvas, rows: usize, now: Time) -> Vec<String> {
        let mut lines = vec![self.title(seen, canvas, now)];
        match seen.down {
            Some(left) => {
                lines.extend(canvas.component("executors", self.going(&seen.executors, self.most.1)));
                if let Some(object_cache) = &seen.object_cache {
                    lines.extend(canvas.component("object cache", self.going(object_cache, 1)));
                }
                lines.extend(canvas.component("session manager", self.going(&seen.session_manager, self.most.0)));
                let others = [(left.services, "Service"), (left.config_maps, "ConfigMap")];
                let others =
                    others.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| text::count(*count, kind));
                let others: Vec<String> = others.collect();
                if !others.is_empty() {
                    lines.push(format!("  {} left", others.join(" and ")));
                }
            }
            None => {
                lines.extend(canvas.component("session manager", coming(&seen.session_manager, 1)));
                if let Some(object_cache) = &seen.object_cache {
                    lines.extend(canvas.component("object cache", coming(object_cache, 1)));
                }
                lines.extend(canvas.component("executors", coming(&seen.executors, seen.replicas)));
            }
        }
        match seen.wave {
            Some(wave) => {
                let executors = text::count(wave.replacing as usize, "executor");
                lines.push(format!("  wave {} of {}: replacing {executors}", wave.number, wave.of));
            }
            None if seen.to_do > 0 && seen.down.is_none() => {
                lines.push(format!("  {} still to change", text::count(seen.to_do, "object")));
            }
            None => {}
        }
        lines.extend(seen.slowest.map(|slowest| format!("  slowest: {}", self::slowest(slowest, now))));
        let countdown = seen.gives_up_at.and(seen.ends_at()).map(|at| format!("  gives up in {}", left(at, now)));
        let room = rows.saturating_sub(lines.len() + countdown.iter().len());
        lines.extend(causes(seen, canvas, room));
        lines.extend(countdown);
        lines
    }

    fn title(&self, seen: &Progress, canvas: &Canvas, now: Time) -> String {
        let what = if seen.down.is_some() { format!("taking {} down", seen.name) } else { seen.name.clone() };
        if self.waiting_since.is_none() {
            let is = if seen.down.is_some() { "gone" } else { "ready" };
            return format!("{}  {is}", seen.name);
        }
        let elapsed = text::age(self.waited(now).as_secs());
        let title = match seen.deadline {
            Some(deadline) => format!("{what}  {elapsed} elapsed, {} left", left(deadline, now)),
            None => format!("{what}  {elapsed} elapsed"),
        };
        if console::measure_text_width(&title) <= canvas.width { title } else { format!("{what}  {elapsed}") }
    }

    /// Returns how far Pods of which there were `most` are gone.
    fn going(&self, stages: &Stages, most: u32) -> Option<Component> {
        let gone = most - stages.there().min(most);
        let stages = stages.iter().map(|(stage, pods)| format!("{pods} {}", stage.word()));
        let counts = std::iter::once(format!("{gone}/{most} gone")).chain(stages).collect();
        (most > 0).then_some(Component { done: gone, of: most, counts })
    }

    fn waited(&self, now: Time) -> Duration {
        now.saturating_sub(self.waiting_since.unwrap_or(now))
    }
}

/// What a component's line says.
struct Component {
    done: u32,
    of: u32,
    counts: Vec<String>,
}

/// Returns how far Pods of which `of` are wanted have come.
fn coming(stages: &Stages, of: u32) -> Option<Component> {
    let ready = format!("{}/{of} ready", stages.ready());
    let others = stages.iter().filter(|(stage, _)| *stage != Stage::Ready);
    let others =
        others.map(|(stage, pods)| if of == 1 { stage.word().to_owned() } else { format!("{pods} {}", stage.word()) });
    Some(Component { done: stages.ready(), of, counts: std::iter::once(ready).chain(others).collect() })
}

/// Returns the slowest Pod, what it does and for how long.
pub fn slowest(slowest: Slowest, now: Time) -> String {
    let Slowest { pod, stage, since } = slowest;
    let doing = format!("{pod}, {}", stage.doing());
    match now.saturating_sub(since).as_secs() {
        0 => doing,
        seconds => format!("{doing} for {}", text::age(seconds)),
    }
}

/// Returns the time until then, rounded up: what is over is 0 s.
pub fn left(at: Time, now: Time) -> String {
    let left = at.saturating_sub(now);
    text::age(left.as_secs() + u64::from(left.subsec_nanos() > 0))
}

/// Returns the most important causes in at most `room` rows.
fn causes(seen: &Progress, canvas: &Canvas, room: usize) -> Vec<String> {
    let causes: Vec<String> = seen.causes.iter().filter(|cause| cause.is_news()).map(text::cause).collect();
    let mut lines: Vec<String> = Vec::new();
    for (at, cause) in causes.iter().enumerate() {
        let rows = canvas.wrapped(cause, CAUSE_ROWS);
        let untold = causes.len() - at - 1 + seen.more_causes;
        if lines.len() + rows.len() + usize::from(untold > 0) > room {
            let more = format!("  and {}", text::count(untold + 1, if at == 0 { "cause" } else { "other cause" }));
            lines.extend((lines.len() < room).then_some(more));
            return lines;
        }
        lines.extend(rows);
    }
    if seen.more_causes > 0 && lines.len() < room {
        lines.push(format!("  and {}", text::count(seen.more_causes, "other cause")));
    }
    lines
}

/// What can be drawn: lines of at most `width` columns.
struct Canvas {
    width: usize,
    unicode: bool,
}

impl Canvas {
    /// Returns a component's line with its bar; counts that do not fit go below the first.
    fn component(&self, label: &str, component: Option<Component>) -> Vec<String> {
        let Some(Component { done, of, counts }) = component else { return Vec::new() };
        // Where lines are short, counts begin further left instead of getting a column of their own.
        let (first, indent) = match self.width {
            0..45 => (format!("  {label}  "), 4),
            45..58 => (format!("  {label}  {}  ", self.bar(done, of, 10)), 4),
            width => {
                let bar = match width {
                    120.. => 40,
                    // Where it leaves room for three counts: lines below stay where they are when one comes.
                    96.. => 20,
                    _ => 10,
                };
                (format!("  {label:<LABEL$}  {}  ", self.bar(done, of, bar)), LABEL + bar + 8)
            }
        };
        let mut lines = Vec::new();
        let mut line = first;
        for (at, count) in counts.iter().enumerate() {
            let comma = if at + 1 < counts.len() { "," } else { "" };
            let is_full = console::measure_text_width(&line) + count.len() + comma.len() > self.width;
            if at > 0 && is_full {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            }
            line.push_str(&format!("{count}{comma} "));
        }
        lines.push(line);
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Returns a bar as `[######..............]`.
    fn bar(&self, done: u32, of: u32, width: usize) -> String {
        let filled = match of {
            0 => width,
            // Full means all, and not one too few.
            _ => (u64::from(done.min(of)) * width as u64 / u64::from(of)) as usize,
        };
        let (full, empty) = if self.unicode { ("█", "░") } else { ("#", ".") };
        format!("[{}{}]", full.repeat(filled), empty.repeat(width - filled))
    }

    /// Returns a text in at most `rows` lines, broken between words; what is too much is cut off.
    fn wrapped(&self, text: &str, rows: usize) -> Vec<String> {
        let text = if self.unicode { text.to_owned() } else { text::ascii(text) };
        let mut lines = Vec::new();
        let mut line = String::from(" ");
        for word in text.split(' ') {
            let fits = console::measure_text_width(&line) + 1 + console::measure_text_width(word) <= self.width;
            if !fits && lines.len() + 1 < rows && !line.trim().is_empty() {
                lines.push(std::mem::replace(&mut line, String::from("   ")));
            }
            line.push(' ');
            line.push_str(word);
        }
        lines.push(line);
        lines
    }

    /// Returns the line cut to the width.
    fn fit(&self, line: &str) -> String {
        let (line, tail) = if self.unicode { (line.to_owned(), "…") } else { (text::ascii(line), "...") };
        console::truncate_str(&text::clean(&line), self.width, if self.width < 4 { "" } else { tail }).into_owned()
    }
}

#[cfg(test)]
mod tests;
