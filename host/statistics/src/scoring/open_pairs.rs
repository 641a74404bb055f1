//! Pairs whose baselines are not known yet, because decisions before their snapshots can still arrive.
//!
//! Invariants:
//! - A baseline of a pair uses the decisions that were known before the pair's snapshot, and no other. A decision is known
//!   at its own time, or at the time of its snapshot if that is later.
//! - The baselines of answered pairs learn nothing from a complete window in which the model left too many pairs unanswered.
//!   Otherwise a model could spoil them in windows that do not count.
//! - The baselines depend on the pairs alone, not on the order of their arrival, if every pair arrives before
//!   [`OpenPairs::settle_before`] is called with a time after its snapshot.
//! - Memory is bounded by the pairs that are open, and by two histories of decisions for all pairs and two for each model
//!   that left pairs unanswered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calendar_window::Window;
use super::decision_history::{AnswerValue, BASELINES_PER_FORM, DecisionHistory};

/// A compared pair that waits for its baselines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenPair {
    /// The event time of the snapshot, in µs.
    pub observed_at: i64,
    /// The event time of the decision, in µs.
    pub decided_at: i64,
    /// The id of the pair.
    pub id: String,
    /// The window of the snapshot.
    pub window: Window,
    /// The scopes to which the pair belongs, 0 among them.
    pub scopes: Vec<u16>,
    /// The jackknife group by which the gain is summed.
    pub group: u8,
    /// The generation of the metric that scores the pair.
    pub generation: u32,
    /// What the comparator answered.
    pub decision: AnswerValue,
    /// What each model answered, in the order of declaration.
    pub models: Vec<OpenAnswer>,
}

/// The answer of one model to an open pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenAnswer {
    /// The hash of the answer; `None` if the model did not answer.
    pub hash: Option<u64>,
    /// The number of ranked items; 0 for other answers, and without an answer.
    pub items: u32,
    /// The answer itself. It is dropped once the first answer of the model is known.
    pub value: Option<AnswerValue>,
    /// The components of its score by the threshold's metric, the host's count of scored pairs last.
    pub components: Vec<f64>,
}

/// A pair with the answers of its baselines.
#[derive(Clone, Debug, PartialEq)]
pub struct SettledPair {
    /// The pair.
    pub pair: OpenPair,
    /// The baselines of each model; `None` if no earlier decision is known.
    pub baselines: Option<Vec<ModelBaselines>>,
}

/// What the baselines of one model answered to a pair, in the order of
/// [`Baseline::for_form`](super::Baseline::for_form).
#[derive(Clone, Debug, PartialEq)]
pub struct ModelBaselines {
    /// From all earlier decisions.
    pub all: [AnswerValue; BASELINES_PER_FORM],
    /// From the earlier decisions of the pairs that the model answered, without the windows in which it left too many
    /// unanswered. `None` if these are all earlier decisions or none of them.
    pub answered: Option<[AnswerValue; BASELINES_PER_FORM]>,
    /// Whether there is an earlier decision of such a pair.
    pub has_answered: bool,
    /// The first answer of the model, by the time of the snapshot and the id; `None` if it has none up to this pair.
    pub first: Option<AnswerValue>,
}

/// The open pairs of a run, and the decisions before them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenPairs {
    /// All decisions that are known.
    history: LearnedDecisions,
    /// The history of each model, in the order of declaration.
    models: Vec<ModelHistory>,
    /// The window of the last settled pair; `None` before the first.
    window: Option<Window>,
    /// The pairs without baselines, by the time of the snapshot and the id.
    pairs: BTreeMap<(i64, String), OpenPair>,
    /// The decisions of settled pairs that are not in the history yet, by the time at which they are known and the
    /// id.
    decisions: BTreeMap<(i64, String), PendingDecision>,
}

/// A decision that is not known yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PendingDecision {
    decision: AnswerValue,
    /// The window of its snapshot.
    window: Window,
    /// For each model whether the baselines of answered pairs learn from it.
    learners: Vec<bool>,
}

/// Decisions from which baselines learn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct LearnedDecisions {
    all: DecisionHistory,
    /// Those of the windows before the last one.
    complete_windows: DecisionHistory,
}

/// What is known of the settled pairs of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct ModelHistory {
    /// The first answer.
    first: Option<AnswerValue>,
    /// The number of items of the longest answer.
    longest: usize,
    /// The settled pairs of the last window.
    window_pairs: u64,
    /// Those that it left unanswered.
    window_unanswered: u64,
    /// The decisions from which the baselines of answered pairs learn; `None` while these are all decisions.
    answered: Option<LearnedDecisions>,
}

impl LearnedDecisions {
    /// Adds a decision. `is_last` says whether its snapshot is in the last window.
    fn add(&mut self, decision: &AnswerValue, is_last: bool) {
        self.all.add(decision);
        if !is_last {
            self.complete_windows.add(decision);
        }
    }
}

