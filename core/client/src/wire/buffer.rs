//! Request bodies that can be sent twice.
//!
//! A unary or server-streaming request is all there at once; a client stream is not. Which one
//! it is shows by polling the body without waiting.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tonic::Status;
use tonic::body::Body;

/// Larger bodies are sent once, in bytes.
const LIMIT: usize = 1024 * 1024;

/// A body that was looked at.
pub(super) enum Request {
    /// Complete, and may be sent again.
    Whole(Vec<Bytes>),
    /// What came at once, and the rest.
    Stream(Vec<Bytes>, Body),
}

/// Takes what is there without waiting.
pub(super) fn look(mut body: Body) -> Request {
    let mut frames = Vec::new();
    let mut size = 0;
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match Pin::new(&mut body).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    size += data.len();
                    frames.push(data);
                    if size > LIMIT {
                        return Request::Stream(frames, body);
                    }
                }
                // A client sends no trailers; an unexpected frame only ends the look.
                Err(_) => return Request::Stream(frames, body),
            },
            Poll::Ready(None) => return Request::Whole(frames),
            Poll::Ready(Some(Err(_))) | Poll::Pending => return Request::Stream(frames, body),
        }
    }
}

/// Frames, then an optional rest.
pub(super) struct Chained {
    frames: std::vec::IntoIter<Bytes>,
    rest: Option<Body>,
}

impl Chained {
    pub(super) fn body(frames: Vec<Bytes>, rest: Option<Body>) -> Body {
        Body::new(Self { frames: frames.into_iter(), rest })
    }
}

impl HttpBody for Chained {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Some(frame) = this.frames.next() {
            return Poll::Ready(Some(Ok(Frame::data(frame))));
        }
        match &mut this.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.frames.len() == 0 && self.rest.as_ref().is_none_or(HttpBody::is_end_stream)
    }
}

/// The first frame of a response, then the rest.
pub(super) struct Resumed {
    first: Option<Frame<Bytes>>,
    rest: Body,
}

impl Resumed {
    pub(super) fn body(first: Option<Frame<Bytes>>, rest: Body) -> Body {
        Body::new(Self { first, rest })
    }
}

impl HttpBody for Resumed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Some(first) = this.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        Pin::new(&mut this.rest).poll_frame(cx)
    }
}

/// The `grpc-status` of headers or trailers.
pub(super) fn grpc_status(headers: &HeaderMap) -> Option<i32> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}
