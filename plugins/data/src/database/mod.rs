//! `viam data database`: the MongoDB that serves an organization's readings.

mod configure;
mod hostname;

use clap::Subcommand;
use tonic::Status;
use viam_contract::{Context, Result, Wire};
use viam_proto::app::data::v1::{GetDatabaseConnectionRequest, GetDatabaseConnectionResponse};

use crate::client;

#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum Verb {
    /// Create the database user of an organization, or give it another password
    Configure(configure::Args),
    /// Say where the database is
    Hostname(hostname::Args),
}

pub(crate) async fn run(cx: &Context, verb: Verb) -> Result<()> {
    match verb {
        Verb::Configure(args) => configure::run(cx, args).await,
        Verb::Hostname(args) => hostname::run(cx, args).await,
    }
}

const DOING: &str = "could not get the database connection";

/// What is known of the database; `None` where the organization has none yet.
async fn connection(
    cx: &Context,
    wire: &Wire,
    organization_id: &str,
) -> Result<Option<GetDatabaseConnectionResponse>> {
    client::patient(&cx.output, DOING, || {
        let mut client = client::data(wire);
        let organization_id = organization_id.to_owned();
        async move {
            match client
                .get_database_connection(GetDatabaseConnectionRequest { organization_id })
                .await
            {
                Ok(answer) => Ok(answer.map(Some)),
                Err(status) if is_missing(&status) => Ok(None.into()),
                Err(status) => Err(status),
            }
        }
    })
    .await
}

/// The cloud passes on what its database says, so the code alone does not tell.
fn is_missing(status: &Status) -> bool {
    status.code() == tonic::Code::NotFound || status.message().contains("NotFound")
}
