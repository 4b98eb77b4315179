//! `viam dataset delete` (behaviour.md §2.8).

use serde::Serialize;
use viam_client::rpc_error;
use viam_contract::{Context, Format, Result, Target, text};
use viam_proto::app::dataset::v1::DeleteDatasetRequest;

use super::DatasetIdArgs;
use crate::client;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    dataset: DatasetIdArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Deleted<'a> {
    id: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let id = args.dataset.id()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let request = DeleteDatasetRequest { id: id.clone() };
    let answer = client::datasets(&wire).delete_dataset(request).await;
    answer.map_err(|status| {
        rpc_error(status, format!("could not delete dataset {}", text::quoted(&id)))
    })?;
    if cx.output.format == Format::Json {
        return cx.output.json(&Deleted { id: &id });
    }
    cx.output.line(format!("Dataset with ID {} deleted", text::one_line(&id)))
}
