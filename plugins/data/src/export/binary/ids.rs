//! `viam data export binary ids` (behaviour.md §2.5).

use viam_contract::{Context, Error, Kind, Result, Target};

use crate::destination::Destination;
use crate::engine;
use crate::export::{HowArgs, interruptible};
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
    let pages = Pages::of_ids(cx, &wire, ids);
    let work = engine::run(cx, &wire, pages, args.how.options(destination, false), None);
    interruptible(cx, async { work.await.map(drop) }).await
}
