//! The usual metrics of a classification, from a confusion matrix in which the substrate's labels are the true ones.
//!
//! Invariants:
//! - A pair without an answer is in the row of no label: it lowers the recall of the substrate's label, and no precision.
//! - The metrics are those of scikit-learn over all labels that the substrate or the model gave, with 0 for a precision
//!   or a recall without pairs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bottom_k_counts::BottomKCounts;

/// The metrics of a model's labels against those of the substrate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LabelMetrics {
    /// The share of pairs with equal labels, from 0 to 1.
    pub accuracy: f64,
    /// The mean recall of the labels that the substrate gave, from 0 to 1.
    pub balanced_accuracy: f64,
    /// The mean F1 score of all labels, from 0 to 1.
    pub macro_f1: f64,
    /// The mean F1 score of all labels, weighted by the pairs in which the substrate gave them; from 0 to 1.
    pub weighted_f1: f64,
    /// Cohen's kappa, at most 1; null if all answers of both sides are one label.
    pub kappa: Option<f64>,
    /// The correlation coefficient of Matthews for any number of labels, from -1 to 1; 0 if one side gave one label only.
    pub matthews_correlation: f64,
    /// The metrics of each label, those that the substrate gave most often first. In `report.json` only over all pairs.
    pub labels: Vec<LabelMetric>,
}

/// Precision, recall and F1 of one label, each from 0 to 1, with the substrate as the truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LabelMetric {
    /// The label.
    pub label: String,
    /// The pairs in which the substrate gave it.
    pub substrate_pairs: u64,
    /// The pairs in which the model gave it.
    pub model_pairs: u64,
    /// The share of `model-pairs` in which the substrate gave it, too.
    pub precision: f64,
    /// The share of `substrate-pairs` in which the model gave it, too.
    pub recall: f64,
    /// The harmonic mean of precision and recall: twice the pairs of both, divided by the sum of the pairs of each.
    pub f1: f64,
}

/// How often each side gave a label.
#[derive(Clone, Copy, Default)]
struct Tally {
    substrate: u64,
    model: u64,
    both: u64,
}

impl LabelMetrics {
    /// The metrics of a confusion matrix; `None` without pairs, and if it does not count all of its pairs one by one.
    ///
    /// Matthews' coefficient is that of J. Gorodkin, "Comparing two K-category assignments by a K-category correlation
    /// coefficient", Computational Biology and Chemistry 28 (2004).
    pub fn new(matrix: &BottomKCounts) -> Option<LabelMetrics> {
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        let (mut pairs, mut unanswered) = (0, 0);
        for ((model, substrate), count) in matrix.iter() {
            pairs += count;
            tallies.entry(substrate).or_default().substrate += count;
            match model {
                Some(model) => tallies.entry(model).or_default().model += count,
                None => unanswered += count,
            }
            if model.as_deref() == Some(substrate) {
                tallies.entry(substrate).or_default().both += count;
            }
        }
        if pairs == 0 || matrix.other() > 0 {
            return None;
        }
        let n = pairs as f64;
        let sum = |term: fn(&Tally) -> f64| tallies.values().map(term).sum::<f64>();
        let both = sum(|tally| tally.both as f64);
        let products = sum(|tally| tally.substrate as f64 * tally.model as f64);
        let substrate_squares = sum(|tally| (tally.substrate as f64).powi(2));
        let model_squares = sum(|tally| (tally.model as f64).powi(2)) + (unanswered as f64).powi(2);
        let expected = products / (n * n);
        let spread = ((n * n - model_squares) * (n * n - substrate_squares)).sqrt();
        let given = tallies.values().filter(|tally| tally.substrate > 0);
        let recalls: Vec<f64> = given.map(|tally| ratio(tally.both, tally.substrate)).collect();
        let mut labels: Vec<LabelMetric> = tallies.iter().map(|(label, tally)| tally.metric(label)).collect();
        labels.sort_by_key(|label| std::cmp::Reverse(label.substrate_pairs));
        Some(LabelMetrics {
            accuracy: both / n,
            balanced_accuracy: recalls.iter().sum::<f64>() / recalls.len() as f64,
            macro_f1: labels.iter().map(|label| label.f1).sum::<f64>() / labels.len() as f64,
            weighted_f1: labels.iter().map(|label| label.f1 * label.substrate_pairs as f64).sum::<f64>() / n,
            kappa: (expected < 1.0).then(|| (both / n - expected) / (1.0 - expected)),
            matthews_correlation: if spread > 0.0 { (both * n - products) / spread } else { 0.0 },
            labels,
        })
    }
}

