//! The grammar of image references (distribution reference): `[host[:port]/]path[:tag][@digest]`.

use super::grammar::{Fault, quoted};
use super::report::shown;

/// Longest image name without tag and digest (distribution reference).
const MAX_IMAGE_NAME_LENGTH: usize = 255;
/// Longest image tag (distribution reference).
const MAX_TAG_LENGTH: usize = 128;
/// Shortest digest in hexadecimal digits (distribution reference).
const MIN_DIGEST_LENGTH: usize = 32;
/// Digits of a SHA-256 in hexadecimal.
const SHA256_LENGTH: usize = 64;

/// Returns what is wrong with `image` as an image reference.
pub fn image(image: &str) -> Vec<Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@+[]".contains(c);
    if let Some((scheme, rest)) = image.split_once("://") {
        let fault =
            Fault::new(format!("an image has no scheme, got {}://", shown(scheme))).at(0..scheme.chars().count() + 3);
        return vec![if rest.is_empty() { fault } else { fault.write(shown(rest)) }];
    }
    if let Some((at, c)) = image.chars().enumerate().find(|(_, c)| !allowed(*c)) {
        let fault = Fault::new(format!("{} (character {}) is not allowed in an image", quoted(c), at + 1));
        let trimmed = image.trim();
        let fault = if trimmed.chars().all(allowed) && !trimmed.is_empty() { fault.write(trimmed) } else { fault };
        return vec![fault.at(at..at + 1)];
    }
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    let mut faults = image_name(name, &image[name.len()..]);
    let tag_at = name.len() + 1;
    faults.extend(tag.and_then(image_tag).map(|fault| fault.at(tag_at..tag_at + tag.map_or(0, str::len))));
    let digest_at = rest.len() + 1;
    faults.extend(digest.and_then(image_digest).map(|fault| fault.at(digest_at..image.len())));
    faults
}

/// Checks the name; `suffix` is what follows it, for the proposals.
fn image_name(name: &str, suffix: &str) -> Vec<Fault> {
    if name.is_empty() {
        return vec![Fault::new("the image has no name").at(0..1)];
    }
    if name.len() > MAX_IMAGE_NAME_LENGTH {
        return vec![Fault::new(format!("the name has {} characters, at most {MAX_IMAGE_NAME_LENGTH}", name.len()))];
    }
    let mut faults = Vec::new();
    let path_at = match name.split_once('/') {
        Some((first, _)) if is_registry(first) => {
            faults.extend(registry(first).map(|fault| fault.at(0..first.len())));
            first.len() + 1
        }
        _ => 0,
    };
    let (host, path) = name.split_at(path_at);
    let mut start = path_at;
    for part in path.split('/') {
        let end = start + part.len();
        if part.contains(|c: char| c.is_ascii_uppercase()) {
            let fault = Fault::new(format!("{part} has capitals, image names are lower-case"));
            faults.push(fault.at(start..end).write(format!("{host}{}{suffix}", path.to_lowercase())));
        } else {
            faults.extend(image_path_part(part).map(|fault| fault.at(start..end.max(start + 1))));
        }
        start = end + 1;
    }
    faults
}

/// Returns whether the first part of an image name is a host, as Docker decides it.
fn is_registry(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':', '[']) || part.chars().any(|c| c.is_ascii_uppercase())
}

fn registry(host: &str) -> Option<Fault> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    if let Some(port) = port.filter(|port| port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return Some(Fault::new(format!("the registry's port has to be a number, got \"{}\"", shown(port))));
    }
    let ipv6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let is_ipv6 = ipv6.is_some_and(|ip| !ip.is_empty() && ip.chars().all(|c| c.is_ascii_hexdigit() || c == ':'));
    let label = |label: &str| {
        let alphanumeric = |c: char| c.is_ascii_alphanumeric();
        label.starts_with(alphanumeric)
            && label.ends_with(alphanumeric)
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if !is_ipv6 && !name.split('.').all(label) {
        return Some(Fault::new(format!("{} is not a registry host", shown(host))));
    }
    let looks_like_path = !is_ipv6 && port.is_none() && !name.contains('.') && name != "localhost";
    looks_like_path.then(|| {
        Fault::new(format!("{name} is taken for a registry host, because it has capitals"))
            .say(format!("write {} if it is a part of the name", name.to_lowercase()))
            .warning()
    })
}

/// Checks one part of a repository path: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn image_path_part(part: &str) -> Option<Fault> {
    if part.is_empty() {
        return Some(Fault::new("a part of the image's name is empty"));
    }
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators_fit = part
        .split(is_alphanumeric)
        .all(|separator| matches!(separator, "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-'));
    let fits = part.starts_with(is_alphanumeric) && part.ends_with(is_alphanumeric) && separators_fit;
    (!fits).then(|| {
        Fault::new(format!(
            "{part} does not fit an image's name: a-z and 0-9, with \".\", \"_\", \"__\" or \"-\" between"
        ))
    })
}

fn image_tag(tag: &str) -> Option<Fault> {
    if tag.is_empty() {
        return Some(Fault::new("the tag behind \":\" is empty").say("remove the \":\", or write the tag"));
    }
    if tag.len() > MAX_TAG_LENGTH {
        return Some(Fault::new(format!("the tag has {} characters, at most {MAX_TAG_LENGTH}", tag.len())));
    }
    let first = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let fits = first && tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    (!fits).then(|| {
        Fault::new(format!(
            "{tag} is not a tag: letters, digits, \"_\", \".\" and \"-\", not beginning with \".\" or \"-\""
        ))
    })
}

fn image_digest(digest: &str) -> Option<Fault> {
    let (algorithm, hex) = digest.split_once(':').unwrap_or((digest, ""));
    let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fits = !algorithm.is_empty()
        && algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
        && is_hex
        && if algorithm == "sha256" { hex.len() == SHA256_LENGTH } else { hex.len() >= MIN_DIGEST_LENGTH };
    (!fits).then(|| {
        Fault::new(format!("{} is not a digest: want sha256: and {SHA256_LENGTH} hexadecimal digits", shown(digest)))
    })
}
