//! The guard before every endpoint: it finds out who sends a request, and whether they may.
//!
//! Always holds: what is denied is answered 401 or 403 before its body is read, and noted; an endpoint that is not open finds
//! a [`Who`] among the extensions of every request that it gets.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use jiff::Timestamp;

use crate::app::state::Served;
use crate::auth::denied_log::Denial;
use crate::auth::roles::{Access, Role, Who};
use crate::http::response::Problem;
use crate::transport::listener::Peer;

/// Where a token may stand besides `Authorization`, and is looked for first: a mirrored request has the `Authorization` that
/// was meant for others.
const TOKEN: HeaderName = HeaderName::from_static("x-understudy-token");
/// What a browser says of where a request comes from: <https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What guards an endpoint.
#[derive(Clone)]
pub struct Gate {
    /// What has the tokens.
    pub served: Arc<Served>,
    /// Who may.
    pub access: Access,
}

/// Why a request is denied.
struct Refusal {
    problem: Problem,
    /// The name of the token, if it is one.
    token: Option<String>,
}

impl Refusal {
    fn unknown(detail: &str) -> Refusal {
        Refusal { problem: Problem::new(StatusCode::UNAUTHORIZED, "who are you", detail), token: None }
    }

    fn forbidden(detail: impl Into<String>, token: Option<String>) -> Refusal {
        Refusal { problem: Problem::new(StatusCode::FORBIDDEN, "not allowed", detail), token }
    }
}

/// Lets a request through that may, with who sends it.
pub async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response<Body> {
    if gate.access == Access::Open {
        return next.run(request).await;
    }
    match who(&gate, &request) {
        Ok(who) => {
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(Refusal { problem, token }) => {
            gate.served.denied.note(Denial {
                at: Timestamp::now(),
                peer: request.extensions().get().map(Peer::to_string).unwrap_or_default(),
                method: request.method().to_string(),
                path: request.uri().path().to_owned(),
                status: problem.status,
                why: problem.detail.clone(),
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

/// Who sends a request, if they may.
fn who(gate: &Gate, request: &Request) -> Result<Who, Refusal> {
    // Whoever may write the run directory can do to it what they like.
    if request.extensions().get() == Some(&Peer::Local) {
        return Ok(Who::local());
    }
    let headers = request.headers();
    let Some(tokens) = &gate.served.settings.tokens else {
        return match foreign(headers) {
            None => Ok(Who::local()),
            Some(why) => Err(Refusal::forbidden(why, None)),
        };
    };
    let token = token(headers).ok_or_else(|| {
        Refusal::unknown(
            "it has no token; send `Authorization: Bearer TOKEN`, with one that `understudy token` made",
        )
    })?;
    let tokens = tokens.now();
    let who = tokens.whose(token).ok_or_else(|| {
        Refusal::unknown("its token is none of those that this run is served with; ask who serves it for one")
    })?;
    if gate.access.admits(&who.roles) {
        return Ok(who.clone());
    }
    let detail = format!(
        "the token `{}` has {}, and this takes {}",
        who.name,
        listed(&who.roles, "and"),
        listed(gate.access.roles(), "or")
    );
    Err(Refusal::forbidden(detail, Some(who.name.clone())))
}

/// Roles in words.
fn listed(roles: &[Role], last: &str) -> String {
    let names: Vec<String> = roles.iter().map(|role| format!("`{}`", role.name())).collect();
    let noun = if names.len() == 1 { "role" } else { "roles" };
    match names.split_last() {
        Some((end, start)) if !start.is_empty() => format!("the {noun} {} {last} {end}", start.join(", ")),
        _ => format!("the {noun} {}", names.concat()),
    }
}

/// The token of a request.
fn token(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(token) = headers.get(TOKEN) {
        return Some(token.as_bytes().trim_ascii());
    }
    let (scheme, token) = headers.get(AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Why a request to a server that asks for no token may come from a page in a browser on this machine that the server did not
/// send: through a name of the page's own that leads here (DNS rebinding), or across origins (request forgery). Both can be
/// seen, since a page cannot change these headers.
fn foreign(headers: &HeaderMap) -> Option<&'static str> {
    let hosts: Vec<&HeaderValue> = headers.get_all(HOST).iter().collect();
    let host = match hosts[..] {
        [host] => host.to_str().unwrap_or_default(),
        _ => "",
    };
    if !is_here(host) {
        return Some(
            "without tokens it is served to this machine alone, and its Host is no name of that; say localhost",
        );
    }
    let another = "without tokens it is served to this machine alone, and not to the pages of other servers";
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let same = |origin: &str| {
        origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
    };
    if origin.is_some_and(|origin| !same(origin)) {
        return Some(another);
    }
    let site = headers.get(SITE).map(HeaderValue::as_bytes);
    site.is_some_and(|site| !matches!(site, b"same-origin" | b"none")).then_some(another)
}

/// Whether a `Host` is this machine's own. Its port may be another's: that of a tunnel.
fn is_here(host: &str) -> bool {
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
    fn what_is_sent_on_this_machine_itself_is_taken() {
        for host in ["localhost", "LOCALHOST:7878", "127.0.0.1:7878", "127.1.2.3", "[::1]:7878", "[::1]"] {
            assert_eq!(foreign(&headers(&[("host", host)])), None, "{host}");
        }
        let own = [
            ("host", "localhost:7878"),
            ("origin", "http://localhost:7878"),
            ("sec-fetch-site", "same-origin"),
        ];
        assert_eq!(foreign(&headers(&own)), None);
    }

    #[test]
    fn what_a_foreign_page_makes_a_browser_send_is_not() {
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
            assert!(foreign(&sent).is_some(), "{lines:?}");
        }
    }

    #[test]
    fn a_token_stands_in_one_of_two_places() {
        assert_eq!(token(&headers(&[("authorization", "Bearer abc")])), Some(&b"abc"[..]));
        assert_eq!(token(&headers(&[("authorization", "bearer  abc ")])), Some(&b"abc"[..]));
        assert_eq!(token(&headers(&[("authorization", "Basic abc")])), None);
        assert_eq!(token(&headers(&[("authorization", "Bearer")])), None);
        let both = [("authorization", "Bearer theirs"), ("x-understudy-token", "ours")];
        assert_eq!(token(&headers(&both)), Some(&b"ours"[..]));
        assert_eq!(token(&HeaderMap::new()), None);
    }

    #[test]
    fn roles_are_listed_as_one_says_them() {
        assert_eq!(listed(&[Role::Feed], "and"), "the role `feed`");
        assert_eq!(listed(Access::Read.roles(), "or"), "the roles `read`, `operate` or `audit`");
    }
}
