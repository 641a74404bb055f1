//! Lowers ONNX files.

use tabular_form::{Columns, Form, Kind, Step, TrainedModel, Values};
use tabular_onnx::Import;

use crate::answer_rule::{Outputs, answer_rule};
use crate::options::{Format, Options};
use crate::{LoweredModel, field_names, missing_values};

/// The key of the file's metadata that names the columns, as a JSON list of text.
const FIELDS: &str = "understudy.fields";

/// Lowers a file.
///
/// # Errors
/// See [`lower`](crate::lower).
pub(crate) fn lower(file: &[u8], options: &Options) -> Result<LoweredModel, String> {
    let import = tabular_onnx::import(file).map_err(|error| error.to_string())?;
    let named = match import.metadata.get(FIELDS) {
        None => Vec::new(),
        Some(text) => serde_json::from_str::<Vec<String>>(text).map_err(|_| {
            format!(
                "the metadata `{FIELDS}` of the file is no JSON list of names; write it as [\"a\", \"b\"]"
            )
        })?,
    };
    let mut fields = field_names::fields(&import.form, &options.fields, &named)?;
    for (field, handled) in fields.iter_mut().zip(missing_values::handled(&import.form)) {
        field.required = !handled;
    }
    let outputs = outputs(&import)?;
    let answer = answer_rule(&import.form, &outputs, options)?;
    let notes = precision_note(&import.form).into_iter().collect();
    let Import { form, operators, producer, .. } = import;
    Ok(LoweredModel {
        model: TrainedModel { fields, answer, form },
        format: Format::Onnx,
        producer,
        operators,
        notes,
    })
}

/// The outputs of labels and scores.
fn outputs(import: &Import) -> Result<Outputs, String> {
    let is_number = |kind| matches!(kind, Kind::Float | Kind::Double);
    let find = |wanted: &dyn Fn(Kind) -> bool| -> Vec<usize> {
        (0..import.outputs.len()).filter(|output| wanted(import.outputs[*output].kind())).collect()
    };
    let (labels, numbers) = (find(&|kind| !is_number(kind)), find(&is_number));
    for several in [&labels, &numbers] {
        if several.len() > 1 {
            let names: Vec<String> =
                several.iter().map(|output| format!("{:?}", import.outputs[*output].name)).collect();
            return Err(format!(
                "the model has several outputs of one kind: {}; export it with the one that is the answer",
                names.join(", ")
            ));
        }
    }
    if let Some(label) = labels.first()
        && import.outputs[*label].columns.width != 1
    {
        let port = &import.outputs[*label];
        return Err(format!(
            "output {:?} has {} labels in one row; export the model with one",
            port.name, port.columns.width
        ));
    }
    let mut score_labels =
        numbers.first().map(|output| import.outputs[*output].labels.clone()).unwrap_or_default();
    if score_labels.is_empty()
        && let (Some(label), Some(scores)) = (labels.first(), numbers.first())
        && let Some(classes) = classes(&import.form, *label)
        && classes.len() == import.form.outputs[*scores].columns.width as usize
    {
        score_labels = classes;
    }
    Ok(Outputs { label: labels.first().copied(), numbers: numbers.first().copied(), score_labels })
}

/// The labels in the order of the classes, if the label is looked up by the number of the class in the end. Classifiers
/// have one score for each class, in this order.
fn classes(form: &Form, label: usize) -> Option<Vec<String>> {
    let mut columns = form.outputs[label].columns;
    for instruction in form.steps.iter().rev() {
        match &instruction.step {
            Step::Copy { from, to } if *to == columns => columns = *from,
            Step::Lookup { table, width: 1, to, .. } if *to == columns => {
                return match table {
                    Values::Texts { values } => Some(values.clone()),
                    Values::Integers { values } => Some(values.iter().map(i64::to_string).collect()),
                    _ => None,
                };
            }
            step => {
                let is_written = |written: &Columns| written.overlaps(columns);
                if step.accesses().1.iter().any(is_written) {
                    return None;
                }
            }
        }
    }
    None
}

/// A note on inputs whose numbers are rounded to 32 bits.
fn precision_note(form: &Form) -> Option<String> {
    form.inputs.iter().any(|input| input.columns.kind == Kind::Float).then(|| {
        "numbers are read as 32-bit floats: whole numbers beyond 16,777,216, such as timestamps, are rounded".to_owned()
    })
}
