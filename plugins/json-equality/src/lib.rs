//! A metric: the share of pairs whose JSON values are equal, with ignored and rounded paths.
//!
//! Two values are equal if they have the same structure and the same texts, truth values and numbers. The order of keys
//! makes no difference, that of an array does. Numbers are compared by value: 1 and 1.0 are equal. An unanswered pair is not
//! equal.
//!
//! Configuration:
//!
//! - `ignore`: paths that are not compared. An ignored key may also be absent on one side. An ignored element of an array still
//!   counts in the length of the array.
//! - `round`: paths of numbers with the number of decimals, from 0 to 15, to which both sides are rounded, half away from zero.
//!
//! A path is a JSON pointer (RFC 6901) that begins with `/`, in which the part `*` stands for every key and every element:
//! `/items/*/id`. In a key, `~1` is `/` and `~0` is `~`.
//!
//! Component: `equal`, 1 for an equal pair and 0 otherwise.

mod path_rules;

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use serde::Deserialize;
use serde_json::Value;
use understudy_sdk::prelude::*;

use path_rules::Rules;

/// The paths that are compared in another way.
#[derive(Deserialize, ConfigSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Paths whose values are not compared.
    #[serde(default)]
    ignore: Vec<String>,
    /// Paths of numbers that are rounded, each with the number of decimal places.
    #[serde(default)]
    round: BTreeMap<String, u32>,
}

/// Equality of JSON values.
pub struct JsonEquality {
    rules: Rules,
}

impl Metric for JsonEquality {
    type Config = Config;
    type Answer<'a> = JsonText<'a>;

    fn new(config: Config, _: &Assets) -> Result<Self, String> {
        Ok(Self { rules: Rules::new(&config.ignore, &config.round)? })
    }

    fn components(&self) -> Vec<String> {
        vec!["equal".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=1.0
    }

    fn score(&self, model: Option<JsonText<'_>>, decision: JsonText<'_>, components: &mut Components<'_>) {
        let Some(model) = model else { return };
        let value = |json: JsonText<'_>| serde_json::from_str::<Value>(json.text()).ok();
        let is_equal = model == decision
            || match (value(model), value(decision)) {
                (Some(model), Some(decision)) => self.rules.equal(&model, &decision),
                // The host passes JSON only.
                _ => false,
            };
        components[0] = f64::from(is_equal);
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

export_metric!(JsonEquality);

#[cfg(test)]
mod tests;
