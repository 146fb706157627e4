//! Requests and answers get lost, late, cut or wrong.

use std::time::Duration;

use crate::client::Ended;
use crate::proxy::{Fault, Proxy, Seen, When, Which};
use crate::scenario::{AT_ONCE, Learned, everything, in_parallel, scenarios, succeeded, while_waiting};
use crate::table::{Outcome, settle};

/// How many of the faults each request meets where samples do.
const SAMPLE: usize = 3;
/// `--request-timeout`: long enough for a busy machine.
const REQUEST_TIMEOUT: [&str; 2] = ["--request-timeout", "2s"];
/// `--timeout` of commands that wait for a server that never gets well, in seconds.
const TIMEOUT: u64 = 12;
/// Within this time they must have ended: the timeout, the tries of a read before it counts, and a busy machine.
const BOUND: Duration = Duration::from_secs(TIMEOUT + 30);

struct Kind {
    name: &'static str,
    when: When,
    fault: Fault,
    /// What the error says of it where it does not pass.
    causes: &'static [&'static str],
}

fn kinds() -> Vec<Kind> {
    let kind = |name, when, fault, causes| Kind { name, when, fault, causes };
    vec![
        kind("lost reply", When::After, Fault::Reset, &["reset"]),
        kind("reset", When::Before, Fault::Reset, &["reset"]),
        kind("closed", When::Before, Fault::Close, &["closed"]),
        kind("500", When::Before, Fault::Status(500, None), &["injected 500"]),
        kind("502", When::Before, Fault::Status(502, None), &["injected 502"]),
        kind("503", When::Before, Fault::Status(503, None), &["injected 503"]),
        kind("504", When::Before, Fault::Status(504, None), &["injected 504"]),
        kind("done, 504", When::After, Fault::Status(504, None), &["injected 504"]),
        kind("429", When::Before, Fault::Status(429, None), &["throttling", "injected 429"]),
        kind("429, 1 s", When::Before, Fault::Status(429, Some(1)), &["throttling", "injected 429"]),
        kind("cut", When::After, Fault::Cut, &["cut its answer short"]),
        kind("HTML", When::Before, Fault::Html, &["load balancer"]),
        kind("done, HTML", When::After, Fault::Html, &["load balancer"]),
        kind("wrong JSON", When::After, Fault::WrongJson, &["not what it should be"]),
        kind("held", When::Before, Fault::Hold, &["did not answer"]),
        kind("done, held", When::After, Fault::Hold, &["did not answer"]),
    ]
}

#[test]
fn whatever_happens_once_to_a_request_the_command_succeeds_all_the_same() {
    let learned = in_parallel(AT_ONCE, &scenarios(3), |scenario| scenario.learn());
    let slow = Fault::Delay(Duration::from_millis(700));
    let mut kinds = kinds();
    kinds.push(Kind { name: "slow", when: When::Before, fault: slow, causes: &[] });
    let mut cases = Vec::new();
    for learned in &learned {
        for request in 1..=learned.requests {
            let all = 0..kinds.len();
            let chosen = |kind: &usize| everything() || (kind + request * SAMPLE) % kinds.len() < SAMPLE;
            cases.extend(all.filter(chosen).map(|kind| (learned, request, &kinds[kind])));
        }
    }
    let outcomes = in_parallel(AT_ONCE, &cases, |(learned, request, kind)| once(learned, *request, kind));
    settle("one fault, 3 executors", outcomes);
}

fn once(learned: &Learned, request: usize, kind: &Kind) -> Outcome {
    let namespace = learned.scenario.prepare();
    let proxy = Proxy::with(Which::Nth(request), kind.when, kind.fault.clone());
    let ended = learned.scenario.goal.run(&namespace).with(&REQUEST_TIMEOUT).through(&proxy);
    let broken = ended.seen.get(request - 1);
    let result = succeeded("the command", &ended)
        .and_then(|()| learned.is_reached(&namespace))
        .and_then(|()| broken.map_or(Ok(()), |broken| is_careful(broken, &ended.seen, &kind.fault)))
        .and_then(|()| learned.is_quiet(&namespace));
    Outcome {
        row: broken.map_or("not reached".to_owned(), |seen| seen.class.clone()),
        column: kind.name.to_owned(),
        case: format!("{} {request} ({namespace})", learned.scenario.name),
        result,
    }
}

