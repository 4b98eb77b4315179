//! Everything that a command may touch.

use core::net::SocketAddr;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use crate::{Exit, Globals, Output, Result};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Any error of a transport. A type of its own, since futures that hold a client with a boxed
/// trait object as its error are not provably `Send`.
#[derive(Debug)]
pub struct WireError(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for WireError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

/// The one transport that generated gRPC clients are used with: TLS, plaintext, a WebRTC data
/// channel or a server in the same process look the same behind it. Credentials are attached
/// inside.
pub type Wire = tower::util::BoxCloneSyncService<
    http::Request<tonic::body::Body>,
    http::Response<tonic::body::Body>,
    WireError,
>;

/// What a connection goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// The cloud app of the session's base URL.
    App,
    /// Plain HTTP to whatever host the URL of a request names. The session's credential goes along
    /// to the hosts of the base URL, and nowhere else (transport.md §4.7).
    Web,
    /// The gRPC server of a machine's part, by the FQDN that the app gave for it. The session's
    /// token goes along where that is the host of the base URL itself, and nowhere else.
    Part {
        /// `host` or `host:port`.
        fqdn: String,
    },
    /// The gRPC server of a machine's part that was found on the local network. The session's API
    /// key goes there, for the machine itself to check, once TLS has shown that it has the FQDN's
    /// certificate. There is no way with another kind of login.
    Lan {
        /// The name of its certificate, without a port.
        fqdn: String,
        /// Where it was found.
        at: Vec<SocketAddr>,
    },
    /// A machine that the user named by its address, `host:port` or a URL. Nothing of the
    /// session goes there.
    Address {
        /// Where it is.
        address: String,
        /// Id and secret of an API key that the machine itself knows.
        key: Option<(String, String)>,
    },
}

/// A snapshot of the environment variables, taken once. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Env(Arc<[(OsString, OsString)]>);

impl Env {
    /// Makes a snapshot from pairs; the last one of a name wins.
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// The value, where the variable is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        let (_, value) = self.0.iter().rev().find(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value.as_os_str())
    }

    /// The value as text, where it is UTF-8 and not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str()
    }

    /// Every pair.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(key, value)| (key.as_os_str(), value.as_os_str()))
    }
}

/// Where files lie (docs/files.md).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dirs {
    /// The login files, shared with the existing program: `~/.viam` or `VIAM_HOME`.
    pub login: PathBuf,
    /// Our settings file.
    pub config_file: PathBuf,
    /// Plugins and sandboxes.
    pub data: PathBuf,
    /// What can be made again.
    pub cache: PathBuf,
}

/// The ids that stand in where a flag is not given (`viam defaults`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Organization id.
    pub org_id: Option<String>,
    /// Location id.
    pub location_id: Option<String>,
}

/// The wall clock.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> SystemTime;

    /// Seconds that this machine's time zone is ahead of UTC at `when`.
    fn utc_offset(&self, when: SystemTime) -> i32;
}

/// Questions to the user.
pub trait Prompter: Send + Sync {
    /// Whether there is somebody to ask: stdin and stderr are terminals and nothing forbids it.
    fn interactive(&self) -> bool;

    /// Asks yes or no; no is the default.
    ///
    /// # Errors
    /// When nobody can be asked.
    fn confirm(&self, question: &str) -> Result<bool>;
}

/// A process to start.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// The executable; looked up on PATH when it has no slash.
    pub program: PathBuf,
    /// Its arguments after argv\[0\].
    pub args: Vec<OsString>,
    /// Variables to set on top of the snapshot; `None` removes one.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// The bytes of its stdin; `None` leaves it the user's own.
    pub stdin: Option<Vec<u8>>,
}

/// What a captured process did.
#[derive(Clone, Debug)]
pub struct Captured {
    /// How it ended.
    pub exit: Exit,
    /// Its stdout.
    pub stdout: Vec<u8>,
    /// Its stderr.
    pub stderr: Vec<u8>,
}

/// Starts processes.
pub trait Spawner: Send + Sync {
    /// Runs it with our stdin, stdout and stderr; TERM and HUP that reach us are passed on.
    fn run(&self, job: Job) -> BoxFuture<'_, Result<Exit>>;

    /// Runs it and keeps what it prints.
    fn capture(&self, job: Job) -> BoxFuture<'_, Result<Captured>>;

    /// Starts it in a session of its own, stdout and stderr appended to `log`, and returns its
    /// process id without waiting.
    ///
    /// # Errors
    /// When it cannot be started.
    fn detach(&self, job: Job, log: &std::path::Path) -> Result<u32>;
}

/// Who is logged in, and connections with their credentials.
pub trait Sessions: Send + Sync {
    /// How the user is shown: the e-mail, or `key-<key id>`.
    ///
    /// # Errors
    /// `Auth` when nobody is logged in.
    fn subject(&self) -> Result<String>;

    /// The base URL of the session, normalised (`https://host:port`).
    ///
    /// # Errors
    /// When what was given is no URL.
    fn base_url(&self) -> Result<String>;

    /// A connection whose calls carry the session's token. Lazy: the network is touched by the
    /// first call.
    fn wire<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Wire>>;
}

/// All that a command sees of the world.
pub struct Context {
    /// The environment variables, as they were at start.
    pub env: Env,
    /// The working directory.
    pub cwd: PathBuf,
    /// The running core, for call-backs (`VIAM_CLI`).
    pub core_exe: PathBuf,
    /// Where files lie.
    pub dirs: Dirs,
    /// stdout and stderr.
    pub output: Arc<Output>,
    /// The global flags.
    pub globals: Globals,
    /// Default organization and location.
    pub defaults: Defaults,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Questions.
    pub prompter: Arc<dyn Prompter>,
    /// Processes.
    pub spawner: Arc<dyn Spawner>,
    /// Login and connections.
    pub sessions: Arc<dyn Sessions>,
}
