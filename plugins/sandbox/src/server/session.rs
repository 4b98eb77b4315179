//! A login made without a browser: for `sandbox run`, for a started sandbox's own home, for tests.

use serde::{Deserialize, Serialize};
use viam_contract::{Error, Kind, Result};

use super::oidc::TOKEN;
use super::rpc::sign_in;
use super::state::Shared;
use crate::store::Failure;
use crate::store::logins;

/// The client id of such a login.
const CLIENT_ID: &str = "viam-sandbox";

/// A user's tokens and what a client needs to use and refresh them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Login {
    /// The sandbox.
    pub base_url: String,
    /// The user.
    pub email: String,
    /// The user's id.
    pub sub: String,
    /// Goes on calls.
    pub access_token: String,
    /// Gets other tokens, once.
    pub refresh_token: String,
    /// Says who it is.
    pub id_token: String,
    /// When the access token ends, in microseconds since 1970.
    pub expires: i64,
    /// Where the refresh token is exchanged.
    pub token_url: String,
    /// In whose name.
    pub client_id: String,
}

impl Shared {
    /// Logs a user in.
    ///
    /// # Errors
    /// `User` when the world has no such user.
    pub(crate) fn login(&self, email: &str) -> Result<Login> {
        let now = self.clock.micros();
        let done = self.store.with(|db| {
            let user = logins::user_by_email(db, email)?
                .ok_or_else(|| Error::new(Kind::User, format!("this world has no user {email}")))?;
            let scope = "email openid offline_access";
            let session = sign_in(self, db, &self.base_url, &user, CLIENT_ID, scope)?;
            Ok::<_, Failure>((user, session))
        });
        let (user, session) = done?;
        let lifetime = i64::try_from(session.expires_in).unwrap_or(i64::MAX / 2_000_000);
        Ok(Login {
            base_url: self.base_url.clone(),
            email: user.email,
            sub: user.id,
            access_token: session.access_token,
            refresh_token: session.refresh_token,
            id_token: session.id_token,
            expires: now.saturating_add(lifetime * 1_000_000),
            token_url: format!("{}{TOKEN}", self.base_url),
            client_id: CLIENT_ID.to_owned(),
        })
    }
}
