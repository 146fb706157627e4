//! The layers of the crate: a file names only what its layer may import (see the crate's own documentation).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// Folder or file under `src`, and the words that may not stand in it.
const RULES: &[(&str, &[&str])] = &[
    (
        "flame",
        &[
            "kube::",
            "tokio",
            "clap",
            "http::",
            "futures",
            "comfy_table",
            "indicatif",
            "dialoguer",
            "println!",
            "eprintln!",
            "std::fs",
            "std::net",
            "std::env",
            "std::io",
            "Instant",
            "SystemTime",
            "async ",
            "crate::apiserver",
            "crate::cli",
            "crate::output",
            "crate::commands",
        ],
    ),
    (
        "error.rs",
        &[
            "kube::",
            "tokio",
            "clap",
            "crate::flame",
            "crate::apiserver",
            "crate::cli",
            "crate::output",
            "crate::commands",
        ],
    ),
    (
        "apiserver",
        &[
            "clap",
            "comfy_table",
            "indicatif",
            "dialoguer",
            "println!",
            "crate::cli",
            "crate::output",
            "crate::commands",
        ],
    ),
    (
        "cli",
        &[
            "kube::",
            "tokio",
            "indicatif",
            "dialoguer",
            "println!",
            "crate::apiserver",
            "crate::output",
            "crate::commands",
        ],
    ),
    ("output", &["kube::", "tokio", "clap", "http::", "crate::apiserver", "crate::cli", "crate::commands"]),
    ("commands", &["kube::", "clap", "comfy_table", "indicatif", "dialoguer", "println!"]),
];

/// Returns the files of a layer: the folder's, and the file of the same name beside it.
fn files(layer: &str) -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![source.join(layer)];
    for file in [source.join(layer), source.join(format!("{layer}.rs"))] {
        if file.is_file() {
            files.push(file);
        }
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(extension) if extension == "rs" => files.push(path),
                // Recordings.
                _ => {}
            }
        }
    }
    files
}

/// Returns every forbidden word that stands in the code of a file, comments left out.
fn offences(text: &str, forbidden: &[&str]) -> Vec<String> {
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, code(line)));
    let mut offences = Vec::new();
    for (at, line) in lines {
        offences.extend(forbidden.iter().filter(|word| line.contains(**word)).map(|word| format!("{at}: {word}")));
    }
    offences
}

#[test]
fn no_file_names_what_its_layer_may_not_import() {
    let mut broken = Vec::new();
    for (layer, forbidden) in RULES {
        let files = files(layer);
        assert!(!files.is_empty(), "layer {layer} has no files");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            broken.extend(offences(&text, forbidden).into_iter().map(|it| format!("{}:{it}", file.display())));
        }
    }
    assert!(broken.is_empty(), "these break the layers:\n{}", broken.join("\n"));
}

#[test]
fn the_rule_finds_what_it_looks_for() {
    assert_eq!(offences("use std::fmt;\nuse kube::Client; // why\n", &["kube::"]), ["2: kube::"]);
    assert!(offences("// kube::Client is not imported here\n", &["kube::"]).is_empty());
}
