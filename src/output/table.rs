//! Tables: (plan, verdict, list of flames) → text in kubectl's plain style.

use std::collections::BTreeSet;
use std::time::Duration;

use comfy_table::{Table, presets};

use super::text;
use crate::flame::FlameCluster;
use crate::flame::names::{Component, ObjectRef};
use crate::flame::plan::{Change, Op, Plan, Why};
use crate::flame::state::{Cause, ClusterState, Verdict};
use crate::flame::timeline::{ExecutorStarts, StartPhase, StartTimes, StartUp};

/// Most objects listed that carry our labels but none of our names.
const STRAYS: usize = 5;
/// Most causes listed.
const CAUSES: usize = 20;

/// Returns what a plan changes, one line a group of like objects; objects that stay are counted only.
pub fn plan(plan: &Plan) -> String {
    let mut paragraphs = Vec::new();
    let rows = plan_rows(plan);
    if !rows.is_empty() {
        let disrupts = rows.iter().any(|row| !row[3].is_empty());
        let columns = if disrupts { 4 } else { 3 };
        let header = ["OP", "OBJECT", "WHY", "DISRUPTS"];
        paragraphs.push(table(Some(&header[..columns]), rows.iter().map(|row| row[..columns].to_vec())));
    }
    paragraphs.push(summary(plan));
    if plan.strays().len() > 0 {
        paragraphs.push(strays(plan.strays()));
    }
    paragraphs.join("\n\n")
}

fn plan_rows(plan: &Plan) -> Vec<[String; 4]> {
    let changes = groups(plan.changes()).into_iter().map(|group| {
        let why = group.why.iter().map(Why::to_string).collect::<Vec<_>>().join(", ");
        [group.op.to_string(), group.objects(), text::one_line(&why, 120), group.disruption()]
    });
    let foreign = plan.foreign().map(|foreign| {
        let owner = text::one_line(&foreign.owner, 120);
        ["refuse".to_owned(), foreign.object.to_string(), owner, String::new()]
    });
    changes.chain(foreign).collect()
}

/// Executors that change in the same way for the same reason, or one other object.
struct Group<'a> {
    op: Op,
    why: &'a [Why],
    first: &'a Change,
    indices: Vec<u32>,
}

fn groups<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for change in changes {
        let index = text::executor(&change.object).map(|(_, index)| index);
        let alike = |group: &&mut Group<'a>| {
            let executors = !group.indices.is_empty() && index.is_some();
            executors && group.op == change.op && group.why == change.why
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.indices.extend(index),
            None => groups.push(Group {
                op: change.op,
                why: &change.why,
                first: change,
                indices: index.into_iter().collect(),
            }),
        }
    }
    groups.iter_mut().for_each(|group| group.indices.sort_unstable());
    groups
}

impl Group<'_> {
    fn objects(&self) -> String {
        match (text::executor(&self.first.object), self.indices.len()) {
            (Some((prefix, _)), 2..) => {
                format!("Pods {prefix}{} ({})", text::ranges(&self.indices, '…'), self.indices.len())
            }
            _ => self.first.object.to_string(),
        }
    }

    /// Says what stops working for a while, or for good.
    fn disruption(&self) -> String {
        if !self.first.disrupts() {
            return String::new();
        }
        let goes = self.op == Op::Delete;
        match (self.first.component, self.indices.len()) {
            (Component::SessionManager, _) => format!("session manager {}", if goes { "stops" } else { "restarts" }),
            (Component::ObjectCache, _) => format!("object cache {}", if goes { "stops" } else { "restarts" }),
            (_, 0 | 1) => format!("1 executor {}", if goes { "stops" } else { "restarts" }),
            (_, many) => format!("{many} executors {}", if goes { "stop" } else { "restart" }),
        }
    }
}

