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
mod tests {
    use super::*;
    use crate::flame::names::PodIndex;
    use crate::flame::rollout::{Action, Left, Wave};
    use crate::flame::state::Cause;
    use crate::output::progress::testing::{at, down, executor, held, retry, up};

    const USUAL: Size = Size { width: 80, height: 24 };
    const WIDE: Size = Size { width: 200, height: 50 };
    const SLIM: Size = Size { width: 30, height: 24 };
    const HALF: Size = Size { width: 46, height: 24 };

    fn live(progress: Progress, now: f64) -> Live {
        let mut live = Live::new(false, true, at(0.0));
        live.event(&Event::Progress(Box::new(progress)), at(now));
        live
    }

    #[track_caller]
    fn check(live: &Live, size: Size, now: f64, expected: &[&str]) {
        let frame = live.frame(size, at(now));
        assert_eq!(frame, expected, "\n{}", frame.join("\n"));
        assert!(frame.len() < size.height);
        assert!(frame.iter().all(|line| console::measure_text_width(line) < size.width));
    }

    fn slow(index: u32, stage: Stage, since: f64) -> Option<Slowest> {
        Some(Slowest { pod: PodIndex::Executor(index), stage, since: at(since) })
    }

    /// Returns a start of ten executors.
    fn starting() -> Progress {
        let executors = [(Stage::Ready, 6), (Stage::Starting, 2), (Stage::Pulling, 1), (Stage::Crashing, 1)];
        Progress {
            executors: executors.into_iter().collect(),
            slowest: slow(7, Stage::Pulling, 1.0),
            deadline: Some(at(300.0)),
            ..up(1, 6, 10)
        }
    }

    #[test]
    fn before_anything_is_known_it_waits_for_the_server() {
        check(&Live::new(false, true, at(0.0)), USUAL, 3.4, &["waiting for the server  3s"]);
    }

    #[test]
    fn a_start_is_a_line_per_component_with_the_slowest_pod_and_the_time_left() {
        let live = live(starting(), 12.0);
        check(
            &live,
            USUAL,
            42.0,
            &[
                "demo  42s elapsed, 4m18s left",
                "  session manager  [██████████]  1/1 ready",
                "  executors        [██████░░░░]  6/10 ready, 2 starting, 1 pulling, 1 crashing",
                "  slowest: executor 7, pulling its image for 41s",
            ],
        );
        check(
            &live,
            WIDE,
            42.0,
            &[
                "demo  42s elapsed, 4m18s left",
                "  session manager  [████████████████████████████████████████]  1/1 ready",
                "  executors        [████████████████████████░░░░░░░░░░░░░░░░]  6/10 ready, 2 starting, 1 pulling, 1 crashing",
                "  slowest: executor 7, pulling its image for 41s",
            ],
        );
        check(
            &live,
            HALF,
            42.0,
            &[
                "demo  42s elapsed, 4m18s left",
                "  session manager  [██████████]  1/1 ready",
                "  executors  [██████░░░░]  6/10 ready,",
                "    2 starting, 1 pulling, 1 crashing",
                "  slowest: executor 7, pulling its image for…",
            ],
        );
        check(
            &live,
            SLIM,
            42.0,
            &[
                "demo  42s elapsed, 4m18s left",
                "  session manager  1/1 ready",
                "  executors  6/10 ready,",
                "    2 starting, 1 pulling,",
                "    1 crashing",
                "  slowest: executor 7, pulli…",
            ],
        );
    }

    #[test]
    fn without_unicode_everything_is_ascii() {
        let mut live =
            live(Progress { causes: vec![held("ErrImagePull", &"é→x ".repeat(30), 3..10)], ..starting() }, 1.0);
        live.unicode = false;
        check(
            &live,
            Size { width: 60, height: 24 },
            42.0,
            &[
                "demo  42s elapsed, 4m18s left",
                "  session manager  [##########]  1/1 ready",
                "  executors        [######....]  6/10 ready, 2 starting,",
                "                                 1 pulling, 1 crashing",
                "  slowest: executor 7, pulling its image for 41s",
                "  7 of 10 executors (3-9): ErrImagePull: é->x é->x é->x",
                "    é->x é->x é->x é->x é->x é->x é->x é->x é->x é->x é-...",
            ],
        );
    }

