//! Cohen's kappa and its bounds.
//!
//! Invariant: the bounds allow for clusters, or for pairs if these are independent, that are too rare to have been observed.

use super::super::replicates::{MIN_DIFFERING_PAIRS, interval_from_replicates};
use super::super::{IntervalMethod, MissingInterval};
use super::{LabelRow, ModelLabels, agreed, pairs};
use crate::scoring::{
    ClusterLimits, Interval, clopper_pearson, cluster_mean, cluster_share, jackknife_certainty,
    skewed_jackknife, standard_error,
};

/// The greatest difference between kappa and the value of a metric that is kappa.
const ROUNDING: f64 = 1e-9;

/// The number of steps in which shares of unseen pairs are tried.
const SHARES: u32 = 32;

/// The range of kappa.
const RANGE: (Option<f64>, Option<f64>) = (Some(-1.0), Some(1.0));

impl ModelLabels {
    /// The bounds of kappa: the widest of four. The first are from the jackknife over groups, the second from the jackknife
    /// of the logarithm of 1 - kappa. The third apply to few disagreements, and to clusters: the bounds of the share of
    /// disagreements, as if the expected agreement were known. They allow for disagreements that are too few to show their
    /// spread. The fourth allow for labels and disagreements that were not observed at all, see `Pooled::with_unseen`.
    /// `limits` are the cluster limits.
    pub fn jackknife_kappa(
        &self,
        limits: ClusterLimits,
        confidence: f64,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        let value = kappa(&self.total).ok_or(MissingInterval::UndefinedReplicate)?;
        let without = self.leave_one_out(kappa)?;
        // Kappa is a difference of shares divided by this remainder, and so is its rounding.
        let scale = 1.0 / (1.0 - expected_agreement(&self.total));
        let (mut interval, method) =
            interval_from_replicates(value, (&without, scale), RANGE, (None, limits, None), confidence)?;
        let skewed = skewed_jackknife(value, &without, 1.0, scale, confidence);
        let clusters = limits.clusters.min(pairs(&self.total) as f64);
        let error = certain_error(&without, confidence);
        let unseen =
            error.and_then(|error| Pooled::new(&self.total).with_unseen(error, clusters, confidence));
        let others = [skewed, self.kappa_from_agreement(value, limits, confidence), unseen];
        for other in others.into_iter().flatten() {
            interval = interval.hull(other.clamped(RANGE));
        }
        Ok((interval, method))
    }

    /// Whether a value of a metric is kappa.
    pub fn is_kappa(&self, value: f64) -> bool {
        kappa(&self.total).is_some_and(|kappa| (kappa - value).abs() <= ROUNDING)
    }

    /// The bounds of a metric whose `value` is kappa, for independent pairs, as of [`ModelLabels::jackknife_kappa`]. `without` are
    /// the metric's values without each group. There are none if one of these is the greatest value: then few pairs decide.
    pub fn metric_kappa(
        &self,
        value: f64,
        without: &[f64],
        confidence: f64,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        if without.iter().any(|value| *value >= 1.0) {
            return Err(MissingInterval::GreatestReplicate);
        }
        let scores = (None, ClusterLimits::NONE, None);
        let (mut interval, method) =
            interval_from_replicates(value, (without, value), RANGE, scores, confidence)?;
        let skewed = skewed_jackknife(value, without, 1.0, value, confidence);
        let clusters = pairs(&self.total) as f64;
        let unseen = certain_error(without, confidence)
            .and_then(|error| Pooled::new(&self.total).with_unseen(error, clusters, confidence));
        let others = [skewed, self.kappa_from_agreement(value, ClusterLimits::NONE, confidence), unseen];
        for other in others.into_iter().flatten() {
            interval = interval.hull(other.clamped(RANGE));
        }
        Ok((interval, method))
    }

    /// The bounds of kappa from those of the agreement. 1 - kappa is the share of disagreements, divided by the expected share,
    /// which hardly varies where disagreements are few. `None` without disagreements, and without clusters if they are
    /// [`MIN_DIFFERING_PAIRS`] or more.
    pub(super) fn kappa_from_agreement(
        &self,
        kappa: f64,
        limits: ClusterLimits,
        confidence: f64,
    ) -> Option<Interval> {
        let (n, hits) = (pairs(&self.total), agreed(&self.total));
        let agreement = hits as f64 / n as f64;
        let bounds = if limits.clusters.is_finite() && n > hits {
            let share = |rows: &[LabelRow]| Some(agreed(rows) as f64 / pairs(rows) as f64);
            let without = self.leave_one_out(share).ok()?;
            let error = (standard_error(&without)?, without.len() as u64 - 1);
            cluster_share(agreement, error, n, limits, confidence)?
        } else if (1..MIN_DIFFERING_PAIRS).contains(&(n - hits)) {
            clopper_pearson(hits, n, confidence)?
        } else {
            return None;
        };
        let scaled = |bound: f64| 1.0 - (1.0 - kappa) * (1.0 - bound) / (1.0 - agreement);
        Some(Interval { lower: scaled(bounds.lower), upper: scaled(bounds.upper) })
    }
}

