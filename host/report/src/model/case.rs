//! One decided row, with all that is known of it.
//!
//! Always holds: what stands here is what the log has; nothing of it is computed but the texts.

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::model::report::Plugin;

/// One decided row.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Case {
    /// Its id.
    pub id: String,
    /// When its snapshot was observed.
    pub observed_at: Timestamp,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The window that it falls in.
    pub window: String,
    /// The snapshot's declared fields; `None` where one has no value.
    pub fields: Vec<(String, Option<String>)>,
    /// The snapshot as it came, where it was asked for.
    pub raw: Option<String>,
    /// The conditions, each with its value.
    pub conditions: Vec<(String, String)>,
    /// The decision's declared fields.
    pub decision: Vec<(String, Option<String>)>,
    /// The comparator.
    pub comparator: Plugin,
    /// What the comparator says that was done.
    pub done: Said,
    /// Whether the models were asked only once the decision was there.
    pub blinded: bool,
    /// The names of the metrics.
    pub metrics: Vec<String>,
    /// The models.
    pub models: Vec<CaseModel>,
}

/// What a plugin answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// The answer, or why there is none.
    pub answer: Result<String, String>,
    /// From 0 to 1, if the plugin says.
    pub confidence: Option<f64>,
}

impl Serialize for Said {
    /// `answer`, or `unanswered` with the reason; and `confidence`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut said = serializer.serialize_struct("Said", 2)?;
        match &self.answer {
            Ok(answer) => said.serialize_field("answer", answer)?,
            Err(reason) => said.serialize_field("unanswered", reason)?,
        }
        said.serialize_field("confidence", &self.confidence)?;
        said.end()
    }
}

/// A model's part of a case.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CaseModel {
    /// The plugin that answered.
    pub plugin: Plugin,
    /// What it answered.
    pub said: Said,
    /// Nanoseconds until its whole batch was answered; `None` where it was asked only once the decision was there.
    pub nanos: Option<u64>,
    /// Its figure by each metric, by this pair alone.
    pub figures: Vec<Option<f64>>,
    /// Whether it differs from the substrate.
    pub differs: bool,
    /// Cases like it, the nearest in time first; `None` where none were asked for.
    pub similar: Option<Vec<Similar>>,
}

/// A case with the same values of all conditions in which the same model differs from the substrate too.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Similar {
    /// Its id.
    pub id: String,
    /// When its snapshot was observed.
    pub observed_at: Timestamp,
    /// What the model answered, or why it did not, in parentheses.
    pub answer: String,
    /// What the comparator says that was done.
    pub done: String,
}
