//! The reference at the prompt.

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
