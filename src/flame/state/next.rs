//! What follows from a cause: (cause, Pod, flame) → what to change, and one command that tells more or heals.

use super::cause::{Cause, CauseKind};
use super::words::Pull;
use crate::flame::FlameCluster;
use crate::flame::names::{ANNOTATION_OBJECT_CACHE_IMAGE, Component};
use crate::flame::observed::ObservedPod;

/// Adds advice, the field to change and the next command, as far as there are any and nothing better is known.
/// A flame that is going down is to go on doing so.
pub(super) fn add(cause: &mut Cause, pod: Option<&ObservedPod>, flame: &FlameCluster, is_going_down: bool) {
    if cause.advice.is_none() {
        let (advice, own) = advice(cause, pod, flame);
        cause.advice = advice;
        cause.field = own.and_then(|own| field(cause.component, own));
    }
    cause.next = command(cause, pod, flame, is_going_down);
}

/// Returns where a component's field stands; the object cache has its image, which may be said, and no resources.
fn field(component: Component, own: &str) -> Option<String> {
    match component {
        Component::SessionManager => Some(format!("spec.sessionManager.{own}")),
        Component::ObjectCache if own == IMAGE => {
            Some(format!("metadata.annotations[\"{ANNOTATION_OBJECT_CACHE_IMAGE}\"]"))
        }
        Component::ObjectCache => None,
        _ => Some(format!("spec.executorManager.{own}")),
    }
}

/// The name of the field that every component has.
const IMAGE: &str = "image";

