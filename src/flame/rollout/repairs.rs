//! What a reconciler puts right: which field, from what to what, who changed it, and when it is being fought.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Action, Rollout, Time, Write};
use crate::flame::names::{Kind, ObjectRef};
use crate::flame::observed::Seconds;
use crate::flame::plan::{Drift, Why, drift};

/// How often one object is put right at once; then somebody keeps undoing it.
const PEACE: u32 = 5;
/// After so long without one, one repair is forgiven.
const FORGIVES: Duration = Duration::from_secs(60);
/// First pause of a fight, which doubles, and its ceiling.
const PAUSE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(300));

/// One repair of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// What was put right.
    pub object: ObjectRef,
    /// How.
    pub action: Action,
    /// Why.
    pub why: Vec<Why>,
    /// Which fields, from what to what; empty where the whole object was gone.
    pub drift: Vec<Drift>,
    /// The uid of what is there now, or of what was deleted.
    pub uid: String,
    /// Who wrote the object last besides flamectl and when, where the server tells.
    pub by: Option<(String, Option<Seconds>)>,
    /// How often it was put right lately, this time included.
    pub count: u32,
    /// From when it is put right only after a pause, as somebody keeps undoing it: how long the next pause is.
    pub pause: Option<Duration>,
}

/// What a write is about to put right, as of when it was sent: by the time it is answered, the watch may have shown what it
/// left, of which nobody else is a manager any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Which fields differ from what the write makes of them.
    drift: Vec<Drift>,
    /// Who wrote the object last besides flamectl and when, where something differs and the server tells.
    by: Option<(String, Option<Seconds>)>,
}

/// The repairs of one flame.
#[derive(Clone, Debug, Default)]
pub(super) struct Repairs {
    /// Whether the flame was as desired since the aim last changed: what differs now, somebody did.
    settled: bool,
    of: BTreeMap<ObjectRef, Lately>,
}

/// How often an object was put right lately, and from when it may be again.
#[derive(Clone, Copy, Debug, Default)]
struct Lately {
    count: u32,
    due: Time,
}

impl Repairs {
    /// Takes in that the flame is as desired.
    pub(super) fn settle(&mut self) {
        self.settled = true;
    }

    /// Takes in that something else is desired.
    pub(super) fn unsettle(&mut self) {
        *self = Self::default();
    }

    /// Tells whether an object may be put right now.
    pub(super) fn is_due(&self, object: &ObjectRef, now: Time) -> bool {
        self.of.get(object).is_none_or(|lately| now >= lately.due)
    }

    /// Returns when the next pause ends.
    pub(super) fn timers(&self) -> impl Iterator<Item = Time> {
        self.of.values().map(|lately| lately.due)
    }

    /// Takes in a repair; returns how many there were lately, and how long the next one waits.
    fn note(&mut self, object: &ObjectRef, now: Time) -> (u32, Option<Duration>) {
        let lately = self.of.entry(object.clone()).or_default();
        let forgiven = now.saturating_sub(lately.due).as_secs() / FORGIVES.as_secs();
        lately.count = lately.count.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX)) + 1;
        let beyond = lately.count.saturating_sub(PEACE);
        let pause = (beyond > 0).then(|| PAUSE.0.saturating_mul(1 << (beyond - 1).min(16)).min(PAUSE.1));
        lately.due = now + pause.unwrap_or_default();
        (lately.count, pause)
    }
}

impl Rollout {
    /// Returns the repair that a write was, once it worked, of what it [found](Rollout::found); none where it brings the flame
    /// to something new. `uid` is that of what the write left; none where nothing is left.
    pub fn repaired(&mut self, write: &Write, found: Found, uid: Option<&str>) -> Option<Repair> {
        // What is made in place of what was deleted is the end of the same repair.
        let is_end = write.action == Action::Create && write.why.contains(&Why::Terminating);
        if !self.options.persistent || !self.repairs.settled || is_end {
            return None;
        }
        let (count, pause) = self.repairs.note(&write.object, self.now);
        Some(Repair {
            object: write.object.clone(),
            action: write.action,
            why: write.why.clone(),
            drift: found.drift,
            uid: uid.map(str::to_owned).or_else(|| write.uid.clone()).unwrap_or_default(),
            by: found.by,
            count,
            pause,
        })
    }

    /// Returns what a write is about to put right; to be asked before it is sent.
    pub fn found(&self, write: &Write) -> Found {
        let is_change = matches!(write.action, Action::Update | Action::ReplacePorts | Action::Resize)
            || (write.action == Action::Delete && write.object.kind == Kind::Pod);
        let manifests = self.desired.manifests().filter(|_| self.options.persistent && is_change);
        let Some(manifests) = manifests else { return Found::default() };
        let drift = drift(manifests, &self.snapshot, &write.object);
        let manager = self.snapshot.meta(&write.object).and_then(|meta| meta.other_managers.last());
        let by = manager.filter(|_| !drift.is_empty()).map(|manager| (manager.name.clone(), manager.time));
        Found { drift, by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_fight_is_fought_more_and_more_slowly_and_forgiven_after_a_while() {
        let service = ObjectRef::new(Kind::Service, "demo-object-cache");
        let other = ObjectRef::new(Kind::Service, "demo-session-manager");
        let mut repairs = Repairs::default();
        let mut pauses = Vec::new();
        let mut now = at(0);
        for _ in 0..16 {
            assert!(repairs.is_due(&service, now));
            let (_, pause) = repairs.note(&service, now);
            pauses.push(pause.map_or(0, |pause| pause.as_secs()));
            now += pause.unwrap_or(at(1));
            assert_eq!(repairs.is_due(&service, now - Duration::from_millis(1)), pause.is_none(), "{now:?}");
        }
        assert_eq!(pauses, [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert!(repairs.is_due(&other, now));
        assert_eq!(repairs.note(&service, now + at(20 * 60)), (1, None));
    }

    #[test]
    fn what_goes_wrong_now_and_then_is_no_fight() {
        let pod = ObjectRef::new(Kind::Pod, "demo-executor-manager-0");
        let mut repairs = Repairs::default();
        let counts = (0..20).map(|hour| repairs.note(&pod, at(hour * 120)));
        assert!(counts.into_iter().all(|(count, pause)| count == 1 && pause.is_none()));
    }
}
