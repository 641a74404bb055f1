//! The result of the determinism check of a model.
//!
//! Invariants: the first mismatch found stays the first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maximum number of mismatching sequence numbers kept between two ledger entries.
const KEPT: usize = 1000;

/// Result of the determinism check of one model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DeterminismStats {
    /// Snapshots that the model answered again.
    pub rows: u64,
    /// Answers that differ from the first one.
    pub mismatches: u64,
    /// Id of the first mismatch found; empty without a mismatch, and in an interim report.
    pub first_id: String,
    /// Sequence numbers of the mismatches, up to a limit.
    #[serde(skip)]
    pub sequences: Vec<u64>,
}

impl DeterminismStats {
    /// Adds the results of a later check.
    pub fn add(&mut self, later: DeterminismStats) {
        if self.mismatches == 0 {
            self.first_id = later.first_id;
        }
        self.rows += later.rows;
        self.mismatches += later.mismatches;
        let room = KEPT.saturating_sub(self.sequences.len());
        self.sequences.extend(later.sequences.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mismatch_found_stays_the_first() {
        let one = |id: &str, sequence| DeterminismStats {
            rows: 10,
            mismatches: 1,
            first_id: id.to_owned(),
            sequences: vec![sequence],
        };
        let mut all = DeterminismStats { rows: 5, ..DeterminismStats::default() };
        all.add(one("a", 7));
        all.add(one("b", 3));
        let wanted =
            DeterminismStats { rows: 25, mismatches: 2, first_id: "a".to_owned(), sequences: vec![7, 3] };
        assert_eq!(all, wanted);
    }
}
