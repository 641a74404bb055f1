//! Imports files of trained models: the component of the world `importer`.
//!
//! Invariants:
//! - A file is untrusted: whatever it holds, the result is a model that the engine accepts or an error.
//! - An error names what cannot be imported, where it is, and what helps.
//! - The bytes of a lowered model depend on the files and the options alone.

mod answer_rule;
mod booster_model;
mod class_values;
mod exports;
mod field_names;
mod file_format;
mod missing_categories;
mod missing_values;
mod mlflow_model;
mod onnx_model;
mod options;
mod probe_rows;
mod rounded_fields;
mod score_range;
mod signature;
mod yaml;

use std::collections::BTreeMap;

use tabular_program::LoweredModel;

use file_format::FileKind;
use mlflow_model::MlflowModel;
use signature::Signature;

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
    /// The classes of the file that `labels` renames, with their labels.
    pub renamed: Vec<(String, String)>,
    /// The names of the fields whose numbers become 32-bit floats.
    pub rounded: Vec<String>,
    /// Operators by name, with the number of their occurrences.
    pub operators: BTreeMap<String, usize>,
    /// What the author of a study should know, one sentence each.
    pub notes: Vec<String>,
}

impl ImportedModel {
    /// The labels that the model can answer, if it is known which.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        match answer_rule::known_labels(&self.model.answer) {
            // A label without scores is renamed by the program.
            [] => self.renamed.iter().map(|(_, label)| label.clone()).collect(),
            labels => labels.to_vec(),
        }
    }
}

/// A file that belongs to a model file.
#[derive(Clone, Debug)]
pub struct ExternalFile {
    /// Path relative to the folder of the model file, with `/` between its parts.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// How an import ends.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The model.
    Model(Box<ImportedModel>),
    /// Names of files without which it cannot be imported.
    Missing(Vec<String>),
}

/// Imports a model file: a file of a training library, or the file `MLmodel` that describes one. `others` are the files
/// that an earlier call missed.
///
/// # Errors
/// A message for the author of the study.
pub fn import(file: &[u8], others: &[ExternalFile], options: &Options) -> Result<Outcome, String> {
    let outcome = match file_format::kind(file)? {
        FileKind::Model(format) => import_format(file, format, "", others, options, &Signature::default()),
        FileKind::Mlflow => {
            let described = MlflowModel::parse(file, options.format)?;
            let Some(data) = others.iter().find(|other| other.name == described.data) else {
                return Ok(Outcome::Missing(vec![described.data]));
            };
            let error = |why: String| format!("{}: {why}", described.data);
            match file_format::kind(&data.bytes).map_err(error)? {
                FileKind::Mlflow => {
                    return Err(error("an MLmodel describes itself; name the file of the model".to_owned()));
                }
                FileKind::Model(format) => {
                    let folder = described.data.rsplit_once('/').map_or("", |(folder, _)| folder);
                    import_format(&data.bytes, format, folder, others, options, &described.signature)
                        .map_err(error)
                }
            }
        }
    }?;
    if let Outcome::Model(imported) = &outcome {
        imported.model.check().map_err(|error| format!("the model cannot be run: {error}"))?;
    }
    Ok(outcome)
}

/// Imports a file of a format. `folder` is the folder of the file, relative to that of the model file.
fn import_format(
    file: &[u8],
    format: Format,
    folder: &str,
    others: &[ExternalFile],
    options: &Options,
    signature: &Signature,
) -> Result<Outcome, String> {
    if let Some(declared) = options.format
        && declared != format
    {
        let (declared, format) = (declared.name(), format.name());
        return Err(format!(
            "the file is a model of {format}, and the study says \"{declared}\"; write plugin = \"{format}\""
        ));
    }
    if format != Format::Onnx {
        return booster_model::import(file, format, options, signature).map(Box::new).map(Outcome::Model);
    }
    let path = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let find =
        |name: &str| others.iter().find(|other| other.name == path(name)).map(|other| &other.bytes[..]);
    let names = tabular_onnx::external_files(file).map_err(|error| error.to_string())?;
    if names.iter().any(|name| find(name).is_none()) {
        // Every one of them, and what was missing before, so that one more call is enough.
        let mut missing: Vec<String> = others.iter().map(|other| other.name.clone()).collect();
        missing.extend(names.iter().map(|name| path(name)));
        missing.sort_unstable();
        missing.dedup();
        return Ok(Outcome::Missing(missing));
    }
    onnx_model::import(file, find, options, signature).map(Box::new).map(Outcome::Model)
}

#[cfg(test)]
mod tests;
