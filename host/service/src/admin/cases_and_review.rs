//! Views of single cases: `GET /v1/cases/{id}`, and `GET` and `POST /v1/review`.
//!
//! Invariants:
//! - Only decided rows are shown, and only after the ledger records to whom.
//! - One view is computed at a time, on a blocking thread.
//! - A review session belongs to the principal that started it.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::admin::json_body::parse_json;
use crate::app::body_budget::BodyBudget;
use crate::app::run_slot::RunSlot;
use crate::auth::roles::Principal;
use crate::dashboard::live_report_cache::{CachedStudy, LiveReportCache};
use crate::http::response::{Problem, json_response};
use understudy_audit::{self as audit, CaseReview, ReviewRequest};
use understudy_report::review_summaries;
use understudy_run_log::ledger::{FailureMode, Judgement};

/// Maximum number of open review sessions; a further one replaces the oldest.
const MAX_SESSIONS: usize = 16;
/// Maximum number of cases in a sample.
const MAX_SAMPLE: usize = 200;
/// Maximum length of a note in bytes, since the ledger keeps it forever.
const MAX_NOTE_BYTES: usize = 16 << 10;

/// State of the case endpoints.
#[derive(Clone)]
pub struct CaseState {
    /// The study and its run.
    pub run: Arc<RunSlot>,
    /// Source of the sealed study.
    pub reports: Arc<LiveReportCache>,
    /// Open review sessions.
    pub reviews: Arc<ReviewSessions>,
}

/// The lock of case views, and the open review sessions.
#[derive(Default)]
pub struct ReviewSessions {
    audit_lock: tokio::sync::Mutex<()>,
    open: Mutex<OpenReviews>,
}

#[derive(Default)]
struct OpenReviews {
    /// Number of the latest session.
    latest: u64,
    reviews: VecDeque<(u64, Arc<OpenReview>)>,
}

/// A review that a principal has started.
struct OpenReview {
    who: String,
    session: CaseReview,
    /// For each case whether it has a judgement.
    judged: Mutex<Vec<bool>>,
}

fn unprocessable(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "cannot show", detail)
}

/// Query of `GET /v1/cases/{id}`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseParameters {
    /// Observed time of the snapshot, which selects among rows with the same id.
    at: Option<Timestamp>,
    /// Whether to include the text of the snapshot.
    #[serde(default)]
    raw: bool,
}

/// `GET /v1/cases/{id}`: one decided row, as `understudy case` shows it.
pub async fn case(
    State(state): State<CaseState>,
    Extension(principal): Extension<Principal>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<CaseParameters>, QueryRejection>,
) -> Result<Response<Body>, Problem> {
    let Path(id) =
        id.map_err(|_| unprocessable("the id in the path is not UTF-8; percent-encode its bytes"))?;
    let Query(CaseParameters { at, raw }) = query.map_err(|error| unprocessable(error.body_text()))?;
    let who = principal.name;
    let keeps_raw = state.run.study.log.keep_raw;
    if raw && !keeps_raw {
        return Err(unprocessable(
            "the study declares `log.keep-raw = false`, so that the run stores no text of snapshots; omit `raw`",
        ));
    }
    let query = audit::CaseQuery { id, at, raw };
    let case = with_audit_lock(&state, move |run, sealed, directory| {
        audit::case(&sealed.sealed_study, directory, &query, who, run.signer.clone())
    });
    Ok(json_response(StatusCode::OK, &case.await?))
}

/// Computes a view of rows while no other view is computed.
async fn with_audit_lock<T: Send + 'static>(
    state: &CaseState,
    view: impl FnOnce(&RunSlot, &CachedStudy, &std::path::Path) -> anyhow::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let directory = state.run.started_run().ok_or_else(Problem::starting)?.directory.clone();
    let reviews = state.reviews.clone();
    let busy = "another case view is being computed";
    let _lock = reviews.audit_lock.try_lock().map_err(|_| Problem::busy(busy))?;
    let CaseState { run, reports, .. } = state.clone();
    let result = tokio::task::spawn_blocking(move || {
        let sealed = reports.sealed_study(&directory)?;
        audit::ensure_all_fields(&directory)?;
        view(&run, &sealed, &directory)
    });
    let result = result.await.map_err(|_| Problem::case_view_failed())?;
    result.map_err(|error| unprocessable(format!("{error:#}")))
}

/// Query of `GET /v1/review`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewParameters {
    model: Option<String>,
    sample: Option<usize>,
    seed: Option<String>,
}

