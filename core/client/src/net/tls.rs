//! TLS: the system's roots (or `SSL_CERT_FILE`, `SSL_CERT_DIR`), one crypto provider.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Protocol, Stream, Warn};

/// Loads the roots; what cannot be read is warned of by name, and the rest is used.
pub(super) fn load_roots(warn: &Warn) -> Arc<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        warn(&format!("cannot use a certificate store: {error}"));
    }
    let mut roots = RootCertStore::empty();
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    tracing::debug!(target: "viam", "{} root certificates, {unusable} not usable", roots.len());
    if roots.is_empty() {
        warn("no root certificates were found; set SSL_CERT_FILE to a file that has them");
    }
    Arc::new(roots)
}

/// Shakes hands as a client.
pub(super) async fn handshake(
    tcp: TcpStream,
    host: &str,
    roots: Arc<RootCertStore>,
    protocol: Protocol,
) -> io::Result<Stream> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = match protocol {
        Protocol::Http2 => vec![b"h2".to_vec()],
        Protocol::Http1 => vec![b"http/1.1".to_vec()],
    };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let stream =
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await.map_err(|error| {
            let text = error.to_string();
            if text.contains("UnknownIssuer") {
                return io::Error::new(
                    error.kind(),
                    format!(
                        "the certificate of {host} is signed by nobody this system trusts \
                         (UnknownIssuer); SSL_CERT_FILE can name a file with its issuer"
                    ),
                );
            }
            io::Error::new(error.kind(), format!("TLS handshake failed: {text}"))
        })?;
    Ok(Stream::Tls(Box::new(stream)))
}
