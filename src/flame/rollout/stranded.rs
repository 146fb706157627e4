//! Executors that ended because there was no session manager, and wait for their node to start them again although there is one
//! by now. A node waits longer each time, up to minutes; a new Pod takes seconds, and nothing is lost with the old one.

use super::{Rollout, Why};
use crate::flame::names;
use crate::flame::observed::{ObservedPod, Ownership, Seconds};

impl Rollout {
    /// Marks them to be made anew, and takes the mark from those that came back by themselves.
    pub(super) fn note_stranded(&mut self) {
        let ready_since = self.desired.manifests().and_then(|_| self.session_manager_ready_since());
        let name = self.desired.name();
        self.restart.retain(|_, why| *why != Why::Stranded);
        let Some(since) = ready_since else { return };
        // The cheap question first: of ten thousand Pods hardly any is.
        for pod in self.snapshot.pods.values().filter(|pod| is_stranded(pod, since)) {
            if names::executor_index(name, &pod.meta.name).is_some() && pod.meta.ownership(name) == Ownership::Ours {
                self.restart.entry(pod.meta.uid.clone()).or_insert(Why::Stranded);
            }
        }
    }

    fn session_manager_ready_since(&self) -> Option<Seconds> {
        let pod = self.own_session_manager().filter(|pod| pod.is_ready())?;
        pod.conditions.ready.as_ref()?.since
    }
}

/// Tells whether a Pod waits for its node since before `since`. Times are whole seconds: one that ended in the very second may
/// be made anew without need, once.
fn is_stranded(pod: &ObservedPod, since: Seconds) -> bool {
    let ended = pod.ended.as_ref().and_then(|ended| ended.finished_at);
    !pod.meta.terminating
        && pod.other_container.is_none()
        && pod.waiting_reason.as_deref() == Some("CrashLoopBackOff")
        && ended.is_some_and(|ended| ended <= since)
}
