//! The harness of the end-to-end tests: the real binaries, in a world that each test makes for
//! itself. Nothing of the developer's own environment reaches them.

#![expect(clippy::disallowed_methods, reason = "the harness starts real processes")]
#![expect(clippy::print_stdout, reason = "a skipped test says so")]
#![expect(clippy::unwrap_used, reason = "a harness that cannot work fails its test")]

mod command;
mod env;
mod outcome;
mod sandbox;

pub use command::Viam;
pub use env::{TestEnv, bin_dir, core_only, full, missing, peer, skip, tell};
pub use outcome::Outcome;
pub use sandbox::TestSandbox;
