//! What a rollout is told: news, answers to reads, how writes ended.

use std::collections::HashSet;
use std::time::Duration;

use super::{Action, FieldConflict, Outcome, Refusal, Rollout, Time, Tries, Write};
use crate::error::Error;
use crate::flame::evidence::{Evidence, Inquiry, inquiries};
use crate::flame::names::{Kind, ObjectRef, PodIndex};
use crate::flame::observed::{Observed, ObservedMeta, ObservedPod};
use crate::flame::plan::Why;
use crate::flame::state::{self, Cause, CauseKind};

/// First pause after a failed request; doubles up to [`BACKOFF_MAX`].
pub(super) const BACKOFF_MIN: Duration = Duration::from_millis(250);
/// Longest pause after a failed request.
const BACKOFF_MAX: Duration = Duration::from_secs(8);
/// Tries of one write before a command gives up: with the pauses above, about half a minute.
pub(super) const MAX_TRIES: u32 = 8;
/// How long an `up` looks on after it took a flame over from a `down`: what that had in flight lands within this time.
const TAKE_OVER_SETTLES: Duration = Duration::from_secs(2);
/// Tries of a Pod whose predecessor a full quota may still count: with the pauses above, about eight seconds.
const QUOTA_TRIES: u32 = 5;
/// Longest pause before a Pod that keeps ending is made again.
const REPLACE_BACKOFF_MAX: Duration = Duration::from_secs(60);

