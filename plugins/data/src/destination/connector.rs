//! The way to object stores: the network of this program, with its proxies and its roots.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use object_store::ClientConfigKey;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use tokio::time::timeout;
use tonic::body::Body;
use viam_contract::{Error, Kind, Wire};

/// How long a store may take to answer; a part of an object goes up in it, also by a slow line.
const LIMIT: Duration = Duration::from_secs(180);

/// How long the computer's own cloud may take to say who it is: it is beside us, or not there.
const NEAR: Duration = Duration::from_secs(2);

/// What the library sets for questions to the computer's own cloud.
const NEAR_CONNECT: Duration = Duration::from_secs(1);

/// A way to one kind of server.
#[derive(Clone)]
pub(super) struct Connector {
    wire: Wire,
    near: bool,
}

impl Connector {
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire, near: false }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let limit =
            |options: &ClientOptions| options.get_config_value(&ClientConfigKey::ConnectTimeout);
        let near =
            limit(options) == limit(&ClientOptions::new().with_connect_timeout(NEAR_CONNECT));
        Ok(HttpClient::new(Self { near, ..self.clone() }))
    }
}

#[tonic::async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let limit = if self.near { NEAR } else { LIMIT };
        let answer = timeout(limit, viam_client::web::send(&self.wire, request.map(Body::new)));
        let failure = match answer.await {
            Ok(Ok(answer)) => {
                return Ok(answer.map(|body| HttpResponseBody::new(Alone(Mutex::new(body)))));
            }
            Ok(Err(error)) => error,
            Err(_) => {
                let words = format!("the store did not answer within {} s", limit.as_secs());
                Error::new(Kind::Remote, words)
            }
        };
        if self.near {
            // Tried again it would not be there either, and minutes would pass.
            let words = "no account is given, and this computer has none of its own";
            return Err(HttpError::new(
                HttpErrorKind::Unknown,
                failure.within(words).with_kind(Kind::Config),
            ));
        }
        // Trying again is harmless: whoever finds that a name is taken looks whose it is.
        Err(HttpError::new(HttpErrorKind::Request, failure))
    }
}

/// A body that threads may share, which the library wants and nobody does.
struct Alone(Mutex<Body>);

impl http_body::Body for Alone {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let body = self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let broken = |status| HttpError::new(HttpErrorKind::Interrupted, status);
        Pin::new(body).poll_frame(cx).map_err(broken)
    }
}
