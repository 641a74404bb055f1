//! The plan of a study: what `understudy plan` shows, and prints as JSON.

use serde::Serialize;

use super::{ChancePlan, ShareOrigin};
use understudy_study::{Direction, Every, Evidence, Quantifier, WindowChoice};

/// What the threshold of a study can find at an expected volume, and how likely GO is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StudyPlan {
    /// The name of the study.
    pub study: String,
    /// The name of the threshold's metric.
    pub metric: String,
    /// The direction of the bound.
    pub direction: Direction,
    /// The bound, in units of the metric.
    pub bound: f64,
    /// Whether every window has to pass, or all windows pooled.
    pub quantifier: Quantifier,
    /// The windows that count.
    pub counted: WindowChoice,
    /// The number of windows that count.
    pub windows: u64,
    /// The length of a window.
    pub every: Every,
    /// Whether the point estimate or its confidence bound has to meet the bound.
    pub evidence: Evidence,
    /// The confidence at which margins are detected. With `family = "holm"` it is that of the only GO of the study.
    pub confidence: f64,
    /// The probability of GO at which a margin counts as detected.
    pub power: f64,
    /// The number of windows over which the volume was measured; `None` if it is stated.
    pub measured: Option<u64>,
    /// The probability that each window that counts has enough comparisons, as measured; 1 if the volume is
    /// stated. It is a factor of every probability of GO.
    pub enough_comparisons: f64,
    /// The standard deviation of a single score; `None` if scores are 0 or 1.
    pub standard_deviation: Option<f64>,
    /// What the threshold requires beyond chance; `None` if nothing.
    pub chance: Option<ChancePlan>,
    /// The plan for all of the input, then for each scope.
    pub scopes: Vec<ScopePlan>,
    /// The conditions, in the order of declaration.
    pub conditions: Vec<ConditionPlan>,
    /// What every reader of a verdict of this study must know, one sentence each.
    pub notes: Vec<String>,
    /// Warnings, one sentence each.
    pub warnings: Vec<String>,
}

/// The plan for all of the input, or for a scope.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ScopePlan {
    /// `all`, or the name of the scope.
    pub name: String,
    /// The scope's share of the comparisons: the product over its conditions, as if these were independent.
    pub share: Option<f64>,
    /// The expected number of comparisons per window.
    pub per_window: Option<u64>,
    /// The expected number of comparisons in all windows that count.
    pub pooled: Option<u64>,
    /// Whether there are fewer comparisons than the threshold requires, so that GO is impossible.
    pub too_few: bool,
    /// The smallest detectable margins.
    pub margins: PlanMargins,
    /// The probability of GO at true values around the bound, ascending; the true values are the same for all
    /// scopes.
    pub go_probabilities: Vec<GoProbability>,
}

/// The least excess of the true value over the bound, in units of the metric, at which the probability of GO
/// is at least [`TARGET_GO_PROBABILITY`](super::TARGET_GO_PROBABILITY). `None` if no true value suffices or the volume is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlanMargins {
    /// For one window, by its confidence bound at the plan's confidence.
    pub window: Option<f64>,
    /// For all windows pooled, by their confidence bound at the plan's confidence.
    pub pooled: Option<f64>,
    /// For the study as declared.
    pub declared: Option<f64>,
}

/// The probability of GO for a true value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GoProbability {
    /// The true value of the metric.
    pub truth: f64,
    /// The probability that a single window passes.
    pub window: f64,
    /// The probability that the study's verdict is GO.
    pub study: f64,
}

/// The expected volume of each value of a condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConditionPlan {
    /// The name of the condition.
    pub name: String,
    /// The source of the shares; `None` if they are unknown.
    pub origin: Option<ShareOrigin>,
    /// The values of the condition.
    pub values: Vec<ValuePlan>,
}

/// The plan for a value of a condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ValuePlan {
    /// The name of the value.
    pub name: String,
    /// The value's share of the comparisons.
    pub share: Option<f64>,
    /// The expected number of comparisons per window.
    pub per_window: Option<u64>,
    /// The expected number of comparisons in all windows that count.
    pub pooled: Option<u64>,
    /// Whether there are fewer comparisons than the threshold requires, so that GO is impossible.
    pub too_few: bool,
}
