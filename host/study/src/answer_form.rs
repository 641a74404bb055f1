//! The form of a model's answers: label, number, ranking, set of labels or JSON value.
//!
//! A new form begins with a variant of [`AnswerForm`]. Most code matches on it exhaustively, so the compiler lists these
//! places: answers in memory and in the log, the types of the pair table, their check in the sandbox, baselines, the
//! requirement beyond chance, and the words of thresholds.
//!
//! The compiler does not list the following places:
//! - the contract: `enum form` and the answers in `wit/shadow.wit`, and the types of the SDKs made from it;
//! - comparisons with one form, where a new form takes the other branch: search for `AnswerForm::` with `==`, `!=` and
//!   `matches!`, such as in `understudy_engine`'s `plugins/compatibility.rs` and in `threshold.rs` of this crate;
//! - matches with a branch for all other forms: the words of subgroups in a report (`sections/subgroups.rs`),
//!   `init/model_guess.rs` of the command line, `pair.rs` and `pair_feed.rs` of `understudy_plugin_kit`,
//!   `evaluation/baseline_scores.rs` of `understudy_engine`, `batch/answers/log_columns.rs` of `understudy_records`, and
//!   `scoring/answer_history.rs` of `understudy_statistics`;
//! - code by hand in the SDKs: `answers.py`, `answers.js` and `answers.c` in `guest-sdk/`;
//! - the rule by which an imported model answers: `answer_rule.rs` of the model importer;
//! - the forms that `understudy init` guesses, in `init/decision_guess.rs` of the command line;
//! - the forms that each stock comparator and metric accepts, in `plugins/`;
//! - `ANSWER_FORMS`, by which tests of `understudy_statistics` try every form;
//! - the documents: the pages `write-a-plugin.md`, `write-a-study.md`, `read-a-verdict.md`, `reference/file-formats.md` and
//!   `reference/metrics.md`, and the glossary's `answer`.

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