    #[test]
    fn a_rollout_shows_its_wave() {
        let progress = Progress {
            executors: [(Stage::Ready, 15), (Stage::Terminating, 3), (Stage::Missing, 2)].into_iter().collect(),
            to_do: 17,
            wave: Some(Wave { number: 2, of: 4, replacing: 5 }),
            slowest: slow(5, Stage::Terminating, 20.0),
            ..up(1, 15, 20)
        };
        check(
            &live(progress, 20.0),
            USUAL,
            50.5,
            &[
                "demo  50s elapsed",
                "  session manager  [██████████]  1/1 ready",
                "  executors        [███████░░░]  15/20 ready, 3 terminating, 2 not created",
                "  wave 2 of 4: replacing 5 executors",
                "  slowest: executor 5, terminating for 30s",
            ],
        );
    }

    #[test]
    fn what_is_still_to_be_written_is_counted() {
        let progress = Progress { to_do: 11, ..up(0, 0, 0) };
        let frame = live(progress, 1.0).frame(USUAL, at(1.0));
        assert_eq!(frame[3..], ["  11 objects still to change"]);
    }

    #[test]
    fn a_start_that_fails_shows_each_cause_and_counts_down() {
        let message =
            "failed to pull and unpack image \"registry.example/flame-executor:v9\": manifest unknown: not found";
        let progress = Progress {
            session_manager: [(Stage::Starting, 1)].into_iter().collect(),
            executors: [(Stage::Ready, 3), (Stage::NoImage, 7)].into_iter().collect(),
            causes: vec![held("ErrImagePull", message, 3..10), held("Pending", "on its way", 0..1)],
            gives_up_at: Some(at(72.0)),
            ..starting()
        };
        check(
            &live(progress, 12.0),
            USUAL,
            27.2,
            &[
                "demo  27s elapsed, 4m33s left",
                "  session manager  [░░░░░░░░░░]  0/1 ready, starting",
                "  executors        [███░░░░░░░]  3/10 ready, 7 without image",
                "  slowest: executor 7, pulling its image for 26s",
                "  7 of 10 executors (3-9): ErrImagePull: failed to pull and unpack image",
                "    \"registry.example/flame-executor:v9\": manifest unknown: not found",
                "  gives up in 45s",
            ],
        );
    }

    #[test]
    fn causes_are_cut_to_the_rows_that_there_are() {
        let causes: Vec<_> = (0..8).map(|index| held("Odd", &format!("reason {index}"), index..index + 1)).collect();
        let progress = Progress { causes, more_causes: 4, gives_up_at: Some(at(72.0)), ..starting() };
        let live = live(progress, 12.0);
        for (height, expected) in [
            (9, &["  executor 0: Odd: reason 0", "  executor 1: Odd: reason 1", "  and 10 other causes"][..]),
            (7, &["  and 12 causes"]),
            (6, &[]),
        ] {
            let frame = live.frame(Size { width: 200, height }, at(12.0));
            let causes: Vec<_> = frame.iter().filter(|line| line.contains("Odd") || line.contains("cause")).collect();
            assert_eq!(causes, expected, "{height} rows\n{}", frame.join("\n"));
            assert_eq!(frame.last().unwrap(), "  gives up in 60s", "{height} rows");
        }
        assert_eq!(live.frame(Size { width: 80, height: 2 }, at(12.0)), ["demo  12s elapsed, 4m48s left"]);
        assert_eq!(live.frame(Size { width: 1, height: 1 }, at(12.0)), ["d"]);
    }

