//! `viam dataset rename` (behaviour.md §2.8).

use serde::Serialize;
use viam_contract::{Context, Format, Result, Target, text};
use viam_proto::app::dataset::v1::RenameDatasetRequest;

use super::DatasetIdArgs;
use crate::client;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    dataset: DatasetIdArgs,
    /// name that it gets
    #[arg(long)]
    name: String,
}

/// JSON result.
#[derive(Serialize)]
struct Renamed<'a> {
    id: &'a str,
    name: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let (id, name) = (args.dataset.id()?, super::name(&args.name)?);
    let wire = cx.sessions.wire(&Target::App).await?;
    let doing = format!("could not rename dataset {}", text::quoted(&id));
    client::patient(&cx.output, &doing, || {
        let mut client = client::datasets(&wire);
        let request = RenameDatasetRequest { id: id.clone(), name: name.clone() };
        async move { client.rename_dataset(request).await }
    })
    .await?;
    if cx.output.format == Format::Json {
        return cx.output.json(&Renamed { id: &id, name: &name });
    }
    let (id, name) = (text::one_line(&id), text::one_line(&name));
    cx.output.line(format!("Dataset with ID {id} renamed to {name}"))
}
