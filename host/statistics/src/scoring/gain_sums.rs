//! Sums of the scores of models and baselines over the same pairs, from which the gain of a model is computed.
//!
//! Invariants:
//! - A pair is summed only if the metric scored the model and every baseline, so both values are over the same pairs.
//!   Every other pair is counted by the reason why it is left out.
//! - The same pairs give equal sums, in any order and after any merges.

use serde::{Deserialize, Serialize};

use super::exact_sum::ExactSum;
use super::score_histogram::{ScoreHistogram, ScoreRange};

/// The sums of one model and its baselines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GainSums {
    /// Over the answered pairs with an earlier decision of a pair that the model answered, too.
    pub answered: ScoreSums,
    /// Over the answered pairs whose earlier decisions are all those of pairs that the model did not answer.
    pub first_answered: ScoreSums,
    /// Over the pairs that the model did not answer. The metric determines whether they count.
    pub unanswered: ScoreSums,
    /// The least and the greatest hash of the model's answers; `None` without an answer. The two hashes are equal if all
    /// answers are.
    pub hashes: Option<(u64, u64)>,
    /// The answered pairs in which the score is not that of the model's first answer in their window.
    pub differing_from_first: u64,
    /// The answered pairs in which the score is not that of its first answer in the latest earlier window that has one.
    pub differing_from_earlier_first: u64,
    /// The pairs without an earlier decision.
    pub without_decision: u64,
    /// The pairs with an earlier decision in which the metric could not score the model or a baseline.
    pub unscored: u64,
}

/// The comparison of one model with its baselines in one pair.
#[derive(Clone, Debug)]
pub enum PairComparison<'s> {
    /// No decision is earlier than the snapshot.
    WithoutDecision,
    /// The metric could not score the model or a baseline.
    Unscored,
    /// The metric scored the model and every baseline.
    Scored(PairScores<'s>),
}

/// The scores of one model and its baselines for one pair.
#[derive(Clone, Debug)]
pub struct PairScores<'s> {
    /// The hash of the model's answer; `None` without one.
    pub hash: Option<u64>,
    /// Whether the score is that of the model's first answer in the window.
    pub equals_first_score: bool,
    /// Whether the score equals that of the first answer in the latest earlier window with an answer; `None` without such a
    /// window.
    pub equals_earlier_first_score: Option<bool>,
    /// Whether an earlier decision is that of a pair that the model answered.
    pub has_answered: bool,
    /// The components of the model's score.
    pub model: &'s [f64],
    /// The components of the score of each baseline: those that learn from all earlier decisions, from the answered pairs,
    /// and from the model's own answers.
    pub baselines: Vec<&'s [f64]>,
}

/// The sums of the scores over some pairs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreSums {
    /// The number of pairs.
    pub pairs: u64,
    /// The sum of each component of the model's score.
    pub model: Vec<ExactSum>,
    /// The sums of each baseline, in the order of [`PairScores::baselines`].
    pub baselines: Vec<BaselineSums>,
}

/// The sums of one baseline over the pairs in which the model is compared with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BaselineSums {
    /// The sum of each component of the baseline's score.
    pub components: Vec<ExactSum>,
    /// The sum of squares of the difference between the first components of model and baseline.
    pub squares: ExactSum,
    /// The pairs in which any component of model and baseline differs.
    pub differing: u64,
}

/// The differences between the score of a model and that of each of its baselines, in the order of
/// [`PairScores::baselines`]. The kinds of pairs are those of [`GainSums`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferenceHistograms {
    answered: Vec<ScoreHistogram>,
    first_answered: Vec<ScoreHistogram>,
    unanswered: Vec<ScoreHistogram>,
}

impl DifferenceHistograms {
    /// Adds a pair, if the metric scored the model and every baseline. `range` is that of the scores.
    pub fn add(&mut self, pair: &PairComparison<'_>, range: ScoreRange) {
        let PairComparison::Scored(scores) = pair else { return };
        let own = match (scores.hash.is_some(), scores.has_answered) {
            (false, _) => &mut self.unanswered,
            (true, true) => &mut self.answered,
            (true, false) => &mut self.first_answered,
        };
        own.resize(scores.baselines.len(), ScoreHistogram::default());
        for (histogram, components) in own.iter_mut().zip(&scores.baselines) {
            histogram.add(scores.model[0] - components[0], range.of_differences());
        }
    }

