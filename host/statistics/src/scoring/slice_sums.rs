//! The sums for subgroup discovery: one metric, by window, by profile and by half of the ids. A profile is
//! one combination of values, one for each searched condition.
//!
//! Invariants:
//! - The same pairs give equal sums and the same serialized bytes, whatever the order and the batches.
//! - The half of an id depends on its keyed hash alone.
//! - Memory is bounded: beyond [`MAX_JOINT_SUMS`] sums, only the margins are kept, which are profiles over
//!   all windows and windows over all profiles. Whether that happens depends on the pairs alone.
//! - A clone shares the windows of the original; adding pairs to one of the two copies only the windows that
//!   change.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::calendar_window::Window;
use super::cells::ModelScores;
use super::copy_on_write::CopyOnWrite;
use super::exact_sum::ExactSum;

/// The maximum number of sums that are kept by window and profile; about 200 MB. A year of weeks with a
/// thousand profiles needs a sixth of it, for one model and a metric of one component. The limit is lower in
/// tests, so that they exceed it.
const MAX_JOINT_SUMS: usize = if cfg!(test) { 90 } else { 1 << 21 };

/// The maximum number of components of a metric whose products are summed, since the number of products grows
/// with its square. A metric with more components has no standard errors.
pub const MAX_PRODUCT_COMPONENTS: usize = 64;

/// The sums of one metric by window, profile and half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceSums(Resolution);

/// The detail in which sums are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Resolution {
    /// Each profile in each window.
    Joint {
        #[serde(serialize_with = "ascending", deserialize_with = "unordered")]
        windows: BTreeMap<Window, CopyOnWrite<ByProfile>>,
        /// The number of sums in `windows`. Sums are never removed, so the same pairs give the same number.
        sums: usize,
    },
    /// The margins: each profile over all windows, and each window over all profiles.
    Marginal {
        profiles: BTreeMap<u32, CopyOnWrite<[SliceTotals; 2]>>,
        windows: BTreeMap<Window, CopyOnWrite<SliceTotals>>,
    },
}

/// Both halves of each profile that has pairs.
type ByProfile = FxHashMap<u32, [SliceTotals; 2]>;

/// The sums of a set of pairs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SliceTotals {
    /// The number of pairs.
    pub pairs: u64,
    /// The sums of each model.
    pub models: Vec<ModelMoments>,
}

/// The sums and sums of products of one model's scores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelMoments {
    /// The scored pairs of which every component is zero. An estimate leaves them out if
    /// the metric has the same value without them.
    pub all_zero: u64,
    /// The sum of each component of the metric. The last component counts the scored pairs.
    pub components: Vec<ExactSum>,
    /// The sums of products of two of the metric's own components, ascending by their indices, the smaller
    /// index first. Products that are zero for every pair are omitted, and all products are omitted beyond
    /// [`MAX_PRODUCT_COMPONENTS`] components.
    pub moments: Vec<((u16, u16), ExactSum)>,
}

/// A batch of pairs, as columns.
#[derive(Clone, Copy, Debug)]
pub struct ProfiledBatch<'a> {
    /// The window of each row.
    pub windows: &'a [Window],
    /// The profile of each row.
    pub profiles: &'a [u32],
    /// The keyed hash of each row's id. Its top bit is the half.
    pub hashes: &'a [u64],
    /// For each model, its statuses and scores.
    pub models: &'a [ModelScores],
    /// The index of the metric.
    pub metric: usize,
}

/// Numbers profiles: the values of the searched conditions are digits, the first condition's the most
/// significant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileIndex {
    /// The searched conditions, ascending, each with its number of values.
    pub conditions: Vec<(usize, usize)>,
}

impl ProfileIndex {
    /// The profile of each row, from the values of all conditions by row.
    pub fn profiles_of_rows(&self, conditions: &[Vec<u16>], rows: usize) -> Vec<u32> {
        let mut profiles = vec![0u32; rows];
        for (condition, values) in &self.conditions {
            for (profile, value) in profiles.iter_mut().zip(&conditions[*condition]) {
                *profile = *profile * *values as u32 + u32::from(*value);
            }
        }
        profiles
    }

