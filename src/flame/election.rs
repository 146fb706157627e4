//! Which of several alike processes works: (what was seen of a Lease, and when) → what to ask the server for.
//!
//! Pure. How long a Lease has not changed is judged by the own monotonic clock alone; the times that stand in it are for
//! people and never compared (faults F37), so that clocks may differ and jump. A change is asked for with the
//! `resourceVersion` that was seen: of several who try only one succeeds. A Lease is no fence: who slept with a request in
//! hand may wake after it. What such a request still meets are the uid and `resourceVersion` that it was made for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rollout::Time;

/// How long a Lease may stay unchanged before another takes it.
pub const LEASE: Duration = Duration::from_secs(12);
/// How long a leader works on without having renewed it: well before another may take it.
pub const DEADLINE: Duration = Duration::from_secs(8);
/// How often a leader renews it.
pub const RENEW: Duration = Duration::from_secs(2);
/// How often the others look at it: a takeover takes [`LEASE`] and this at most.
pub const LOOK: Duration = Duration::from_secs(1);

/// The `spec` of a Lease.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LeaseSpec {
    /// Who leads; nobody where it is empty.
    pub holder_identity: Option<String>,
    /// How long the holder has without renewing it.
    pub lease_duration_seconds: Option<u32>,
    /// Since when the holder has it, by the holder's clock.
    pub acquire_time: Option<String>,
    /// When it was renewed, by the holder's clock.
    pub renew_time: Option<String>,
    /// How often it changed hands.
    pub lease_transitions: Option<u32>,
}

impl LeaseSpec {
    fn holder(&self) -> &str {
        self.holder_identity.as_deref().unwrap_or_default()
    }
}

/// A Lease as the server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedLease {
    /// Who holds it.
    pub spec: LeaseSpec,
    /// Its version.
    pub resource_version: String,
}

/// A change of the Lease to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it is to say.
    pub spec: LeaseSpec,
    /// The version that is to be changed; none where it is to be created.
    pub resource_version: Option<String>,
}

/// One of those who may lead.
#[derive(Clone, Debug)]
pub struct Candidate {
    identity: String,
    /// The Lease as it was seen last, and since when it is like that.
    seen: Option<(ObservedLease, Time)>,
    /// Whether the Lease was gone when it was looked for last.
    is_gone: bool,
    leads_until: Option<Time>,
}

impl Candidate {
    /// Makes one that has seen nothing yet; no two may have the same identity.
    pub fn new(identity: impl Into<String>) -> Self {
        Self { identity: identity.into(), seen: None, is_gone: false, leads_until: None }
    }

    /// Takes in what was read.
    pub fn saw(&mut self, lease: Option<ObservedLease>, now: Time) {
        self.is_gone = lease.is_none();
        let Some(lease) = lease else { return };
        // Only the holder changes the spec; a label that somebody sets is no sign of life.
        let since = self.seen.as_ref().filter(|(seen, _)| seen.spec == lease.spec).map_or(now, |(_, since)| *since);
        self.seen = Some((lease, since));
    }

    /// Takes in what the server made of a claim that was sent at `sent`.
    pub fn won(&mut self, lease: ObservedLease, sent: Time) {
        self.is_gone = false;
        self.seen = Some((lease, sent));
        self.leads_until = Some(sent + DEADLINE);
    }

    /// Takes in that it leads no longer.
    pub fn lost(&mut self) {
        self.leads_until = None;
    }

    /// Returns until when it may work unless it renews the Lease.
    pub fn leads_until(&self) -> Option<Time> {
        self.leads_until
    }

    /// Returns who else holds the Lease; none where nobody does, or it does itself.
    pub fn other_holder(&self) -> Option<&str> {
        let holder = self.seen.as_ref().map(|(seen, _)| seen.spec.holder())?;
        (!holder.is_empty() && holder != self.identity).then_some(holder)
    }

    /// Returns from when it may ask for the Lease. One that is gone may have been deleted under a holder that works on until
    /// it notices.
    pub fn may_claim_at(&self) -> Time {
        match (&self.seen, self.other_holder()) {
            (Some((seen, since)), Some(_)) => {
                let seconds = seen.spec.lease_duration_seconds.unwrap_or_default().max(1);
                *since + Duration::from_secs(seconds.into())
            }
            _ => Time::ZERO,
        }
    }

