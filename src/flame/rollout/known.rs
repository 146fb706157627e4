//! What follows from what was seen, kept up to date for the objects that news were about, so that one event among ten
//! thousand Pods costs no walk over all of them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Rollout;
use crate::flame::names::{self, Kind, ObjectRef};
use crate::flame::observed::{Ownership, Seconds};
use crate::flame::plan::{self, Plan, PlanOptions};
use crate::flame::state::{self, Verdict, verdict_among};

/// What was worked out, and what it has to be worked out again for.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// What has to change, but for what was touched since.
    pub plan: Plan,
    /// Objects that something was heard of since the plan was brought up to date.
    touched: BTreeSet<ObjectRef>,
    /// Whether the plan is about this aim and these options at all.
    is_current: bool,
    /// Objects on their way out that no watch tells about: Services, the record, and Pods without the label that the watch
    /// selects by, because they were a stranger's or somebody took it off.
    pub unwatched: BTreeSet<ObjectRef>,
    /// Since when the session manager was ready when executors were last looked at for it.
    pub ready_since: Option<Seconds>,
    /// The verdict of a moment; none where something was heard since.
    verdict: Option<(Seconds, Box<Verdict>)>,
}

impl Known {
    /// Takes in that another plan is needed.
    pub fn forget(&mut self) {
        self.is_current = false;
        self.verdict = None;
    }

    /// Takes in that something was heard that no object shows, as why a request did not work.
    pub fn reconsider(&mut self) {
        self.verdict = None;
    }
}

impl Rollout {
    /// Takes in that something was heard of an object, which the snapshot shows already.
    pub(super) fn touch(&mut self, object: &ObjectRef) {
        self.known.verdict = None;
        self.known.touched.insert(object.clone());
        let flame = self.desired.name();
        let is_watched =
            |labels: Option<&String>| object.kind == Kind::Pod && labels.is_some_and(|label| label == flame);
        let meta = self.snapshot.meta(object);
        match meta.is_some_and(|meta| meta.terminating && !is_watched(meta.labels.get(names::LABEL_CLUSTER))) {
            true => self.known.unwatched.insert(object.clone()),
            false => self.known.unwatched.remove(object),
        };
        let Some(index) = self.pod_index(object) else { return };
        let pod = self.snapshot.pod(&object.name).filter(|pod| pod.meta.ownership(flame) == Ownership::Ours);
        self.sightings.note(index, pod, self.now);
        if let Some(pod) = pod {
            self.timeline.seen(index, pod, self.now);
        }
    }

    /// Brings the plan up to date.
    pub(super) fn refresh(&mut self) {
        let touched = std::mem::take(&mut self.known.touched);
        let marked = self.note_stranded(&touched);
        let options = PlanOptions { adopt: self.options.adopt, no_resize: self.no_resize, restart: &self.restart };
        if self.known.is_current {
            let objects = touched.into_iter().chain(marked);
            plan::update(&mut self.known.plan, &self.desired, &self.snapshot, options, objects);
            debug_assert_eq!(self.known.plan, plan::plan(&self.desired, &self.snapshot, options));
        } else {
            self.known.plan = plan::plan(&self.desired, &self.snapshot, options);
            self.known.is_current = true;
        }
    }

    /// Returns what has to change, as of the last step.
    pub fn plan(&self) -> &Plan {
        &self.known.plan
    }

    /// Returns the verdict at the time of the newest step; none for `down`.
    pub fn verdict(&self) -> Option<Verdict> {
        self.assessed().map(Cow::into_owned)
    }

    /// Works the verdict out, for several to look at.
    pub(super) fn assess(&mut self) {
        self.known.verdict = self.assessed().map(|verdict| (self.moment(), Box::new(verdict.into_owned())));
        debug_assert_eq!(
            self.verdict(),
            self.desired.manifests().map(|it| state::verdict(&it.flame, &self.snapshot, self.moment()))
        );
    }

    /// Returns the verdict of this moment, worked out now where that was not done before.
    pub(super) fn assessed(&self) -> Option<Cow<'_, Verdict>> {
        let manifests = self.desired.manifests()?;
        let now = self.moment();
        Some(match &self.known.verdict {
            Some((moment, verdict)) if *moment == now => Cow::Borrowed(verdict),
            _ => Cow::Owned(verdict_among(&manifests.flame, &self.snapshot, self.sightings.unready(), now)),
        })
    }
}
