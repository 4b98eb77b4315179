//! The interface of a command group.

use clap::{ArgMatches, Command};

use crate::{BoxFuture, Context, Result};

/// How a command group is called and what help says of it.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The word of the command line.
    pub name: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// One line for help: imperative, no full stop.
    pub summary: &'static str,
}

impl About {
    /// Whether `word` names this group.
    #[must_use]
    pub fn answers_to(&self, word: &str) -> bool {
        self.name == word || self.aliases.contains(&word)
    }
}

/// A command group: the same code is built into the core or into an executable `viam-<name>`.
pub trait Plugin: Send + Sync {
    /// Cheap; asked of every group by `viam --help`.
    fn about(&self) -> About;

    /// The whole tree of this group. Built only when this group is meant, or for help,
    /// completion and the reference.
    fn command(&self) -> Command;

    /// Does what the parsed command line says.
    fn run<'a>(&'a self, cx: &'a Context, matches: ArgMatches) -> BoxFuture<'a, Result<()>>;
}
