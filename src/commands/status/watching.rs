//! `status --watch`: how flames are, again whenever that changes, until it is interrupted.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch::Receiver;

use super::sheet::{Seen, Sheet};
use crate::apiserver::ApiServer;
use crate::apiserver::flames::{FlameFilter, FlameList, FlameNews, Flames};
use crate::apiserver::watch::Attention;
use crate::commands::input::recorded;
use crate::commands::work::{View, moment};
use crate::error::{ErrorKind, Result};
use crate::flame::evidence::{Evidence, Inquiry, inquiries};
use crate::flame::names::Kind;
use crate::flame::rollout::Time;
use crate::flame::state::verdict;
use crate::output::watching::{Look, Lost};

/// How long news are gathered before they are shown.
const GATHER: Duration = Duration::from_millis(100);
/// How often it is looked at though there are no news: ages grow, and a Pod may take too long.
const TICK: Duration = Duration::from_secs(1);
/// Pause between two looks at what is to be asked.
const ASK: Duration = Duration::from_millis(1500);

type Answers<'a> = Pin<Box<dyn Future<Output = Vec<(String, Evidence)>> + 'a>>;

/// What is watched, and what is known of it.
pub struct Watch<'a> {
    pub api: &'a ApiServer,
    pub filter: &'a FlameFilter,
    pub sheet: &'a Sheet<'a>,
    pub view: &'a View,
}

impl Watch<'_> {
    /// Shows what was listed and what changes, until nobody reads it or somebody interrupts it.
    ///
    /// # Errors
    /// Where standard output takes nothing.
    pub async fn run(self, list: FlameList, mut interrupted: Receiver<bool>) -> Result<u8> {
        let mut watch = self.api.watch_flames(self.filter, &list.resource_versions, Attention::LOOKING);
        let mut watching = self.sheet.watching();
        let mut known = Known::new(list.flames, self.view.elapsed());
        let mut asking = Asking::default();
        let mut answers: Option<Answers<'_>> = None;
        let mut told = HashSet::new();
        let mut next = Time::ZERO;
        loop {
            let now = self.view.elapsed();
            if now >= next {
                let seen = known.seen();
                self.sheet.causes(&seen, &mut told);
                if !watching.show(self.look(&seen, known.lost())?, now)? {
                    return Ok(0);
                }
                if answers.is_none() && self.filter.name.is_some() {
                    answers = asking.due(&seen, now).map(|(namespace, inquiries)| self.ask(namespace, inquiries));
                }
                next = now + TICK;
            }
            tokio::select! {
                Some(news) = watch.next() => {
                    known.take(news, self.view.elapsed());
                    while let Some(news) = watch.ready() {
                        known.take(news, self.view.elapsed());
                    }
                    next = next.min(self.view.elapsed() + GATHER);
                }
                learned = answered(&mut answers) => {
                    answers = None;
                    known.learned(learned);
                    next = self.view.elapsed();
                }
                _ = interrupted.changed() => {
                    watching.finish(self.view.elapsed())?;
                    return Ok(ErrorKind::Interrupted.exit_code());
                }
                () = tokio::time::sleep(next.saturating_sub(now)) => {}
            }
        }
    }

    fn look(&self, seen: &[Seen<'_>], lost: Option<Lost>) -> Result<Look> {
        let rows = seen.iter().map(|seen| self.sheet.row(seen)).collect::<Result<_>>()?;
        Ok(Look { rows, text: self.sheet.text(seen), lost })
    }

    fn ask(&self, namespace: String, inquiries: Vec<Inquiry>) -> Answers<'_> {
        Box::pin(async move { self.api.answers(&namespace, inquiries, self.view).await })
    }
}

/// Waits for answers; for ever where nothing was asked.
async fn answered(answers: &mut Option<Answers<'_>>) -> Vec<(String, Evidence)> {
    match answers {
        Some(answers) => answers.await,
        None => std::future::pending().await,
    }
}

/// What is known, and since when it is not.
struct Known {
    flames: Flames,
    heard: Time,
    trouble: BTreeMap<Kind, Lost>,
}

impl Known {
    fn new(flames: Flames, now: Time) -> Self {
        Self { flames, heard: now, trouble: BTreeMap::new() }
    }

    fn take(&mut self, news: FlameNews, now: Time) {
        match news {
            FlameNews::Trouble(kind, why) => {
                let lost =
                    self.trouble.entry(kind).or_insert(Lost { since: now, heard: self.heard, why: String::new() });
                lost.why = why;
            }
            FlameNews::Open(kind) => {
                self.trouble.remove(&kind);
                self.heard = now;
            }
            news => {
                self.heard = now;
                self.flames.take(news);
            }
        }
    }

    /// Returns since when something is not known.
    fn lost(&self) -> Option<Lost> {
        self.trouble.values().min_by_key(|lost| lost.since).cloned()
    }

    /// Takes in what was asked about Pods; what is known of Pods that are gone is forgotten.
    fn learned(&mut self, learned: Vec<(String, Evidence)>) {
        self.flames.learned(&learned);
    }

    fn seen(&self) -> Vec<Seen<'_>> {
        let seen = self.flames.iter().filter_map(|(namespace, name, snapshot)| {
            // A record that says nothing was told of in the beginning.
            let flame = recorded(namespace, name, snapshot).ok()?;
            let verdict = verdict(&flame, snapshot, moment());
            Some(Seen { flame, snapshot: Cow::Borrowed(snapshot), verdict, events: None })
        });
        seen.collect()
    }
}

/// What is asked about Pods that are not ready, and when.
#[derive(Default)]
struct Asking {
    not_before: Time,
    /// Since when there is something to ask, by uid and reason.
    since: HashMap<(String, String), Time>,
}

impl Asking {
    /// Returns what is to be asked now, and in which namespace.
    fn due(&mut self, seen: &[Seen<'_>], now: Time) -> Option<(String, Vec<Inquiry>)> {
        let [Seen { flame, snapshot, verdict, .. }] = seen else { return None };
        if now < self.not_before {
            return None;
        }
        self.not_before = now + ASK;
        let mut inquiries = inquiries(&verdict.causes, snapshot);
        let about = |inquiry: &Inquiry| (inquiry.uid.clone(), inquiry.asked.reason.clone());
        self.since.retain(|known, _| inquiries.iter().any(|inquiry| about(inquiry) == *known));
        inquiries.retain(|inquiry| {
            let since = *self.since.entry(about(inquiry)).or_insert(now);
            now >= since + inquiry.patience()
        });
        (!inquiries.is_empty()).then(|| (flame.namespace().to_owned(), inquiries))
    }
}
