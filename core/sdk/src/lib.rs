//! What an executable plugin links: it reads the session that the core hands over
//! (plugin-protocol §4, §5), and runs a command group with it.
//!
//! A group of this project, or anybody's, becomes the executable `viam-NAME` by
//!
//! ```text
//! viam_plugin::main!(my_group::MyGroup);
//! ```
//!
//! A program that wants the session alone calls [`Session::take`].
//!
//! The doors to the ambient world that the core needs too ([`doors`], [`streams`], [`report`],
//! [`trace`]) are here as well.

pub mod connect;
mod descriptor;
pub mod doors;
pub mod paths;
pub mod report;
mod run;
mod secret;
mod session;
mod sessions;
pub mod streams;
pub mod trace;

pub use run::run;
pub use secret::secret;
pub use session::Session;
pub use viam_contract as contract;

/// The `main` of an executable plugin.
#[macro_export]
macro_rules! main {
    ($plugin:expr) => {
        fn main() -> std::process::ExitCode {
            $crate::run(&$plugin)
        }
    };
}
