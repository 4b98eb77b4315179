//! The parts of machines.

use serde_json::{Map, Value};
use tonic::Status;
use viam_proto::app::v1 as pb;

use super::access::{Level, denied, missing};
use super::convert::{from_struct, micros, timestamp, to_struct};
use super::locations::shared_secret;
use super::{Answer, Call, Refusal};
use crate::server::{names, secrets};
use crate::store::{Identity, Part, Robot};
use crate::store::{history as changes, logins, parts};

/// A machine is taken to be there for so many microseconds after it was last heard of.
const ONLINE: i64 = 60 * 1_000_000;

/// Whether a machine is there, and for how many seconds it has not been.
pub(super) fn online(last_access: Option<i64>, now: i64) -> (pb::OnlineState, i64) {
    match last_access.map(|last_access| now - last_access) {
        Some(since) if since < ONLINE => (pb::OnlineState::Online, 0),
        Some(since) => (pb::OnlineState::Offline, since / 1_000_000),
        None => (pb::OnlineState::AwaitingSetup, 0),
    }
}

fn message(part: Part, level: Level, now: i64) -> pb::RobotPart {
    let (state, seconds) = online(part.last_access, now);
    let config: Map<String, Value> = serde_json::from_str(&part.config).unwrap_or_default();
    let info: Option<Map<String, Value>> = serde_json::from_str(&part.info).ok();
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
        user_supplied_info: info.map(to_struct),
        main_part: part.main,
        fqdn: part.fqdn,
        local_fqdn: part.local_fqdn,
        created_on: Some(timestamp(part.created)),
        secrets,
        last_updated: Some(timestamp(part.updated)),
        online_state: state as i32,
        seconds_since_online: seconds,
        robot_config_json: Some(part.config),
    }
}

pub(super) fn list(
    call: &Call<'_>,
    request: pb::GetRobotPartsRequest,
) -> Answer<pb::GetRobotPartsResponse> {
    let (robot, level) = call.robot(&request.robot_id, Level::Read)?;
    let parts = parts::list(call.db, &robot.id)?;
    let parts = parts.into_iter().map(|part| message(part, level, call.now)).collect();
    Ok(pb::GetRobotPartsResponse { parts })
}

pub(super) fn get(
    call: &Call<'_>,
    request: pb::GetRobotPartRequest,
) -> Answer<pb::GetRobotPartResponse> {
    let (part, level) = call.part(&request.id, Level::Read)?;
    let config_json = part.config.clone();
    Ok(pb::GetRobotPartResponse { part: Some(message(part, level, call.now)), config_json })
}

pub(super) fn get_by_name(
    call: &Call<'_>,
    request: pb::GetRobotPartByNameAndLocationRequest,
) -> Answer<pb::GetRobotPartByNameAndLocationResponse> {
    call.location(&request.location_id, Level::Name)?;
    for part in parts::named(call.db, &request.location_id, &request.name)? {
        let level = call.robot_level(&part.robot, &part.location)?;
        if level >= Level::Read {
            let part = Some(message(part, level, call.now));
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
        live: false,
        port: None,
        info: String::new(),
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
    let old = part.clone();
    if !request.name.is_empty() && request.name != part.name {
        unused_name(call, &part.robot, &request.name, &part.id)?;
        part.name = request.name;
    }
    if let Some(config) = config(request.robot_config_json, request.robot_config)? {
        part.config = config;
    }
    // Two changes within a microsecond still are two.
    part.updated = call.now.max(part.updated + 1);
    let by = &call.caller.who;
    let editor = match by {
        Identity::User(id) => {
            logins::user(call.db, id)?.map_or_else(|| id.clone(), |user| user.email)
        }
        Identity::Key(id) | Identity::Part(id) => id.clone(),
    };
    changes::insert(call.db, &old, part.updated, by, &editor)?;
    parts::update(call.db, &part)?;
    Ok(pb::UpdateRobotPartResponse { part: Some(message(part, level, call.now)) })
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

pub(super) fn mark_for_restart(
    call: &Call<'_>,
    request: pb::MarkPartForRestartRequest,
) -> Answer<pb::MarkPartForRestartResponse> {
    let (part, _) = call.part(&request.part_id, Level::Write)?;
    parts::mark_for_restart(call.db, &part.id, call.now)?;
    Ok(pb::MarkPartForRestartResponse {})
}

/// How the part was before each change, the newest first. All of it, but for who asks for pages.
pub(super) fn history(
    call: &Call<'_>,
    request: pb::GetRobotPartHistoryRequest,
) -> Answer<pb::GetRobotPartHistoryResponse> {
    let (part, level) = call.part(&request.id, Level::Read)?;
    if level < Level::Write {
        return Err(denied(Level::Read, "the history of part", &part.id));
    }
    let wrong = |words: &str| Refusal(Status::invalid_argument(words));
    let token = request.page_token.unwrap_or_default();
    let before = if token.is_empty() {
        i64::MAX
    } else {
        token.parse().map_err(|_| wrong("no page of this history has that token"))?
    };
    let limit = usize::try_from(request.page_limit.unwrap_or_default())
        .map_err(|_| wrong("the limit of a page is below zero"))?;
    let limit = if limit == 0 { usize::MAX - 1 } else { limit };
    let first = request.start.as_ref().map_or(i64::MIN, micros);
    let last = request.end.as_ref().map_or(i64::MAX, micros);
    let mut found =
        changes::list(call.db, &part.id, (first, last), before, limit.saturating_add(1))?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|change| change.seq.to_string());
    let history = found
        .into_iter()
        .map(|change| {
            let kind = match change.by {
                Identity::User(_) => pb::AuthenticationType::WebOauth,
                Identity::Key(_) | Identity::Part(_) => pb::AuthenticationType::ApiKey,
            };
            let old = Part {
                name: change.old_name,
                config: change.old_config,
                updated: change.old_updated,
                ..part.clone()
            };
            pb::RobotPartHistoryEntry {
                part: part.id.clone(),
                robot: part.robot.clone(),
                when: Some(timestamp(change.time)),
                // Secrets are not part of what was changed.
                old: Some(message(old, Level::Read, call.now)),
                edited_by: Some(pb::AuthenticatorInfo {
                    r#type: kind as i32,
                    value: change.name,
                    is_deactivated: false,
                }),
            }
        })
        .collect();
    Ok(pb::GetRobotPartHistoryResponse { history, next_page_token: next.unwrap_or_default() })
}
