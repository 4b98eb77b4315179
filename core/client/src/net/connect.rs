//! Connecting: every address of the host is tried, each a quarter of a second after the one
//! before it, and one counts only when its TLS handshake is done (an address that accepts and
//! then resets must not win).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{CONNECT_LIMIT, Net, Protocol, Stream, proxy, tls};
use crate::BaseUrl;

/// How much later the next address is tried (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);

impl Net {
    /// Connects to the host of a base URL.
    ///
    /// # Errors
    /// With the address and the reason, also after [`CONNECT_LIMIT`].
    pub async fn connect(&self, to: &BaseUrl, protocol: Protocol) -> io::Result<Stream> {
        if let Some(pinned) = &self.pinned {
            return self.first_of(pinned.to_vec(), to, protocol).await;
        }
        if let Some(proxy) = self.proxies().for_target(to) {
            tracing::debug!(target: "viam", "connect {} by proxy {}", to.authority(), proxy.shown());
            let tcp = timeout(CONNECT_LIMIT * 2, proxy::tunnel(&proxy, to))
                .await
                .map_err(|_| timed_out(&format!("proxy {}", proxy.shown())))??;
            return self.secure(tcp, to, protocol).await;
        }
        let addresses = timeout(CONNECT_LIMIT, tokio::net::lookup_host((&*to.host, to.port)))
            .await
            .map_err(|_| timed_out(&format!("the name {}", to.host)))?
            .map_err(|error| {
                io::Error::new(error.kind(), format!("cannot find the host {}: {error}", to.host))
            })?;
        self.first_of(interleaved(addresses.collect()), to, protocol).await
    }

    async fn first_of(
        &self,
        addresses: Vec<SocketAddr>,
        to: &BaseUrl,
        protocol: Protocol,
    ) -> io::Result<Stream> {
        let mut attempts = FuturesUnordered::new();
        for (place, address) in addresses.into_iter().enumerate() {
            attempts.push(async move {
                tokio::time::sleep(STAGGER * u32::try_from(place).unwrap_or(u32::MAX)).await;
                self.attempt(address, to, protocol).await
            });
        }
        let mut first_error = None;
        while let Some(result) = attempts.next().await {
            match result {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        Err(first_error
            .unwrap_or_else(|| io::Error::other(format!("the host {} has no address", to.host))))
    }

    async fn attempt(
        &self,
        address: SocketAddr,
        to: &BaseUrl,
        protocol: Protocol,
    ) -> io::Result<Stream> {
        let whole = async {
            let tcp = TcpStream::connect(address).await?;
            self.secure(tcp, to, protocol).await
        };
        match timeout(CONNECT_LIMIT, whole).await {
            Ok(Ok(stream)) => {
                tracing::debug!(target: "viam", "connected to {address}");
                Ok(stream)
            }
            Ok(Err(error)) => {
                tracing::debug!(target: "viam", "cannot connect to {address}: {error}");
                Err(io::Error::new(error.kind(), format!("{address}: {error}")))
            }
            Err(_) => Err(timed_out(&address.to_string())),
        }
    }

    async fn secure(&self, tcp: TcpStream, to: &BaseUrl, protocol: Protocol) -> io::Result<Stream> {
        tcp.set_nodelay(true)?;
        if to.plaintext {
            return Ok(Stream::Plain(tcp));
        }
        let roots = self.inner.roots.get_or_init(|| tls::load_roots(&self.inner.warn)).clone();
        tls::handshake(tcp, &to.host, roots, protocol).await
    }
}

fn timed_out(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        format!("{what} did not answer within {} s", CONNECT_LIMIT.as_secs()),
    )
}

/// One of each family in turn, in the resolver's order.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (a, b): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut a = a.into_iter();
    let mut b = b.into_iter();
    let mut all = Vec::new();
    loop {
        match (a.next(), b.next()) {
            (None, None) => return all,
            (one, two) => all.extend(one.into_iter().chain(two)),
        }
    }
}
