//! A metric: root mean square error, in the unit of the decision. It weights large errors more than the mean
//! absolute error does.
//!
//! Over the answered pairs it is √(Σ (model − decision)² / (answered pairs)).
//!
//! An unanswered pair has no error, and any substitute would be arbitrary because only the study knows the
//! unit. So unanswered pairs are excluded. The report shows their share beside the value, which exposes a
//! model that answers only easy cases. Without answered pairs the value is undefined.
//!
//! Components: `squared errors`; `answered`, 1 for an answered pair. A square that overflows 64 bits is
//! infinite: the host excludes the pair and counts it as unscored.

use std::ops::RangeBounds;

use understudy_sdk::prelude::*;

/// Root mean square error of numbers.
pub struct RootMeanSquareError;

impl Metric for RootMeanSquareError {
    type Config = NoConfig;
    type Answer<'a> = f64;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["squared errors".to_owned(), "answered".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..
    }

    fn score(&self, model: Option<f64>, decision: f64, components: &mut Components<'_>) {
        if let Some(model) = model {
            let error = model - decision;
            components[0] = error * error;
            components[1] = 1.0;
        }
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        let &[squares, answered] = sums else { return None };
        (answered > 0.0).then(|| (squares / answered).sqrt())
    }
}

export_metric!(RootMeanSquareError);

#[cfg(test)]
mod tests {
    use understudy_sdk::native;

    use super::*;

    fn value(model: &[Option<f64>], decisions: &[f64]) -> Option<f64> {
        native::value_of_rows(&RootMeanSquareError, model, decisions).unwrap()
    }

    /// sklearn.metrics.root_mean_squared_error([110.0, 74.0, 81.9, -3.5, 0.0], [104.98, 104.98, 80.0, 2.25,
    /// 0.5])
    #[test]
    fn equals_the_root_mean_squared_error_of_scikit_learn() {
        let value = value(&[104.98, 104.98, 80.0, 2.25, 0.5].map(Some), &[110.0, 74.0, 81.9, -3.5, 0.0]);
        assert!((value.unwrap() - 14.2960365136635).abs() < 1e-13);
    }

    #[test]
    fn unanswered_pairs_are_excluded() {
        assert_eq!(value(&[Some(1.0), None, Some(9.0)], &[2.0, 1000.0, 2.0]), Some(5.0));
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
