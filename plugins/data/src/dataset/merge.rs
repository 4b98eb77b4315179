//! `viam dataset merge` (behaviour.md §2.8).

use serde::Serialize;
use viam_client::rpc_error;
use viam_contract::{Context, Error, Format, Kind, Result, Target, text};
use viam_proto::app::dataset::v1::MergeDatasetsRequest;

use crate::organization::OrgArgs;
use crate::{client, count, filter};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// name of the new dataset
    #[arg(long)]
    name: String,
    /// ids of the datasets whose files it gets, as in `a,b`
    #[arg(long, required = true, value_delimiter = ',', value_name = "ID,…")]
    dataset_ids: Vec<String>,
    #[command(flatten)]
    organization: OrgArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Merged<'a> {
    id: &'a str,
    name: &'a str,
    organization_id: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let name = super::name(&args.name)?;
    let dataset_ids = filter::list(&args.dataset_ids);
    if dataset_ids.is_empty() {
        return Err(Error::new(Kind::Usage, "no dataset is given")
            .hint_text("give --dataset-ids")
            .hint_run("viam dataset list"));
    }
    let organization = args.organization.wanted(cx, "merge datasets")?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let organization_id = organization.id(&wire).await?;
    let merged = dataset_ids.len() as u64;
    let request = MergeDatasetsRequest {
        dataset_ids,
        name: name.clone(),
        organization_id: organization_id.clone(),
    };
    let answer = client::datasets(&wire).merge_datasets(request).await.map_err(|status| {
        rpc_error(status, format!("could not merge datasets into {}", text::quoted(&name)))
    })?;
    let id = answer.into_inner().dataset_id;
    if cx.output.format == Format::Json {
        let (name, organization_id) = (&name, &organization_id);
        return cx.output.json(&Merged { id: &id, name, organization_id });
    }
    let (number, name) = (count::of(merged, "dataset"), text::one_line(&name));
    let id = text::one_line(&id);
    cx.output.line(format!("Successfully merged {number} into new dataset '{name}' with ID: {id}"))
}
