//! `POST /v1/snapshots` and `POST /v1/decisions`.
//!
//! Invariants:
//! - A body holds a memory permit from before it is read until its records are on disk.
//! - A response of 202 is sent only after the log has all records on disk.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use crate::app::body_budget::BodyBudget;
use crate::app::delivery_queue::DeliveryQueue;
use crate::app::run_slot::RunSlot;
use crate::http::response::{IngestReceipt, Problem};
use crate::ingest::body::{BodyFormat, SplitLimits};
use understudy_engine::DeliveryError;
use understudy_records::batch::Lines;
use understudy_study::StreamKind;

/// Approximate memory of a record besides its text, in bytes: its position and its part of the receipt.
const RECORD_OVERHEAD_BYTES: usize = 256;

/// State of the ingest endpoints.
#[derive(Clone)]
pub struct IngestState {
    /// The study and its run.
    pub run: Arc<RunSlot>,
    /// Memory of request bodies.
    pub bodies: Arc<BodyBudget>,
    /// Deliveries that are not on disk yet.
    pub deliveries: Arc<DeliveryQueue>,
}

/// `POST /v1/snapshots`.
pub async fn snapshots(
    State(state): State<IngestState>,
    headers: HeaderMap,
    body: Body,
) -> Result<IngestReceipt, Problem> {
    ingest(state, StreamKind::Snapshots, &headers, body).await
}

/// `POST /v1/decisions`.
pub async fn decisions(
    State(state): State<IngestState>,
    headers: HeaderMap,
    body: Body,
) -> Result<IngestReceipt, Problem> {
    ingest(state, StreamKind::Decisions, &headers, body).await
}

async fn ingest(
    state: IngestState,
    stream_kind: StreamKind,
    headers: &HeaderMap,
    body: Body,
) -> Result<IngestReceipt, Problem> {
    state.run.accepting_run()?;
    let format = BodyFormat::from_headers(headers)?;
    let bodies = &state.bodies;
    let (bytes, permit) = bodies.read(headers, body).await?;
    let decompressed = format.decompress(&bytes, bodies.limits.max_bytes)?;
    let decompressed_permit = bodies.memory_permit(decompressed.len().saturating_sub(bytes.len()))?;
    let study = &state.run.study;
    let (stream, limits) = match stream_kind {
        StreamKind::Snapshots => (&study.inputs, &study.limits),
        StreamKind::Decisions => (&study.decisions, &study.limits),
    };
    let split_limits = SplitLimits {
        max_bytes: limits.record_bytes,
        batch_rows: limits.rows_per_batch(),
        max_records: bodies.limits.memory_bytes / RECORD_OVERHEAD_BYTES,
    };
    let batches = format.split_records(&decompressed, stream, split_limits)?;
    if batches.is_empty() {
        let detail =
            "the body contains no record; send a JSON object, an array of objects, or one object per line";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "empty body", detail));
    }
    let records: usize = batches.iter().map(Lines::len).sum();
    let permits = (permit, decompressed_permit, bodies.memory_permit(records * RECORD_OVERHEAD_BYTES)?);
    // A client that disconnects leaves its records behind, and they hold their memory until they are on disk.
    let delivered = tokio::spawn(async move {
        let _permits = permits;
        deliver(&state, stream_kind, batches).await
    });
    delivered.await.map_err(|_| Problem::internal())?
}

/// Delivers records to the run, and waits until they are on disk.
async fn deliver(
    state: &IngestState,
    stream_kind: StreamKind,
    batches: Vec<Lines>,
) -> Result<IngestReceipt, Problem> {
    let run = state.run.accepting_run()?;
    let intake =
        run.intake.as_ref().ok_or_else(|| delivery_problem(DeliveryError::Elsewhere(stream_kind)))?;
    let queued = state.deliveries.enqueue()?;
    let pending = batches.into_iter().map(|lines| intake.deliver(stream_kind, lines));
    let pending = pending.collect::<Result<Vec<_>, _>>().map_err(delivery_problem)?;
    let mut receipt = IngestReceipt::default();
    for delivery in pending {
        let written = delivery.await.map_err(|_| Problem::log_failed())?;
        receipt.add(written.accepted, written.excluded);
    }
    queued.record_written();
    Ok(receipt)
}

/// The problem of a delivery that the run did not accept.
pub fn delivery_problem(error: DeliveryError) -> Problem {
    match error {
        DeliveryError::Ending => Problem::ending(),
        DeliveryError::Elsewhere(_) => Problem::new(StatusCode::NOT_FOUND, "other source", error.to_string()),
    }
}
