//! Bounds of the gain over the best constant.
//!
//! Invariants:
//! - The gain over the best constant is the least of the gains over each label, and its lower bound the least of theirs.
//!   This intersection-union test needs no correction of the level (R. L. Berger, "Multiparameter hypothesis testing and
//!   acceptance sampling", Technometrics 24 (1982)).
//! - The upper bound is the greatest one over the labels that may be the commonest. The label that was observed most often is
//!   that of the least gain, so the bound over it alone fails too often where several labels are about as common.

use super::super::replicates::interval_from_replicates;
use super::super::{IntervalMethod, MissingInterval};
use super::{LabelRow, ModelLabels, agreed, pairs};
use crate::scoring::{ClusterLimits, Interval, ScoreBlock, paired_difference};

/// The share of the level of the upper bound at which labels are excluded from the commonest ones.
const EXCLUSION_SHARE: f64 = 0.1;

/// The bounds of a difference, with their method.
type Bounds = Result<(Interval, IntervalMethod), MissingInterval>;

/// A difference of two shares of the same pairs, whose score in a pair is -1, 0 or 1.
#[derive(Clone, Copy, Debug)]
pub(super) enum Contrast {
    /// The gain of the model over always giving the label with this index.
    Gain(usize),
    /// By how much the substrate gives the first label more often than the second.
    Lead(usize, usize),
}

impl Contrast {
    /// The pairs with the score 1, and those with -1. For a lead, no pair has both labels.
    fn counts(self, rows: &[LabelRow]) -> (u64, u64) {
        match self {
            Contrast::Gain(label) => {
                let row = rows[label];
                (agreed(rows) - row.agreed, row.substrate - row.agreed)
            }
            Contrast::Lead(first, second) => (rows[first].substrate, rows[second].substrate),
        }
    }

    /// The difference.
    fn value(self, rows: &[LabelRow]) -> f64 {
        let (gains, losses) = self.counts(rows);
        (gains as f64 - losses as f64) / pairs(rows) as f64
    }
}

impl ModelLabels {
    /// The bounds of the gain over the best constant, each at `confidence`. The method comes from the commonest label. `bounds`
    /// returns the bounds of a contrast at a confidence.
    ///
    /// A label is excluded from the commonest ones if the lower bound of the lead of the observed commonest label is above 0.
    /// Bonferroni's inequality adds the levels: a tenth over all exclusions, and the rest for the upper bound.
    fn gain_interval(&self, confidence: f64, bounds: impl Fn(Contrast, f64) -> Bounds) -> Bounds {
        let (commonest, labels, level) = (self.commonest(), self.total.len(), 1.0 - confidence);
        let (at_commonest, method) = bounds(Contrast::Gain(commonest), confidence)?;
        let mut lower = at_commonest.lower;
        let others = || (0..labels).filter(|label| *label != commonest);
        for label in others() {
            lower = lower.min(bounds(Contrast::Gain(label), confidence)?.0.lower);
        }
        let remaining = 1.0 - level * (1.0 - EXCLUSION_SHARE);
        let exclusion = 1.0 - level * EXCLUSION_SHARE / (labels.max(2) - 1) as f64;
        let mut upper = bounds(Contrast::Gain(commonest), remaining)?.0.upper;
        for label in others() {
            let own = bounds(Contrast::Gain(label), remaining)?.0.upper;
            if own > upper && bounds(Contrast::Lead(commonest, label), exclusion)?.0.lower <= 0.0 {
                upper = own;
            }
        }
        Ok((Interval { lower, upper }, method))
    }

    /// The bounds of the gain from independent pairs: exact for each label.
    pub fn exact_gain(&self, confidence: f64) -> Bounds {
        let n = pairs(&self.total);
        self.gain_interval(confidence, |contrast, confidence| {
            let (gains, losses) = contrast.counts(&self.total);
            let interval = paired_difference(gains, losses, n, confidence);
            interval
                .map(|interval| (interval, IntervalMethod::PairedDifference))
                .ok_or(MissingInterval::NotFinite)
        })
    }

    /// The bounds of the gain where only clusters with these limits are independent.
    pub fn jackknife_gain(&self, limits: ClusterLimits, confidence: f64) -> Bounds {
        self.gain_interval(confidence, |contrast, confidence| {
            let without = self.leave_one_out(|rows| Some(contrast.value(rows)))?;
            let groups = without.len() as u64;
            interval_from_replicates(
                contrast.value(&self.total),
                (&without, 1.0),
                (Some(-1.0), Some(1.0)),
                (Some(groups), limits, None),
                confidence,
            )
        })
    }

    /// The bounds of the gain that hold at all looks before the end. `sequence` computes the bounds of a mean of scores in
    /// [-1, 1] at a confidence, from one block for each window and from the mean itself.
    pub fn sequence_gain(
        &self,
        confidence: f64,
        sequence: impl Fn(&[ScoreBlock], f64, f64) -> (Interval, IntervalMethod),
    ) -> Bounds {
        self.gain_interval(confidence, |contrast, confidence| {
            let blocks = self.windows.iter().map(|rows| {
                let (gains, losses) = contrast.counts(rows);
                ScoreBlock {
                    n: pairs(rows),
                    sum: gains as f64 - losses as f64,
                    squares: (gains + losses) as f64,
                }
            });
            Ok(sequence(&blocks.collect::<Vec<_>>(), contrast.value(&self.total), confidence))
        })
    }
}
