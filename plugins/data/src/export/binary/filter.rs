//! `viam data export binary filter` (behaviour.md §2.5).

use viam_contract::{Context, Result};

use crate::export::{FoundArgs, HowArgs, MetadataFormat};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// folder or bucket, as in `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "PLACE")]
    destination: String,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    found: FoundArgs,
    /// where what is known of the files goes
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    metadata_format: MetadataFormat,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let Args { destination, how, found, metadata_format } = args;
    super::by_filter(cx, &destination, &how, &found, metadata_format).await
}
