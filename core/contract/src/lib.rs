//! What the core and a command group agree on, and nothing else.
//!
//! A built-in group and an executable plugin implement the same interface: [`Plugin`] describes
//! itself and runs with a [`Context`]. Everything that comes from the world (environment, clock,
//! terminal, network, processes) is a value or a trait object in the context, so that a test
//! can put anything there.
//!
//! Invariants: no I/O, no ambient access, no runtime in this crate; `cargo xtask tidy` checks
//! its dependencies.

pub mod cli;
mod context;
mod error;
mod exit;
mod globals;
pub mod json;
mod manifest;
mod output;
mod plugin;
mod session;
pub mod text;

pub use context::{
    BoxFuture, Captured, Clock, Context, Defaults, Dirs, Env, Job, Prompter, Sessions, Spawner,
    Target, Wire, WireError,
};
pub use error::{Error, Hint, Kind, Result, ResultExt};
pub use exit::Exit;
pub use globals::{ColorChoice, Format, Globals};
pub use manifest::{
    AuthNeed, Complete, MANIFEST_SCHEMA, Manifest, ManifestCommand, ManifestFlag, Requires, Run,
    SessionMode,
};
pub use output::{Output, Stream};
pub use plugin::{About, Plugin};
pub use session::{
    Auth, CoreInfo, DocumentDefaults, Endpoint, Invocation, Io, Log, PluginInfo, SESSION_LIMIT,
    SESSION_SCHEMA, SessionDocument,
};

/// The version of the plugin protocol (plugin-protocol §4, `VIAM_PLUGIN_PROTOCOL`).
pub const PLUGIN_PROTOCOL: u32 = 1;

/// The version of this release, as `viam version` prints it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The base URL that is meant where nobody says another one.
pub const DEFAULT_BASE_URL: &str = "https://app.viam.com:443";
