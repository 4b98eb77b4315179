//! Machines.

use std::collections::HashSet;

use tonic::Status;
use viam_proto::app::v1 as pb;

use super::access::Level;
use super::convert::timestamp;
use super::{Answer, Call, Refusal, parts};
use crate::server::{names, secrets};
use crate::store::Robot;
use crate::store::{locations, parts as part_table, robots};

fn message(robot: Robot, now: i64) -> pb::Robot {
    let (state, seconds) = parts::online(robot.last_access, now);
    pb::Robot {
        id: robot.id,
        name: robot.name,
        location: robot.location,
        last_access: robot.last_access.map(timestamp),
        created_on: Some(timestamp(robot.created)),
        online_state: state as i32,
        seconds_since_online: seconds,
    }
}

/// The machines of a location that the caller sees.
pub(super) fn visible(call: &Call<'_>, location: &str) -> Answer<Vec<Robot>> {
    let all = robots::list(call.db, location)?;
    if call.location_level(location)? >= Level::Read {
        return Ok(all);
    }
    let mut seen = Vec::new();
    for robot in all {
        if call.robot_level(&robot.id, location)? >= Level::Read {
            seen.push(robot);
        }
    }
    Ok(seen)
}

pub(super) fn list(
    call: &Call<'_>,
    request: pb::ListRobotsRequest,
) -> Answer<pb::ListRobotsResponse> {
    call.location(&request.location_id, Level::Name)?;
    let robots = visible(call, &request.location_id)?
        .into_iter()
        .map(|robot| message(robot, call.now))
        .collect();
    Ok(pb::ListRobotsResponse { robots })
}

pub(super) fn list_for_locations(
    call: &Call<'_>,
    request: pb::ListRobotsForLocationsRequest,
) -> Answer<pb::ListRobotsForLocationsResponse> {
    let mut robots = Vec::new();
    let mut asked = HashSet::new();
    for id in request.location_ids {
        call.location(&id, Level::Name)?;
        if asked.insert(id.clone()) {
            robots.extend(visible(call, &id)?.into_iter().map(|robot| message(robot, call.now)));
        }
    }
    Ok(pb::ListRobotsForLocationsResponse { robots })
}

pub(super) fn list_for_org(
    call: &Call<'_>,
    request: pb::ListRobotsForOrgRequest,
) -> Answer<pb::ListRobotsForOrgResponse> {
    let org = call.organization(&request.org_id, Level::Name)?;
    let mut robots = Vec::new();
    for location in locations::list(call.db, &org.id)? {
        robots
            .extend(visible(call, &location.id)?.into_iter().map(|robot| message(robot, call.now)));
    }
    Ok(pb::ListRobotsForOrgResponse { robots })
}

pub(super) fn get(call: &Call<'_>, request: pb::GetRobotRequest) -> Answer<pb::GetRobotResponse> {
    let (robot, _) = call.robot(&request.id, Level::Read)?;
    Ok(pb::GetRobotResponse { robot: Some(message(robot, call.now)) })
}

fn unused_name(call: &Call<'_>, location: &str, name: &str, but: &str) -> Answer<()> {
    names::check("machine", name)?;
    if robots::name_taken(call.db, location, name, but)? {
        return Err(Refusal(Status::already_exists(format!(
            "location {location} has a machine named {name:?} already"
        ))));
    }
    Ok(())
}

pub(super) fn create(
    call: &Call<'_>,
    request: pb::NewRobotRequest,
) -> Answer<pb::NewRobotResponse> {
    call.location(&request.location, Level::Write)?;
    unused_name(call, &request.location, &request.name, "")?;
    let robot = Robot {
        id: secrets::id()?,
        name: request.name,
        location: request.location,
        created: call.now,
        last_access: None,
    };
    robots::insert(call.db, &robot)?;
    parts::insert(call, &robot, format!("{}-main", robot.name), true)?;
    Ok(pb::NewRobotResponse { id: robot.id })
}

pub(super) fn update(
    call: &Call<'_>,
    request: pb::UpdateRobotRequest,
) -> Answer<pb::UpdateRobotResponse> {
    let (mut robot, _) = call.robot(&request.id, Level::Write)?;
    if !request.location.is_empty() && request.location != robot.location {
        call.location(&request.location, Level::Write)?;
        robot.location = request.location;
    }
    if !request.name.is_empty() {
        robot.name = request.name;
    }
    unused_name(call, &robot.location, &robot.name, &robot.id)?;
    robots::update(call.db, &robot)?;
    Ok(pb::UpdateRobotResponse { robot: Some(message(robot, call.now)) })
}

pub(super) fn delete(
    call: &Call<'_>,
    request: pb::DeleteRobotRequest,
) -> Answer<pb::DeleteRobotResponse> {
    let (robot, _) = call.robot(&request.id, Level::Write)?;
    robots::delete(call.db, &robot.id)?;
    Ok(pb::DeleteRobotResponse {})
}

pub(super) fn summaries(
    call: &Call<'_>,
    request: pb::ListMachineSummariesRequest,
) -> Answer<pb::ListMachineSummariesResponse> {
    let org = call.organization(&request.organization_id, Level::Name)?;
    if !request.fragment_ids.is_empty() {
        return Err(Refusal(Status::unimplemented("fragments")));
    }
    let limit = request.limit.and_then(|limit| usize::try_from(limit).ok());
    let mut left = limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let mut location_summaries = Vec::new();
    for location in locations::list(call.db, &org.id)? {
        let asked = request.location_ids.is_empty() || request.location_ids.contains(&location.id);
        if !asked || left == 0 {
            continue;
        }
        let mut machine_summaries = Vec::new();
        for robot in visible(call, &location.id)?.into_iter().take(left) {
            let part_summaries = part_table::list(call.db, &robot.id)?
                .into_iter()
                .map(|part| {
                    let (state, seconds) = parts::online(part.last_access, call.now);
                    pb::PartSummary {
                        is_main_part: part.main,
                        online_state: state as i32,
                        seconds_since_online: seconds,
                        last_access: part.last_access.map(timestamp),
                        dns_name: Some(part.dns_name),
                        part_id: part.id,
                        part_name: part.name,
                        ..Default::default()
                    }
                })
                .collect();
            machine_summaries.push(pb::MachineSummary {
                machine_id: robot.id,
                machine_name: robot.name,
                part_summaries,
            });
        }
        left -= machine_summaries.len();
        if !machine_summaries.is_empty() {
            location_summaries.push(pb::LocationSummary {
                location_id: location.id,
                location_name: location.name,
                machine_summaries,
            });
        }
    }
    Ok(pb::ListMachineSummariesResponse { location_summaries })
}
