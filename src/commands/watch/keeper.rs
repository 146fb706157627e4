//! One flame that is kept as it is desired, for as long as it takes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::fleet::{BACKOFF, Hubs};
use super::statuses::StatusSink;
use crate::apiserver::Observer;
use crate::apiserver::drive::{Drive, Outside};
use crate::apiserver::watch::Watch;
use crate::commands::work;
use crate::error::{Error, Result};
use crate::flame::manifests::Manifests;
use crate::flame::names::{FlameKey, Kind};
use crate::flame::observed::Snapshot;
use crate::flame::plan::Desired;
use crate::flame::reports::Report;
use crate::flame::rollout::{Event, Options, Rollout};
use crate::flame::state::Outlook;
use crate::output::log::{FlameLog, Log, sentence};

/// After so long without trouble the next pause is a short one again.
const CALM: Duration = Duration::from_secs(120);

/// What one flame's task has at hand.
pub struct Keeper {
    hubs: Arc<Hubs>,
    key: FlameKey,
    view: View,
}

/// Brings what happens to the log, to those who count it, to the objects, and to the status of a flame that lives as one.
struct View {
    hubs: Arc<Hubs>,
    key: FlameKey,
    log: FlameLog,
    started: Instant,
    sink: Option<StatusSink>,
    /// Until when the last fight is told.
    contested_until: Mutex<Option<Instant>>,
}

impl Observer for View {
    fn event(&self, event: Event) {
        self.hubs.monitor.metrics.event(&self.key, &event);
        if let Event::Repaired(repair) = &event {
            self.hubs.reports.add(Report::of(&self.key.namespace, repair, &sentence(repair)));
        }
        self.log.event(&event, self.started.elapsed());
        if let Some(sink) = &self.sink {
            self.tell_status(sink, &event);
        }
    }

    fn tick(&self) {
        self.log.tick(self.started.elapsed());
        let mut until = self.contested_until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_some_and(|until| now() >= until) {
            *until = None;
            self.sink.iter().for_each(|sink| sink.tell(|standing| standing.contested = None));
        }
    }

    fn looked(&self, took: Duration) {
        self.hubs.monitor.metrics.reconciled(took);
    }
}

impl View {
    fn tell_status(&self, sink: &StatusSink, event: &Event) {
        match event {
            Event::Progress(progress) => sink.tell(|standing| {
                let Some((status, generation)) = progress.status.as_deref() else { return };
                standing.status = Some(status.clone());
                let hopeless = progress.causes.iter().find(|cause| cause.outlook == Outlook::Hopeless);
                match hopeless {
                    Some(cause) => standing.stalled = Some(cause.to_string()),
                    None if progress.to_do == 0 => standing.stalled = None,
                    None => {}
                }
                if standing.refused.is_none() {
                    standing.generation = generation.unwrap_or(standing.generation);
                }
            }),
            Event::Wrote(..) => sink.tell(|standing| standing.stalled = None),
            Event::Repaired(repair) if repair.pause.is_some() => {
                let until = now() + repair.pause.unwrap_or_default() * 2 + CALM;
                *self.contested_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
                sink.tell(|standing| standing.contested = Some(sentence(repair)));
            }
            _ => {}
        }
    }

    /// Says in the status what stops the work.
    fn stalled(&self, what: &str) {
        self.sink.iter().for_each(|sink| sink.tell(|standing| standing.stalled = Some(what.to_owned())));
    }
}

/// Pauses after trouble, longer and longer, and the trouble that was told.
struct Trouble {
    pause: Duration,
    since: Instant,
    told: String,
}

impl Keeper {
    /// Makes the keeper of a flame.
    pub fn new(hubs: &Arc<Hubs>, log: &Log, key: &FlameKey, sink: Option<StatusSink>) -> Self {
        let hubs = Arc::clone(hubs);
        let view = View {
            hubs: Arc::clone(&hubs),
            key: key.clone(),
            log: FlameLog::new(log, key),
            started: now(),
            sink,
            contested_until: Mutex::default(),
        };
        Self { hubs, key: key.clone(), view }
    }

