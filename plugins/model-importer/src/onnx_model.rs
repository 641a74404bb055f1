//! Imports ONNX files.

use tabular_onnx::ImportedModel as OnnxModel;
use tabular_program::{Columns, Kind, LoweredModel, Program, Step, Values};

use crate::answer_rule::{Outputs, answer_rule};
use crate::options::{Format, Options};
use crate::signature::Signature;
use crate::{ImportedModel, field_names, missing_values, probe_rows};

/// The key of the file's metadata that names the columns, as a JSON list of text.
const FIELDS: &str = "understudy.fields";

/// Imports a file. `read` gives the content of files beside it.
///
/// # Errors
/// See [`import`](crate::import).
pub(crate) fn import<'f>(
    file: &[u8],
    read: impl Fn(&str) -> Option<&'f [u8]>,
    options: &Options,
    signature: &Signature,
) -> Result<ImportedModel, String> {
    let mut model = tabular_onnx::import(file, read).map_err(|error| error.to_string())?;
    let named = match model.metadata.get(FIELDS) {
        None => signature.names(),
        Some(text) => serde_json::from_str::<Vec<String>>(text).map_err(|_| {
            format!(
                "the metadata `{FIELDS}` of the file is no JSON list of names; write it as [\"a\", \"b\"]"
            )
        })?,
    };
    let mut fields = field_names::fields(&model.program, &options.fields, &named)?;
    for (field, handled) in fields.iter_mut().zip(missing_values::handled(&model.program)) {
        field.required = !handled;
    }
    let mut notes = signature.apply(&mut fields)?;
    probe_rows::try_subgraphs(&model.program)?;
    let outputs = outputs(&model)?;
    let answer = answer_rule(&mut model.program, &outputs, options)?;
    notes.extend(precision_note(&model.program));
    notes.extend(runtime_note(&model));
    let OnnxModel { program, operators, producer, .. } = model;
    Ok(ImportedModel {
        model: LoweredModel { fields, answer, program },
        format: Format::Onnx,
        producer,
        operators,
        notes,
    })
}

/// The outputs of labels and scores.
fn outputs(model: &OnnxModel) -> Result<Outputs, String> {
    let is_number = |kind| matches!(kind, Kind::Float | Kind::Double);
    let find = |wanted: &dyn Fn(Kind) -> bool| -> Vec<usize> {
        (0..model.outputs.len()).filter(|output| wanted(model.outputs[*output].kind())).collect()
    };
    let (labels, numbers) = (find(&|kind| !is_number(kind)), find(&is_number));
    for several in [&labels, &numbers] {
        if several.len() > 1 {
            let names: Vec<String> =
                several.iter().map(|output| format!("{:?}", model.outputs[*output].name)).collect();
            return Err(format!(
                "the model has several outputs of one kind: {}; export it with the one that is the answer",
                names.join(", ")
            ));
        }
    }
    if let Some(label) = labels.first()
        && model.outputs[*label].columns.width != 1
    {
        let port = &model.outputs[*label];
        return Err(format!(
            "output {:?} has {} labels in one row; export the model with one",
            port.name, port.columns.width
        ));
    }
    let mut score_labels =
        numbers.first().map(|output| model.outputs[*output].labels.clone()).unwrap_or_default();
    if score_labels.is_empty()
        && let (Some(label), Some(scores)) = (labels.first(), numbers.first())
        && let Some(classes) = classes(&model.program, *label)
        && classes.len() == model.program.outputs[*scores].columns.width as usize
    {
        score_labels = classes;
    }
    Ok(Outputs { label: labels.first().copied(), numbers: numbers.first().copied(), score_labels })
}

/// The labels in the order of the classes, if the label is looked up by the number of the class in the end. Classifiers
/// have one score for each class, in this order.
fn classes(program: &Program, label: usize) -> Option<Vec<String>> {
    let mut columns = program.outputs[label].columns;
    for instruction in program.steps.iter().rev() {
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

/// A note on the operators that the neural engine runs.
fn runtime_note(model: &OnnxModel) -> Option<String> {
    (!model.neural_operators.is_empty()).then(|| {
        format!(
            "the neural engine runs a part of the model, one row at a time: {}",
            model.neural_operators.join(", ")
        )
    })
}

/// A note on inputs whose numbers are rounded to 32 bits.
fn precision_note(program: &Program) -> Option<String> {
    program.inputs.iter().any(|input| input.columns.kind == Kind::Float).then(|| {
        "numbers are read as 32-bit floats: whole numbers beyond 16,777,216, such as timestamps, are rounded".to_owned()
    })
}
