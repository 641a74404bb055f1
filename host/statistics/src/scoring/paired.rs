//! Two models over the same pairs: what each scored, by slice and group of ids, and by how much their figures differ.
//!
//! Always holds: a pair is in a figure of both or of neither; figures are the metric's own `reduce` of exact sums, so they do
//! not depend on the order in which pairs came; a group is left out of both at once, which is what makes the interval one of
//! paired differences.

use super::GROUPS;
use super::exact::ExactSum;
use super::interval::{Interval, jackknifed};

/// The level at which [`jackknifed`] says what could have been found, of which nothing is shown here.
const LEVEL: f64 = 0.05;

/// A pair that both models were scored on.
#[derive(Clone, Copy, Debug)]
pub struct PairedRow<'r> {
    /// The group of its id.
    pub group: u8,
    /// For each condition the index of its value.
    pub values: &'r [u16],
    /// What the reference was scored: the components of each metric one after the other, of each metric last whether it was
    /// scored at all, as 1 or 0.
    pub reference: &'r [f64],
    /// What the other was scored, in the same way.
    pub other: &'r [f64],
    /// Whether each of them agrees with the substrate, the reference first; `None` where that is no question.
    pub agrees: Option<(bool, bool)>,
}

/// How often two models agree with the substrate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreements {
    /// Both do.
    pub both: u64,
    /// Only the reference does.
    pub reference: u64,
    /// Only the other does.
    pub other: u64,
    /// Neither does.
    pub neither: u64,
}

/// The figures of two models by one metric over the same pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PairedFigures {
    /// Pairs that the metric scored for both.
    pub pairs: u64,
    /// The reference's figure; `None` where it is not defined.
    pub reference: Option<f64>,
    /// The other's.
    pub other: Option<f64>,
    /// The other's less the reference's.
    pub difference: Option<f64>,
    /// The bounds of the true difference, each at the confidence that was asked for. `None` where the groups say nothing of
    /// its spread.
    pub interval: Option<Interval>,
    /// How likely so great a difference, one way or the other, would be if there were none: two-sided, in [0, 1].
    pub p_value: Option<f64>,
}

/// The sums of two models over the same pairs.
#[derive(Clone, Debug)]
pub struct Paired {
    /// For each metric its components, that of the host among them.
    components: Vec<usize>,
    /// For each condition where its first value stands among the slices; slice 0 is everything.
    bases: Vec<usize>,
    slices: Vec<Slice>,
}

/// The sums of one slice.
#[derive(Clone, Debug, Default)]
struct Slice {
    pairs: u64,
    agreements: Agreements,
    /// By group; empty before the first pair.
    groups: Vec<Group>,
}

/// The sums of one group: for each component of each metric that of the reference, then that of the other.
#[derive(Clone, Debug, Default)]
struct Group(Vec<[ExactSum; 2]>);

impl Paired {
    /// Nothing yet. `components` has for each metric how many it has, that of the host among them; `sizes` for each condition
    /// how many values.
    pub fn new(components: Vec<usize>, sizes: &[usize]) -> Paired {
        let mut next = 1;
        let bases = sizes.iter().map(|size| {
            next += size;
            next - size
        });
        let bases = bases.collect();
        Paired { components, bases, slices: vec![Slice::default(); next] }
    }

    /// Adds a pair.
    ///
    /// # Panics
    /// As indexing does, if it is of another shape.
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
                slice.groups = vec![Group::default(); GROUPS as usize];
            }
            slice.groups[usize::from(row.group)].add(&self.components, row);
        }
    }

    /// How many pairs there are: of everything, or of a value of a condition by their indices.
    pub fn pairs(&self, value: Option<(usize, usize)>) -> u64 {
        self.slice(value).pairs
    }

    /// How often the two agree with the substrate, in the same way.
    pub fn agreements(&self, value: Option<(usize, usize)>) -> Agreements {
        self.slice(value).agreements
    }

    /// The figures by a metric, in the same way, with bounds each at `confidence`: a delete-a-group jackknife over the groups
    /// that have pairs. `reduce` is the metric's.
    ///
    /// # Panics
    /// When `confidence` is not in [0.5, 1).
    pub fn figures(
        &self,
        value: Option<(usize, usize)>,
        metric: usize,
        confidence: f64,
        reduce: &mut dyn FnMut(u64, &[f64]) -> Option<f64>,
    ) -> PairedFigures {
        let first: usize = self.components[..metric].iter().sum();
        let range = first..first + self.components[metric];
        let own = |group: &Group| group.0.get(range.clone()).map(<[_]>::to_vec);
        // The host's component is the last: a group in which nothing was scored is none.
        let groups: Vec<Vec<[ExactSum; 2]>> = self.slice(value).groups.iter().filter_map(own).collect();
        let groups: Vec<_> =
            groups.into_iter().filter(|sums| sums.last().is_some_and(|[one, _]| one.value() > 0.0)).collect();
        let all = folded(range.len(), groups.iter());
        let mut figure = |sums: &[[ExactSum; 2]], side: usize| {
            let mut sums: Vec<f64> =
                sums.iter().map(|both| both[side].value().clamp(f64::MIN, f64::MAX)).collect();
            let pairs = sums.pop().unwrap_or(0.0) as u64;
            if pairs > 0 { reduce(pairs, &sums) } else { None }
        };
        let (reference, other) = (figure(&all, 0), figure(&all, 1));
        let difference = other.zip(reference).map(|(other, reference)| other - reference);
        let mut found = PairedFigures {
            pairs: all.last().map_or(0, |[scored, _]| scored.value() as u64),
            reference,
            other,
            difference,
            ..PairedFigures::default()
        };
        let without = (0..groups.len()).map(|left| {
            let kept = groups.iter().enumerate().filter(|(at, _)| *at != left).map(|(_, sums)| sums);
            let sums = folded(range.len(), kept);
            Some(figure(&sums, 1)? - figure(&sums, 0)?)
        });
        let without: Option<Vec<f64>> = without.collect();
        if let Some((difference, without)) = difference.zip(without) {
            // Seen from the side on which the difference lies, so that the tail is never one less another.
            let side = if difference < 0.0 { -1.0 } else { 1.0 };
            let without: Vec<f64> = without.into_iter().map(|difference| side * difference).collect();
            if let Some(seen) = jackknifed(side * difference, &without, confidence, LEVEL) {
                let Interval { lower, upper } = seen.interval;
                found.p_value = Some((2.0 * seen.p_value).min(1.0));
                found.interval = Some(match side < 0.0 {
                    true => Interval { lower: -upper, upper: -lower },
                    false => Interval { lower, upper },
                });
            }
        }
        found
    }

    fn slice(&self, value: Option<(usize, usize)>) -> &Slice {
        &self.slices[value.map_or(0, |(condition, value)| self.bases[condition] + value)]
    }
}

