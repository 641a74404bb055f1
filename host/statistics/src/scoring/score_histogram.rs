//! Counts scores in a known range, so that bounds of their mean can use their distribution in bounded memory.
//!
//! Invariants:
//! - The same scores give equal counts, in any order and after any merges.
//! - A score between two grid points counts in part for each of them, so that the mean is kept. The spread of the counted
//!   scores is then a little larger than that of the scores, never smaller, apart from the rounding of a part.
//! - Memory is bounded by the number of grid points.

use serde::{Deserialize, Serialize};

/// The number of grid intervals in the width of a range. The scores of lists of up to 6, 8, 10, 12, 15, 16 or 20 items are
/// multiples of it, so they are counted exactly.
const INTERVALS: f64 = 240.0;

/// The parts of one score, which are whole numbers, so that sums are exact.
const PARTS: f64 = 65536.0;

/// The greatest difference between the mean of scores and that of their parts, relative to the width of the range. The rounding of
/// a part changes a score by 3.2e-8 of it.
const MEAN_TOLERANCE: f64 = 1e-7;

/// The range of scores, or of differences between two scores. The grid has a point at each end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    /// The least score.
    pub least: f64,
    /// The greatest score. It is above the least one.
    pub greatest: f64,
    /// The distance between two grid points.
    spacing: f64,
}

impl ScoreRange {
    /// The range of the scores of a metric, from its least and greatest value. `None` without a limit on both sides, and
    /// unless the range has a finite width above 0.
    pub fn new((least, greatest): (Option<f64>, Option<f64>)) -> Option<ScoreRange> {
        let (least, greatest) = least.zip(greatest)?;
        let width = greatest - least;
        (width.is_finite() && width > 0.0).then(|| ScoreRange { least, greatest, spacing: width / INTERVALS })
    }

    /// The range of the difference between two scores, with the same grid spacing.
    pub fn of_differences(self) -> ScoreRange {
        let width = self.width();
        ScoreRange { least: -width, greatest: width, spacing: self.spacing }
    }

    /// The width of the range.
    pub fn width(self) -> f64 {
        self.greatest - self.least
    }
}

/// The counts of scores at the grid points of a range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreHistogram {
    /// The counted parts of scores by grid point, ascending. Points without a count are left out.
    counts: Vec<(u16, u64)>,
}

impl ScoreHistogram {
    /// Counts a score. A score outside of the range counts for its nearest end.
    pub fn add(&mut self, score: f64, range: ScoreRange) {
        let steps = (score.clamp(range.least, range.greatest) - range.least) / range.spacing;
        let (point, upper) = (steps.floor(), ((steps - steps.floor()) * PARTS).round());
        self.count(point as u16, (PARTS - upper) as u64);
        self.count(point as u16 + 1, upper as u64);
    }

    /// Adds the counts of scores in the same range.
    pub fn merge(&mut self, other: &ScoreHistogram) {
        other.counts.iter().for_each(|(point, parts)| self.count(*point, *parts));
    }

    /// Whether these are the counts of `number` scores with this mean, all of them in the range.
    pub fn is_distribution(&self, number: u64, mean: f64, range: ScoreRange) -> bool {
        let all: u64 = self.counts.iter().map(|(_, parts)| parts).sum();
        let counted: f64 =
            self.weighted_scores(range, 1.0).iter().map(|(score, weight)| score * weight).sum();
        all as f64 == number as f64 * PARTS && (counted - mean).abs() <= MEAN_TOLERANCE * range.width()
    }

    /// The grid points that have scores, each with the number of scores. The numbers add up to `total`. They are in
    /// proportion to the counts.
    pub fn weighted_scores(&self, range: ScoreRange, total: f64) -> Vec<(f64, f64)> {
        let all: u64 = self.counts.iter().map(|(_, parts)| parts).sum();
        let score = |point: u16| (range.least + range.spacing * f64::from(point)).min(range.greatest);
        let weight = |parts: u64| parts as f64 / all as f64 * total;
        self.counts.iter().map(|(point, parts)| (score(*point), weight(*parts))).collect()
    }

