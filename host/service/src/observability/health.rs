//! `GET /livez` and `GET /readyz`: whether the process answers, and whether it takes records.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};

use crate::app::state::Served;
use crate::http::response::{Problem, content};

/// `GET /livez`.
pub async fn live() -> Response<Body> {
    content(StatusCode::OK, "text/plain; charset=utf-8", "alive\n")
}

/// `GET /readyz`.
pub async fn ready(state: State<Arc<Served>>) -> Result<Response<Body>, Problem> {
    state.0.run()?;
    Ok(content(StatusCode::OK, "text/plain; charset=utf-8", "ready\n"))
}
