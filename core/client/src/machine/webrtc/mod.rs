//! A machine reached by WebRTC: signaling through the cloud, then a data channel to the machine
//! itself (transport.md §5.4, §5.5).

mod dial;
mod peer;
mod runtime;
mod servers;
mod signal;

pub use dial::{Dialed, Failure, dial};
pub use peer::{Open, Peer};
pub use servers::Servers;
pub use signal::{decode_sdp, encode_sdp, from_candidate, to_candidate};
pub use webrtc::peer_connection::RTCIceServer;

/// The servers that say how this computer is seen from outside, as the existing programs use them
/// (transport.md §5.4).
pub const STUN_SERVERS: [&str; 2] = ["stun:global.stun.twilio.com:3478", "stun:turn.viam.com:443"];
