//! `viam data index create` (behaviour.md §2.8).

use std::path::PathBuf;

use serde::Serialize;
use viam_client::rpc_error;
use viam_contract::{Context, Format, Result, Target};
use viam_proto::app::data::v1::CreateIndexRequest;

use super::{CollectionArgs, shown};
use crate::{bson_json, client, input};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// file with the index: a JSON object as MongoDB's, or an array of them; `-` is stdin
    #[arg(long, value_name = "FILE")]
    index_path: PathBuf,
    #[command(flatten)]
    collection: CollectionArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Requested<'a> {
    collection_type: &'a str,
    pipeline_name: Option<&'a str>,
    specs: usize,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let organization = args.collection.organization.wanted(cx, "create an index")?;
    let pipeline_name = args.collection.pipeline()?;
    let text = input::text(cx, &args.index_path)?;
    let index_spec = bson_json::documents(&text, true, "the index").map_err(|error| {
        error.hint_text(r#"an index is an object, as in {"key": {"part_id": 1}}"#)
    })?;
    let specs = index_spec.len();
    let wire = cx.sessions.wire(&Target::App).await?;
    let collection = args.collection.collection_type;
    let request = CreateIndexRequest {
        organization_id: organization.id(&wire).await?,
        collection_type: collection.into(),
        pipeline_name: pipeline_name.clone(),
        index_spec,
    };
    let answer = client::data(&wire).create_index(request).await;
    answer.map_err(|status| rpc_error(status, "could not create the index"))?;
    if cx.output.format == Format::Json {
        let (collection_type, pipeline_name) = (shown(collection), pipeline_name.as_deref());
        return cx.output.json(&Requested { collection_type, pipeline_name, specs });
    }
    cx.output.line("Create index request sent successfully")
}
