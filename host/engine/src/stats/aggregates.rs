//! The sums that the evaluation of pairs accumulates.

use serde::{Deserialize, Serialize};

use crate::plugins::load::Prepared;
use crate::plugins::study_fields;
use crate::stats::failures::Incidents;
use crate::stats::latency::Times;
use crate::stats::run_result::Comparison;
use understudy_statistics::scoring::{Cells, CellsShape, DistributionsBySlice, SliceSums, VerdictEvidence};
use understudy_study::AnswerForm;

/// What the comparing came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Judged {
    /// The sums.
    pub cells: Cells,
    /// How many pairs could be compared.
    pub comparison: Comparison,
    /// Nanoseconds from snapshot to decision.
    pub substrate: Times,
    /// Decisions dated before their snapshot.
    pub before: u64,
    /// What broke.
    pub incidents: Incidents,
    /// What a verdict needs besides, where a threshold is declared.
    pub evidence: VerdictEvidence,
    /// What it takes to say where they part.
    pub profiles: SliceSums,
    /// How answers lie to each other.
    pub spreads: DistributionsBySlice,
}

impl Judged {
    /// Nothing yet of a study.
    pub fn new(prepared: &Prepared) -> Judged {
        let sizes = study_fields::conditions(&prepared.study).sizes();
        let forms: Vec<AnswerForm> = prepared.models.iter().map(|model| model.plugin.form).collect();
        Judged {
            spreads: DistributionsBySlice::new(&forms, &sizes),
            cells: Cells::new(shape(prepared, sizes)),
            comparison: Comparison::default(),
            substrate: Times::default(),
            before: 0,
            incidents: Incidents::default(),
            evidence: VerdictEvidence::default(),
            profiles: SliceSums::default(),
        }
    }
}

/// The cells of a study: each metric has one component more than it says, the host's count of scored pairs.
fn shape(prepared: &Prepared, conditions: Vec<usize>) -> CellsShape {
    CellsShape {
        conditions,
        models: prepared.models.len(),
        components: prepared.metrics.iter().map(|m| m.plugin.components.len() + 1).collect(),
    }
}
