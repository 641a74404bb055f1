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
use super::bindings::importer::exports::understudy::shadow::model_import::Summary;
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

/// The largest model file in bytes.
const MAX_FILE: usize = 512 << 20;

/// An imported model and what its importer says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedModel {
    /// The lowered model: what the model runtime receives as its asset `model`.
    pub bytes: Vec<u8>,
    /// What the model reads and answers.
    pub summary: ModelSummary,
}

/// What a trained model reads and answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSummary {
    /// The format of the file: `onnx`, `xgboost` or `lightgbm`.
    pub format: String,
    /// The program that wrote the file; empty if it does not say so.
    pub producer: String,
    /// The fields that the model reads.
    pub reads: Vec<InputField>,
    /// The form of the answers.
    pub answers: AnswerForm,
    /// The labels that the model can answer; empty if they are not known, or if it answers numbers.
    pub labels: Vec<String>,
    /// Whether the answers have confidences.
    pub confidence: bool,
    /// The operators by name, with the number of their occurrences.
    pub operators: Vec<(String, u32)>,
    /// The number of trees.
    pub trees: u32,
    /// What the author of a study should know, one sentence each.
    pub notes: Vec<String>,
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
    /// The file is too large.
    #[error("the file has {} MiB, more than the {} MiB that are read; export a smaller model", bytes >> 20, MAX_FILE >> 20)]
    TooLarge {
        /// The size of the file.
        bytes: usize,
    },
    /// The importer cannot be run.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// Imports a model file. `options` is a JSON object. `cache` is the folder of compiled code.
///
/// # Errors
/// If the importer refuses the file, or exceeds its budget.
pub fn import_model(
    importer: &ComponentFile,
    file: &[u8],
    options: &str,
    cache: Option<&Path>,
) -> Result<ImportedModel, ImportError> {
    if file.len() > MAX_FILE {
        return Err(ImportError::TooLarge { bytes: file.len() });
    }
    let sandbox = Sandbox::new(BUDGET, 1)?;
    let linked = link::<Bindings>(&sandbox, importer, "an importer", cache)?;
    let (config, assets) = (String::new(), Vec::new().into());
    let spec = Arc::new(InstanceSpec { linked, config, assets, usage_counters: Arc::default() });
    let mut supervisor = InstanceSupervisor::<Bindings>::new(sandbox, spec);
    supervisor.start()?;
    let imported = supervisor
        .call("import-model", |world, store| {
            world.understudy_shadow_model_import().call_import_model(store, file, options)
        })
        .map_err(ImportError::Failed)?
        .map_err(|why| ImportError::Refused(sanitize(&why)))?;
    Ok(ImportedModel { bytes: imported.bytes, summary: summary(imported.summary) })
}

/// The bytes of a lowered model, from the cache if it has them.
///
/// # Errors
/// See [`import_model`].
pub fn import_cached(
    importer: &ComponentFile,
    file: &[u8],
    options: &str,
    cache: Option<&Path>,
) -> Result<Vec<u8>, ImportError> {
    let make = || import_model(importer, file, options, cache).map(|imported| imported.bytes);
    let Some(folder) = cache else { return make() };
    let origin = format!("{}\n{}\n{options}", importer.digest, sha256_hex(file));
    compile_cache::load_bytes(folder, &format!("{}.model", sha256_hex(origin.as_bytes())), make)
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
        },
        labels: texts(summary.labels),
        confidence: summary.confidence,
        operators: summary
            .operators
            .into_iter()
            .map(|operator| (sanitize(&operator.name), operator.count))
            .collect(),
        trees: summary.trees,
        notes: texts(summary.notes),
    }
}
