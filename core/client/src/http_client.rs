//! Plain HTTP for the login provider: small requests, no redirects, bounded in size and time.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use viam_contract::{Error, Kind, Result, ResultExt as _};

use crate::BaseUrl;
use crate::net::{Net, Protocol};

/// The longest answer that is read, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// How long a whole exchange may take.
const LIMIT: Duration = Duration::from_secs(30);

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Sends one request to an absolute URL and reads the whole answer.
///
/// # Errors
/// `Remote` with the host and the reason.
pub async fn send(net: &Net, request: Request<Bytes>) -> Result<Answer> {
    let url = request.uri().clone();
    let method = request.method().clone();
    let base = BaseUrl::parse(&url.to_string())?;
    let doing = || format!("cannot reach {base}");
    let exchange = async {
        let stream = net.connect(&base, Protocol::Http1).await.or_kind(Kind::Remote, doing)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .or_kind(Kind::Remote, doing)?;
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let mut builder = Request::builder()
            .method(&parts.method)
            .uri(path)
            .header(header::HOST, base.authority())
            .header(header::USER_AGENT, concat!("viam/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &parts.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::new(body)).or_kind(Kind::Internal, doing)?;
        let talk = async {
            let response = sender.send_request(request).await.or_kind(Kind::Remote, doing)?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, BODY_LIMIT)
                .collect()
                .await
                .map_err(|error| Error::new(Kind::Remote, doing()).because(error.to_string()))?
                .to_bytes();
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        tokio::pin!(talk, connection);
        tokio::select! {
            answer = &mut talk => answer,
            end = &mut connection => match end {
                // The whole answer may have been read in the same moment as the end.
                Ok(()) => talk.await,
                Err(error) => Err(Error::new(Kind::Remote, doing()).because(error)),
            },
        }
    };
    let answer = timeout(LIMIT, exchange).await.map_err(|_| {
        Error::new(Kind::Remote, format!("{base} did not answer within {} s", LIMIT.as_secs()))
    })?;
    if let Ok(answer) = &answer {
        tracing::debug!(target: "viam", "HTTP {method} {base}{} -> {}", url.path(), answer.status);
    }
    answer
}

/// GETs an absolute URL.
///
/// # Errors
/// `Remote` with the host and the reason.
pub async fn get(net: &Net, url: &str) -> Result<Answer> {
    let request = Request::get(url)
        .header(header::ACCEPT, "application/json")
        .body(Bytes::new())
        .or_kind(Kind::Remote, || format!("{url} is no URL"))?;
    send(net, request).await
}
