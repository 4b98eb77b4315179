//! `viam data index list` (behaviour.md §2.8).

use serde::Serialize;
use viam_contract::{Context, Format, Result, Target, text};
use viam_proto::app::data::v1::{Index, IndexCreator, ListIndexesRequest};

use super::{CollectionArgs, shown};
use crate::bson_json::Shown;
use crate::client;

/// JSON result: one of these each.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    collection_type: &'a str,
    pipeline_name: Option<&'a str>,
    created_by: &'a str,
    specs: Vec<Shown>,
}

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    collection: CollectionArgs,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let organization = args.collection.organization.wanted(cx, "list indexes")?;
    let pipeline_name = args.collection.pipeline()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let request = ListIndexesRequest {
        organization_id: organization.id(&wire).await?,
        collection_type: args.collection.collection_type.into(),
        pipeline_name,
    };
    let answer = client::patient(&cx.output, "could not list the indexes", || {
        let (mut client, request) = (client::data(&wire), request.clone());
        async move { client.list_indexes(request).await }
    })
    .await?;
    let indexes: Vec<Listed<'_>> = answer.indexes.iter().map(Listed::of).collect();
    if cx.output.format == Format::Json {
        return cx.output.json(&indexes);
    }
    if indexes.is_empty() {
        return cx.output.line("No indexes found");
    }
    for index in &indexes {
        let (name, by) = (text::one_line(index.name), index.created_by);
        let specs: Vec<String> = index.specs.iter().map(Shown::line).collect();
        let specs = specs.join(" ");
        cx.output.line(format!("\t{name} (created by: {by}) {}", text::one_line(&specs)))?;
    }
    Ok(())
}

impl<'a> Listed<'a> {
    fn of(index: &'a Index) -> Self {
        Self {
            name: &index.index_name,
            collection_type: shown(index.collection_type()),
            pipeline_name: index.pipeline_name.as_deref(),
            created_by: match index.created_by() {
                IndexCreator::Viam => "viam",
                IndexCreator::Customer => "customer",
                IndexCreator::Unspecified => "unknown",
            },
            specs: index.index_spec.iter().map(|spec| Shown::of(spec)).collect(),
        }
    }
}
