//! Plain HTTP: downloads of the cloud, and whatever else a command reaches by URL.
//!
//! The session's credential goes to the base URL's own hosts and nowhere else, after a redirect
//! too (transport.md §4.7). One pool of connections, the same proxies and roots as for gRPC.

use std::task::{Context, Poll};

use http::uri::Uri;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::timeout;
use tonic::body::Body;
use tower::service_fn;
use tower::util::BoxCloneSyncService;
use tower_service::Service;
use viam_contract::{BoxFuture, Error, Kind, Result, ResultExt as _, Wire, WireError};

use crate::BaseUrl;
use crate::net::{Net, Protocol, Stream};
use crate::wire::{CALL_LIMIT, Config, LongLived, Stalling};

/// What a connection reads at once, in bytes. Larger pieces come from fresh pages of memory each
/// time, which costs more than reading more often.
const BUFFER: usize = 120 << 10;

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// The headers of an API key (transport.md §4.7).
const KEY: [HeaderName; 2] = [HeaderName::from_static("key_id"), HeaderName::from_static("key")];

type Connector = BoxCloneSyncService<Uri, TokioIo<Stream>, Error>;

/// The transport behind [`Target::Web`](viam_contract::Target::Web).
#[derive(Clone)]
struct Web {
    client: Client<Connector, Body>,
    config: Config,
}

/// Makes the transport; requests have absolute URLs. Nothing is connected before the first one.
#[must_use]
pub fn open(config: Config) -> Wire {
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .http1_max_buf_size(BUFFER)
        .build(connector(config.net.clone()));
    Wire::new(Web { client, config })
}

fn connector(net: Net) -> Connector {
    Connector::new(service_fn(move |url: Uri| {
        let net = net.clone();
        async move {
            let to = host_of(&url)?;
            let doing = || format!("cannot reach {to}");
            let stream = net.connect(&to, Protocol::Http1).await.or_kind(Kind::Remote, doing)?;
            Ok(TokioIo::new(stream))
        }
    }))
}

impl Web {
    async fn call(self, request: Request<Body>) -> Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let (mut url, mut body) = (parts.uri, Some(body));
        // What has credentials of its own goes where it was sent and no further.
        let follows = matches!(parts.method, Method::GET | Method::HEAD)
            && !parts.headers.contains_key(header::AUTHORIZATION);
        let limited = follows && parts.extensions.get::<LongLived>().is_none();
        let mut rejected = None;
        for _ in 0..=REDIRECTS {
            let credential = self.credential(&url, &parts.headers, rejected.as_deref()).await?;
            let mut request = Request::new(body.take().unwrap_or_default());
            *request.method_mut() = parts.method.clone();
            *request.uri_mut() = url.clone();
            *request.headers_mut() = parts.headers.clone();
            let agent = HeaderValue::from_static(concat!("viam/", env!("CARGO_PKG_VERSION")));
            request.headers_mut().entry(header::USER_AGENT).or_insert(agent);
            let token = credential.attach(request.headers_mut())?;
            let response = self.exchange(request, limited).await?;
            let status = response.status();
            tracing::debug!(
                target: "viam",
                "HTTP {} {}{} -> {status}", parts.method, shown(&url), url.path()
            );
            if !follows {
                return Ok(response);
            }
            if status == StatusCode::UNAUTHORIZED && rejected.is_none() && token.is_some() {
                rejected = token;
                continue;
            }
            match redirect(&response, &url)? {
                Some(next) => url = next,
                None => return Ok(response),
            }
        }
        let words = format!("{} redirects more than {REDIRECTS} times", shown(&url));
        Err(Error::new(Kind::Remote, words))
    }

    async fn exchange(&self, request: Request<Body>, limited: bool) -> Result<Response<Body>> {
        let peer = shown(request.uri());
        let exchange = self.client.request(request);
        let answer = if limited {
            timeout(CALL_LIMIT, exchange).await.map_err(|_| {
                let words = format!("{peer} did not answer within {} s", CALL_LIMIT.as_secs());
                Error::new(Kind::Remote, words)
            })?
        } else {
            exchange.await
        };
        let (parts, body) = answer.map_err(|error| failed(&peer, error))?.into_parts();
        let body = Body::new(body);
        let body =
            if limited && !body.is_end_stream() { Stalling::body(body, CALL_LIMIT) } else { body };
        Ok(Response::from_parts(parts, body))
    }

    /// What goes along to a URL. A token that was refused is renewed; where there is no better
    /// one, the refusal stands.
    async fn credential(
        &self,
        url: &Uri,
        given: &HeaderMap,
        rejected: Option<&str>,
    ) -> Result<Credential> {
        let own = given.contains_key(header::AUTHORIZATION);
        let Some(tokens) = self.config.tokens.as_ref().filter(|_| !own) else {
            return Ok(Credential::None);
        };
        if !belongs(&self.config.base_url, &host_of(url)?) {
            return Ok(Credential::None);
        }
        if let Some((id, secret)) = tokens.key() {
            return Ok(Credential::Key(id.to_owned(), secret.to_owned()));
        }
        match tokens.bearer(rejected).await? {
            Some(token) => Ok(Credential::Token(token)),
            None => Err(tokens.refused("").unwrap_or_else(|| {
                let words = format!("{} does not accept the login", shown(url));
                Error::new(Kind::Auth, words).hint_run("viam login")
            })),
        }
    }
}

/// What goes along with a request.
enum Credential {
    None,
    Token(String),
    Key(String, String),
}

