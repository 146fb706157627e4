//! The rights that `rbac` prints, granted to users who have none else: they are enough, and none of them is too much.

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::bed::{Bed, Namespace, PATIENCE, Ran, names, namespace, uids};
use crate::flames::{CACHE, DEMO, edited, executor};
use crate::running::Running;

/// A namespace and a user without rights.
struct User<'a> {
    space: Namespace<'a>,
    name: String,
}

impl<'a> User<'a> {
    fn new(space: Namespace<'a>) -> Self {
        let name = format!("user-of-{}", space.name);
        Self { space, name }
    }

    /// Applies what `rbac` prints.
    #[track_caller]
    fn granted(&self, args: &[&str]) -> Vec<Value> {
        let printed = self.space.flamectl(&[&["rbac", "--user", &self.name], args].concat()).exits(0).stdout;
        self.space.apply(&printed, &[]);
        let documents: Vec<Value> = printed.split("---\n").map(|it| serde_yaml::from_str(it).unwrap()).collect();
        let check = [&["rbac", "--check"], args].concat();
        self.until(&check, |ran| ran.code == Some(0) && ran.stdout.is_empty());
        documents
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Ran {
        self.space.flamectl(&[args, &["--as", &self.name, "-v"]].concat())
    }

    /// Runs a command until the server knows of a change of rights.
    #[track_caller]
    fn until(&self, args: &[&str], is: impl Fn(&Ran) -> bool) {
        let began = Instant::now();
        loop {
            let ran = self.run(args);
            if is(&ran) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "not after {PATIENCE:?}: {ran}");
        }
    }

    /// Runs a command that works and is refused nothing.
    #[track_caller]
    fn does(&self, args: &[&str]) -> Ran {
        let ran = self.run(args).exits(0);
        assert!(!was_refused(&ran.stderr), "{ran}");
        ran
    }

    /// Starts `watch`, lets something be deleted, and ends it once that is there again.
    #[track_caller]
    fn watches(&self, args: &[&str]) {
        let before = self.space.objects();
        let mut watch = Running::start(self.space.command(&[args, &["--as", &self.name, "-v"]].concat()));
        for object in [executor(0).as_str(), CACHE] {
            let (kind, name) = object.split_once(' ').unwrap();
            self.space.kubectl(&["delete", kind, name, "--wait=false"]);
            let old = uids(&before)[object].clone();
            self.space.until("it is there again", |now| uids(now).get(object).is_some_and(|uid| *uid != old));
        }
        watch.signal("TERM");
        watch.until_says("stopped watching");
        let (code, said, _) = watch.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(!was_refused(&said), "{said}");
    }
}

/// Tells whether the server refused anything; nodes are nothing that a Role can tell of.
fn was_refused(said: &str) -> bool {
    let refused =
        |line: &&str| line.contains(" 403 ") || line.contains("orbidden") || line.contains("rights are missing");
    said.lines().filter(|line| !line.to_lowercase().contains("node")).any(|line| refused(&line))
}

/// Returns the demo with resources, which can be changed in place.
fn with_cpu(cpu: &str, replicas: u32) -> String {
    let resources = format!("em:v1\n    resources: {{requests: {{cpu: {cpu}}}, limits: {{memory: 1Gi}}}}");
    edited(&edited(DEMO, "em:v1", &resources), "replicas: 2", &format!("replicas: {replicas}"))
}