impl Tally {
    fn metric(self, label: &str) -> LabelMetric {
        LabelMetric {
            label: label.to_owned(),
            substrate_pairs: self.substrate,
            model_pairs: self.model,
            precision: ratio(self.both, self.model),
            recall: ratio(self.both, self.substrate),
            f1: ratio(2 * self.both, self.substrate + self.model),
        }
    }
}

/// A share of `total`; 0 if that is 0.
fn ratio(part: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { part as f64 / total as f64 }
}

#[cfg(test)]
mod tests {
    //! Checked against scikit-learn: `tests/oracles/metrics.py` prints the values.

    use super::*;

    fn matrix(cells: &[(&str, &str, u64)]) -> BottomKCounts {
        let mut matrix = BottomKCounts::default();
        for (model, substrate, pairs) in cells {
            let model = (*model != "-").then(|| (*model).to_owned());
            matrix.add((model, (*substrate).to_owned()), *pairs);
        }
        matrix
    }

    #[track_caller]
    fn assert_all_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    }

    #[test]
    fn metrics_match_scikit_learn() {
        let cells = [
            ("a", "a", 50),
            ("b", "a", 7),
            ("-", "a", 3),
            ("a", "b", 9),
            ("b", "b", 20),
            ("d", "b", 1),
            ("b", "c", 4),
            ("c", "c", 5),
            ("-", "c", 1),
        ];
        let found = LabelMetrics::new(&matrix(&cells)).unwrap();
        let LabelMetrics {
            accuracy,
            balanced_accuracy,
            macro_f1,
            weighted_f1,
            kappa,
            matthews_correlation,
            ..
        } = found;
        assert_all_close(
            &[accuracy, balanced_accuracy, macro_f1, weighted_f1, kappa.unwrap(), matthews_correlation],
            &SUMMARY,
        );
        let names: Vec<&str> = found.labels.iter().map(|label| label.label.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        let pairs: Vec<_> =
            found.labels.iter().map(|label| (label.substrate_pairs, label.model_pairs)).collect();
        assert_eq!(pairs, [(60, 59), (30, 31), (10, 5), (0, 1)]);
        for (label, expected) in found.labels.iter().zip(BY_LABEL) {
            assert_all_close(&[label.precision, label.recall, label.f1], &expected);
        }
    }

    const SUMMARY: [f64; 6] = [
        0.75,
        0.6666666666666666,
        0.5406851265096202,
        0.7675896588143455,
        0.5437956204379562,
        0.5460183715732034,
    ];
    const BY_LABEL: [[f64; 3]; 4] = [
        [0.847457627118644, 0.8333333333333334, 0.8403361344537815],
        [0.6451612903225806, 0.6666666666666666, 0.6557377049180327],
        [1.0, 0.5, 0.6666666666666666],
        [0.0, 0.0, 0.0],
    ];

    #[test]
    fn one_label_on_both_sides_has_no_kappa() {
        let found = LabelMetrics::new(&matrix(&[("a", "a", 3)])).unwrap();
        assert_eq!((found.kappa, found.matthews_correlation, found.accuracy), (None, 0.0, 1.0));
        // A model without answers has no precision.
        let found = LabelMetrics::new(&matrix(&[("-", "a", 3)])).unwrap();
        assert_eq!((found.kappa, found.macro_f1, found.labels[0].precision), (Some(0.0), 0.0, 0.0));
    }

    #[test]
    fn an_incomplete_matrix_has_no_metrics() {
        assert_eq!(LabelMetrics::new(&BottomKCounts::default()), None);
        let mut many = BottomKCounts::default();
        for label in 0..=BottomKCounts::CAPACITY {
            many.add((None, label.to_string()), 1);
        }
        assert_eq!(LabelMetrics::new(&many), None);
    }
}
