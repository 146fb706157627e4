//! What commands cost in requests.

use std::collections::BTreeMap;

use crate::bed::bed;
use crate::client::{Ended, Run};
use crate::proxy::Proxy;
use crate::scenario::{Goal, NAME, Shape};

/// Returns the requests by class.
fn counts(ended: &Ended) -> BTreeMap<&str, usize> {
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let mut counts = BTreeMap::new();
    for seen in &ended.seen {
        *counts.entry(seen.class.as_str()).or_default() += 1;
    }
    counts
}

#[test]
fn every_command_sends_as_few_requests_as_it_can() {
    let namespace = bed().namespace("cost");
    let goal = Goal::Up(Shape::of(10));
    let first = goal.run(&namespace).through(&Proxy::plain());
    println!("first up, 10 executors: {} requests, {:?}", first.seen.len(), counts(&first));
    let expected = [
        ("apply configmaps", 1),
        ("apply pods", 11),
        ("apply services", 2),
        ("get configmaps", 1),
        ("get pods", 1),
        ("get services", 2),
        // The flame's own, and the names of all: ten missing Pods are not looked up one by one.
        ("list pods", 2),
        // Whether it fits and the caller may do all that, all at once before the first write; nodes 500 a page.
        ("get namespaces", 1),
        ("list limitranges", 1),
        ("list nodes", 1),
        ("list resourcequotas", 1),
        ("review selfsubjectrulesreviews", 1),
        ("watch configmaps", 1),
        ("watch pods", 1),
        ("watch services", 1),
    ];
    assert_eq!(counts(&first), BTreeMap::from(expected));

    let reads = BTreeMap::from([("get configmaps", 1), ("get pods", 1), ("get services", 2), ("list pods", 1)]);
    let second = goal.run(&namespace).through(&Proxy::plain());
    println!("second up: {} requests, {:?}", second.seen.len(), counts(&second));
    assert_eq!(counts(&second), reads);

    let status = Run { namespace: namespace.clone(), ..Default::default() }.with(&["status", NAME]);
    let status = status.through(&Proxy::plain());
    println!("status: {} requests, {:?}", status.seen.len(), counts(&status));
    assert_eq!(counts(&status), reads);

    let down = Goal::Down.run(&namespace).through(&Proxy::plain());
    println!("down: {} requests, {:?}", down.seen.len(), counts(&down));
    let writes: usize = down.seen.iter().filter(|seen| seen.is_write()).count();
    assert_eq!(writes, 15, "one delete an object, and a mark on the record before");
}

#[test]
fn a_second_up_reads_a_page_for_each_500_executors_and_writes_nothing() {
    let namespace = bed().namespace("cost");
    // The session manager comes behind the executors, and is no reason to ask for one page more.
    for (executors, pages) in [(500, 1), (501, 2)] {
        let goal = Goal::Up(Shape::of(executors));
        let first = goal.run(&namespace).through(&Proxy::plain());
        println!(
            "first up, {executors} executors: {} requests, {:?}, {:.1?}",
            first.seen.len(),
            counts(&first),
            first.took
        );
        let second = goal.run(&namespace).through(&Proxy::plain());
        println!("second up, {executors} executors: {} requests, {:?}", second.seen.len(), counts(&second));
        assert_eq!(second.seen.len(), 4 + pages);
        // 3.7 kB a Pod, where the server does not compress what is alike.
        let listed: usize = second.seen.iter().filter(|seen| seen.class == "list pods").map(|seen| seen.answered).sum();
        println!("{listed} bytes of lists");
        assert!((1..executors as usize * 400).contains(&listed), "{listed} bytes");
        assert!(!second.seen.iter().any(|seen| seen.is_write()));
    }
}

#[test]
fn pods_that_nobody_waits_for_are_not_watched_while_they_are_made() {
    let namespace = bed().namespace("cost");
    Goal::Up(Shape::of(1)).run(&namespace).through(&Proxy::plain());
    let more = Goal::Up(Shape::of(20)).run(&namespace).with(&["--wait=false"]).through(&Proxy::plain());
    println!("from 1 to 20 executors, not waited for: {} requests, {:?}", more.seen.len(), counts(&more));
    let counts = counts(&more);
    assert_eq!(counts["apply pods"], 19);
    assert!(!counts.contains_key("watch pods"), "{counts:?}");
    // The record is: another command that takes the flame over writes it.
    assert_eq!(counts["watch configmaps"], 1);
}

#[test]
fn a_rolling_image_change_deletes_and_makes_each_executor_once() {
    let namespace = bed().namespace("cost");
    let before = Shape::of(20);
    Goal::Up(before).run(&namespace).through(&Proxy::plain());
    let rolled = Goal::Up(Shape { image: 2, ..before }).run(&namespace).through(&Proxy::plain());
    println!("new image, 20 executors: {} requests, {:?}, {:.1?}", rolled.seen.len(), counts(&rolled), rolled.took);
    let writes = |class: &str| counts(&rolled).get(class).copied().unwrap_or_default();
    // The session manager's image is changed in place; each executor goes and comes.
    let expected = [("apply configmaps", 1), ("apply pods", 21), ("delete pods", 20)];
    assert_eq!(expected.map(|(class, _)| (class, writes(class))), expected);
}