#[test]
fn the_rights_that_rbac_prints_are_enough_for_every_command() {
    let user = User::new(namespace());
    let roles = user.granted(&[]);
    assert_eq!(roles.iter().map(|it| it["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["Role", "RoleBinding"]);
    let flame = |cpu: &str, replicas| user.space.file("flame.yaml", &with_cpu(cpu, replicas));
    user.does(&["up", "-f", &flame("100m", 2)]).prints("2/2");
    user.does(&["status", "demo"]).prints("Running");
    user.does(&["status", "-o", "wide"]).prints("demo");
    user.does(&["scale", "demo", "--replicas=3", "-y"]).prints("3/3");
    user.does(&["diff", "-f", &flame("100m", 3)]);
    user.does(&["up", "-f", &flame("200m", 3), "-y"]).prints("3/3");
    user.does(&["logs", "demo"]);
    user.does(&["events", "demo"]).prints("demo");
    user.does(&["restart", "demo", "session-manager", "-y"]).prints("3/3");
    user.does(&["down", "demo", "-y"]);
    assert_eq!(names(&user.space.objects()), Vec::<&str>::new());
}

#[test]
fn the_rights_for_a_file_are_enough_for_its_flame_and_for_no_other() {
    let user = User::new(namespace());
    let file = user.space.file("flame.yaml", DEMO);
    user.granted(&["-f", &file, "--for", "up,status,down"]);
    user.does(&["up", "-f", &file]).prints("2/2");
    user.does(&["status", "demo"]).prints("Running");
    let other = user.space.file("other.yaml", &edited(DEMO, "name: demo", "name: other"));
    user.run(&["up", "-f", &other]).exits(1).says(r#"cannot get resource "#);
    user.does(&["down", "demo", "-y"]);
}

#[test]
fn a_cluster_role_is_enough_to_look_everywhere() {
    let user = User::new(namespace());
    user.space.up(DEMO).exits(0);
    user.granted(&["-A", "--for", "status"]);
    // Its exit code is that of the worst flame of all tests.
    let all = user.run(&["status", "-A"]).prints(&user.space.name);
    assert!(all.code != Some(1) && !all.stderr.contains(" 403 "), "{all}");
    let file = user.space.file("flame.yaml", DEMO);
    user.run(&["up", "-f", &file, "-y"]).exits(0).says("nothing to do");
    user.run(&["down", "demo", "-y"]).exits(1).says("rights are missing");
}

#[test]
fn the_rights_for_watch_are_enough() {
    let user = User::new(namespace());
    user.space.up(DEMO).exits(0);
    user.granted(&["--for", "watch"]);
    user.watches(&["watch"]);
    user.does(&["watch", "--once"]);
}

#[test]
fn the_rights_for_flames_that_live_as_objects_are_enough() {
    let bed = Bed::start("rights").unwrap();
    let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/flamecluster-crd.yaml");
    let space = bed.namespace();
    space.apply(&fs::read_to_string(definition).unwrap(), &[]);
    space.kubectl(&["wait", "--for=condition=Established", "crd/flameclusters.flame.xflops.io", "--timeout=60s"]);
    let file = space.file("flame.yaml", DEMO);
    let keeper = User { name: "keeper".to_owned(), space };
    keeper.granted(&["--crd", "--for", "watch"]);
    let watch = Running::start(keeper.space.command(&["watch", "--crd", "--as", "keeper", "-v"]));
    let user = User { name: "user".to_owned(), ..keeper };
    user.granted(&["--crd", "--for", "up,status,scale,down"]);
    user.does(&["up", "--crd", "-f", &file]).prints("2/2");
    user.does(&["status", "demo"]).prints("Running");
    user.does(&["scale", "demo", "--replicas=1", "-y"]).prints("1/1");
    let keeper = User { name: "keeper".to_owned(), space: user.space };
    watch.signal("TERM");
    let (code, said, _) = watch.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(!was_refused(&said), "{said}");
    keeper.watches(&["watch", "--crd"]);
    let user = User { name: "user".to_owned(), space: keeper.space };
    user.does(&["down", "demo", "-y"]);
    assert_eq!(names(&user.space.objects()), Vec::<&str>::new());
}

/// A right, what an administrator does, and the command that then needs the right; `FILE` wants an executor more.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

const UP: &[&str] = &["up", "-f", "FILE", "-y"];
const IMMUTABLE: &str = r#"{"immutable": true}"#;
const CASES: [Case; 24] = [
    ("get configmaps", &[], &["status", "demo"]),
    ("list configmaps", &[], &["status"]),
    ("watch configmaps", &[], UP),
    ("create configmaps", &["delete", "configmap", "demo-config"], UP),
    ("patch configmaps", &[], UP),
    ("delete configmaps", &["patch", "configmap", "demo-config", "--patch", IMMUTABLE], UP),
    ("get services", &[], &["status", "demo"]),
    ("watch services", &[], UP),
    ("create services", &["delete", "service", "demo-object-cache"], UP),
    ("patch services", &["label", "service", "demo-object-cache", "app-"], UP),
    ("delete services", &[], &["down", "demo", "-y"]),
    ("get pods", &[], &["status", "demo"]),
    ("list pods", &[], &["logs", "demo"]),
    ("watch pods", &[], UP),
    ("create pods", &[], UP),
    ("patch pods", &[], UP),
    ("delete pods", &[], &["restart", "demo", "-y"]),
    ("get pods/log", &[], &["logs", "demo"]),
    ("patch pods/resize", &[], &["up", "-f", "RESIZED", "-y"]),
    ("list events.events.k8s.io", &[], &["events", "demo"]),
    ("watch events.events.k8s.io", &[], &["events", "demo", "-w"]),
    ("get namespaces", &[], UP),
    ("list resourcequotas", &[], UP),
    ("list limitranges", &[], UP),
];

#[test]
fn every_right_that_rbac_prints_is_missed_by_a_command() {
    let user = User::new(namespace());
    let role = user.granted(&[]).remove(0);
    let one = |rule: &Value, resource: &Value, verb: &Value| json!({ "apiGroups": rule["apiGroups"], "resources": [resource], "verbs": [verb] });
    let list = |rule: &Value, key: &str| rule[key].as_array().unwrap().clone();
    let rules: Vec<Value> = list(&role, "rules")
        .iter()
        .flat_map(|rule| list(rule, "resources").into_iter().map(move |resource| (rule.clone(), resource)))
        .flat_map(|(rule, resource)| {
            list(&rule, "verbs").into_iter().map(move |verb| one(&rule, &resource, &verb)).collect::<Vec<_>>()
        })
        .collect();
    let mut untried: Vec<&Case> = CASES.iter().collect();
    for (at, rule) in rules.iter().enumerate() {
        let right = right(rule);
        let case =
            untried.iter().position(|(name, ..)| *name == right).unwrap_or_else(|| panic!("who needs to {right}?"));
        let others: Vec<&Value> =
            rules.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, it)| it).collect();
        let mut without = role.clone();
        without["rules"] = json!(others);
        is_missed(&user, untried.remove(case), &without);
    }
    assert_eq!(untried, Vec::<&Case>::new(), "these are not printed");
}

/// Returns a rule as `rbac --check` names it.
fn right(rule: &Value) -> String {
    let text = |key: &str| rule[key][0].as_str().unwrap().to_owned();
    match text("apiGroups").as_str() {
        "" => format!("{} {}", text("verbs"), text("resources")),
        group => format!("{} {}.{group}", text("verbs"), text("resources")),
    }
}

/// Checks that a user with `role`, which lacks the case's right, is told so by --check and by the case's command.
#[track_caller]
fn is_missed(user: &User<'_>, (right, harm, command): &Case, role: &Value) {
    let space = &user.space;
    space.up(&with_cpu("100m", 1)).exits(0);
    space.apply(&role.to_string(), &[]);
    user.until(&["rbac", "--check"], |ran| {
        ran.code == Some(5) && ran.stdout.trim().starts_with(right) && ran.stdout.lines().count() == 1
    });
    if !harm.is_empty() {
        space.kubectl(harm);
    }
    let files = [("FILE", with_cpu("100m", 2)), ("RESIZED", with_cpu("200m", 1))];
    let files = files.map(|(name, text)| (name, space.file(&name.to_lowercase(), &text)));
    let file = |arg: &&'static str| files.iter().find(|(name, _)| name == arg).map_or(*arg, |(_, path)| path.as_str());
    let args: Vec<&str> = command.iter().map(file).collect();
    if args.contains(&"-w") {
        let mut watch = Running::start(space.command(&[&args, &["--as", user.name.as_str(), "-v"][..]].concat()));
        watch.until_says("cannot watch resource");
        watch.signal("INT");
        return;
    }
    let ran = user.run(&args);
    assert!(was_refused(&ran.stderr), "{right} is not missed: {ran}");
}
