//! What goes wrong on a node is told with its cause: here by a kubelet, elsewhere by what imitates one.

use crate::flame::{DEMO, Flame, edited, space};

#[test]
fn an_image_that_is_not_there_is_named() {
    let Some(flame) = space() else { return };
    let missing = edited(DEMO, "flame-executor:v0.1.0", "flame-executor:v0.5.9");
    let ran = flame.space.up_with(&missing, &["-y", "--timeout=20s"]);
    assert!(matches!(ran.code, Some(3 | 4)), "{ran}");
    ran.says("xflops/flame-executor:v0.5.9").says("ImagePull");
}

#[test]
fn an_exit_code_and_the_last_words_of_a_container_are_told() {
    let Some(flame) = space() else { return };
    // An executor manager in the session manager's place finds nobody to register with.
    let wrong = edited(DEMO, "flame-session:v0.1.0", "flame-executor:v0.1.0");
    let ran = flame.space.up_with(&wrong, &["-y", "--timeout=60s"]).exits(4);
    ran.says("101").says("failed to connect to the session manager");
    flame.space.flamectl(&["logs", "demo", "session-manager", "-p"]).exits(0).prints("panicked");
}

#[test]
fn a_container_that_took_too_much_memory_is_told_as_that() {
    let Some(flame) = space() else { return };
    let grows =
        edited(DEMO, "xflops/flame-session:v0.1.0", "bed.test/grow:v1\n    resources: {limits: {memory: 64Mi}}");
    let ran = flame.space.up_with(&grows, &["-y", "--timeout=60s"]).exits(4);
    ran.says("OOMKilled").says("raise spec.sessionManager.resources.limits.memory");
}

#[test]
fn a_session_manager_that_never_listens_is_told_with_what_the_probe_saw() {
    let Some(flame) = space() else { return };
    let silent = edited(DEMO, "xflops/flame-session:v0.1.0", "bed.test/pause:v1");
    let ran = flame.space.up_with(&silent, &["-y", "--timeout=15s"]);
    // 4 where both executors, which find nobody, are in a crash loop by then.
    assert!(matches!(ran.code, Some(3 | 4)), "{ran}");
    ran.says("session manager: NotReady: running, but startup probe failed: dial tcp").says("connection refused");
}

#[test]
fn a_config_map_without_its_key_is_told_in_the_words_of_who_misses_it() {
    let Some(flame) = space() else { return };
    let file = flame.space.file("flame.yaml", DEMO);
    let rendered = flame.space.flamectl(&["render", "-f", &file]).exits(0).stdout;
    let without = edited(&rendered, "  flame-cluster.yaml: |", "  other.yaml: |");
    flame.space.apply(&without, &["--server-side", "--field-manager=flamectl"]);
    flame.until("status says what is missing", || {
        let ran = flame.space.flamectl(&["status", "demo"]);
        ran.code == Some(4) && format!("{}{}", ran.stdout, ran.stderr).contains("flame-cluster.yaml> is not a file")
    });
}

#[test]
fn the_logs_of_all_containers_are_what_they_wrote() {
    let Some(flame) = space() else { return };
    flame.up(DEMO).exits(0);
    let hostname = flame.task();
    let said = flame.space.flamectl(&["logs", "demo"]).exits(0).stdout;
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("[session-manager] INFO flame_session_manager: the frontend listens"), "{said}");
    let task = lines.iter().filter(|line| line.ends_with("INFO flame_executor_manager: TASK hello")).count();
    assert_eq!(task, 1, "{said}");
    assert!(lines.iter().any(|line| line.ends_with(&format!("as {hostname}"))), "{said}");
}