impl ModelBaselines {
    /// What the baselines of answered pairs answered. If there is no earlier decision of such a pair, what they answered
    /// from all earlier decisions.
    pub fn from_answered(&self) -> &[AnswerValue; BASELINES_PER_FORM] {
        self.answered.as_ref().unwrap_or(&self.all)
    }
}

impl OpenPairs {
    /// Adds a pair.
    pub fn add(&mut self, mut pair: OpenPair) {
        self.models.resize(pair.models.len(), ModelHistory::default());
        for (model, answer) in self.models.iter().zip(&mut pair.models) {
            answer.value = answer.value.take().filter(|_| model.first.is_none());
        }
        self.pairs.insert((pair.observed_at, pair.id.clone()), pair);
    }

    /// Removes the pairs whose snapshots were observed before `time` (µs), and returns them in the order of time with
    /// their baselines. No other pair of a snapshot before `time` may arrive later. `most_unanswered` is the greatest share
    /// of a window's pairs that a model may leave unanswered, so that the baselines learn from the others.
    pub fn settle_before(&mut self, time: i64, most_unanswered: f64) -> Vec<SettledPair> {
        let mut settled = Vec::new();
        loop {
            let observed = self.pairs.first_key_value().map(|(key, _)| key.0).filter(|at| *at < time);
            let known = self.decisions.first_key_value().map(|(key, _)| key.0).filter(|at| *at < time);
            match (observed, known) {
                (None, None) => return settled,
                // A decision at the time of a snapshot is not before it.
                (Some(observed), known) if known.is_none_or(|known| observed <= known) => {
                    if let Some((_, pair)) = self.pairs.pop_first() {
                        if self.window != Some(pair.window) {
                            self.complete_window(most_unanswered);
                            self.window = Some(pair.window);
                        }
                        settled.push(self.settle(pair));
                    }
                }
                _ => {
                    if let Some((_, decision)) = self.decisions.pop_first() {
                        self.learn(&decision);
                    }
                }
            }
        }
    }

    /// All open pairs with their baselines, as if no other pair arrived.
    pub fn settle_all(mut self, most_unanswered: f64) -> Vec<SettledPair> {
        self.settle_before(i64::MAX, most_unanswered)
    }

    /// Ends the last window. Removes its decisions from the histories of the models that left too many of its pairs
    /// unanswered.
    fn complete_window(&mut self, most_unanswered: f64) {
        for (index, model) in self.models.iter_mut().enumerate() {
            let (pairs, unanswered) = (model.window_pairs, model.window_unanswered);
            (model.window_pairs, model.window_unanswered) = (0, 0);
            if unanswered == 0 || unanswered as f64 / pairs as f64 <= most_unanswered {
                if let Some(LearnedDecisions { all, complete_windows }) = &mut model.answered {
                    complete_windows.clone_from(all);
                }
                continue;
            }
            let answered = model.answered.get_or_insert_with(|| self.history.clone());
            answered.all.clone_from(&answered.complete_windows);
            let pending = self.decisions.values_mut().filter(|pending| Some(pending.window) == self.window);
            pending.for_each(|pending| pending.learners[index] = false);
        }
        self.history.complete_windows.clone_from(&self.history.all);
    }

    fn settle(&mut self, pair: OpenPair) -> SettledPair {
        for (model, answer) in self.models.iter_mut().zip(&pair.models) {
            model.longest = model.longest.max(answer.items as usize);
            if model.first.is_none() {
                model.first.clone_from(&answer.value);
            }
            model.window_pairs += 1;
            model.window_unanswered += u64::from(answer.hash.is_none());
        }
        let baselines = |model: &ModelHistory| {
            let all = self.history.all.answers(model.longest)?;
            let answered = model.answered.as_ref().and_then(|learned| learned.all.answers(model.longest));
            let has_answered = model.answered.is_none() || answered.is_some();
            Some(ModelBaselines { all, answered, has_answered, first: model.first.clone() })
        };
        let baselines = self.models.iter().map(baselines).collect();
        let known_at = pair.decided_at.max(pair.observed_at);
        let pending = PendingDecision {
            decision: pair.decision.clone(),
            window: pair.window,
            learners: pair.models.iter().map(|answer| answer.hash.is_some()).collect(),
        };
        self.decisions.insert((known_at, pair.id.clone()), pending);
        SettledPair { pair, baselines }
    }

    /// Adds a decision to the histories.
    fn learn(&mut self, PendingDecision { decision, window, learners }: &PendingDecision) {
        let is_last = self.window == Some(*window);
        for (model, learns) in self.models.iter_mut().zip(learners) {
            match (&mut model.answered, learns) {
                (Some(learned), true) => learned.add(decision, is_last),
                (None, false) => model.answered = Some(self.history.clone()),
                (None, true) | (Some(_), false) => {}
            }
        }
        self.history.add(decision, is_last);
    }
}

#[cfg(test)]
mod tests;
