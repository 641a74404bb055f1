//! Imports model files of XGBoost and LightGBM.

use tabular_boosters::{ImportedModel as BoosterModel, Task, lightgbm, xgboost};
use tabular_program::{Kind, LoweredModel};

use crate::answer_rule::{Outputs, answer_rule};
use crate::options::{Format, Options};
use crate::{ImportedModel, field_names};

/// Imports a file. Both libraries handle missing values of every feature that is a number.
///
/// # Errors
/// See [`import`](crate::import).
pub(crate) fn import(file: &[u8], format: Format, options: &Options) -> Result<ImportedModel, String> {
    let model = match format {
        Format::Lightgbm => lightgbm::import(file),
        _ => xgboost::import(file),
    }
    .map_err(|error| error.to_string())?;
    let BoosterModel { program, feature_names, task, objective, trees } = model;
    let mut fields = field_names::fields(&program, &options.fields, &feature_names)?;
    for (field, kind) in fields.iter_mut().zip(program.input_kinds()) {
        field.required = !matches!(kind, Kind::Float | Kind::Double);
    }
    let outputs = match task {
        Task::Classes(classes) => Outputs {
            label: program.outputs.iter().position(|output| output.name == "class"),
            numbers: program.outputs.iter().position(|output| output.name == "probabilities"),
            score_labels: (0..classes).map(|class| class.to_string()).collect(),
        },
        Task::Numbers(_) => Outputs { label: None, numbers: Some(0), score_labels: Vec::new() },
    };
    let answer = answer_rule(&program, &outputs, options)?;
    let mut notes = Vec::new();
    if matches!(task, Task::Classes(_)) && options.labels.is_empty() {
        notes.push(
            "the file does not name the classes: the labels are 0, 1, ...; write labels = [...] to name them"
                .to_owned(),
        );
    }
    let operators = [(objective, 1), ("tree".to_owned(), trees)];
    Ok(ImportedModel {
        model: LoweredModel { fields, answer, program },
        format,
        producer: String::new(),
        operators: operators.into_iter().filter(|(_, count)| *count > 0).collect(),
        notes,
    })
}
