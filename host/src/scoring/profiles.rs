//! What it takes to say where a model and the substrate part: the sums of one metric by window, by profile (one value of
//! each condition that is searched) and by half of the ids.
//!
//! Always holds: as with cells, the same pairs give equal profiles, and the same bytes when written, in whatever order and
//! batches they were added. Which half an id belongs to depends on its keyed hash alone.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::cells::{ModelScores, Outcome};
use super::exact::ExactSum;
use super::window::Window;

/// The sums of one metric by window, profile and half.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profiles {
    #[serde(serialize_with = "ascending", deserialize_with = "unordered")]
    windows: BTreeMap<Window, ByProfile>,
}

/// Both halves of each profile that has a pair.
type ByProfile = FxHashMap<u32, [Part; 2]>;

/// The sums of some pairs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// How many.
    pub pairs: u64,
    /// For each model.
    pub models: Vec<PartSums>,
}

/// One model's part of a [`Part`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartSums {
    /// Pairs that it left unanswered.
    pub unanswered: u64,
    /// The sum of each component of the metric; the last counts the pairs that it scored.
    pub components: Vec<ExactSum>,
    /// The sums of products of two of the metric's own components, by their indices, the lesser first, ascending; those that
    /// are always zero are left out.
    pub moments: Vec<((u16, u16), ExactSum)>,
}

/// The pairs of a batch, as columns.
#[derive(Clone, Copy, Debug)]
pub struct ProfiledPairs<'a> {
    /// The window of each row.
    pub windows: &'a [Window],
    /// The profile of each row.
    pub profiles: &'a [u32],
    /// The keyed hash of each row's id. Its first bit says to which half it belongs.
    pub hashes: &'a [u64],
    /// For each model its outcomes and scores.
    pub models: &'a [ModelScores],
    /// The index of the metric.
    pub metric: usize,
}

/// The index of each profile: the values of the searched conditions as digits, the first one the most significant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileIndex {
    /// Which conditions, ascending, each with the number of its values.
    pub conditions: Vec<(usize, usize)>,
}

impl ProfileIndex {
    /// The profile of each row, from the values of all conditions by row.
    pub fn of(&self, conditions: &[Vec<u16>], rows: usize) -> Vec<u32> {
        let mut profiles = vec![0u32; rows];
        for (condition, values) in &self.conditions {
            for (profile, value) in profiles.iter_mut().zip(&conditions[*condition]) {
                *profile = *profile * *values as u32 + u32::from(*value);
            }
        }
        profiles
    }

    /// The value of each searched condition.
    pub fn values(&self, profile: u32) -> Vec<u16> {
        let mut rest = profile;
        let mut values: Vec<u16> = Vec::with_capacity(self.conditions.len());
        for (_, count) in self.conditions.iter().rev() {
            values.push((rest % *count as u32) as u16);
            rest /= *count as u32;
        }
        values.reverse();
        values
    }
}

impl Profiles {
    /// Adds a batch of pairs. Fastest where rows of one window stand together.
    pub fn add(&mut self, pairs: ProfiledPairs<'_>) {
        let mut from = 0;
        for same in pairs.windows.chunk_by(|a, b| a == b) {
            let window = self.windows.entry(same[0]).or_default();
            for row in from..from + same.len() {
                let half = (pairs.hashes[row] >> 63) as usize;
                window.entry(pairs.profiles[row]).or_default()[half].add(pairs.models, pairs.metric, row);
            }
            from += same.len();
        }
    }

    /// Adds all that `other` has.
    pub fn merge(&mut self, other: &Profiles) {
        for (window, profiles) in &other.windows {
            let own = self.windows.entry(*window).or_default();
            for (profile, parts) in profiles {
                let own = own.entry(*profile).or_default();
                own.iter_mut().zip(parts).for_each(|(own, more)| own.merge(more));
            }
        }
    }

    /// The windows that have a pair, in order.
    pub fn windows(&self) -> impl Iterator<Item = Window> {
        self.windows.keys().copied()
    }

    /// The profiles of a window with both halves, in order.
    pub fn window(&self, window: Window) -> Vec<(u32, &[Part; 2])> {
        let mut found: Vec<_> = self
            .windows
            .get(&window)
            .into_iter()
            .flatten()
            .map(|(profile, parts)| (*profile, parts))
            .collect();
        found.sort_unstable_by_key(|(profile, _)| *profile);
        found
    }

