//! `viam organizations api-key create` (behaviour.md §1.12).

use viam_client::keys::{self, NewKey, Resource};
use viam_client::lookup;
use viam_contract::{Context, Error, Kind, Result, Target};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// id or name of the organization; the default one if not given
    #[arg(long, aliases = ["organization", "org", "org-name"])]
    org_id: Option<String>,
    /// name of the key; made of who you are and the time if not given
    #[arg(long)]
    name: Option<String>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let given = args.org_id.filter(|id| !id.is_empty()).or_else(|| cx.defaults.org_id.clone());
    let wanted = given.ok_or_else(|| {
        Error::new(Kind::Usage, "must specify an org ID to create an API key for")
            .hint_text("give --org-id, or set a default with `viam defaults set-org`")
            .hint_run("viam organizations list")
    })?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let id = lookup::organization_id(&wire, &wanted).await?;
    let new = NewKey { resource: Resource::Organization, id, org_id: None, name: args.name };
    keys::create(cx, &wire, new).await
}
