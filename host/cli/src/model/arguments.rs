//! The arguments that the commands of `understudy model` share.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde_json::json;

use understudy_engine::import_model;
use understudy_run_log::read_file;
use understudy_sandbox::ImportedModel;

/// The file of a trained model, and what a study says about it.
#[derive(clap::Args)]
pub(super) struct ModelArguments {
    /// File of a trained model: .onnx, XGBoost's .json or .ubj, LightGBM's .txt.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Names of the columns that the model reads, in order, if the file does not have them.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// Names of the classes, in order, if the file does not have them.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub labels: Vec<String>,
    /// Score from which on the second of two labels is answered.
    #[arg(long, value_name = "NUMBER")]
    pub score_threshold: Option<f64>,
}

impl ModelArguments {
    /// Imports the file. Returns the model and the size of the file in bytes.
    pub fn import(&self) -> anyhow::Result<(ImportedModel, usize)> {
        let path = self.file.display();
        let file = read_file(&self.file)
            .map_err(|error| anyhow!("cannot read {path}: {error}; name the file of a trained model"))?;
        let options = json!({
            "fields": self.fields, "labels": self.labels, "score-threshold": self.score_threshold
        });
        let imported =
            import_model(&file, &options.to_string()).with_context(|| format!("cannot import {path}"))?;
        Ok((imported, file.len()))
    }

    /// The name of the file without folders.
    pub fn name(&self) -> &Path {
        self.file.file_name().map_or(&self.file, Path::new)
    }
}
