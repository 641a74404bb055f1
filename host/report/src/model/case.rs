//! One case: a decided row with everything that the log holds about it.
//!
//! Invariants: every value comes from the log; only its text form is made here.

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::model::report::PluginInfo;

/// A decided row with its decision, the substrate's answer and every model's answer.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Case {
    /// The id that snapshot and decision share.
    pub id: String,
    /// The event time of the snapshot.
    pub observed_at: Timestamp,
    /// The event time of the decision.
    pub decided_at: Timestamp,
    /// The label of its window.
    pub window: String,
    /// The snapshot's declared fields; null where the record has no value.
    pub fields: Vec<(String, Option<String>)>,
    /// The snapshot as it was received, if requested.
    pub raw: Option<String>,
    /// Each condition with the value that applies.
    pub conditions: Vec<(String, String)>,
    /// The decision's declared fields; null where the record has no value.
    pub decision: Vec<(String, Option<String>)>,
    /// The other decisions of the snapshot, which do not count, in order of arrival. Empty for a row of several.
    pub other_decisions: Vec<OtherDecision>,
    /// The comparator.
    pub comparator: PluginInfo,
    /// The decision as an answer: the output of the comparator.
    pub substrate_answer: PluginAnswer,
    /// Whether the row is blinded: the models answered only after the decision was known.
    pub blinded: bool,
    /// The names of the metrics.
    pub metrics: Vec<String>,
    /// The models, in the order declared.
    pub models: Vec<CaseModel>,
}

/// A decision that does not count, because the study declares that another revision does.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OtherDecision {
    /// Its event time.
    pub decided_at: Timestamp,
    /// Its declared fields; null where the record has no value.
    pub fields: Vec<(String, Option<String>)>,
}

/// The answer of a plugin, or the reason for its absence.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginAnswer {
    /// The answer as text, with a ranking as a JSON array, or the reason that there is none.
    pub answer: Result<String, String>,
    /// From 0 to 1, if the plugin reports one.
    pub confidence: Option<f64>,
    /// The classes and their probabilities, the most probable first; empty if the plugin reports none.
    pub probabilities: Vec<(String, f64)>,
}

/// Writes the classes and their probabilities as an object, in their order.
struct ProbabilityObject<'a>(&'a [(String, f64)]);

impl Serialize for ProbabilityObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(class, probability)| (class, probability)))
    }
}

impl Serialize for PluginAnswer {
    /// Writes `answer`, or `unanswered` with the reason, and then `confidence`. Class probabilities follow if there are any.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("PluginAnswer", 3)?;
        match &self.answer {
            Ok(answer) => object.serialize_field("answer", answer)?,
            Err(reason) => object.serialize_field("unanswered", reason)?,
        }
        object.serialize_field("confidence", &self.confidence)?;
        if !self.probabilities.is_empty() {
            object.serialize_field("probabilities", &ProbabilityObject(&self.probabilities))?;
        }
        object.end()
    }
}

/// The answer of one model to a case.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CaseModel {
    /// The plugin version that answered.
    pub plugin: PluginInfo,
    /// Its answer.
    pub answer: PluginAnswer,
    /// Nanoseconds until the whole batch was answered; null if the row is blinded.
    pub latency_nanos: Option<u64>,
    /// The value of each metric for this pair alone.
    pub metric_values: Vec<Option<f64>>,
    /// Metrics that failed on this pair, each with its message.
    pub metric_failures: Vec<(String, String)>,
    /// Whether its answer differs from the substrate's.
    pub differs: bool,
    /// Similar cases, the nearest in time first; null if none were requested.
    pub similar: Option<Vec<SimilarCase>>,
}

/// A case with the same value of every condition in which the same model differs from the substrate, too.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SimilarCase {
    /// Its id.
    pub id: String,
    /// The event time of its snapshot.
    pub observed_at: Timestamp,
    /// The model's answer.
    pub answer: PluginAnswer,
    /// The substrate's answer.
    pub substrate_answer: PluginAnswer,
}
