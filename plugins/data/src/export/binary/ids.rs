//! `viam data export binary ids` (behaviour.md §2.5).

use viam_contract::{Context, Error, Kind, Result, Target};

use crate::destination::Destination;
use crate::export::{HowArgs, MetadataFormat};
use crate::pages::Pages;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// folder or bucket, as in `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "PLACE")]
    destination: String,
    /// ids of files, as `viam data query binary filter` prints them
    #[arg(long, value_delimiter = ',', value_name = "ID,…", required = true)]
    binary_data_ids: Vec<String>,
    #[command(flatten)]
    how: HowArgs,
    /// where what is known of the files goes
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    metadata_format: MetadataFormat,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    args.how.check()?;
    let mut ids: Vec<String> = Vec::new();
    for id in args.binary_data_ids.iter().map(|id| id.trim()).filter(|id| !id.is_empty()) {
        if !ids.iter().any(|before| before == id) {
            ids.push(id.to_owned());
        }
    }
    if ids.is_empty() {
        return Err(Error::new(Kind::Usage, "no id is given")
            .hint_text("--binary-data-ids takes ids, as in a,b"));
    }
    let wire = cx.sessions.wire(&Target::App).await?;
    let destination = Destination::open(cx, &args.destination).await?;
    let pages = || Pages::of_ids(cx, &wire, ids.clone());
    super::export(cx, &wire, destination, &args.how, pages, args.metadata_format, None).await
}
