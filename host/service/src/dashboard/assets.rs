//! `GET /`: the page on which a served run is watched and steered. It is a frame without data; what it shows comes from
//! `GET /live` and the other endpoints, to whoever may see it.
//!
//! Always holds: the page asks for nothing but this server, runs no script but its own files, and stands in no other page's frame.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use serde_json::json;

use crate::app::state::Served;
use crate::auth::roles::Who;
use crate::http::response::{content, json as answer};
use understudy_report::page::STYLE;

/// What the page may do. Styles of single elements are how a table draws its bars; they can command nothing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
                      img-src data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// `GET /`.
pub async fn frame() -> Response<Body> {
    let mut response = content(StatusCode::OK, "text/html; charset=utf-8", include_str!("assets/page.html"));
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("content-security-policy"), HeaderValue::from_static(POLICY));
    headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
    response
}

/// `GET /page.css`: the report's style, and what the page has besides.
pub async fn style() -> Response<Body> {
    content(StatusCode::OK, "text/css; charset=utf-8", [STYLE, include_str!("assets/live.css")].concat())
}

/// `GET /page.js`: what keeps the page up to date.
pub async fn script() -> Response<Body> {
    content(StatusCode::OK, "text/javascript; charset=utf-8", include_str!("assets/page.js"))
}

/// `GET /steer.js`: what the page's forms do.
pub async fn steering() -> Response<Body> {
    content(StatusCode::OK, "text/javascript; charset=utf-8", include_str!("assets/steer.js"))
}

/// `GET /v1/whoami`: whose token it is, and what they may do.
pub async fn whoami(_: State<Arc<Served>>, who: Extension<Who>) -> Response<Body> {
    let Who { name, roles } = who.0;
    answer(StatusCode::OK, &json!({ "name": name, "roles": roles }))
}
