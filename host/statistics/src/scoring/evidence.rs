//! What a verdict needs besides the cells: the threshold's metric by window, scope and group of ids, what was blinded apart
//! from what was not, labels for chance, and what the inputs looked like.
//!
//! Always holds: as with cells, the same pairs give equal evidence, in whatever order and batches they were added. A pair's
//! group depends on its key alone, so whoever has the pairs can make the groups again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::cells::{ModelScores, Outcome};
use super::exact::ExactSum;
use super::window::Window;

/// How many groups ids are put into for the jackknife.
pub const GROUPS: u64 = 64;
/// Labels that are told apart in a window and scope.
const LABELS: usize = 1000;

/// The group of a pair whose key is `key`: XXH3-64 of its bytes, modulo [`GROUPS`].
pub fn group(key: &str) -> u8 {
    (xxh3_64(key.as_bytes()) % GROUPS) as u8
}

/// Where a part of the evidence belongs. Scope 0 is everything; the declared scopes follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The index of the scope.
    pub scope: u16,
    /// Whether the models were asked only after the decision had come.
    pub blinded: bool,
    /// The group of the pair's key.
    pub group: u8,
}

/// The threshold's metric over some pairs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// How many pairs.
    pub pairs: u64,
    /// For each model.
    pub models: Vec<ModelSums>,
}

/// One model's part of [`Sums`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelSums {
    /// Pairs that it left unanswered.
    pub unanswered: u64,
    /// The sum of each component of the metric; the last counts the pairs that it scored.
    pub components: Vec<ExactSum>,
    /// The sum of the squares of the first component.
    pub squares: ExactSum,
}

/// Labels over some pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// By label how often the substrate said it, and then how often each model did.
    pub counts: BTreeMap<String, Vec<u64>>,
    /// For each model how often it said the same as the substrate.
    pub same: Vec<u64>,
    /// How often a label came that is not told apart any more.
    pub beyond: u64,
}

/// The evidence of one window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WindowEvidence {
    /// The sums.
    pub sums: BTreeMap<Place, Sums>,
    /// Labels by scope, where chance is asked for.
    pub labels: BTreeMap<u16, Labels>,
    /// Compared pairs by occurrence of a value of the cycle: the index of the value, and which day, hour or month it was.
    pub occurrences: BTreeMap<(u16, i64), u64>,
}

/// The evidence by window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The windows that have a compared pair.
    pub windows: BTreeMap<Window, WindowEvidence>,
}

