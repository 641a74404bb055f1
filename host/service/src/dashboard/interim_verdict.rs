//! `GET /v1/verdict`: the verdict so far, for programs that gate a deployment.
//!
//! Invariants:
//! - The response has what the dashboard shows: a verdict over complete windows, with all that is withheld before the end.
//! - Only a response with status 200 has a verdict.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};

use crate::dashboard::live_report_cache::{LiveFigures, LiveReportCache};
use crate::dashboard::live_view::wait_text;
use crate::http::response::{Problem, content};
use crate::observability::status::{Phase, Status, StatusSources};
use understudy_statistics::verdict::Verdict;

/// `GET /v1/verdict`.
pub async fn verdict(
    State(sources): State<StatusSources>,
    State(reports): State<Arc<LiveReportCache>>,
) -> Result<Response<Body>, Problem> {
    let verdict = current_verdict(&sources, &reports).await?;
    Ok(content(StatusCode::OK, "application/json", verdict.to_json()))
}

/// The verdict so far.
///
/// # Errors
/// If there is none: the run is starting, it has no figures yet, or the study declares no threshold.
pub async fn current_verdict(
    sources: &StatusSources,
    reports: &Arc<LiveReportCache>,
) -> Result<Verdict, Problem> {
    if Status::collect(sources).await.phase == Phase::Starting {
        return Err(Problem::starting());
    }
    match &*reports.figures(&sources.run).await {
        LiveFigures::Ready { verdict: Some(verdict), .. } => Ok(Verdict::clone(verdict)),
        LiveFigures::Ready { verdict: None, .. } => {
            let detail = "the study declares no threshold, so there is nothing to decide";
            Err(Problem::new(StatusCode::NOT_FOUND, "no threshold", detail))
        }
        LiveFigures::NotReady(reason) => Err(no_verdict_yet(&wait_text(reason))),
        LiveFigures::Pending => Err(no_verdict_yet("The first figures are being computed.")),
        LiveFigures::Failed => {
            let detail =
                "the figures cannot be computed; the run continues, `understudy verify` finds the cause";
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no figures", detail))
        }
    }
}

/// 404: there are no figures yet. `reason` is a sentence.
fn no_verdict_yet(reason: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no verdict yet", reason)
}
