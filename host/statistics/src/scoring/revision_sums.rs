//! Counts the decisions that were revised, and sums the scores of the pairs before and after the revision.
//!
//! Invariants:
//! - The same pairs give equal sums and the same serialized bytes, whatever the order and the batches.
//! - The two sums of scores have the same pairs: those whose first and last decision the comparator answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calendar_window::Window;
use super::cells::{Cells, CellsError, CellsShape, ModelScores, ScoredPairs, Slice};

/// The counts of one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionCounts {
    /// Pairs with more than one decision.
    pub pairs: u64,
    /// Their decisions that do not count.
    pub decisions: u64,
    /// Of these pairs, those whose first and last decision the comparator answered.
    pub known: u64,
    /// Of the known pairs, those with different answers to the first and the last decision.
    pub changed: u64,
}

impl RevisionCounts {
    fn add(&mut self, RevisionCounts { pairs, decisions, known, changed }: RevisionCounts) {
        self.pairs += pairs;
        self.decisions += decisions;
        self.known += known;
        self.changed += changed;
    }
}

/// Pairs with more than one decision, as columns.
#[derive(Clone, Copy, Debug)]
pub struct RevisedPairs<'a> {
    /// The window of each pair.
    pub windows: &'a [Window],
    /// For each condition, the index of each pair's value.
    pub conditions: &'a [Vec<u16>],
    /// For each pair the number of decisions that do not count, at least 1.
    pub decisions: &'a [u32],
    /// For each pair whether the answers to its first and last decision differ; `None` unless both are known.
    pub changed: &'a [Option<bool>],
}

/// The sums over the pairs with more than one decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RevisionSums {
    counts: BTreeMap<Window, BTreeMap<Slice, RevisionCounts>>,
    /// The scores against the decision that counts.
    counting: Cells,
    /// The scores against the decision at the other end of the order of revisions.
    other: Cells,
}

impl RevisionSums {
    /// Sums without pairs.
    pub fn new(shape: CellsShape) -> RevisionSums {
        RevisionSums {
            counts: BTreeMap::new(),
            counting: Cells::new(shape.clone()),
            other: Cells::new(shape),
        }
    }

    /// Counts revised pairs. `counting` and `other` are, for each model, the scores of the known ones against the
    /// decision that counts and against the other one.
    ///
    /// # Errors
    /// If the columns do not have the shape of the study.
    pub fn add(
        &mut self,
        pairs: RevisedPairs<'_>,
        counting: &[ModelScores],
        other: &[ModelScores],
    ) -> Result<(), CellsError> {
        let known: Vec<usize> =
            (0..pairs.windows.len()).filter(|row| pairs.changed[*row].is_some()).collect();
        if !known.is_empty() {
            let windows: Vec<Window> = known.iter().map(|&row| pairs.windows[row]).collect();
            let values = |condition: &Vec<u16>| known.iter().map(|&row| condition[row]).collect();
            let conditions: Vec<Vec<u16>> = pairs.conditions.iter().map(values).collect();
            let scored = |models| ScoredPairs { windows: &windows, conditions: &conditions, models };
            self.counting.add(scored(counting))?;
            self.other.add(scored(other))?;
        }
        for (row, window) in pairs.windows.iter().enumerate() {
            let counts = RevisionCounts {
                pairs: 1,
                decisions: pairs.decisions[row].into(),
                known: pairs.changed[row].is_some().into(),
                changed: (pairs.changed[row] == Some(true)).into(),
            };
            let slices = self.counts.entry(*window).or_default();
            slices.entry(Slice::All).or_default().add(counts);
            for (condition, values) in pairs.conditions.iter().enumerate() {
                let value = usize::from(values[row]);
                slices.entry(Slice::Value { condition, value }).or_default().add(counts);
            }
        }
        Ok(())
    }

    /// The counts of a slice over all windows.
    pub fn counts(&self, slice: Slice) -> RevisionCounts {
        let mut all = RevisionCounts::default();
        self.counts.values().filter_map(|slices| slices.get(&slice)).for_each(|counts| all.add(*counts));
        all
    }

    /// The scores against the decision that counts.
    pub fn counting(&self) -> &Cells {
        &self.counting
    }

    /// The scores of the same pairs against the decision at the other end of the order of revisions.
    pub fn other(&self) -> &Cells {
        &self.other
    }

