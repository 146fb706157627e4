//! Where Flame keeps its data: storage URIs, directories in the container and the cache's network interface.

use core::net::IpAddr;

use regex_syntax::ast::{self, ErrorKind};

use super::super::names;
use super::grammar::Fault;
use super::report::shown;

/// Storage backends that only Flame 0.6 and later have (flame-facts 2).
const NEW_BACKENDS: [&str; 3] = ["fs", "file", "filesystem"];
/// The kernel's own directories: nothing can be mounted or kept there.
pub const KERNEL_DIRECTORIES: [&str; 3] = ["/dev", "/proc", "/sys"];
/// What images keep their programs in; a volume there hides them (flame-facts 3: FLAME_HOME is /usr/local/flame).
const PROGRAM_DIRECTORIES: [&str; 12] = [
    "/bin",
    "/lib",
    "/lib64",
    "/sbin",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/flame",
    "/usr/local/flame/bin",
    "/usr/local/flame/migrations",
];
/// The files that the kubelet mounts into every container.
pub const KUBELET_FILES: [&str; 3] = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
/// Longest name of a file or directory (Linux: `NAME_MAX`).
pub const MAX_FILE_NAME_LENGTH: usize = 255;
/// Longest name of a network interface (Linux: `IFNAMSIZ` with its terminator is 16).
const MAX_INTERFACE_LENGTH: usize = 15;
/// Longer than any pattern for a name of 15 characters.
pub const MAX_PATTERN_LENGTH: usize = 256;
/// The parameters of a SQLite URI that Flame's library knows; it refuses others.
pub const SQLITE_PARAMETERS: [&str; 4] = ["mode", "cache", "immutable", "vfs"];

/// Returns what is wrong with `spec.sessionManager.storage`: a URI such as `sqlite://flame.db` (flame-facts 2).
pub fn session_storage(uri: &str) -> Vec<Fault> {
    if uri == "none" {
        return vec![new_backend("none")];
    }
    if let Some(fault) = not_of_linux(uri.strip_prefix("sqlite://").unwrap_or(uri)) {
        return vec![fault.write("sqlite:///var/lib/flame/flame.db")];
    }
    let Some((scheme, rest)) = uri.split_once("://") else {
        let file = uri.strip_prefix("sqlite:").unwrap_or(uri);
        let fault = Fault::new(format!("want a URI, sqlite://FILE, got {}", shown(uri)));
        return vec![fault.write(format!("sqlite://{}", shown(file)))];
    };
    match scheme {
        "sqlite" => sqlite(rest),
        _ if scheme.eq_ignore_ascii_case("sqlite") => {
            vec![
                Fault::new(format!("the scheme is lower-case, got {scheme}"))
                    .write(format!("sqlite://{}", shown(rest))),
            ]
        }
        _ if NEW_BACKENDS.contains(&scheme) => vec![new_backend(&format!("{scheme}://"))],
        _ => {
            let fault = Fault::new(format!("Flame has no backend {}:// and exits at start", shown(scheme)));
            vec![fault.write("sqlite://flame.db")]
        }
    }
}

fn new_backend(name: &str) -> Fault {
    Fault::new(format!("only Flame 0.6 and later knows {name}"))
        .say("with an older Flame, write storage: sqlite://flame.db")
        .warning()
}

fn sqlite(rest: &str) -> Vec<Fault> {
    let (file, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if file.is_empty() || file.ends_with('/') {
        return vec![Fault::new("sqlite:// names no file").write(format!("sqlite://{}flame.db", shown(file)))];
    }
    if let Some(c) = file.chars().find(|c| matches!(c, '%' | '#')) {
        let better: String = file.chars().filter(|c| !matches!(c, '%' | '#')).collect();
        let fault = Fault::new(format!("\"{c}\" means something else in a URI: Flame would open another file"));
        return vec![fault.write(format!("sqlite://{}", shown(&better)))];
    }
    let mut faults = sqlite_file(file);
    faults.extend(sqlite_parameters(parameters).map(|fault| fault.write(format!("sqlite://{}", shown(file)))));
    faults
}

/// Checks what stands behind the `?`.
fn sqlite_parameters(parameters: &str) -> Option<Fault> {
    let pairs = parameters.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).find_map(|(name, value)| match (name, value) {
        ("mode", "ro") => Some(Fault::new("mode=ro: Flame has to write into its database")),
        _ if SQLITE_PARAMETERS.contains(&name) => None,
        _ => {
            let known = SQLITE_PARAMETERS.join(", ");
            Some(Fault::new(format!("Flame knows no parameter {} and exits at start: {known}", shown(name))))
        }
    })
}

