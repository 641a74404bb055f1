//! Computes the median of the numbers so far, in bounded memory.
//!
//! Invariants:
//! - Up to [`MAX_BINS`] distinct numbers, the median is exact. Otherwise it is a number in the bin of the exact
//!   median. Numbers in one bin differ by less than 2^-p of their size. The precision p is the greatest with which
//!   the numbers have at most [`MAX_BINS`] bins. It is at least 11 for numbers of one sign within a power of ten, and
//!   at least 1 for any numbers.
//! - If more than half of the numbers in a bin are equal, they are that bin's number. So a common number is found
//!   exactly.
//! - The bins depend on the set of numbers, not on their order.
//!
//! The sign, the exponent and the first p bits of the fraction of a float determine its bin. If there are too many
//! bins, all of them lose one bit of precision at once, as in UDDSketch (I. Epicoco et al., "UDDSketch: Accurate
//! tracking of quantiles in data streams", IEEE Access 8 (2020)). The number of a bin is a majority vote (R. S.
//! Boyer, J. S. Moore, "MJRTY: A fast majority vote algorithm", Automated Reasoning (1991)), so that a duration of 20
//! minutes does not become 20.004.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The maximum number of bins. With the least precision of one bit, all floats together have fewer.
pub const MAX_BINS: usize = 10_000;

/// The median of a growing set of numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunningMedian {
    /// The bins with numbers, in the order of their numbers.
    bins: BTreeMap<i64, Bin>,
    /// The number of low bits of a float that do not matter for its bin: 52 less the precision.
    ignored_bits: u32,
    count: u64,
    /// The bin of the median.
    median: i64,
    /// The number of numbers in bins below that of the median.
    below: u64,
}

/// The numbers of one bin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Bin {
    count: u64,
    /// One of the numbers. If more than half of the numbers are equal, it is equal to them.
    number: f64,
    /// The votes for the number less those against it.
    lead: u64,
}

impl RunningMedian {
    /// Adds a finite number.
    pub fn add(&mut self, number: f64) {
        let index = bin_index(number, self.ignored_bits);
        let bin = self.bins.entry(index).or_insert(Bin { count: 0, number, lead: 0 });
        bin.merge(&Bin { count: 1, number, lead: 1 });
        if self.count == 0 {
            self.median = index;
        } else if index < self.median {
            self.below += 1;
        }
        self.count += 1;
        while self.bins.len() > MAX_BINS {
            self.halve_precision();
        }
        self.move_to_median();
    }

    /// The lower median: the least number such that at least half of the numbers are at most this number. `None`
    /// without numbers.
    pub fn value(&self) -> Option<f64> {
        self.bins.get(&self.median).map(|bin| bin.number)
    }

    /// Ignores one more bit of each number, and merges the bins that become equal.
    fn halve_precision(&mut self) {
        let half = |index: i64| index.signum() * (1 + ((index.abs() - 1) >> 1));
        for (index, bin) in std::mem::take(&mut self.bins) {
            match self.bins.get_mut(&half(index)) {
                Some(known) => known.merge(&bin),
                None => {
                    self.bins.insert(half(index), bin);
                }
            }
        }
        self.ignored_bits += 1;
        self.median = half(self.median);
        self.below = self.bins.range(..self.median).map(|(_, bin)| bin.count).sum();
    }

    /// Sets `median` to the bin of the number with the rank of the median, and `below` accordingly.
    fn move_to_median(&mut self) {
        let rank = self.count.div_ceil(2);
        while self.below >= rank {
            let Some((index, bin)) = self.bins.range(..self.median).next_back() else { return };
            self.below -= bin.count;
            self.median = *index;
        }
        while let Some((_, bin)) = self.bins.range(self.median..).next()
            && self.below + bin.count < rank
        {
            let below_next = self.below + bin.count;
            let Some((index, _)) = self.bins.range(self.median + 1..).next() else { return };
            (self.below, self.median) = (below_next, *index);
        }
    }
}

impl Bin {
    /// Adds the numbers of another bin, and continues the majority vote.
    fn merge(&mut self, other: &Bin) {
        self.count += other.count;
        if self.number == other.number {
            self.lead += other.lead;
        } else if self.lead >= other.lead {
            self.lead -= other.lead;
        } else {
            (self.number, self.lead) = (other.number, other.lead - self.lead);
        }
    }
}

