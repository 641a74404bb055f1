//! TLS: the certificate and its key, and the settings they make.
//!
//! Always holds: TLS 1.2 or 1.3, with the ciphers that rustls deems safe; no certificate is asked of the client.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, ensure};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::util::reloadable::Fresh;

/// Reads a chain of certificates, the server's own first, and its key, both in PEM. They are read again when they change.
///
/// # Errors
/// When they cannot be read, or do not belong together.
pub fn tls(certificate: PathBuf, key: PathBuf) -> anyhow::Result<Fresh<Arc<ServerConfig>>> {
    Fresh::read(vec![certificate, key], |files| {
        let [certificate, key] = files else { return Err(anyhow!("a certificate and a key are two files")) };
        let shown = certificate.display();
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| format!("cannot read a certificate in PEM from {shown}"))?;
        ensure!(!chain.is_empty(), "{shown} has no certificate in PEM");
        let secret = PrivateKeyDer::from_pem_file(key)
            .with_context(|| format!("cannot read a private key in PEM from {}", key.display()))?;
        let mut settings = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("no TLS")?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .with_context(|| format!("{shown} and {} do not go together", key.display()))?;
        settings.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(settings))
    })
}
