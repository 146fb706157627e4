//! Executors that ended because there was no session manager, and wait for their node to start them again although there is one
//! by now. A node waits longer each time, up to minutes; a new Pod takes seconds, and nothing is lost with the old one.

use std::collections::BTreeSet;

use super::{Rollout, Why};
use crate::flame::names::{self, Kind, ObjectRef};
use crate::flame::observed::{ObservedPod, Ownership, Seconds};

impl Rollout {
    /// Marks them to be made anew, and takes the mark from those that came back by themselves: of the touched ones, and of all
    /// where another session manager is ready. Returns those whose mark changed.
    pub(super) fn note_stranded(&mut self, touched: &BTreeSet<ObjectRef>) -> Vec<ObjectRef> {
        let since = self.desired.manifests().and_then(|_| self.session_manager_ready_since());
        let is_another = std::mem::replace(&mut self.known.ready_since, since) != since;
        let name = self.desired.name();
        let executors = self.sightings.unready().iter().filter(|_| is_another);
        let executors: Vec<_> =
            executors.map(|index| ObjectRef::new(Kind::Pod, names::executor_manager(name, *index))).collect();
        let all = touched.iter().filter(|object| object.kind == Kind::Pod).chain(&executors);
        all.filter(|object| self.mark(&object.name, since)).cloned().collect()
    }

    /// Looks whether one Pod is stranded; returns whether that is new.
    fn mark(&mut self, pod: &str, since: Option<Seconds>) -> bool {
        let name = self.desired.name();
        let Some(pod) = self.snapshot.pod(pod) else { return false };
        let is_marked = self.restart.get(&pod.meta.uid) == Some(&Why::Stranded);
        // The cheap question first: of ten thousand Pods hardly any is.
        let is_stranded = since.is_some_and(|since| is_stranded(pod, since))
            && names::executor_index(name, &pod.meta.name).is_some()
            && pod.meta.ownership(name) == Ownership::Ours;
        match (is_marked, is_stranded) {
            (true, false) => self.restart.remove(&pod.meta.uid).is_some(),
            (false, true) if !self.restart.contains_key(&pod.meta.uid) => {
                self.restart.insert(pod.meta.uid.clone(), Why::Stranded).is_none()
            }
            _ => false,
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