    /// Keeps the flame until `left` says so.
    pub async fn keep(
        self,
        mut desired: Desired,
        aims: mpsc::UnboundedReceiver<Desired>,
        mut left: watch::Receiver<bool>,
    ) {
        let mut trouble = Trouble { pause: BACKOFF.0, since: now(), told: String::new() };
        let (mut snapshot, watch) = loop {
            // Boxed, so that a flame that waits, of which there may be thousands, keeps no room for it.
            match Box::pin(self.begin(&desired)).await {
                Ok(begun) => break begun,
                Err(error) => self.tell(&mut trouble, &error),
            }
            tokio::select! {
                () = tokio::time::sleep(trouble.pause) => {}
                _ = left.changed() => return,
            }
        };
        self.goes_on();
        self.view.log.info(format!("watching {} in namespace {}", self.key.name, self.key.namespace));
        let mut outside = Outside { interrupted: left, aims: Some(aims), watch: Some(watch) };
        loop {
            let follows_record = self.hubs.follows_records;
            let started_at = work::moment();
            let options = Options { timeout: None, persistent: true, follows_record, started_at, ..Default::default() };
            let mut rollout = Rollout::new(desired, options, snapshot);
            let drive = self.drive();
            let error = match drive.run(&mut rollout, &mut outside).await {
                // Whoever leads no longer has nothing to tell of what it may not do.
                Err(error) if !*outside.interrupted.borrow() && self.hubs.api.may_write() => error,
                _ => return,
            };
            self.tell(&mut trouble, &error);
            drive.rest(&mut rollout, trouble.pause, &mut outside).await;
            self.goes_on();
            if *outside.interrupted.borrow() {
                return;
            }
            desired = rollout.desired().clone();
            // What stopped it may be an object that no news tell about.
            snapshot = match Box::pin(self.read(&desired)).await {
                Ok(snapshot) => snapshot,
                Err(_) => rollout.into_snapshot(),
            };
        }
    }

    fn drive(&self) -> Drive<'_> {
        Drive {
            api: &self.hubs.api,
            namespace: &self.key.namespace,
            resource_version: String::new(),
            kinds: &[Kind::Pod, Kind::Service, Kind::ConfigMap],
            started: now(),
            observer: &self.view,
        }
    }

    /// Subscribes to news of the flame, and finds out what is there: by the hub's lists where they hold all that is desired,
    /// else by reading, as something without our labels may have one of the names.
    async fn begin(&self, desired: &Desired) -> Result<(Snapshot, Watch)> {
        let (known, watch) = self.hubs.subscribe(&self.key).await?;
        let is_whole = |snapshot: &Snapshot| {
            let mut objects = desired.manifests().into_iter().flat_map(Manifests::objects);
            objects.all(|object| snapshot.meta(&object).is_some())
        };
        match known {
            Some(snapshot) if is_whole(&snapshot) => Ok((snapshot, watch)),
            _ => Ok((self.read(desired).await?, watch)),
        }
    }

    async fn read(&self, desired: &Desired) -> Result<Snapshot> {
        let flame = desired.manifests().map(|manifests| &manifests.flame);
        let reading = work::read(&self.hubs.api, &self.key.namespace, &self.key.name, flame, &self.view).await?;
        Ok(reading.snapshot)
    }

    fn goes_on(&self) {
        self.hubs.monitor.metrics.backs_off(&self.key, false);
    }

    /// Tells what stopped the work, once as long as it is the same, and makes the next pause longer.
    fn tell(&self, trouble: &mut Trouble, error: &Error) {
        self.hubs.monitor.metrics.error(&format!("{:?}", error.kind));
        self.hubs.monitor.metrics.backs_off(&self.key, true);
        let now = now();
        trouble.pause = match now.duration_since(trouble.since) {
            calm if calm > CALM.max(trouble.pause * 2) => BACKOFF.0,
            _ if trouble.told.is_empty() => BACKOFF.0,
            _ => (trouble.pause * 2).min(BACKOFF.1),
        };
        trouble.since = now;
        let lines = error.what.lines().chain(error.hints.iter().map(String::as_str)).map(str::trim);
        let what = lines.collect::<Vec<_>>().join("; ");
        self.view.stalled(&what);
        if trouble.told != what {
            self.view.log.trouble(format!("{what}; trying again in {} s", trouble.pause.as_secs()));
            trouble.told = what;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one clock of a flame's task: everything below gets times passed in")]
fn now() -> Instant {
    Instant::now()
}
