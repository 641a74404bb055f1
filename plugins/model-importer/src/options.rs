//! What a study says about a model file.

use serde::Deserialize;

/// The keys of the declaration that concern the file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The format that the study names; any if it names none.
    #[serde(default)]
    pub format: Option<Format>,
    /// Names of the fields, one for each column that the model reads, in order.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Names of the classes, in order.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The score from which on the second of two labels is answered.
    #[serde(default)]
    pub score_threshold: Option<f64>,
    /// Whether the scores become probabilities by a softmax.
    #[serde(default)]
    pub softmax: bool,
    /// How many classes a ranking has; a label is answered without it.
    #[serde(default)]
    pub top: Option<u32>,
}

/// The format of a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// An ONNX graph.
    Onnx,
    /// XGBoost's JSON or UBJSON.
    Xgboost,
    /// LightGBM's text.
    Lightgbm,
    /// CatBoost's JSON.
    Catboost,
}

impl Format {
    /// The name, as a study writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Xgboost => "xgboost",
            Self::Lightgbm => "lightgbm",
            Self::Catboost => "catboost",
        }
    }
}
