//! `watch`: the loop of `up`, kept running: repairs what others delete or edit, re-reads the file when it changes.

use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::Context;
use super::input::checked;
use super::work::{self, View, Work, interrupts};
use crate::apiserver::{ApiServer, Observer};
use crate::cli::{CheckArgs, Source, WatchArgs};
use crate::error::{Content, Error, ErrorKind, Result};
use crate::flame::FlameCluster;
use crate::flame::manifests::manifests;
use crate::flame::names::Kind;
use crate::flame::plan::Desired;
use crate::flame::rollout::{Event, Options, Rollout};

/// How often the file is looked at. Reading it costs less than a notification library, and works on every file system,
/// ConfigMap mounts and editors that replace files included.
const LOOK: Duration = Duration::from_secs(1);
/// First pause after something that stopped the loop, and its ceiling.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

pub async fn run(context: &Context<'_>, args: &WatchArgs) -> Result<u8> {
    if args.filename == Source::Stdin {
        return Err(
            Error::input("watch reads its file again and again, which standard input cannot").hint("name a file")
        );
    }
    let mut flame = context.flame(&args.filename, CheckArgs::default())?;
    let api = context.connect().await?;
    context.settle_namespace(&mut flame, Some(api.default_namespace()))?;
    let interrupted = interrupts(context);
    let mut file = Follow { context, source: &args.filename, api: &api, last: context.content(&args.filename)? };
    let mut pause = BACKOFF.0;
    while !*interrupted.borrow() {
        let (sender, aims) = mpsc::channel(1);
        let round = tokio::select! {
            round = round(context, &api, &flame, interrupted.clone(), aims) => round,
            new = file.follow(&flame, sender) => new,
        };
        match round {
            Ok(Round::Other(new)) => flame = *new,
            Ok(Round::Ended) => {}
            Err(error) if error.kind == ErrorKind::Interrupted => break,
            Err(error) => {
                context.printer.error(&error);
                context.printer.line(&format!("trying again in {} s", pause.as_secs()));
                let mut waiting = interrupted.clone();
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = waiting.changed() => {}
                }
                pause = (pause * 2).min(BACKOFF.1);
            }
        }
    }
    context.printer.line(&format!("stopped watching {}; it is left as it is", flame.metadata.name));
    Ok(0)
}

/// How a round ended.
enum Round {
    /// By itself.
    Ended,
    /// The file names another flame now.
    Other(Box<FlameCluster>),
}

/// Drives one flame until something stops it.
async fn round(
    context: &Context<'_>,
    api: &ApiServer,
    flame: &FlameCluster,
    interrupted: watch::Receiver<bool>,
    aims: mpsc::Receiver<Desired>,
) -> Result<Round> {
    let (name, namespace) = (&flame.metadata.name, flame.namespace());
    let view = View::new(context);
    let desired = Desired::Up(Box::new(manifests(flame)?));
    let reading = work::read(api, namespace, name, Some(flame), &view).await?;
    let options = Options { timeout: None, persistent: true, started_at: work::moment(), ..Default::default() };
    let mut rollout = Rollout::new(desired, options, reading.snapshot);
    view.event(Event::Note(format!("watching {name} in namespace {namespace}")));
    let work = Work {
        api,
        namespace,
        resource_version: reading.resource_version,
        kinds: &[Kind::Pod, Kind::Service, Kind::ConfigMap],
        view: &view,
    };
    work.drive(&mut rollout, interrupted, Some(aims)).await?;
    Ok(Round::Ended)
}

/// Follows the file.
struct Follow<'a> {
    context: &'a Context<'a>,
    source: &'a Source,
    api: &'a ApiServer,
    last: Content,
}

impl Follow<'_> {
    /// Sends each new content on; ends when the file names another flame. A broken file keeps the last good one, loudly.
    async fn follow(&mut self, flame: &FlameCluster, aims: mpsc::Sender<Desired>) -> Result<Round> {
        loop {
            tokio::time::sleep(LOOK).await;
            match self.look() {
                Ok(None) => {}
                Ok(Some(new)) => {
                    let same = |a: &FlameCluster, b: &FlameCluster| {
                        (&a.metadata.name, a.namespace()) == (&b.metadata.name, b.namespace())
                    };
                    if !same(&new, flame) {
                        let left =
                            format!("{} is left as it is: the file names another flame now", flame.metadata.name);
                        self.context.printer.line(&left);
                        return Ok(Round::Other(Box::new(new)));
                    }
                    self.context.printer.line(&format!("{} changed", self.source));
                    let desired = Desired::Up(Box::new(manifests(&new)?));
                    if aims.send(desired).await.is_err() {
                        return Ok(Round::Ended);
                    }
                }
                Err(error) => {
                    self.context.printer.error(&error);
                    self.context.printer.line("the last good content stays in force");
                }
            }
        }
    }

    /// Returns the flame when the file changed.
    fn look(&mut self) -> Result<Option<FlameCluster>> {
        let Ok(content) = self.context.content(self.source) else {
            // While an editor or a volume update swaps the file, it is away for a moment.
            return Ok(None);
        };
        if content == self.last {
            return Ok(None);
        }
        self.last.clone_from(&content);
        let (mut flame, warnings) = checked(&self.source.to_string(), &content, CheckArgs::default())?;
        self.context.printer.problems(&warnings, &content);
        self.context.settle_namespace(&mut flame, Some(self.api.default_namespace()))?;
        Ok(Some(flame))
    }
}
