//! A metric: bias, the absolute value of the mean error, in the unit of the decision.
//!
//! Over the answered pairs it is |Σ (model − decision)| / (answered pairs). Source: B. A. Walther, J. L. Moore, "The
//! concepts of bias, precision and accuracy, and their use in testing the performance of species richness estimators",
//! Ecography 28 (2005), 815-829, where the signed value is the mean error.
//!
//! Configuration: `signed`, false by default. With `signed = true` the value has the sign of the mean error: above 0 if
//! the model is above the substrate on average.
//!
//! The contract knows only "higher is better" and "lower is better". The bias declares that lower is better. With
//! `signed = true` a threshold `at-most` limits only how far the model is above the substrate, and any negative value
//! meets it. So the signed bias is for reports, and a threshold takes the default.
//!
//! An unanswered pair has no error and is excluded. Without answered pairs the value is undefined.
//!
//! Components: `errors`; `answered`, 1 for an answered pair. An error that overflows 64 bits is infinite: the
//! host excludes the pair and counts it as unscored.

use std::ops::{Bound, RangeBounds};

use serde::Deserialize;
use understudy_sdk::prelude::*;

/// What the value is.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct Bias {
    /// Whether the value has the sign of the bias. By default it is the absolute value.
    #[serde(default)]
    signed: bool,
}

impl Metric for Bias {
    type Config = Bias;
    type Answer<'a> = f64;

    fn new(config: Bias, _: &Assets) -> Result<Self, String> {
        Ok(config)
    }

    fn components(&self) -> Vec<String> {
        vec!["errors".to_owned(), "answered".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        let minimum = if self.signed { Bound::Unbounded } else { Bound::Included(0.0) };
        (minimum, Bound::Unbounded)
    }

    fn score(&self, model: Option<f64>, decision: f64, components: &mut Components<'_>) {
        if let Some(model) = model {
            components[0] = model - decision;
            components[1] = 1.0;
        }
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        let &[errors, answered] = sums else { return None };
        let errors = if self.signed { errors } else { errors.abs() };
        (answered > 0.0).then(|| errors / answered)
    }
}

export_metric!(Bias);

#[cfg(test)]
mod tests {
    use understudy_sdk::native;

    use super::*;

    const SIGNED: &str = r#"{"signed": true}"#;

    fn value(config: &str, model: &[Option<f64>], decisions: &[f64]) -> Option<f64> {
        native::value_of_rows(&native::metric::<Bias>(config, vec![]).unwrap(), model, decisions).unwrap()
    }

    /// tests/oracles/metrics.py: numpy.mean(model - decisions)
    #[test]
    fn equals_the_mean_of_numpy() {
        let model = [104.98, 104.98, 80.0, 2.25, 0.5].map(Some);
        let value = value(SIGNED, &model, &[110.0, 74.0, 81.9, -3.5, 0.0]);
        assert!((value.unwrap() - 6.062).abs() < 1e-12, "{value:?}");
    }

    #[test]
    fn a_model_below_the_substrate_has_a_negative_bias() {
        let (model, decisions) = ([Some(1.0), Some(2.0)], [2.0, 6.0]);
        assert_eq!(value(SIGNED, &model, &decisions), Some(-2.5));
        assert_eq!(value("{}", &model, &decisions), Some(2.5));
    }

    #[test]
    fn only_the_absolute_value_has_a_minimum() {
        let minimum = |signed: bool| {
            let metric = Bias { signed };
            match metric.range().start_bound() {
                Bound::Included(minimum) => Some(*minimum),
                _ => None,
            }
        };
        assert_eq!([true, false].map(minimum), [None, Some(0.0)]);
    }

    #[test]
    fn unanswered_pairs_are_excluded() {
        assert_eq!(value("{}", &[Some(1.0), None, Some(6.0)], &[2.0, 1000.0, 2.0]), Some(1.5));
    }

    #[test]
    fn undefined_without_answered_pairs() {
        assert_eq!(value("{}", &[None, None], &[1.0, 2.0]), None);
        assert_eq!(value("{}", &[], &[]), None);
    }

    #[test]
    fn an_error_that_overflows_is_infinite() {
        assert_eq!(value(SIGNED, &[Some(f64::MIN)], &[f64::MAX]), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn invalid_configurations_are_rejected() {
        let refused = |config| native::metric::<Bias>(config, vec![]).err().unwrap();
        assert_eq!(refused(r#"{"abs": true}"#), "config: unknown field `abs`, expected `signed`");
        assert_eq!(refused(r#"{"signed": 1}"#), "config: invalid type: integer `1`, expected a boolean");
    }
}
