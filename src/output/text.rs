//! Words for people: ages, counts, ranges, one-line causes. Pure.

use crate::flame::names::{self, Kind, ObjectRef};
use crate::flame::state::Cause;

pub use crate::flame::state::ranges;

/// Returns the text without control characters but line breaks and tabs: what a server says must not steer a terminal.
pub fn clean(text: &str) -> String {
    text.chars().filter(|&char| !char.is_control() || char == '\n' || char == '\t').collect()
}

/// Returns the text on one line of at most `length` characters.
pub fn one_line(text: &str, length: usize) -> String {
    let line = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(length) {
        None => line,
        Some(_) => line.chars().take(length.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Returns `1 Pod` or `3 Pods`.
pub fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Returns an age as kubectl prints it (k8s apimachinery `duration.HumanDuration`).
pub fn age(seconds: u64) -> String {
    let (minutes, hours, days, years) = (seconds / 60, seconds / 3600, seconds / 86_400, seconds / 86_400 / 365);
    let two = |first: u64, unit, second: u64, second_unit| match second {
        0 => format!("{first}{unit}"),
        _ => format!("{first}{unit}{second}{second_unit}"),
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if years < 2 => format!("{days}d"),
        () if years < 8 => two(years, "y", days % 365, "d"),
        () => format!("{years}y"),
    }
}

/// Returns a cause on one line, as `7 of 10 executors (3-9): ErrImagePull: …`.
pub fn cause(cause: &Cause) -> String {
    clean(&cause.to_string())
}

/// Returns an executor Pod's name up to its index, and the index.
pub fn executor(object: &ObjectRef) -> Option<(&str, u32)> {
    let (flame, _) = object.name.rsplit_once("-executor-manager-").filter(|_| object.kind == Kind::Pod)?;
    let index = names::executor_index(flame, &object.name)?;
    Some((object.name.trim_end_matches(|char: char| char.is_ascii_digit()), index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::names::Component;

    #[test]
    fn ages_are_written_as_kubectl_does() {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 3600;
        const DAY: u64 = 86_400;
        // The cases of k8s.io/apimachinery/pkg/util/duration, and the edges between.
        for (seconds, expected) in [
            (0, "0s"),
            (5, "5s"),
            (119, "119s"),
            (2 * MINUTE, "2m"),
            (2 * MINUTE + 10, "2m10s"),
            (9 * MINUTE + 59, "9m59s"),
            (10 * MINUTE + 1, "10m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (7 * HOUR + 59 * MINUTE, "7h59m"),
            (8 * HOUR + 59 * MINUTE, "8h"),
            (47 * HOUR + 59 * MINUTE, "47h"),
            (2 * DAY, "2d"),
            (2 * DAY + HOUR, "2d1h"),
            (7 * DAY + 23 * HOUR, "7d23h"),
            (8 * DAY + 23 * HOUR, "8d"),
            (2 * 365 * DAY - 1, "729d"),
            (2 * 365 * DAY, "2y"),
            (2 * 365 * DAY + DAY, "2y1d"),
            (8 * 365 * DAY + DAY, "8y"),
        ] {
            assert_eq!(age(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn a_cause_is_one_line_that_steers_no_terminal() {
        let held = |indices: &[u32], message: &str| Cause {
            indices: indices.to_vec(),
            of: 40,
            ..Cause::new(Component::ExecutorManager, "Error", message)
        };
        assert_eq!(cause(&held(&[3], "a\n\tb \u{1b}[31mred")), "executor 3: Error: a b [31mred");
        assert_eq!(cause(&held(&[3, 4, 7], "")), "3 of 40 executors (3-4,7): Error");
        let odd: Vec<u32> = (0..20).map(|index| index * 2 + 1).collect();
        assert_eq!(cause(&held(&odd, "")), "20 of 40 executors (1,3,5,7,9,11,…): Error");
        assert_eq!(cause(&held(&[0], &"x".repeat(300))).chars().count(), "executor 0: Error: ".len() + 240);
        assert_eq!(cause(&Cause::new(Component::SessionManager, "Error", "")), "session manager: Error");
    }

    #[test]
    fn only_executor_pods_are_taken_for_executors() {
        let object = |kind, name| ObjectRef::new(kind, name);
        assert_eq!(executor(&object(Kind::Pod, "a-executor-manager-12")), Some(("a-executor-manager-", 12)));
        assert_eq!(executor(&object(Kind::Pod, "a-executor-manager-1-executor-manager-0")).map(|it| it.1), Some(0));
        assert_eq!(executor(&object(Kind::Pod, "a-executor-manager-01")), None);
        assert_eq!(executor(&object(Kind::Pod, "a-session-manager")), None);
        assert_eq!(executor(&object(Kind::Service, "a-executor-manager-1")), None);
    }
}
