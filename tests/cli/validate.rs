//! `validate`: each format, several files, standard input, a directory, `--strict`.

use std::fs;

use insta::{Settings, assert_snapshot};

use crate::{BASIC, Session};

/// An error, a warning and a fine file.
fn three() -> Session {
    Session::new()
        .file("bad.yaml", BASIC.replace("kind: Flame", "kind: flame"))
        .file("large.yaml", BASIC.replace("  executorManager:\n", "  executorManager:\n    replicas: 300\n"))
        .file("good.yaml", BASIC)
}

#[test]
fn text_tells_every_file_and_counts_in_the_end() {
    let session = three();
    assert_snapshot!("text", session.run("validate -f bad.yaml -f large.yaml good.yaml"));
    assert_snapshot!("text_one", session.run("validate -f good.yaml"));
    assert_snapshot!("text_fine", session.run("validate -f good.yaml good.yaml -v"));
    assert_snapshot!("text_quiet", session.run("validate -f bad.yaml -f large.yaml good.yaml -q"));
}

#[test]
fn the_lines_are_shown_where_colour_is_asked_for() {
    assert_snapshot!(three().run("validate -f bad.yaml large.yaml --color always").replace('\u{1b}', "ESC"));
}

#[test]
fn json_is_one_object_on_standard_output() {
    let session = three();
    assert_snapshot!("json", session.run("validate -f bad.yaml large.yaml nowhere.yaml -o json"));
    assert_snapshot!("json_fine", session.run("validate -f good.yaml -o json"));
    let validator = jsonschema::draft7::new(&flamectl::output::schema::validate()).unwrap();
    for args in ["validate -f bad.yaml large.yaml nowhere.yaml -o json", "validate -f good.yaml -o json"] {
        let output = session.command(args).output().unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap();
        let complaints: Vec<String> = validator.iter_errors(&report).map(|it| it.to_string()).collect();
        assert_eq!(complaints, Vec::<String>::new(), "{report:#}");
    }
}

#[test]
fn objects_that_no_server_takes_are_a_problem_of_the_file() {
    // The record keeps the annotations twice.
    let annotations = format!("name: basic\n  annotations:\n    a: {}\n", "x".repeat(200 << 10));
    let session = Session::new().file("heavy.yaml", BASIC.replace("name: basic\n", &annotations));
    assert_snapshot!("heavy", session.run("validate -f heavy.yaml"));
    assert_snapshot!("heavy_json", session.run("validate -f heavy.yaml -o json"));
}

#[test]
fn sarif_is_one_log() {
    let mut settings = Settings::clone_current();
    settings.add_filter(&format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION")), "\"version\": \"VERSION\"");
    settings.bind(|| assert_snapshot!(three().run("validate -f bad.yaml large.yaml nowhere.yaml -o sarif")));
}

#[test]
fn github_is_one_command_a_problem() {
    let session = three();
    assert_snapshot!("github", session.run("validate -f bad.yaml large.yaml nowhere.yaml -o github"));
    assert_eq!(session.run("validate -f good.yaml -o github"), "exit 0\n--- stdout\n--- stderr\n");
}

#[test]
fn standard_input_is_a_file_too_but_only_once() {
    let session = three();
    let bad = BASIC.replace("kind: Flame", "kind: flame");
    assert_snapshot!(
        "stdin",
        session.run_with_input("validate -f - good.yaml --color always", &bad).replace('\u{1b}', "ESC")
    );
    assert_snapshot!("stdin_twice", session.run_with_input("validate -f - -f -", BASIC));
}

#[test]
fn strict_takes_warnings_for_errors_and_sends_nothing() {
    let session = three();
    assert_snapshot!("strict", session.run("validate -f large.yaml --strict"));
    assert_snapshot!("strict_json", session.run("validate -f large.yaml --strict -o json"));
    let refused = session.run("up -f large.yaml --strict");
    assert_snapshot!("strict_up", refused);
    for verb in ["render", "diff"] {
        assert_eq!(session.run(&format!("{verb} -f large.yaml --strict")), refused, "{verb}");
    }
    assert!(session.run("render -f large.yaml").starts_with("exit 0\n"));
    assert!(session.run("render -f good.yaml --strict").starts_with("exit 0\n"));
}

#[test]
fn of_a_directory_all_yaml_and_json_is_checked() {
    let session = Session::new();
    let folder = session.path().join("flames");
    fs::create_dir_all(folder.join("below.yaml")).unwrap();
    for name in ["b.yml", "a.yaml", "c.json", "notes.txt", "below.yaml/d.yaml"] {
        fs::write(folder.join(name), "[]").unwrap();
    }
    fs::create_dir(session.path().join("empty")).unwrap();
    assert_snapshot!("directory", session.run("validate -f flames"));
    assert_snapshot!("directory_empty", session.run("validate -f empty flames/b.yml"));
}
