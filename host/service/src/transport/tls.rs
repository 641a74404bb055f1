//! TLS configuration from a certificate and its key.
//!
//! Invariants:
//! - Connections use TLS 1.2 or 1.3 with the default cipher suites of rustls.
//! - Clients need no certificate.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, ensure};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::util::reloadable::Reloadable;
use understudy_run_log::ensure_regular_file;

/// Reads a certificate chain, the server's own certificate first, and its private key, both in PEM. Both
/// files are reloaded when they change.
///
/// # Errors
/// If a file cannot be read, or the key does not match the certificate.
pub fn tls_config(certificate: PathBuf, key: PathBuf) -> anyhow::Result<Reloadable<Arc<ServerConfig>>> {
    Reloadable::load(vec![certificate, key], |files| {
        let [certificate, key] = files else {
            return Err(anyhow!("expected two files: a certificate and its key"));
        };
        let shown = certificate.display();
        for file in [certificate, key] {
            ensure_regular_file(file).with_context(|| format!("cannot read {}", file.display()))?;
        }
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| format!("cannot read a PEM certificate from {shown}"))?;
        ensure!(!chain.is_empty(), "{shown} contains no PEM certificate");
        let secret = PrivateKeyDer::from_pem_file(key)
            .with_context(|| format!("cannot read a PEM private key from {}", key.display()))?;
        let mut settings = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("cannot configure TLS")?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .with_context(|| {
                format!("the key in {} does not match the certificate in {shown}", key.display())
            })?;
        settings.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(settings))
    })
}