/// Advice, and the field within the component's section.
type Advice = (Option<String>, Option<&'static str>);

fn advice(cause: &Cause, pod: Option<&ObservedPod>, flame: &FlameCluster) -> Advice {
    let image_field = field(cause.component, IMAGE).unwrap_or_default();
    let say = |text: String| (Some(text), None);
    let is_others = pod.is_some_and(|pod| pod.other_container.is_some());
    match cause.kind {
        _ if is_others && cause.is_trouble() => {
            say("this container is not Flame's: whoever put it into the Pod can say what it needs".to_owned())
        }
        CauseKind::Image => image(cause, &image_field),
        CauseKind::ImageName => (Some(format!("correct {image_field}")), Some(IMAGE)),
        CauseKind::Unschedulable => scheduling(cause),
        CauseKind::Gated => say("whoever set the gate, as a queue, has to lift it".to_owned()),
        CauseKind::Config => config(cause, &image_field),
        CauseKind::OutOfMemory => {
            let limit = "resources.limits.memory";
            let raise = field(cause.component, limit).map(|field| format!("raise {field}"));
            let raise = raise.unwrap_or_else(|| "a LimitRange of the namespace limits it".to_owned());
            (Some(format!("it takes more than it may: {raise}")), Some(limit))
        }
        CauseKind::Crash if cause.message.contains("(SIGKILL)") => {
            say("it was killed from outside: its node ran short of memory, or somebody ended it".to_owned())
        }
        CauseKind::Crash if cause.message.contains("program") => {
            (Some(format!("{image_field} does not hold the program that it is to run")), Some(IMAGE))
        }
        CauseKind::Completed => {
            (Some(format!("Flame's programs run for ever: {image_field} may not be Flame's")), Some(IMAGE))
        }
        CauseKind::TooEarly => {
            say("executors end while they do not find the session manager, and are started again".to_owned())
        }
        CauseKind::Over => say(over(cause)),
        CauseKind::Refused if cause.message.starts_with("quota ") => {
            say("ask for less, by fewer replicas or smaller resources, or have the quota raised".to_owned())
        }
        CauseKind::Stuck => {
            (pod.map(|pod| stuck(pod, flame.namespace(), cause.message.starts_with("its node "))), None)
        }
        CauseKind::NodeLost => {
            say("the Pod goes on once its node is back; else Kubernetes ends it after some minutes".to_owned())
        }
        _ => (None, None),
    }
}

fn image(cause: &Cause, image_field: &str) -> Advice {
    let field = Some(IMAGE);
    let text = match cause.evidence.first().and_then(|words| Pull::of(words)) {
        Some(Pull::NotFound) => (format!("name an image that is there in {image_field}"), field),
        Some(Pull::Denied | Pull::Unauthorized) => {
            let secret = "give the namespace's default ServiceAccount an imagePullSecret for the registry";
            (format!("correct {image_field}, or {secret}"), field)
        }
        Some(Pull::UnknownHost) => (format!("correct the registry in {image_field}, or the nodes' DNS"), field),
        Some(Pull::NoAnswer) => {
            ("the node does not reach the registry: see to the network in between".to_owned(), None)
        }
        Some(Pull::Certificate) => ("the nodes' container runtime has to trust the registry".to_owned(), None),
        Some(Pull::Limited) => ("wait, or pull with credentials or from a mirror".to_owned(), None),
        Some(Pull::Platform) => (format!("{image_field} is not built for the node's platform"), field),
        Some(Pull::DiskFull) => ("make room on the node".to_owned(), None),
        None => return (None, field),
    };
    (Some(text.0), text.1)
}

fn scheduling(cause: &Cause) -> Advice {
    let requests = "resources.requests";
    match field(cause.component, requests).filter(|_| cause.message.contains("insufficient ")) {
        Some(field) => (Some(format!("ask for less in {field}, or add nodes")), Some(requests)),
        None => (Some("make room on a node, or add nodes".to_owned()), None),
    }
}

fn config(cause: &Cause, image_field: &str) -> Advice {
    let message = &cause.message;
    if message.contains("runAsNonRoot") || message.contains("run as root") {
        return (Some("Flame's images run as root, which a policy of the namespace forbids".to_owned()), None);
    }
    if cause.reason.ends_with("RunContainerError") {
        return (
            Some(format!("{image_field} cannot be started: its entrypoint has to be Flame's program")),
            Some(IMAGE),
        );
    }
    match message.contains("not found") || message.contains("find key") {
        true => (Some("create what is missing: a webhook made the Pod depend on it".to_owned()), None),
        false => (None, None),
    }
}

fn over(cause: &Cause) -> String {
    let again = "a Pod that ended stays as it is: only flamectl up or watch makes it anew";
    let short = cause.message.split_once("low on resource: ").map(|(_, rest)| rest);
    match short.and_then(|rest| rest.split(['.', ' ']).next()) {
        Some("memory") if cause.component != Component::ObjectCache => {
            let requests = field(cause.component, "resources.requests").unwrap_or_default();
            format!("its node ran short of memory: say how much it takes in {requests}; {again}")
        }
        Some(resource) => format!("its node ran short of {resource}; {again}"),
        None => again.to_owned(),
    }
}

/// Returns what lets a Pod go that is still there.
pub(super) fn stuck(pod: &ObservedPod, namespace: &str, is_node_lost: bool) -> String {
    let name = &pod.meta.name;
    let node = pod.node.as_deref().unwrap_or_default();
    if !pod.meta.finalizers.is_empty() {
        let patch = r#"--type=merge -p '{"metadata":{"finalizers":null}}'"#;
        return format!(
            "whoever set the finalizer takes it off; only where nobody is left to do that: kubectl patch pod {name} -n \
             {namespace} {patch}"
        );
    }
    match is_node_lost {
        true => format!(
            "nobody can say whether it still runs there; where the machine is gone for good, kubectl delete node {node} \
             lets the Pod go"
        ),
        false => "its node has not said that it ended".to_owned(),
    }
}

/// Returns the command that tells why a Pod is still there.
pub(super) fn look_at_stuck(pod: &ObservedPod, namespace: &str) -> String {
    let name = &pod.meta.name;
    match (pod.meta.finalizers.is_empty(), &pod.node) {
        (false, _) => format!("kubectl get pod {name} -n {namespace} -o jsonpath='{{.metadata.finalizers}}'"),
        (true, Some(node)) => format!("kubectl describe node {node}"),
        (true, None) => format!("kubectl describe pod {name} -n {namespace}"),
    }
}

/// Returns the command; every name in it is the server's and needs no quotes.
fn command(cause: &Cause, pod: Option<&ObservedPod>, flame: &FlameCluster, is_going_down: bool) -> Option<String> {
    let (name, namespace) = (&flame.metadata.name, flame.namespace());
    let again = || {
        if is_going_down {
            return format!("flamectl down {name} -n {namespace}");
        }
        // The recorded flame again: what is missing is made, whatever the file was called.
        format!("flamectl scale {name} --replicas {} -n {namespace}", flame.spec.executor_manager.replicas)
    };
    let described = || Some(format!("kubectl describe pod {} -n {namespace}", cause.pod.as_ref()?));
    let node = pod.and_then(|pod| pod.node.as_ref()).map(|node| format!("kubectl describe node {node}"));
    match cause.kind {
        CauseKind::NotCreated | CauseKind::Over => Some(again()),
        CauseKind::Refused => Some(match cause.message.starts_with("quota ") {
            true => format!("kubectl describe quota -n {namespace}"),
            false => again(),
        }),
        CauseKind::Unschedulable => Some("kubectl describe nodes".to_owned()),
        CauseKind::Stuck => Some(look_at_stuck(pod?, namespace)),
        CauseKind::NodeLost => node.or_else(described),
        CauseKind::Crash | CauseKind::OutOfMemory | CauseKind::Completed | CauseKind::Unhealthy => {
            logs(cause, pod?, flame)
        }
        CauseKind::NotReady if cause.is_late => logs(cause, pod?, flame),
        CauseKind::Terminating | CauseKind::TooEarly | CauseKind::NotReady => None,
        CauseKind::Starting if !cause.is_late => None,
        _ => described(),
    }
}

/// Returns how to read the log of the container: of the run that ended, where another one began or is waited for.
fn logs(cause: &Cause, pod: &ObservedPod, flame: &FlameCluster) -> Option<String> {
    let (name, namespace) = (&flame.metadata.name, flame.namespace());
    let runs = matches!(cause.kind, CauseKind::NotReady | CauseKind::Unhealthy);
    let is_previous = pod.ended.as_ref().is_some_and(|ended| ended.previous);
    let previous = if is_previous && !runs { " --previous" } else { "" };
    let target = cause.pod.as_ref()?;
    Some(match (&pod.other_container, cause.component) {
        (Some(other), _) => format!("kubectl logs {target} -c {} -n {namespace}{previous}", other.name),
        (None, one @ (Component::SessionManager | Component::ObjectCache)) => {
            format!("flamectl logs {name} {one}{previous} -n {namespace}")
        }
        (None, _) => format!("flamectl logs {name} {target}{previous} -n {namespace}"),
    })
}