    /// The sums up to the window `last`, inclusive.
    pub fn through(&self, last: Window) -> RevisionSums {
        let counts = self.counts.range(..=last).map(|(window, slices)| (*window, slices.clone()));
        RevisionSums {
            counts: counts.collect(),
            counting: self.counting.through(last),
            other: self.other.through(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scoring::{AnswerStatus, WindowClock};
    use jiff::tz::TimeZone;
    use understudy_study::{Every, Windows};

    const DAY: i64 = 86_400_000_000;

    /// A pair: day, value of the only condition, revised decisions, and the scores of both decisions if known.
    type Pair = (u8, u16, u32, Option<(bool, bool)>);

    fn scores(values: impl Iterator<Item = bool>) -> Vec<ModelScores> {
        let values: Vec<f64> = values.map(|hit| f64::from(u8::from(hit))).collect();
        vec![ModelScores {
            statuses: vec![AnswerStatus::Answered; values.len()],
            scores: vec![vec![values.clone(), vec![1.0; values.len()]]],
        }]
    }

    fn sums(batches: &[&[Pair]]) -> RevisionSums {
        let week_ends = jiff::civil::Weekday::Sunday;
        let mut clock = WindowClock::new(Windows { every: Every::Day, week_ends }, TimeZone::UTC);
        let shape = CellsShape { conditions: vec![3], models: 1, components: vec![2] };
        let mut sums = RevisionSums::new(shape);
        for batch in batches {
            let windows: Vec<Window> =
                batch.iter().map(|pair| clock.window(i64::from(pair.0) * DAY)).collect();
            let conditions = [batch.iter().map(|pair| pair.1).collect::<Vec<u16>>()];
            let decisions: Vec<u32> = batch.iter().map(|pair| pair.2).collect();
            let changed: Vec<Option<bool>> =
                batch.iter().map(|pair| pair.3.map(|(one, other)| one != other)).collect();
            let known = || batch.iter().filter_map(|pair| pair.3);
            let pairs = RevisedPairs {
                windows: &windows,
                conditions: &conditions,
                decisions: &decisions,
                changed: &changed,
            };
            let (counting, other) =
                (scores(known().map(|(one, _)| one)), scores(known().map(|(_, other)| other)));
            sums.add(pairs, &counting, &other).unwrap();
        }
        sums
    }

    fn pairs() -> impl Strategy<Value = Vec<Pair>> {
        prop::collection::vec((0u8..4, 0u16..3, 1u32..4, any::<Option<(bool, bool)>>()), 0..40)
    }

    proptest! {
        #[test]
        fn sums_do_not_depend_on_order_and_batches(pairs in pairs(), cut in 0usize..40, days in 0u8..4) {
            let whole = sums(&[&pairs]);
            let mut reversed = pairs.clone();
            reversed.reverse();
            let (one, other) = reversed.split_at(cut.min(reversed.len()));
            let parts = sums(&[one, other]);
            prop_assert_eq!(&whole, &parts);
            for slice in [Slice::All, Slice::Value { condition: 0, value: 1 }] {
                let within: Vec<&Pair> =
                    pairs.iter().filter(|pair| slice == Slice::All || pair.1 == 1).collect();
                let known = within.iter().filter(|pair| pair.3.is_some()).count() as u64;
                let counts = RevisionCounts {
                    pairs: within.len() as u64,
                    decisions: within.iter().map(|pair| u64::from(pair.2)).sum(),
                    known,
                    changed: within.iter().filter(|p| p.3.is_some_and(|(one, other)| one != other)).count() as u64,
                };
                prop_assert_eq!(whole.counts(slice), counts);
                let hits = |second: bool| {
                    let hit = |pair: &&&Pair| pair.3.is_some_and(|(one, other)| if second { other } else { one });
                    within.iter().filter(hit).count() as f64
                };
                for (cells, second) in [(whole.counting(), false), (whole.other(), true)] {
                    let all = cells.fold(cells.iter().map(|(window, _)| window));
                    let tally = all.tally(slice, 0, 0);
                    prop_assert_eq!((tally.pairs, tally.sums[0]), (known, hits(second)));
                }
            }
            let until: Vec<Pair> = pairs.iter().filter(|pair| pair.0 <= days).copied().collect();
            let last = sums(&[&[(days, 0, 1, None)]]).counts.into_keys().next().unwrap();
            prop_assert_eq!(whole.through(last), sums(&[&until]));
        }
    }
}
