//! `init`: a commented FlameCluster file to start from; asks on a terminal for what the flags leave open.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, ErrorKind as IoErrorKind, Write};
use std::path::Path;

use super::Context;
use super::input::{checked, context_namespace};
use crate::cli::{CheckArgs, Destination, InitArgs};
use crate::error::{Error, ErrorKind, Result};
use crate::flame::Resources;
use crate::flame::answers::{self, Amounts, Answers, Checked, Usual};
use crate::flame::template::template;
use crate::output::ask::Interview;
use crate::output::shell_word;

pub async fn run(context: &Context<'_>, args: &InitArgs) -> Result<u8> {
    if let Destination::File(path) = &args.file {
        refuse_taken(path)?;
    }
    let answers = match context.printer.can_ask() && !args.yes {
        true => interview(context, args).await?,
        false => {
            Form::<&[u8]> { given: args, namespace: context.global.namespace.clone(), interview: None }.fill(None)?
        }
    };
    let text = template(&answers);
    match &args.file {
        Destination::Stdout => {
            tell_warnings(context, "-", &text)?;
            context.printer.data(&text)?;
        }
        Destination::File(path) => {
            let name = path.display().to_string();
            tell_warnings(context, &name, &text)?;
            create(path, &text)?;
            context.printer.line(&format!("{name} was written"));
            context.printer.hint(&format!("flamectl up -f {} creates the flame", shell_word(&name)));
        }
    }
    Ok(0)
}

/// Reads the new file as every other command will.
fn tell_warnings(context: &Context<'_>, name: &str, text: &str) -> Result<()> {
    let content = text.as_bytes().to_vec().into();
    let (_, warnings) = checked(name, &content, CheckArgs::default())?;
    context.printer.problems(&warnings, &content);
    Ok(())
}

/// Asks in a thread of its own, so that Ctrl-C is heard while a line is awaited.
async fn interview(context: &Context<'_>, args: &InitArgs) -> Result<Answers> {
    let namespace = context.global.namespace.clone();
    let usual_namespace = if namespace.is_none() { context_namespace(context) } else { None };
    let usual_namespace = usual_namespace.filter(|namespace| answers::namespace(namespace).is_ok());
    let (args, printer) = (args.clone(), context.printer.clone());
    let asking = move || {
        let interview = Some(Interview::new(&printer, io::stdin().lock()));
        Form { given: &args, namespace, interview }.fill(usual_namespace)
    };
    tokio::select! {
        // In this order the signal is listened for before the first question is on the screen.
        biased;
        Ok(()) = tokio::signal::ctrl_c() => Err(context.printer.unanswered()),
        answers = async { tokio::task::spawn_blocking(asking).await } => {
            answers.unwrap_or_else(|error| Err(Error::server(format!("the questions ended: {error}"))))
        }
    }
}

/// What is given, and who fills in the rest: somebody who is asked, or the defaults.
struct Form<'a, R> {
    given: &'a InitArgs,
    namespace: Option<String>,
    interview: Option<Interview<R>>,
}

/// A component's resources: what is given of them, and what is usual.
struct Part<'a> {
    name: &'static str,
    flag: &'static str,
    requests: &'a Option<Amounts>,
    limits: &'a Option<Amounts>,
    usual: Usual,
}

