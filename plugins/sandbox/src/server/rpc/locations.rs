//! Locations.

use tonic::Status;
use viam_proto::app::v1 as pb;

use super::access::Level;
use super::convert::timestamp;
use super::{Answer, Call, Refusal};
use crate::server::{names, secrets};
use crate::store::Location;
use crate::store::locations;

/// A secret in use, as a message.
pub(super) fn shared_secret(id: &str, secret: &str, created: i64) -> pb::SharedSecret {
    pb::SharedSecret {
        id: id.to_owned(),
        secret: secret.to_owned(),
        created_on: Some(timestamp(created)),
        state: pb::shared_secret::State::Enabled as i32,
    }
}

fn message(call: &Call<'_>, location: Location, level: Level) -> Answer<pb::Location> {
    let owners = locations::owners(call.db, &location.id)?;
    let primary = owners.iter().find(|owner| owner.primary);
    let primary_org_identity = primary.map(|owner| pb::OrganizationIdentity {
        id: owner.organization.clone(),
        name: owner.name.clone(),
    });
    let robot_count = if level >= Level::Read {
        locations::robot_count(call.db, &location.id)?
    } else {
        i32::try_from(super::robots::visible(call, &location.id)?.len()).unwrap_or(i32::MAX)
    };
    let auth = (level == Level::Write).then(|| pb::LocationAuth {
        location_id: location.id.clone(),
        secrets: vec![shared_secret(&location.secret_id, &location.secret, location.created)],
        ..Default::default()
    });
    Ok(pb::Location {
        id: location.id,
        name: location.name,
        parent_location_id: location.parent,
        auth,
        organizations: owners
            .into_iter()
            .map(|owner| pb::LocationOrganization {
                organization_id: owner.organization,
                primary: owner.primary,
            })
            .collect(),
        created_on: Some(timestamp(location.created)),
        robot_count,
        config: Some(pb::StorageConfig { region: location.region }),
        primary_org_identity,
    })
}

pub(super) fn list(
    call: &Call<'_>,
    request: pb::ListLocationsRequest,
) -> Answer<pb::ListLocationsResponse> {
    let org = call.organization(&request.organization_id, Level::Name)?;
    let mut seen = Vec::new();
    for location in locations::list(call.db, &org.id)? {
        let level = call.location_level(&location.id)?;
        if level >= Level::Name {
            seen.push(message(call, location, level)?);
        }
    }
    Ok(pb::ListLocationsResponse { locations: seen })
}

pub(super) fn get(
    call: &Call<'_>,
    request: pb::GetLocationRequest,
) -> Answer<pb::GetLocationResponse> {
    let (location, level) = call.location(&request.location_id, Level::Name)?;
    Ok(pb::GetLocationResponse { location: Some(message(call, location, level)?) })
}

/// Checks the location that another one is to lie in.
fn parent(call: &Call<'_>, id: &str, child: Option<&str>) -> Answer<()> {
    if id.is_empty() {
        return Ok(());
    }
    call.location(id, Level::Write)?;
    let around = locations::ancestors(call.db, id)?;
    if child.is_some_and(|child| around.iter().any(|outer| outer == child)) {
        return Err(Refusal(Status::invalid_argument("a location cannot lie in itself")));
    }
    Ok(())
}

pub(super) fn create(
    call: &Call<'_>,
    request: pb::CreateLocationRequest,
) -> Answer<pb::CreateLocationResponse> {
    let org = call.organization(&request.organization_id, Level::Write)?;
    names::check("location", &request.name)?;
    let outer = request.parent_location_id.unwrap_or_default();
    parent(call, &outer, None)?;
    let location = Location {
        id: secrets::id()?,
        name: request.name,
        parent: outer,
        region: org.region,
        secret_id: secrets::id()?,
        secret: secrets::secret()?,
        created: call.now,
    };
    locations::insert(call.db, &location, &org.id)?;
    Ok(pb::CreateLocationResponse { location: Some(message(call, location, Level::Write)?) })
}

pub(super) fn update(
    call: &Call<'_>,
    request: pb::UpdateLocationRequest,
) -> Answer<pb::UpdateLocationResponse> {
    let (mut location, level) = call.location(&request.location_id, Level::Write)?;
    if let Some(name) = request.name {
        names::check("location", &name)?;
        location.name = name;
    }
    if let Some(outer) = request.parent_location_id {
        parent(call, &outer, Some(&location.id))?;
        location.parent = outer;
    }
    if let Some(region) = request.region {
        location.region = region;
    }
    locations::update(call.db, &location)?;
    Ok(pb::UpdateLocationResponse { location: Some(message(call, location, level)?) })
}

/// A location whose primary organization the caller may change.
fn as_primary(call: &Call<'_>, id: &str) -> Answer<Location> {
    let (location, _) = call.location(id, Level::Write)?;
    let owners = locations::owners(call.db, id)?;
    if let Some(primary) = owners.iter().find(|owner| owner.primary) {
        call.organization(&primary.organization, Level::Write)?;
    }
    Ok(location)
}

pub(super) fn delete(
    call: &Call<'_>,
    request: pb::DeleteLocationRequest,
) -> Answer<pb::DeleteLocationResponse> {
    let location = as_primary(call, &request.location_id)?;
    let occupied = locations::robot_count(call.db, &location.id)? > 0
        || locations::has_children(call.db, &location.id)?;
    if occupied {
        return Err(Refusal(Status::failed_precondition(format!(
            "location {} still has machines or other locations in it",
            location.id
        ))));
    }
    locations::delete(call.db, &location.id)?;
    Ok(pb::DeleteLocationResponse {})
}

pub(super) fn share(
    call: &Call<'_>,
    request: pb::ShareLocationRequest,
) -> Answer<pb::ShareLocationResponse> {
    let location = as_primary(call, &request.location_id)?;
    // It may be an organization that the caller cannot see: that is the point of sharing.
    let exists = crate::store::organizations::get(call.db, &request.organization_id)?;
    if exists.is_none() {
        return Err(super::access::missing("organization", &request.organization_id));
    }
    let owners = locations::owners(call.db, &location.id)?;
    if owners.iter().any(|owner| owner.organization == request.organization_id) {
        return Err(Refusal(Status::already_exists(format!(
            "location {} is shared with organization {} already",
            location.id, request.organization_id
        ))));
    }
    locations::share(call.db, &location.id, &request.organization_id, false)?;
    Ok(pb::ShareLocationResponse {})
}

pub(super) fn unshare(
    call: &Call<'_>,
    request: pb::UnshareLocationRequest,
) -> Answer<pb::UnshareLocationResponse> {
    let (location, _) = call.location(&request.location_id, Level::Write)?;
    // The other organization may leave by itself.
    if call.organization_level(&request.organization_id)? < Level::Write {
        as_primary(call, &location.id)?;
    }
    if !locations::unshare(call.db, &location.id, &request.organization_id)? {
        return Err(Refusal(Status::failed_precondition(format!(
            "location {} is not shared with organization {}",
            location.id, request.organization_id
        ))));
    }
    Ok(pb::UnshareLocationResponse {})
}
