//! Organizations.

use viam_contract::{Error, Kind, Result, Wire};
use viam_proto::app::v1::{ListOrganizationsRequest, Organization};

use super::{app, is_uuid, pick};
use crate::rpc_error;

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

/// The organizations to look in: the one that is named, or all.
///
/// # Errors
/// As [`organizations`] and [`pick`].
pub async fn organizations_within(wire: &Wire, wanted: Option<&str>) -> Result<Vec<Organization>> {
    let all = organizations(wire).await?;
    match wanted {
        Some(wanted) => Ok(vec![pick("organization", &all, wanted)?.clone()]),
        None => Ok(all),
    }
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
