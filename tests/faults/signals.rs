//! Ctrl-C and SIGTERM at every request.

use std::time::Duration;

use rustix::process::Signal;

use crate::client::Ended;
use crate::proxy::{Fault, Proxy, Rule, Seen, When, Which};
use crate::scenario::{AT_ONCE, Learned, in_parallel, scenarios};
use crate::stream::Streams;
use crate::table::{Outcome, settle};

/// How long it may take to stop.
const SOON: Duration = Duration::from_secs(1);

#[test]
fn ctrl_c_at_any_request_stops_within_a_second_and_the_same_command_goes_on() {
    let learned = in_parallel(AT_ONCE, &scenarios(3), |scenario| scenario.learn());
    let mut cases = Vec::new();
    for learned in &learned {
        for request in 1..=learned.requests {
            // Both signals at all requests, and twice Ctrl-C at some.
            let (name, signal, times) = match request % 5 {
                0 => ("Ctrl-C twice", Signal::INT, 2),
                1 | 3 => ("SIGTERM", Signal::TERM, 1),
                _ => ("Ctrl-C", Signal::INT, 1),
            };
            cases.push((learned, request, name, signal, times));
        }
    }
    let outcomes = in_parallel(AT_ONCE, &cases, |(learned, request, name, signal, times)| {
        interrupted(learned, *request, name, Fault::Signal(*signal, *times))
    });
    settle("interrupted, 3 executors", outcomes);
}

fn interrupted(learned: &Learned, request: usize, name: &str, fault: Fault) -> Outcome {
    let namespace = learned.scenario.prepare();
    let proxy = Proxy::with(Which::Nth(request), When::Before, fault);
    let ended = learned.scenario.goal.run(&namespace).through(&proxy);
    let row = ended.seen.get(request - 1).map_or("not reached".to_owned(), |seen| seen.class.clone());
    // The last request may have been all that was left to do.
    let over = ended.code == 0 && ended.seen.len() <= request;
    let result = if over { learned.is_reached(&namespace) } else { stops(&ended) };
    let result = result.and_then(|()| learned.heals(&namespace));
    Outcome { row, column: name.to_owned(), case: format!("{} {request} ({namespace})", learned.scenario.name), result }
}

/// Says what is wrong with the way it stopped. While it only reads, before anything was sent, it has no handler of its own, so
/// that Ctrl-C works at its question, too.
fn stops(ended: &Ended) -> Result<(), String> {
    if ended.by_signal && [130, 143].contains(&ended.code) && !ended.seen.iter().any(Seen::is_write) {
        return Ok(());
    }
    let soon = ended.after_signal.is_some_and(|after| after < SOON);
    let told = ended.stderr.contains("interrupted: demo is left as it is");
    if ended.code == 130 && !ended.by_signal && soon && told {
        return Ok(());
    }
    let how = if ended.by_signal { "by the signal" } else { "by itself" };
    Err(format!("ended {how} with {} after {:?}: {:?}", ended.code, ended.after_signal, ended.stderr))
}

#[test]
fn ctrl_c_stops_within_a_second_while_the_server_does_not_answer() {
    let all = scenarios(3);
    let of = ["create", "new config", "down"].map(|name| *all.iter().find(|it| it.name == name).unwrap());
    let learned = in_parallel(AT_ONCE, &of, |scenario| scenario.learn());
    let cases: Vec<(&Learned, usize)> =
        learned.iter().flat_map(|learned| (1..learned.requests).map(move |request| (learned, request))).collect();
    let outcomes = in_parallel(AT_ONCE, &cases, |(learned, request)| while_held(learned, *request));
    settle("interrupted while the server is silent, 3 executors", outcomes);
}

/// The reply to one request is lost, the next is never answered, and then comes Ctrl-C.
fn while_held(learned: &Learned, request: usize) -> Outcome {
    let namespace = learned.scenario.prepare();
    let rule = |which, fault| Rule { which, when: When::Before, fault };
    let rules = vec![
        rule(Which::Nth(request), Fault::Close),
        rule(Which::Nth(request + 1), Fault::SignalAndHold(Signal::INT)),
        rule(Which::From(request + 1), Fault::Hold),
    ];
    let ended = learned.scenario.goal.run(&namespace).through(&Proxy::new(rules, Streams::Whole));
    let row = ended.seen.get(request).map_or("not reached".to_owned(), |seen| seen.class.clone());
    let result = stops(&ended).and_then(|()| learned.heals(&namespace));
    let case = format!("{} {request} ({namespace})", learned.scenario.name);
    Outcome { row, column: "Ctrl-C".to_owned(), case, result }
}
