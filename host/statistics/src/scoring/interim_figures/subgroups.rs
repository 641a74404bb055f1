//! Decides which subgroups of the divergence search may be shown before the end of a run.
//!
//! Invariants, for the figures over all windows of one report, and for what each block of windows adds to them:
//! - No combination of the figures of subgroups that are shown has few pairs. A combination has a factor for each figure.
//!   The same holds in each half of the search, because the difference of a subgroup covers one half.
//! - No combination with the shown values of one condition has few pairs, and none with the shown scopes.

use super::InterimFigures;
use super::part_size::{PartSize, reveals_few};
use crate::scoring::Window;
use understudy_study::Scope;

/// The pairs of a profile over all windows. A profile is one value of each searched condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileSize {
    /// The index of each searched condition, with the index of its value.
    pub values: Vec<(usize, usize)>,
    /// The pairs in each half of the search. Those that count as answered are those that the metric scored for the model.
    pub halves: [PartSize; 2],
}

impl ProfileSize {
    fn size(&self) -> PartSize {
        self.halves.into_iter().sum()
    }

    fn value(&self, condition: usize) -> Option<usize> {
        self.values.iter().find(|(known, _)| *known == condition).map(|(_, value)| *value)
    }

    fn has(&self, terms: &[(usize, usize)]) -> bool {
        terms.iter().all(|(condition, value)| self.value(*condition) == Some(*value))
    }
}

impl InterimFigures {
    /// For each subgroup whether its figures and those of all other pairs may be shown. A subgroup has terms, given as indices
    /// of a condition and of its value. Earlier subgroups take precedence. `blocks` are the profiles of each block of windows that
    /// a report may add, since the difference of two reports covers whole blocks. `windows` are all windows of the report, in
    /// order of time. Scopes with a condition that is not searched are not compared with subgroups.
    pub fn shows_subgroups(
        &self,
        subgroups: &[Vec<(usize, usize)>],
        (profiles, blocks): (&[ProfileSize], &[Vec<ProfileSize>]),
        scopes: &[Scope],
        windows: &[Window],
    ) -> Vec<bool> {
        let divided = std::iter::once(profiles).chain(blocks.iter().map(Vec::as_slice)).map(|profiles| {
            DividedProfiles {
                profiles,
                columns: self.columns(profiles, scopes, windows),
                parts: vec![0; profiles.len()],
            }
        });
        let mut divided: Vec<DividedProfiles<'_>> = divided.collect();
        let is_shown = |terms: &Vec<(usize, usize)>| {
            let has_pairs = |inside| {
                profiles.iter().any(|profile| profile.has(terms) == inside && profile.size().pairs > 0)
            };
            let parts: Option<Vec<Vec<usize>>> = divided.iter().map(|known| known.divide(terms)).collect();
            let parts = parts.filter(|_| {
                has_pairs(true) && has_pairs(false) && !self.nearly_equals_withheld_value(terms, profiles)
            });
            let Some(parts) = parts else { return false };
            divided.iter_mut().zip(parts).for_each(|(known, parts)| known.parts = parts);
            true
        };
        subgroups.iter().map(is_shown).collect()
    }

    /// Whether a subgroup has all pairs of a value whose figure is withheld, or all but a few.
    fn nearly_equals_withheld_value(&self, terms: &[(usize, usize)], profiles: &[ProfileSize]) -> bool {
        terms.iter().filter(|(condition, value)| !self.shows_value(*condition, *value)).any(|term| {
            let others = profiles.iter().filter(|profile| profile.has(&[*term]) && !profile.has(terms));
            let size: PartSize = others.map(ProfileSize::size).sum();
            size.is_few() || size.answered == 0
        })
    }

