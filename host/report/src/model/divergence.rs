//! Where a model and the substrate part, as the report tells it: classes of input, spreads of answers, changes in time.
//!
//! Always holds: what stands here is made from sums alone, so it comes out the same however often it is made.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use understudy_statistics::scoring::Interval;

/// The search for classes of input in which a model and the substrate part, and what it found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Divergence {
    /// The metric whose figures are compared.
    pub metric: String,
    /// The conditions whose values were combined.
    pub conditions: Vec<String>,
    /// Those that were passed over, since with them there would be too many profiles; none where the study names which are
    /// combined.
    pub passed_over: Vec<String>,
    /// How many values were combined at most.
    pub depth: u64,
    /// The least share of the compared pairs that a class has.
    pub support: f64,
    /// The least pairs of a class that come of it.
    pub least_pairs: u64,
    /// The share of the listed classes that may be no such class, on average.
    pub level: f64,
    /// The confidence of the two bounds of an interval together.
    pub confidence: f64,
    /// The fewest windows with pairs in which a change can be told.
    pub least_windows: u64,
    /// Why no classes were searched for; null if they were.
    pub not_searched: Option<NotSearched>,
    /// For each model, in the order declared.
    pub models: Vec<Parted>,
}

/// Why no classes were searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotSearched {
    /// No condition is combined.
    Conditions,
    /// The metric has so many components that it is not known how certain its figures are.
    Components,
    /// The run has not ended, and has so many windows and profiles that it is not known which pairs came after this report.
    Windows,
}

/// Where one model and the substrate part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Parted {
    /// The model.
    pub model: String,
    /// Classes that have the least pairs.
    pub patterns: u64,
    /// Those that one half of the ids suggested and the other half was asked about.
    pub tested: u64,
    /// Those that it confirmed, the one that differs most for certain first.
    pub classes: Vec<Class>,
    /// What was suspected in advance and not confirmed, in words.
    pub unconfirmed: Vec<String>,
    /// When the figure changed, in order of time; null where there are too few windows to tell.
    pub changes: Option<Vec<Change>>,
}

/// A class of input in which a model's figure is not what it is elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Class {
    /// The values of conditions that it has.
    pub terms: Vec<Term>,
    /// Whether it was suspected in advance.
    pub suspected: bool,
    /// Compared pairs.
    pub pairs: u64,
    /// Their share of all compared pairs.
    pub support: f64,
    /// The figure.
    pub figure: Option<f64>,
    /// The figure over all other pairs.
    pub elsewhere: Option<f64>,
    /// Whether model and substrate lie further apart than elsewhere, or closer.
    pub direction: Direction,
    /// The figure less that elsewhere, in the half of the ids that confirms.
    pub difference: f64,
    /// Its bounds.
    pub interval: Interval,
    /// How likely so great a difference is if there is none, in that half.
    pub p_value: f64,
    /// The false discovery rate at which it is still listed.
    pub q_value: f64,
    /// Of numbers, the mean of the model's less the substrate's, here and elsewhere.
    pub bias: Option<[f64; 2]>,
    /// The commonest answers that differ, of those that are told apart; none before the run has ended.
    pub commonest: Option<Said>,
    /// Pairs with answers that differ and are not told apart, since there are too many different ones.
    pub not_told_apart: u64,
    /// Since when it has differed as it does.
    pub began: Began,
    /// Ids of pairs that differ; none before the run has ended.
    pub examples: Vec<String>,
}

impl Class {
    /// What it is called: `segment = corporate, day = weekend`.
    pub fn name(&self) -> String {
        let terms: Vec<String> =
            self.terms.iter().map(|term| format!("{} = {}", term.condition, term.value)).collect();
        terms.join(", ")
    }
}

/// Since when a class has differed as it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "since", rename_all = "kebab-case")]
pub enum Began {
    /// It cannot be told: too few windows have pairs of the class and others, or there are so many windows and profiles that it is
    /// not known what the class had in which window.
    Unknown,
    /// From the first window on, as far as can be told: no change to where it is was found.
    Start,
    /// Since this window. The figures are those of the class less those elsewhere.
    Change(Change),
}

/// A value of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Term {
    /// The condition.
    pub condition: String,
    /// The value.
    pub value: String,
}

/// How model and substrate lie to each other in a class, beside elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Further apart.
    Apart,
    /// Closer together.
    Together,
}

/// What a model said and the substrate did, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Said {
    /// The model's answer, or the first choice of its ranking; none if it gave none.
    pub model: Option<String>,
    /// The substrate's; empty where its ranking is.
    pub substrate: String,
    /// Compared pairs.
    pub pairs: u64,
}

/// When a figure changed, or by how much that of a class is more than elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// The first window after it.
    pub window: String,
    /// Its first instant.
    pub at: Timestamp,
    /// Its mean over the windows before, back to the change before. A window weighs as many pairs as it has; where a class began,
    /// as many as both sides of it stand for: their product over their sum.
    pub before: f64,
    /// The same of the windows after it.
    pub after: f64,
    /// How likely so great a change is if the windows come in no order.
    pub p_value: f64,
}

/// How a model's answers lie to the substrate's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Spreads {
    /// Over all compared pairs.
    pub overall: Spread,
    /// For each condition, for each of its values.
    pub conditions: Vec<Vec<Spread>>,
    /// For each window. Of labels, only the commonest five that differ.
    pub windows: Vec<Spread>,
}

/// How answers lie to each other, over some pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "form", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Spread {
    /// Which label for which.
    Label {
        /// Pairs of one label.
        same: u64,
        /// Pairs that differ, unanswered ones too.
        differing: u64,
        /// The answers; the same ones first, the commonest first. Before the run has ended only over all pairs, and only those of
        /// at least five.
        answers: Vec<Said>,
        /// Pairs that are not among them.
        others: u64,
        /// Those of them whose answers are not told apart, since there are too many different ones.
        not_told_apart: u64,
    },
    /// By how much numbers are off: the model's less the substrate's.
    Number {
        /// Pairs that the model answered.
        answered: u64,
        /// Pairs that it did not.
        unanswered: u64,
        /// The mean.
        bias: Option<f64>,
        /// The standard deviation.
        deviation: Option<f64>,
        /// The errors that 5, 25, 50, 75 and 95 % do not exceed, to 3 %.
        quantiles: Option<[f64; 5]>,
        /// How many lie in each step from the first on up to below the next; over all pairs only.
        steps: Vec<Step>,
    },
    /// Where the substrate's first choice stands in the model's ranking.
    Ranking {
        /// Pairs that the model did not answer.
        unanswered: u64,
        /// Pairs whose ranking does not have it.
        absent: u64,
        /// Pairs that the model answered and in which the substrate's ranking is empty.
        unranked: u64,
        /// At which place how often.
        places: Vec<Place>,
    },
}

/// Errors between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// The least; nothing if there is none.
    pub from: Option<f64>,
    /// What they lie below; nothing if there is no such bound.
    pub to: Option<f64>,
    /// Compared pairs.
    pub pairs: u64,
}

/// A place in a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    /// Counted from 1.
    pub place: u32,
    /// Compared pairs.
    pub pairs: u64,
}

#[cfg(test)]
pub(super) mod fixture;
