//! `viam plugin list|which|exec`.

mod exec;
mod list;
mod which;

use clap::{CommandFactory as _, Parser, Subcommand};
use viam_contract::Result;
use viam_host::world::World;

use super::CoreCommand;

pub(crate) const COMMAND: CoreCommand = CoreCommand {
    name: "plugin",
    aliases: &[],
    summary: "see and run plugins",
    tree: || PluginArgs::command(),
    words: super::unchanged,
    run: |world, matches| run(world, super::args(&matches)?),
};

/// See and run plugins: executables named viam-NAME
#[derive(Parser, Debug)]
#[command(name = "plugin")]
struct PluginArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List the plugins, with their state
    List(list::Args),
    /// Print what a command word means, and what it shadows
    Which(which::Args),
    /// Run a plugin by name or path, also one that is shadowed
    Exec(exec::Args),
}

fn run(world: &World, args: PluginArgs) -> Result<()> {
    match args.verb {
        Verb::List(args) => list::run(world, &args),
        Verb::Which(args) => which::run(world, &args),
        Verb::Exec(args) => exec::run(world, &args),
    }
}
