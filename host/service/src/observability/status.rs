//! `GET /v1/status`: where a served run stands, for whoever watches it.
//!
//! Always holds: it tells how many and how large, never which: no id, no field, no answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::state::Served;
use crate::http::response::json;
use crate::util::process_stats::{Disk, resident_bytes};
use understudy_engine::RunStatus;
use understudy_statistics::verdict::describe_threshold;

/// Whether a run takes records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Not yet: its log is being read back.
    #[default]
    Starting,
    /// It does.
    Serving,
    /// Not any more: what was taken is worked on to its end.
    Draining,
}

impl Phase {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Serving => "serving",
            Phase::Draining => "draining",
        }
    }
}

/// Where a served run stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// The version of understudy that serves it.
    pub version: String,
    /// The time at which this was so.
    pub at: Timestamp,
    /// The study's name.
    pub study: String,
    /// The run directory, once it is there.
    pub run: Option<String>,
    /// Whether it takes records.
    pub phase: Phase,
    /// What the threshold asks for, in words, if one is declared.
    pub threshold: Option<String>,
    /// The names of the models, in the order of `models` in [`RunStatus`].
    pub models: Vec<String>,
    /// Where the run itself stands; `None` before it has begun.
    pub standing: Option<RunStatus>,
    /// How many swaps there were.
    pub swaps: u32,
    /// What waits.
    pub queue: Queue,
    /// The disk, if the system tells of it.
    pub disk: Option<Disk>,
    /// Bytes of memory that the process has in use, if the system tells.
    pub resident_bytes: Option<u64>,
}

/// What waits for the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Queue {
    /// Deliveries that were read and are not in the log yet.
    pub deliveries: usize,
    /// How long the oldest of them has waited, in seconds; 0 if there is none.
    pub oldest_seconds: f64,
    /// Seconds that it may wait before no more is taken.
    pub behind_seconds: f64,
    /// Bytes of room for bodies that are free.
    pub room_free_bytes: usize,
    /// Bytes of room that there are.
    pub room_bytes: usize,
}

impl Status {
    /// Where the run stands now.
    pub async fn of(served: &Served) -> Status {
        let run = served.begun_run();
        let (deliveries, since) = served.waiting();
        let standing = run.map(|run| run.standing.borrow().clone());
        let disk = match run {
            Some(run) => served.disk.read(&run.directory).await,
            None => None,
        };
        let study = &served.study;
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: Timestamp::now(),
            study: study.name.clone(),
            run: run.map(|run| run.directory.display().to_string()),
            phase: match run {
                _ if served.is_draining() => Phase::Draining,
                Some(_) => Phase::Serving,
                None => Phase::Starting,
            },
            threshold: study.threshold.as_ref().map(|threshold| describe_threshold(study, threshold)),
            models: study.models.iter().map(|model| model.name.clone()).collect(),
            swaps: standing.as_ref().map_or(0, |standing| standing.generation),
            standing,
            queue: Queue {
                deliveries,
                oldest_seconds: since.map_or(Duration::ZERO, |since| since.elapsed()).as_secs_f64(),
                behind_seconds: served.settings.behind.as_secs_f64(),
                room_free_bytes: served.free(),
                room_bytes: served.settings.room_bytes,
            },
            disk,
            resident_bytes: resident_bytes(),
        }
    }
}

/// `GET /v1/status`.
pub async fn status(state: State<Arc<Served>>) -> Response<Body> {
    json(StatusCode::OK, &Status::of(&state.0).await)
}
