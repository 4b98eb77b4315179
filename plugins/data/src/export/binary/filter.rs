//! `viam data export binary filter` (behaviour.md §2.5).

use viam_contract::{Context, Result};

use super::Found;
use crate::export::{HowArgs, MetadataFormat};
use crate::filter::FilterArgs;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// folder or bucket, as in `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "PLACE")]
    destination: String,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// tags of which a file has one; `tagged` or `untagged` alone for any or none
    #[arg(long, value_delimiter = ',', value_name = "TAG,…")]
    tags: Vec<String>,
    /// id of a dataset
    #[arg(long, value_name = "ID")]
    dataset_id: Option<String>,
    /// where what is known of the files goes
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    metadata_format: MetadataFormat,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let Args { destination, how, filter, tags, dataset_id, metadata_format } = args;
    let found = Found { filter: &filter, tags: &tags, dataset_id: dataset_id.as_ref() };
    super::by_filter(cx, &destination, &how, found, metadata_format).await
}
