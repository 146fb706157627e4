//! Many flames, each kept on a task of its own: one that is stuck holds up no other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;

use super::keeper::Keeper;
use super::monitor::Monitor;
use super::reports::Reports;
use super::sources::Aim;
use super::statuses::StatusSink;
use crate::apiserver::hub::{Hub, RecordNews};
use crate::apiserver::objects::FlameObject;
use crate::apiserver::watch::Watch;
use crate::apiserver::{ApiServer, Observer};
use crate::error::Result;
use crate::flame::manifests::manifests;
use crate::flame::names::{FlameKey, Kind};
use crate::flame::observed::Snapshot;
use crate::flame::plan::Desired;
use crate::flame::rollout::Event;
use crate::output::log::Log;

/// First pause after the server could not be asked at the start, and its ceiling.
pub const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long the flames' tasks may take to end their writes.
const ENDS: Duration = Duration::from_secs(6);

/// The flames that are kept.
pub struct Fleet {
    hubs: Arc<Hubs>,
    log: Log,
    kept: BTreeMap<FlameKey, Kept>,
    /// Where what is known goes of flames that live as objects, followed or not.
    sinks: BTreeMap<FlameKey, StatusSink>,
    /// What opens the hub of a namespace in which no flame is kept yet.
    opening: Option<JoinHandle<()>>,
}

struct Kept {
    aims: mpsc::UnboundedSender<Desired>,
    leave: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Fleet {
    /// Makes a fleet of what the records say where `follows_records`, else of what it is told; `is_global` shares one hub for
    /// all namespaces, else each has its own.
    pub fn new(
        api: &ApiServer,
        log: &Log,
        (monitor, reports): (&Arc<Monitor>, Reports),
        (follows_records, is_global): (bool, bool),
        records: mpsc::UnboundedSender<RecordNews>,
    ) -> Self {
        let (api, own) = (api.clone(), log.clone());
        let monitor = Arc::clone(monitor);
        let hubs =
            Hubs { api, log: own, monitor, reports, follows_records, is_global, records, hubs: Mutex::default() };
        let (kept, sinks) = (BTreeMap::new(), BTreeMap::new());
        Self { hubs: Arc::new(hubs), log: log.clone(), kept, sinks, opening: None }
    }

    /// Follows what is in a namespace, or in all, before any flame of it is kept.
    pub fn follow(&mut self, namespace: Option<String>) {
        let hubs = Arc::clone(&self.hubs);
        self.opening = Some(tokio::spawn(async move {
            let mut pause = BACKOFF.0;
            while let Err(error) = hubs.open(namespace.as_deref()).await {
                hubs.log.trouble(None, format!("{}; trying again in {} s", error.what, pause.as_secs()));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACKOFF.1);
            }
        }));
    }

    /// Takes in what a source wants.
    pub fn aim(&mut self, aim: Aim) {
        let (flame, object) = match aim {
            Aim::Leave(key, why) => return self.leave(&key, &why),
            Aim::Refuse(object, why) => return self.refuse(&object, why),
            Aim::Keep(flame, object) => (flame, object),
        };
        let key = FlameKey::of(&flame);
        let desired = match manifests(&flame) {
            Ok(manifests) => Desired::up(manifests.owned_by(object.as_ref().map(|it| it.owner.clone()))),
            Err(error) => {
                if let Some(object) = object {
                    self.refuse(&object, error.what.clone());
                }
                return self.log.trouble(Some(&key), error.what);
            }
        };
        let sink = object.map(|object| self.sink(&object));
        if let Some(sink) = &sink {
            sink.tell(|standing| standing.refused = None);
        }
        if let Some(kept) = self.kept.get(&key) {
            // Its task ends only when it is left.
            let _ = kept.aims.send(desired);
            return;
        }
        self.hubs.monitor.metrics.kept(&key);
        let (aims, receiver) = mpsc::unbounded_channel();
        let (leave, left) = watch::channel(false);
        let keeper = Keeper::new(&self.hubs, &self.log, &key, sink);
        let task = tokio::spawn(keeper.keep(desired, receiver, left));
        self.kept.insert(key, Kept { aims, leave, task });
    }

    fn sink(&mut self, object: &FlameObject) -> StatusSink {
        let start = || StatusSink::start(&self.hubs.api, object, &self.log);
        self.sinks.entry(object.key.clone()).or_insert_with(start).clone()
    }

