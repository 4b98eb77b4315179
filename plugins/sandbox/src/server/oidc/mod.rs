//! The login provider: OpenID discovery, the device flow (RFC 8628), refresh with rotation.

mod device;
mod page;
mod token;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

pub(super) use device::{Decision, decide};

use super::front::Address;
use super::jwt::{ACCESS, Access};
use super::state::Shared;
use crate::store::logins;

/// Where a device asks for a login.
const DEVICE_AUTHORIZATION: &str = "/oauth/device_authorization";

/// Where tokens come from.
pub(super) const TOKEN: &str = "/oauth/token";

const KEYS: &str = "/oauth/keys";
const USER_INFO: &str = "/oauth/userinfo";

/// Where the user decides.
const DEVICE_PAGE: &str = "/device";

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route(DEVICE_AUTHORIZATION, post(device::authorize))
        .route(TOKEN, post(token::token))
        .route(KEYS, get(keys))
        .route(USER_INFO, get(user_info).post(user_info))
        .route(DEVICE_PAGE, get(page::ask).post(page::answer))
        .with_state(shared)
}

async fn discovery(Extension(Address(issuer)): Extension<Address>) -> Json<Value> {
    let at = |path: &str| format!("{issuer}{path}");
    Json(json!({
        "issuer": issuer,
        "device_authorization_endpoint": at(DEVICE_AUTHORIZATION),
        "token_endpoint": at(TOKEN),
        "jwks_uri": at(KEYS),
        "userinfo_endpoint": at(USER_INFO),
        "scopes_supported": ["openid", "email", "offline_access"],
        "grant_types_supported": [token::DEVICE_GRANT, token::REFRESH_GRANT],
        "response_types_supported": ["none"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "token_endpoint_auth_methods_supported": ["none"],
        "claims_supported": ["iss", "sub", "aud", "iat", "exp", "email", "email_verified"],
    }))
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.signer.key_set())
}

async fn user_info(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let access = token.and_then(|token| shared.signer.verify::<Access>(token)).filter(|access| {
        access.token_use == ACCESS && access.exp > shared.clock.micros() / 1_000_000
    });
    let user = access
        .and_then(|access| shared.store.with(|db| logins::user(db, &access.sub)).ok().flatten());
    match user {
        Some(user) => Json(json!({ "sub": user.id, "email": user.email, "email_verified": true }))
            .into_response(),
        None => {
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
            (StatusCode::UNAUTHORIZED, challenge, "not logged in\n").into_response()
        }
    }
}

/// Why a request of the OAuth endpoints fails.
pub(super) struct OAuthError {
    error: &'static str,
    description: String,
}

impl OAuthError {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { error, description: description.into() }
    }
}

impl From<rusqlite::Error> for OAuthError {
    fn from(error: rusqlite::Error) -> Self {
        Self::new("server_error", error.to_string())
    }
}

impl From<viam_contract::Error> for OAuthError {
    fn from(error: viam_contract::Error) -> Self {
        Self::new("server_error", error.to_string())
    }
}

impl From<crate::store::Failure> for OAuthError {
    fn from(error: crate::store::Failure) -> Self {
        viam_contract::Error::from(error).into()
    }
}

impl axum::response::IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let status = match self.error {
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = json!({ "error": self.error, "error_description": self.description });
        (status, unstored(), Json(body)).into_response()
    }
}

/// Answers with tokens and codes are not kept anywhere on the way.
fn unstored() -> [(header::HeaderName, &'static str); 1] {
    [(header::CACHE_CONTROL, "no-store")]
}
