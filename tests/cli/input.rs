//! Bad input: everything at once, nothing sent, exit 2.

use insta::assert_snapshot;

use crate::{BASIC, Session};

#[test]
fn all_problems_are_told_at_once_with_their_place_and_cure() {
    let bad = r#"apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: My_Flame
spec:
  sessionManager:
    image: xflops/flame-session:v0.1.0
    slot: cpu=1
  executorManger:
    image: ""
    replicas: -1
"#;
    assert_snapshot!(Session::new().file("bad.yaml", bad).run("up -f bad.yaml"));
}

#[test]
fn files_that_cannot_be_read_are_told_apart() {
    let session = Session::new().file("empty.yaml", "").file("comment.yaml", "# nothing\n");
    std::fs::create_dir(session.path().join("folder")).unwrap();
    for (name, args) in [
        ("missing", "render -f nowhere.yaml"),
        ("directory", "render -f folder"),
        ("empty", "render -f empty.yaml"),
        ("comment", "render -f comment.yaml"),
    ] {
        assert_snapshot!(name, session.run(args));
    }
}

#[test]
fn a_file_larger_than_a_flame_may_be_is_refused() {
    let large = format!("{BASIC}# {}\n", "x".repeat(2 << 20));
    assert_snapshot!(Session::new().file("large.yaml", large).run("validate -f large.yaml"));
}

#[test]
fn flag_and_file_may_not_name_different_namespaces() {
    let file = BASIC.replace("name: basic\n", "name: basic\n  namespace: one\n");
    assert_snapshot!(Session::new().file("a.yaml", file).run("render -f a.yaml -n two"));
}
