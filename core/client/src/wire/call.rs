//! One call: token, limits, one retry with a new token, a trace line.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::{Body as _, Frame};
use tokio::time::{Instant, timeout};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower_service::Service;
use viam_contract::{BoxFuture, Error, Kind, WireError};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

use super::buffer::{self, Chained, Resumed};
use super::{CALL_LIMIT, Config, Stalling};

/// A request extension: the call may stay silent for long (a tail, a shell), so no limit of
/// time is put on it.
#[derive(Clone, Copy, Debug)]
pub struct LongLived;

/// The transport behind [`viam_contract::Wire`].
#[derive(Clone)]
pub(super) struct CallService {
    channel: Channel,
    config: Config,
}

impl CallService {
    pub(super) fn new(channel: Channel, config: Config) -> Self {
        Self { channel, config }
    }

    async fn call(mut self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let started = Instant::now();
        let path = request.uri().path().to_owned();
        let limit = request.extensions().get::<LongLived>().is_none().then_some(CALL_LIMIT);
        let result = self.attempts(request, limit).await;
        let peer = self.config.base_url.authority();
        let took = started.elapsed();
        match &result {
            Ok((_, code)) => {
                tracing::debug!(target: "viam", "rpc {path} to {peer}: {code:?} in {took:.1?}");
            }
            Err(error) => {
                tracing::debug!(target: "viam", "rpc {path} to {peer}: {error} in {took:.1?}");
            }
        }
        result.map(|(response, _)| response)
    }

    async fn attempts(
        &mut self,
        request: Request<Body>,
        limit: Option<Duration>,
    ) -> Result<(Response<Body>, Code), BoxError> {
        let (parts, body) = request.into_parts();
        let mut token = self.token(None).await?;
        let (mut outgoing, mut again) = match buffer::look(body) {
            buffer::Request::Whole(frames) => (Chained::body(frames.clone(), None), Some(frames)),
            buffer::Request::Stream(frames, rest) => (Chained::body(frames, Some(rest)), None),
        };
        let streams = again.is_none();
        loop {
            let mut request = Request::from_parts(parts.clone(), outgoing);
            if let Some(token) = &token {
                request.headers_mut().insert(header::AUTHORIZATION, bearer(token)?);
            }
            let (response, code) = self.exchange(request, limit, again.is_some()).await?;
            let refused = code == Code::Unauthenticated;
            let (true, Some(old)) = (refused, &token) else {
                return if refused { self.refused(response) } else { Ok((response, code)) };
            };
            let Some(frames) = again.take() else {
                if streams {
                    // What was sent is gone, but the next call is to have a better token.
                    self.token(Some(old)).await?;
                }
                return self.refused(response);
            };
            tracing::debug!(target: "viam", "{}: the token was refused", parts.uri.path());
            // A source without a better token says so; then the refusal stands.
            let Some(better) = self.token(Some(old)).await? else {
                return self.refused(response);
            };
            token = Some(better);
            outgoing = Chained::body(frames, None);
        }
    }

    /// A refusal that stands, in the words of the source of the login.
    fn refused(&self, response: Response<Body>) -> Result<(Response<Body>, Code), BoxError> {
        let said = Status::from_header_map(response.headers());
        let said = said.as_ref().map(Status::message).unwrap_or_default();
        match self.config.tokens.as_ref().and_then(|tokens| tokens.refused(said)) {
            Some(error) => Err(error.into()),
            None => Ok((response, Code::Unauthenticated)),
        }
    }

    async fn token(&self, rejected: Option<&str>) -> Result<Option<String>, BoxError> {
        match &self.config.tokens {
            Some(tokens) => Ok(tokens.bearer(rejected).await?),
            None => Ok(None),
        }
    }

    /// Sends it once. For a request that is whole and answered soon, the first frame of the answer
    /// is awaited, so that a status in the trailers is seen too.
    async fn exchange(
        &mut self,
        request: Request<Body>,
        limit: Option<Duration>,
        whole: bool,
    ) -> Result<(Response<Body>, Code), BoxError> {
        let exchange = async {
            poll_fn(|cx| self.channel.poll_ready(cx)).await?;
            let response = self.channel.call(request).await?;
            if let Some(code) = buffer::grpc_status(response.headers()) {
                return Ok((response, Code::from_i32(code)));
            }
            if response.status() != StatusCode::OK {
                return Ok(in_between(&response));
            }
            // A call that may stay silent for long has an answer as soon as it has headers.
            if !whole || limit.is_none() {
                return Ok((response, Code::Ok));
            }
            let (parts, mut body) = response.into_parts();
            let first = match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                Some(frame) => Some(frame?),
                None => None,
            };
            let code = first
                .as_ref()
                .and_then(Frame::trailers_ref)
                .and_then(buffer::grpc_status)
                .map_or(Code::Ok, Code::from_i32);
            Ok::<_, BoxError>((Response::from_parts(parts, Resumed::body(first, body)), code))
        };
        // Silence of a call that may stay silent is nothing to tell.
        let Some(limit) = limit else { return exchange.await };
        let exchange = watched(exchange, self.config.on_wait.clone(), &self.config.base_url);
        let peer = self.config.base_url.authority();
        let (response, code) = timeout(limit, exchange).await.map_err(|_| {
            Error::new(Kind::Remote, format!("{peer} did not answer within {} s", limit.as_secs()))
        })??;
        let (parts, body) = response.into_parts();
        let body = Stalling::body(body, limit);
        Ok((Response::from_parts(parts, body), code))
    }
}

/// The answer of something between us and the server that does not speak gRPC, as a status (the
/// mapping of gRPC's `http-grpc-status-mapping.md`), with the time after which to come back.
fn in_between(response: &Response<Body>) -> (Response<Body>, Code) {
    let code = match response.status().as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    let mut status = Status::new(code, format!("the answer was HTTP {}", response.status()));
    for name in [header::RETRY_AFTER, header::DATE] {
        if let Some(value) = response.headers().get(&name) {
            status.metadata_mut().as_mut().insert(name, value.clone());
        }
    }
    (status.into_http(), code)
}

/// The value of the `authorization` header (transport.md §3.4).
fn bearer(token: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
        Error::new(Kind::Auth, "the access token has characters that no header takes")
            .hint_run("viam login")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Says after a second what is being waited for.
async fn watched<T>(
    work: impl Future<Output = T>,
    on_wait: Option<super::OnWait>,
    peer: &crate::BaseUrl,
) -> T {
    let Some(on_wait) = on_wait else { return work.await };
    tokio::pin!(work);
    match timeout(Duration::from_secs(1), &mut work).await {
        Ok(done) => done,
        Err(_) => {
            on_wait(&peer.authority());
            work.await
        }
    }
}

impl Service<Request<Body>> for CallService {
    type Response = Response<Body>;
    type Error = WireError;
    type Future = BoxFuture<'static, Result<Response<Body>, WireError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        // Readiness is awaited within the call, where its error can be put into words.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = self.clone().call(request);
        Box::pin(async { call.await.map_err(WireError) })
    }
}
