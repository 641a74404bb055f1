//! `GET /v1/status`: the status of the served run and of the process.
//!
//! Invariants:
//! - The status contains counts, sizes and declared names, and never an id, a field or an answer.
//! - Two statuses differ by nothing that depends on what a plugin answered in fewer than
//!   [`understudy_sandbox::USAGE_BLOCK_ROWS`] rows, except the counts of rows that a plugin did not answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::body_budget::BodyBudget;
use crate::app::delivery_queue::DeliveryQueue;
use crate::app::run_slot::RunSlot;
use crate::http::response::json_response;
use crate::util::resource_usage::{DiskGauge, DiskUsage, resident_bytes};
use understudy_engine::{PluginStatus, RunStatus};
use understudy_report::count;
use understudy_statistics::verdict::describe_threshold;

/// Whether the run accepts records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Not yet: the run recovers from its log.
    #[default]
    Starting,
    /// Records are accepted.
    Serving,
    /// No longer: accepted records are still processed.
    Draining,
}

impl Phase {
    /// The lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Serving => "serving",
            Phase::Draining => "draining",
        }
    }
}

/// Status of the served run and of the process.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// Version of the serving program.
    pub version: String,
    /// Time of the status.
    pub at: Timestamp,
    /// Name of the study.
    pub study: String,
    /// Path of the run directory; `None` before the run has started.
    pub directory: Option<String>,
    /// Whether the run accepts records.
    pub phase: Phase,
    /// Who is responsible for the study, as declared.
    #[serde(default)]
    pub owners: Vec<String>,
    /// The declared threshold in words, if there is one.
    pub threshold: Option<String>,
    /// Names of the models, in the order of `models` in [`RunStatus`].
    pub models: Vec<String>,
    /// Status of the run itself; `None` before it has started.
    pub run_status: Option<RunStatus>,
    /// Number of swaps so far.
    pub swaps: u32,
    /// Deliveries and request-body memory.
    pub queue: QueueStatus,
    /// Disk usage, if the system reports it.
    pub disk: Option<DiskUsage>,
    /// Resident memory of the process in bytes, rounded up to 16 MiB, if the system reports it.
    pub resident_bytes: Option<u64>,
}

/// The number of rows of a plugin in words: it is known by blocks, so before the first block only a bound is.
pub fn plugin_rows(plugin: &PluginStatus) -> String {
    match plugin.usage.rows {
        0 => format!("< {}", count(plugin.rows_below)),
        rows => count(rows),
    }
}

/// Deliveries that are not on disk yet, and the memory of request bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct QueueStatus {
    /// Number of deliveries that are not on disk yet.
    pub deliveries: usize,
    /// Age of the oldest delivery in seconds; 0 if there is none.
    pub oldest_seconds: f64,
    /// Age in seconds above which no further delivery is admitted.
    pub max_lag_seconds: f64,
    /// Free memory for request bodies, in bytes.
    pub body_memory_free_bytes: usize,
    /// Total memory for request bodies, in bytes.
    pub body_memory_bytes: usize,
}

/// What a status is collected from.
#[derive(Clone)]
pub struct StatusSources {
    /// The study and its run.
    pub run: Arc<RunSlot>,
    /// Memory of request bodies.
    pub bodies: Arc<BodyBudget>,
    /// Deliveries that are not on disk yet.
    pub deliveries: Arc<DeliveryQueue>,
    /// Disk usage.
    pub disk: Arc<DiskGauge>,
}

impl Status {
    /// Collects the current status.
    pub async fn collect(sources: &StatusSources) -> Status {
        let run = sources.run.started_run();
        let (deliveries, oldest) = sources.deliveries.len_and_oldest();
        let run_status = run.map(|run| run.status.borrow().clone());
        let disk = match run {
            Some(run) => sources.disk.read(&run.directory, || run.status.borrow().new_snapshots).await,
            None => None,
        };
        let study = &sources.run.study;
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: Timestamp::now(),
            study: study.name.clone(),
            directory: run.map(|run| run.directory.display().to_string()),
            phase: match run {
                _ if sources.run.is_draining() => Phase::Draining,
                Some(_) => Phase::Serving,
                None => Phase::Starting,
            },
            owners: study.metadata.owners.clone(),
            threshold: study.threshold.as_ref().map(|threshold| describe_threshold(study, threshold)),
            models: study.models.iter().map(|model| model.name.clone()).collect(),
            swaps: run_status.as_ref().map_or(0, |status| status.generation),
            run_status,
            queue: QueueStatus {
                deliveries,
                oldest_seconds: oldest.map_or(Duration::ZERO, |since| since.elapsed()).as_secs_f64(),
                max_lag_seconds: sources.deliveries.max_lag.as_secs_f64(),
                body_memory_free_bytes: sources.bodies.free_bytes(),
                body_memory_bytes: sources.bodies.limits.memory_bytes,
            },
            disk,
            resident_bytes: resident_bytes(),
        }
    }
}

/// `GET /v1/status`.
pub async fn status(State(sources): State<StatusSources>) -> Response<Body> {
    json_response(StatusCode::OK, &Status::collect(&sources).await)
}