    /// Adds differences of the same study.
    pub fn merge(&mut self, other: &DifferenceHistograms) {
        let parts = [
            (&mut self.answered, &other.answered),
            (&mut self.first_answered, &other.first_answered),
            (&mut self.unanswered, &other.unanswered),
        ];
        for (own, more) in parts {
            own.resize(own.len().max(more.len()), ScoreHistogram::default());
            own.iter_mut().zip(more).for_each(|(own, more)| own.merge(more));
        }
    }

    /// The differences to the baseline with this index, over the pairs that are summed in [`GainSums::answered`]. Unless
    /// `answered_only`, those of all other scored pairs are added.
    pub fn baseline(&self, index: usize, answered_only: bool) -> ScoreHistogram {
        let others = [&self.first_answered, &self.unanswered].into_iter().filter(|_| !answered_only);
        let mut all = ScoreHistogram::default();
        let own = std::iter::once(&self.answered).chain(others).filter_map(|part| part.get(index));
        own.for_each(|histogram| all.merge(histogram));
        all
    }
}

impl GainSums {
    /// Adds a pair.
    pub fn add(&mut self, pair: &PairComparison<'_>) {
        let scores = match pair {
            PairComparison::WithoutDecision => {
                self.without_decision += 1;
                return;
            }
            PairComparison::Unscored => {
                self.unscored += 1;
                return;
            }
            PairComparison::Scored(scores) => scores,
        };
        let is_answered = scores.hash.is_some();
        let sums = match (is_answered, scores.has_answered) {
            (false, _) => &mut self.unanswered,
            (true, true) => &mut self.answered,
            (true, false) => &mut self.first_answered,
        };
        sums.add(scores.model, &scores.baselines);
        self.differing_from_first += u64::from(is_answered && !scores.equals_first_score);
        self.differing_from_earlier_first +=
            u64::from(is_answered && scores.equals_earlier_first_score == Some(false));
        self.add_hashes(scores.hash.map(|hash| (hash, hash)));
    }

    /// Adds sums of the same study.
    pub fn merge(&mut self, other: &GainSums) {
        self.answered.merge(&other.answered);
        self.first_answered.merge(&other.first_answered);
        self.unanswered.merge(&other.unanswered);
        self.add_hashes(other.hashes);
        self.differing_from_first += other.differing_from_first;
        self.differing_from_earlier_first += other.differing_from_earlier_first;
        self.without_decision += other.without_decision;
        self.unscored += other.unscored;
    }

