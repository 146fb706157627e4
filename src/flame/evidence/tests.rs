use super::*;
use crate::flame::observed::{Ended, OtherContainer, Phase};
use crate::flame::state::verdict;
use crate::flame::testing::{flame, running};

/// Returns what is asked about the session manager after `meanwhile`.
fn asked(meanwhile: impl FnOnce(&mut ObservedPod)) -> Option<Inquiry> {
    let mut snapshot = running(&flame(0));
    meanwhile(snapshot.pods.get_mut("demo-session-manager").unwrap());
    let causes = verdict(&flame(0), &snapshot, 1000).causes;
    inquiries(&causes, &snapshot).pop()
}

fn inquiry(reason: &str, log: Option<LogOf>, node: Option<&str>) -> Option<Inquiry> {
    Some(Inquiry {
        pod: "demo-session-manager".into(),
        uid: "uid-demo-session-manager".into(),
        asked: Asked { reason: reason.into(), restart_count: 0 },
        log,
        container: "session-manager".into(),
        node: node.map(str::to_owned),
    })
}

fn ends(pod: &mut ObservedPod, previous: bool) {
    pod.ready = false;
    pod.ended = Some(Box::new(Ended { exit_code: 1, previous, ..Default::default() }));
}

fn waits(pod: &mut ObservedPod, reason: &str) {
    pod.ready = false;
    pod.waiting_reason = Some(reason.into());
}

#[test]
fn each_cause_deserves_its_own_questions() {
    assert_eq!(asked(|_| {}), None);
    let crashes = |previous| {
        move |pod: &mut ObservedPod| {
            ends(pod, previous);
            waits(pod, "CrashLoopBackOff");
        }
    };
    assert_eq!(asked(crashes(true)), inquiry("CrashLoopBackOff", Some(LogOf::Previous), None));
    assert_eq!(asked(|pod| ends(pod, false)), inquiry("Error", Some(LogOf::Current), None));
    assert_eq!(asked(|pod| waits(pod, "ErrImagePull")), inquiry("ErrImagePull", None, None));
    assert_eq!(asked(|pod| waits(pod, "ImagePullBackOff")), inquiry("ErrImagePull", None, None));
    assert_eq!(asked(|pod| pod.ready = false), inquiry("NotReady", Some(LogOf::Current), Some("node-1")));
    assert_eq!(asked(|pod| pod.meta.terminating = true), None);
    let stuck = |pod: &mut ObservedPod| (pod.meta.terminating, pod.meta.deletion_timestamp) = (true, Some(1));
    assert_eq!(asked(stuck), inquiry("Terminating", None, Some("node-1")));
    let evicted = |pod: &mut ObservedPod| (pod.phase, pod.reason) = (Phase::Failed, Some("Evicted".into()));
    assert_eq!(asked(evicted), inquiry("Evicted", None, None));
}

#[test]
fn the_log_is_that_of_the_container_that_holds_the_pod_up() {
    let asked = asked(|pod| {
        ends(pod, true);
        let name = "mesh-init".to_owned();
        pod.other_container = Some(Box::new(OtherContainer { name, init: true, ..Default::default() }));
        waits(pod, "CrashLoopBackOff");
    });
    assert_eq!(asked.unwrap().container, "mesh-init");
}

#[test]
fn what_was_answered_is_asked_again_after_another_restart_only() {
    let mut snapshot = running(&flame(0));
    let pod = snapshot.pods.get_mut("demo-session-manager").unwrap();
    ends(pod, true);
    waits(pod, "CrashLoopBackOff");
    let ask = |snapshot: &Snapshot| inquiries(&verdict(&flame(0), snapshot, 0).causes, snapshot);
    let first = ask(&snapshot).pop().unwrap();
    snapshot.evidence.insert(first.uid, Evidence { asked: first.asked, ..Default::default() });
    assert_eq!(ask(&snapshot), []);
    snapshot.pods.get_mut("demo-session-manager").unwrap().restart_count = 1;
    assert_eq!(ask(&snapshot).len(), 1);
}

#[test]
fn trouble_comes_before_pods_on_their_way() {
    let mut snapshot = running(&flame(2));
    snapshot.pods.get_mut("demo-session-manager").unwrap().ready = false;
    waits(snapshot.pods.get_mut("demo-executor-manager-1").unwrap(), "ErrImagePull");
    let inquiries = inquiries(&verdict(&flame(2), &snapshot, 0).causes, &snapshot);
    let asked: Vec<&str> = inquiries.iter().map(|inquiry| inquiry.pod.as_str()).collect();
    assert_eq!(asked, ["demo-executor-manager-1", "demo-session-manager"]);
}
