//! Machines.

use viam_contract::{Result, Wire, text};
use viam_proto::app::v1::{GetRobotRequest, ListRobotsRequest, Robot};

use super::{app, find, if_there, is_uuid, organizations_within, place, places, unknown};
use crate::{parallel, rpc_error};

/// Where a machine is looked for; nothing given means everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Id or name of an organization.
    pub organization: Option<String>,
    /// Id or name of a location.
    pub location: Option<String>,
}

/// Every machine of a location.
///
/// # Errors
/// `could not list machines`, with the cause.
pub async fn machines(wire: &Wire, location_id: &str) -> Result<Vec<Robot>> {
    let answer = app(wire.clone())
        .list_robots(ListRobotsRequest { location_id: location_id.to_owned() })
        .await
        .map_err(|status| rpc_error(status, "could not list machines"))?;
    Ok(answer.into_inner().robots)
}

/// The machine that is meant. A UUID is asked for directly; anything else is looked for by id
/// and by name in every location of the scope, and at last asked for as an id, which need not
/// lie in the scope.
///
/// # Errors
/// As [`pick`](super::pick).
pub async fn machine(wire: &Wire, scope: &Scope, wanted: &str) -> Result<Robot> {
    let direct = is_uuid(wanted);
    if direct && let Some(robot) = machine_of_id(wire, wanted).await? {
        return Ok(robot);
    }
    let robots = machines_within(wire, scope).await?;
    if let Some(robot) = find("machine", &robots, wanted)? {
        return Ok(robot.clone());
    }
    if !direct && let Some(robot) = machine_of_id(wire, wanted).await? {
        return Ok(robot);
    }
    Err(unknown("machine", &robots, wanted))
}

/// The id of a machine given by id or name. A UUID is taken as it is, without a call.
///
/// # Errors
/// As [`machine`].
pub async fn machine_id(wire: &Wire, organization: Option<&str>, wanted: &str) -> Result<String> {
    if is_uuid(wanted) {
        return Ok(wanted.to_owned());
    }
    let scope = Scope { organization: organization.map(str::to_owned), location: None };
    Ok(machine(wire, &scope, wanted).await?.id)
}

/// A machine by its id; `None` where there is none that the session may see.
async fn machine_of_id(wire: &Wire, id: &str) -> Result<Option<Robot>> {
    let answer = app(wire.clone()).get_robot(GetRobotRequest { id: id.to_owned() }).await;
    let doing = || format!("could not get machine {}", text::quoted(id));
    Ok(if_there(answer, doing)?.and_then(|answer| answer.robot))
}

/// Every machine of a scope.
async fn machines_within(wire: &Wire, scope: &Scope) -> Result<Vec<Robot>> {
    if let Some(location) = &scope.location {
        if is_uuid(location) {
            return machines(wire, location).await;
        }
        let place = place(wire, scope.organization.as_deref(), Some(location)).await?;
        return machines(wire, &place.location.id).await;
    }
    let within = organizations_within(wire, scope.organization.as_deref()).await?;
    let places = places(wire, &within).await?;
    let robots =
        parallel::map(&places, |place| async { machines(wire, &place.location.id).await }).await?;
    Ok(robots.into_iter().flatten().collect())
}
