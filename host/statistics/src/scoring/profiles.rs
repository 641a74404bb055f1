//! What it takes to say where a model and the substrate part: the sums of one metric by window, by profile (one value of
//! each condition that is searched) and by half of the ids.
//!
//! Always holds: as with cells, the same pairs give equal profiles, and the same bytes when written, in whatever order and
//! batches they were added. Which half an id belongs to depends on its keyed hash alone. How much is held is bounded: beyond
//! [`KEPT`] sums it is no longer told which profile had what in which window, and whether it comes to that depends on the pairs
//! alone.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::cells::ModelScores;
use super::exact::ExactSum;
use super::window::Window;

/// Sums that are kept by window and profile at most: about 200 MB. A year of weeks with a thousand profiles has a sixth of it
/// for a model and a metric of one component.
/// Fewer in tests, so that they come to what is beyond.
const KEPT: usize = if cfg!(test) { 90 } else { 1 << 21 };

/// The most components of a metric of which products are summed: their number grows with the square. With more, nothing is known
/// of how certain a figure is.
pub const PRODUCTS: usize = 64;

/// The sums of one metric by window, profile and half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profiles(Kept);

/// How much is told apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kept {
    /// Each profile in each window.
    Both {
        #[serde(serialize_with = "ascending", deserialize_with = "unordered")]
        windows: BTreeMap<Window, ByProfile>,
        /// How many sums these are. None is ever taken away, so the same pairs come to the same number.
        sums: usize,
    },
    /// Each profile over all windows, and all profiles in each window.
    Either { profiles: BTreeMap<u32, [Part; 2]>, windows: BTreeMap<Window, Part> },
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
    /// Scored pairs of which every component is zero. To a metric that does not ask how many pairs there are, they are none.
    pub blank: u64,
    /// The sum of each component of the metric; the last counts the pairs that it scored.
    pub components: Vec<ExactSum>,
    /// The sums of products of two of the metric's own components, by their indices, the lesser first, ascending; those that
    /// are always zero are left out, and all where there are more than [`PRODUCTS`] components.
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

    /// The value of the searched condition at a place among them.
    pub fn value(&self, profile: u32, at: usize) -> u16 {
        let behind: u32 = self.conditions[at + 1..].iter().map(|(_, count)| *count as u32).product();
        (profile / behind % self.conditions[at].1 as u32) as u16
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

impl Default for Profiles {
    fn default() -> Profiles {
        Profiles(Kept::Both { windows: BTreeMap::new(), sums: 0 })
    }
}

impl Profiles {
    /// Adds a batch of pairs. Fastest where rows of one window stand together.
    pub fn add(&mut self, pairs: ProfiledPairs<'_>) {
        let mut from = 0;
        for same in pairs.windows.chunk_by(|a, b| a == b) {
            let rows = from..from + same.len();
            from = rows.end;
            let place = |row: usize| (pairs.profiles[row], (pairs.hashes[row] >> 63) as usize);
            match &mut self.0 {
                Kept::Both { windows, sums } => {
                    let window = windows.entry(same[0]).or_default();
                    for row in rows {
                        let (profile, half) = place(row);
                        let part = &mut window.entry(profile).or_default()[half];
                        let before = part.sums();
                        part.add(pairs.models, pairs.metric, row);
                        *sums += part.sums() - before;
                    }
                }
                Kept::Either { profiles, windows } => {
                    let window = windows.entry(same[0]).or_default();
                    for row in rows {
                        let (profile, half) = place(row);
                        profiles.entry(profile).or_default()[half].add(pairs.models, pairs.metric, row);
                        window.add(pairs.models, pairs.metric, row);
                    }
                }
            }
        }
        if matches!(self.0, Kept::Both { sums, .. } if sums > KEPT) {
            let windows = self.windows().map(|window| (window, self.window(window)));
            self.0 = Kept::Either { windows: windows.collect(), profiles: self.profiles() };
        }
    }

    /// The windows that have a pair, in order.
    pub fn windows(&self) -> Box<dyn Iterator<Item = Window> + '_> {
        match &self.0 {
            Kept::Both { windows, .. } => Box::new(windows.keys().copied()),
            Kept::Either { windows, .. } => Box::new(windows.keys().copied()),
        }
    }

    /// All profiles of a window together.
    pub fn window(&self, window: Window) -> Part {
        let mut all = Part::default();
        match &self.0 {
            Kept::Both { windows, .. } => {
                windows
                    .get(&window)
                    .into_iter()
                    .flat_map(|of| of.values().flatten())
                    .for_each(|half| all.merge(half));
            }
            Kept::Either { windows, .. } => windows.get(&window).into_iter().for_each(|part| all.merge(part)),
        }
        all
    }

    /// The halves of each profile over all windows, by profile.
    pub fn profiles(&self) -> BTreeMap<u32, [Part; 2]> {
        match &self.0 {
            Kept::Both { windows, .. } => {
                let mut all: BTreeMap<u32, [Part; 2]> = BTreeMap::new();
                for (profile, halves) in windows.values().flatten() {
                    let own = all.entry(*profile).or_default();
                    own.iter_mut().zip(halves).for_each(|(own, more)| own.merge(more));
                }
                all
            }
            Kept::Either { profiles, .. } => profiles.clone(),
        }
    }

    /// The profiles of a window with both halves, in no order; `None` where it is no longer told which profile had what in which
    /// window.
    pub fn of_window(&self, window: Window) -> Option<impl Iterator<Item = (u32, &[Part; 2])>> {
        let Kept::Both { windows, .. } = &self.0 else { return None };
        Some(windows.get(&window).into_iter().flatten().map(|(profile, halves)| (*profile, halves)))
    }

    /// Whether it is told which profile had what in which window.
    pub fn are_by_window(&self) -> bool {
        matches!(self.0, Kept::Both { .. })
    }

    /// What these are up to a window, that one too. Where it is no longer told which profile had what in which window, nothing of
    /// the profiles is left.
    pub fn until(&self, last: Window) -> Profiles {
        match &self.0 {
            Kept::Both { windows, .. } => {
                let windows: BTreeMap<Window, ByProfile> =
                    windows.range(..=last).map(|(window, of)| (*window, of.clone())).collect();
                let sums = windows.values().flat_map(|of| of.values().flatten()).map(Part::sums).sum();
                Profiles(Kept::Both { windows, sums })
            }
            Kept::Either { windows, .. } => {
                let windows = windows.range(..=last).map(|(window, part)| (*window, part.clone())).collect();
                Profiles(Kept::Either { profiles: BTreeMap::new(), windows })
            }
        }
    }
}

