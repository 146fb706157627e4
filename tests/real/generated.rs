//! Flames of every kind that the reader accepts: the server accepts each object of them, and kubectl reads what was written.

use std::collections::BTreeMap;

use flamectl::commands::render;
use flamectl::flame::FlameCluster;
use flamectl::flame::manifests::manifests;
use flamectl::flame::parse::parse;
use flamectl::output;
use serde_json::Value;

use crate::bed::{Ran, at, namespace};

#[path = "../corpus/flames.rs"]
mod generator;

const FLAMES: u64 = 300;
/// Flames in one call of kubectl.
const AT_ONCE: u64 = 100;

/// Returns the flame of a seed; its name ends with the seed, so that no two flames have the same objects.
fn flame(seed: u64, namespace: &str) -> FlameCluster {
    let mut random = fastrand::Rng::with_seed(seed);
    let bytes: Vec<u8> = (0..2000).map(|_| random.u8(..)).collect();
    let mut flame = generator::flame(&mut arbitrary::Unstructured::new(&bytes));
    flame.metadata.namespace = Some(namespace.to_owned());
    let seed = seed.to_string();
    let name = &mut flame.metadata.name;
    name.truncate(name.len().saturating_sub(seed.len()).max(1));
    name.push_str(&seed);
    flame
}

/// Returns the objects of flames as the server made them, by kind and name.
fn dry_run(yaml: String, namespace: &crate::bed::Namespace<'_>) -> BTreeMap<String, Value> {
    let mut kubectl = namespace.bed.kubectl();
    kubectl.args(["apply", "--server-side", "--dry-run=server", "--field-manager=flamectl", "-o", "json", "-f", "-"]);
    let list: Value = serde_json::from_str(&Ran::with_input(kubectl, &yaml).exits(0).stdout).unwrap();
    let objects = list["items"].as_array().unwrap().iter();
    objects.map(|it| (format!("{} {}", at(it, "/kind"), at(it, "/metadata/name")), it.clone())).collect()
}

#[test]
fn the_server_accepts_whatever_the_reader_accepts() {
    let space = namespace();
    for first in (0..FLAMES).step_by(AT_ONCE as usize) {
        let seeds = first..first + AT_ONCE;
        println!("seeds {seeds:?}");
        let mut ours = BTreeMap::new();
        let mut yaml = Vec::new();
        for flame in seeds.map(|seed| flame(seed, &space.name)) {
            let read = parse("f.yaml", output::yaml(&[&flame]).unwrap().as_bytes());
            assert_eq!(read.flame.as_ref(), Some(&flame), "{:?}", read.problems);
            let manifests = manifests(&flame).unwrap();
            yaml.push(render::yaml(&manifests).unwrap());
            let list: Value = serde_json::from_str(&render::json(&manifests).unwrap()).unwrap();
            for object in list["items"].as_array().unwrap() {
                ours.insert(format!("{} {}", at(object, "/kind"), at(object, "/metadata/name")), object.clone());
            }
        }
        let theirs = dry_run(yaml.join("---\n"), &space);
        assert_eq!(theirs.keys().collect::<Vec<_>>(), ours.keys().collect::<Vec<_>>());
        for (name, object) in &ours {
            for part in ["/metadata/labels", "/metadata/annotations", "/data", "/spec/containers/0/image"] {
                assert_eq!(theirs[name].pointer(part), object.pointer(part), "{part} of {name}");
            }
        }
    }
}
