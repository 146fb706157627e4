//! Flames that are valid, and as odd as a valid one can be.
//!
//! What decides is a string of bytes: a fuzzer's, or that of a seeded generator. Where it ends, the first choice is taken.

use std::collections::BTreeMap;

use arbitrary::Unstructured;
use flamectl::flame::generation::{Version, version_of_image};
use flamectl::flame::names::{
    ANNOTATION_FLAME_VERSION, ANNOTATION_OBJECT_CACHE_IMAGE, MAX_NAME_LENGTH, RESERVED_PREFIX,
};
use flamectl::flame::{
    API_VERSION, ExecutorManager, FlameCluster, KIND, Metadata, ObjectCache, Resources, SessionManager, Spec,
};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const ALPHANUMERIC: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const DNS: &str = "abcdefghijklmnopqrstuvwxyz0123456789-";
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const LABEL: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
/// What YAML, JSON, shells and terminals give a meaning, and what lies beyond ASCII.
const ODD: &str = " \t\n\"'\\:#{}[],&*!|>%@`-?=<~$()/.aA0ü😀\r\u{A0}\u{2028}\u{200B}\u{FEFF}";
/// Of those, what may stand in a path that is mounted.
const PATH: &str = " '\"#}[],&*!|>@`-?=<()._aA0ü😀";

/// Makes a flame of the choices in `u`.
pub fn flame(u: &mut Unstructured<'_>) -> FlameCluster {
    let mut flame = of_any_generation(u);
    if let Some(version) = pick(u, &[None, Some("0.1"), Some("v0.6.0"), Some("0.7.1-rc.1")]) {
        flame.metadata.annotations.insert(ANNOTATION_FLAME_VERSION.to_owned(), version.to_owned());
        if chance(u) {
            flame.metadata.annotations.insert(ANNOTATION_OBJECT_CACHE_IMAGE.to_owned(), image(u));
        }
    }
    let (session_manager, executor_manager) = (&flame.spec.session_manager.image, &flame.spec.executor_manager.image);
    let generations = [session_manager, executor_manager].map(|it| version_of_image(it).map(Version::generation));
    let is_mixed = matches!(generations, [Some(one), Some(other)] if one != other);
    if is_mixed || flame.guesses_object_cache_image() {
        flame.spec.executor_manager.image = "flame".to_owned();
    }
    flame
}

fn of_any_generation(u: &mut Unstructured<'_>) -> FlameCluster {
    FlameCluster {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        metadata: Metadata {
            name: word(u, LOWER, DNS, ALPHANUMERIC, MAX_NAME_LENGTH),
            namespace: chance(u).then(|| word(u, ALPHANUMERIC, DNS, ALPHANUMERIC, 63)),
            labels: entries(u, |u| (key(u), label(u))),
            annotations: annotations(u),
        },
        spec: Spec {
            session_manager: SessionManager {
                image: image(u),
                resources: resources(u),
                slot: slot(u),
                policy: pick(u, &["", "priority", "fifo", "drf", "proportion", "no", "1e3", "a: b", "'\"\\"])
                    .to_owned(),
                storage: session_storage(u),
            },
            executor_manager: ExecutorManager {
                image: image(u),
                replicas: up_to(u, 3),
                resources: resources(u),
                shim: pick(u, &["", "host", "wasm"]).to_owned(),
                max_executors: if chance(u) { up_to(u, u32::MAX) } else { 0 },
            },
            object_cache: ObjectCache {
                network_interface: pick(u, &["", "eth0", "(eth|en)[0-9]+", "\\w{2,3}\\d", "^e.*\"'#:$"]).to_owned(),
                storage: if chance(u) { directory(u) } else { String::new() },
            },
        },
    }
}

fn chance(u: &mut Unstructured<'_>) -> bool {
    u.arbitrary().unwrap_or_default()
}

fn up_to(u: &mut Unstructured<'_>, max: u32) -> u32 {
    u.int_in_range(0..=max).unwrap_or_default()
}

