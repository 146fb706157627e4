//! Containers' logs: pieces of a stream → lines, where a stream goes on after a break, whose Pods are read. Pure.

use jiff::Timestamp;

use super::evidence::LogTail;
use super::mask::mask;
use super::names::{self, Component, PodIndex};
use super::observed::{ObservedPod, Ownership, Phase};

/// Longest line kept whole, in bytes: a line has to be complete before it may stand between other Pods' lines.
pub const LINE_LIMIT: usize = 1 << 20;
/// What ends a line that was longer.
const CUT: &str = " … [cut: longer than 1 MiB]";
/// Longest line of a [`LogTail`], in characters: last words are looked at, not read.
const TAIL_LINE: usize = 1000;

/// Which Pods' logs are read; without one of these all Pods'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// All Pods of a component.
    Component(Component),
    /// One executor.
    Executor(u32),
    /// One Pod by its name.
    Pod(String),
}

impl LogTarget {
    /// Tells whether there can't be more than one such Pod.
    pub fn is_one_pod(&self) -> bool {
        !matches!(self, Self::Component(Component::ExecutorManager))
    }

    fn selects(&self, flame: &str, pod: &str) -> bool {
        match self {
            Self::Component(component) => names::component_of(pod) == Some(*component),
            Self::Executor(index) => pod == names::executor_manager(flame, *index),
            Self::Pod(name) => pod == name,
        }
    }
}

/// Returns the Pods whose logs are read: session manager first, then the object cache, then the executors by index.
pub fn chosen<'a>(
    flame: &str,
    target: Option<&LogTarget>,
    pods: impl IntoIterator<Item = &'a ObservedPod>,
) -> Vec<&'a ObservedPod> {
    let index = |pod: &ObservedPod| PodIndex::of(flame, &pod.meta.name);
    let is_ours = |pod: &ObservedPod| index(pod).is_some() && pod.meta.ownership(flame) == Ownership::Ours;
    let is_chosen =
        |pod: &&ObservedPod| is_ours(pod) && target.is_none_or(|target| target.selects(flame, &pod.meta.name));
    let mut chosen: Vec<&ObservedPod> = pods.into_iter().filter(is_chosen).collect();
    chosen.sort_by_key(|pod| index(pod));
    chosen
}

/// Returns what stands before a Pod's lines: its name without the flame's.
pub fn label<'a>(flame: &str, pod: &'a str) -> &'a str {
    pod.strip_prefix(flame).and_then(|rest| rest.strip_prefix('-')).unwrap_or(pod)
}

/// Returns why a Pod has no log yet; none where there may be one.
pub fn not_started(pod: &ObservedPod) -> Option<String> {
    if pod.ended.is_some() || pod.restart_count > 0 || pod.is_over() {
        return None;
    }
    match (&pod.waiting_reason, &pod.node, pod.phase) {
        (Some(reason), ..) => Some(format!("container is waiting: {reason}")),
        (None, None, _) => Some("not scheduled yet".to_owned()),
        (None, Some(_), Phase::Pending) => Some("container not started yet".to_owned()),
        _ => None,
    }
}

/// Makes lines of a stream, wherever its pieces break.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    line: Vec<u8>,
    is_cut: bool,
}

impl Lines {
    /// Takes in a piece and returns the lines that it completes, without their line ends.
    pub fn push(&mut self, piece: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut rest = piece;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            self.take(&rest[..at]);
            lines.push(self.end());
            rest = &rest[at + 1..];
        }
        self.take(rest);
        lines
    }

    /// Returns what came after the last line end.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        (!self.line.is_empty()).then(|| self.end())
    }

    fn take(&mut self, piece: &[u8]) {
        let room = LINE_LIMIT - self.line.len();
        self.is_cut |= piece.len() > room;
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn end(&mut self) -> Vec<u8> {
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_cut) {
            // No character is cut in half.
            while line.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
            line.extend_from_slice(CUT.as_bytes());
        }
        line
    }
}

/// Returns the time that the server wrote before a line, as its text too, and the line itself.
pub fn stamped(line: &[u8]) -> (Option<(Timestamp, &[u8])>, &[u8]) {
    let stamp = line.iter().position(|byte| *byte == b' ').map(|at| (&line[..at], &line[at + 1..]));
    let parsed = stamp.and_then(|(text, rest)| {
        let time = std::str::from_utf8(text).ok()?.parse().ok()?;
        Some((time, text, rest))
    });
    match parsed {
        Some((time, text, rest)) => (Some((time, text)), rest),
        None => (None, line),
    }
}

