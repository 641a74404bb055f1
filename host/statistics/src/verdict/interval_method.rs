//! How the interval of an estimate was computed, and why one has none, each with its words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The method by which an interval was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalMethod {
    /// The exact bounds of a share of independent pairs.
    Exact,
    /// The exact bounds of a share for the effective number of pairs: the number of independent ones that has the
    /// jackknife's standard error.
    EffectiveTrials,
    /// The bounds of the mean of independent scores in a known range, whatever their distribution.
    BoundedMean,
    /// A delete-a-group jackknife over groups of ids: pairs with different ids are independent of each other.
    Jackknife,
    /// A delete-a-group jackknife over groups of clusters: only pairs of different clusters are independent of each other.
    ClusterJackknife,
    /// The bounds for independent pairs, or groups of ids, whose scores are all equal, and which show no spread.
    EqualScores,
    /// The bounds for independent clusters whose scores are all equal, and which show no spread.
    EqualClusters,
    /// A confidence sequence of the running average over pairs, which holds at all looks together.
    Sequence,
    /// A confidence sequence whose observations are whole windows, for pairs that depend on each other through the cluster
    /// key. Windows of few pairs are joined.
    WindowSequence,
    /// Exact bounds of the difference between two shares of the same pairs.
    PairedDifference,
}

impl IntervalMethod {
    /// Whether the bounds depend on how the pairs are divided into groups of ids or clusters, so that they tell in which
    /// group a single score is, or that all groups have the same mean.
    pub fn depends_on_groups(self) -> bool {
        match self {
            IntervalMethod::EffectiveTrials
            | IntervalMethod::Jackknife
            | IntervalMethod::ClusterJackknife
            | IntervalMethod::EqualScores
            | IntervalMethod::EqualClusters => true,
            IntervalMethod::Exact
            | IntervalMethod::BoundedMean
            | IntervalMethod::Sequence
            | IntervalMethod::WindowSequence
            | IntervalMethod::PairedDifference => false,
        }
    }

    /// The method and what it is over, as it follows the word `by`: `a jackknife over groups of clusters`.
    pub fn description(self) -> &'static str {
        match self {
            IntervalMethod::Exact => "the exact method over pairs",
            IntervalMethod::EffectiveTrials => {
                "the exact method for effective trials, over groups of clusters"
            }
            IntervalMethod::BoundedMean => "the distribution of the scores of pairs",
            IntervalMethod::Jackknife => "a jackknife over groups of ids",
            IntervalMethod::ClusterJackknife => "a jackknife over groups of clusters",
            IntervalMethod::EqualScores => "the method for equal scores of pairs",
            IntervalMethod::EqualClusters => "the method for equal scores of clusters",
            IntervalMethod::Sequence => "a confidence sequence over pairs",
            IntervalMethod::WindowSequence => "a confidence sequence over windows",
            IntervalMethod::PairedDifference => "the exact method for a difference, over pairs",
        }
    }

    /// What the intervals are of and when they hold: a sentence for readers of the verdict.
    pub fn sentence(self) -> &'static str {
        match self {
            IntervalMethod::Exact => "Intervals are exact bounds of the expected share of independent pairs.",
            IntervalMethod::EffectiveTrials => {
                "Intervals are exact bounds of the expected share, for as many independent pairs as have the standard \
                error of a jackknife over groups of clusters, and for no more than the sizes of the clusters allow."
            }
            IntervalMethod::BoundedMean => {
                "Intervals are bounds of the expected score of independent pairs, for scores in the metric's range."
            }
            IntervalMethod::Jackknife => {
                "Intervals are from a jackknife over groups of ids: pairs with different ids are taken as independent \
                of each other."
            }
            IntervalMethod::ClusterJackknife => {
                "Intervals are from a jackknife over groups of clusters: pairs of one cluster may depend on each \
                other, and different clusters are taken as independent."
            }
            IntervalMethod::EqualScores => {
                "Intervals are those of independent pairs whose scores are all equal, which show no spread."
            }
            IntervalMethod::EqualClusters => {
                "Intervals are those of independent clusters whose scores are all equal, which show no spread."
            }
            IntervalMethod::PairedDifference => {
                "Intervals are exact bounds of a difference of two shares of independent pairs."
            }
            IntervalMethod::Sequence => {
                "Intervals are confidence sequences. Each is of the average expected score of the pairs so far, which \
                may drift, and holds at all looks at complete windows together."
            }
            IntervalMethod::WindowSequence => {
                "Intervals are confidence sequences over whole windows, whose pairs may depend on each other. Each is \
                of the average of the windows' expected scores so far, weighted by their pairs, and holds at all looks \
                at complete windows together."
            }
        }
    }
}

/// Why no interval can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingInterval {
    /// All pairs are in one jackknife group.
    FewGroups,
    /// The scores of model and baseline differ in too few pairs.
    FewDifferences,
    /// The metric is not defined without the pairs of one jackknife group.
    UndefinedReplicate,
    /// Without the pairs of one jackknife group, the value is the greatest one that the metric has.
    GreatestReplicate,
    /// Leaving out a jackknife group never changes the value, and the metric is not a mean of scores in a
    /// known range.
    NoSpread,
    /// The metric is not a mean of scores in a known range, so it has no interval that holds at several looks.
    NoSequence,
    /// Pairs of a cluster depend on each other, and the metric is not a mean of scores in a known range.
    Clusters,
    /// The metric is neither a mean of scores in a known range nor Cohen's kappa.
    NotMean,
    /// The bounds depend on groups of ids or clusters, and the run is not closed.
    Withheld,
    /// A bound is not a finite number.
    NotFinite,
}

impl MissingInterval {
    /// The reason in words.
    pub fn reason(self) -> &'static str {
        match self {
            MissingInterval::FewGroups => "all pairs are in one group, so their spread is unknown",
            MissingInterval::FewDifferences => {
                "the scores of model and baseline differ in fewer than 30 pairs, which do not show their spread"
            }
            MissingInterval::GreatestReplicate => {
                "the value is as good as possible without some of the pairs, so few pairs decide, and their spread is unknown"
            }
            MissingInterval::UndefinedReplicate => {
                "the metric is not defined without some of the pairs, so their spread is unknown"
            }
            MissingInterval::NoSpread => {
                "the scores show no spread, and the metric is not a mean of scores in a known range"
            }
            MissingInterval::NoSequence => {
                "no interval holds at several looks unless the metric is a mean of scores in a known range"
            }
            MissingInterval::Clusters => {
                "with a `cluster`, bounds are known only for metrics that are a mean of scores in a known range, such as \
                 agreement"
            }
            MissingInterval::NotMean => {
                "bounds are known only for means of scores in a known range, such as agreement, and for Cohen's kappa; rare pairs \
                 that were not observed can move any other value by any amount"
            }
            MissingInterval::Withheld => {
                "bounds that depend on groups of ids or clusters are withheld until the run is closed, because they would reveal \
                 single pairs"
            }
            MissingInterval::NotFinite => "a bound is not a finite number",
        }
    }
}
