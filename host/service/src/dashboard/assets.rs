//! `GET /`: the static files of the dashboard. They contain no data; the dashboard loads what its user may
//! see from `GET /live` and the other endpoints.
//!
//! Invariants:
//! - The dashboard connects to this server only, and runs only its own script files.
//! - No other page can embed the dashboard in a frame.

use axum::body::Body;
use axum::extract::Extension;
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use serde_json::json;

use crate::auth::roles::Principal;
use crate::http::response::{content, json_response};
use understudy_report::page::STYLE;

/// Content security policy of the dashboard. Inline style attributes are allowed since tables draw their bars
/// with them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
                      img-src data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// `GET /`.
pub async fn html() -> Response<Body> {
    let mut response =
        content(StatusCode::OK, "text/html; charset=utf-8", include_str!("assets/dashboard.html"));
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("content-security-policy"), HeaderValue::from_static(POLICY));
    headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
    response
}

/// `GET /dashboard.css`: the stylesheet of the report, extended for the dashboard.
pub async fn stylesheet() -> Response<Body> {
    content(StatusCode::OK, "text/css; charset=utf-8", [STYLE, include_str!("assets/dashboard.css")].concat())
}

/// `GET /dashboard.js`: the script that refreshes the dashboard.
pub async fn refresh_script() -> Response<Body> {
    content(StatusCode::OK, "text/javascript; charset=utf-8", include_str!("assets/dashboard.js"))
}

/// `GET /forms.js`: the script of the dashboard's forms.
pub async fn forms_script() -> Response<Body> {
    content(StatusCode::OK, "text/javascript; charset=utf-8", include_str!("assets/forms.js"))
}

/// `GET /v1/whoami`: the name and the roles of the sender.
pub async fn whoami(Extension(principal): Extension<Principal>) -> Response<Body> {
    let Principal { name, roles } = principal;
    json_response(StatusCode::OK, &json!({ "name": name, "roles": roles }))
}
