//! The calling side of a link, as a transport for generated clients.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use prost::Message as _;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;
use tower_service::Service;
use viam_contract::{BoxFuture, WireError};
use viam_proto::rpc::webrtc::v1::{self as rtc, RequestHeaders, RequestMessage, Stream, request};

use super::frames::{Messages, lost, packets, send};
use super::receive::{Event, Received};
use super::streams::{Ended, Streams};
use super::trace::Trace;
use super::{Link, headers};

/// Servers before 2025-07 take no more streams at once and ignore the others, whose callers
/// would wait for ever (transport.md §5.6); here they wait for an end of another one.
const STREAMS: usize = 256;

/// Makes calls over a link. Clones share the link.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    outgoing: mpsc::Sender<Bytes>,
    slots: Semaphore,
    streams: Streams,
}

impl Client {
    /// Starts receiving; must be called within a tokio runtime.
    ///
    /// The link's `outgoing` is dropped when all clones are and no call is open.
    #[must_use]
    pub fn new(link: Link) -> Self {
        let Link { outgoing, incoming } = link;
        let slots = Semaphore::new(STREAMS);
        let shared = Arc::new(Shared { outgoing, slots, streams: Streams::default() });
        tokio::spawn(receive(Arc::downgrade(&shared), incoming));
        Self { shared }
    }
}

impl Service<Request<Body>> for Client {
    type Response = Response<Body>;
    type Error = WireError;
    type Future = BoxFuture<'static, Result<Response<Body>, WireError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        let trace = Trace::begin(request.uri().path());
        Box::pin(async {
            let answer = trace.follow(call(shared, request).await);
            answer.map_err(|status| WireError(Box::new(status)))
        })
    }
}

async fn call(shared: Arc<Shared>, request: Request<Body>) -> Result<Response<Body>, Status> {
    let timeout = request.headers().get(headers::TIMEOUT).and_then(headers::parse_timeout);
    // On the link 0 means no limit at all (transport.md §5.6).
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Err(overdue());
    }
    let limit = timeout.map(|timeout| Limit { started: Instant::now(), timeout });
    let (queue, mut events) = mpsc::unbounded_channel();
    let (ended, end) = oneshot::channel();
    tokio::select! {
        biased;
        started = start(shared, queue, ended, request, end, limit) => started?,
        () = until(limit) => return Err(overdue()),
    }
    let (head, events) = match events.recv().await {
        Some(Event::Headers(head)) => (head, events),
        Some(Event::Failed(status)) => return Err(status),
        // The reader puts headers before all else.
        Some(Event::Message(_) | Event::End(_)) | None => return Err(lost()),
    };
    let mut response = Response::new(Received::body(events));
    *response.headers_mut() = head;
    let content_type = header::HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Ok(response)
}

/// Waits for a free stream, and has a task of its own send the request on it.
async fn start(
    shared: Arc<Shared>,
    queue: mpsc::UnboundedSender<Event>,
    ended: oneshot::Sender<Ended>,
    request: Request<Body>,
    end: oneshot::Receiver<Ended>,
    limit: Option<Limit>,
) -> Result<(), Status> {
    if shared.streams.is_lost() {
        return Err(lost());
    }
    if shared.slots.available_permits() == 0 {
        tracing::debug!(target: "viam", "{STREAMS} calls are open; the next one waits");
    }
    // Forgotten, for the task below gives it back by `Slot`.
    shared.slots.acquire().await.map_err(|_| lost())?.forget();
    let id = match shared.streams.open(&queue, ended) {
        Ok(id) => id,
        Err(status) => {
            shared.slots.add_permits(1);
            return Err(status);
        }
    };
    tokio::spawn(async move {
        let _slot = Slot(&shared.slots);
        drive(&shared, id, queue, request, end, limit).await;
    });
    Ok(())
}

/// Gives back a stream, also when its task is cut off.
struct Slot<'a>(&'a Semaphore);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

#[derive(Clone, Copy)]
struct Limit {
    started: Instant,
    timeout: Duration,
}

impl Limit {
    fn remaining(self) -> Duration {
        self.timeout.saturating_sub(self.started.elapsed())
    }
}

