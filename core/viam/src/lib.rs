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
    let own = commands::COMMANDS.iter().map(|command| {
        (command.tree)().name(command.name).visible_aliases(command.aliases.to_vec())
    });
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
    use std::os::unix::process::CommandExt as _;
    // A runtime may have put handlers of its own in place, and they stay for the life of the
    // process; `exec` puts every caught signal back to what the system does with it.
    #[expect(clippy::disallowed_methods, reason = "this process ends by it")]
    let mut shell = std::process::Command::new("/bin/sh");
    drop(shell.args(["-c", "kill -\"$0\" $$", &number.to_string()]).exec());
    ExitCode::from(Exit::Signal(number).shell_code())
}
