//! The server of the sandbox, as a library: a thread with everything behind one port.
//!
//! ```no_run
//! # use viam_sandbox::server::{Options, Server};
//! let running = Server::start(Options::default())?;
//! println!("{}", running.base_url());
//! running.stop();
//! # Ok::<(), viam_contract::Error>(())
//! ```
//!
//! On the port answer gRPC, gRPC-web and plain HTTP, in cleartext and in TLS. Services live in
//! `rpc`, the login provider in `oidc`, what commands and tests ask in [`admin`].

pub mod admin;
mod answerer;
mod capture;
mod clock;
mod content;
mod cors;
mod download;
mod faulty;
mod front;
mod ice;
mod jwt;
mod listen;
mod live;
pub(crate) mod lock;
pub(crate) mod names;
mod oidc;
mod relay;
mod rpc;
pub(crate) mod secrets;
mod session;
mod state;
mod tls;
mod traffic;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use tokio_rustls::TlsAcceptor;
use viam_contract::{Error, Kind, Result, ResultExt as _};

pub use clock::Clock;
pub use ice::IceServer;
pub use session::Login;
pub use traffic::{FaultRule, FaultStatus, Requests};

use crate::files;
use crate::seed::{LogSpec, Seed};
use crate::store::{self, Store};
use front::Front;
use jwt::Signer;
use live::Live;
use lock::DirLock;
use state::Shared;

/// The name of the state file in the sandbox's directory.
pub const STATE_FILE: &str = "sandbox.json";

/// The name of the file of its data there.
pub(crate) const DATA_FILE: &str = "sandbox.db";

/// How a sandbox is to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its data, its certificate and its state file lie; `None` leaves nothing anywhere.
    pub dir: Option<PathBuf>,
    /// Keeps the data in memory all the same.
    pub in_memory: bool,
    /// Its port. 0 is the one that the directory had before, if it is free, else any.
    pub port: u16,
    /// What a new sandbox is filled with. One that has data keeps it.
    pub seed: Seed,
    /// How long access tokens are good for.
    pub token_lifetime: Duration,
    /// What devices that ask for a login leave between two polls; whole seconds.
    pub device_interval: Duration,
    /// How long the user has to decide.
    pub device_lifetime: Duration,
    /// The time.
    pub clock: Clock,
    /// How often the machines that the sandbox plays say that they are there.
    pub heartbeat: Duration,
    /// How often these machines capture a picture of each camera and a reading of each sensor;
    /// zero for never.
    pub capture: Duration,
    /// What callers and machines are told to find each other by.
    pub ice_servers: Vec<IceServer>,
    /// Whether INT and TERM end the server.
    pub signals: bool,
    /// Whether it keeps what the calls of the data's services were asked with, for
    /// [`Running::recorded`].
    pub record: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dir: None,
            in_memory: false,
            port: 0,
            seed: Seed::default(),
            token_lifetime: Duration::from_secs(24 * 3600),
            device_interval: Duration::from_secs(5),
            device_lifetime: Duration::from_secs(600),
            clock: Clock::system(),
            heartbeat: Duration::from_secs(10),
            capture: Duration::from_secs(10),
            ice_servers: Vec::new(),
            signals: false,
            record: false,
        }
    }
}

/// What the state file of a running sandbox says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateFile {
    /// Its process.
    pub pid: u32,
    /// Its port.
    pub port: u16,
    /// Its address.
    pub base_url: String,
    /// What opens its admin interface.
    pub admin_token: String,
}

impl StateFile {
    /// Writes it into a directory.
    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(self)
            .or_kind(Kind::Internal, || "cannot write the state file".to_owned())?;
        files::write_private(&dir.join(STATE_FILE), &bytes)
    }
}

/// Starts sandboxes.
#[derive(Debug)]
pub struct Server;

/// A sandbox that serves. It stops when this is dropped.
pub struct Running {
    shared: Arc<Shared>,
    port: u16,
    certificate_pem: String,
    thread: Option<JoinHandle<()>>,
    ended: Option<oneshot::Receiver<()>>,
    dir: Option<PathBuf>,
    _lock: Option<DirLock>,
}

