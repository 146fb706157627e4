//! The grammar of image references (distribution reference): `[host[:port]/]path[:tag][@digest]`.

use super::characters::named_at;
use super::grammar::Fault;
use super::report::shown;

/// Longest image name without tag and digest (distribution reference).
const MAX_IMAGE_NAME_LENGTH: usize = 255;
/// Longest image tag (distribution reference).
const MAX_TAG_LENGTH: usize = 128;
/// Longest reference: registry, name, tag and the longest digest, with room.
const MAX_LENGTH: usize = 1024;
/// The algorithms of digests, and how many hexadecimal digits they give (go-digest).
pub const DIGESTS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// Returns what is wrong with `image` as an image reference.
pub fn image(image: &str) -> Vec<Fault> {
    if image.len() > MAX_LENGTH {
        let length = image.chars().count();
        return vec![Fault::new(format!("{length} characters, at most {MAX_LENGTH}")).say("write NAME:TAG")];
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@+[]".contains(c);
    if let Some((scheme, rest)) = image.split_once("://") {
        let fault =
            Fault::new(format!("an image has no scheme, got {}://", shown(scheme))).at(0..scheme.chars().count() + 3);
        return vec![fault.write(if is_better(rest, image) { rest } else { EXAMPLE })];
    }
    if let Some((at, c)) = image.chars().enumerate().find(|(_, c)| !allowed(*c)) {
        let fault = Fault::new(format!("{} is not allowed in an image", named_at(c, at)));
        let trimmed = image.trim();
        let fault = match is_better(trimmed, image) {
            true => fault.write(trimmed),
            false => {
                fault.say("letters and digits of ASCII, and \".\", \"_\", \"-\", \"/\", \":\" and \"@\" between them")
            }
        };
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
    let mut faults = image_name(image, name);
    let tag_at = name.len() + 1;
    faults.extend(tag.and_then(image_tag).map(|fault| fault.at(tag_at..tag_at + tag.map_or(0, str::len))));
    let digest_at = rest.len() + 1;
    if let Some(fault) = digest.and_then(image_digest) {
        let lower = format!("{rest}@{}", digest.unwrap_or_default().to_ascii_lowercase());
        let fault = if is_better(&lower, image) { fault.write(lower) } else { fault };
        faults.push(fault.at(digest_at..image.len().max(digest_at + 1)));
    }
    if image.len() == 64 && image.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        faults.push(Fault::new("64 hexadecimal digits are an image's ID, which no registry knows").write(EXAMPLE));
    }
    faults
}

/// Returns the version in an image's tag, `v0.6.1` as 0.6, and the tag; None where the tag is no version.
pub(super) fn version(image: &str) -> Option<((u64, u64), &str)> {
    let (_, tag) = image.rsplit_once(':').filter(|(name, tag)| !tag.contains('/') && !name.contains('@'))?;
    let mut parts = tag.strip_prefix('v').unwrap_or(tag).split(['.', '-']);
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some(((major, minor), tag))
}

/// An image as it may look.
const EXAMPLE: &str = "xflops/flame-session:v0.1.0";

/// Returns whether `text` is something else than `wrong`, and a good image.
fn is_better(text: &str, wrong: &str) -> bool {
    text != wrong && !text.is_empty() && image(text).is_empty()
}

/// Checks the name that `image` begins with.
fn image_name(image: &str, name: &str) -> Vec<Fault> {
    let suffix = &image[name.len()..];
    if name.is_empty() {
        return vec![Fault::new("the image has no name").at(0..1).write(EXAMPLE)];
    }
    if name.len() > MAX_IMAGE_NAME_LENGTH {
        let fault = Fault::new(format!("the name has {} characters, at most {MAX_IMAGE_NAME_LENGTH}", name.len()));
        return vec![fault.say("write NAME:TAG")];
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
            let parts = path.split('/').map(path_part_like).filter(|part| !part.is_empty());
            let better = format!("{host}{}{suffix}", parts.collect::<Vec<_>>().join("/"));
            let fault = image_path_part(part).map(|fault| fault.at(start..end.max(start + 1)));
            faults.extend(fault.map(|fault| fault.write(if is_better(&better, image) { &better } else { EXAMPLE })));
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
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|it| it > 0);
    if let Some(port) = port.filter(|port| !is_port(port)) {
        let fault = Fault::new(format!("the registry's port has to be a number, 1 to 65535, got \"{}\"", shown(port)));
        return Some(fault.say(format!("write {name}:5000/, or {name}/ for the default")));
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
        let fault = Fault::new(format!("{} is not a registry's host", shown(host)));
        return Some(fault.say("a host has letters, digits and \"-\" between its dots"));
    }
    let looks_like_path = !is_ipv6 && port.is_none() && !name.contains('.') && name != "localhost";
    looks_like_path.then(|| {
        Fault::new(format!("{name} is taken for a registry host, because it has capitals"))
            .say(format!("write {} if it is a part of the name", name.to_lowercase()))
            .warning()
    })
}

/// Returns a part of a repository path that resembles `part`; empty where nothing of it fits.
fn path_part_like(part: &str) -> String {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let words = part.split(|c| !is_alphanumeric(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
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
        let fault = Fault::new(format!("the tag has {} characters, at most {MAX_TAG_LENGTH}", tag.len()));
        return Some(fault.say("write a shorter tag"));
    }
    let first = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let fits = first && tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    (!fits).then(|| {
        Fault::new(format!(
            "{tag} is not a tag: letters, digits, \"_\", \".\" and \"-\", not beginning with \".\" or \"-\""
        ))
        .say("write a tag as v0.1.0")
    })
}

fn image_digest(digest: &str) -> Option<Fault> {
    let (algorithm, hex) = digest.split_once(':').unwrap_or((digest, ""));
    let length = DIGESTS.iter().find(|(name, _)| *name == algorithm).map(|(_, length)| *length);
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if length == Some(hex.len()) && hex.bytes().all(is_digit) {
        return None;
    }
    let fault = if digest.is_empty() {
        Fault::new("the digest behind \"@\" is empty")
    } else if length == Some(hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Fault::new("a digest has lower-case letters")
    } else {
        Fault::new(format!("{} is not a digest: want sha256: and 64 hexadecimal digits", shown(digest)))
    };
    Some(fault.say("copy the digest whole, or remove the \"@\" and what follows"))
}
