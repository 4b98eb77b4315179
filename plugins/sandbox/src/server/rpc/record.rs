//! Keeps what calls are asked with, so that a test can see which filter a command sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

use crate::server::traffic::Traffic;

/// Longer messages are not kept.
const LONGEST: usize = 64 * 1024;

/// What stands before a message: whether it is compressed, and its length.
const HEAD: usize = 5;

/// Whether the calls of a path are kept.
pub(super) fn wants(path: &str) -> bool {
    ["/viam.app.data.v1.", "/viam.app.dataset.v1."].iter().any(|start| path.starts_with(start))
}

/// The body of a request whose first message is kept.
pub(super) fn tap(path: String, body: Body, traffic: Traffic) -> Body {
    Body::new(Tap { body, begun: Some(Vec::new()), path, traffic })
}

struct Tap {
    body: Body,
    /// The bytes so far; `None` once nothing more is wanted.
    begun: Option<Vec<u8>>,
    path: String,
    traffic: Traffic,
}

impl Tap {
    fn see(&mut self, piece: &[u8]) {
        let Some(begun) = &mut self.begun else { return };
        begun.extend_from_slice(piece);
        match message(begun) {
            Some(Ok(message)) => {
                self.traffic.record(&self.path, message);
                self.begun = None;
            }
            Some(Err(())) => self.begun = None,
            None => {}
        }
    }
}

/// The first message, once it is whole; an error for one that is not kept.
fn message(begun: &[u8]) -> Option<Result<Bytes, ()>> {
    let (head, rest) = begun.split_first_chunk::<HEAD>()?;
    let [compressed, length @ ..] = *head;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if compressed != 0 || length > LONGEST {
        return Some(Err(()));
    }
    rest.get(..length).map(|message| Ok(Bytes::copy_from_slice(message)))
}

impl http_body::Body for Tap {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(piece) = frame.data_ref()
        {
            this.see(piece);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_kept_once_it_is_whole() {
        assert_eq!(message(&[0, 0, 0, 0, 2, 7]), None);
        assert_eq!(message(&[0, 0, 0, 0, 2, 7, 8, 9]), Some(Ok(Bytes::from_static(&[7, 8]))));
        assert_eq!(message(&[1, 0, 0, 0, 2]), Some(Err(())), "compressed");
        assert_eq!(message(&[0, 1, 0, 0, 0]), Some(Err(())), "too long");
    }
}
