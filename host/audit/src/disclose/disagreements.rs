//! Decides on which rows a model and the substrate disagree.
//!
//! Invariants: two different labels, sets, JSON values or first choices disagree, and so does a missing answer of the model.
//! Numbers disagree in the tenth of the pairs with the largest distances, with all pairs at the same distance
//! as the last of them, and never at distance zero. A row without an answer of the substrate is never a
//! disagreement.

use arrow::array::RecordBatch;

use crate::disclose::pair_scan::{PairScan, answers, model_column};
use understudy_engine::SealedStudy;
use understudy_records::batch::{AnswerAgreement, AnswerSchema};
use understudy_study::AnswerForm;

/// One in ten pairs of numbers is a disagreement.
const PAIRS_PER_DISAGREEMENT: usize = 10;

/// Finds disagreements in batches of decided rows, or of a scan of pairs.
pub struct Disagreements {
    comparator: AnswerSchema,
    /// Name and answer schema of each model.
    models: Vec<(String, AnswerSchema)>,
    /// The smallest distance of a disagreement for each model; used for numbers only.
    thresholds: Vec<f64>,
}

impl Disagreements {
    /// Prepares for the models of a study. For numbers, all pairs are scanned once, which takes eight bytes
    /// per pair and model meanwhile.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn load(sealed_study: &SealedStudy, scan: &PairScan<'_>) -> anyhow::Result<Disagreements> {
        let form = sealed_study.comparator.plugin.form;
        let models = sealed_study.models.iter();
        let models: Vec<_> = models.map(|model| (model.name.clone(), model.plugin.answer_schema())).collect();
        let comparator = sealed_study.comparator.plugin.answer_schema();
        let mut disagreements = Disagreements { comparator, thresholds: vec![0.0; models.len()], models };
        let has_distances = match form {
            AnswerForm::Number => true,
            AnswerForm::Label | AnswerForm::Ranking | AnswerForm::LabelSet | AnswerForm::Json => false,
        };
        if has_distances {
            let mut distances: Vec<Vec<f64>> = vec![Vec::new(); disagreements.models.len()];
            scan.for_each(|batch| {
                for (model, distances) in distances.iter_mut().enumerate() {
                    let agreements = disagreements.agreements(&batch, model)?.into_iter();
                    distances.extend(agreements.filter_map(|agreement| match agreement {
                        AnswerAgreement::Distance(distance) => Some(distance),
                        AnswerAgreement::Same
                        | AnswerAgreement::Different
                        | AnswerAgreement::Unanswered
                        | AnswerAgreement::NoReference => None,
                    }));
                }
                Ok(())
            })?;
            disagreements.thresholds = distances.into_iter().map(distance_threshold).collect();
        }
        Ok(disagreements)
    }

    /// For each row of a batch: whether the model disagrees with the substrate.
    ///
    /// # Errors
    /// If the batch does not have the answers of both.
    pub fn mask(&self, batch: &RecordBatch, model: usize) -> anyhow::Result<Vec<bool>> {
        let threshold = self.thresholds[model];
        Ok(self
            .agreements(batch, model)?
            .into_iter()
            .map(|agreement| disagrees(agreement, threshold))
            .collect())
    }

    fn agreements(&self, batch: &RecordBatch, model: usize) -> anyhow::Result<Vec<AnswerAgreement>> {
        let (name, schema) = &self.models[model];
        let own = answers(batch, &model_column(name), *schema)?;
        Ok(own.agreements(&answers(batch, "comparator", self.comparator)?))
    }
}

/// Whether answers with this agreement disagree. Numbers do from the distance `threshold` on.
fn disagrees(agreement: AnswerAgreement, threshold: f64) -> bool {
    match agreement {
        AnswerAgreement::Different | AnswerAgreement::Unanswered => true,
        AnswerAgreement::Distance(distance) => distance > 0.0 && distance >= threshold,
        AnswerAgreement::Same | AnswerAgreement::NoReference => false,
    }
}

/// The smallest distance in the tenth of the pairs with the largest distances.
fn distance_threshold(mut distances: Vec<f64>) -> f64 {
    let tenth = distances.len().div_ceil(PAIRS_PER_DISAGREEMENT);
    match distances.len() {
        0 => 0.0,
        all => *distances.select_nth_unstable_by(all - tenth, f64::total_cmp).1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_bounds_the_tenth_with_the_largest_distances() {
        assert_eq!(distance_threshold(Vec::new()), 0.0);
        assert_eq!(distance_threshold(vec![3.0]), 3.0);
        assert_eq!(distance_threshold((0..20).rev().map(f64::from).collect()), 18.0);
        assert_eq!(distance_threshold((0..21).map(f64::from).collect()), 18.0);
        assert_eq!(distance_threshold(vec![0.0; 30]), 0.0);
    }

    #[test]
    fn equal_distances_disagree_together_and_distance_zero_never_does() {
        let disagreeing = |distances: &[f64]| {
            let threshold = distance_threshold(distances.to_vec());
            distances.iter().filter(|d| disagrees(AnswerAgreement::Distance(**d), threshold)).count()
        };
        assert_eq!(disagreeing(&[[1.0; 10], [2.0; 10]].concat()), 10);
        assert_eq!(disagreeing(&[&[0.0; 95][..], &[3.0; 5]].concat()), 5);
        assert_eq!(disagreeing(&[0.0; 30]), 0);
    }
}
