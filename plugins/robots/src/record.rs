//! Machines and parts as JSON records and as the blocks of the status forms.

use serde::Serialize;
use viam_client::lookup::Whereabouts;
use viam_client::time::rfc3339;
use viam_contract::{Context, Result, text};
use viam_proto::app::v1::{OnlineState, Robot, RobotPart};

use crate::when;

/// A part as a JSON record.
#[derive(Serialize)]
pub(crate) struct PartRecord<'a> {
    id: &'a str,
    name: &'a str,
    main: bool,
    machine_id: &'a str,
    last_access: Option<String>,
    online_state: Option<&'static str>,
}

impl<'a> From<&'a RobotPart> for PartRecord<'a> {
    fn from(part: &'a RobotPart) -> Self {
        Self {
            id: &part.id,
            name: &part.name,
            main: part.main_part,
            machine_id: &part.robot,
            last_access: rfc3339(part.last_access.as_ref()),
            online_state: online_state(part.online_state),
        }
    }
}

/// The word for a state; `None` where the server does not say.
pub(crate) fn online_state(state: i32) -> Option<&'static str> {
    match OnlineState::try_from(state) {
        Ok(OnlineState::Online) => Some("online"),
        Ok(OnlineState::Offline) => Some("offline"),
        Ok(OnlineState::AwaitingSetup) => Some("awaiting_setup"),
        Ok(OnlineState::Unspecified) | Err(_) => None,
    }
}

/// `ORG -> LOCATION`.
pub(crate) fn header(place: &Whereabouts) -> String {
    format!("{} -> {}", text::one_line(&place.organization), text::one_line(&place.location))
}

/// `ORG -> LOCATION -> MACHINE`.
pub(crate) fn part_header(place: &Whereabouts, machine: &Robot) -> String {
    format!("{} -> {}", header(place), text::one_line(&machine.name))
}

/// The three lines of a part.
pub(crate) fn block(cx: &Context, part: &RobotPart) -> Result<()> {
    let main = if part.main_part { " (main)" } else { "" };
    cx.output.line(format!("\tID: {}", text::one_line(&part.id)))?;
    cx.output.line(format!("\tName: {}{main}", text::one_line(&part.name)))?;
    let access = when::last_access(cx, part.last_access.as_ref());
    cx.output.line(format!("\tLast Access: {access}"))
}

/// `Parts:` and their blocks with a blank line in between; nothing where there are none.
pub(crate) fn blocks(cx: &Context, parts: &[RobotPart]) -> Result<()> {
    for (place, part) in parts.iter().enumerate() {
        cx.output.line(if place == 0 { "Parts:" } else { "" })?;
        block(cx, part)?;
    }
    Ok(())
}
