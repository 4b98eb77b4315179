//! `viam dataset data add` and `remove`, and their names of 2023 (behaviour.md §2.8).

use clap::Subcommand;
use serde::Serialize;
use viam_contract::{Context, Format, Result, Target, text};

use super::DatasetIdArgs;
use crate::change::{self, Change};
use crate::count;
use crate::filter::FilterArgs;

#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum Verb {
    /// Put files into a dataset
    #[command(subcommand)]
    Add(WhichVerb),
    /// Take files out of a dataset
    #[command(subcommand)]
    Remove(WhichVerb),
}

#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum WhichVerb {
    /// Those that are given by their ids
    Ids(IdsArgs),
    /// Those that a filter finds
    Filter(Box<FoundArgs>),
}

/// `viam data dataset`, where this was in 2023.
#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum OldVerb {
    /// Put files into a dataset
    #[command(subcommand)]
    Add(WhichVerb),
    /// Take files out of a dataset
    Remove(IdsArgs),
}

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct IdsArgs {
    #[command(flatten)]
    dataset: DatasetIdArgs,
    #[command(flatten)]
    ids: change::FileIdArgs,
}

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct FoundArgs {
    #[command(flatten)]
    dataset: DatasetIdArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// tags that a file has one of, as in `a,b`; `tagged` and `untagged` mean any and none
    #[arg(long, value_delimiter = ',', value_name = "TAG,…")]
    tags: Vec<String>,
}

/// JSON result.
#[derive(Serialize)]
struct Changed<'a> {
    dataset_id: &'a str,
    files: u64,
}

pub(crate) async fn run(cx: &Context, verb: Verb) -> Result<()> {
    match verb {
        Verb::Add(WhichVerb::Ids(args)) => ids(cx, args, Change::Collect).await,
        Verb::Add(WhichVerb::Filter(args)) => filter(cx, *args, Change::Collect).await,
        Verb::Remove(WhichVerb::Ids(args)) => ids(cx, args, Change::Drop).await,
        Verb::Remove(WhichVerb::Filter(args)) => filter(cx, *args, Change::Drop).await,
    }
}

pub(crate) async fn run_old(cx: &Context, verb: OldVerb) -> Result<()> {
    match verb {
        OldVerb::Add(which) => run(cx, Verb::Add(which)).await,
        OldVerb::Remove(args) => ids(cx, args, Change::Drop).await,
    }
}

async fn ids(cx: &Context, args: IdsArgs, make: fn(String) -> Change) -> Result<()> {
    let dataset_id = args.dataset.id()?;
    args.ids.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let files = args.ids.files(cx, &wire).await?;
    let change = make(dataset_id.clone());
    let done = change.apply(cx, &wire, &files).await?;
    if cx.output.format == Format::Json {
        return cx.output.json(&Changed { dataset_id: &dataset_id, files: done });
    }
    let dataset = text::one_line(&dataset_id);
    cx.output.line(match change {
        Change::Drop(_) => format!("Removed data from dataset ID {dataset}"),
        _ => format!("Added data to dataset ID {dataset}"),
    })
}

async fn filter(cx: &Context, args: FoundArgs, make: fn(String) -> Change) -> Result<()> {
    let dataset_id = args.dataset.id()?;
    args.filter.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let change = make(dataset_id.clone());
    // Only what is in the dataset can be taken out of it.
    let within = matches!(change, Change::Drop(_)).then_some(&dataset_id);
    let filters = args.filter.resolve(cx, &wire, &args.tags, within).await?;
    let done = change.apply_to_filters(cx, &wire, filters).await?;
    if cx.output.format == Format::Json {
        return cx.output.json(&Changed { dataset_id: &dataset_id, files: done });
    }
    let (files, dataset) = (count::of(done, "file"), text::one_line(&dataset_id));
    cx.output.line(match change {
        Change::Drop(_) => format!("Removed {files} from dataset ID {dataset}"),
        _ => format!("Added {files} to dataset ID {dataset}"),
    })
}
