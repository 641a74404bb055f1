//! The file of a trained model, and what the study says about it.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::table_reader::TableReader;
use super::toml_value::Value;

const FILE: &str = "the path of the model file, such as \"model.onnx\"";
const FIELDS: &str = "a list of the names of the columns, such as [\"lead_time\", \"adults\"]";
const LABELS: &str = "a list of the names of the classes, such as [\"stays\", \"cancels\"]";
const SCORE_THRESHOLD: &str = "a number, such as 0.5";

const TOP: &str = "how many classes to rank, a whole number from 1 to 1000";
/// The values of `top`. Rankings are compared up to their 1,000th item.
pub(crate) const TOP_COUNTS: RangeInclusive<u32> = 1..=1000;

/// The keys of a trained model, besides `plugin`.
const KEYS: [&str; 6] = ["file", "fields", "labels", "score-threshold", "softmax", "top"];

/// The format of a model file, as the key `plugin` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelFormat {
    /// An ONNX graph.
    Onnx,
    /// XGBoost's JSON or UBJSON.
    Xgboost,
    /// LightGBM's text.
    Lightgbm,
    /// CatBoost's JSON.
    Catboost,
}

impl ModelFormat {
    /// All formats.
    pub const ALL: [ModelFormat; 4] =
        [ModelFormat::Onnx, ModelFormat::Xgboost, ModelFormat::Lightgbm, ModelFormat::Catboost];

    /// The value of the key `plugin` that names the format.
    pub fn name(self) -> &'static str {
        match self {
            ModelFormat::Onnx => "onnx",
            ModelFormat::Xgboost => "xgboost",
            ModelFormat::Lightgbm => "lightgbm",
            ModelFormat::Catboost => "catboost",
        }
    }
}

/// The file of a trained model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    /// The format.
    pub format: ModelFormat,
    /// The path, relative to the directory of `study.toml`.
    pub path: PathBuf,
    /// Names of the columns that the model reads, in order; empty if the file has them.
    pub fields: Vec<String>,
    /// Names of the classes, in order; empty if the file has them or the model answers numbers.
    pub labels: Vec<String>,
    /// The least score for the second of two labels; `None` if the model chooses its label.
    pub score_threshold: Option<f64>,
    /// Whether a softmax makes probabilities of the scores.
    pub softmax: bool,
    /// How many classes a ranking has; `None` if the model answers a label or a number.
    pub top: Option<u32>,
    /// The line of the `file` key, from 1.
    pub line: usize,
}

impl ModelFile {
    /// What the importer receives beside the file: a JSON object.
    pub fn options(&self) -> Json {
        let ModelFile { format, fields, labels, score_threshold, softmax, top, .. } = self;
        json!({
            "format": format.name(), "fields": fields, "labels": labels, "score-threshold": score_threshold,
            "softmax": softmax, "top": top
        })
    }
}

/// Reads the keys of a trained model. `plugin` is the value of the key `plugin`: the name of a format, or the path of a
/// component, which has none of these keys.
///
/// # Errors
/// If a key is missing or cannot be read, which is reported.
pub(super) fn model_file(section: &mut TableReader<'_>, plugin: &str) -> Result<Option<ModelFile>, ()> {
    let path = section.optional("file", FILE, Value::word);
    let names = |list: Vec<(&str, usize)>| list.into_iter().map(|(name, _)| name.to_owned()).collect();
    let fields = names(section.filled_list("fields", FIELDS, Value::word));
    let labels = names(section.filled_list("labels", LABELS, Value::word));
    let score_threshold = section.optional("score-threshold", SCORE_THRESHOLD, Value::number);
    let softmax = section.optional("softmax", "true or false", Value::boolean).unwrap_or(false);
    let top = section.optional("top", TOP, |value| {
        value.integer().and_then(|count| u32::try_from(count).ok()).filter(|count| TOP_COUNTS.contains(count))
    });
    let Some(format) = ModelFormat::ALL.into_iter().find(|format| format.name() == plugin) else {
        if let Some(formats) = formats_of(plugin) {
            let message = format!(
                "`{}` is \"{plugin}\", a model file; write plugin = {formats} and file = \"{plugin}\"",
                section.at("plugin")
            );
            section.fault(section.line_of("plugin"), message);
            return Err(());
        }
        for key in KEYS {
            section.refuse(
                key,
                "the plugin is a component; remove it, or write plugin = \"onnx\", \"xgboost\", \"lightgbm\" or \"catboost\"",
            );
        }
        return Ok(None);
    };
    for key in ["config", "assets"] {
        if section.is_filled_table(key) {
            section.refuse(key, "a trained model consists of its file; remove it");
        }
    }
    if !section.has("file") {
        let message = format!(
            "`{}` is \"{plugin}\", which needs a file; write file = \"model.{}\"",
            section.at("plugin"),
            match format {
                ModelFormat::Onnx => "onnx",
                ModelFormat::Xgboost | ModelFormat::Catboost => "json",
                ModelFormat::Lightgbm => "txt",
            }
        );
        section.absent(&["file"], section.line_of("plugin"), &message);
    }
    let line = section.line_of("file");
    let path = PathBuf::from(path.ok_or(())?);
    Ok(Some(ModelFile { format, path, fields, labels, score_threshold, softmax, top, line }))
}

/// The formats, as messages name them, that a file may have by its name; `None` if it is no model file.
fn formats_of(file: &str) -> Option<&'static str> {
    let path = Path::new(file);
    if path.file_name().is_some_and(|name| name == "MLmodel") {
        return Some("\"onnx\", \"xgboost\", \"lightgbm\" or \"catboost\"");
    }
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "onnx" => Some("\"onnx\""),
        "ubj" => Some("\"xgboost\""),
        "txt" => Some("\"lightgbm\""),
        "json" => Some("\"xgboost\" or \"catboost\""),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
