//! From an address to a stream of bytes: look-up, happy eyeballs, proxy, TLS.

mod connect;
mod proxy;
mod stream;
mod tls;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use proxy::ProxyRules;
pub use stream::Stream;
use viam_contract::Env;

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

/// Opens streams. Cheap to make and to clone: proxy rules are read when the first stream is made,
/// TLS roots when the first TLS stream is.
#[derive(Clone)]
pub struct Net {
    inner: Arc<Inner>,
    /// Where every host is, if that is known already.
    pinned: Option<Arc<[SocketAddr]>>,
}

struct Inner {
    env: Env,
    proxies: OnceLock<ProxyRules>,
    warn: Warn,
    roots: OnceLock<Arc<rustls::RootCertStore>>,
}

impl Net {
    /// Makes one that honours the proxies of an environment; an empty one has none.
    #[must_use]
    pub fn new(env: Env, warn: Warn) -> Self {
        let (proxies, roots) = (OnceLock::new(), OnceLock::new());
        Self { inner: Arc::new(Inner { env, proxies, warn, roots }), pinned: None }
    }

    /// The same network for a host whose addresses are known: no look-up and no proxy.
    #[must_use]
    pub fn pinned(&self, at: &[SocketAddr]) -> Self {
        Self { pinned: Some(at.into()), ..self.clone() }
    }

    /// The proxy rules; what is wrong with them is said once.
    fn proxies(&self) -> &ProxyRules {
        self.inner.proxies.get_or_init(|| {
            let rules = ProxyRules::from_env(&self.inner.env);
            for complaint in &rules.complaints {
                (self.inner.warn)(complaint);
            }
            rules
        })
    }
}
