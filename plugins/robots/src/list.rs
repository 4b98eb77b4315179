//! `viam robots list` (behaviour.md §1.3).

use std::pin::pin;

use chrono::{DateTime, SecondsFormat};
use futures_util::StreamExt as _;
use serde::Serialize;
use viam_client::lookup::{self, Place};
use viam_client::parallel::{self, Permits};
use viam_client::rpc_error;
use viam_contract::{Context, Format, Result, Target, Wire, text};
use viam_proto::app::v1::{GetRobotPartsRequest, Robot};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// id or name of the organization; the default or the first one if not given
    #[arg(long, aliases = ["org", "org-id", "org-name"])]
    organization: Option<String>,
    /// id or name of the location; the default or the first one if not given
    #[arg(long, aliases = ["location-id", "location-name"])]
    location: Option<String>,
    /// every location of the organization
    #[arg(long, conflicts_with = "location")]
    all: bool,
}

/// JSON result: one of these each.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    name: &'a str,
    main_part_id: Option<&'a str>,
    organization_id: &'a str,
    organization: &'a str,
    location_id: &'a str,
    location: &'a str,
    last_access: Option<String>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let given = |value: Option<String>, default: &Option<String>| {
        value.filter(|value| !value.is_empty()).or_else(|| default.clone())
    };
    let organization = given(args.organization, &cx.defaults.org_id);
    let wire = cx.sessions.wire(&Target::App).await?;
    let (places, headed) = if args.all {
        let all = lookup::organizations(&wire).await?;
        let chosen = lookup::organization(&all, organization.as_deref())?.clone();
        let places = lookup::places(&wire, &[chosen]).await?;
        let filled = places.into_iter().filter(|place| place.location.robot_count > 0);
        (filled.collect(), true)
    } else {
        let location = given(args.location, &cx.defaults.location_id);
        let headed = organization.is_none() || location.is_none();
        let place = lookup::place(&wire, organization.as_deref(), location.as_deref()).await?;
        (vec![place], headed)
    };
    let permits = Permits::default();
    let lists = places.iter().map(|place| machines(&wire, &place.location.id, &permits)).collect();
    let mut lists = pin!(parallel::in_order(lists));
    let mut collected = Vec::new();
    for place in &places {
        let Some(machines) = lists.next().await.transpose()? else { break };
        if cx.output.format == Format::Json {
            collected.push(machines);
            continue;
        }
        if headed {
            let (org, location) = (&place.organization.name, &place.location.name);
            cx.output.line(format!("{} -> {}", text::one_line(org), text::one_line(location)))?;
        }
        for (robot, main_part) in machines {
            let (name, id) = (text::one_line(&robot.name), text::one_line(&robot.id));
            let part = text::one_line(main_part.as_deref().unwrap_or("<unknown>"));
            cx.output.line(format!("{name} (id: {id}) (main part id: {part})"))?;
        }
        if args.all {
            cx.output.line("")?;
        }
    }
    if cx.output.format == Format::Json {
        return json(cx, &places, &collected);
    }
    Ok(())
}

type Machines = Vec<(Robot, Option<String>)>;

/// The machines of a location with the ids of their main parts: the list, then all parts side
/// by side.
async fn machines(wire: &Wire, location_id: &str, permits: &Permits) -> Result<Machines> {
    let robots = permits.take(lookup::machines(wire, location_id)).await?;
    let parts = parallel::map(&robots, |robot| permits.take(main_part(wire, robot))).await?;
    Ok(robots.into_iter().zip(parts).collect())
}

async fn main_part(wire: &Wire, robot: &Robot) -> Result<Option<String>> {
    let answer = lookup::app(wire.clone())
        .get_robot_parts(GetRobotPartsRequest { robot_id: robot.id.clone() })
        .await
        .map_err(|status| {
            rpc_error(status, format!("could not list the parts of {}", text::quoted(&robot.name)))
        })?;
    Ok(answer.into_inner().parts.into_iter().find(|part| part.main_part).map(|part| part.id))
}

fn json(cx: &Context, places: &[Place], machines: &[Machines]) -> Result<()> {
    let listed: Vec<Listed<'_>> = places
        .iter()
        .zip(machines)
        .flat_map(|(place, machines)| {
            machines.iter().map(move |(robot, main_part)| Listed {
                id: &robot.id,
                name: &robot.name,
                main_part_id: main_part.as_deref(),
                organization_id: &place.organization.id,
                organization: &place.organization.name,
                location_id: &place.location.id,
                location: &place.location.name,
                last_access: robot.last_access.and_then(|at| {
                    DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)
                        .map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
                }),
            })
        })
        .collect();
    cx.output.json(&listed)
}
