//! Files that are something else than a FlameCluster, told by what only they have.

/// Top-level fields that give a file away, and what it is then.
const FILES: [(&[&str], &str); 6] = [
    (&["services"], "a docker-compose file"),
    (&["cluster", "executors"], "Flame's own configuration, which flamectl makes from a FlameCluster"),
    (&["cluster", "cache"], "Flame's own configuration, which flamectl makes from a FlameCluster"),
    (&["current-context"], "the configuration of a client"),
    (&["current-cluster"], "the configuration of a client"),
    (&["replicaCount"], "the values of a Helm chart"),
];

/// Returns what a file with these top-level fields looks like.
pub(super) fn file(fields: &[&str]) -> Option<&'static str> {
    let has = |wanted: &&str| fields.contains(wanted);
    FILES.iter().find(|(wanted, _)| wanted.iter().all(has)).map(|(_, what)| *what)
}

/// Returns what to do about a file of another kind.
pub(super) fn kind_cure(kind: &str) -> &'static str {
    match kind {
        "List" | "FlameClusterList" => "kubectl get flamecluster NAME -o yaml prints one FlameCluster alone",
        "ConfigMap" | "Service" | "Pod" | "Deployment" | "StatefulSet" => {
            "flamectl makes all objects itself: name the file of the FlameCluster"
        }
        "Config" => "give a kubeconfig with --kubeconfig",
        "Kustomization" => "kustomize build . | flamectl up -f -",
        _ => "name the file of the FlameCluster",
    }
}

/// Returns what a text is that cannot be meant as YAML, and what to do.
pub(super) fn text(text: &str) -> Option<(&'static str, &'static str)> {
    let start: String = text.trim_start().chars().take(16).collect::<String>().to_ascii_lowercase();
    if ["<!doctype", "<html", "<?xml"].iter().any(|tag| start.starts_with(tag)) {
        return Some(("a web page", "fetch the raw file, not the page that shows it"));
    }
    start.starts_with("version https://").then_some(("a pointer of Git LFS", "git lfs pull"))
}
