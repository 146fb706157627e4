//! Who asks: rights that are missing, kubeconfigs that are broken, and other ways to a token.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::bed::{Bed, Namespace, Ran, names, namespace, versions};
use crate::flames::{DEMO, demo, edited};

/// Grants `flame-user` the given verbs on Pods and the same on ConfigMaps and Services.
fn grant(space: &Namespace<'_>, pods: &str, others: &str) {
    for (name, verbs, resources) in
        [("of-pods", pods, "--resource=pods,pods/resize"), ("of-others", others, "--resource=configmaps,services")]
    {
        space.kubectl(&["create", "role", name, &format!("--verb={verbs}"), resources]);
        space.kubectl(&["create", "rolebinding", name, &format!("--role={name}"), "--user=flame-user"]);
    }
}

const READ: &str = "get,list,watch";
const ALL: &str = "get,list,watch,create,patch,delete";

/// Runs flamectl as `flame-user`.
#[track_caller]
fn as_user(space: &Namespace<'_>, args: &[&str]) -> Ran {
    let mut command = space.command(args);
    command.env("KUBECONFIG", space.bed.dir.join("kubeconfig-user"));
    Ran::of(command)
}

#[test]
fn a_user_without_rights_is_told_which() {
    let space = namespace();
    let file = space.file("flame.yaml", DEMO);
    let lacks = r#"User "flame-user" cannot list resource "pods""#;
    for args in [&["up", "-f", &file][..], &["status", "demo"], &["diff", "-f", &file], &["down", "demo", "-y"]] {
        let code = if args[0] == "diff" { 2 } else { 1 };
        as_user(&space, args).exits(code).says(lacks).says(&space.name);
    }
}

#[test]
fn reading_is_enough_for_diff_and_status_and_changes_nothing() {
    let space = namespace();
    grant(&space, READ, READ);
    space.up(DEMO).exits(0);
    let before = versions(&space.objects());
    let file = space.file("flame.yaml", &demo(3));
    as_user(&space, &["diff", "-f", &file]).exits(1);
    as_user(&space, &["up", "-f", &file, "--dry-run=client"]).exits(0);
    as_user(&space, &["status", "demo"]).exits(0).prints("Running");
    let refused = as_user(&space, &["up", "-f", &file]).exits(1);
    refused.says("rights are missing").says("create pods, patch configmaps, patch pods\n").says("nothing was written");
    assert_eq!(versions(&space.objects()), before);
}

#[test]
fn the_rights_that_the_help_names_are_enough() {
    let space = namespace();
    grant(&space, ALL, ALL);
    let file = space.file("flame.yaml", &demo(3));
    as_user(&space, &["up", "-f", &file]).exits(0).prints("3/3");
    as_user(&space, &["scale", "demo", "--replicas=1", "-y"]).exits(0).prints("1/1");
    as_user(&space, &["restart", "demo", "-y"]).exits(0).prints("1/1");
    as_user(&space, &["down", "demo", "-y"]).exits(0);
    assert_eq!(names(&space.objects()), Vec::<&str>::new());
}

#[test]
fn a_missing_right_is_told_before_the_first_write_and_a_rerun_with_it_goes_on() {
    let space = namespace();
    grant(&space, READ, ALL);
    let file = space.file("flame.yaml", DEMO);
    let refused = as_user(&space, &["up", "-f", &file]).exits(1);
    refused.says("rights are missing").says("create pods, patch pods\n").says("nothing was written");
    assert_eq!(names(&space.objects()), Vec::<&str>::new());
    space.kubectl(&["create", "role", "more", "--verb=create,patch", "--resource=pods"]);
    space.kubectl(&["create", "rolebinding", "more", "--role=more", "--user=flame-user"]);
    as_user(&space, &["up", "-f", &file]).exits(0).prints("Running");
}

/// Nodes, quotas and namespaces are nothing that ordinary users may look at.
#[test]
fn what_a_user_may_not_look_at_is_not_checked() {
    let space = namespace();
    grant(&space, ALL, ALL);
    let file = space.file("flame.yaml", DEMO);
    let up = as_user(&space, &["up", "-f", &file, "-v"]).exits(0).prints("2/2");
    for what in ["Nodes", "ResourceQuotas", "LimitRanges", &format!("namespace {}", space.name)] {
        let told = format!("{what} may not be read: ");
        assert!(up.stderr.contains(&told), "{told:?} is not in {up}");
    }
    space.kubectl(&["create", "quota", "few", "--hard=pods=3"]);
    let file = space.file("more.yaml", &demo(3));
    let up = as_user(&space, &["up", "-f", &file]).exits(1).says("quota few is full");
    assert!(!up.stderr.contains("may not be read"), "{up}");
}

#[test]
fn a_down_without_the_right_to_delete_deletes_nothing() {
    let space = namespace();
    grant(&space, READ, READ);
    space.up(DEMO).exits(0);
    let before = versions(&space.objects());
    let down = as_user(&space, &["down", "demo", "-y"]).exits(1);
    down.says("delete configmaps, delete pods, delete services, patch configmaps; nothing was written");
    assert_eq!(versions(&space.objects()), before);
}

