//! `cargo xtask reference`: docs/reference.md, every command with its flags.

use crate::{Outcome, check_flag, shell, workspace};

/// Writes the page, or compares it.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut command = shell::cargo(["run", "--quiet", "--package", "viam-docs", "--", "reference"]);
    command.arg(workspace::root().join("docs/reference.md"));
    if check_flag(arguments)? {
        command.arg("--check");
    }
    shell::succeeds(&mut command)
}
