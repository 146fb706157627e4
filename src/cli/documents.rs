//! What is made from the definition of the command line: completion scripts and man pages.

use std::io;

use clap_complete::Shell;
use clap_mangen::Man;

use super::{BINARY, command};
use crate::error::{Error, Result};

/// Returns a shell's completion script.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut documented(), BINARY, &mut script);
    script
}

/// Returns a man page as roff: of `subcommand`, or of flamectl itself.
///
/// # Errors
/// There is no such command.
pub fn man(subcommand: Option<&str>) -> Result<Vec<u8>> {
    let mut command = documented();
    command.build();
    let page = match subcommand {
        None => Some(&command),
        Some(name) => command.find_subcommand(name),
    };
    let page = page.ok_or_else(|| {
        let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let what = format!("flamectl has no command {:?}", subcommand.unwrap_or_default());
        Error::input(what).hint(format!("one of {}", names.join(", ")))
    })?;
    roff(page.clone()).map_err(|error| Error::server(format!("the man page was not written: {error}")))
}

fn roff(command: clap::Command) -> io::Result<Vec<u8>> {
    let source = format!("{BINARY} {}", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    Man::new(command).source(source).manual("flamectl manual").render(&mut page)?;
    Ok(page)
}

/// Returns every generated file by its name, as `completions/` holds them.
///
/// # Errors
/// None that a caller could cause.
pub fn generated_files() -> Result<Vec<(String, Vec<u8>)>> {
    let shells = [
        ("flamectl.bash", Shell::Bash),
        ("_flamectl", Shell::Zsh),
        ("flamectl.fish", Shell::Fish),
        ("_flamectl.ps1", Shell::PowerShell),
        ("flamectl.elv", Shell::Elvish),
    ];
    let mut files: Vec<_> = shells.map(|(name, shell)| (name.to_owned(), completions(shell))).into();
    files.push(("flamectl.1".to_owned(), man(None)?));
    for verb in documented().get_subcommands() {
        files.push((format!("flamectl-{}.1", verb.get_name()), man(Some(verb.get_name()))?));
    }
    Ok(files)
}

/// Returns the definition that documentation is made from, the same wherever it is made.
fn documented() -> clap::Command {
    command(BINARY).disable_help_subcommand(true)
}