/// The bin of a number. Indices ascend with the numbers, and 0 is the bin of zero.
fn bin_index(number: f64, ignored_bits: u32) -> i64 {
    let size = 1 + (number.abs().to_bits() >> ignored_bits) as i64;
    match number {
        0.0 => 0,
        _ if number < 0.0 => -size,
        _ => size,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn median(numbers: &[f64]) -> RunningMedian {
        let mut median = RunningMedian::default();
        numbers.iter().for_each(|number| median.add(*number));
        median
    }

    /// The lower median by definition.
    fn sorted_median(numbers: &[f64]) -> f64 {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[(sorted.len() - 1) / 2]
    }

    #[test]
    fn the_median_is_the_lower_middle_number() {
        assert_eq!(RunningMedian::default().value(), None);
        let all = [3.0, -1.0, -1.0, 0.1, 7.5, -0.0, 1e300, -1e-300];
        for length in 1..=all.len() {
            let numbers = &all[..length];
            assert_eq!(median(numbers).value(), Some(sorted_median(numbers)), "{numbers:?}");
        }
    }

    #[test]
    fn more_distinct_numbers_than_bins_have_a_small_relative_error() {
        // All between 1 and 10, and the precision is at least 11 bits.
        let numbers: Vec<f64> = (0..40_000u64).map(|i| 1.0 + (i * 7919 % 40_009) as f64 / 4446.0).collect();
        let found = median(&numbers);
        assert!(found.bins.len() <= MAX_BINS && found.ignored_bits == 41, "{}", found.ignored_bits);
        let exact = sorted_median(&numbers);
        let error = (found.value().unwrap() / exact - 1.0).abs();
        assert!(error < 2f64.powi(-11), "{error}");
        assert_indices(&found);
    }

    /// Checks that the bins of earlier numbers have the indices that their numbers would get now.
    fn assert_indices(found: &RunningMedian) {
        for (index, bin) in &found.bins {
            assert_eq!(*index, bin_index(bin.number, found.ignored_bits), "{}", bin.number);
        }
    }

    #[test]
    fn precision_is_lost_only_beyond_the_maximum_of_bins() {
        let whole = |numbers: usize| median(&(0..numbers as u32).map(f64::from).collect::<Vec<_>>());
        let full = whole(MAX_BINS);
        assert_eq!((full.bins.len(), full.ignored_bits), (MAX_BINS, 0));
        let beyond = whole(MAX_BINS + 1);
        assert!(beyond.bins.len() <= MAX_BINS && beyond.ignored_bits > 0);
    }

    #[test]
    fn indices_ascend_with_the_numbers_and_zero_has_its_own() {
        let numbers = [-1.5, -1.0, -5e-324, -0.0, 0.0, 5e-324, 1.0, 1.5];
        let indices = |ignored| numbers.map(|number| bin_index(number, ignored));
        let one = 1 + (1f64.to_bits() >> 51) as i64;
        assert_eq!(indices(51), [-one - 1, -one, -1, 0, 0, 1, one, one + 1]);
        assert!(indices(0).is_sorted() && indices(0)[3..5] == [0, 0]);
    }

    #[test]
    fn the_number_of_a_bin_is_a_majority_vote() {
        let vote = |numbers: &[f64]| {
            let mut bin = Bin { count: 0, number: numbers[0], lead: 0 };
            numbers.iter().for_each(|number| bin.merge(&Bin { count: 1, number: *number, lead: 1 }));
            (bin.number, bin.lead, bin.count)
        };
        assert_eq!(vote(&[5.0, 5.0, 5.0, 7.0, 7.0]), (5.0, 1, 5));
        assert_eq!(vote(&[5.0, 7.0, 7.0, 7.0]), (7.0, 2, 4));
        // Two votes against seven remain five.
        let mut bin = Bin { count: 4, number: 5.0, lead: 2 };
        bin.merge(&Bin { count: 9, number: 7.0, lead: 7 });
        assert_eq!(bin, Bin { count: 13, number: 7.0, lead: 5 });
    }

    #[test]
    fn a_common_number_among_many_is_found_exactly() {
        // A fifth of the numbers are 4.1; the others are on both sides of it and all different.
        let other = |i: u64| 1.0 + (i * 7919 % 60_013) as f64 / 9_700.0;
        let numbers: Vec<f64> = (0..60_000u64).map(|i| if i % 5 == 0 { 4.1 } else { other(i) }).collect();
        let found = median(&numbers);
        assert!(found.ignored_bits > 0);
        assert_eq!((found.value(), sorted_median(&numbers)), (Some(4.1), 4.1));
    }

    #[test]
    fn numbers_of_any_size_have_few_enough_bins() {
        let numbers = (0..30_000u64).map(|i| {
            let sign = if i % 3 == 0 { -1.0 } else { 1.0 };
            sign * f64::from_bits(i.wrapping_mul(307_445_734_561_825_861) % f64::INFINITY.to_bits())
        });
        let numbers: Vec<f64> = numbers.collect();
        let found = median(&numbers);
        assert!(found.bins.len() <= MAX_BINS && found.ignored_bits <= 51);
        assert_indices(&found);
        let ratio = found.value().unwrap() / sorted_median(&numbers);
        assert!((0.5..=2.0).contains(&ratio), "{ratio}");
    }

    proptest! {
        #[test]
        fn the_median_is_exact_at_any_moment(numbers in prop::collection::vec(-20i32..20, 1..80)) {
            let numbers: Vec<f64> = numbers.into_iter().map(|number| f64::from(number) / 10.0).collect();
            let mut found = RunningMedian::default();
            for length in 1..=numbers.len() {
                found.add(numbers[length - 1]);
                prop_assert_eq!(found.value(), Some(sorted_median(&numbers[..length])));
            }
        }

        #[test]
        fn the_order_of_distinct_numbers_changes_nothing(numbers in prop::collection::vec(-1e9..1e9, 1..50), seed: u64) {
            let expected = median(&numbers);
            let mut shuffled = numbers;
            fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
            let found = median(&shuffled);
            prop_assert_eq!(found.value(), expected.value());
            prop_assert_eq!(found.bins, expected.bins);
        }
    }
}
