//! What is asked before the first write fails: the command goes on without it.

use crate::client::Ended;
use crate::proxy::{Fault, Proxy, Rule, When, Which};
use crate::scenario::{Learned, Scenario, scenarios, succeeded, while_waiting};
use crate::stream::Streams;
use crate::table::{Outcome, settle};

/// Everything that a preflight asks.
const QUESTIONS: [&str; 5] =
    ["get namespaces", "list limitranges", "list nodes", "list resourcequotas", "review selfsubjectrulesreviews"];

/// Returns `up` of a flame that is not there.
fn create() -> Scenario {
    scenarios(3)[0]
}

/// Runs `up` while every request of a class meets a fault.
fn every(learned: &Learned, class: &str, fault: Fault, says: bool) -> Outcome {
    let namespace = learned.scenario.prepare();
    let proxy = Proxy::with(Which::Every(class.to_owned()), When::Before, fault.clone());
    let ended = learned.scenario.goal.run(&namespace).with(&["--request-timeout", "2s"]).through(&proxy);
    let told = ended.stderr.contains("not checked whether this fits");
    let result = succeeded("the command", &ended)
        .and_then(|()| learned.is_reached(&namespace))
        .and_then(|()| if told == says { Ok(()) } else { Err(format!("told: {told}: {}", ended.stderr)) });
    Outcome { row: class.to_owned(), column: format!("{fault:?}"), case: namespace, result }
}

#[test]
fn a_preflight_that_cannot_be_made_is_told_and_keeps_nobody() {
    let learned = create().learn();
    let faults = [
        (Fault::Reset, true),
        (Fault::Hold, true),
        (Fault::Html, true),
        (Fault::WrongJson, true),
        (Fault::Status(500, None), true),
        // Those who may not look are spared a word about it.
        (Fault::Status(403, None), false),
        (Fault::Status(404, None), false),
    ];
    let cases: Vec<_> = QUESTIONS.iter().flat_map(|class| faults.iter().map(move |fault| (*class, fault))).collect();
    let is_missing = |class: &str, fault: &Fault| class == "get namespaces" && *fault == Fault::Status(404, None);
    let cases: Vec<_> = cases.into_iter().filter(|(class, (fault, _))| !is_missing(class, fault)).collect();
    let outcomes = while_waiting(&cases, |(class, (fault, says))| every(&learned, class, fault.clone(), *says));
    settle("a preflight that fails for ever", outcomes);
}

/// Pods that went a moment ago are still counted.
#[test]
fn a_quota_that_is_too_small_is_looked_at_again() {
    let learned = create().learn();
    let full = r#"{"metadata": {}, "items": [{"metadata": {"name": "full"}, "spec": {"hard": {"pods": "4"}},
        "status": {"used": {"pods": "4"}}}]}"#;
    let namespace = learned.scenario.prepare();
    let class = "list resourcequotas";
    let proxy = Proxy::with(Which::First(class.to_owned()), When::Before, Fault::Json(full.to_owned()));
    let ended = learned.scenario.goal.run(&namespace).through(&proxy);
    succeeded("the command", &ended).unwrap();
    assert_eq!(ended.seen.iter().filter(|seen| seen.class == class).count(), 2);
    learned.is_reached(&namespace).unwrap();
}

/// Webhook authorizers do not list their rules.
#[test]
fn rights_that_the_server_does_not_list_are_asked_for_one_by_one() {
    let scenario = create();
    let rule = |class: &str, answer: &str| Rule {
        which: Which::Every(class.to_owned()),
        when: When::Before,
        fault: Fault::Json(answer.to_owned()),
    };
    let listed = r#"{"status": {"incomplete": true, "nonResourceRules": [],
        "resourceRules": [{"verbs": ["watch"], "apiGroups": [""], "resources": ["*"]}]}}"#;
    let incomplete = || rule("review selfsubjectrulesreviews", listed);
    let asked = |ended: &Ended| {
        let review = "review selfsubjectaccessreviews";
        ended.seen.iter().filter(|seen| seen.class == review).count()
    };

    let namespace = scenario.prepare();
    let ended = scenario.goal.run(&namespace).through(&Proxy::new(vec![incomplete()], Streams::Whole));
    succeeded("the command", &ended).unwrap();
    assert_eq!(asked(&ended), 6, "create and patch, three kinds");

    let namespace = scenario.prepare();
    let denied = rule("review selfsubjectaccessreviews", r#"{"status": {"allowed": false}}"#);
    let rules = vec![incomplete(), denied];
    let ended = scenario.goal.run(&namespace).through(&Proxy::new(rules, Streams::Whole));
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let told = format!(
        "error: rights are missing in namespace {namespace}: create configmaps, create pods, create services, patch \
         configmaps, patch pods, patch services\n"
    );
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    assert!(!ended.seen.iter().any(|seen| seen.is_write()), "{:?}", ended.seen);

    let namespace = scenario.prepare();
    let unknown = r#"{"status": {"allowed": false, "evaluationError": "the webhook is down"}}"#;
    let rules = vec![incomplete(), rule("review selfsubjectaccessreviews", unknown)];
    let ended = scenario.goal.run(&namespace).through(&Proxy::new(rules, Streams::Whole));
    succeeded("the command", &ended).unwrap();
}