impl Server {
    /// Starts one, on a thread of its own; it answers when this returns.
    ///
    /// # Errors
    /// `User` when another one uses the directory or the port, `Config` when the data cannot be
    /// used.
    pub fn start(options: Options) -> Result<Running> {
        let dir = options.dir.as_deref();
        let lock = dir.map(lock::take).transpose()?;
        let file = dir.filter(|_| !options.in_memory).map(|dir| dir.join(DATA_FILE));
        let store = Store::open(file.as_deref())?;
        Shared::fill(&store, &options.clock, &options.seed)?;
        let signer = signer(&store)?;
        let identity = tls::identity(dir)?;
        let (listeners, port) = bind(&store, options.port)?;
        let (stop, stopped) = watch::channel(false);
        let (live, bound) = Live::new(options.heartbeat, live::Homes::new(dir)?);
        let shared = Arc::new(Shared {
            store,
            clock: options.clock,
            signer,
            traffic: Default::default(),
            tails: Default::default(),
            live,
            contents: content::Contents::new(dir)?,
            relay: Default::default(),
            base_url: format!("http://127.0.0.1:{port}"),
            admin_token: secrets::token()?,
            token_lifetime: options.token_lifetime,
            device_interval: options.device_interval,
            device_lifetime: options.device_lifetime,
            ice_servers: options.ice_servers,
            capture: options.capture,
            record: options.record,
            stop,
        });
        Live::start(&shared)?;
        let (ending, ended) = oneshot::channel();
        let (ready, started) = mpsc::channel();
        let front = Front::new(shared.clone());
        let acceptor = TlsAcceptor::from(identity.config);
        let signals = options.signals.then(|| shared.clone());
        let thread = std::thread::Builder::new()
            .name("viam-sandbox".to_owned())
            .spawn(move || {
                if let Err(error) =
                    serve(listeners, acceptor, front, bound, signals, stopped, &ready)
                {
                    let _ = ready.send(Err(error));
                }
                let _ = ending.send(());
            })
            .or_kind(Kind::Internal, || "cannot start a thread".to_owned())?;
        started.recv().or_kind(Kind::Internal, || "the sandbox's thread ended".to_owned())??;
        let running = Running {
            shared,
            port,
            certificate_pem: identity.certificate_pem,
            thread: Some(thread),
            ended: Some(ended),
            dir: options.dir,
            _lock: lock,
        };
        if let Some(dir) = &running.dir {
            running.state_file().write(dir)?;
        }
        Ok(running)
    }
}

impl Running {
    /// The port for everything.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// What opens the [`admin`] interface.
    #[must_use]
    pub fn admin_token(&self) -> &str {
        &self.shared.admin_token
    }

    /// The certificate for `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// What its state file says, whether it has one or not.
    #[must_use]
    pub fn state_file(&self) -> StateFile {
        StateFile {
            pid: std::process::id(),
            port: self.port,
            base_url: self.shared.base_url.clone(),
            admin_token: self.shared.admin_token.clone(),
        }
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// When the data cannot be used.
    pub fn status(&self) -> Result<admin::Status> {
        self.shared.status()
    }

    /// Whether it made an access token, for a user who is still there.
    pub(crate) fn knows(&self, access_token: &str) -> bool {
        let access: Option<jwt::Access> = self.shared.signer.verify(access_token);
        access.is_some_and(|access| {
            let user = self.shared.store.with(|db| store::logins::user(db, &access.sub));
            matches!(user, Ok(Some(_)))
        })
    }

    /// Whether there is a key of that id.
    pub(crate) fn has_key(&self, id: &str) -> bool {
        matches!(self.shared.store.with(|db| store::keys::get(db, id)), Ok(Some(_)))
    }

    /// Logs a user in, without a browser.
    ///
    /// # Errors
    /// `User` when the world has no such user.
    pub fn login(&self, email: &str) -> Result<Login> {
        self.shared.login(email)
    }

    /// Approves or refuses a device's login; says whether one waited for the decision.
    ///
    /// # Errors
    /// When the data cannot be used.
    pub fn decide(&self, user_code: &str, approve: bool) -> Result<bool> {
        Ok(oidc::decide(&self.shared, user_code, approve)? == oidc::Decision::Taken)
    }

    /// What was asked since the start or since it was cleared.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.shared.traffic.requests()
    }

    /// The messages that the last calls of a path began with, the oldest first: as they came,
    /// without the five bytes before each. There are up to 16, of `DataService` and
    /// `DatasetService`, where [`Options::record`] says so; those over 64 KiB are left out.
    #[must_use]
    pub fn recorded(&self, path: &str) -> Vec<Bytes> {
        self.shared.traffic.recorded(path)
    }

