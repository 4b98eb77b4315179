//! Where a sandbox lies, whether it runs, and asking it.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;
use viam_client::http_client;
use viam_client::net::Net;
use viam_contract::{Context, Env, Error, Kind, Result, ResultExt as _, text};

use crate::server::admin::{ADMIN_HEADER, Status};
use crate::server::{STATE_FILE, StateFile, lock};

/// How long a running sandbox may take to say that it runs.
const PATIENCE: Duration = Duration::from_secs(5);

/// A place where a sandbox runs or may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The directory; unknown where only its login home is known.
    pub(crate) dir: Option<PathBuf>,
    /// The home that is logged in to it.
    pub(crate) home: PathBuf,
    state_file: PathBuf,
}

impl Place {
    /// The sandbox of a directory.
    pub(crate) fn in_dir(dir: PathBuf) -> Self {
        Self { home: dir.join("home"), state_file: dir.join(STATE_FILE), dir: Some(dir) }
    }

    /// The one that is meant: `--dir`, or the one whose home this is, or the default one.
    pub(crate) fn of(cx: &Context, dir: Option<&Path>) -> Self {
        if let Some(dir) = dir {
            return Self::in_dir(cx.cwd.join(dir));
        }
        let home = cx.dirs.login.clone();
        let state_file = home.join(STATE_FILE);
        if state_file.exists() {
            let dir = home.parent().filter(|dir| dir.join(STATE_FILE).exists());
            return Self { dir: dir.map(Path::to_owned), home, state_file };
        }
        Self::in_dir(cx.dirs.data.join("sandboxes").join("default"))
    }

    /// What the state file says, true or not.
    ///
    /// # Errors
    /// `Config` when it cannot be read.
    pub(crate) fn state(&self) -> Result<Option<StateFile>> {
        let bytes = match std::fs::read(&self.state_file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let words = format!("cannot read {}", self.state_file.display());
                return Err(Error::new(Kind::Config, words).because(error));
            }
        };
        // One that was cut off says nothing.
        Ok(serde_json::from_slice(&bytes).ok())
    }

    /// The sandbox that runs here. What a killed one left behind is cleaned away.
    ///
    /// # Errors
    /// `Config` when the state file cannot be read, `Remote` when one runs and does not answer.
    pub(crate) async fn running(&self) -> Result<Option<(StateFile, Status)>> {
        self.running_within(PATIENCE).await
    }

    async fn running_within(&self, patience: Duration) -> Result<Option<(StateFile, Status)>> {
        let Some(state) = self.state()? else { return Ok(None) };
        match timeout(patience, ask::<Status>(&state, "status", None)).await {
            Ok(Ok(status)) if status.pid == state.pid => return Ok(Some((state, status))),
            Err(_) if self.is_held() => return Err(self.silent(&state, patience)),
            // Nobody there, or somebody else, or one that is about to end.
            _ => {}
        }
        if !self.is_held() {
            let _ = std::fs::remove_file(&self.state_file);
        }
        Ok(None)
    }

    fn silent(&self, state: &StateFile, patience: Duration) -> Error {
        let words = format!(
            "the sandbox in {} did not answer within {} s",
            self.shown(),
            patience.as_secs()
        );
        Error::new(Kind::Remote, words)
            .hint_text(format!("process {0} runs it; `kill {0}` ends it", state.pid))
    }

    /// The sandbox that must run here.
    ///
    /// # Errors
    /// `User` when there is none.
    pub(crate) async fn required(&self) -> Result<(StateFile, Status)> {
        self.running().await?.ok_or_else(|| {
            Error::new(Kind::User, format!("no sandbox is running in {}", self.shown()))
                .hint_run("viam sandbox start")
        })
    }

    /// Whether a process still holds the directory, be it about to end.
    pub(crate) fn is_held(&self) -> bool {
        self.dir.as_ref().is_some_and(|dir| lock::is_held(dir))
    }

    /// The place in words.
    pub(crate) fn shown(&self) -> String {
        self.dir.as_ref().unwrap_or(&self.home).display().to_string()
    }
}