/// Waits until the limit is reached; for ever without one.
async fn until(limit: Option<Limit>) {
    match limit.map(|limit| (limit, limit.started.checked_add(limit.timeout))) {
        Some((_, Some(at))) => sleep_until(at).await,
        Some((limit, None)) => sleep(limit.timeout).await,
        None => std::future::pending().await,
    }
}

fn overdue() -> Status {
    Status::deadline_exceeded("the machine did not answer in time")
}

/// Sends the request, then waits for the end of the stream. A stream that is given up is reset:
/// always, or a server would go on sending (transport.md §5.6).
async fn drive(
    shared: &Shared,
    id: u64,
    queue: mpsc::UnboundedSender<Event>,
    request: Request<Body>,
    end: oneshot::Receiver<Ended>,
    limit: Option<Limit>,
) {
    let sending = async {
        match send_request(shared, id, request, limit).await {
            // The answer may take longer than the request.
            Ok(()) => std::future::pending().await,
            Err(status) => status,
        }
    };
    let failed = tokio::select! {
        biased;
        ended = end => match ended {
            Ok(Ended::Silently) | Err(_) => return,
            Ok(Ended::Reset) => None,
        },
        // Nobody waits for the answer any more.
        () = queue.closed() => None,
        () = until(limit) => Some(overdue()),
        status = sending => Some(status),
    };
    shared.streams.forget(id);
    if let Some(status) = failed {
        let _ = queue.send(Event::Failed(status));
    }
    // A link that is closed needs no reset.
    let _ = shared.send(id, request::Type::RstStream(true)).await;
}

async fn send_request(
    shared: &Shared,
    id: u64,
    request: Request<Body>,
    limit: Option<Limit>,
) -> Result<(), Status> {
    let (parts, body) = request.into_parts();
    let timeout = limit.and_then(|limit| {
        // Nothing left must not turn into no limit.
        prost_types::Duration::try_from(limit.remaining().max(Duration::from_nanos(1))).ok()
    });
    let head = RequestHeaders {
        // With the leading slash (transport.md §5.6).
        method: parts.uri.path().to_owned(),
        metadata: headers::to_metadata(&parts.headers),
        timeout,
    };
    shared.send(id, request::Type::Headers(head)).await?;
    let mut messages = Messages::new(body);
    while let Some(message) = messages.next().await? {
        let last = messages.is_over().await;
        for packet in packets(message) {
            // The end of the stream counts only with the end of a message (transport.md §5.6).
            let eos = last && packet.eom;
            let message = RequestMessage { has_message: true, packet_message: Some(packet), eos };
            shared.send(id, request::Type::Message(message)).await?;
        }
        if last {
            return Ok(());
        }
    }
    let half_close = RequestMessage { has_message: false, packet_message: None, eos: true };
    shared.send(id, request::Type::Message(half_close)).await
}

impl Shared {
    async fn send(&self, id: u64, r#type: request::Type) -> Result<(), Status> {
        let stream = Some(Stream { id });
        send(&self.outgoing, &rtc::Request { stream, r#type: Some(r#type) }).await
    }
}

/// Gives what arrives to the streams, until the link closes. It never waits for one of them.
async fn receive(shared: Weak<Shared>, mut incoming: mpsc::UnboundedReceiver<Bytes>) {
    while let Some(envelope) = incoming.recv().await {
        let Some(shared) = shared.upgrade() else { return };
        match rtc::Response::decode(envelope) {
            Ok(rtc::Response { stream, r#type: Some(r#type) }) => {
                // An id of 0 is left out in protobuf; a stream that is absent reads the same.
                shared.streams.take(stream.unwrap_or_default().id, r#type);
            }
            // Neither names a stream that could be told.
            Ok(_) => tracing::debug!(target: "viam", "ignored an empty envelope"),
            Err(error) => tracing::debug!(target: "viam", "ignored an envelope: {error}"),
        }
    }
    let Some(shared) = shared.upgrade() else { return };
    shared.streams.lose();
    // Calls that wait for a free stream need none to fail.
    shared.slots.close();
}
