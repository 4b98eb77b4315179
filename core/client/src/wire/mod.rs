//! The transport of gRPC calls to the cloud app: one HTTP/2 connection, tokens on calls, limits,
//! a trace line a call.

mod authenticate;
mod buffer;
mod call;
mod stall;

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;
use viam_contract::{BoxFuture, Error, Kind, Result, ResultExt as _, Wire};

pub use authenticate::{API_KEY, KeyTokens, authenticate};
pub use call::LongLived;
pub(crate) use stall::Stalling;

use crate::BaseUrl;
use crate::net::{Net, Protocol};

/// How long a unary call may take to answer.
pub const CALL_LIMIT: Duration = Duration::from_secs(30);

/// Messages up to this size are received (transport.md §4.1), in bytes.
pub const RECEIVE_LIMIT: usize = 32 * 1024 * 1024;

/// Gives the token of a session.
pub trait TokenSource: Send + Sync {
    /// The token to send. `rejected` is the one that the server has just refused: a source that
    /// can get another one does so, once; `None` means that there is no better one.
    fn bearer<'a>(&'a self, rejected: Option<&'a str>) -> BoxFuture<'a, Result<Option<String>>>;

    /// The error for a call that the server refuses for good, where the source can say more
    /// than the status: which login it was and what to do. `said` is the server's message.
    fn refused(&self, said: &str) -> Option<Error> {
        let _ = said;
        None
    }

    /// Id and secret of the API key behind the tokens: plain HTTP takes those as they are
    /// (transport.md §4.7). `None` where the login is no key, or its secret is not at hand.
    fn key(&self) -> Option<(&str, &str)> {
        None
    }
}

/// Called when an answer takes longer than a second, with the name of the peer.
pub type OnWait = Arc<dyn Fn(&str) + Send + Sync>;

/// What a wire is made of.
#[derive(Clone)]
pub struct Config {
    /// Opens the connection.
    pub net: Net,
    /// Where to.
    pub base_url: BaseUrl,
    /// Credentials; `None` sends none.
    pub tokens: Option<Arc<dyn TokenSource>>,
    /// Told when it takes long.
    pub on_wait: Option<OnWait>,
}

/// Makes the transport. Nothing is connected before the first call.
///
/// # Errors
/// `Internal` when the address cannot be a URI.
pub fn open(config: Config) -> Result<Wire> {
    let channel = channel(&config.net, &config.base_url)?;
    Ok(Wire::new(call::CallService::new(channel, config)))
}

fn channel(net: &Net, base_url: &BaseUrl) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(base_url.to_string())
        .or_kind(Kind::Internal, || format!("cannot use {base_url} as an address"))?
        .user_agent(concat!("viam/", env!("CARGO_PKG_VERSION")))
        .or_kind(Kind::Internal, || "cannot name the user agent".to_owned())?
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    let (net, base_url) = (net.clone(), base_url.clone());
    Ok(endpoint.connect_with_connector_lazy(service_fn(move |_: Uri| {
        let (net, base_url) = (net.clone(), base_url.clone());
        async move {
            match net.connect(&base_url, Protocol::Http2).await {
                Ok(stream) => Ok(TokioIo::new(stream)),
                Err(error) => Err(Error::new(Kind::Remote, format!("cannot reach {base_url}"))
                    .because(error)
                    .hint_text(
                        "check the address and the network; HTTPS_PROXY and NO_PROXY are honoured",
                    )),
            }
        }
    })))
}
