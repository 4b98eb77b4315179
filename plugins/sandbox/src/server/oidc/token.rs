//! The token endpoint.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, State};
use axum::response::{IntoResponse as _, Json, Response};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::json;

use super::{OAuthError, unstored};
use crate::seed::DEMO_USER;
use crate::server::front::Address;
use crate::server::rpc::{Session, sign_in};
use crate::server::secrets;
use crate::server::state::Shared;
use crate::store::logins;
use crate::store::{DeviceState, User};

pub(super) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
pub(super) const REFRESH_GRANT: &str = "refresh_token";

/// What a device must wait longer after it polled too soon, in seconds (RFC 8628 §3.5).
const SLOWER: i64 = 5;

/// A poll may come so much too early, in microseconds: networks are not even.
const JITTER: i64 = 100_000;

#[derive(Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    device_code: String,
    #[serde(default)]
    refresh_token: String,
}

pub(super) async fn token(
    State(shared): State<Arc<Shared>>,
    Extension(Address(issuer)): Extension<Address>,
    Form(request): Form<Request>,
) -> Result<Response, OAuthError> {
    let session = match request.grant_type.as_str() {
        DEVICE_GRANT => by_device(&shared, &issuer, &request)?,
        REFRESH_GRANT => by_refresh(&shared, &issuer, &request)?,
        "" => return Err(OAuthError::new("invalid_request", "grant_type is missing")),
        other => {
            return Err(OAuthError::new(
                "unsupported_grant_type",
                format!("do not know the grant type {other:?}"),
            ));
        }
    };
    let answer = json!({
        "access_token": session.access_token,
        "refresh_token": session.refresh_token,
        "id_token": session.id_token,
        "token_type": "Bearer",
        "expires_in": session.expires_in,
    });
    Ok((unstored(), Json(answer)).into_response())
}

/// One step of a device that polls. What it learns is stored even when it is told to wait.
fn by_device(shared: &Shared, issuer: &str, request: &Request) -> Result<Session, OAuthError> {
    let hash = secrets::digest(&request.device_code);
    let now = shared.clock.micros();
    shared.store.with(|db| {
        let device = logins::device_by_hash(db, &hash)?
            .filter(|device| device.client_id == request.client_id);
        let Some(mut device) = device else {
            return Ok(Err(OAuthError::new("invalid_grant", "there is no such device code")));
        };
        if device.expires <= now {
            return Ok(Err(OAuthError::new("expired_token", "the device code expired")));
        }
        match device.state {
            DeviceState::Denied => {
                return Ok(Err(OAuthError::new("access_denied", "the user said no")));
            }
            DeviceState::Approved => {
                logins::delete_device(db, &hash)?;
                let user = demo_user(db)?;
                let scope = &device.scope;
                let session = sign_in(shared, db, issuer, &user, &device.client_id, scope)?;
                return Ok(Ok(session));
            }
            DeviceState::Pending => {}
        }
        let soon = device
            .polled
            .is_some_and(|polled| now - polled + JITTER < device.pause.saturating_mul(1_000_000));
        device.polled = Some(now);
        let answer = if soon {
            device.pause += SLOWER;
            OAuthError::new("slow_down", format!("wait {} s between two polls", device.pause))
        } else {
            OAuthError::new("authorization_pending", "the user has not decided")
        };
        logins::update_device(db, &device)?;
        Ok::<_, OAuthError>(Err(answer))
    })?
}

/// Exchanges a refresh token for a new one; the old one is worth nothing after that.
fn by_refresh(shared: &Shared, issuer: &str, request: &Request) -> Result<Session, OAuthError> {
    let hash = secrets::digest(&request.refresh_token);
    let refused = |why: &str| OAuthError::new("invalid_grant", why);
    shared.store.with(|db| {
        let refresh = logins::refresh(db, &hash)?
            .filter(|refresh| refresh.client_id == request.client_id)
            .ok_or_else(|| refused("there is no such refresh token"))?;
        if refresh.used {
            return Err(refused("the refresh token was used before"));
        }
        let user = logins::user(db, &refresh.user)?.ok_or_else(|| refused("the user is gone"))?;
        logins::use_refresh(db, &hash)?;
        Ok(sign_in(shared, db, issuer, &user, &refresh.client_id, &refresh.scope)?)
    })
}

/// Whoever approves in the browser is this user: the sandbox has no passwords.
fn demo_user(db: &Connection) -> Result<User, OAuthError> {
    logins::user_by_email(db, DEMO_USER)?
        .ok_or_else(|| OAuthError::new("access_denied", format!("this world has no {DEMO_USER}")))
}
