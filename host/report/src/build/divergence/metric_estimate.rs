//! Estimates the metric of the divergence search for one model, with confidence intervals.
//!
//! Invariants: a value is the metric's own `reduce`. Pairs that the metric ignores do not count as evidence. A value
//! whose variance is unknown has no interval, rather than one of zero width.

use understudy_statistics::divergence::{SumsLayout, delta_estimate};
use understudy_statistics::scoring::{
    ConfidenceSequence, Interval, ModelMoments, Reduce, ScoreBlock, SequenceTuning, SliceTotals,
    student_quantile, wilson,
};
use understudy_statistics::verdict::MetricLimits;

/// The joint confidence of both bounds of an interval.
pub const CONFIDENCE: f64 = 0.95;
/// The confidence of one bound by itself: 0.975.
pub const ONE_SIDED_CONFIDENCE: f64 = 1.0 - (1.0 - CONFIDENCE) / 2.0;
/// The number of pairs for which the confidence sequence of interim reports is tuned: the default that a threshold
/// requires in a window. Any number is valid; a good guess gives narrower intervals.
const EXPECTED_WINDOW_PAIRS: u64 = 100;

/// Estimates the metric of the divergence search from the sums of one model.
pub struct MetricEstimator {
    model: usize,
    range: MetricLimits,
    /// Whether pairs whose components are all zero do not change the value, as when the metric divides by a component
    /// of its own. Such pairs do not count as evidence.
    ignores_zero_pairs: bool,
    /// The layout of the sums: components and their products.
    pub layout: SumsLayout,
    /// Whether every score is 0 or 1 and the value is their mean, so that the interval follows from counts.
    pub is_proportion: bool,
}

impl MetricEstimator {
    /// An estimator for a metric with this number of components. `parts` together hold all pairs.
    pub fn new(
        model: usize,
        components: usize,
        range: MetricLimits,
        parts: &[&SliceTotals],
        reduce: &mut Reduce<'_>,
    ) -> MetricEstimator {
        let parts = || parts.iter().filter_map(|part| part.models.get(model));
        let mut whole = ModelMoments::default();
        parts().for_each(|sums| whole.merge(sums));
        let moments = whole.moments.iter().map(|(at, _)| *at).collect();
        let is_proportion = components == 1
            && range == (Some(0.0), Some(1.0))
            && is_mean(&whole.rounded(1, &[]), reduce)
            && parts().all(are_binary);
        MetricEstimator {
            model,
            range,
            // For a proportion every pair is evidence, even where none agrees.
            ignores_zero_pairs: !is_proportion
                && ignores_zero_pairs(&whole, components, reduce)
                && parts().all(|sums| sums.all_zero == 0 || ignores_zero_pairs(sums, components, reduce)),
            is_proportion,
            layout: SumsLayout { components, moments },
        }
    }

    /// The sums of a part in the order of [`SumsLayout`], over the pairs that count as evidence.
    pub fn sums(&self, part: &SliceTotals) -> Vec<f64> {
        match part.models.get(self.model) {
            Some(sums) => self.rounded(sums, &self.layout.moments),
            None => vec![0.0; self.layout.width()],
        }
    }

    fn rounded(&self, sums: &ModelMoments, moments: &[(u16, u16)]) -> Vec<f64> {
        let mut rounded = sums.rounded(self.layout.components, moments);
        if self.ignores_zero_pairs {
            rounded[0] -= sums.all_zero as f64;
        }
        rounded
    }

    /// The value for some sums, whose products may be missing, and the number of pairs that count as evidence.
    pub fn value(&self, sums: &ModelMoments, reduce: &mut Reduce<'_>) -> Option<(f64, f64)> {
        let rounded = self.rounded(sums, &[]);
        let (pairs, components) = rounded.split_first()?;
        let figure = if *pairs > 0.0 { reduce(*pairs as u64, components) } else { None };
        Some((figure.filter(|figure| figure.is_finite())?, *pairs))
    }

    /// The 95 % confidence interval: Wilson's score interval for a proportion; otherwise the standard error by the delta
    /// method times the quantile of Student's t with n - 1 degrees of freedom.
    pub fn interval(&self, part: &SliceTotals, reduce: &mut Reduce<'_>) -> Option<Interval> {
        let sums = self.sums(part);
        let pairs = sums[0];
        if self.is_proportion {
            return wilson(sums[1] as u64, pairs as u64, ONE_SIDED_CONFIDENCE);
        }
        let found = delta_estimate(&sums, &self.layout, reduce)?;
        let error = found.standard_error.filter(|error| *error > 0.0)?;
        let reach = student_quantile(ONE_SIDED_CONFIDENCE, pairs - 1.0)? * error;
        let bounds = Interval { lower: found.value - reach, upper: found.value + reach };
        Some(bounds.clamped(self.range))
    }

    /// An interval of the running average over pairs that holds at all looks together: a confidence sequence over the
    /// windows, in order. `None` if the value is not a mean of scores in a known range, or no window has pairs.
    pub fn anytime_interval(
        &self,
        windows: impl IntoIterator<Item = SliceTotals>,
        reduce: &mut Reduce<'_>,
    ) -> Option<Interval> {
        let range = self.range.0.zip(self.range.1)?;
        let (minimum, maximum) = range;
        if self.layout.components != 1 || minimum >= maximum || !(maximum - minimum).is_finite() {
            return None;
        }
        let tuning = SequenceTuning {
            range,
            mean: f64::midpoint(minimum, maximum),
            observations: EXPECTED_WINDOW_PAIRS,
        };
        let mut sequence = ConfidenceSequence::new(1.0 - ONE_SIDED_CONFIDENCE, tuning);
        let mut whole = ModelMoments::default();
        for part in windows {
            let Some(sums) = part.models.get(self.model) else { continue };
            let [n, sum, squares] = sums.rounded(1, &[(0, 0)])[..] else { return None };
            // Only for a mean is the largest effect of one pair known.
            if n > 0.0 && !is_mean(&[n, sum], reduce) {
                return None;
            }
            sequence.push(ScoreBlock { n: n as u64, sum, squares });
            whole.merge(sums);
        }
        let [n, sum] = whole.rounded(1, &[])[..] else { return None };
        (n > 0.0).then(|| sequence.interval(sum / n))
    }
}

/// Whether the value is the mean of the only component. It is checked for the pairs and for twice as many, because one
/// minus the mean equals the mean at one half.
fn is_mean(sums: &[f64], reduce: &mut Reduce<'_>) -> bool {
    let &[pairs, sum] = sums else { return false };
    [pairs, 2.0 * pairs].iter().all(|pairs| reduce(*pairs as u64, &[sum]) == Some(sum / pairs))
}

/// Whether every score is 0 or 1, and so equals its own square.
fn are_binary(sums: &ModelMoments) -> bool {
    match &sums.moments[..] {
        [] => sums.components.first().is_none_or(|sum| sum.value() == 0.0),
        [(_, squares)] => sums.components.first() == Some(squares),
        _ => false,
    }
}

/// Whether the value is the same without the pairs whose components are all zero.
fn ignores_zero_pairs(sums: &ModelMoments, components: usize, reduce: &mut Reduce<'_>) -> bool {
    let rounded = sums.rounded(components, &[]);
    let (scored, all_zero) = (rounded[0] as u64, sums.all_zero);
    if all_zero == scored {
        // No pairs are left, so the value does not matter.
        return all_zero > 0;
    }
    all_zero > 0 && reduce(scored, &rounded[1..]) == reduce(scored - all_zero, &rounded[1..])
}

#[cfg(test)]
mod tests;