    /// The halves of each profile over the windows that `chosen` holds, by profile.
    pub fn fold(&self, chosen: impl Fn(Window) -> bool) -> BTreeMap<u32, [Part; 2]> {
        let mut all: BTreeMap<u32, [Part; 2]> = BTreeMap::new();
        for (_, profiles) in self.windows.iter().filter(|(window, _)| chosen(**window)) {
            for (profile, parts) in profiles {
                let own = all.entry(*profile).or_default();
                own.iter_mut().zip(parts).for_each(|(own, more)| own.merge(more));
            }
        }
        all
    }

    /// What these are up to a window, that one too.
    pub fn until(&self, last: Window) -> Profiles {
        Profiles { windows: self.windows.range(..=last).map(|(window, of)| (*window, of.clone())).collect() }
    }
}

impl Part {
    fn add(&mut self, models: &[ModelScores], metric: usize, row: usize) {
        if self.models.is_empty() {
            self.models = vec![PartSums::default(); models.len()];
        }
        self.pairs += 1;
        for (own, scored) in self.models.iter_mut().zip(models) {
            own.unanswered += u64::from(scored.outcomes[row] != Outcome::Answered);
            own.add(&scored.scores[metric], row);
        }
    }

    /// Adds all that `other` has.
    pub fn merge(&mut self, other: &Part) {
        if self.models.is_empty() {
            *self = other.clone();
            return;
        }
        self.pairs += other.pairs;
        for (own, more) in self.models.iter_mut().zip(&other.models) {
            own.merge(more);
        }
    }
}

impl PartSums {
    fn add(&mut self, components: &[Vec<f64>], row: usize) {
        self.components.resize(components.len(), ExactSum::default());
        let own = components.len().saturating_sub(1);
        for (at, (sum, values)) in self.components.iter_mut().zip(components).enumerate() {
            let value = values[row];
            if value == 0.0 {
                continue;
            }
            sum.add(value);
            for (other, values) in components[..own].iter().enumerate().skip(at) {
                let product = (value * values[row]).clamp(f64::MIN, f64::MAX);
                // Zeros are common, and change nothing.
                if product != 0.0 {
                    moment(&mut self.moments, (at as u16, other as u16)).add(product);
                }
            }
        }
    }

    /// Adds all that `other` has.
    pub fn merge(&mut self, other: &PartSums) {
        self.unanswered += other.unanswered;
        self.components.resize(other.components.len().max(self.components.len()), ExactSum::default());
        self.components.iter_mut().zip(&other.components).for_each(|(sum, more)| sum.merge(more));
        for (at, more) in &other.moments {
            moment(&mut self.moments, *at).merge(more);
        }
    }

    /// How many pairs were scored, the sums of the metric's own components, and those of their products in the order of
    /// `moments`, each rounded once.
    pub fn rounded(&self, components: usize, moments: &[(u16, u16)]) -> Vec<f64> {
        let value = |sum: Option<&ExactSum>| sum.map_or(0.0, ExactSum::value).clamp(f64::MIN, f64::MAX);
        let scored = std::iter::once(value(self.components.get(components)));
        let own = (0..components).map(|at| value(self.components.get(at)));
        let products = moments.iter().map(|at| {
            value(
                self.moments.binary_search_by_key(at, |(known, _)| *known).ok().map(|at| &self.moments[at].1),
            )
        });
        scored.chain(own).chain(products).collect()
    }
}

/// The sum of a product, which is made where it is not there yet.
fn moment(moments: &mut Vec<((u16, u16), ExactSum)>, at: (u16, u16)) -> &mut ExactSum {
    let place = match moments.binary_search_by_key(&at, |(known, _)| *known) {
        Ok(place) => place,
        Err(place) => {
            moments.insert(place, (at, ExactSum::default()));
            place
        }
    };
    &mut moments[place].1
}

/// Writes profiles in their order, so that equal ones are the same bytes.
fn ascending<S: serde::Serializer>(
    windows: &BTreeMap<Window, ByProfile>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let sorted = |of: &ByProfile| -> BTreeMap<u32, [Part; 2]> {
        of.iter().map(|(profile, parts)| (*profile, parts.clone())).collect()
    };
    serializer.collect_map(windows.iter().map(|(window, of)| (window, sorted(of))))
}

fn unordered<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Window, ByProfile>, D::Error> {
    let windows = BTreeMap::<Window, BTreeMap<u32, [Part; 2]>>::deserialize(deserializer)?;
    Ok(windows.into_iter().map(|(window, of)| (window, of.into_iter().collect())).collect())
}

#[cfg(test)]
mod tests;
