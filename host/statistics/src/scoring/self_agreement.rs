//! Counts equal decisions of the substrate within input classes and by rater, from which the ceiling
//! of any model's agreement follows.
//!
//! Invariants:
//! - The same pairs give equal sums and the same serialized bytes, whatever the order and the batches.
//! - The sums of a window depend on the pairs of this window alone. So later windows do not change the sums through a window.
//! - Each window keeps a bounded number of input classes and raters. An input class counts in several windows only if
//!   all of them keep it, so its counts are complete.

mod estimate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use estimate::{DecisionPairs, InputClassMean, MIN_REPEATED_INPUT_CLASSES};

use super::calendar_window::Window;
use super::copy_on_write::CopyOnWrite;
use super::input_class_sample::{InputClassDecision, InputClassSample, add_equal, merge_counts};
use understudy_study::Every;

/// The most raters that are counted separately in one window.
pub const MAX_RATERS: usize = 128;

/// The rater of a decision.
#[derive(Clone, Copy, Debug)]
pub struct Rater<'p> {
    /// The hash of the name; not 0.
    pub hash: u64,
    /// The name, if the study shows raters by name.
    pub name: Option<&'p str>,
}

/// A compared pair.
#[derive(Clone, Copy, Debug)]
pub struct InputClassPair<'p> {
    /// The window of the pair's snapshot.
    pub window: Window,
    /// The scopes to which the pair belongs; 0, all pairs, is among them.
    pub scopes: &'p [u16],
    /// The hash of the input class.
    pub class: u64,
    /// The hash of the substrate's answer.
    pub answer: u64,
    /// Who decided, if that is declared and known.
    pub rater: Option<Rater<'p>>,
    /// For each model whether it gave the substrate's answer.
    pub equal: &'p [bool],
}

/// The pairs of one rater.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaterCounts {
    /// The name, if the study shows raters by name.
    pub name: Option<String>,
    /// The number of pairs.
    pub pairs: u64,
    /// For each model: the pairs in which it gave the rater's answer.
    pub equal: Vec<u64>,
}

/// The raters with the smallest hashes, with complete counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct RaterSample {
    raters: BTreeMap<u64, RaterCounts>,
    /// The smallest hash of an evicted rater.
    evicted_from: Option<u64>,
    /// The pairs with a rater, kept or not.
    pairs: u64,
}

impl RaterSample {
    fn add(&mut self, hash: u64, counts: &RaterCounts) {
        if self.evicted_from.is_some_and(|evicted| hash >= evicted) {
            return;
        }
        let own = self.raters.entry(hash).or_default();
        own.name = own.name.take().or_else(|| counts.name.clone());
        own.pairs += counts.pairs;
        merge_counts(&mut own.equal, &counts.equal);
        if self.raters.len() > MAX_RATERS {
            self.evicted_from = self.raters.pop_last().map(|(hash, _)| hash);
        }
    }

    fn merge(&mut self, other: &RaterSample) {
        self.pairs += other.pairs;
        if let Some(hash) = other.evicted_from.filter(|hash| self.evicted_from.is_none_or(|own| *hash < own))
        {
            self.raters.split_off(&hash);
            self.evicted_from = Some(hash);
        }
        other.raters.iter().for_each(|(hash, counts)| self.add(*hash, counts));
    }
}

/// The sums of one window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct WindowSelfAgreement {
    /// The input classes of each scope.
    scopes: BTreeMap<u16, InputClassSample>,
    raters: RaterSample,
}

/// The sums of a study, by window. Empty if the study declares no ceiling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfAgreementSums {
    windows: BTreeMap<Window, CopyOnWrite<WindowSelfAgreement>>,
}

/// The raters over some windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raters {
    /// The raters whose counts are complete in all of these windows, in the order of their hashes.
    pub raters: Vec<RaterCounts>,
    /// The pairs of the other raters.
    pub other_pairs: u64,
}

/// The most counts of answers in the input classes of one window and scope. A year has at most 200,000 (month, week) to
/// 1,100,000 (hour) of them.
pub fn input_class_capacity(every: Every) -> usize {
    match every {
        Every::Hour => 128,
        Every::Day => 1024,
        Every::Week => 4096,
        Every::Month => 16_384,
    }
}

impl SelfAgreementSums {
    /// Adds a pair. `capacity` is the [`input_class_capacity`] of the study's windows.
    pub fn add(&mut self, pair: &InputClassPair<'_>, capacity: usize) {
        let InputClassPair { class, answer, equal, .. } = *pair;
        let window = self.windows.entry(pair.window).or_default().to_mut();
        let rater = pair.rater.map_or(0, |rater| rater.hash);
        for &scope in pair.scopes {
            let decision = InputClassDecision { class, answer, rater, equal };
            window.scopes.entry(scope).or_default().add(decision, capacity);
        }
        if let Some(Rater { hash, name }) = pair.rater {
            let mut counts = RaterCounts { name: name.map(str::to_owned), pairs: 1, equal: Vec::new() };
            add_equal(&mut counts.equal, equal);
            window.raters.pairs += 1;
            window.raters.add(hash, &counts);
        }
    }

    /// Adds all pairs of `other`, which has the same capacity.
    pub fn merge(&mut self, other: &SelfAgreementSums, capacity: usize) {
        for (window, more) in &other.windows {
            let own = self.windows.entry(*window).or_default().to_mut();
            for (scope, sample) in &more.scopes {
                own.scopes.entry(*scope).or_default().merge(sample, capacity);
            }
            own.raters.merge(&more.raters);
        }
    }

    /// The sums up to the window `last`, inclusive.
    pub fn through(&self, last: Window) -> SelfAgreementSums {
        let windows = self.windows.range(..=last).map(|(window, sums)| (*window, sums.clone()));
        SelfAgreementSums { windows: windows.collect() }
    }

    /// The windows that have pairs.
    pub fn windows(&self) -> Vec<Window> {
        self.windows.keys().copied().collect()
    }

    /// The input classes of a scope that all of the given windows keep.
    pub fn classes(&self, windows: &[Window], scope: u16) -> InputClassSample {
        let mut all = InputClassSample::default();
        let chosen = windows.iter().filter_map(|window| self.windows.get(window)?.scopes.get(&scope));
        chosen.for_each(|sample| all.merge(sample, usize::MAX));
        all
    }

    /// The raters over the given windows.
    pub fn raters(&self, windows: &[Window]) -> Raters {
        let mut all = RaterSample::default();
        windows.iter().filter_map(|window| self.windows.get(window)).for_each(|sums| all.merge(&sums.raters));
        let other_pairs = all.pairs - all.raters.values().map(|rater| rater.pairs).sum::<u64>();
        Raters { raters: all.raters.into_values().collect(), other_pairs }
    }
}

#[cfg(test)]
mod tests;
