//! The baselines of each form of answers, and what they learn from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use understudy_study::AnswerForm;

/// A model without inputs: it answers from earlier answers alone. These are in a [`LearningSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// The items by the number of earlier rankings that have them, as many as the longest ranking so far has.
    CommonestItems,
    /// The items by the sum of their reciprocal ranks in the earlier rankings, as many as the longest ranking so far
    /// has.
    HighestRankedItems,
    /// The commonest items, as many as most earlier rankings have.
    CommonestLength,
    /// The mean of the earlier numbers.
    Mean,
    /// The median of the earlier numbers.
    Median,
    /// The latest of the earlier numbers.
    LastValue,
    /// The highest-ranked items, as many as most earlier rankings have.
    ConsensusRanking,
    /// An answer of the block before, or a later one at the beginning: see `lagged_answers`.
    EarlierAnswer,
    /// The most frequent set of labels or JSON value, the least text of equally frequent ones.
    CommonestAnswer,
    /// The labels of at least half of the sets.
    FrequentLabels,
}

/// The answers that baselines learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LearningSet {
    /// All earlier decisions.
    AllPairs,
    /// The earlier decisions of the pairs that the model answered.
    AnsweredPairs,
    /// The earlier answers of the model itself. A model whose answers do not depend on the snapshots has no gain over
    /// them, whatever the metric.
    OwnAnswers,
}

/// The number of baselines that learn from decisions, for a form of answers that has any.
pub const BASELINES_PER_FORM: usize = 3;

/// The number of baselines that learn from the model's own answers, for the same forms.
pub const OWN_BASELINES: usize = 2;

impl LearningSet {
    /// The answers in words: `the earlier decisions`.
    pub fn words(self) -> &'static str {
        match self {
            LearningSet::AllPairs => "the earlier decisions",
            LearningSet::AnsweredPairs => "the earlier decisions of answered pairs",
            LearningSet::OwnAnswers => "the model's own earlier answers",
        }
    }

    /// The index of the first of its baselines among all of a model.
    pub fn first_index(self) -> usize {
        match self {
            LearningSet::AllPairs => 0,
            LearningSet::AnsweredPairs => BASELINES_PER_FORM,
            LearningSet::OwnAnswers => 2 * BASELINES_PER_FORM,
        }
    }
}

impl Baseline {
    /// The baselines of a form of answers that learn from a set. Labels have none: their gain is that over the commonest
    /// label of all pairs.
    pub fn learning_from(set: LearningSet, form: AnswerForm) -> &'static [Baseline] {
        const OWN_NUMBERS: [Baseline; OWN_BASELINES] = [Baseline::Median, Baseline::EarlierAnswer];
        const OWN_RANKINGS: [Baseline; OWN_BASELINES] = [Baseline::ConsensusRanking, Baseline::EarlierAnswer];
        const OWN_NOMINAL: [Baseline; OWN_BASELINES] = [Baseline::CommonestAnswer, Baseline::EarlierAnswer];
        match (set, form) {
            (LearningSet::OwnAnswers, AnswerForm::Label) => &[],
            (LearningSet::OwnAnswers, AnswerForm::Number) => &OWN_NUMBERS,
            (LearningSet::OwnAnswers, AnswerForm::Ranking) => &OWN_RANKINGS,
            (LearningSet::OwnAnswers, AnswerForm::LabelSet | AnswerForm::Json) => &OWN_NOMINAL,
            (LearningSet::AllPairs | LearningSet::AnsweredPairs, form) => Baseline::for_form(form),
        }
    }

    fn for_form(form: AnswerForm) -> &'static [Baseline] {
        const NUMBERS: [Baseline; BASELINES_PER_FORM] =
            [Baseline::Mean, Baseline::Median, Baseline::LastValue];
        const RANKINGS: [Baseline; BASELINES_PER_FORM] =
            [Baseline::CommonestItems, Baseline::HighestRankedItems, Baseline::CommonestLength];
        const LABEL_SETS: [Baseline; BASELINES_PER_FORM] =
            [Baseline::CommonestAnswer, Baseline::LastValue, Baseline::FrequentLabels];
        // Only sets have labels.
        const JSON: [Baseline; 2] = [Baseline::CommonestAnswer, Baseline::LastValue];
        match form {
            AnswerForm::Label => &[],
            AnswerForm::Number => &NUMBERS,
            AnswerForm::Ranking => &RANKINGS,
            AnswerForm::LabelSet => &LABEL_SETS,
            AnswerForm::Json => &JSON,
        }
    }

    /// What the baseline answers from a set, as it follows the word `giving` in a sentence.
    pub fn answer(self, set: LearningSet) -> String {
        let answer = match self {
            Baseline::CommonestItems => "the commonest items",
            Baseline::HighestRankedItems => "the highest-ranked items",
            Baseline::CommonestLength => "a list of the commonest length with the commonest items",
            Baseline::Mean => "the mean",
            Baseline::Median => "the median",
            Baseline::LastValue => "the last",
            Baseline::ConsensusRanking => "the consensus ranking",
            Baseline::EarlierAnswer => "one",
            Baseline::CommonestAnswer => "the commonest",
            Baseline::FrequentLabels => "the labels of at least half",
        };
        format!("{answer} of {}", set.words())
    }
}
