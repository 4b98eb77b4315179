//! `viam data database configure` (behaviour.md §2.7).

use serde::Serialize;
use viam_contract::{Context, Error, Format, Kind, Result, Target, text};
use viam_proto::app::data::v1::ConfigureDatabaseUserRequest;

use super::connection;
use crate::client;
use crate::organization::OrgArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    organization: OrgArgs,
    /// password of the database user; `-` reads it from stdin, where no other process can see it
    #[arg(long)]
    password: String,
}

/// JSON result.
#[derive(Serialize)]
struct Configured<'a> {
    organization_id: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let organization = args.organization.wanted(cx, "configure a database user")?;
    if args.password.is_empty() {
        return Err(Error::new(Kind::Usage, "the password is empty").hint_text("give --password"));
    }
    let password = viam_plugin::secret(&args.password, "Password of the database user")?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let organization_id = organization.id(&wire).await?;
    let known = connection(cx, &wire, &organization_id).await?;
    if known.is_some_and(|known| known.has_database_user) && !confirm(cx)? {
        return Err(Error::new(Kind::User, "aborted"));
    }
    client::patient(&cx.output, "could not configure the database user", || {
        let mut client = client::data(&wire);
        let request = ConfigureDatabaseUserRequest {
            organization_id: organization_id.clone(),
            password: password.clone(),
        };
        async move { client.configure_database_user(request).await }
    })
    .await?;
    if cx.output.format == Format::Json {
        return cx.output.json(&Configured { organization_id: &organization_id });
    }
    cx.output.line(format!("Configured database user for org {}", text::one_line(&organization_id)))
}

/// Asks where somebody can be asked. Scripts have always gone on here.
fn confirm(cx: &Context) -> Result<bool> {
    cx.output.warn("the organization has a database user already, whose password will change");
    cx.output.warn("dashboards and programs that use the old password will stop working");
    Ok(!cx.prompter.interactive() || cx.prompter.confirm("Continue?")?)
}
