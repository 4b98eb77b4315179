//! API keys.

use tonic::Status;
use viam_proto::app::v1 as pb;

use super::access::{Level, denied, missing};
use super::convert::timestamp;
use super::{Answer, Call, Refusal};
use crate::server::secrets;
use crate::store::{Grant, Identity, Key, Role};
use crate::store::{keys, locations};

fn invalid(words: impl Into<String>) -> Refusal {
    Refusal(Status::invalid_argument(words))
}

/// Checks one thing that a new key is to be allowed.
fn grant(call: &Call<'_>, wanted: &pb::Authorization) -> Answer<Grant> {
    if wanted.authorization_type != "role" {
        return Err(invalid(format!(
            "do not know the authorization type {:?}",
            wanted.authorization_type
        )));
    }
    if !["", "api-key"].contains(&wanted.identity_type.as_str()) {
        return Err(invalid(format!("a key is no {:?}", wanted.identity_type)));
    }
    let role = wanted
        .authorization_id
        .strip_prefix(&format!("{}_", wanted.resource_type))
        .and_then(Role::parse)
        .ok_or_else(|| {
            invalid(format!(
                "there is no role {:?} on a resource of type {:?}",
                wanted.authorization_id, wanted.resource_type
            ))
        })?;
    let id = &wanted.resource_id;
    let organization = match wanted.resource_type.as_str() {
        "organization" => {
            let org = call.organization(id, Level::Write)?;
            if !["", &org.id].contains(&wanted.organization_id.as_str()) {
                return Err(invalid(format!(
                    "organization {} does not own organization {id}",
                    wanted.organization_id
                )));
            }
            org.id
        }
        "location" => {
            let (location, _) = call.location(id, Level::Write)?;
            owner(call, &location.id, &wanted.organization_id)?
        }
        "robot" => {
            let (robot, _) = call.robot(id, Level::Write)?;
            owner(call, &robot.location, &wanted.organization_id)?
        }
        other => return Err(invalid(format!("do not know the resource type {other:?}"))),
    };
    Ok(Grant {
        role,
        resource_type: wanted.resource_type.clone(),
        resource: id.clone(),
        organization,
    })
}

/// The organization in whose name something is allowed on a location.
fn owner(call: &Call<'_>, location: &str, wanted: &str) -> Answer<String> {
    let owners = locations::owners(call.db, location)?;
    match owners.as_slice() {
        [only] if wanted.is_empty() => Ok(only.organization.clone()),
        [_, _, ..] if wanted.is_empty() => Err(invalid(format!(
            "there are multiple orgs on location {location}: an organization id is needed"
        ))),
        _ if owners.iter().any(|owner| owner.organization == wanted) => Ok(wanted.to_owned()),
        _ => Err(invalid(format!("organization {wanted} does not own location {location}"))),
    }
}

/// A key whose rights the caller has too. One whose rights are all gone is only its own.
fn owned(call: &Call<'_>, id: &str) -> Answer<(Key, Vec<Grant>)> {
    let key = keys::get(call.db, id)?.ok_or_else(|| missing("API key", id))?;
    let who = Identity::Key(key.id.clone());
    let grants = keys::grants(call.db, &who)?;
    if grants.is_empty() && call.caller.who != who {
        return Err(denied(Level::Write, "API key", id));
    }
    for grant in &grants {
        match grant.resource_type.as_str() {
            "organization" => drop(call.organization(&grant.resource, Level::Write)?),
            "location" => drop(call.location(&grant.resource, Level::Write)?),
            _ => drop(call.robot(&grant.resource, Level::Write)?),
        }
    }
    Ok((key, grants))
}

fn insert(call: &Call<'_>, name: String, grants: &[Grant]) -> Answer<Key> {
    let key = Key { id: secrets::id()?, secret: secrets::secret()?, name, created: call.now };
    keys::insert(call.db, &key)?;
    let who = Identity::Key(key.id.clone());
    for grant in grants {
        keys::grant(call.db, &who, grant)?;
    }
    Ok(key)
}

