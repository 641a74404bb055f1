//! Observability: health endpoints, status, metrics, request metrics and run events in the log.

pub mod health;
pub mod metrics;
mod metrics_format;
pub mod request_metrics;
pub mod run_event_log;
pub mod status;
