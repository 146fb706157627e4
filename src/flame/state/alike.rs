//! Makes messages of many Pods comparable: what only says which Pod, when or how often becomes a placeholder.

/// Shortest run of hexadecimal digits that counts as an id: container ids are cut to 12.
const ID: usize = 12;

/// Returns a message in the form that it has for every Pod: `own_names`, uids, addresses, ids, times and sizes replaced. Of
/// names that begin alike the longest comes first.
pub fn alike(message: &str, own_names: &[&str]) -> String {
    let message = own_names.iter().fold(message.to_owned(), |message, own| message.replace(own, "<pod>"));
    let mut alike = String::with_capacity(message.len());
    let mut rest = message.as_str();
    while !rest.is_empty() {
        let word = &rest[..rest.find(|char| !is_word(char)).unwrap_or(rest.len())];
        if word.is_empty() {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            alike.push_str(&rest[..length]);
            rest = &rest[length..];
        } else {
            let core = word.trim_end_matches(['.', ':', '-']);
            alike.push_str(placeholder(core).unwrap_or(core));
            alike.push_str(port(core).unwrap_or_default());
            alike.push_str(&word[core.len()..]);
            rest = &rest[word.len()..];
        }
    }
    alike
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '.' | ':' | '-' | '_' | '+')
}

fn placeholder(word: &str) -> Option<&'static str> {
    // Most words are words.
    if !word.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(match () {
        () if is_address(word) => "<ip>",
        () if is_uuid(word) => "<uid>",
        () if is_moment(word) || is_duration(word) => "<time>",
        () if is_size(word) => "<size>",
        () if is_id(word) => "<id>",
        () => return None,
    })
}

/// Returns `:8080` of an IPv4 address with a port: it tells what was dialled.
fn port(word: &str) -> Option<&str> {
    let (address, _) = word.split_once(':')?;
    is_ipv4(address).then(|| &word[address.len()..])
}

fn is_address(word: &str) -> bool {
    let (address, port) = word.split_once(':').unwrap_or((word, "0"));
    (is_ipv4(address) && port.parse::<u16>().is_ok()) || is_ipv6(word)
}

fn is_ipv4(word: &str) -> bool {
    word.split('.').count() == 4 && word.split('.').all(|part| part.parse::<u8>().is_ok())
}

fn is_ipv6(word: &str) -> bool {
    word.contains(':')
        && word.split(':').count() > 3
        && word.split(':').all(|part| part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// `2026-01-02T03:04:05Z`.
fn is_moment(word: &str) -> bool {
    let shape = word.bytes().take(11).map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    shape.eq(*b"0000-00-00T")
}

/// `20s`, `1m20s`, `1.5s`, `250ms`.
fn is_duration(word: &str) -> bool {
    let mut rest = word;
    while !rest.is_empty() {
        let number = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
        let unit = ["ms", "us", "ns", "h", "m", "s"].iter().find(|unit| rest[number..].starts_with(**unit));
        let Some(unit) = unit.filter(|_| number > 0) else { return false };
        rest = &rest[number + unit.len()..];
    }
    true
}

/// `123Ki`.
fn is_size(word: &str) -> bool {
    let number = ["Ki", "Mi", "Gi", "Ti"].iter().find_map(|unit| word.strip_suffix(unit));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_id(word: &str) -> bool {
    let word = word.strip_prefix("sha256:").unwrap_or(word);
    word.len() >= ID && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_pods_differ_in_nothing_but_their_cause() {
        let own = ["demo-executor-manager-1-abc", "demo-executor-manager-1"];
        for (message, expected) in [
            (
                "back-off 5m0s restarting failed container=em pod=demo-executor-manager-1_ml(6f1a77a5-0b0e-4cb1-8a6d-000000000001)",
                "back-off <time> restarting failed container=em pod=<pod>_ml(<uid>)",
            ),
            ("host demo-executor-manager-1-abc is gone.", "host <pod> is gone."),
            (
                "dial tcp 10.244.3.17:8080: connect: connection refused",
                "dial tcp <ip>:8080: connect: connection refused",
            ),
            ("dial tcp [fd00:10:244::1a]:9090", "dial tcp [<ip>]:9090"),
            (
                "Container em was using 123Ki, request is 0. Threshold quantity: 100Mi, available: 5Mi.",
                "Container em was using <size>, request is 0. Threshold quantity: <size>, available: <size>.",
            ),
            (
                "sandbox \"0f3b5c7d9e1f\" of sha256:0123456789abcdef at 2026-01-02T03:04:05.6Z took 1.5s",
                "sandbox \"<id>\" of <id> at <time> took <time>",
            ),
            ("0/5 nodes: 3 Insufficient cpu, v1.35.4, x86_64, é", "0/5 nodes: 3 Insufficient cpu, v1.35.4, x86_64, é"),
        ] {
            assert_eq!(alike(message, &own), expected);
        }
    }
}