    fn count(&mut self, point: u16, parts: u64) {
        if parts == 0 {
            return;
        }
        match self.counts.binary_search_by_key(&point, |(known, _)| *known) {
            Ok(index) => self.counts[index].1 += parts,
            Err(index) => self.counts.insert(index, (point, parts)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit() -> ScoreRange {
        ScoreRange::new((Some(0.0), Some(1.0))).unwrap()
    }

    fn histogram(scores: &[f64], range: ScoreRange) -> ScoreHistogram {
        let mut histogram = ScoreHistogram::default();
        scores.iter().for_each(|score| histogram.add(*score, range));
        histogram
    }

    #[test]
    fn scores_at_grid_points_are_counted_exactly() {
        let found = histogram(&[0.0, 0.3, 1.0, 0.3, 0.125], unit());
        let expected = [(0.0, 1.0), (0.125, 1.0), (0.3, 2.0), (1.0, 1.0)];
        for ((score, weight), (expected, number)) in
            found.weighted_scores(unit(), 5.0).into_iter().zip(expected)
        {
            assert!((score - expected).abs() < 1e-12, "{score} is not {expected}");
            assert_eq!(weight, number);
        }
        let halved: f64 = found.weighted_scores(unit(), 2.5).iter().map(|(_, weight)| weight).sum();
        assert_eq!(halved, 2.5);
    }

    #[test]
    fn differences_have_a_range_of_twice_the_width() {
        let range = ScoreRange::new((Some(-5.0), Some(15.0))).unwrap().of_differences();
        assert_eq!((range.least, range.greatest, range.width()), (-20.0, 20.0, 40.0));
        let found = histogram(&[-20.0, 20.0, 0.0], range).weighted_scores(range, 3.0);
        assert_eq!(found, [(-20.0, 1.0), (0.0, 1.0), (20.0, 1.0)]);
    }

    #[test]
    fn only_a_finite_width_above_0_is_a_range() {
        let infinite = Some(f64::INFINITY);
        // The width of the whole range of floats is infinite, too.
        let floats = (Some(f64::MIN), Some(f64::MAX));
        for range in
            [(None, Some(1.0)), (Some(0.0), None), (Some(1.0), Some(1.0)), (Some(0.0), infinite), floats]
        {
            assert_eq!(ScoreRange::new(range), None);
        }
    }

    #[test]
    fn scores_outside_of_the_range_count_for_its_ends() {
        let found = histogram(&[-3.0, 7.0], unit()).weighted_scores(unit(), 2.0);
        assert_eq!(found, [(0.0, 1.0), (1.0, 1.0)]);
    }

    #[test]
    fn a_distribution_has_the_number_and_the_mean_of_its_scores() {
        let found = histogram(&[0.0, 0.31, 1.0], unit());
        let mean = 1.31 / 3.0;
        assert!(found.is_distribution(3, mean, unit()));
        assert!(!found.is_distribution(2, mean, unit()) && !found.is_distribution(3, mean + 1e-6, unit()));
        assert!(!ScoreHistogram::default().is_distribution(1, 0.0, unit()));
        // A score outside of the range is not counted as it is.
        assert!(!histogram(&[2.0, 0.0], unit()).is_distribution(2, 1.0, unit()));
    }

    proptest! {
        #[test]
        fn order_and_merges_do_not_matter_and_the_mean_is_kept(
            scores in prop::collection::vec(0.0..=1.0, 1..40),
            at in 0usize..40,
            seed: u64,
        ) {
            let expected = histogram(&scores, unit());
            let mut shuffled = scores.clone();
            fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
            let (one, other) = shuffled.split_at(at.min(scores.len()));
            let mut merged = histogram(one, unit());
            merged.merge(&histogram(other, unit()));
            prop_assert_eq!(&merged, &expected);
            let n = scores.len() as f64;
            let weighted = expected.weighted_scores(unit(), n);
            let moment = |power: i32| weighted.iter().map(|(score, weight)| score.powi(power) * weight).sum::<f64>() / n;
            let own = |power: i32| scores.iter().map(|score| score.powi(power)).sum::<f64>() / n;
            prop_assert!((moment(1) - own(1)).abs() < 1e-7);
            // The spread of two grid points is at most half of their distance.
            prop_assert!(moment(2) - own(2) > -1e-7 && moment(2) - own(2) < (0.5 / 240.0f64).powi(2) + 1e-7);
        }
    }
}
