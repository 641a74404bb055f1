//! Authentication and authorization in front of every endpoint.
//!
//! Invariants:
//! - A denied request is answered with 401 or 403 before its body is read, and the denial is logged.
//! - A request that reaches an endpoint that is not open has a [`Principal`] among its extensions.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::auth::denied_log::{Denial, DeniedLog};
use crate::auth::roles::{Access, Principal, Role};
use crate::auth::token_store::TokenStore;
use crate::http::peer::Peer;
use crate::http::response::Problem;
use crate::util::reloadable::Reloadable;

/// Header that carries a token where `Authorization` is meant for another service, as in a mirrored request.
/// It takes precedence over `Authorization`.
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-understudy-token");
/// Header by which a browser reports the origin of a request:
/// <https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The authentication of one endpoint.
#[derive(Clone)]
pub struct AuthLayer {
    /// Tokens; `None` if the run is served to this machine without tokens.
    pub tokens: Option<Arc<Reloadable<TokenStore>>>,
    /// Log that receives denials.
    pub denied: Arc<DeniedLog>,
    /// Access that the endpoint requires.
    pub access: Access,
}

/// Why a request is denied.
struct AccessDenied {
    problem: Problem,
    /// Name of the token, if it is a known one.
    token: Option<String>,
}

impl AccessDenied {
    fn unauthenticated(detail: &str) -> AccessDenied {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "authentication required", detail);
        AccessDenied { problem, token: None }
    }

    fn forbidden(detail: impl Into<String>, token: Option<String>) -> AccessDenied {
        AccessDenied { problem: Problem::new(StatusCode::FORBIDDEN, "access denied", detail), token }
    }
}

/// Middleware: passes on a request with access, together with its principal; denies any other.
pub async fn authenticate(
    State(layer): State<AuthLayer>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    if layer.access == Access::Open {
        return next.run(request).await;
    }
    match identify(&layer, &request) {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(AccessDenied { problem, token }) => {
            layer.denied.add(Denial {
                at: Timestamp::now(),
                peer: request.extensions().get().map(Peer::to_string).unwrap_or_default(),
                method: request.method().to_string(),
                path: request.uri().path().to_owned(),
                status: problem.status,
                reason: problem.detail.clone(),
                token,
            });
            let challenge = problem.status == StatusCode::UNAUTHORIZED.as_u16();
            let mut response = problem.into_response();
            if challenge {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response
        }
    }
}

/// The principal of a request, if it has access.
fn identify(layer: &AuthLayer, request: &Request) -> Result<Principal, AccessDenied> {
    // A client of the control socket can write the run directory, so that a check would protect nothing.
    if request.extensions().get() == Some(&Peer::Local) {
        return Ok(Principal::local());
    }
    let headers = request.headers();
    let Some(tokens) = &layer.tokens else {
        return match cross_site_reason(headers) {
            None => Ok(Principal::local()),
            Some(reason) => Err(AccessDenied::forbidden(reason, None)),
        };
    };
    let token = token(headers, layer.access).ok_or_else(|| {
        AccessDenied::unauthenticated(
            "the request has no token; send `Authorization: Bearer TOKEN` with a token from `understudy token`",
        )
    })?;
    let tokens = tokens.current();
    let principal = tokens.lookup(&token).ok_or_else(|| {
        AccessDenied::unauthenticated("the token is unknown; ask the operator of this run for a valid one")
    })?;
    if layer.access.admits(&principal.roles) {
        return Ok(principal.clone());
    }
    let detail = format!(
        "token `{}` has {}; this endpoint requires {}",
        principal.name,
        role_list(&principal.roles, "and"),
        role_list(layer.access.roles(), "or")
    );
    Err(AccessDenied::forbidden(detail, Some(principal.name.clone())))
}

/// Roles as a phrase such as "the roles `read` or `audit`".
fn role_list(roles: &[Role], last: &str) -> String {
    let names: Vec<String> = roles.iter().map(|role| format!("`{}`", role.name())).collect();
    let noun = if names.len() == 1 { "role" } else { "roles" };
    match names.split_last() {
        Some((end, start)) if !start.is_empty() => format!("the {noun} {} {last} {end}", start.join(", ")),
        _ => format!("the {noun} {}", names.concat()),
    }
}

/// The token in the headers of a request. For an endpoint that reads, it may be the password of Basic authentication (RFC 7617):
/// clients such as a webhook of Flagger can send nothing but the credentials of their URL. A browser that keeps such credentials
/// sends them with the requests of other pages, so no other endpoint takes them.
fn token(headers: &HeaderMap, access: Access) -> Option<Cow<'_, [u8]>> {
    if let Some(token) = headers.get(TOKEN_HEADER) {
        return Some(Cow::from(token.as_bytes().trim_ascii()));
    }
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, credentials) = (&value[..space], value[space..].trim_ascii());
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Some(Cow::from(credentials));
    }
    if access != Access::Read || !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let decoded = STANDARD.decode(credentials).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some(Cow::from(decoded[colon + 1..].to_vec()))
}

