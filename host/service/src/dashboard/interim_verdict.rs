//! `GET /v1/verdict`: the verdict so far, for programs that gate a deployment.
//!
//! Invariants:
//! - The response has what the dashboard shows: a verdict over complete windows, with all that is withheld before the end.
//! - Only a response with status 200 has a verdict.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse as _;

use crate::dashboard::live_report_cache::{LiveFigures, LiveReportCache};
use crate::dashboard::live_view::wait_text;
use crate::http::response::{Problem, content};
use crate::observability::status::{Phase, Status, StatusSources};

/// `GET /v1/verdict`.
pub async fn verdict(
    State(sources): State<StatusSources>,
    State(reports): State<Arc<LiveReportCache>>,
) -> Response<Body> {
    if Status::collect(&sources).await.phase == Phase::Starting {
        return Problem::starting().into_response();
    }
    match &*reports.figures(&sources.run).await {
        LiveFigures::Ready { verdict: Some(verdict), .. } => {
            content(StatusCode::OK, "application/json", verdict.to_json())
        }
        LiveFigures::Ready { verdict: None, .. } => {
            let detail = "the study declares no threshold, so there is nothing to decide";
            Problem::new(StatusCode::NOT_FOUND, "no threshold", detail).into_response()
        }
        LiveFigures::NotReady(reason) => no_verdict_yet(&wait_text(reason)).into_response(),
        LiveFigures::Pending => no_verdict_yet("The first figures are being computed.").into_response(),
        LiveFigures::Failed => {
            let detail =
                "the figures cannot be computed; the run continues, `understudy verify` finds the cause";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no figures", detail).into_response()
        }
    }
}

/// 404: there are no figures yet. `reason` is a sentence.
fn no_verdict_yet(reason: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no verdict yet", reason)
}
