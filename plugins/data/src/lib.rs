//! `viam data` and `viam dataset`: what machines have captured.

mod bar;
mod bson_json;
mod change;
mod client;
mod count;
mod database;
mod dataset;
mod delete;
mod destination;
mod engine;
mod export;
mod filter;
mod index;
mod input;
mod json;
mod listing;
mod name;
mod organization;
mod pages;
mod query;
mod shard;
mod tabular;
mod tag;

use clap::{ArgMatches, Command, CommandFactory as _, Parser, Subcommand};
use viam_contract::{About, BoxFuture, Context, Plugin, Result, cli};

/// The group `data`.
#[derive(Clone, Copy, Debug)]
pub struct Data;

/// The group `dataset`.
#[derive(Clone, Copy, Debug)]
pub struct Dataset;

/// Export, delete, query and tag what machines have captured
#[derive(Parser, Debug)]
#[command(name = "data")]
struct DataArgs {
    #[command(subcommand)]
    verb: DataVerb,
}

#[derive(Subcommand, Debug)]
enum DataVerb {
    /// Export files and readings into a folder or a bucket
    Export(Box<export::Args>),
    /// Delete files or readings
    Delete(Box<delete::Args>),
    /// Query readings and files
    #[command(subcommand)]
    Query(query::Verb),
    /// Tag files
    #[command(subcommand)]
    Tag(tag::Verb),
    /// Make queries fast
    #[command(subcommand)]
    Index(index::Verb),
    /// Put files into a dataset, or take them out; now `viam dataset data`
    #[command(subcommand, hide = true)]
    Dataset(dataset::data::OldVerb),
    /// Reach readings with other programs, through a MongoDB
    #[command(subcommand)]
    Database(database::Verb),
}

/// Collect files into datasets and export them
#[derive(Parser, Debug)]
#[command(name = "dataset")]
struct DatasetArgs {
    #[command(subcommand)]
    verb: dataset::Verb,
}

impl Plugin for Data {
    fn about(&self) -> About {
        About {
            name: "data",
            aliases: &[],
            summary: "export, delete, query and tag what machines have captured",
        }
    }

    fn command(&self) -> Command {
        DataArgs::command()
    }

    fn run<'a>(&'a self, cx: &'a Context, matches: ArgMatches) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match cli::args::<DataArgs>(&matches)?.verb {
                DataVerb::Export(args) => export::run(cx, *args).await,
                DataVerb::Delete(args) => delete::run(cx, *args).await,
                DataVerb::Query(verb) => query::run(cx, verb).await,
                DataVerb::Tag(verb) => tag::run(cx, verb).await,
                DataVerb::Index(verb) => index::run(cx, verb).await,
                DataVerb::Dataset(verb) => dataset::data::run_old(cx, verb).await,
                DataVerb::Database(verb) => database::run(cx, verb).await,
            }
        })
    }
}

impl Plugin for Dataset {
    fn about(&self) -> About {
        About {
            name: "dataset",
            aliases: &[],
            summary: "collect files into datasets and export them",
        }
    }

    fn command(&self) -> Command {
        DatasetArgs::command()
    }

    fn run<'a>(&'a self, cx: &'a Context, matches: ArgMatches) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { dataset::run(cx, cli::args::<DatasetArgs>(&matches)?.verb).await })
    }
}

#[cfg(test)]
mod tests;
