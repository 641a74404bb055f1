//! `POST /v1/snapshots` and `POST /v1/decisions`.
//!
//! Always holds: room is taken before a body is read; it is answered 202 only after the log has every record on disk.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::app::state::Served;
use crate::http::response::{Problem, Taken};
use crate::ingest::body::Reading;
use understudy_engine::Undelivered;
use understudy_records::batch::Lines;
use understudy_study::StreamKind;

/// Bytes that a record takes besides its own, about: where it stands, and what is answered of it.
const RECORD: usize = 256;

/// `POST /v1/snapshots`.
pub async fn snapshots(state: State<Arc<Served>>, headers: HeaderMap, body: Body) -> Result<Taken, Problem> {
    take(&state.0, StreamKind::Snapshots, &headers, body).await
}

/// `POST /v1/decisions`.
pub async fn decisions(state: State<Arc<Served>>, headers: HeaderMap, body: Body) -> Result<Taken, Problem> {
    take(&state.0, StreamKind::Decisions, &headers, body).await
}

async fn take(served: &Arc<Served>, side: StreamKind, headers: &HeaderMap, body: Body) -> Result<Taken, Problem> {
    served.run()?;
    let reading = Reading::of(headers)?;
    let most = served.settings.body_bytes;
    let (bytes, room) = read(served, headers, body).await?;
    let unpacked = reading.unpacked(&bytes, most)?;
    let more_room = served.room(unpacked.len().saturating_sub(bytes.len()))?;
    let (stream, limits) = match side {
        StreamKind::Snapshots => (&served.study.inputs, &served.study.limits),
        StreamKind::Decisions => (&served.study.decisions, &served.study.limits),
    };
    let runs = reading.records(&unpacked, stream, limits.record_bytes, limits.batch_rows);
    if runs.is_empty() {
        let detail = "the body has no record; send one JSON object, an array of them, or one a line";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "empty", detail));
    }
    let records: usize = runs.iter().map(Lines::len).sum();
    let held = (room, more_room, served.room(records * RECORD)?);
    // Whoever hangs up leaves the records behind, and they take their room until they are on disk.
    let served = served.clone();
    let delivered = tokio::spawn(async move {
        let _held = held;
        deliver(&served, side, runs).await
    });
    delivered.await.map_err(|_| Problem::fault())?
}

/// A body, and the room that it takes.
///
/// # Errors
/// When it is too large, too slow, or there is no room.
pub async fn read(
    served: &Arc<Served>,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, tokio::sync::OwnedSemaphorePermit), Problem> {
    let most = served.settings.body_bytes;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > most) {
        return Err(Problem::too_large(most));
    }
    let room = served.room(length.unwrap_or(most))?;
    let read = Limited::new(body, most).collect();
    match tokio::time::timeout(served.settings.patience, read).await {
        Err(_) => Err(Problem::too_slow()),
        Ok(Ok(collected)) => Ok((collected.to_bytes(), room)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::too_large(most)),
        Ok(Err(_)) => {
            let detail = "nothing of it was taken: the body broke off; send it again";
            Err(Problem::new(StatusCode::BAD_REQUEST, "broken off", detail))
        }
    }
}

/// Delivers records to the run, and waits until they are on disk.
///
/// # Errors
/// When the run does not take them, or the log fails.
pub async fn deliver(served: &Arc<Served>, side: StreamKind, runs: Vec<Lines>) -> Result<Taken, Problem> {
    let run = served.run()?;
    let intake = run.intake.as_ref().ok_or_else(|| elsewhere(Undelivered::Elsewhere(side)))?;
    let place = served.queue()?;
    let told = runs.into_iter().map(|lines| intake.deliver(side, lines));
    let told = told.collect::<Result<Vec<_>, _>>().map_err(elsewhere)?;
    let mut taken = Taken::default();
    for told in told {
        let receipt = told.await.map_err(|_| Problem::failed())?;
        taken.add(receipt.taken, receipt.refused);
    }
    served.metrics.waited(place.waited());
    Ok(taken)
}

/// Why a delivery was not taken, as an answer.
pub fn elsewhere(why: Undelivered) -> Problem {
    match why {
        Undelivered::Ending => Problem::ending(),
        Undelivered::Elsewhere(_) => Problem::new(StatusCode::NOT_FOUND, "elsewhere", why.to_string()),
    }
}
