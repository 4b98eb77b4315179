//! `viam data delete binary` (behaviour.md §2.6).

use viam_client::rpc_error;
use viam_contract::{Context, Error, Kind, Result, Target};
use viam_proto::app::data::v1::DeleteBinaryDataByFilterRequest;

use super::{halfway, report};
use crate::client;
use crate::filter::FilterArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// do not ask before everything is deleted
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    filter: FilterArgs,
    /// tags that a file has one of, as in `a,b`; `tagged` and `untagged` mean any and none
    #[arg(long, value_delimiter = ',', value_name = "TAG,…")]
    tags: Vec<String>,
    /// Documented for exports; there is nothing to do side by side here.
    #[arg(long, hide = true)]
    parallel: Option<u64>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    args.filter.check()?;
    let is_filtered = args.filter.is_given() || args.tags.iter().any(|tag| !tag.trim().is_empty());
    if !is_filtered && !args.yes {
        confirm(cx)?;
    }
    let wire = cx.sessions.wire(&Target::App).await?;
    let filters = args.filter.resolve(cx, &wire, &args.tags, None).await?;
    let mut deleted = 0;
    for filter in filters {
        // Not tried again: what a lost answer has counted would be missing.
        let request = DeleteBinaryDataByFilterRequest {
            filter: Some(filter),
            ..DeleteBinaryDataByFilterRequest::default()
        };
        let mut client = client::data(&wire);
        let answer = client::unhurried(request, |request| async move {
            client.delete_binary_data_by_filter(request).await
        });
        let answer = answer.await.map_err(|status| {
            halfway(cx, deleted, "file", rpc_error(status, "could not delete files"))
        })?;
        deleted += answer.deleted_count;
    }
    report(cx, deleted, "file")
}

/// Without a filter every file is meant.
fn confirm(cx: &Context) -> Result<()> {
    if !cx.prompter.interactive() {
        return Err(Error::new(Kind::Usage, "no filter is given, so every file would be deleted")
            .hint_text("give a filter such as --org-ids, or --yes if all is meant"));
    }
    let question = "No filter is given. Delete every file that this login sees?";
    if cx.prompter.confirm(question)? { Ok(()) } else { Err(Error::new(Kind::User, "aborted")) }
}
