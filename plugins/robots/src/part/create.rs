//! `viam robots part create` (behaviour.md §1.11).

use serde::Serialize;
use viam_client::{lookup, rpc_error};
use viam_contract::{Context, Error, Format, Kind, Result, Target, text};
use viam_proto::app::v1::NewRobotPartRequest;

use crate::args::MachineArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// name of the new part
    #[arg(long, aliases = ["part", "name"])]
    part_name: String,
    #[command(flatten)]
    machine: MachineArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Created<'a> {
    id: &'a str,
    name: &'a str,
    machine_id: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    args.machine.wanted()?;
    if args.part_name.is_empty() {
        return Err(
            Error::new(Kind::Usage, "the name of the part is empty").hint_text("give --part-name")
        );
    }
    let wire = cx.sessions.wire(&Target::App).await?;
    let machine = args.machine.find(cx, &wire).await?;
    let request =
        NewRobotPartRequest { robot_id: machine.id.clone(), part_name: args.part_name.clone() };
    let answer = lookup::app(wire.clone()).new_robot_part(request).await.map_err(|status| {
        let name = text::quoted(&args.part_name);
        rpc_error(status, format!("could not create machine part {name}"))
    })?;
    let id = answer.into_inner().part_id;
    if cx.output.format == Format::Json {
        let record = Created { id: &id, name: &args.part_name, machine_id: &machine.id };
        return cx.output.json(&record);
    }
    cx.output.line(format!("created new machine part with ID {}", text::one_line(&id)))
}
