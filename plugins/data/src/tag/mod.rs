//! `viam data tag`: tags of files.

mod filter;
mod ids;

use clap::Subcommand;
use serde::Serialize;
use viam_contract::{Context, Error, Kind, Result};

use crate::change::Change;
use crate::filter::list;

#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum Verb {
    /// Change the tags of files that are given by their ids
    #[command(subcommand)]
    Ids(IdsVerb),
    /// Change the tags of the files that a filter finds
    #[command(subcommand)]
    Filter(FilterVerb),
}

#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum IdsVerb {
    /// Add tags to files
    Add(ids::Args),
    /// Remove tags from files
    Remove(ids::Args),
}

#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum FilterVerb {
    /// Add tags to files
    Add(Box<filter::Args>),
    /// Remove tags from files
    Remove(Box<filter::Args>),
}

/// The tags that are added or removed.
#[derive(clap::Args, Debug, PartialEq)]
struct TagsArgs {
    /// tags, as in `a,b`
    #[arg(long, required = true, value_delimiter = ',', value_name = "TAG,…")]
    tags: Vec<String>,
}

/// JSON result.
#[derive(Serialize)]
struct Tagged<'a> {
    tags: &'a [String],
    files: u64,
}

impl TagsArgs {
    fn tags(&self) -> Result<Vec<String>> {
        let tags = list(&self.tags);
        if tags.is_empty() {
            return Err(Error::new(Kind::Usage, "no tag is given").hint_text("give --tags"));
        }
        Ok(tags)
    }
}

pub(crate) async fn run(cx: &Context, verb: Verb) -> Result<()> {
    match verb {
        Verb::Ids(IdsVerb::Add(args)) => ids::run(cx, args, Change::Tag).await,
        Verb::Ids(IdsVerb::Remove(args)) => ids::run(cx, args, Change::Untag).await,
        Verb::Filter(FilterVerb::Add(args)) => filter::run(cx, *args, Change::Tag).await,
        Verb::Filter(FilterVerb::Remove(args)) => filter::run(cx, *args, Change::Untag).await,
    }
}