impl Credential {
    /// Puts it into the headers; the token, where it is one.
    fn attach(self, headers: &mut HeaderMap) -> Result<Option<String>> {
        let mut secret = |name: HeaderName, value: String| -> Result<()> {
            let mut value = HeaderValue::try_from(value).or_kind(Kind::Auth, || {
                "the login has characters that no header takes".to_owned()
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
            Ok(())
        };
        match self {
            Self::None => Ok(None),
            Self::Token(token) => {
                secret(header::AUTHORIZATION, format!("Bearer {token}"))?;
                Ok(Some(token))
            }
            Self::Key(id, key) => {
                let [name_of_id, name_of_key] = KEY;
                secret(name_of_id, id)?;
                secret(name_of_key, key)?;
                Ok(None)
            }
        }
    }
}

/// Whether a host is the base URL's own. Viam's clouds have several.
fn belongs(base_url: &BaseUrl, to: &BaseUrl) -> bool {
    base_url == to || (base_url.is_viam() && to.is_viam() && !to.plaintext)
}

/// Where a URL leads: without a port to that of HTTP, which is not what a base URL means.
fn host_of(url: &Uri) -> Result<BaseUrl> {
    let mut to = BaseUrl::parse(&url.to_string())?;
    if to.plaintext && url.port().is_none() {
        to.port = 80;
    }
    Ok(to)
}

/// Where an answer sends us.
fn redirect(response: &Response<Body>, from: &Uri) -> Result<Option<Uri>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let bad = || format!("{} redirects to something that is no URL", shown(from));
    let place = response.headers().get(header::LOCATION);
    let place = place.and_then(|place| place.to_str().ok());
    let place = place.ok_or_else(|| Error::new(Kind::Remote, bad()))?;
    let mut parts = place.parse::<Uri>().or_kind(Kind::Remote, bad)?.into_parts();
    if parts.authority.is_none() {
        parts.scheme = from.scheme().cloned();
        parts.authority = from.authority().cloned();
    }
    let to = Uri::from_parts(parts).or_kind(Kind::Remote, bad)?;
    if from.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
        let words = format!("{} redirects from https to cleartext", shown(from));
        return Err(Error::new(Kind::Remote, words));
    }
    Ok(Some(to))
}

fn failed(peer: &str, error: hyper_util::client::legacy::Error) -> Error {
    // An error of our own, from the connector, has its words already.
    let mut next = std::error::Error::source(&error);
    let mut deepest = error.to_string();
    while let Some(source) = next {
        if let Some(own) = source.downcast_ref::<Error>() {
            return own.within(format!("cannot reach {peer}"));
        }
        deepest = source.to_string();
        next = source.source();
    }
    Error::new(Kind::Remote, format!("the connection to {peer} broke")).because(deepest)
}

/// A URL without its path and query, which may hold secrets.
fn shown(url: &Uri) -> String {
    let scheme = url.scheme_str().unwrap_or("http");
    format!("{scheme}://{}", url.authority().map_or("", http::uri::Authority::as_str))
}

impl Service<Request<Body>> for Web {
    type Response = Response<Body>;
    type Error = WireError;
    type Future = BoxFuture<'static, Result<Response<Body>, WireError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = self.clone().call(request);
        Box::pin(async { call.await.map_err(|error| WireError(Box::new(error))) })
    }
}

/// Sends a request; an error of our own comes out as it was.
///
/// # Errors
/// `Remote` with the host and the reason, `Auth` where the login is refused.
pub async fn send(wire: &Wire, request: Request<Body>) -> Result<Response<Body>> {
    let mut wire = wire.clone();
    wire.call(request).await.map_err(|WireError(error)| match error.downcast::<Error>() {
        Ok(own) => *own,
        Err(other) => Error::new(Kind::Remote, "a request failed").because(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> BaseUrl {
        BaseUrl::parse(text).expect(text)
    }

    #[test]
    fn credentials_go_to_the_clouds_own_hosts_only() {
        let viam = url("https://app.viam.com");
        for (to, goes) in [
            ("https://app.viam.com", true),
            ("https://docs.viam.com", true),
            ("https://app.viam.dev", true),
            ("http://app.viam.com:80", false),
            ("https://viam.com.example.test", false),
            ("https://viam.com.test", false),
            ("https://storage.example.test", false),
        ] {
            assert_eq!(belongs(&viam, &url(to)), goes, "{to}");
        }
        let local = url("http://127.0.0.1:4000");
        assert!(belongs(&local, &url("http://127.0.0.1:4000")));
        assert!(!belongs(&local, &url("http://127.0.0.1:4001")));
        assert!(!belongs(&local, &url("http://localhost:4000")));
    }

    #[test]
    fn a_url_without_a_port_leads_to_that_of_http() {
        for (text, port) in [
            ("http://169.254.169.254/latest/api/token", 80),
            ("http://h.test:8080/", 8080),
            ("https://h.test/", 443),
        ] {
            assert_eq!(host_of(&text.parse().expect(text)).expect(text).port, port, "{text}");
        }
    }

    #[test]
    fn redirects_are_absolute_or_on_the_same_host_and_never_to_cleartext() {
        let from: Uri = "https://a.test/x?y".parse().expect("url");
        let to = |place: &str| {
            let answer = Response::builder().status(302).header(header::LOCATION, place);
            redirect(&answer.body(Body::empty()).expect("answer"), &from)
        };
        let shown = |place: &str| to(place).expect(place).map(|url| url.to_string());
        assert_eq!(shown("/z?k").as_deref(), Some("https://a.test/z?k"));
        assert_eq!(shown("https://b.test/").as_deref(), Some("https://b.test/"));
        assert!(to("http://b.test/").is_err());
        let plain = Response::new(Body::empty());
        assert!(redirect(&plain, &from).expect("no redirect").is_none());
    }
}
