use super::*;
use crate::flame::names::PodIndex;
use crate::flame::rollout::{Action, Left, Wave};
use crate::flame::state::Cause;
use crate::output::progress::testing::{at, down, executor, held, retry, up};

const USUAL: Size = Size { width: 80, height: 24 };
const WIDE: Size = Size { width: 200, height: 50 };
const SLIM: Size = Size { width: 30, height: 24 };
const HALF: Size = Size { width: 46, height: 24 };

fn live(progress: Progress, now: f64) -> Live {
    let mut live = Live::new(false, true, at(0.0));
    live.event(&Event::Progress(Box::new(progress)), at(now));
    live
}

#[track_caller]
fn check(live: &Live, size: Size, now: f64, expected: &[&str]) {
    let frame = live.frame(size, at(now));
    assert_eq!(frame, expected, "\n{}", frame.join("\n"));
    assert!(frame.len() < size.height);
    assert!(frame.iter().all(|line| console::measure_text_width(line) < size.width));
}

fn slow(index: u32, stage: Stage, since: f64) -> Option<Slowest> {
    Some(Slowest { pod: PodIndex::Executor(index), stage, since: at(since) })
}

/// Returns a start of ten executors.
fn starting() -> Progress {
    let executors = [(Stage::Ready, 6), (Stage::Starting, 2), (Stage::Pulling, 1), (Stage::Crashing, 1)];
    Progress {
        executors: executors.into_iter().collect(),
        slowest: slow(7, Stage::Pulling, 1.0),
        deadline: Some(at(300.0)),
        ..up(1, 6, 10)
    }
}

#[test]
fn before_anything_is_known_it_waits_for_the_server() {
    check(&Live::new(false, true, at(0.0)), USUAL, 3.4, &["waiting for the server  3s"]);
}

#[test]
fn a_start_is_a_line_per_component_with_the_slowest_pod_and_the_time_left() {
    let live = live(starting(), 12.0);
    check(
        &live,
        USUAL,
        42.0,
        &[
            "demo  42s elapsed, 4m18s left",
            "  session manager  [██████████]  1/1 ready",
            "  executors        [██████░░░░]  6/10 ready, 2 starting, 1 pulling, 1 crashing",
            "  slowest: executor 7, pulling its image for 41s",
        ],
    );
    check(
        &live,
        WIDE,
        42.0,
        &[
            "demo  42s elapsed, 4m18s left",
            "  session manager  [████████████████████████████████████████]  1/1 ready",
            "  executors        [████████████████████████░░░░░░░░░░░░░░░░]  6/10 ready, 2 starting, 1 pulling, 1 crashing",
            "  slowest: executor 7, pulling its image for 41s",
        ],
    );
    check(
        &live,
        HALF,
        42.0,
        &[
            "demo  42s elapsed, 4m18s left",
            "  session manager  [██████████]  1/1 ready",
            "  executors  [██████░░░░]  6/10 ready,",
            "    2 starting, 1 pulling, 1 crashing",
            "  slowest: executor 7, pulling its image for…",
        ],
    );
    check(
        &live,
        SLIM,
        42.0,
        &[
            "demo  42s elapsed, 4m18s left",
            "  session manager  1/1 ready",
            "  executors  6/10 ready,",
            "    2 starting, 1 pulling,",
            "    1 crashing",
            "  slowest: executor 7, pulli…",
        ],
    );
}

#[test]
fn without_unicode_everything_is_ascii() {
    let mut live = live(Progress { causes: vec![held("ErrImagePull", &"é→x ".repeat(30), 3..10)], ..starting() }, 1.0);
    live.unicode = false;
    check(
        &live,
        Size { width: 60, height: 24 },
        42.0,
        &[
            "demo  42s elapsed, 4m18s left",
            "  session manager  [##########]  1/1 ready",
            "  executors        [######....]  6/10 ready, 2 starting,",
            "                                 1 pulling, 1 crashing",
            "  slowest: executor 7, pulling its image for 41s",
            "  7 of 10 executors (3-9): ErrImagePull: é->x é->x é->x",
            "    é->x é->x é->x é->x é->x é->x é->x é->x é->x é->x é-...",
        ],
    );
}