/// The standard error of a jackknife, in place of that of a normal distribution.
fn certain_error(without: &[f64], confidence: f64) -> Option<f64> {
    Some(standard_error(without)? / jackknife_certainty(without.len() as u64 - 1, confidence)?)
}

/// A kind of pairs: whether the labels agree, and the share of the substrate's labels that are the model's label plus the share
/// of the model's labels that are the substrate's.
#[derive(Clone, Copy, Debug)]
struct PairKind {
    agrees: f64,
    shares: f64,
}

/// The pairs of which kappa is computed, in shares.
#[derive(Clone, Copy, Debug)]
struct Pooled {
    agreement: f64,
    expected: f64,
    /// The greatest shares of pairs that agree, and of pairs that disagree.
    commonest: [PairKind; 2],
}

impl Pooled {
    fn new(rows: &[LabelRow]) -> Pooled {
        let n = pairs(rows) as f64;
        let [substrate, model] = [|row: &LabelRow| row.substrate, |row: &LabelRow| row.given]
            .map(|count| rows.iter().map(|row| count(row) as f64 / n).collect::<Vec<f64>>());
        let agreeing = substrate.iter().zip(&model).map(|(one, other)| one + other).fold(0.0, f64::max);
        // Two labels that differ. One of them may be a label that was not observed.
        let first =
            |shares: &[f64]| (0..shares.len()).max_by(|one, other| shares[*one].total_cmp(&shares[*other]));
        let greatest = |shares: &[f64], but: Option<usize>| {
            let others = shares.iter().enumerate().filter(|(label, _)| Some(*label) != but);
            others.map(|(_, share)| *share).fold(0.0, f64::max)
        };
        let (of_substrate, of_model) = (first(&substrate), first(&model));
        let differing = (greatest(&substrate, None) + greatest(&model, of_substrate))
            .max(greatest(&substrate, of_model) + greatest(&model, None));
        Pooled {
            agreement: agreed(rows) as f64 / n,
            expected: expected_agreement(rows),
            commonest: [
                PairKind { agrees: 1.0, shares: agreeing },
                PairKind { agrees: 0.0, shares: differing },
            ],
        }
    }

    fn kappa(&self) -> f64 {
        (self.agreement - self.expected) / (1.0 - self.expected)
    }

    /// Kappa if a share of all pairs were of this kind, and the others as observed. `None` where it is not defined.
    fn mixture(&self, share: f64, PairKind { agrees, shares }: PairKind) -> Option<f64> {
        let rest = 1.0 - share;
        let expected = rest * rest * self.expected + share * rest * shares + share * share * agrees;
        let differing = rest * (1.0 - self.agreement) + share * (1.0 - agrees);
        (expected < 1.0).then(|| 1.0 - differing / (1.0 - expected))
    }

    /// The derivative of [`Pooled::mixture`] by the share, at 0.
    fn slope(&self, PairKind { agrees, shares }: PairKind) -> f64 {
        let rest = 1.0 - self.expected;
        (agrees - self.agreement) / rest
            - (1.0 - self.agreement) * (shares - 2.0 * self.expected) / (rest * rest)
    }

    /// The bounds of kappa, each at `confidence`, that allow for clusters which were not observed, or observed too seldom to
    /// show their spread. `error` is the standard error of kappa, and `clusters` is the number of clusters of equal sizes.
    ///
    /// A cluster moves kappa about as its kinds of pairs do, by their [`Pooled::slope`]. So kappa is about a mean of independent
    /// scores of the clusters, between the extreme slopes, and has the bounds of [`cluster_mean`]. Kappa falls most with pairs
    /// of the commonest labels, and rises most with pairs of a label that was never observed. The bounds of the mean give the
    /// share of such pairs, and [`Pooled::mixture`] gives kappa for this share: far from linear where labels are rare.
    ///
    /// Coverage: the table `labels` of the example program `coverage`.
    fn with_unseen(&self, error: f64, clusters: f64, confidence: f64) -> Option<Interval> {
        let value = self.kappa();
        let unseen = [1.0, 0.0].map(|agrees| PairKind { agrees, shares: 0.0 });
        let slopes = |kinds: [PairKind; 2]| kinds.map(|kind| self.slope(kind));
        let fall = slopes(self.commonest).into_iter().fold(0.0, f64::min);
        let rise = slopes(unseen).into_iter().fold(0.0, f64::max);
        let linear = cluster_mean(value, error, clusters, (value + fall, value + rise), confidence)?;
        // No share up to the greatest one can be excluded, and kappa need not rise or fall all the way.
        let moved = |distance: f64, slope: f64, kinds: [PairKind; 2]| {
            let greatest = if slope == 0.0 { 0.0 } else { (distance / slope).clamp(0.0, 1.0) };
            let shares = (0..=SHARES).map(move |step| greatest * f64::from(step) / f64::from(SHARES));
            shares.flat_map(move |share| kinds.into_iter().filter_map(move |kind| self.mixture(share, kind)))
        };
        Some(Interval {
            lower: moved(linear.lower - value, fall, self.commonest).fold(value, f64::min),
            upper: moved(linear.upper - value, rise, unseen).fold(value, f64::max),
        })
    }
}

