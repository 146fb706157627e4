//! Help and usage.

use insta::{Settings, assert_snapshot};

use crate::Session;

#[test]
fn the_help_tells_what_flamectl_is_and_what_the_exit_codes_mean() {
    let mut settings = Settings::clone_current();
    settings.add_filter(r"flamectl \d+\.\d+\.\d+", "flamectl VERSION");
    settings.bind(|| {
        assert_snapshot!("help", Session::new().run("--help"));
        assert_snapshot!("help_up", Session::new().run("up --help"));
        assert_snapshot!("help_logs", Session::new().run("logs --help"));
        assert_snapshot!("help_events", Session::new().run("events --help"));
        assert_snapshot!("help_status", Session::new().run("status --help"));
    });
}

#[test]
fn bad_usage_is_told_and_ends_with_two() {
    for (name, args) in [
        ("no_verb", ""),
        ("unknown_verb", "upp"),
        ("no_file", "up"),
        ("bad_duration", "up -f x --timeout 5"),
        ("bad_share", "up -f x --wait-for some"),
        ("bad_user", "up -f x --run-as-user 0"),
        ("no_target", "down"),
        ("no_log", "logs"),
        ("follow_previous", "logs demo -f -p"),
        ("no_such_executor", "logs demo 10000"),
        ("no_pod_of_the_flame", "logs demo other-session-manager"),
        ("bad_event_type", "events demo --types=Error"),
        ("bad_selector", "status -l a=b=c"),
        ("selector_and_name", "status demo -l a=b"),
        ("bad_status_format", "status -o tabel"),
        ("bad_jsonpath", "status -o jsonpath={.status"),
    ] {
        assert_snapshot!(name, Session::new().run(args));
    }
}
