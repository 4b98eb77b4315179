//! A device asks for a login, and the user decides.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, State};
use axum::response::{IntoResponse as _, Json, Response};
use serde::Deserialize;
use serde_json::json;
use viam_contract::Result;

use super::{DEVICE_PAGE, OAuthError, unstored};
use crate::server::front::Address;
use crate::server::secrets;
use crate::server::state::Shared;
use crate::store::logins;
use crate::store::{Device, DeviceState, Failure};

/// Requests are remembered for so long after they ran out, in microseconds: until then a late
/// poll is told that its code expired.
const REMEMBERED: i64 = 3_600_000_000;

#[derive(Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    scope: String,
}

pub(super) async fn authorize(
    State(shared): State<Arc<Shared>>,
    Extension(Address(base)): Extension<Address>,
    Form(request): Form<Request>,
) -> Result<Response, OAuthError> {
    if request.client_id.is_empty() {
        return Err(OAuthError::new("invalid_request", "client_id is missing"));
    }
    let now = shared.clock.micros();
    let lifetime = shared.device_lifetime.as_secs();
    let interval = shared.device_interval.as_secs();
    let device_code = secrets::token()?;
    let device = Device {
        hash: secrets::digest(&device_code),
        user_code: secrets::user_code()?,
        client_id: request.client_id,
        scope: request.scope,
        state: DeviceState::Pending,
        pause: i64::try_from(interval).unwrap_or(i64::MAX),
        polled: None,
        expires: now + i64::try_from(lifetime).unwrap_or(i64::MAX / 2_000_000) * 1_000_000,
    };
    shared.store.with(|db| logins::insert_device(db, &device, now - REMEMBERED))?;
    let page = format!("{base}{DEVICE_PAGE}");
    let answer = json!({
        "device_code": device_code,
        "user_code": device.user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", device.user_code),
        "expires_in": lifetime,
        "interval": interval,
    });
    Ok((unstored(), Json(answer)).into_response())
}

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Decision {
    /// It was taken.
    Taken,
    /// There is no such code, or it expired.
    Unknown,
    /// It was taken before, this way.
    Before(DeviceState),
}

/// The user says yes or no to a code.
pub(in crate::server) fn decide(shared: &Shared, code: &str, approve: bool) -> Result<Decision> {
    let code = normal(code);
    let now = shared.clock.micros();
    let decided = shared.store.with(|db| {
        let device = logins::device_by_code(db, &code)?.filter(|device| device.expires > now);
        let Some(mut device) = device else { return Ok::<_, Failure>(Decision::Unknown) };
        if device.state != DeviceState::Pending {
            return Ok(Decision::Before(device.state));
        }
        device.state = if approve { DeviceState::Approved } else { DeviceState::Denied };
        logins::update_device(db, &device)?;
        Ok(Decision::Taken)
    });
    Ok(decided?)
}

/// Whether a code can still be decided on.
pub(super) fn is_pending(shared: &Shared, code: &str) -> bool {
    let now = shared.clock.micros();
    let device = shared.store.with(|db| logins::device_by_code(db, &normal(code)));
    device
        .ok()
        .flatten()
        .is_some_and(|device| device.expires > now && device.state == DeviceState::Pending)
}

/// A code as it was given out: people type small letters, spaces and no dash.
pub(super) fn normal(code: &str) -> String {
    let letters: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    match letters.split_at_checked(4) {
        Some((first, rest)) => format!("{first}-{rest}"),
        None => letters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_as_people_type_them() {
        for typed in ["WDJB-MJHT", "wdjbmjht", " wdjb mjht "] {
            assert_eq!(normal(typed), "WDJB-MJHT");
        }
        assert_eq!(normal("<b>"), "B");
    }
}
