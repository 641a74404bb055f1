//! Why a row has no answer, and the text of it in the run log.

use serde::{Deserialize, Serialize};

/// Why a row has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The plugin abstained, with its explanation.
    Abstained(String),
    /// The plugin reported that it cannot answer, with its explanation.
    Failed(String),
    /// The plugin trapped, exceeded a limit or returned an invalid answer; with the cause.
    Broke(String),
    /// The model is not called before the decision is known.
    Blinded,
}

impl Reason {
    /// Parses what [`std::fmt::Display`] writes; `None` for any other text.
    pub fn parse(text: &str) -> Option<Reason> {
        match text.split_once(": ") {
            _ if text == "abstained" => Some(Reason::Abstained(String::new())),
            _ if text == "blinded" => Some(Reason::Blinded),
            Some(("abstained", why)) => Some(Reason::Abstained(why.to_owned())),
            Some(("failed", why)) => Some(Reason::Failed(why.to_owned())),
            Some(("broke", why)) => Some(Reason::Broke(why.to_owned())),
            _ => None,
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reason::Abstained(why) if why.is_empty() => write!(f, "abstained"),
            Reason::Abstained(why) => write!(f, "abstained: {why}"),
            Reason::Failed(why) => write!(f, "failed: {why}"),
            Reason::Broke(why) => write!(f, "broke: {why}"),
            Reason::Blinded => write!(f, "blinded"),
        }
    }
}
