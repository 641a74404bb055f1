//! Runs the current plugin of a slot and a candidate on the most recent pairs, and counts the pairs on which
//! both agree.
//!
//! Invariants: both plugins see the same rows; nothing of the comparison is logged or scored, and the usage of the
//! plugins does not contain it.

use crate::evaluation::projection::PairProjection;
use crate::evaluation::recent_pairs::PairSample;
use understudy_records::batch::Answers;
use understudy_run_log::ledger::ShadowResult;
use understudy_sandbox::{DeciderPlugin, ScorerPlugin};
use understudy_study::{PerStream, Study};

/// A sample of pairs to compare plugins on.
pub struct ShadowComparison<'t> {
    study: &'t Study,
    buffered_fields: &'t PerStream<Vec<usize>>,
    sample: &'t PairSample,
}

impl<'t> ShadowComparison<'t> {
    /// A comparison on `sample`. For each stream, `buffered_fields` are the indices of the declared fields
    /// that the sample has.
    pub fn new(
        study: &'t Study,
        buffered_fields: &'t PerStream<Vec<usize>>,
        sample: &'t PairSample,
    ) -> ShadowComparison<'t> {
        ShadowComparison { study, buffered_fields, sample }
    }

    /// Compares two models or comparators by their answers. The current plugin is called again: the logged
    /// answers may come from an earlier version.
    pub fn compare_deciders(&self, current: &DeciderPlugin, candidate: &DeciderPlugin) -> ShadowResult {
        let [current, candidate] = [current, candidate].map(|plugin| {
            let projection = PairProjection::new(self.study, self.buffered_fields, &plugin.reads);
            plugin.uncounted_instance().decide(&projection.project_sample(&self.sample.fields)).answers
        });
        let pairs = self.sample.rows() as u64;
        ShadowResult { pairs, agreeing: pairs - current.differing(&candidate).len() as u64 }
    }

    /// Compares two metrics. They agree on a pair if all components of all models are equal to the bit.
    pub fn compare_metrics(&self, current: &ScorerPlugin, candidate: &ScorerPlugin) -> ShadowResult {
        let PairSample { comparator, models, .. } = self.sample;
        let comparable: Vec<(usize, usize)> = (0..comparator.rows())
            .filter(|row| comparator.reason(*row).is_none())
            .map(|row| (0, row))
            .collect();
        let mut agrees = vec![true; comparable.len()];
        let substrate = Answers::gather(&[comparator], &comparable);
        for answers in models {
            let answers = Answers::gather(&[answers], &comparable);
            let [current, candidate] =
                [current, candidate].map(|metric| metric.uncounted_instance().score(&answers, &substrate));
            for (row, agrees) in agrees.iter_mut().enumerate() {
                let mut components = current.components.iter().zip(&candidate.components);
                *agrees &= components.all(|(one, other)| one[row].to_bits() == other[row].to_bits());
            }
        }
        let agreeing = agrees.into_iter().filter(|agrees| *agrees).count() as u64;
        ShadowResult { pairs: comparable.len() as u64, agreeing }
    }
}