/// Counts the objects by what happens to them.
fn summary(plan: &Plan) -> String {
    let parts: Vec<String> = [
        (plan.count(Op::Create), "to create"),
        (plan.count(Op::Update), "to update"),
        (plan.count(Op::Resize), "to resize"),
        (plan.count(Op::Replace), "to replace"),
        (plan.count(Op::Delete), "to delete"),
        (plan.foreign().len(), "refused"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    match (parts.is_empty(), plan.count(Op::Keep)) {
        (true, 0) => "nothing to do".to_owned(),
        (true, kept) => format!("nothing to do: {} as wanted", text::count(kept, "object")),
        (false, 0) => parts.join(", "),
        (false, kept) => format!("{}, {kept} unchanged", parts.join(", ")),
    }
}

fn strays<'a>(strays: impl ExactSizeIterator<Item = &'a ObjectRef>) -> String {
    let more = strays.len().saturating_sub(STRAYS);
    let mut names: Vec<String> = strays.take(STRAYS).map(ObjectRef::to_string).collect();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    format!("not touched, though labelled as this flame's: {}", names.join(", "))
}

/// Columns of a status block.
pub const STATUS: [&str; 7] = ["NAME", "NAMESPACE", "STATE", "SESSION-MANAGER", "EXECUTORS", "CONFIG", "MESSAGE"];

/// Returns the cells of a status block.
pub fn status_cells(name: &str, namespace: &str, verdict: &Verdict, message: &str) -> [String; STATUS.len()] {
    let status = &verdict.status;
    [
        name.to_owned(),
        namespace.to_owned(),
        status.state.to_string(),
        format!("{}/1", status.session_manager.ready),
        format!("{}/{}", status.executor_manager.ready, status.executor_manager.replicas),
        status.config_generation.to_string(),
        message.to_owned(),
    ]
}

/// Returns a flame's status block, its endpoint, and each cause with what is known of it.
pub fn status(name: &str, namespace: &str, verdict: &Verdict, headers: bool) -> String {
    let row = status_cells(name, namespace, verdict, &message(verdict));
    let block = table(headers.then_some(&STATUS[..]), [row.to_vec()]);
    let endpoint = format!("Session manager endpoint: {}", verdict.status.session_manager.endpoint);
    let told = verdict.causes.iter().take(CAUSES).flat_map(Cause::lines);
    let more = verdict.causes.len().saturating_sub(CAUSES);
    let more = (more > 0).then(|| format!("and {}", text::count(more, "other cause")));
    let lines: String = told.chain(more).map(|line| format!("\n  {}", text::clean(&line))).collect();
    match lines.is_empty() {
        true => format!("{block}\n\n{endpoint}"),
        false => format!("{block}\n\n{endpoint}\n\nNot ready:{lines}"),
    }
}

/// Returns the message without the causes where they are listed besides.
pub fn message(verdict: &Verdict) -> String {
    let message = text::one_line(&verdict.status.message, usize::MAX);
    match message.split_once("; ") {
        Some((counts, _)) if !verdict.causes.is_empty() => counts.to_owned(),
        _ => message,
    }
}

/// Returns how long a start took, phase by phase, in seconds.
pub fn start_up(start: &StartUp) -> String {
    let mut header = vec!["PHASE".to_owned()];
    let mut columns = Vec::new();
    if let Some(session_manager) = start.session_manager {
        header.push("SESSION-MANAGER".to_owned());
        columns.push(session_manager);
    }
    if let Some(ExecutorStarts { median, slowest, .. }) = start.executors {
        header.push("MEDIAN EXECUTOR".to_owned());
        header.push(format!("SLOWEST (executor {})", slowest.0));
        columns.extend([median.1, slowest.1]);
    }
    let seconds = |time: Duration| format!("{:.1}s", time.as_secs_f64());
    let row = |word: &str, of: &dyn Fn(&StartTimes) -> Duration| {
        let times = columns.iter().map(|times| seconds(of(times)));
        std::iter::once(word.to_owned()).chain(times).collect()
    };
    let mut rows: Vec<Vec<String>> =
        StartPhase::ALL.iter().map(|phase| row(phase.word(), &|times| times.of(*phase))).collect();
    rows.push(row("total", &StartTimes::total));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(Some(&header), rows)
}

/// One flame in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlameRow {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `status.state`.
    pub state: ClusterState,
    /// Ready session managers, 0 or 1.
    pub session_manager_ready: u32,
    /// Ready executors.
    pub ready: u32,
    /// Desired executors.
    pub replicas: u32,
    /// Seconds since the record was made, where that is known.
    pub age: Option<u64>,
    /// `status.configGeneration`.
    pub config_generation: u64,
    /// `status.sessionManager.endpoint`.
    pub endpoint: String,
    /// `spec.sessionManager.image`.
    pub session_manager_image: String,
    /// `spec.executorManager.image`.
    pub executor_manager_image: String,
}