impl<R: BufRead> Form<'_, R> {
    fn fill(mut self, usual_namespace: Option<String>) -> Result<Answers> {
        let given = self.given;
        let name = answers::default_name(&directory());
        let name = self.take(given.name.clone(), "Name", Some(&name), answers::name)?;
        let namespace = usual_namespace.as_deref().unwrap_or(answers::NONE);
        let flag = self.namespace.take().map(Some);
        let namespace = self.take(flag, "Namespace, or none", Some(namespace), answers::namespace)?;
        let image = Some(answers::SESSION_MANAGER_IMAGE);
        let session_manager_image =
            self.take(given.session_manager_image.clone(), "Session manager image", image, answers::image)?;
        let session_manager_resources = self.resources(&Part {
            name: "Session manager",
            flag: "session-manager",
            requests: &given.session_manager_requests,
            limits: &given.session_manager_limits,
            usual: answers::SESSION_MANAGER,
        })?;
        let slot = self.take(given.slot.clone(), "Slot, or none", Some(answers::SLOT), answers::slot)?;
        let image = answers::default_executor_manager_image(&session_manager_image);
        let executor_manager_image = self.take(
            given.executor_manager_image.clone(),
            "Executor manager image",
            image.as_deref(),
            answers::image,
        )?;
        let replicas =
            self.take(given.replicas, "Number of executor managers", Some(answers::REPLICAS), answers::replicas)?;
        let executor_manager_resources = self.resources(&Part {
            name: "Executor manager",
            flag: "executor-manager",
            requests: &given.executor_manager_requests,
            limits: &given.executor_manager_limits,
            usual: answers::EXECUTOR_MANAGER,
        })?;
        Ok(Answers {
            name,
            namespace,
            session_manager_image,
            session_manager_resources,
            slot,
            executor_manager_image,
            replicas,
            executor_manager_resources,
        })
    }

    /// Returns what is given, else what is answered, else the default.
    fn take<T>(
        &mut self,
        given: Option<T>,
        question: &str,
        default: Option<&str>,
        rule: impl Fn(&str) -> Checked<T>,
    ) -> Result<T> {
        match (given, &mut self.interview) {
            (Some(given), _) => Ok(given),
            (None, Some(interview)) => interview.ask(question, default, rule),
            (None, None) => {
                // Only one default is ever missing.
                let default = default.ok_or_else(|| {
                    Error::input("no executor manager image follows from a digest; nothing was written")
                        .hint("add --executor-manager-image")
                })?;
                rule(default).map_err(|faults| refused(question, faults))
            }
        }
    }

    /// Returns a component's resources; requests and limits have to fit each other, wherever they are from.
    fn resources(&mut self, part: &Part<'_>) -> Result<Resources> {
        let Part { name, flag, usual, .. } = part;
        let limits = part.limits.clone().unwrap_or_default();
        let default = answers::written(&usual.requests(&limits));
        let requests =
            self.take(part.requests.clone(), &format!("{name} requests, or none"), Some(&default), |text| {
                let requests = answers::amounts(text)?;
                match part.limits {
                    Some(limits) => answers::resources(requests, limits.clone()).map(|resources| resources.requests),
                    None => Ok(requests),
                }
            })?;
        let default = answers::written(&usual.limits(&requests));
        let limits = self.take(part.limits.clone(), &format!("{name} limits, or none"), Some(&default), |text| {
            answers::resources(requests.clone(), answers::amounts(text)?).map(|resources| resources.limits)
        })?;
        answers::resources(requests, limits)
            .map_err(|faults| refused(&format!("--{flag}-requests and --{flag}-limits"), faults))
    }
}

fn refused(what: &str, faults: Vec<answers::Fault>) -> Error {
    Error::input(format!("{what}: {}; nothing was written", answers::in_one_line(faults)))
}

/// Returns the name of the current directory; empty where it has none.
fn directory() -> String {
    let directory = std::env::current_dir().unwrap_or_default();
    directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Looks whether a new file may be there at all, before anybody is asked anything.
fn refuse_taken(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(unwritable(path, IoErrorKind::IsADirectory.into())),
        Ok(_) => Err(unwritable(path, IoErrorKind::AlreadyExists.into())),
        Err(error) if error.kind() == IoErrorKind::NotFound && folder(path).is_dir() => Ok(()),
        Err(error) => Err(unwritable(path, error)),
    }
}

/// Makes the file, and never writes into one that is there.
fn create(path: &Path, text: &str) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| unwritable(path, error))?;
    file.write_all(text.as_bytes()).map_err(|error| {
        let error = unwritable(path, error);
        match fs::remove_file(path) {
            Ok(()) => error,
            Err(_) => error.hint("what is there is only the beginning of it: remove it"),
        }
    })
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    let name = path.display();
    match error.kind() {
        IoErrorKind::AlreadyExists => Error::refused(format!("{name} is there already, and is left as it is"))
            .hint("name another file, or remove it"),
        IoErrorKind::NotFound => {
            let folder = folder(path).display().to_string();
            Error::input(format!("there is no directory {folder}; nothing was written"))
                .hint(format!("mkdir -p {}", shell_word(&folder)))
        }
        IoErrorKind::NotADirectory => {
            Error::input(format!("{} is not a directory; nothing was written", folder(path).display()))
        }
        IoErrorKind::IsADirectory => Error::input(format!("{name} is a directory")).hint("name a file"),
        IoErrorKind::PermissionDenied => Error::input(format!("{name} may not be written: permission denied")),
        _ => Error::new(ErrorKind::Server, format!("{name} cannot be written: {error}")),
    }
}
