//! Describes where a model and the substrate differ: divergent subgroups, change points and answer distributions.
//!
//! Invariants: everything here is computed from sums, so it is the same however often it is computed.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value_text::listed_value;
use understudy_statistics::scoring::{Interval, LabelMetrics};

/// The settings of the search for divergent subgroups, and its results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DivergenceReport {
    /// The metric whose values are compared.
    pub metric: String,
    /// The conditions whose values were combined.
    pub conditions: Vec<String>,
    /// Conditions that were left out because their profiles would be too many; empty if the study names the conditions.
    pub omitted_conditions: Vec<String>,
    /// The maximum number of condition values in a subgroup.
    pub max_terms: u64,
    /// The minimum share of the compared pairs in a subgroup.
    pub min_support: f64,
    /// The minimum number of pairs in a subgroup that follows from `min-support`.
    pub min_pairs: u64,
    /// The false discovery rate at which subgroups are listed.
    pub false_discovery_rate: f64,
    /// The joint confidence of the two bounds of an interval.
    pub confidence: f64,
    /// The minimum number of windows with pairs that the detection of change points needs.
    pub min_windows: u64,
    /// Why the search was skipped; null if it was not.
    pub search_skipped: Option<SearchSkipped>,
    /// The results for each model, in the order declared.
    pub models: Vec<ModelDivergence>,
}

/// Why the search for divergent subgroups was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SearchSkipped {
    /// There are no conditions to combine.
    NoConditions,
    /// The metric has too many components to estimate the variance of its values.
    TooManyComponents,
    /// The run has not ended and has too many windows and profiles to keep sums for every combination of both.
    TooManyWindows,
}

/// Where one model and the substrate differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ModelDivergence {
    /// The name of the model.
    pub model: String,
    /// Subgroups with at least the minimum number of pairs.
    pub candidates: u64,
    /// Candidates that one half of the ids suggested and that were tested on the other half.
    pub tested: u64,
    /// Subgroups that the test confirmed, the one with the largest certain difference first.
    pub subgroups: Vec<DivergentSubgroup>,
    /// Subgroups suspected in advance that were not confirmed, in words.
    pub unconfirmed: Vec<String>,
    /// Change points of the metric over all pairs, in order of time; null if there are too few windows.
    pub change_points: Option<Vec<ChangePoint>>,
}

/// A subgroup of the pairs in which a model's value differs from its value over all other pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DivergentSubgroup {
    /// The condition values that define it.
    pub terms: Vec<SubgroupTerm>,
    /// Whether the study declares it as suspected in advance.
    pub suspected: bool,
    /// Compared pairs in it.
    pub pairs: u64,
    /// Their share of all compared pairs.
    pub support: f64,
    /// The value of the metric in the subgroup.
    pub value: Option<f64>,
    /// The value of the metric over all other pairs.
    pub complement: Option<f64>,
    /// Whether model and substrate agree less in the subgroup than elsewhere, or more.
    pub direction: DivergenceDirection,
    /// The value minus the complement, in the half of the ids that was used for the test.
    pub difference: f64,
    /// The confidence interval of the difference.
    pub interval: Interval,
    /// The p-value of the hypothesis that there is no difference, in that half.
    pub p_value: f64,
    /// The smallest false discovery rate at which the subgroup is listed.
    pub q_value: f64,
    /// For numeric answers: the mean error (model minus substrate), in the subgroup and over all other pairs.
    pub mean_errors: Option<[f64; 2]>,
    /// The most common differing answers among those that were counted one by one; null before the run has ended.
    pub most_common: Option<AnswerPair>,
    /// Pairs with differing answers that were not counted one by one, because there are too many distinct ones.
    pub untracked_pairs: u64,
    /// Since when the subgroup has differed.
    pub onset: Onset,
    /// Ids of some pairs with differing answers; empty before the run has ended.
    pub examples: Vec<String>,
}

impl DivergentSubgroup {
    /// Its terms in words: `segment = corporate, day = weekend`. Different subgroups have different names.
    pub fn name(&self) -> String {
        let name =
            |term: &SubgroupTerm| format!("{} = {}", term.condition, listed_value(&term.value, &[", "]));
        self.terms.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

/// Since when a subgroup has differed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "since", rename_all = "kebab-case")]
pub enum Onset {
    /// Unknown: too few windows have pairs both in the subgroup and elsewhere, or sums were not kept by window.
    Unknown,
    /// Since the first window, as far as can be detected: no change point was found.
    Start,
    /// Since this change point. Its values are the subgroup's value minus the complement.
    ChangePoint(ChangePoint),
}

/// A condition with one of its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SubgroupTerm {
    /// The condition.
    pub condition: String,
    /// The value.
    pub value: String,
}

/// How the agreement in a subgroup compares with the agreement elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DivergenceDirection {
    /// Model and substrate agree less.
    LessAgreement,
    /// Model and substrate agree more.
    MoreAgreement,
}