    /// The value of the searched condition at a position among the searched conditions.
    pub fn value_of(&self, profile: u32, at: usize) -> u16 {
        let stride: u32 = self.conditions[at + 1..].iter().map(|(_, count)| *count as u32).product();
        (profile / stride % self.conditions[at].1 as u32) as u16
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

impl Default for SliceSums {
    fn default() -> SliceSums {
        SliceSums(Resolution::Joint { windows: BTreeMap::new(), sums: 0 })
    }
}

impl SliceSums {
    /// Adds a batch of pairs. Consecutive rows of one window are added together, which is fastest.
    pub fn add(&mut self, pairs: ProfiledBatch<'_>) {
        let mut from = 0;
        for same in pairs.windows.chunk_by(|a, b| a == b) {
            let rows = from..from + same.len();
            from = rows.end;
            let place = |row: usize| (pairs.profiles[row], (pairs.hashes[row] >> 63) as usize);
            match &mut self.0 {
                Resolution::Joint { windows, sums } => {
                    let window = windows.entry(same[0]).or_default().to_mut();
                    for row in rows {
                        let (profile, half) = place(row);
                        let part = &mut window.entry(profile).or_default()[half];
                        let before = part.sums();
                        part.add(pairs.models, pairs.metric, row);
                        *sums += part.sums() - before;
                    }
                }
                Resolution::Marginal { profiles, windows } => {
                    let window = windows.entry(same[0]).or_default().to_mut();
                    for row in rows {
                        let (profile, half) = place(row);
                        profiles.entry(profile).or_default().to_mut()[half].add(
                            pairs.models,
                            pairs.metric,
                            row,
                        );
                        window.add(pairs.models, pairs.metric, row);
                    }
                }
            }
        }
        if matches!(self.0, Resolution::Joint { sums, .. } if sums > MAX_JOINT_SUMS) {
            let windows = self.windows().map(|window| (window, CopyOnWrite::new(self.window(window))));
            let profiles =
                self.profiles().into_iter().map(|(profile, halves)| (profile, CopyOnWrite::new(halves)));
            self.0 = Resolution::Marginal { windows: windows.collect(), profiles: profiles.collect() };
        }
    }

    /// The windows that have pairs, in order of time.
    pub fn windows(&self) -> Box<dyn Iterator<Item = Window> + '_> {
        match &self.0 {
            Resolution::Joint { windows, .. } => Box::new(windows.keys().copied()),
            Resolution::Marginal { windows, .. } => Box::new(windows.keys().copied()),
        }
    }

    /// The sums of a window over all profiles and halves.
    pub fn window(&self, window: Window) -> SliceTotals {
        let mut all = SliceTotals::default();
        match &self.0 {
            Resolution::Joint { windows, .. } => {
                windows
                    .get(&window)
                    .into_iter()
                    .flat_map(|of| of.values().flatten())
                    .for_each(|half| all.merge(half));
            }
            Resolution::Marginal { windows, .. } => {
                windows.get(&window).into_iter().for_each(|part| all.merge(part))
            }
        }
        all
    }

    /// The halves of each profile over all windows, by profile.
    pub fn profiles(&self) -> BTreeMap<u32, [SliceTotals; 2]> {
        match &self.0 {
            Resolution::Joint { windows, .. } => {
                let mut all: BTreeMap<u32, [SliceTotals; 2]> = BTreeMap::new();
                for (profile, halves) in windows.values().flat_map(|window| window.iter()) {
                    let own = all.entry(*profile).or_default();
                    own.iter_mut().zip(halves).for_each(|(own, more)| own.merge(more));
                }
                all
            }
            Resolution::Marginal { profiles, .. } => {
                profiles.iter().map(|(profile, halves)| (*profile, (**halves).clone())).collect()
            }
        }
    }

    /// Both halves of each profile of a window, in no particular order; `None` if only the margins are kept.
    pub fn profiles_in_window(
        &self,
        window: Window,
    ) -> Option<impl Iterator<Item = (u32, &[SliceTotals; 2])>> {
        let Resolution::Joint { windows, .. } = &self.0 else { return None };
        let profiles = windows.get(&window).into_iter().flat_map(|window| window.iter());
        Some(profiles.map(|(profile, halves)| (*profile, halves)))
    }

    /// Whether sums are kept by window and profile, not only as margins.
    pub fn has_joint_detail(&self) -> bool {
        matches!(self.0, Resolution::Joint { .. })
    }

    /// The sums up to the window `last`, inclusive. Without joint detail, the profiles are empty.
    pub fn through(&self, last: Window) -> SliceSums {
        match &self.0 {
            Resolution::Joint { windows, .. } => {
                let windows: BTreeMap<Window, CopyOnWrite<ByProfile>> =
                    windows.range(..=last).map(|(window, of)| (*window, of.clone())).collect();
                let sums = windows.values().flat_map(|of| of.values().flatten()).map(SliceTotals::sums).sum();
                SliceSums(Resolution::Joint { windows, sums })
            }
            Resolution::Marginal { windows, .. } => {
                let windows = windows.range(..=last).map(|(window, part)| (*window, part.clone())).collect();
                SliceSums(Resolution::Marginal { profiles: BTreeMap::new(), windows })
            }
        }
    }
}

impl SliceTotals {
    fn add(&mut self, models: &[ModelScores], metric: usize, row: usize) {
        if self.models.is_empty() {
            self.models = vec![ModelMoments::default(); models.len()];
        }
        self.pairs += 1;
        for (own, scored) in self.models.iter_mut().zip(models) {
            own.add(&scored.scores[metric], row);
        }
    }

