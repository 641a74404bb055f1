//! Record ingestion: request bodies and mirrored requests become records of the run.

pub mod body;
pub mod mirror;
pub mod records;
