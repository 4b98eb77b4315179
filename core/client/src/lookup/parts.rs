//! Parts of machines.

use std::collections::HashSet;

use viam_contract::{Error, Kind, Result, Wire, text};
use viam_proto::app::v1::{
    GetRobotPartRequest, GetRobotPartsRequest, ListMachineSummariesRequest, RobotPart,
};

use super::{Named, Scope, app, find, if_there, is_uuid, machine, organizations_within, unknown};
use crate::{parallel, rpc_error};

const KIND: &str = "machine part";

/// Every part of a machine.
///
/// # Errors
/// `could not get machine parts`, with the cause.
pub async fn parts(wire: &Wire, machine_id: &str) -> Result<Vec<RobotPart>> {
    let answer = app(wire.clone())
        .get_robot_parts(GetRobotPartsRequest { robot_id: machine_id.to_owned() })
        .await
        .map_err(|status| rpc_error(status, "could not get machine parts"))?;
    Ok(answer.into_inner().parts)
}

/// The part that is meant. A UUID is asked for directly; else the part is looked for by id and
/// by name among those of the machine, or without a machine among all of the scope. Without a
/// name it is the only part of the machine.
///
/// # Errors
/// As [`pick`](super::pick).
pub async fn part(
    wire: &Wire,
    scope: &Scope,
    machine_wanted: Option<&str>,
    wanted: Option<&str>,
) -> Result<RobotPart> {
    if let Some(id) = wanted.filter(|wanted| is_uuid(wanted))
        && let Some(part) = part_of_id(wire, id).await?
    {
        return Ok(part);
    }
    match (machine_wanted, wanted) {
        (Some(machine), wanted) => part_of_machine(wire, scope, machine, wanted).await,
        (None, Some(wanted)) => part_within(wire, scope, wanted).await,
        (None, None) => Err(Error::new(Kind::Usage, "no part and no machine is given")
            .hint_text("say which one with --part")),
    }
}

async fn part_of_machine(
    wire: &Wire,
    scope: &Scope,
    machine_wanted: &str,
    wanted: Option<&str>,
) -> Result<RobotPart> {
    let id = match is_uuid(machine_wanted) {
        true => machine_wanted.to_owned(),
        false => machine(wire, scope, machine_wanted).await?.id,
    };
    let parts = match parts(wire, &id).await {
        // A name may look like a UUID, too.
        Err(error) if error.kind() == Kind::User && is_uuid(machine_wanted) => {
            parts(wire, &machine(wire, scope, machine_wanted).await?.id).await?
        }
        other => other?,
    };
    let Some(wanted) = wanted else {
        return match &parts[..] {
            [part] => Ok(part.clone()),
            _ => {
                let names: Vec<String> = parts
                    .iter()
                    .map(|part| format!("{} ({})", text::quoted(&part.name), part.id))
                    .collect();
                Err(Error::new(
                    Kind::User,
                    format!("{} has {} parts", text::quoted(machine_wanted), parts.len()),
                )
                .hint_text(format!("say which one with --part: {}", names.join(", "))))
            }
        };
    };
    if let Some(part) = find(KIND, &parts, wanted)? {
        return Ok(part.clone());
    }
    if !is_uuid(wanted)
        && let Some(part) = part_of_id(wire, wanted).await?
    {
        return Ok(part);
    }
    let (machine, part) = (text::quoted(machine_wanted), text::quoted(wanted));
    let mut error = Error::new(
        Kind::User,
        format!("no machine part found for machine: {machine} part: {part}"),
    );
    for hint in unknown(KIND, &parts, wanted).hints() {
        error = error.hint(hint.clone());
    }
    Err(error)
}

/// A part by its id; `None` where there is none that the session may see.
async fn part_of_id(wire: &Wire, id: &str) -> Result<Option<RobotPart>> {
    let answer = app(wire.clone()).get_robot_part(GetRobotPartRequest { id: id.to_owned() }).await;
    let doing = || format!("could not get machine part {}", text::quoted(id));
    Ok(if_there(answer, doing)?.and_then(|answer| answer.part))
}

/// A part in a listing.
struct Summary {
    id: String,
    name: String,
}

impl Named for Summary {
    fn id(&self) -> &str {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
}

/// Finds a part without knowing its machine: the parts of an organization come in one answer.
async fn part_within(wire: &Wire, scope: &Scope, wanted: &str) -> Result<RobotPart> {
    let within = organizations_within(wire, scope.organization.as_deref()).await?;
    let lists = parallel::map(&within, |organization| async {
        let request = ListMachineSummariesRequest {
            organization_id: organization.id.clone(),
            ..ListMachineSummariesRequest::default()
        };
        let answer = app(wire.clone()).list_machine_summaries(request).await;
        answer.map_err(|status| rpc_error(status, "could not list the parts of machines"))
    })
    .await?;
    let mut seen = HashSet::new();
    let summaries: Vec<Summary> = lists
        .into_iter()
        .flat_map(|answer| answer.into_inner().location_summaries)
        .filter(|location| {
            scope.location.as_ref().is_none_or(|wanted| {
                location.location_id == *wanted || location.location_name == *wanted
            })
        })
        .flat_map(|location| location.machine_summaries)
        .flat_map(|machine| machine.part_summaries)
        .filter(|part| seen.insert(part.part_id.clone()))
        .map(|part| Summary { id: part.part_id, name: part.part_name })
        .collect();
    let id = find(KIND, &summaries, wanted)?.map_or(wanted, |part| &part.id);
    match part_of_id(wire, id).await? {
        Some(part) => Ok(part),
        None => Err(unknown(KIND, &summaries, wanted)),
    }
}
