//! The value of a metric, with what it was computed from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use understudy_statistics::scoring::Interval;

/// The value of a metric over some pairs, with the sums that it was computed from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MetricValue {
    /// The value; null where it is undefined. An interim report also withholds values of fewer than five pairs, and
    /// those from which such a value would follow.
    pub value: Option<f64>,
    /// The 95 % confidence interval. Only for the metric of the divergence search, and null where it cannot be
    /// computed. In a finished run it is valid for one look at a declared time, not for repeated looks.
    pub interval: Option<Interval>,
    /// Compared pairs.
    pub pairs: u64,
    /// Pairs on which the model abstained; they are included in `pairs`.
    pub abstained: u64,
    /// Pairs on which the model failed; they are included in `pairs`.
    pub failed: u64,
    /// Pairs on which the metric failed; the value is computed over the others.
    pub unscored: u64,
    /// The sum of each component, in the order of the metric's `components`.
    pub sums: Vec<f64>,
}
