//! The verdict on a run: evaluation of the threshold, and the interferences that bear on it.

pub mod interferences;
pub mod threshold_evaluation;
pub mod try_history;
