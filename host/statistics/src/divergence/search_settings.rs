//! The parameters of a search for subgroups.

/// The parameters of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchSettings {
    /// The maximum number of terms of a subgroup, at most [`MAX_TERMS`](super::MAX_TERMS).
    pub max_terms: usize,
    /// The minimum number of pairs of a subgroup, both halves together.
    pub min_pairs: u64,
    /// The false discovery rate, in (0, 1): the expected share of false subgroups among those listed.
    pub false_discovery_rate: f64,
    /// Whether every score is 0 or 1 and the metric is the mean of the first component. Tests are exact then,
    /// by counts.
    pub binary_scores: bool,
    /// The confidence of each bound of an interval on its own, in [0.5, 1).
    pub confidence: f64,
}
