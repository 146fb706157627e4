//! Words for people: what schedulers, registries and exit codes mean; one line of long text; many numbers in short.

use std::borrow::Cow;
use std::time::Duration;

/// Longest text of a server on one line, in characters: enough for a scheduler's reasons on a handful of nodes.
pub const LINE: usize = 240;
/// Most runs of indices named one by one.
const RUNS: usize = 6;

/// Returns the text on one line of at most [`LINE`] characters, without what steers a terminal.
pub fn one_line(text: &str) -> String {
    let printable: String = text.chars().map(|char| if char.is_whitespace() { ' ' } else { char }).collect();
    let printable: String = printable.chars().filter(|char| !char.is_control()).collect();
    let line = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LINE) {
        None => line,
        Some(_) => line.chars().take(LINE - 1).chain(['…']).collect(),
    }
}

/// Returns ascending indices as `0-6,9`, cut with `…` after a few runs; `dash` stands inside a run.
pub fn ranges(indices: &[u32], dash: char) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &index in indices {
        let is_full = runs.len() == RUNS;
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ if is_full => return format!("{},…", join(&runs, dash)),
            _ => runs.push((index, index)),
        }
    }
    join(&runs, dash)
}

fn join(runs: &[(u32, u32)], dash: char) -> String {
    let run = |&(first, last): &(u32, u32)| match first == last {
        true => first.to_string(),
        false => format!("{first}{dash}{last}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join(",")
}

/// Returns a time to wait as `45s`, `5m` or `1m30s`.
pub fn duration(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

/// Returns a number of restarts as `4 restarts`; nothing for none.
pub fn restarts((least, most): (u32, u32)) -> Option<String> {
    Some(match (least, most) {
        (_, 0) => return None,
        (1, 1) => "1 restart".to_owned(),
        _ if least == most => format!("{most} restarts"),
        _ => format!("up to {most} restarts"),
    })
}

/// Returns an exit code with what it stands for, as `exit code 137 (SIGKILL)`.
pub fn exit(code: i32, signal: Option<i32>) -> String {
    // A shell and the container runtimes report death by a signal as 128 and its number.
    let signal = signal.or(Some(code - 128).filter(|signal| *signal > 0));
    let meaning = match code {
        0 => None,
        101 => Some("a Rust panic"),
        126 => Some("the program cannot be run"),
        127 => Some("no such program"),
        _ => signal.and_then(signal_name),
    };
    match meaning {
        Some(meaning) => format!("exit code {code} ({meaning})"),
        None => format!("exit code {code}"),
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

/// Returns what the scheduler says node group by node group: `3 nodes: insufficient cpu; 2 nodes: untolerated taint {…}`.
///
/// It writes `0/5 nodes are available: 3 Insufficient cpu, 2 node(s) had untolerated taint {…}. preemption: …`.
pub fn scheduler(text: &str) -> String {
    let Some((_, groups)) = text.split_once("nodes are available: ") else { return text.to_owned() };
    // What is said of preemption and of resource claims repeats it.
    let groups = groups.split("preemption: ").next().unwrap_or(groups).trim_end_matches([',', '.', ' ']);
    let groups = groups.strip_suffix("no new claims to deallocate").unwrap_or(groups).trim_end_matches(['.', ' ']);
    split_groups(groups).into_iter().map(node_group).collect::<Vec<_>>().join("; ")
}

/// Splits at the commas before a number: taints and selectors have commas of their own.
fn split_groups(text: &str) -> Vec<&str> {
    let mut groups = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(", ") {
        if text[at + 2..].starts_with(|char: char| char.is_ascii_digit()) {
            groups.push(&text[start..at]);
            start = at + 2;
        }
    }
    groups.push(&text[start..]);
    groups
}

fn node_group(group: &str) -> String {
    let Some((count, why)) = group.split_once(' ').filter(|(count, _)| count.parse::<u32>().is_ok()) else {
        return group.to_owned();
    };
    let why = why.strip_prefix("node(s) ").unwrap_or(why);
    let why = why.strip_prefix("had ").or(why.strip_prefix("were ")).unwrap_or(why).replace(": }", "}");
    let nodes = if count == "1" { "node" } else { "nodes" };
    format!("{count} {nodes}: {}", uncapitalised(&why))
}

/// Returns a sentence as it stands within another one.
fn uncapitalised(text: &str) -> Cow<'_, str> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_ascii_uppercase() && second.is_ascii_lowercase() => {
            Cow::Owned(format!("{}{}", first.to_ascii_lowercase(), &text[1..]))
        }
        _ => Cow::Borrowed(text),
    }
}

/// Why an image can't be pulled, as far as the registry's words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// There is no such image.
    NotFound,
    /// The registry tells only those who may know.
    Denied,
    /// The registry wants credentials.
    Unauthorized,
    /// The registry's name has no address.
    UnknownHost,
    /// The registry can't be reached.
    NoAnswer,
    /// TLS does not come about.
    Certificate,
    /// The registry limits how often one may pull.
    Limited,
    /// The image is not built for the node.
    Platform,
    /// The node has no room.
    DiskFull,
}

impl Pull {
    /// Returns what the words of a container runtime or a registry mean.
    pub fn of(words: &str) -> Option<Self> {
        let words = words.to_ascii_lowercase();
        let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
        // From the most particular: an address may hold any number, and "not found" stands in many sentences.
        Some(match () {
            () if says(&["no such host", "server misbehaving", "name resolution"]) => Self::UnknownHost,
            () if says(&["x509", "tls: ", "http response to https client"]) => Self::Certificate,
            () if says(&["toomanyrequests", "too many requests", "rate limit"]) => Self::Limited,
            () if says(&["timeout", "deadline exceeded", "connection re", "unreachable", "no route to host"]) => {
                Self::NoAnswer
            }
            () if says(&["no space left"]) => Self::DiskFull,
            () if says(&["no match for platform", "no matching manifest"]) => Self::Platform,
            () if says(&["pull access denied", "may require"]) => Self::Denied,
            () if says(&["unauthorized", "authentication required", "forbidden", "no basic auth", "denied"]) => {
                Self::Unauthorized
            }
            () if says(&["not found", "manifest unknown", "name unknown", "repository unknown"]) => Self::NotFound,
            () => return None,
        })
    }

    /// Returns it in words that go behind `cannot be pulled: `.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            Self::Denied => "not found, or it needs credentials",
            Self::Unauthorized => "unauthorized",
            Self::UnknownHost => "the registry's name is unknown",
            Self::NoAnswer => "the registry does not answer",
            Self::Certificate => "no trusted TLS connection to the registry",
            Self::Limited => "the registry limits how often one may pull",
            Self::Platform => "not built for the node's platform",
            Self::DiskFull => "the node's disk is full",
        }
    }
}

