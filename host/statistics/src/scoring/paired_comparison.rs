//! Compares two models on the same pairs: their scores by slice and jackknife group, and the difference of
//! their metrics.
//!
//! Invariants:
//! - A pair counts for both models or for neither.
//! - Values are the metric's own `reduce` of exact sums, so they do not depend on the order of the pairs.
//! - The jackknife leaves a group out of both models at once, so the interval is one of paired differences.

use super::JACKKNIFE_GROUPS;
use super::exact_sum::ExactSum;
use super::interval::{Interval, jackknife_difference};

/// The level for the minimum detectable difference of [`jackknife_difference`], which is not used here.
const LEVEL: f64 = 0.05;

/// A pair that both models were scored on.
#[derive(Clone, Copy, Debug)]
pub struct PairedRow<'r> {
    /// The jackknife group of its id.
    pub group: u8,
    /// For each condition, the index of its value.
    pub values: &'r [u16],
    /// The reference model's scores: the components of each metric in turn. The last component of each metric
    /// is 1 if the metric scored the pair, otherwise 0.
    pub reference: &'r [f64],
    /// The other model's scores, in the same layout.
    pub other: &'r [f64],
    /// Whether the reference and the other model agree with the substrate; `None` where agreement is not
    /// defined.
    pub agrees: Option<(bool, bool)>,
}

/// How often two models agree with the substrate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JointAgreement {
    /// Both models agree.
    pub both: u64,
    /// Only the reference model agrees.
    pub reference: u64,
    /// Only the other model agrees.
    pub other: u64,
    /// Neither model agrees.
    pub neither: u64,
}

/// The values of one metric for two models over the same pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PairedEstimate {
    /// Pairs that the metric scored for both models.
    pub pairs: u64,
    /// The value of the reference model; `None` where it is not defined.
    pub reference: Option<f64>,
    /// The value of the other model; `None` where it is not defined.
    pub other: Option<f64>,
    /// The value of the other model minus that of the reference model.
    pub difference: Option<f64>,
    /// The bounds of the true difference, each at the requested confidence. `None` if the groups show no
    /// variance.
    pub interval: Option<Interval>,
    /// The two-sided p-value of the difference, in [0, 1].
    pub p_value: Option<f64>,
}

/// The sums of two models over the same pairs.
#[derive(Clone, Debug)]
pub struct PairedComparison {
    /// The number of components of each metric, including the host's count of scored pairs.
    components: Vec<usize>,
    /// For each condition, the index of the slice of its first value. Slice 0 is all pairs.
    bases: Vec<usize>,
    slices: Vec<PairedSlice>,
}

/// The sums of one slice.
#[derive(Clone, Debug, Default)]
struct PairedSlice {
    pairs: u64,
    agreements: JointAgreement,
    /// By jackknife group; empty before the first pair.
    groups: Vec<PairedGroup>,
}

/// The sums of one jackknife group: for each component of each metric, that of the reference model and that
/// of the other.
#[derive(Clone, Debug, Default)]
struct PairedGroup(Vec<[ExactSum; 2]>);

impl PairedComparison {
    /// Empty sums. `components` has the number of components of each metric, including the host's; `sizes`
    /// has the number of values of each condition.
    pub fn new(components: Vec<usize>, sizes: &[usize]) -> PairedComparison {
        let mut next = 1;
        let bases = sizes.iter().map(|size| {
            next += size;
            next - size
        });
        let bases = bases.collect();
        PairedComparison { components, bases, slices: vec![PairedSlice::default(); next] }
    }

    /// Adds a pair.
    ///
    /// # Panics
    /// If the pair has another shape.
    pub fn add(&mut self, row: &PairedRow<'_>) {
        let values = self.bases.iter().zip(row.values).map(|(base, value)| base + usize::from(*value));
        for at in std::iter::once(0).chain(values) {
            let slice = &mut self.slices[at];
            slice.pairs += 1;
            match row.agrees {
                Some((true, true)) => slice.agreements.both += 1,
                Some((true, false)) => slice.agreements.reference += 1,
                Some((false, true)) => slice.agreements.other += 1,
                Some((false, false)) => slice.agreements.neither += 1,
                None => {}
            }
            if slice.groups.is_empty() {
                slice.groups = vec![PairedGroup::default(); JACKKNIFE_GROUPS as usize];
            }
            slice.groups[usize::from(row.group)].add(&self.components, row);
        }
    }

    /// The number of pairs: of all, or of a value of a condition, given by their indices.
    pub fn pairs(&self, value: Option<(usize, usize)>) -> u64 {
        self.slice(value).pairs
    }

    /// How often the two models agree with the substrate, in the same slice.
    pub fn agreements(&self, value: Option<(usize, usize)>) -> JointAgreement {
        self.slice(value).agreements
    }

