//! Annotations that flamectl reads, and those that the API server itself reads on Pods and Services, and refuses where they
//! do not fit (apimachinery `ValidatePodSpecificAnnotations`, `ValidateService`).

use super::super::generation::Version;
use super::super::names;
use super::super::user::{self, RunAs};
use super::grammar::Fault;
use super::image::image;
use super::report::shown;

/// Annotations that no Pod or Service of a flame can have: the key, or the beginning of it, and why.
const REFUSED: [(&str, &str); 6] = [
    ("kubernetes.io/config.mirror", "only the kubelet's own Pods may have it"),
    (
        "container.apparmor.security.beta.kubernetes.io/",
        "it names a container, and the Pods of a flame have different ones",
    ),
    ("container.seccomp.security.alpha.kubernetes.io/", "Kubernetes reads it no more since 1.27"),
    ("seccomp.security.alpha.kubernetes.io/pod", "Kubernetes reads it no more since 1.27"),
    ("scheduler.alpha.kubernetes.io/tolerations", "Kubernetes reads it no more"),
    ("service.beta.kubernetes.io/load-balancer-source-ranges", "the Services of a flame are no load balancers"),
];
/// What ReplicaSets delete first; the server wants an integer.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// Returns what is wrong with the annotation `name`, which goes onto every object of the flame, or tells flamectl something.
pub(super) fn faults(name: &str, value: &str) -> Vec<Fault> {
    let refused = REFUSED.iter().find(|(known, _)| name == *known || (known.ends_with('/') && name.starts_with(known)));
    if let Some((_, why)) = refused {
        return vec![Fault::new(format!("a flame cannot have it: {why}")).say("remove the line")];
    }
    if name == user::ANNOTATION
        && let Err(why) = value.parse::<RunAs>()
    {
        return vec![Fault::new(why).write(RunAs::EXAMPLE.to_string())];
    }
    if name == names::ANNOTATION_FLAME_VERSION && Version::parse(value).is_none() {
        let got = shown(value);
        return vec![Fault::new(format!("want a version of Flame, as 0.6 or v0.6.1, got \"{got}\"")).write("0.6")];
    }
    if name == names::ANNOTATION_OBJECT_CACHE_IMAGE {
        return image(value);
    }
    if name == DELETION_COST && !is_canonical_i32(value) {
        let got = shown(value);
        return vec![Fault::new(format!("want an integer of 32 bits, got \"{got}\"")).write("0")];
    }
    Vec::new()
}

/// Kubernetes takes no sign but minus and no leading zeros.
fn is_canonical_i32(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    text.parse::<i32>().is_ok() && !text.starts_with('+') && (digits == "0" || !digits.starts_with('0'))
}
