//! The statistics of a study: exact sums of scores, intervals, subgroup discovery, and the verdict.
//!
//! The crate is pure: it opens no file, loads no plugin and reads no clock. `clippy.toml` enforces this.

pub mod divergence;
pub mod hash;
pub mod number_text;
pub mod scoring;
pub mod verdict;
