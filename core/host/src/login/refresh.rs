//! Renewing a user's tokens with one refresh in flight across processes: lock, read again,
//! refresh only if nobody else has, write.

use chrono::{DateTime, Utc};
use viam_client::net::Net;
use viam_contract::{Error, Kind, Output, Result};

use super::device;
use super::file::{Auth, Loaded, SessionFile, UserToken, change, load};
use super::source::Login;
use super::tokens::MARGIN;
use crate::files;

/// Whether the access token can be used at `now`.
pub(super) fn is_good(token: &UserToken, now: DateTime<Utc>) -> bool {
    // A token that does not say when it ends is good until the server says otherwise.
    token.expires_at.is_none_or(|end| now + MARGIN < end.to_utc())
}

/// Gets a token set better than `old`.
///
/// # Errors
/// `Auth` when the login has ended, `Remote` when the provider cannot be reached.
pub(super) async fn renew(
    net: &Net,
    login: &Login,
    old: &UserToken,
    now: DateTime<Utc>,
    output: &Output,
) -> Result<UserToken> {
    let folder = login.path.parent().unwrap_or(&login.path);
    // In a folder that cannot be written there is nobody to agree with.
    let _lock = match files::lock(&folder.join(".refresh.lock")).await {
        Ok(lock) => Some(lock),
        Err(error) if error.causes().is_empty() => return Err(error),
        Err(_) => None,
    };
    let Some(stored) = user_of(load(&login.path)?) else { return Err(ended(old)) };
    if stored.access_token != old.access_token && is_good(&stored, now) {
        return Ok(stored);
    }
    if stored.refresh_token.is_empty() || stored.token_url.is_empty() || stored.client_id.is_empty()
    {
        return Err(ended(old));
    }
    tracing::debug!(target: "viam", "renewing the login of {}", stored.email);
    let fresh = device::refresh(net, &stored, now).await?;
    let saved = change(&login.path, |loaded| {
        let Loaded::File(session) = loaded else { return Ok(None) };
        // A log-out or another login in the meantime stands; ours serves this process only.
        let ours = matches!(&session.auth, Some(Auth::User(user)) if *user == stored);
        Ok(ours.then(|| SessionFile { auth: Some(Auth::User(fresh.clone())), ..session }))
    });
    if let Err(error) = saved {
        output.warn(&format!("the renewed login could not be saved: {}", error.one_line()));
    }
    Ok(fresh)
}

/// The tokens of a user, where the file has some.
fn user_of(loaded: Loaded) -> Option<UserToken> {
    match loaded {
        Loaded::File(SessionFile { auth: Some(Auth::User(user)), .. }) => Some(user),
        _ => None,
    }
}

fn ended(old: &UserToken) -> Error {
    Error::new(Kind::Auth, format!("the login of {} has ended", old.email)).hint_run("viam login")
}
