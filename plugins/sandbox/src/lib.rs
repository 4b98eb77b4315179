//! `viam sandbox`: a complete local cloud, for trying, teaching and testing.

mod files;
pub mod seed;
pub mod server;
mod store;
