//! What an id token says. It comes straight from the token endpoint over TLS, so its signature
//! need not be verified (OpenID Connect Core §3.1.3.7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeZone as _, Utc};
use serde_json::Value;
use viam_contract::{Error, Kind, Result};

/// Who logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The e-mail.
    pub email: String,
    /// The provider's id of the user.
    pub subject: String,
}

/// Reads e-mail and subject.
///
/// # Errors
/// `Remote` when the provider sent something else.
pub fn id_token_claims(token: &str) -> Result<Claims> {
    let fault =
        |why: &str| Error::new(Kind::Remote, format!("the login provider's id token {why}"));
    let payload = payload(token).ok_or_else(|| fault("is not a JWT"))?;
    let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
    let claims = Claims { email: text("email"), subject: text("sub") };
    if claims.email.is_empty() || claims.subject.is_empty() {
        return Err(fault("names no e-mail and subject"));
    }
    Ok(claims)
}

/// The `exp` of a token, where it is a JWT that has one.
pub(super) fn expiry(token: &str) -> Option<DateTime<Utc>> {
    Utc.timestamp_opt(payload(token)?["exp"].as_i64()?, 0).single()
}

fn payload(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload) = (parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_and_what_is_none() {
        let jwt = |payload: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload));
        let claims = id_token_claims(&jwt(r#"{"email":"e@x","sub":"s"}"#)).expect("claims");
        assert_eq!(claims, Claims { email: "e@x".into(), subject: "s".into() });
        for bad in ["", "a.b", "x", &jwt("{}"), &jwt(r#"{"email":"e"}"#), &jwt("[]")] {
            assert!(id_token_claims(bad).is_err(), "{bad}");
        }
        assert_eq!(expiry(&jwt(r#"{"exp":5}"#)).expect("exp").timestamp(), 5);
        assert!(expiry("opaque").is_none());
    }
}
