//! The answering side of a link: each stream becomes a call of a service.

use std::collections::HashMap;
use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version, header};
use prost::Message as _;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::Status;
use tonic::body::Body;
use tower_service::Service;
use viam_proto::rpc::webrtc::v1::{
    self as rtc, Metadata, RequestHeaders, RequestMessage, ResponseHeaders, ResponseMessage,
    Stream, request, response,
};

use super::frames::{Assembler, Messages, packets, send};
use super::receive::{Event, Received};
use super::{ENVELOPE_LIMIT, Link, headers};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Answers the calls that arrive on a link, each on a task of its own, until the link closes.
/// The calls that are open then are dropped.
pub async fn serve<S>(link: Link, service: S)
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    let Link { outgoing, mut incoming } = link;
    let mut open: HashMap<u64, Open> = HashMap::new();
    let mut calls = JoinSet::new();
    loop {
        let envelope = tokio::select! {
            () = outgoing.closed() => return,
            envelope = incoming.recv() => envelope,
            Some(ended) = calls.join_next() => {
                match ended {
                    Ok(id) => drop(open.remove(&id)),
                    // A call that panicked does not say which one it was.
                    Err(_) => open.retain(|_, call| !call.stop.is_closed()),
                }
                continue;
            }
        };
        let Some(envelope) = envelope else { return };
        let (id, r#type) = match rtc::Request::decode(envelope) {
            // An id of 0 is left out in protobuf, and works (transport.md §5.6).
            Ok(rtc::Request { stream, r#type: Some(r#type) }) => {
                (stream.unwrap_or_default().id, r#type)
            }
            Ok(_) => continue,
            Err(error) => {
                tracing::debug!(target: "viam", "ignored an envelope: {error}");
                continue;
            }
        };
        let stop = match (r#type, open.get_mut(&id)) {
            (request::Type::Headers(head), None) => {
                let (queue, received) = mpsc::unbounded_channel();
                let (stop, stopped) = oneshot::channel();
                let call = Call { id, outgoing: outgoing.clone(), has_headers: false };
                calls.spawn(call.run(service.clone(), head, received, stopped));
                open.insert(id, Open { queue: Some(queue), stop, assembler: Assembler::default() });
                continue;
            }
            (request::Type::Headers(_), Some(_)) => {
                Status::invalid_argument("headers already received")
            }
            (request::Type::RstStream(_), Some(_)) => Status::cancelled("request cancelled"),
            (request::Type::Message(message), Some(call)) => match call.take(message) {
                Ok(()) => continue,
                Err(status) => status,
            },
            // Without headers there is no stream; such frames are ignored without an answer.
            (request::Type::RstStream(_) | request::Type::Message(_), None) => continue,
        };
        if let Some(call) = open.remove(&id) {
            let _ = call.stop.send(stop);
        }
    }
}

/// The receiving side of a stream.
struct Open {
    /// Where messages go until the caller has sent the last one.
    queue: Option<mpsc::UnboundedSender<Event>>,
    /// Ends the call early.
    stop: oneshot::Sender<Status>,
    assembler: Assembler,
}

impl Open {
    fn take(&mut self, message: RequestMessage) -> Result<(), Status> {
        let Some(queue) = &self.queue else { return Ok(()) };
        let mut ended = message.eos;
        if message.has_message {
            let packet = message.packet_message.unwrap_or_default();
            // Some callers set it on each packet of the last message (webrtc.md §7.3).
            ended &= packet.eom;
            if let Some(message) = self.assembler.push(packet)? {
                let _ = queue.send(Event::Message(message));
            }
        }
        if ended {
            let partial = self.assembler.is_partial();
            let cut = || Event::Failed(Status::internal("the request ended within a message"));
            let _ = queue.send(if partial { cut() } else { Event::End(None) });
            self.queue = None;
        }
        Ok(())
    }
}

/// The sending side of a stream.
struct Call {
    id: u64,
    outgoing: mpsc::Sender<Bytes>,
    has_headers: bool,
}

impl Call {
    async fn run<S>(
        mut self,
        service: S,
        head: RequestHeaders,
        received: mpsc::UnboundedReceiver<Event>,
        stopped: oneshot::Receiver<Status>,
    ) -> u64
    where
        S: Service<Request<Body>, Response = Response<Body>>,
        S::Error: Into<BoxError>,
    {
        let limit = head.timeout;
        let ended = tokio::select! {
            biased;
            Ok(status) = stopped => Err(status),
            () = overdue(limit) => Err(Status::deadline_exceeded("context deadline exceeded")),
            ended = self.answer(service, head, received) => ended,
        };
        let (status, metadata) = ended.unwrap_or_else(|status| {
            let metadata = headers::to_metadata(&status.metadata().clone().into_headers());
            (status, metadata)
        });
        // A link that is closed needs no trailers.
        let _ = self.finish(&status, metadata).await;
        self.id
    }

    /// Calls the service and sends its answer; gives what belongs in the trailers.
    async fn answer<S>(
        &mut self,
        mut service: S,
        head: RequestHeaders,
        received: mpsc::UnboundedReceiver<Event>,
    ) -> Result<(Status, Option<Metadata>), Status>
    where
        S: Service<Request<Body>, Response = Response<Body>>,
        S::Error: Into<BoxError>,
    {
        let request = request_of(head, Received::body(received))?;
        let failed = |error: S::Error| Status::from_error(error.into());
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(failed)?;
        let (parts, body) = service.call(request).await.map_err(failed)?.into_parts();
        let metadata = headers::to_metadata(&parts.headers);
        // An answer without messages has its status among the headers over HTTP/2.
        if let Some(status) = headers::status_of(&parts.headers) {
            return Ok((status, metadata));
        }
        match parts.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(Status::unimplemented("Unimplemented")),
            other => return Err(Status::unknown(format!("the service answered {other}"))),
        }
        self.headers(metadata).await?;
        let mut messages = Messages::new(body);
        while let Some(message) = messages.next().await? {
            for packet in packets(message) {
                let message = ResponseMessage { packet_message: Some(packet) };
                self.send(response::Type::Message(message)).await?;
            }
        }
        let trailers = messages.into_trailers().unwrap_or_default();
        let status = headers::status_of(&trailers)
            .ok_or_else(|| Status::unknown("the service ended without a status"))?;
        Ok((status, headers::to_metadata(&trailers)))
    }

    async fn headers(&mut self, metadata: Option<Metadata>) -> Result<(), Status> {
        self.send(response::Type::Headers(ResponseHeaders { metadata })).await?;
        self.has_headers = true;
        Ok(())
    }

    /// Headers come before the trailers, also when there is nothing but an error
    /// (transport.md §5.6).
    async fn finish(&mut self, status: &Status, metadata: Option<Metadata>) -> Result<(), Status> {
        if !self.has_headers {
            self.headers(None).await?;
        }
        let mut trailers = headers::to_trailers(status, metadata);
        // A caller without an answer would wait for ever, so one that is too large is cut.
        if trailers.encoded_len() > ENVELOPE_LIMIT - 64 {
            trailers.metadata = None;
            if let Some(status) = &mut trailers.status {
                status.details.clear();
                let end = status.message.floor_char_boundary(ENVELOPE_LIMIT / 2);
                status.message.truncate(end);
            }
        }
        self.send(response::Type::Trailers(trailers)).await
    }

    async fn send(&self, r#type: response::Type) -> Result<(), Status> {
        let stream = Some(Stream { id: self.id });
        send(&self.outgoing, &rtc::Response { stream, r#type: Some(r#type) }).await
    }
}

/// The request as a server over HTTP/2 would see it.
fn request_of(head: RequestHeaders, body: Body) -> Result<Request<Body>, Status> {
    // Without the leading slash a method is not known (transport.md §5.6).
    let uri = head.method.starts_with('/').then(|| Uri::try_from(head.method).ok()).flatten();
    let uri = uri.ok_or_else(|| Status::unimplemented("Unimplemented"))?;
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = uri;
    let mut map: HeaderMap = headers::from_metadata(head.metadata);
    map.insert(header::TE, header::HeaderValue::from_static("trailers"));
    let content_type = header::HeaderValue::from_static("application/grpc");
    map.insert(header::CONTENT_TYPE, content_type);
    if let Some(Ok(limit)) = limit_of(head.timeout) {
        map.insert(headers::TIMEOUT, headers::write_timeout(limit));
    }
    *request.headers_mut() = map;
    Ok(request)
}

/// The limit of a call: absent and 0 are none, a negative one is an error (transport.md §5.6).
fn limit_of(timeout: Option<prost_types::Duration>) -> Option<Result<Duration, ()>> {
    let timeout = timeout.filter(|timeout| timeout.seconds != 0 || timeout.nanos != 0)?;
    Some(Duration::try_from(timeout).map_err(drop))
}

/// Waits until the limit is reached; for ever without one.
async fn overdue(timeout: Option<prost_types::Duration>) {
    match limit_of(timeout) {
        None => std::future::pending().await,
        Some(Ok(limit)) => sleep(limit).await,
        // A negative one ends the call at once.
        Some(Err(())) => {}
    }
}
