use super::*;

fn wish(tasks: &[Task], scope: Scope) -> Wish {
    Wish { tasks: tasks.iter().copied().collect(), scope, crd: false, lease: None }
}

fn in_ml() -> Scope {
    Scope::Namespace("ml".to_owned())
}

fn demo() -> Scope {
    Scope::Flame(FlameKey::new("ml", "demo"))
}

/// Returns what a wish comes to, a line each right.
fn rights(wish: &Wish) -> Vec<String> {
    wish.accesses().iter().map(Access::to_string).collect()
}

/// Returns what a Role says, a line each rule.
fn lines(rules: &[PolicyRule]) -> Vec<String> {
    let list = |list: &Option<Vec<String>>| list.iter().flatten().cloned().collect::<Vec<_>>().join(",");
    let line = |rule: &PolicyRule| {
        let (group, resources) = (list(&rule.api_groups), list(&rule.resources));
        format!("{group}|{resources}|{}|{}", list(&rule.resource_names), rule.verbs.join(","))
    };
    rules.iter().map(line).collect()
}

#[track_caller]
fn role(grant: &Grant) -> (String, Option<String>, Vec<String>) {
    let (metadata, rules) = match grant {
        Grant::Role(role) => (&role.metadata, &role.rules),
        Grant::ClusterRole(role) => (&role.metadata, &role.rules),
        other => panic!("{other:?} is no Role"),
    };
    (metadata.name.clone().unwrap(), metadata.namespace.clone(), lines(rules.as_deref().unwrap_or_default()))
}

#[test]
fn what_a_person_does_takes_one_role() {
    let grants = wish(&[], in_ml()).grants(None);
    assert_eq!(grants.len(), 1);
    let rules = [
        "|limitranges,resourcequotas||list",
        "|namespaces,pods/log||get",
        "|pods/resize||patch",
        "|configmaps,pods||get,list,watch,create,patch,delete",
        "|services||get,watch,create,patch,delete",
        "events.k8s.io|events||list,watch",
    ];
    let (name, namespace, mut found) = role(&grants[0]);
    let mut rules = rules.map(str::to_owned);
    rules.sort();
    found.sort();
    assert_eq!((name.as_str(), namespace.as_deref()), ("flamectl", Some("ml")));
    assert_eq!(found, rules);
}

#[test]
fn looking_takes_no_right_to_write() {
    for task in [Task::Status, Task::Diff, Task::Logs, Task::Events] {
        for crd in [false, true] {
            let wish = Wish { crd, ..wish(&[task], in_ml()) };
            let writes = wish.accesses().into_iter().filter(|it| !["get", "list", "watch"].contains(&it.verb));
            assert_eq!(writes.collect::<Vec<_>>(), [], "{task:?}");
        }
    }
    assert_eq!(
        rights(&wish(&[Task::Events], in_ml())),
        ["get configmaps", "list events.events.k8s.io", "watch events.events.k8s.io"]
    );
}

#[test]
fn a_flame_that_lives_as_an_object_is_brought_up_without_writing_anything_else() {
    let wish = Wish { crd: true, ..wish(&[Task::Up], in_ml()) };
    let writes = wish.accesses().into_iter().filter(|it| !["get", "list", "watch"].contains(&it.verb));
    let writes: Vec<String> = writes.map(|it| it.to_string()).collect();
    assert_eq!(writes, ["create flameclusters.flame.xflops.io", "patch flameclusters.flame.xflops.io"]);
}

#[test]
fn a_file_narrows_what_has_a_fixed_name_and_may_be_narrowed() {
    let grants = wish(&[Task::Down], demo()).grants(None);
    let (name, _, found) = role(&grants[0]);
    assert_eq!(name, "flamectl-demo-down");
    assert_eq!(
        found,
        [
            "|pods||get,list,watch,delete",
            "|configmaps,services||watch",
            "|configmaps|demo-config|get,patch,delete",
            "|services|demo-object-cache,demo-session-manager|get,delete",
        ]
    );
}

#[test]
fn each_right_says_which_object_it_is_for() {
    let up = wish(&[Task::Up], demo()).accesses();
    let is_there = |text: &str| up.iter().any(|it| it.to_string() == text);
    assert!(is_there("get namespaces ml"), "a namespace is in itself: {up:?}");
    assert!(is_there("patch configmaps demo-config") && !is_there("patch configmaps"));
    assert!(is_there("create configmaps") && is_there("patch pods/resize"));
    assert!(up.iter().all(|it| it.namespace.as_deref() == Some("ml")));
}

#[test]
fn only_a_cluster_role_tells_of_nodes() {
    let nodes = |scope: Scope| rights(&wish(&[], scope)).into_iter().filter(|it| it.ends_with(" nodes")).count();
    assert_eq!((nodes(in_ml()), nodes(Scope::All)), (0, 2));
    let grants = wish(&[], Scope::All).grants(None);
    assert!(matches!(grants.as_slice(), [Grant::ClusterRole(role)] if role.metadata.namespace.is_none()));
}

#[test]
fn a_lease_elsewhere_has_a_role_of_its_own() {
    let watch = |scope: Scope| Wish { lease: Some("ops".to_owned()), ..wish(&[Task::Watch], scope) };
    let grants = watch(Scope::All).grants(None);
    let (name, namespace, found) = role(&grants[1]);
    assert_eq!((grants.len(), name.as_str(), namespace.as_deref()), (2, "flamectl-watch-lease", Some("ops")));
    assert_eq!(found, ["coordination.k8s.io|leases||create", "coordination.k8s.io|leases|flamectl-watch|get,patch"]);
    let grants = watch(Scope::Namespace("ops".to_owned())).grants(None);
    let (.., rules) = role(&grants[0]);
    assert_eq!(grants.len(), 1);
    assert!(found.iter().all(|rule| rules.contains(rule)), "{rules:?}");
}

#[test]
fn a_binding_names_whom_it_is_for() {
    let binding = |grantee: Grantee| match wish(&[Task::Logs], in_ml()).grants(Some(&grantee)).as_slice() {
        [Grant::Role(_), Grant::RoleBinding(binding)] => {
            let subject = &binding.subjects.as_ref().unwrap()[0];
            let name = binding.metadata.name.clone().unwrap();
            assert_eq!((binding.role_ref.kind.as_str(), binding.role_ref.name.as_str()), ("Role", "flamectl-logs"));
            format!("{name} {} {:?} {}", subject.kind, subject.namespace, subject.name)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        binding(Grantee::User("https://id.example.com#jane".to_owned())),
        "flamectl-logs:user:https:--id.example.com#jane User None https://id.example.com#jane"
    );
    assert_eq!(binding(Grantee::Group("ml".to_owned())), "flamectl-logs:group:ml Group None ml");
    assert_eq!(
        binding(Grantee::ServiceAccount("ops".to_owned(), "keep".to_owned())),
        r#"flamectl-logs:serviceaccount:ops:keep ServiceAccount Some("ops") keep"#
    );
    let all = wish(&[Task::Logs], Scope::All).grants(Some(&Grantee::Group("ml".to_owned())));
    assert!(matches!(&all[1], Grant::ClusterRoleBinding(it) if it.role_ref.kind == "ClusterRole"));
}

#[test]
fn no_two_sets_of_rights_have_one_name() {
    let mut names = BTreeSet::new();
    for scope in [in_ml(), demo()] {
        for crd in [false, true] {
            assert!(names.insert(Wish { crd, ..wish(&[], scope.clone()) }.role_name()));
            for task in Task::ALL {
                assert!(names.insert(Wish { crd, ..wish(&[task], scope.clone()) }.role_name()));
            }
        }
    }
}
