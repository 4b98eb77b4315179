//! The parts of machines.

use serde_json::{Map, Value};
use tonic::Status;
use viam_proto::app::v1 as pb;

use super::access::{Level, missing};
use super::convert::{from_struct, micros, timestamp, to_struct};
use super::locations::shared_secret;
use super::{Answer, Call, Refusal};
use crate::server::{names, secrets};
use crate::store::parts;
use crate::store::{Part, Robot};

/// What is known of a machine that nobody has connected.
pub(super) fn online_state(last_access: Option<i64>) -> pb::OnlineState {
    match last_access {
        Some(_) => pb::OnlineState::Offline,
        None => pb::OnlineState::AwaitingSetup,
    }
}

fn message(part: Part, level: Level) -> pb::RobotPart {
    let config: Map<String, Value> = serde_json::from_str(&part.config).unwrap_or_default();
    let secrets = if level == Level::Write {
        vec![shared_secret(&part.secret_id, &part.secret, part.created)]
    } else {
        Vec::new()
    };
    pb::RobotPart {
        secret: if level == Level::Write { part.secret } else { String::new() },
        id: part.id,
        name: part.name,
        dns_name: part.dns_name,
        robot: part.robot,
        location_id: part.location,
        robot_config: Some(to_struct(config)),
        last_access: part.last_access.map(timestamp),
        main_part: part.main,
        fqdn: part.fqdn,
        local_fqdn: part.local_fqdn,
        created_on: Some(timestamp(part.created)),
        secrets,
        last_updated: Some(timestamp(part.updated)),
        online_state: online_state(part.last_access) as i32,
        robot_config_json: Some(part.config),
        ..Default::default()
    }
}

pub(super) fn list(
    call: &Call<'_>,
    request: pb::GetRobotPartsRequest,
) -> Answer<pb::GetRobotPartsResponse> {
    let (robot, level) = call.robot(&request.robot_id, Level::Read)?;
    let parts = parts::list(call.db, &robot.id)?;
    let parts = parts.into_iter().map(|part| message(part, level)).collect();
    Ok(pb::GetRobotPartsResponse { parts })
}

pub(super) fn get(
    call: &Call<'_>,
    request: pb::GetRobotPartRequest,
) -> Answer<pb::GetRobotPartResponse> {
    let (part, level) = call.part(&request.id, Level::Read)?;
    let config_json = part.config.clone();
    Ok(pb::GetRobotPartResponse { part: Some(message(part, level)), config_json })
}

pub(super) fn get_by_name(
    call: &Call<'_>,
    request: pb::GetRobotPartByNameAndLocationRequest,
) -> Answer<pb::GetRobotPartByNameAndLocationResponse> {
    call.location(&request.location_id, Level::Name)?;
    for part in parts::named(call.db, &request.location_id, &request.name)? {
        let level = call.robot_level(&part.robot, &part.location)?;
        if level >= Level::Read {
            let part = Some(message(part, level));
            return Ok(pb::GetRobotPartByNameAndLocationResponse { part });
        }
    }
    Err(missing("part", &request.name))
}

/// Adds a part to a machine.
pub(super) fn insert(call: &Call<'_>, robot: &Robot, name: String, main: bool) -> Answer<String> {
    let names = names::of_part(&name, &robot.location);
    let part = Part {
        id: secrets::id()?,
        name,
        robot: robot.id.clone(),
        location: robot.location.clone(),
        main,
        secret_id: secrets::id()?,
        secret: secrets::secret()?,
        config: "{}".to_owned(),
        dns_name: names.dns_name,
        fqdn: names.fqdn,
        local_fqdn: names.local_fqdn,
        created: call.now,
        updated: call.now,
        last_access: None,
    };
    parts::insert(call.db, &part)?;
    Ok(part.id)
}

fn unused_name(call: &Call<'_>, robot: &str, name: &str, but: &str) -> Answer<()> {
    names::check("part", name)?;
    let taken =
        parts::list(call.db, robot)?.iter().any(|other| other.name == name && other.id != but);
    if taken {
        return Err(Refusal(Status::already_exists(format!(
            "machine {robot} has a part named {name:?} already"
        ))));
    }
    Ok(())
}

pub(super) fn create(
    call: &Call<'_>,
    request: pb::NewRobotPartRequest,
) -> Answer<pb::NewRobotPartResponse> {
    let (robot, _) = call.robot(&request.robot_id, Level::Write)?;
    unused_name(call, &robot.id, &request.part_name, "")?;
    let first = parts::list(call.db, &robot.id)?.is_empty();
    let part_id = insert(call, &robot, request.part_name, first)?;
    Ok(pb::NewRobotPartResponse { part_id })
}

/// The text of a configuration that a request carries.
fn config(text: Option<String>, message: Option<prost_types::Struct>) -> Answer<Option<String>> {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        if let Err(error) = serde_json::from_str::<Map<String, Value>>(&text) {
            return Err(Refusal(Status::invalid_argument(format!(
                "the configuration is no JSON object: {error}"
            ))));
        }
        return Ok(Some(text));
    }
    Ok(message.map(|message| Value::Object(from_struct(message)).to_string()))
}

pub(super) fn update(
    call: &Call<'_>,
    request: pb::UpdateRobotPartRequest,
) -> Answer<pb::UpdateRobotPartResponse> {
    let (mut part, level) = call.part(&request.id, Level::Write)?;
    if let Some(known) = &request.last_known_update
        && micros(known) != part.updated
    {
        return Err(Refusal(Status::failed_precondition(format!(
            "part {} was changed in between",
            part.id
        ))));
    }
    if !request.name.is_empty() && request.name != part.name {
        unused_name(call, &part.robot, &request.name, &part.id)?;
        part.name = request.name;
    }
    if let Some(config) = config(request.robot_config_json, request.robot_config)? {
        part.config = config;
    }
    // Two changes within a microsecond still are two.
    part.updated = call.now.max(part.updated + 1);
    parts::update(call.db, &part)?;
    Ok(pb::UpdateRobotPartResponse { part: Some(message(part, level)) })
}

pub(super) fn delete(
    call: &Call<'_>,
    request: pb::DeleteRobotPartRequest,
) -> Answer<pb::DeleteRobotPartResponse> {
    let (part, _) = call.part(&request.part_id, Level::Write)?;
    if part.main {
        return Err(Refusal(Status::failed_precondition(format!(
            "part {} is the main part of its machine",
            part.id
        ))));
    }
    parts::delete(call.db, &part.id)?;
    Ok(pb::DeleteRobotPartResponse {})
}

pub(super) fn mark_as_main(
    call: &Call<'_>,
    request: pb::MarkPartAsMainRequest,
) -> Answer<pb::MarkPartAsMainResponse> {
    let (part, _) = call.part(&request.part_id, Level::Write)?;
    parts::set_main(call.db, &part.robot, &part.id)?;
    Ok(pb::MarkPartAsMainResponse {})
}