    /// Adds all sums of `other`.
    pub fn merge(&mut self, other: &SliceTotals) {
        if self.models.is_empty() {
            *self = other.clone();
            return;
        }
        self.pairs += other.pairs;
        for (own, more) in self.models.iter_mut().zip(&other.models) {
            own.merge(more);
        }
    }

    /// The number of sums.
    fn sums(&self) -> usize {
        self.models.iter().map(|sums| sums.components.len() + sums.moments.len()).sum()
    }
}

impl ModelMoments {
    fn add(&mut self, components: &[Vec<f64>], row: usize) {
        self.components.resize(components.len(), ExactSum::default());
        let own = components.len().saturating_sub(1);
        let products = if own <= MAX_PRODUCT_COMPONENTS { own } else { 0 };
        let is_zero = |component: &Vec<f64>| component[row] == 0.0;
        if let Some((scored, own)) = components.split_last() {
            self.all_zero += u64::from(!is_zero(scored) && own.iter().all(is_zero));
        }
        for (at, (sum, values)) in self.components.iter_mut().zip(components).enumerate() {
            let value = values[row];
            if value == 0.0 {
                continue;
            }
            sum.add(value);
            for (other, values) in components[..products].iter().enumerate().skip(at) {
                let product = (value * values[row]).clamp(f64::MIN, f64::MAX);
                // Zero products are common and do not change the sum.
                if product != 0.0 {
                    product_sum(&mut self.moments, (at as u16, other as u16)).add(product);
                }
            }
        }
    }

    /// Adds all sums of `other`.
    pub fn merge(&mut self, other: &ModelMoments) {
        self.merge_components(other);
        for (at, more) in &other.moments {
            product_sum(&mut self.moments, *at).merge(more);
        }
    }

    /// Adds all sums of `other` except the sums of products.
    pub fn merge_components(&mut self, other: &ModelMoments) {
        self.all_zero += other.all_zero;
        self.components.resize(other.components.len().max(self.components.len()), ExactSum::default());
        self.components.iter_mut().zip(&other.components).for_each(|(sum, more)| sum.merge(more));
    }

    /// The number of scored pairs, the sums of the metric's own `components`, and the sums of the products
    /// `moments` in this order, each rounded once.
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

/// The sum of a product, inserted if necessary.
fn product_sum(moments: &mut Vec<((u16, u16), ExactSum)>, at: (u16, u16)) -> &mut ExactSum {
    let place = match moments.binary_search_by_key(&at, |(known, _)| *known) {
        Ok(place) => place,
        Err(place) => {
            moments.insert(place, (at, ExactSum::default()));
            place
        }
    };
    &mut moments[place].1
}

/// Serializes profiles in ascending order, so that equal sums have equal bytes.
fn ascending<S: serde::Serializer>(
    windows: &BTreeMap<Window, CopyOnWrite<ByProfile>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let sorted = |profiles: &'_ CopyOnWrite<ByProfile>| -> BTreeMap<u32, [SliceTotals; 2]> {
        profiles.iter().map(|(profile, halves)| (*profile, halves.clone())).collect()
    };
    serializer.collect_map(windows.iter().map(|(window, profiles)| (window, sorted(profiles))))
}

fn unordered<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Window, CopyOnWrite<ByProfile>>, D::Error> {
    let windows = BTreeMap::<Window, BTreeMap<u32, [SliceTotals; 2]>>::deserialize(deserializer)?;
    let shared = |profiles: BTreeMap<u32, [SliceTotals; 2]>| CopyOnWrite::new(profiles.into_iter().collect());
    Ok(windows.into_iter().map(|(window, profiles)| (window, shared(profiles))).collect())
}

#[cfg(test)]
mod tests;
