//! Talking to a machine itself, not to the cloud app.

#[cfg(feature = "lan")]
pub mod lan;
pub mod link;
#[cfg(feature = "webrtc")]
pub mod webrtc;
