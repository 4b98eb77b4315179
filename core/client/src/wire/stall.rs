//! A limit on silence.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

/// A response body that fails when nothing comes for too long.
pub(crate) struct Stalling {
    body: Body,
    limit: Duration,
    timer: Pin<Box<tokio::time::Sleep>>,
}

impl Stalling {
    /// The same body with the limit.
    pub(crate) fn body(body: Body, limit: Duration) -> Body {
        Body::new(Self { body, limit, timer: Box::pin(tokio::time::sleep(limit)) })
    }
}

impl http_body::Body for Stalling {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                let next = Instant::now() + this.limit;
                this.timer.as_mut().reset(next);
                Poll::Ready(frame)
            }
            Poll::Pending => match this.timer.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Some(Err(Status::deadline_exceeded(format!(
                    "nothing came for {} s",
                    this.limit.as_secs()
                ))))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
