//! `viam dataset list` (behaviour.md §2.8).

use serde::Serialize;
use viam_client::time;
use viam_contract::{Context, Error, Format, Kind, Result, Target, Wire, text};
use viam_proto::app::dataset::v1::{
    Dataset, DatasetType, ListDatasetsByIDsRequest, ListDatasetsByOrganizationIdRequest,
};

use crate::client;
use crate::filter;
use crate::organization::OrgArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// ids of the datasets, as in `a,b`; those of the organization if not given
    #[arg(long, value_delimiter = ',', value_name = "ID,…")]
    dataset_ids: Vec<String>,
    #[command(flatten)]
    organization: OrgArgs,
}

/// JSON result: one of these each, in the server's order.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    name: &'a str,
    organization_id: &'a str,
    r#type: &'a str,
    created_at: Option<String>,
}

const DOING: &str = "could not list datasets";

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let ids = filter::list(&args.dataset_ids);
    if !ids.is_empty() && args.organization.given().is_some() {
        return Err(wrong("both"));
    }
    let datasets = if ids.is_empty() {
        let organization = args.organization.wanted(cx, "list datasets");
        let organization = organization.map_err(|_| wrong("neither"))?;
        let wire = cx.sessions.wire(&Target::App).await?;
        of_organization(cx, &wire, organization.id(&wire).await?).await?
    } else {
        let wire = cx.sessions.wire(&Target::App).await?;
        by_ids(cx, &wire, ids).await?
    };
    if cx.output.format == Format::Json {
        let all: Vec<Listed<'_>> = datasets.iter().map(Listed::of).collect();
        return cx.output.json(&all);
    }
    for dataset in &datasets {
        let (name, id) = (text::one_line(&dataset.name), text::one_line(&dataset.id));
        let organization = text::one_line(&dataset.organization_id);
        cx.output.line(format!("\t{name} (ID: {id}, Organization ID: {organization})"))?;
    }
    Ok(())
}

fn wrong(got: &str) -> Error {
    let words = format!("must specify either dataset IDs or organization ID, got {got}");
    Error::new(Kind::Usage, words).hint_text("give --dataset-ids or --org-id")
}

async fn of_organization(
    cx: &Context,
    wire: &Wire,
    organization_id: String,
) -> Result<Vec<Dataset>> {
    let answer = client::patient(&cx.output, DOING, || {
        let mut client = client::datasets(wire);
        let request = ListDatasetsByOrganizationIdRequest {
            organization_id: organization_id.clone(),
            ..ListDatasetsByOrganizationIdRequest::default()
        };
        async move { client.list_datasets_by_organization_id(request).await }
    })
    .await?;
    Ok(answer.datasets)
}

async fn by_ids(cx: &Context, wire: &Wire, ids: Vec<String>) -> Result<Vec<Dataset>> {
    let answer = client::patient(&cx.output, DOING, || {
        let mut client = client::datasets(wire);
        let request = ListDatasetsByIDsRequest { ids: ids.clone() };
        async move { client.list_datasets_by_i_ds(request).await }
    })
    .await?;
    // Else nobody would see that one of many is not there.
    for id in ids {
        if !answer.datasets.iter().any(|dataset| dataset.id == id) {
            cx.output.warn(&format!("no dataset found for {}", text::quoted(&id)));
        }
    }
    Ok(answer.datasets)
}

impl<'a> Listed<'a> {
    fn of(dataset: &'a Dataset) -> Self {
        Self {
            id: &dataset.id,
            name: &dataset.name,
            organization_id: &dataset.organization_id,
            r#type: match dataset.r#type() {
                DatasetType::BinaryData => "binary",
                DatasetType::SequenceData => "sequence",
            },
            created_at: time::rfc3339(dataset.time_created.as_ref()),
        }
    }
}