    /// The values of a metric in the same slice, with bounds at `confidence` each, by a delete-a-group
    /// jackknife over the groups that have pairs. `reduce` is the metric's.
    ///
    /// # Panics
    /// If `confidence` is not in [0.5, 1).
    pub fn estimate(
        &self,
        value: Option<(usize, usize)>,
        metric: usize,
        confidence: f64,
        reduce: &mut dyn FnMut(u64, &[f64]) -> Option<f64>,
    ) -> PairedEstimate {
        let first: usize = self.components[..metric].iter().sum();
        let range = first..first + self.components[metric];
        let own = |group: &PairedGroup| group.0.get(range.clone()).map(<[_]>::to_vec);
        // The last component is the host's. A group without scored pairs is no group.
        let groups: Vec<Vec<[ExactSum; 2]>> = self.slice(value).groups.iter().filter_map(own).collect();
        let groups: Vec<_> =
            groups.into_iter().filter(|sums| sums.last().is_some_and(|[one, _]| one.value() > 0.0)).collect();
        let all = folded(range.len(), groups.iter());
        let mut value_of = |sums: &[[ExactSum; 2]], model: usize| {
            let mut sums: Vec<f64> =
                sums.iter().map(|both| both[model].value().clamp(f64::MIN, f64::MAX)).collect();
            let pairs = sums.pop().unwrap_or(0.0) as u64;
            if pairs > 0 { reduce(pairs, &sums) } else { None }
        };
        let (reference, other) = (value_of(&all, 0), value_of(&all, 1));
        let difference = other.zip(reference).map(|(other, reference)| other - reference);
        let mut estimate = PairedEstimate {
            pairs: all.last().map_or(0, |[scored, _]| scored.value() as u64),
            reference,
            other,
            difference,
            ..PairedEstimate::default()
        };
        let without = (0..groups.len()).map(|left| {
            let kept = groups.iter().enumerate().filter(|(at, _)| *at != left).map(|(_, sums)| sums);
            let sums = folded(range.len(), kept);
            Some(value_of(&sums, 1)? - value_of(&sums, 0)?)
        });
        let without: Option<Vec<f64>> = without.collect();
        if let (Some(reference), Some(other), Some(without)) = (reference, other, without) {
            let difference = other - reference;
            // Computed for the positive difference, so that the tail is never 1 minus another.
            let sign = if difference < 0.0 { -1.0 } else { 1.0 };
            let without: Vec<f64> = without.into_iter().map(|difference| sign * difference).collect();
            let scale = reference.abs().max(other.abs());
            if let Some(test) = jackknife_difference(sign * difference, &without, scale, confidence, LEVEL) {
                let Interval { lower, upper } = test.interval;
                estimate.p_value = Some((2.0 * test.p_value).min(1.0));
                estimate.interval = Some(match sign < 0.0 {
                    true => Interval { lower: -upper, upper: -lower },
                    false => Interval { lower, upper },
                });
            }
        }
        estimate
    }

    fn slice(&self, value: Option<(usize, usize)>) -> &PairedSlice {
        &self.slices[value.map_or(0, |(condition, value)| self.bases[condition] + value)]
    }
}

impl PairedGroup {
    fn add(&mut self, components: &[usize], row: &PairedRow<'_>) {
        if self.0.is_empty() {
            self.0 = vec![<[ExactSum; 2]>::default(); components.iter().sum()];
        }
        let mut from = 0;
        for width in components {
            let range = from..from + width;
            from = range.end;
            // If the metric failed for one of the two models, the pair counts for neither.
            if row.reference[range.end - 1] == 0.0 || row.other[range.end - 1] == 0.0 {
                continue;
            }
            for at in range {
                self.0[at][0].add(row.reference[at]);
                self.0[at][1].add(row.other[at]);
            }
        }
    }
}

