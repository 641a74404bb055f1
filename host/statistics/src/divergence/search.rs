//! The search: which classes differ, discovered in one half of the pairs and confirmed in the other.
//!
//! Always holds: nothing of the half that confirms has a say in what is tested there, nor in which direction; so the
//! p-values there are honest however many classes were looked at, and the share of false ones among those listed is held
//! by Benjamini and Hochberg. A class is compared with the rest of every class above it too: being part of something that
//! differs is not enough.

use std::cmp::Ordering;

use super::Term;
use super::compare::Side;
use super::moments::{Layout, Reduce};
use super::table::{Pattern, Table, patterns};
use crate::scoring::Interval;

/// The greatest one-sided p-value with which a class goes from the half that explores to the one that confirms: that of the
/// customary two-sided 0.05. It promises nothing and is no part of the level; it keeps the tests of the second half few, so
/// that what differs is not lost among what does not, and yet lets through what the second half could confirm.
pub const EXPLORE_LEVEL: f64 = 0.025;

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The most terms of a class, [`DEEPEST`](super::DEEPEST) at most.
    pub depth: usize,
    /// The fewest pairs of a class, both halves together.
    pub least: u64,
    /// The false discovery rate, in (0, 1): the expected share of false classes among those listed.
    pub level: f64,
    /// Whether every score is 0 or 1 and the figure is the mean of the first component. Then tests are exact, by counts.
    pub shares: bool,
    /// The confidence of each bound of an interval by itself, in [0.5, 1).
    pub confidence: f64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// How many classes have enough pairs.
    pub patterns: usize,
    /// How many of them were discovered in one half and tested on the other.
    pub tested: usize,
    /// Those that were confirmed, the one of which the most is certain first.
    pub classes: Vec<Class>,
}

/// A class in which the figure is another than elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its terms, in ascending order of their conditions.
    pub terms: Vec<Term>,
    /// Its pairs, both halves together.
    pub pairs: u64,
    /// Its figure, both halves together.
    pub figure: Option<f64>,
    /// The figure of all other pairs, both halves together.
    pub elsewhere: Option<f64>,
    /// Its figure less that elsewhere, in the half that confirms.
    pub difference: f64,
    /// The bounds of the true difference, from the half that confirms. Each has the confidence that was asked for, for a
    /// class that was chosen beforehand; that the class was chosen for its p-value makes it a little too narrow.
    pub interval: Interval,
    /// The greatest of the one-sided p-values against elsewhere and against the rest of each class above it.
    pub p_value: f64,
    /// The least false discovery rate at which it would still be listed.
    pub q_value: f64,
}

/// Searches a table, whose rows have the sums of two parts, one after the other: of the half that explores and of the half
/// that confirms. So it is twice as wide as the layout.
///
/// A class C is compared with elsewhere, which are all pairs that are not in it, and with the rest of each class above it:
/// P without C, for every P whose terms are some of its terms. All comparisons are in the direction in which C differs from
/// elsewhere in the half that explores. Its p-value is the greatest of theirs, since it is to differ from all: the
/// intersection-union test (R. L. Berger, "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24
/// (1982)). Kept is what has [`EXPLORE_LEVEL`] or less in one half; listed what has a q-value of `level` or less among all
/// that were kept, in the other.
///
/// A class that cannot be told from one of these in one of the halves, for want of pairs, of a figure or of a spread, is not
/// kept.
///
/// # Panics
///
/// As [`patterns`] does, when the table is not twice as wide as the layout, and when the confidence is not in [0.5, 1).
pub fn search(table: &Table, layout: &Layout, settings: &Settings, reduce: &mut Reduce<'_>) -> Found {
    assert!(table.width == 2 * layout.width(), "a row has the sums of two halves");
    let patterns = patterns(table, settings.depth, settings.least);
    let mut all = vec![0.0; table.width];
    for row in table.sums.chunks_exact(table.width) {
        all.iter_mut().zip(row).for_each(|(sum, more)| *sum += more);
    }
    let mut search = Search { layout, settings, reduce, patterns: &patterns, all: &all };
    let kept: Vec<Kept<'_>> = patterns.iter().filter_map(|pattern| search.keep(pattern)).collect();
    let p_values: Vec<f64> = kept.iter().map(|kept| kept.p_value).collect();
    let q_values = benjamini_hochberg(&p_values);
    let listed = kept.iter().zip(q_values).filter(|(_, q_value)| *q_value <= settings.level);
    let mut classes: Vec<(f64, Class)> =
        listed.filter_map(|(kept, q_value)| search.class(kept, q_value)).collect();
    classes.sort_by(|(certain, one), (other, two)| other.total_cmp(certain).then(one.terms.cmp(&two.terms)));
    let classes = classes.into_iter().map(|(_, class)| class).collect();
    Found { patterns: patterns.len(), tested: kept.len(), classes }
}

