//! `viam locations api-key create` (behaviour.md §1.12).

use viam_client::keys::{self, NewKey, Resource};
use viam_client::lookup;
use viam_contract::{Context, Error, Kind, Result, Target};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// id or name of the location; the default one if not given
    #[arg(long, aliases = ["location", "location-name"])]
    location_id: Option<String>,
    /// name of the key; made of who you are and the time if not given
    #[arg(long)]
    name: Option<String>,
    /// id or name of the organization that the key counts for, where several own the location
    #[arg(long, aliases = ["organization", "org", "org-name"])]
    org_id: Option<String>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let given =
        args.location_id.filter(|id| !id.is_empty()).or_else(|| cx.defaults.location_id.clone());
    let wanted = given.ok_or_else(|| {
        Error::new(Kind::Usage, "cannot create an api-key for a location without an ID")
            .hint_text("give --location-id, or set a default with `viam defaults set-location`")
            .hint_run("viam locations list")
    })?;
    let org = args.org_id.filter(|id| !id.is_empty()).or_else(|| cx.defaults.org_id.clone());
    let wire = cx.sessions.wire(&Target::App).await?;
    let id = lookup::location_id(&wire, org.as_deref(), &wanted).await?;
    let org_id = match org {
        Some(org) => Some(lookup::organization_id(&wire, &org).await?),
        None => None,
    };
    let new = NewKey { resource: Resource::Location, id, org_id, name: args.name };
    keys::create(cx, &wire, new).await
}
