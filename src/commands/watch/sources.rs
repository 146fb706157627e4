//! Which flames are to be kept: those of files and folders, or the recorded ones.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

use crate::apiserver::hub::RecordNews;
use crate::apiserver::objects::FlameObject;
use crate::cli::{CheckArgs, Source};
use crate::commands::Context;
use crate::commands::input::{checked, files, from_record};
use crate::error::{Content, Error, Result};
use crate::flame::FlameCluster;
use crate::flame::names::{self, FlameKey};
use crate::flame::observed::ObservedConfigMap;
use crate::output::log::{Entry, Level, Log};

/// How often the files are looked at. Reading them costs less than a notification library, and works on every file system,
/// ConfigMap mounts and editors that replace files included.
const LOOK: Duration = Duration::from_secs(1);
/// So often in a row a file may be unreadable before that is told: while an editor or a volume update swaps it, it is away
/// for a moment.
const AWAY: u32 = 5;

/// What a source wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Aim {
    /// This flame is to be as it says; and what is known of the object that it lives as.
    Keep(Box<FlameCluster>, Option<Box<FlameObject>>),
    /// This object says what cannot be followed, and why; what was followed before stays in force.
    Refuse(Box<FlameObject>, String),
    /// Nobody wants it kept any more, and why; it is left as it is.
    Leave(FlameKey, String),
}

/// The files, as they were read last.
pub struct Files<'a> {
    context: &'a Context<'a>,
    sources: &'a [Source],
    known: BTreeMap<String, Known>,
    /// New files that never said what is desired, as they were read last.
    broken: BTreeMap<String, Content>,
    default_namespace: String,
    interval: Interval,
    aims: VecDeque<Aim>,
    /// What was told of sources that cannot be read.
    told: BTreeSet<String>,
}

struct Known {
    content: Content,
    flame: FlameCluster,
    /// How often in a row it could not be read.
    away: u32,
}

impl<'a> Files<'a> {
    /// Reads all files; warnings are printed.
    ///
    /// # Errors
    /// Every problem of the first file that has one: nothing is begun with half of what is desired.
    pub fn open(context: &'a Context<'a>, sources: &'a [Source]) -> Result<Self> {
        let mut interval = tokio::time::interval(LOOK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let default_namespace = String::new();
        let (known, broken, aims, told) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new(), BTreeSet::new());
        let mut opened = Self { context, sources, known, broken, default_namespace, interval, aims, told };
        for file in all(sources)? {
            let content = context.content(&file)?;
            let (flame, warnings) = checked(&file.to_string(), &content, CheckArgs::default())?;
            context.printer.problems(&warnings, &content);
            opened.known.insert(file.to_string(), Known { content, flame, away: 0 });
        }
        Ok(opened)
    }

    /// Settles the flames' namespaces.
    ///
    /// # Errors
    /// Where a file and a flag disagree, or two files name one flame.
    pub fn settle(mut self, default_namespace: &str) -> Result<Self> {
        self.default_namespace = default_namespace.to_owned();
        let mut files: HashMap<FlameKey, String> = HashMap::new();
        for (file, known) in &mut self.known {
            self.context.settle_namespace(&mut known.flame, Some(default_namespace))?;
            let key = FlameKey::of(&known.flame);
            if let Some(other) = files.insert(key.clone(), file.clone()) {
                return Err(Error::input(format!("{other} and {file} both name flame {key}; nothing was sent"))
                    .hint("keep one of them"));
            }
        }
        Ok(self)
    }

    /// Returns the flames of all files.
    pub fn flames(&self) -> Vec<FlameCluster> {
        self.known.values().map(|known| known.flame.clone()).collect()
    }

    /// Takes all that the files want now for news: whoever asks from now on knows nothing of them.
    pub fn begin(&mut self, log: &Log) {
        self.look(log);
        self.aims = self.flames().into_iter().map(|flame| Aim::Keep(Box::new(flame), None)).collect();
    }

