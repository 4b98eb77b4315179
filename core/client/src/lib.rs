//! Reaching the cloud app: addresses, proxies, TLS, tokens on calls, errors in words, names.
//!
//! This crate reads no environment, no files and no wall clock; it is told. Its timers (connect,
//! call and stall limits) are the one use of time.

mod base_url;
pub mod http_client;
pub mod keys;
pub mod logs;
pub mod lookup;
pub mod machine;
pub mod net;
pub mod parallel;
pub mod retry;
mod status;
pub mod time;
pub mod web;
pub mod wire;

pub use base_url::BaseUrl;
pub use status::{lost, own_error, rpc_error};
