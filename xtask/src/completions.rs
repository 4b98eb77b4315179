//! `cargo xtask completions`: what the shells load to complete `viam`.

use crate::workspace::Workspace;
use crate::{Outcome, no_arguments, shell};

/// Each shell, and the name under which it looks for the script.
const SHELLS: [(&str, &str); 4] =
    [("bash", "viam"), ("zsh", "_viam"), ("fish", "viam.fish"), ("powershell", "viam.ps1")];

/// Writes the scripts into `target/completions/SHELL`, as the program prints them.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    no_arguments(arguments)?;
    let target = Workspace::load()?.target();
    shell::must(&mut shell::cargo(["build", "--quiet", "--package", "viam"]))?;
    for (name, file) in SHELLS {
        let script =
            shell::output(shell::command(target.join("debug/viam")).args(["completion", name]))?;
        let path = target.join("completions").join(name).join(file);
        shell::write(&path, script)?;
        println!("{}", path.display());
    }
    Ok(true)
}
