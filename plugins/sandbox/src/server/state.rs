//! What all parts of the server share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use viam_contract::{Error, Kind, Result, ResultExt as _};

use super::clock::Clock;
use super::content::Contents;
use super::ice::IceServer;
use super::jwt::Signer;
use super::live::Live;
use super::relay::Relay;
use super::traffic::Traffic;
use crate::seed::Seed;
use crate::store::{self, Failure, Store};

/// The state behind every request.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) signer: Signer,
    pub(crate) traffic: Traffic,
    pub(crate) base_url: String,
    pub(crate) admin_token: String,
    pub(crate) token_lifetime: Duration,
    pub(crate) device_interval: Duration,
    pub(crate) device_lifetime: Duration,
    pub(crate) tails: Tails,
    pub(crate) live: Live,
    pub(crate) contents: Contents,
    pub(crate) relay: Arc<Relay>,
    pub(crate) ice_servers: Vec<IceServer>,
    /// How often machines capture something; zero for never.
    pub(crate) capture: Duration,
    /// Whether messages of requests are kept.
    pub(crate) record: bool,
    /// Becomes true when the server is to end.
    pub(crate) stop: watch::Sender<bool>,
}

/// What streams of logs wait for.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    /// Something may have been added.
    pub(crate) added: watch::Sender<()>,
    /// Has a receiver for each that has begun.
    pub(crate) open: watch::Sender<()>,
    /// All of them are to end.
    pub(crate) ended: watch::Sender<()>,
}

/// Where the description of the world is stored.
const SEED: &str = "seed";

impl Shared {
    /// Fills a store that nothing was ever put into.
    pub(crate) fn fill(store: &Store, clock: &Clock, seed: &Seed) -> Result<()> {
        let stored = store.with(|db| store::meta(db, SEED)).or_kind(Kind::Config, reading)?;
        if stored.is_some() {
            return Ok(());
        }
        plant(store, clock, seed)
    }

    /// Throws the world away and makes another, or the same once more.
    pub(crate) fn reset(self: &Arc<Self>, seed: Option<Seed>) -> Result<()> {
        let seed = match seed {
            Some(seed) => seed,
            None => self.seed()?,
        };
        plant(&self.store, &self.clock, &seed)?;
        // Those that follow a part that is gone end.
        self.tails.added.send_replace(());
        Live::start(self)
    }

    /// What the world was made from.
    pub(crate) fn seed(&self) -> Result<Seed> {
        let stored = self.store.with(|db| store::meta(db, SEED)).or_kind(Kind::Config, reading)?;
        let stored = stored.unwrap_or_default();
        serde_json::from_slice(&stored).or_kind(Kind::Config, reading)
    }

    /// Runs work that may take a while where it holds up nobody else.
    pub(crate) async fn blocking<T: Send + 'static>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            Error::new(Kind::Internal, "work of the sandbox failed").because(error)
        })
    }
}

fn reading() -> String {
    "cannot read the sandbox's data".to_owned()
}

fn plant(store: &Store, clock: &Clock, seed: &Seed) -> Result<()> {
    let world = seed.world();
    let now = clock.micros();
    let stored = serde_json::to_vec(seed).or_kind(Kind::Internal, reading)?;
    store.with(|db| {
        store::clear(db)?;
        world.load(db, now)?;
        store::set_meta(db, SEED, &stored)?;
        Ok::<_, Failure>(())
    })?;
    Ok(())
}
