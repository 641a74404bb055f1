//! Sums of the scores of models and baselines over the same pairs, from which the gain of a model is computed.
//!
//! Invariants:
//! - A pair is added only if the metric scored the model and every baseline, so both values are over the same pairs.
//! - The same pairs give equal sums, in any order and after any merges.

use serde::{Deserialize, Serialize};

use super::exact_sum::ExactSum;

/// The sums of one model and its baselines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GainSums {
    /// Over the pairs that the model answered.
    pub answered: ScoreSums,
    /// Over the pairs that it did not answer. The metric decides whether they count.
    pub unanswered: ScoreSums,
    /// The least and the greatest hash of the model's answers; `None` without an answer. The two hashes are equal if all
    /// answers are.
    pub hashes: Option<(u64, u64)>,
}

/// The sums of the scores over some pairs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreSums {
    /// The number of pairs.
    pub pairs: u64,
    /// The sum of each component of the model's score.
    pub model: Vec<ExactSum>,
    /// The sums of each baseline.
    pub baselines: Vec<BaselineSums>,
}

/// The sums of one baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BaselineSums {
    /// The sum of each component of the baseline's score.
    pub components: Vec<ExactSum>,
    /// The sum of squares of the difference between the first components of model and baseline.
    pub squares: ExactSum,
}

impl GainSums {
    /// Adds a pair. `hash` is that of the model's answer, `None` without one; `model` and `baselines` are the components of
    /// the scores.
    pub fn add(&mut self, hash: Option<u64>, model: &[f64], baselines: &[&[f64]]) {
        let sums = if hash.is_some() { &mut self.answered } else { &mut self.unanswered };
        sums.add(model, baselines);
        self.add_hashes(hash.map(|hash| (hash, hash)));
    }

    /// Adds sums of the same study.
    pub fn merge(&mut self, other: &GainSums) {
        self.answered.merge(&other.answered);
        self.unanswered.merge(&other.unanswered);
        self.add_hashes(other.hashes);
    }

    fn add_hashes(&mut self, hashes: Option<(u64, u64)>) {
        let Some((least, greatest)) = hashes else { return };
        let (known_least, known_greatest) = self.hashes.unwrap_or((least, greatest));
        self.hashes = Some((known_least.min(least), known_greatest.max(greatest)));
    }
}

impl ScoreSums {
    fn add(&mut self, model: &[f64], baselines: &[&[f64]]) {
        self.pairs += 1;
        self.reserve(model.len(), baselines.len());
        add_each(&mut self.model, model);
        for (own, components) in self.baselines.iter_mut().zip(baselines) {
            add_each(&mut own.components, components);
            let difference = model[0] - components[0];
            // A square beyond the range of f64 is clamped to its maximum. Only scores in a bounded range use the squares.
            own.squares.add((difference * difference).min(f64::MAX));
        }
    }

    /// Adds sums of the same study.
    pub fn merge(&mut self, other: &ScoreSums) {
        self.pairs += other.pairs;
        self.reserve(other.model.len(), other.baselines.len());
        self.model.iter_mut().zip(&other.model).for_each(|(sum, more)| sum.merge(more));
        for (own, more) in self.baselines.iter_mut().zip(&other.baselines) {
            own.components.iter_mut().zip(&more.components).for_each(|(sum, more)| sum.merge(more));
            own.squares.merge(&more.squares);
        }
    }

    /// Extends the sums to this number of components and baselines.
    fn reserve(&mut self, components: usize, baselines: usize) {
        if self.model.len() < components {
            self.model.resize(components, ExactSum::default());
        }
        if self.baselines.len() < baselines {
            let sums = BaselineSums {
                components: vec![ExactSum::default(); components],
                squares: ExactSum::default(),
            };
            self.baselines.resize(baselines, sums);
        }
    }
}

fn add_each(sums: &mut [ExactSum], values: &[f64]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| sum.add(*value));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Row = (Option<u64>, [f64; 2], [f64; 2]);

    fn sums(rows: &[Row]) -> GainSums {
        let mut sums = GainSums::default();
        rows.iter().for_each(|(hash, model, baseline)| sums.add(*hash, model, &[baseline]));
        sums
    }

    #[test]
    fn unanswered_pairs_are_summed_separately() {
        let found = sums(&[(Some(7), [1.0, 1.0], [0.25, 1.0]), (None, [0.0, 0.0], [3.0, 1.0])]);
        assert_eq!((found.answered.pairs, found.unanswered.pairs, found.hashes), (1, 1, Some((7, 7))));
        assert_eq!(found.answered.baselines[0].squares.value(), 0.5625);
        assert_eq!(found.unanswered.baselines[0].components[0].value(), 3.0);
        assert_eq!(
            sums(&[(Some(7), [0.0; 2], [0.0; 2]), (Some(9), [0.0; 2], [0.0; 2])]).hashes,
            Some((7, 9))
        );
    }

    proptest! {
        #[test]
        fn sums_do_not_depend_on_the_order_and_on_merges(
            rows in prop::collection::vec(
                (prop::option::of(0u64..3), prop::array::uniform2(-1e3..1e3), prop::array::uniform2(-1e3..1e3)),
                0..30,
            ),
            at in 0usize..30,
            seed: u64,
        ) {
            let expected = sums(&rows);
            let mut shuffled = rows.clone();
            fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
            let (one, other) = shuffled.split_at(at.min(shuffled.len()));
            let mut merged = sums(one);
            merged.merge(&sums(other));
            prop_assert_eq!(merged, expected);
        }
    }
}
