//! Computes figures with the metrics' own `reduce`.
//!
//! Invariants: a metric that fails gives no figure, and its failure is counted.

use crate::model::report::MetricValue;
use crate::model::run_summary::PluginFailure;
use understudy_sandbox::Scorer;
use understudy_statistics::scoring::{Slice, Totals};

/// The metrics of a study, with their failures so far.
pub(super) struct Reducer {
    /// Each metric, with its name in the study.
    pub(super) scorers: Vec<(String, Scorer)>,
    /// Failures of the run, and then those of the metrics here.
    pub(super) failures: Vec<PluginFailure>,
}

impl Reducer {
    /// The `reduce` of a metric. A failure is counted and gives no figure.
    pub(super) fn reduce(&mut self, metric: usize) -> impl FnMut(u64, &[f64]) -> Option<f64> {
        let (name, scorer) = &mut self.scorers[metric];
        let failures = &mut self.failures;
        move |scored, sums| {
            scorer.reduce(scored, sums).unwrap_or_else(|message| {
                count_failure(failures, name, message);
                None
            })
        }
    }

    /// The `reduce` of a metric for hypothetical sums. A failure there is not counted.
    pub(super) fn probe(&mut self, metric: usize) -> impl FnMut(u64, &[f64]) -> Option<f64> {
        let (_, scorer) = &mut self.scorers[metric];
        move |scored, sums| scorer.reduce(scored, sums).unwrap_or(None)
    }

    pub(super) fn metric_value(
        &mut self,
        totals: &Totals,
        slice: Slice,
        model: usize,
        metric: usize,
    ) -> MetricValue {
        let tally = totals.tally(slice, model, metric);
        // A sum beyond the range of 64-bit floats is clamped: JSON has no infinity.
        let mut sums: Vec<f64> = tally.sums.iter().map(|sum| sum.clamp(f64::MIN, f64::MAX)).collect();
        // The last component is the host's own: the number of pairs that the metric scored.
        let scored = sums.pop().unwrap_or(0.0) as u64;
        let value = if scored == 0 { None } else { self.reduce(metric)(scored, &sums) };
        MetricValue {
            value,
            interval: None,
            pairs: tally.pairs,
            abstained: tally.abstained,
            failed: tally.failed,
            unscored: tally.pairs - scored,
            sums,
        }
    }
}

fn count_failure(failures: &mut Vec<PluginFailure>, plugin: &str, message: String) {
    match failures.iter_mut().find(|known| known.plugin == plugin && known.message == message) {
        Some(known) => known.count += 1,
        None => failures.push(PluginFailure {
            plugin: plugin.to_owned(),
            message,
            example: None,
            count: 1,
            first_id: String::new(),
            first_sequence: None,
        }),
    }
}