    /// How many bytes of answers were sent since the start.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.shared.traffic.sent()
    }

    /// Starts to count anew, and to record.
    pub fn clear_requests(&self) {
        self.shared.traffic.clear();
    }

    /// Puts faults in place of those before.
    pub fn set_faults(&self, rules: Vec<FaultRule>) {
        self.shared.traffic.set_rules(rules);
    }

    /// Adds entries to the logs of a part, the oldest first.
    ///
    /// # Errors
    /// `User` when there is no such part.
    pub fn append_logs(&self, part_id: &str, entries: Vec<LogSpec>) -> Result<()> {
        if self.shared.append_logs(part_id, &entries)? {
            return Ok(());
        }
        Err(Error::new(Kind::User, format!("this world has no part {part_id}")))
    }

    /// The address of a part, `127.0.0.1:PORT` where the sandbox plays its machine.
    ///
    /// # Errors
    /// `User` when there is no such part.
    pub fn fqdn(&self, part_id: &str) -> Result<String> {
        self.part(part_id).map(|part| part.fqdn)
    }

    /// The folder of the files of a part that the sandbox plays.
    #[must_use]
    pub fn machine_home(&self, part_id: &str) -> PathBuf {
        self.shared.live.home(part_id)
    }

    /// Gives a part another configuration; a machine that the sandbox plays takes it up.
    ///
    /// # Errors
    /// `User` when there is no such part.
    pub fn configure(&self, part_id: &str, config: &serde_json::Value) -> Result<()> {
        let mut part = self.part(part_id)?;
        part.config = config.to_string();
        part.updated = self.shared.clock.micros().max(part.updated + 1);
        self.shared
            .store
            .with(|db| store::parts::update(db, &part))
            .or_kind(Kind::Config, || "cannot use the sandbox's data".to_owned())
    }

    fn part(&self, id: &str) -> Result<store::Part> {
        let found = self.shared.store.with(|db| store::parts::get(db, id));
        found
            .or_kind(Kind::Config, || "cannot use the sandbox's data".to_owned())?
            .ok_or_else(|| Error::new(Kind::User, format!("this world has no part {id}")))
    }

    /// How many streams of logs are under way: each of them shows what is added from now on.
    #[must_use]
    pub fn open_tails(&self) -> usize {
        self.shared.tails.open.receiver_count()
    }

    /// Ends every stream of logs with UNAVAILABLE, as a server does that is replaced.
    pub fn end_tails(&self) {
        self.shared.tails.ended.send_replace(());
    }

    /// Throws the world away and makes another, or the same once more.
    ///
    /// # Errors
    /// When the world has a fault.
    pub fn reset(&self, seed: Option<Seed>) -> Result<()> {
        self.shared.reset(seed)
    }

    /// Waits until it ends: by `POST /sandbox/stop`, or by a signal where [`Options::signals`]
    /// says so.
    pub async fn ended(&mut self) {
        if let Some(ended) = self.ended.take() {
            let _ = ended.await;
        }
    }

    /// Ends it and waits for that.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if let Some(dir) = &self.dir {
            // A file that is left says nothing: nobody holds the lock.
            let _ = std::fs::remove_file(dir.join(STATE_FILE));
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("base_url", &self.shared.base_url).finish_non_exhaustive()
    }
}

/// The sandbox's thread: a runtime of its own, so that its caller may have any, or none.
fn serve(
    listeners: Vec<TcpListener>,
    acceptor: TlsAcceptor,
    front: Front,
    bound: live::Bindings,
    signals: Option<Arc<Shared>>,
    stopped: watch::Receiver<bool>,
    ready: &mpsc::Sender<Result<()>>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()
        .or_kind(Kind::Internal, || "cannot make a runtime".to_owned())?;
    let done = runtime.block_on(async {
        let listeners = listeners
            .into_iter()
            .map(tokio::net::TcpListener::from_std)
            .collect::<std::io::Result<Vec<_>>>()
            .or_kind(Kind::Internal, || "cannot use a socket".to_owned())?;
        if let Some(shared) = signals {
            stop_on_signals(&shared)?;
        }
        let _ = ready.send(Ok(()));
        tokio::spawn(live::serve(bound, acceptor.clone(), front.clone()));
        listen::serve(listeners, acceptor, front, stopped).await;
        Ok(())
    });
    runtime.shutdown_background();
    done
}

/// The key that signs tokens: tokens outlive a restart because it does.
fn signer(store: &Store) -> Result<Signer> {
    let doing = || "cannot use the sandbox's data".to_owned();
    let stored = store.with(|db| store::meta(db, "signing_key")).or_kind(Kind::Config, doing)?;
    if let Some(stored) = stored {
        return Signer::new(&stored);
    }
    let made = Signer::generate()?;
    store.with(|db| store::set_meta(db, "signing_key", &made)).or_kind(Kind::Config, doing)?;
    Signer::new(&made)
}

/// Takes the port, and remembers it: clients know the sandbox by its address.
fn bind(store: &Store, wanted: u16) -> Result<(Vec<TcpListener>, u16)> {
    let doing = || "cannot use the sandbox's data".to_owned();
    let before = store.with(|db| store::meta(db, "port")).or_kind(Kind::Config, doing)?;
    let before = before
        .and_then(|bytes| Some(u16::from_be_bytes(bytes.try_into().ok()?)))
        .filter(|_| wanted == 0)
        .and_then(|port| listen::bind(port).ok());
    let (listeners, port) = match before {
        Some(bound) => bound,
        None => listen::bind(wanted)?,
    };
    store
        .with(|db| store::set_meta(db, "port", &port.to_be_bytes()))
        .or_kind(Kind::Config, doing)?;
    Ok((listeners, port))
}

#[cfg(unix)]
fn stop_on_signals(shared: &Arc<Shared>) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut signal =
            signal(kind).or_kind(Kind::Internal, || "cannot wait for signals".to_owned())?;
        let shared = shared.clone();
        tokio::spawn(async move {
            signal.recv().await;
            shared.stop.send_replace(true);
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn stop_on_signals(shared: &Arc<Shared>) -> Result<()> {
    let shared = shared.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        shared.stop.send_replace(true);
    });
    Ok(())
}