/// How far a log was read, so that it goes on with the next line after a break: none twice, none left out.
///
/// A server goes back in whole seconds only. What it sends again are the lines since that second in their order, so the number
/// of those seen tells which are old, and also where two have the same time. The log of a container that was started meanwhile
/// has later times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// What came before it in its second was not asked for.
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Lines seen since the last one's second.
    count: usize,
    /// Lines that come again.
    again: usize,
}

impl Place {
    /// Returns from when on to ask.
    pub fn since(&self) -> Option<Timestamp> {
        self.last.map(second)
    }

    /// Takes in that the log is read again from [`Self::since`] on.
    pub fn reopened(&mut self) {
        self.again = self.count;
    }

    /// Takes in a line by its time, and tells whether it is new.
    pub fn is_new(&mut self, time: Timestamp) -> bool {
        let Some(last) = self.last else {
            (self.first, self.last, self.count) = (Some(time), Some(time), 1);
            return true;
        };
        if self.again > 0 && self.first.is_some_and(|first| time < first) {
            return false;
        }
        if self.again > 0 && time <= last {
            self.again -= 1;
            return false;
        }
        self.again = 0;
        self.count = match second(time).cmp(&second(last)) {
            std::cmp::Ordering::Less => self.count,
            std::cmp::Ordering::Equal => self.count + 1,
            std::cmp::Ordering::Greater => 1,
        };
        self.last = Some(last.max(time));
        true
    }
}

/// A line of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLine {
    /// The time as the server writes it; empty where it wrote none.
    pub stamp: Vec<u8>,
    /// What the container wrote, to the byte, without the line end.
    pub text: Vec<u8>,
    /// Whether the container ended the line.
    pub is_ended: bool,
}

/// Reads one container's log from a stream that may break and be opened again.
#[derive(Clone, Debug, Default)]
pub struct LogReader {
    lines: Lines,
    place: Place,
}

impl LogReader {
    /// Takes in a piece of the stream, times before the lines, and returns the new lines that it completes.
    pub fn push(&mut self, piece: &[u8]) -> Vec<LogLine> {
        let lines = self.lines.push(piece);
        lines.into_iter().filter_map(|line| self.new_line(&line, true)).collect()
    }

    /// Takes in that the log ended, and returns what was not ended with it.
    pub fn end(&mut self) -> Option<LogLine> {
        let rest = self.lines.finish()?;
        self.new_line(&rest, false)
    }

    /// Takes in that the stream broke or ended and will be opened again: half a line comes again as a whole one.
    pub fn reopen(&mut self) {
        self.lines = Lines::default();
        self.place.reopened();
    }

    /// Returns from when on to ask for the rest; none where nothing came yet.
    pub fn since(&self) -> Option<Timestamp> {
        self.place.since()
    }

    fn new_line(&mut self, line: &[u8], is_ended: bool) -> Option<LogLine> {
        let (stamp, text) = stamped(line);
        if stamp.is_some_and(|(time, _)| !self.place.is_new(time)) {
            return None;
        }
        let stamp = stamp.map(|(_, stamp)| stamp.to_vec()).unwrap_or_default();
        Some(LogLine { stamp, text: text.to_vec(), is_ended })
    }
}

fn second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Returns the last `lines` lines of a log for people to see: without credentials, colours and empty lines; none where
/// nothing was written.
pub fn tail(log: &[u8], lines: usize, previous: bool) -> Option<LogTail> {
    let text = String::from_utf8_lossy(log);
    let fit = |line: &str| mask(&without_colours(line)).trim_end().chars().take(TAIL_LINE).collect::<String>();
    let written: Vec<String> = text.lines().map(fit).filter(|line| !line.is_empty()).collect();
    let lines = written[written.len().saturating_sub(lines)..].to_vec();
    (!lines.is_empty()).then_some(LogTail { lines, previous })
}

