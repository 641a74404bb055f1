//! Estimates how often two decisions in the same case are equal, and the ceiling that follows for the agreement of a model.
//!
//! # The ceiling
//! A case c has decisions with the probabilities p(c, 1), p(c, 2), ... A model that sees only the case gives one answer in
//! it, or draws one, and agrees with a decision with a probability of at most max p(c). Two decisions are equal with the
//! probability s(c), the sum of the squares. Over cases with weights w(c), let S be the mean of s(c).
//! 1. s(c) = sum of p * p <= max p(c) * sum of p = max p(c), so S is at most the mean of max p(c).
//! 2. max p(c)^2 <= s(c), so max p(c) <= sqrt(s(c)).
//! 3. The mean of sqrt(s(c)) is at most sqrt(S), since the square root is concave (Jensen's inequality).
//!
//! So the best possible agreement lies between S and sqrt(S), and sqrt(S) is reported as the ceiling.
//!
//! Invariant: the share of a case is unbiased, since it counts pairs of different decisions only.

use std::collections::BTreeMap;

use crate::scoring::case_sample::{CaseCounts, CaseSample};
use crate::scoring::cluster_sizes::ClusterLimits;
use crate::scoring::interval::{Interval, cluster_share, equal_scores, has_spread, standard_error};
use crate::scoring::verdict_statistics::JACKKNIFE_GROUPS;

/// The fewest cases with at least two decisions from which a mean is estimated.
pub const MIN_REPEATED_CASES: u64 = 30;

/// Which two decisions of a case are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionPairs {
    /// Any two.
    All,
    /// Two of the same rater.
    SameRater,
    /// Two of different raters.
    DifferentRaters,
}

/// A mean over cases with at least two decisions, weighted by their decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CaseMean {
    /// The number of these cases.
    pub cases: u64,
    /// The number of decisions in these cases.
    pub decisions: u64,
    /// The mean, from 0 to 1; `None` for fewer than [`MIN_REPEATED_CASES`] cases.
    pub value: Option<f64>,
    /// The bounds of the mean, each one-sided; `None` where they cannot be computed.
    pub interval: Option<Interval>,
}

impl CaseMean {
    /// The agreement of the substrate with itself: the mean of the shares of equal pairs of decisions. `confidence` is that
    /// of each bound.
    ///
    /// # Panics
    /// If `confidence` is not in [0.5, 1).
    pub fn self_agreement(sample: &CaseSample, pairs: DecisionPairs, confidence: f64) -> CaseMean {
        estimate(sample, confidence, |counts| share_of_equal_pairs(counts, pairs))
    }

    /// The agreement of a model with the substrate in the cases that have at least two decisions. `confidence` is that of
    /// each bound.
    ///
    /// # Panics
    /// If `confidence` is not in [0.5, 1).
    pub fn model_agreement(sample: &CaseSample, model: usize, confidence: f64) -> CaseMean {
        estimate(sample, confidence, |counts| {
            let decisions = counts.decisions();
            let equal = counts.equal.get(model).copied().unwrap_or(0);
            (decisions > 1).then(|| equal as f64 / decisions as f64)
        })
    }

    /// The ceiling that follows from the substrate's agreement with itself: an upper bound of the agreement of any model
    /// that sees no more than the cases.
    pub fn ceiling(self) -> CaseMean {
        let root =
            |Interval { lower, upper }: Interval| Interval { lower: lower.sqrt(), upper: upper.sqrt() };
        CaseMean { value: self.value.map(f64::sqrt), interval: self.interval.map(root), ..self }
    }
}