#[test]
fn somebody_else_can_be_acted_as() {
    let space = namespace();
    let status = space.flamectl(&["status", "demo", "--as", "somebody"]).exits(1);
    status.says(r#"User "somebody" cannot list resource "pods""#);
    space
        .flamectl(&["status", "demo", "--as", "somebody", "--as-group", "system:masters"])
        .exits(1)
        .says("no flame demo");
}

#[test]
fn a_missing_kubeconfig_is_named() {
    let space = Bed::shared().no_namespace();
    let args = ["status", "demo", "--kubeconfig", "/nowhere/config"];
    Ran::of(space.bare_command(&args)).exits(1).says("/nowhere/config").says("--kubeconfig");
    // Neither a file in $HOME nor credentials of a Pod.
    Ran::of(space.bare_command(&["status", "demo"])).exits(1).says(".kube/config");
}

#[test]
fn a_broken_kubeconfig_is_told() {
    let space = Bed::shared().no_namespace();
    for text in ["clusters: [", "no: kubeconfig", "\0"] {
        let file = space.file("config", text);
        let ran = Ran::of(space.bare_command(&["status", "demo", "--kubeconfig", &file])).exits(1);
        ran.says("kubeconfig").says(&file);
    }
}

#[test]
fn a_context_that_is_not_there_is_named() {
    let space = namespace();
    space.flamectl(&["status", "demo", "--context", "elsewhere"]).exits(1).says(r#"no context "elsewhere""#);
    space.flamectl(&["status", "demo", "--context", "bed"]).exits(1).says("there is no flame demo");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let space = namespace();
    let mut config = kubeconfig(space.bed);
    // Port 1 is nobody's.
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1".into();
    let ran = with_kubeconfig(&space, &config, &["status", "demo"]).exits(1);
    ran.says("https://127.0.0.1:1").says("onnection refused");
}

#[test]
fn a_server_with_another_certificate_is_not_trusted() {
    let space = namespace();
    let mut config = kubeconfig(space.bed);
    config["clusters"][0]["cluster"].as_object_mut().unwrap().remove("certificate-authority-data");
    let ran = with_kubeconfig(&space, &config, &["status", "demo"]).exits(1);
    ran.says("certificate");
}

#[test]
fn a_wrong_token_is_told() {
    let space = namespace();
    let mut config = kubeconfig(space.bed);
    config["users"][0]["user"]["token"] = "wrong".into();
    with_kubeconfig(&space, &config, &["status", "demo"]).exits(1).says("401 Unauthorized").says("log in again");
}

#[test]
fn a_token_file_works() {
    let space = namespace();
    let mut config = kubeconfig(space.bed);
    let token = config["users"][0]["user"]["token"].as_str().unwrap().to_owned();
    let file = space.file("token", &format!("{token}\n"));
    config["users"][0]["user"] = json!({ "tokenFile": file });
    let flame = space.file("flame.yaml", DEMO);
    with_kubeconfig(&space, &config, &["up", "-f", &flame]).exits(0).prints("Running");
}

#[test]
fn a_credential_plugin_works() {
    let space = namespace();
    let mut config = kubeconfig(space.bed);
    let token = config["users"][0]["user"]["token"].as_str().unwrap().to_owned();
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": { "token": token },
    });
    config["users"][0]["user"] = plugin(&space, &format!("echo '{credential}'"));
    let flame = space.file("flame.yaml", DEMO);
    with_kubeconfig(&space, &config, &["up", "-f", &flame]).exits(0).prints("Running");
}

#[test]
fn a_failing_credential_plugin_is_told_without_its_output() {
    let space = namespace();
    let mut config = kubeconfig(space.bed);
    config["users"][0]["user"] = plugin(&space, "echo secret; echo 'log in first' >&2; exit 3");
    let ran = with_kubeconfig(&space, &config, &["status", "demo"]).exits(1);
    let ran = ran.says("credential plugin").says("log in first");
    assert!(!ran.stderr.contains("secret"), "{ran}");
}

#[test]
fn the_contexts_namespace_is_used() {
    let space = namespace();
    let mut config = kubeconfig(space.bed);
    config["contexts"][0]["context"]["namespace"] = space.name.clone().into();
    let config = space.file("config", &config.to_string());
    let flame = space.file("flame.yaml", &edited(DEMO, "replicas: 2", "replicas: 1"));
    Ran::of(space.bare_command(&["up", "-f", &flame, "--kubeconfig", &config])).exits(0).prints(&space.name);
    assert_eq!(space.objects().len(), 5);
}

/// Returns the administrator's kubeconfig, which has one cluster, one user and one context.
fn kubeconfig(bed: &Bed) -> Value {
    serde_yaml::from_str(&fs::read_to_string(bed.kubeconfig()).unwrap()).unwrap()
}

/// Runs flamectl with a kubeconfig of the test's own.
#[track_caller]
fn with_kubeconfig(space: &Namespace<'_>, config: &Value, args: &[&str]) -> Ran {
    let mut command = space.command(args);
    command.env("KUBECONFIG", space.file("config", &config.to_string()));
    Ran::of(command)
}

/// Returns a kubeconfig user whose credentials a shell script prints.
fn plugin(space: &Namespace<'_>, script: &str) -> Value {
    let file = space.file("plugin", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
    json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": file, "interactiveMode": "Never",
    } })
}
