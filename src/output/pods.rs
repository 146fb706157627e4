//! A flame's Pods, one a line as kubectl prints them; those that do not count say why.

use super::{table, text};
use crate::flame::FlameCluster;
use crate::flame::mask::mask;
use crate::flame::names::PodIndex;
use crate::flame::observed::{ObservedPod, Ownership, Phase, Seconds, Snapshot};

/// What stands where the server says nothing (kubectl).
const NONE: &str = "<none>";
/// Characters of a message: what more there is stands with the causes.
const MESSAGE: usize = 80;
const HEADER: [&str; 9] = ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "IMAGE", "MESSAGE"];

/// Returns the Pods in a table, session manager first, then the executors by index; no Pods make no text.
pub fn table(flame: &FlameCluster, snapshot: &Snapshot, now: Seconds) -> String {
    let name = &flame.metadata.name;
    let mut pods: Vec<(Option<PodIndex>, &ObservedPod)> =
        snapshot.pods.values().map(|pod| (PodIndex::of(name, &pod.meta.name), &**pod)).collect();
    if pods.is_empty() {
        return String::new();
    }
    // Pods that bear none of the names come last.
    pods.sort_by_key(|(index, pod)| (index.is_none(), *index, pod.meta.name.as_str()));
    let rows: Vec<[String; HEADER.len()]> = pods.into_iter().map(|(index, pod)| row(flame, index, pod, now)).collect();
    let columns = HEADER.len() - usize::from(rows.iter().all(|row| row[HEADER.len() - 1].is_empty()));
    table::table(Some(&HEADER[..columns]), rows.into_iter().map(|row| row[..columns].to_vec()))
}

fn row(flame: &FlameCluster, index: Option<PodIndex>, pod: &ObservedPod, now: Seconds) -> [String; HEADER.len()] {
    let or_none = |text: Option<&str>| text.filter(|text| !text.is_empty()).unwrap_or(NONE).to_owned();
    [
        pod.meta.name.clone(),
        if pod.is_ready() { "yes" } else { "no" }.to_owned(),
        text::one_line(&status(pod), MESSAGE),
        restarts(pod, now),
        pod.meta.creation_timestamp.map_or("<unknown>".to_owned(), |created| ago(created, now)),
        or_none(pod.pod_ip.as_deref()),
        or_none(pod.node.as_deref()),
        or_none(Some(&text::one_line(&pod.image, usize::MAX))),
        text::one_line(&mask(&message(flame, index, pod)), MESSAGE),
    ]
}

/// Returns how a Pod is in one word, as kubectl's column STATUS.
pub fn status(pod: &ObservedPod) -> String {
    let phase = || match pod.phase {
        Phase::Pending => "Pending",
        Phase::Running => "Running",
        Phase::Succeeded => "Succeeded",
        Phase::Failed => "Failed",
    };
    let init = if pod.other_container.as_ref().is_some_and(|other| other.init) { "Init:" } else { "" };
    let ended = pod.ended.as_ref().filter(|ended| !ended.previous);
    match (&pod.waiting_reason, ended, &pod.reason) {
        _ if pod.meta.terminating => "Terminating".to_owned(),
        (_, _, Some(reason)) if pod.is_over() => reason.to_string(),
        (Some(reason), ..) => format!("{init}{reason}"),
        (_, Some(ended), _) if ended.reason.is_empty() => format!("{init}ExitCode:{}", ended.exit_code),
        (_, Some(ended), _) => format!("{init}{}", ended.reason),
        (None, None, reason) => reason.as_deref().unwrap_or_else(phase).to_owned(),
    }
}

/// Returns the restarts and when the last one was, as `4 (3m ago)`.
fn restarts(pod: &ObservedPod, now: Seconds) -> String {
    let last = pod.ended.as_ref().and_then(|ended| ended.finished_at).filter(|_| pod.restart_count > 0);
    match last {
        Some(last) => format!("{} ({} ago)", pod.restart_count, ago(last, now)),
        None => pod.restart_count.to_string(),
    }
}

