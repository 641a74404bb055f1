//! The dashboard: its static assets and the live view that it displays.

pub mod assets;
pub mod interim_verdict;
pub mod live_report_cache;
pub mod live_view;
