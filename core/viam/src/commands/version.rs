//! `viam version`.

use clap::Command;
use serde::Serialize;
use viam_contract::{Format, Output, Result, VERSION};

use super::CoreCommand;

/// The version of the public API that the definitions follow.
const API: &str = "v0.1.577";

pub(crate) const COMMAND: CoreCommand = CoreCommand {
    name: "version",
    aliases: &[],
    summary: "print the version",
    tree: || Command::new("version").about("Print the version"),
    words: super::unchanged,
    run: |world, _| print(&world.output),
};

/// JSON result of `viam version`.
#[derive(Serialize)]
struct Version {
    version: &'static str,
    git: Option<&'static str>,
    api: &'static str,
}

/// Prints the version in the form that scripts know.
pub(crate) fn print(output: &Output) -> Result<()> {
    let git = option_env!("VIAM_GIT_REV");
    if output.format == Format::Json {
        output.json(&Version { version: VERSION, git, api: API })?;
    } else {
        output.line(format!("Version {VERSION} Git={} API={API}", git.unwrap_or("?")))?;
    }
    output.flush()
}
