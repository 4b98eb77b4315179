//! `viam data index delete` (behaviour.md §2.8).

use serde::Serialize;
use viam_client::rpc_error;
use viam_contract::{Context, Error, Format, Kind, Result, Target, text};
use viam_proto::app::data::v1::DeleteIndexRequest;

use super::CollectionArgs;
use crate::client;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// name of the index
    #[arg(long, value_name = "NAME")]
    index_name: String,
    #[command(flatten)]
    collection: CollectionArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Deleted<'a> {
    name: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let organization = args.collection.organization.wanted(cx, "delete an index")?;
    let pipeline_name = args.collection.pipeline()?;
    let name = args.index_name;
    if name.is_empty() {
        return Err(Error::new(Kind::Usage, "the name of the index is empty")
            .hint_text("give --index-name")
            .hint_run("viam data index list --collection-type hot-store"));
    }
    let wire = cx.sessions.wire(&Target::App).await?;
    let request = DeleteIndexRequest {
        organization_id: organization.id(&wire).await?,
        collection_type: args.collection.collection_type.into(),
        pipeline_name,
        index_name: name.clone(),
    };
    let answer = client::data(&wire).delete_index(request).await;
    answer.map_err(|status| {
        rpc_error(status, format!("could not delete the index {}", text::quoted(&name)))
    })?;
    if cx.output.format == Format::Json {
        return cx.output.json(&Deleted { name: &name });
    }
    cx.output.line(format!("Index (name: {}) deleted successfully", text::one_line(&name)))
}