/// Asks a running sandbox.
///
/// # Errors
/// `Remote` when it does not answer, `User` with its words when it refuses.
pub(crate) async fn ask<T: DeserializeOwned>(
    state: &StateFile,
    path: &str,
    body: Option<Value>,
) -> Result<T> {
    let doing = || format!("cannot ask the sandbox at {}", state.base_url);
    let url = format!("{}/sandbox/{path}", state.base_url);
    let request = if body.is_some() { Request::post(url) } else { Request::get(url) };
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = request
        .header(ADMIN_HEADER, &state.admin_token)
        .body(Bytes::from(body))
        .or_kind(Kind::Internal, doing)?;
    let net = Net::new(Env::default(), Arc::new(|_: &str| {}));
    let answer = http_client::send(&net, request).await?;
    if answer.status != StatusCode::OK {
        let refused: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let words = refused["error"].as_str().unwrap_or("the sandbox refused the request");
        return Err(Error::new(Kind::User, text::one_line(words)));
    }
    serde_json::from_slice(&answer.body).or_kind(Kind::Remote, doing)
}

/// The variables of the user's own settings, which must not leak into a sandbox's.
pub(crate) const FOREIGN: [&str; 13] = [
    "VIAM_API_KEY",
    "VIAM_API_KEY_ID",
    "VIAM_BASE_URL",
    "VIAM_CLI_PROFILE_NAME",
    "VIAM_CONFIG",
    "VIAM_ORG_ID",
    "VIAM_LOCATION_ID",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "VIAM_SESSION",
    "VIAM_STDIN",
];

/// PATH with the folder of the running core in front.
pub(crate) fn path_led_by_core(cx: &Context) -> OsString {
    let mut path = OsString::new();
    if let Some(folder) = cx.core_exe.parent() {
        path.push(folder);
    }
    if let Some(rest) = cx.env.get("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::Fake;

    #[test]
    fn which_sandbox_is_meant() {
        let fake = Fake::new();
        let default = Place::of(&fake.cx, None);
        assert_eq!(default.dir, Some(fake.cx.dirs.data.join("sandboxes/default")));
        let named = Place::of(&fake.cx, Some(Path::new("d")));
        assert_eq!(named.home, fake.cx.cwd.join("d/home"));
        std::fs::create_dir_all(&fake.cx.dirs.login).expect("home");
        std::fs::write(fake.cx.dirs.login.join(STATE_FILE), "{}").expect("state");
        assert_eq!(Place::of(&fake.cx, None).home, fake.cx.dirs.login);
    }

    fn state_of(port: u16) -> StateFile {
        StateFile {
            pid: 1,
            port,
            base_url: format!("http://127.0.0.1:{port}"),
            admin_token: "x".to_owned(),
        }
    }

    fn write(dir: &Path, state: &StateFile) {
        let bytes = serde_json::to_vec(state).expect("JSON");
        std::fs::write(dir.join(STATE_FILE), bytes).expect("state");
    }

    #[tokio::test]
    async fn what_a_live_sandbox_says_of_itself_stays() {
        let fake = Fake::new();
        let dir = fake.dir.path().join("d");
        let _held = lock::take(&dir).expect("free");
        let place = Place::in_dir(dir.clone());
        // One that is about to end takes no connection.
        write(&dir, &state_of(1));
        assert!(place.running().await.expect("asked").is_none());
        assert!(dir.join(STATE_FILE).exists());
        // One that hangs takes them and says nothing.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
        write(&dir, &state_of(listener.local_addr().expect("address").port()));
        let error = place.running_within(Duration::from_millis(50)).await.expect_err("silent");
        assert_eq!(error.kind(), Kind::Remote);
        assert!(error.message().contains("did not answer"), "{error:?}");
        assert!(dir.join(STATE_FILE).exists());
    }

    #[tokio::test]
    async fn what_a_killed_sandbox_left_is_cleaned() {
        let fake = Fake::new();
        let dir = fake.dir.path().join("d");
        std::fs::create_dir_all(&dir).expect("directory");
        let place = Place::in_dir(dir.clone());
        write(&dir, &state_of(1));
        assert!(place.running().await.expect("asked").is_none());
        assert!(!dir.join(STATE_FILE).exists());
        std::fs::write(dir.join(STATE_FILE), "{\"pid\": 1").expect("state");
        assert!(place.running().await.expect("asked").is_none());
        let error = place.required().await.expect_err("nothing runs");
        assert!(error.message().contains(&*dir.to_string_lossy()) && !error.hints().is_empty());
    }
}
