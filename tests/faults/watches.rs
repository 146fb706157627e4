//! Watches end, expire, fall silent, and leave things out.

use std::time::Duration;

use crate::bed::bed;
use crate::proxy::{Fault, Proxy, Rule, When, Which};
use crate::scenario::{AT_ONCE, Goal, Scenario, Shape, in_parallel, scenarios, succeeded};
use crate::stream::Streams;
use crate::table::{Outcome, settle};

fn cases() -> Vec<(&'static str, Streams, usize)> {
    let second = Duration::from_secs(1);
    let moment = Duration::from_millis(100);
    vec![
        ("1 s", Streams::Short(second), 0),
        ("reset, 1 s", Streams::Reset(second), 0),
        ("reset, 0.1 s", Streams::Reset(moment), 0),
        ("410", Streams::Expired(1), 1),
        ("410 thrice", Streams::Expired(3), 3),
        ("410 event", Streams::ExpiredEvent(1), 1),
        ("410 late", Streams::ExpiredAfter(moment), 1),
        ("merged", Streams::Merged, 0),
        ("no bookmarks", Streams::NoBookmarks, 0),
    ]
}

/// Tries one scenario with one kind of watch; `relists` lists of all Pods are allowed.
fn tried(scenario: &Scenario, name: &str, streams: Streams, relists: usize) -> Outcome {
    let learned = scenario.learn();
    let namespace = scenario.prepare();
    // One Pod at a time, so that it takes long enough for much to go wrong.
    // Between streams that die at once there are pauses of up to nine seconds, and that for each Pod.
    let run = scenario.goal.run(&namespace).replacing("--timeout", "2m");
    let run = if scenario.goal == Goal::Down { run } else { run.with(&["--max-unavailable", "1"]) };
    let ended = run.through(&Proxy::new(Vec::new(), streams));
    let lists = ended.seen.iter().filter(|seen| seen.class == "list pods").count();
    let watches = ended.seen.iter().filter(|seen| seen.class == "watch pods").count();
    println!("{}, watch {name}: {watches} watches, {lists} lists of Pods, {:.1?}", scenario.name, ended.took);
    let result = succeeded("the command", &ended)
        .and_then(|()| learned.is_reached(&namespace))
        .and_then(|()| learned.is_quiet(&namespace))
        .and_then(|()| if lists <= learned.lists + relists { Ok(()) } else { Err(format!("{lists} lists of Pods")) });
    Outcome { row: scenario.name.to_owned(), column: name.to_owned(), case: namespace, result }
}

#[test]
fn whatever_happens_to_watches_the_command_succeeds_and_lists_once_for_each_410() {
    let mut cases: Vec<_> =
        scenarios(8).into_iter().flat_map(|scenario| cases().into_iter().map(move |case| (scenario, case))).collect();
    cases.retain(|(scenario, _)| ["create", "new config", "down"].contains(&scenario.name));
    let outcomes =
        in_parallel(AT_ONCE, &cases, |(scenario, (name, streams, relists))| tried(scenario, name, *streams, *relists));
    settle("watches, 8 executors", outcomes);
}

#[test]
fn a_watch_that_fell_silent_is_found_within_a_minute() {
    let scenario = scenarios(3)[0];
    settle("silent watch", vec![tried(&scenario, "silent", Streams::Silent(1), 0)]);
}

/// Without any watch at all nobody can tell that Pods got ready.
#[test]
fn without_any_watch_the_command_ends_in_time_and_names_the_cause() {
    let namespace = bed().namespace("watch");
    let rule = Rule { which: Which::Every("watch pods".into()), when: When::Before, fault: Fault::Status(403, None) };
    let run = Goal::Up(Shape::of(3)).run(&namespace).replacing("--timeout", "8s");
    let ended = run.through(&Proxy::new(vec![rule], Streams::Whole));
    println!("no watch: {} in {:.1?}", ended.code, ended.took);
    assert!([1, 3].contains(&ended.code) && ended.took < Duration::from_secs(15));
    assert!(ended.stderr.contains("\n  the watch: injected 403\n"), "{}", ended.stderr);
}

#[test]
fn merged_events_of_a_pod_that_another_command_replaced_are_noticed() {
    let shape = Shape::of(8);
    let changed = Shape { max_executors: 20, ..shape };
    let scenario = Scenario { name: "new config", before: Some(shape), goal: Goal::Up(changed) };
    let learned = scenario.learn();
    let rounds: Vec<usize> = (1..=6).collect();
    let outcomes = in_parallel(2, &rounds, |round| {
        let namespace = scenario.prepare();
        let run = scenario.goal.run(&namespace);
        let proxy = Proxy::new(Vec::new(), Streams::Merged);
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(|| run.direct());
            (run.through(&proxy), other.join().unwrap())
        });
        let result = succeeded("the one that sees them", &one)
            .and_then(|()| succeeded("the other", &other))
            .and_then(|()| learned.is_reached(&namespace))
            .and_then(|()| learned.is_quiet(&namespace));
        Outcome {
            row: "two, same change".to_owned(),
            column: "merged".to_owned(),
            case: format!("round {round}"),
            result,
        }
    });
    settle("merged events", outcomes);
}
