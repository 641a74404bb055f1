//! The subgroup search: discovers differing subgroups in one half of the pairs and confirms them in the
//! other.
//!
//! Invariants:
//! - The confirmation half has no influence on what is tested there, or in which direction. So its p-values
//!   are valid, however many subgroups were examined, and Benjamini and Hochberg's procedure controls the
//!   share of false discoveries.
//! - A subgroup is also compared with the rest of every wider subgroup: being part of something that differs
//!   does not suffice.

use std::cmp::Ordering;

use super::PatternTerm;
use super::delta_method::SumsLayout;
use super::frequent_patterns::{Pattern, PatternTable, frequent_patterns};
use super::search_settings::SearchSettings;
use super::subgroup_contrast::SampleEstimate;
use crate::scoring::{Interval, Reduce};

/// The greatest one-sided p-value with which a subgroup passes from the exploration half to the confirmation
/// half: that of the customary two-sided 0.05. It guarantees nothing and is not part of the level. It limits
/// the tests of the second half, so that true differences are not lost among the others, and still admits
/// everything that the second half could confirm.
pub const EXPLORE_LEVEL: f64 = 0.025;

/// The subgroups that a search confirmed, and the numbers of those that it counted and tested.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchResult {
    /// The number of subgroups with enough pairs.
    pub patterns: usize,
    /// The number of these that were discovered in one half and tested in the other.
    pub tested: usize,
    /// The confirmed subgroups, in descending order of the difference that is certain.
    pub subgroups: Vec<Subgroup>,
}

/// A subgroup in which the metric differs from that of all other pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Subgroup {
    /// The terms, in ascending order of their conditions.
    pub terms: Vec<PatternTerm>,
    /// The number of pairs, both halves together.
    pub pairs: u64,
    /// The value of the metric, both halves together.
    pub value: Option<f64>,
    /// The value over all other pairs, both halves together.
    pub complement: Option<f64>,
    /// The value of the subgroup minus that of all other pairs, in the confirmation half.
    pub difference: f64,
    /// The bounds of the true difference, from the confirmation half. Each has the requested confidence for a
    /// subgroup that was chosen in advance. Since this one was selected by its p-value, the interval is
    /// slightly too narrow.
    pub interval: Interval,
    /// The greatest of the one-sided p-values against all other pairs and against the rest of each wider
    /// subgroup.
    pub p_value: f64,
    /// The least false discovery rate at which the subgroup is still listed.
    pub q_value: f64,
}

/// Searches a table whose rows have the sums of the exploration half and then those of the confirmation half.
/// So it is twice as wide as the layout.
///
/// A subgroup C is compared with its complement, which is all pairs outside of C, and with the rest of each
/// wider subgroup: P without C, for every P whose terms are some of C's terms. All comparisons are in the
/// direction in which C differs from its complement in the exploration half. The p-value is the greatest of
/// theirs, since C has to differ from all: the intersection-union test (R. L. Berger, "Multiparameter
/// hypothesis testing and acceptance sampling", Technometrics 24 (1982)). A subgroup with a p-value of at
/// most [`EXPLORE_LEVEL`] in one half is tested in the other. It is listed if its q-value among all that were
/// tested is at most the false discovery rate.
///
/// A subgroup is not tested if one of these comparisons is impossible in one of the halves, for lack of
/// pairs, of a value or of variance.
///
/// # Panics
/// As [`frequent_patterns`] does, if the table is not twice as wide as the layout, and if the confidence is
/// not in [0.5, 1).
pub fn search_subgroups(
    table: &PatternTable,
    layout: &SumsLayout,
    settings: &SearchSettings,
    reduce: &mut Reduce<'_>,
) -> SearchResult {
    assert!(table.width == 2 * layout.width(), "a row has the sums of two halves");
    let patterns = frequent_patterns(table, settings.max_terms, settings.min_pairs);
    let mut all = vec![0.0; table.width];
    for row in table.sums.chunks_exact(table.width) {
        all.iter_mut().zip(row).for_each(|(sum, more)| *sum += more);
    }
    let mut search = SubgroupSearch { layout, settings, reduce, patterns: &patterns, all: &all };
    let tested: Vec<TestedPattern<'_>> =
        patterns.iter().filter_map(|pattern| search.test_pattern(pattern)).collect();
    let p_values: Vec<f64> = tested.iter().map(|tested| tested.p_value).collect();
    let q_values = benjamini_hochberg(&p_values);
    let listed = tested.iter().zip(q_values).filter(|(_, q_value)| *q_value <= settings.false_discovery_rate);
    let mut subgroups: Vec<(f64, Subgroup)> =
        listed.filter_map(|(tested, q_value)| search.subgroup(tested, q_value)).collect();
    subgroups
        .sort_by(|(certain, one), (other, two)| other.total_cmp(certain).then(one.terms.cmp(&two.terms)));
    let subgroups = subgroups.into_iter().map(|(_, subgroup)| subgroup).collect();
    SearchResult { patterns: patterns.len(), tested: tested.len(), subgroups }
}

/// A discovered subgroup and the result of its confirmation.
struct TestedPattern<'p> {
    pattern: &'p Pattern,
    direction: Ordering,
    p_value: f64,
}

