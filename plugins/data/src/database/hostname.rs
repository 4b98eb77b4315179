//! `viam data database hostname` (behaviour.md §2.7).

use serde::Serialize;
use viam_contract::{Context, Error, Format, Kind, Result, Target, text};

use super::{DOING, connection};
use crate::organization::OrgArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    organization: OrgArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Database<'a> {
    hostname: &'a str,
    uri: &'a str,
    has_user: bool,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let organization = args.organization.wanted(cx, "get its database connection")?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let organization_id = organization.id(&wire).await?;
    let Some(known) = connection(cx, &wire, &organization_id).await? else {
        return Err(Error::new(Kind::User, DOING)
            .because("the organization has no database yet")
            .hint_run("viam data database configure --org-id ID --password -"));
    };
    let (hostname, uri) = (&known.hostname, &known.mongodb_uri);
    if cx.output.format == Format::Json {
        return cx.output.json(&Database { hostname, uri, has_user: known.has_database_user });
    }
    let what = "MongoDB Atlas Data Federation instance";
    cx.output.line(format!("{what} hostname: {}", text::one_line(hostname)))?;
    cx.output.line(format!("{what} connection URI: {}", text::one_line(uri)))
}
