//! Bounds of a mean of scores in a known range at a single look, from the distribution of the scores.
//!
//! Invariant: the value is within its bounds.

use super::{IntervalMethod, MissingInterval};
use crate::scoring::{
    Interval, ScoreHistogram, ScoreRange, bounded_mean, jackknife_certainty, standard_error,
};

/// The scores of pairs, or the differences between two scores of each pair.
#[derive(Clone, Debug)]
pub struct MeanScores {
    /// The distribution of the scores.
    pub histogram: ScoreHistogram,
    /// The range of the scores.
    pub range: ScoreRange,
    /// The number of pairs.
    pub pairs: u64,
    /// Whether the mean is that of the negative scores.
    pub negated: bool,
}

impl MeanScores {
    /// The bounds of the mean `value` if pairs are independent.
    ///
    /// # Errors
    /// If a bound is not finite.
    pub fn interval(
        &self,
        value: f64,
        confidence: f64,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        let interval = self.bounds(value, self.pairs as f64, confidence);
        interval.map(|interval| (interval, IntervalMethod::BoundedMean)).ok_or(MissingInterval::NotFinite)
    }

    /// The bounds of the mean `value` if only clusters are independent: those of as many independent scores as have the
    /// standard error of the jackknife over the values `without` each group. There are at most `most` of them. `None`
    /// without a spread between the groups.
    pub fn clustered(&self, value: f64, without: &[f64], most: f64, confidence: f64) -> Option<Interval> {
        let certainty = jackknife_certainty(without.len() as u64 - 1, confidence)?;
        let error = standard_error(without).filter(|error| *error > 0.0)? / certainty;
        let scores = self.histogram.weighted_scores(self.range, 1.0);
        let mean: f64 = scores.iter().map(|(score, weight)| score * weight).sum();
        let variance: f64 = scores.iter().map(|(score, weight)| weight * (score - mean).powi(2)).sum();
        let independent = (variance / error.powi(2)).min(self.pairs as f64).min(most);
        self.bounds(value, independent, confidence)
    }

    /// The bounds of `independent` scores with the same distribution.
    fn bounds(&self, value: f64, independent: f64, confidence: f64) -> Option<Interval> {
        let scores = self.histogram.weighted_scores(self.range, independent);
        let Interval { lower, upper } =
            bounded_mean(&scores, (self.range.least, self.range.greatest), confidence)?;
        let (lower, upper) = if self.negated { (-upper, -lower) } else { (lower, upper) };
        Some(Interval { lower, upper }.hull(Interval { lower: value, upper: value }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(negated: bool) -> MeanScores {
        let range = ScoreRange::new((Some(0.0), Some(1.0))).unwrap();
        let mut histogram = ScoreHistogram::default();
        [0.5, 0.5, 0.25, 1.0].into_iter().for_each(|score| histogram.add(score, range));
        MeanScores { histogram, range, pairs: 4, negated }
    }

    #[test]
    fn independent_scores_have_the_bounds_of_their_distribution() {
        let (found, method) = scores(false).interval(0.5625, 0.95).unwrap();
        let expected = bounded_mean(&[(0.25, 1.0), (0.5, 2.0), (1.0, 1.0)], (0.0, 1.0), 0.95).unwrap();
        assert_eq!((found, method), (expected, IntervalMethod::BoundedMean));
        let (mirrored, _) = scores(true).interval(-0.5625, 0.95).unwrap();
        assert_eq!((mirrored.lower, mirrored.upper), (-expected.upper, -expected.lower));
    }

    #[test]
    fn clustered_scores_count_for_as_many_as_have_the_standard_error() {
        // The variance of the scores is 0.07421875. A standard error of a quarter of its root is that of 16 scores, and
        // there are only four. Twice the error of four scores is that of one.
        let found = |without: &[f64], most| scores(false).clustered(0.5625, without, most, 0.95).unwrap();
        let of = |independent| scores(false).bounds(0.5625, independent, 0.95).unwrap();
        let groups = [0.56, 0.565, 0.5625];
        assert_eq!(found(&groups, f64::INFINITY), of(4.0));
        assert_eq!(found(&groups, 2.5), of(2.5));
        let groups = [0.5, 0.6, 0.7];
        let error = standard_error(&groups).unwrap() / jackknife_certainty(2, 0.95).unwrap();
        let independent = 0.07421875 / error.powi(2);
        assert!(independent < 4.0);
        let (wide, expected) = (found(&groups, f64::INFINITY), of(independent));
        assert!((wide.lower - expected.lower).abs() < 1e-9 && (wide.upper - expected.upper).abs() < 1e-9);
        assert_eq!(scores(false).clustered(0.5625, &[0.5, 0.5], 9.0, 0.95), None);
    }
}
