//! `viam locations list` (behaviour.md §1.2).

use serde::Serialize;
use viam_client::lookup;
use viam_client::parallel;
use viam_contract::{Context, Format, Result, Target, text};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// id or name of the organization; all that you see if neither it nor a default is given
    #[arg(long, aliases = ["org", "org-id", "org-name"])]
    organization: Option<String>,
    /// the same as --organization
    #[arg(value_name = "ORGANIZATION", conflicts_with = "organization")]
    positional: Option<String>,
}

/// JSON result: one of these each.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    name: &'a str,
    organization_id: &'a str,
    organization: &'a str,
    machine_count: i32,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let wanted = args
        .organization
        .or(args.positional)
        .filter(|name| !name.is_empty())
        .or_else(|| cx.defaults.org_id.clone());
    let wire = cx.sessions.wire(&Target::App).await?;
    let organizations = lookup::organizations_within(&wire, wanted.as_deref()).await?;
    let lists =
        parallel::map(&organizations, |org| async { lookup::locations(&wire, &org.id).await })
            .await?;
    if cx.output.format == Format::Json {
        let listed: Vec<Listed<'_>> = organizations
            .iter()
            .zip(&lists)
            .flat_map(|(org, locations)| {
                locations.iter().map(move |location| Listed {
                    id: &location.id,
                    name: &location.name,
                    organization_id: &org.id,
                    organization: &org.name,
                    machine_count: location.robot_count,
                })
            })
            .collect();
        return cx.output.json(&listed);
    }
    if wanted.is_none() && !organizations.is_empty() {
        let who = cx.sessions.subject()?;
        cx.output.line(format!("Locations for {}:", text::quoted(&who)))?;
    }
    for (org, locations) in organizations.iter().zip(&lists) {
        if wanted.is_none() {
            cx.output.line(format!("{}:", text::one_line(&org.name)))?;
        }
        for location in locations {
            let (name, id) = (text::one_line(&location.name), text::one_line(&location.id));
            cx.output.line(format!("\t{name} (id: {id})"))?;
        }
    }
    Ok(())
}
