//! gRPC over a link that carries whole messages, such as a WebRTC data channel.
//!
//! HTTP/2 has no part in it: each message of the link is one protobuf envelope that names its
//! stream (transport.md §5.6). [`Client`] makes calls over a link and [`serve`] answers them;
//! neither knows what the link is made of.

mod client;
mod frames;
mod headers;
mod receive;
mod server;
mod streams;
#[cfg(test)]
mod tests;
mod trace;

use bytes::Bytes;
use tokio::sync::mpsc;

pub use client::Client;
pub use server::serve;

/// The largest message of a link, in bytes (transport.md §5.6: "Envelope limit 65535 bytes").
pub const ENVELOPE_LIMIT: usize = 65_535;

/// How many envelopes wait in [`pair`] before the sender does: about the 1 MiB after which a
/// sender on a data channel waits (transport.md §5.6, back-pressure).
const PAIR_DEPTH: usize = 16;

/// One end of a link. Each item is one message of at most [`ENVELOPE_LIMIT`] bytes; they arrive
/// whole and in order.
///
/// Whoever carries the messages closes the link by dropping its ends of both channels, and takes
/// the end of `outgoing` as the wish to close it.
#[derive(Debug)]
pub struct Link {
    /// What is sent. Bounded, so that senders wait for a slow link.
    pub outgoing: mpsc::Sender<Bytes>,
    /// What was received. Not bounded: one stream that is read slowly must not hold up the others.
    pub incoming: mpsc::UnboundedReceiver<Bytes>,
}

/// Two ends that are joined in this process.
///
/// Must be called within a tokio runtime, which carries the messages.
#[must_use]
pub fn pair() -> (Link, Link) {
    let (left_out, right_in) = one_way();
    let (right_out, left_in) = one_way();
    (
        Link { outgoing: left_out, incoming: left_in },
        Link { outgoing: right_out, incoming: right_in },
    )
}

fn one_way() -> (mpsc::Sender<Bytes>, mpsc::UnboundedReceiver<Bytes>) {
    let (outgoing, mut waiting) = mpsc::channel(PAIR_DEPTH);
    let (arriving, incoming) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                // A sender has to learn that nobody listens any more, even while it is silent.
                () = arriving.closed() => break,
                message = waiting.recv() => {
                    if message.is_none_or(|message| arriving.send(message).is_err()) {
                        break;
                    }
                }
            }
        }
    });
    (outgoing, incoming)
}
