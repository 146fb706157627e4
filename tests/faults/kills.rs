//! The client is killed at every request, before and after the server carried it out.

use crate::proxy::{Fault, Proxy, When, Which};
use crate::scenario::{AT_ONCE, Learned, everything, in_parallel, scenarios};
use crate::table::{Outcome, settle};

/// With 50 executors most requests are alike, and each case makes hundreds of Pods.
const SAMPLE: usize = 19;

#[test]
fn after_a_kill_at_any_request_the_same_command_ends_as_if_nothing_had_been() {
    sweep("kill -9, 3 executors", 3, 1);
}

#[test]
fn after_a_kill_a_large_flame_ends_as_if_nothing_had_been() {
    sweep("kill -9, 50 executors", 50, if everything() { 1 } else { SAMPLE });
}

fn sweep(title: &str, executors: u32, step: usize) {
    let learned = in_parallel(AT_ONCE, &scenarios(executors), |scenario| scenario.learn());
    let mut cases = Vec::new();
    for learned in &learned {
        println!("{executors} executors, {}: {} requests", learned.scenario.name, learned.requests);
        for request in (1..=learned.requests).step_by(step) {
            cases.extend([When::Before, When::After].map(|when| (learned, request, when)));
        }
    }
    let outcomes = in_parallel(AT_ONCE, &cases, |(learned, request, when)| killed(learned, *request, *when));
    settle(title, outcomes);
}

fn killed(learned: &Learned, request: usize, when: When) -> Outcome {
    let namespace = learned.scenario.prepare();
    let proxy = Proxy::with(Which::Nth(request), when, Fault::Kill);
    let ended = learned.scenario.goal.run(&namespace).through(&proxy);
    let row = ended.seen.get(request - 1).map_or("not reached".to_owned(), |seen| seen.class.clone());
    let died = ended.code == 137 || (ended.code == 0 && row == "not reached");
    let result = if died { learned.heals(&namespace) } else { Err(format!("not killed: {ended:?}")) };
    Outcome {
        row,
        column: format!("{when:?}"),
        case: format!("{} {request} ({namespace})", learned.scenario.name),
        result,
    }
}
