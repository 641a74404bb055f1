//! The credentials of `docker login`, from `~/.docker/config.json` or the program that it names.

use std::env;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};

use understudy_run_log::read_file;

/// A user name and a password, or an identity token in place of both.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// User name and password.
    Password(String, String),
    /// A refresh token of OAuth2.
    IdentityToken(String),
}

/// Why the credential of a registry cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The configuration cannot be read.
    #[error("cannot read {}: {reason}; correct the path in DOCKER_CONFIG", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        reason: io::Error,
    },
    /// The configuration has another form, or the program that it names gives no credential.
    #[error("no credential of {host} from {}: {reason}; correct the file, or log in with `docker login {host}`", path.display())]
    Invalid {
        /// The host of the registry.
        host: String,
        /// The file.
        path: PathBuf,
        /// What failed.
        reason: CredentialRetrievalError,
    },
}

/// The credential for a host; `None` if this user has none.
///
/// # Errors
/// If there is a configuration, and it cannot be read.
pub fn credential(host: &str) -> Result<Option<Credential>, CredentialError> {
    let Some(path) = configuration() else { return Ok(None) };
    let configuration = match read_file(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(reason) => return Err(CredentialError::Unreadable { path, reason }),
        Ok(configuration) => configuration,
    };
    match get_credential_from_reader(&configuration[..], host) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Some(Credential::Password(user, password)))
        }
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Credential::IdentityToken(token))),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
        Err(reason) => Err(CredentialError::Invalid { host: host.to_owned(), path, reason }),
    }
}

/// The path of Docker's configuration. Source: the manual of `docker login`.
fn configuration() -> Option<PathBuf> {
    let folder = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".docker")))?;
    Some(folder.join("config.json"))
}
