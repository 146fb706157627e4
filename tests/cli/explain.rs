//! The reference at the prompt, and for editors.

use insta::assert_snapshot;

use crate::Session;

#[test]
fn a_page_tells_what_a_field_is_and_where_it_ends_up() {
    for (name, args) in [
        ("explain", "explain"),
        ("explain_section", "explain spec.executorManager"),
        ("explain_field", "explain spec.sessionManager.slot"),
        ("explain_map", "explain FlameCluster.metadata.annotations"),
        ("explain_status", "explain status.state"),
        ("explain_recursive", "explain --recursive"),
    ] {
        assert_snapshot!(name, Session::new().run(args));
    }
}

#[test]
fn a_name_that_only_one_field_has_is_enough() {
    let session = Session::new();
    assert_eq!(session.run("explain slot"), session.run("explain flamecluster.spec.sessionManager.slot"));
}

#[test]
fn an_unknown_field_is_told_with_what_was_meant() {
    for (name, args) in [
        ("explain_typo", "explain spec.executorManager.replica"),
        ("explain_unknown", "explain gpus"),
        ("explain_ambiguous", "explain image"),
    ] {
        assert_snapshot!(name, Session::new().run(args));
    }
}

#[test]
fn the_schema_is_json_and_the_one_beside_the_examples() {
    let output = Session::new().run("schema");
    let schema = include_str!("../../examples/flamecluster.schema.json");
    assert_eq!(output, format!("exit 0\n--- stdout\n{schema}--- stderr\n"));
    for of in ["status", "progress", "validate"] {
        let file = format!("{}/examples/{of}.schema.json", env!("CARGO_MANIFEST_DIR"));
        let schema = std::fs::read_to_string(file).unwrap();
        let output = Session::new().run(&format!("schema --of {of}"));
        assert_eq!(output, format!("exit 0\n--- stdout\n{schema}--- stderr\n"));
    }
    assert_snapshot!("schema_help", Session::new().run("schema --help"));
}
