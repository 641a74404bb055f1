//! A metric: mean quantile loss, also known as pinball loss, in the unit of the decision. It suits a model that
//! predicts a quantile of the decisions.
//!
//! For the quantile q, a pair loses q · (decision − model) if the decision is above the answer, else
//! (1 − q) · (model − decision). The value is the mean over the answered pairs. The answer that minimises it is the
//! q-quantile of the decisions; for q = 0.5 it is half the mean absolute error. Source: R. Koenker, G. Bassett,
//! "Regression quantiles", Econometrica 46 (1978), 33-50.
//!
//! Configuration: `quantile`, between 0 and 1, both excluded.
//!
//! An unanswered pair has no loss and is excluded. Without answered pairs the value is undefined.
//!
//! Components: `losses`; `answered`, 1 for an answered pair. A loss that overflows 64 bits is infinite: the host
//! excludes the pair and counts it as unscored.

use std::ops::RangeBounds;

use serde::Deserialize;
use understudy_sdk::prelude::*;

/// Which quantile is scored.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct QuantileLoss {
    /// The quantile that the model predicts.
    #[config(exclusive_minimum = 0, exclusive_maximum = 1)]
    quantile: f64,
}

impl Metric for QuantileLoss {
    type Config = QuantileLoss;
    type Answer<'a> = f64;

    fn new(config: QuantileLoss, _: &Assets) -> Result<Self, String> {
        if !(config.quantile > 0.0 && config.quantile < 1.0) {
            let quantile = config.quantile;
            return Err(format!("config: `quantile` is {quantile}; it must be above 0 and below 1"));
        }
        Ok(config)
    }

    fn components(&self) -> Vec<String> {
        vec!["losses".to_owned(), "answered".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..
    }

    fn score(&self, model: Option<f64>, decision: f64, components: &mut Components<'_>) {
        if let Some(model) = model {
            let below = decision - model;
            components[0] = if below > 0.0 { self.quantile * below } else { (1.0 - self.quantile) * -below };
            components[1] = 1.0;
        }
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        let &[losses, answered] = sums else { return None };
        (answered > 0.0).then(|| losses / answered)
    }
}

export_metric!(QuantileLoss);

#[cfg(test)]
mod tests {
    use understudy_sdk::native;

    use super::*;

    fn value(quantile: f64, model: &[Option<f64>], decisions: &[f64]) -> Option<f64> {
        native::value_of_rows(&QuantileLoss { quantile }, model, decisions).unwrap()
    }

    /// tests/oracles/metrics.py: sklearn.metrics.mean_pinball_loss([110.0, 74.0, 81.9, -3.5, 0.0], [104.98, 104.98,
    /// 80.0, 2.25, 0.5], alpha=quantile)
    #[test]
    fn equals_the_mean_pinball_loss_of_scikit_learn() {
        let (model, decisions) =
            ([104.98, 104.98, 80.0, 2.25, 0.5].map(Some), [110.0, 74.0, 81.9, -3.5, 0.0]);
        for (quantile, expected) in
            [(0.1, 6.839800000000001), (0.5, 4.415000000000001), (0.9, 1.9902000000000002)]
        {
            let value = value(quantile, &model, &decisions);
            assert!((value.unwrap() - expected).abs() < 1e-12, "{value:?}");
        }
    }

    #[test]
    fn a_high_quantile_costs_answers_below_the_decision_more() {
        assert_eq!(value(0.75, &[Some(0.0)], &[4.0]), Some(3.0));
        assert_eq!(value(0.75, &[Some(4.0)], &[0.0]), Some(1.0));
        assert_eq!(value(0.75, &[Some(4.0)], &[4.0]), Some(0.0));
    }

    #[test]
    fn unanswered_pairs_are_excluded() {
        assert_eq!(value(0.5, &[Some(1.0), None, Some(5.0)], &[2.0, 1000.0, 2.0]), Some(1.0));
    }

    #[test]
    fn undefined_without_answered_pairs() {
        assert_eq!(value(0.5, &[None, None], &[1.0, 2.0]), None);
        assert_eq!(value(0.5, &[], &[]), None);
    }

    #[test]
    fn invalid_configurations_are_rejected() {
        let refused = |config| native::metric::<QuantileLoss>(config, vec![]).err().unwrap();
        assert_eq!(refused("{}"), "config: missing field `quantile`");
        for (config, found) in
            [(r#"{"quantile": 0}"#, "0"), (r#"{"quantile": 1}"#, "1"), (r#"{"quantile": 90}"#, "90")]
        {
            let expected = format!("config: `quantile` is {found}; it must be above 0 and below 1");
            assert_eq!(refused(config), expected);
        }
        assert_eq!(refused(r#"{"q": 0.9}"#), "config: unknown field `q`, expected `quantile`");
    }
}
