//! `cargo xtask man`: a manual page for every command.

use crate::workspace::Workspace;
use crate::{Outcome, no_arguments, shell};

/// Writes the pages into `target/man`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    no_arguments(arguments)?;
    let mut command = shell::cargo(["run", "--quiet", "--package", "viam-docs", "--", "man"]);
    shell::succeeds(command.arg(Workspace::load()?.target().join("man")))
}
