//! Imports model files of XGBoost, LightGBM and CatBoost.

use tabular_boosters::{ImportedModel as BoosterModel, Task, catboost, lightgbm, xgboost};
use tabular_program::LoweredModel;

use crate::answer_rule::{Answer, Class, Outputs, answer_rule};
use crate::options::{Format, Options};
use crate::signature::Signature;
use crate::{ImportedModel, field_names, rounded_fields};

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
    let known = match &feature_names[..] {
        _ if signed.len() == required.len() => &signed[..],
        // What LightGBM writes for a matrix without names.
        names if (0..).zip(names).all(|(at, name): (usize, _)| *name == format!("Column_{at}")) => &[],
        names => names,
    };
    let is_unnamed = known.is_empty() && program.inputs.iter().all(|input| input.columns.width == 1);
    if is_unnamed && options.fields.is_empty() {
        return Err(field_names::unnamed(&program));
    }
    let mut fields = field_names::fields(&program, &options.fields, known)?;
    for (field, required) in fields.iter_mut().zip(required) {
        field.required = required;
    }
    let mut notes = signature.apply(&mut fields)?;
    let rounded = rounded_fields::names(&program, &fields);
    notes.extend(rounded_fields::note(&rounded));
    let numbers: Option<Vec<f64>> = class_names.iter().map(|name| name.parse().ok()).collect();
    let Some(numbers) = numbers.or_else(|| options.labels.is_empty().then(Vec::new)) else {
        return Err(format!("the file names the classes: {}; remove `labels`", class_names.join(", ")));
    };
    let outputs = match task {
        Task::Classes(count) => Outputs {
            label: program.outputs.iter().position(|output| output.name == "class"),
            numbers: program.outputs.iter().position(|output| output.name == "probabilities"),
            score_labels: (0..count).map(|class| class.to_string()).collect(),
            classes: classes(count, &class_names, &numbers),
        },
        Task::Numbers(_) => {
            Outputs { label: None, numbers: Some(0), score_labels: Vec::new(), classes: Vec::new() }
        }
    };
    let named = match options.labels.is_empty() {
        true => &Options { labels: outputs.names_of_file(&class_names), ..options.clone() },
        false => options,
    };
    let is_classifier = matches!(task, Task::Classes(_));
    let Answer { rule, mut renamed } =
        answer_rule(&mut program, &outputs, if is_classifier { named } else { options })?;
    if options.labels.is_empty() {
        renamed.clear();
    }
    if matches!(task, Task::Classes(_)) && options.labels.is_empty() && class_names.is_empty() {
        notes.push(
            "the file does not name the classes: the labels are 0, 1, ...; write labels = [...] to name them"
                .to_owned(),
        );
    }
    let operators = [(objective, 1), ("tree".to_owned(), trees)];
    Ok(ImportedModel {
        model: LoweredModel { fields, answer: rule, program },
        format,
        producer: String::new(),
        renamed,
        rounded,
        operators: operators.into_iter().filter(|(_, count)| *count > 0).collect(),
        notes,
    })
}

/// The classes in the ascending order of their numbers in the file. `names` and `numbers` are those of the file; without
/// them the numbers are the positions.
fn classes(count: usize, names: &[String], numbers: &[f64]) -> Vec<Class> {
    let mut positions: Vec<usize> = (0..count).collect();
    if numbers.len() == count {
        positions.sort_by(|one, other| numbers[*one].total_cmp(&numbers[*other]));
    }
    let text = |position: usize| names.get(position).cloned().unwrap_or_else(|| position.to_string());
    positions.into_iter().map(|position| Class { value: position as i64, text: text(position) }).collect()
}
