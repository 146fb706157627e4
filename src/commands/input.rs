//! A FlameCluster from a file, standard input or the record, with its namespace settled.

use std::fs::File;
use std::io::{ErrorKind as IoErrorKind, IsTerminal, Read};

use super::Context;
use crate::apiserver::{ApiServer, Observer};
use crate::cli::Source;
use crate::error::{Error, Problem, Result, Severity};
use crate::flame::FlameCluster;
use crate::flame::names::{self, Kind, ObjectRef};
use crate::flame::observed::{ObservedConfigMap, Snapshot};
use crate::flame::parse::{MAX_FILE_BYTES, parse};

impl Context<'_> {
    /// Reads and checks a file; warnings are printed.
    ///
    /// # Errors
    /// Every problem in the file at once.
    pub fn flame(&self, source: &Source) -> Result<FlameCluster> {
        let (flame, warnings) = checked(&source.to_string(), &self.bytes(source)?)?;
        self.printer.problems(&warnings);
        Ok(flame)
    }

    /// Reads a file, but no more of it than a FlameCluster may have.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn bytes(&self, source: &Source) -> Result<Vec<u8>> {
        match source {
            Source::Stdin => {
                if std::io::stdin().is_terminal() {
                    self.printer.line("reading a FlameCluster from standard input; end it with Ctrl-D");
                }
                limited(&mut std::io::stdin().lock(), "-")
            }
            Source::File(path) => {
                let name = path.display().to_string();
                let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
                if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
                    return Err(Error::input(format!("{name} is a directory")).hint("name one file"));
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

fn limited(from: &mut dyn Read, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = MAX_FILE_BYTES as u64 + 1;
    from.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    Ok(bytes)
}

fn unreadable(name: &str, error: &std::io::Error) -> Error {
    Error::input(match error.kind() {
        IoErrorKind::NotFound => format!("no such file: {name}"),
        IoErrorKind::IsADirectory => format!("{name} is a directory"),
        IoErrorKind::PermissionDenied => format!("{name} may not be read: permission denied"),
        _ => format!("{name} cannot be read: {error}"),
    })
}

/// Returns the flame and the warnings about it.
///
/// # Errors
/// Every problem at once.
pub fn checked(name: &str, bytes: &[u8]) -> Result<(FlameCluster, Vec<Problem>)> {
    let parsed = parse(name, bytes);
    match parsed.flame {
        Some(flame) => Ok((flame, parsed.problems)),
        None => {
            let errors = parsed.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
            let what = match errors {
                1 => format!("1 problem in {name}; nothing was sent"),
                many => format!("{many} problems in {name}; nothing was sent"),
            };
            Err(Error::input(what).problems(parsed.problems))
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

/// Returns the namespace of the kubeconfig's context, where there is a kubeconfig.
pub async fn context_namespace(context: &Context<'_>) -> Option<String> {
    let api = ApiServer::connect(&context.connect_options()).await.ok()?;
    Some(api.default_namespace().to_owned())
}