/// Returns the time since then; the server's clock may be a little ahead of this one.
pub fn ago(then: Seconds, now: Seconds) -> String {
    text::age(u64::try_from(now - then).unwrap_or(0))
}

/// Returns why a Pod does not count, and what it waits for in the server's words.
fn message(flame: &FlameCluster, index: Option<PodIndex>, pod: &ObservedPod) -> String {
    let replicas = flame.spec.executor_manager.replicas;
    let uncounted = match (pod.meta.ownership(&flame.metadata.name), index) {
        (Ownership::Foreign(whose), _) => Some(format!("does not count: {whose}")),
        (_, Some(PodIndex::Executor(index))) if index >= replicas => Some("does not count: beyond replicas".to_owned()),
        (_, None) => Some("does not count: not a name of this flame's".to_owned()),
        _ => None,
    };
    let words = match () {
        () if pod.meta.terminating && pod.meta.finalizers.is_empty() => None,
        () if pod.meta.terminating => Some(format!("held by finalizer {}", pod.meta.finalizers.join(", "))),
        () if pod.is_ready() => None,
        () => waits_for(pod).map(str::to_owned),
    };
    [uncounted, words].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn waits_for(pod: &ObservedPod) -> Option<&str> {
    let not_ready = || Some(pod.conditions.ready.as_ref()?.why.as_ref()?.message.as_str());
    let words = [pod.waiting_message.as_deref(), pod.message.as_deref(), pod.unschedulable()];
    words.into_iter().flatten().find(|words| !words.is_empty()).or_else(not_ready)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::observed::{Condition, Conditions, Ended, ObservedMeta, OtherContainer, Reason};
    use crate::flame::testing::{flame, running};

    const NOW: Seconds = 1000;

    #[track_caller]
    fn check(snapshot: &Snapshot, replicas: u32, expected: &[&str]) {
        let text = table(&flame(replicas), snapshot, NOW);
        assert_eq!(text.lines().collect::<Vec<_>>(), expected, "\n{text}");
    }

    fn changed(snapshot: &mut Snapshot, index: u32, change: impl FnOnce(&mut ObservedPod)) {
        let name = format!("demo-executor-manager-{index}");
        change(snapshot.pods.get_mut(&name).unwrap());
    }

    #[test]
    fn a_healthy_flames_pods_are_a_line_each_in_the_order_of_their_indices() {
        let mut snapshot = running(&flame(11));
        snapshot.pods.retain(|name, _| !(name.ends_with(|last: char| ('3'..='9').contains(&last))));
        snapshot.pods.values_mut().for_each(|pod| {
            pod.meta.creation_timestamp = Some(NOW - 130);
            pod.pod_ip = Some("10.0.0.1".into());
            pod.node = Some("node-1".into());
        });
        check(
            &snapshot,
            11,
            &[
                "NAME                       READY   STATUS    RESTARTS   AGE     IP         NODE     IMAGE",
                "demo-session-manager       yes     Running   0          2m10s   10.0.0.1   node-1   sm:v1",
                "demo-executor-manager-0    yes     Running   0          2m10s   10.0.0.1   node-1   em:v1",
                "demo-executor-manager-1    yes     Running   0          2m10s   10.0.0.1   node-1   em:v1",
                "demo-executor-manager-2    yes     Running   0          2m10s   10.0.0.1   node-1   em:v1",
                "demo-executor-manager-10   yes     Running   0          2m10s   10.0.0.1   node-1   em:v1",
            ],
        );
    }

    #[test]
    fn who_is_not_ready_says_why_and_who_does_not_count_says_so() {
        let mut snapshot = running(&flame(6));
        snapshot.pods.remove("demo-session-manager");
        let sick = |pod: &mut ObservedPod| pod.ready = false;
        changed(&mut snapshot, 0, |pod| {
            sick(pod);
            pod.waiting_reason = Some("CrashLoopBackOff".into());
            pod.waiting_message = Some("back-off 40s\nrestarting".into());
            pod.restart_count = 4;
            pod.ended = Some(Box::new(Ended { finished_at: Some(NOW - 180), previous: true, ..Ended::default() }));
        });
        changed(&mut snapshot, 1, |pod| {
            sick(pod);
            pod.node = None;
            pod.phase = Phase::Pending;
            let why = Reason { reason: "Unschedulable".to_owned(), message: "0/1 nodes are available".to_owned() };
            let scheduled = Condition { why: Some(Box::new(why)), ..Condition::default() };
            pod.conditions = Conditions { scheduled: Some(scheduled), ..Conditions::default() };
        });
        changed(&mut snapshot, 2, |pod| {
            sick(pod);
            pod.phase = Phase::Pending;
            pod.waiting_reason = Some("ErrImagePull".into());
            pod.waiting_message = Some("https://user:secret@registry/x: not found".into());
            pod.other_container = Some(Box::new(OtherContainer { init: true, ..OtherContainer::default() }));
        });
        changed(&mut snapshot, 3, |pod| {
            pod.meta.terminating = true;
            pod.meta.finalizers = vec!["example.com/hold".to_owned()];
        });
        changed(&mut snapshot, 4, |pod| {
            pod.meta = ObservedMeta { name: pod.meta.name.clone(), ..ObservedMeta::default() };
        });
        check(
            &snapshot,
            5,
            &[
                "NAME                      READY   STATUS              RESTARTS     AGE         IP       NODE     IMAGE   MESSAGE",
                "demo-executor-manager-0   no      CrashLoopBackOff    4 (3m ago)   <unknown>   <none>   node-1   em:v1   back-off 40s restarting",
                "demo-executor-manager-1   no      Pending             0            <unknown>   <none>   <none>   em:v1   0/1 nodes are available",
                "demo-executor-manager-2   no      Init:ErrImagePull   0            <unknown>   <none>   node-1   em:v1   https://***@registry/x: not found",
                "demo-executor-manager-3   no      Terminating         0            <unknown>   <none>   node-1   em:v1   held by finalizer example.com/hold",
                "demo-executor-manager-4   yes     Running             0            <unknown>   <none>   node-1   em:v1   does not count: not made by flamectl",
                "demo-executor-manager-5   yes     Running             0            <unknown>   <none>   node-1   em:v1   does not count: beyond replicas",
            ],
        );
    }

    #[test]
    fn the_word_for_a_pod_is_kubectls() {
        let over = ObservedPod { phase: Phase::Failed, reason: Some("Evicted".into()), ..ObservedPod::default() };
        let ended = |reason: &str| ObservedPod {
            phase: Phase::Running,
            ended: Some(Box::new(Ended { exit_code: 3, reason: reason.to_owned(), ..Ended::default() })),
            ..ObservedPod::default()
        };
        for (pod, word) in [
            (over, "Evicted"),
            (ended(""), "ExitCode:3"),
            (ended("OOMKilled"), "OOMKilled"),
            (ObservedPod { phase: Phase::Succeeded, ..ObservedPod::default() }, "Succeeded"),
            (ObservedPod::default(), "Pending"),
        ] {
            assert_eq!(status(&pod), word);
        }
    }

    #[test]
    fn columns_are_as_wide_as_a_terminal_shows_them() {
        let mut snapshot = running(&flame(1));
        snapshot.pods.remove("demo-session-manager");
        changed(&mut snapshot, 0, |pod| {
            pod.ready = false;
            pod.node = Some("日本".into());
            pod.message = Some("x".into());
        });
        check(
            &snapshot,
            1,
            &[
                "NAME                      READY   STATUS    RESTARTS   AGE         IP       NODE   IMAGE   MESSAGE",
                "demo-executor-manager-0   no      Running   0          <unknown>   <none>   日本   em:v1   x",
            ],
        );
    }

    #[test]
    fn ten_thousand_pods_are_a_line_each() {
        let text = table(&flame(10_000), &running(&flame(10_000)), NOW);
        assert_eq!(text.lines().count(), 10_002);
        assert!(text.lines().last().is_some_and(|line| line.starts_with("demo-executor-manager-9999 ")));
    }

    #[test]
    fn no_pods_make_no_text() {
        check(&Snapshot::default(), 3, &[]);
    }
}
