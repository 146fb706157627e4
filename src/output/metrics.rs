//! What `watch` counts: a fold over the same [`Event`]s as its log, and over its requests, in the text that Prometheus reads.
//!
//! A library writes the format. What is counted by a label has few values for it: reasons, kinds and states, no names of Pods,
//! but for the objects that somebody keeps undoing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::flame::names::{Component, FlameKey};
use crate::flame::rollout::{Event, Progress, Repair};
use crate::flame::stage::Stages;
use crate::flame::state::ClusterState;

/// The `Content-Type` of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper ends of the buckets for how long one look at a flame takes, in seconds: mostly well below a millisecond.
const LOOKS: [f64; 7] = [0.000_1, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5];

type Labels = Vec<(&'static str, String)>;
type Counts = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;

/// The numbers of one process.
pub struct Metrics {
    registry: Registry,
    reconciles: Counter,
    reconcile_seconds: Histogram,
    writes: Counts,
    repairs: Counts,
    fights: Counts,
    errors: Counts,
    requests: Counts,
    events: Counts,
    is_leader: Gauge,
    flames: Gauges,
    pods: Gauges,
    causes: Gauges,
    backlog: Gauge,
    backing_off: Gauge,
    known: Mutex<BTreeMap<FlameKey, Known>>,
}

/// What is known of one flame.
#[derive(Default)]
struct Known {
    state: Option<ClusterState>,
    session_manager: Stages,
    object_cache: Stages,
    executors: Stages,
    to_do: usize,
    causes: Vec<String>,
    is_backing_off: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("flamectl"),
            reconciles: Counter::default(),
            reconcile_seconds: Histogram::new(LOOKS),
            writes: Counts::default(),
            repairs: Counts::default(),
            fights: Counts::default(),
            errors: Counts::default(),
            requests: Counts::default(),
            events: Counts::default(),
            is_leader: Gauge::default(),
            flames: Gauges::default(),
            pods: Gauges::default(),
            causes: Gauges::default(),
            backlog: Gauge::default(),
            backing_off: Gauge::default(),
            known: Mutex::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        let it = &mut self.registry;
        it.register("build", "The running program", Info::new(version));
        it.register("leader", "1 while this process works, 0 while it stands by", self.is_leader.clone());
        it.register("reconciles", "Looks at what there is to do for a flame", self.reconciles.clone());
        let help = "Time that one look at a flame took";
        it.register_with_unit("reconcile_duration", help, Unit::Seconds, self.reconcile_seconds.clone());
        it.register("writes", "Requests that changed an object", self.writes.clone());
        it.register(
            "repairs",
            "Objects that were put right after somebody changed or deleted them",
            self.repairs.clone(),
        );
        let help = "Repairs of objects that somebody keeps undoing; they are repaired more and more slowly";
        it.register("fights", help, self.fights.clone());
        it.register("errors", "Things that did not work, by reason", self.errors.clone());
        it.register("requests", "Requests to the API server, by verb and HTTP status", self.requests.clone());
        it.register("events", "Kubernetes Events about repairs, by what became of them", self.events.clone());
        it.register("flames", "Flames that are kept, by state", self.flames.clone());
        it.register("pods", "Pods of the flames that are kept, by component and how far they are", self.pods.clone());
        it.register("causes", "Flames that something holds up, by reason", self.causes.clone());
        it.register("backlog_objects", "Objects that still have to change or go", self.backlog.clone());
        it.register("backing_off_flames", "Flames that wait for another try after trouble", self.backing_off.clone());
    }

    /// Takes in what happened to a flame.
    pub fn event(&self, key: &FlameKey, event: &Event) {
        match event {
            Event::Wrote(action, object, _) => {
                let labels = vec![("kind", object.kind.to_string()), ("action", action.to_string())];
                self.writes.get_or_create(&labels).inc();
            }
            Event::Repaired(repair) => self.repaired(key, repair),
            Event::Retrying(..) => self.error("Retry"),
            Event::Progress(progress) => self.progress(key, progress),
            Event::Reverting(..) | Event::Note(_) | Event::Detail(_) => {}
        }
    }

    fn repaired(&self, key: &FlameKey, repair: &Repair) {
        let kind = repair.object.kind.to_string();
        let labels = vec![("kind", kind.clone()), ("action", repair.action.to_string())];
        self.repairs.get_or_create(&labels).inc();
        if repair.pause.is_some() {
            let flame = [("namespace", key.namespace.clone()), ("flame", key.name.clone())];
            let object = [("kind", kind), ("name", repair.object.name.clone())];
            self.fights.get_or_create(&flame.into_iter().chain(object).collect()).inc();
        }
    }

    fn progress(&self, key: &FlameKey, progress: &Progress) {
        let mut known = self.known();
        let Some(known) = known.get_mut(key) else { return };
        known.state = progress.state();
        (known.session_manager, known.executors) = (progress.session_manager, progress.executors);
        known.object_cache = progress.object_cache.unwrap_or_default();
        known.to_do = progress.to_do + progress.down.map_or(0, |left| left.pods + left.services + left.config_maps);
        known.causes = progress.causes.iter().map(|cause| cause.reason.clone()).collect();
        known.causes.sort_unstable();
        known.causes.dedup();
    }

    /// Takes in that it was looked at what there is to do.
    pub fn reconciled(&self, took: Duration) {
        self.reconciles.inc();
        self.reconcile_seconds.observe(took.as_secs_f64());
    }

    /// Takes in a request and how it was answered; none where it was not.
    pub fn request(&self, method: &str, path: &str, status: Option<u16>) {
        let code = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.requests.get_or_create(&vec![("verb", verb(method, path).to_owned()), ("code", code)]).inc();
    }

    /// Takes in something that did not work.
    pub fn error(&self, reason: &str) {
        self.errors.get_or_create(&vec![("reason", reason.to_owned())]).inc();
    }

    /// Takes in what became of a Kubernetes Event, as `written`.
    pub fn reported(&self, result: &str) {
        self.events.get_or_create(&vec![("result", result.to_owned())]).inc();
    }

    /// Takes in that a flame is kept.
    pub fn kept(&self, key: &FlameKey) {
        self.known().entry(key.clone()).or_default();
    }

    /// Takes in that a flame is kept no longer.
    pub fn left(&self, key: &FlameKey) {
        self.known().remove(key);
    }

    /// Takes in that a flame waits for another try, or goes on.
    pub fn backs_off(&self, key: &FlameKey, does: bool) {
        if let Some(known) = self.known().get_mut(key) {
            known.is_backing_off = does;
        }
    }

    /// Takes in whether this process works.
    pub fn leads(&self, does: bool) {
        self.is_leader.set(does.into());
    }

    /// Returns all of it as text.
    pub fn text(&self) -> String {
        self.sum_up();
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Sums up what is known of the flames.
    fn sum_up(&self) {
        [&self.flames, &self.pods, &self.causes].into_iter().for_each(Family::clear);
        let known = self.known();
        for state in [ClusterState::Pending, ClusterState::Running, ClusterState::Failed] {
            let flames = known.values().filter(|known| known.state.unwrap_or(ClusterState::Pending) == state).count();
            self.flames.get_or_create(&vec![("state", state.to_string())]).set(flames as i64);
        }
        for known in known.values() {
            let of = [
                (Component::SessionManager, known.session_manager),
                (Component::ObjectCache, known.object_cache),
                (Component::ExecutorManager, known.executors),
            ];
            for (component, stages) in of {
                for (stage, pods) in stages.iter() {
                    let labels =
                        vec![("component", component.name().to_owned()), ("state", stage.word().replace(' ', "-"))];
                    self.pods.get_or_create(&labels).inc_by(pods.into());
                }
            }
            for reason in &known.causes {
                self.causes.get_or_create(&vec![("reason", reason.clone())]).inc();
            }
        }
        self.backlog.set(known.values().map(|known| known.to_do as i64).sum());
        self.backing_off.set(known.values().filter(|known| known.is_backing_off).count() as i64);
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<FlameKey, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns Kubernetes' verb of a request.
fn verb(method: &str, path: &str) -> &'static str {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    match method {
        "GET" if query.split('&').any(|parameter| matches!(parameter, "watch=true" | "watch=1")) => "watch",
        "GET" if is_collection(path) => "list",
        "GET" => "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "other",
    }
}

/// Tells whether a path names no object: `/api/v1/pods`, `/apis/GROUP/VERSION/namespaces/NAMESPACE/leases`.
fn is_collection(path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let version = if segments.next() == Some("apis") { 2 } else { 1 };
    let mut rest: Vec<&str> = segments.skip(version).collect();
    if rest.first() == Some(&"namespaces") && rest.len() > 2 {
        rest.drain(..2);
    }
    rest.len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::names::{Kind, ObjectRef};
    use crate::flame::plan::Why;
    use crate::flame::rollout::Action;
    use crate::flame::state::verdict;
    use crate::flame::testing::{flame, running};
    use crate::output::progress::testing::{held, retry, up, wrote};

    fn key(name: &str) -> FlameKey {
        FlameKey::new("ml", name)
    }

    fn repair(count: u32, pause: Option<u64>) -> Event {
        Event::Repaired(Box::new(Repair {
            object: ObjectRef::new(Kind::Service, "demo-object-cache"),
            action: Action::Create,
            why: vec![Why::Missing],
            drift: Vec::new(),
            uid: "1".to_owned(),
            by: None,
            count,
            pause: pause.map(Duration::from_secs),
        }))
    }

    /// Returns the numbers without what describes them.
    fn numbers(metrics: &Metrics) -> Vec<String> {
        let text = metrics.text();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let version = env!("CARGO_PKG_VERSION");
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.contains("_duration_seconds"));
        lines.map(|line| line.replace(version, "VERSION")).collect()
    }

    #[test]
    fn nothing_yet_is_told_as_nothing() {
        let expected = [
            r#"flamectl_build_info{version="VERSION"} 1"#,
            "flamectl_leader 0",
            "flamectl_reconciles_total 0",
            r#"flamectl_flames{state="Failed"} 0"#,
            r#"flamectl_flames{state="Pending"} 0"#,
            r#"flamectl_flames{state="Running"} 0"#,
            "flamectl_backlog_objects 0",
            "flamectl_backing_off_flames 0",
        ];
        let mut numbers = numbers(&Metrics::default());
        numbers[3..6].sort();
        assert_eq!(numbers, expected);
    }

    #[test]
    fn what_happens_is_counted_by_the_labels_that_it_has() {
        let metrics = Metrics::default();
        let (demo, other) = (key("demo"), key("other"));
        metrics.leads(true);
        [&demo, &other, &key("gone")].into_iter().for_each(|key| metrics.kept(key));
        let mut progress = up(1, 2, 3);
        progress.status = Some(Box::new((verdict(&flame(2), &running(&flame(2)), 0).status, None)));
        progress.to_do = 4;
        progress.causes = vec![held("CrashLoopBackOff", "exit code 1", 0..1), held("CrashLoopBackOff", "2", 1..2)];
        metrics.event(&demo, &Event::Progress(Box::new(progress)));
        metrics.backs_off(&other, true);
        metrics.left(&key("gone"));
        metrics.event(&demo, &wrote(Action::Create, Kind::Service, "demo-object-cache", &[Why::Missing]));
        metrics.event(&demo, &repair(1, None));
        metrics.event(&demo, &repair(6, Some(2)));
        metrics.event(&demo, &retry("Pod x", "busy"));
        metrics.request("GET", "/api/v1/namespaces/ml/pods?watch=true&limit=1", Some(200));
        metrics.request("PATCH", "/api/v1/namespaces/ml/pods/x", None);
        metrics.reported("written");
        metrics.reconciled(Duration::from_millis(2));
        let mut expected = vec![
            r#"flamectl_build_info{version="VERSION"} 1"#,
            "flamectl_leader 1",
            "flamectl_reconciles_total 1",
            r#"flamectl_writes_total{kind="Service",action="created"} 1"#,
            r#"flamectl_repairs_total{kind="Service",action="created"} 2"#,
            r#"flamectl_fights_total{namespace="ml",flame="demo",kind="Service",name="demo-object-cache"} 1"#,
            r#"flamectl_errors_total{reason="Retry"} 1"#,
            r#"flamectl_requests_total{verb="watch",code="200"} 1"#,
            r#"flamectl_requests_total{verb="patch",code="none"} 1"#,
            r#"flamectl_events_total{result="written"} 1"#,
            r#"flamectl_flames{state="Running"} 1"#,
            r#"flamectl_flames{state="Pending"} 1"#,
            r#"flamectl_flames{state="Failed"} 0"#,
            r#"flamectl_pods{component="session-manager",state="ready"} 1"#,
            r#"flamectl_pods{component="executor-manager",state="ready"} 2"#,
            r#"flamectl_pods{component="executor-manager",state="starting"} 1"#,
            r#"flamectl_causes{reason="CrashLoopBackOff"} 1"#,
            "flamectl_backlog_objects 4",
            "flamectl_backing_off_flames 1",
        ];
        let mut numbers = numbers(&metrics);
        expected.sort_unstable();
        numbers.sort_unstable();
        assert_eq!(numbers, expected);
        let text = metrics.text();
        assert!(text.contains("flamectl_reconcile_duration_seconds_count 1\n"), "{text}");
        assert!(text.contains("# TYPE flamectl_repairs counter\n"), "{text}");
    }

    #[test]
    fn requests_are_told_apart_as_kubernetes_does() {
        let verbs = [
            ("GET", "/api/v1/pods", "list"),
            ("GET", "/api/v1/pods?limit=500", "list"),
            ("GET", "/api/v1/pods?watch=1&x=y", "watch"),
            ("GET", "/api/v1/namespaces/ml", "get"),
            ("GET", "/api/v1/namespaces/ml/pods", "list"),
            ("GET", "/api/v1/namespaces/ml/pods/x", "get"),
            ("GET", "/api/v1/namespaces/ml/pods/x/log", "get"),
            ("GET", "/apis/coordination.k8s.io/v1/namespaces/ml/leases/x", "get"),
            ("GET", "/apis/coordination.k8s.io/v1/namespaces/ml/leases", "list"),
            ("POST", "/api/v1/namespaces/ml/events", "create"),
            ("PUT", "/x", "update"),
            ("PATCH", "/api/v1/namespaces/ml/pods/x", "patch"),
            ("DELETE", "/api/v1/namespaces/ml/pods/x", "delete"),
            ("OPTIONS", "/", "other"),
        ];
        for (method, path, expected) in verbs {
            assert_eq!(verb(method, path), expected, "{method} {path}");
        }
    }
}
