//! End-to-end tests: the real binaries against a real server, a module a subject.

#![expect(clippy::disallowed_methods, reason = "tests start processes and read the clock")]

mod commands;
mod data_queries;
mod data_verbs;
mod datasets;
mod device_flow;
mod dispatch;
mod docs;
mod export;
mod export_faults;
mod export_filters;
mod export_names;
mod files;
mod flags;
mod handover;
mod help;
mod hints;
mod keys_and_profiles;
mod lan;
mod live;
mod logs;
mod machines;
mod nat;
mod network;
mod output;
mod peers;
mod sandbox;
mod session;
mod stores;
mod support;
mod tabular;
mod tabular_faults;
mod tail;
mod transfers;
mod tunnel;
mod unsafe_plugins;
mod webrtc;
