//! What is computed from scores: exact sums, intervals, subgroups, the verdict.
//!
//! Pure: no file is opened here, no plugin loaded, no clock read.

pub mod divergence;
pub mod scoring;
pub mod verdict;
