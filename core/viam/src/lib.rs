//! The core of `viam`. It reads the global flags, finds out what the command word means,
//! and runs it: a command of its own, a built-in group, or another executable.
//!
//! Nothing is built before it is needed: no clap tree before the word is known, no runtime, TLS
//! or logger before a command asks for them.

mod built_in;
mod commands;
mod complete;
mod dispatch;
mod help;

use std::process::ExitCode;

use viam_contract::Exit;

/// Every command tree of this build, in the order of help: for the reference, the manual pages
/// and tests.
#[must_use]
pub fn trees() -> Vec<clap::Command> {
    let groups = built_in::TABLE.built_in.iter().map(|plugin| {
        let about = plugin.about();
        plugin.command().name(about.name).visible_aliases(about.aliases.to_vec())
    });
    let own = commands::COMMANDS
        .iter()
        .map(|command| (command.tree)().name(command.name).visible_aliases(command.aliases.to_vec()));
    groups.chain(own).collect()
}

/// Runs the program with the words of the process.
#[must_use]
pub fn main() -> ExitCode {
    match dispatch::main() {
        Exit::Code(code) => ExitCode::from(code),
        Exit::Signal(signal) => die_of(signal),
    }
}

/// Ends as the child did, so that a shell sees the same signal.
fn die_of(number: i32) -> ExitCode {
    if let Some(signal) = rustix::process::Signal::from_named_raw(number) {
        // Where the signal is ignored, the shell's number for it is next best.
        let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
    }
    ExitCode::from(Exit::Signal(number).shell_code())
}