#[test]
fn a_rollout_shows_its_wave() {
    let progress = Progress {
        executors: [(Stage::Ready, 15), (Stage::Terminating, 3), (Stage::Missing, 2)].into_iter().collect(),
        to_do: 17,
        wave: Some(Wave { number: 2, of: 4, replacing: 5 }),
        slowest: slow(5, Stage::Terminating, 20.0),
        ..up(1, 15, 20)
    };
    check(
        &live(progress, 20.0),
        USUAL,
        50.5,
        &[
            "demo  50s elapsed",
            "  session manager  [██████████]  1/1 ready",
            "  executors        [███████░░░]  15/20 ready, 3 terminating, 2 not created",
            "  wave 2 of 4: replacing 5 executors",
            "  slowest: executor 5, terminating for 30s",
        ],
    );
}

#[test]
fn what_is_still_to_be_written_is_counted() {
    let progress = Progress { to_do: 11, ..up(0, 0, 0) };
    let frame = live(progress, 1.0).frame(USUAL, at(1.0));
    assert_eq!(frame[3..], ["  11 objects still to change"]);
}

#[test]
fn a_start_that_fails_shows_each_cause_and_counts_down() {
    let message = "failed to pull and unpack image \"registry.example/flame-executor:v9\": manifest unknown: not found";
    let progress = Progress {
        session_manager: [(Stage::Starting, 1)].into_iter().collect(),
        executors: [(Stage::Ready, 3), (Stage::NoImage, 7)].into_iter().collect(),
        causes: vec![held("ErrImagePull", message, 3..10), held("Pending", "on its way", 0..1)],
        gives_up_at: Some(at(72.0)),
        ..starting()
    };
    check(
        &live(progress, 12.0),
        USUAL,
        27.2,
        &[
            "demo  27s elapsed, 4m33s left",
            "  session manager  [░░░░░░░░░░]  0/1 ready, starting",
            "  executors        [███░░░░░░░]  3/10 ready, 7 without image",
            "  slowest: executor 7, pulling its image for 26s",
            "  7 of 10 executors (3-9): ErrImagePull: failed to pull and unpack image",
            "    \"registry.example/flame-executor:v9\": manifest unknown: not found",
            "  gives up in 45s",
        ],
    );
}

#[test]
fn causes_are_cut_to_the_rows_that_there_are() {
    let causes: Vec<_> = (0..8).map(|index| held("Odd", &format!("reason {index}"), index..index + 1)).collect();
    let progress = Progress { causes, more_causes: 4, gives_up_at: Some(at(72.0)), ..starting() };
    let live = live(progress, 12.0);
    for (height, expected) in [
        (9, &["  executor 0: Odd: reason 0", "  executor 1: Odd: reason 1", "  and 10 other causes"][..]),
        (7, &["  and 12 causes"]),
        (6, &[]),
    ] {
        let frame = live.frame(Size { width: 200, height }, at(12.0));
        let causes: Vec<_> = frame.iter().filter(|line| line.contains("Odd") || line.contains("cause")).collect();
        assert_eq!(causes, expected, "{height} rows\n{}", frame.join("\n"));
        assert_eq!(frame.last().unwrap(), "  gives up in 60s", "{height} rows");
    }
    assert_eq!(live.frame(Size { width: 80, height: 2 }, at(12.0)), ["demo  12s elapsed, 4m48s left"]);
    assert_eq!(live.frame(Size { width: 1, height: 1 }, at(12.0)), ["d"]);
}

