//! The state of the whole application. Every handler extracts only the parts that it uses.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;

use crate::admin::cases_and_review::{CaseState, ReviewSessions};
use crate::app::body_budget::{BodyBudget, BodyLimits};
use crate::app::delivery_queue::DeliveryQueue;
use crate::app::run_slot::RunSlot;
use crate::auth::denied_log::DeniedLog;
use crate::auth::token_store::TokenStore;
use crate::dashboard::live_report_cache::LiveReportCache;
use crate::ingest::mirror::MirrorCounters;
use crate::ingest::records::IngestState;
use crate::observability::metrics::RequestMetrics;
use crate::observability::request_metrics::LogThrottles;
use crate::observability::status::StatusSources;
use crate::routes::openapi::OpenApiDocument;
use crate::util::reloadable::Reloadable;
use crate::util::resource_usage::DiskGauge;
use understudy_run_log::signed_head::Signer;
use understudy_study::Study;

/// Settings of the application, apart from its listeners.
#[derive(Clone, Debug)]
pub struct AppSettings {
    /// Limits of request bodies.
    pub bodies: BodyLimits,
    /// Age of the oldest queued delivery above which no further one is admitted.
    pub max_lag: Duration,
    /// Tokens and their roles; `None` grants all roles to every local user.
    pub tokens: Option<Arc<Reloadable<TokenStore>>>,
}

/// All shared state.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// The study and its run.
    pub run: Arc<RunSlot>,
    /// Memory of request bodies.
    pub bodies: Arc<BodyBudget>,
    /// Deliveries that are not on disk yet.
    pub deliveries: Arc<DeliveryQueue>,
    /// Log of denied requests.
    pub denied: Arc<DeniedLog>,
    /// Tokens and their roles.
    pub tokens: Option<Arc<Reloadable<TokenStore>>>,
    /// Counters of mirrored requests.
    pub mirrored: Arc<MirrorCounters>,
    /// Counters and durations of requests.
    pub metrics: Arc<RequestMetrics>,
    /// Rate limits of log messages about requests.
    pub throttles: Arc<LogThrottles>,
    /// Disk usage.
    pub disk: Arc<DiskGauge>,
    /// Figures of the live view.
    pub reports: Arc<LiveReportCache>,
    /// Open review sessions.
    pub reviews: Arc<ReviewSessions>,
    /// The OpenAPI document of the study.
    pub openapi: Arc<OpenApiDocument>,
}

impl AppState {
    /// The state before the run has started. `signer` signs the ledger's head.
    pub fn new(study: Study, settings: AppSettings, signer: Option<Signer>) -> AppState {
        AppState {
            openapi: Arc::new(OpenApiDocument::new(&study)),
            run: Arc::new(RunSlot::new(study, signer)),
            bodies: Arc::new(BodyBudget::new(settings.bodies)),
            deliveries: Arc::new(DeliveryQueue::new(settings.max_lag)),
            denied: Arc::default(),
            tokens: settings.tokens,
            mirrored: Arc::default(),
            metrics: Arc::default(),
            throttles: Arc::default(),
            disk: Arc::default(),
            reports: Arc::default(),
            reviews: Arc::default(),
        }
    }
}

impl FromRef<AppState> for IngestState {
    fn from_ref(state: &AppState) -> IngestState {
        let AppState { run, bodies, deliveries, .. } = state.clone();
        IngestState { run, bodies, deliveries }
    }
}

impl FromRef<AppState> for StatusSources {
    fn from_ref(state: &AppState) -> StatusSources {
        let AppState { run, bodies, deliveries, disk, .. } = state.clone();
        StatusSources { run, bodies, deliveries, disk }
    }
}

impl FromRef<AppState> for CaseState {
    fn from_ref(state: &AppState) -> CaseState {
        let AppState { run, reports, reviews, .. } = state.clone();
        CaseState { run, reports, reviews }
    }
}
