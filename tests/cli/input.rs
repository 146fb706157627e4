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
    let session = Session::new().file("large.yaml", &large);
    assert_snapshot!("a_file_larger_than_a_flame_may_be_is_refused", session.run("validate -f large.yaml"));
    assert_snapshot!(
        "more_input_than_a_flame_may_be_is_refused",
        session.run_with_input("validate -f -", &large[..(1 << 20) + 1])
    );
}

/// The record keeps the flame as JSON, where each quote takes two bytes.
#[test]
fn a_flame_that_does_not_fit_into_its_record_is_refused() {
    let note = "'".repeat(2) + &"\"".repeat(100_000) + &"'".repeat(2);
    let file = BASIC.replace("name: basic\n", &format!("name: basic\n  annotations: {{note: '{note}'}}\n"));
    assert_snapshot!(Session::new().file("a.yaml", file).run("validate -f a.yaml"));
}

#[test]
fn flag_and_file_may_not_name_different_namespaces() {
    let file = BASIC.replace("name: basic\n", "name: basic\n  namespace: one\n");
    assert_snapshot!(Session::new().file("a.yaml", file).run("render -f a.yaml -n two"));
}

#[test]
fn what_a_file_is_called_does_not_matter() {
    let session = Session::new().file("flame.txt", BASIC).file("flame", format!("\u{FEFF}{BASIC}"));
    assert_snapshot!(session.run("validate -f flame.txt -f flame"));
}

#[test]
fn render_takes_the_namespace_of_the_kubeconfigs_context() {
    let config = "{current-context: a, contexts: [{name: a, context: {cluster: c, user: u, namespace: ml}}, \
                  {name: b, context: {cluster: c, user: u, namespace: web}}]}";
    let session = Session::new().file("a.yaml", BASIC).file("config", config);
    for (flags, namespace) in [
        ("--kubeconfig config", "  namespace: ml"),
        ("--kubeconfig config --context b", "  namespace: web"),
        ("--kubeconfig config --context other", "  namespace: default"),
        ("--kubeconfig nowhere", "  namespace: default"),
    ] {
        let said = session.run(&format!("render -f a.yaml {flags}"));
        let mut namespaces: Vec<&str> = said.lines().filter(|line| line.starts_with("  namespace: ")).collect();
        namespaces.dedup();
        assert_eq!(namespaces, [namespace], "{flags}");
    }
}

/// The flag stands for the annotation, in every way.
#[test]
fn a_user_for_the_pods_comes_from_the_file_or_from_a_flag() {
    let annotated = include_str!("../../examples/restricted.yaml");
    let (line, text) = (annotated.lines().find(|line| line.contains("run-as-user: ")).unwrap(), "annotations:\n");
    let plain = annotated.replace(&format!("{line}\n"), "").replace(&format!("  {text}"), "");
    let session = Session::new().file("annotated.yaml", annotated).file("plain.yaml", &plain);
    let by_file = session.run("render -f annotated.yaml");
    assert!(by_file.contains("runAsUser: 1000\n"), "{by_file}");
    assert!(!session.run("render -f plain.yaml").contains("runAsUser"));
    assert_eq!(session.run("render -f plain.yaml --run-as-user 1000"), by_file);
    let other = session.run("render -f annotated.yaml --run-as-user 1000:2000");
    assert_eq!(other, session.run("render -f plain.yaml --run-as-user=1000:2000"));
    assert!(other.contains("runAsGroup: 2000\n"), "{other}");
}

#[test]
fn a_user_who_cannot_write_the_database_is_told_with_its_place() {
    let relative = include_str!("../../examples/production.yaml");
    let session = Session::new().file("basic.yaml", BASIC).file("relative.yaml", relative);
    for (name, args) in [
        ("user_without_storage", "render -f basic.yaml --run-as-user 1000"),
        ("user_of_a_relative_storage", "validate -f relative.yaml --run-as-user 1000"),
    ] {
        assert_snapshot!(name, session.run(args));
    }
}
