//! The form of a model's answers: label, number or ranking.
//!
//! A new form begins here; every `match` on [`AnswerForm`] is exhaustive, so the compiler lists the rest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The form of an answer. The same three forms as in `wit/shadow.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnswerForm {
    /// One label out of a set.
    Label,
    /// A finite number.
    Number,
    /// Labels, best first.
    Ranking,
}

impl AnswerForm {
    /// The name in a plugin's configuration and in messages, such as `label`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Number => "number",
            Self::Ranking => "ranking",
        }
    }
}
