//! The loop that carries out what [`Rollout`] decides: writes in an adaptive window, reads, and a watch in between.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::evidence::Inquirer;
use super::read::flame_selector;
use super::watch::{News, Watch};
use super::window::Window;
use super::{ApiServer, Observer, spent};
use crate::error::{Error, ErrorKind, Result};
use crate::flame::names::{Kind, ObjectRef};
use crate::flame::plan::Desired;
use crate::flame::rollout::{Event, Found, Outcome, Progress, Rollout, Step, Time, Write};

/// How often an observer ticks while something is awaited.
pub const TICK: Duration = Duration::from_millis(250);
/// What looking how far a command is may cost while it writes: one part of this many of its time.
const TELLING: u32 = 500;
/// How often an observer ticks while all is well.
const IDLE: Duration = Duration::from_secs(60);
/// A step over many Pods that do not serve costs; news gather for so many times that long, which bounds the share of a core.
const GATHERING: u32 = 200;
/// So much of the time in which no step was needed makes up for it: what costs once is not waited for.
const CREDIT: Duration = Duration::from_secs(5);
/// Longest time for which news gather: of a flame that is kept, so that what is harmed is put right within a second, and where
/// somebody waits for one.
const GATHERS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(1));
/// How long writes in flight may take to end after an interruption, where they are waited for.
const FINISHES: Duration = Duration::from_secs(5);
/// How long a command that ends without success still waits to learn why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What comes from outside while a command works.
pub struct Outside {
    /// Ctrl-C or SIGTERM.
    pub interrupted: tokio::sync::watch::Receiver<bool>,
    /// What is desired from now on (`watch`: the file changed); with it the work goes on when it is done, and writes in
    /// flight end before an interruption ends it.
    pub aims: Option<mpsc::UnboundedReceiver<Desired>>,
    /// Where news come from; none opens a watch of the flame's own when one is needed.
    pub watch: Option<Watch>,
}

/// One flame's work on one server.
pub struct Drive<'a> {
    /// Where to.
    pub api: &'a ApiServer,
    /// The flame's namespace.
    pub namespace: &'a str,
    /// Where the watch goes on from what the rollout has seen.
    pub resource_version: String,
    /// What is watched: Pods; for `watch` Services and ConfigMaps, too.
    pub kinds: &'a [Kind],
    /// When the command started.
    pub started: Instant,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

/// What the observer knows of how far the command is, and when it is worth while to look again.
#[derive(Default)]
struct Told {
    progress: Option<Progress>,
    again: Time,
}

/// How writes go out.
#[derive(Default)]
struct Sending {
    window: Window,
    /// The stream of Pods was closed for writes that need none. That is done only once, as it begins anew when it is opened.
    closed_pods: bool,
}