/// Why a request to a server without tokens may come from a foreign web page in a browser on this machine;
/// `None` if it cannot. A page attacks through a domain of its own that resolves to this machine (DNS
/// rebinding) or across origins (request forgery). Both are visible in headers that a page cannot change.
fn cross_site_reason(headers: &HeaderMap) -> Option<&'static str> {
    let hosts: Vec<&HeaderValue> = headers.get_all(HOST).iter().collect();
    let host = match hosts[..] {
        [host] => host.to_str().unwrap_or_default(),
        _ => "",
    };
    if !is_loopback_host(host) {
        return Some(
            "a run without tokens is served to this machine only, and the Host header names another one; use localhost",
        );
    }
    let cross_origin = "a run without tokens is served to this machine only, not to pages of other origins";
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let same = |origin: &str| {
        origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
    };
    if origin.is_some_and(|origin| !same(origin)) {
        return Some(cross_origin);
    }
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    site.is_some_and(|site| !matches!(site, b"same-origin" | b"none")).then_some(cross_origin)
}

/// Whether a `Host` header names this machine. The port may differ, since it may be that of a tunnel.
fn is_loopback_host(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn requests_from_this_machine_are_accepted() {
        for host in ["localhost", "LOCALHOST:7878", "127.0.0.1:7878", "127.1.2.3", "[::1]:7878", "[::1]"] {
            assert_eq!(cross_site_reason(&headers(&[("host", host)])), None, "{host}");
        }
        let own = [
            ("host", "localhost:7878"),
            ("origin", "http://localhost:7878"),
            ("sec-fetch-site", "same-origin"),
        ];
        assert_eq!(cross_site_reason(&headers(&own)), None);
    }

    #[test]
    fn requests_of_a_foreign_page_are_recognised() {
        let wrong: [&[(&str, &str)]; 12] = [
            &[],
            &[("host", "")],
            &[("host", "evil.example:7878")],
            &[("host", "localhost.evil.example")],
            &[("host", "127.0.0.1.evil.example")],
            &[("host", "0.0.0.0:7878")],
            &[("host", "user@evil.example")],
            &[("host", "localhost:7878"), ("host", "localhost:7878")],
            &[("host", "localhost:7878"), ("origin", "http://localhost:3000")],
            &[("host", "localhost:7878"), ("origin", "null")],
            &[("host", "localhost:7878"), ("origin", "https://evil.example")],
            &[("host", "localhost:7878"), ("sec-fetch-site", "cross-site")],
        ];
        for lines in wrong {
            let mut sent = HeaderMap::new();
            for (name, value) in lines {
                sent.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert!(cross_site_reason(&sent).is_some(), "{lines:?}");
        }
    }

    #[test]
    fn a_token_is_read_from_either_header() {
        let found = |lines: &[(&'static str, &'static str)]| {
            token(&headers(lines), Access::Read).map(Cow::into_owned)
        };
        assert_eq!(found(&[("authorization", "Bearer abc")]).as_deref(), Some(&b"abc"[..]));
        assert_eq!(found(&[("authorization", "bearer  abc ")]).as_deref(), Some(&b"abc"[..]));
        assert_eq!(found(&[("authorization", "Bearer")]), None);
        let both = [("authorization", "Bearer theirs"), ("x-understudy-token", "ours")];
        assert_eq!(found(&both).as_deref(), Some(&b"ours"[..]));
        // "flagger:abc:d", ":abc", and no colon.
        assert_eq!(found(&[("authorization", "Basic ZmxhZ2dlcjphYmM6ZA==")]).as_deref(), Some(&b"abc:d"[..]));
        assert_eq!(found(&[("authorization", "basic OmFiYw==")]).as_deref(), Some(&b"abc"[..]));
        for wrong in ["Basic YWJj", "Basic abc", "Basic ", "Digest OmFiYw==", "abc"] {
            assert_eq!(found(&[("authorization", wrong)]), None, "{wrong}");
        }
        assert_eq!(token(&HeaderMap::new(), Access::Read), None);
        let basic = headers(&[("authorization", "basic OmFiYw==")]);
        for access in [Access::Feed, Access::Operate, Access::Audit] {
            assert_eq!(token(&basic, access), None, "{access:?}");
        }
    }

    #[test]
    fn roles_are_listed_as_a_phrase() {
        assert_eq!(role_list(&[Role::Feed], "and"), "the role `feed`");
        assert_eq!(role_list(Access::Read.roles(), "or"), "the roles `read`, `operate` or `audit`");
    }
}
