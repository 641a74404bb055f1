//! Authentication at a registry: HTTP's Basic scheme, or a token from the server that the registry names.
//!
//! The tokens are those of the specification "Token Authentication" of the CNCF's Distribution project
//! (distribution.github.io/distribution/spec/auth/token).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use understudy_study::RegistryRepository;

use super::credential::Credential;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The server of tokens does not give one.
    #[error("no token from {url}: {reason}; log in with `docker login`, or ask those who run the registry")]
    NoToken {
        /// The address.
        url: String,
        /// What failed.
        reason: String,
    },
    /// A credential would cross the network as plain text.
    #[error(
        "the registry names {0} as its server of tokens, and a credential is sent only over TLS, or from a registry of this machine to this machine; ask those who run the registry"
    )]
    PlainText(String),
    /// The credential is of a kind that this program cannot use.
    #[error(
        "the credential of this registry is an identity token, which is not supported; log in with a user name and a password"
    )]
    IdentityToken,
}

/// What a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// User name and password.
    Basic,
    /// A token.
    Bearer {
        /// The address of the server of tokens.
        realm: String,
        /// The registry's name at that server.
        service: Option<String>,
        /// What the token must allow.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The first challenge that this program can answer, from the headers `WWW-Authenticate`.
    pub fn parse(headers: &[&str]) -> Option<Challenge> {
        headers.iter().find_map(|header| {
            let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
            if scheme.eq_ignore_ascii_case("basic") {
                return Some(Challenge::Basic);
            }
            let parameters = parameters(rest);
            let parameter = |name: &str| {
                let mut found = parameters.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
                found.next().map(|(_, value)| value.clone())
            };
            let realm = parameter("realm").filter(|_| scheme.eq_ignore_ascii_case("bearer"))?;
            Some(Challenge::Bearer { realm, service: parameter("service"), scope: parameter("scope") })
        })
    }
}

/// The parameters of a challenge: `name="value"` or `name=value`, separated by commas, with blanks around `=`. Source: RFC 9110,
/// section 11.2.
fn parameters(mut text: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    while let Some((name, rest)) = text.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']).to_owned();
        let rest = rest.trim_start_matches([' ', '\t']);
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut letters = quoted.chars();
            loop {
                match letters.next() {
                    Some('\\') => value.extend(letters.next()),
                    Some('"') | None => break,
                    Some(letter) => value.push(letter),
                }
            }
            text = letters.as_str();
        } else {
            let (plain, after) = rest.split_once(',').unwrap_or((rest, ""));
            value.push_str(plain.trim());
            text = after;
        }
        parameters.push((name, value));
    }
    parameters
}

/// The credential of a user and what became of it.
pub struct Authentication {
    credential: Option<Credential>,
    header: Option<String>,
}

impl Authentication {
    /// Nothing was asked for yet.
    pub fn new(credential: Option<Credential>) -> Authentication {
        Authentication { credential, header: None }
    }

    /// The value of the header `Authorization`.
    pub fn header(&self) -> Option<&str> {
        self.header.as_deref()
    }

    /// Answers a challenge. `request_token` asks an address for a token, with a value of `Authorization`. Returns whether
    /// the request may succeed if it is sent again.
    ///
    /// # Errors
    /// If the server of tokens gives none, or a credential would be sent as plain text.
    pub fn answer(
        &mut self,
        challenge: Option<Challenge>,
        repository: &RegistryRepository,
        request_token: impl FnOnce(&str, Option<&str>) -> Result<Vec<u8>, AuthenticationError>,
    ) -> Result<bool, AuthenticationError> {
        let basic = match &self.credential {
            Some(Credential::Password(user, password)) => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            Some(Credential::IdentityToken(_)) => return Err(AuthenticationError::IdentityToken),
            None => None,
        };
        let header = match challenge {
            None => return Ok(false),
            Some(Challenge::Basic) => basic,
            Some(Challenge::Bearer { realm, service, scope }) => {
                let is_local = repository.is_loopback() && is_loopback(&realm);
                if !realm.starts_with("https://") && !is_local {
                    return Err(AuthenticationError::PlainText(realm));
                }
                let url = token_url(&realm, service, scope, &repository.name);
                let token = token(&url, &request_token(&url, basic.as_deref())?)?;
                Some(format!("Bearer {token}"))
            }
        };
        let is_new = header.is_some() && header != self.header;
        self.header = header;
        Ok(is_new)
    }
}

/// Whether an address of plain HTTP is one of this machine.
fn is_loopback(url: &str) -> bool {
    let host =
        url.strip_prefix("http://").and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    RegistryRepository::new(host, "a").is_some_and(|repository| repository.is_loopback())
}

fn token_url(realm: &str, service: Option<String>, scope: Option<String>, repository: &str) -> String {
    let scope = scope.unwrap_or_else(|| format!("repository:{repository}:pull"));
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(service) = service {
        query.append_pair("service", &service);
    }
    query.append_pair("scope", &scope);
    let separator = if realm.contains('?') { '&' } else { '?' };
    format!("{realm}{separator}{}", query.finish())
}

/// The token in the answer of a server of tokens.
fn token(url: &str, answer: &[u8]) -> Result<String, AuthenticationError> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
    }
    let failed =
        |reason: &str| AuthenticationError::NoToken { url: url.to_owned(), reason: reason.to_owned() };
    let answer: Answer =
        serde_json::from_slice(answer).map_err(|_| failed("its answer is not the JSON of a token"))?;
    let token = answer.token.or(answer.access_token).ok_or_else(|| failed("its answer has no token"))?;
    let is_sound = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_sound { Ok(token) } else { Err(failed("its token is not one for a header of HTTP")) }
}

#[cfg(test)]
mod tests;
