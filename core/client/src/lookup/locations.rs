//! Locations, and where something lies.

use viam_contract::{Error, Kind, Result, Wire, text};
use viam_proto::app::v1::{
    GetLocationRequest, GetOrganizationsWithAccessToLocationRequest, ListLocationsRequest,
    Location, Organization,
};

use super::{Named, app, is_uuid, organizations, pick};
use crate::{parallel, rpc_error};

/// Every location of an organization.
///
/// # Errors
/// `could not list locations`, with the cause.
pub async fn locations(wire: &Wire, organization_id: &str) -> Result<Vec<Location>> {
    let answer = app(wire.clone())
        .list_locations(ListLocationsRequest { organization_id: organization_id.to_owned() })
        .await
        .map_err(|status| rpc_error(status, "could not list locations"))?;
    Ok(answer.into_inner().locations)
}

/// A location with an organization that sees it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The organization.
    pub organization: Organization,
    /// The location.
    pub location: Location,
}

/// Every location of some organizations, each once, asked side by side.
///
/// # Errors
/// As [`locations`].
pub async fn places(wire: &Wire, organizations: &[Organization]) -> Result<Vec<Place>> {
    let lists = parallel::map(organizations, |organization| async move {
        let list = locations(wire, &organization.id).await?;
        Ok::<_, Error>(
            list.into_iter()
                .map(|location| Place { organization: organization.clone(), location })
                .collect::<Vec<_>>(),
        )
    })
    .await?;
    let mut seen = std::collections::HashSet::new();
    Ok(lists.into_iter().flatten().filter(|place| seen.insert(place.location.id.clone())).collect())
}

impl Named for Place {
    fn id(&self) -> &str {
        &self.location.id
    }
    fn name(&self) -> &str {
        &self.location.name
    }
}

/// Finds the location that is meant; without a name the first one of the organization, and
/// without an organization a location of any.
///
/// # Errors
/// As [`pick`]; `no locations to work with`.
pub async fn place(
    wire: &Wire,
    organization: Option<&str>,
    location: Option<&str>,
) -> Result<Place> {
    let all = organizations(wire).await?;
    let within = match (organization, location) {
        (None, Some(_)) => all,
        (wanted, _) => vec![super::organization(&all, wanted)?.clone()],
    };
    let places = places(wire, &within).await?;
    match location {
        Some(wanted) => Ok(pick("location", &places, wanted)?.clone()),
        None => places.into_iter().next().ok_or_else(|| {
            Error::new(Kind::User, "no locations to work with").hint_run("viam locations list")
        }),
    }
}

/// The id of a location given by id or name. A UUID is taken as it is, without a call.
///
/// # Errors
/// As [`place`].
pub async fn location_id(wire: &Wire, organization: Option<&str>, wanted: &str) -> Result<String> {
    if is_uuid(wanted) {
        return Ok(wanted.to_owned());
    }
    Ok(place(wire, organization, Some(wanted)).await?.location.id)
}

/// The names of what a machine lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// Id of the organization.
    pub organization_id: String,
    /// Its name.
    pub organization: String,
    /// Id of the location.
    pub location_id: String,
    /// Its name.
    pub location: String,
}

/// The location's own name and the organization that it belongs to, asked side by side.
///
/// # Errors
/// `could not get location`, with the cause; `no parent org found`.
pub async fn whereabouts(wire: &Wire, location_id: &str) -> Result<Whereabouts> {
    let (mut one, mut other) = (app(wire.clone()), app(wire.clone()));
    let owners = one.get_organizations_with_access_to_location(
        GetOrganizationsWithAccessToLocationRequest { location_id: location_id.to_owned() },
    );
    let location = other.get_location(GetLocationRequest { location_id: location_id.to_owned() });
    let (owners, location) = tokio::join!(owners, location);
    let doing = || format!("could not get location {}", text::one_line(location_id));
    let owners = owners.map_err(|status| rpc_error(status, doing()))?.into_inner();
    let location = location.map_err(|status| rpc_error(status, doing()))?.into_inner();
    let Some(owner) = owners.organization_identities.into_iter().next() else {
        return Err(Error::new(
            Kind::User,
            format!("no parent org found for location {}", text::one_line(location_id)),
        )
        .hint_run("viam locations list"));
    };
    Ok(Whereabouts {
        organization_id: owner.id,
        organization: owner.name,
        location_id: location_id.to_owned(),
        location: location.location.unwrap_or_default().name,
    })
}
