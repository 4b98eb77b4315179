//! `viam data export`: today's verbs, and the one of 2023 whose flags stand behind it directly
//! (behaviour.md §2.2–2.5).

mod binary;
mod found;
mod how;
mod legacy;
mod tabular;

use clap::Subcommand;
use viam_contract::{Context, Result};

pub(crate) use found::FoundArgs;
pub(crate) use how::{HowArgs, MetadataFormat, interruptible};

#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    legacy: legacy::LegacyArgs,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Export files: pictures, clouds of points and whatever else machines have sent
    #[command(subcommand)]
    Binary(BinaryVerb),
    /// Export the readings of one method of a component or service as a table
    Tabular(tabular::Args),
}

#[derive(Subcommand, Debug)]
enum BinaryVerb {
    /// Export the files that a filter finds
    Filter(Box<binary::filter::Args>),
    /// Export files by their ids
    Ids(binary::ids::Args),
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    match args.verb {
        None => legacy::run(cx, args.legacy).await,
        Some(Verb::Binary(BinaryVerb::Filter(args))) => binary::filter::run(cx, *args).await,
        Some(Verb::Binary(BinaryVerb::Ids(args))) => binary::ids::run(cx, args).await,
        Some(Verb::Tabular(args)) => tabular::run(cx, args).await,
    }
}
