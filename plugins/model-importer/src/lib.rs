//! Imports files of trained models: the component of the world `importer`.
//!
//! Invariants:
//! - A file is untrusted: whatever it holds, the result is a model that the engine accepts or an error.
//! - An error names what cannot be imported, where it is, and what helps.
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

use tabular_program::LoweredModel;

pub use options::{Format, Options};

/// An imported model and what is known of its file.
#[derive(Clone, Debug)]
pub struct ImportedModel {
    /// The model.
    pub model: LoweredModel,
    /// The format of the file.
    pub format: Format,
    /// The program that wrote the file; empty if it does not say so.
    pub producer: String,
    /// Operators by name, with the number of their occurrences.
    pub operators: BTreeMap<String, usize>,
    /// What the author of a study should know, one sentence each.
    pub notes: Vec<String>,
}

impl ImportedModel {
    /// The labels that the model can answer, if it is known which.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        answer_rule::known_labels(&self.model.answer)
    }
}

/// Imports a model file.
///
/// # Errors
/// A message for the author of the study.
pub fn import(file: &[u8], options: &Options) -> Result<ImportedModel, String> {
    let format = file_format::format(file)?;
    if let Some(declared) = options.format
        && declared != format
    {
        let (declared, format) = (declared.name(), format.name());
        return Err(format!(
            "the file is a model of {format}, and the study says \"{declared}\"; write plugin = \"{format}\""
        ));
    }
    let imported = match format {
        Format::Onnx => onnx_model::import(file, options),
        Format::Xgboost | Format::Lightgbm => booster_model::import(file, format, options),
    }?;
    imported.model.check().map_err(|error| format!("the model cannot be run: {error}"))?;
    Ok(imported)
}

#[cfg(test)]
mod tests;
