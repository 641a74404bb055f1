//! Pairs whose baselines are not known yet, because decisions before their snapshots can still arrive.
//!
//! Invariants:
//! - A baseline of a pair uses the decisions that were known before the pair's snapshot, and no other. A decision is known
//!   at its own time, or at the time of its snapshot if that is later.
//! - The baselines depend on the pairs alone, not on the order of their arrival, if every pair arrives before
//!   [`OpenPairs::settle_before`] is called with a time after its snapshot.
//! - Memory is bounded by the pairs that are open, and by the items of [`DecisionHistory`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calendar_window::Window;
use super::decision_history::{DecidedValue, DecisionHistory};

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
    pub decision: DecidedValue,
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
    /// The components of its score by the threshold's metric, the host's count of scored pairs last.
    pub components: Vec<f64>,
}

/// A pair with the answers of its baselines.
#[derive(Clone, Debug, PartialEq)]
pub struct SettledPair {
    /// The pair.
    pub pair: OpenPair,
    /// What the baselines answered; `None` if no earlier decision is known.
    pub baselines: Option<BaselineAnswers>,
}

/// What the baselines of one pair answered.
#[derive(Clone, Debug, PartialEq)]
pub enum BaselineAnswers {
    /// The mean and the last number.
    Numbers([f64; 2]),
    /// For each model the commonest items: as many as the model or the substrate ranked, whichever is more.
    Items(Vec<Vec<String>>),
}

/// The open pairs of a run, and the decisions before them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenPairs {
    history: DecisionHistory,
    /// The pairs without baselines, by the time of the snapshot and the id.
    pairs: BTreeMap<(i64, String), OpenPair>,
    /// The decisions of settled pairs that are not in the history yet, by the time at which they are known and the id.
    decisions: BTreeMap<(i64, String), DecidedValue>,
}

impl OpenPairs {
    /// Adds a pair.
    pub fn add(&mut self, pair: OpenPair) {
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
                    if let Some((_, decision)) = self.decisions.pop_first() {
                        self.history.add(&decision);
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
        let baselines = match &pair.decision {
            DecidedValue::Number(_) => self.history.numbers().map(BaselineAnswers::Numbers),
            DecidedValue::Ranking(decided) => {
                let items = |model: &OpenAnswer| self.history.items(decided.len().max(model.items as usize));
                pair.models.iter().map(items).collect::<Option<_>>().map(BaselineAnswers::Items)
            }
        };
        let known_at = pair.decided_at.max(pair.observed_at);
        self.decisions.insert((known_at, pair.id.clone()), pair.decision.clone());
        SettledPair { pair, baselines }
    }
}

#[cfg(test)]
mod tests;
