//! Agreement of labels beyond chance: the gain over always giving the commonest label, and Cohen's kappa, with bounds.
//!
//! Invariants:
//! - The gain over the best constant is the least of the gains over each label, and its lower bound the least of theirs.
//!   This intersection-union test needs no correction of the level (R. L. Berger, "Multiparameter hypothesis testing and
//!   acceptance sampling", Technometrics 24 (1982)).
//! - A pair without an answer is a disagreement.
//! - The result names no label, because a verdict is also shown to readers who may not see answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::replicates::{MIN_DIFFERING_PAIRS, interval_from_replicates};
use super::{IntervalMethod, MissingInterval};
use crate::scoring::{
    ClusterLimits, Interval, LabelCounts, ScoreBlock, clopper_pearson, cluster_share, paired_difference,
    skewed_jackknife, standard_error,
};

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
    /// The bounds of the measure, each one-sided. The upper bound of the gain is that over the commonest label.
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

    /// The bounds of the gain over the best constant. The lower one is the least over all labels. The upper bound and the
    /// method come from the commonest label. `bounds` returns the bounds of the gain over one label, by its index.
    fn gain_interval(
        &self,
        bounds: impl Fn(usize) -> Result<(Interval, IntervalMethod), MissingInterval>,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        let (Interval { mut lower, upper }, method) = bounds(self.commonest())?;
        for label in 0..self.total.len() {
            lower = lower.min(bounds(label)?.0.lower);
        }
        Ok((Interval { lower, upper }, method))
    }

    /// The bounds of the gain from independent pairs: exact for each label.
    pub fn exact_gain(&self, confidence: f64) -> Result<(Interval, IntervalMethod), MissingInterval> {
        let (n, agreed) = (pairs(&self.total), agreed(&self.total));
        self.gain_interval(|label| {
            let row = self.total[label];
            let (gains, losses) = (agreed - row.agreed, row.substrate - row.agreed);
            let interval = paired_difference(gains, losses, n, confidence);
            interval
                .map(|interval| (interval, IntervalMethod::PairedDifference))
                .ok_or(MissingInterval::NotFinite)
        })
    }

    /// The bounds of the gain where only clusters with these limits are independent.
    pub fn jackknife_gain(
        &self,
        limits: ClusterLimits,
        confidence: f64,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        self.gain_interval(|label| {
            let gain =
                |rows: &[LabelRow]| (agreed(rows) as f64 - rows[label].substrate as f64) / pairs(rows) as f64;
            let (value, without) = (gain(&self.total), self.leave_one_out(|rows| Some(gain(rows)))?);
            let groups = without.len() as u64;
            interval_from_replicates(
                value,
                (&without, 1.0),
                (Some(-1.0), Some(1.0)),
                (Some(groups), limits, None),
                confidence,
            )
        })
    }

    /// The bounds of kappa: the widest of three. The first are from the jackknife over groups, the second from the jackknife
    /// of the logarithm of 1 - kappa. The third apply to few disagreements, and to clusters: the bounds of the share of
    /// disagreements, as if the expected agreement were known. They allow for disagreements that are too few to show their
    /// spread. `limits` are the cluster limits.
    pub fn jackknife_kappa(
        &self,
        limits: ClusterLimits,
        confidence: f64,
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        let value = kappa(&self.total).ok_or(MissingInterval::UndefinedReplicate)?;
        let without = self.leave_one_out(kappa)?;
        // Kappa is a difference of shares divided by this remainder, and so is its rounding.
        let scale = 1.0 / (1.0 - expected_agreement(&self.total));
        let range = (Some(-1.0), Some(1.0));
        let (mut interval, method) =
            interval_from_replicates(value, (&without, scale), range, (None, limits, None), confidence)?;
        let skewed = skewed_jackknife(value, &without, 1.0, scale, confidence);
        for other in [skewed, self.kappa_from_agreement(value, limits, confidence)].into_iter().flatten() {
            interval = interval.hull(other.clamped(range));
        }
        Ok((interval, method))
    }

    /// The bounds of kappa from those of the agreement. 1 - kappa is the share of disagreements, divided by the expected share,
    /// which hardly varies where disagreements are few. `None` without disagreements, and without clusters if they are
    /// [`MIN_DIFFERING_PAIRS`] or more.
    fn kappa_from_agreement(&self, kappa: f64, limits: ClusterLimits, confidence: f64) -> Option<Interval> {
        let (n, hits) = (pairs(&self.total), agreed(&self.total));
        let agreement = hits as f64 / n as f64;
        let bounds = if limits.clusters.is_finite() && n > hits {
            let share = |rows: &[LabelRow]| Some(agreed(rows) as f64 / pairs(rows) as f64);
            let without = self.leave_one_out(share).ok()?;
            let error = (standard_error(&without)?, without.len() as u64 - 1);
            cluster_share(agreement, error, n, limits, confidence)?
        } else if (1..MIN_DIFFERING_PAIRS).contains(&(n - hits)) {
            clopper_pearson(hits, n, confidence)?
        } else {
            return None;
        };
        let scaled = |bound: f64| 1.0 - (1.0 - kappa) * (1.0 - bound) / (1.0 - agreement);
        Some(Interval { lower: scaled(bounds.lower), upper: scaled(bounds.upper) })
    }

    /// The bounds of the gain that hold at all looks before the end. `sequence` computes the bounds of a mean of scores in
    /// [-1, 1] from one block for each window and from the mean itself.
    pub fn sequence_gain(
        &self,
        sequence: impl Fn(&[ScoreBlock], f64) -> (Interval, IntervalMethod),
    ) -> Result<(Interval, IntervalMethod), MissingInterval> {
        self.gain_interval(|label| {
            let blocks = self.windows.iter().map(|rows| {
                let (row, agreed) = (rows[label], agreed(rows));
                ScoreBlock {
                    n: pairs(rows),
                    sum: agreed as f64 - row.substrate as f64,
                    squares: (agreed + row.substrate - 2 * row.agreed) as f64,
                }
            });
            let (all, label) = (agreed(&self.total) as f64, self.total[label]);
            let gain = (all - label.substrate as f64) / pairs(&self.total) as f64;
            Ok(sequence(&blocks.collect::<Vec<_>>(), gain))
        })
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

/// Cohen's kappa: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20
/// (1960). Pairs without an answer are a category that only the model has. `None` where it is not defined.
fn kappa(rows: &[LabelRow]) -> Option<f64> {
    let expected = expected_agreement(rows);
    let agreement = agreed(rows) as f64 / pairs(rows) as f64;
    (expected < 1.0).then(|| (agreement - expected) / (1.0 - expected))
}

/// The agreement that is expected of independent answers with the same shares of labels.
fn expected_agreement(rows: &[LabelRow]) -> f64 {
    let n = pairs(rows) as f64;
    let products = rows.iter().map(|row| row.substrate as f64 * row.given as f64);
    products.sum::<f64>() / (n * n)
}

#[cfg(test)]
mod tests;