fn pick<T: Copy>(u: &mut Unstructured<'_>, of: &[T]) -> T {
    u.choose(of).copied().unwrap_or(of[0])
}

/// Returns a length from 1 to `max`: often one of both ends, where mistakes are.
fn length(u: &mut Unstructured<'_>, max: usize) -> usize {
    let any = u.int_in_range(1..=max).unwrap_or(1);
    pick(u, &[any, any, 1, 2.min(max), max - 1, max]).max(1)
}

fn text(u: &mut Unstructured<'_>, of: &str, length: usize) -> String {
    let of: Vec<char> = of.chars().collect();
    (0..length).map(|_| pick(u, &of)).collect()
}

/// Returns a word with a first, some middle and a last character.
fn word(u: &mut Unstructured<'_>, first: &str, middle: &str, last: &str, max: usize) -> String {
    match length(u, max) {
        1 => text(u, first, 1),
        more => [text(u, first, 1), text(u, middle, more - 2), text(u, last, 1)].concat(),
    }
}

fn entries<T>(
    u: &mut Unstructured<'_>,
    mut entry: impl FnMut(&mut Unstructured<'_>) -> (String, T),
) -> BTreeMap<String, T> {
    let count = up_to(u, 4);
    (0..count).map(|_| entry(u)).filter(|(key, _)| is_free(key)).collect()
}

/// Returns whether flamectl leaves the key to the user.
fn is_free(key: &str) -> bool {
    key != "app" && !key.starts_with("app.kubernetes.io/") && !key.starts_with(RESERVED_PREFIX)
}

fn key(u: &mut Unstructured<'_>) -> String {
    let name = word(u, LETTERS, LABEL, LETTERS, 63);
    if chance(u) { format!("{}/{name}", subdomain(u, 253)) } else { name }
}

fn subdomain(u: &mut Unstructured<'_>, max: usize) -> String {
    let mut subdomain = word(u, ALPHANUMERIC, DNS, ALPHANUMERIC, 63.min(max));
    while chance(u) && subdomain.len() + 2 <= max {
        let room = max - subdomain.len() - 1;
        subdomain = format!("{subdomain}.{}", word(u, ALPHANUMERIC, DNS, ALPHANUMERIC, 63.min(room)));
    }
    subdomain
}

fn label(u: &mut Unstructured<'_>) -> String {
    if chance(u) { word(u, LETTERS, LABEL, LETTERS, 63) } else { String::new() }
}

fn annotations(u: &mut Unstructured<'_>) -> BTreeMap<String, String> {
    entries(u, |u| {
        let key = key(u);
        // Only in an annotation's prefix are capitals allowed.
        let key = if chance(u) { key.replacen("a", "A", 1) } else { key };
        let length = length(u, 40);
        (key, text(u, ODD, length))
    })
}

fn image(u: &mut Unstructured<'_>) -> String {
    let mut image = String::new();
    if chance(u) {
        image += pick(u, &["localhost", "reg.io", "a-b.example", "[::1]", "10.0.0.1", "Reg.IO"]);
        image += pick(u, &[":1", ":5000", ":65535"]);
        image += "/";
    }
    for index in 0..=up_to(u, 3) {
        image += if index > 0 { "/" } else { "" };
        image += &word(u, ALPHANUMERIC, ALPHANUMERIC, ALPHANUMERIC, 20);
        if chance(u) {
            image += pick(u, &[".", "_", "__", "-", "---"]);
            image += &word(u, ALPHANUMERIC, ALPHANUMERIC, ALPHANUMERIC, 20);
        }
    }
    if chance(u) {
        image += ":";
        image += &word(u, "_aZ9", LABEL, LABEL, 128);
    }
    if chance(u) {
        let (algorithm, digits) = pick(u, &[("sha256", 64), ("sha384", 96), ("sha512", 128)]);
        image += &format!("@{algorithm}:{}", text(u, "0123456789abcdef", digits));
    }
    image
}

fn slot(u: &mut Unstructured<'_>) -> String {
    if !chance(u) {
        return String::new();
    }
    let cpu = up_to(u, u32::MAX - 1) + 1;
    let memory = format!("{}={}{}", pick(u, &["mem", "memory"]), up_to(u, 1 << 20) + 1, pick(u, &["k", "m", "g"]));
    let cpu = format!("cpu={cpu}");
    let mut parts = if chance(u) { vec![cpu, memory] } else { vec![memory, cpu] };
    if chance(u) {
        parts.push(format!("gpu={}", up_to(u, i32::MAX.unsigned_abs())));
    }
    parts.join(pick(u, &[",", ", "]))
}

fn session_storage(u: &mut Unstructured<'_>) -> String {
    match up_to(u, 4) {
        0 => String::new(),
        1 => pick(u, &["none", "fs:///data", "file:///data/x", "filesystem:///d"]).to_owned(),
        2 => format!("sqlite://{}.db", word(u, LETTERS, LABEL, LETTERS, 40)),
        _ => {
            let directory = directory(u).replace(['#', '?'], "");
            format!("sqlite://{directory}/flame.db{}", pick(u, &["", "?mode=rwc", "?cache=shared&mode=rw"]))
        }
    }
}

/// Returns a directory outside of what the image, the kubelet and the kernel have.
fn directory(u: &mut Unstructured<'_>) -> String {
    let mut path = pick(u, &["/data", "/var/lib/flame", "/etc/flamethrower", "/srv//x/./y"]).to_owned();
    for _ in 0..up_to(u, 3) {
        let length = length(u, 60);
        path += "/d";
        path += &text(u, PATH, length);
        path += "d";
    }
    path
}

/// Returns requests and limits of which no request is more than its limit.
fn resources(u: &mut Unstructured<'_>) -> Resources {
    let mut resources = Resources::default();
    for _ in 0..up_to(u, 3) {
        let (name, amount, is_exclusive) = amount(u);
        let (requested, limited) =
            if is_exclusive { (true, true) } else { pick(u, &[(true, false), (false, true), (true, true)]) };
        for (of, is_given) in [(&mut resources.requests, requested), (&mut resources.limits, limited)] {
            of.remove(&name);
            of.extend(is_given.then(|| (name.clone(), amount.clone())));
        }
    }
    // Huge pages are only given beside one of the two.
    resources.requests.entry("cpu".to_owned()).or_insert_with(|| "0".to_owned());
    resources
}

/// Returns a resource, an amount of it, and whether request and limit have to be the same.
fn amount(u: &mut Unstructured<'_>) -> (String, String, bool) {
    let number = up_to(u, 999) + 1;
    match up_to(u, 4) {
        0 => {
            let unit = pick(u, &["", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "e3", "E2", ".5", ".001"]);
            ("cpu".to_owned(), format!("{}{number}{unit}", pick(u, &["", "+"])), false)
        }
        1 | 2 => {
            let unit =
                pick(u, &["M", "G", "T", "P", "Mi", "Gi", "Ti", "Pi", "e6", "E7", "00000000", "m", "u", "n", ".5Gi"]);
            let name = pick(u, &["memory", "ephemeral-storage"]);
            (name.to_owned(), format!("{number}{unit}"), false)
        }
        3 => {
            let (page, bytes) = pick(u, &[("2Mi", 2 << 20), ("1Gi", 1 << 30), ("64Ki", 64 << 10), ("2M", 2_000_000)]);
            (format!("hugepages-{page}"), (u64::from(number) * bytes).to_string(), true)
        }
        _ => {
            let device = format!("{}/{}", subdomain(u, 244), word(u, LETTERS, LABEL, LETTERS, 63));
            let amount = pick(u, &["0", "1", "1k", "3Ki", "2.0", "1e3", "9223372036854775"]);
            (format!("x{}", &device[1..]), amount.to_owned(), true)
        }
    }
}
