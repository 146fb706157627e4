//! Two at once: two commands, or a command and a stranger.

use crate::client::Ended;
use crate::proxy::{Fault, Proxy, When, Which};
use crate::scenario::{AT_ONCE, Goal, Learned, NAME, Scenario, Shape, differences, in_parallel, scenarios, succeeded};
use crate::table::{Outcome, settle};

const ROUNDS: usize = 20;
/// Rounds of what is tried in six scenarios.
const ROUNDS_OF_EACH: usize = 10;

/// Runs two commands at once through plain proxies.
fn both(namespace: &str, one: Goal, other: Goal) -> (Ended, Ended) {
    let (first, second) = (Proxy::plain(), Proxy::plain());
    std::thread::scope(|scope| {
        let one = scope.spawn(|| one.run(namespace).through(&first));
        let other = scope.spawn(|| other.run(namespace).through(&second));
        (one.join().unwrap(), other.join().unwrap())
    })
}

fn rounds(learned: &[Learned], work: impl Fn(&Learned) -> (String, Result<(), String>) + Sync) -> Vec<Outcome> {
    let cases: Vec<(&Learned, usize)> =
        learned.iter().flat_map(|learned| (1..=ROUNDS_OF_EACH).map(move |round| (learned, round))).collect();
    in_parallel(AT_ONCE / 2, &cases, |(learned, round)| {
        let (column, result) = work(learned);
        Outcome { row: learned.scenario.name.to_owned(), column, case: format!("round {round}"), result }
    })
}

#[test]
fn two_of_the_same_command_both_end_well() {
    let learned = in_parallel(AT_ONCE, &scenarios(3), |scenario| scenario.learn());
    let outcomes = rounds(&learned, |learned| {
        let namespace = learned.scenario.prepare();
        let (one, other) = both(&namespace, learned.scenario.goal, learned.scenario.goal);
        let result = succeeded("the one", &one)
            .and_then(|()| succeeded("the other", &other))
            .and_then(|()| learned.is_reached(&namespace))
            .and_then(|()| learned.is_quiet(&namespace));
        ("same file".to_owned(), result)
    });
    settle("two at once", outcomes);
}

/// Two files want different things. In the end one of them must be there whole.
#[test]
fn two_different_files_never_mix() {
    let one = Shape::of(3);
    let other = Shape { replicas: 5, image: 2, max_executors: 20 };
    let base = Shape { replicas: 4, image: 3, max_executors: 30 };
    for (title, before) in [("from nothing", None), ("from a third", Some(base))] {
        let of = [one, other].map(|shape| Scenario { name: "file", before, goal: Goal::Up(shape) });
        let learned = in_parallel(2, &of, |scenario| scenario.learn());
        let rounds: Vec<usize> = (1..=ROUNDS).collect();
        let outcomes = in_parallel(AT_ONCE / 2, &rounds, |round| {
            let namespace = of[0].prepare();
            let (first, second) = both(&namespace, of[0].goal, of[1].goal);
            let mixes: Vec<String> = learned.iter().map(|it| mix(it, &namespace)).collect();
            let codes = format!("exit {} and {}", first.code, second.code);
            let is = match mixes.iter().position(String::is_empty) {
                Some(which) => Ok(["the one", "the other"][which].to_owned()),
                None => Err(mixes),
            };
            let result = is.clone().map(drop).map_err(|mixes| {
                format!(
                    "{codes}; to the one {}\n  to the other {}\n  {}\n  {}",
                    mixes[0], mixes[1], first.stderr, second.stderr
                )
            });
            Outcome {
                row: codes,
                column: is.unwrap_or("mixed".into()),
                case: format!("{title}, round {round}"),
                result,
            }
        });
        settle(&format!("different files at once, {title}"), outcomes);
    }
}

/// Returns how the namespace differs from one file's state; how often the configuration changed does not count.
fn mix(learned: &Learned, namespace: &str) -> String {
    let plain = |state: &[String]| -> Vec<String> {
        let generations = (1..9).map(|it| format!("\"flame.xflops.io/config-generation\":\"{it}\""));
        let generations: Vec<String> = generations.collect();
        state.iter().map(|line| generations.iter().fold(line.clone(), |line, it| line.replace(it, ""))).collect()
    };
    differences(&plain(&learned.scenario.goal.state(namespace)), &plain(&learned.state))
}

/// `up` and `down` of one flame: whoever comes last may win, but what is left is whole, and either command puts it right.
#[test]
fn up_against_down_leaves_all_or_nothing() {
    let shape = Shape::of(3);
    let mut outcomes = Vec::new();
    for (from, before) in [("from nothing", None), ("from all", Some(shape))] {
        let of = [Goal::Up(shape), Goal::Down].map(|goal| Scenario { name: "up or down", before, goal });
        let learned = in_parallel(2, &of, |scenario| scenario.learn());
        let rounds: Vec<usize> = (1..=ROUNDS).collect();
        outcomes.extend(in_parallel(AT_ONCE / 2, &rounds, |round| {
            let namespace = of[0].prepare();
            let (up, down) = both(&namespace, of[0].goal, of[1].goal);
            let there = learned[0].is_reached(&namespace).is_ok();
            let gone = learned[1].is_reached(&namespace).is_ok();
            let left = ["a part", "all", "nothing"][usize::from(there) + 2 * usize::from(gone)];
            let whole = if there || gone { Ok(()) } else { Err(format!("up: {}\ndown: {}", up.stderr, down.stderr)) };
            let result = whole.and_then(|()| learned[round % 2].heals(&namespace));
            let row = format!("{from}, {} and {}", up.code, down.code);
            Outcome { row, column: left.to_owned(), case: format!("round {round} ({namespace})"), result }
        }));
    }
    settle("up against down, exit codes and what is left", outcomes);
}

#[test]
fn whatever_a_stranger_deletes_meanwhile_is_there_in_the_end() {
    let all = scenarios(3);
    let of = ["create", "scale up", "new config"].map(|name| *all.iter().find(|it| it.name == name).unwrap());
    let learned = in_parallel(AT_ONCE, &of, |scenario| scenario.learn());
    let objects = [format!("pods/{NAME}-executor-manager-1"), format!("pods/{NAME}-session-manager")];
    let mut cases = Vec::new();
    for learned in &learned {
        for request in 1..=learned.requests {
            cases.push((learned, request, &objects[request % 2]));
        }
    }
    let outcomes = in_parallel(AT_ONCE, &cases, |(learned, request, object)| {
        let namespace = learned.scenario.prepare();
        let proxy = Proxy::with(Which::Nth(*request), When::Before, Fault::Stranger((*object).clone()));
        let ended = learned.scenario.goal.run(&namespace).through(&proxy);
        let row = ended.seen.get(request - 1).map_or("not reached".to_owned(), |seen| seen.class.clone());
        let result = succeeded("the command", &ended)
            .and_then(|()| learned.is_reached(&namespace))
            .and_then(|()| learned.is_quiet(&namespace));
        let case = format!("{} {request} ({namespace})", learned.scenario.name);
        Outcome { row, column: object.trim_start_matches("pods/demo-").chars().take(13).collect(), case, result }
    });
    settle("a stranger deletes", outcomes);
}