#[test]
fn ten_thousand_pods_are_a_few_lines() {
    let stages = [
        (Stage::Ready, 6_200),
        (Stage::Starting, 1_021),
        (Stage::Pulling, 640),
        (Stage::Creating, 239),
        (Stage::Scheduling, 1_000),
        (Stage::Crashing, 12),
        (Stage::NoImage, 8),
        (Stage::Unschedulable, 80),
        (Stage::Missing, 800),
    ];
    let progress = Progress {
        executors: stages.into_iter().collect(),
        slowest: slow(9_999, Stage::Unschedulable, 2.0),
        causes: vec![Cause { of: 10_000, ..held("CrashLoopBackOff", "exit code 101", 100..112) }],
        ..up(1, 0, 10_000)
    };
    let live = live(progress, 12.0);
    check(
        &live,
        USUAL,
        40.0,
        &[
            "demo  40s elapsed",
            "  session manager  [██████████]  1/1 ready",
            "  executors        [██████░░░░]  6200/10000 ready, 1021 starting, 640 pulling,",
            "                                 239 creating, 1000 scheduling, 12 crashing,",
            "                                 8 without image, 80 unschedulable,",
            "                                 800 not created",
            "  slowest: executor 9999, fitting no node for 38s",
            "  12 of 10000 executors (100-111): CrashLoopBackOff: exit code 101",
        ],
    );
    check(
        &live,
        WIDE,
        40.0,
        &[
            "demo  40s elapsed",
            "  session manager  [████████████████████████████████████████]  1/1 ready",
            "  executors        [████████████████████████░░░░░░░░░░░░░░░░]  6200/10000 ready, 1021 starting, 640 pulling, 239 creating, 1000 scheduling, 12 crashing, 8 without image, 80 unschedulable,",
            "                                                               800 not created",
            "  slowest: executor 9999, fitting no node for 38s",
            "  12 of 10000 executors (100-111): CrashLoopBackOff: exit code 101",
        ],
    );
}

#[test]
fn taking_down_shows_what_is_gone_and_what_is_left() {
    let mut live = live(down(1, 10, Left { pods: 11, services: 2, config_maps: 1 }), 0.5);
    let progress = Progress {
        session_manager: [(Stage::Terminating, 1)].into_iter().collect(),
        executors: [(Stage::Terminating, 4)].into_iter().collect(),
        slowest: slow(3, Stage::Terminating, 1.0),
        deadline: Some(at(300.0)),
        ..down(0, 0, Left { pods: 5, services: 2, config_maps: 1 })
    };
    live.event(&Event::Progress(Box::new(progress)), at(10.0));
    check(
        &live,
        USUAL,
        32.0,
        &[
            "taking demo down  32s elapsed, 4m28s left",
            "  executors        [██████░░░░]  6/10 gone, 4 terminating",
            "  session manager  [░░░░░░░░░░]  0/1 gone, 1 terminating",
            "  2 Services and 1 ConfigMap left",
            "  slowest: executor 3, terminating for 31s",
        ],
    );
}

#[test]
fn once_all_is_there_nothing_is_waited_for() {
    let mut live = live(Progress { to_do: 0, ..up(1, 10, 10) }, 9.0);
    check(
        &live,
        USUAL,
        60.0,
        &["demo  ready", "  session manager  [██████████]  1/1 ready", "  executors        [██████████]  10/10 ready"],
    );
    live.event(&Event::Progress(Box::new(up(1, 9, 10))), at(100.0));
    assert_eq!(live.frame(USUAL, at(103.0))[0], "demo  3s elapsed");
}

#[test]
fn wide_characters_count_as_two_columns() {
    let progress = Progress { causes: vec![held("Odd", &"日本語🔥".repeat(20), 0..1)], ..starting() };
    let frame = live(progress, 1.0).frame(Size { width: 41, height: 24 }, at(1.0));
    assert!(frame.iter().all(|line| console::measure_text_width(line) <= 40), "{frame:#?}");
    let cause = frame.iter().position(|line| line == "  executor 0: Odd:").unwrap();
    assert_eq!(console::measure_text_width(&frame[cause + 1]), 39, "the next one takes two columns, and … one");
}

#[test]
fn what_a_server_says_steers_no_terminal() {
    let progress = Progress { causes: vec![held("Odd", "a\u{1b}[2Jb\tc", 0..1)], ..starting() };
    let frame = live(progress, 1.0).frame(USUAL, at(1.0));
    assert_eq!(frame[4], "  executor 0: Odd: a[2Jb c");
}

#[test]
fn only_what_is_no_state_is_a_line_of_its_own() {
    let mut live = live(starting(), 1.0);
    live.event(&executor(Action::Create, 1), at(1.0));
    live.event(&Event::Note("namespace ml was created".to_owned()), at(1.0));
    live.event(&retry("Pod a", "the server is busy"), at(1.0));
    assert_eq!(live.take_lines(), ["namespace ml was created"]);
    live.tick(at(2.0));
    assert_eq!(live.take_lines(), ["retrying Pod a in 2s: the server is busy"]);
    live.verbose = true;
    live.event(&executor(Action::Create, 1), at(3.0));
    assert_eq!(live.take_lines(), ["created Pod demo-executor-manager-1"]);
}
