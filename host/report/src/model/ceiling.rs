//! The substrate's own noise in a report: how often it decides the same for the same input class, and the ceiling that
//! follows.
//!
//! Invariants: a value and its ceiling are over the same input classes. A person is named only if the study declares it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use understudy_statistics::scoring::Interval;

/// The agreement of the substrate with itself, and that of the models beside the ceiling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CeilingReport {
    /// The fields in which the snapshots of an input class are equal.
    pub fields: Vec<InputClassFieldInfo>,
    /// The confidence of each bound on its own.
    pub confidence: f64,
    /// All pairs, and each declared scope.
    pub scopes: Vec<ScopeCeiling>,
    /// The raters; null if the study declares none.
    pub raters: Option<RaterReport>,
}

/// A field in which the snapshots of an input class are equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InputClassFieldInfo {
    /// Its name.
    pub name: String,
    /// The edges between its bins, ascending; empty if its values themselves are compared.
    pub edges: Vec<f64>,
}

/// A mean over input classes that were decided at least twice, weighted by their decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InputClassValue {
    /// The number of these input classes.
    pub classes: u64,
    /// The number of decisions in these input classes.
    pub decisions: u64,
    /// The mean, from 0 to 1; null if the input classes are fewer than 30.
    pub value: Option<f64>,
    /// The bounds of the mean, each one-sided; null where they cannot be computed, and in an interim report.
    pub interval: Option<Interval>,
}

/// The self-agreement and the ceiling in one scope, and the agreement of each model beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ScopeCeiling {
    /// `all`, or the name of a scope.
    pub scope: String,
    /// The number of compared pairs.
    pub pairs: u64,
    /// Whether every input class was kept. If not, the values are over a random sample of the input classes.
    pub complete: bool,
    /// The share of equal pairs of decisions.
    pub self_agreement: InputClassValue,
    /// The ceiling: the square root of that share.
    pub ceiling: InputClassValue,
    /// The models, in the order of `models`.
    pub models: Vec<ModelCeiling>,
}

/// A model beside the ceiling of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ModelCeiling {
    /// The number of pairs in which the model gave the substrate's answer. An interim report withholds it (null) if it would
    /// reveal fewer than five pairs.
    pub equal: Option<u64>,
    /// The model's agreement in the input classes that were decided at least twice. An interim report withholds it.
    pub agreement: InputClassValue,
    /// That agreement divided by the ceiling; null where one of them is not known.
    pub of_ceiling: Option<f64>,
}

/// The agreement of raters with each other, and of the models with each rater.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RaterReport {
    /// The field of the decision that says who decided.
    pub field: String,
    /// The share of equal decisions of one rater for the same input class. An interim report withholds it.
    pub same_rater: InputClassValue,
    /// The share of equal decisions of different raters for the same input class. An interim report withholds it.
    pub different_raters: InputClassValue,
    /// Each rater, by name if the study shows names.
    pub raters: Vec<RaterAgreement>,
    /// The pairs of raters beyond those that are listed.
    pub other_pairs: u64,
}

/// The agreement of the models with one rater.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RaterAgreement {
    /// The name, or a number as `rater 1`.
    pub rater: String,
    /// The rater's pairs.
    pub pairs: u64,
    /// For each model: the pairs in which it gave the rater's answer. An interim report withholds them (null).
    pub equal: Vec<Option<u64>>,
    /// For each model: the bounds of its share of equal answers by Wilson's score interval, each one-sided.
    pub intervals: Vec<Option<Interval>>,
}
