//! A metric: the share of pairs in which the model's number is within a tolerance of the decision.
//!
//! Over n pairs it is Σ \[|model − decision| ≤ t\] / n, the empirical distribution function of the absolute error at
//! t. Configuration: exactly one of
//!
//! - `absolute`, the tolerance t in the unit of the decision;
//! - `relative`, a fraction: t = `relative` · |decision|. A decision of 0 then needs an answer of 0. It is the
//!   criterion of `numpy.isclose` with `rtol` = `relative` and `atol` = 0.
//!
//! Both are at least 0. Every score is 0 or 1, so the value is a share and has exact bounds. Its error is computed in
//! 64-bit floats: 81.9 − 80 is above 1.9.
//!
//! A pair without a model answer is not within the tolerance, nor is one whose error overflows 64 bits. Without pairs
//! the value is undefined.
//!
//! Component: `within`, 1 for a pair within the tolerance and 0 otherwise.

use std::ops::RangeBounds;

use serde::Deserialize;
use understudy_sdk::prelude::*;

/// Exactly one tolerance.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The greatest error, in the unit of the decision.
    #[config(minimum = 0)]
    absolute: Option<f64>,
    /// The greatest error as a fraction of the decision.
    #[config(minimum = 0)]
    relative: Option<f64>,
}

/// Share of numbers within a tolerance of the decision.
pub enum WithinTolerance {
    /// The greatest error, in the unit of the decision.
    Absolute(f64),
    /// The greatest error as a fraction of the decision.
    Relative(f64),
}

impl Metric for WithinTolerance {
    type Config = Config;
    type Answer<'a> = f64;

    fn new(config: Config, _: &Assets) -> Result<Self, String> {
        let (name, tolerance, metric) = match (config.absolute, config.relative) {
            (Some(tolerance), None) => ("absolute", tolerance, Self::Absolute(tolerance)),
            (None, Some(tolerance)) => ("relative", tolerance, Self::Relative(tolerance)),
            (None, None) => return Err("config: no tolerance; write `absolute` or `relative`".to_owned()),
            (Some(_), Some(_)) => {
                return Err("config: two tolerances; write either `absolute` or `relative`".to_owned());
            }
        };
        if tolerance < 0.0 {
            return Err(format!("config: `{name}` is {tolerance}; it must be at least 0"));
        }
        Ok(metric)
    }

    fn components(&self) -> Vec<String> {
        vec!["within".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=1.0
    }

    fn score(&self, model: Option<f64>, decision: f64, components: &mut Components<'_>) {
        let tolerance = match self {
            Self::Absolute(tolerance) => *tolerance,
            Self::Relative(tolerance) => tolerance * decision.abs(),
        };
        let error = model.map_or(f64::INFINITY, |model| (model - decision).abs());
        components[0] = f64::from(error.is_finite() && error <= tolerance);
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

export_metric!(WithinTolerance);

#[cfg(test)]
mod tests {
    use understudy_sdk::native;

    use super::*;

    fn value(config: &str, model: &[Option<f64>], decisions: &[f64]) -> Option<f64> {
        let metric = native::metric::<WithinTolerance>(config, vec![]).unwrap();
        native::value_of_rows(&metric, model, decisions).unwrap()
    }

    /// tests/oracles/metrics.py: the mean of numpy.abs(model - decisions) <= 1.9, and of numpy.isclose(model, decisions,
    /// rtol=0.1, atol=0)
    #[test]
    fn equals_the_shares_of_numpy() {
        let (model, decisions) =
            ([104.98, 104.98, 80.0, 2.25, 0.5].map(Some), [110.0, 74.0, 81.9, -3.5, 0.0]);
        assert_eq!(value(r#"{"absolute": 1.9}"#, &model, &decisions), Some(0.2));
        assert_eq!(value(r#"{"relative": 0.1}"#, &model, &decisions), Some(0.4));
    }

    #[test]
    fn an_error_of_the_tolerance_is_within_it() {
        let (model, decisions) = ([5.0, -5.0, 3.0, 0.0].map(Some), [4.0, -4.0, 4.5, 0.0]);
        assert_eq!(value(r#"{"absolute": 1}"#, &model, &decisions), Some(0.75));
        assert_eq!(value(r#"{"relative": 0.25}"#, &model, &decisions), Some(0.75));
        assert_eq!(value(r#"{"relative": 0}"#, &model, &decisions), Some(0.25));
        assert_eq!(value(r#"{"absolute": 0.5}"#, &model, &decisions), Some(0.25));
    }

    #[test]
    fn unanswered_pairs_and_overflowing_errors_are_not_within() {
        let model = [Some(1.0), None, Some(f64::MAX), Some(2.0)];
        for config in [r#"{"absolute": 1}"#, r#"{"relative": 1.5}"#] {
            assert_eq!(value(config, &model, &[1.0, 0.0, f64::MIN, 2.0]), Some(0.5));
        }
    }

    #[test]
    fn undefined_without_pairs() {
        assert_eq!(value(r#"{"absolute": 1}"#, &[], &[]), None);
    }

    #[test]
    fn invalid_configurations_are_rejected() {
        let refused = |config| native::metric::<WithinTolerance>(config, vec![]).err().unwrap();
        assert_eq!(refused("{}"), "config: no tolerance; write `absolute` or `relative`");
        assert_eq!(
            refused(r#"{"absolute": 1, "relative": 0.1}"#),
            "config: two tolerances; write either `absolute` or `relative`"
        );
        assert_eq!(refused(r#"{"relative": -0.1}"#), "config: `relative` is -0.1; it must be at least 0");
        assert_eq!(
            refused(r#"{"tolerance": 1}"#),
            "config: unknown field `tolerance`, expected `absolute` or `relative`"
        );
    }
}
