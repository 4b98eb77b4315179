//! Names and ids of organizations, locations, machines and parts (behaviour.md §0.5).
//!
//! An id is compared exactly first; then names, exactly. Several things of one name are an
//! error that lists them with their ids.

use viam_contract::{Error, Kind, Result, Wire, text};
use viam_proto::app::v1::app_service_client::AppServiceClient;
use viam_proto::app::v1::{
    ListLocationsRequest, ListOrganizationsRequest, Location, Organization, Robot,
};

use crate::rpc_error;
use crate::wire::RECEIVE_LIMIT;

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