    /// Takes in that an object says what cannot be followed; what was followed before is kept.
    fn refuse(&mut self, object: &FlameObject, why: String) {
        let generation = object.owner.generation;
        self.sink(object).tell(|standing| (standing.refused, standing.generation) = (Some(why), generation));
    }

    fn leave(&mut self, key: &FlameKey, why: &str) {
        self.sinks.remove(key);
        if let Some(kept) = self.kept.remove(key) {
            let _ = kept.leave.send(true);
            self.hubs.monitor.metrics.left(key);
            self.log.info(format!("{key} is left as it is: {why}"));
        }
    }

    /// Ends all work, after the writes in flight; where this process leads no longer they are given up.
    pub async fn end(self) {
        self.opening.inspect(JoinHandle::abort);
        let mut tasks = Vec::new();
        for (key, kept) in self.kept {
            self.hubs.monitor.metrics.left(&key);
            let _ = kept.leave.send(true);
            tasks.push((kept.aims, kept.task));
        }
        let all = async {
            for (_, task) in &mut tasks {
                let _ = task.await;
            }
        };
        if tokio::time::timeout(ENDS, all).await.is_err() {
            tasks.iter().for_each(|(_, task)| task.abort());
            self.log.trouble(None, "some writes did not end in time; whoever goes on looks at what became of them");
        }
    }
}

/// The hubs by namespace, opened when they are needed.
pub struct Hubs {
    pub api: ApiServer,
    /// Whether what is desired is what the records say.
    pub follows_records: bool,
    /// Who counts what happens.
    pub monitor: Arc<Monitor>,
    /// Who tells of repairs on the objects.
    pub reports: Reports,
    log: Log,
    is_global: bool,
    records: mpsc::UnboundedSender<RecordNews>,
    hubs: Mutex<BTreeMap<Option<String>, Hub>>,
}

impl Hubs {
    /// Opens the hub of a namespace.
    ///
    /// # Errors
    /// What the server said.
    async fn open(&self, namespace: Option<&str>) -> Result<()> {
        let scope = namespace.filter(|_| !self.is_global).map(str::to_owned);
        let mut hubs = self.hubs.lock().await;
        if hubs.contains_key(&scope) {
            return Ok(());
        }
        let started = Hub::start(&self.api, scope.as_deref(), self.records.clone(), &Told(&self.log)).await;
        let hub = started.inspect_err(|error| self.monitor.not_listed(scope.as_deref(), &error.what))?;
        self.monitor.listed(scope.as_deref());
        tokio::spawn(tell_trouble(hub.trouble(), self.log.clone(), Arc::clone(&self.monitor), scope.clone()));
        hubs.insert(scope, hub);
        Ok(())
    }

    /// Returns what is known of a flame, unless it has to be read, and its news from now on.
    ///
    /// # Errors
    /// What the server said.
    pub async fn subscribe(&self, key: &FlameKey) -> Result<(Option<Snapshot>, Watch)> {
        self.open(Some(&key.namespace)).await?;
        let scope = (!self.is_global).then(|| key.namespace.clone());
        let hubs = self.hubs.lock().await;
        hubs.get(&scope)
            .map(|hub| hub.subscribe(key))
            .ok_or_else(|| crate::error::Error::server(format!("nothing of namespace {} is watched", key.namespace)))
    }
}

/// Tells once when news stop to come, why, and when they come again.
async fn tell_trouble(
    mut trouble: watch::Receiver<BTreeMap<Kind, String>>,
    log: Log,
    monitor: Arc<Monitor>,
    scope: Option<String>,
) {
    let mut is_told = false;
    while trouble.changed().await.is_ok() {
        let why = trouble.borrow_and_update().values().next().cloned();
        match &why {
            Some(why) => monitor.not_watched(scope.as_deref(), why),
            None => monitor.listed(scope.as_deref()),
        }
        match why {
            Some(why) if !is_told => {
                log.trouble(None, format!("the server cannot be watched: {why}"));
                is_told = true;
            }
            None if is_told => {
                log.info("the server can be watched again");
                is_told = false;
            }
            _ => {}
        }
    }
}

/// Tells retries of the first lists.
pub struct Told<'a>(pub &'a Log);

impl Observer for Told<'_> {
    fn event(&self, event: Event) {
        if let Event::Retrying(what, why, _) = event {
            self.0.trouble(None, format!("retrying {what}: {why}"));
        }
    }

    fn tick(&self) {}
}
