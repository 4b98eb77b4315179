//! `viam dataset`: files that are collected for training.

mod create;
pub(crate) mod data;
mod delete;
mod export;
mod list;
mod merge;
mod rename;

use clap::Subcommand;
use viam_contract::{Context, Error, Kind, Result};

#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Create a dataset
    Create(create::Args),
    /// Give a dataset another name
    Rename(rename::Args),
    /// List the datasets of an organization, or some by their ids
    List(list::Args),
    /// Delete a dataset, without asking; its files stay
    Delete(delete::Args),
    /// Export the files of a dataset, and a list of them for training scripts
    Export(Box<export::Args>),
    /// Make one dataset of the files of several
    Merge(merge::Args),
    /// Put files into a dataset, or take them out
    #[command(subcommand)]
    Data(data::Verb),
}

pub(crate) async fn run(cx: &Context, verb: Verb) -> Result<()> {
    match verb {
        Verb::Create(args) => create::run(cx, args).await,
        Verb::Rename(args) => rename::run(cx, args).await,
        Verb::List(args) => list::run(cx, args).await,
        Verb::Delete(args) => delete::run(cx, args).await,
        Verb::Export(args) => export::run(cx, *args).await,
        Verb::Merge(args) => merge::run(cx, args).await,
        Verb::Data(verb) => data::run(cx, verb).await,
    }
}

/// The dataset that is meant.
#[derive(clap::Args, Debug, PartialEq)]
struct DatasetIdArgs {
    /// id of the dataset
    #[arg(long, value_name = "ID")]
    dataset_id: String,
}

impl DatasetIdArgs {
    fn id(&self) -> Result<String> {
        let id = self.dataset_id.trim();
        if id.is_empty() {
            return Err(Error::new(Kind::Usage, "the id of the dataset is empty")
                .hint_text("give --dataset-id")
                .hint_run("viam dataset list"));
        }
        Ok(id.to_owned())
    }
}

/// A name that a dataset is to have.
fn name(given: &str) -> Result<String> {
    if given.trim().is_empty() {
        return Err(
            Error::new(Kind::Usage, "the name of the dataset is empty").hint_text("give --name")
        );
    }
    Ok(given.to_owned())
}
