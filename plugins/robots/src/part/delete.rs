//! `viam robots part delete` (behaviour.md §1.11).

use serde::Serialize;
use viam_client::{lookup, rpc_error};
use viam_contract::{Context, Format, Result, Target, text};
use viam_proto::app::v1::DeleteRobotPartRequest;

use crate::args::PartArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    part: PartArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Deleted<'a> {
    id: &'a str,
    name: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    args.part.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let part = args.part.find(cx, &wire).await?;
    let request = DeleteRobotPartRequest { part_id: part.id.clone() };
    let answer = lookup::app(wire.clone()).delete_robot_part(request).await;
    answer.map_err(|status| {
        rpc_error(status, format!("could not delete machine part {}", text::quoted(&part.name)))
    })?;
    if cx.output.format == Format::Json {
        return cx.output.json(&Deleted { id: &part.id, name: &part.name });
    }
    let (name, id) = (text::one_line(&part.name), text::one_line(&part.id));
    cx.output.line(format!("successfully deleted part {name} (ID: {id})"))
}
