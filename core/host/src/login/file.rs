//! `cached_cli_config.json` (transport.md §1.2): the form that the existing program reads and
//! writes. Keys are matched without regard to case, every key is optional, unknown ones are
//! ignored (the other program drops them, so nothing of ours is kept here).

use std::fmt;
use std::path::Path;

use chrono::{DateTime, FixedOffset};
use serde_json::{Map, Value, json};
use viam_contract::Result;

use crate::files;

/// Go's zero time: no time is known.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// A session file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionFile {
    /// The base URL the login belongs to, as written.
    pub base_url: String,
    /// The credential.
    pub auth: Option<Auth>,
    /// RFC 3339 or empty; kept for the other program.
    pub last_update_check: String,
    /// Kept for the other program.
    pub latest_version: String,
    /// Organization id or empty.
    pub default_org: String,
    /// Location id or empty.
    pub default_location: String,
}

/// The two kinds of login.
#[derive(Clone, Debug, PartialEq)]
pub enum Auth {
    /// By the device flow.
    User(UserToken),
    /// By an API key.
    Key(ApiKey),
}

/// The tokens of a user.
#[derive(Clone, PartialEq)]
pub struct UserToken {
    /// Sent with each call.
    pub access_token: String,
    /// Gets a new set; rotates.
    pub refresh_token: String,
    /// JWT with the user's e-mail.
    pub id_token: String,
    /// When the access token ends.
    pub expires_at: Option<DateTime<FixedOffset>>,
    /// Where to refresh.
    pub token_url: String,
    /// As which client to refresh.
    pub client_id: String,
    /// Who it is.
    pub email: String,
    /// The provider's id of the user.
    pub subject: String,
}

/// An API key.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub key: String,
}

impl fmt::Debug for UserToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserToken").field("email", &self.email).finish_non_exhaustive()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Auth {
    /// How the user is shown: the e-mail, or `key-<key id>`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::User(token) => token.email.clone(),
            Self::Key(key) => format!("key-{}", key.id),
        }
    }
}

/// What was found at a path.
#[expect(clippy::large_enum_variant, reason = "one value in a process")]
#[derive(Clone, Debug, PartialEq)]
pub enum Loaded {
    /// No file.
    Missing,
    /// A session file, with or without a login in it.
    File(SessionFile),
    /// A file that cannot be used, and why.
    Broken(String),
}

/// Reads a session file.
///
/// # Errors
/// `Config` when a file is there and may not be read.
pub fn load(path: &Path) -> Result<Loaded> {
    let Some(bytes) = files::read(path)? else { return Ok(Loaded::Missing) };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Loaded::Broken("it is empty".to_owned()));
    }
    Ok(match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(object)) => parse(&object),
        Ok(_) => Loaded::Broken("it is not a JSON object".to_owned()),
        Err(error) => Loaded::Broken(error.to_string()),
    })
}

/// Writes a session file, whole or not at all, 0600.
///
/// # Errors
/// `Config` with the path.
pub(super) fn store(path: &Path, session: &SessionFile) -> Result<()> {
    files::replace_json(path, &render(session))
}

/// Changes a session file under the lock that every writer takes, so that what is replaced is
/// what was read. `edit` gives the new content, or `None` to leave the file as it is.
///
/// # Errors
/// As [`load`], [`store`] and `edit`.
pub fn change(path: &Path, edit: impl FnOnce(Loaded) -> Result<Option<SessionFile>>) -> Result<()> {
    let _lock = lock(path)?;
    match edit(load(path)?)? {
        Some(session) => store(path, &session),
        None => Ok(()),
    }
}

/// Removes a session file under the same lock; what does not exist is no failure.
///
/// # Errors
/// `Config` with the path.
pub fn forget(path: &Path) -> Result<()> {
    let _lock = lock(path)?;
    files::remove(path)?;
    Ok(())
}

/// The lock of the folder that a session file lies in.
pub(super) fn lock(path: &Path) -> Result<files::Lock> {
    files::lock_blocking(&path.with_file_name(".lock"))
}

fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v))
}

