//! Names and ids of organizations, locations, machines and parts (behaviour.md §0.5).
//!
//! An id is compared exactly first; then names, exactly. Several things of one name are an
//! error that lists them with their ids.

use viam_contract::{Error, Kind, Result, Wire, text};
use viam_proto::app::v1::app_service_client::AppServiceClient;
use viam_proto::app::v1::{
    ListLocationsRequest, ListOrganizationsRequest, ListRobotsRequest, Location, Organization,
    Robot,
};

use crate::wire::RECEIVE_LIMIT;
use crate::{parallel, rpc_error};

/// The client of the app, with the receive limit of the existing program.
#[must_use]
pub fn app(wire: Wire) -> AppServiceClient<Wire> {
    AppServiceClient::new(wire).max_decoding_message_size(RECEIVE_LIMIT)
}

/// A thing with an id and a name.
pub trait Named {
    /// Its id, an opaque string.
    fn id(&self) -> &str;
    /// Its name.
    fn name(&self) -> &str;
}

macro_rules! named {
    ($($message:ty),*) => { $(impl Named for $message {
        fn id(&self) -> &str { &self.id }
        fn name(&self) -> &str { &self.name }
    })* };
}
named!(Organization, Location, Robot);

/// Finds one by id or name.
///
/// # Errors
/// `User`: `no <kind> found for "X"`, or the candidates where the name is not unique.
pub fn pick<'a, T: Named>(kind: &str, items: &'a [T], wanted: &str) -> Result<&'a T> {
    if let Some(item) = items.iter().find(|item| item.id() == wanted) {
        return Ok(item);
    }
    let named: Vec<&T> = items.iter().filter(|item| item.name() == wanted).collect();
    match named[..] {
        [item] => Ok(item),
        [] => {
            let error =
                Error::new(Kind::User, format!("no {kind} found for {}", text::quoted(wanted)));
            Err(match text::nearest(wanted, items.iter().map(Named::name)).first() {
                Some(near) => error.hint_text(format!("did you mean {}?", text::quoted(near))),
                None => error,
            })
        }
        _ => {
            let ids: Vec<&str> = named.iter().map(|item| item.id()).collect();
            Err(Error::new(
                Kind::User,
                format!("{} names {} {kind}s", text::quoted(wanted), ids.len()),
            )
            .hint_text(format!("use an id: {}", ids.join(", "))))
        }
    }
}

/// Every organization that the session sees.
///
/// # Errors
/// `could not list organizations`, with the cause.
pub async fn organizations(wire: &Wire) -> Result<Vec<Organization>> {
    let answer = app(wire.clone())
        .list_organizations(ListOrganizationsRequest::default())
        .await
        .map_err(|status| rpc_error(status, "could not list organizations"))?;
    Ok(answer.into_inner().organizations)
}

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

/// The organization that is meant: by id or name, or where none is given the first.
///
/// # Errors
/// As [`pick`]; `no organizations to work with`.
pub fn organization<'a>(
    organizations: &'a [Organization],
    wanted: Option<&str>,
) -> Result<&'a Organization> {
    match wanted {
        Some(wanted) => pick("organization", organizations, wanted),
        None => organizations.first().ok_or_else(|| {
            Error::new(Kind::User, "no organizations to work with").hint_run("viam whoami")
        }),
    }
}

/// The id of an organization given by id or name. A UUID is taken as it is, without a call.
///
/// # Errors
/// As [`organizations`] and [`pick`].
pub async fn organization_id(wire: &Wire, wanted: &str) -> Result<String> {
    if is_uuid(wanted) {
        return Ok(wanted.to_owned());
    }
    let all = organizations(wire).await?;
    Ok(pick("organization", &all, wanted)?.id.clone())
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
        (wanted, _) => vec![self::organization(&all, wanted)?.clone()],
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

/// The id of a machine given by id or name, in every location that the session sees. A UUID is
/// taken as it is, without a call.
///
/// # Errors
/// As [`pick`].
pub async fn machine_id(wire: &Wire, organization: Option<&str>, wanted: &str) -> Result<String> {
    if is_uuid(wanted) {
        return Ok(wanted.to_owned());
    }
    let all = organizations(wire).await?;
    let within = match organization {
        Some(wanted) => vec![pick("organization", &all, wanted)?.clone()],
        None => all,
    };
    let places = places(wire, &within).await?;
    let robots =
        parallel::map(&places, |place| async { machines(wire, &place.location.id).await }).await?;
    let robots: Vec<Robot> = robots.into_iter().flatten().collect();
    Ok(pick("machine", &robots, wanted)?.id.clone())
}

/// Whether it is written as a UUID (RFC 9562 §4).
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(id: &str, name: &str) -> Organization {
        Organization { id: id.into(), name: name.into(), ..Organization::default() }
    }

    #[test]
    fn ids_first_then_names_and_candidates_where_it_is_not_one() {
        let all = [org("1", "a"), org("2", "b"), org("3", "b"), org("a", "z")];
        assert_eq!(pick("organization", &all, "a").expect("by id").name, "z");
        assert_eq!(pick("organization", &all, "z").expect("by name").id, "a");
        let error = pick("organization", &all, "b").expect_err("two");
        assert_eq!(error.message(), "\"b\" names 2 organizations");
        assert!(format!("{:?}", error.hints()).contains("2, 3"));
        let error = pick("organization", &all, "a%d").expect_err("none");
        assert_eq!(error.message(), "no organization found for \"a%d\"");
    }

    #[test]
    fn uuids() {
        assert!(is_uuid("11111111-2222-3333-4444-555555555555"));
        for other in
            ["", "82c608a-1be9-46a5-968d-bad3a8a6daa", "11111111-2222-3333-4444-55555555555g"]
        {
            assert!(!is_uuid(other), "{other}");
        }
    }
}
