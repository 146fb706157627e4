//! The status of FlameCluster objects: what is known of each flame, written when it changed and not more often than once a
//! second.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

use super::fleet::BACKOFF;
use super::time_of_day;
use crate::apiserver::ApiServer;
use crate::apiserver::objects::{FlameObject, Stored};
use crate::flame::conditions::{Standing, object_status, says};
use crate::flame::names::FlameKey;
use crate::flame::owner::Owner;
use crate::output::log::Log;

/// How long changes gather before the status is written: many Pods turn ready at once.
const GATHERS: Duration = Duration::from_millis(200);
/// Pause after a write.
const PAUSE: Duration = Duration::from_secs(1);

/// Where what is known of one flame goes.
#[derive(Clone)]
pub struct StatusSink(watch::Sender<Standing>);

impl StatusSink {
    /// Starts to keep the status of an object, for as long as somebody tells of it.
    pub fn start(api: &ApiServer, object: &FlameObject, log: &Log) -> Self {
        let first = Standing { generation: object.owner.generation, ..Standing::default() };
        let (sender, standings) = watch::channel(first);
        let writer = Writer {
            api: api.clone(),
            key: object.key.clone(),
            owner: object.owner.clone(),
            status: object.status.clone(),
            log: log.clone(),
        };
        tokio::spawn(writer.write(standings));
        Self(sender)
    }

    /// Takes in what changed.
    pub fn tell(&self, change: impl FnOnce(&mut Standing)) {
        self.0.send_if_modified(|standing| {
            let before = standing.clone();
            change(standing);
            *standing != before
        });
    }
}

struct Writer {
    api: ApiServer,
    key: FlameKey,
    owner: Owner,
    /// The status as it was written last, or found.
    status: Value,
    log: Log,
}

impl Writer {
    async fn write(mut self, mut standings: watch::Receiver<Standing>) {
        let mut pause = BACKOFF.0;
        let mut told = String::new();
        while standings.changed().await.is_ok() {
            loop {
                sleep(GATHERS).await;
                let standing = standings.borrow_and_update().clone();
                let wanted = object_status(&standing, &self.status, &time_of_day());
                if says(&self.status, &wanted) {
                    break;
                }
                match self.api.write_object_status(&self.key, &self.owner, &wanted).await {
                    Ok(Stored::Yes(_)) => {
                        self.status = wanted;
                        pause = BACKOFF.0;
                        told.clear();
                        sleep(PAUSE).await;
                        break;
                    }
                    // Whoever deleted it wants no status either.
                    Ok(Stored::Gone(_)) => return,
                    Ok(Stored::Busy(why, after)) => {
                        self.tell(&mut told, why);
                        sleep(after.unwrap_or(pause).max(pause)).await;
                    }
                    // A right that is missing may be given.
                    Ok(Stored::Refused(why)) => {
                        self.tell(&mut told, why);
                        sleep(BACKOFF.1).await;
                    }
                    // A merge takes no account of other owners, and one that cannot be made never can.
                    Ok(Stored::Conflict(_)) => return,
                    Err(error) => return self.tell(&mut told, error.what),
                }
                pause = (pause * 2).min(BACKOFF.1);
            }
        }
    }

    fn tell(&self, told: &mut String, why: String) {
        if *told != why {
            self.log.trouble(Some(&self.key), format!("its status was not written: {why}"));
            *told = why;
        }
    }
}
