//! `watch`: the loop of `up`, kept running for many flames: repairs what others delete or edit, and follows what is desired.
//!
//! [`sources`] say which flames are to be kept, [`fleet`] keeps each on a task of its own, and all of them share one
//! [`Hub`](crate::apiserver::hub::Hub) of watches a namespace. With `--leader-elect` all that is there only while this process
//! leads, and ends with it.

mod fleet;
mod keeper;
mod leader;
mod monitor;
mod objects;
mod once;
mod reports;
mod sources;
mod statuses;
mod systemd;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Context;
use super::work::interrupts;
use crate::apiserver::ApiServer;
use crate::cli::{self, Source, WatchArgs};
use crate::error::{Error, Result};
use crate::output::log::{Log, LogFormat};
use fleet::Fleet;
use leader::Post;
use monitor::Monitor;
use objects::Objects;
use reports::Reporter;
use sources::{Files, Records};
use systemd::Systemd;

pub async fn run(context: &Context<'_>, args: &WatchArgs) -> Result<u8> {
    if args.filename.contains(&Source::Stdin) {
        let what = "watch reads its files again and again, which standard input cannot";
        return Err(Error::input(what).hint("name a file"));
    }
    let files = Files::open(context, &args.filename)?;
    let api = context.connect().await?;
    let files = files.settle(api.default_namespace())?;
    if args.once || args.dry_run {
        return once::run(context, &api, args, files.flames()).await;
    }
    let log = Log::new(context.printer, log_format(context, args), time_of_day);
    let (interrupted, hangups) = (interrupts(context), hangups());
    let monitor = Arc::new(Monitor::default());
    if let Some(address) = args.listen {
        monitor::listen(address, &monitor, &log).await?;
    }
    let counts = Arc::clone(&monitor);
    let api = api.traced(move |request| counts.metrics.request(&request.method, &request.path, request.status));
    Systemd::detect().follow(interrupted.clone());
    let mut post = Post::new(context, args, &api, &log, &monitor);
    let mut watching = Watching { context, args, log, monitor, files, interrupted, hangups };
    while let Some(api) = watching.stand_by(&api, &mut post).await {
        watching.keep(&api, &post).await;
    }
    post.leave().await;
    watching.log.info("stopped watching; everything is left as it is");
    Ok(0)
}

/// What a watch has at hand for as long as it runs, whether it leads or not.
struct Watching<'a> {
    context: &'a Context<'a>,
    args: &'a WatchArgs,
    log: Log,
    monitor: Arc<Monitor>,
    files: Files<'a>,
    interrupted: watch::Receiver<bool>,
    hangups: Hangups,
}

impl Watching<'_> {
    /// Waits until it may work, and returns the server as it may write to then; none once it was interrupted.
    async fn stand_by(&mut self, api: &ApiServer, post: &mut Post) -> Option<ApiServer> {
        if *self.interrupted.borrow() {
            return None;
        }
        tokio::select! {
            api = post.lead(api) => Some(api),
            _ = self.interrupted.changed() => None,
        }
    }

    /// Keeps the flames until it is interrupted or may work no longer.
    async fn keep(&mut self, api: &ApiServer, post: &Post) {
        let Self { context, args, log, monitor, files, .. } = self;
        monitor.begins();
        let (reports, reporter) = Reporter::start(api, log, monitor);
        let (aims, mut news) = mpsc::unbounded_channel();
        let follows_records = args.filename.is_empty() && !args.crd;
        let namespace = (!args.all_namespaces).then(|| context.namespace(api));
        let (records, record_news) = mpsc::unbounded_channel();
        let mut fleet = Fleet::new(api, log, (monitor, reports), (follows_records, args.all_namespaces), records);
        // Whatever tells what is desired ends with this.
        let mut source = JoinSet::new();
        if follows_records {
            let records = Records::new(args.names.iter().cloned().collect(), aims, log);
            source.spawn(records.follow(record_news));
            fleet.follow(namespace);
        } else {
            // Something else says what is desired: news of records would only pile up.
            drop(record_news);
            if args.crd {
                fleet.follow(namespace.clone());
                source.spawn(Objects::new(api, namespace, aims, log).follow());
            }
        }
        files.begin(log);
        if !follows_records && files.flames().is_empty() {
            // There is nothing to be listed yet.
            monitor.listed(None);
        }
        loop {
            tokio::select! {
                Some(aim) = news.recv() => fleet.aim(aim),
                Some(aim) = files.next(log) => fleet.aim(aim),
                () = self.hangups.next() => files.read_again(log),
                _ = self.interrupted.changed() => break,
                () = post.lost() => break,
            }
        }
        fleet.end().await;
        reporter.end().await;
        monitor.ends();
    }
}

fn log_format(context: &Context<'_>, args: &WatchArgs) -> LogFormat {
    match args.log_format {
        cli::LogFormat::Text if !context.printer.is_json() => LogFormat::Text,
        _ => LogFormat::Json,
    }
}

/// SIGHUP, where there is such a thing.
struct Hangups {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

fn hangups() -> Hangups {
    Hangups {
        #[cfg(unix)]
        signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
    }
}

impl Hangups {
    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal {
            signal.recv().await;
            return;
        }
        std::future::pending().await
    }
}

fn time_of_day() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}
