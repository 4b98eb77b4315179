//! Handing a command to another executable (plugin-protocol §3–§5).

mod ask;
mod document;
mod environment;
mod exec;
mod handover;
pub mod manifest;
mod precheck;

pub use exec::launch;
pub use precheck::runnable;

/// The variable that counts how deep plugins are nested.
pub const DEPTH: &str = "VIAM_PLUGIN_DEPTH";

/// Deeper than this nothing is started.
pub const MAX_DEPTH: u32 = 16;
