//! `viam`: the core binary. It reads the global flags, finds out what the command word means,
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

fn main() -> ExitCode {
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
