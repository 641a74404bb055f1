//! `/v1/mirror/*`: turns a request that a proxy mirrors into a snapshot.
//!
//! A proxy neither waits for the response to a mirrored request nor retries it. The response is therefore
//! sent at once, before the snapshot is on disk. It is 204, and never 202, which guarantees that the records
//! are on disk. A snapshot that is not written afterwards is counted as lost.
//!
//! Invariants:
//! - Every request that is answered with 204 becomes one record in the log, or is counted as lost. Every
//!   other one is counted as refused.
//! - The response contains nothing about the record.
//! - Only the parts that the study declares are written to the log.

mod snapshot;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use jiff::Timestamp;

use crate::app::body_budget::BodyError;
use crate::http::response::Problem;
use crate::ingest::records::{IngestState, delivery_problem};
use understudy_engine::ShedCounter;
use understudy_records::batch::Lines;
use understudy_sources::push_line;
use understudy_study::{Mirror, StreamKind};

/// Path prefix of mirrored requests.
pub const PREFIX: &str = "/v1/mirror";

/// Memory of a mirrored request besides its body, in bytes. It limits the number of concurrent requests
/// without a body.
const OVERHEAD_BYTES: usize = 1 << 10;

/// Counters of mirrored requests since the process started.
#[derive(Debug, Default)]
pub struct MirrorCounters {
    received: AtomicU64,
    written: AtomicU64,
    /// Requests that never become a record.
    pub shed: ShedCounter,
}

impl MirrorCounters {
    /// Requests that were answered with 204.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::SeqCst)
    }

    /// Received requests that are on disk, as accepted or excluded records.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }

    /// Received requests that will never be on disk.
    pub fn lost(&self) -> u64 {
        self.shed.counts().lost
    }

    /// Whether every received request is written or lost.
    pub fn all_written_or_lost(&self) -> bool {
        self.written() + self.lost() == self.received()
    }
}

/// Any method on `/v1/mirror/*`.
pub async fn mirror(
    State(state): State<IngestState>,
    State(counters): State<Arc<MirrorCounters>>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let mirror = state.run.study.mirror.clone().ok_or_else(|| {
        let detail = "the study does not map mirrored requests to snapshots; declare `[mirror]`";
        Problem::new(StatusCode::NOT_FOUND, "other source", detail)
    })?;
    let received = receive(&state, &mirror, &counters, request).await;
    if received.is_err() {
        counters.shed.count_refused();
    }
    received
}

/// Passes a mirrored request to the run.
async fn receive(
    state: &IngestState,
    mirror: &Mirror,
    counters: &Arc<MirrorCounters>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let run = state.run.accepting_run()?;
    let study = &state.run.study;
    let intake = run.intake.as_ref().ok_or_else(Problem::ending)?;
    let arrival = Timestamp::now();
    let (head, body) = request.into_parts();
    let record_permit = state.bodies.memory_permit(OVERHEAD_BYTES)?;
    let (body, body_permit) = match state.bodies.read(&head.headers, body).await {
        Ok((body, permit)) => (Ok(body), Some(permit)),
        Err(BodyError::Busy) => return Err(BodyError::Busy.into()),
        // A proxy does not read the response, so that the log has to say what was not received.
        Err(error) => (Err(error), None),
    };
    let queued = state.deliveries.enqueue()?;
    let text = body.as_deref().map_err(|error| unreceived(*error));
    let record = snapshot::record(mirror, &study.inputs, &head, text, state.bodies.limits.max_bytes, arrival);
    let mut lines = Lines::default();
    match record.fault {
        None => push_line(&mut lines, 1, 0, record.text.as_bytes(), study.limits.record_bytes),
        Some(fault) => {
            let stored = record.text.len().min(study.limits.record_bytes);
            lines.push_broken(1, 0, &record.text.as_bytes()[..stored], fault);
        }
    }
    let delivery = intake.deliver(StreamKind::Snapshots, lines).map_err(delivery_problem)?;
    counters.received.fetch_add(1, Ordering::SeqCst);
    let counters = counters.clone();
    tokio::spawn(async move {
        match delivery.await {
            Ok(_) => drop(counters.written.fetch_add(1, Ordering::SeqCst)),
            Err(_) => counters.shed.count_lost(),
        }
        drop((record_permit, body_permit, queued));
    });
    Ok(StatusCode::NO_CONTENT)
}

/// Why a body was not received as a whole, as a predicate.
fn unreceived(error: BodyError) -> String {
    match error {
        BodyError::TooLarge(limit) => format!("exceeds {limit} bytes, see --max-body-mib"),
        BodyError::TooSlow => "did not arrive within the request timeout, see --request-timeout".to_owned(),
        BodyError::Incomplete => "is cut off: the connection broke, or its framing is invalid".to_owned(),
        BodyError::Busy => "was not read: the request-body memory limit was reached".to_owned(),
    }
}