/// Returns a registry's own words out of what a kubelet wraps around them; none where it wrapped nothing.
///
/// `Back-off pulling image "x": ErrImagePull: rpc error: … failed to resolve reference "x": pull access denied` →
/// `pull access denied`.
pub fn registry(text: &str) -> Option<&str> {
    let text = text.split_once("ErrImagePull: ").map_or(text, |(_, words)| words);
    let text = text.split_once(" desc = ").map_or(text, |(_, words)| words);
    // Each rung of the ladder quotes what it was about.
    let words = text.rsplit_once("\": ").map_or(text, |(_, words)| words).trim();
    let is_bare = text.starts_with("Back-off pulling image") || words.is_empty();
    (!is_bare).then_some(words)
}

/// Returns what a quota has no room for, as `quota compute is full: cpu 12 of 12 used, 1 more asked for`; none where the
/// words are no quota's.
///
/// The server writes `exceeded quota: compute, requested: cpu=1, used: cpu=12, limited: cpu=12`, of each resource that is
/// exceeded.
pub fn quota(text: &str) -> Option<String> {
    let (_, text) = text.split_once("exceeded quota: ")?;
    let (name, text) = text.split_once(", requested: ")?;
    let (requested, text) = text.split_once(", used: ")?;
    let (used, limited) = text.split_once(", limited: ")?;
    let of = |list: &'_ str, resource: &str| -> Option<String> {
        let amounts = list.split(',').filter_map(|it| it.trim().split_once('='));
        amounts.into_iter().find(|(name, _)| *name == resource).map(|(_, amount)| amount.to_owned())
    };
    let full = limited.split(',').filter_map(|it| it.trim().split_once('=')).filter_map(|(resource, limit)| {
        let (used, more) = (of(used, resource)?, of(requested, resource)?);
        Some(format!("{resource} {used} of {limit} used, {more} more asked for"))
    });
    Some(format!("quota {name} is full: {}", full.collect::<Vec<_>>().join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: AsRef<str>>(actual: impl Fn(&str) -> T, cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(actual(text).as_ref(), *expected, "{text}");
        }
    }

    #[test]
    fn the_scheduler_is_read_node_group_by_node_group() {
        check(
            scheduler,
            &[
                (
                    "0/5 nodes are available: 3 Insufficient cpu, 2 node(s) had untolerated taint \
                     {node-role.kubernetes.io/control-plane: }. preemption: 0/5 nodes are available: 2 Preemption is \
                     not helpful for scheduling, 3 No preemption victims found for incoming pod.",
                    "3 nodes: insufficient cpu; 2 nodes: untolerated taint {node-role.kubernetes.io/control-plane}",
                ),
                (
                    "0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are \
                     available: 1 No preemption victims found for incoming pod.",
                    "1 node: too many pods",
                ),
                (
                    "0/4 nodes are available: 1 node(s) were unschedulable, 3 node(s) didn't match Pod's node \
                     affinity/selector.",
                    "1 node: unschedulable; 3 nodes: didn't match Pod's node affinity/selector",
                ),
                (
                    "0/2 nodes are available: 2 node(s) had untolerated taint {a: b, c}, 1 Insufficient memory.",
                    "2 nodes: untolerated taint {a: b, c}; 1 node: insufficient memory",
                ),
                (
                    "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes \
                     are available: 3 Preemption is not helpful for scheduling.",
                    "pod has unbound immediate PersistentVolumeClaims",
                ),
                ("no nodes available to schedule pods", "no nodes available to schedule pods"),
            ],
        );
    }

    #[test]
    fn a_registrys_words_are_found_and_understood() {
        let meaning = |text: &str| {
            let words = registry(text).unwrap_or("-");
            format!("{words} | {}", Pull::of(words).map_or("?", Pull::words))
        };
        check(
            meaning,
            &[
                (
                    "failed to pull and unpack image \"docker.io/library/x:v9\": failed to resolve reference \
                     \"docker.io/library/x:v9\": docker.io/library/x:v9: not found",
                    "docker.io/library/x:v9: not found | not found",
                ),
                (
                    "Back-off pulling image \"x:v9\": ErrImagePull: rpc error: code = NotFound desc = failed to pull \
                     and unpack image \"x:v9\": failed to resolve reference \"x:v9\": x:v9: not found",
                    "x:v9: not found | not found",
                ),
                ("Back-off pulling image \"x:v9\"", "- | ?"),
                (
                    "failed to pull and unpack image \"x\": failed to resolve reference \"x\": pull access denied, \
                     repository does not exist or may require authorization: server message: insufficient_scope: \
                     authorization failed",
                    "pull access denied, repository does not exist or may require authorization: server message: \
                     insufficient_scope: authorization failed | not found, or it needs credentials",
                ),
                (
                    "failed to resolve reference \"r.example/x\": failed to authorize: failed to fetch anonymous \
                     token: unexpected status from GET request to https://r.example/token: 401 Unauthorized",
                    "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to \
                     https://r.example/token: 401 Unauthorized | unauthorized",
                ),
                (
                    "failed to resolve reference \"r.example/x\": failed to do request: Head \
                     \"https://r.example/v2/x/manifests/v1\": dial tcp: lookup r.example on 10.0.0.10:53: no such host",
                    "dial tcp: lookup r.example on 10.0.0.10:53: no such host | the registry's name is unknown",
                ),
                (
                    "failed to do request: Head \"https://r.example/v2/\": dial tcp 192.0.2.4:443: i/o timeout",
                    "dial tcp 192.0.2.4:443: i/o timeout | the registry does not answer",
                ),
                (
                    "Head \"https://r.example/v2/\": tls: failed to verify certificate: x509: certificate signed by \
                     unknown authority",
                    "tls: failed to verify certificate: x509: certificate signed by unknown authority | no trusted TLS \
                     connection to the registry",
                ),
                (
                    "unexpected status: 429 Too Many Requests",
                    "unexpected status: 429 Too Many Requests | the registry limits how often one may pull",
                ),
                (
                    "no match for platform in manifest: not found",
                    "no match for platform in manifest: not found | not built for the node's platform",
                ),
                (
                    "write /var/lib/x: no space left on device",
                    "write /var/lib/x: no space left on device | the node's disk is full",
                ),
                ("something new", "something new | ?"),
            ],
        );
    }

    #[test]
    fn exit_codes_are_told_with_their_meaning() {
        for (code, signal, expected) in [
            (0, None, "exit code 0"),
            (1, None, "exit code 1"),
            (101, None, "exit code 101 (a Rust panic)"),
            (126, None, "exit code 126 (the program cannot be run)"),
            (127, None, "exit code 127 (no such program)"),
            (137, None, "exit code 137 (SIGKILL)"),
            (139, None, "exit code 139 (SIGSEGV)"),
            (143, None, "exit code 143 (SIGTERM)"),
            (2, Some(6), "exit code 2 (SIGABRT)"),
            (255, None, "exit code 255"),
        ] {
            assert_eq!(exit(code, signal), expected);
        }
    }

    #[test]
    fn a_full_quota_is_told_resource_by_resource() {
        let text = "exceeded quota: compute, requested: cpu=1,pods=1, used: cpu=12,pods=9, limited: cpu=12,pods=9";
        let expected = "quota compute is full: cpu 12 of 12 used, 1 more asked for; pods 9 of 9 used, 1 more asked for";
        assert_eq!(quota(text).unwrap(), expected);
        assert_eq!(quota("violates PodSecurity \"restricted:latest\""), None);
        assert_eq!(quota("exceeded quota: compute"), None);
    }

    #[test]
    fn many_numbers_are_told_in_short() {
        for (indices, text) in [
            (&[][..], ""),
            (&[4], "4"),
            (&[1, 3, 5], "1,3,5"),
            (&[0, 1, 2, 9], "0-2,9"),
            (&[0, 2, 4, 6, 8, 10], "0,2,4,6,8,10"),
            (&[0, 2, 4, 6, 8, 10, 12, 13], "0,2,4,6,8,10,…"),
        ] {
            assert_eq!(ranges(indices, '-'), text);
        }
        assert_eq!(ranges(&[0, 1, 2, 5], '…'), "0…2,5");
        for (seconds, text) in [(3, "3s"), (60, "1m"), (90, "1m30s"), (300, "5m"), (7200, "120m")] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
        for (counts, text) in [
            ((0, 0), None),
            ((1, 1), Some("1 restart")),
            ((4, 4), Some("4 restarts")),
            ((0, 4), Some("up to 4 restarts")),
        ] {
            assert_eq!(restarts(counts).as_deref(), text);
        }
    }

    #[test]
    fn long_text_is_one_line_that_steers_no_terminal() {
        assert_eq!(one_line("a\n\tb \u{1b}[31mred"), "a b [31mred");
        assert_eq!(one_line(&"x".repeat(300)).chars().count(), LINE);
    }
}
