//! Times the parts that neither read nor write, for flames of 10, 1,000 and 10,000 executors.
//!
//!   cargo bench --bench pure
//!   cargo bench --bench pure -- plan --save-baseline before

#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement may panic; criterion's macros make functions")]

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flamectl::commands::render;
// What `testing` finds beside itself where it is at home.
use flamectl::flame::{API_VERSION, ExecutorManager, FlameCluster, KIND, Metadata, ObjectCache, SessionManager, Spec};
use flamectl::flame::{manifests, names, observed, owner};

use flamectl::flame::observed::Snapshot;
use flamectl::flame::parse::parse;
use flamectl::flame::plan::{Desired, PlanOptions, plan};
use flamectl::flame::rollout::{Options, Rollout};
use flamectl::flame::state::verdict;

#[path = "../src/flame/testing.rs"]
#[expect(dead_code, reason = "tests use all of it")]
mod testing;

const SIZES: [u32; 3] = [10, 1_000, 10_000];

fn desired(flame: &FlameCluster) -> Desired {
    Desired::up(manifests::manifests(flame).unwrap())
}

/// Returns the file of a flame.
fn file(replicas: u32) -> String {
    let example = include_str!("../examples/basic.yaml");
    example.replace("executorManager:\n", &format!("executorManager:\n    replicas: {replicas}\n"))
}

fn pure(criterion: &mut Criterion) {
    for size in SIZES {
        let flame = testing::flame(size);
        let (desired, running) = (desired(&flame), testing::running(&flame));
        let restart = HashMap::new();
        let options = PlanOptions { adopt: false, no_resize: false, restart: &restart };
        let id = |name: &str| format!("{name}, {size} executors");

        let file = file(size);
        criterion.bench_function(&id("parse"), |it| it.iter(|| parse("flame.yaml", black_box(file.as_bytes()))));
        criterion.bench_function(&id("render"), |it| {
            it.iter(|| render::yaml(&manifests::manifests(black_box(&flame)).unwrap()).unwrap());
        });
        criterion.bench_function(&id("plan of nothing there"), |it| {
            let nothing = Snapshot::default();
            it.iter(|| plan(black_box(&desired), &nothing, options));
        });
        criterion
            .bench_function(&id("plan of all there"), |it| it.iter(|| plan(black_box(&desired), &running, options)));
        // The session manager is ready, so that all executors are due.
        let mut first = running.clone();
        let manager = names::session_manager(&flame.metadata.name);
        first.pods.retain(|name, _| **name == *manager);
        for (name, snapshot) in [("next with all to create", &first), ("next with nothing to do", &running)] {
            criterion.bench_function(&id(name), |it| {
                let rollout = || Rollout::new(desired.clone(), Options::default(), snapshot.clone());
                it.iter_batched_ref(rollout, |rollout| rollout.next(Duration::from_secs(1)), BatchSize::LargeInput);
            });
        }
        criterion.bench_function(&id("verdict"), |it| it.iter(|| verdict(black_box(&flame), &running, 0)));
    }
}

criterion_group! {
    name = group;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(3));
    targets = pure
}
criterion_main!(group);
