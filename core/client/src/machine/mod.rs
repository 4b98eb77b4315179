//! Talking to a machine itself, not to the cloud app.

pub mod link;
