//! `viam data query tabular mql` (behaviour.md §2.5).

use std::path::PathBuf;

use viam_contract::{Context, Error, Kind, Result, Target, Wire, text};
use viam_proto::app::data::v1::{
    TabularDataByMqlRequest, TabularDataSource, TabularDataSourceType as Source,
};
use viam_proto::app::datapipelines::v1::{DataPipeline, ListDataPipelinesRequest};

use super::rows::RowsArgs;
use crate::organization::OrgArgs;
use crate::{bson_json, client, input};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// query: a JSON array of the stages of an aggregation
    #[arg(long, value_name = "QUERY", required_unless_present = "mql_path")]
    mql: Option<String>,
    /// file with the query; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "mql")]
    mql_path: Option<PathBuf>,
    /// what to query: `standard`, `hotstorage` or `pipelinesink`
    #[arg(long, value_name = "TYPE", value_parser = source_type)]
    data_source_type: Option<Source>,
    /// id of the pipeline whose results are queried
    #[arg(long, value_name = "ID", conflicts_with = "pipeline_name")]
    pipeline_id: Option<String>,
    /// name of the pipeline whose results are queried
    #[arg(long, value_name = "NAME")]
    pipeline_name: Option<String>,
    #[command(flatten)]
    organization: OrgArgs,
    #[command(flatten)]
    rows: RowsArgs,
}

/// Dashes, underscores and capitals have been seen in all places.
fn source_type(given: &str) -> Result<Source, String> {
    match given.to_lowercase().replace(['-', '_'], "").as_str() {
        "standard" => Ok(Source::Standard),
        "hotstorage" => Ok(Source::HotStorage),
        "pipelinesink" => Ok(Source::PipelineSink),
        _ => Err("it is one of standard, hotstorage, pipelinesink".to_owned()),
    }
}

/// The pipeline that is meant.
#[derive(Debug, PartialEq)]
enum Pipeline {
    Id(String),
    Name(String),
}

impl Args {
    fn pipeline(&self) -> Option<Pipeline> {
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let named = || given(&self.pipeline_name).map(Pipeline::Name);
        given(&self.pipeline_id).map(Pipeline::Id).or_else(named)
    }

