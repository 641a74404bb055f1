//! The sums that the evaluation of pairs accumulates.
//!
//! Invariants: every sum is independent of the order and the batches of the pairs.

use serde::{Deserialize, Serialize};

use crate::plugins::load::LoadedStudy;
use crate::plugins::study_fields;
use crate::stats::failures::FailureLog;
use crate::stats::latency::LatencyHistogram;
use crate::stats::unanswered_reasons::UnansweredReasons;
use understudy_statistics::scoring::{
    Cells, CellsShape, DistributionsBySlice, OpenPairs, RevisionSums, SelfAgreementSums, SliceSums,
    VerdictEvidence, Window, WindowGains,
};
use understudy_statistics::verdict::PairCounts;
use understudy_study::AnswerForm;

/// The sums over all evaluated pairs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Aggregates {
    /// Metric sums per window, condition value and model.
    pub cells: Cells,
    /// How many pairs could be compared.
    pub comparison: PairCounts,
    /// Latency from snapshot to decision.
    pub substrate: LatencyHistogram,
    /// Number of decisions dated before their snapshot.
    pub decided_before: u64,
    /// Failures of comparator, metrics and blinded models.
    pub failures: FailureLog,
    /// Why answers of the comparator are missing, and answers of the models to blinded snapshots.
    pub unanswered: UnansweredReasons,
    /// Evidence for the verdict; empty without a threshold.
    pub evidence: VerdictEvidence,
    /// How often the substrate decides the same for the same input class; empty without `[ceiling]`.
    pub self_agreement: SelfAgreementSums,
    /// The pairs whose baselines can still change; empty unless the threshold requires a gain over baselines.
    pub open_pairs: OpenPairs,
    /// The gains in the evidence before those of the open pairs were added, for each window that has open pairs. A resumed
    /// run begins with them.
    pub settled_gains: Vec<(Window, WindowGains)>,
    /// Sums per subgroup, for the divergence search.
    pub profiles: SliceSums,
    /// Distributions of the models' answers against the comparator's.
    pub answer_distributions: DistributionsBySlice,
    /// Counts and scores of the pairs with more than one decision.
    pub revisions: RevisionSums,
}

impl Aggregates {
    /// Empty sums for a study.
    pub fn new(loaded_study: &LoadedStudy) -> Aggregates {
        let sizes = study_fields::conditions(&loaded_study.study).sizes();
        let forms: Vec<AnswerForm> = loaded_study.models.iter().map(|model| model.plugin.form).collect();
        Aggregates {
            answer_distributions: DistributionsBySlice::new(&forms, &sizes),
            revisions: RevisionSums::new(shape(loaded_study, sizes.clone())),
            cells: Cells::new(shape(loaded_study, sizes)),
            comparison: PairCounts::default(),
            substrate: LatencyHistogram::default(),
            decided_before: 0,
            failures: FailureLog::default(),
            unanswered: UnansweredReasons::default(),
            evidence: VerdictEvidence::default(),
            self_agreement: SelfAgreementSums::default(),
            open_pairs: OpenPairs::default(),
            settled_gains: Vec::new(),
            profiles: SliceSums::default(),
        }
    }

    /// Removes the gains of the open pairs from the evidence, so that the open pairs can be scored again.
    pub fn withdraw_open_pairs(&mut self) {
        for (window, gains) in std::mem::take(&mut self.settled_gains) {
            self.evidence.windows.entry(window).or_default().to_mut().gains = gains;
        }
    }

    /// Removes the open pairs, for a reader that adds no more pairs. Their gains stay in the evidence.
    pub fn drop_open_pairs(&mut self) {
        self.open_pairs = OpenPairs::default();
        self.settled_gains = Vec::new();
    }
}

/// The shape of the sums: each metric has one more component than it declares, the host's count of scored
/// pairs.
fn shape(loaded_study: &LoadedStudy, conditions: Vec<usize>) -> CellsShape {
    CellsShape {
        conditions,
        models: loaded_study.models.len(),
        components: loaded_study.metrics.iter().map(|m| m.plugin.components.len() + 1).collect(),
    }
}
