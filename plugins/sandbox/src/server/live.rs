//! The machines that the sandbox plays, each on a port of its own, which is the FQDN of its part:
//! other clients dial a name with a port as it stands (cloud-side.md §0).

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use viam_contract::{Kind, Result, ResultExt as _};

use super::front::Front;
use super::listen;
use super::state::Shared;
use super::{answerer, capture};
use crate::machine::{Log, Machine};
use crate::seed::LogSpec;
use crate::store::{Part, parts};

/// A part is touched at the start when it was last heard of longer ago, in microseconds.
const STALE: i64 = 60 * 1_000_000;

/// The machines that run.
pub(crate) struct Live {
    running: Mutex<HashMap<String, Running>>,
    bound: mpsc::UnboundedSender<Binding>,
    heartbeat: Duration,
    homes: Homes,
}

/// Where the machines have their files.
pub(crate) enum Homes {
    /// In the directory of the sandbox.
    Kept(PathBuf),
    /// Gone with the sandbox.
    Passing(TempDir),
}

impl Homes {
    pub(crate) fn new(dir: Option<&Path>) -> Result<Self> {
        match dir {
            Some(dir) => Ok(Self::Kept(dir.join("machines"))),
            None => tempfile::Builder::new()
                .prefix("viam-machines-")
                .tempdir()
                .or_kind(Kind::Config, || "cannot make a folder for the machines".to_owned())
                .map(Self::Passing),
        }
    }

    fn path(&self, part: &str) -> PathBuf {
        // Ids of a world are any text.
        let name: String =
            part.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        match self {
            Self::Kept(dir) => dir.join(name),
            Self::Passing(dir) => dir.path().join(name),
        }
    }
}

/// One of them; its port is closed when this is dropped.
struct Running {
    /// `None` where a machine of somebody's own is behind it.
    machine: Option<Machine>,
    /// The change of the part that it is configured by.
    updated: i64,
    _stop: watch::Sender<bool>,
}

/// A port that is to be served.
pub(crate) struct Binding {
    part: String,
    host: String,
    machine: Option<Machine>,
    listeners: Vec<TcpListener>,
    stop: watch::Receiver<bool>,
}

/// Ports that are to be served.
pub(crate) type Bindings = mpsc::UnboundedReceiver<Binding>;

impl Live {
    pub(crate) fn new(heartbeat: Duration, homes: Homes) -> (Self, Bindings) {
        let (bound, bindings) = mpsc::unbounded_channel();
        (Self { running: Mutex::default(), bound, heartbeat, homes }, bindings)
    }

    /// The folder of the files of a machine.
    pub(crate) fn home(&self, part: &str) -> PathBuf {
        self.homes.path(part)
    }

    /// Starts what the world has, in place of what ran before.
    pub(crate) fn start(shared: &Arc<Shared>) -> Result<()> {
        let doing = || "cannot use the sandbox's data".to_owned();
        shared.live.lock().clear();
        let found = shared.store.with(|db| parts::with_port(db)).or_kind(Kind::Config, doing)?;
        found.iter().try_for_each(|part| Self::open(shared, part))
    }

    /// Opens the port of a part, and starts its machine where the sandbox plays it.
    fn open(shared: &Arc<Shared>, part: &Part) -> Result<()> {
        let doing = || "cannot use the sandbox's data".to_owned();
        let now = shared.clock.micros();
        // Clients know a machine by its address, so it has the same one every time.
        let before = part.port.and_then(|port| listen::bind(port).ok());
        let (listeners, port) = match before {
            Some(bound) => bound,
            None => listen::bind(0)?,
        };
        let machine = if part.live { Some(play(shared, part)?) } else { None };
        let stale = part.live && part.last_access.is_none_or(|last| now - last > STALE);
        shared
            .store
            .with(|db| {
                if stale {
                    parts::touch(db, &part.id, now)?;
                }
                parts::set_port(db, &part.id, port)
            })
            .or_kind(Kind::Config, doing)?;
        let (stop, stopped) = watch::channel(false);
        let binding = Binding {
            part: part.id.clone(),
            host: format!("127.0.0.1:{port}"),
            machine: machine.clone(),
            listeners,
            stop: stopped,
        };
        // A server that ended serves nothing more.
        let _ = shared.live.bound.send(binding);
        let running = Running { machine, updated: part.updated, _stop: stop };
        shared.live.lock().insert(part.id.clone(), running);
        Ok(())
    }

