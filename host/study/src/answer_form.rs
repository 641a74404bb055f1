//! The form of a model's answers: label, number, ranking, set of labels or JSON value.
//!
//! A new form begins here; every `match` on [`AnswerForm`] is exhaustive, so the compiler lists the rest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The form of an answer. The same forms as in `wit/shadow.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerForm {
    /// One label out of a set.
    Label,
    /// A finite number.
    Number,
    /// Labels, best first.
    Ranking,
    /// Distinct labels without an order.
    LabelSet,
    /// Any JSON value.
    Json,
}

impl AnswerForm {
    /// The name in a plugin's configuration and in messages, such as `label`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Number => "number",
            Self::Ranking => "ranking",
            Self::LabelSet => "label-set",
            Self::Json => "json",
        }
    }

    /// An answer of the form in words, such as `a label`.
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Label => "a label",
            Self::Number => "a number",
            Self::Ranking => "a ranking",
            Self::LabelSet => "a set of labels",
            Self::Json => "a JSON value",
        }
    }
}
