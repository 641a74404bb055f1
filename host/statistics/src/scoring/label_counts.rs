//! Counts the labels of substrate and models, from which agreement beyond chance is computed.
//!
//! Invariants:
//! - The same pairs give equal counts in any order and in any batches, unless there are more than the maximum of labels.
//!   Then `other` is above 0.
//! - Memory is bounded: at most [`MAX_LABELS`] labels are counted separately in one window and scope.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The maximum number of distinct labels that are counted separately in one window and scope.
pub const MAX_LABELS: usize = 1000;

/// The labels of one compared pair.
#[derive(Clone, Copy, Debug)]
pub struct PairLabels<'p> {
    /// The label of the substrate.
    pub substrate: &'p str,
    /// The label of each model; `None` without an answer.
    pub models: &'p [Option<&'p str>],
    /// The jackknife group by which the labels are counted; 0 for all pairs if the verdict needs no groups.
    pub group: u8,
}

/// The label counts of a set of pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCounts {
    /// The tallies, by label and then by jackknife group.
    pub labels: BTreeMap<String, BTreeMap<u8, LabelTally>>,
    /// How often the substrate or a model gave a label beyond the maximum, which is not counted separately.
    pub other: u64,
}

/// How often substrate and models gave one label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelTally {
    /// The number of pairs in which the substrate gave it.
    pub substrate: u64,
    /// The tally of each model, in the order of declaration.
    pub models: Vec<ModelLabelTally>,
}

/// How often a model gave one label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelLabelTally {
    /// The number of pairs in which the model gave it.
    pub given: u64,
    /// The number of these pairs in which the substrate gave it, too.
    pub agreed: u64,
}

impl LabelCounts {
    /// Adds a pair.
    pub fn add(&mut self, pair: PairLabels<'_>) {
        let models = pair.models.len();
        if let Some(tally) = self.tally(pair.substrate, pair.group, models) {
            tally.substrate += 1;
        }
        for (model, label) in pair.models.iter().enumerate() {
            let Some(label) = *label else { continue };
            if let Some(tally) = self.tally(label, pair.group, models) {
                tally.models[model].given += 1;
                tally.models[model].agreed += u64::from(label == pair.substrate);
            }
        }
    }

    /// The tally of a label. `None` if there are too many labels; then `other` is increased.
    fn tally(&mut self, label: &str, group: u8, models: usize) -> Option<&mut LabelTally> {
        if !self.labels.contains_key(label) {
            if self.labels.len() >= MAX_LABELS {
                self.other += 1;
                return None;
            }
            self.labels.insert(label.to_owned(), BTreeMap::new());
        }
        let tally = self.labels.get_mut(label)?.entry(group).or_default();
        tally.models.resize(models, ModelLabelTally::default());
        Some(tally)
    }

    /// Adds counts of the same study.
    pub fn merge(&mut self, other: &LabelCounts) {
        for (label, groups) in &other.labels {
            let own = self.labels.entry(label.clone()).or_default();
            for (group, more) in groups {
                own.entry(*group).or_default().merge(more);
            }
        }
        self.other += other.other;
    }
}

impl LabelTally {
    fn merge(&mut self, other: &LabelTally) {
        self.substrate += other.substrate;
        self.models.resize(self.models.len().max(other.models.len()), ModelLabelTally::default());
        for (own, more) in self.models.iter_mut().zip(&other.models) {
            own.given += more.given;
            own.agreed += more.agreed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_beyond_the_maximum_are_counted_together() {
        let mut counts = LabelCounts::default();
        for label in 0..MAX_LABELS + 5 {
            let label = label.to_string();
            counts.add(PairLabels { substrate: &label, models: &[Some("0")], group: 0 });
        }
        assert_eq!((counts.labels.len(), counts.other), (MAX_LABELS, 5));
        let tally = &counts.labels["0"][&0];
        assert_eq!(
            (tally.substrate, tally.models[0].given, tally.models[0].agreed),
            (1, MAX_LABELS as u64 + 5, 1)
        );
        let mut twice = LabelCounts::default();
        twice.merge(&counts);
        twice.merge(&counts);
        assert_eq!((twice.labels.len(), twice.other), (MAX_LABELS, 10));
    }

    #[test]
    fn groups_are_counted_separately() {
        let mut counts = LabelCounts::default();
        for (substrate, model, group) in
            [("a", Some("a"), 3), ("a", Some("b"), 3), ("b", None, 5), ("a", Some("a"), 5)]
        {
            counts.add(PairLabels { substrate, models: &[model], group });
        }
        let tally = |label: &str, group: u8| {
            let tally = &counts.labels[label][&group];
            (tally.substrate, tally.models[0].given, tally.models[0].agreed)
        };
        assert_eq!(
            [tally("a", 3), tally("a", 5), tally("b", 3), tally("b", 5)],
            [(2, 1, 1), (1, 1, 1), (0, 1, 0), (1, 0, 0)]
        );
    }
}