fn sqlite_file(file: &str) -> Vec<Fault> {
    match file.rsplit_once('/') {
        Some((directory, name)) if file.starts_with('/') => {
            let directory = if directory.is_empty() { "/" } else { directory };
            let better = format!("sqlite:///var/lib/flame/{}", shown(name));
            let located =
                |fault: Fault| Fault { message: format!("the database's directory: {}", fault.message), ..fault };
            mounted_directory(directory).into_iter().map(|fault| located(fault).write(better.clone())).collect()
        }
        Some((".", name)) => vec![in_container(name)],
        Some((directory, name)) => {
            let directory = shown(directory);
            let fault = Fault::new(format!("{directory}/ has to be in the image: no volume is made for it, {LOST}"));
            vec![fault.write(format!("sqlite:///var/lib/flame/{}", shown(name))).warning()]
        }
        None => vec![in_container(file)],
    }
}

/// What happens to a database without a volume, which would outlive the container.
const LOST: &str = "and all sessions are lost whenever the session manager's container restarts";

/// Returns the fault of a database in the image's working directory: nothing can be mounted there.
fn in_container(name: &str) -> Fault {
    // SQLite's word for none.
    let (what, name) = match name {
        ":memory:" => ("in memory", "flame.db"),
        name => ("relative, so in the container", name),
    };
    Fault::new(format!("{what}, {LOST}")).write(format!("sqlite:///var/lib/flame/{}", shown(name))).warning()
}

/// Returns the fault of a path as Windows or a shell writes it.
fn not_of_linux(path: &str) -> Option<Fault> {
    let mut start = path.chars();
    let drive = start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':');
    if path.contains('\\') || (drive && matches!(start.next(), None | Some('/'))) {
        return Some(Fault::new(format!("{} is a path of Windows, containers run Linux", shown(path))));
    }
    path.starts_with('~').then(|| Fault::new("\"~\" is a home directory only to a shell"))
}

/// Returns what is wrong with `spec.objectCache.storage`: an absolute directory that a volume can be mounted at.
pub fn cache_storage(path: &str) -> Vec<Fault> {
    const EXAMPLE: &str = "/var/lib/flame/cache";
    if let Some(fault) = not_of_linux(path) {
        return vec![fault.write(EXAMPLE)];
    }
    if !path.starts_with('/') {
        let absolute = path.split_once("://").map_or(path, |(_, rest)| rest);
        let better = if absolute.trim().starts_with('/') { absolute.trim() } else { EXAMPLE };
        return vec![Fault::new(format!("want an absolute path, got \"{}\"", shown(path))).write(shown(better))];
    }
    mounted_directory(path).into_iter().map(|fault| fault.write(EXAMPLE)).collect()
}