impl Group {
    fn add(&mut self, components: &[usize], row: &PairedRow<'_>) {
        if self.0.is_empty() {
            self.0 = vec![<[ExactSum; 2]>::default(); components.iter().sum()];
        }
        let mut from = 0;
        for width in components {
            let range = from..from + width;
            from = range.end;
            // What the metric broke on for one of them is in the figure of neither.
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
    //! Against numpy and scipy: `tests/oracles/compare.py` prints the figures of the hotel, which `tests/tests/compare.rs`
    //! holds; here is what they are made of.

    use super::*;

    /// The mean of one component.
    fn mean(pairs: u64, sums: &[f64]) -> Option<f64> {
        Some(sums[0] / pairs as f64)
    }

    fn row<'r>(group: u8, reference: &'r [f64], other: &'r [f64], values: &'r [u16]) -> PairedRow<'r> {
        PairedRow { group, values, reference, other, agrees: Some((reference[0] == 1.0, other[0] == 1.0)) }
    }

    #[test]
    fn a_pair_is_in_both_figures_or_in_neither() {
        let mut paired = Paired::new(vec![2], &[2]);
        paired.add(&row(0, &[1.0, 1.0], &[0.0, 1.0], &[0]));
        paired.add(&row(1, &[1.0, 1.0], &[1.0, 1.0], &[1]));
        paired.add(&row(2, &[0.0, 0.0], &[1.0, 1.0], &[1]));
        let all = paired.figures(None, 0, 0.95, &mut mean);
        assert_eq!((all.pairs, all.reference, all.other), (2, Some(1.0), Some(0.5)));
        assert_eq!(all.difference, Some(-0.5));
        let second = paired.figures(Some((0, 1)), 0, 0.95, &mut mean);
        assert_eq!((paired.pairs(Some((0, 1))), second.pairs, second.difference), (2, 1, Some(0.0)));
        let wanted = Agreements { both: 1, reference: 1, other: 1, neither: 0 };
        assert_eq!(paired.agreements(None), wanted);
    }

    #[test]
    fn what_never_differs_has_no_spread_and_no_probability() {
        let mut paired = Paired::new(vec![2], &[]);
        (0..64).for_each(|group| paired.add(&row(group, &[1.0, 1.0], &[1.0, 1.0], &[])));
        let all = paired.figures(None, 0, 0.95, &mut mean);
        assert_eq!((all.difference, all.interval, all.p_value), (Some(0.0), None, None));
        assert_eq!(Paired::new(vec![2], &[]).figures(None, 0, 0.95, &mut mean), PairedFigures::default());
    }

    #[test]
    fn turned_round_it_is_the_same_on_the_other_side() {
        let (mut one, mut other) = (Paired::new(vec![2], &[]), Paired::new(vec![2], &[]));
        for pair in 0..300u32 {
            let scores = [[f64::from(pair % 7), 1.0], [f64::from(pair % 11), 1.0]];
            one.add(&row((pair % 64) as u8, &scores[0], &scores[1], &[]));
            other.add(&row((pair % 64) as u8, &scores[1], &scores[0], &[]));
        }
        let [one, other] = [one, other].map(|paired| paired.figures(None, 0, 0.95, &mut mean));
        assert_eq!(one.difference.unwrap(), -other.difference.unwrap());
        assert_eq!(one.p_value, other.p_value);
        let (one, other) = (one.interval.unwrap(), other.interval.unwrap());
        assert_eq!((one.lower, one.upper), (-other.upper, -other.lower));
    }
}
