//! The receiving half of a stream, as the body of a request or a response.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tokio::sync::mpsc;
use tonic::Status;
use tonic::body::Body;

/// What comes on a stream, in order.
pub(super) enum Event {
    /// The metadata before the messages.
    Headers(HeaderMap),
    /// A whole message with its length prefix.
    Message(Bytes),
    /// The stream ended as the other side wished.
    End(Option<HeaderMap>),
    /// The stream failed on this side.
    Failed(Status),
}

/// A body whose frames come from a queue without a bound, so that a slow reader of one stream
/// blocks no other (transport.md §5.6).
pub(super) struct Received {
    queue: Option<mpsc::UnboundedReceiver<Event>>,
}

impl Received {
    /// The body. Dropping it closes the queue, which is how the other half learns of it.
    pub(super) fn body(queue: mpsc::UnboundedReceiver<Event>) -> Body {
        Body::new(Self { queue: Some(queue) })
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        loop {
            let Some(queue) = &mut this.queue else { return Poll::Ready(None) };
            let frame = match std::task::ready!(queue.poll_recv(cx)) {
                // The metadata was taken before this became a body.
                Some(Event::Headers(_)) => continue,
                Some(Event::Message(message)) => Some(Ok(Frame::data(message))),
                Some(Event::End(trailers)) => {
                    this.queue = None;
                    trailers.map(|trailers| Ok(Frame::trailers(trailers)))
                }
                Some(Event::Failed(status)) => {
                    this.queue = None;
                    Some(Err(status))
                }
                None => {
                    this.queue = None;
                    Some(Err(super::frames::lost()))
                }
            };
            return Poll::Ready(frame);
        }
    }

    fn is_end_stream(&self) -> bool {
        self.queue.is_none()
    }
}
