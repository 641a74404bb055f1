//! Reports made from a run directory: the report bundle of an ended run, and the declared interim reports.

pub mod interim_reports;
pub mod report_bundle;
