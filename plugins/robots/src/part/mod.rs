//! The verbs of `part`.

mod cp;
mod create;
mod delete;
mod history;
mod list;
mod logs;
mod restart;
mod run;
mod shell;
mod status;
mod tunnel;

use clap::Subcommand;
use viam_contract::{Context, Result};

#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// List the parts of a machine
    List(list::Args),
    /// Say what a part is and when it was last heard of
    Status(status::Args),
    /// Print the logs of a part, oldest first, or follow them with --tail
    #[command(alias = "log")]
    Logs(logs::Args),
    /// Call a method of a machine's components and services
    Run(run::Args),
    /// Open a shell on a machine; ~. at the beginning of a line drops it
    Shell(shell::Args),
    /// Copy files to a machine or from it, as scp does
    Cp(cp::Args),
    /// Carry connections to a port of this computer on to a port of a machine
    Tunnel(tunnel::Args),
    /// Ask a part to restart
    Restart(restart::Args),
    /// Add a part to a machine
    Create(create::Args),
    /// Delete a part, without asking
    Delete(delete::Args),
    /// List who changed the configuration of a part, and when
    History(history::Args),
}

pub(crate) async fn run(cx: &Context, verb: Verb) -> Result<()> {
    match verb {
        Verb::List(args) => list::run(cx, args).await,
        Verb::Status(args) => status::run(cx, args).await,
        Verb::Logs(args) => logs::run(cx, args).await,
        Verb::Run(args) => run::run(cx, args).await,
        Verb::Shell(args) => shell::run(cx, args).await,
        Verb::Cp(args) => cp::run(cx, args).await,
        Verb::Tunnel(args) => tunnel::run(cx, args).await,
        Verb::Restart(args) => restart::run(cx, args).await,
        Verb::Create(args) => create::run(cx, args).await,
        Verb::Delete(args) => delete::run(cx, args).await,
        Verb::History(args) => history::run(cx, args).await,
    }
}