impl Rollout {
    /// Takes in what time it is; it counts for everything that is told from now on.
    pub fn at(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// Returns which of the flame's Pods an object is, if it is one.
    pub(super) fn pod_index(&self, object: &ObjectRef) -> Option<PodIndex> {
        PodIndex::of(self.desired.name(), &object.name).filter(|_| object.kind == Kind::Pod)
    }

    /// Takes in an object as a watch, a list or an answer brought it; returns whether that may change what is to be done.
    pub fn seen(&mut self, observed: Observed) -> bool {
        if self.gone.contains(&observed.meta().uid) {
            return false;
        }
        let is_record = matches!(observed, Observed::ConfigMap(_));
        let object = observed.object();
        if !self.snapshot.insert(observed) {
            return false;
        }
        self.touch(&object);
        if is_record {
            self.note_record();
        }
        true
    }

    /// Takes in a DELETED event. An object that was not on its way out may only have lost the labels that the watch selects
    /// by, so it is read before anything is made in its place.
    pub fn deleted(&mut self, observed: &Observed) {
        let object = observed.object();
        let meta = observed.meta();
        self.snapshot.revision = self.snapshot.revision.max(meta.resource_version);
        let known = self.snapshot.meta(&object);
        if known.is_some_and(|known| known.uid != meta.uid) {
            return;
        }
        let was_terminating = meta.terminating || known.is_some_and(|known| known.terminating);
        self.snapshot.remove(&object, &meta.uid);
        self.touch(&object);
        if was_terminating {
            self.gone.insert(meta.uid.clone());
        } else {
            self.uncertain.insert(object);
        }
    }

    /// Takes in that news of the objects of a kind may have been missed: they are read again.
    pub fn doubt(&mut self, kind: Kind) {
        let known = self.snapshot.objects().map(|(object, _)| object).filter(|object| object.kind == kind);
        self.uncertain.extend(known);
    }

    /// Takes in a fresh list of all Pods with our labels; known Pods that are not in it are read one by one unless they were
    /// on their way out.
    pub fn relisted(&mut self, pods: Vec<Box<ObservedPod>>) {
        let listed: HashSet<&str> = pods.iter().map(|pod| pod.meta.uid.as_str()).collect();
        let missing: Vec<_> =
            self.snapshot.pods.values().filter(|pod| !listed.contains(pod.meta.uid.as_str())).cloned().collect();
        for pod in missing {
            self.deleted(&Observed::Pod(pod));
        }
        for pod in pods {
            self.seen(Observed::Pod(pod));
        }
    }

    /// Takes in the answer to a [`Step::Read`].
    pub fn read(&mut self, object: &ObjectRef, observed: Option<Observed>) {
        self.uncertain.remove(object);
        match observed {
            Some(observed) => {
                if self.snapshot.meta(object).is_some_and(|known| known.uid != observed.meta().uid) {
                    self.snapshot.forget(object);
                    self.touch(object);
                }
                self.seen(observed);
            }
            None => {
                // Something was seen of it, or may have been made of it unseen.
                self.had_objects = true;
                if let Some(meta) = self.snapshot.meta(object) {
                    self.gone.insert(meta.uid.clone());
                }
                self.snapshot.forget(object);
                self.touch(object);
            }
        }
    }

    /// Returns what to ask about Pods that are not ready.
    pub fn inquiries(&self) -> Vec<Inquiry> {
        self.assessed().map(|verdict| inquiries(&verdict.causes, &self.snapshot)).unwrap_or_default()
    }

    /// Takes in the answers to an [`Inquiry`].
    pub fn learned(&mut self, uid: String, evidence: Evidence) {
        self.snapshot.learned([(uid, evidence)]);
        self.known.reconsider();
    }

    /// Tells whether nothing more should be begun: the time is up, or an answer ended it.
    pub fn is_late(&self, now: Time) -> bool {
        self.stop.is_some() || self.options.timeout.is_some_and(|timeout| now >= timeout)
    }

    /// Takes in that a read did not work; it is tried again later.
    pub fn unread(&mut self, object: &ObjectRef, why: &str, now: Time) {
        self.at(now);
        self.failed(object, why, None, now);
    }

    /// Takes in that the watch does not tell news, and why, or that it does again.
    pub fn watch_trouble(&mut self, why: Option<String>) {
        self.watch_trouble = why;
    }

    /// Takes in how a [`Write`] ended.
    pub fn wrote(&mut self, write: &Write, outcome: Outcome, now: Time) {
        self.at(now);
        match outcome {
            Outcome::Created(observed) => self.done(write, observed, now),
            Outcome::Changed(observed) => self.done(write, observed, now),
            Outcome::Made(made) => self.done(write, Observed::Pod(Box::new(self.as_sent(*made))), now),
            Outcome::Leaving(meta) => self.done(write, Observed::Pod(Box::new(self.with_meta(*meta))), now),
            Outcome::Gone => {
                self.note_ended(write, now);
                self.tries.remove(&write.object);
                let uid = write.uid.clone().unwrap_or_default();
                self.snapshot.remove(&write.object, &uid);
                self.touch(&write.object);
                self.gone.insert(uid);
            }
            Outcome::Mismatch => self.mismatch(write),
            // Whoever owns fields of what was to be made has made it: it is theirs, or it is adopted after a look.
            Outcome::Conflict(_) if write.action == Action::Create => self.mismatch(write),
            Outcome::Conflict(conflicts) => self.conflicts(write, &conflicts),
            Outcome::Refused(_) if self.is_of_resize(write) => {
                self.no_resize = true;
                self.known.forget();
            }
            Outcome::Refused(refusal) if write.is_pod_update() && refusal.reason == "Invalid" => {
                self.restart.insert(write.uid.clone().unwrap_or_default(), Why::NotInPlace);
                self.touch(&write.object);
            }
            Outcome::Refused(refusal) if self.may_settle(write, &refusal) => {
                self.failed(&write.object, &refusal.message, None, now);
            }
            Outcome::Refused(refusal) => self.refused(write, &refusal, now),
            Outcome::Busy(why, after) => self.failed(&write.object, &why, after, now),
            Outcome::Unknown(why) => {
                self.uncertain.insert(write.object.clone());
                self.failed(&write.object, &why, None, now);
            }
        }
    }

    /// What is there under this name is not what was thought, so it is read before it is touched.
    fn mismatch(&mut self, write: &Write) {
        self.uncertain.insert(write.object.clone());
        if let Some(pod) = self.pod_index(&write.object) {
            self.timeline.not_made(pod);
        }
    }

    /// Tells whether a write changes resources in place; the one after the resize is refused where a resource was dropped,
    /// as the resize leaves that where it is.
    fn is_of_resize(&self, write: &Write) -> bool {
        let resized = write.uid.as_ref().is_some_and(|uid| self.resized.contains(uid));
        write.action == Action::Resize || (resized && write.why.contains(&Why::Resources))
    }

    /// Tells whether a quota may only be full because the server has not yet counted out what went a moment ago.
    fn may_settle(&self, write: &Write, refusal: &Refusal) -> bool {
        let tried = self.tries.get(&write.object).map_or(0, |tries| tries.failed);
        let is_full = write.action == Action::Create && refusal.message.starts_with("exceeded quota");
        is_full && !self.gone.is_empty() && tried < QUOTA_TRIES
    }

    /// Returns the Pod as it is known with this metadata, which is all that is new of it.
    fn with_meta(&self, meta: ObservedMeta) -> ObservedPod {
        let known = self.snapshot.pod(&meta.name).filter(|known| known.meta.uid == meta.uid);
        ObservedPod { meta, ..known.cloned().unwrap_or_default() }
    }

    fn done(&mut self, write: &Write, observed: Observed, now: Time) {
        if write.action == Action::Resize {
            self.resized.insert(observed.meta().uid.clone());
        }
        self.note_ended(write, now);
        self.note_take_over(write, now);
        if let (Action::Create, Some(pod)) = (write.action, self.pod_index(&write.object)) {
            self.timeline.applied(pod, now);
        }
        self.tries.remove(&write.object);
        if self.snapshot.trouble.remove(&write.object).is_some() {
            self.known.reconsider();
        }
        if write.action == Action::Delete && !observed.meta().terminating {
            self.gone.insert(observed.meta().uid.clone());
            self.snapshot.remove(&write.object, &observed.meta().uid);
            self.touch(&write.object);
        } else if !self.is_told(write, &observed) {
            self.seen(observed);
        }
    }

    /// Tells whether the watch was faster with what was made: it tells all of it, an answer maybe no more than what was sent.
    fn is_told(&self, write: &Write, made: &Observed) -> bool {
        let known = self.snapshot.meta(&write.object);
        write.action == Action::Create && known.is_some_and(|known| known.uid == made.meta().uid)
    }

    /// Notes that the record said "going down" until this write: whoever was at it may have begun to delete what the snapshot
    /// still shows.
    fn note_take_over(&mut self, write: &Write, now: Time) {
        let name = self.desired.name();
        let was_going = self.snapshot.record(name).is_some_and(|record| record.is_going_down());
        if was_going && write.object.kind == Kind::ConfigMap && self.desired.manifests().is_some() {
            self.taken_over_until = Some(now + TAKE_OVER_SETTLES);
        }
    }

    /// A Pod that keeps ending comes back later and later.
    fn note_ended(&mut self, write: &Write, now: Time) {
        if write.action == Action::Delete && write.why.iter().any(|why| matches!(why, Why::Over(_))) {
            let ended = self.ended.entry(write.object.clone()).or_default();
            let pause = match ended.failed {
                0 => Duration::ZERO,
                times => Duration::from_secs(1).saturating_mul(1 << times.min(6)).min(REPLACE_BACKOFF_MAX),
            };
            *ended = Tries { failed: ended.failed + 1, not_before: now + pause, force: false };
        }
    }

    /// What somebody edited is put right; what another applier claims is refused (design: rules 1 and 2).
    fn conflicts(&mut self, write: &Write, conflicts: &[FieldConflict]) {
        let claimed: Vec<&FieldConflict> = conflicts.iter().filter(|conflict| conflict.is_claimed()).collect();
        if claimed.is_empty() || self.options.force_conflicts {
            self.tries.entry(write.object.clone()).or_default().force = true;
            return;
        }
        let fields: Vec<String> =
            claimed.iter().map(|it| format!("  {} is owned by {}", it.field, it.manager)).collect();
        self.stop = Some(
            Error::refused(format!(
                "{} was not changed: another tool owns fields of it\n{}",
                write.object,
                fields.join("\n")
            ))
            .hint("take the fields: run again with --force-conflicts")
            .hint("leave them: write the same values into the FlameCluster")
            .hint("or let the other tool give them up, by removing them from what it applies"),
        );
    }

    fn refused(&mut self, write: &Write, refusal: &Refusal, now: Time) {
        if self.options.persistent {
            self.failed(&write.object, &refusal.message, None, now);
            return;
        }
        let quota = state::quota(&refusal.message);
        let why = quota.as_ref().unwrap_or(&refusal.message);
        let mut error = Error::server(format!("{} was not {}: {why}", write.object, write.action));
        if let Some(hint) = &refusal.hint {
            error = error.hint(hint);
        }
        if let (Some(_), Some(manifests)) = (quota, self.desired.manifests()) {
            error = error.hint(format!("kubectl describe quota -n {} shows it", manifests.flame.namespace()));
        }
        self.stop.get_or_insert(error);
    }

    /// Says how far it got, where some Pods of many were refused.
    pub(super) fn with_count(&self, mut error: Error) -> Error {
        if let Some(present) = self.assessed() {
            let replicas = present.status.executor_manager.replicas;
            let is_missing = |cause: &&Cause| matches!(cause.kind, CauseKind::NotCreated | CauseKind::Refused);
            let missing: usize = present.causes.iter().filter(is_missing).map(|cause| cause.indices.len()).sum();
            if missing > 0 && (missing as u32) < replicas {
                let made = replicas - missing as u32;
                error
                    .what
                    .push_str(&format!("\n{made} of {replicas} executors exist and stay; nothing needs cleaning up"));
            }
        }
        error
    }

    fn failed(&mut self, object: &ObjectRef, why: &str, after: Option<Duration>, now: Time) {
        self.snapshot.trouble.insert(object.clone(), why.to_owned());
        self.known.reconsider();
        let tries = self.tries.entry(object.clone()).or_default();
        tries.failed += 1;
        let backoff = BACKOFF_MIN.saturating_mul(1 << (tries.failed - 1).min(10)).min(BACKOFF_MAX);
        tries.not_before = now + after.unwrap_or(backoff);
        // A server that says when to come back is throttling, not broken; only the command's timeout ends that.
        if after.is_none() && tries.failed >= MAX_TRIES && !self.options.persistent {
            let error = Error::server(format!("gave up on {object} after {MAX_TRIES} tries: {why}"));
            self.stop.get_or_insert(error.hint("run the same command again; nothing needs cleaning up"));
        }
    }
}