    /// The machine of a part, configured as the part is now.
    pub(crate) fn machine(&self, part: &Part) -> Option<Machine> {
        let mut running = self.lock();
        let running = running.get_mut(&part.id)?;
        let machine = running.machine.clone()?;
        if running.updated != part.updated {
            machine.reconfigure(&config(part));
            running.updated = part.updated;
        }
        Some(machine)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parts whose machines the sandbox plays.
    pub(super) fn ids(&self) -> Vec<String> {
        let running = self.lock();
        let played = running.iter().filter(|(_, running)| running.machine.is_some());
        played.map(|(id, _)| id.clone()).collect()
    }
}

impl Shared {
    /// Gives a part a port, unless it has one.
    pub(super) fn open_port(self: &Arc<Self>, id: &str) -> Result<()> {
        if self.live.lock().contains_key(id) {
            return Ok(());
        }
        let part = self.store.with(|db| parts::get(db, id));
        match part.or_kind(Kind::Config, || "cannot use the sandbox's data".to_owned())? {
            Some(part) => Live::open(self, &part),
            None => Ok(()),
        }
    }
}

/// Starts the machine of a part.
fn play(shared: &Arc<Shared>, part: &Part) -> Result<Machine> {
    let began = Arc::new(AtomicBool::new(false));
    let log = log(Arc::downgrade(shared), part.id.clone(), began.clone());
    let home = shared.live.homes.path(&part.id);
    let machine = Machine::new(part.name.clone(), &config(part), log, home)?;
    began.store(true, Ordering::Relaxed);
    Ok(machine)
}

fn config(part: &Part) -> Map<String, Value> {
    serde_json::from_str(&part.config).unwrap_or_default()
}

/// What a machine says goes where logs of machines lie, once it has begun: what it starts with is
/// in the world already.
fn log(shared: Weak<Shared>, part: String, began: Arc<AtomicBool>) -> Log {
    Arc::new(move |level: &str, logger: &str, message: &str| {
        if began.load(Ordering::Relaxed)
            && let Some(shared) = shared.upgrade()
        {
            // A part that is gone has no logs.
            let _ = shared.append_logs(&part, &[LogSpec::new(level, logger, message)]);
        }
    })
}

/// Serves the ports as they come.
pub(crate) async fn serve(mut bindings: Bindings, tls: TlsAcceptor, front: Front) {
    tokio::spawn(beat(front.shared().clone()));
    tokio::spawn(capture::run(front.shared().clone()));
    while let Some(binding) = bindings.recv().await {
        let listeners: std::io::Result<Vec<_>> =
            binding.listeners.into_iter().map(tokio::net::TcpListener::from_std).collect();
        let Ok(listeners) = listeners else { continue };
        let relay = front.shared().relay.clone();
        let Binding { host, machine, stop, .. } = binding;
        if let Some(machine) = machine {
            let servers = front.shared().ice_servers.clone();
            tokio::spawn(answerer::run(relay, host, machine, servers, stop.clone()));
        }
        let front = front.at_part(&binding.part);
        tokio::spawn(listen::serve(listeners, tls.clone(), front, stop));
    }
}

/// Says again and again that the machines are there.
async fn beat(shared: Arc<Shared>) {
    let mut beats: u64 = 0;
    loop {
        tokio::time::sleep(shared.live.heartbeat).await;
        beats += 1;
        let (worker, up) = (shared.clone(), beats * shared.live.heartbeat.as_secs());
        let done = Shared::blocking(move || {
            let now = worker.clock.micros();
            for id in worker.live.ids() {
                worker.store.with(|db| parts::touch(db, &id, now))?;
                let said = LogSpec::new("info", "rdk", format!("up for {up} s"));
                // A part may be deleted in between.
                let _ = worker.append_logs(&id, &[said]);
            }
            Ok::<_, rusqlite::Error>(())
        })
        .await;
        if !matches!(done, Ok(Ok(()))) {
            return;
        }
    }
}
