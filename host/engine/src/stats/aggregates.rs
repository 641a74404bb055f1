//! The sums that the evaluation of pairs accumulates.

use serde::{Deserialize, Serialize};

use crate::plugins::load::LoadedStudy;
use crate::plugins::study_fields;
use crate::stats::failures::FailureLog;
use crate::stats::latency::LatencyHistogram;
use crate::stats::run_result::Comparison;
use understudy_statistics::scoring::{Cells, CellsShape, DistributionsBySlice, SliceSums, VerdictEvidence};
use understudy_study::AnswerForm;

/// What the comparing came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Aggregates {
    /// The sums.
    pub cells: Cells,
    /// How many pairs could be compared.
    pub comparison: Comparison,
    /// Nanoseconds from snapshot to decision.
    pub substrate: LatencyHistogram,
    /// Decisions dated before their snapshot.
    pub before: u64,
    /// What broke.
    pub incidents: FailureLog,
    /// What a verdict needs besides, where a threshold is declared.
    pub evidence: VerdictEvidence,
    /// What it takes to say where they part.
    pub profiles: SliceSums,
    /// How answers lie to each other.
    pub spreads: DistributionsBySlice,
}

impl Aggregates {
    /// Nothing yet of a study.
    pub fn new(prepared: &LoadedStudy) -> Aggregates {
        let sizes = study_fields::conditions(&prepared.study).sizes();
        let forms: Vec<AnswerForm> = prepared.models.iter().map(|model| model.plugin.form).collect();
        Aggregates {
            spreads: DistributionsBySlice::new(&forms, &sizes),
            cells: Cells::new(shape(prepared, sizes)),
            comparison: Comparison::default(),
            substrate: LatencyHistogram::default(),
            before: 0,
            incidents: FailureLog::default(),
            evidence: VerdictEvidence::default(),
            profiles: SliceSums::default(),
        }
    }
}

/// The cells of a study: each metric has one component more than it says, the host's count of scored pairs.
fn shape(prepared: &LoadedStudy, conditions: Vec<usize>) -> CellsShape {
    CellsShape {
        conditions,
        models: prepared.models.len(),
        components: prepared.metrics.iter().map(|m| m.plugin.components.len() + 1).collect(),
    }
}