    /// The other figures over all windows: the values of each searched condition, and the parts by shown scopes.
    fn columns(&self, profiles: &[ProfileSize], scopes: &[Scope], windows: &[Window]) -> Vec<Columns> {
        let Some(first) = profiles.first() else { return Vec::new() };
        let mut columns = Vec::new();
        for (at, (condition, _)) in first.values.iter().enumerate() {
            let of_profiles: Vec<usize> = profiles.iter().map(|profile| profile.values[at].1).collect();
            let values = 0..=of_profiles.iter().copied().max().unwrap_or(0);
            let withheld = values.map(|value| !self.shows_value(*condition, value)).collect();
            columns.push(Columns { of_profiles, withheld });
        }
        let is_searched =
            |scope: &Scope| scope.values.iter().all(|(condition, _)| first.value(*condition).is_some());
        let shown =
            scopes.iter().zip(1..).filter(|(scope, at)| is_searched(scope) && self.shows_scope(*at, windows));
        let shown: Vec<&Scope> = shown.map(|(scope, _)| scope).collect();
        let of_profiles = numbered(profiles.iter().map(|profile| {
            let value = |condition| profile.value(condition).unwrap_or(usize::MAX);
            shown.iter().map(|scope| scope.holds(value)).collect::<Vec<_>>()
        }));
        let withheld = vec![false; of_profiles.iter().max().map_or(0, |last| last + 1)];
        columns.push(Columns { of_profiles, withheld });
        columns
    }
}

/// The profiles of some windows, with their partition by the subgroups that are shown.
struct DividedProfiles<'p> {
    profiles: &'p [ProfileSize],
    columns: Vec<Columns>,
    /// For each profile the index of its part.
    parts: Vec<usize>,
}

impl DividedProfiles<'_> {
    /// The partition that a subgroup divides further. `None` if few pairs would follow.
    fn divide(&self, terms: &[(usize, usize)]) -> Option<Vec<usize>> {
        let profiles = self.profiles;
        let inside: Vec<bool> = profiles.iter().map(|profile| profile.has(terms)).collect();
        let divided = numbered(self.parts.iter().zip(&inside));
        let is_enough = [true, false].iter().all(|is_inside| {
            let own = profiles.iter().zip(&inside).filter(|(_, inside)| *inside == is_inside);
            !own.map(|(profile, _)| profile.size()).sum::<PartSize>().is_few()
        });
        let is_shown = is_enough
            && sums(profiles, &divided).iter().flatten().all(|size| !size.is_few())
            && self
                .columns
                .iter()
                .all(|columns| !reveals_few(&table(profiles, &divided, columns), &columns.withheld));
        is_shown.then_some(divided)
    }
}

/// A partition of the profiles by figures other than those of subgroups.
struct Columns {
    /// For each profile the index of its column.
    of_profiles: Vec<usize>,
    /// For each column whether its figure is withheld.
    withheld: Vec<bool>,
}

/// Numbers equal keys in the order of their first occurrence.
fn numbered<K: PartialEq>(keys: impl Iterator<Item = K>) -> Vec<usize> {
    let mut known: Vec<K> = Vec::new();
    let number = |key: K| match known.iter().position(|other| *other == key) {
        Some(at) => at,
        None => {
            known.push(key);
            known.len() - 1
        }
    };
    keys.map(number).collect()
}

/// The size of each half of each part of the profiles.
fn sums(profiles: &[ProfileSize], parts: &[usize]) -> Vec<[PartSize; 2]> {
    let mut sums = vec![[PartSize::default(); 2]; parts.iter().max().map_or(0, |last| last + 1)];
    for (profile, part) in profiles.iter().zip(parts) {
        sums[*part].iter_mut().zip(profile.halves).for_each(|(sum, half)| *sum += half);
    }
    sums
}

/// For each part of the profiles the pairs by column.
fn table(profiles: &[ProfileSize], parts: &[usize], columns: &Columns) -> Vec<Vec<PartSize>> {
    let rows = parts.iter().max().map_or(0, |last| last + 1);
    let mut table = vec![vec![PartSize::default(); columns.withheld.len()]; rows];
    for ((profile, part), column) in profiles.iter().zip(parts).zip(&columns.of_profiles) {
        table[*part][*column] += profile.size();
    }
    table
}

#[cfg(test)]
mod tests;
