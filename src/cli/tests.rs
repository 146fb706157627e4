use super::values::{bar, duration, flame_name, log_target, max_unavailable};
use super::*;
use crate::flame::answers;
use crate::flame::events::EventType;
use crate::flame::logs::LogTarget;
use crate::flame::names::Component;
use crate::flame::rollout::{Bar, MaxUnavailable};

fn parsed(line: &str) -> Result<Cli, Notice> {
    parse(line.split_whitespace().map(OsString::from))
}

#[track_caller]
fn up(line: &str) -> UpArgs {
    match parsed(line).unwrap().verb {
        Verb::Up(args) => args,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(line: &str) -> String {
    let notice = parsed(line).unwrap_err();
    assert_eq!(notice.exit_code, 2, "{}", notice.text);
    notice.text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_definition_is_consistent() {
    command(BINARY).debug_assert();
}

#[test]
fn every_command_has_the_arguments_it_promises() {
    for line in [
        "flamectl up -f a.yaml -o yaml -y --adopt --create-namespace --force-conflicts --strict",
        "flamectl status",
        "flamectl status demo -o json",
        "flamectl status -A --no-headers -o name",
        "flamectl render -f - -o json --strict",
        "flamectl logs demo",
        "flamectl logs demo session-manager -p --tail -1 --timestamps",
        "flamectl logs demo 3 -f --since 90s --prefix --max-log-requests 1",
        "flamectl logs demo demo-executor-manager-3 --prefix=false --tail=0",
        "flamectl events demo -w -o json --types=Warning,normal",
        "flamectl down demo -y --wait=false -o name",
        "flamectl down -f a.yaml --timeout 90s",
        "flamectl watch -f a.yaml",
        "flamectl diff -f a.yaml --exit-zero -o table --strict",
        "flamectl scale demo --replicas 0 --current-replicas 10000 -y",
        "flamectl restart demo --max-unavailable 3",
        "flamectl restart demo executor-manager",
        "flamectl validate -f a.yaml -f b.yaml c.yaml --strict --server",
        "flamectl up -f a.yaml --skip-preflight",
        "flamectl diff -f a.yaml --skip-preflight",
        "flamectl scale demo --replicas 1 --skip-preflight",
        "flamectl restart demo --skip-preflight",
        "flamectl validate -f a.yaml -f - -o json",
        "flamectl validate -f flames -o sarif",
        "flamectl validate -f flames -o github",
        "flamectl init",
        "flamectl init - -y -n ml --name demo --replicas 0 --slot none --session-manager-image a --executor-manager-image b",
        "flamectl init a.yaml --session-manager-requests cpu=1 --session-manager-limits none",
        "flamectl init --executor-manager-requests none --executor-manager-limits cpu=1,memory=1Gi",
        "flamectl completions zsh",
        "flamectl man up",
        "flamectl version -o json",
        "flamectl -n ml --context c --kubeconfig k --request-timeout 0 --as u --as-group g --as-group h -v status",
        "flamectl status -q -n ml --color never",
    ] {
        assert!(parsed(line).is_ok(), "{line}: {:?}", parsed(line));
    }
}

#[test]
fn up_has_the_documented_defaults() {
    let args = up("flamectl up -f a.yaml");
    assert_eq!(args.filename, Source::File("a.yaml".into()));
    assert!(args.wait.wait && !args.confirm.yes && !args.adopt && !args.force_conflicts && !args.create_namespace);
    assert!(!args.preflight.skip_preflight);
    assert_eq!(args.wait.timeout, Duration::from_secs(300));
    assert_eq!(args.progress_deadline, Duration::from_secs(180));
    assert_eq!((args.wait_for, args.wave.max_unavailable), (Bar::All, MaxUnavailable::Percent(25)));
    assert_eq!((args.dry_run, args.output), (None, ObjectFormat::Table));
}

#[test]
fn a_dry_run_without_a_value_can_be_told_apart() {
    assert_eq!(up("flamectl up --dry-run -f a").dry_run, Some(DryRun::Bare));
    assert_eq!(up("flamectl up --dry-run=client -f a").dry_run, Some(DryRun::Client));
    assert_eq!(up("flamectl up --dry-run=server -f a").dry_run, Some(DryRun::Server));
}

#[test]
fn waiting_is_switched_off_with_an_equals_sign() {
    assert!(!up("flamectl up --wait=false -f a").wait.wait);
    assert!(up("flamectl up --wait -f a").wait.wait);
}

#[test]
fn a_dash_is_standard_input() {
    assert_eq!(up("flamectl up -f -").filename, Source::Stdin);
    assert_eq!(Source::Stdin.to_string(), "-");
    assert_eq!(Source::File("a/b.yaml".into()).to_string(), "a/b.yaml");
}

#[test]
fn durations_are_written_as_in_go() {
    for (text, milliseconds) in [
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("90s", 90_000),
        ("1.5h", 5_400_000),
        ("500ms", 500),
        ("0", 0),
        ("0s", 0),
    ] {
        assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }
    for (text, message) in [
        ("-5m", "a duration can't be negative"),
        ("90", "the unit is missing; 90 seconds are 90s"),
        ("", "not a duration; write it as 90s, 5m or 1h30m"),
        ("5x", "not a duration; write it as 90s, 5m or 1h30m"),
        ("1d", "not a duration; write it as 90s, 5m or 1h30m"),
        ("99999999999999999999h", "not a duration; write it as 90s, 5m or 1h30m"),
    ] {
        assert_eq!(duration(text), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn numbers_and_shares_become_domain_types() {
    for (text, expected) in [
        ("all", Some(Bar::All)),
        ("running", Some(Bar::Running)),
        ("3", Some(Bar::Count(3))),
        ("80%", Some(Bar::Percent(80))),
        ("0", Some(Bar::Count(0))),
        ("101%", None),
        ("+3", None),
        ("-3", None),
        ("3.5", None),
        ("%", None),
        ("", None),
        ("4294967296", None),
    ] {
        assert_eq!(bar(text).ok(), expected, "{text}");
    }
    for (text, expected) in [
        ("1", Some(MaxUnavailable::Count(1))),
        ("25%", Some(MaxUnavailable::Percent(25))),
        ("0", None),
        ("0%", None),
        ("101%", None),
    ] {
        assert_eq!(max_unavailable(text).ok(), expected, "{text}");
    }
}

#[test]
fn a_flame_is_named_as_it_is_printed() {
    for (text, expected) in [
        ("demo", Some("demo")),
        ("flamecluster/demo", Some("demo")),
        ("flamecluster.flame.xflops.io/demo", Some("demo")),
        ("pod/demo", None),
        ("1demo", None),
        ("-demo", None),
        ("demo-", None),
        ("Demo", None),
        ("..", None),
        ("", None),
    ] {
        assert_eq!(flame_name(text).ok().as_deref(), expected, "{text}");
    }
    assert!(flame_name(&"a".repeat(47)).is_ok());
    assert!(flame_name(&"a".repeat(48)).is_err());
}

#[test]
fn down_takes_a_name_or_a_file() {
    let target = |line| match parsed(line).unwrap().verb {
        Verb::Down(args) => args.target,
        other => panic!("{other:?}"),
    };
    assert_eq!(target("flamectl down demo"), Target::Name("demo".to_owned()));
    assert_eq!(target("flamectl down -f -"), Target::File(Source::Stdin));
    refused("flamectl down");
    refused("flamectl down demo -f a.yaml");
}

#[test]
fn bad_usage_exits_2_and_says_why() {
    for (line, message) in [
        (
            "flamectl up -f a --timeout 5",
            "error: invalid value '5' for '--timeout <DURATION>': the unit is missing; 5 seconds are 5s",
        ),
        ("flamectl up -f a -f b", "error: the argument '--filename <FILE>' cannot be used multiple times"),
        ("flamectl scale demo --replicas -1", "error: unexpected argument '-1' found"),
        (
            "flamectl scale demo --replicas 10001",
            "error: invalid value '10001' for '--replicas <N>': 10001 is not in 0..=10000",
        ),
        ("flamectl status demo -A", "error: the argument '[NAME]' cannot be used with '--all-namespaces'"),
        ("flamectl sttus", "error: unrecognized subcommand 'sttus'"),
    ] {
        assert_eq!(refused(line), message, "{line}");
    }
}

#[test]
fn the_help_of_init_tells_the_defaults_that_there_are() {
    let help = parsed("flamectl init --help").unwrap_err().text;
    let resources = |usual: answers::Usual| {
        let requests = usual.requests(&answers::Amounts::new());
        [&requests, &usual.limits(&requests)].map(answers::written)
    };
    let mut defaults = vec![answers::SESSION_MANAGER_IMAGE.to_owned(), answers::SLOT.to_owned()];
    defaults.push(answers::REPLICAS.to_owned());
    defaults.extend(resources(answers::SESSION_MANAGER));
    defaults.extend(resources(answers::EXECUTOR_MANAGER));
    for default in defaults {
        assert!(help.contains(&format!("By default {default}")), "{default} is not in:\n{help}");
    }
}

#[test]
fn bad_usage_is_told_as_json_where_that_is_asked_for() {
    for (line, json) in [
        ("flamectl up --progress=json", true),
        ("flamectl --progress json upp", true),
        ("flamectl up -f a --progress=json --nonsense", true),
        ("flamectl up --progress=plain", false),
        ("flamectl up", false),
    ] {
        assert_eq!(parsed(line).unwrap_err().json, json, "{line}");
    }
}

#[test]
fn usage_shows_the_name_it_was_called_by() {
    for (argv0, usage) in [
        ("flamectl", "Usage: flamectl up [OPTIONS] --filename <FILE>"),
        ("/usr/local/bin/kubectl-flame", "Usage: kubectl flame up [OPTIONS] --filename <FILE>"),
    ] {
        let text = parsed(&format!("{argv0} up -h")).unwrap_err().text;
        assert!(text.lines().any(|line| line == usage), "{text}");
    }
    assert_eq!(called_as(OsStr::new("flamectl.exe")), "flamectl");
}

#[test]
fn help_says_first_what_it_is_and_lists_exit_codes() {
    let help = parsed("flamectl --help").unwrap_err();
    assert_eq!(help.exit_code, 0);
    let first = help.text.lines().next().unwrap_or_default();
    assert!(first.contains("Flame on Kubernetes") && first.contains("flmctl"), "{first}");
    assert!(help.text.contains("  130  Interrupted\n"), "{}", help.text);
    assert_eq!(parsed("flamectl").unwrap_err().exit_code, 2);
}

#[test]
fn values_of_variables_are_never_shown() {
    for command in std::iter::once(&command(BINARY)).chain(command(BINARY).get_subcommands()) {
        for arg in command.get_arguments().filter(|arg| arg.get_env().is_some()) {
            let name = format!("FLAMECTL_{}", arg.get_long().unwrap_or_default().replace('-', "_").to_uppercase());
            assert_eq!(arg.get_env(), Some(OsStr::new(&name)));
            assert!(arg.is_hide_env_values_set(), "{name}");
        }
    }
}

#[test]
fn every_command_has_a_man_page_and_every_shell_a_script() {
    let files = generated_files().unwrap();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names[..6],
        ["flamectl.bash", "_flamectl", "flamectl.fish", "_flamectl.ps1", "flamectl.elv", "flamectl.1"]
    );
    assert_eq!(names.len(), 6 + command(BINARY).get_subcommands().count());
    assert!(files.iter().all(|(_, bytes)| !bytes.is_empty()));
    assert_eq!(man(Some("nope")).unwrap_err().what, "flamectl has no command \"nope\"");
}

#[test]
fn logs_are_named_by_component_index_pod_or_as_their_lines_say() {
    for (text, target) in [
        ("session-manager", LogTarget::Component(Component::SessionManager)),
        ("executor-manager", LogTarget::Component(Component::ExecutorManager)),
        ("0", LogTarget::Executor(0)),
        ("executor-manager-9999", LogTarget::Executor(9999)),
        ("demo-executor-manager-3", LogTarget::Pod("demo-executor-manager-3".to_owned())),
    ] {
        assert_eq!(log_target(text), Ok(target), "{text}");
    }
    for text in ["10000", "executor-manager-10000", "", "-1", "a/b", "Demo"] {
        assert!(log_target(text).is_err(), "{text}");
    }
}

#[test]
fn types_of_events_are_read_in_any_case() {
    let types = |line: &str| match parsed(line).unwrap().verb {
        Verb::Events(args) => args.types,
        other => panic!("{other:?}"),
    };
    assert_eq!(types("flamectl events demo"), []);
    assert_eq!(types("flamectl events demo --types warning"), [EventType::Warning]);
    assert_eq!(types("flamectl events demo --types=Normal,Warning"), EventType::ALL);
}
