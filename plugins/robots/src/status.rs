//! `viam robots status` (behaviour.md §1.4).

use serde::Serialize;
use viam_client::lookup;
use viam_client::time::rfc3339;
use viam_contract::{Context, Format, Result, Target, text};

use crate::args::MachineArgs;
use crate::record::{self, PartRecord};
use crate::when;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    machine: MachineArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Status<'a> {
    id: &'a str,
    name: &'a str,
    organization_id: &'a str,
    organization: &'a str,
    location_id: &'a str,
    location: &'a str,
    last_access: Option<String>,
    online_state: Option<&'static str>,
    parts: Vec<PartRecord<'a>>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let wanted = args.machine.wanted()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let json = cx.output.format == Format::Json;
    let headed = !args.machine.place.complete(cx);
    // Of an id, the parts are asked for beside the machine itself.
    let early = async {
        if lookup::is_uuid(wanted) { lookup::parts(&wire, wanted).await.ok() } else { None }
    };
    let (robot, early) = tokio::join!(args.machine.find(cx, &wire), early);
    let robot = robot?;
    let parts = async {
        match early {
            Some(parts) => Ok(parts),
            None => lookup::parts(&wire, &robot.id).await,
        }
    };
    let place = async {
        if json || headed {
            lookup::whereabouts(&wire, &robot.location).await.map(Some)
        } else {
            Ok(None)
        }
    };
    let (parts, place) = tokio::join!(parts, place);
    let (parts, place) = (parts?, place?);
    if let (true, Some(place)) = (json, &place) {
        return cx.output.json(&Status {
            id: &robot.id,
            name: &robot.name,
            organization_id: &place.organization_id,
            organization: &place.organization,
            location_id: &place.location_id,
            location: &place.location,
            last_access: rfc3339(robot.last_access.as_ref()),
            online_state: record::online_state(robot.online_state),
            parts: parts.iter().map(PartRecord::from).collect(),
        });
    }
    if let Some(place) = &place {
        cx.output.line(record::header(place))?;
    }
    cx.output.line(format!("ID: {}", text::one_line(&robot.id)))?;
    cx.output.line(format!("Name: {}", text::one_line(&robot.name)))?;
    let access = when::last_access(cx, robot.last_access.as_ref());
    cx.output.line(format!("Last Access: {access}"))?;
    record::blocks(cx, &parts)
}
