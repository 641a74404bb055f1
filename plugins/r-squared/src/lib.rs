//! A metric: R², the coefficient of determination, with the decisions as the truth.
//!
//! Over n answered pairs with decisions y it is 1 − Σ (model − y)² / (Σ y² − (Σ y)² / n). 1 is full agreement. 0 is
//! as far from the decisions as their own mean, and the value has no minimum. Source: T. O. Kvålseth, "Cautionary
//! note about R²", The American Statistician 39 (1985), 279-285.
//!
//! Configuration: `origin`, 0 by default: a number near the decisions, which is subtracted from them before they are
//! squared. It does not change R², and avoids rounding where the decisions are large and close together.
//!
//! The value is undefined if the decisions have no spread, or one that rounding may have made: if
//! Σ y² − (Σ y)² / n is at most 2⁻³⁰ of Σ y², both from the origin. Fewer than two pairs and equal decisions have no
//! spread. Decisions whose standard deviation is less than 1/30,000 of their distance to 0 need an `origin`.
//!
//! An unanswered pair has no error and is excluded, with its decision.
//!
//! Components: `squared errors`; `decisions` and `squared decisions`, both from the origin; `answered`, 1 for an
//! answered pair. A square that overflows 64 bits is infinite: the host excludes the pair and counts it as unscored.

use std::ops::RangeBounds;

use serde::Deserialize;
use understudy_sdk::prelude::*;

/// The share of Σ y² that the spread has to exceed. The sums carry a relative rounding error of a few times 2⁻⁵³, so
/// the spread is then correct to about 2⁻²⁰.
const LEAST_SPREAD: f64 = 1.0 / (1_u64 << 30) as f64;

/// What the spread of the decisions is measured from.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct RSquared {
    /// The number that decisions are measured from, in their unit; 0 by default.
    #[serde(default)]
    origin: f64,
}

impl Metric for RSquared {
    type Config = RSquared;
    type Answer<'a> = f64;

    fn new(config: RSquared, _: &Assets) -> Result<Self, String> {
        Ok(config)
    }

    fn components(&self) -> Vec<String> {
        ["squared errors", "decisions", "squared decisions", "answered"].map(str::to_owned).to_vec()
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        ..=1.0
    }

    fn score(&self, model: Option<f64>, decision: f64, components: &mut Components<'_>) {
        if let Some(model) = model {
            let (error, decision) = (model - decision, decision - self.origin);
            components[0] = error * error;
            components[1] = decision;
            components[2] = decision * decision;
            components[3] = 1.0;
        }
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        let &[errors, decisions, squares, answered] = sums else { return None };
        if answered <= 0.0 {
            return None;
        }
        let spread = squares - decisions * (decisions / answered);
        (spread > LEAST_SPREAD * squares).then(|| 1.0 - errors / spread)
    }
}

export_metric!(RSquared);

#[cfg(test)]
mod tests {
    use understudy_sdk::native;

    use super::*;

    fn value_from(origin: f64, model: &[Option<f64>], decisions: &[f64]) -> Option<f64> {
        native::value_of_rows(&RSquared { origin }, model, decisions).unwrap()
    }

    fn value(model: &[Option<f64>], decisions: &[f64]) -> Option<f64> {
        value_from(0.0, model, decisions)
    }

    /// tests/oracles/metrics.py: sklearn.metrics.r2_score([110.0, 74.0, 81.9, -3.5, 0.0], [104.98, 104.98, 80.0, 2.25,
    /// 0.5])
    #[test]
    fn equals_the_r2_score_of_scikit_learn() {
        let (model, decisions) =
            ([104.98, 104.98, 80.0, 2.25, 0.5].map(Some), [110.0, 74.0, 81.9, -3.5, 0.0]);
        for origin in [0.0, 50.0, -3.5] {
            let value = value_from(origin, &model, &decisions);
            assert!((value.unwrap() - 0.9029099463872484).abs() < 1e-12, "{value:?}");
        }
    }

    #[test]
    fn the_mean_of_the_decisions_scores_zero_and_equal_answers_one() {
        let decisions = [1.0, 2.0, 6.0];
        assert_eq!(value(&[3.0; 3].map(Some), &decisions), Some(0.0));
        assert_eq!(value(&decisions.map(Some), &decisions), Some(1.0));
        assert_eq!(value(&[6.0, 6.0, 0.0].map(Some), &decisions), Some(1.0 - 77.0 / 14.0));
    }

    #[test]
    fn unanswered_pairs_are_excluded_with_their_decisions() {
        let model = [Some(1.0), None, Some(2.0), Some(4.0)];
        assert_eq!(value(&model, &[1.0, 1000.0, 3.0, 5.0]), Some(1.0 - 2.0 / 8.0));
    }

    #[test]
    fn undefined_without_spread() {
        assert_eq!(value(&[Some(1.0), Some(2.0)], &[0.1, 0.1]), None);
        assert_eq!(value(&[Some(1.0), Some(2.0)], &[0.0, 0.0]), None);
        assert_eq!(value(&[Some(1.0), None], &[1.0, 2.0]), None);
        assert_eq!(value(&[None, None], &[1.0, 2.0]), None);
        assert_eq!(value(&[], &[]), None);
    }

    /// Around 1.7e9 the decisions' squares are rounded to multiples of 512, so their spread is lost.
    #[test]
    fn an_origin_keeps_a_spread_that_rounding_would_lose() {
        let decisions = [1.0, 2.0, 6.0].map(|seconds| 1.7e9 + seconds);
        let model = [2.0, 2.0, 6.0].map(|seconds| Some(1.7e9 + seconds));
        assert_eq!(value(&model, &decisions), None);
        assert_eq!(value_from(1.7e9, &model, &decisions), Some(1.0 - 1.0 / 14.0));
    }

    #[test]
    fn invalid_configurations_are_rejected() {
        let refused = |config| native::metric::<RSquared>(config, vec![]).err().unwrap();
        assert_eq!(refused(r#"{"mean": 1}"#), "config: unknown field `mean`, expected `origin`");
        assert_eq!(refused(r#"{"origin": "a"}"#), "config: invalid type: string \"a\", expected f64");
    }
}
