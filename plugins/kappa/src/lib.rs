//! A metric: Cohen's kappa, agreement corrected for chance.
//!
//! With the declared labels L, over n pairs,
//!
//! - pₒ = (pairs that have the same declared label) / n,
//! - pₑ = Σ over l in L of (share of the model's answers that are l) · (share of the decisions that are l),
//! - κ = (pₒ − pₑ) / (1 − pₑ).
//!
//! 1 is full agreement; 0 is the expected agreement of two raters who answer at random with their own shares.
//! Source: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
//! Measurement 20 (1960), 37-46.
//!
//! Configuration: `labels`, the names in L. Unanswered pairs, undeclared answers and undeclared decisions
//! never agree and do not contribute to pₑ. In Cohen's terms each of them is a class that the other rater
//! never uses. They still count in n, so they can only lower the agreement. If pₑ is 1, because all answers
//! and decisions have the same label, κ is undefined.
//!
//! Components: `agreements`, then per label l `model l` and `decision l`: 1 if model or decision has that
//! label.

use std::collections::HashMap;
use std::ops::RangeBounds;

use serde::Deserialize;
use understudy_sdk::prelude::*;

/// The declared labels.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The labels of the decisions.
    #[config(min_length = 1)]
    labels: Vec<String>,
}

/// Cohen's kappa over declared labels.
pub struct Kappa {
    labels: Vec<String>,
    /// Position of each label in `labels`.
    positions: HashMap<String, usize>,
}

impl Kappa {
    fn position(&self, label: Label<'_>) -> Option<usize> {
        self.positions.get(label.name()).copied()
    }
}

impl Metric for Kappa {
    type Config = Config;
    type Answer<'a> = Label<'a>;

    fn new(config: Config, _: &Assets) -> Result<Self, String> {
        let labels = config.labels;
        if labels.is_empty() {
            return Err("config: `labels` is empty; list the labels of the decisions".to_owned());
        }
        let mut positions = HashMap::new();
        for (position, label) in labels.iter().enumerate() {
            if positions.insert(label.clone(), position).is_some() {
                return Err(format!("config: `labels` repeats \"{label}\""));
            }
        }
        Ok(Self { labels, positions })
    }

    fn components(&self) -> Vec<String> {
        let sides =
            self.labels.iter().flat_map(|label| [format!("model {label}"), format!("decision {label}")]);
        std::iter::once("agreements".to_owned()).chain(sides).collect()
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        -1.0..=1.0
    }

    fn score(&self, model: Option<Label<'_>>, decision: Label<'_>, components: &mut Components<'_>) {
        let model = model.and_then(|label| self.position(label));
        let decision = self.position(decision);
        components[0] = f64::from(model.is_some() && model == decision);
        if let Some(position) = model {
            components[1 + 2 * position] = 1.0;
        }
        if let Some(position) = decision {
            components[2 + 2 * position] = 1.0;
        }
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        let [agreements, sides @ ..] = sums else { return None };
        // Both shares times n²: everything but the division is exact as long as n² is below 2^53.
        let rows = rows as f64;
        let observed = rows * agreements;
        let expected: f64 = sides.chunks_exact(2).map(|side| side[0] * side[1]).sum();
        let beyond_chance = rows * rows - expected;
        (beyond_chance > 0.0).then(|| (observed - expected) / beyond_chance)
    }
}

export_metric!(Kappa);

#[cfg(test)]
mod tests;
