//! The core's own commands: session, profiles, defaults, plugins. One file each.

pub(crate) mod completion;
pub(crate) mod defaults;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod plugin;
pub(crate) mod profiles;
pub(crate) mod version;
pub(crate) mod whoami;

use std::ffi::OsString;
use std::future::Future;

use clap::{ArgMatches, Command};
use viam_contract::Result;
pub(crate) use viam_contract::cli::args;
pub(crate) use viam_host::secret;
use viam_host::world::World;

use crate::dispatch;

/// A command of the core.
pub(crate) struct CoreCommand {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) summary: &'static str,
    /// Its clap tree, built only when it is meant.
    pub(crate) tree: fn() -> Command,
    /// Habits that the tree cannot express.
    pub(crate) words: fn(Vec<OsString>) -> Vec<OsString>,
    pub(crate) run: fn(&World, ArgMatches) -> Result<()>,
}

/// In the order of help.
pub(crate) const COMMANDS: &[CoreCommand] = &[
    login::COMMAND,
    logout::COMMAND,
    whoami::COMMAND,
    profiles::COMMAND,
    defaults::COMMAND,
    plugin::COMMAND,
    completion::COMMAND,
    version::COMMAND,
];

/// The command of a word.
pub(crate) fn find(word: &str) -> Option<&'static CoreCommand> {
    COMMANDS.iter().find(|command| command.name == word || command.aliases.contains(&word))
}

/// The words as they are.
pub(crate) fn unchanged(words: Vec<OsString>) -> Vec<OsString> {
    words
}

/// Runs something that needs the network.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    dispatch::runtime()?.block_on(work)
}
