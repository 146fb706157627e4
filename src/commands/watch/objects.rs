//! The FlameCluster objects on the server as the source of what is desired.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::fleet::{BACKOFF, Told};
use super::sources::Aim;
use crate::apiserver::ApiServer;
use crate::apiserver::objects::{FlameObject, ObjectList, ObjectNews};
use crate::commands::object::{NO_CRD, flame_of, told, why_refused};
use crate::flame::names::FlameKey;
use crate::output::log::{Entry, Level, Log};

/// The FlameCluster objects of a namespace, or of all.
pub struct Objects {
    api: ApiServer,
    namespace: Option<String>,
    aims: mpsc::UnboundedSender<Aim>,
    log: Log,
    /// Each object as it was last told.
    known: BTreeMap<FlameKey, Known>,
}

struct Known {
    uid: String,
    generation: i64,
    text: String,
}

impl Objects {
    /// Makes a source of them.
    pub fn new(api: &ApiServer, namespace: Option<String>, aims: mpsc::UnboundedSender<Aim>, log: &Log) -> Self {
        Self { api: api.clone(), namespace, aims, log: log.clone(), known: BTreeMap::new() }
    }

    /// Follows them for as long as somebody listens.
    pub async fn follow(mut self) {
        let list = self.first().await;
        let mut watch = self.api.watch_objects(self.namespace.as_deref(), &list.resource_version);
        if list.objects.is_empty() {
            self.log.info("there are no FlameClusters yet; they are kept as soon as there are");
        }
        self.all(list.objects);
        let mut is_told = false;
        while let Some(news) = watch.next().await {
            match news {
                ObjectNews::Seen(object) => self.seen(*object),
                ObjectNews::Deleted(object) => self.gone(&object.key, &object.owner.uid),
                ObjectNews::Relisted(objects) => self.all(objects),
                ObjectNews::Open if is_told => {
                    self.log.info("FlameClusters can be watched again");
                    is_told = false;
                }
                ObjectNews::Trouble(why) if !is_told => {
                    self.log.trouble(None, format!("FlameClusters cannot be watched: {why}"));
                    is_told = true;
                }
                ObjectNews::Open | ObjectNews::Trouble(_) => {}
            }
        }
    }

    /// Lists them, for as long as it takes; what is in the way is told once.
    async fn first(&self) -> ObjectList {
        let mut pause = BACKOFF.0;
        let mut told = String::new();
        loop {
            let why = match self.api.list_objects(self.namespace.as_deref(), &Told(&self.log)).await {
                Ok(Some(list)) => return list,
                Ok(None) => NO_CRD.to_owned(),
                Err(error) => error.what,
            };
            if told != why {
                self.log.trouble(None, &why);
                told = why;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(BACKOFF.1);
        }
    }

    fn all(&mut self, objects: Vec<FlameObject>) {
        let lost = self.known.iter().filter(|(key, _)| !objects.iter().any(|object| object.key == **key));
        let lost: Vec<(FlameKey, String)> = lost.map(|(key, known)| (key.clone(), known.uid.clone())).collect();
        lost.iter().for_each(|(key, uid)| self.gone(key, uid));
        objects.into_iter().for_each(|object| self.seen(object));
    }

    fn seen(&mut self, object: FlameObject) {
        let uid = object.owner.uid.clone();
        if self.known.get(&object.key).is_some_and(|known| known.uid != uid) {
            // Its deletion was not heard of.
            self.leave(&object.key, "its FlameCluster was deleted, and there is another one");
        }
        if object.terminating {
            return self.leave(&object.key, "its FlameCluster is being deleted");
        }
        let now = Known { uid, generation: object.owner.generation, text: object.text.clone() };
        let before = self.known.insert(object.key.clone(), now);
        let is_same = |known: Known| (known.generation, known.text) == (object.owner.generation, object.text.clone());
        // Nothing but the status changed, which is our own word.
        if before.is_some_and(is_same) {
            return;
        }
        let aim = match flame_of(&object) {
            Ok((flame, warnings)) => {
                for warning in warnings {
                    self.log.write(Some(&object.key), &Entry::new(Level::Warning, "problem", told(&warning)));
                }
                Aim::Keep(Box::new(flame), Some(Box::new(object)))
            }
            Err(error) => {
                let why = why_refused(&error);
                self.log.trouble(Some(&object.key), format!("not followed: {why}"));
                Aim::Refuse(Box::new(object), why)
            }
        };
        // Whoever does not listen any more is about to end.
        let _ = self.aims.send(aim);
    }

    fn gone(&mut self, key: &FlameKey, uid: &str) {
        if self.known.get(key).is_some_and(|known| known.uid == uid) {
            self.leave(key, "its FlameCluster was deleted");
        }
    }

    fn leave(&mut self, key: &FlameKey, why: &str) {
        if self.known.remove(key).is_some() {
            let _ = self.aims.send(Aim::Leave(key.clone(), why.to_owned()));
        }
    }
}
