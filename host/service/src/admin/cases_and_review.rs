//! Looks at single cases: `GET /v1/cases/{id}`, and `GET` and `POST /v1/review`.
//!
//! Always holds: only rows that are decided are shown, and only after the ledger says to whom; one look is made at a time, on a
//! thread on which waiting holds up nobody; a review belongs to whoever began it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::state::Served;
use crate::auth::roles::Who;
use crate::dashboard::live_report_cache::Recalled;
use crate::http::response::{Problem, json as answer};
use crate::ingest::records::read;
use understudy_audit::{self as audit, Asked, Judging, Review, Wanted};
use understudy_report::judged;
use understudy_run_log::ledger::{FailureMode, Judgement};

/// How many reviews are kept that somebody has begun; the oldest is given up for another.
const REVIEWS: usize = 16;
/// The most cases that are drawn at once.
const SAMPLE: usize = 200;
/// The longest note, in bytes: it is kept in the ledger, which is kept for good.
const NOTE: usize = 16 << 10;

/// Looks that are being made, and reviews that were begun.
#[derive(Default)]
pub struct Looks {
    one: tokio::sync::Mutex<()>,
    begun: Mutex<Begun>,
}

#[derive(Default)]
struct Begun {
    number: u64,
    reviews: VecDeque<(u64, Arc<Reviewing>)>,
}

/// A review that somebody has begun.
struct Reviewing {
    who: String,
    judging: Judging,
    /// For each case whether it was judged.
    judged: Mutex<Vec<bool>>,
}

fn wrong(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not shown", detail)
}

/// What is asked of a case.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfCase {
    /// The observed time of its snapshot, where the id was used more than once.
    at: Option<Timestamp>,
    /// Whether its own text is wanted.
    #[serde(default)]
    raw: bool,
}

/// `GET /v1/cases/{id}`: as `understudy case`.
pub async fn case(
    state: State<Arc<Served>>,
    who: Extension<Who>,
    id: Result<Path<String>, PathRejection>,
    asked: Result<Query<OfCase>, QueryRejection>,
) -> Result<Response<Body>, Problem> {
    let Path(id) = id.map_err(|_| wrong("the id in the path is not UTF-8; write its bytes in percent"))?;
    let Query(OfCase { at, raw }) = asked.map_err(|error| wrong(error.body_text()))?;
    let who = who.0.name;
    let keeps_raw = state.0.study.log.keep_raw;
    if raw && !keeps_raw {
        return Err(wrong(
            "the study declares `log.keep-raw = false`, so the run has no text of its snapshots",
        ));
    }
    let wanted = Wanted { id, at, raw };
    let shown = looked(&state.0, move |served, known, run| {
        audit::case(&known.prepared, run, &wanted, who, served.signer.clone())
    });
    Ok(answer(StatusCode::OK, &shown.await?))
}

/// Makes a look at the run's own rows.
async fn looked<T: Send + 'static>(
    served: &Arc<Served>,
    look: impl FnOnce(&Served, &Recalled, &std::path::Path) -> anyhow::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let run = served.begun_run().ok_or_else(Problem::starting)?.directory.clone();
    let held = served.clone();
    let _one = held.looks.one.try_lock().map_err(|_| Problem::busy("another look is being made"))?;
    let served = served.clone();
    let made = tokio::task::spawn_blocking(move || {
        let known = served.glance.recalled(&run)?;
        audit::has_its_fields(&run)?;
        look(&served, &known, &run)
    });
    let made = made.await.map_err(|_| Problem::failed_look())?;
    made.map_err(|error| wrong(format!("{error:#}")))
}

/// What is to be judged.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfReview {
    model: Option<String>,
    sample: Option<usize>,
    seed: Option<String>,
}

/// A case of a review.
#[derive(Serialize)]
struct ToJudge<'c> {
    stratum: &'c str,
    case: &'c understudy_report::model::case::Case,
}