    /// Waits for the next thing that the files want; none where there are none. Cancel-safe.
    pub async fn next(&mut self, log: &Log) -> Option<Aim> {
        if self.sources.is_empty() {
            return std::future::pending().await;
        }
        loop {
            if let Some(aim) = self.aims.pop_front() {
                return Some(aim);
            }
            self.interval.tick().await;
            self.look(log);
        }
    }

    /// Looks at all files now, and takes even those for new that say what they said.
    pub fn read_again(&mut self, log: &Log) {
        log.info("reading the files again");
        self.told.clear();
        self.broken.clear();
        self.known.values_mut().for_each(|known| known.content = Content::default());
        self.interval.reset_immediately();
    }

    fn look(&mut self, log: &Log) {
        if self.sources.is_empty() {
            return;
        }
        let files = match all(self.sources) {
            Ok(files) => files,
            Err(error) => return self.tell_once(log, &error.what),
        };
        let names: BTreeSet<String> = files.iter().map(ToString::to_string).collect();
        let gone: Vec<String> = self.known.keys().filter(|name| !names.contains(*name)).cloned().collect();
        for name in gone {
            if let Some(known) = self.known.remove(&name) {
                self.aims.push_back(Aim::Leave(FlameKey::of(&known.flame), format!("{name} is gone")));
            }
        }
        for file in files {
            self.look_at(&file, log);
        }
    }

    fn look_at(&mut self, file: &Source, log: &Log) {
        let name = file.to_string();
        let content = match self.context.content(file) {
            Ok(content) => content,
            Err(error) => {
                let away = self.known.get_mut(&name).map_or(AWAY, |known| {
                    known.away += 1;
                    known.away
                });
                if away == AWAY {
                    self.tell_once(log, &format!("{}; the last good content stays in force", error.what));
                }
                return;
            }
        };
        let known = self.known.get_mut(&name).map(|known| {
            known.away = 0;
            let is_same = known.content == content;
            known.content.clone_from(&content);
            (is_same, FlameKey::of(&known.flame))
        });
        if known.as_ref().is_some_and(|(is_same, _)| *is_same) || self.broken.get(&name) == Some(&content) {
            return;
        }
        self.broken.remove(&name);
        match self.read(&name, &content, log) {
            Ok(flame) => self.changed(name, content, flame, known.map(|(_, key)| key), log),
            Err(error) => {
                for problem in &error.problems {
                    log.write(None, &Entry::new(Level::Error, "problem", problem.to_string()));
                }
                let then = if known.is_some() { "the last good content stays in force" } else { "it is ignored" };
                self.tell_once(log, &format!("{name}: {}; {then}", error.what));
                if !self.known.contains_key(&name) {
                    self.broken.insert(name, content);
                }
            }
        }
    }

    fn read(&self, name: &str, content: &Content, log: &Log) -> Result<FlameCluster> {
        let (mut flame, warnings) = checked(name, content, CheckArgs::default())?;
        for warning in warnings {
            log.write(None, &Entry::new(Level::Warning, "problem", warning.to_string()));
        }
        self.context.settle_namespace(&mut flame, Some(&self.default_namespace))?;
        Ok(flame)
    }

    fn changed(&mut self, name: String, content: Content, flame: FlameCluster, before: Option<FlameKey>, log: &Log) {
        let key = FlameKey::of(&flame);
        let other = self.known.iter().find(|(other, known)| **other != name && FlameKey::of(&known.flame) == key);
        if let Some((other, _)) = other {
            let what = format!("{name} is ignored: {other} names flame {key}, too");
            return self.tell_once(log, &what);
        }
        if let Some(before) = before.filter(|before| *before != key) {
            self.aims.push_back(Aim::Leave(before, format!("{name} names another flame now")));
        }
        log.info(format!("{name} changed"));
        self.told.clear();
        self.known.insert(name, Known { content, flame: flame.clone(), away: 0 });
        self.aims.push_back(Aim::Keep(Box::new(flame), None));
    }