impl FlameRow {
    /// Makes the row of a flame whose record was made so many seconds ago.
    pub fn new(flame: &FlameCluster, verdict: &Verdict, age: Option<u64>) -> Self {
        let status = &verdict.status;
        Self {
            namespace: flame.namespace().to_owned(),
            name: flame.metadata.name.clone(),
            state: status.state,
            session_manager_ready: status.session_manager.ready,
            ready: status.executor_manager.ready,
            replicas: status.executor_manager.replicas,
            age,
            config_generation: status.config_generation,
            endpoint: status.session_manager.endpoint.clone(),
            session_manager_image: flame.spec.session_manager.image.clone(),
            executor_manager_image: flame.spec.executor_manager.image.clone(),
        }
    }
}

/// Which parts of a list are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListOptions {
    /// The column NAMESPACE.
    pub namespaces: bool,
    /// The header.
    pub headers: bool,
    /// Configuration, endpoint and images.
    pub wide: bool,
}

/// Columns of a list, those of a wide one last.
const LIST: [&str; 10] = [
    "NAMESPACE",
    "NAME",
    "STATE",
    "SESSION-MANAGER",
    "EXECUTORS",
    "AGE",
    "CONFIG",
    "ENDPOINT",
    "SESSION-MANAGER-IMAGE",
    "EXECUTOR-MANAGER-IMAGE",
];
/// How many of them there are where it is not wide.
const NARROW: usize = 6;

impl ListOptions {
    fn columns(self) -> std::ops::Range<usize> {
        usize::from(!self.namespaces)..if self.wide { LIST.len() } else { NARROW }
    }

    /// Returns the header of a list, whether it is shown or not.
    pub fn header(self) -> &'static [&'static str] {
        &LIST[self.columns()]
    }

    /// Returns a flame's cells.
    pub fn cells(self, flame: &FlameRow) -> Vec<String> {
        let image = |image: &str| text::one_line(image, usize::MAX);
        let cells = [
            flame.namespace.clone(),
            flame.name.clone(),
            flame.state.to_string(),
            format!("{}/1", flame.session_manager_ready),
            format!("{}/{}", flame.ready, flame.replicas),
            flame.age.map_or("<unknown>".to_owned(), text::age),
            flame.config_generation.to_string(),
            flame.endpoint.clone(),
            image(&flame.session_manager_image),
            image(&flame.executor_manager_image),
        ];
        cells[self.columns()].to_vec()
    }
}

/// Returns flames, one a line, by namespace and name; no flames make no text.
pub fn list(flames: &[FlameRow], options: ListOptions) -> String {
    let sorted: BTreeSet<(&str, &str, usize)> =
        flames.iter().enumerate().map(|(at, it)| (it.namespace.as_str(), it.name.as_str(), at)).collect();
    let rows = sorted.into_iter().map(|(.., at)| options.cells(&flames[at]));
    let headers = options.headers && !flames.is_empty();
    table(headers.then_some(options.header()), rows)
}

