//! Imports files of trained models, in the sandbox like everything else that comes from outside.
//!
//! Invariants:
//! - A file never reaches a parser of the host.
//! - An import ends by its fuel or its timeout. Its memory and its result are limited, whatever the limits of a study are.
//! - A lowered model follows from the importer, the file and the options alone, so a cached one is the same.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::bindings::importer::Importer as Bindings;
use super::bindings::importer::exports::understudy::shadow::answers::Form;
use super::bindings::importer::exports::understudy::shadow::columns::{Field, Kind};
use super::bindings::importer::exports::understudy::shadow::model_import::{ExternalFile, Outcome, Summary};
use super::component::link;
use super::component_file::{ComponentFile, sha256_hex};
use super::description_validation::InputField;
use super::instance::{InstanceSpec, InstanceSupervisor};
use super::{Budget, CallError, Sandbox, SandboxError, compile_cache, sanitize};
use understudy_study::{AnswerForm, FieldKind};

/// The limits of an import, whatever those of the study are.
const BUDGET: Budget = Budget {
    fuel: 200_000_000_000,
    timeout: Duration::from_secs(120),
    memory: 2048 << 20,
    returned: 1024 << 20,
    answer: 0,
};

/// The largest size in bytes of a model file and the files that belong to it, together.
pub const MAX_MODEL_SIZE: usize = 512 << 20;
/// How often an import may ask for further files: those that an `MLmodel` names, then those of an ONNX file.
const MAX_ROUNDS: usize = 3;

/// An imported model and what its importer says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedModel {
    /// The lowered model: what a model runtime receives as its asset `model`.
    pub bytes: Vec<u8>,
    /// What the model reads and answers.
    pub summary: ModelSummary,
}

/// What a trained model reads and answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSummary {
    /// The format of the file: `onnx`, `xgboost`, `lightgbm` or `catboost`.
    pub format: String,
    /// The program that wrote the file; empty if it does not say so.
    pub producer: String,
    /// The fields that the model reads.
    pub reads: Vec<InputField>,
    /// The form of the answers.
    pub answers: AnswerForm,
    /// The labels that the model can answer; empty if they are not known, or if it answers numbers.
    pub labels: Vec<String>,
    /// The classes of the file that `labels` renames, each with its label.
    pub renamed: Vec<(String, String)>,
    /// The names of the fields whose numbers become 32-bit floats.
    pub rounded: Vec<String>,
    /// Whether the answers have confidences.
    pub confidence: bool,
    /// Whether the answers have class probabilities.
    pub has_probabilities: bool,
    /// The operators by name, with the number of their occurrences.
    pub operators: Vec<(String, u32)>,
    /// The number of trees.
    pub trees: u32,
    /// What the author of a study should know, one sentence each.
    pub notes: Vec<String>,
}

/// A model file and the files that belong to it.
#[derive(Clone, Debug, Default)]
pub struct ModelFiles {
    /// The model file.
    pub main: Vec<u8>,
    /// The others, by their path relative to the folder of the model file.
    pub others: Vec<(String, Vec<u8>)>,
}