/// Cohen's kappa: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20
/// (1960). Pairs without an answer are a category that only the model has. `None` where it is not defined.
pub(super) fn kappa(rows: &[LabelRow]) -> Option<f64> {
    let expected = expected_agreement(rows);
    let agreement = agreed(rows) as f64 / pairs(rows) as f64;
    (expected < 1.0).then(|| (agreement - expected) / (1.0 - expected))
}

/// The agreement that is expected of independent answers with the same shares of labels.
fn expected_agreement(rows: &[LabelRow]) -> f64 {
    let n = pairs(rows) as f64;
    let products = rows.iter().map(|row| row.substrate as f64 * row.given as f64);
    products.sum::<f64>() / (n * n)
}

#[cfg(test)]
mod tests {
    //! Checked against numpy and scipy: `tests/oracles/chance.py` prints the rows.

    use super::*;

    /// The rows of labels by a table of pairs: the label of the substrate, and that of the model.
    fn rows<const LABELS: usize>(table: [[u64; LABELS]; LABELS]) -> Vec<LabelRow> {
        let row = |label: usize| LabelRow {
            substrate: table[label].iter().sum(),
            given: table.iter().map(|row| row[label]).sum(),
            agreed: table[label][label],
        };
        (0..LABELS).map(row).collect()
    }

    #[track_caller]
    fn assert_close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() <= 1e-8, "{actual} is not {expected}");
    }

    #[test]
    fn bounds_for_unseen_clusters_match_mixtures_of_tables() {
        for (rows, error, clusters, lower, upper) in [
            (
                // The last label is given by the model only, as a missing answer is.
                rows([[114, 4, 0, 2], [0, 120, 58, 2], [0, 30, 861, 9], [0, 0, 0, 0]]),
                0.02,
                1200.0,
                0.7443650773135909,
                0.8088248801619268,
            ),
            (rows([[882, 98], [0, 20]]), 0.1, 40.0, 0.058806518707049484, 0.6424142503659035),
            (rows([[480, 20], [10, 490]]), 0.03, 100.0, 0.8546207488482527, 0.9668575463785031),
            (rows([[960, 0], [0, 40]]), 0.0, 50.0, 0.5394831557320251, 1.0),
        ] {
            let found = Pooled::new(&rows).with_unseen(error, clusters, 0.95).unwrap();
            assert_close(found.lower, lower);
            assert_close(found.upper, upper);
        }
    }

    #[test]
    fn extreme_kappas_stay_in_the_bounds() {
        for (rows, value) in [(rows([[5, 0], [0, 5]]), 1.0), (rows([[0, 5], [5, 0]]), -1.0)] {
            for error in [0.0, 0.3] {
                let Interval { lower, upper } = Pooled::new(&rows).with_unseen(error, 10.0, 0.95).unwrap();
                assert!(lower <= value && value <= upper, "{lower} {value} {upper}");
            }
        }
        // Everything is one label, so the slopes are not defined.
        assert_eq!(Pooled::new(&rows([[9, 0], [0, 0]])).with_unseen(0.1, 9.0, 0.95), None);
    }

    #[test]
    fn only_a_metric_that_is_kappa_has_its_bounds() {
        let labels =
            ModelLabels { total: rows([[882, 98], [0, 20]]), groups: Vec::new(), windows: Vec::new() };
        let value = kappa(&labels.total).unwrap();
        assert!(labels.is_kappa(value) && !labels.is_kappa(value + 0.01));
        let without = [value - 0.001, value, value + 0.001];
        let own = skewed_jackknife(value, &without, 1.0, value, 0.95).unwrap();
        let (found, method) = labels.metric_kappa(value, &without, 0.95).unwrap();
        assert!(found.lower < own.lower && found.upper > own.upper, "{found:?}");
        assert_eq!(method, IntervalMethod::Jackknife);
        let greatest = labels.metric_kappa(value, &[value, 1.0], 0.95);
        assert_eq!(greatest, Err(MissingInterval::GreatestReplicate));
    }
}