    /// What is queried; a pipeline says it too.
    fn source(&self) -> Result<Option<(Source, Option<Pipeline>)>> {
        let usage = |words: &str| Error::new(Kind::Usage, words);
        match (self.data_source_type, self.pipeline()) {
            (None, None) => Ok(None),
            (None | Some(Source::PipelineSink), Some(pipeline)) => {
                Ok(Some((Source::PipelineSink, Some(pipeline))))
            }
            (Some(Source::PipelineSink), None) => {
                Err(usage("the results of which pipeline are queried is not said")
                    .hint_text("give --pipeline-id or --pipeline-name"))
            }
            (Some(_), Some(_)) => {
                Err(usage("a pipeline is given, but its results are not queried")
                    .hint_text("give --data-source-type pipelinesink"))
            }
            (Some(source), None) => Ok(Some((source, None))),
        }
    }
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let organization = args.organization.wanted(cx, "query tabular data")?;
    let source = args.source()?;
    args.rows.check()?;
    let text = match &args.mql_path {
        Some(path) => input::text(cx, path)?,
        None => args.mql.clone().unwrap_or_default(),
    };
    let mql_binary = bson_json::documents(&text, false, "the query").map_err(|error| {
        error.hint_text(r#"a query is a list of stages, as in [{"$match": {"part_id": "…"}}]"#)
    })?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let organization_id = organization.id(&wire).await?;
    let data_source = match source {
        None => None,
        Some((source, pipeline)) => {
            let pipeline_id = match pipeline {
                Some(Pipeline::Name(name)) => {
                    Some(pipeline_id(cx, &wire, &organization_id, &name).await?)
                }
                Some(Pipeline::Id(id)) => Some(id),
                None => None,
            };
            Some(TabularDataSource { r#type: source.into(), pipeline_id })
        }
    };
    let mut rows = args.rows.open(cx)?;
    let request = TabularDataByMqlRequest {
        organization_id,
        mql_binary,
        data_source,
        ..TabularDataByMqlRequest::default()
    };
    let answer = client::query(&cx.output, "could not query tabular data", request, |request| {
        let mut client = client::data(&wire);
        async move { client.tabular_data_by_mql(request).await }
    })
    .await?;
    for bytes in &answer.raw_data {
        rows.write(&bson_json::Relaxed(&bson_json::row(bytes)?))?;
    }
    rows.finish("row")
}

/// The id of the pipeline of a name.
async fn pipeline_id(
    cx: &Context,
    wire: &Wire,
    organization_id: &str,
    name: &str,
) -> Result<String> {
    let answer = client::patient(&cx.output, "could not list the data pipelines", || {
        let mut client = client::pipelines(wire);
        let request = ListDataPipelinesRequest { organization_id: organization_id.to_owned() };
        async move { client.list_data_pipelines(request).await }
    })
    .await?;
    pick(&answer.data_pipelines, name)
}

/// Names are not unique.
fn pick(pipelines: &[DataPipeline], name: &str) -> Result<String> {
    let named: Vec<_> = pipelines.iter().filter(|pipeline| pipeline.name == name).collect();
    let shown = text::quoted(name);
    match named[..] {
        [pipeline] => Ok(pipeline.id.clone()),
        [] => {
            let error = Error::new(Kind::User, format!("no data pipeline found for {shown}"));
            let names = pipelines.iter().map(|pipeline| pipeline.name.as_str());
            Err(match text::nearest(name, names).first() {
                Some(near) => error.hint_text(format!("did you mean {}?", text::quoted(near))),
                None => error.hint_text("give --pipeline-id"),
            })
        }
        _ => {
            let ids: Vec<&str> = named.iter().map(|pipeline| pipeline.id.as_str()).collect();
            let words = format!("{shown} names {} data pipelines", ids.len());
            let hint = format!("use --pipeline-id with one of {}", ids.join(", "));
            Err(Error::new(Kind::User, words).hint_text(hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_is_found_by_its_name() {
        let pipeline = |id: &str, name: &str| DataPipeline {
            id: id.to_owned(),
            name: name.to_owned(),
            ..DataPipeline::default()
        };
        let all = [pipeline("1", "hourly"), pipeline("2", "daily"), pipeline("3", "daily")];
        assert_eq!(pick(&all, "hourly").ok().as_deref(), Some("1"));
        let error = pick(&all, "hourley").expect_err("none");
        assert!(format!("{:?}", error.hints()).contains("hourly"));
        let error = pick(&all, "daily").expect_err("two");
        assert_eq!(error.message(), "\"daily\" names 2 data pipelines");
        assert!(format!("{:?}", error.hints()).contains("2, 3"));
    }

    #[test]
    fn what_is_queried_is_said_once() {
        let args = |source, pipeline: Option<&str>| Args {
            mql: None,
            mql_path: None,
            data_source_type: source,
            pipeline_id: pipeline.map(str::to_owned),
            pipeline_name: None,
            organization: OrgArgs::default(),
            rows: RowsArgs::default(),
        };
        let source = |source, pipeline| args(source, pipeline).source();
        let p = || Some(Pipeline::Id("p".to_owned()));
        assert_eq!(source(None, None).ok(), Some(None));
        assert_eq!(source(None, Some("")).ok(), Some(None));
        assert_eq!(source(None, Some("p")).ok(), Some(Some((Source::PipelineSink, p()))));
        let hot = Some(Source::HotStorage);
        assert_eq!(source(hot, None).ok(), Some(Some((Source::HotStorage, None))));
        for (given, pipeline) in [(hot, Some("p")), (Some(Source::PipelineSink), None)] {
            assert_eq!(source(given, pipeline).expect_err("wrong").kind(), Kind::Usage);
        }
    }
}
