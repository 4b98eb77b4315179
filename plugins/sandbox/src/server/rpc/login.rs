//! Access tokens and sessions of users.

use rusqlite::Connection;
use serde_json::json;
use viam_contract::Result;

use crate::server::jwt::{ACCESS, Access};
use crate::server::secrets;
use crate::server::state::Shared;
use crate::store::logins;
use crate::store::{Failure, Identity, Refresh, User};

/// The tokens of a user who has logged in.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) id_token: String,
    /// Seconds from now.
    pub(crate) expires_in: u64,
}

/// Makes an access token; `secret` is the fingerprint of a key's secret.
pub(crate) fn access_token(
    shared: &Shared,
    issuer: &str,
    who: &Identity,
    secret: Option<String>,
) -> Result<String> {
    let now = shared.clock.micros() / 1_000_000;
    shared.signer.sign(&Access {
        iss: issuer.to_owned(),
        sub: who.id().to_owned(),
        aud: vec![issuer.to_owned()],
        iat: now,
        exp: now.saturating_add_unsigned(shared.token_lifetime.as_secs()),
        jti: secrets::id()?,
        rpc_creds_type: who.kind().to_owned(),
        token_use: ACCESS.to_owned(),
        secret,
    })
}

/// Logs a user in: three new tokens.
pub(crate) fn sign_in(
    shared: &Shared,
    db: &Connection,
    issuer: &str,
    user: &User,
    client_id: &str,
    scope: &str,
) -> Result<Session, Failure> {
    let micros = shared.clock.micros();
    let now = micros / 1_000_000;
    let lifetime = shared.token_lifetime.as_secs();
    let refresh_token = secrets::token()?;
    let stored = Refresh {
        user: user.id.clone(),
        client_id: client_id.to_owned(),
        scope: scope.to_owned(),
        used: false,
    };
    logins::insert_refresh(db, &secrets::digest(&refresh_token), &stored, micros)?;
    let id_token = shared.signer.sign(&json!({
        "iss": issuer,
        "sub": user.id,
        "aud": client_id,
        "iat": now,
        "exp": now.saturating_add_unsigned(lifetime),
        "email": user.email,
        "email_verified": true,
        "token_use": "id",
    }))?;
    let who = Identity::User(user.id.clone());
    let access_token = access_token(shared, issuer, &who, None)?;
    Ok(Session { access_token, refresh_token, id_token, expires_in: lifetime })
}
