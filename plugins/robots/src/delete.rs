//! `viam robots delete` (behaviour.md §1.11).

use serde::Serialize;
use viam_client::{lookup, rpc_error};
use viam_contract::{Context, Format, Result, Target, text};
use viam_proto::app::v1::DeleteRobotRequest;

use crate::args::MachineArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    machine: MachineArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Deleted<'a> {
    id: &'a str,
    name: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let wanted = args.machine.wanted()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let robot = args.machine.find(cx, &wire).await?;
    let request = DeleteRobotRequest { id: robot.id.clone() };
    let answer = lookup::app(wire.clone()).delete_robot(request).await;
    answer.map_err(|status| {
        rpc_error(status, format!("could not delete machine {}", text::quoted(wanted)))
    })?;
    if cx.output.format == Format::Json {
        return cx.output.json(&Deleted { id: &robot.id, name: &robot.name });
    }
    cx.output.line(format!("deleted machine {}", text::one_line(wanted)))
}
