//! `viam robots part list` (behaviour.md §1.11).

use viam_client::lookup;
use viam_contract::{Context, Format, Kind, Result, Target};

use crate::args::MachineArgs;
use crate::record::{self, PartRecord};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    machine: MachineArgs,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let wanted = args.machine.wanted()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let direct = match lookup::is_uuid(wanted) {
        true => lookup::parts(&wire, wanted).await.map(Some),
        false => Ok(None),
    };
    let parts = match direct {
        Ok(Some(parts)) => parts,
        // No machine of that id: the look-up finds it by name, or says so.
        Err(error) if error.kind() != Kind::User => return Err(error),
        _ => lookup::parts(&wire, &args.machine.find(cx, &wire).await?.id).await?,
    };
    if cx.output.format == Format::Json {
        return cx.output.json(&parts.iter().map(PartRecord::from).collect::<Vec<_>>());
    }
    record::blocks(cx, &parts)
}
