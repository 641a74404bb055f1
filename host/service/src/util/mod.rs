//! Helpers that know nothing of HTTP or of a run: excerpts, reloadable files, log rate limits, process statistics.

pub mod excerpt;
pub mod log_rate_limit;
pub mod reloadable;
pub mod request_duration_histogram;
pub mod resource_usage;
