//! `viam data tag filter add` and `remove` (behaviour.md §2.8).

use viam_contract::{Context, Format, Result, Target};

use super::{Tagged, TagsArgs};
use crate::change::Change;
use crate::count;
use crate::filter::FilterArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    tags: TagsArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// tags that a file has one of now, as in `a,b`; `tagged` and `untagged` mean any and none
    #[arg(long, value_delimiter = ',', value_name = "TAG,…")]
    filter_tags: Vec<String>,
}

pub(crate) async fn run(cx: &Context, args: Args, make: fn(Vec<String>) -> Change) -> Result<()> {
    let tags = args.tags.tags()?;
    args.filter.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let filters = args.filter.resolve(cx, &wire, &args.filter_tags, None).await?;
    let change = make(tags.clone());
    let done = change.apply_to_filters(cx, &wire, filters).await?;
    if cx.output.format == Format::Json {
        return cx.output.json(&Tagged { tags: &tags, files: done });
    }
    let files = count::of(done, "file");
    cx.output.line(match change {
        Change::Untag(_) => format!("Removed tags from {files}"),
        _ => format!("Added tags to {files}"),
    })
}