pub(super) fn create(
    call: &Call<'_>,
    request: pb::CreateKeyRequest,
) -> Answer<pb::CreateKeyResponse> {
    if request.authorizations.is_empty() {
        return Err(invalid("a key needs at least one authorization"));
    }
    let grants: Vec<Grant> =
        request.authorizations.iter().map(|one| grant(call, one)).collect::<Answer<_>>()?;
    let key = insert(call, request.name, &grants)?;
    Ok(pb::CreateKeyResponse { key: key.secret, id: key.id })
}

pub(super) fn create_like(
    call: &Call<'_>,
    request: pb::CreateKeyFromExistingKeyAuthorizationsRequest,
) -> Answer<pb::CreateKeyFromExistingKeyAuthorizationsResponse> {
    let (old, grants) = owned(call, &request.id)?;
    let key = insert(call, old.name, &grants)?;
    Ok(pb::CreateKeyFromExistingKeyAuthorizationsResponse { id: key.id, key: key.secret })
}

pub(super) fn delete(
    call: &Call<'_>,
    request: pb::DeleteKeyRequest,
) -> Answer<pb::DeleteKeyResponse> {
    let (key, _) = owned(call, &request.id)?;
    keys::delete(call.db, &key.id)?;
    Ok(pb::DeleteKeyResponse {})
}

pub(super) fn rename(
    call: &Call<'_>,
    request: pb::RenameKeyRequest,
) -> Answer<pb::RenameKeyResponse> {
    let (mut key, _) = owned(call, &request.id)?;
    crate::server::names::check("key", &request.name)?;
    key.name = request.name;
    keys::update(call.db, &key)?;
    Ok(pb::RenameKeyResponse { id: key.id, name: key.name })
}

pub(super) fn rotate(
    call: &Call<'_>,
    request: pb::RotateKeyRequest,
) -> Answer<pb::RotateKeyResponse> {
    let (mut key, _) = owned(call, &request.id)?;
    key.secret = secrets::secret()?;
    keys::update(call.db, &key)?;
    Ok(pb::RotateKeyResponse { id: key.id, key: key.secret })
}

fn messages(
    call: &Call<'_>,
    keys: Vec<Key>,
    wanted: impl Fn(&Grant) -> bool,
) -> Answer<Vec<pb::ApiKeyWithAuthorizations>> {
    keys.into_iter()
        .map(|key| {
            let authorizations = keys::grants(call.db, &Identity::Key(key.id.clone()))?
                .into_iter()
                .filter(&wanted)
                .map(|grant| pb::AuthorizationDetails {
                    authorization_type: "role".to_owned(),
                    authorization_id: format!("{}_{}", grant.resource_type, grant.role.word()),
                    resource_type: grant.resource_type,
                    resource_id: grant.resource,
                    org_id: grant.organization,
                })
                .collect();
            let api_key = pb::ApiKey {
                id: key.id,
                key: key.secret,
                name: key.name,
                created_on: Some(timestamp(key.created)),
            };
            Ok(pb::ApiKeyWithAuthorizations { api_key: Some(api_key), authorizations })
        })
        .collect()
}

pub(super) fn list(call: &Call<'_>, request: pb::ListKeysRequest) -> Answer<pb::ListKeysResponse> {
    let org = call.organization(&request.org_id, Level::Write)?;
    let found = keys::of_organization(call.db, &org.id)?;
    let api_keys = messages(call, found, |grant| grant.organization == org.id)?;
    Ok(pb::ListKeysResponse { api_keys })
}

pub(super) fn of_robot(
    call: &Call<'_>,
    request: pb::GetRobotApiKeysRequest,
) -> Answer<pb::GetRobotApiKeysResponse> {
    let (robot, _) = call.robot(&request.robot_id, Level::Write)?;
    let found = keys::of_robot(call.db, &robot.id)?;
    let api_keys = messages(call, found, |grant| grant.resource == robot.id)?;
    Ok(pb::GetRobotApiKeysResponse { api_keys })
}
