//! Agreement of labels beyond chance: the gain over always giving the commonest label, and Cohen's kappa, with bounds.
//!
//! Invariants:
//! - A pair without an answer is a disagreement.
//! - The result names no label, because a verdict is also shown to readers who may not see answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::kappa_bounds::kappa;
use super::{IntervalMethod, MissingInterval};
use crate::scoring::{Interval, LabelCounts};

/// The measure of agreement beyond chance that the threshold limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChanceMeasure {
    /// The excess of the agreement over that of always giving the substrate's commonest label.
    Gain,
    /// Cohen's kappa.
    Kappa,
}

/// The agreement of a model's labels with those of the substrate beyond chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ChanceAgreement {
    /// The share of pairs with equal labels.
    pub agreement: f64,
    /// The share of the substrate's commonest label, which is the agreement of always giving it.
    pub commonest_share: f64,
    /// The excess of the agreement over that share.
    pub gain: f64,
    /// Cohen's kappa; `None` where it is not defined, and until the run is closed.
    pub kappa: Option<f64>,
    /// Whether all answers of the model are the same label, and there is one; `None` until the run is closed.
    pub is_constant: Option<bool>,
    /// The measure that the threshold limits.
    pub measure: ChanceMeasure,
    /// The bounds of the measure, each one-sided. The upper bound of the gain is the greatest over the labels that may be the
    /// commonest.
    pub interval: Option<Interval>,
    /// The method of the interval.
    pub method: Option<IntervalMethod>,
    /// Why there is no interval; `None` if there is one.
    pub no_interval: Option<MissingInterval>,
}

/// How often substrate and one model gave a label.
#[derive(Clone, Copy, Debug, Default)]
struct LabelRow {
    substrate: u64,
    given: u64,
    agreed: u64,
}

impl LabelRow {
    fn add(&mut self, other: LabelRow) {
        self.substrate += other.substrate;
        self.given += other.given;
        self.agreed += other.agreed;
    }
}

/// The label counts of one model over some windows in a scope.
#[derive(Debug)]
pub struct ModelLabels {
    /// Over all pairs, by label, in the order of their names.
    total: Vec<LabelRow>,
    /// For each jackknife group with pairs, by label.
    groups: Vec<Vec<LabelRow>>,
    /// For each window with pairs, by label.
    windows: Vec<Vec<LabelRow>>,
}

impl ModelLabels {
    /// The counts of the model with the index `model`, from those of each window. `None` without pairs, and if there are too
    /// many labels to be counted separately.
    pub fn new<'w>(
        windows: impl Iterator<Item = &'w LabelCounts> + Clone,
        model: usize,
    ) -> Option<ModelLabels> {
        if windows.clone().any(|counts| counts.other > 0) {
            return None;
        }
        let mut names: Vec<String> =
            windows.clone().flat_map(|counts| counts.labels.keys().cloned()).collect();
        names.sort_unstable();
        names.dedup();
        let zero = || vec![LabelRow::default(); names.len()];
        let mut total = zero();
        let mut groups = std::collections::BTreeMap::new();
        let mut by_window = Vec::new();
        for counts in windows {
            let mut window = zero();
            for (label, tallies) in &counts.labels {
                let Ok(index) = names.binary_search(label) else { continue };
                for (group, tally) in tallies {
                    let own = tally.models.get(model).copied().unwrap_or_default();
                    let row = LabelRow { substrate: tally.substrate, given: own.given, agreed: own.agreed };
                    total[index].add(row);
                    window[index].add(row);
                    groups.entry(*group).or_insert_with(zero)[index].add(row);
                }
            }
            by_window.push(window);
        }
        let has_pairs = |rows: &Vec<LabelRow>| pairs(rows) > 0;
        by_window.retain(has_pairs);
        let groups = groups.into_values().filter(has_pairs).collect();
        (pairs(&total) > 0).then_some(ModelLabels { total, groups, windows: by_window })
    }

    /// The index of the substrate's commonest label.
    fn commonest(&self) -> usize {
        let indices = 0..self.total.len();
        indices.rev().max_by_key(|index| self.total[*index].substrate).unwrap_or(0)
    }

    /// The agreement beyond chance, without bounds.
    pub fn agreement(&self, measure: ChanceMeasure) -> ChanceAgreement {
        let n = pairs(&self.total) as f64;
        let (commonest, agreed) = (self.commonest(), agreed(&self.total));
        ChanceAgreement {
            agreement: agreed as f64 / n,
            commonest_share: self.total[commonest].substrate as f64 / n,
            gain: (agreed as f64 - self.total[commonest].substrate as f64) / n,
            kappa: kappa(&self.total),
            is_constant: Some(self.total.iter().filter(|row| row.given > 0).count() == 1),
            measure,
            interval: None,
            method: None,
            no_interval: None,
        }
    }

    /// The pairs that agree, the pairs of the substrate's commonest label, and all pairs.
    pub fn counts(&self) -> (u64, u64, u64) {
        (agreed(&self.total), self.total[self.commonest()].substrate, pairs(&self.total))
    }

    /// A value with each group left out.
    fn leave_one_out(&self, value: impl Fn(&[LabelRow]) -> Option<f64>) -> Result<Vec<f64>, MissingInterval> {
        if self.groups.len() < 2 {
            return Err(MissingInterval::FewGroups);
        }
        let without = self.groups.iter().map(|group| {
            let rest = self.total.iter().zip(group).map(|(all, own)| LabelRow {
                substrate: all.substrate - own.substrate,
                given: all.given - own.given,
                agreed: all.agreed - own.agreed,
            });
            value(&rest.collect::<Vec<_>>())
        });
        without.collect::<Option<_>>().ok_or(MissingInterval::UndefinedReplicate)
    }
}

fn pairs(rows: &[LabelRow]) -> u64 {
    rows.iter().map(|row| row.substrate).sum()
}

fn agreed(rows: &[LabelRow]) -> u64 {
    rows.iter().map(|row| row.agreed).sum()
}

mod gain_bounds;
mod kappa_bounds;

#[cfg(test)]
mod tests;
