//! The verdict on a run: evaluation of the threshold, and the interferences that bear on it.

pub mod evaluation;
pub mod interferences;
pub mod try_history;
