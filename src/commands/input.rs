//! A FlameCluster from a file, standard input or the record, with its namespace settled.

use std::fs::{self, File};
use std::io::{self, ErrorKind as IoErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};

use super::Context;
use crate::apiserver::objects::FlameObject;
use crate::apiserver::{self, ApiServer, Observer};
use crate::cli::{CheckArgs, Source};
use crate::error::{Content, Error, Problem, Result, Severity};
use crate::flame::FlameCluster;
use crate::flame::names::{self, FlameKey, Kind, ObjectRef};
use crate::flame::observed::{ObservedConfigMap, Snapshot};
use crate::flame::owner::Owner;
use crate::flame::parse::{MAX_FILE_BYTES, Parsed, parse_as};

/// The files of a directory that are taken for FlameClusters (kubectl: `-f`).
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

impl Context<'_> {
    /// Reads and checks a file; warnings are printed.
    ///
    /// # Errors
    /// Every problem in the file at once.
    pub fn flame(&self, source: &Source, check: CheckArgs) -> Result<FlameCluster> {
        let content = self.content(source)?;
        let (flame, warnings) = checked(&source.to_string(), &content, check)?;
        self.printer.problems(&warnings, &content);
        Ok(flame)
    }

    /// Reads a file, but no more of it than a FlameCluster may have.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn content(&self, source: &Source) -> Result<Content> {
        match source {
            Source::Stdin => {
                if io::stdin().is_terminal() {
                    self.printer.line("reading a FlameCluster from standard input; end it with Ctrl-D");
                }
                limited(&mut io::stdin().lock(), "-")
            }
            Source::File(path) => {
                let name = path.display().to_string();
                let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
                let metadata = file.metadata().map_err(|error| unreadable(&name, &error))?;
                if metadata.is_dir() {
                    return Err(Error::input(format!("{name} is a directory")).hint("name one file"));
                }
                if metadata.len() > MAX_FILE_BYTES as u64 {
                    let size = metadata.len();
                    return Err(Error::input(format!(
                        "{name} has {size} bytes, a FlameCluster at most {MAX_FILE_BYTES}"
                    ))
                    .hint("name a file that holds one FlameCluster"));
                }
                limited(&mut &file, &name)
            }
        }
    }

    /// Settles the namespace: flag, then file, then the kubeconfig's context, then `default`. A flag that says otherwise
    /// than the file is refused, because one of them is a mistake.
    ///
    /// # Errors
    /// Where flag and file differ.
    pub fn settle_namespace(&self, flame: &mut FlameCluster, of_context: Option<&str>) -> Result<()> {
        let in_file = flame.metadata.namespace.clone();
        if let (Some(file), Some(flag)) = (&in_file, &self.global.namespace)
            && file != flag
        {
            let what = format!("the file says namespace {file}, -n says {flag}: nothing was sent");
            return Err(Error::input(what).hint("drop -n, or the file's metadata.namespace"));
        }
        let namespace = self.global.namespace.clone().or(in_file).or(of_context.map(str::to_owned));
        flame.metadata.namespace = Some(namespace.unwrap_or_else(|| "default".to_owned()));
        Ok(())
    }
}

impl Context<'_> {
    /// Settles the namespace as [`Context::settle_namespace`] does, for commands that ask no server: the kubeconfig is read
    /// only where neither flag nor file names one.
    ///
    /// # Errors
    /// Where flag and file differ.
    pub fn settle_namespace_offline(&self, flame: &mut FlameCluster) -> Result<()> {
        let of_context = match (&flame.metadata.namespace, &self.global.namespace) {
            (None, None) => context_namespace(self),
            _ => None,
        };
        self.settle_namespace(flame, of_context.as_deref())
    }
}

fn limited(from: &mut dyn Read, name: &str) -> Result<Content> {
    let mut bytes = Vec::new();
    let limit = MAX_FILE_BYTES as u64 + 1;
    from.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    Ok(bytes.into())
}

fn unreadable(name: &str, error: &io::Error) -> Error {
    Error::input(match error.kind() {
        IoErrorKind::NotFound => format!("no such file: {name}"),
        IoErrorKind::IsADirectory => format!("{name} is a directory"),
        IoErrorKind::PermissionDenied => format!("{name} may not be read: permission denied"),
        _ => format!("{name} cannot be read: {error}"),
    })
}

/// Returns what to read for `source`: itself, or the files of a directory, sorted; not those in directories below.
///
/// # Errors
/// The directory cannot be read, or holds nothing to read.
pub fn files(source: &Source) -> Result<Vec<Source>> {
    match source {
        Source::File(path) if path.is_dir() => in_directory(path),
        _ => Ok(vec![source.clone()]),
    }
}

