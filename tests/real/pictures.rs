//! The pictures in the README are what a run shows; `UPDATE=1 cargo test --test real pictures` draws them anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use anstyle_svg::{Term, WIN10_CONSOLE};

use crate::bed::{Bed, Namespace, Ran};
use crate::flames::edited;
use crate::terminal::OnTerminal;

/// Columns and rows of the terminal: more than most pages show without making the text smaller would be too many.
const SIZE: (u16, u16) = (110, 40);

/// A flame with images that look like real ones.
const FLAME: &str = "\
apiVersion: flame.xflops.io/v1alpha1
kind: FlameCluster
metadata:
  name: demo
spec:
  sessionManager:
    image: flame/sm:v1
  executorManager:
    image: flame/em:v1
    replicas: 10
";

/// Starts `flamectl up` with a file `demo.yaml` in the directory where it runs, and returns also what one typed for that.
#[track_caller]
fn up(space: &Namespace<'_>, flame: &str, args: &[&str]) -> (OnTerminal, String) {
    let file = space.file("demo.yaml", flame);
    let args = [&["up", "-f", "demo.yaml"], args].concat();
    let mut command = flamectl(space, &args);
    command.current_dir(Path::new(&file).parent().unwrap()).env_remove("FLAMECTL_TIMEOUT");
    command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
    (OnTerminal::start(command, SIZE.0, SIZE.1), format!("$ flamectl {}", args.join(" ")))
}

/// Returns a flamectl command for the namespace `default`, as the one of a test would be in the picture.
fn flamectl(space: &Namespace<'_>, args: &[&str]) -> Command {
    let mut command = space.bare_command(args);
    command.env("KUBECONFIG", space.bed.kubeconfig());
    command
}

/// Draws what is on the terminal, or compares it with the picture: all but the numbers, which are times and what they decide.
#[track_caller]
fn check(picture: &str, terminal: &OnTerminal, typed: &str) {
    let drawn = draw(terminal, typed);
    assert_eq!(without_numbers(&kept(picture, &drawn)), without_numbers(&drawn), "{picture} is out of date");
}

/// Returns a picture with a background of its own, to be read on light pages as on dark ones.
fn draw(terminal: &OnTerminal, typed: &str) -> String {
    // The renderer takes what follows one of the 256 colours for another one.
    let bold_apart = terminal.colored_rows().replace(";1m", "m\u{1b}[1m");
    let shown = format!("{typed}\n{bold_apart}");
    Term::new().palette(WIN10_CONSOLE).render_svg(&shown)
}

/// Returns the picture in the repository, which is `drawn` from now on where that is asked for.
#[track_caller]
fn kept(picture: &str, drawn: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures").join(picture);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, drawn).unwrap();
    }
    fs::read_to_string(&file).unwrap()
}

fn without_numbers(text: &str) -> String {
    let parts: Vec<&str> = text.split(|char: char| char.is_ascii_digit()).collect();
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("#")
}

#[test]
fn the_pictures_in_the_readme_show_what_a_run_shows() {
    let bed = Bed::start("pictures").unwrap();
    let space = bed.no_namespace();

    let (mut first, typed) = up(&space, FLAME, &[]);
    assert_eq!(first.until_end(), Some(0), "{:#?}", first.rows());
    check("up.svg", &first, &typed);

    let larger = edited(FLAME, "replicas: 10", "replicas: 20");
    let (mut more, _) = up(&space, &larger, &[]);
    assert_eq!(more.until_end(), Some(0), "{:#?}", more.rows());
    let (mut rollout, typed) = up(&space, &edited(&larger, "em:v1", "em:v2"), &["-y"]);
    rollout.until_shows("of 4: replacing 5 executors");
    rollout.until_shows("  slowest: executor ");
    // Another moment is another picture: what stands still is the plan, and that a wave is shown.
    let drawn = draw(&rollout, &typed);
    let picture = kept("rollout.svg", &drawn);
    for row in rollout.rows().iter().take_while(|row| !row.starts_with("demo  ")) {
        assert!(row.is_empty() || picture.contains(&escaped(row)), "rollout.svg is out of date: {row:?} is not in it");
    }
    assert!(picture.contains(" of 4: replacing 5 executors"), "rollout.svg shows no wave");
    assert_eq!(rollout.until_end(), Some(0), "{:#?}", rollout.rows());

    Ran::of(flamectl(&space, &["down", "demo", "-y"])).exits(0);
    let broken = edited(FLAME, "flame/sm:v1", "crash/sm:v1");
    let (mut failure, typed) = up(&space, &broken, &["-y", "--timeout", "10s"]);
    assert_eq!(failure.until_end(), Some(4), "{:#?}", failure.rows());
    check("failure.svg", &failure, &typed);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