impl Part {
    fn add(&mut self, models: &[ModelScores], metric: usize, row: usize) {
        if self.models.is_empty() {
            self.models = vec![PartSums::default(); models.len()];
        }
        self.pairs += 1;
        for (own, scored) in self.models.iter_mut().zip(models) {
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

    /// How many sums there are.
    fn sums(&self) -> usize {
        self.models.iter().map(|sums| sums.components.len() + sums.moments.len()).sum()
    }
}

impl PartSums {
    fn add(&mut self, components: &[Vec<f64>], row: usize) {
        self.components.resize(components.len(), ExactSum::default());
        let own = components.len().saturating_sub(1);
        let products = if own <= PRODUCTS { own } else { 0 };
        let is_zero = |component: &Vec<f64>| component[row] == 0.0;
        if let Some((scored, own)) = components.split_last() {
            self.blank += u64::from(!is_zero(scored) && own.iter().all(is_zero));
        }
        for (at, (sum, values)) in self.components.iter_mut().zip(components).enumerate() {
            let value = values[row];
            if value == 0.0 {
                continue;
            }
            sum.add(value);
            for (other, values) in components[..products].iter().enumerate().skip(at) {
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
        self.merge_components(other);
        for (at, more) in &other.moments {
            moment(&mut self.moments, *at).merge(more);
        }
    }

    /// Adds all that `other` has but for the products.
    pub fn merge_components(&mut self, other: &PartSums) {
        self.blank += other.blank;
        self.components.resize(other.components.len().max(self.components.len()), ExactSum::default());
        self.components.iter_mut().zip(&other.components).for_each(|(sum, more)| sum.merge(more));
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
