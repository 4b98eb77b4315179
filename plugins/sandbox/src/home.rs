//! A home that is logged in: the login file in the form that the existing program reads too
//! (transport.md §1.2).

use std::path::Path;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use viam_contract::{Kind, Result, ResultExt as _};

use crate::files;
use crate::seed::DEMO_USER;
use crate::server::{Login, Running, STATE_FILE};

/// The login file.
const LOGIN_FILE: &str = "cached_cli_config.json";

/// Makes the home of a running sandbox: logged in as the demo user, unless somebody has logged in
/// there otherwise and the login still holds.
///
/// # Errors
/// `Config` when it cannot be written, `User` when the world has no such user.
pub(crate) fn prepare(home: &Path, running: &Running) -> Result<()> {
    files::make_private_dir(home)?;
    let file = home.join(LOGIN_FILE);
    if !holds(&file, running) {
        let login = login_file(&running.login(DEMO_USER)?, running.clock().micros());
        let bytes = serde_json::to_vec_pretty(&login)
            .or_kind(Kind::Internal, || "cannot write the login".to_owned())?;
        files::write_private(&file, &bytes)?;
    }
    // So that `viam sandbox` with this home means this sandbox.
    running.state_file().write(home)
}

/// Takes back what says that the sandbox runs.
pub(crate) fn forget(home: &Path) {
    let _ = std::fs::remove_file(home.join(STATE_FILE));
}

/// Whether a login file is one for this sandbox that it still knows.
fn holds(file: &Path, running: &Running) -> bool {
    let stored: Option<Value> =
        std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(stored) = stored else { return false };
    let auth = &stored["auth"];
    let known = match auth["access_token"].as_str() {
        Some(token) => running.knows(token),
        None => auth["key_id"].as_str().is_some_and(|id| running.has_key(id)),
    };
    known && stored["base_url"] == running.base_url()
}

fn login_file(login: &Login, now: i64) -> Value {
    let time = |micros: i64| {
        DateTime::from_timestamp_micros(micros)
            .unwrap_or_default()
            .to_rfc3339_opts(SecondsFormat::Secs, true)
    };
    json!({
        "base_url": login.base_url,
        "auth": {
            "access_token": login.access_token,
            "refresh_token": login.refresh_token,
            "id_token": login.id_token,
            "expires_at": time(login.expires),
            "token_type": "user-oauth-token",
            "token_url": login.token_url,
            "client_id": login.client_id,
            "user_data": { "Claims": null, "email": login.email, "sub": login.sub },
        },
        "last_update_check": time(now),
        "latest_version": "",
        "default_org": "",
        "default_location": "",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Options, Server};

    fn read(home: &Path) -> Value {
        serde_json::from_slice(&std::fs::read(home.join(LOGIN_FILE)).expect("file")).expect("JSON")
    }

    #[test]
    fn the_login_file_has_the_form_that_others_read() {
        let dir = tempfile::tempdir().expect("dir");
        let running = Server::start(Options::default()).expect("started");
        prepare(dir.path(), &running).expect("prepared");
        let login = read(dir.path());
        assert_eq!(login["base_url"], running.base_url());
        assert_eq!(login["auth"]["user_data"]["email"], DEMO_USER);
        assert_eq!(login["auth"]["token_type"], "user-oauth-token");
        let ends = login["auth"]["expires_at"].as_str().expect("time");
        assert!(DateTime::parse_from_rfc3339(ends).is_ok(), "{ends}");
    }

    #[test]
    fn a_login_that_holds_is_left_alone() {
        let dir = tempfile::tempdir().expect("dir");
        let running = Server::start(Options::default()).expect("started");
        prepare(dir.path(), &running).expect("first");
        let before = read(dir.path());
        prepare(dir.path(), &running).expect("again");
        assert_eq!(read(dir.path()), before);
        let other = Server::start(Options::default()).expect("started");
        prepare(dir.path(), &other).expect("another sandbox");
        assert_eq!(read(dir.path())["base_url"], other.base_url());
    }
}
