//! `logs --follow`: the logs of all Pods as they come, those of Pods that are made meanwhile included.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use super::{Logs, options};
use crate::apiserver::logs::{LogEnd, LogNews, LogOptions, LogSender, Reading, channel};
use crate::apiserver::read::{PodList, flame_selector};
use crate::apiserver::watch::News;
use crate::commands::work::interrupts;
use crate::error::{ErrorKind, Result};
use crate::flame::logs::{chosen, label, not_started};
use crate::flame::names::Kind;
use crate::flame::observed::{Observed, ObservedPod};

/// How long the log of a Pod that is gone is read on: its last lines may be on their way.
const DRAINS: Duration = Duration::from_secs(2);

impl Logs<'_> {
    /// Prints logs as they come until nobody reads them or somebody interrupts it.
    pub async fn follow(&self, listed: &PodList) -> Result<u8> {
        let mut interrupted = interrupts(self.context);
        let selector = flame_selector(&self.args.name);
        let mut watch = self.api.watch(self.namespace, &[Kind::Pod], &selector, &listed.resource_version);
        let (sender, mut news) = channel();
        let mut following = Following::new(self, listed, sender);
        loop {
            if std::mem::take(&mut following.is_changed) {
                following.start();
            }
            tokio::select! {
                Some((uid, news)) = news.recv() => {
                    if !following.take(&uid, news)? {
                        return Ok(0);
                    }
                }
                Some(news) = watch.next() => following.note(news),
                _ = interrupted.changed() => return Ok(ErrorKind::Interrupted.exit_code()),
            }
        }
    }
}

/// The Pods that are followed, and those that are not.
struct Following<'a> {
    logs: &'a Logs<'a>,
    pods: BTreeMap<String, ObservedPod>,
    readings: HashMap<String, Reading>,
    /// What stands before the lines of a Pod, by its uid.
    labels: HashMap<String, String>,
    /// Pods whose logs are read to the end, by their uid.
    ended: HashSet<String>,
    /// The Pods of the beginning, by their uid: those that come later are read from their first line.
    first: HashSet<String>,
    options: LogOptions,
    sender: LogSender,
    told: HashSet<String>,
    /// Whether there may be something to start.
    is_changed: bool,
}

impl<'a> Following<'a> {
    fn new(logs: &'a Logs<'a>, listed: &PodList, sender: LogSender) -> Self {
        let pods = chosen(&logs.args.name, logs.args.target.as_ref(), listed.pods.iter().map(|pod| &**pod));
        logs.started(pods.iter().copied());
        Self {
            logs,
            pods: listed.pods.iter().map(|pod| (pod.meta.name.clone(), (**pod).clone())).collect(),
            readings: HashMap::new(),
            labels: HashMap::new(),
            ended: HashSet::new(),
            first: listed.pods.iter().map(|pod| pod.meta.uid.clone()).collect(),
            options: options(logs.args, pods.len()),
            sender,
            told: HashSet::new(),
            is_changed: true,
        }
    }

    /// Begins to follow what is not followed yet, as far as there may be more streams.
    fn start(&mut self) {
        let Logs { api, namespace, args, .. } = *self.logs;
        let mut left_out = Vec::new();
        for pod in chosen(&args.name, args.target.as_ref(), self.pods.values()) {
            let uid = &pod.meta.uid;
            if self.readings.contains_key(uid) || self.ended.contains(uid) || not_started(pod).is_some() {
                continue;
            }
            if self.readings.len() >= args.max_log_requests as usize {
                left_out.push(pod.meta.name.as_str());
                continue;
            }
            let options = match self.first.contains(uid) {
                true => self.options.clone(),
                false => LogOptions { follow: true, ..Default::default() },
            };
            self.labels.insert(uid.clone(), label(&args.name, &pod.meta.name).to_owned());
            self.readings.insert(uid.clone(), api.read_log(namespace, pod, &options, self.sender.clone()));
        }
        if !left_out.is_empty() {
            let pods = match self.readings.len() {
                1 => "1 Pod".to_owned(),
                many => format!("{many} Pods"),
            };
            let what = format!("following {pods}; not followed: {}", self.logs.who(&left_out));
            if self.told.insert(what.clone()) {
                let printer = self.logs.context.printer;
                printer.warning(&what);
                printer.hint("--max-log-requests N follows more");
            }
        }
    }

    /// Takes in what a log tells, and says whether somebody still reads it.
    fn take(&mut self, uid: &str, news: LogNews) -> Result<bool> {
        match news {
            LogNews::Lines(lines) => return self.logs.print(self.label(uid), &lines),
            LogNews::NotYet(why) => self.tell(uid, &why),
            LogNews::End(end) => {
                self.readings.remove(uid);
                self.ended.insert(uid.to_owned());
                self.is_changed = true;
                match end {
                    LogEnd::Refused(error) => return Err(error),
                    LogEnd::Broken(why) => self.tell(uid, &why),
                    LogEnd::Whole | LogEnd::None(_) => self.logs.context.printer.detail(&self.line(uid, "no more")),
                }
            }
        }
        Ok(true)
    }

    /// Takes in which Pods there are.
    fn note(&mut self, news: News) {
        self.is_changed = true;
        match news {
            News::Seen(Observed::Pod(pod)) => self.seen(*pod),
            News::Deleted(Observed::Pod(pod)) => {
                self.gone(&pod.meta.uid);
                if self.pods.get(&pod.meta.name).is_some_and(|known| known.meta.uid == pod.meta.uid) {
                    self.pods.remove(&pod.meta.name);
                }
            }
            News::Relisted(pods) => {
                let uids: HashSet<&str> = pods.iter().map(|pod| pod.meta.uid.as_str()).collect();
                let is_lost = |pod: &&ObservedPod| !uids.contains(pod.meta.uid.as_str());
                let lost: Vec<ObservedPod> = self.pods.values().filter(is_lost).cloned().collect();
                for pod in lost {
                    self.gone(&pod.meta.uid);
                    self.pods.remove(&pod.meta.name);
                }
                pods.into_iter().for_each(|pod| self.seen(*pod));
            }
            News::Trouble(why) => self.say(format!("new Pods are not seen: {why}")),
            News::Seen(_) | News::Deleted(_) | News::Forgotten(_) => {}
        }
    }

    fn seen(&mut self, pod: ObservedPod) {
        let known = self.pods.insert(pod.meta.name.clone(), pod);
        let now = known.as_ref().and_then(|known| self.pods.get(&known.meta.name));
        if let (Some(known), Some(now)) = (&known, now)
            && known.meta.uid != now.meta.uid
        {
            self.gone(&known.meta.uid);
        }
    }

    fn gone(&mut self, uid: &str) {
        if let Some(reading) = self.readings.remove(uid) {
            reading.end_after(DRAINS);
        }
    }

    fn label(&self, uid: &str) -> &str {
        self.labels.get(uid).map_or("", String::as_str)
    }

    fn line(&self, uid: &str, text: &str) -> String {
        format!("{}: {text}", self.label(uid))
    }

    fn tell(&mut self, uid: &str, why: &str) {
        self.say(self.line(uid, why));
    }

    /// Says something once.
    fn say(&mut self, what: String) {
        if self.told.insert(what.clone()) {
            self.logs.context.printer.line(&what);
        }
    }
}
