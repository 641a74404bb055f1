//! Helpers that know nothing of HTTP or of a run: excerpts, reloadable files, log rate limits, process statistics.

pub mod excerpt;
pub mod log_rate_limit;
pub mod process_stats;
pub mod reloadable;
pub mod request_duration_histogram;