/// The sums of several groups together.
fn folded<'g>(width: usize, groups: impl Iterator<Item = &'g Vec<[ExactSum; 2]>>) -> Vec<[ExactSum; 2]> {
    let mut all = vec![<[ExactSum; 2]>::default(); width];
    for group in groups {
        for (sum, more) in all.iter_mut().zip(group) {
            sum[0].merge(&more[0]);
            sum[1].merge(&more[1]);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    //! Checked against numpy and scipy: `tests/oracles/compare.py` prints the values of the hotel example,
    //! which `tests/tests/compare.rs` asserts. The tests here cover the parts.

    use super::*;

    /// The mean of the only component.
    fn mean(pairs: u64, sums: &[f64]) -> Option<f64> {
        Some(sums[0] / pairs as f64)
    }

    fn row<'r>(group: u8, reference: &'r [f64], other: &'r [f64], values: &'r [u16]) -> PairedRow<'r> {
        PairedRow { group, values, reference, other, agrees: Some((reference[0] == 1.0, other[0] == 1.0)) }
    }

    #[test]
    fn a_pair_is_in_both_figures_or_in_neither() {
        let mut paired = PairedComparison::new(vec![2], &[2]);
        paired.add(&row(0, &[1.0, 1.0], &[0.0, 1.0], &[0]));
        paired.add(&row(1, &[1.0, 1.0], &[1.0, 1.0], &[1]));
        paired.add(&row(2, &[0.0, 0.0], &[1.0, 1.0], &[1]));
        let all = paired.estimate(None, 0, 0.95, &mut mean);
        assert_eq!((all.pairs, all.reference, all.other), (2, Some(1.0), Some(0.5)));
        assert_eq!(all.difference, Some(-0.5));
        let second = paired.estimate(Some((0, 1)), 0, 0.95, &mut mean);
        assert_eq!((paired.pairs(Some((0, 1))), second.pairs, second.difference), (2, 1, Some(0.0)));
        let wanted = JointAgreement { both: 1, reference: 1, other: 1, neither: 0 };
        assert_eq!(paired.agreements(None), wanted);
    }

    #[test]
    fn equal_models_have_no_interval_and_no_p_value() {
        let mut paired = PairedComparison::new(vec![2], &[]);
        (0..64).for_each(|group| paired.add(&row(group, &[1.0, 1.0], &[1.0, 1.0], &[])));
        let all = paired.estimate(None, 0, 0.95, &mut mean);
        assert_eq!((all.difference, all.interval, all.p_value), (Some(0.0), None, None));
        assert_eq!(
            PairedComparison::new(vec![2], &[]).estimate(None, 0, 0.95, &mut mean),
            PairedEstimate::default()
        );
    }

    /// The value, the bounds and the p-value are those of numpy and scipy: the end of `tests/oracles/compare.py`.
    #[test]
    fn the_jackknife_matches_scipy_and_passes_over_groups_without_scored_pairs() {
        let mut paired = PairedComparison::new(vec![2], &[]);
        for pair in 0..300u32 {
            let group = (pair % 64) as u8;
            paired.add(&row(group, &[f64::from(pair % 7), 1.0], &[f64::from(pair % 11), 1.0], &[]));
        }
        let wanted = [1.97, 1.7533942529428188, 2.186605747057181, 9.993031460094466e-23];
        let found = paired.estimate(None, 0, 0.95, &mut mean);
        let interval = found.interval.unwrap();
        let found = [found.difference.unwrap(), interval.lower, interval.upper, found.p_value.unwrap()];
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found / wanted - 1.0).abs() < 1e-9, "{found}, not {wanted}");
        }

        let mut few = PairedComparison::new(vec![2], &[]);
        (0..9).for_each(|pair| few.add(&row(pair % 3, &[1.0, 1.0], &[f64::from(pair % 2), 1.0], &[])));
        let before = few.estimate(None, 0, 0.95, &mut mean);
        few.add(&row(7, &[0.0, 0.0], &[1.0, 1.0], &[]));
        few.add(&row(8, &[1.0, 1.0], &[0.0, 0.0], &[]));
        assert_eq!(few.estimate(None, 0, 0.95, &mut mean), before);
        few.add(&row(7, &[0.0, 1.0], &[0.0, 1.0], &[]));
        few.add(&row(7, &[0.0, 1.0], &[0.0, 1.0], &[]));
        assert_eq!(few.agreements(None).neither, 2);
    }

    #[test]
    fn the_unit_of_the_scores_is_the_unit_of_the_result() {
        // A power of two, so that scaling does not round.
        let unit = 2f64.powi(-43);
        let estimate = |unit: f64| {
            let mut paired = PairedComparison::new(vec![2], &[]);
            for pair in 0..300u32 {
                let scores = [pair % 7, pair % 11].map(|score| [unit * f64::from(score), 1.0]);
                paired.add(&row((pair % 64) as u8, &scores[0], &scores[1], &[]));
            }
            paired.estimate(None, 0, 0.95, &mut mean)
        };
        let (one, small) = (estimate(1.0), estimate(unit));
        assert!((small.difference.unwrap() / unit / one.difference.unwrap() - 1.0).abs() < 1e-9);
        let (one_interval, small_interval) = (one.interval.unwrap(), small.interval.unwrap());
        assert!((small_interval.lower / unit / one_interval.lower - 1.0).abs() < 1e-9);
        assert!((small_interval.upper / unit / one_interval.upper - 1.0).abs() < 1e-9);
        assert!((small.p_value.unwrap() / one.p_value.unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn swapping_the_models_mirrors_the_result() {
        let (mut one, mut other) = (PairedComparison::new(vec![2], &[]), PairedComparison::new(vec![2], &[]));
        for pair in 0..300u32 {
            let scores = [[f64::from(pair % 7), 1.0], [f64::from(pair % 11), 1.0]];
            one.add(&row((pair % 64) as u8, &scores[0], &scores[1], &[]));
            other.add(&row((pair % 64) as u8, &scores[1], &scores[0], &[]));
        }
        let [one, other] = [one, other].map(|paired| paired.estimate(None, 0, 0.95, &mut mean));
        assert_eq!(one.difference.unwrap(), -other.difference.unwrap());
        assert_eq!(one.p_value, other.p_value);
        let (one, other) = (one.interval.unwrap(), other.interval.unwrap());
        assert_eq!((one.lower, one.upper), (-other.upper, -other.lower));
    }
}
