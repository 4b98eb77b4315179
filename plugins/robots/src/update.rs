//! `viam robots update` (behaviour.md §1.11).

use serde::Serialize;
use viam_client::{lookup, rpc_error};
use viam_contract::{Context, Error, Format, Kind, Result, Target, text};
use viam_proto::app::v1::UpdateRobotRequest;

use crate::args::{MachineArgs, given};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    machine: MachineArgs,
    /// another name for it
    #[arg(long)]
    new_name: Option<String>,
    /// id or name of the location to move it to
    #[arg(long, aliases = ["new-location-id", "new-location-name"])]
    new_location: Option<String>,
}

/// JSON result.
#[derive(Serialize)]
struct Updated<'a> {
    id: &'a str,
    name: &'a str,
    location_id: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let wanted = args.machine.wanted()?;
    let (name, location) = (given(args.new_name.as_ref()), given(args.new_location.as_ref()));
    if name.is_none() && location.is_none() {
        return Err(Error::new(Kind::Usage, "nothing to change is given")
            .hint_text("give --new-name or --new-location"));
    }
    let wire = cx.sessions.wire(&Target::App).await?;
    let organization = given(args.machine.place.organization.as_ref());
    let moved = async {
        match location {
            Some(location) => lookup::location_id(&wire, organization, location).await.map(Some),
            None => Ok(None),
        }
    };
    let (robot, moved) = tokio::join!(args.machine.find(cx, &wire), moved);
    let robot = robot?;
    // The server takes both: what is not to change is sent as it is.
    let request = UpdateRobotRequest {
        name: name.map_or(robot.name, str::to_owned),
        location: moved?.unwrap_or(robot.location),
        id: robot.id,
    };
    let answer = lookup::app(wire.clone()).update_robot(request.clone()).await;
    answer.map_err(|status| {
        rpc_error(status, format!("could not update machine {}", text::quoted(wanted)))
    })?;
    if cx.output.format == Format::Json {
        let UpdateRobotRequest { id, name, location } = &request;
        return cx.output.json(&Updated { id, name, location_id: location });
    }
    cx.output.line(format!("updated machine {}", text::one_line(wanted)))
}
