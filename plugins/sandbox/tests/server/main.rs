//! The sandbox's server as a client sees it: every test has one of its own, in memory or in a
//! directory of its own, on a port that is free.

mod access;
mod auth;
mod common;
mod data;
mod datasets;
mod device;
mod durable;
mod faults;
mod keys;
mod logs;
mod machine;
mod queries;
mod resources;
mod transport;
mod worlds;
