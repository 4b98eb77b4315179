//! The self-signed certificate, kept next to the data so that a client may trust it once.

use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use viam_contract::{Kind, Result, ResultExt as _};

use crate::files;

/// What the certificate is for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The certificate and what serves it.
pub(crate) struct Identity {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) certificate_pem: String,
}

/// Takes the certificate of the directory, or makes one.
///
/// # Errors
/// `Config` when it is broken or cannot be written.
pub(crate) fn identity(dir: Option<&Path>) -> Result<Identity> {
    let doing = || "cannot use the sandbox's TLS certificate".to_owned();
    let stored = dir.map(|dir| (dir.join("cert.pem"), dir.join("key.pem")));
    let (certificate_pem, key_pem) = match &stored {
        Some((certificate, key)) if certificate.exists() && key.exists() => (
            std::fs::read_to_string(certificate).or_kind(Kind::Config, doing)?,
            std::fs::read_to_string(key).or_kind(Kind::Config, doing)?,
        ),
        _ => {
            let (certificate, key) = generate().or_kind(Kind::Internal, doing)?;
            if let Some((certificate_file, key_file)) = &stored {
                files::write_private(key_file, key.as_bytes())?;
                files::write_private(certificate_file, certificate.as_bytes())?;
            }
            (certificate, key)
        }
    };
    let chain = CertificateDer::pem_slice_iter(certificate_pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .or_kind(Kind::Config, doing)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).or_kind(Kind::Config, doing)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .or_kind(Kind::Internal, doing)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .or_kind(Kind::Config, doing)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Identity { config: Arc::new(config), certificate_pem })
}

fn generate() -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
    params.distinguished_name.push(DnType::CommonName, "viam sandbox");
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_of_a_directory_stays() {
        let dir = tempfile::tempdir().expect("dir");
        let first = identity(Some(dir.path())).expect("made").certificate_pem;
        assert_eq!(identity(Some(dir.path())).expect("taken").certificate_pem, first);
        assert_ne!(identity(None).expect("other").certificate_pem, first);
    }
}
