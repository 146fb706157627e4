//! Whether this process works, or stands by until the one that does is gone (`--leader-elect`).

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::monitor::Monitor;
use crate::apiserver::ApiServer;
use crate::apiserver::lease::{Election, ElectionNews, Fence, LeaseRef};
use crate::cli::WatchArgs;
use crate::commands::Context;
use crate::output::log::{Entry, Level, Log};

/// Where this process stands among those that could do its work.
pub struct Post {
    /// None where it works in any case.
    election: Option<Election>,
    fence: Option<Arc<Fence>>,
}

impl Post {
    /// Begins to stand by where that is asked for.
    pub fn new(context: &Context<'_>, args: &WatchArgs, api: &ApiServer, log: &Log, monitor: &Arc<Monitor>) -> Self {
        let election = args.leader_elect.then(|| {
            let namespace = args.lease.namespace.clone().unwrap_or_else(|| context.namespace(api));
            let lease = LeaseRef { namespace, name: args.lease.name.clone(), identity: identity() };
            let (log, monitor) = (log.clone(), Arc::clone(monitor));
            Election::start(api, lease, move |news| {
                monitor.election(&news);
                tell(&log, news);
            })
        });
        Self { election, fence: None }
    }

    /// Waits until this process may work, and returns the server as it may write to then. Cancel-safe.
    pub async fn lead(&mut self, api: &ApiServer) -> ApiServer {
        let Some(election) = &mut self.election else { return api.clone() };
        let fence = election.leads().await;
        self.fence = Some(Arc::clone(&fence));
        api.fenced(fence)
    }

    /// Waits until this process may work no longer.
    pub async fn lost(&self) {
        match &self.fence {
            Some(fence) => fence.closed().await,
            None => std::future::pending().await,
        }
    }

    /// Leaves the work to others, so that they need not wait until the Lease expires.
    pub async fn leave(self) {
        if let Some(election) = self.election {
            election.resign().await;
        }
    }
}

fn tell(log: &Log, news: ElectionNews) {
    let (level, message) = match news {
        ElectionNews::StandsBy(Some(leader)) => (Level::Info, format!("standing by; {leader} leads")),
        ElectionNews::StandsBy(None) => (Level::Info, "standing by; nobody leads yet".to_owned()),
        ElectionNews::Leads => (Level::Info, "leading".to_owned()),
        ElectionNews::Lost(why) => (Level::Warning, format!("no longer leading: {why}")),
        ElectionNews::Trouble(why) => (Level::Error, why),
        ElectionNews::Well => return,
    };
    log.write(None, &Entry::new(level, "election", message));
}

/// Returns a name for this process that no other has: neither one on a host of the same name, nor the one that ran in its
/// container before.
fn identity() -> String {
    format!("{}_{:016x}", host(), RandomState::new().hash_one(std::process::id()))
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    "flamectl".to_owned()
}
