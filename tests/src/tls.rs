//! TLS as a client speaks it, with certificates made on the spot.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::http::{Answer, connect, exchange};

/// A certificate for `localhost`, with its key; both in PEM.
pub struct Certificate {
    /// The certificate.
    pub chain: String,
    /// Its key.
    pub key: String,
    der: CertificateDer<'static>,
}

impl Default for Certificate {
    fn default() -> Certificate {
        Certificate::new()
    }
}

impl Certificate {
    /// One that vouches for itself.
    pub fn new() -> Certificate {
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = CertificateParams::new(["localhost".to_owned()])
            .and_then(|params| params.self_signed(&key))
            .expect("a certificate can be made");
        Certificate { chain: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
    }

    /// A client that trusts this certificate and no other.
    pub fn client(&self, address: SocketAddr) -> TlsClient {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("it is a certificate");
        let settings = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has all of them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsClient { address, settings: Arc::new(settings) }
    }
}

/// A client that speaks TLS, on a new connection each time.
pub struct TlsClient {
    address: SocketAddr,
    settings: Arc<ClientConfig>,
}

impl TlsClient {
    /// A connection, not yet used.
    ///
    /// # Errors
    /// When there is none.
    pub fn connect(&self) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let name = ServerName::try_from("localhost").expect("it is a name");
        let session = ClientConnection::new(self.settings.clone(), name).map_err(std::io::Error::other)?;
        Ok(StreamOwned::new(session, connect(self.address)?))
    }

    /// Sends a request as it is, and gives the answer.
    ///
    /// # Errors
    /// When the connection breaks, or the certificate is another.
    pub fn try_send(&self, method: &str, request: &[u8]) -> std::io::Result<Answer> {
        exchange(&mut self.connect()?, request, method)
    }

    /// `GET` of a path.
    pub fn get(&self, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        self.try_send("GET", request.as_bytes()).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }
}
