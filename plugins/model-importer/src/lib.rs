//! Lowers files of trained models: the component of the world `importer`.
//!
//! Invariants:
//! - A file is untrusted: whatever it holds, the result is a model that the engine accepts or an error.
//! - An error names what cannot be lowered, where it is, and what helps.
//! - The bytes of a lowered model depend on the file and the options alone.

mod answer_rule;
mod booster_model;
mod exports;
mod field_names;
mod file_format;
mod missing_values;
mod onnx_model;
mod options;
mod probabilities;

use std::collections::BTreeMap;

use tabular_form::TrainedModel;

pub use options::{Format, Options};

/// A lowered model and what is known of its file.
#[derive(Clone, Debug)]
pub struct LoweredModel {
    /// The model.
    pub model: TrainedModel,
    /// The format of the file.
    pub format: Format,
    /// The program that wrote the file; empty if it does not say so.
    pub producer: String,
    /// Operators by name, with the number of their occurrences.
    pub operators: BTreeMap<String, usize>,
    /// What the author of a study should know, one sentence each.
    pub notes: Vec<String>,
}

impl LoweredModel {
    /// The labels that the model can answer, if it is known which.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        answer_rule::known_labels(&self.model.answer)
    }
}

/// Lowers a model file.
///
/// # Errors
/// A message for the author of the study.
pub fn lower(file: &[u8], options: &Options) -> Result<LoweredModel, String> {
    let format = file_format::format(file)?;
    if let Some(declared) = options.format
        && declared != format
    {
        let (declared, format) = (declared.name(), format.name());
        return Err(format!(
            "the file is a model of {format}, and the study says \"{declared}\"; write plugin = \"{format}\""
        ));
    }
    let lowered = match format {
        Format::Onnx => onnx_model::lower(file, options),
        Format::Xgboost | Format::Lightgbm => booster_model::lower(file, format, options),
    }?;
    lowered.model.check().map_err(|error| format!("the model cannot be run: {error}"))?;
    Ok(lowered)
}

#[cfg(test)]
mod tests;
