//! Adds up the scores of pairs: assigns each pair to a window and to condition values, and keeps the sums
//! from which every reported number is computed.
//!
//! Invariants:
//! - The same pairs give the same sums, bit for bit, whatever the batches, workers, merges and restarts.
//! - The code is pure: it uses no plugin, no clock and no file. The metrics' own `score` and `reduce` are
//!   called elsewhere.

mod answer_distribution;
mod answer_history;
mod answer_value;
mod baseline;
mod bottom_k_counts;
mod calendar_window;
mod cells;
mod cluster_sizes;
mod condition;
mod copy_on_write;
mod distribution_by_slice;
mod exact_sum;
mod gain_sums;
mod input_class_sample;
mod interim_figures;
mod interval;
mod label_counts;
mod label_metrics;
mod lagged_answers;
mod local_time;
mod nominal_answer_counts;
mod open_pairs;
mod paired_comparison;
mod ranking_history;
mod record_counts;
mod reliability;
mod revision_sums;
mod running_median;
mod scope_sets;
mod score_histogram;
mod self_agreement;
mod slice_sums;
mod verdict_statistics;

pub use answer_distribution::{AnswerHistogram, ErrorHistogram, RankPositions};
pub use answer_value::AnswerValue;
pub use baseline::{BASELINES_PER_FORM, Baseline, LearningSet, OWN_BASELINES};
pub use bottom_k_counts::{AnswerKey, BottomKCounts};
pub use calendar_window::{Window, WindowClock};
pub use cells::{
    AnswerStatus, CellTally, Cells, CellsError, CellsShape, ModelScores, ScoredPairs, Slice, Totals,
};
pub use cluster_sizes::{ClusterLimits, ClusterSizes, cluster_hash};
pub use condition::{ConditionError, Conditions};
pub use distribution_by_slice::{DistributionBatch, DistributionsBySlice, SliceDifferences};
pub use exact_sum::ExactSum;
pub use gain_sums::{BaselineSums, DifferenceHistograms, GainSums, PairComparison, PairScores, ScoreSums};
pub use input_class_sample::{InputClassCounts, InputClassDecision, InputClassSample};
pub use interim_figures::{
    InterimFigures, InterimRules, LabelCell, MIN_INTERIM_PAIRS, PartSize, ProfileSize, last_covered_window,
    may_show_interim, shown_label_cells, withheld_counts,
};
pub use interval::{
    ConfidenceSequence, Difference, Interval, POWER, ScoreBlock, SequenceTuning, WindowSequence,
    binomial_tail, bounded_mean, clopper_pearson, cluster_mean, cluster_share, equal_scores, has_spread,
    jackknife, jackknife_certainty, jackknife_difference, korn_graubard, paired_difference,
    proportion_difference, skewed_jackknife, standard_error, student_quantile, student_upper_tail,
    upper_tail, wilson, wilson_weighted,
};
pub use label_counts::{LabelCounts, LabelTally, MAX_LABELS, ModelLabelTally, PairLabels};
pub use label_metrics::{LabelMetric, LabelMetrics};
pub use open_pairs::{ModelBaselines, OpenAnswer, OpenPair, OpenPairs, SettledPair};
pub use paired_comparison::{JointAgreement, PairedComparison, PairedEstimate, PairedRow};
pub use record_counts::{CountedExclusion, RecordCounts, ScopeExclusions, WindowRecordCounts};
pub use reliability::{Reliability, ReliabilityBinSums};
pub use revision_sums::{RevisedPairs, RevisionCounts, RevisionSums};
pub use scope_sets::{ScopeSets, SetCounts, ValueCounts};
pub use score_histogram::{ScoreHistogram, ScoreRange};
pub use self_agreement::{
    DecisionPairs, InputClassMean, InputClassPair, MAX_RATERS, MIN_REPEATED_INPUT_CLASSES, Rater,
    RaterCounts, Raters, SelfAgreementSums, input_class_capacity,
};
pub use slice_sums::{
    MAX_PRODUCT_COMPONENTS, ModelMoments, ProfileIndex, ProfiledBatch, SliceSums, SliceTotals,
};
pub use verdict_statistics::{
    EvidencePair, InputCounts, JACKKNIFE_GROUPS, ModelSums, StratumKey, StratumSums, VerdictEvidence,
    WindowEvidence, WindowGains, WindowInputCounts, jackknife_group,
};

/// A metric's `reduce`: from the number of scored pairs and the sum of each component to the metric's value.
/// `None` where the metric is not defined.
pub type Reduce<'r> = dyn FnMut(u64, &[f64]) -> Option<f64> + 'r;
