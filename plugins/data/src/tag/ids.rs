//! `viam data tag ids add` and `remove` (behaviour.md §2.8).

use viam_contract::{Context, Format, Result, Target, text};

use super::{Tagged, TagsArgs};
use crate::change::{Change, FileIdArgs};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    tags: TagsArgs,
    #[command(flatten)]
    ids: FileIdArgs,
}

pub(crate) async fn run(cx: &Context, args: Args, make: fn(Vec<String>) -> Change) -> Result<()> {
    let tags = args.tags.tags()?;
    args.ids.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let files = args.ids.files(cx, &wire).await?;
    let change = make(tags.clone());
    let done = change.apply(cx, &wire, &files).await?;
    if cx.output.format == Format::Json {
        return cx.output.json(&Tagged { tags: &tags, files: done });
    }
    let shown = tags.join(" ");
    let shown = text::one_line(&shown);
    cx.output.line(match change {
        Change::Untag(_) => format!("Removed tags [{shown}] from data"),
        _ => format!("Added tags [{shown}] to data"),
    })
}
