//! From an address to a stream of bytes: look-up, happy eyeballs, proxy, TLS.

mod connect;
mod proxy;
mod stream;
mod tls;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use proxy::ProxyRules;
pub use stream::Stream;

/// How long one address may take to connect and shake hands.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// What is spoken on top of the stream; told to the peer by ALPN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC.
    Http2,
    /// Everything else.
    Http1,
}

/// Where warnings of the network go (an unreadable certificate file, an unusable proxy).
pub type Warn = Arc<dyn Fn(&str) + Send + Sync>;

/// Opens streams. Cheap to clone; TLS roots are loaded once, when the first TLS stream is made.
#[derive(Clone)]
pub struct Net {
    inner: Arc<Inner>,
}

struct Inner {
    proxies: ProxyRules,
    warn: Warn,
    roots: OnceLock<Arc<rustls::RootCertStore>>,
}

impl Net {
    /// Makes one with these proxy rules.
    #[must_use]
    pub fn new(proxies: ProxyRules, warn: Warn) -> Self {
        Self { inner: Arc::new(Inner { proxies, warn, roots: OnceLock::new() }) }
    }
}
