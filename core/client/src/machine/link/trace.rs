//! A trace line for each call over a link, when it ends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

/// A call that is to be told of.
pub(super) struct Trace {
    path: String,
    started: Instant,
    told: bool,
}

impl Trace {
    /// Begins with the call.
    pub(super) fn begin(path: &str) -> Self {
        Self { path: path.to_owned(), started: Instant::now(), told: false }
    }

    /// The end of it comes with the answer, if there is one.
    pub(super) fn follow(
        mut self,
        answer: Result<Response<Body>, Status>,
    ) -> Result<Response<Body>, Status> {
        match answer {
            Ok(response) => Ok(response.map(|body| Body::new(Traced { body, trace: self }))),
            Err(status) => {
                self.tell(&format!("{:?}", status.code()));
                Err(status)
            }
        }
    }

    fn tell(&mut self, end: &str) {
        if !std::mem::replace(&mut self.told, true) {
            let took = self.started.elapsed();
            tracing::debug!(target: "viam", "rpc {} by WebRTC: {end} in {took:.1?}", self.path);
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.tell("given up");
    }
}

struct Traced {
    body: Body,
    trace: Trace,
}

impl HttpBody for Traced {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(status) = frame.trailers_ref().and_then(Status::from_header_map) {
                    this.trace.tell(&format!("{:?}", status.code()));
                }
            }
            Some(Err(status)) => this.trace.tell(&format!("{:?}", status.code())),
            None => this.trace.tell("Ok"),
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