    fn tell_once(&mut self, log: &Log, what: &str) {
        if self.told.insert(what.to_owned()) {
            log.trouble(None, what);
        }
    }
}

/// Returns the files that the sources stand for.
fn all(sources: &[Source]) -> Result<Vec<Source>> {
    let files: Result<Vec<Vec<Source>>> = sources.iter().map(files).collect();
    files.map(|files| files.into_iter().flatten().collect())
}

/// The recorded flames: whoever runs `up`, `scale` or `down` says what is desired.
pub struct Records {
    /// Only these, where there are any.
    names: BTreeSet<String>,
    aims: mpsc::UnboundedSender<Aim>,
    log: Log,
    /// What each record asked for last; none where the flame lives as an object, which is not kept here.
    known: HashMap<FlameKey, Option<String>>,
}

impl Records {
    /// Makes a source of the flames of these names, or of all.
    pub fn new(names: BTreeSet<String>, aims: mpsc::UnboundedSender<Aim>, log: &Log) -> Self {
        Self { names, aims, log: log.clone(), known: HashMap::new() }
    }

    /// Follows the records.
    pub async fn follow(mut self, mut news: mpsc::UnboundedReceiver<RecordNews>) {
        while let Some(news) = news.recv().await {
            match news {
                RecordNews::Seen(key, record) if self.names.is_empty() || self.names.contains(&key.name) => {
                    self.seen(key, &record);
                }
                RecordNews::Listed => self.tell_missing(),
                // Without a `down` it is put right like any other object.
                RecordNews::Seen(..) | RecordNews::Gone(_) => {}
                RecordNews::All(keys) => {
                    let lost: Vec<FlameKey> = self.known.keys().filter(|key| !keys.contains(key)).cloned().collect();
                    lost.into_iter().for_each(|key| self.leave(key, "its record is gone"));
                }
            }
        }
    }

    fn seen(&mut self, key: FlameKey, record: &ObservedConfigMap) {
        if record.is_going_down() {
            return self.leave(key, "it is taken down");
        }
        if record.meta.controller.is_some() {
            self.leave(key.clone(), "it lives as a FlameCluster object, which `watch --crd` keeps");
            self.known.insert(key, None);
            return;
        }
        let spec = record.meta.annotations.get(names::ANNOTATION_SPEC);
        let asked = self.known.get(&key).and_then(Option::as_ref);
        // A record without it was edited: whoever keeps the flame puts it back.
        let Some(spec) = spec.filter(|spec| asked != Some(*spec)).cloned() else { return };
        match from_record(&key.namespace, record) {
            Ok(flame) => {
                self.known.insert(key, Some(spec));
                let _ = self.aims.send(Aim::Keep(Box::new(flame), None));
            }
            Err(error) => self.log.trouble(Some(&key), error.what),
        }
    }

    /// Says what is waited for.
    fn tell_missing(&self) {
        for name in &self.names {
            let mut of_name = self.known.iter().filter(|(key, _)| key.name == *name).map(|(_, asked)| asked).peekable();
            if of_name.peek().is_none() {
                self.log.info(format!("there is no flame {name} yet; it is kept as soon as there is"));
            } else if of_name.all(Option::is_none) {
                self.log.info(format!("flame {name} lives as a FlameCluster object, which `watch --crd` keeps"));
            }
        }
        if self.names.is_empty() && self.known.is_empty() {
            self.log.info("there are no flames yet; they are kept as soon as there are");
        } else if self.names.is_empty() && self.known.values().all(Option::is_none) {
            let what = "all flames live as FlameCluster objects, which `watch --crd` keeps";
            self.log.info(format!("{what}; others are kept as soon as there are"));
        }
    }

    fn leave(&mut self, key: FlameKey, why: &str) {
        if self.known.remove(&key).flatten().is_some() {
            let _ = self.aims.send(Aim::Leave(key, why.to_owned()));
        }
    }
}
