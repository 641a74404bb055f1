//! `/v1/mirror/*`: a request that was meant for others and of which a proxy sends us a copy, as a snapshot.
//!
//! A mirror neither waits for the answer nor sends again, so it is answered at once, before the log has the snapshot on disk:
//! 204, and never the 202 that promises that. What was taken up so and did not come to be on disk is counted.
//!
//! Always holds: every request that is answered 204 becomes one record, of which the log says what became of it, or is counted
//! as lost; the answer tells nothing of the record; only the parts that the study names go into the log.

mod snapshot;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use jiff::Timestamp;

use crate::app::state::Served;
use crate::http::response::Problem;
use crate::ingest::records::{elsewhere, read};
use understudy_records::batch::Lines;
use understudy_study::StreamKind;
use understudy_sources::push_line;

/// What every path of a mirrored request begins with.
pub const PREFIX: &str = "/v1/mirror";

/// The least room of a mirrored request, in bytes: what its record and its bookkeeping take besides the body. It bounds how
/// many there may be at once that have none.
const LEAST: usize = 1 << 10;

/// What became of mirrored requests.
#[derive(Debug, Default)]
pub struct Mirrored {
    seen: AtomicU64,
    logged: AtomicU64,
    lost: AtomicU64,
}

impl Mirrored {
    /// How many were answered 204 since the process began.
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }

    /// How many of those are on disk, taken or refused with a reason.
    pub fn logged(&self) -> u64 {
        self.logged.load(Ordering::SeqCst)
    }

    /// How many of those will never be there.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::SeqCst)
    }

    /// Whether it is known of each what became of it.
    pub fn settled(&self) -> bool {
        self.logged() + self.lost() == self.seen()
    }
}

/// Any request to `/v1/mirror/*`.
pub async fn mirror(state: State<Arc<Served>>, request: Request) -> Result<StatusCode, Problem> {
    let served = &state.0;
    let run = served.run()?;
    let mirror = served.study.mirror.as_ref().ok_or_else(|| {
        let detail = "the study does not say how a mirrored request becomes a snapshot, see `[mirror]`";
        Problem::new(StatusCode::NOT_FOUND, "elsewhere", detail)
    })?;
    let intake = run.intake.as_ref().ok_or_else(Problem::ending)?;
    let arrival = Timestamp::now();
    let (head, body) = request.into_parts();
    let record_room = served.room(LEAST)?;
    let (body, body_room) = read(served, &head.headers, body).await?;
    let place = served.queue()?;
    let record =
        snapshot::record(mirror, &served.study.inputs, &head, &body, served.settings.body_bytes, arrival);
    let mut lines = Lines::default();
    push_line(&mut lines, 1, 0, record.as_bytes(), served.study.limits.record_bytes);
    let told = intake.deliver(StreamKind::Snapshots, lines).map_err(elsewhere)?;
    served.mirrored.seen.fetch_add(1, Ordering::SeqCst);
    let served = served.clone();
    tokio::spawn(async move {
        let count = match told.await {
            Ok(_) => &served.mirrored.logged,
            Err(_) => &served.mirrored.lost,
        };
        count.fetch_add(1, Ordering::SeqCst);
        drop((record_room, body_room, place));
    });
    Ok(StatusCode::NO_CONTENT)
}
