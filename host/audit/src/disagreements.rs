//! Which decided rows a model and the substrate differ in.
//!
//! Always holds: a label or a first choice that is another, or an answer that is not there, is a disagreement; of numbers the
//! tenth of the pairs that lie furthest apart are, with all that lie as far apart as the last of these, and none that lie at the
//! same place; a row that the substrate has no answer to is none.

use std::path::Path;

use anyhow::Context as _;
use arrow::array::RecordBatch;

use super::decided::decided;
use understudy_engine::Prepared;
use understudy_records::batch::{Answers, Stand};
use understudy_study::Form;

/// Of numbers, one pair in so many is a disagreement.
const TENTH: usize = 10;

/// Tells disagreements.
pub struct Disagreements {
    form: Form,
    names: Vec<String>,
    /// For each model how far numbers lie apart at least; nothing of other answers.
    bounds: Vec<f64>,
}

impl Disagreements {
    /// For the models of a study. Of numbers, all decided rows of the run are gone through once, and eight bytes of each are
    /// held for each model meanwhile.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn of(prepared: &Prepared, run: &Path) -> anyhow::Result<Disagreements> {
        let form = prepared.comparator.plugin.form;
        let names: Vec<String> = prepared.models.iter().map(|model| model.name.clone()).collect();
        let mut disagreements = Disagreements { form, bounds: vec![0.0; names.len()], names };
        if form == Form::Number {
            let mut apart: Vec<Vec<f64>> = vec![Vec::new(); disagreements.names.len()];
            decided(prepared, run, |batch| {
                for (model, apart) in apart.iter_mut().enumerate() {
                    apart.extend(disagreements.stands(&batch, model)?.into_iter().filter_map(|stand| {
                        match stand {
                            Stand::Apart(distance) => Some(distance),
                            _ => None,
                        }
                    }));
                }
                Ok(())
            })?;
            disagreements.bounds = apart.into_iter().map(furthest).collect();
        }
        Ok(disagreements)
    }

    /// For each row of a batch of decided rows whether a model differs there.
    ///
    /// # Errors
    /// When these are no decided rows of the study.
    pub fn rows(&self, batch: &RecordBatch, model: usize) -> anyhow::Result<Vec<bool>> {
        let bound = self.bounds[model];
        Ok(self.stands(batch, model)?.into_iter().map(|stand| differs(stand, bound)).collect())
    }

    fn stands(&self, batch: &RecordBatch, model: usize) -> anyhow::Result<Vec<Stand>> {
        let answers = |name: &str| {
            let column = |part: &str| batch.column_by_name(&format!("{name}.{part}"));
            let columns = column("answer").zip(column("unanswered")).zip(column("confidence"));
            let ((answers, reasons), confidences) =
                columns.with_context(|| format!("no answers of {name}"))?;
            Answers::from_columns(self.form, [answers, reasons, confidences])
                .with_context(|| format!("the columns {name}.* are no answers"))
        };
        Ok(answers(&format!("model.{}", self.names[model]))?.stands(&answers("comparator")?))
    }
}

/// Whether answers differ that stand so, where numbers do that lie `bound` apart.
fn differs(stand: Stand, bound: f64) -> bool {
    match stand {
        Stand::Other | Stand::Unanswered => true,
        Stand::Apart(distance) => distance > 0.0 && distance >= bound,
        Stand::Same | Stand::Nothing => false,
    }
}

/// How far apart at least the tenth lies that lies furthest apart.
fn furthest(mut apart: Vec<f64>) -> f64 {
    let tenth = apart.len().div_ceil(TENTH);
    match apart.len() {
        0 => 0.0,
        all => *apart.select_nth_unstable_by(all - tenth, f64::total_cmp).1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenth_that_lies_furthest_apart() {
        assert_eq!(furthest(Vec::new()), 0.0);
        assert_eq!(furthest(vec![3.0]), 3.0);
        assert_eq!(furthest((0..20).rev().map(f64::from).collect()), 18.0);
        assert_eq!(furthest((0..21).map(f64::from).collect()), 18.0);
        assert_eq!(furthest(vec![0.0; 30]), 0.0);
    }

    #[test]
    fn all_that_lie_as_far_apart_differ_and_none_at_the_same_place() {
        let differing = |apart: &[f64]| {
            let bound = furthest(apart.to_vec());
            apart.iter().filter(|distance| differs(Stand::Apart(**distance), bound)).count()
        };
        assert_eq!(differing(&[[1.0; 10], [2.0; 10]].concat()), 10);
        assert_eq!(differing(&[&[0.0; 95][..], &[3.0; 5]].concat()), 5);
        assert_eq!(differing(&[0.0; 30]), 0);
    }
}
