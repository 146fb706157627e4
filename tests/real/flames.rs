//! FlameClusters to test with, and the names of their objects.

/// A flame of two executors.
pub const DEMO: &str = "\
apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: demo
spec:
  sessionManager:
    image: sm:v1
  executorManager:
    image: em:v1
    replicas: 2
";

pub const RECORD: &str = "ConfigMap demo-config";
pub const SERVICE: &str = "Service demo-session-manager";
pub const CACHE: &str = "Service demo-object-cache";
pub const MANAGER: &str = "Pod demo-session-manager";

/// Returns an executor of the demo.
pub fn executor(index: u32) -> String {
    format!("Pod demo-executor-manager-{index}")
}

/// Returns `text` with one part exchanged, which has to be there.
#[track_caller]
pub fn edited(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    text.replace(from, to)
}

/// Returns the demo with this many executors.
pub fn demo(replicas: u32) -> String {
    edited(DEMO, "replicas: 2", &format!("replicas: {replicas}"))
}

/// Returns the demo with these images.
pub fn images(session_manager: &str, executor_manager: &str) -> String {
    edited(&edited(DEMO, "sm:v1", session_manager), "em:v1", executor_manager)
}
