//! A metric: mean absolute percentage error, the mean error as a fraction of the decision.
//!
//! Over the answered pairs whose decision is not 0 it is Σ |model − decision| / |decision| / (these pairs).
//! As in scikit-learn it is a fraction: 0.05 is 5 %. Source: R. J. Hyndman, A. B. Koehler, "Another look at
//! measures of forecast accuracy", International Journal of Forecasting 22 (2006), 679-688, who multiply it by
//! 100.
//!
//! A pair whose decision is 0 has no relative error. It is excluded from the mean and counted by the component
//! `zero decisions`. The report bundle has the sum of that component beside the value, and the table of pairs
//! has it for each pair. No guard of a threshold limits it. Decisions near 0 have huge relative errors, which
//! dominate the mean: use `mean-absolute-error` where decisions are that small.
//!
//! An unanswered pair has no error and is excluded, and is not counted as a zero. If no pair has a relative error,
//! the value is undefined.
//!
//! Components: `relative errors`; `counted`, 1 for a pair with a relative error; `zero decisions`, 1 for an
//! answered pair whose decision is 0. An error that overflows 64 bits is infinite: the host excludes the pair and
//! counts it as unscored.

use std::ops::RangeBounds;

use understudy_sdk::prelude::*;

/// Mean absolute percentage error of numbers, as a fraction.
pub struct MeanAbsolutePercentageError;

impl Metric for MeanAbsolutePercentageError {
    type Config = NoConfig;
    type Answer<'a> = f64;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        ["relative errors", "counted", "zero decisions"].map(str::to_owned).to_vec()
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..
    }

    fn score(&self, model: Option<f64>, decision: f64, components: &mut Components<'_>) {
        let Some(model) = model else { return };
        if decision == 0.0 {
            components[2] = 1.0;
        } else {
            components[0] = (model - decision).abs() / decision.abs();
            components[1] = 1.0;
        }
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        let &[errors, counted, _] = sums else { return None };
        (counted > 0.0).then(|| errors / counted)
    }
}

export_metric!(MeanAbsolutePercentageError);

#[cfg(test)]
mod tests {
    use understudy_sdk::{collect_answers, native};

    use super::*;

    fn value(model: &[Option<f64>], decisions: &[f64]) -> Option<f64> {
        native::value_of_rows(&MeanAbsolutePercentageError, model, decisions).unwrap()
    }

    /// tests/oracles/metrics.py: sklearn.metrics.mean_absolute_percentage_error([110.0, 74.0, 81.9, -3.5],
    /// [104.98, 104.98, 80.0, 2.25])
    #[test]
    fn equals_the_mean_absolute_percentage_error_of_scikit_learn() {
        let model = [104.98, 104.98, 80.0, 2.25, 0.5].map(Some);
        let value = value(&model, &[110.0, 74.0, 81.9, -3.5, 0.0]);
        assert!((value.unwrap() - 0.5325852945852946).abs() < 1e-12, "{value:?}");
    }

    #[test]
    fn zero_decisions_are_excluded_and_counted() {
        let model =
            collect_answers(5, |row| match [Some(3.0), Some(1.0), None, Some(0.0), Some(-3.0)][row] {
                Some(answer) => Ok(answer),
                None => Err(Reason::Abstained("no answer".to_owned())),
            });
        let decisions = collect_answers(5, |row| Ok([2.0, 0.0, 0.0, -0.0, -2.0][row]));
        let scores = native::score(&MeanAbsolutePercentageError, 5, &model, &decisions).unwrap();
        assert_eq!(scores, [[0.5, 0.0, 0.0, 0.0, 0.5], [1.0, 0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0, 0.0]]);
        assert_eq!(MeanAbsolutePercentageError.reduce(5, &[1.0, 2.0, 2.0]), Some(0.5));
    }

    #[test]
    fn undefined_without_relative_errors() {
        assert_eq!(value(&[None, Some(1.0)], &[1.0, 0.0]), None);
        assert_eq!(value(&[], &[]), None);
    }

    #[test]
    fn an_error_that_overflows_is_infinite() {
        assert_eq!(value(&[Some(1.0)], &[f64::MIN_POSITIVE / 8.0]), Some(f64::INFINITY));
    }
}