/// Lays out rows as kubectl does: no lines, three spaces between columns.
pub fn table(header: Option<&[&str]>, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(header) = header {
        table.set_header(header);
    }
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flame::names::{self, Kind};
    use crate::flame::plan::Foreign;
    use crate::flame::state::{ExecutorManagerStatus, SessionManagerStatus, Status};

    fn change(kind: Kind, name: &str, component: Component, op: Op, why: &[Why]) -> Change {
        Change { object: ObjectRef::new(kind, name), component, op, why: why.to_vec() }
    }

    fn executors(indices: impl IntoIterator<Item = u32>, op: Op, why: &[Why]) -> Vec<Change> {
        let executor =
            |index| change(Kind::Pod, &names::executor_manager("demo", index), Component::ExecutorManager, op, why);
        indices.into_iter().map(executor).collect()
    }

    #[track_caller]
    fn check(actual: &str, expected: &[&str]) {
        assert_eq!(actual.lines().collect::<Vec<_>>(), expected, "\n{actual}");
    }

    #[test]
    fn a_new_flame_is_a_table_of_what_is_made() {
        let mut changes = vec![
            change(Kind::ConfigMap, "demo-config", Component::Config, Op::Create, &[Why::Missing]),
            change(Kind::Service, "demo-session-manager", Component::SessionManager, Op::Create, &[Why::Missing]),
            change(Kind::Service, "demo-object-cache", Component::ObjectCache, Op::Create, &[Why::Missing]),
            change(Kind::Pod, "demo-session-manager", Component::SessionManager, Op::Create, &[Why::Missing]),
        ];
        changes.extend(executors(0..10, Op::Create, &[Why::Missing]));
        check(
            &plan(&Plan::of(changes, Vec::new(), Vec::new(), 0)),
            &[
                "OP       OBJECT                                WHY",
                "create   ConfigMap demo-config                 not there",
                "create   Service demo-session-manager          not there",
                "create   Service demo-object-cache             not there",
                "create   Pod demo-session-manager              not there",
                "create   Pods demo-executor-manager-0…9 (10)   not there",
                "",
                "14 to create",
            ],
        );
    }

    #[test]
    fn a_change_says_what_it_disrupts_and_counts_what_stays() {
        let image = [Why::Image("flame:v1".to_owned(), "flame:v2".to_owned())];
        let mut changes = vec![change(Kind::ConfigMap, "demo-config", Component::Config, Op::Update, &[Why::Spec])];
        changes.extend(executors([0, 1, 2], Op::Replace, &image));
        changes.extend(executors([3], Op::Create, &[Why::Missing]));
        changes.extend(executors([4, 5], Op::Replace, &image));
        changes.extend(executors([10, 11, 9], Op::Delete, &[Why::Surplus]));
        check(
            &plan(&Plan::of(changes, Vec::new(), Vec::new(), 1)),
            &[
                "OP        OBJECT                                   WHY                             DISRUPTS",
                "update    ConfigMap demo-config                    recorded FlameCluster changed",
                "replace   Pods demo-executor-manager-0…2,4…5 (5)   image flame:v1 → flame:v2       5 executors restart",
                "create    Pod demo-executor-manager-3              not there",
                "delete    Pods demo-executor-manager-9…11 (3)      beyond replicas                 3 executors stop",
                "",
                "1 to create, 1 to update, 5 to replace, 3 to delete, 1 unchanged",
            ],
        );
    }

    #[test]
    fn nothing_to_do_is_one_sentence() {
        check(&plan(&Plan::default()), &["nothing to do"]);
        check(&plan(&Plan::of(Vec::new(), Vec::new(), Vec::new(), 3)), &["nothing to do: 3 objects as wanted"]);
    }

    #[test]
    fn foreign_objects_and_strays_are_named() {
        let foreign =
            Foreign { object: ObjectRef::new(Kind::Service, "demo-object-cache"), owner: "managed by Helm".to_owned() };
        let strays = (0..7).map(|index| ObjectRef::new(Kind::Pod, format!("x{index}"))).collect();
        check(
            &plan(&Plan::of(Vec::new(), vec![foreign], strays, 0)),
            &[
                "OP       OBJECT                      WHY",
                "refuse   Service demo-object-cache   managed by Helm",
                "",
                "1 refused",
                "",
                "not touched, though labelled as this flame's: Pod x0, Pod x1, Pod x2, Pod x3, Pod x4, and 2 more",
            ],
        );
    }

    fn verdict(state: ClusterState, ready: u32, message: &str, causes: Vec<Cause>) -> Verdict {
        let status = Status {
            session_manager: SessionManagerStatus { ready: 1, endpoint: "http://demo-session-manager:8080".to_owned() },
            executor_manager: ExecutorManagerStatus { replicas: 10, ready },
            state,
            config_generation: 2,
            message: message.to_owned(),
        };
        Verdict { status, causes, changes_at: None }
    }

    fn held(reason: &str, message: &str) -> Cause {
        Cause { indices: (3..10).collect(), of: 10, ..Cause::new(Component::ExecutorManager, reason, message) }
    }

    #[test]
    fn a_healthy_flame_is_its_status_block() {
        let verdict = verdict(ClusterState::Running, 10, "All components healthy", Vec::new());
        check(
            &status("demo", "ml", &verdict, true),
            &[
                "NAME   NAMESPACE   STATE     SESSION-MANAGER   EXECUTORS   CONFIG   MESSAGE",
                "demo   ml          Running   1/1               10/10       2        All components healthy",
                "",
                "Session manager endpoint: http://demo-session-manager:8080",
            ],
        );
    }

    #[test]
    fn causes_are_listed_once_with_what_is_known_of_them() {
        let message = "3 of 10 executors ready; 7 of 10 executors (3-9): ErrImagePull: image x:v9 cannot be pulled";
        let cause = Cause {
            evidence: vec!["manifest\u{1b}[2J unknown".to_owned()],
            advice: Some("name an image that is there".to_owned()),
            next: Some("kubectl describe pod demo-executor-manager-3 -n ml".to_owned()),
            ..held("ErrImagePull", "image x:v9 cannot be pulled")
        };
        let verdict = verdict(ClusterState::Running, 3, message, vec![cause]);
        check(
            &status("demo", "ml", &verdict, false),
            &[
                "demo   ml   Running   1/1   3/10   2   3 of 10 executors ready",
                "",
                "Session manager endpoint: http://demo-session-manager:8080",
                "",
                "Not ready:",
                "  7 of 10 executors (3-9): ErrImagePull: image x:v9 cannot be pulled",
                "    manifest[2J unknown",
                "    name an image that is there",
                "    next: kubectl describe pod demo-executor-manager-3 -n ml",
            ],
        );
    }

    #[test]
    fn more_causes_than_anybody_reads_are_counted() {
        let causes = (0..CAUSES + 3).map(|at| held("Error", &at.to_string())).collect();
        let status = status("demo", "ml", &verdict(ClusterState::Pending, 0, "", causes), false);
        let lines: Vec<&str> = status.lines().skip(5).collect();
        assert_eq!(lines.len(), CAUSES + 1);
        assert_eq!(lines[CAUSES], "  and 3 other causes");
    }

    #[test]
    fn a_start_is_told_phase_by_phase_and_names_the_slowest() {
        let times = |milliseconds: [u64; 5]| StartTimes::new(milliseconds.map(Duration::from_millis));
        let executors = ExecutorStarts {
            count: 10,
            median: (3, times([12, 80, 2_449, 1_000, 600])),
            slowest: (7, times([12, 80, 41_251, 1_000, 600])),
        };
        let session_manager = Some(times([31, 110, 1_950, 1_000, 0]));
        check(
            &start_up(&StartUp { session_manager, executors: Some(executors) }),
            &[
                "PHASE       SESSION-MANAGER   MEDIAN EXECUTOR   SLOWEST (executor 7)",
                "applied     0.0s              0.0s              0.0s",
                "scheduled   0.1s              0.1s              0.1s",
                "image       1.9s              2.4s              41.3s",
                "started     1.0s              1.0s              1.0s",
                "ready       0.0s              0.6s              0.6s",
                "total       3.1s              4.1s              42.9s",
            ],
        );
        check(
            &start_up(&StartUp { session_manager, executors: None }),
            &[
                "PHASE       SESSION-MANAGER",
                "applied     0.0s",
                "scheduled   0.1s",
                "image       1.9s",
                "started     1.0s",
                "ready       0.0s",
                "total       3.1s",
            ],
        );
    }

    #[test]
    fn a_list_is_sorted_and_may_lack_header_and_namespace() {
        let row = |namespace: &str, name: &str, ready, age| FlameRow {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            state: ClusterState::Running,
            session_manager_ready: 1,
            ready,
            replicas: 10,
            age,
            config_generation: 4,
            endpoint: format!("http://{name}-session-manager:8080"),
            session_manager_image: "sm:v1".to_owned(),
            executor_manager_image: "em:v1".to_owned(),
        };
        let flames = [row("ml", "demo", 3, Some(130)), row("a-longer-one", "b", 10, None)];
        check(
            &list(&flames, ListOptions { namespaces: true, headers: true, wide: false }),
            &[
                "NAMESPACE      NAME   STATE     SESSION-MANAGER   EXECUTORS   AGE",
                "a-longer-one   b      Running   1/1               10/10       <unknown>",
                "ml             demo   Running   1/1               3/10        2m10s",
            ],
        );
        check(
            &list(&flames[..1], ListOptions { namespaces: false, headers: false, wide: false }),
            &["demo   Running   1/1   3/10   2m10s"],
        );
        assert_eq!(list(&[], ListOptions { namespaces: true, headers: true, wide: true }), "");
        check(
            &list(&flames[..1], ListOptions { namespaces: false, headers: true, wide: true }),
            &[
                "NAME   STATE     SESSION-MANAGER   EXECUTORS   AGE     CONFIG   ENDPOINT                           SESSION-MANAGER-IMAGE   EXECUTOR-MANAGER-IMAGE",
                "demo   Running   1/1               3/10        2m10s   4        http://demo-session-manager:8080   sm:v1                   em:v1",
            ],
        );
    }
}
