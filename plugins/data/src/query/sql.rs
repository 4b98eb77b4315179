//! `viam data query tabular sql` (behaviour.md §2.5).

use viam_contract::{Context, Error, Kind, Result, Target};
use viam_proto::app::data::v1::TabularDataBySqlRequest;

use super::rows::RowsArgs;
use crate::organization::OrgArgs;
use crate::{bson_json, client};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// query, as in `SELECT * FROM readings LIMIT 10`
    #[arg(long, value_name = "QUERY")]
    sql: String,
    #[command(flatten)]
    organization: OrgArgs,
    #[command(flatten)]
    rows: RowsArgs,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let organization = args.organization.wanted(cx, "query tabular data")?;
    if args.sql.trim().is_empty() {
        return Err(Error::new(Kind::Usage, "the query is empty").hint_text("give --sql"));
    }
    args.rows.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let organization_id = organization.id(&wire).await?;
    let mut rows = args.rows.open(cx)?;
    let request = TabularDataBySqlRequest { organization_id, sql_query: args.sql };
    let answer = client::query(&cx.output, "could not query tabular data", request, |request| {
        let mut client = client::data(&wire);
        async move { client.tabular_data_by_sql(request).await }
    })
    .await?;
    for bytes in &answer.raw_data {
        rows.write(&bson_json::Relaxed(&bson_json::row(bytes)?))?;
    }
    rows.finish("row")
}
