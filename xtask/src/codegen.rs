//! `cargo xtask codegen`: the Rust code of the API's definitions.

use crate::{Outcome, check_flag, shell};

/// Writes `proto/src/gen`, or compares it.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut command = shell::cargo(["run", "--quiet", "--package", "viam-codegen", "--"]);
    if check_flag(arguments)? {
        command.arg("--check");
    }
    shell::succeeds(&mut command)
}
