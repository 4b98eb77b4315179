//! `viam dataset create` (behaviour.md §2.8).

use serde::Serialize;
use viam_client::rpc_error;
use viam_contract::{Context, Format, Result, Target, text};
use viam_proto::app::dataset::v1::CreateDatasetRequest;

use crate::client;
use crate::organization::OrgArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// name of the new dataset
    #[arg(long)]
    name: String,
    #[command(flatten)]
    organization: OrgArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Created<'a> {
    id: &'a str,
    name: &'a str,
    organization_id: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let name = super::name(&args.name)?;
    let organization = args.organization.wanted(cx, "create a dataset")?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let organization_id = organization.id(&wire).await?;
    let request = CreateDatasetRequest {
        name: name.clone(),
        organization_id: organization_id.clone(),
        ..CreateDatasetRequest::default()
    };
    let answer = client::datasets(&wire).create_dataset(request).await.map_err(|status| {
        rpc_error(status, format!("could not create dataset {}", text::quoted(&name)))
    })?;
    let id = answer.into_inner().id;
    if cx.output.format == Format::Json {
        let (name, organization_id) = (&name, &organization_id);
        return cx.output.json(&Created { id: &id, name, organization_id });
    }
    let (name, id) = (text::one_line(&name), text::one_line(&id));
    cx.output.line(format!("Created dataset {name} with dataset ID: {id}"))
}