/// An answer of the model and one of the substrate, and how often they occur together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AnswerPair {
    /// The model's answer, or the first item of its ranking, empty if its ranking is empty; null if it gave none.
    pub model: Option<String>,
    /// The substrate's answer; empty if its ranking is empty.
    pub substrate: String,
    /// Compared pairs.
    pub pairs: u64,
}

/// A change point of a series of window values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ChangePoint {
    /// The label of the first window after the change.
    pub window: String,
    /// The first instant of that window.
    pub at: Timestamp,
    /// The weighted mean over the windows since the previous change point. The weight of a window is its number of
    /// pairs; for the onset of a subgroup it is n·m/(n+m), with n pairs in the subgroup and m elsewhere.
    pub before: f64,
    /// The weighted mean over the windows up to the next change point.
    pub after: f64,
    /// The p-value of the permutation test of no change.
    pub p_value: f64,
}

/// The joint distributions of a model's answers and the substrate's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AnswerDistributions {
    /// Over all compared pairs.
    pub overall: AnswerDistribution,
    /// For each condition, for each of its values.
    pub conditions: Vec<Vec<AnswerDistribution>>,
    /// For each window. For labels only the five most common pairs of differing answers.
    pub windows: Vec<AnswerDistribution>,
}

/// The joint distribution of a model's answers and the substrate's, over some pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "form", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum AnswerDistribution {
    /// A confusion matrix of labels. A set of labels is a JSON array here, and a JSON value its canonical text.
    Label {
        /// Pairs with equal labels.
        agreeing: u64,
        /// Pairs with different labels, including unanswered ones.
        differing: u64,
        /// The cells of the matrix: equal labels first, then by frequency. In an interim report only over all pairs,
        /// and only cells with none or at least five pairs in each block of windows.
        answers: Vec<AnswerPair>,
        /// Pairs that `answers` does not list.
        unlisted_pairs: u64,
        /// Those of them that were not counted one by one, because there are too many distinct answers.
        untracked_pairs: u64,
        /// The metrics of the matrix; null in an interim report, without pairs, and with untracked pairs.
        metrics: Option<LabelMetrics>,
    },
    /// The distribution of the error: the model's number minus the substrate's.
    Number {
        /// Pairs that the model answered.
        answered: u64,
        /// Pairs that the model did not answer.
        unanswered: u64,
        /// The mean error.
        mean_error: Option<f64>,
        /// The standard deviation of the error.
        standard_deviation: Option<f64>,
        /// The quantiles of the error at 5, 25, 50, 75 and 95 %, with a relative precision of 3 %; null in an interim report.
        quantiles: Option<[f64; 5]>,
        /// The histogram of the error; over all pairs only. In an interim report only bins with none or at least five pairs in
        /// each block of windows.
        histogram: Vec<HistogramBin>,
        /// The pairs of bins that `histogram` leaves out.
        unlisted_pairs: u64,
    },
    /// The rank of the substrate's first item in the model's ranking.
    Ranking {
        /// Pairs that the model did not answer.
        unanswered: u64,
        /// Pairs in which the model's ranking lacks the item; null if an interim report withholds them, because they are few.
        absent: Option<u64>,
        /// Pairs that the model answered and in which the substrate's ranking is empty.
        unranked: u64,
        /// The number of pairs at each rank. In an interim report only over all pairs, and only ranks with none or at least five
        /// pairs in each block of windows.
        ranks: Vec<RankCount>,
        /// The pairs of ranks that `ranks` leaves out, with those that `absent` withholds.
        unlisted_pairs: u64,
        /// The number of items of the longest ranking of either side.
        longest: u32,
    },
}

/// A bin of a histogram: `from <= error < to`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HistogramBin {
    /// The lower bound, included; null if there is none.
    pub from: Option<f64>,
    /// The upper bound, excluded; null if there is none.
    pub to: Option<f64>,
    /// Compared pairs.
    pub pairs: u64,
}

/// The pairs with a confidence above `from` and up to `to`. The first bin also has the confidence 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReliabilityBin {
    /// The lower edge, excluded.
    pub from: f64,
    /// The upper edge, included.
    pub to: f64,
    /// Compared pairs.
    pub pairs: u64,
    /// The mean of their confidences.
    pub mean_confidence: f64,
    /// The share of them whose label, or whose first item, is that of the substrate.
    pub agreement: f64,
    /// The lower bound of the agreement by Wilson's method, at 0.95.
    pub lower: f64,
    /// The upper bound of the agreement by Wilson's method, at 0.95.
    pub upper: f64,
}

/// The number of pairs at one rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RankCount {
    /// The rank, counted from 1.
    pub rank: u32,
    /// Compared pairs.
    pub pairs: u64,
}

#[cfg(test)]
pub(crate) mod fixture;
