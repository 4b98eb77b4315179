//! `viam robots`, also called `machines`.

mod api_key;
mod list;

use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use viam_contract::{About, BoxFuture, Context, Error, Kind, Plugin, Result};

/// The group.
#[derive(Clone, Copy, Debug)]
pub struct Robots;

/// List machines and make API keys for them
#[derive(Parser, Debug)]
#[command(name = "robots")]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List the machines of a location, or with --all of an organization
    List(list::Args),
    /// Work with a machine's API keys
    #[command(subcommand)]
    ApiKey(ApiKeyVerb),
}

#[derive(Subcommand, Debug)]
enum ApiKeyVerb {
    /// Create an API key that owns a machine
    Create(api_key::create::Args),
}

impl Plugin for Robots {
    fn about(&self) -> About {
        About {
            name: "robots",
            aliases: &["robot", "machines", "machine"],
            summary: "list machines, make API keys (also `machines`)",
        }
    }

    fn command(&self) -> Command {
        Args::command()
    }

    fn run<'a>(&'a self, cx: &'a Context, matches: ArgMatches) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let args = Args::from_arg_matches(&matches)
                .map_err(|error| Error::new(Kind::Usage, error.to_string()))?;
            match args.verb {
                Verb::List(args) => list::run(cx, args).await,
                Verb::ApiKey(ApiKeyVerb::Create(args)) => api_key::create::run(cx, args).await,
            }
        })
    }
}