/// Returns what keeps a volume from being mounted at `path`, which is absolute.
fn mounted_directory(path: &str) -> Vec<Fault> {
    if path.split('/').any(|part| part == "..") {
        return vec![Fault::new(format!("{} has a \"..\"", shown(path)))];
    }
    if path.contains(':') {
        return vec![Fault::new(format!("{} has a \":\", which Kubernetes does not mount", shown(path)))];
    }
    if let Some(part) = path.split('/').find(|part| part.len() > MAX_FILE_NAME_LENGTH) {
        let length = part.len();
        return vec![Fault::new(format!("a directory's name has {length} bytes, at most {MAX_FILE_NAME_LENGTH}"))];
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let path = format!("/{}", parts.join("/"));
    let config = names::CONFIG_MOUNT;
    let fault = if path == "/" {
        Fault::new("/ is the whole container: want a directory of its own")
    } else if is_below(&path, config) {
        Fault::new(format!("{} is where the config is mounted, read-only", shown(&path)))
    } else if is_below(config, &path) {
        Fault::new(format!("a volume at {} would hide the config at {config}", shown(&path)))
    } else if let Some(kernel) = KERNEL_DIRECTORIES.iter().find(|kernel| is_below(&path, kernel)) {
        Fault::new(format!("{kernel} belongs to the kernel"))
    } else if KUBELET_FILES.iter().any(|file| is_below(&path, file)) {
        Fault::new(format!("{} is a file that Kubernetes makes in every container", shown(&path)))
    } else if PROGRAM_DIRECTORIES.contains(&path.as_str()) {
        Fault::new(format!("a volume at {path} may hide programs of the image")).warning()
    } else {
        return Vec::new();
    };
    vec![fault]
}

/// Returns whether `path` is `directory` or in it.
fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns what is wrong with `spec.objectCache.networkInterface`: a regular expression that has to match the name of an
/// interface; Flame exits on a bad one, and where nothing matches (flame-facts 2).
pub fn network_interface(pattern: &str) -> Vec<Fault> {
    const EXAMPLE: &str = "eth0";
    let length = pattern.chars().count();
    if length > MAX_PATTERN_LENGTH {
        let fault = Fault::new(format!("{length} characters, at most {MAX_PATTERN_LENGTH}"));
        return vec![fault.write(EXAMPLE)];
    }
    if let Err(error) = ast::parse::Parser::new().parse(pattern) {
        return bad_pattern(&error);
    }
    let is_literal = pattern.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    let fault = if pattern.parse::<IpAddr>().is_ok() {
        Fault::new("want the name of an interface, got an address").write(EXAMPLE)
    } else if is_literal && length > MAX_INTERFACE_LENGTH {
        let message = format!("{length} characters, and no interface's name has more than {MAX_INTERFACE_LENGTH}");
        Fault::new(message).write(EXAMPLE)
    } else if pattern.contains([',', ' ']) && !pattern.contains(['{', '[']) {
        let names: Vec<&str> = pattern.split([',', ' ']).filter(|name| !name.is_empty()).collect();
        Fault::new("no interface has a \",\" or a blank in its name: \"|\" separates patterns").write(names.join("|"))
    } else if MATCH_LOOPBACK.contains(&pattern) {
        Fault::new(format!("{pattern} matches lo, on which no other Pod can reach the cache")).write(EXAMPLE).warning()
    } else {
        return Vec::new();
    };
    vec![fault]
}

/// Patterns for the loopback interface, and for any, of which it is the first.
const MATCH_LOOPBACK: [&str; 7] = ["lo", "^lo$", "^lo", ".", ".*", ".+", "^.*$"];

fn bad_pattern(error: &ast::Error) -> Vec<Fault> {
    let pattern: Vec<char> = error.pattern().chars().collect();
    let at = error.pattern()[..error.span().start.offset].chars().count();
    let character = pattern.get(at).copied().unwrap_or(' ');
    let what = match error.kind() {
        ErrorKind::ClassUnclosed | ErrorKind::GroupUnclosed | ErrorKind::RepetitionCountUnclosed => {
            "a bracket is not closed".to_owned()
        }
        ErrorKind::GroupUnopened => "\")\" closes nothing".to_owned(),
        ErrorKind::RepetitionMissing => format!("\"{character}\" repeats nothing"),
        ErrorKind::EscapeUnexpectedEof => "\"\\\" at the end escapes nothing".to_owned(),
        other => other.to_string(),
    };
    let fault = Fault::new(format!("{what}: Flame reads a regular expression and exits on a bad one"));
    vec![fault.at(at..at + 1).say("networkInterface: eth0")]
}
