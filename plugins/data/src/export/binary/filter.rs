//! `viam data export binary filter` (behaviour.md §2.5).

use viam_contract::{Context, Result};

use crate::export::HowArgs;
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
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let Args { destination, how, filter, tags, dataset_id } = args;
    super::by_filter(cx, &destination, &how, &filter, &tags, dataset_id.as_ref()).await
}