/// `GET /v1/review`: draws cases and shows them, as `understudy review` does.
pub async fn begin(
    state: State<Arc<Served>>,
    who: Extension<Who>,
    asked: Result<Query<OfReview>, QueryRejection>,
) -> Result<Response<Body>, Problem> {
    let Query(OfReview { model, sample, seed }) = asked.map_err(|error| wrong(error.body_text()))?;
    let sample = sample.unwrap_or(30);
    if !(1..=SAMPLE).contains(&sample) {
        return Err(wrong(format!("sample is {sample}; draw 1 to {SAMPLE} cases at once")));
    }
    let who = who.0.name;
    let by = who.clone();
    let wanted = Review { model, sample, seed };
    let judging = looked(&state.0, move |served, known, run| {
        audit::begin_review(&known.prepared, &known.digest, run, &wanted, who, served.signer.clone())
    });
    let judging = judging.await?;
    let cases: Vec<ToJudge<'_>> =
        judging.asked.iter().map(|asked| ToJudge { stratum: &asked.stratum, case: &asked.case }).collect();
    let mut body = json!({
        "model": judging.model,
        "disagreements": judging.disagreements,
        "drawn": judging.drawn,
        "cases": cases,
    });
    let number = state.0.looks.keep(by, judging);
    body["review"] = number.into();
    Ok(answer(StatusCode::OK, &body))
}

/// A judgement of a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Judged {
    /// The number of the review.
    review: u64,
    /// The place of the case in it, counted from 0.
    case: usize,
    judgement: Judgement,
    mode: Option<FailureMode>,
    #[serde(default)]
    note: String,
}

/// `POST /v1/review`: judges a case of a review.
pub async fn judge(
    state: State<Arc<Served>>,
    who: Extension<Who>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let (bytes, _room) = read(&state.0, &headers, body).await?;
    let given: Judged =
        serde_json::from_slice(&bytes).map_err(|error| wrong(format!("it is no judgement: {error}")))?;
    if given.note.len() > NOTE {
        return Err(wrong(format!("the note is longer than {} KiB", NOTE >> 10)));
    }
    let who = who.0.name;
    let review = state.0.looks.review(given.review, &who).ok_or_else(|| {
        let detail = "there is no such review of yours any more; begin it again with GET /v1/review: what was judged is not \
                      asked again";
        Problem::new(StatusCode::NOT_FOUND, "no such review", detail)
    })?;
    let summary = looked(&state.0, move |_, _, run| {
        review.judge(&given)?;
        let of_model = judged(&audit::entries(run)?);
        Ok(of_model.into_iter().find(|summary| summary.model == review.judging.model))
    });
    Ok(answer(StatusCode::OK, &json!({ "summary": summary.await? })))
}

impl Looks {
    /// Keeps a review that was begun, and gives its number.
    fn keep(&self, who: String, judging: Judging) -> u64 {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.number += 1;
        let number = begun.number;
        let judged = Mutex::new(vec![false; judging.asked.len()]);
        begun.reviews.push_back((number, Arc::new(Reviewing { who, judging, judged })));
        if begun.reviews.len() > REVIEWS {
            begun.reviews.pop_front();
        }
        number
    }

    /// A review by its number, if it is this one's.
    fn review(&self, number: u64, who: &str) -> Option<Arc<Reviewing>> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let own = |(own, review): &&(u64, Arc<Reviewing>)| *own == number && review.who == who;
        begun.reviews.iter().find(own).map(|(_, review)| review.clone())
    }
}

impl Reviewing {
    fn judge(&self, given: &Judged) -> anyhow::Result<()> {
        let asked: &Asked = self.judging.asked.get(given.case).ok_or_else(|| {
            anyhow::anyhow!("the review has {} cases, counted from 0", self.judging.asked.len())
        })?;
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        anyhow::ensure!(
            !judged[given.case],
            "this case was judged already, and a judgement stays as it was given"
        );
        self.judging.judge(asked, given.judgement, given.mode, &given.note)?;
        judged[given.case] = true;
        Ok(())
    }
}
