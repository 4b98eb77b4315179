//! The real world: the one crate, with the plugin SDK, that reads the environment, the home
//! folder, the clock and the terminal.
//!
//! | folder | what it does |
//! |---|---|
//! | `files` | writing without ever leaving half a file |
//! | `login` | session files, profiles, device flow, refresh, keys |
//! | `route` | which program a command word means |
//! | `launch` | handing a command to another executable |

pub mod context;
pub mod files;
pub mod launch;
pub mod login;
pub mod route;
pub mod settings;
pub mod world;

// The doors to the ambient world are shared with executable plugins.
pub use viam_plugin::{connect, doors, paths, report, secret, streams, trace};
