//! `viam sandbox`: a complete local cloud, for trying, teaching and testing.
//!
//! Each verb is a file; [`server`] is the cloud itself, usable as a library by tests, and [`seed`]
//! says what it is filled with.

mod approve;
mod env;
mod files;
mod home;
mod machine;
mod machine_config;
mod place;
mod reset;
mod run;
pub mod seed;
pub mod server;
mod start;
mod status;
mod stop;
mod store;
mod tour;

use clap::{ArgMatches, Args, Command, Parser, Subcommand};
use viam_contract::{About, BoxFuture, Context, Plugin, Result, cli};

/// The group.
#[derive(Clone, Copy, Debug)]
pub struct Sandbox;

/// Run a local cloud with a fleet in it
///
/// The sandbox is a server on this computer that answers as Viam's cloud does: organizations,
/// locations, machines, API keys and logins, without an account and without a network. `viam
/// sandbox run -- COMMAND` runs one command against a new one that is thrown away; `viam sandbox
/// start` keeps one running.
#[derive(Parser)]
#[command(name = "sandbox")]
struct Line {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Start(start::Args),
    Stop(stop::Args),
    Status(status::Args),
    Reset(reset::Args),
    Env(env::Args),
    Run(run::Args),
    Approve(approve::Args),
    MachineConfig(machine_config::Args),
    Tour(tour::Args),
}

impl Plugin for Sandbox {
    fn about(&self) -> About {
        About { name: "sandbox", aliases: &[], summary: "run a local cloud with a fleet in it" }
    }

    fn command(&self) -> Command {
        Line::augment_args(Command::new("sandbox")).subcommand_required(true)
    }

    fn run<'a>(&'a self, cx: &'a Context, matches: ArgMatches) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match cli::args::<Line>(&matches)?.verb {
                Verb::Start(args) => start::run(cx, args).await,
                Verb::Stop(args) => stop::run(cx, args).await,
                Verb::Status(args) => status::run(cx, args).await,
                Verb::Reset(args) => reset::run(cx, args).await,
                Verb::Env(args) => env::run(cx, args).await,
                Verb::Run(args) => run::run(cx, args).await,
                Verb::Approve(args) => approve::run(cx, args).await,
                Verb::MachineConfig(args) => machine_config::run(cx, args).await,
                Verb::Tour(args) => tour::run(cx, args).await,
            }
        })
    }
}

#[cfg(test)]
mod fakes;