/// A half of the pairs.
#[derive(Clone, Copy)]
enum Half {
    Explore,
    Confirm,
}

struct SubgroupSearch<'s, 'r> {
    layout: &'s SumsLayout,
    settings: &'s SearchSettings,
    reduce: &'s mut Reduce<'r>,
    /// All patterns with enough pairs, in their order.
    patterns: &'s [Pattern],
    /// The sums of all pairs.
    all: &'s [f64],
}

impl SubgroupSearch<'_, '_> {
    /// Examines a subgroup in one half and, if it stands out there, tests it in the other.
    fn test_pattern<'p>(&mut self, pattern: &'p Pattern) -> Option<TestedPattern<'p>> {
        let inside = self.half_estimate(&pattern.sums, Half::Explore)?;
        let outside = self.complement(self.all, pattern, Half::Explore)?;
        let direction = inside.value().total_cmp(&outside.value());
        self.p_value(pattern, Half::Explore, direction, EXPLORE_LEVEL)?;
        let p_value = self.p_value(pattern, Half::Confirm, direction, 1.0)?;
        Some(TestedPattern { pattern, direction, p_value })
    }

    /// The greatest p-value of a subgroup in one half. `None` if a comparison is impossible or its p-value
    /// exceeds `limit`.
    fn p_value(&mut self, pattern: &Pattern, half: Half, direction: Ordering, limit: f64) -> Option<f64> {
        let inside = self.half_estimate(&pattern.sums, half)?;
        let patterns = self.patterns;
        let mut greatest = 0.0;
        // The proper subsets of the terms; the empty one is all pairs.
        for subset in 0..(1_u32 << pattern.terms.len()) - 1 {
            let wider = match subset {
                0 => self.all,
                _ => &wider_pattern(patterns, &pattern.terms, subset)?.sums,
            };
            let p_value = inside.p_value(&self.complement(wider, pattern, half)?, direction)?;
            if p_value > limit {
                return None;
            }
            greatest = p_value.max(greatest);
        }
        Some(greatest)
    }

    /// A confirmed subgroup, and the distance of the interval from zero; negative if the interval contains
    /// zero.
    fn subgroup(&mut self, tested: &TestedPattern<'_>, q_value: f64) -> Option<(f64, Subgroup)> {
        let pattern = tested.pattern;
        let inside = self.half_estimate(&pattern.sums, Half::Confirm)?;
        let outside = self.complement(self.all, pattern, Half::Confirm)?;
        let interval = inside.interval(&outside, self.settings.confidence)?;
        let certain = if tested.direction == Ordering::Less { -interval.upper } else { interval.lower };
        let subgroup = Subgroup {
            terms: pattern.terms.clone(),
            pairs: pattern.count,
            value: self.value(&pattern.sums),
            complement: self.value(&subtract(self.all, &pattern.sums)),
            difference: inside.value() - outside.value(),
            interval,
            p_value: tested.p_value,
            q_value,
        };
        Some((certain, subgroup))
    }

    /// One half of the pairs of a wider set that are not in the subgroup.
    fn complement(&mut self, wider: &[f64], pattern: &Pattern, half: Half) -> Option<SampleEstimate> {
        self.half_estimate(&subtract(wider, &pattern.sums), half)
    }

    /// One half of some sums.
    fn half_estimate(&mut self, sums: &[f64], half: Half) -> Option<SampleEstimate> {
        let (explore, confirm) = sums.split_at_checked(self.layout.width())?;
        let part = match half {
            Half::Explore => explore,
            Half::Confirm => confirm,
        };
        SampleEstimate::from_sums(part, self.layout, self.settings, self.reduce)
    }

    /// The value over both halves.
    fn value(&mut self, sums: &[f64]) -> Option<f64> {
        let (explore, confirm) = sums.split_at_checked(self.layout.width())?;
        let both: Vec<f64> = explore.iter().zip(confirm).map(|(one, other)| one + other).collect();
        let (scored, components) = both.split_first()?;
        (self.reduce)(*scored as u64, components.get(..self.layout.components)?)
    }
}

/// The wider subgroup that has the terms whose bits are set in `subset`.
fn wider_pattern<'p>(patterns: &'p [Pattern], terms: &[PatternTerm], subset: u32) -> Option<&'p Pattern> {
    let tested = terms.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1);
    let terms: Vec<PatternTerm> = tested.map(|(_, term)| *term).collect();
    let at = patterns.binary_search_by(|p| (p.terms.len(), &p.terms).cmp(&(terms.len(), &terms))).ok()?;
    patterns.get(at)
}

/// The sums of a wider set minus those of a narrower one.
fn subtract(wider: &[f64], narrower: &[f64]) -> Vec<f64> {
    wider.iter().zip(narrower).map(|(all, some)| all - some).collect()
}

/// For each p-value, the least false discovery rate at which it is among the discoveries: Y. Benjamini, Y.
/// Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57 (1995), as
/// adjusted p-values.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut q_values = vec![0.0; p_values.len()];
    let mut least = 1.0_f64;
    for (rank, &at) in order.iter().enumerate().rev() {
        least = least.min(p_values[at] * p_values.len() as f64 / (rank + 1) as f64);
        q_values[at] = least;
    }
    q_values
}

#[cfg(test)]
mod tests;
