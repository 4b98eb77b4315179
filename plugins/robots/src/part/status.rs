//! `viam robots part status` (behaviour.md §1.6).

use serde::Serialize;
use viam_client::lookup::Whereabouts;
use viam_client::{lookup, rpc_error};
use viam_contract::{Context, Format, Result, Target, Wire};
use viam_proto::app::v1::{GetRobotRequest, Robot, RobotPart};

use crate::args::PartArgs;
use crate::record::{self, PartRecord};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    part: PartArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Status<'a> {
    #[serde(flatten)]
    part: PartRecord<'a>,
    machine: &'a str,
    organization_id: &'a str,
    organization: &'a str,
    location_id: &'a str,
    location: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    args.part.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let part = args.part.find(cx, &wire).await?;
    let json = cx.output.format == Format::Json;
    if json || !args.part.complete(cx) {
        let (place, machine) = above(&wire, &part).await?;
        if json {
            return cx.output.json(&Status {
                part: PartRecord::from(&part),
                machine: &machine.name,
                organization_id: &place.organization_id,
                organization: &place.organization,
                location_id: &place.location_id,
                location: &place.location,
            });
        }
        cx.output.line(record::part_header(&place, &machine))?;
    }
    record::block(cx, &part)
}

/// What a part lies in, asked side by side.
pub(super) async fn above(wire: &Wire, part: &RobotPart) -> Result<(Whereabouts, Robot)> {
    let mut app = lookup::app(wire.clone());
    let machine = app.get_robot(GetRobotRequest { id: part.robot.clone() });
    let (place, machine) = tokio::join!(lookup::whereabouts(wire, &part.location_id), machine);
    let machine = machine
        .map_err(|status| rpc_error(status, "could not get the machine of the part"))?
        .into_inner();
    Ok((place?, machine.robot.unwrap_or_default()))
}