/// The mean of the shares of the kept cases, weighted by their decisions. Its standard error is that of a delete-a-group
/// jackknife over groups of cases, and its bounds are those of [`cluster_share`] with the cases as clusters, which hold where
/// hardly any decision differs, or hardly any case. Cases that show no spread have the bounds of [`equal_scores`] for as many cases
/// as would have all decisions with the size of the largest, as in [`ClusterLimits::new`].
///
/// A few large cases make the standard error less certain. So its degrees of freedom are at most those of F. E. Satterthwaite,
/// "An approximate distribution of estimates of variance components", Biometrics Bulletin 2 (1946), for cases whose shares
/// have equal variances.
fn estimate(sample: &CaseSample, confidence: f64, share_of: impl Fn(&CaseCounts) -> Option<f64>) -> CaseMean {
    let mut groups = vec![(0.0, 0u64); JACKKNIFE_GROUPS as usize];
    let mut found = CaseMean::default();
    let (mut square_sum, mut fourth_power_sum, mut largest) = (0.0, 0.0, 0);
    for (hash, counts) in sample.cases() {
        let Some(share) = share_of(counts) else { continue };
        let decisions = counts.decisions();
        found.cases += 1;
        found.decisions += decisions;
        let (sum, weight) = &mut groups[(hash % JACKKNIFE_GROUPS) as usize];
        *sum += share * decisions as f64;
        *weight += decisions;
        largest = largest.max(decisions);
        square_sum += (decisions as f64).powi(2);
        fourth_power_sum += (decisions as f64).powi(4);
    }
    if found.cases < MIN_REPEATED_CASES {
        return found;
    }
    groups.retain(|(_, weight)| *weight > 0);
    let mean = |left_out: Option<usize>| {
        let kept = groups.iter().enumerate().filter(|(group, _)| Some(*group) != left_out);
        let (sum, weight) = kept.fold((0.0, 0), |(sum, weight), (_, more)| (sum + more.0, weight + more.1));
        (sum / weight as f64).clamp(0.0, 1.0)
    };
    let value = mean(None);
    found.value = Some(value);
    if groups.len() < 2 {
        return found;
    }
    let degrees = ((square_sum * square_sum / fourth_power_sum) as u64).clamp(1, groups.len() as u64 - 1);
    let without: Vec<f64> = (0..groups.len()).map(|group| mean(Some(group))).collect();
    // Kish's number of cases of equal sizes.
    let cases = (found.decisions as f64).powi(2) / square_sum;
    let limits = ClusterLimits { clusters: cases, ..ClusterLimits::NONE };
    // Without spread, it may be that only large cases can differ.
    let without_spread = found.decisions / largest;
    found.interval = match has_spread(&without, value) {
        true => standard_error(&without)
            .and_then(|error| cluster_share(value, (error, degrees), found.decisions, limits, confidence)),
        false => equal_scores(value, without_spread, (0.0, 1.0), confidence),
    };
    found
}

/// The share of equal pairs among the pairs of different decisions; `None` if there is no such pair.
fn share_of_equal_pairs(counts: &CaseCounts, pairs: DecisionPairs) -> Option<f64> {
    let (mut by_answer, mut by_rater) = (BTreeMap::new(), BTreeMap::new());
    for ((answer, rater), count) in &counts.answers {
        *by_answer.entry(answer).or_insert(0u64) += count;
        *by_rater.entry(rater).or_insert(0u64) += count;
    }
    // Twice the number of pairs within groups of these sizes.
    let within = |sizes: &mut dyn Iterator<Item = u64>| -> u128 {
        sizes.map(|size| u128::from(size) * u128::from(size.saturating_sub(1))).sum()
    };
    let equal = within(&mut by_answer.into_values());
    let all = within(&mut std::iter::once(counts.decisions()));
    let equal_of_one_rater = within(&mut counts.answers.values().copied());
    let of_one_rater = within(&mut by_rater.values().copied());
    // Without a rater, it is unknown whether two decisions are of the same one.
    let is_rater_unknown = by_rater.contains_key(&0);
    let (equal, all) = match pairs {
        DecisionPairs::All => (equal, all),
        DecisionPairs::SameRater | DecisionPairs::DifferentRaters if is_rater_unknown => return None,
        DecisionPairs::SameRater => (equal_of_one_rater, of_one_rater),
        DecisionPairs::DifferentRaters => (equal - equal_of_one_rater, all - of_one_rater),
    };
    (all > 0).then(|| equal as f64 / all as f64)
}
