//! What the fuzzers check (`fuzz/`), on their seeds, on all that they found, and on some hundred generated flames.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic")]

#[expect(dead_code, reason = "what is said of each case is the reader's own test")]
mod catalogue;
mod flames;
mod reader;
mod roundtrip;

use std::fs;
use std::path::Path;

use flamectl::error::Severity;
use flamectl::flame::parse::{Parsed, parse};

/// Returns the files in a folder, with their names.
#[track_caller]
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

#[test]
fn what_the_fuzzers_found_stays_fixed() {
    for (name, bytes) in files("fuzz/found").into_iter().chain(files("examples")) {
        println!("{name}");
        reader::check(&bytes);
        roundtrip::check(&bytes);
        roundtrip::generated(&bytes);
    }
}

#[test]
#[ignore = "writes the fuzzers' seeds to fuzz/corpus"]
fn the_fuzzers_get_their_seeds() {
    let cases = catalogue::cases().into_iter().map(|case| case.input.into_bytes());
    let files = files("fuzz/found").into_iter().chain(files("examples")).map(|(_, bytes)| bytes);
    let seeds: Vec<Vec<u8>> = cases.chain(files).collect();
    for target in ["reader", "roundtrip"] {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        fs::create_dir_all(&corpus).unwrap();
        for (index, seed) in seeds.iter().enumerate() {
            fs::write(corpus.join(format!("seed-{index:03}")), seed).unwrap();
        }
    }
}

#[test]
fn the_catalogue_holds_in_all_that_the_fuzzers_check() {
    for case in catalogue::cases() {
        reader::check(case.input.as_bytes());
        roundtrip::check(case.input.as_bytes());
    }
}

#[test]
fn generated_flames_are_read_as_they_are_written() {
    for seed in 0..500 {
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let bytes: Vec<u8> = (0..2000).map(|_| random.u8(..)).collect();
        roundtrip::generated(&bytes);
    }
}
