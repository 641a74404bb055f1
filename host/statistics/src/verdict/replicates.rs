//! The interval of a value at a single look, from the values with one group of pairs left out.
//!
//! Invariant: groups without spread never give an interval of width zero.

use super::mean_scores::MeanScores;
use super::{IntervalMethod, MissingInterval};
use crate::scoring::{
    ClusterLimits, Interval, cluster_mean, equal_scores, has_spread, jackknife, jackknife_certainty,
    standard_error,
};

/// The fewest differing or disagreeing pairs for which a jackknife estimates the spread: the usual smallest sample for means
/// of skewed scores. The mean of fewer is far from normal, and a few of one sign would look certain.
pub(super) const MIN_DIFFERING_PAIRS: u64 = 30;

/// The range of a metric or of a difference; `None` is no limit.
pub type MetricLimits = (Option<f64>, Option<f64>);

/// The interval of `value` by the jackknife over its values `without` each group, within `range`. `scale` is the size
/// of the numbers from which they are computed, see [`has_spread`]. If the groups show no spread, these are the
/// bounds for `independent` equal scores. `independent` is `None` if the value is not a mean of scores in the range.
/// Otherwise `scores` are these scores, and the bounds are no narrower than those of their distribution.
///
/// The pairs count for at most `limits.pairs` independent pairs. So the standard error is at least the greatest one of that
/// many scores in the range: a few large clusters may agree by chance, and then the replicates show too little spread. The
/// bounds are also no narrower than those of [`cluster_mean`], because clusters that fail as a whole may be too rare to have
/// been observed. [`ClusterLimits::NONE`] without clusters.
///
/// # Errors
/// If neither method gives bounds.
pub fn interval_from_replicates(
    value: f64,
    (without, scale): (&[f64], f64),
    range: MetricLimits,
    (independent, limits, scores): (Option<u64>, ClusterLimits, Option<&MeanScores>),
    confidence: f64,
) -> Result<(Interval, IntervalMethod), MissingInterval> {
    // Without clusters, their number is infinite.
    let has_clusters = limits.clusters.is_finite();
    if has_spread(without, scale) {
        let interval = jackknife(value, without, scale, confidence).ok_or(MissingInterval::NotFinite)?;
        let least_error = greatest_standard_error(value, range, limits.pairs).unwrap_or(0.0);
        let mut interval = with_least_error(interval, value, without, least_error);
        if let Some(scores) = scores {
            let skewed = scores
                .clustered(value, without, limits.pairs, confidence)
                .ok_or(MissingInterval::NotFinite)?;
            interval = interval.hull(skewed);
        }
        if let Some(known) = range.0.zip(range.1).filter(|_| independent.is_some() && has_clusters) {
            let certainty = jackknife_certainty(without.len() as u64 - 1, confidence);
            let error = standard_error(without).zip(certainty).map(|(error, certainty)| error / certainty);
            let rare = error.and_then(|error| cluster_mean(value, error, limits.clusters, known, confidence));
            interval = interval.hull(rare.ok_or(MissingInterval::NotFinite)?);
        }
        let method = if has_clusters { IntervalMethod::ClusterJackknife } else { IntervalMethod::Jackknife };
        return Ok((interval.clamped(range), method));
    }
    let equal = range.0.zip(range.1).zip(independent);
    let interval = equal.and_then(|(range, scores)| equal_scores(value, scores, range, confidence));
    let method = if has_clusters { IntervalMethod::EqualClusters } else { IntervalMethod::EqualScores };
    interval.map(|interval| (interval, method)).ok_or(MissingInterval::NoSpread)
}

/// The greatest standard error of the mean of `trials` independent scores in a range; `None` without a range. The
/// variance of scores with the mean m from a to b is at most (m - a) (b - m): R. Bhatia, C. Davis, "A better bound on
/// the variance", American Mathematical Monthly 107 (2000).
pub(super) fn greatest_standard_error(mean: f64, range: MetricLimits, trials: f64) -> Option<f64> {
    let (least, greatest) = range.0.zip(range.1)?;
    Some(((mean - least) * (greatest - mean) / trials).sqrt()).filter(|error| error.is_finite())
}

/// A jackknife interval about `value`, widened as if the standard error were at least `least`.
pub(super) fn with_least_error(interval: Interval, value: f64, without: &[f64], least: f64) -> Interval {
    let widening = standard_error(without).map_or(1.0, |error| (least / error).max(1.0));
    let widened = |bound: f64| value + (bound - value) * widening;
    Interval { lower: widened(interval.lower), upper: widened(interval.upper) }
}