/// Leaves out what only colours a line (ECMA-48 SGR).
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|char: char| !char.is_ascii_digit() && char != ';').unwrap_or(part.len());
        match part[end..].strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => plain.push_str(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::observed::ObservedMeta;
    use crate::flame::testing::{flame_06, running};

    fn text(lines: Vec<Vec<u8>>) -> Vec<String> {
        lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn the_object_cache_is_read_after_the_session_manager_and_can_be_named() {
        let snapshot = running(&flame_06(11));
        let names = |target: Option<LogTarget>| -> Vec<String> {
            let pods = chosen("demo", target.as_ref(), snapshot.pods.values().map(|pod| &**pod));
            pods.iter().map(|pod| label("demo", &pod.meta.name).to_owned()).collect()
        };
        let target = LogTarget::Component(Component::ObjectCache);
        assert!(target.is_one_pod());
        assert_eq!(names(Some(target)), ["object-cache"]);
        assert_eq!(names(None)[..4], ["session-manager", "object-cache", "executor-manager-0", "executor-manager-1"]);
        assert_eq!(names(None).last().unwrap(), "executor-manager-10");
    }

    #[test]
    fn lines_are_the_same_wherever_a_stream_breaks() {
        let stream = "one\n\ntwo äöü\r\nthree";
        for size in 1..=stream.len() {
            let mut lines = Lines::default();
            let mut whole: Vec<String> = stream.as_bytes().chunks(size).flat_map(|it| text(lines.push(it))).collect();
            whole.extend(lines.finish().map(|line| String::from_utf8(line).unwrap()));
            assert_eq!(whole, ["one", "", "two äöü\r", "three"], "pieces of {size} bytes");
            assert_eq!(lines.finish(), None);
        }
    }

    #[test]
    fn an_endless_line_is_cut_at_a_whole_character_and_the_next_one_is_whole() {
        let mut lines = Lines::default();
        let mut got = lines.push(b"x");
        for _ in 0..LINE_LIMIT {
            got.extend(lines.push("ä".as_bytes()));
        }
        got.extend(lines.push(b"\nnext\n"));
        let got = text(got);
        let expected = format!("x{}{CUT}", "ä".repeat((LINE_LIMIT - 2) / 2));
        assert_eq!(got.len(), 2);
        assert!(got[0] == expected, "{} bytes, ending in {:?}", got[0].len(), &got[0][got[0].len() - 40..]);
        assert_eq!(got[1], "next");
        assert_eq!(text(lines.push(&[vec![b'y'; LINE_LIMIT], b"\n".to_vec()].concat()))[0].len(), LINE_LIMIT);
    }

    #[test]
    fn the_servers_time_is_taken_off_a_line() {
        let line = b"2026-01-02T03:04:05.678901234Z  two spaces";
        let time: Timestamp = "2026-01-02T03:04:05.678901234Z".parse().unwrap();
        assert_eq!(stamped(line), (Some((time, &line[..30])), &b" two spaces"[..]));
        let zoned = b"2026-01-02T04:04:05.678901234+01:00 ";
        assert_eq!(stamped(zoned), (Some((time, &zoned[..35])), &b""[..]));
        for other in ["no time here", "", "word", "\u{7f}\u{1}"] {
            assert_eq!(stamped(other.as_bytes()), (None, other.as_bytes()), "{other:?}");
        }
    }

    /// Reads lines with these times in milliseconds, breaks off after `seen` of them, and reads on from `log`.
    fn read_twice(seen: &[i64], log: &[i64]) -> Vec<i64> {
        let time = |&millis: &i64| Timestamp::from_millisecond(millis).unwrap();
        let mut place = Place::default();
        let mut got: Vec<i64> = seen.iter().filter(|it| place.is_new(time(it))).copied().collect();
        let since = place.since();
        place.reopened();
        let sent = log.iter().filter(|it| since.is_none_or(|since| time(it) >= since));
        got.extend(sent.filter(|it| place.is_new(time(it))));
        got
    }

    #[test]
    fn after_a_break_no_line_is_lost_and_none_comes_twice() {
        for log in [
            vec![1000, 1001, 1002, 2000, 2500, 2500, 2500, 2600, 3100],
            // Two streams of one container may be written a little out of order.
            vec![1000, 1900, 1800, 2100, 2050, 2050, 2300, 2200, 2400],
            vec![7000; 6],
        ] {
            for at in 0..=log.len() {
                assert_eq!(read_twice(&log[..at], &log), log, "broken off after {at} lines");
            }
        }
    }

    #[test]
    fn what_came_before_the_first_line_that_was_asked_for_stays_out() {
        let log = [1100, 1200, 1300, 1400, 1500, 1600];
        assert_eq!(read_twice(&[1300, 1400], &log), [1300, 1400, 1500, 1600]);
    }

    #[test]
    fn half_a_line_before_a_break_comes_once_and_whole() {
        let mut reader = LogReader::default();
        let texts = |lines: Vec<LogLine>| -> Vec<String> {
            lines.into_iter().map(|line| String::from_utf8(line.text).unwrap()).collect()
        };
        let stamp = |second: u32| format!("2026-01-02T03:04:0{second}.5Z");
        let log = format!("{} one\n{} two\n{} three", stamp(1), stamp(1), stamp(2));
        assert_eq!(texts(reader.push(&log.as_bytes()[..log.len() - 31])), ["one"]);
        reader.reopen();
        assert_eq!(reader.since().unwrap().to_string(), "2026-01-02T03:04:01Z");
        assert_eq!(texts(reader.push(log.as_bytes())), ["two"]);
        let last = LogLine { stamp: stamp(2).into_bytes(), text: b"three".to_vec(), is_ended: false };
        assert_eq!((reader.end(), reader.end()), (Some(last), None));
    }

    #[test]
    fn a_container_that_was_started_meanwhile_is_read_from_its_first_line_on() {
        assert_eq!(read_twice(&[2100, 2200, 2300], &[2700, 2800]), [2100, 2200, 2300, 2700, 2800]);
    }

    #[test]
    fn last_words_are_fit_to_be_shown() {
        let log = b"first\n\x1b[2m2026\x1b[0m \x1b[31mERROR\x1b[0m at https://u:p@h/\n\n  indented  \n\xff\n";
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let expected = lines(&["2026 ERROR at https://***@h/", "  indented", "\u{fffd}"]);
        assert_eq!(tail(log, 3, true), Some(LogTail { lines: expected, previous: true }));
        assert_eq!(tail(b"\n \n", 3, false), None);
        assert_eq!(tail("ä".repeat(3000).as_bytes(), 3, false).unwrap().lines[0].chars().count(), TAIL_LINE);
    }

    fn pod(name: &str) -> ObservedPod {
        let labels = [(names::LABEL_CLUSTER, "demo"), (names::LABEL_MANAGED_BY, names::FIELD_MANAGER)];
        let labels =
            std::collections::BTreeMap::from(labels.map(|(key, value)| (key.to_owned(), value.to_owned()))).into();
        ObservedPod { meta: ObservedMeta { name: name.to_owned(), labels, ..Default::default() }, ..Default::default() }
    }

    #[test]
    fn pods_are_chosen_by_component_index_or_name_in_their_order() {
        let mut pods: Vec<ObservedPod> = [10, 9, 1].map(|index| pod(&names::executor_manager("demo", index))).into();
        pods.push(pod("demo-session-manager"));
        pods.push(pod("demo-debug"));
        pods.push(ObservedPod {
            meta: ObservedMeta { name: "demo-executor-manager-2".to_owned(), ..Default::default() },
            ..Default::default()
        });
        let check = |target: Option<LogTarget>, expected: &[&str]| {
            let chosen = chosen("demo", target.as_ref(), &pods);
            let names: Vec<&str> = chosen.iter().map(|pod| label("demo", &pod.meta.name)).collect();
            assert_eq!(names, expected, "{target:?}");
        };
        let executors = ["executor-manager-1", "executor-manager-9", "executor-manager-10"];
        check(None, &[&["session-manager"][..], &executors].concat());
        check(Some(LogTarget::Component(Component::ExecutorManager)), &executors);
        check(Some(LogTarget::Component(Component::SessionManager)), &["session-manager"]);
        check(Some(LogTarget::Executor(9)), &["executor-manager-9"]);
        check(Some(LogTarget::Executor(2)), &[]);
        check(Some(LogTarget::Pod("demo-executor-manager-10".to_owned())), &["executor-manager-10"]);
    }

    #[test]
    fn a_pod_that_never_ran_has_no_log_yet() {
        let on_node = |phase| ObservedPod { node: Some("n".into()), phase, ..Default::default() };
        let waiting = |reason: &str, restart_count| ObservedPod {
            waiting_reason: Some(reason.into()),
            restart_count,
            ..on_node(Phase::Pending)
        };
        for (pod, expected) in [
            (ObservedPod::default(), Some("not scheduled yet")),
            (on_node(Phase::Pending), Some("container not started yet")),
            (waiting("ContainerCreating", 0), Some("container is waiting: ContainerCreating")),
            (waiting("CrashLoopBackOff", 3), None),
            (ObservedPod { ended: Some(Box::default()), ..waiting("CrashLoopBackOff", 0) }, None),
            (on_node(Phase::Running), None),
            (on_node(Phase::Failed), None),
        ] {
            assert_eq!(not_started(&pod).as_deref(), expected, "{pod:?}");
        }
    }
}
