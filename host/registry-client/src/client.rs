//! The requests to a registry, as in the OCI Distribution Specification 1.1, "Pulling manifests" and "Pulling blobs".

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::http::StatusCode;
use ureq::http::header::{ACCEPT, AUTHORIZATION, WWW_AUTHENTICATE};
use ureq::tls::{RootCerts, TlsConfig};

use serde::Deserialize;
use understudy_study::RegistryRepository;

use super::authentication::{Authentication, AuthenticationError, Challenge};
use super::credential::{CredentialError, credential};

/// The largest manifest, in bytes. The specification asks registries to accept at least 4 MiB.
const MAX_MANIFEST: u64 = 4 << 20;

/// The largest error or token, in bytes.
const MAX_MESSAGE: u64 = 64 << 10;

const MANIFEST_MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// What a download asks a registry for.
pub trait Registry {
    /// The manifest with a digest, `sha256:...`, or a tag.
    fn manifest(&mut self, name: &str) -> Result<Vec<u8>, ClientError>;

    /// The blob with a SHA-256, in hexadecimal, and a size in bytes.
    fn blob(&mut self, digest: &str, size: u64) -> Result<Vec<u8>, ClientError>;
}

/// Why a registry does not give what is asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer, or one that is too long.
    #[error("the request {url} failed: {reason}")]
    Request {
        /// The address.
        url: String,
        /// What failed.
        reason: ureq::Error,
    },
    /// The registry denies the request.
    #[error("the registry answers {status} to {url}{message}; {advice}")]
    Status {
        /// The status of HTTP.
        status: StatusCode,
        /// The address.
        url: String,
        /// The registry's own words, after a colon, or nothing.
        message: String,
        /// What to do.
        advice: &'static str,
    },
    /// There is no credential that the registry accepts.
    #[error(transparent)]
    Authentication(#[from] AuthenticationError),
    /// The credentials of this user cannot be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

/// A client for one repository.
pub struct RegistryClient {
    agent: Agent,
    repository: RegistryRepository,
    authentication: Authentication,
}

impl RegistryClient {
    /// A client that has not asked for anything yet.
    ///
    /// # Errors
    /// If the credentials of this user cannot be read.
    pub fn new(repository: &RegistryRepository) -> Result<RegistryClient, ClientError> {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .https_only(!repository.is_loopback())
            .http_status_as_error(false)
            .tls_config(tls)
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .timeout_recv_body(Some(Duration::from_secs(1800)))
            .build()
            .new_agent();
        let authentication = Authentication::new(credential(&repository.host)?);
        Ok(RegistryClient { agent, repository: repository.clone(), authentication })
    }

    fn get(&mut self, path: &str, accept: &str, limit: u64) -> Result<Vec<u8>, ClientError> {
        let scheme = if self.repository.is_loopback() { "http" } else { "https" };
        let url = format!("{scheme}://{}/v2/{}/{path}", self.repository.host, self.repository.name);
        let failed = |reason| ClientError::Request { url: url.clone(), reason };
        let mut response = self.send(&url, accept).map_err(failed)?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let challenges = response.headers().get_all(WWW_AUTHENTICATE);
            let challenges: Vec<&str> = challenges.iter().filter_map(|value| value.to_str().ok()).collect();
            let challenge = Challenge::parse(&challenges);
            let agent = &self.agent;
            let request_token =
                |url: &str, authorization: Option<&str>| request_token(agent, url, authorization);
            if self.authentication.answer(challenge, &self.repository, request_token)? {
                response = self.send(&url, accept).map_err(failed)?;
            }
        }
        let status = response.status();
        let body = response.into_body();
        if status != StatusCode::OK {
            let text = body.into_with_config().limit(MAX_MESSAGE).read_to_vec().unwrap_or_default();
            return Err(ClientError::Status { status, url, message: message(&text), advice: advice(status) });
        }
        body.into_with_config().limit(limit).read_to_vec().map_err(failed)
    }

    fn send(&self, url: &str, accept: &str) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let request = self.agent.get(url).header(ACCEPT, accept);
        match self.authentication.header() {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
        .call()
    }
}

impl Registry for RegistryClient {
    fn manifest(&mut self, name: &str) -> Result<Vec<u8>, ClientError> {
        self.get(&format!("manifests/{name}"), MANIFEST_MEDIA_TYPE, MAX_MANIFEST)
    }

    fn blob(&mut self, digest: &str, size: u64) -> Result<Vec<u8>, ClientError> {
        // One byte more than expected, so that a longer blob is found out by its digest.
        self.get(&format!("blobs/sha256:{digest}"), "*/*", size + 1)
    }
}

/// Asks the server that a registry names for a token.
fn request_token(
    agent: &Agent,
    url: &str,
    authorization: Option<&str>,
) -> Result<Vec<u8>, AuthenticationError> {
    let failed = |reason: String| AuthenticationError::NoToken { url: url.to_owned(), reason };
    let request = agent.get(url);
    let request = match authorization {
        Some(authorization) => request.header(AUTHORIZATION, authorization),
        None => request,
    };
    let response = request.call().map_err(|error| failed(error.to_string()))?;
    let status = response.status();
    let body = response.into_body().into_with_config().limit(MAX_MESSAGE).read_to_vec();
    let body = body.map_err(|error| failed(error.to_string()))?;
    if status != StatusCode::OK {
        return Err(failed(format!("it answers {status}{}", message(&body))));
    }
    Ok(body)
}

/// The registry's own words about an error, after a colon.
fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Error>,
    }
    #[derive(Deserialize)]
    struct Error {
        code: String,
        #[serde(default)]
        message: String,
    }
    let Ok(Errors { errors }) = serde_json::from_slice(body) else { return String::new() };
    let Some(error) = errors.first() else { return String::new() };
    let words = format!(": {} {}", error.code, error.message);
    words.trim_end().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect()
}

fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "correct the repository, the tag or the digest",
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "log in with `docker login`, or ask those who run the registry for access"
        }
        StatusCode::TOO_MANY_REQUESTS => "wait, and try again",
        _ => "try again, or ask those who run the registry",
    }
}
