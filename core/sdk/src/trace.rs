//! `--debug`: what is done, on stderr, with no secret in it.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::time::ChronoUtc;
use tracing_subscriber::layer::SubscriberExt as _;

/// Turns tracing on for the rest of the process. Only our own target is shown: what the
/// libraries below trace may hold headers.
pub fn start(color: bool) {
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(color)
        .with_target(false)
        .with_timer(ChronoUtc::new("%H:%M:%S%.3f".to_owned()));
    let subscriber = tracing_subscriber::registry()
        .with(Targets::new().with_target("viam", LevelFilter::DEBUG))
        .with(layer);
    // A second call in one process would be a test; the first one stays.
    drop(tracing::subscriber::set_global_default(subscriber));
}