    /// Returns what to ask for to lead from now on, or to go on leading; `moment` is the time by the clock on the wall.
    pub fn claim(&self, moment: &str) -> Claim {
        let seen = self.seen.as_ref().map(|(seen, _)| seen);
        let before = seen.map(|seen| seen.spec.clone()).unwrap_or_default();
        let is_mine = before.holder() == self.identity;
        let transitions = before.lease_transitions.unwrap_or_default();
        let changes_hands = u32::from(!is_mine && seen.is_some());
        let spec = LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(LEASE.as_secs() as u32),
            acquire_time: before.acquire_time.filter(|_| is_mine).or_else(|| Some(moment.to_owned())),
            renew_time: Some(moment.to_owned()),
            lease_transitions: Some(transitions.saturating_add(changes_hands)),
        };
        self.change(spec)
    }

    /// Returns what to ask for so that another can lead at once; none where it does not hold the Lease.
    pub fn release(&self, moment: &str) -> Option<Claim> {
        let (seen, _) = self.seen.as_ref().filter(|(seen, _)| seen.spec.holder() == self.identity && !self.is_gone)?;
        let (holder, moment) = (Some(String::new()), Some(moment.to_owned()));
        let spec = LeaseSpec {
            holder_identity: holder,
            lease_duration_seconds: Some(1),
            acquire_time: moment.clone(),
            renew_time: moment,
            lease_transitions: seen.spec.lease_transitions,
        };
        Some(self.change(spec))
    }

    fn change(&self, spec: LeaseSpec) -> Claim {
        let seen = self.seen.as_ref().filter(|_| !self.is_gone);
        Claim { spec, resource_version: seen.map(|(seen, _)| seen.resource_version.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server with one Lease, which only takes changes of what it has.
    #[derive(Default)]
    struct Server {
        lease: Option<ObservedLease>,
        version: u32,
    }

    impl Server {
        /// Sends a claim; tells whether it was taken.
        fn send(&mut self, candidate: &mut Candidate, claim: Claim, now: Time) -> bool {
            if claim.resource_version != self.lease.as_ref().map(|lease| lease.resource_version.clone()) {
                return false;
            }
            self.version += 1;
            let lease = ObservedLease { spec: claim.spec, resource_version: self.version.to_string() };
            self.lease = Some(lease.clone());
            candidate.won(lease, now);
            true
        }

        /// Does what a candidate does at a time that its own clock on the wall calls `moment`; tells whether it leads then.
        fn turn(&mut self, candidate: &mut Candidate, now: Time, moment: &str) -> bool {
            if candidate.leads_until().is_none() {
                candidate.saw(self.lease.clone(), now);
            }
            if candidate.leads_until().is_some_and(|until| now >= until) {
                candidate.lost();
                return false;
            }
            now >= candidate.may_claim_at() && self.send(candidate, candidate.claim(moment), now)
        }
    }

    fn at(seconds: u64) -> Time {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_first_one_leads_and_the_others_wait_for_as_long_as_it_renews() {
        let (mut server, mut one, mut other) = (Server::default(), Candidate::new("one"), Candidate::new("other"));
        for second in 0..100 {
            assert!(server.turn(&mut one, at(second), &format!("{second}")), "{second}");
            assert!(!server.turn(&mut other, at(second), &format!("{second}")), "{second}");
            assert_eq!(other.other_holder(), Some("one"));
        }
        let spec = server.lease.unwrap().spec;
        let expected = LeaseSpec {
            holder_identity: Some("one".to_owned()),
            lease_duration_seconds: Some(12),
            acquire_time: Some("0".to_owned()),
            renew_time: Some("99".to_owned()),
            lease_transitions: Some(0),
        };
        assert_eq!(spec, expected);
    }

    #[test]
    fn a_leader_that_is_silent_stops_before_another_takes_over() {
        let (mut server, mut one, mut other) = (Server::default(), Candidate::new("one"), Candidate::new("other"));
        assert!(server.turn(&mut one, at(0), "a"));
        let takeover = (1..).find(|second| server.turn(&mut other, at(*second), "b")).unwrap();
        assert_eq!(takeover, 13);
        assert_eq!(one.leads_until(), Some(at(8)));
        assert_eq!(server.lease.as_ref().unwrap().spec.lease_transitions, Some(1));
        // It wakes: it stops without asking for anything, and then sees who leads.
        assert!(!server.turn(&mut one, at(14), "c"));
        assert!(!server.turn(&mut one, at(15), "d"));
        assert_eq!(one.other_holder(), Some("other"));
    }

    #[test]
    fn clocks_on_the_wall_may_jump_stand_still_and_differ() {
        let (mut server, mut one, mut other) = (Server::default(), Candidate::new("one"), Candidate::new("other"));
        let moments = ["2026-01-01T12:00:00Z", "2026-01-01T11:00:00Z", "2031-01-01T00:00:00Z", "1970-01-01T00:00:00Z"];
        for second in 0..60 {
            let moment = moments[second as usize % moments.len()];
            assert!(server.turn(&mut one, at(second), moment), "{second}");
            assert!(!server.turn(&mut other, at(second), "1999-01-01T00:00:00Z"), "{second}");
        }
        // What says that it expired long ago was only just seen by whoever comes anew.
        let mut new = Candidate::new("new");
        let taken = (60..).find(|second| server.turn(&mut new, at(*second), "2026-01-01T12:00:00Z"));
        assert_eq!(taken, Some(72));
    }

    #[test]
    fn of_two_who_see_the_same_lease_only_one_gets_it() {
        let (mut server, mut one, mut two) = (Server::default(), Candidate::new("one"), Candidate::new("two"));
        let lease = LeaseSpec { holder_identity: Some("dead".to_owned()), ..LeaseSpec::default() };
        let lease = ObservedLease { spec: lease, resource_version: "7".to_owned() };
        server.lease = Some(lease.clone());
        one.saw(Some(lease.clone()), at(0));
        two.saw(Some(lease), at(0));
        // Without a duration it has the shortest.
        assert_eq!((one.may_claim_at(), two.may_claim_at()), (at(1), at(1)));
        let (first, second) = (one.claim("now"), two.claim("now"));
        assert!(server.send(&mut one, first, at(1)));
        assert!(!server.send(&mut two, second, at(1)));
        assert_eq!(two.leads_until(), None);
    }

    #[test]
    fn what_is_released_is_taken_at_once_and_what_is_deleted_is_not() {
        let (mut server, mut one, mut other) = (Server::default(), Candidate::new("one"), Candidate::new("other"));
        assert!(server.turn(&mut one, at(0), "a"));
        assert!(!server.turn(&mut other, at(1), "b"));
        server.lease = None;
        assert!(!server.turn(&mut other, at(2), "b"));
        assert_eq!(other.may_claim_at(), at(13));
        // Its holder makes it anew.
        one.saw(None, at(2));
        assert!(server.turn(&mut one, at(2), "c"));
        let release = one.release("d").unwrap();
        assert_eq!((release.spec.holder(), release.spec.lease_duration_seconds), ("", Some(1)));
        assert!(server.send(&mut one, release, at(3)));
        assert!(server.turn(&mut other, at(4), "e"));
        assert_eq!(one.release("f"), None);
        assert_eq!(other.claim("g").spec.acquire_time, Some("e".to_owned()));
    }

    #[test]
    fn whoever_finds_its_own_name_in_it_goes_on_leading() {
        let (mut server, mut one) = (Server::default(), Candidate::new("one"));
        assert!(server.turn(&mut one, at(0), "a"));
        assert!(!server.turn(&mut one, at(20), "b"));
        assert!(server.turn(&mut one, at(21), "c"));
        assert_eq!(server.lease.unwrap().spec.lease_transitions, Some(0));
    }

    #[test]
    fn a_label_on_the_lease_is_no_sign_of_life() {
        let (mut server, mut one, mut other) = (Server::default(), Candidate::new("one"), Candidate::new("other"));
        assert!(server.turn(&mut one, at(0), "a"));
        assert!(!server.turn(&mut other, at(0), "b"));
        for second in 1..12 {
            server.lease.as_mut().unwrap().resource_version = format!("labelled {second}");
            assert!(!server.turn(&mut other, at(second), "b"));
        }
        assert!(server.turn(&mut other, at(12), "b"));
    }
}
