//! The arguments that the commands of `understudy model` share.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde_json::json;

use super::super::output::print_err;
use understudy_engine::{ImportFileError, import_model, is_importer_cached};
use understudy_sandbox::ImportedModel;

/// The file of a trained model, and what a study says about it.
#[derive(clap::Args)]
pub(super) struct ModelArguments {
    /// File of a trained model: .onnx, XGBoost's .json or .ubj, LightGBM's .txt, CatBoost's .json; or a folder that MLflow
    /// has saved.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Names of the columns that the model reads, in order, if the file does not have them.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// Names of the classes, in the ascending order of their numbers in the file.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub labels: Vec<String>,
    /// Least score for the second of two labels.
    #[arg(long, value_name = "NUMBER")]
    pub score_threshold: Option<f64>,
    /// Convert the scores to probabilities by a softmax.
    #[arg(long)]
    pub softmax: bool,
    /// Number of classes to rank by their scores, instead of a label.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub top: Option<u32>,
}

impl ModelArguments {
    /// Imports the file. Returns the model and the size of its files in bytes.
    pub fn import(&self) -> anyhow::Result<(ImportedModel, usize)> {
        if !is_importer_cached() {
            print_err("compiling the importer (once)");
        }
        let options = json!({
            "fields": self.fields, "labels": self.labels, "score-threshold": self.score_threshold,
            "softmax": self.softmax, "top": self.top
        });
        import_model(&self.file, &options.to_string()).map_err(|error| match error {
            ImportFileError::Import(error) => {
                anyhow!("cannot import {}: {}", self.file.display(), with_options(&error.to_string()))
            }
            error => error.into(),
        })
    }

    /// The name of the file without folders.
    pub fn name(&self) -> &Path {
        self.file.file_name().map_or(&self.file, Path::new)
    }
}

/// A message about keys of a study as one about the options of the command.
fn with_options(message: &str) -> String {
    const OPTIONS: [(&str, &str); 10] = [
        ("write fields = [...]", "write --fields a,b,..."),
        ("write labels = [...]", "write --labels a,b,..."),
        ("write score-threshold = ", "write --score-threshold "),
        ("fields = [...]", "--fields a,b,..."),
        ("labels = [...]", "--labels a,b,..."),
        ("`fields`", "`--fields`"),
        ("`labels`", "`--labels`"),
        ("`score-threshold`", "`--score-threshold`"),
        ("`softmax`", "`--softmax`"),
        ("`top`", "`--top`"),
    ];
    OPTIONS.iter().fold(message.to_owned(), |text, (key, option)| text.replace(key, option))
}

#[cfg(test)]
mod tests {
    use super::with_options;

    #[test]
    fn messages_name_the_options_of_the_command() {
        insta::assert_snapshot!(with_options("the file has no names of columns, and the model reads 2; write fields = [...] with their names in the order of training"), @"the file has no names of columns, and the model reads 2; write --fields a,b,... with their names in the order of training");
        insta::assert_snapshot!(with_options("`labels` has 1 label, and the classes of the file are 1, 2; write one label for each, in this order"), @"`--labels` has 1 label, and the classes of the file are 1, 2; write one label for each, in this order");
        insta::assert_snapshot!(with_options("the model answers one number, and `labels` is written; write score-threshold = 0.5 as well to answer a label, or remove `labels`"), @"the model answers one number, and `--labels` is written; write --score-threshold 0.5 as well to answer a label, or remove `--labels`");
    }
}
