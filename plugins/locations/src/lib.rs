//! `viam locations`.

mod api_key;
mod list;

use clap::{ArgMatches, Command, CommandFactory as _, Parser, Subcommand};
use viam_contract::{About, BoxFuture, Context, Plugin, Result, cli};

/// The group.
#[derive(Clone, Copy, Debug)]
pub struct Locations;

/// List locations and make API keys for them
#[derive(Parser, Debug)]
#[command(name = "locations")]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List the locations of an organization, or of all that you see
    List(list::Args),
    /// Work with a location's API keys
    #[command(subcommand)]
    ApiKey(ApiKeyVerb),
}

#[derive(Subcommand, Debug)]
enum ApiKeyVerb {
    /// Create an API key that owns a location
    Create(api_key::create::Args),
}

impl Plugin for Locations {
    fn about(&self) -> About {
        About {
            name: "locations",
            aliases: &["location"],
            summary: "list locations, make API keys",
        }
    }

    fn command(&self) -> Command {
        Args::command()
    }

    fn run<'a>(&'a self, cx: &'a Context, matches: ArgMatches) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match cli::args::<Args>(&matches)?.verb {
                Verb::List(args) => list::run(cx, args).await,
                Verb::ApiKey(ApiKeyVerb::Create(args)) => api_key::create::run(cx, args).await,
            }
        })
    }
}
