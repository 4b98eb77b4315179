//! Organizations.

use tonic::Status;
use viam_proto::app::v1 as pb;

use super::access::Level;
use super::convert::timestamp;
use super::{Answer, Call, Refusal};
use crate::server::{names, secrets};
use crate::store::{Grant, Identity, Organization, Role};
use crate::store::{keys, locations, logins, organizations};

fn message(org: Organization) -> pb::Organization {
    pb::Organization {
        id: org.id,
        name: org.name,
        created_on: Some(timestamp(org.created)),
        public_namespace: org.namespace,
        default_region: org.region,
        ..Default::default()
    }
}

/// Those that the caller sees at all.
fn visible(call: &Call<'_>) -> Answer<Vec<Organization>> {
    let mut seen = Vec::new();
    for org in organizations::list(call.db)? {
        if call.organization_level(&org.id)? >= Level::Name {
            seen.push(org);
        }
    }
    Ok(seen)
}

pub(super) fn list(
    call: &Call<'_>,
    _: pb::ListOrganizationsRequest,
) -> Answer<pb::ListOrganizationsResponse> {
    let organizations = visible(call)?.into_iter().map(message).collect();
    Ok(pb::ListOrganizationsResponse { organizations })
}

pub(super) fn list_by_user(
    call: &Call<'_>,
    request: pb::ListOrganizationsByUserRequest,
) -> Answer<pb::ListOrganizationsByUserResponse> {
    let user = logins::user(call.db, &request.user_id)?
        .ok_or_else(|| super::access::missing("user", &request.user_id))?;
    let theirs = keys::grants(call.db, &Identity::User(user.id))?;
    let orgs = visible(call)?
        .into_iter()
        .filter(|org| theirs.iter().any(|grant| grant.resource == org.id))
        .map(|org| pb::OrgDetails {
            org_id: org.id,
            org_name: org.name,
            public_namespace: Some(org.namespace).filter(|name| !name.is_empty()),
            ..Default::default()
        })
        .collect();
    Ok(pb::ListOrganizationsByUserResponse { orgs })
}

pub(super) fn get(
    call: &Call<'_>,
    request: pb::GetOrganizationRequest,
) -> Answer<pb::GetOrganizationResponse> {
    let org = call.organization(&request.organization_id, Level::Name)?;
    Ok(pb::GetOrganizationResponse { organization: Some(message(org)) })
}

pub(super) fn create(
    call: &Call<'_>,
    request: pb::CreateOrganizationRequest,
) -> Answer<pb::CreateOrganizationResponse> {
    if !matches!(call.caller.who, Identity::User(_)) {
        return Err(Refusal(Status::permission_denied("only a user can create organizations")));
    }
    names::check("organization", &request.name)?;
    let org = Organization {
        id: secrets::id()?,
        name: request.name,
        created: call.now,
        ..Default::default()
    };
    organizations::insert(call.db, &org)?;
    let grant = Grant {
        role: Role::Owner,
        resource_type: "organization".to_owned(),
        resource: org.id.clone(),
        organization: org.id.clone(),
    };
    keys::grant(call.db, &call.caller.who, &grant)?;
    Ok(pb::CreateOrganizationResponse { organization: Some(message(org)) })
}

/// Refuses a namespace that another organization has.
fn free(call: &Call<'_>, namespace: &str, id: &str) -> Answer<bool> {
    let owner = organizations::with_namespace(call.db, namespace)?;
    Ok(owner.is_none_or(|owner| owner == id))
}

fn set_namespace(call: &Call<'_>, org: &mut Organization, namespace: String) -> Answer<()> {
    names::check_namespace(&namespace)?;
    if !free(call, &namespace, &org.id)? {
        return Err(Refusal(Status::already_exists(format!(
            "the public namespace {namespace} is taken"
        ))));
    }
    org.namespace = namespace;
    Ok(())
}

pub(super) fn update(
    call: &Call<'_>,
    request: pb::UpdateOrganizationRequest,
) -> Answer<pb::UpdateOrganizationResponse> {
    let mut org = call.organization(&request.organization_id, Level::Write)?;
    if let Some(name) = request.name {
        names::check("organization", &name)?;
        org.name = name;
    }
    if let Some(namespace) = request.public_namespace
        && namespace != org.namespace
    {
        if !org.namespace.is_empty() {
            return Err(Refusal(Status::failed_precondition(format!(
                "organization {} has the public namespace {} already",
                org.id, org.namespace
            ))));
        }
        set_namespace(call, &mut org, namespace)?;
    }
    if let Some(region) = request.region {
        org.region = region;
    }
    organizations::update(call.db, &org)?;
    Ok(pb::UpdateOrganizationResponse { organization: Some(message(org)) })
}

pub(super) fn update_namespace(
    call: &Call<'_>,
    request: pb::UpdateOrganizationNamespaceRequest,
) -> Answer<pb::UpdateOrganizationNamespaceResponse> {
    let mut org = call.organization(&request.organization_id, Level::Write)?;
    set_namespace(call, &mut org, request.new_public_namespace)?;
    organizations::update(call.db, &org)?;
    Ok(pb::UpdateOrganizationNamespaceResponse { organization: Some(message(org)) })
}

pub(super) fn namespace_availability(
    call: &Call<'_>,
    request: pb::GetOrganizationNamespaceAvailabilityRequest,
) -> Answer<pb::GetOrganizationNamespaceAvailabilityResponse> {
    names::check_namespace(&request.public_namespace)?;
    let available = free(call, &request.public_namespace, &request.organization_id)?;
    Ok(pb::GetOrganizationNamespaceAvailabilityResponse { available })
}

pub(super) fn delete(
    call: &Call<'_>,
    request: pb::DeleteOrganizationRequest,
) -> Answer<pb::DeleteOrganizationResponse> {
    let org = call.organization(&request.organization_id, Level::Write)?;
    if !locations::list(call.db, &org.id)?.is_empty() {
        return Err(Refusal(Status::failed_precondition(format!(
            "organization {} still has locations",
            org.id
        ))));
    }
    organizations::delete(call.db, &org.id)?;
    Ok(pb::DeleteOrganizationResponse {})
}

pub(super) fn with_access_to_location(
    call: &Call<'_>,
    request: pb::GetOrganizationsWithAccessToLocationRequest,
) -> Answer<pb::GetOrganizationsWithAccessToLocationResponse> {
    let (location, _) = call.location(&request.location_id, Level::Name)?;
    let organization_identities = locations::owners(call.db, &location.id)?
        .into_iter()
        .map(|owner| pb::OrganizationIdentity { id: owner.organization, name: owner.name })
        .collect();
    Ok(pb::GetOrganizationsWithAccessToLocationResponse { organization_identities })
}
