//! Comparison of models over the pairs that they have in common, in one run or in two runs of the same feed.

pub mod comparison;
pub mod run_join;
