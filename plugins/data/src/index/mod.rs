//! `viam data index`: indexes that make queries fast.

mod create;
mod delete;
mod list;

use clap::Subcommand;
use viam_contract::{Context, Error, Kind, Result};
use viam_proto::app::data::v1::IndexableCollection as Collection;

use crate::organization::OrgArgs;

#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum Verb {
    /// Ask for an index to be built
    Create(create::Args),
    /// Delete an index
    Delete(delete::Args),
    /// List the indexes of a collection
    List(list::Args),
}

/// The collection that an index is of.
#[derive(clap::Args, Debug, PartialEq)]
struct CollectionArgs {
    /// what is indexed: `hot-store` or `pipeline-sink`
    #[arg(long, value_name = "TYPE", value_parser = collection)]
    collection_type: Collection,
    /// name of the pipeline whose results are indexed
    #[arg(long, value_name = "NAME")]
    pipeline_name: Option<String>,
    #[command(flatten)]
    organization: OrgArgs,
}

/// Several spellings have been documented.
fn collection(given: &str) -> Result<Collection, String> {
    match given.to_lowercase().replace(['-', '_'], "").as_str() {
        "hot" | "hotstore" | "hotstorage" => Ok(Collection::HotStore),
        "pipelinesink" => Ok(Collection::PipelineSink),
        _ => Err("it is hot-store or pipeline-sink".to_owned()),
    }
}

/// As `--collection-type` has it.
fn shown(collection: Collection) -> &'static str {
    match collection {
        Collection::HotStore => "hot-store",
        Collection::PipelineSink => "pipeline-sink",
        Collection::Unspecified => "unknown",
    }
}

impl CollectionArgs {
    /// The name of the pipeline, where there is to be one.
    fn pipeline(&self) -> Result<Option<String>> {
        let name = self.pipeline_name.clone().filter(|name| !name.is_empty());
        match (self.collection_type, &name) {
            (Collection::PipelineSink, None) => {
                Err(Error::new(Kind::Usage, "the results of which pipeline are meant is not said")
                    .hint_text("give --pipeline-name"))
            }
            (Collection::HotStore, Some(_)) => {
                Err(Error::new(Kind::Usage, "a pipeline is given, but its results are not meant")
                    .hint_text("give --collection-type pipeline-sink"))
            }
            _ => Ok(name),
        }
    }
}

pub(crate) async fn run(cx: &Context, verb: Verb) -> Result<()> {
    match verb {
        Verb::Create(args) => create::run(cx, args).await,
        Verb::Delete(args) => delete::run(cx, args).await,
        Verb::List(args) => list::run(cx, args).await,
    }
}
