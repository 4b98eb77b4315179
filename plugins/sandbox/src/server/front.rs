//! One door for everything: counts a request, applies the fault that a test asked for, and sends
//! it to gRPC or to the pages.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Json};
use axum::routing::get;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::sync::Notify;
use tonic::Status;
use tonic_web::GrpcWebLayer;
use tower::{Layer as _, ServiceExt as _};

use super::cors;
use super::download::Oddities;
use super::faulty::{Faults, Faulty};
use super::rpc::{AtPart, Fault, Gate};
use super::state::Shared;
use super::traffic::{FaultRule, UnderWay};
use super::{admin, download, faulty, oidc};

/// A request extension: the address that the client used, `http://127.0.0.1:8080`.
#[derive(Clone, Debug)]
pub(crate) struct Address(pub(crate) String);

/// The connection is to be broken.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut as a test asked for")
    }
}

impl std::error::Error for Cut {}

/// What every connection is served by.
#[derive(Clone)]
pub(crate) struct Front {
    shared: Arc<Shared>,
    gate: Gate,
    pages: Router,
    /// The part whose port this is.
    part: Option<Arc<str>>,
}

impl Front {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let pages = oidc::router(shared.clone())
            .merge(admin::router(shared.clone()))
            .merge(download::router(shared.clone()))
            .route("/", get(welcome))
            .fallback(not_found);
        Self { gate: Gate::new(shared.clone()), shared, pages, part: None }
    }

    /// The same door at the port of a part.
    pub(crate) fn at_part(&self, id: &str) -> Self {
        Self { part: Some(id.into()), ..self.clone() }
    }

    /// What every request shares.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Answers one request of a connection, which `breaker` breaks.
    pub(crate) async fn serve(
        self,
        scheme: &'static str,
        breaker: Arc<Notify>,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, Cut> {
        let path = request.uri().path().to_owned();
        if let Some(response) = cors::preflight(&request) {
            return Ok(response);
        }
        let address = address(&self.shared, scheme, &request);
        request.extensions_mut().insert(Address(address));
        if let Some(part) = &self.part {
            request.extensions_mut().insert(AtPart(part.clone()));
        }
        // What tests ask the sandbox itself is no traffic.
        if path.starts_with("/sandbox/") {
            let under_way = self.shared.traffic.enter_unseen();
            let response = never_fails(self.pages.oneshot(request).await);
            return Ok(counted(response, under_way, None));
        }
        let (under_way, rule) = self.shared.traffic.enter(&path);
        let grpc = is_grpc(&request);
        let faults = rule.as_ref().map(|rule| Faults::new(rule, grpc, breaker));
        if let Some(rule) = &rule
            && let Some(response) = apply(rule, grpc, &mut request).await?
        {
            return Ok(counted(response, under_way, faults));
        }
        let mut response = if grpc {
            self.grpc(request).await
        } else {
            never_fails(self.pages.oneshot(request).await)
        };
        if rule.is_some_and(|rule| rule.wrong_length) {
            faulty::lengthen(response.headers_mut());
        }
        Ok(counted(response, under_way, faults))
    }

    /// Waits until nothing is under way, and what was answered is sent.
    pub(crate) async fn idle(&self) {
        while self.shared.traffic.is_busy() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    async fn grpc(self, request: Request<Incoming>) -> Response<Body> {
        let gate = self.gate;
        let service = tower::service_fn(move |request| gate.clone().pass(request));
        let service = GrpcWebLayer::new().layer(service);
        let mut response = never_fails(service.oneshot(request).await);
        cors::allow(response.headers_mut());
        response.map(Body::new)
    }
}

fn is_grpc<B>(request: &Request<B>) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

fn never_fails<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
    }
}

/// The address by which the client knows this server; what it says of it is checked, for it
/// comes back in documents.
fn address<B>(shared: &Shared, scheme: &str, request: &Request<B>) -> String {
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(header::HOST).and_then(|host| host.to_str().ok()),
    };
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    match host {
        Some(host) if !host.is_empty() && host.chars().all(fine) => format!("{scheme}://{host}"),
        _ => shared.base_url.clone(),
    }
}

/// Does what a rule says; `None` lets the request go on.
async fn apply<B>(
    rule: &FaultRule,
    grpc: bool,
    request: &mut Request<B>,
) -> Result<Option<Response<Body>>, Cut> {
    if let Some(delay) = rule.delay_ms {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    if rule.cut {
        return Err(Cut);
    }
    if let Some(status) = rule.http_status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, "a fault that was asked for\n").into_response();
        if let Some(when) = retry_after(rule) {
            response.headers_mut().insert(header::RETRY_AFTER, when);
        }
        return Ok(Some(response));
    }
    if let Some(error) = &rule.oauth_error {
        let body = serde_json::json!({ "error": error, "error_description": "as asked for" });
        return Ok(Some((StatusCode::BAD_REQUEST, Json(body)).into_response()));
    }
    if let Some(status) = &rule.status {
        let mut status = Status::new(status.code.into(), status.message.clone());
        if !grpc {
            let words = format!("{status}\n");
            return Ok(Some((StatusCode::INTERNAL_SERVER_ERROR, words).into_response()));
        }
        let when = rule.retry_after.as_deref().and_then(|when| when.parse().ok());
        if let Some(when) = when {
            status.metadata_mut().insert("retry-after", when);
        }
        request.extensions_mut().insert(Fault(status));
    }
    request.extensions_mut().insert(Oddities::of(rule));
    Ok(None)
}

fn retry_after(rule: &FaultRule) -> Option<HeaderValue> {
    rule.retry_after.as_deref()?.try_into().ok()
}

async fn welcome() -> &'static str {
    "This is a viam sandbox: a local cloud for trying, teaching and testing.\n\
     Point the command at it with: eval \"$(viam sandbox env)\"\n"
}

async fn not_found() -> Response<Body> {
    (StatusCode::NOT_FOUND, "the sandbox has no such page\n").into_response()
}

/// The request stays under way until the whole answer was sent.
fn counted(
    response: Response<Body>,
    under_way: UnderWay,
    faults: Option<Faults>,
) -> Response<Body> {
    response.map(|body| Body::new(Faulty::new(body, under_way, faults)))
}