    /// Whether one answer, given to every answered pair of these windows, has the score of the model in each: all answers
    /// are equal, or the metric scores them like the first answer of the windows. The latter is found window by window:
    /// each answer has the score of the first answer in the window before.
    ///
    /// `windows` are the sums of consecutive windows, in order of time.
    pub fn are_constant(windows: &[GainSums]) -> bool {
        let mut hashes = GainSums::default();
        windows.iter().for_each(|sums| hashes.add_hashes(sums.hashes));
        let mut answered = windows.iter().filter(|sums| sums.hashes.is_some());
        let Some(first) = answered.next() else { return false };
        hashes.hashes.is_some_and(|(least, greatest)| least == greatest)
            || (first.differing_from_first == 0
                && answered.all(|sums| sums.differing_from_earlier_first == 0))
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
            own.differing += u64::from(model != *components);
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
            own.differing += more.differing;
        }
    }

    /// Extends the sums to this number of components and baselines.
    fn reserve(&mut self, components: usize, baselines: usize) {
        if self.model.len() < components {
            self.model.resize(components, ExactSum::default());
        }
        if self.baselines.len() < baselines {
            let sums =
                BaselineSums { components: vec![ExactSum::default(); components], ..BaselineSums::default() };
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

    type Row = (Option<u64>, bool, [f64; 2], [f64; 2]);

    fn sums(rows: &[Row]) -> GainSums {
        let mut sums = GainSums::default();
        for (hash, equals_first_score, model, baseline) in rows {
            let (model, baselines) = (&model[..], vec![&baseline[..]]);
            sums.add(&PairComparison::Scored(PairScores {
                hash: *hash,
                equals_first_score: *equals_first_score,
                equals_earlier_first_score: None,
                has_answered: *equals_first_score || model[0] > 0.0,
                model,
                baselines,
            }));
        }
        sums
    }

    #[test]
    fn unanswered_pairs_are_summed_separately() {
        let found = sums(&[(Some(7), true, [1.0, 1.0], [0.25, 1.0]), (None, false, [0.0, 0.0], [3.0, 1.0])]);
        assert_eq!((found.answered.pairs, found.unanswered.pairs, found.hashes), (1, 1, Some((7, 7))));
        assert_eq!(found.answered.baselines[0].squares.value(), 0.5625);
        assert_eq!(found.unanswered.baselines[0].components[0].value(), 3.0);
        // An unanswered pair has no answer that could vary.
        assert_eq!(found.differing_from_first, 0);
    }

    #[test]
    fn a_constant_has_equal_answers_or_the_scores_of_its_first_answer() {
        let answer = |hash, equals_first_score| (Some(hash), equals_first_score, [0.5, 1.0], [0.25, 1.0]);
        let is_constant = |rows: &[Row]| GainSums::are_constant(&[sums(rows)]);
        assert!(is_constant(&[answer(7, true), answer(7, false)]));
        assert!(is_constant(&[answer(7, true), answer(9, true)]));
        assert!(!is_constant(&[answer(7, true), answer(9, true), answer(9, false)]));
        assert!(!is_constant(&[(None, true, [0.0; 2], [0.0; 2])]));
    }

    #[test]
    fn a_constant_has_the_scores_of_the_first_answer_in_the_window_before() {
        let window = |hash, differing_from_first, differing_from_earlier_first| GainSums {
            hashes: Some((hash, hash + 1)),
            differing_from_first,
            differing_from_earlier_first,
            ..GainSums::default()
        };
        // What came before the first of the windows, and variation within later ones, do not matter.
        assert!(GainSums::are_constant(&[window(1, 0, 5), GainSums::default(), window(3, 2, 0)]));
        assert!(!GainSums::are_constant(&[window(1, 1, 0), window(3, 0, 0)]));
        assert!(!GainSums::are_constant(&[window(1, 0, 0), window(3, 0, 1)]));
        let equal = GainSums {
            hashes: Some((7, 7)),
            differing_from_first: 3,
            differing_from_earlier_first: 3,
            ..GainSums::default()
        };
        assert!(GainSums::are_constant(&[equal.clone(), equal]));
    }

    #[test]
    fn answered_scores_are_compared_with_the_first_of_an_earlier_window() {
        let mut found = GainSums::default();
        for (hash, equals_earlier_first_score) in
            [(Some(1), Some(false)), (Some(1), Some(true)), (Some(1), None), (None, Some(false))]
        {
            found.add(&PairComparison::Scored(PairScores {
                hash,
                equals_first_score: true,
                equals_earlier_first_score,
                has_answered: true,
                model: &[1.0],
                baselines: Vec::new(),
            }));
        }
        assert_eq!((found.answered.pairs, found.differing_from_earlier_first), (3, 1));
        let mut twice = found.clone();
        twice.merge(&found);
        assert_eq!(twice.differing_from_earlier_first, 2);
    }

    #[test]
    fn scores_are_equal_if_all_components_are() {
        // The first component is equal, and the squares of tiny differences are below the unit of a sum.
        let rows = [([1.0, 0.0], [1.0, 0.0]), ([1.0, 1.0], [1.0, 0.0]), ([1e-12, 0.0], [0.0, 0.0])];
        let rows = rows.map(|(model, baseline)| (Some(1), true, model, baseline));
        let found = sums(&rows);
        assert_eq!((found.answered.baselines[0].differing, found.answered.pairs), (2, 3));
    }

    #[test]
    fn pairs_that_are_left_out_are_counted_by_their_reason() {
        let mut found = GainSums::default();
        [PairComparison::WithoutDecision, PairComparison::Unscored, PairComparison::Unscored]
            .iter()
            .for_each(|pair| found.add(pair));
        let mut twice = found.clone();
        twice.merge(&found);
        assert_eq!((twice.without_decision, twice.unscored, twice.answered.pairs), (2, 4, 0));
    }

    proptest! {
        #[test]
        fn sums_do_not_depend_on_the_order_and_on_merges(
            rows in prop::collection::vec(
                (
                    prop::option::of(0u64..3),
                    any::<bool>(),
                    prop::array::uniform2(-1e3..1e3),
                    prop::array::uniform2(-1e3..1e3),
                ),
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
