//! A TLS client and self-signed certificates.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::http::{Response, connect, round_trip};

/// A self-signed certificate for `localhost` with its key, both in PEM.
pub struct Certificate {
    /// The certificate in PEM.
    pub chain: String,
    /// The private key in PEM.
    pub key: String,
    der: CertificateDer<'static>,
}

impl Default for Certificate {
    fn default() -> Certificate {
        Certificate::new()
    }
}

impl Certificate {
    /// Creates a key and a self-signed certificate.
    pub fn new() -> Certificate {
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = CertificateParams::new(["localhost".to_owned()])
            .and_then(|params| params.self_signed(&key))
            .expect("a certificate can be made");
        Certificate { chain: certificate.pem(), key: key.serialize_pem(), der: certificate.der().clone() }
    }

    /// A client that trusts only this certificate.
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

/// A TLS client that uses a new connection per request.
pub struct TlsClient {
    address: SocketAddr,
    settings: Arc<ClientConfig>,
}

impl TlsClient {
    /// Opens a connection.
    ///
    /// # Errors
    /// If the connection fails.
    pub fn connect(&self) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let name = ServerName::try_from("localhost").expect("it is a name");
        let session = ClientConnection::new(self.settings.clone(), name).map_err(std::io::Error::other)?;
        Ok(StreamOwned::new(session, connect(self.address)?))
    }

    /// Sends the bytes of a request and reads the response.
    ///
    /// # Errors
    /// If the connection fails, or if the certificate is not trusted.
    pub fn try_send(&self, method: &str, request: &[u8]) -> std::io::Result<Response> {
        round_trip(&mut self.connect()?, request, method)
    }

    /// `GET` of a path.
    pub fn get(&self, path: &str) -> Response {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        self.try_send("GET", request.as_bytes()).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }
}
