//! Where Flame keeps its data: storage URIs, directories in the container and the cache's network interface.

use super::super::names;
use super::grammar::Fault;
use super::report::shown;

/// Storage backends that only Flame 0.6 and later have (flame-facts 2).
const NEW_BACKENDS: [&str; 3] = ["fs", "file", "filesystem"];
/// The kernel's own directories: nothing can be mounted or kept there.
const KERNEL_DIRECTORIES: [&str; 3] = ["/dev", "/proc", "/sys"];
/// What images keep their programs in; a volume there hides them (flame-facts 3: FLAME_HOME is /usr/local/flame).
const PROGRAM_DIRECTORIES: [&str; 11] = [
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
];

/// Returns what is wrong with `spec.sessionManager.storage`: a URI such as `sqlite://flame.db` (flame-facts 2).
pub fn session_storage(uri: &str) -> Vec<Fault> {
    if uri == "none" {
        return vec![new_backend("none")];
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
    let file = rest.split('?').next().unwrap_or_default();
    if file.is_empty() || file.ends_with('/') {
        return vec![Fault::new("sqlite:// names no file").write(format!("sqlite://{}flame.db", shown(file)))];
    }
    match file.rsplit_once('/') {
        // Relative to the image's working directory: nothing to mount, so nothing to check.
        Some((directory, name)) if file.starts_with('/') => {
            let directory = if directory.is_empty() { "/" } else { directory };
            let better = format!("sqlite:///var/lib/flame/{}", shown(name));
            let located =
                |fault: Fault| Fault { message: format!("the database's directory: {}", fault.message), ..fault };
            mounted_directory(directory).into_iter().map(|fault| located(fault).write(better.clone())).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns what is wrong with `spec.objectCache.storage`: an absolute directory that a volume can be mounted at.
pub fn cache_storage(path: &str) -> Vec<Fault> {
    const EXAMPLE: &str = "/var/lib/flame/cache";
    if !path.starts_with('/') {
        let absolute = path.split_once("://").map_or(path, |(_, rest)| rest);
        let better = if absolute.starts_with('/') { absolute } else { EXAMPLE };
        return vec![Fault::new(format!("want an absolute path, got {}", shown(path))).write(shown(better))];
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

/// Returns what is wrong with `spec.objectCache.networkInterface`: a regular expression, and Flame exits on a bad one.
///
/// Only what no regular expression can have is found: brackets that do not close, a repetition of nothing.
pub fn network_interface(pattern: &str) -> Vec<Fault> {
    let mut open = Vec::new();
    // Where the class began, and where a `]` would still be a letter of it.
    let mut class: Option<(usize, usize)> = None;
    let mut repeatable = false;
    let mut characters = pattern.chars().enumerate().peekable();
    while let Some((at, c)) = characters.next() {
        let before = std::mem::replace(&mut repeatable, true);
        match c {
            '\\' if characters.next().is_none() => return bad_pattern("\"\\\" at the end escapes nothing", at),
            ']' => class = class.filter(|(_, letter)| at == *letter),
            '\\' => {}
            _ if class.is_some() => {}
            '[' => {
                let negated = characters.next_if(|(_, next)| *next == '^').is_some();
                class = Some((at, at + 1 + usize::from(negated)));
            }
            '(' => {
                open.push(at);
                repeatable = false;
                // `(?:`, `(?i)`, `(?P<name>`: the question mark repeats nothing there.
                characters.next_if(|(_, next)| *next == '?');
            }
            ')' if open.pop().is_none() => return bad_pattern("\")\" closes nothing", at),
            '|' | '^' => repeatable = false,
            '*' | '+' | '?' if !before => return bad_pattern(&format!("\"{c}\" repeats nothing"), at),
            _ => {}
        }
    }
    match class.map(|(start, _)| start).or(open.pop()) {
        Some(at) => bad_pattern("a bracket is not closed", at),
        None => Vec::new(),
    }
}

fn bad_pattern(what: &str, at: usize) -> Vec<Fault> {
    let fault = Fault::new(format!("{what}: Flame reads a regular expression and exits on a bad one"));
    vec![fault.at(at..at + 1).say("networkInterface: eth0")]
}
