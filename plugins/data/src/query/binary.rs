//! `viam data query binary filter` (behaviour.md §2.5).

use viam_contract::{Context, Result, Target};

use super::rows::RowsArgs;
use crate::filter::FilterArgs;
use crate::json;
use crate::pages::Pages;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// print so many at most; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    limit: u64,
    #[command(flatten)]
    rows: RowsArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// tags that a file has one of, as in `a,b`; `tagged` and `untagged` mean any and none
    #[arg(long, value_delimiter = ',', value_name = "TAG,…")]
    tags: Vec<String>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    args.filter.check()?;
    args.rows.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let filters = args.filter.resolve(cx, &wire, &args.tags, None).await?;
    let mut rows = args.rows.open(cx)?;
    let mut pages = Pages::of_filters(cx, &wire, filters, (args.limit > 0).then_some(args.limit));
    while let Some(page) = pages.next().await {
        for found in &page? {
            rows.write(&json::metadata_json(found))?;
        }
    }
    rows.finish("result")
}
