//! A metric: mean absolute error, in the unit of the decision.
//!
//! Over the answered pairs it is Σ |model − decision| / (answered pairs). With `greatest`, an error above it counts as it. The
//! range of the metric is then known, so its mean has bounds.
//!
//! An unanswered pair has no error, and any substitute would be arbitrary because only the study knows the
//! unit. So unanswered pairs are excluded. The report shows their share beside the value, which exposes a
//! model that answers only easy cases. Without answered pairs the value is undefined.
//!
//! Components: `absolute errors`; `answered`, 1 for an answered pair. An error that overflows 64 bits is
//! infinite: the host excludes the pair and counts it as unscored.

use std::ops::{Bound, RangeBounds};

use serde::Deserialize;
use understudy_sdk::prelude::*;

/// How errors are counted.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct MeanAbsoluteError {
    /// The greatest error, in the unit of the decision. A larger one counts as it. By default there is none.
    #[config(exclusive_minimum = 0)]
    greatest: Option<f64>,
}

impl Metric for MeanAbsoluteError {
    type Config = MeanAbsoluteError;
    type Answer<'a> = f64;

    fn new(config: MeanAbsoluteError, _: &Assets) -> Result<Self, String> {
        match config.greatest {
            Some(greatest) if greatest <= 0.0 => {
                Err(format!("config: `greatest` is {greatest}; it must be above 0"))
            }
            _ => Ok(config),
        }
    }

    fn components(&self) -> Vec<String> {
        vec!["absolute errors".to_owned(), "answered".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        (Bound::Included(0.0), self.greatest.map_or(Bound::Unbounded, Bound::Included))
    }

    fn score(&self, model: Option<f64>, decision: f64, components: &mut Components<'_>) {
        if let Some(model) = model {
            components[0] = (model - decision).abs().min(self.greatest.unwrap_or(f64::INFINITY));
            components[1] = 1.0;
        }
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        let &[errors, answered] = sums else { return None };
        (answered > 0.0).then(|| errors / answered)
    }
}

export_metric!(MeanAbsoluteError);

#[cfg(test)]
mod tests {
    use understudy_sdk::native;

    use super::*;

    fn value(model: &[Option<f64>], decisions: &[f64]) -> Option<f64> {
        native::value_of_rows(&MeanAbsoluteError { greatest: None }, model, decisions).unwrap()
    }

    /// tests/oracles/metrics.py: numpy.minimum(numpy.abs(model - decisions), 10).mean()
    #[test]
    fn an_error_above_the_greatest_counts_as_it() {
        let metric = native::metric::<MeanAbsoluteError>(r#"{"greatest": 10}"#, vec![]).unwrap();
        let (model, decisions) =
            ([104.98, 104.98, 80.0, 2.25, 0.5].map(Some), [110.0, 74.0, 81.9, -3.5, 0.0]);
        let value = native::value_of_rows(&metric, &model, &decisions).unwrap().unwrap();
        assert!((value - 4.634).abs() < 1e-12, "{value}");
        assert_eq!(metric.range().end_bound(), Bound::Included(&10.0));
        // An error that overflows is above it, too.
        assert_eq!(native::value_of_rows(&metric, &[Some(f64::MAX)], &[f64::MIN]), Ok(Some(10.0)));
        let refused = |config| native::metric::<MeanAbsoluteError>(config, vec![]).err().unwrap();
        assert_eq!(refused(r#"{"greatest": 0}"#), "config: `greatest` is 0; it must be above 0");
    }

    /// sklearn.metrics.mean_absolute_error([110.0, 74.0, 81.9, -3.5, 0.0], [104.98, 104.98, 80.0, 2.25, 0.5])
    #[test]
    fn equals_the_mean_absolute_error_of_scikit_learn() {
        let value = value(&[104.98, 104.98, 80.0, 2.25, 0.5].map(Some), &[110.0, 74.0, 81.9, -3.5, 0.0]);
        assert!((value.unwrap() - 8.83).abs() < 1e-14);
    }

    #[test]
    fn unanswered_pairs_are_excluded() {
        assert_eq!(value(&[Some(1.0), None, Some(5.0)], &[2.0, 1000.0, 2.0]), Some(2.0));
    }

    #[test]
    fn undefined_without_answered_pairs() {
        assert_eq!(value(&[None, None], &[1.0, 2.0]), None);
        assert_eq!(value(&[], &[]), None);
    }

    #[test]
    fn an_error_that_overflows_is_infinite() {
        assert_eq!(value(&[Some(f64::MAX)], &[f64::MIN]), Some(f64::INFINITY));
    }
}