fn in_directory(directory: &Path) -> Result<Vec<Source>> {
    let name = directory.display().to_string();
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| unreadable(&name, &error))?;
    let is_meant = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default();
        // A link that leads nowhere is one to tell about; pipes and sockets are not files.
        EXTENSIONS.iter().any(|known| extension == *known) && (path.is_file() || !path.exists())
    };
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(is_meant).collect();
    if paths.is_empty() {
        let what = format!("directory {name} has no *.yaml, *.yml or *.json file");
        return Err(Error::input(what).hint("files in directories below are not looked at: name them too"));
    }
    paths.sort();
    Ok(paths.into_iter().map(Source::File).collect())
}

/// Reads a FlameCluster; with `--strict` its warnings are errors.
pub fn read(name: &str, content: &Content, check: CheckArgs) -> Parsed {
    let mut parsed = parse_as(name, content.bytes(), check.told());
    if check.strict {
        parsed.problems.iter_mut().for_each(|problem| problem.severity = Severity::Error);
        parsed.flame = parsed.flame.filter(|_| parsed.problems.is_empty());
    }
    parsed
}

/// Returns the flame and the warnings about it.
///
/// # Errors
/// Every problem at once.
pub fn checked(name: &str, content: &Content, check: CheckArgs) -> Result<(FlameCluster, Vec<Problem>)> {
    let parsed = read(name, content, check);
    match parsed.flame {
        Some(flame) => Ok((flame, parsed.problems)),
        None => {
            let errors = parsed.problems.iter().filter(|problem| problem.severity == Severity::Error);
            let what = match errors.map(|problem| problem.count).sum::<usize>() {
                1 => format!("1 problem in {name}; nothing was sent"),
                many => format!("{many} problems in {name}; nothing was sent"),
            };
            Err(Error::input(what).problems(parsed.problems, content.clone()))
        }
    }
}

/// Returns the flame that the record remembers.
///
/// # Errors
/// Where there is no record of that name, or it remembers none.
pub fn recorded(namespace: &str, name: &str, snapshot: &Snapshot) -> Result<FlameCluster> {
    let record = snapshot.record(name).ok_or_else(|| no_flame(namespace, name))?;
    from_record(namespace, record)
}

/// Returns the FlameCluster object that owns what is there of a flame.
pub fn lives_as_object(snapshot: &Snapshot, name: &str) -> Option<Owner> {
    let mut controllers = snapshot.objects().filter_map(|(_, meta)| meta.controller.as_deref());
    let controller = controllers.find(|controller| controller.is_flame(name))?;
    Some(Owner { name: name.to_owned(), uid: controller.uid.clone(), generation: 0 })
}

/// Reads the object that a flame lives as: where something of it says so, or nothing remembers another flame of the name.
///
/// # Errors
/// What the server said.
pub async fn flame_object(
    api: &ApiServer,
    key: &FlameKey,
    snapshot: &Snapshot,
    observer: &dyn Observer,
) -> Result<Option<FlameObject>> {
    let is_owned = lives_as_object(snapshot, &key.name).is_some();
    if !is_owned && recorded(&key.namespace, &key.name, snapshot).is_ok() {
        return Ok(None);
    }
    match api.get_object(key, observer).await {
        // Who may not look at objects has none, unless something says that there is one.
        Err(_) if !is_owned => Ok(None),
        read => read,
    }
}

/// Returns an error where there is no record of a flame.
///
/// # Errors
/// That there is none, or what the server said.
pub async fn exists(api: &ApiServer, namespace: &str, name: &str, observer: &dyn Observer) -> Result<()> {
    let record = ObjectRef::new(Kind::ConfigMap, names::config_map(name));
    let found = api.get(namespace, &record, observer).await?;
    found.map(drop).ok_or_else(|| no_flame(namespace, name))
}

fn no_flame(namespace: &str, name: &str) -> Error {
    Error::server(format!("there is no flame {name} in namespace {namespace}"))
        .hint("flamectl status -A lists all flames")
}

/// Returns the flame that a record remembers.
///
/// # Errors
/// Where it remembers none, as the Go operator's does not.
pub fn from_record(namespace: &str, record: &ObservedConfigMap) -> Result<FlameCluster> {
    let text = record.meta.annotations.get(names::ANNOTATION_SPEC);
    text.and_then(|text| serde_json::from_str(text).ok()).ok_or_else(|| {
        let name = &record.meta.name;
        Error::server(format!(
            "ConfigMap {name} in namespace {namespace} does not say which FlameCluster it was made from"
        ))
        .hint("run `flamectl up -f FILE` with the flame's file")
    })
}

/// Returns the namespace of the kubeconfig's context; none without a kubeconfig that can be read.
pub fn context_namespace(context: &Context<'_>) -> Option<String> {
    apiserver::context_namespace(&context.connect_options()).unwrap_or_else(|error| {
        context.printer.detail(&format!("the context's namespace is not known: {}", error.what));
        None
    })
}
