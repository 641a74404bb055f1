//! Plans agreement beyond chance: the requirement, and the number of pairs that a model needs to meet it.
//!
//! Invariant: without the share of the commonest label or the number of pairs, the numbers are `None`, and nothing is
//! impossible.

use serde::Serialize;

use super::super::bound_check::{meets_bound, meets_bound_by_count};
use super::super::threshold_text::chance_requirement;
use super::power::{BoundTest, ScoreKind, hits_probability};
use crate::scoring::paired_difference;
use understudy_study::{AnswerForm, ChanceRequirement, Direction, Evidence, Threshold};

/// The rounding error of 1 minus a share: a gain of 0.1 is possible if the share of the commonest label is 0.9.
const ROUNDING: f64 = 1e-12;

/// What the threshold requires beyond chance, over all windows that count and all of the input.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ChancePlan {
    /// The requirement in words.
    pub requirement: String,
    /// The expected number of pairs in which the substrate does not give its commonest label.
    pub other_decisions: Option<u64>,
    /// The least number of these pairs that a model must have right if it has all other pairs right. `None` if no number
    /// of them suffices, and for a requirement other than the gain.
    pub least_right: Option<u64>,
    /// Why no model can pass; `None` if one can, or if this is not known.
    pub impossible: Option<ImpossibleGain>,
}

/// Why no model can have the required gain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImpossibleGain {
    /// Even a model that is always right does not reach the required gain, whatever the number of pairs. Its gain is the
    /// share of the decisions with another label. It must be above 0 and at least `least`, and with bounds above `least`.
    #[serde(rename_all = "kebab-case")]
    BeyondPerfectModel {
        /// The required gain.
        least: f64,
        /// The share of the decisions with another label.
        other_share: f64,
        /// Whether the bound of the gain has to meet the requirement.
        by_bound: bool,
    },
    /// Too few decisions with another label are expected. A model must have at least this many of them right. `None` if
    /// no number of pairs suffices.
    TooFewPairs(Option<u64>),
}

/// The plan for `pairs` in all windows that count, where the share `commonest_share` has the commonest label. `None`
/// if the threshold requires nothing beyond chance.
pub(super) fn chance_plan(
    threshold: &Threshold,
    evidence: Evidence,
    pairs: Option<u64>,
    commonest_share: Option<f64>,
) -> Option<ChancePlan> {
    let required = threshold.chance?;
    let requirement = chance_requirement(threshold)?;
    let known = pairs.zip(commonest_share).filter(|_| threshold.form == AnswerForm::Label);
    let other_decisions = known.map(|(pairs, share)| (pairs as f64 * (1.0 - share)).round() as u64);
    let (mut least_right, mut impossible) = (None, None);
    if let ChanceRequirement::Gain(least) = required
        && let Some(((pairs, share), other)) = known.zip(other_decisions)
    {
        let needed = least_gains(evidence, least, pairs);
        least_right = needed.filter(|needed| *needed <= other);
        let (other_share, by_bound) = (1.0 - share, matches!(evidence, Evidence::Bound(_)));
        // A lower bound is below the gain.
        let most = if by_bound { other_share - ROUNDING } else { other_share + ROUNDING };
        impossible = match least_right {
            _ if other_share <= ROUNDING || least > most => {
                Some(ImpossibleGain::BeyondPerfectModel { least, other_share, by_bound })
            }
            None => Some(ImpossibleGain::TooFewPairs(needed)),
            Some(_) => None,
        };
    }
    Some(ChancePlan { requirement, other_decisions, least_right, impossible })
}

/// The test whether the agreement of labels exceeds that of always giving the commonest label.
#[derive(Clone, Copy, Debug)]
pub(super) struct GainTest {
    evidence: Evidence,
    least: f64,
    /// The share of the commonest label.
    pub(super) commonest_share: f64,
}

impl GainTest {
    /// The test of a threshold. `None` if it requires no gain, if the metric is not a share of pairs that agree, or if the
    /// share of the commonest label is not known.
    pub(super) fn new(
        threshold: &Threshold,
        test: BoundTest,
        commonest_share: Option<f64>,
    ) -> Option<GainTest> {
        let ChanceRequirement::Gain(least) = threshold.chance? else { return None };
        let is_agreement = threshold.form == AnswerForm::Label
            && test.score == ScoreKind::Binary
            && test.direction == Direction::AtLeast;
        commonest_share.filter(|_| is_agreement).map(|commonest_share| GainTest {
            evidence: test.evidence,
            least,
            commonest_share,
        })
    }

    /// The greatest probability that the gain over `n` pairs suffices if the true agreement is `truth`. A model that has
    /// every pair with the commonest label right reaches it. 0 if `truth` is at most the share of the commonest label.
    pub(super) fn pass_probability(&self, n: u64, truth: f64) -> f64 {
        match least_gains(self.evidence, self.least, n) {
            Some(gains) if truth > self.commonest_share => {
                hits_probability(gains, n, truth - self.commonest_share)
            }
            _ => 0.0,
        }
    }
}

/// The least number of gains without a loss that meets the required gain. `None` if no number of `pairs` does.
fn least_gains(evidence: Evidence, least: f64, pairs: u64) -> Option<u64> {
    let meets = |gains: u64| match evidence {
        Evidence::Point => gains > 0 && meets_bound_by_count(gains, pairs, Direction::AtLeast, least),
        Evidence::Bound(confidence) => paired_difference(gains, 0, pairs, confidence)
            .is_some_and(|gain| gain.lower > 0.0 && meets_bound(gain.lower, Direction::AtLeast, least)),
    };
    let (mut below, mut enough) = (0, pairs);
    if !meets(enough) {
        return None;
    }
    while enough - below > 1 {
        let middle = below.midpoint(enough);
        if meets(middle) { enough = middle } else { below = middle }
    }
    Some(enough)
}

#[cfg(test)]
mod tests;
