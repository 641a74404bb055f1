//! Pairs whose baselines are not known yet, because decisions before their snapshots can still arrive.
//!
//! Invariants:
//! - A baseline of a pair uses the decisions that were known before the pair's snapshot, and no other. A decision is known
//!   at its own time, or at the time of its snapshot if that is later.
//! - The baselines depend on the pairs alone, not on the order of their arrival, if every pair arrives before
//!   [`OpenPairs::settle_before`] is called with a time after its snapshot.
//! - Memory is bounded by the pairs that are open, by one [`AnswerHistory`] for all pairs, and by at most two and an
//!   [`LaggedAnswers`] for each model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer_history::AnswerHistory;
use super::answer_value::AnswerValue;
use super::baseline::{BASELINES_PER_FORM, OWN_BASELINES};
use super::calendar_window::Window;
use super::lagged_answers::LaggedAnswers;

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
    /// The answer itself; `None` without an answer.
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
/// [`Baseline::learning_from`](super::Baseline::learning_from).
#[derive(Clone, Debug, PartialEq)]
pub struct ModelBaselines {
    /// From all earlier decisions.
    pub all: [AnswerValue; BASELINES_PER_FORM],
    /// From the earlier decisions of pairs that the model answered. `None` if it answered all of these pairs or none
    /// of them.
    pub answered: Option<[AnswerValue; BASELINES_PER_FORM]>,
    /// Whether it answered any of these pairs.
    pub has_answered: bool,
    /// From its own earlier answers. Before its second answer, both are its first answer, and before that, the first
    /// baseline that learns from all decisions.
    pub own: [AnswerValue; OWN_BASELINES],
    /// The first answer of the model in the window of the pair, by the time of the snapshot and the id; `None` if it has
    /// none up to this pair.
    pub first: Option<AnswerValue>,
    /// Its first answer in the latest earlier window that has one.
    pub first_in_earlier_window: Option<AnswerValue>,
}

/// The open pairs of a run, and the decisions before them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenPairs {
    /// All decisions that are known.
    history: AnswerHistory,
    /// The history of each model, in the order of declaration.
    models: Vec<ModelHistory>,
    /// The window of the last settled pair; `None` before the first.
    window: Option<Window>,
    /// The pairs without baselines, by the time of the snapshot and the id.
    pairs: BTreeMap<(i64, String), OpenPair>,
    /// The decisions of settled pairs that are not in the history yet, by the time at which they are known and the
    /// id. Each has a flag for each model: whether it answered the pair.
    decisions: BTreeMap<(i64, String), (AnswerValue, Vec<bool>)>,
}

/// What is known of the settled pairs of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct ModelHistory {
    /// The first answer in the window of the last settled pair.
    first: Option<AnswerValue>,
    /// The first answer in the latest earlier window that has one.
    first_in_earlier_window: Option<AnswerValue>,
    /// The number of items of the longest answer.
    longest: usize,
    /// The decisions of the pairs that it answered; `None` while these are all decisions.
    answered: Option<AnswerHistory>,
    /// Its own answers.
    own: AnswerHistory,
    /// Its latest own answers.
    latest: LaggedAnswers,
}

impl ModelBaselines {
    /// What the baselines answered from the earlier decisions of the pairs that the model answered. If it answered
    /// none of these pairs, what they answered from all earlier decisions.
    pub fn from_answered(&self) -> &[AnswerValue; BASELINES_PER_FORM] {
        self.answered.as_ref().unwrap_or(&self.all)
    }
}

impl OpenPairs {
    /// Adds a pair.
    pub fn add(&mut self, pair: OpenPair) {
        self.models.resize(pair.models.len(), ModelHistory::default());
        self.pairs.insert((pair.observed_at, pair.id.clone()), pair);
    }

    /// Removes the pairs whose snapshots were observed before `time` (µs), and returns them in the order of time with
    /// their baselines. No other pair of a snapshot before `time` may arrive later.
    pub fn settle_before(&mut self, time: i64) -> Vec<SettledPair> {
        let mut settled = Vec::new();
        loop {
            let observed = self.pairs.first_key_value().map(|(key, _)| key.0).filter(|at| *at < time);
            let known = self.decisions.first_key_value().map(|(key, _)| key.0).filter(|at| *at < time);
            match (observed, known) {
                (None, None) => return settled,
                // A decision at the time of a snapshot is not before it.
                (Some(observed), known) if known.is_none_or(|known| observed <= known) => {
                    if let Some((_, pair)) = self.pairs.pop_first() {
                        settled.push(self.settle(pair));
                    }
                }
                _ => {
                    if let Some((_, (decision, answered))) = self.decisions.pop_first() {
                        self.learn(&decision, &answered);
                    }
                }
            }
        }
    }

    /// All open pairs with their baselines, as if no other pair arrived.
    pub fn settle_all(mut self) -> Vec<SettledPair> {
        self.settle_before(i64::MAX)
    }

    fn settle(&mut self, pair: OpenPair) -> SettledPair {
        let is_new_window = self.window.replace(pair.window) != Some(pair.window);
        for (model, answer) in self.models.iter_mut().zip(&pair.models) {
            if is_new_window && let Some(first) = model.first.take() {
                model.first_in_earlier_window = Some(first);
            }
            model.longest = model.longest.max(answer.items as usize);
            if model.first.is_none() {
                model.first.clone_from(&answer.value);
            }
        }
        let baselines = |(model, answer): (&ModelHistory, &OpenAnswer)| {
            let all = self.history.answers(model.longest)?;
            let own = [model.own.usual_answer(), model.latest.earlier().cloned()]
                .map(|own| own.or_else(|| answer.value.clone()).unwrap_or_else(|| all[0].clone()));
            let answered = model.answered.as_ref().and_then(|history| history.answers(model.longest));
            let has_answered = model.answered.is_none() || answered.is_some();
            Some(ModelBaselines {
                all,
                answered,
                has_answered,
                own,
                first: model.first.clone(),
                first_in_earlier_window: model.first_in_earlier_window.clone(),
            })
        };
        let baselines = self.models.iter().zip(&pair.models).map(baselines).collect();
        for (model, answer) in self.models.iter_mut().zip(&pair.models) {
            if let Some(answer) = &answer.value {
                model.own.add(answer);
                model.latest.add(answer);
            }
        }
        let known_at = pair.decided_at.max(pair.observed_at);
        let answered = pair.models.iter().map(|answer| answer.hash.is_some()).collect();
        self.decisions.insert((known_at, pair.id.clone()), (pair.decision.clone(), answered));
        SettledPair { pair, baselines }
    }

    /// Adds a decision to the histories. `answered` says for each model whether it answered the pair.
    fn learn(&mut self, decision: &AnswerValue, answered: &[bool]) {
        for (model, answered) in self.models.iter_mut().zip(answered) {
            match (&mut model.answered, answered) {
                (Some(history), true) => history.add(decision),
                (None, false) => model.answered = Some(self.history.clone()),
                (None, true) | (Some(_), false) => {}
            }
        }
        self.history.add(decision);
    }
}

#[cfg(test)]
mod tests;