fn text(object: &Map<String, Value>, name: &str) -> String {
    field(object, name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn parse(object: &Map<String, Value>) -> Loaded {
    let auth = match field(object, "auth") {
        None | Some(Value::Null) => None,
        Some(Value::Object(auth)) => match parse_auth(auth) {
            Some(auth) => Some(auth),
            None => {
                return Loaded::Broken(
                    "its `auth` holds neither a user's token nor an API key".to_owned(),
                );
            }
        },
        Some(_) => return Loaded::Broken("its `auth` is not an object".to_owned()),
    };
    Loaded::File(SessionFile {
        base_url: text(object, "base_url"),
        auth,
        last_update_check: text(object, "last_update_check"),
        latest_version: text(object, "latest_version"),
        default_org: text(object, "default_org"),
        default_location: text(object, "default_location"),
    })
}

/// A user's token if it names an e-mail, else a key if it has an id (transport.md §1.2).
fn parse_auth(auth: &Map<String, Value>) -> Option<Auth> {
    let user = field(auth, "user_data").and_then(Value::as_object);
    let email = user.map(|user| text(user, "email")).unwrap_or_default();
    if !email.is_empty() {
        return Some(Auth::User(UserToken {
            access_token: text(auth, "access_token"),
            refresh_token: text(auth, "refresh_token"),
            id_token: text(auth, "id_token"),
            expires_at: Some(text(auth, "expires_at"))
                .filter(|at| at != NO_TIME)
                .and_then(|at| DateTime::parse_from_rfc3339(&at).ok()),
            token_url: text(auth, "token_url"),
            client_id: text(auth, "client_id"),
            email,
            subject: user.map(|user| text(user, "sub")).unwrap_or_default(),
        }));
    }
    let id = text(auth, "key_id");
    (!id.is_empty()).then(|| Auth::Key(ApiKey { id, key: text(auth, "key_crypto") }))
}

fn render(session: &SessionFile) -> Value {
    let auth = match &session.auth {
        None => Value::Null,
        Some(Auth::Key(key)) => json!({ "key_id": key.id, "key_crypto": key.key }),
        Some(Auth::User(token)) => json!({
            "access_token": token.access_token,
            "refresh_token": token.refresh_token,
            "id_token": token.id_token,
            // Not known, it is Go's zero time: an empty text would make the other program reject
            // the file, and this makes it refresh.
            "expires_at": token
                .expires_at
                .map_or_else(|| NO_TIME.to_owned(), |at| at.to_rfc3339()),
            // The other program's own constant, not the server's "Bearer".
            "token_type": "user-oauth-token",
            "token_url": token.token_url,
            "client_id": token.client_id,
            // An object here would make the other program reject the file.
            "user_data": { "Claims": null, "email": token.email, "sub": token.subject },
        }),
    };
    json!({
        "base_url": session.base_url,
        "auth": auth,
        "last_update_check": session.last_update_check,
        "latest_version": session.latest_version,
        "default_org": session.default_org,
        "default_location": session.default_location,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> UserToken {
        UserToken {
            access_token: "a%d".into(),
            refresh_token: "r".into(),
            id_token: "i".into(),
            expires_at: DateTime::parse_from_rfc3339("2026-11-24T23:27:23.123456789+02:00").ok(),
            token_url: "https://x/oauth2/token".into(),
            client_id: "c".into(),
            email: "me@x.com".into(),
            subject: "s".into(),
        }
    }

    #[test]
    fn a14_what_is_written_is_read_and_other_programs_find_their_keys() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("cached_cli_config.json");
        for auth in [
            None,
            Some(Auth::User(token())),
            Some(Auth::Key(ApiKey { id: "kid".into(), key: "secret".into() })),
        ] {
            let session = SessionFile {
                base_url: "https://app.viam.com:443".into(),
                auth,
                default_org: "o".into(),
                ..SessionFile::default()
            };
            store(&path, &session).expect("stores");
            assert_eq!(load(&path).expect("loads"), Loaded::File(session));
        }
        let endless = UserToken { expires_at: None, ..token() };
        let session = SessionFile { auth: Some(Auth::User(endless)), ..SessionFile::default() };
        store(&path, &session).expect("stores");
        assert_eq!(load(&path).expect("loads"), Loaded::File(session));
        let text = std::fs::read_to_string(&path).expect("reads");
        assert!(text.contains("\"expires_at\": \"0001-01-01T00:00:00Z\""), "{text}");
        let session = SessionFile { auth: Some(Auth::User(token())), ..SessionFile::default() };
        store(&path, &session).expect("stores");
        let text = std::fs::read_to_string(&path).expect("reads");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["auth"]["access_token"], "a%d");
        assert_eq!(json["auth"]["token_type"], "user-oauth-token");
        assert_eq!(json["auth"]["user_data"]["Claims"], Value::Null);
        assert!(text.starts_with("{\n  \"") && text.ends_with('}'));
    }

    #[test]
    fn files_of_the_existing_program_are_read() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("f");
        let with = |text: &str| {
            std::fs::write(&path, text).expect("writes");
            load(&path).expect("loads")
        };
        assert!(
            matches!(with(r#"{"base_url":"h","auth":null}"#), Loaded::File(f) if f.auth.is_none())
        );
        let Loaded::File(file) = with(
            r#"{"Base_URL":"h","AUTH":{"Access_Token":"t","user_data":{"Email":"e@x","sub":"s"},"key_id":"k"}}"#,
        ) else {
            panic!("not read")
        };
        assert_eq!(file.auth.expect("auth").subject(), "e@x");
        let Loaded::File(file) = with(r#"{"auth":{"key_id":"k","key_crypto":"c"}}"#) else {
            panic!("not read")
        };
        assert_eq!(file.auth.expect("auth").subject(), "key-k");
        for broken in ["", "  ", "{", "[]", r#"{"auth":{}}"#, r#"{"auth":3}"#, "{}}"] {
            assert!(matches!(with(broken), Loaded::Broken(_)), "{broken:?}");
        }
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let shown =
            format!("{:?} {:?}", token(), ApiKey { id: "kid".into(), key: "hidden".into() });
        assert!(!shown.contains("hidden") && !shown.contains("a%d"));
    }
}