/// Says where a write was repeated blindly, or sooner than the server asked for.
fn is_careful(broken: &Seen, all: &[Seen], fault: &Fault) -> Result<(), String> {
    let next = all.iter().filter(|seen| seen.number > broken.number).find(|seen| match &broken.object {
        Some(object) => seen.object.as_ref() == Some(object),
        None => seen.class == broken.class,
    });
    let Some(next) = next else { return Ok(()) };
    let pause = next.at - broken.at;
    match fault {
        Fault::Status(429, Some(seconds)) if pause < Duration::from_secs(u64::from(*seconds)) => {
            Err(format!("repeated after {pause:?}, the server asked for {seconds} s"))
        }
        Fault::Status(429, _) | Fault::Delay(_) => Ok(()),
        _ if broken.is_write() && next.is_write() => Err(format!("{} was repeated blindly", broken.class)),
        _ => Ok(()),
    }
}

#[test]
fn what_never_passes_ends_in_time_with_the_cause_and_a_rerun_heals() {
    let all = scenarios(3);
    let of = ["create", "down"].map(|name| *all.iter().find(|it| it.name == name).unwrap());
    let learned = in_parallel(AT_ONCE, &of, |scenario| scenario.learn());
    let kinds = kinds();
    let requests = ["list pods", "get configmaps", "get pods", "apply configmaps", "apply services", "apply pods"];
    let deletes = ["delete pods", "delete services", "delete configmaps"];
    let cases: Vec<(&Learned, &str, &Kind)> = requests
        .iter()
        .map(|class| (&learned[0], *class))
        .chain(deletes.iter().map(|class| (&learned[1], *class)))
        .flat_map(|(learned, class)| kinds.iter().map(move |kind| (learned, class, kind)))
        .collect();
    let outcomes = while_waiting(&cases, |(learned, class, kind)| forever(learned, class, kind));
    settle("a fault for ever, 3 executors", outcomes);
}

fn forever(learned: &Learned, class: &str, kind: &Kind) -> Outcome {
    let namespace = learned.scenario.prepare();
    let proxy = Proxy::with(Which::Every(class.to_owned()), kind.when, kind.fault.clone());
    let run = learned.scenario.goal.run(&namespace).with(&REQUEST_TIMEOUT);
    // What is carried out without a word is found by reading it back, which only takes its time.
    let ends = kind.when == When::After;
    let run = if ends { run } else { run.replacing("--timeout", &format!("{TIMEOUT}s")) };
    let ended = run.through(&proxy);
    let result = match ended.code {
        0 if ends => learned.is_reached(&namespace),
        _ => tells(&ended, kind.causes),
    };
    Outcome {
        row: class.to_owned(),
        column: kind.name.to_owned(),
        case: format!("{} ({namespace})", learned.scenario.name),
        result: result.and_then(|()| learned.heals(&namespace)),
    }
}

/// Says what is wrong with the way a command gave up.
fn tells(ended: &Ended, causes: &[&str]) -> Result<(), String> {
    let error = ended.stderr.find("error: ").map_or("", |at| &ended.stderr[at..]);
    if ended.stderr.contains("IT PANICKED") || ended.took > BOUND {
        return Err(format!("took {:?}: {}", ended.took, ended.stderr));
    }
    if ![1, 3].contains(&ended.code) || !causes.iter().any(|cause| error.contains(cause)) {
        return Err(format!("ended with {} and without any of {causes:?}: {error:?}", ended.code));
    }
    Ok(())
}
