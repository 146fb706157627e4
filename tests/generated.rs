//! What lies in `completions/` and `tests/golden/`, and the JSON Schema in `examples/`, is what flamectl makes today;
//! `UPDATE=1 cargo test --test generated` writes it anew, for a look at the difference in git.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic and be told things")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use flamectl::cli::generated_files;
use flamectl::commands::render;
use flamectl::flame::manifests::manifests;
use flamectl::flame::parse::parse;
use flamectl::flame::schema;
use flamectl::output;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a folder, but for its subfolders, with what should be in it.
#[track_caller]
fn check(folder: &str, wanted: BTreeMap<String, Vec<u8>>) {
    let folder = root().join(folder);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(&folder).unwrap();
        wanted.iter().for_each(|(name, content)| fs::write(folder.join(name), content).unwrap());
    }
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let found: BTreeMap<String, Vec<u8>> = files.map(|path| (name(&path), fs::read(path).unwrap())).collect();
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&wanted), "the files of {}", folder.display());
    for (name, content) in wanted {
        let found = String::from_utf8_lossy(&found[&name]).into_owned();
        assert_eq!(found, String::from_utf8_lossy(&content), "{name} is out of date");
    }
}

#[test]
fn completions_and_man_pages_are_current() {
    check("completions", generated_files().unwrap().into_iter().collect());
}

#[test]
fn all_examples_render_as_before() {
    let rendered = ["basic", "production", "restricted", "flame-0.6"].map(|name| {
        let bytes = fs::read(root().join(format!("examples/{name}.yaml"))).unwrap();
        let parsed = parse("example", &bytes);
        assert!(parsed.problems.iter().all(|problem| problem.path == "spec.sessionManager.storage"), "{name}");
        let manifests = manifests(&parsed.flame.unwrap()).unwrap();
        (format!("{name}.yaml"), render::yaml(&manifests).unwrap().into_bytes())
    });
    check("tests/golden", rendered.into());
}

#[test]
fn the_json_schemas_beside_the_examples_are_current() {
    for (name, schema) in [
        ("flamecluster", schema::json::file()),
        ("status", output::schema::status()),
        ("progress", output::schema::progress()),
        ("validate", output::schema::validate()),
    ] {
        let file = root().join(format!("examples/{name}.schema.json"));
        let wanted = format!("{}\n", output::json(&schema).unwrap());
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, &wanted).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), wanted, "{name}.schema.json is out of date");
    }
}

#[test]
fn the_definition_beside_the_examples_is_current() {
    let file = root().join("examples/crd/flameclusters.yaml");
    let wanted = output::yaml(&[flamectl::flame::crd::definition()]).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &wanted).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), wanted, "the definition is out of date");
}

#[test]
fn every_example_names_the_json_schema() {
    let files = fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        let first = fs::read_to_string(&file).unwrap().lines().next().map(str::to_owned);
        let wanted = "# yaml-language-server: $schema=./flamecluster.schema.json";
        assert_eq!(first.as_deref(), Some(wanted), "{}", file.display());
    }
}