/// A compared pair.
#[derive(Clone, Debug)]
pub struct EvidencePair<'p> {
    /// The window of its snapshot.
    pub window: Window,
    /// The scopes that it belongs to, 0 among them.
    pub scopes: &'p [u16],
    /// The group of its key.
    pub group: u8,
    /// Whether the models were asked only after the decision had come.
    pub blinded: bool,
    /// The occurrence of a value of the cycle.
    pub occurrence: Option<(u16, i64)>,
    /// The label of the substrate and those of the models, where chance is asked for; `None` where there is no answer.
    pub labels: Option<(&'p str, &'p [Option<&'p str>])>,
}

impl Evidence {
    /// Adds row `row` of what the models were scored by the metric with index `metric`.
    pub fn add(&mut self, pair: &EvidencePair<'_>, models: &[ModelScores], metric: usize, row: usize) {
        let window = self.windows.entry(pair.window).or_default();
        if let Some(occurrence) = pair.occurrence {
            *window.occurrences.entry(occurrence).or_default() += 1;
        }
        for &scope in pair.scopes {
            let place = Place { scope, blinded: pair.blinded, group: pair.group };
            window.sums.entry(place).or_default().add(models, metric, row);
            if let Some((substrate, said)) = pair.labels {
                window.labels.entry(scope).or_default().add(substrate, said);
            }
        }
    }

    /// Adds all that `other` has.
    pub fn merge(&mut self, other: &Self) {
        for (window, more) in &other.windows {
            let own = self.windows.entry(*window).or_default();
            for (place, sums) in &more.sums {
                own.sums.entry(*place).or_default().merge(sums);
            }
            for (scope, labels) in &more.labels {
                own.labels.entry(*scope).or_default().merge(labels);
            }
            for (occurrence, pairs) in &more.occurrences {
                *own.occurrences.entry(*occurrence).or_default() += pairs;
            }
        }
    }

    /// What it has up to a window, that one too.
    pub fn until(&self, last: Window) -> Evidence {
        let windows = self.windows.range(..=last).map(|(window, of)| (*window, of.clone()));
        Evidence { windows: windows.collect() }
    }

    /// The sums of some windows at the places that `here` says.
    pub fn sums(&self, windows: &[Window], here: impl Fn(Place) -> bool) -> Sums {
        let mut all = Sums::default();
        let chosen = windows.iter().filter_map(|window| self.windows.get(window));
        for (_, sums) in chosen.flat_map(|window| &window.sums).filter(|(place, _)| here(**place)) {
            all.merge(sums);
        }
        all
    }

    /// The labels of some windows in a scope.
    pub fn labels(&self, windows: &[Window], scope: u16) -> Labels {
        let mut all = Labels::default();
        let chosen = windows.iter().filter_map(|window| self.windows.get(window));
        for labels in chosen.filter_map(|window| window.labels.get(&scope)) {
            all.merge(labels);
        }
        all
    }
}

impl Sums {
    fn of(models: usize, components: usize) -> Sums {
        let model =
            || ModelSums { components: vec![ExactSum::default(); components], ..ModelSums::default() };
        Sums { pairs: 0, models: (0..models).map(|_| model()).collect() }
    }

    fn add(&mut self, models: &[ModelScores], metric: usize, row: usize) {
        if self.models.is_empty() {
            *self = Sums::of(models.len(), models[0].scores[metric].len());
        }
        self.pairs += 1;
        for (own, scored) in self.models.iter_mut().zip(models) {
            own.unanswered += u64::from(scored.outcomes[row] != Outcome::Answered);
            let components = &scored.scores[metric];
            for (sum, component) in own.components.iter_mut().zip(components) {
                sum.add(component[row]);
            }
            let first = components[0][row];
            // A square beyond the range of 64 bits is held at its end: what uses it is of scores in a known range.
            own.squares.add((first * first).min(f64::MAX));
        }
    }

    /// Adds other sums of the same study.
    pub fn merge(&mut self, other: &Sums) {
        if self.models.is_empty() {
            *self = other.clone();
            return;
        }
        self.pairs += other.pairs;
        for (own, more) in self.models.iter_mut().zip(&other.models) {
            own.unanswered += more.unanswered;
            own.components.iter_mut().zip(&more.components).for_each(|(sum, more)| sum.merge(more));
            own.squares.merge(&more.squares);
        }
    }
}

impl Labels {
    fn add(&mut self, substrate: &str, said: &[Option<&str>]) {
        self.same.resize(said.len(), 0);
        let labels = std::iter::once(Some(substrate)).chain(said.iter().copied());
        for (column, label) in labels.enumerate() {
            let Some(label) = label else { continue };
            if !self.counts.contains_key(label) && self.counts.len() >= LABELS {
                self.beyond += 1;
                continue;
            }
            let counts = self.counts.entry(label.to_owned()).or_insert_with(|| vec![0; said.len() + 1]);
            counts[column] += 1;
        }
        for (same, label) in self.same.iter_mut().zip(said) {
            *same += u64::from(*label == Some(substrate));
        }
    }

    fn merge(&mut self, other: &Labels) {
        self.same.resize(other.same.len().max(self.same.len()), 0);
        self.same.iter_mut().zip(&other.same).for_each(|(same, more)| *same += more);
        for (label, more) in &other.counts {
            let counts = self.counts.entry(label.clone()).or_insert_with(|| vec![0; more.len()]);
            counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
        self.beyond += other.beyond;
    }
}

/// The accepted snapshots by window: how many, and what they looked like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The earliest observed time, microseconds; `None` before the first.
    pub earliest: Option<i64>,
    /// For each window.
    pub windows: BTreeMap<Window, WindowInputs>,
}

/// The accepted snapshots of one window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowInputs {
    /// By scope, everything first.
    pub scopes: Vec<u64>,
    /// For each condition, by value.
    pub values: Vec<Vec<u64>>,
}

impl Inputs {
    /// Counts a snapshot, observed at `micros`, in the scopes that it belongs to, with the value of each condition.
    pub fn add(
        &mut self,
        window: Window,
        micros: i64,
        scopes: &[u16],
        values: impl IntoIterator<Item = u16>,
    ) {
        self.earliest = Some(self.earliest.map_or(micros, |earliest| earliest.min(micros)));
        let window = self.windows.entry(window).or_default();
        for &scope in scopes {
            count(&mut window.scopes, usize::from(scope));
        }
        for (condition, value) in values.into_iter().enumerate() {
            if window.values.len() <= condition {
                window.values.push(Vec::new());
            }
            count(&mut window.values[condition], usize::from(value));
        }
    }

    /// What it has up to a window, that one too.
    pub fn until(&self, last: Window) -> Inputs {
        let windows = self.windows.range(..=last).map(|(window, of)| (*window, of.clone()));
        Inputs { earliest: self.earliest, windows: windows.collect() }
    }

    /// How many snapshots of some windows belong to a scope.
    pub fn snapshots(&self, windows: &[Window], scope: u16) -> u64 {
        let of = |window| self.windows.get(window)?.scopes.get(usize::from(scope)).copied();
        windows.iter().filter_map(of).sum()
    }

    /// How many snapshots of some windows have each of the first `values` values of a condition.
    pub fn values(&self, windows: &[Window], condition: usize, values: usize) -> Vec<u64> {
        let mut counts = vec![0; values];
        for of in windows.iter().filter_map(|window| self.windows.get(window)?.values.get(condition)) {
            counts.iter_mut().zip(of).for_each(|(count, more)| *count += more);
        }
        counts
    }
}

/// Counts one at `index` of a list that is as long as it has to be.
fn count(counts: &mut Vec<u64>, index: usize) {
    if counts.len() <= index {
        counts.resize(index + 1, 0);
    }
    counts[index] += 1;
}

#[cfg(test)]
mod tests;
