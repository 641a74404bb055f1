//! Adds up the sums of the divergence search's metric by window and condition value.
//!
//! Invariant: sums that were not kept by window are missing, never estimated.

use crate::build::divergence::DivergenceSearch;
use crate::build::divergence::metric_estimate::MetricEstimator;
use understudy_statistics::scoring::{SliceTotals, Window};

impl DivergenceSearch<'_> {
    /// The estimator of a model for the metric of the search.
    pub fn estimator(&self, model: usize) -> &MetricEstimator {
        &self.estimators[model]
    }

    /// For each condition the sums of each of its values in a window; empty for a condition that is not searched. `None`
    /// if sums are not kept by window and profile.
    pub fn value_sums(&self, window: Window) -> Option<Vec<Vec<SliceTotals>>> {
        let conditions = self.sealed_study.study.conditions.len();
        let mut sums: Vec<Vec<SliceTotals>> = vec![Vec::new(); conditions];
        for (condition, values) in &self.index.conditions {
            sums[*condition] = vec![SliceTotals::default(); *values];
        }
        for (profile, halves) in self.outcome.profiles.profiles_in_window(window)? {
            for ((condition, _), value) in self.index.conditions.iter().zip(self.index.values(profile)) {
                let own = &mut sums[*condition][usize::from(value)];
                halves.iter().for_each(|half| own.merge(half));
            }
        }
        Some(sums)
    }
}