/// A case of a review in the response.
#[derive(Serialize)]
struct ShownCase<'c> {
    stratum: &'c str,
    case: &'c understudy_report::model::case::Case,
}

/// `GET /v1/review`: starts a session with a random sample of disagreements, as `understudy review` does.
pub async fn begin(
    State(state): State<CaseState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<ReviewParameters>, QueryRejection>,
) -> Result<Response<Body>, Problem> {
    let Query(ReviewParameters { model, sample, seed }) =
        query.map_err(|error| unprocessable(error.body_text()))?;
    let sample = sample.unwrap_or(30);
    if !(1..=MAX_SAMPLE).contains(&sample) {
        return Err(unprocessable(format!("sample is {sample}; the limits are 1 and {MAX_SAMPLE}")));
    }
    let who = principal.name;
    let by = who.clone();
    let request = ReviewRequest { model, sample, seed };
    let session = with_audit_lock(&state, move |run, sealed, directory| {
        audit::begin_review(
            &sealed.sealed_study,
            &sealed.digest,
            directory,
            &request,
            who,
            run.signer.clone(),
        )
    });
    let session = session.await?;
    let cases: Vec<ShownCase<'_>> =
        session.cases.iter().map(|case| ShownCase { stratum: &case.stratum, case: &case.case }).collect();
    let mut body = json!({
        "model": session.model,
        "disagreements": session.disagreements,
        "drawn": session.drawn,
        "cases": cases,
    });
    let number = state.reviews.insert(by, session);
    body["review"] = number.into();
    Ok(json_response(StatusCode::OK, &body))
}

/// Body of `POST /v1/review`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JudgementRequest {
    /// Number of the review session.
    review: u64,
    /// Index of the case in the session, from 0.
    case: usize,
    judgement: Judgement,
    mode: Option<FailureMode>,
    #[serde(default)]
    note: String,
}

/// `POST /v1/review`: records the judgement of one case in the ledger.
pub async fn judge(
    State(state): State<CaseState>,
    State(bodies): State<Arc<BodyBudget>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let request: JudgementRequest = parse_json(&bodies, bodies.limits.max_bytes, &headers, body).await?;
    if request.note.len() > MAX_NOTE_BYTES {
        return Err(unprocessable(format!(
            "the note is longer than {} KiB; shorten it",
            MAX_NOTE_BYTES >> 10
        )));
    }
    let who = principal.name;
    let review = state.reviews.find(request.review, &who).ok_or_else(|| {
        let detail = "you have no open review with this number; start one with GET /v1/review, which omits judged cases";
        Problem::new(StatusCode::NOT_FOUND, "no such review", detail)
    })?;
    let summary = with_audit_lock(&state, move |_, _, directory| {
        review.record(&request)?;
        let summaries = review_summaries(&audit::read_entries(directory)?);
        Ok(summaries.into_iter().find(|summary| summary.model == review.session.model))
    });
    Ok(json_response(StatusCode::OK, &json!({ "summary": summary.await? })))
}

impl ReviewSessions {
    /// Adds a session and returns its number.
    fn insert(&self, who: String, session: CaseReview) -> u64 {
        let mut open = self.open.lock();
        open.latest += 1;
        let number = open.latest;
        let judged = Mutex::new(vec![false; session.cases.len()]);
        open.reviews.push_back((number, Arc::new(OpenReview { who, session, judged })));
        if open.reviews.len() > MAX_SESSIONS {
            open.reviews.pop_front();
        }
        number
    }

    /// The session with a number, if it belongs to this principal.
    fn find(&self, number: u64, who: &str) -> Option<Arc<OpenReview>> {
        let open = self.open.lock();
        let matches = |(own, review): &&(u64, Arc<OpenReview>)| *own == number && review.who == who;
        open.reviews.iter().find(matches).map(|(_, review)| review.clone())
    }
}

impl OpenReview {
    /// Records a judgement, once per case.
    fn record(&self, request: &JudgementRequest) -> anyhow::Result<()> {
        let case = self.session.cases.get(request.case).ok_or_else(|| {
            anyhow::anyhow!("no such case; the review has {} cases, counted from 0", self.session.cases.len())
        })?;
        let mut judged = self.judged.lock();
        anyhow::ensure!(!judged[request.case], "the case already has a judgement, which cannot be changed");
        self.session.judge(case, request.judgement, request.mode, &request.note)?;
        judged[request.case] = true;
        Ok(())
    }
}
