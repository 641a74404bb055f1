//! Imports model files of XGBoost, LightGBM and CatBoost.

use tabular_boosters::{ImportedModel as BoosterModel, Task, catboost, lightgbm, xgboost};
use tabular_program::LoweredModel;

use crate::answer_rule::{Outputs, answer_rule};
use crate::options::{Format, Options};
use crate::signature::Signature;
use crate::{ImportedModel, field_names};

/// Imports a file.
///
/// # Errors
/// See [`import`](crate::import).
pub(crate) fn import(
    file: &[u8],
    format: Format,
    options: &Options,
    signature: &Signature,
) -> Result<ImportedModel, String> {
    let model = match format {
        Format::Lightgbm => lightgbm::import(file),
        Format::Catboost => catboost::import(file),
        _ => xgboost::import(file),
    }
    .map_err(|error| error.to_string())?;
    let BoosterModel { mut program, feature_names, required, class_names, task, objective, trees } = model;
    let signed = signature.names();
    let known = if signed.len() == required.len() { &signed } else { &feature_names };
    let mut fields = field_names::fields(&program, &options.fields, known)?;
    for (field, required) in fields.iter_mut().zip(required) {
        field.required = required;
    }
    let mut notes = signature.apply(&mut fields)?;
    let has_numbers = class_names.iter().all(|name| name.parse::<f64>().is_ok());
    if !options.labels.is_empty() && !has_numbers {
        return Err(format!("the file names the classes: {}; remove `labels`", class_names.join(", ")));
    }
    let outputs = match task {
        Task::Classes(classes) => Outputs {
            label: program.outputs.iter().position(|output| output.name == "class"),
            numbers: program.outputs.iter().position(|output| output.name == "probabilities"),
            score_labels: (0..classes).map(|class| class.to_string()).collect(),
        },
        Task::Numbers(_) => Outputs { label: None, numbers: Some(0), score_labels: Vec::new() },
    };
    let named = match options.labels.is_empty() {
        true => &Options { labels: class_names.clone(), ..options.clone() },
        false => options,
    };
    let answer =
        answer_rule(&mut program, &outputs, if matches!(task, Task::Classes(_)) { named } else { options })?;
    if matches!(task, Task::Classes(_)) && options.labels.is_empty() && class_names.is_empty() {
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