impl Drive<'_> {
    /// Works until the rollout is done; one that never is done works until it is interrupted.
    ///
    /// # Errors
    /// What the rollout gives up for, or that the command was interrupted.
    pub async fn run(&self, rollout: &mut Rollout, outside: &mut Outside) -> Result<()> {
        let mut sending = Sending::default();
        let mut told = Told::default();
        let mut inquirer = Inquirer::new(self.api, self.namespace, self.observer);
        // Until then news gather, so that the steps so far had no bigger share of a core than they may have.
        let mut paid = Time::ZERO;
        loop {
            let (before, spent_before) = (self.now(), spent());
            let step = rollout.next(before);
            if !matches!(step, Step::Read(_)) {
                self.tell(rollout, &mut told);
            }
            self.observer.looked(self.now().saturating_sub(before));
            paid = paid.max(before.saturating_sub(CREDIT)) + GATHERING * spent().saturating_sub(spent_before);
            match step {
                Step::Done if outside.aims.is_none() => return Ok(()),
                Step::Stop(error) => return Err(Box::pin(self.informed(rollout, error, &mut inquirer, outside)).await),
                _ if *outside.interrupted.borrow() => return Err(rollout.interrupted()),
                // Boxed, so that a flame that waits, of which there may be thousands, keeps no room for them.
                Step::Read(objects) => Box::pin(self.read(rollout, objects, outside)).await,
                Step::Write(writes) => {
                    Box::pin(self.write(rollout, writes, &mut sending, &mut told, outside)).await?;
                }
                Step::Done | Step::Wait(_) => {
                    let patience = if let Step::Wait(until) = step { (until, TICK) } else { (None, IDLE) };
                    let longest = if outside.aims.is_some() { GATHERS.0 } else { GATHERS.1 };
                    paid = paid.min(self.now() + longest);
                    if self.gather(paid, outside).await {
                        self.wait(rollout, &mut inquirer, patience, outside).await;
                    }
                }
            }
        }
    }

    /// Lets news gather until then, ticking all along; returns whether it was not interrupted.
    async fn gather(&self, until: Time, outside: &mut Outside) -> bool {
        loop {
            let left = until.saturating_sub(self.now());
            if left.is_zero() {
                return true;
            }
            tokio::select! {
                () = sleep(left.min(TICK)) => self.observer.tick(),
                Ok(()) = outside.interrupted.changed() => return false,
            }
        }
    }

    /// Watches all that is to be watched; what was not yet, from what the rollout has seen on.
    fn listen<'w>(&self, rollout: &Rollout, watch: &'w mut Option<Watch>) -> &'w mut Watch {
        let watch = self.watch(rollout, watch);
        watch.follow(self.kinds);
        watch
    }

    /// Returns the watch, made where there is none; it follows nothing then.
    fn watch<'w>(&self, rollout: &Rollout, watch: &'w mut Option<Watch>) -> &'w mut Watch {
        watch.get_or_insert_with(|| {
            let selector = flame_selector(rollout.desired().name());
            self.api.watch(self.namespace, &[], &selector, &self.resource_version)
        })
    }

    fn now(&self) -> Time {
        self.started.elapsed()
    }

    fn tell(&self, rollout: &mut Rollout, told: &mut Told) {
        let before = self.now();
        let progress = rollout.progress();
        if told.progress.as_ref() != Some(&progress) {
            self.observer.event(Event::Progress(Box::new(progress.clone())));
            told.progress = Some(progress);
        }
        let now = self.now();
        told.again = now + TICK.max(TELLING * now.saturating_sub(before));
    }

    /// Reads objects, unless the command is interrupted or its time is up meanwhile.
    async fn read(&self, rollout: &mut Rollout, objects: Vec<ObjectRef>, outside: &mut Outside) {
        let reads = objects.into_iter().map(|object| async move {
            let read = self.api.get(self.namespace, &object, self.observer).await;
            (object, read)
        });
        let mut reads = pin!(join_all(reads));
        let results = loop {
            tokio::select! {
                results = &mut reads => break results,
                () = sleep(TICK) => {
                    self.observer.tick();
                    if rollout.is_late(self.now()) {
                        return;
                    }
                }
                Ok(()) = outside.interrupted.changed() => return,
            }
        };
        rollout.at(self.now());
        for (object, read) in results {
            match read {
                Ok(observed) => rollout.read(&object, observed),
                Err(error) => rollout.unread(&object, &error.what, self.now()),
            }
        }
    }

    /// Sends a batch. Where the server refuses one for good, the rest is not begun: it would be refused alike.
    async fn write(
        &self,
        rollout: &mut Rollout,
        writes: Vec<Write>,
        sending: &mut Sending,
        told: &mut Told,
        outside: &mut Outside,
    ) -> Result<()> {
        // The watch is there before the first write, so that nothing of what follows is missed.
        let watch = self.watch(rollout, &mut outside.watch);
        if rollout.heeds_pods(&writes) {
            watch.follow(self.kinds);
        } else if !sending.closed_pods {
            let others: Vec<Kind> = self.kinds.iter().copied().filter(|kind| *kind != Kind::Pod).collect();
            sending.closed_pods = watch.follow(&others);
        }
        let window = &mut sending.window;
        let finishes = if outside.aims.is_some() { FINISHES } else { Duration::ZERO };
        let mut waiting = writes.into_iter();
        let mut in_flight = FuturesUnordered::new();
        let mut stopped = false;
        let mut ends_at: Option<Time> = None;
        loop {
            while !stopped && in_flight.len() < window.size() {
                let Some(write) = waiting.next() else { break };
                let body = rollout.body(&write);
                let found = rollout.found(&write);
                let ticket = window.send(self.now());
                in_flight.push(async move {
                    let outcome = self.api.write(self.namespace, &write, body, false).await;
                    (write, found, ticket, outcome)
                });
            }
            tokio::select! {
                ended = in_flight.next() => match ended {
                    None if ends_at.is_some() => return Err(rollout.interrupted()),
                    None => return Ok(()),
                    Some((write, found, ticket, outcome)) => {
                        let outcome = outcome?;
                        window.answered(ticket, &outcome, self.now());
                        stopped |= matches!(outcome, Outcome::Refused(_) | Outcome::Busy(..));
                        self.tell_outcome(&write, &outcome);
                        self.tell_repair(rollout, &write, found, &outcome);
                        rollout.wrote(&write, outcome, self.now());
                    }
                },
                // News are taken in all along: one of them may be that another command took the flame over.
                Some(news) = watch.next() => {
                    self.take(rollout, news);
                }
                () = sleep(TICK) => self.observer.tick(),
                Ok(()) = outside.interrupted.changed(), if ends_at.is_none() => {
                    ends_at = Some(self.now() + finishes);
                    stopped = true;
                }
            }
            if ends_at.is_some_and(|end| self.now() >= end) {
                return Err(rollout.interrupted());
            }
            stopped |= rollout.is_late(self.now());
            if self.now() >= told.again {
                self.tell(rollout, told);
            }
        }
    }

    fn tell_repair(&self, rollout: &mut Rollout, write: &Write, found: Found, outcome: &Outcome) {
        let uid = match outcome {
            Outcome::Created(observed) | Outcome::Changed(observed) => Some(observed.meta().uid.as_str()),
            Outcome::Made(pod) => Some(pod.meta.uid.as_str()),
            Outcome::Leaving(meta) => Some(meta.uid.as_str()),
            Outcome::Gone => None,
            _ => return,
        };
        if let Some(repair) = rollout.repaired(write, found, uid) {
            self.observer.event(Event::Repaired(Box::new(repair)));
        }
    }

    fn tell_outcome(&self, write: &Write, outcome: &Outcome) {
        let object = write.object.clone();
        match outcome {
            Outcome::Created(_) | Outcome::Made(_) | Outcome::Changed(_) | Outcome::Leaving(_) | Outcome::Gone => {
                self.observer.event(Event::Wrote(write.action, object, write.why.clone()));
            }
            Outcome::Conflict(conflicts) if conflicts.iter().all(|conflict| !conflict.is_claimed()) => {
                self.observer.event(Event::Reverting(object, conflicts.clone()));
            }
            Outcome::Busy(why, after) => {
                self.observer.event(Event::Retrying(object.to_string(), why.clone(), after.unwrap_or_default()));
            }
            Outcome::Unknown(why) => {
                self.observer.event(Event::Retrying(object.to_string(), why.clone(), Duration::ZERO));
            }
            _ => {}
        }
    }

    /// Waits for news, answers, the time, a new aim or an interruption, ticking all along.
    async fn wait(
        &self,
        rollout: &mut Rollout,
        inquirer: &mut Inquirer<'_>,
        (until, tick): (Option<Time>, Duration),
        outside: &mut Outside,
    ) {
        let watch = self.listen(rollout, &mut outside.watch);
        loop {
            inquirer.look(rollout, self.now());
            let left = until.map_or(tick, |until| until.saturating_sub(self.now()).min(tick));
            let aim = async {
                match &mut outside.aims {
                    Some(aims) => aims.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                news = watch.next() => {
                    let is_over = news.is_none();
                    let mut news = news;
                    let mut is_news = false;
                    while let Some(this) = news {
                        is_news |= self.take(rollout, this);
                        news = watch.ready();
                    }
                    if is_news || is_over || until.is_some_and(|until| self.now() >= until) {
                        return;
                    }
                }
                (uid, evidence) = inquirer.next() => {
                    rollout.learned(uid, evidence);
                    return;
                }
                desired = aim => {
                    if let Some(desired) = desired {
                        rollout.aim(desired);
                    }
                    return;
                }
                () = sleep(left) => {
                    self.observer.tick();
                    if until.is_some_and(|until| self.now() >= until) {
                        return;
                    }
                }
                Ok(()) = outside.interrupted.changed() => return,
            }
        }
    }

    /// Waits after something stopped the work, while news are taken in; ends early with a new aim or an interruption.
    pub async fn rest(&self, rollout: &mut Rollout, pause: Duration, outside: &mut Outside) {
        let watch = self.listen(rollout, &mut outside.watch);
        let mut over = pin!(sleep(pause));
        loop {
            let aim = async {
                match &mut outside.aims {
                    Some(aims) => aims.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(news) = watch.next() => {
                    self.take(rollout, news);
                }
                Some(desired) = aim => return rollout.aim(desired),
                () = &mut over => return,
                Ok(()) = outside.interrupted.changed() => return,
            }
        }
    }

    /// Returns the error with what can still be learned about its causes: it is what people go on from.
    async fn informed(
        &self,
        rollout: &mut Rollout,
        error: Error,
        inquirer: &mut Inquirer<'_>,
        outside: &mut Outside,
    ) -> Error {
        if !matches!(error.kind, ErrorKind::Timeout | ErrorKind::Unhealthy) {
            return error;
        }
        inquirer.look_at_last(rollout);
        let mut time = pin!(sleep(LAST_WORDS));
        while !inquirer.is_idle() {
            tokio::select! {
                (uid, evidence) = inquirer.next() => rollout.learned(uid, evidence),
                () = &mut time => break,
                Ok(()) = outside.interrupted.changed() => break,
            }
        }
        match rollout.next(self.now()) {
            Step::Stop(informed) => informed,
            _ => error,
        }
    }

    /// Takes in news; returns whether they may change what is to be done.
    fn take(&self, rollout: &mut Rollout, news: News) -> bool {
        rollout.at(self.now());
        rollout.watch_trouble(match &news {
            News::Trouble(why) => Some(why.clone()),
            _ => None,
        });
        match news {
            News::Seen(observed) => return rollout.seen(observed),
            News::Deleted(observed) => rollout.deleted(&observed),
            News::Relisted(pods) => rollout.relisted(pods),
            News::Forgotten(kind) => rollout.doubt(kind),
            News::Trouble(why) => {
                self.observer.event(Event::Retrying("the watch".to_owned(), why, Duration::ZERO));
            }
        }
        true
    }
}