impl ModelFiles {
    /// The size of all files in bytes.
    pub fn size(&self) -> usize {
        self.main.len() + self.others.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    fn check_size(&self) -> Result<(), ImportError> {
        match self.size() {
            bytes if bytes > MAX_MODEL_SIZE => Err(ImportError::TooLarge { bytes }),
            _ => Ok(()),
        }
    }
}

/// Why a model file cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The importer refused the file.
    #[error("{0}")]
    Refused(String),
    /// The import exceeded its budget or trapped.
    #[error("the import failed: {0}; the file is damaged or too large")]
    Failed(CallError),
    /// The files are too large.
    #[error("the model has {} MiB, more than the {} MiB that are read; export a smaller model", bytes >> 20, MAX_MODEL_SIZE >> 20)]
    TooLarge {
        /// The size of the files.
        bytes: usize,
    },
    /// A file that belongs to the model cannot be read.
    #[error("it needs the file {name}, which cannot be read: {fault}; copy the whole folder of the model")]
    Other {
        /// The path relative to the folder of the model file.
        name: String,
        /// Why.
        fault: String,
    },
    /// The importer cannot be run.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// Imports a model file. `options` is a JSON object. `read` reads a file that belongs to it, by its path relative to the
/// folder of the model file; it is added to `files`. `cache` is the folder of compiled code.
///
/// # Errors
/// If the importer refuses the file, or exceeds its budget.
pub fn import_model(
    importer: &ComponentFile,
    files: &mut ModelFiles,
    options: &str,
    read: impl Fn(&str) -> Result<Vec<u8>, String>,
    cache: Option<&Path>,
) -> Result<ImportedModel, ImportError> {
    for _ in 0..MAX_ROUNDS {
        match call(importer, files, options, cache)? {
            Outcome::Model(model) => {
                return Ok(ImportedModel { bytes: model.bytes, summary: summary(model.summary) });
            }
            Outcome::Missing(names) => add_missing(files, names, &read)?,
        }
    }
    Err(ImportError::Refused("it needs further files again and again; export the model again".to_owned()))
}

/// The bytes of a lowered model, from the cache if it has them. See [`import_model`].
///
/// # Errors
/// See [`import_model`].
pub fn import_cached(
    importer: &ComponentFile,
    files: &mut ModelFiles,
    options: &str,
    read: impl Fn(&str) -> Result<Vec<u8>, String>,
    cache: Option<&Path>,
) -> Result<Vec<u8>, ImportError> {
    let Some(folder) = cache else {
        return import_model(importer, files, options, read, cache).map(|imported| imported.bytes);
    };
    for _ in 0..MAX_ROUNDS {
        let name = format!("{}.model", sha256_hex(origin(importer, files, options).as_bytes()));
        let mut missing = None;
        let make = || match call(importer, files, options, cache)? {
            Outcome::Model(model) => Ok(model.bytes),
            Outcome::Missing(names) => {
                missing = Some(names);
                Err(ImportError::Refused(String::new()))
            }
        };
        let result = compile_cache::load_bytes(folder, &name, make);
        match missing {
            None => return result,
            Some(names) => add_missing(files, names, &read)?,
        }
    }
    Err(ImportError::Refused("it needs further files again and again; export the model again".to_owned()))
}

/// What a lowered model follows from.
fn origin(importer: &ComponentFile, files: &ModelFiles, options: &str) -> String {
    let mut origin = format!("{}\n{}\n{options}", importer.digest, sha256_hex(&files.main));
    for (name, bytes) in &files.others {
        origin += &format!("\n{} {name:?}", sha256_hex(bytes));
    }
    origin
}

/// Reads the files that an import misses.
fn add_missing(
    files: &mut ModelFiles,
    names: Vec<String>,
    read: impl Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<(), ImportError> {
    for name in names {
        if files.others.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let error = |fault: String| ImportError::Other { name: sanitize(&name), fault };
        // The importer is not trusted with paths either.
        if !is_inside(&name) {
            return Err(error("it is outside of the model's folder".to_owned()));
        }
        let bytes = read(&name).map_err(error)?;
        files.others.push((name, bytes));
        // Before the next one is read.
        files.check_size()?;
    }
    Ok(())
}

/// Whether a path stays inside of its folder.
fn is_inside(path: &str) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..");
    !path.contains(['\\', ':', '\0']) && path.split('/').all(is_name)
}

fn call(
    importer: &ComponentFile,
    files: &mut ModelFiles,
    options: &str,
    cache: Option<&Path>,
) -> Result<Outcome, ImportError> {
    files.check_size()?;
    let sandbox = Sandbox::new(BUDGET, 1)?;
    let linked = link::<Bindings>(&sandbox, importer, "an importer", cache)?;
    let (config, assets) = (String::new(), Vec::new().into());
    let spec = Arc::new(InstanceSpec { linked, config, assets, usage_counters: Arc::default() });
    let mut supervisor = InstanceSupervisor::<Bindings>::new(sandbox, spec);
    supervisor.start()?;
    // The bindings own the files of a call. They are moved there and back, not copied.
    let others: Vec<ExternalFile> =
        files.others.drain(..).map(|(name, bytes)| ExternalFile { name, bytes }).collect();
    let outcome = supervisor.call("import-model", |world, store| {
        world.understudy_shadow_model_import().call_import_model(store, &files.main, &others, options)
    });
    files.others.extend(others.into_iter().map(|file| (file.name, file.bytes)));
    outcome.map_err(ImportError::Failed)?.map_err(|why| ImportError::Refused(sanitize(&why)))
}

fn summary(summary: Summary) -> ModelSummary {
    let field = |field: Field| InputField {
        name: sanitize(&field.name),
        kind: match field.kind {
            Kind::Boolean => FieldKind::Boolean,
            Kind::Integer => FieldKind::Integer,
            Kind::Number => FieldKind::Number,
            Kind::Text => FieldKind::Text,
            Kind::Timestamp => FieldKind::Timestamp,
            Kind::Json => FieldKind::Json,
        },
        required: field.required,
    };
    let texts = |texts: Vec<String>| texts.iter().map(|text| sanitize(text)).collect();
    ModelSummary {
        format: sanitize(&summary.format),
        producer: sanitize(&summary.producer),
        reads: summary.reads.into_iter().map(field).collect(),
        answers: match summary.answers {
            Form::Label => AnswerForm::Label,
            Form::Number => AnswerForm::Number,
            Form::Ranking => AnswerForm::Ranking,
            Form::LabelSet => AnswerForm::LabelSet,
            Form::Json => AnswerForm::Json,
        },
        labels: texts(summary.labels),
        renamed: summary.renamed.iter().map(|(class, label)| (sanitize(class), sanitize(label))).collect(),
        rounded: texts(summary.rounded),
        confidence: summary.confidence,
        has_probabilities: summary.has_probabilities,
        operators: summary
            .operators
            .into_iter()
            .map(|operator| (sanitize(&operator.name), operator.count))
            .collect(),
        trees: summary.trees,
        notes: texts(summary.notes),
    }
}

#[cfg(test)]
mod tests {
    use super::is_inside;

    #[test]
    fn paths_stay_inside_of_the_folder() {
        assert!(is_inside("model.onnx.data") && is_inside("weights/first.bin"));
        for path in ["../w", "a/../w", "/etc/passwd", "", "a//b", "./w", "c:w", "a\\..\\w", "a/"] {
            assert!(!is_inside(path), "{path}");
        }
    }
}
