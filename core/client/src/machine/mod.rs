//! Talking to a machine itself, not to the cloud app.

pub mod link;
#[cfg(feature = "webrtc")]
pub mod webrtc;
