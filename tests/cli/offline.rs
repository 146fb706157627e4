//! What works without a server, and what is said where one is needed and none is there.

use insta::{Settings, assert_snapshot};

use crate::{BASIC, Session};

#[test]
fn render_reads_standard_input_too() {
    let session = Session::new().file("basic.yaml", BASIC);
    let from_file = session.run("render -f basic.yaml");
    assert!(from_file.starts_with("exit 0\n"), "{from_file}");
    assert_eq!(session.run_with_input("render -f -", BASIC), from_file);
}

#[test]
fn render_as_json_is_one_list_of_the_same_objects() {
    let session = Session::new().file("basic.yaml", BASIC);
    let output = session.run("render -f basic.yaml -o json");
    let json = output.split("--- stdout\n").nth(1).unwrap().split("--- stderr").next().unwrap();
    let list: serde_json::Value = serde_json::from_str(json).unwrap();
    let kinds: Vec<_> = list["items"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ConfigMap", "Service", "Service", "Pod", "Pod"]);
}

#[test]
fn connect_prints_a_file_for_flames_clients_without_asking_anybody() {
    let session = Session::new().file("config", KUBECONFIG);
    assert_snapshot!("connect_in_cluster", session.run("connect demo --print-config -n ml"));
    assert_snapshot!("connect_port", session.run("connect demo --print-config --port 8080"));
    assert_snapshot!(
        "connect_endpoint",
        session.run("connect demo --print-config --endpoint https://flame.example.com")
    );
    assert_snapshot!("connect_usage", session.run("connect demo --endpoint https://flame.example.com"));
}

#[test]
fn without_a_kubeconfig_the_way_out_is_told() {
    assert_snapshot!(Session::new().file("basic.yaml", BASIC).run("up -f basic.yaml"));
}

#[test]
fn a_broken_kubeconfig_is_told() {
    let session = Session::new().file("basic.yaml", BASIC).file("config", "clusters: [").file("empty", "{}");
    assert_snapshot!("broken", session.run("up -f basic.yaml --kubeconfig config"));
    assert_snapshot!("empty_config", session.run("up -f basic.yaml --kubeconfig empty"));
    assert_snapshot!("no_such_config", session.run("up -f basic.yaml --kubeconfig nowhere"));
}

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
current-context: a
clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]
users: [{name: a, user: {token: secret-token}}]
contexts: [{name: a, context: {cluster: a, user: a}}, {name: b, context: {cluster: none, user: a}}]
";

#[test]
fn a_server_that_is_not_there_is_told_after_a_few_tries() {
    let session = Session::new().file("basic.yaml", BASIC).file("config", KUBECONFIG);
    let output = session.run("status basic --kubeconfig config");
    assert!(!output.contains("secret-token"), "a token is on the screen: {output}");
    assert_snapshot!("no_server", output);
    assert_snapshot!("no_context", session.run("status basic --kubeconfig config --context nowhere"));
    assert_snapshot!("no_cluster", session.run("status basic --kubeconfig config --context b"));
}

#[test]
fn a_credential_plugin_that_fails_is_named_and_its_output_is_not() {
    let plugin = KUBECONFIG.replace(
        "token: secret-token",
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: Never,
          args: ['-c', 'echo secret-token; echo login first >&2; exit 3']}",
    );
    let session = Session::new().file("basic.yaml", BASIC).file("config", plugin);
    let output = session.run("status basic --kubeconfig config");
    assert!(!output.contains("secret-token"), "a token is on the screen: {output}");
    assert!(output.contains("login first") && output.starts_with("exit 1"), "{output}");
}

#[test]
fn the_version_is_printed_for_people_and_programs() {
    let mut settings = Settings::clone_current();
    settings.add_filter(env!("CARGO_PKG_VERSION"), "VERSION");
    settings.bind(|| {
        assert_snapshot!("version", Session::new().run("version"));
        assert_snapshot!("version_json", Session::new().run("version -o json"));
    });
}

#[test]
fn rbac_prints_the_least_role_without_a_server() {
    let session = Session::new().file("basic.yaml", BASIC);
    assert_snapshot!("rbac", session.run("rbac -n ml --group ml-team"));
    assert_snapshot!("rbac_file", session.run("rbac -f basic.yaml -n ml --for up,down"));
    assert_snapshot!(
        "rbac_watch",
        session.run("rbac -A --crd --for watch --leader-elect -n ops --serviceaccount ops:keep")
    );
}

#[test]
fn what_rbac_cannot_mean_is_told() {
    let session = Session::new();
    let outputs = [
        "rbac --for destroy",
        "rbac --leader-elect -n ml",
        "rbac --serviceaccount keep",
        "rbac --user jane --group ml",
        "rbac --user jane --check",
        "rbac -A -f flame.yaml",
    ];
    assert_snapshot!(outputs.map(|args| session.run(args)).join("\n"));
}

#[test]
fn install_prints_everything_for_kubectl() {
    let session = Session::new();
    let everything = session.run("install --image example/flamectl:v1 -n ops");
    // The definition has a test of its own.
    let (before, rest) = everything.split_once("apiVersion: apiextensions.k8s.io/v1\n").unwrap();
    let (_, after) = rest.split_once("---\n").unwrap();
    assert_snapshot!(format!("{before}(the definition)\n---\n{after}"));
    assert_snapshot!("install_shared", session.run("install -n default"));
}