    #[test]
    fn ten_thousand_pods_are_a_few_lines() {
        let stages = [
            (Stage::Ready, 6_200),
            (Stage::Starting, 1_021),
            (Stage::Pulling, 640),
            (Stage::Creating, 239),
            (Stage::Scheduling, 1_000),
            (Stage::Crashing, 12),
            (Stage::NoImage, 8),
            (Stage::Unschedulable, 80),
            (Stage::Missing, 800),
        ];
        let progress = Progress {
            executors: stages.into_iter().collect(),
            slowest: slow(9_999, Stage::Unschedulable, 2.0),
            causes: vec![Cause { of: 10_000, ..held("CrashLoopBackOff", "exit code 101", 100..112) }],
            ..up(1, 0, 10_000)
        };
        let live = live(progress, 12.0);
        check(
            &live,
            USUAL,
            40.0,
            &[
                "demo  40s elapsed",
                "  session manager  [██████████]  1/1 ready",
                "  executors        [██████░░░░]  6200/10000 ready, 1021 starting, 640 pulling,",
                "                                 239 creating, 1000 scheduling, 12 crashing,",
                "                                 8 without image, 80 unschedulable,",
                "                                 800 not created",
                "  slowest: executor 9999, fitting no node for 38s",
                "  12 of 10000 executors (100-111): CrashLoopBackOff: exit code 101",
            ],
        );
        check(
            &live,
            WIDE,
            40.0,
            &[
                "demo  40s elapsed",
                "  session manager  [████████████████████████████████████████]  1/1 ready",
                "  executors        [████████████████████████░░░░░░░░░░░░░░░░]  6200/10000 ready, 1021 starting, 640 pulling, 239 creating, 1000 scheduling, 12 crashing, 8 without image, 80 unschedulable,",
                "                                                               800 not created",
                "  slowest: executor 9999, fitting no node for 38s",
                "  12 of 10000 executors (100-111): CrashLoopBackOff: exit code 101",
            ],
        );
    }

    #[test]
    fn taking_down_shows_what_is_gone_and_what_is_left() {
        let mut live = live(down(1, 10, Left { pods: 11, services: 2, config_maps: 1 }), 0.5);
        let progress = Progress {
            session_manager: [(Stage::Terminating, 1)].into_iter().collect(),
            executors: [(Stage::Terminating, 4)].into_iter().collect(),
            slowest: slow(3, Stage::Terminating, 1.0),
            deadline: Some(at(300.0)),
            ..down(0, 0, Left { pods: 5, services: 2, config_maps: 1 })
        };
        live.event(&Event::Progress(Box::new(progress)), at(10.0));
        check(
            &live,
            USUAL,
            32.0,
            &[
                "taking demo down  32s elapsed, 4m28s left",
                "  executors        [██████░░░░]  6/10 gone, 4 terminating",
                "  session manager  [░░░░░░░░░░]  0/1 gone, 1 terminating",
                "  2 Services and 1 ConfigMap left",
                "  slowest: executor 3, terminating for 31s",
            ],
        );
    }

    #[test]
    fn once_all_is_there_nothing_is_waited_for() {
        let mut live = live(Progress { to_do: 0, ..up(1, 10, 10) }, 9.0);
        check(
            &live,
            USUAL,
            60.0,
            &[
                "demo  ready",
                "  session manager  [██████████]  1/1 ready",
                "  executors        [██████████]  10/10 ready",
            ],
        );
        live.event(&Event::Progress(Box::new(up(1, 9, 10))), at(100.0));
        assert_eq!(live.frame(USUAL, at(103.0))[0], "demo  3s elapsed");
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        let progress = Progress { causes: vec![held("Odd", &"日本語🔥".repeat(20), 0..1)], ..starting() };
        let frame = live(progress, 1.0).frame(Size { width: 41, height: 24 }, at(1.0));
        assert!(frame.iter().all(|line| console::measure_text_width(line) <= 40), "{frame:#?}");
        let cause = frame.iter().position(|line| line == "  executor 0: Odd:").unwrap();
        assert_eq!(console::measure_text_width(&frame[cause + 1]), 39, "the next one takes two columns, and … one");
    }

    #[test]
    fn what_a_server_says_steers_no_terminal() {
        let progress = Progress { causes: vec![held("Odd", "a\u{1b}[2Jb\tc", 0..1)], ..starting() };
        let frame = live(progress, 1.0).frame(USUAL, at(1.0));
        assert_eq!(frame[4], "  executor 0: Odd: a[2Jb c");
    }

    #[test]
    fn only_what_is_no_state_is_a_line_of_its_own() {
        let mut live = live(starting(), 1.0);
        live.event(&executor(Action::Create, 1), at(1.0));
        live.event(&Event::Note("namespace ml was created".to_owned()), at(1.0));
        live.event(&retry("Pod a", "the server is busy"), at(1.0));
        assert_eq!(live.take_lines(), ["namespace ml was created"]);
        live.tick(at(2.0));
        assert_eq!(live.take_lines(), ["retrying Pod a in 2s: the server is busy"]);
        live.verbose = true;
        live.event(&executor(Action::Create, 1), at(3.0));
        assert_eq!(live.take_lines(), ["created Pod demo-executor-manager-1"]);
    }
}
