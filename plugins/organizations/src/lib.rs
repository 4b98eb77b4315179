//! `viam organizations`.

mod api_key;
mod list;

use clap::{ArgMatches, Command, CommandFactory as _, Parser, Subcommand};
use viam_contract::{About, BoxFuture, Context, Plugin, Result, cli};

/// The group.
#[derive(Clone, Copy, Debug)]
pub struct Organizations;

/// List organizations and make API keys for them
#[derive(Parser, Debug)]
#[command(name = "organizations")]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List the organizations that you see
    List,
    /// Work with an organization's API keys
    #[command(subcommand)]
    ApiKey(ApiKeyVerb),
}

#[derive(Subcommand, Debug)]
enum ApiKeyVerb {
    /// Create an API key that owns an organization
    Create(api_key::create::Args),
}

impl Plugin for Organizations {
    fn about(&self) -> About {
        About {
            name: "organizations",
            aliases: &["organization", "org"],
            summary: "list organizations, make API keys",
        }
    }

    fn command(&self) -> Command {
        Args::command()
    }

    fn run<'a>(&'a self, cx: &'a Context, matches: ArgMatches) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match cli::args::<Args>(&matches)?.verb {
                Verb::List => list::run(cx).await,
                Verb::ApiKey(ApiKeyVerb::Create(args)) => api_key::create::run(cx, args).await,
            }
        })
    }
}