/// A class that was discovered, and how it was confirmed.
struct Kept<'p> {
    pattern: &'p Pattern,
    direction: Ordering,
    p_value: f64,
}

/// Which half of the pairs.
#[derive(Clone, Copy)]
enum Half {
    Explore,
    Confirm,
}

struct Search<'s, 'r> {
    layout: &'s Layout,
    settings: &'s Settings,
    reduce: &'s mut Reduce<'r>,
    /// All that have enough pairs, in their order.
    patterns: &'s [Pattern],
    /// The sums of all pairs.
    all: &'s [f64],
}

impl Search<'_, '_> {
    /// Looks at a class in one half and, if it stands out there, tests it on the other.
    fn keep<'p>(&mut self, pattern: &'p Pattern) -> Option<Kept<'p>> {
        let class = self.side(&pattern.sums, Half::Explore)?;
        let elsewhere = self.rest(self.all, pattern, Half::Explore)?;
        let direction = class.figure().total_cmp(&elsewhere.figure());
        self.p_value(pattern, Half::Explore, direction, EXPLORE_LEVEL)?;
        let p_value = self.p_value(pattern, Half::Confirm, direction, 1.0)?;
        Some(Kept { pattern, direction, p_value })
    }

    /// The greatest p-value of a class in one half. `None` if one cannot be told or is above `most`.
    fn p_value(&mut self, pattern: &Pattern, half: Half, direction: Ordering, most: f64) -> Option<f64> {
        let class = self.side(&pattern.sums, half)?;
        let patterns = self.patterns;
        let mut greatest = 0.0;
        // The subsets of the terms: none of them, which is all pairs, then some, but not all.
        for subset in 0..(1_u32 << pattern.terms.len()) - 1 {
            let wider = match subset {
                0 => self.all,
                _ => &above(patterns, &pattern.terms, subset)?.sums,
            };
            let p_value = class.p_value(&self.rest(wider, pattern, half)?, direction)?;
            if p_value > most {
                return None;
            }
            greatest = p_value.max(greatest);
        }
        Some(greatest)
    }

    /// A confirmed class, and how far from zero its difference is at least; below zero where that is not certain.
    fn class(&mut self, kept: &Kept<'_>, q_value: f64) -> Option<(f64, Class)> {
        let pattern = kept.pattern;
        let class = self.side(&pattern.sums, Half::Confirm)?;
        let elsewhere = self.rest(self.all, pattern, Half::Confirm)?;
        let interval = class.interval(&elsewhere, self.settings.confidence)?;
        let certain = if kept.direction == Ordering::Less { -interval.upper } else { interval.lower };
        let found = Class {
            terms: pattern.terms.clone(),
            pairs: pattern.count,
            figure: self.figure(&pattern.sums),
            elsewhere: self.figure(&less(self.all, &pattern.sums)),
            difference: class.figure() - elsewhere.figure(),
            interval,
            p_value: kept.p_value,
            q_value,
        };
        Some((certain, found))
    }

    /// The pairs of a wider part that are not in a class.
    fn rest(&mut self, wider: &[f64], pattern: &Pattern, half: Half) -> Option<Side> {
        self.side(&less(wider, &pattern.sums), half)
    }

    /// One half of some sums.
    fn side(&mut self, sums: &[f64], half: Half) -> Option<Side> {
        let (explore, confirm) = sums.split_at_checked(self.layout.width())?;
        let part = match half {
            Half::Explore => explore,
            Half::Confirm => confirm,
        };
        Side::of(part, self.layout, self.settings, self.reduce)
    }

    /// The figure over both halves.
    fn figure(&mut self, sums: &[f64]) -> Option<f64> {
        let (explore, confirm) = sums.split_at_checked(self.layout.width())?;
        let both: Vec<f64> = explore.iter().zip(confirm).map(|(one, other)| one + other).collect();
        let (scored, components) = both.split_first()?;
        (self.reduce)(*scored as u64, components.get(..self.layout.components)?)
    }
}

/// The class above one that has those of its terms that are bits of `subset`.
fn above<'p>(patterns: &'p [Pattern], terms: &[Term], subset: u32) -> Option<&'p Pattern> {
    let kept = terms.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1);
    let terms: Vec<Term> = kept.map(|(_, term)| *term).collect();
    let at = patterns.binary_search_by(|p| (p.terms.len(), &p.terms).cmp(&(terms.len(), &terms))).ok()?;
    patterns.get(at)
}

/// The sums of a wider part without those of a narrower one.
fn less(wider: &[f64], narrower: &[f64]) -> Vec<f64> {
    wider.iter().zip(narrower).map(|(all, some)| all - some).collect()
}

/// For each p-value the least false discovery rate at which it would be among the discoveries: Y. Benjamini, Y. Hochberg,
/// "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57 (1995), as adjusted p-values.
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
