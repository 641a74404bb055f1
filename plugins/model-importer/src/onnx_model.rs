//! Imports ONNX files.

use tabular_onnx::ImportedModel as OnnxModel;
use tabular_program::{Kind, LoweredModel, Values};

use crate::answer_rule::{Answer, Class, Outputs, answer_rule};
use crate::class_values::class_values;
use crate::options::{Format, Options};
use crate::signature::Signature;
use crate::{ImportedModel, field_names, missing_categories, missing_values, probe_rows, rounded_fields};

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
    missing_categories::add_keys(&mut model.program, &model.producer);
    let mut fields = field_names::fields(&model.program, &options.fields, &named)?;
    for (field, handled) in fields.iter_mut().zip(missing_values::handled(&model.program)) {
        field.required = !handled;
    }
    let mut notes = signature.apply(&mut fields)?;
    probe_rows::try_subgraphs(&model.program)?;
    let outputs = outputs(&model)?;
    let Answer { rule, renamed } = answer_rule(&mut model.program, &outputs, options)?;
    let rounded = rounded_fields::names(&model.program, &fields);
    notes.extend(rounded_fields::note(&rounded));
    notes.extend(runtime_note(&model));
    let OnnxModel { program, operators, producer, .. } = model;
    Ok(ImportedModel {
        model: LoweredModel { fields, answer: rule, program },
        format: Format::Onnx,
        producer,
        renamed,
        rounded,
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
    let found = labels.first().and_then(|label| class_values(&model.program, *label));
    let mut score_labels =
        numbers.first().map(|output| model.outputs[*output].labels.clone()).unwrap_or_default();
    if let (Some(found), Some(scores)) = (&found, numbers.first())
        && score_labels.is_empty()
        && found.in_score_order
        && found.values.len() == model.program.outputs[*scores].columns.width as usize
    {
        score_labels = texts(&found.values);
    }
    let classes = match found.map(|found| found.values) {
        Some(Values::Integers { mut values }) => {
            values.sort_unstable();
            values.dedup();
            values.into_iter().map(|value| Class { value, text: value.to_string() }).collect()
        }
        _ => Vec::new(),
    };
    let (label, numbers) = (labels.first().copied(), numbers.first().copied());
    Ok(Outputs { label, numbers, score_labels, classes })
}

fn texts(values: &Values) -> Vec<String> {
    match values {
        Values::Texts { values } => values.clone(),
        Values::Integers { values } => values.iter().map(i64::to_string).collect(),
        _ => Vec::new(),
    }
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
