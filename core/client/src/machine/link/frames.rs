//! Messages as packets, and the length prefixes that HTTP/2 bodies have and packets have not.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body as _, Frame};
use prost::Message;
use tokio::sync::mpsc;
use tonic::Status;
use tonic::body::Body;
use viam_proto::rpc::webrtc::v1::PacketMessage;

use super::ENVELOPE_LIMIT;
use crate::wire::RECEIVE_LIMIT;

/// The payload of one packet, in bytes. It leaves room for the envelope, and both sides take it
/// (transport.md §5.6: "60000 tested").
pub(super) const PACKET: usize = 60_000;

/// The prefix of a message in a gRPC body over HTTP/2: a compression flag and a length. Packets
/// carry none of it (transport.md §5.6).
const PREFIX: usize = 5;

/// Cuts a message into packets.
///
/// The end is marked on the last packet that has data: an empty packet with the mark would be a
/// message of its own to the other side and corrupt the next one (transport.md §5.6).
pub(super) fn packets(mut message: Bytes) -> impl Iterator<Item = PacketMessage> {
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let data = message.split_to(message.len().min(PACKET));
        ended = message.is_empty();
        Some(PacketMessage { data, eom: ended })
    })
}

/// Puts packets together again.
#[derive(Default)]
pub(super) struct Assembler {
    /// The prefix, then the message so far; empty between messages.
    buffer: BytesMut,
}

impl Assembler {
    /// Takes a packet; gives the message, with a length prefix, when it is complete.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` for a message over the limit of 32 MiB (transport.md §5.6). Other
    /// implementations drop such a message, and their callers wait for ever.
    pub(super) fn push(&mut self, packet: PacketMessage) -> Result<Option<Bytes>, Status> {
        if self.buffer.is_empty() {
            self.buffer.put_bytes(0, PREFIX);
        }
        let length = self.buffer.len() - PREFIX + packet.data.len();
        check_length(length)?;
        self.buffer.extend_from_slice(&packet.data);
        if !packet.eom {
            return Ok(None);
        }
        let mut message = self.buffer.split();
        // The limit is far below 4 GiB.
        let length = u32::try_from(length).map_err(|_| too_large(length))?;
        message[1..PREFIX].copy_from_slice(&length.to_be_bytes());
        Ok(Some(message.freeze()))
    }

    /// Whether a message has begun and not ended.
    pub(super) fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }
}

fn check_length(length: usize) -> Result<(), Status> {
    if length > RECEIVE_LIMIT { Err(too_large(length)) } else { Ok(()) }
}

fn too_large(length: usize) -> Status {
    Status::resource_exhausted(format!(
        "a message of {length} bytes or more is over the limit of {RECEIVE_LIMIT} bytes"
    ))
}

/// The messages of a gRPC body, without their prefixes.
pub(super) struct Messages {
    body: Body,
    buffer: BytesMut,
    trailers: Option<HeaderMap>,
    ended: bool,
    failed: Option<Status>,
}

impl Messages {
    pub(super) fn new(body: Body) -> Self {
        Self { body, buffer: BytesMut::new(), trailers: None, ended: false, failed: None }
    }

    /// Waits for the next message; `None` at the end of the body.
    ///
    /// # Errors
    /// The failure of the body; a message that the other side would not take.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            if let Some(status) = self.failed.take() {
                return Err(status);
            }
            if self.ended {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(Status::internal("the body ended within a message"))
                };
            }
            let frame = poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await;
            self.keep(frame);
        }
    }

    /// Whether no message follows, as far as that is known without waiting. It decides whether
    /// the last packet of a unary request also says that the stream ends (transport.md §5.6).
    pub(super) async fn is_over(&mut self) -> bool {
        if self.buffer.is_empty() && !self.ended && self.failed.is_none() {
            // The outer `Ready` makes this a look, not a wait; `next` polls again and is woken.
            let looked = poll_fn(|cx| Poll::Ready(Pin::new(&mut self.body).poll_frame(cx))).await;
            if let Poll::Ready(frame) = looked {
                self.keep(frame);
            }
        }
        self.buffer.is_empty() && self.ended && self.failed.is_none()
    }

    /// The trailers, once the body has ended.
    pub(super) fn into_trailers(self) -> Option<HeaderMap> {
        self.trailers
    }

    fn keep(&mut self, frame: Option<Result<Frame<Bytes>, Status>>) {
        match frame {
            None => self.ended = true,
            Some(Err(status)) => {
                self.ended = true;
                self.failed = Some(status);
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.buffer.extend_from_slice(&data),
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok();
                    self.ended = true;
                }
            },
        }
    }

    fn take(&mut self) -> Result<Option<Bytes>, Status> {
        if self.buffer.len() < PREFIX {
            return Ok(None);
        }
        if self.buffer[0] != 0 {
            return Err(Status::internal("compressed messages cannot be carried over this link"));
        }
        let length = (&self.buffer[1..PREFIX]).get_u32() as usize;
        // The other side may drop a message over the limit without a word (transport.md §5.6).
        check_length(length)?;
        if self.buffer.len() < PREFIX + length {
            return Ok(None);
        }
        self.buffer.advance(PREFIX);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

/// Sends an envelope, waiting for room.
///
/// # Errors
/// `RESOURCE_EXHAUSTED` when it is larger than the link takes; `UNAVAILABLE` when the link is
/// closed.
pub(super) async fn send(
    outgoing: &mpsc::Sender<Bytes>,
    envelope: &impl Message,
) -> Result<(), Status> {
    let length = envelope.encoded_len();
    if length > ENVELOPE_LIMIT {
        return Err(Status::resource_exhausted(format!(
            "metadata of {length} bytes is over the limit of {ENVELOPE_LIMIT} bytes"
        )));
    }
    outgoing.send(envelope.encode_to_vec().into()).await.map_err(|_| lost())
}

/// What a call ends with when the link is gone.
pub(super) fn lost() -> Status {
    Status::unavailable("the connection to the machine was lost")
}
