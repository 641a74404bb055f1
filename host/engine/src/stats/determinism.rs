//! The result of the determinism check of a model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rows that answered otherwise whose sequence numbers are kept between two entries of the ledger.
const KEPT: usize = 1000;

/// What came of asking one model again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DeterminismStats {
    /// Snapshots that it was asked about again.
    pub asked: u64,
    /// Those that it answered otherwise.
    pub otherwise: u64,
    /// The id of the first of them that was found; empty if there is none, and in a report before the run has ended.
    pub first_id: String,
    /// Their sequence numbers, as far as they are kept.
    #[serde(skip)]
    pub sequences: Vec<u64>,
}

impl DeterminismStats {
    /// Adds what came of asking later.
    pub fn add(&mut self, later: DeterminismStats) {
        if self.otherwise == 0 {
            self.first_id = later.first_id;
        }
        self.asked += later.asked;
        self.otherwise += later.otherwise;
        let room = KEPT.saturating_sub(self.sequences.len());
        self.sequences.extend(later.sequences.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_was_found_stays_the_first() {
        let one = |id: &str, sequence| DeterminismStats {
            asked: 10,
            otherwise: 1,
            first_id: id.to_owned(),
            sequences: vec![sequence],
        };
        let mut all = DeterminismStats { asked: 5, ..DeterminismStats::default() };
        all.add(one("a", 7));
        all.add(one("b", 3));
        let wanted =
            DeterminismStats { asked: 25, otherwise: 2, first_id: "a".to_owned(), sequences: vec![7, 3] };
        assert_eq!(all, wanted);
    }
}
