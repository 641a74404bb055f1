//! `GET /livez` and `GET /readyz`: liveness, and readiness to accept records.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};

use crate::app::run_slot::RunSlot;
use crate::http::response::{Problem, content};

/// `GET /livez`: 200 while the process responds.
pub async fn live() -> Response<Body> {
    content(StatusCode::OK, "text/plain; charset=utf-8", "alive\n")
}

/// `GET /readyz`: 200 while records are accepted, otherwise 503.
pub async fn ready(State(run): State<Arc<RunSlot>>) -> Result<Response<Body>, Problem> {
    run.accepting_run()?;
    Ok(content(StatusCode::OK, "text/plain; charset=utf-8", "ready\n"))
}
